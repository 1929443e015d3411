"""Recomputes a share's entries from its events with the code of today, and compares them with what was recorded.

Rule: writes nothing. A difference means that the code now gives another answer, and both answers are shown.
Every command that changes the view is paired with one entry; where several commands wait, the entry belongs to the one
whose view it recorded.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from domain.agreement.terms import Terms
from domain.events import CommandCarriedOut, Recorded
from domain.ids import ShareId
from domain.view import ClientView
from projections.entries.entry import Content, Kept, open_content, open_header
from projections.entries.named import named
from projections.entries.names import SealedName, key_of
from projections.events.event_log import EventLog
from projections.events.world import World
from projections.follow import format_1
from projections.follow.next_entry import NextView, Renderer, Shown, compose, names_of, restore, revealed
from projections.follow.people import Named, People
from projections.follow.restoring import is_lost
from projections.logs.disclosure_log import DisclosureLog
from projections.replay.pages import Views

BATCH = 64  # entries read at a time
_SINCE = ("changes", "parts", "removed", "items", "targets", "say")  # what an entry says of the one before it

State = Literal[
    "same",  # byte for byte
    "differs",
    "erased",  # its content is gone, so only its number and time can be compared
    "damaged",  # its content cannot be read
    "extra",  # recorded, but the code of today would not record it
    "missing",  # not recorded, but the code of today would record it
]


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """One field of an entry in both versions; "" where that version has no such field."""

    field: str  # "view", "items", "part ms-m1", "stylesheet" ...
    recorded: str
    recomputed: str


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One entry, or one place where an entry would be. `at` is when it was recorded or would have been, UTC."""

    n: int  # 0 when it was not recorded
    at: datetime
    state: State
    apart: tuple[Apart, ...] = ()


class _Waiting(msgspec.Struct, frozen=True):
    """A command after which the client would see something else, not yet paired with an entry."""

    at: datetime
    view: ClientView  # with placeholders for names
    terms: Terms
    people: Mapping[str, Named]

    def shown_as(self, content: Content) -> ClientView:
        """Return the view as a content of that format records it."""
        return self.view if content.format == 2 else named(self.view, _called(self.people))


class _Entries:
    """The recorded entries of a share in order, read in batches, with a look at the next one."""

    def __init__(self, log: DisclosureLog, share: str, head: int) -> None:
        self._log, self._share, self._head = log, share, head
        self._read, self._held = 0, list[Kept]()

    def next(self) -> Kept | None:
        """Return the next entry without taking it."""
        while not self._held and self._read < self._head:
            batch = self._log.kept(self._share, self._read, BATCH, self._head)
            if not batch:
                break
            self._read = batch[-1].n
            self._held = [kept for kept in batch if kept.raw is None or not is_lost(open_content(kept.raw))][::-1]
        return self._held[-1] if self._held else None

    def take(self) -> Kept:
        """Take the next entry."""
        return self._held.pop()


class _Shadow:
    """What the code of today would show, compared entry by entry with what was recorded."""

    def __init__(self, share: str, renderer: Renderer, log: DisclosureLog, head: int) -> None:
        self._share, self._renderer, self._log = share, renderer, log
        self._entries, self._views = _Entries(log, share, head), Views(log, share)
        self._shown = Shown()
        self._last: tuple[ClientView, dict[str, str]] | None = None  # after the last command, paired or not
        self._waiting: list[_Waiting] = []
        self._ended = False
        self._alone = False  # what was shown before the entry under way was erased and cannot be made again

    def command(self, at: datetime, view: ClientView | None, terms: Terms, people: People) -> Iterator[Compared]:
        """Take in what the client may know after a command, and settle the entries recorded before it.

        A view that was not recorded before new terms came into force, or before the share ended, is never recorded.
        """
        yield from self._settle(at)
        self._ended = view is None
        if view is None:
            return
        met = people.named_in(view)
        if (view, _called(met)) != self._last:
            self._last = view, _called(met)
            self._waiting.append(_Waiting(at, view, terms, met))

    def end(self) -> Iterator[Compared]:
        """Settle the remaining entries and commands."""
        yield from self._settle(None)
        yield from self._missing(len(self._waiting))

    def _settle(self, before: datetime | None) -> Iterator[Compared]:
        """Pair the entries recorded before an instant (all of them when None) with the commands that wait."""
        while (kept := self._entries.next()) is not None:
            at = open_header(kept.header).instant
            if before is not None and at >= before:
                return
            if not self._waiting:
                self._entries.take()
                yield Compared(n=kept.n, at=at, state="erased" if kept.state == "erased" else "extra")
                continue
            place = self._place(kept)
            yield from self._missing(place)
            self._entries.take()
            yield self._compare(kept, at, self._waiting.pop(0))

    def _place(self, kept: Kept) -> int:
        if len(self._waiting) == 1 or kept.raw is None:
            return 0
        content, recorded = open_content(kept.raw), self._views.after(kept, placeholders=True)
        return next((i for i, waiting in enumerate(self._waiting) if waiting.shown_as(content) == recorded), 0)

    def _missing(self, count: int) -> Iterator[Compared]:
        newest = 0 if self._ended else self._waiting[-1].view.terms_version if self._waiting else 0
        for waiting in self._waiting[:count]:
            if waiting.view.terms_version != newest:
                continue  # new terms came into force first
            apart = (_apart("view", "", waiting.view.headline.sentence),)
            yield Compared(n=0, at=waiting.at, state="missing", apart=apart)
        del self._waiting[:count]

    def _compare(self, kept: Kept, at: datetime, command: _Waiting) -> Compared:
        due = NextView(
            share=self._share, n=kept.n, at=at, view=command.view, terms=command.terms, people=command.people
        )
        recorded = None if kept.raw is None else open_content(kept.raw)
        content = self._made(due, kept)
        if recorded is None:
            return Compared(n=kept.n, at=at, state="erased" if kept.state == "erased" else "damaged")
        if self._alone:
            content = msgspec.structs.replace(content, **{name: getattr(recorded, name) for name in _SINCE})
        if content.format == 1:
            content = format_1.alike(recorded, content)
        content = _gone_alike(recorded, content)
        if recorded == content and (content.format == 1 or kept.raw == msgspec.json.encode(content, order="sorted")):
            return Compared(n=kept.n, at=at, state="same")
        return Compared(n=kept.n, at=at, state="differs", apart=tuple(_differences(recorded, content)))

    def _made(self, due: NextView, kept: Kept) -> Content:
        """Return what the code of today makes of a view, in the format in which it was recorded."""
        self._alone = False
        if open_header(kept.header).format == 1:
            content, rendered, view = format_1.compose(due, self._shown, self._renderer)
            self._shown = Shown(n=due.n, at=due.at, format=1, rendered=rendered, view=view)
            return content
        if self._shown.format == 1 and self._shown.n:  # the first of format 2 differs from what was recorded before it
            self._shown = restore(self._log, self._share, due.n - 1)
            self._alone = not self._shown.n

        def seal_name(share: str, person: str, _name: str) -> SealedName:
            unknown = SealedName(person=person, commitment="", sealed=b"")
            return kept.names.get(key_of(share, person), unknown)

        made = compose(due, self._shown, self._renderer, seal_name)
        self._shown = Shown(
            n=due.n, at=due.at, rendered=made.rendered, view=due.view, sections=made.state.sections,
            names=made.state.names, called=names_of(due),
        )  # fmt: skip
        return made.content


