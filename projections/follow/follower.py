"""The follower: turns events into entries, exactly once, in order per share, recorded before anything is sent.

It reads the event log by position; a wake-up only hints that there is something to read, and a poll reads it anyway.
The events of one command are one update. A share whose view or markup cannot be made is parked: it stops where it is,
which is logged as an error, and the others go on. Once the cause is gone, the events it missed become its next updates.
A share of very many items takes turns: its updates are made one at a time, after whatever else there is to take in, and
until then it is recorded as parked where it stands.
"""

import contextlib
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from domain.agreement.share import ShareRevoked, TermsActivated
from domain.events import CommandCarriedOut, ContentErased, Recorded, closes
from domain.ids import ShareId
from domain.people.clients import ClientEnded
from domain.people.person import PersonErased
from projections.entries.entry import Entry
from projections.events.event_log import BATCH, EventLog, Unreadable
from projections.events.feed import Feed
from projections.events.folding import Step, Stood, nothing
from projections.events.world import World
from projections.follow.next_entry import Made, Memories, Renderer, Secrets, Shown, disclose, restore
from projections.installation.crash_point import CrashPoint, nowhere
from projections.installation.lease import LeaseKeeper
from projections.logs.disclosure_log import WAITS, DisclosureLog, LeaseLost, Moved, Parked, TermsMoved

__all__ = ["Follower", "FollowerPorts", "Renderer"]

log = logging.getLogger("fanlight.follow")
MANY = 1000  # milestones and risks of a project, from which on its shares take turns
RETRY = 60.0  # seconds between tries at parked shares
NO_TERM = -1
ERASED = (PersonErased, ContentErased)  # events after which nothing is used again that was made before


class FollowerPorts(msgspec.Struct, frozen=True, kw_only=True):
    """What a follower gets from the process it runs in: time, secrets, a receiver, the lease, a crash point."""

    clock: Callable[[], datetime]  # UTC
    salt: Callable[[str, int], bytes]  # of a share and an entry's number, the 32 secret bytes of its commitment
    on_entries: Callable[[str, Sequence[Entry]], None] = lambda _share, _entries: None  # called once they are recorded
    crash_point: CrashPoint = nowhere
    lease_keeper: LeaseKeeper | None = None  # None where no other process can follow
    feed: Feed | None = None  # of the fold that the doors of this process read; None: a fold of its own


class _Batch:
    """What one step will record, all or nothing."""

    def __init__(self) -> None:
        self.made: list[Made] = []
        self.parked: dict[str, Parked] = {}
        self.narrowed: dict[str, int] = {}  # stream -> position of its newest terms or of its end
        self.read = 0  # the position up to which `narrowed` is complete

    def know(self, events: Sequence[Recorded | Unreadable]) -> None:
        """Note where terms came into force or ended, also after the events that are taken in now."""
        ends = (TermsActivated, ShareRevoked, ClientEnded)
        cuts = [r for r in events if isinstance(r, Recorded) and isinstance(r.event, ends)]
        self.narrowed |= {cut.stream: cut.position for cut in cuts}
        self.read = max([self.read, *(r.position for r in events)])


class _Turn(msgspec.Struct, frozen=True):
    """An update that a large share has still to make: how everything stood then, and the events that brought it."""

    world: World
    group: Sequence[Recorded | Unreadable]
    before: int  # the position before these events


