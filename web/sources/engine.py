"""Pulls from sources by their cadence, where this process leads; a person and a webhook may ask for a turn sooner.

Rule: only so many sources are asked at a time, and each by one pull. A pull is recorded by one command or not at
all, so that whatever is cut short is pulled again and nothing is doubled. The secret is opened for the moment of
asking, and no message of a failure holds it.
"""

import asyncio
import logging
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec

from domain.errors import Refused, Stale
from domain.ids import MilestoneId, ProjectId, SourceId
from domain.language import ENGLISH, speaking
from domain.language import gettext as _
from domain.plan.milestones import Milestone
from domain.plan.project import Project
from domain.plan.sources.source import Source
from projections.events.present import CurrentWorld
from projections.installation.crash_point import CrashPoint, nowhere
from web.importers.plan import Plan
from web.outside.addresses import Forbidden
from web.outside.transport import Bounds, Outside
from web.sources.taking import News, Taking
from web.sources.tools.past import weeks
from web.sources.tools.tool import Attached, Most, NoTurn, Pulled, Remembering, Tool, Trouble
from web.sources.turns import Turns

log = logging.getLogger("fanlight.sources")
EVERY = 0.5  # seconds between two looks for what is due
PATIENCE = 20.0  # seconds for which the page that asks for a pull waits
WAITING = 8  # pages that wait so at a time: each takes a thread, of which a process has some dozens for all its pages
CONNECTED = 30.0  # seconds for one answer to go on
BESIDE = 30.0  # seconds that a pull may take beside what its tool is given
ASKED = "!"  # behind the name of a source, for the process that leads: a person asked, so nothing is waited for

Key = tuple[ProjectId, SourceId]
Got = TypeVar("Got")


class EnginePorts(msgspec.Struct, frozen=True, kw_only=True):
    """What pulling uses of the product. `tools`: by name; `tell`: tells the process that leads of a hint."""

    taking: Taking
    present: CurrentWorld
    tools: Mapping[str, Tool]
    outside: Outside
    clock: Callable[[], datetime]  # UTC
    leads: Callable[[], bool] = lambda: True
    tell: Callable[[str], None] = lambda _key: None
    crash_point: CrashPoint = nowhere
    most: Most = Most()  # of a tool that is read in one pull
    at_once: int = 4  # sources that are asked at a time
    spread: Callable[[], float] = random.random
    monotonic: Callable[[], float] = time.monotonic


class TurnEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a turn: news, or the trouble there was; neither: it is still going on, elsewhere perhaps."""

    news: News | None = None
    trouble: Trouble | None = None


class Engine:
    """The pulls of one process. `run` owns the loop; any thread may call the others."""

    def __init__(self, ports: EnginePorts) -> None:
        self._ports = ports
        self._turns, self._lock = Turns(ports.spread), threading.Lock()
        self._ended: dict[str, TurnEnd] = {}  # what came of the newest turn of each
        self._tried: dict[str, datetime] = {}  # when that was, UTC
        self._compared: dict[str, Mapping[MilestoneId, Milestone]] = {}  # the milestones it was compared with whole
        self._woken = threading.Event()
        self._waiting = threading.BoundedSemaphore(WAITING)
        self._count: dict[str, int] = {}  # turns that ended
        self.rest = False  # whether nothing is pulled by the clock for now

    def run(self, stop: threading.Event) -> None:
        """Pull what is due until `stop`, where this process leads."""
        asyncio.run(self._run(stop))

    async def _run(self, stop: threading.Event) -> None:
        tasks: set[asyncio.Task[None]] = set()
        led = False
        while not stop.is_set():
            await asyncio.to_thread(self._woken.wait, EVERY)
            self._woken.clear()
            tasks = {task for task in tasks if not task.done()}
            try:
                leads = self._ports.leads()
                if leads and not led:
                    await asyncio.to_thread(self._ports.present.refresh)  # what whoever led before was told to wait for
                led = leads
                if leads and not self.rest and not stop.is_set():
                    for key in await asyncio.to_thread(self._due, self._ports.at_once - len(tasks)):
                        tasks.add(asyncio.create_task(self._turn(key)))
                    await asyncio.to_thread(self.note_lasting)
            except Exception:
                log.exception("looking for sources that are due failed; it is tried again")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """Have it looked at once for what is due."""
        self._woken.set()

    def turn_of(self, project: ProjectId, source: SourceId) -> TurnEnd:
        """Give a source its turn and return what came of it; for threads without a loop, one at a time."""
        key = _name(project, source)
        asyncio.run(self._turn(key))
        return self._ended[key]

    def hint(self, project: ProjectId, source: SourceId) -> None:
        """Note that a source says it has news: a hint to pull, one for all that come together."""
        with self._lock:
            self._turns.hint(_name(project, source), self._ports.monotonic())
        if not self._ports.leads():
            self._ports.tell(_name(project, source))

    def hinted(self, key: str) -> None:
        """Take a hint from another process, or that a person asked there."""
        name = key.removesuffix(ASKED)
        if name != key and not self._ports.leads():
            return
        give = self._turns.hint if name == key else self._turns.at_once
        with self._lock:
            give(name, self._ports.monotonic())

    def at_once(self, project: ProjectId, source: SourceId) -> None:
        """Give a source its turn whatever it waits for: somebody changed how it is reached. From any thread."""
        key = _name(project, source)
        if not self._ports.leads():
            self._ports.tell(key + ASKED)
            return
        with self._lock:
            self._turns.at_once(key, self._ports.monotonic())
        self.wake()

    def pull_now(self, project: ProjectId, source: SourceId, patience: float = PATIENCE) -> TurnEnd:
        """Give a source its turn at once, and return what came of it within `patience` seconds. For threads."""
        key = _name(project, source)
        if not self._ports.leads():
            self._ports.tell(key + ASKED)
            return TurnEnd()
        with self._lock:
            before = self._count.get(key, 0)
            self._keep(self._ports.monotonic())
            self._turns.at_once(key, self._ports.monotonic())
        self.wake()
        if not self._waiting.acquire(blocking=False):
            return TurnEnd()
        try:
            return self._awaited(key, before, time.monotonic() + patience)
        finally:
            self._waiting.release()

    def _awaited(self, key: str, before: int, until: float) -> TurnEnd:
        """Return what came of the turn after `before` of them, nothing where it lasts beyond `until`."""
        while time.monotonic() < until:
            with self._lock:
                if self._count.get(key, 0) > before:
                    return self._ended[key]
            time.sleep(0.05)
        return TurnEnd()

    def look_at(self, tool: Tool, attached: Attached) -> str:
        """Try an address and a secret, and return what was found there. For threads. Raises: Trouble."""

        async def look() -> str:
            _readable(attached.address)
            async with self._ports.outside.asking(self._bounds()) as client:
                return await tool.look(self._bounded(attached), client)

        return self._alone(look, PATIENCE)

    def look_back(self, tool: Remembering, attached: Attached) -> Sequence[tuple[datetime, Plan]]:
        """Return the plan as it stood each week of the year before, by instant (UTC). For threads. Raises: Trouble."""
        instants = weeks(self._ports.clock())

        async def look() -> Sequence[tuple[datetime, Plan]]:
            _readable(attached.address)
            async with self._ports.outside.asking(self._bounds()) as client:
                return await tool.pull_past(self._bounded(attached), instants, client)

        return self._alone(look, self._ports.most.seconds + BESIDE)

    def _alone(self, ask: Callable[[], Awaitable[Got]], seconds: float) -> Got:
        """Return what asking returns, where not too many wait for such answers already. Raises: Trouble."""
        if not self._waiting.acquire(blocking=False):
            raise Trouble(_("Other sources are being tried at this moment. Try again in half a minute."))
        try:
            return asyncio.run(_within(ask, seconds))
        finally:
            self._waiting.release()

    def next_at(self, project: ProjectId, source: SourceId) -> datetime | None:
        """Return when a source is pulled next (UTC), None where this process does not pull it."""
        with self._lock:
            due = self._turns.next_at(_name(project, source))
        if due is None or not self._ports.leads():
            return None
        return self._ports.clock() + timedelta(seconds=max(0.0, due - self._ports.monotonic()))

    def tried_at(self, project: ProjectId, source: SourceId) -> datetime | None:
        """Return when this process asked a source last (UTC), None where it has not."""
        return self._tried.get(_name(project, source))

    def _due(self, most: int) -> list[str]:
        with self._lock:
            now = self._ports.monotonic()
            self._keep(now)
            return self._turns.due(now, most)

    def _keep(self, now: float) -> None:
        """Know the sources that are pulled, and until when their tools asked not to be, whichever process was told."""
        at, cadences, waits = self._ports.clock(), dict[str, float](), dict[str, float]()
        for project, source in self._asked_here():
            key, failure = _name(project, source.id), source.failure
            cadences[key] = source.cadence * 60.0
            if failure is not None and failure.not_before is not None and failure.not_before > at:
                waits[key] = (failure.not_before - at).total_seconds()
        self._turns.keep(cadences, now, waits)

    def note_lasting(self) -> None:
        """Record of sources that they have failed for a day: by the clock, as the next try may come much later."""
        for project, source in self._asked_here():
            try:
                self._ports.taking.note_lasting(project, source)
            except Exception:
                log.exception("that a source has failed for a day could not be noted; the others go on")

    def _asked_here(self) -> Iterator[tuple[ProjectId, Source]]:
        for project in list(self._ports.present.world.projects.values()):  # waits for no database
            for source in project.sources.values() if project.phase != "closed" else ():
                if source.attached and source.paused is None and source.tool != "upload":
                    yield project.id, source

    def _tool(self, source: Source) -> Tool:
        tool = self._ports.tools.get(source.tool)
        if tool is None:
            raise Trouble(_("This version does not know the tool {tool}.", tool=source.tool), for_good=True)
        return tool

    async def _turn(self, key: str) -> None:
        """Pull from one source, and record what came of it."""
        project, source = _key(key)
        asked = TurnEnd(trouble=Trouble(_("Pulling failed unexpectedly; the server’s log says why.")))
        try:
            with speaking(self._language(project, source)):
                asked = await self._asked(project, source)
        except Exception:
            log.exception("a turn of a source failed; it has another one later")
        finally:  # whatever ended it: a turn that is never said to have ended is the last one of its source
            self._note_end(key, asked)

    def _note_end(self, key: str, asked: TurnEnd) -> None:
        with self._lock:
            now = self._ports.monotonic()
            if asked.trouble is None:
                self._turns.succeeded(key, now)
            else:
                self._turns.failed(key, now, asked.trouble.retry_after, for_good=asked.trouble.for_good)
            self._ended[key], self._tried[key] = asked, self._ports.clock()
            self._count[key] = self._count.get(key, 0) + 1

    def _language(self, project: ProjectId, source: SourceId) -> str:
        """Return in which language what comes of a source is recorded."""
        there = self._ports.present.world.projects.get(project)  # waits for no database
        known = there.sources.get(source) if there is not None else None
        return known.language if known is not None else ENGLISH

    async def _asked(self, project: ProjectId, source: SourceId) -> TurnEnd:
        taking = self._ports.taking
        asked: Source | None = None
        try:
            found = await asyncio.to_thread(taking.find, project, source)
            if found is None:
                return TurnEnd(news="gone")
            asked = found[1]
            pulled = await self._pulled(found[0], asked)
            self._ports.crash_point("after-pull")
            news = await asyncio.to_thread(taking.take, project, source, pulled, asked)
            if pulled.plan is not None:
                await asyncio.to_thread(self._note_compared, project, source)
            self._ports.crash_point("after-pull-recorded")
            return TurnEnd(news=news)
        except Stale:
            return TurnEnd(news="nothing")  # another process recorded it
        except NoTurn as busy:
            return TurnEnd(trouble=busy)
        except Trouble as error:
            trouble = error
        except Refused as refused:
            trouble = Trouble(refused.message)
        except Exception:
            log.exception("pulling from a source failed")
            trouble = Trouble(_("Pulling failed unexpectedly; the server’s log says why."))
        try:
            if not await asyncio.to_thread(taking.fail, project, source, trouble, asked):
                return TurnEnd(news="gone")
        except Exception:
            log.exception("that a source fails could not be recorded")
        return TurnEnd(trouble=trouble)

    def _note_compared(self, project: ProjectId, source: SourceId) -> None:
        """Note with which plan a source was compared whole: where that is another one, a cursor tells too little."""
        found = self._ports.taking.find(project, source)
        if found is not None:
            self._compared[_name(project, source)] = found[0].schedule.milestones

    async def _pulled(self, project: Project, source: Source) -> Pulled:
        """Ask the tool for the plan. Raises: Trouble."""
        tool = self._tool(source)
        attached = self._ports.taking.attached(project.id, source)
        same = self._compared.get(_name(project.id, source.id)) is project.schedule.milestones
        cursor = _cursor(source) if same else ""

        async def pull() -> Pulled:
            _readable(attached.address)
            async with self._ports.outside.asking(self._bounds()) as client:
                return await tool.pull(self._bounded(attached), cursor, client)

        return await _within(pull, self._ports.most.seconds + BESIDE)

    def _bounds(self) -> Bounds:
        """Return what the requests of a pull may take; a tool's module says sooner that it took too long."""
        most = self._ports.most
        return Bounds(patience=CONNECTED, at_most=most.seconds + BESIDE / 2, longest=most.answer)

    def _bounded(self, attached: Attached) -> Attached:
        return msgspec.structs.replace(attached, most=self._ports.most)


