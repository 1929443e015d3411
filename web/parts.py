"""What one process is made of, and what keeps it going: the logs, the doors' services, the follower, the push layer."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from domain import access, agreement
from domain.events import Recorded
from domain.health import LapseOverrides
from domain.ids import CommandId, RiskId, ShareId
from domain.risks import Points, ScoreAsClient
from projections.disclose import Renderer
from projections.disclosure import Entry
from projections.erasing import complete, expire_receipts
from projections.follow import Follower
from projections.ledger import Statement
from projections.receipts import Receipts
from projections.replay import Heads, LiveLog
from projections.world import Names, names
from web import clock, storage
from web.guard import Guard, Signed
from web.ids import new_id, random_salt
from web.limits import Limit
from web.live import Live, Pace
from web.pages import Pages
from web.people import People
from web.present import Present
from web.service import SYSTEM, Actor, Service
from web.settings import Settings
from web.signing import notary

log = logging.getLogger("fanlight")


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
        self.present = Present(self.folder.events)
        self.service = Service(self.folder.events, self.present, now, point)
        self.people = People(
            self.service, self.present, now, link_hours=settings.link_hours, session_hours=settings.session_hours
        )
        self.guard = Guard(lambda: self.present.world, now, settings.origin, secure=settings.secure)
        self.renderer, self.pages = renderer, pages
        self.heads = Heads(self.folder.disclosure)
        self.receipts = Receipts(self.folder.receipts, now, lambda share, k: salt(f"receipts of {share}", k))
        self.live = Live(
            LiveLog(self.folder.disclosure, self.heads), self.receipts.take, pace=Pace(tick_every=settings.tick_seconds)
        )
        self.follower = Follower(
            self.folder.events,
            self.folder.disclosure,
            self.renderer,
            clock=now,
            salt=salt,
            on_entries=self._send,
            point=point,
        )
        self.notary = notary(self.folder, settings, now)
        self._signed_at = 0.0
        found = self.folder.ledger.last()
        self._ledger_read = found.index if found else 0
        self.sign_ins = Limit(settings.sign_in_per_minute)
        self.present.listen(self._cut)
        self.present.listen(lambda _new: self.follower.wake())
        self._point = point
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
        return self.present.world.shares[ShareId(share)].revoked_at

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

    def give_view(
        self, signed: Signed, share: str, risk: str, probability: int, impact: int, *, command_id: str
    ) -> None:
        """Record a client's own view of a risk that its page shows.

        Raises: Refused.
        """
        found, person = self.present.world.shares[ShareId(share)], signed.person
        command = ScoreAsClient(
            project=found.project,
            risk=RiskId(risk),
            client=found.client,
            points=Points(probability, impact),
            by=person.id,
        )
        actor = Actor(person.id, person.role, person.client)
        self.service.execute(actor, command, command_id=CommandId(command_id))

    def _send(self, share: str, entries: Sequence[Entry]) -> None:
        self._point("before-send")
        self.live.publish_threadsafe(share, [(e.n, e.message) for e in entries])

    def _cut(self, new: Sequence[Recorded]) -> None:
        """Close what an event ends, before anything else is sent."""
        for recorded in new:
            match recorded.event:
                case access.SessionEnded(session=session):
                    self._on_loop(self.live.end_session, session)
                case access.PersonDisabled():
                    self._on_loop(self.live.end_person, None, recorded.stream.partition("-")[2])
                case access.PersonErased(person=person):
                    self._on_loop(self.live.end_person, None, person)
                case agreement.ShareRevoked():
                    self._on_loop(self.live.end_share, recorded.stream.partition("-")[2])
                case _:
                    pass

    def _on_loop(self, call: Callable[..., object], *arguments: object) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(call, *arguments)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow, flush receipts and keep time while the server is up."""
        self._loop = asyncio.get_running_loop()
        self.live.bind(self._loop)
        await asyncio.to_thread(self._begin)
        threads = [
            threading.Thread(target=self.follower.run, args=(self._stop,), name="follower"),
            threading.Thread(target=self.receipts.run, args=(self._stop,), name="receipts"),
        ]
        for thread in threads:
            thread.start()
        keeper = asyncio.create_task(self._keep_time())
        try:
            yield
        finally:
            keeper.cancel()
            await self.live.drain(2)
            self._stop.set()
            self.follower.wake()
            self.receipts.wake()
            for thread in threads:
                await asyncio.to_thread(thread.join, 10)
            self.folder.close()

    async def _keep_time(self) -> None:
        """See what other processes wrote, and end overrides that have run out."""
        while True:
            await asyncio.sleep(0.5)
            try:
                await asyncio.to_thread(self._tick)
            except Exception:
                log.exception("keeping time failed; it goes on")

    def consulted(self, signed: Signed, subject: str, text: str) -> int:
        """Record what one of ours asks of the record, before the answer, and return its place in the ledger.

        `subject` is a share, a project or "".

        For threads. Raises: whatever keeps it from being recorded, and then there is no answer.
        """
        asked = Statement(kind="consulted", at=self.now(), who=signed.person.id, subject=subject, text=text)
        return self.folder.ledger.append(asked)

    def _begin(self) -> None:
        shares = list(self.present.world.shares)
        complete(self.folder, shares)
        self.receipts.recover(shares)

    def _forget_erased(self) -> None:
        """Let go of what the ledger says was erased, by whichever process."""
        last = self.folder.ledger.last()
        if last is None or last.index == self._ledger_read:
            return
        for line in self.folder.ledger.lines(self._ledger_read, last.index - self._ledger_read, last.index):
            if line.statement.kind == "entries-erased":
                self._on_loop(self.live.forget, line.statement.subject)
        self._ledger_read = last.index

    def sign(self) -> None:
        """Let receipts go whose time is over, and sign checkpoints of all that is new. For threads."""
        for share in self.present.world.shares.values():
            expire_receipts(self.folder, self.notary, share.id, share.retention, now=self.now())
        self.notary.sign(list(self.present.world.shares))

    def _tick(self) -> None:
        world, now = self.present.refresh(), self.now()
        self._forget_erased()
        if now.timestamp() - self._signed_at >= 60 * self.settings.checkpoint_minutes:
            self._signed_at = now.timestamp()
            self.sign()
        for project in list(world.projects.values()):
            due = any(o.until <= now for o in project.health.overrides.values())
            if due and project.phase != "closed":
                self.service.execute(SYSTEM, LapseOverrides(project=project.id), command_id=CommandId(new_id(24)))