class Follower:
    """Follows the event log. One thread owns it; `wake`, `ask_again` and `forget` may be called from any.

    With `settled` it reads what is recorded already when it is made, else at its first turn.
    """

    def __init__(
        self,
        events: EventLog,
        disclosure: DisclosureLog,
        renderer: Renderer,
        ports: FollowerPorts,
        *,
        settled: bool = True,
    ) -> None:
        self._events, self._disclosure, self._renderer = events, disclosure, renderer
        self._clock, self._on_entries = ports.clock, ports.on_entries
        self._secrets = Secrets(ports.salt, disclosure.seal_name, lambda: self._world.erased)
        self._crash_point, self._lease_keeper = ports.crash_point, ports.lease_keeper
        self._feed = ports.feed or Feed(events)
        self._stands = self._feed.last  # how everything stood after the command that is taken in
        self._awake = threading.Event()
        self._asked: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._emptied = threading.Event()  # set when what is kept in memory is to be dropped
        self._running = False
        self.parked: dict[str, Parked] = {}
        self.beat = time.monotonic()  # when it last worked, by the monotonic clock; for the health page
        self.failure = ""  # the error that stops it as a whole, "" when none does; for the health page
        self.leading = False
        self.level: int | None = None  # after this event none was recorded before the newest entries; None: not known
        self._unsure = not settled  # what is in memory may differ from what is recorded
        self._retried = 0.0
        if settled:
            self._reset()

    # starting, running and standing by

    def _reset(self) -> None:
        """Stand where the record ends; the stylesheet is kept before any entry names it."""
        self._disclosure.keep_stylesheet(self._renderer.stylesheet, self._renderer.css)
        self._styles = {self._renderer.stylesheet}
        for digest, asset in self._renderer.assets.items():
            self._disclosure.keep_asset(digest, asset)
        self._shown: dict[ShareId, Shown] = {}
        self._position = self._disclosure.position()
        self._turns: dict[ShareId, deque[_Turn]] = {}  # of large shares, the one whose turn it is first
        self._before: dict[str, Stood] = {}  # of stopped shares, how everything stood before the command
        self._feed.go_to(self._position)
        self._stands = self._feed.last
        self._unsure = False
        self._look_for_parked()

    @property
    def _world(self) -> World:
        return self._stands.world

    @property
    def _read(self) -> int:
        return self._feed.read

    @property
    def recorded(self) -> Stood:
        """How everything stood after the last command of which all updates are recorded."""
        return self._feed.recorded

    def _look_for_parked(self) -> None:
        self.parked = {s: p for s in self._world.shares if (p := self._disclosure.parked(s)) is not None}

    def wake(self) -> None:
        """Hint that something was recorded."""
        self._awake.set()

    def ask_again(self, share: str) -> None:
        """Have a parked share tried again, by the thread that follows; returns at once."""
        self._asked.put(share)
        self.wake()

    def forget(self) -> None:
        """Have the thread that follows drop what it remembers, as content was erased; returns at once."""
        self._emptied.set()
        self.wake()

    @property
    def forgot(self) -> bool:
        """Whether nothing is left of what `forget` was called for."""
        return not (self._running and self._emptied.is_set())

    def run(self, stop: threading.Event, poll: float = 0.25) -> None:
        """Follow until `stop` is set; `poll` is how many seconds it waits at most for a hint before it reads anyway.

        Without the lease it stands by: it takes in what the leading follower has recorded, so as to go on from there.
        """
        self._running = True
        while not stop.is_set():
            self._awake.clear()
            if not self._guarded(self._turn):
                self._awake.wait(poll)
        self._running = False

    def _turn(self) -> int:
        self.beat = time.monotonic()
        if self._unsure:
            self._reset()
        if self._emptied.is_set():
            self._forget()
            self._shown.clear()  # with the names that go with what is shown
            self._emptied.clear()
        if self._lease_keeper is not None and self._lease_keeper.term is None:
            self.leading = False
            self._turns.clear()  # whoever leads finds them parked
            self.stand_by()
            return 0
        if not self.leading:
            self._take_over()
        while not self._asked.empty():
            self.retry(self._asked.get())
        for share in [share for share, parked in self.parked.items() if parked.error == WAITS]:
            self.retry(share)  # it was waiting when the process before this one ended
        if self.parked and time.monotonic() - self._retried > RETRY:
            self._retry_all()
        return self.step()

    def stand_by(self) -> None:
        """Take in the events that are disclosed already, without disclosing anything."""
        position = self._disclosure.position()
        if self._read > position:
            self._reset()
        elif position > self._position:
            self._shown.clear()
            self._feed.go_to(position)
            self._stands, self._position = self._feed.last, position

    def _take_over(self) -> None:
        self.stand_by()
        self._look_for_parked()
        self.leading = True
        self._retry_all()

    def _retry_all(self) -> None:
        self._retried = time.monotonic()
        for share in list(self.parked):
            self.retry(share)

    def _guarded(self, turn: Callable[[], int]) -> int:
        try:
            taken = turn()
            self.failure = ""
        except Moved as error:
            log.warning("another follower wrote first, reading again: %s", error)
            self._unsure = True
            return 0
        except LeaseLost as error:
            log.warning("stands by: %s", error)
            self._unsure, self.leading = True, False
            if self._lease_keeper is not None:
                self._lease_keeper.lost()
            return 0
        except Exception as error:
            self.failure = f"{type(error).__name__}: {error}"
            log.exception("the follower could not record; it tries again")
            self._unsure = True
            return 0
        return taken

    # one step

    def step(self, limit: int = BATCH) -> int:
        """Take in up to `limit` events, record the entries they make, then hand those on; return how many were read."""
        self.beat = time.monotonic()
        steps, read = self._feed.take(limit)
        if not read:
            return self._next_turn()
        batch, position = _Batch(), self._position
        batch.know([recorded for step in steps for recorded in step.events])
        more = read >= limit or self._feed.read > batch.read or self._feed.more()
        if steps and more:  # else these are the last of the log
            batch.know(self._events.cuts(batch.read))
        for step in steps:
            self._take(step, batch, position, alone=len(step.events) >= read)
            position = step.after.position
        try:
            self._record(batch, position)
        except TermsMoved:
            log.info("terms came into force or ended meanwhile, reading again")
            self._reset()
        self._next_turn()
        return read

    def _take(self, step: Step, batch: _Batch, before: int, *, alone: bool) -> None:
        """Take in the events of one command; `alone`: nothing else is known to wait."""
        self.beat = time.monotonic()
        group, stood, self._stands = step.events, self._stands, step.after
        erases = _erases(group)
        if erases:
            self._forget()
        concerned: set[ShareId] = set()
        for stream in {recorded.stream for recorded in group}:
            concerned |= self._world.concerned(stream)
        for share in sorted(concerned):
            if share in self.parked or _narrowed(batch, self._world, share, group[-1].position):
                continue
            if share in self._turns or (self._large(share) and not (alone and len(concerned) == 1)):
                self._put_off(share, _Turn(self._world, group, before), batch)
                continue
            try:
                self._refuse_broken(share)
                now = _time_of(self._clock(), group)
                made = disclose(self._world, share, self._shown_by(share), self._renderer, now, self._secrets)
            except Exception as error:
                log.exception("share %s is stopped at event %d; the others go on", share, before)
                parked = Parked(share=share, position=before, error=f"{type(error).__name__}: {error}")
                self.parked[share] = batch.parked[share] = parked
                if not erases:
                    self._before[share] = stood
                continue
            if made is not None:
                self._shown[share] = made.shown
                batch.made.append(made)

    # large shares

    def _large(self, share: ShareId) -> bool:
        project = self._world.projects.get(self._world.shares[share].project)
        return project is not None and len(project.schedule.milestones) + len(project.risks.risks) >= MANY

    def _put_off(self, share: ShareId, turn: _Turn, batch: _Batch) -> None:
        """Have a large share make this update when it is its turn."""
        if share not in self._turns:
            self._turns[share] = deque()
            batch.parked[share] = Parked(share=share, position=turn.before, error=WAITS)
        self._turns[share].append(turn)

    def _next_turn(self) -> int:
        """Make the next update of the large share whose turn it is; return 0 where none waits."""
        if not self._turns:
            return 0
        share = next(iter(self._turns))
        turns = self._turns.pop(share)
        turn, batch = turns.popleft(), _Batch()
        position = turn.group[-1].position
        batch.know(self._events.cuts(turn.before))
        batch.read = max(batch.read, self._position)
        stands = Parked(share=share, position=position, error=WAITS)
        if not turns:
            stands = Parked(share=share, position=self._position, error="")
        try:
            self._refuse_broken(share)
            if not _narrowed(batch, turn.world, share, position):
                if _erases(turn.group):
                    self._forget()  # what turns before this one have made since it was recorded
                now = _time_of(self._clock(), turn.group)
                made = disclose(turn.world, share, self._shown_by(share), self._renderer, now, self._secrets)
                if made is not None:
                    self._shown[share] = made.shown
                    batch.made.append(made)
        except Exception as error:
            log.exception("share %s is stopped at event %d; the others go on", share, turn.before)
            stands = Parked(share=share, position=turn.before, error=f"{type(error).__name__}: {error}")
            self.parked[share] = stands
            turns.clear()
        try:
            self._keep(batch, [(stands, self._disclosure.parked_versions(share) + 1)], None)
        except TermsMoved:
            self._shown.pop(share, None)
            self.parked[share] = Parked(share=share, position=turn.before, error=WAITS)
            self.retry(share)
            return 1
        if turns:
            self._turns[share] = turns  # behind the other large ones
        self._crash_point("after-turn")
        self._hand_on(batch.made)
        return 1

    def _forget(self) -> None:
        """Drop what is kept in memory of what shares show, as something was erased that may stand in it."""
        for shown in self._shown.values():
            if shown.memory is not None:
                shown.memory.forget()
        self._before.clear()

    def _refuse_broken(self, share: ShareId) -> None:
        if not self._stands.broken:
            return
        agreed = self._world.shares[share]
        for stream in (f"project-{agreed.project}", f"share-{share}", f"client-{agreed.client}", "organisation"):
            if (broken := self._stands.broken.get(stream)) is not None:
                raise ValueError(broken.cause)

    def _shown_by(self, share: ShareId) -> Shown:
        if share not in self._shown:
            self._shown[share] = msgspec.structs.replace(restore(self._disclosure, share), memory=Memories())
        return self._shown[share]

    @property
    def _term(self) -> int | None:
        """The term that a write names; the log refuses a term that is over."""
        return None if self._lease_keeper is None else self._lease_keeper.term or NO_TERM

    def _record(self, batch: _Batch, position: int) -> None:
        if position == self._position and not batch.parked:
            return
        self._crash_point("before-disclosure-commit")
        parked = [(p, self._disclosure.parked_versions(s) + 1) for s, p in batch.parked.items()]
        self._keep(batch, parked, position)
        self._position = position
        self._feed.note()
        self._crash_point("after-disclosure-commit")
        self._hand_on(batch.made)

    def _keep(self, batch: _Batch, parked: Sequence[tuple[Parked, int]], position: int | None) -> None:
        """Record a batch.

        Raises: TermsMoved when terms came into force or ended that the batch does not know; Moved; LeaseLost.
        """
        self._keep_styles(batch.made)
        looks = batch.made and not self._disclosure.refuses_cuts  # else it does, in the transaction itself
        fence = self._events.uncut(batch.read) if looks else contextlib.nullcontext()
        with fence:
            self._disclosure.record(
                [made.entry for made in batch.made],
                [(made.entry.content.share, made.keyframe) for made in batch.made if made.keyframe],
                parked,
                position,
                self._term,
                batch.read,
            )
        self.level = batch.read if batch.made and self._disclosure.quiet else None

    def _keep_styles(self, made: Sequence[Made]) -> None:
        """Keep the stylesheets that entries name before they are recorded, as those of a look that was never worn."""
        for style in {one.entry.content.stylesheet for one in made} - self._styles:
            css = self._renderer.css_of(style)
            if css is not None:
                self._disclosure.keep_stylesheet(style, css)
            elif self._disclosure.stylesheet(style) is None:
                message = f"the stylesheet {style} is neither kept nor made"
                raise ValueError(message)
            self._styles.add(style)

    def _hand_on(self, made: Sequence[Made]) -> None:
        by_share: dict[str, list[Entry]] = {}
        for entry in (m.entry for m in made):
            by_share.setdefault(entry.content.share, []).append(entry)
        for share, entries in by_share.items():
            self._on_entries(share, entries)

    # parked shares

    def retry(self, share: str) -> bool:
        """Take in the events that a parked share missed; return whether it goes on. For the owning thread alone."""
        parked = self.parked.get(share)
        if parked is None:
            return True
        begun = self._begun(share, parked)
        key, world, batch = ShareId(share), begun.world.afresh(), _Batch()
        memory = Memories()
        shown = msgspec.structs.replace(restore(self._disclosure, share), memory=memory)
        batch.know(self._events.cuts(parked.position))
        batch.read = max(batch.read, self._position)
        touched = False
        try:
            for recorded in self._events.everything(self._position, begun.position):
                if isinstance(recorded, Unreadable) and key not in world.concerned(recorded.stream):
                    continue
                world.apply(_readable(recorded))
                if _erases([recorded]):
                    memory.forget()
                touched = touched or key in world.concerned(recorded.stream)
                if not _closes(recorded) or not touched:
                    continue
                touched = False
                if recorded.position <= parked.position or _narrowed(batch, world, key, recorded.position):
                    continue
                made = disclose(world, key, shown, self._renderer, _time_of(self._clock(), [recorded]), self._secrets)
                if made is not None:
                    shown = made.shown
                    batch.made.append(made)
        except Exception as error:
            log.exception("share %s stays stopped", share)
            self.parked[share] = msgspec.structs.replace(parked, error=f"{type(error).__name__}: {error}")
            return False
        try:
            self._release(share, batch, shown)
        except TermsMoved:
            return self.retry(share)
        return True

    def _begun(self, share: str, parked: Parked) -> Stood:
        """Return from where the events that a share missed are folded: from the beginning where nothing later fits."""
        known = self._before.get(share)
        return known if known is not None and known.position <= parked.position and not known.broken else nothing()

    def _release(self, share: str, batch: _Batch, shown: Shown) -> None:
        free = Parked(share=share, position=self._position, error="")
        self._keep(batch, [(free, self._disclosure.parked_versions(share) + 1)], None)
        self._shown[ShareId(share)] = shown
        del self.parked[share]
        self._before.pop(share, None)
        self._hand_on(batch.made)


def _narrowed(batch: _Batch, world: World, share: ShareId, position: int) -> bool:
    """Tell whether terms came into force, or the share ended, after `position`.

    A change at `position` is then shown under the newer terms, or not at all.
    """
    agreed = f"share-{share}", f"client-{world.shares[share].client}"
    return any(position < batch.narrowed.get(key, 0) for key in agreed)


def _time_of(now: datetime, group: Sequence[Recorded | Unreadable]) -> datetime:
    """Return when an entry is made (UTC): never before the events it discloses, even if this clock is behind."""
    return max([now, *(r.at for r in group if isinstance(r, Recorded))])


def _erases(group: Sequence[Recorded | Unreadable]) -> bool:
    return any(isinstance(recorded, Recorded) and isinstance(recorded.event, ERASED) for recorded in group)


def _closes(recorded: Recorded | Unreadable) -> bool:
    if isinstance(recorded, Unreadable):
        return closes(recorded.stream)
    return isinstance(recorded.event, CommandCarriedOut)


def _readable(recorded: Recorded | Unreadable) -> Recorded:
    if isinstance(recorded, Unreadable):
        raise recorded
    return recorded
