"""What a process does by the clock: see what others wrote, and, where it leads, what one process alone must do."""

import asyncio
import logging
import threading
import time
from datetime import datetime

from domain.agreement.share import ExpireShare, ReleaseDue
from domain.ids import CommandId
from domain.plan.health import LapseOverrides
from projections.evidence.erasing import complete, expire_receipts
from projections.receipts.taking import BEAT
from web.ids import new_id
from web.process.handing_on import Loop
from web.process.services import Services
from web.write.permission import SYSTEM

log = logging.getLogger("fanlight")
EVERY = 0.5  # seconds
REAP_EVERY = 15.0  # seconds between looks for processes that are gone
GONE = 3 * BEAT  # seconds without a sign of life after which a process counts as gone


class Clockwork:
    """The clockwork of one process."""

    def __init__(self, services: Services, loop: Loop) -> None:
        self._of, self._loop = services, loop
        self._signed_at = 0.0
        found = services.logs.ledger.last()
        self._ledger_read = found.index if found else 0
        self._reaped = 0.0
        self._beats: dict[str, tuple[int, float]] = {}  # process -> its newest sign of life, and since when it is that

    def begin(self) -> None:
        """Finish what a crash cut short, before any page is served. For threads."""
        of, shares = self._of, list(self._of.present.world.shares)
        complete(of.logs, shares)
        if not of.logs.shared:
            of.receipts.recover(shares)
        of.health.look()

    async def keep(self) -> None:
        """Tick until cancelled; a tick that is under way is waited for, since the logs are closed after it."""
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
        """See what other processes wrote, and how things are; never long. For threads."""
        self._of.present.refresh()
        self._forget_erased()
        self._of.health.look()

    def run(self, stop: threading.Event) -> None:
        """Do what the leading process alone must do until `stop`: sign, end what has run out, reap. May take long."""
        while not stop.wait(EVERY):
            try:
                if self._of.leads():
                    self.lead()
            except Exception:
                log.exception("what the leading process must do failed; it is tried again")

    def lead(self) -> None:
        """Sign, end what has run out, and reap, as far as it is time. For threads."""
        of, now = self._of, self._of.now()
        if now.timestamp() - self._signed_at >= 60 * of.settings.checkpoint_minutes:
            self._signed_at = now.timestamp()
            self.sign()
        self._agreed(now)
        for project in list(of.present.world.projects.values()):
            due = any(o.until <= now for o in project.health.overrides.values())
            if due and project.phase != "closed":
                self._tell(LapseOverrides(project=project.id))
        if of.logs.shared and time.monotonic() - self._reaped >= REAP_EVERY:
            self._reaped = time.monotonic()
            self.reap()

    def _agreed(self, now: datetime) -> None:
        """Let go out what has waited as long as it may, and end shares whose last day is over."""
        world = self._of.present.world
        for share, holds in list(world.holds.items()):
            if any(fact.until <= now for fact in holds.facts):
                self._tell(ReleaseDue(share=share))
        for agreed in list(world.shares.values()):
            if agreed.active and agreed.ended_on(now) is not None:
                self._tell(ExpireShare(share=agreed.id))

    def _tell(self, command: LapseOverrides | ReleaseDue | ExpireShare) -> None:
        """Carry out what is due; what fails for one project or share keeps nobody else waiting."""
        try:
            self._of.service.execute(SYSTEM, command, command_id=CommandId(new_id(24)))
        except Exception:
            log.exception("what was due of %s failed; it is tried again", type(command).__name__)

    def sign(self) -> None:
        """Let receipts go whose time is over, and sign checkpoints of all that is new. For threads."""
        of = self._of
        for share in list(of.present.world.shares.values()):
            expire_receipts(of.logs, of.notary, share.id, share.retention, now=of.now())
        of.notary.sign(list(of.present.world.shares))

    def reap(self) -> int:
        """Record the end of every tab of processes that are gone; return how many there were.

        Gone is who gave no new sign of life for `GONE` seconds by our own clock, whatever theirs says.
        """
        of, now = self._of, time.monotonic()
        shares = list(of.present.world.shares)
        there = of.receipts.holders(shares) - {of.worker}
        for worker in there:
            beat = of.logs.receipts.last_beat(worker)[0]
            if worker not in self._beats or self._beats[worker][0] != beat:
                self._beats[worker] = beat, now
        gone = {worker for worker in there if now - self._beats[worker][1] > GONE}
        return of.receipts.recover(shares, gone.__contains__) if gone else 0

    def _forget_erased(self) -> None:
        """Let go of what the ledger says was erased, by whichever process."""
        of = self._of
        last = of.logs.ledger.last()
        if last is None or last.index == self._ledger_read:
            return
        for line in of.logs.ledger.lines(self._ledger_read, last.index - self._ledger_read, last.index):
            if line.statement.kind == "entries-erased":
                self._loop.call(of.live.forget, line.statement.subject)
                of.ever_told.forget(line.statement.subject)
        self._ledger_read = last.index
