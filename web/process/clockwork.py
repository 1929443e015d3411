"""What a process does by the clock: reads what others wrote, and, where it leads, does what only one process may do."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from domain.agreement.share import ExpireShare, ReleaseDue
from domain.ids import CommandId
from domain.people.devices import EndDevice
from domain.people.sign_ins import EndSession
from domain.plan.health import LapseOverrides
from domain.plan.schedule import EndDay
from projections.events.days import days_to_end
from projections.evidence.erasing import complete, expire_receipts
from projections.receipts.taking import BEAT
from web.identity.devices import opens, over
from web.ids import new_id
from web.process.handing_on import Loop
from web.process.services import Services
from web.write.permission import SYSTEM

log = logging.getLogger("fanlight")
EVERY = 0.5  # seconds
WAIT = 2.0  # seconds for the follower and the event loop of this process to let go of what was erased
REAP_EVERY = 15.0  # seconds between looks for processes that are gone
DAYS_EVERY = 15.0  # seconds between looks for days that are over
SNAPSHOT_EVERY = 60.0  # seconds between two snapshots at least
SNAPSHOT_AFTER = 1000  # events since the last one at least
SNAPSHOT_REST = 100  # times what writing the last one took; so it costs one part in a hundred
GONE = 3 * BEAT  # seconds without a heartbeat after which a process counts as gone


class Clockwork:
    """The clockwork of one process."""

    def __init__(self, services: Services, loop: Loop) -> None:
        self._services, self._loop = services, loop
        self._signed_at = 0.0
        last = services.logs.ledger.last()
        self._ledger_read = last.index if last else 0
        self._asked = services.logs.processes.asked()  # the newest request to let go that was answered
        self._reaped = 0.0
        self._days_looked = -DAYS_EVERY
        self._snapshot_due = time.monotonic() + SNAPSHOT_EVERY
        self._beats: dict[str, tuple[int, float]] = {}  # by process: its newest heartbeat, and since when it is that

    def begin(self) -> None:
        """Finish what a crash cut short, before any page is served. For threads."""
        services = self._services
        if not services.logs.read_only:
            asked = services.logs.processes.come(alone=not services.logs.shared)
            self.let_go()
            services.logs.processes.let_go(asked)
        shares = list(services.present.world.shares)
        complete(services.logs, shares)
        services.erasure.finish_all()
        if not services.logs.shared:
            services.receipts.recover(shares)
            self.end_idle()
        services.health.look()

    async def keep(self) -> None:
        """Tick every `EVERY` seconds until cancelled; a tick under way is waited for: the logs are closed after it."""
        while True:
            await asyncio.sleep(EVERY)
            tick = asyncio.ensure_future(asyncio.to_thread(self.tick))
            try:
                await asyncio.shield(tick)
            except asyncio.CancelledError:
                await asyncio.wait([tick])
                raise
            except Exception:
                log.exception("keeping time failed; it goes on")

    def tick(self) -> None:
        """Read what other processes wrote, and examine the health; always short. For threads."""
        services = self._services
        self._each(
            self._read_what_others_wrote, services.activity.write, services.logs.vault.keys.look, services.health.look
        )

    def _each(self, *duties: Callable[[], object]) -> None:
        """Do one duty after the other; one that fails is logged and tried again with the next turn.

        Raises: what says that the logs do not answer; the duties that are left would fail by it as well.
        """
        for duty in duties:
            try:
                duty()
            except self._services.logs.away:
                raise
            except Exception:
                log.exception("what is to be done by the clock failed; the rest is done, and it is tried again")

    def _read_what_others_wrote(self) -> None:
        """Read it, and answer whoever asked that what was erased is let go of."""
        asked = self._services.logs.processes.asked()
        self._services.present.refresh()
        self._forget_erased()
        if asked > self._asked and self.let_go():
            self._services.logs.processes.let_go(asked)
            self._asked = asked

    def let_go(self) -> bool:
        """Drop from memory whatever was erased by now, and return whether that is done everywhere in this process."""
        self._services.present.refresh()
        self._forget_erased()
        self._services.follower.forget()
        until = time.monotonic() + WAIT
        while not self._services.follower.forgot and time.monotonic() < until:
            time.sleep(0.01)
        return self._services.follower.forgot and self._loop.flush(WAIT)

    def run(self, stop: threading.Event) -> None:
        """Until `stop`, do what only the leading process may do; it may take long."""
        while not stop.wait(EVERY):
            try:
                if self._services.leads():
                    self.lead()
            except Exception:
                log.exception("what the leading process must do failed; it is tried again")

    def lead(self) -> None:
        """Sign, end what has run out, and record tabs of processes that are gone, each when it is due. For threads."""
        now = self._services.now()
        self._each(
            lambda: self._sign_now_and_then(now),
            lambda: self._end_terms(now),
            self._services.erasure.finish_all,
            lambda: self._end_days(now),
            self.end_idle,
            self.end_devices,
            lambda: self._lapse(now),
            self._keep_snapshot_now_and_then,
            self._reap_now_and_then,
        )

    def _sign_now_and_then(self, now: datetime) -> None:
        if now.timestamp() - self._signed_at >= 60 * self._services.settings.checkpoint_minutes:
            self._signed_at = now.timestamp()
            self.sign()

    def _lapse(self, now: datetime) -> None:
        """End what managers said of the health of their projects for a time that is over."""
        for project in self._services.present.world.overridden():
            due = any(o.until <= now for o in project.health.overrides.values())
            if due and project.phase != "closed":
                self._execute(LapseOverrides(project=project.id))

    def _keep_snapshot_now_and_then(self) -> None:
        if time.monotonic() >= self._snapshot_due:
            self._snapshot_due = time.monotonic() + SNAPSHOT_EVERY  # also where it fails
            self.keep_snapshot()

    def _reap_now_and_then(self) -> None:
        if self._services.logs.shared and time.monotonic() - self._reaped >= REAP_EVERY:
            self._reaped = time.monotonic()
            self.reap()

    def _end_terms(self, now: datetime) -> None:
        """Release held changes whose time is up, and end shares whose last day is over."""
        world = self._services.present.world
        for share_id, holds in list(world.holds.items()):
            if any(fact.until <= now for fact in holds.facts):
                self._execute(ReleaseDue(share=share_id))
        for share in world.ending():
            if share.ended_on(now) is not None:
                self._execute(ExpireShare(share=share.id))

    def _end_days(self, now: datetime) -> None:
        """Record of each project that a day is over, where a date passed in it: one command a project and day."""
        if time.monotonic() - self._days_looked < DAYS_EVERY:
            return
        self._days_looked = time.monotonic()
        for command in list(days_to_end(self._services.present.world, now)):
            self._execute(command)

    def end_idle(self) -> None:
        """End the sessions in which nobody did anything for too long; their open pages close. For threads."""
        services, now = self._services, self._services.now()
        for person in services.present.world.signed_in():
            for session in list(person.sessions.values()):
                if session.expires <= now:
                    services.activity.forget(session.id)
                elif session.kept:
                    continue  # its device is what lasts
                elif services.activity.over(session.id, session.started):
                    self._execute(EndSession(person=person.id, session=session.id, cause="idle"))
                    services.activity.forget(session.id)

    def end_devices(self) -> None:
        """End the devices that open nothing any more, and their sessions that open more than they do. For threads."""
        world, now = self._services.present.world, self._services.now()
        for person in world.holding_devices():
            for device in person.devices.kept.values():
                if (why := over(world, person, device, now)) is not None:
                    self._execute(EndDevice(person=person.id, device=device.id, cause=why))
                    continue
                opened = set(opens(world, person, device, now))
                for session in [one for one in person.sessions.values() if one.kept == device.id]:
                    if session.expires > now and not opened.issuperset(session.clients):
                        self._execute(EndSession(person=person.id, session=session.id, cause="over"))

    def _execute(self, command: LapseOverrides | EndDay | ReleaseDue | ExpireShare | EndSession | EndDevice) -> None:
        """Carry out what is due; a failure for one project or share is logged, and the others go on."""
        try:
            self._services.service.execute(SYSTEM, command, command_id=CommandId(new_id(24)))
        except Exception:
            log.exception("what was due of %s failed; it is tried again", type(command).__name__)

    def sign(self) -> None:
        """Erase receipts that were kept long enough, and sign checkpoints of all that is new. For threads."""
        services = self._services
        for share in list(services.present.world.shares.values()):
            expire_receipts(services.logs, services.notary, share.id, share.retention, now=services.now())
        services.notary.sign(list(services.present.world.shares))

    def keep_snapshot(self) -> None:
        """Write down how everything stands, if enough was recorded since the last time. For threads."""
        snapshots, standing = self._services.logs.snapshots, self._services.follower.recorded
        began = time.monotonic()
        if standing.position - snapshots.position >= SNAPSHOT_AFTER:
            snapshots.keep(standing, lambda: self._services.present.refresh().erased)
        took = time.monotonic() - began
        self._snapshot_due = time.monotonic() + max(SNAPSHOT_EVERY, SNAPSHOT_REST * took)

    def reap(self) -> int:
        """Record the end of every tab of processes that are gone, and return how many tabs there were.

        A process is gone when it gave no new heartbeat for `GONE` seconds by our own clock.
        """
        services, now = self._services, time.monotonic()
        shares = list(services.present.world.shares)
        there = services.receipts.holders(shares) - {services.worker}
        for worker in there:
            beat = services.logs.receipts.last_beat(worker)[0]
            if worker not in self._beats or self._beats[worker][0] != beat:
                self._beats[worker] = beat, now
        gone = {worker for worker in there if now - self._beats[worker][1] > GONE}
        return services.receipts.recover(shares, gone.__contains__) if gone else 0

    def _forget_erased(self) -> None:
        """Drop from memory what any process erased, as the ledger says."""
        services = self._services
        last = services.logs.ledger.last()
        if last is None or last.index == self._ledger_read:
            return
        for line in services.logs.ledger.lines(self._ledger_read, last.index - self._ledger_read, last.index):
            if line.statement.kind == "entries-erased":
                self._loop.call(services.live.forget, line.statement.subject)
                services.ever_told.forget(line.statement.subject)
                services.heads.forget()  # it may be the newest, of a share that has ended
                services.renderer.forget()
                services.follower.forget()
        self._ledger_read = last.index