def _called(people: Mapping[str, Named]) -> dict[str, str]:
    return {key: named.name for key, named in people.items() if not named.erased}


def compared(events: EventLog, disclosure: DisclosureLog, share: ShareId, renderer: Renderer) -> Iterator[Compared]:
    """Yield every entry of a share compared with what the code of today makes of the events, oldest first.

    Events that are not disclosed yet are left out. Reads all events once; memory does not grow with their number.
    """
    upto, head = _standing(disclosure, share)
    erased = events.erased_people()
    world, shadow, touched = World(), _Shadow(share, renderer, disclosure, head), False
    for recorded in events.everything(upto):
        if not isinstance(recorded, Recorded):
            raise recorded
        world.apply(recorded)
        touched = touched or share in world.concerned(recorded.stream)
        if isinstance(recorded.event, CommandCarriedOut):
            if touched and world.shares[share].versions:
                people = People(share, world, erased, as_then=True)
                view = revealed(world, share, recorded.at, people.called)
                yield from shadow.command(recorded.at, view, world.shares[share].terms, people)
            touched = False
    yield from shadow.end()


def _standing(disclosure: DisclosureLog, share: str) -> tuple[int, int]:
    """Return the position up to which a share is disclosed and the number of its newest entry, both of one moment.

    Reads again when another process recorded something meanwhile.
    """
    while True:
        position, parked, head = disclosure.position(), disclosure.parked(share), disclosure.head(share)
        if (position, parked) == (disclosure.position(), disclosure.parked(share)):
            return parked.position if parked else position, head


def _differences(recorded: Content, recomputed: Content) -> Iterator[Apart]:
    for name in Content.__struct_fields__:
        left, right = getattr(recorded, name), getattr(recomputed, name)
        if left == right:
            continue
        if name == "parts":
            yield from _parts(recorded, recomputed)
        elif name == "view":
            yield from _views(left, right)
        elif name == "sections":
            yield from _sections(left, right)
        else:
            yield _apart(name, _text(left), _text(right))


def _parts(recorded: Content, recomputed: Content) -> Iterator[Apart]:
    left, right = ({part.id: _text(part) for part in content.parts} for content in (recorded, recomputed))
    for key in {**left, **right}:
        if left.get(key) != right.get(key):
            yield _apart(f"part {key}", left.get(key, ""), right.get(key, ""))


def _sections(recorded: Mapping[str, str], recomputed: Mapping[str, str]) -> Iterator[Apart]:
    for key in {**recorded, **recomputed}:
        if recorded.get(key) != recomputed.get(key):
            yield _apart(f"view.{key}", recorded.get(key, ""), recomputed.get(key, ""))


def _views(recorded: str, recomputed: str) -> Iterator[Apart]:
    left, right = (msgspec.json.decode(view, type=dict[str, msgspec.Raw]) for view in (recorded, recomputed))
    for key in {**left, **right}:
        texts = [bytes(side[key]).decode() if key in side else "" for side in (left, right)]
        if texts[0] != texts[1]:
            yield _apart(f"view.{key}", *texts)


def _gone_alike(recorded: Content, content: Content) -> Content:
    """Return what was recomputed, with ids that are no longer shown in the order in which they were recorded.

    That was the order in the memory of the process, before they were sorted.
    """
    for name in ("removed", "sections_removed"):
        if sorted(before := getattr(recorded, name)) == sorted(getattr(content, name)):
            content = msgspec.structs.replace(content, **{name: before})
    return content


def _apart(field: str, recorded: str, recomputed: str) -> Apart:
    return Apart(field=field, recorded=recorded, recomputed=recomputed)


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value, order="sorted").decode()


def summary(comparisons: Sequence[Compared]) -> dict[State, int]:
    """Return how many entries came out in each state."""
    counts: dict[State, int] = {}
    for comparison in comparisons:
        counts[comparison.state] = counts.get(comparison.state, 0) + 1
    return counts
