"""Builds the services of one server process, starts its threads and tasks, and ends them in order."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from domain.errors import Refused
from domain.events import Recorded
from domain.ids import CommandId, PersonId
from domain.language import gettext as _
from domain.people.person import PersonErased
from domain.people.tokens import UseToken
from projections.entries.entry import Entry
from projections.events.for_you import ForYou
from projections.events.portfolio import Portfolio
from projections.events.present import CurrentWorld
from projections.evidence.notary import Notary
from projections.follow.follower import Follower, FollowerPorts
from projections.installation.crash_point import CrashPoint, nowhere
from projections.installation.lease import LeaseKeeper
from projections.logs.disclosure_log import Row
from projections.receipts.activity import Activity
from projections.receipts.claims import Receipt
from projections.receipts.taking import Receipts
from projections.receipts.visit_log import VisitLog
from projections.replay.ever_told import EverToldIndex
from projections.replay.pages import Heads, LiveLog, Settled
from projections.replay.tail import Tail
from web import clock
from web.door.bounds import Bounds
from web.door.guard import Guard
from web.door.limit import Limit
from web.door.templates import Pages
from web.identity import devices as kept_devices
from web.identity.client_providers import ClientProviders
from web.identity.credentials import Credentials
from web.identity.devices import Devices
from web.identity.failures import BACK
from web.identity.passkeys import Passkeys, PasskeySources
from web.ids import new_id, random_salt
from web.mail.asked import Asked
from web.mail.own import confirm_token
from web.mail.sender import MailSender, SenderPorts
from web.mail.stop import stop_token
from web.mail.writer import mail_settings
from web.outside.addresses import networks
from web.outside.transport import Outside
from web.process import open_logs
from web.process.clockwork import Clockwork
from web.process.handing_on import HandingOn, Loop
from web.process.health import Health, Observed
from web.process.metrics import Deliveries, Metrics
from web.process.presence import positions
from web.process.refresh import SharedRefresh
from web.process.rights import Viewed, organisation_for
from web.process.services import Services
from web.process.signing import notary
from web.process.telling import Telling, TellingPorts
from web.push.live import Live
from web.push.pace import Pace
from web.render.page import Renderer
from web.render.wardrobe import Wardrobe
from web.settings import Settings
from web.sources.built import BuiltOf, Sources, built, failing
from web.write.brand_kept import BrandKept
from web.write.erasure import PersonErasure
from web.write.permission import OPERATOR
from web.write.service import Service
from web.write.viewer_answers import ViewerAnswers

if TYPE_CHECKING:
    from web.identity.provider import Provider
    from web.process.hints import Hint, Hints


log = logging.getLogger("fanlight")
SOON = 0.05  # seconds that a follower has to read what it was told of, before others here do
AGAIN = 0.5  # seconds until what ended unexpectedly begins again
JOINED = 10.0  # seconds that each thread has to end in an orderly stop
LAST = 5.0  # seconds in which signing at an orderly stop may begin another tree


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is given: the clock (UTC), the salt of an entry by share and number, and where tests crash it."""

    now: Callable[[], datetime] = clock.now
    salt: Callable[[str, int], bytes] = random_salt
    crash_point: CrashPoint = nowhere
    demo: bool = False