async def _within(ask: Callable[[], Awaitable[Got]], seconds: float) -> Got:
    """Return what asking returns within some seconds. Raises: Trouble."""
    try:
        async with asyncio.timeout(seconds):
            return await ask()
    except Forbidden as error:
        raise Trouble(str(error), for_good=True) from None
    except TimeoutError:
        raise Trouble(_("No answer came in time. It is asked again.")) from None
    except (httpx2.HTTPError, OSError) as error:
        raise Trouble(_("It cannot be reached: {error}", error=type(error).__name__)) from None


def _readable(address: str) -> None:
    """Raise Trouble for what cannot be taken apart as an address; whether it may be asked is judged on the way out."""
    try:
        urlsplit(address)
    except ValueError:
        raise Trouble(_("{address} cannot be read as an address.", address=address[:200]), for_good=True) from None


def _cursor(source: Source) -> str:
    """Return where the next pull goes on: from the beginning where something waits, or was decided since the last."""
    last = source.last
    if last is None or last.doubt or last.put_back is not None:
        return ""
    asked = any(one.outcome != "taken" for one in last.lines)
    return "" if asked else last.cursor


def _name(project: ProjectId, source: SourceId) -> str:
    return f"{project}.{source}"


def _key(name: str) -> Key:
    project, _dot, source = name.partition(".")
    return ProjectId(project), SourceId(source)
