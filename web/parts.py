"""What one process is made of, and what keeps it going: the logs, the doors' services, the follower, the push layer."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from domain import access, agreement, clients
from domain.events import Recorded
from domain.ids import ClientId, ShareId
from projections.disclose import Renderer
from projections.disclosure import Entry
from projections.everseen import EverSeen
from projections.follow import Follower
from projections.lease import Reign
from projections.ledger import Statement
from projections.receipts import Receipts
from projections.replay import Heads, LiveLog, Settled
from projections.store import Parked
from projections.tail import Tail
from projections.visitlog import VisitLog
from projections.world import Names, names
from web import clock, mailing, storage
from web.fresh import Fresh
from web.guard import Guard, Signed
from web.health import Health
from web.ids import new_id, random_salt
from web.limits import Limit
from web.live import Live, Pace, Watching
from web.metrics import Metrics
from web.pages import Pages
from web.people import People
from web.present import Present
from web.service import Service
from web.settings import Settings
from web.signing import notary
from web.spoken import Spoken
from web.sso import provider
from web.watch import Watch

if TYPE_CHECKING:
    from web.bus import Bus, Hint


class Parts:
    """Everything one process is made of."""

    def __init__(
        self,
        settings: Settings,
        renderer: Renderer,
        pages: Pages,
        *,
        now: Callable[[], datetime] = clock.now,
        salt: Callable[[str, int], bytes] = random_salt,
        point: Callable[[str], None] = lambda _name: None,
        demo: bool = False,
    ) -> None:
        self.settings, self.now, self.demo = settings, now, demo
        self.folder = storage.logs(settings)
        self.worker = new_id(8) if self.folder.shared else ""
        self.present = Present(self.folder.events)
        self.service = Service(self.folder.events, self.present, now, point)
        self.spoken = Spoken(self.service, self.present, self.folder)
        self.people = People(
            self.service, self.present, now, link_hours=settings.link_hours, session_hours=settings.session_hours
        )
        self.guard = Guard(lambda: self.present.world, now, settings.origin, secure=settings.secure)
        self.fresh = Fresh(self.present.refresh)
        if self.folder.shared:
            self.guard.fresh = self.fresh
        self.renderer, self.pages = renderer, pages
        self.heads = Heads(self.folder.disclosure)
        self.ever = EverSeen(self.folder.disclosure)
        self.receipts = Receipts(
            self.folder.receipts, now, lambda share, k: salt(f"receipts of {share}", k), self.worker
        )
        self.live = Live(
            Settled(LiveLog(self.folder.disclosure, self.heads), self.present.refresh),
            self.receipts.take,
            pace=Pace(tick_every=settings.tick_seconds, drain=settings.drain_seconds),
        )
        self.reign = Reign(self.folder.lease, self.worker) if self.folder.shared and settings.follow else None
        self.follower = Follower(
            self.folder.events,
            self.folder.disclosure,
            self.renderer,
            clock=now,
            salt=salt,
            on_entries=self._recorded,
            point=point,
            reign=self.reign,
            settled=not self.folder.shared,
        )
        self.tail = Tail(
            self.folder.disclosure,
            lambda: self.present.world.shares,
            self.live.shares,
            self.present.refresh,
            self._send,
        )
        self.bus = self._bus(settings)
        self.health = Health(self)
        self.metrics = Metrics(self)
        self.watch = Watch(self)
        self.notary = notary(self.folder, settings, now)
        self.sign_ins = Limit(settings.sign_in_per_minute)
        self.provider = provider(settings, now)
        self.sso = settings.oidc_name or "single sign-on" if self.provider else ""
        self.visits = VisitLog(self.folder.receipts)
        self.present.listen(self._cut)
        self.present.listen(lambda _new: self.follower.wake())
        if self.bus is not None:
            self.service.on_recorded = lambda: self.bus.tell(events=True) if self.bus else None
        self.point = point
        self.post = mailing.post(self)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = threading.Event()

    def may_watch(self, signed: Signed, share: str) -> bool:
        """Tell whether somebody is a viewer of this share's client, and the share was ever in force."""
        found = self.present.world.shares.get(ShareId(share))
        person = signed.person
        return found is not None and person.client == found.client and bool(found.versions) and person.role == "viewer"

    # what the client's door asks: names and rights, nothing of a project

    def called(self, share: str) -> tuple[Names, str]:
        """Return what a share is called to its client, and the zone its instants are shown in."""
        world = self.present.world
        found = names(world, world.shares[ShareId(share)])
        return found, found.time_zone

    def ended_on(self, share: str) -> datetime | None:
        """Return when a share was ended, UTC; None while it is in force."""
        return self.present.world.shares[ShareId(share)].ended_on(self.now())

    def kept_days(self, share: str) -> int:
        """Return for how many days receipts of a share are kept."""
        return self.present.world.shares[ShareId(share)].retention

    def shares_of(self, signed: Signed) -> list[ShareId]:
        """Return the shares a viewer may watch."""
        client = signed.person.client
        return [share.id for share in self.present.world.shares_of_client(client)] if client else []

    def client_of(self, signed: Signed) -> str:
        """Return the name of a viewer's organisation."""
        return self.present.world.client_name(signed.person.client) if signed.person.client else ""

    async def may_try(self, address: str) -> bool:
        """Tell whether somebody at an address may try to sign in once more this minute, here or anywhere."""
        allowed = self.sign_ins.allows(address)
        knocked = await self.bus.knocked("sign-in", address) if self.bus is not None else None
        return allowed and (knocked is None or knocked <= self.settings.sign_in_per_minute)

    # between the processes of an installation

    def _bus(self, settings: Settings) -> "Bus | None":
        if not settings.redis_url:
            return None
        from web.bus import Bus

        return Bus(settings.redis_url, self.folder.installation, self.worker, self._heard, self.live.everyone)

    def _heard(self, hint: "Hint") -> None:
        """Take a hint of another process: look at once instead of later."""
        if hint.entries:
            self.tail.wake()
        for share in hint.retry:
            self.follower.ask_again(share)
        if hint.events:
            self.follower.wake()
            task = asyncio.get_running_loop().create_task(self.fresh())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def watching(self, share: str) -> list[Watching]:
        """Return the open dashboards of a share, whichever process has them. For threads."""
        here = self.live.watching(share)
        if not self.folder.shared:
            return here
        if self.bus is not None and self.bus.listening:
            return here + self.bus.watching(share)
        mine = {one.tab for one in here}
        tabs = [tab for tab in self.receipts.open_tabs(share) if tab.tab not in mine]
        return here + [
            Watching(
                person=t.person, tab=t.tab, since=0, sent=t.delivered, displayed=t.n, visible=t.n > 0, paused=t.paused
            )
            for t in tabs
        ]

    def stopped(self, share: str) -> Parked | None:
        """Return where and why a share is stopped, if it is."""
        return (self.tail if self.folder.shared else self.follower).parked.get(share)

    def ask_again(self, share: str) -> None:
        """Have a stopped share tried again by whoever follows."""
        self.follower.ask_again(share)
        if self.bus is not None:
            self.bus.tell(retry=share)

    @property
    def leads(self) -> bool:
        """Whether this process makes the updates, and does whatever one process alone must do."""
        return not self.folder.shared or (
            self.follower.leading and self.reign is not None and self.reign.term is not None
        )

    def _recorded(self, share: str, entries: Sequence[Entry]) -> None:
        """Take what this process's follower recorded."""
        self.point("before-send")
        if self.bus is not None:
            self.bus.tell(entries={share: entries[-1].n})
        self.present.refresh()
        self._send(share, entries)

    def _send(self, share: str, entries: Sequence[Entry]) -> None:
        self.live.publish_threadsafe(share, [(e.n, e.message) for e in entries])
        self.metrics.sent(entries)

    def _cut(self, new: Sequence[Recorded]) -> None:
        """Close what an event ends, before anything else is sent."""
        for recorded in new:
            match recorded.event:
                case access.SessionEnded(session=session):
                    self.on_loop(self.live.end_session, session)
                case access.PersonDisabled():
                    self.on_loop(self.live.end_person, None, recorded.stream.partition("-")[2])
                case access.PersonErased(person=person):
                    self.on_loop(self.live.end_person, None, person)
                case agreement.ShareRevoked():
                    self.on_loop(self.live.end_share, recorded.stream.partition("-")[2])
                case clients.ClientEnded():
                    for share in self.present.world.shares_of_client(ClientId(recorded.stream.partition("-")[2])):
                        self.on_loop(self.live.end_share, share.id)
                case _:
                    pass

    def on_loop(self, call: Callable[..., object], *arguments: object) -> None:
        """Have something called on the event loop, from a thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(call, *arguments)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow, flush receipts and keep time while the server is up."""
        self._loop = asyncio.get_running_loop()
        self.live.bind(self._loop)
        await asyncio.to_thread(self.watch.begin)
        threads = [threading.Thread(target=run, name=name, daemon=True) for name, run in self._work()]
        for thread in threads:
            thread.start()
        tasks = [asyncio.create_task(self.watch.keep())]
        if self.bus is not None:
            tasks.append(asyncio.create_task(self.bus.run()))
        try:
            yield
        finally:
            self.health.draining = True
            await self.live.drain(self.settings.drain_seconds)
            if self.bus is not None:
                self.bus.over = True
            for task in tasks:
                task.cancel()
            self._stop.set()
            for waiting in (self.follower, self.receipts, self.tail):
                waiting.wake()
            for thread in threads:
                await asyncio.to_thread(thread.join, 10)
            if self.post is not None:
                await asyncio.to_thread(self.post.finish, 10)
            if self.reign is not None:
                await asyncio.to_thread(self.reign.end)
            await asyncio.wait(tasks, timeout=5)
            if self.bus is not None:
                await self.bus.close()
            self.folder.close()

    def _work(self) -> list[tuple[str, Callable[[], None]]]:
        work: list[tuple[str, Callable[[], None]]] = [("receipts", lambda: self.receipts.run(self._stop))]
        if self.settings.follow or not self.folder.shared:
            work.append(("follower", lambda: self.follower.run(self._stop)))
        if self.settings.follow or not self.folder.shared:
            work.append(("duties", lambda: self.watch.run(self._stop)))
            if (post := self.post) is not None:
                work.append(("post", lambda: post.run(self._stop)))
        if self.folder.shared:
            work.append(("tail", lambda: self.tail.run(self._stop, self._poll)))
        if (reign := self.reign) is not None:
            work.append(
                ("lease", lambda: reign.run(self._stop, lambda: self.follower.beat, self.follower.wake)),
            )
        return work

    def _poll(self) -> float:
        return 1.0 if self.bus is not None and self.bus.listening else 0.25

    def consulted(self, signed: Signed, subject: str, text: str) -> int:
        """Record what one of ours asks of the record, before the answer, and return its place in the ledger.

        `subject` is a share, a project or "".

        For threads. Raises: whatever keeps it from being recorded, and then there is no answer.
        """
        asked = Statement(kind="consulted", at=self.now(), who=signed.person.id, subject=subject, text=text)
        return self.folder.ledger.append(asked)