class Process:
    """One server process. `services`: for the pages of the organisation's people; `viewing`: for those of clients."""

    def __init__(self, settings: Settings, renderer: Renderer, pages: Pages, given: Given) -> None:
        self._settings, self._given = settings, given
        self._loop = Loop()
        self._stop, self._draining = threading.Event(), threading.Event()
        self._logs = open_logs.logs(settings)
        self._worker = new_id(8) if self._logs.shared else ""
        begun = self._logs.snapshots.read()
        follows = settings.follow or not self._logs.shared
        recorded = self._logs.disclosure.position() if follows else None
        self._present = CurrentWorld(self._logs.events, begun, recorded)
        self._portfolio = Portfolio(lambda: self._present.world)
        self._present.listen(self._portfolio.take)
        self._for_you = ForYou(lambda: self._present.world)
        self._present.listen(self._for_you.take)
        self._refresh = SharedRefresh(self._present.refresh_since)
        self._deliveries = Deliveries(given.now)
        self._heads = Heads(self._logs.disclosure)
        self._receipts = Receipts(self._logs.receipts, given.now, self._receipt_salt, self._worker)
        self._activity = Activity(self._logs.receipts, given.now, timedelta(minutes=settings.idle_minutes))
        self._live = self._push()
        self._handing_on = HandingOn(self._live, self._present, self._loop, self._deliveries.sent)
        self.lease_keeper = (
            LeaseKeeper(self._logs.lease, self._worker) if self._logs.shared and settings.follow else None
        )
        self._follower = self._follow(renderer)
        self._tail = Tail(
            self._logs.disclosure,
            lambda: self._present.world.shares,
            self._live.shares,
            self._read_entries,
            self._handing_on.send,
        )
        self._hints = self._make_hints()
        self._present.listen(self._forget_erased)
        self._present.listen(self._handing_on.cut)
        self._present.listen(lambda _new: self._wake_follower())
        self._telling = self._tell()
        self.services = self._services(renderer, pages)
        pages.wear(Wardrobe(renderer, lambda: self._present.world.brand).worn)
        self.viewing = Viewed(self.services)
        self.clockwork = Clockwork(self.services, self._loop)

    # building the services

    def _receipt_salt(self, share: str, k: int) -> bytes:
        return self._given.salt(f"receipts of {share}", k)

    def _push(self) -> Live:
        log = Settled(LiveLog(self._logs.disclosure, self._heads), self._present.refresh)
        pace = Pace(
            tick_every=self._settings.tick_seconds,
            drain=self._settings.drain_seconds,
            packs=self._settings.compress_updates,
        )
        return Live(log, self._claimed, pace=pace)

    def _claimed(self, claims: Sequence[Receipt]) -> None:
        self._activity.claimed(claims)
        self._receipts.take(claims)

    def _follow(self, renderer: Renderer) -> Follower:
        ports = FollowerPorts(
            clock=self._given.now,
            salt=self._given.salt,
            on_entries=self._recorded,
            crash_point=self._given.crash_point,
            lease_keeper=self.lease_keeper,
            feed=self._present.feed,
        )
        return Follower(self._logs.events, self._logs.disclosure, renderer, ports, settled=not self._logs.shared)

    def _make_hints(self) -> "Hints | None":
        if not self._settings.redis_url:
            return None
        from web.process.hints import Hints

        return Hints(
            self._settings.redis_url, self._logs.installation, self._worker, self._take_hint, self._live.everyone
        )

    def _tell(self) -> Telling:
        return Telling(
            TellingPorts(
                settings=self._settings,
                logs=self._logs,
                present=self._present,
                for_you=self._for_you,
                parked=lambda: positions(self._tail.parked if self._logs.shared else self._follower.parked),
                clock=self._given.now,
                leads=self.leads,
                crash_point=self._given.crash_point,
            )
        )

    def _services(self, renderer: Renderer, pages: Pages) -> Services:
        settings, now = self._settings, self._given.now
        service = Service(self._logs.events, self._present, now, self._given.crash_point, self._tell_events)
        hours = {"link_hours": settings.link_hours, "session_hours": settings.session_hours}
        credentials = Credentials(service, self._present, now, **hours)
        key = partial(self._logs.vault.secret, kept_devices.KEY)
        devices = Devices(service, self._present, now, key, settings.session_hours)
        guard = self._guard(pages)
        guard.renew = devices.renew
        signing = notary(self._logs, settings, now, stopping=self._stop.is_set)
        erasure = PersonErasure(self._logs, signing, self._present, now, self._let_go)
        service.surround(erasure)
        service.surround(BrandKept(self._logs.disclosure, renderer.style_of))
        health = self._health(signing)
        sign_on = provider(settings, now)
        sender = self._mail_sender(service, credentials)
        return Services(
            settings=settings,
            now=now,
            demo=self._given.demo,
            worker=self._worker,
            logs=self._logs,
            present=self._present,
            portfolio=self._portfolio,
            for_you=self._for_you,
            service=service,
            viewer_answers=ViewerAnswers(service, self._present, self._logs),
            credentials=credentials,
            passkeys=self._passkeys(service),
            devices=devices,
            guard=guard,
            refresh=self._refresh,
            renderer=renderer,
            pages=pages,
            heads=self._heads,
            ever_told=EverToldIndex(self._logs.disclosure),
            receipts=self._receipts,
            activity=self._activity,
            visits=VisitLog(self._logs.receipts),
            live=self._live,
            follower=self._follower,
            tail=self._tail,
            hints=self._hints,
            leads=self.leads,
            health=health,
            metrics=Metrics(health, self._live, self._deliveries, lambda: failing(self._present.world)),
            notary=signing,
            erasure=erasure,
            sign_ins=Limit(settings.sign_in_per_minute),
            provider=sign_on,
            single_sign_on_name=settings.oidc_name or _("single sign-on") if sign_on else "",
            client_providers=self._client_providers(service),
            mail_sender=sender,
            poster=self._telling.poster(service),
            sources=self._sources(service),
            asked=Asked(sender.link, self._present.refresh) if sender is not None else None,
        )

    def _sources(self, service: Service) -> Sources:
        return built(
            BuiltOf(
                settings=self._settings,
                events=self._logs.events,
                present=self._present,
                service=service,
                clock=self._given.now,
                leads=self.leads,
                tell=self._tell_of_source,
                crash_point=self._given.crash_point,
            )
        )

    def _passkeys(self, service: Service) -> Passkeys:
        sources = PasskeySources(
            service=service,
            present=self._present,
            clock=self._given.now,
            keyed=self._logs.events.keyed,
            origin=self._settings.origin,
            session_hours=self._settings.session_hours,
        )
        return Passkeys(sources)

    def _client_providers(self, service: Service) -> ClientProviders:
        settings = self._settings
        return ClientProviders(
            service,
            self._present,
            self._logs.events,
            Outside(networks(settings.outside_networks), settings.outside_ca),
            clock=self._given.now,
            origin=settings.origin,
            session_hours=settings.session_hours,
        )

    def _health(self, signing: Notary) -> Health:
        observed = Observed(
            logs=self._logs,
            follower=self._follower,
            tail=self._tail,
            receipts=self._receipts,
            notary=signing,
            live=self._live,
            hints=self._hints,
            leads=self.leads,
            draining=self._draining.is_set,
        )
        return Health(observed)

    def _guard(self, pages: Pages) -> Guard:
        settings, refresh = self._settings, self._refresh
        bounds = Bounds(
            upload=settings.max_upload_mb << 20,
            commands=Limit(settings.commands_per_minute),
            exports=Limit(settings.exports_per_minute),
        )
        return Guard(
            lambda: self._present.world,
            self._given.now,
            settings.origin,
            secure=settings.secure,
            bounds=bounds,
            pages=pages,
            token_ends=settings.token_ends,
            active=self._activity.note,
            organisation=lambda signed: organisation_for(self._present.world, self._heads, signed),
            spent=self._spent,
            refresh=refresh,
        )

    def _spent(self, person: PersonId, token: str) -> None:
        """Record that somebody's token was used today; nothing where their access ended a moment ago."""
        command = UseToken(person=person, token=token, on=self._given.now().date())
        with contextlib.suppress(Refused):
            self.services.service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))

    def _mail_sender(self, service: Service, credentials: Credentials) -> MailSender | None:
        mailing = mail_settings(self._settings)
        if mailing is None:
            return None
        ports = SenderPorts(
            service=service,
            present=self._present,
            credentials=credentials,
            disclosure=self._logs.disclosure,
            stop_token=partial(stop_token, self._logs.events.fingerprint),
            confirm_token=partial(confirm_token, self._logs.events.fingerprint),
            clock=self._given.now,
            leads=self.leads,
            crash_point=self._given.crash_point,
            noticed=self._telling.notices.content,
        )
        return MailSender(mailing, ports)

    def _let_go(self) -> bool:
        """Drop what this process holds of what was erased, and return whether that is done everywhere. For threads."""
        return self.clockwork.let_go()

    def _forget_erased(self, new: Sequence[Recorded]) -> None:
        """Drop what is kept in memory of pages and views, once a person was erased whose name may stand there."""
        if any(isinstance(recorded.event, PersonErased) for recorded in new):
            self._heads.forget()
            self.services.ever_told.forget_all()
            self._logs.snapshots.clear()
            self.services.renderer.forget()

    # between the processes of an installation

    def leads(self) -> bool:
        """Return whether this process makes the updates, and does whatever only one process may do."""
        lease_keeper = self.lease_keeper
        return not self._logs.shared or (
            self._follower.leading and lease_keeper is not None and lease_keeper.term is not None
        )

    def _read_entries(self, place: int, limit: int) -> list[Row]:
        """Return what was disclosed after a place, and take in all that was recorded before it."""
        return self._present.refresh_by(lambda position: self._logs.entries_and_events(place, limit, position))

    def _wake_follower(self) -> None:
        """Have what was recorded taken in at once, where this process leads; who stands by looks by the clock."""
        if self.leads():
            self._follower.wake()

    def _recorded(self, share: str, entries: Sequence[Entry]) -> None:
        """Hand on entries that this process's follower recorded."""
        self._given.crash_point("before-send")
        if self._hints is not None:
            self._hints.tell(entries={share: entries[-1].n})
        self._present.refresh_to(self._follower.level)  # what ended before they were recorded has ended here
        self._handing_on.send(share, entries)

    def _tell_events(self) -> None:
        """Tell other processes that events were recorded."""
        if self._hints is not None:
            self._hints.tell(events=True)

    def _tell_of_source(self, source: str) -> None:
        """Tell the process that leads that a source has news; where processes only poll, its cadence has to do."""
        if self._hints is not None:
            self._hints.tell_of_source(source)

    def _take_hint(self, hint: "Hint") -> None:
        """Read at once what another process says it recorded, instead of at the next poll. For threads."""
        if hint.entries:
            self._tail.wake()
        for source in hint.pull:
            self.services.sources.engine.hinted(source)
        for share in hint.retry:
            self._follower.ask_again(share)
        if hint.events and self.leads():
            self._follower.wake()  # what it reads is read for all; two threads that read would hold each other up
            self._loop.call(self._take_in_later, time.monotonic())
        elif hint.events:
            self._loop.call(self._take_in, time.monotonic())

    def _take_in_later(self, moment: float) -> None:
        asyncio.get_running_loop().call_later(SOON, self._take_in, moment)

    def _take_in(self, moment: float) -> None:
        """Read the events that were recorded before a moment, unless somebody did since."""
        if not self._present.has_read_since(moment):
            task = asyncio.get_running_loop().create_task(self._refresh())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    # running and ending

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the threads and tasks of this process while the context is open, and end them in order after it."""
        self._live.bind(self._loop.bind())
        await asyncio.to_thread(self.clockwork.begin)
        threads = [
            threading.Thread(target=self._going_on, args=(name, run), name=name, daemon=True)
            for name, run in self._work()
        ]
        for thread in threads:
            thread.start()
        tasks = [asyncio.create_task(self._keeping_on("clock", self.clockwork.keep))]
        if self._hints is not None:
            tasks.append(asyncio.create_task(self._keeping_on("hints", self._hints.run)))
        try:
            yield
        finally:
            await self._end(threads, tasks)

    def _going_on(self, name: str, run: Callable[[threading.Event], None]) -> None:
        """Run the work of a thread until this process stops, again where an error nobody thought of has ended it."""
        while True:
            try:
                run(self._stop)
            except Exception:
                log.exception("%s ended unexpectedly; it begins again", name)
            if self._stop.wait(AGAIN):
                return

    async def _keeping_on(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run a task until this process stops, again where an error nobody thought of has ended it."""
        while not self._stop.is_set():
            try:
                await run()
            except Exception:
                log.exception("%s ended unexpectedly; it begins again", name)
            await asyncio.sleep(AGAIN)

    async def _end(self, threads: Sequence[threading.Thread], tasks: Sequence[asyncio.Task[None]]) -> None:
        """Close the open dashboards, stop threads and tasks, and close the logs last.

        What fails is logged, and the rest is done: whatever is left undone here, others would wait for.

        This process leaves the attendance as soon as it can send nothing any more, and answers whoever erases until
        then: the clock, which answers, is stopped after it has left. All that it could send by is over at that point:
        the server has answered or cut off every request before it ends a process, the open dashboards are closed or
        aborted and new ones refused, and the threads that make updates, emails and messages have ended. What it still
        has in memory of something erased goes into nothing that is written after this: signing reads hashes, and a
        snapshot holds no updates and is sealed by a key that goes with whoever is erased (docs/spec.md 1.8). A thread
        that hangs might still send: then it stays until the very end, which ends such a thread as well, and goes on
        answering as long as the clock does.
        """
        self._draining.set()
        with _logged("drain"):
            await self._live.drain(self._settings.drain_seconds)
        if self._hints is not None:
            self._hints.end()
        self._stop.set()
        with _logged("wake"):
            for sleeper in (self._follower, self._receipts, self._tail, self._telling.notices, self.services.poster):
                sleeper.wake()
            self.services.sources.engine.wake()
        for thread in threads:
            await asyncio.to_thread(thread.join, JOINED)
        sender = self.services.mail_sender
        sent = sender is None or await asyncio.to_thread(sender.finish, JOINED)
        hang = [thread.name for thread in threads if thread.is_alive()]
        hang += [
            name for name, ended in (("invitations", sent), ("messages", not self.services.poster.sends)) if not ended
        ]
        if hang:
            log.error("these do not end: %s; an erasure waits for this process until it has", ", ".join(hang))
        else:
            await asyncio.to_thread(self._go)
        for step, work in (("signing", self._sign_all), ("snapshot", self._snapshot_last)):
            with _logged(step):
                await asyncio.to_thread(work)
        if self.lease_keeper is not None:
            await asyncio.to_thread(self.lease_keeper.end)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=5)
        if self._hints is not None:
            with _logged("hints"):
                await self._hints.close()
        await asyncio.to_thread(self._go)
        self._logs.close()

    def _go(self) -> None:
        """Say that this process sends nothing any more, where the logs answer; once. For threads."""
        if not self.services.health.away:
            with _logged("attendance"):
                self._logs.processes.go()

    def _sign_all(self) -> None:
        """Sign what is new, where this process leads and the logs answer. For threads."""
        if self.leads() and not self.services.health.away:
            until = time.monotonic() + LAST
            over = lambda: time.monotonic() > until or not self.leads()  # noqa: E731
            self.services.notary.last(list(self._present.world.shares), over)

    def _snapshot_last(self) -> None:
        """Write down how everything stands for the next start, where this process leads. For threads."""
        if self.leads() and not self.services.health.away:
            self.clockwork.keep_snapshot()

    def _work(self) -> list[tuple[str, Callable[[threading.Event], None]]]:
        """Return what each thread of this process runs until it stops, by name."""
        follows = self._settings.follow or not self._logs.shared
        work: list[tuple[str, Callable[[threading.Event], None]]] = [("receipts", self._receipts.run)]
        if follows:
            work.append(("follower", self._follower.run))
            work.append(("duties", self.clockwork.run))
            work.append(("sources", self.services.sources.engine.run))
        if follows and (sender := self.services.mail_sender) is not None:
            work.append(("post", sender.run))
        if follows:
            work += self._telling.work(self.services.poster, self.services.mail_sender)
        if (asked := self.services.asked) is not None:
            work.append(("asked", asked.run))
        if self._logs.shared:
            work.append(("tail", lambda stop: self._tail.run(stop, self._poll)))
        if (lease_keeper := self.lease_keeper) is not None:
            work.append(
                ("lease", lambda stop: lease_keeper.run(stop, lambda: self._follower.beat, self._follower.wake))
            )
        return work

    def _poll(self) -> float:
        """Return the seconds between two looks for entries of other processes."""
        return 1.0 if self._hints is not None and self._hints.listening else 0.25


@contextlib.contextmanager
def _logged(step: str) -> Iterator[None]:
    """Log which step of stopping fails, and go on: those after it are needed all the more."""
    try:
        yield
    except Exception:
        log.exception("this process stops, and of that %s failed; the rest is done", step)


def provider(settings: Settings, clock: Callable[[], datetime]) -> "Provider | None":
    """Return the single sign-on provider that the settings name, None where they name none."""
    if not settings.oidc_issuer:
        return None
    from web.identity.provider import Provider, Registered

    registered = Registered(
        issuer=settings.oidc_issuer,
        client=settings.oidc_client_id,
        secret=settings.oidc_client_secret,
        back=f"{settings.origin}{BACK}",
    )
    return Provider(registered, clock)
