"""Races of changes against every cause that ends what a page may receive: real process, follower, server and sockets.

A round is one project shared with some clients, two open pages each, and a stream of changes; every share meets its
end at a moment of its own, from a thread of its own. `Races.found` is what should not have happened, in words.
"""

import asyncio
import contextlib
import json
import random
import threading
from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from domain.agreement.share import ActivateTerms, DraftShare, DraftTerms, RevokeShare
from domain.agreement.terms import Terms, Ways
from domain.commands import AnyCommand
from domain.ids import ClientId, CommandId, MilestoneId, PersonId, ProjectId, ShareId
from domain.people.clients import EndClient, RegisterClient
from domain.people.person import DisablePerson, InvitePerson
from domain.people.sign_ins import EndSession, StartSession
from domain.plan.project import StartProject
from domain.plan.schedule import AddMilestone, MilestoneDetails, MoveForecast
from tests.plain import Plain
from tests.web.doors import ORIGIN
from tests.world import START
from web.client import dashboard
from web.clock import Virtual
from web.door.templates import Pages
from web.ids import digest, new_id
from web.process.process import Given, Process
from web.push.server import server_config
from web.settings import Settings
from web.write.permission import OPERATOR

CAUSES = ("share revoked", "client ended", "expired", "narrowed", "person ended", "session ended")
CODES = {"person ended": 4401, "session ended": 4401}  # of the one page that ends; else 4403 for all of them
CHANGES = 6
PATIENCE = 20.0
WIDE = Terms(milestones="all", milestone_fields=("forecast", "reason"))
NARROW = Terms(milestones="all")
FIRST = date(2027, 6, 1)


class Page:
    """An open dashboard that listens to its end."""

    def __init__(self, socket: ClientConnection, tab: str) -> None:
        self.socket, self.tab, self.code = socket, tab, 0
        self.heard: list[dict[str, Any]] = []
        self.greeted = asyncio.Event()
        self.listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            while True:
                self.heard.append(json.loads(await self.socket.recv(decode=True)))
                self.greeted.set()
        except ConnectionClosed as end:
            self.code = end.rcvd.code if end.rcvd else 1006

    @property
    def at(self) -> int:
        return max([1, *(message.get("n", 0) for message in self.heard)])  # it began at 1


class Race:
    """One share, who watches it, and how it ends."""

    def __init__(self, key: str, cause: str, after: int, spin: int) -> None:
        self.cause, self.after, self.spin = cause, after, spin
        self.share, self.client = ShareId(f"s{key}"), ClientId(f"c{key}")
        self.people = [PersonId(f"p{key}"), PersonId(f"q{key}")]
        self.secrets = [f"secret-{person}" for person in self.people]
        self.pages: list[Page] = []
        self.cut = -1  # the newest number when the end was on record

    @property
    def ending(self) -> list[Page]:
        return [] if self.cause == "narrowed" else self.pages[:1] if self.cause in CODES else self.pages

    def end(self, clock: Virtual) -> AnyCommand | None:
        """The command that ends it; None where the clock does."""
        match self.cause:
            case "share revoked":
                return RevokeShare(share=self.share, reason="Contract over")
            case "client ended":
                return EndClient(client=self.client, reason="Contract over")
            case "narrowed":
                return ActivateTerms(share=self.share, reason="Less")
            case "person ended":
                return DisablePerson(person=self.people[0], reason="Left")
            case "session ended":
                return EndSession(person=self.people[0], session=f"session-{self.people[0]}")
        clock.forward(minutes=1)
        return None


class Races:
    """An installation of one or more workers in this process, and the races on it."""

    def __init__(self, settings: Sequence[Settings], seed: int) -> None:
        self.rng, self.found = random.Random(seed), list[str]()
        self.clock = Virtual(START)
        self.run_at = 0
        self.raced: list[Race] = []
        self._cutting = threading.local()
        self._cuts = threading.Condition()
        self._count = 0
        make = partial(Plain)
        pages = Pages(asset=lambda name: f"/static/{name}", demo=False)
        self.processes = [
            Process(one, make(), pages, Given(now=self.clock, crash_point=self._point)) for one in settings
        ]

    # the moments at which a race is decided

    def _point(self, name: str) -> None:
        if name == "after-event-commit" and (race := getattr(self._cutting, "race", None)) is not None:
            race.cut = self.processes[0].services.logs.disclosure.head(race.share)
            with self._cuts:
                self._count += 1
                self._cuts.notify_all()
        elif name == "before-disclosure-commit" and self.rng.random() < 0.5:
            with self._cuts:  # so that an end is often recorded between an update's making and its recording
                seen = self._count
                self._cuts.wait_for(lambda: self._count > seen, 0.01)

    def _tell(self, *commands: AnyCommand) -> None:
        for command in commands:
            self._service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))

    @property
    def _service(self) -> Any:
        return self.processes[self.rng.randrange(len(self.processes))].services.service

    # one round

    def _set(self, project: ProjectId, races: Sequence[Race]) -> None:
        details = MilestoneDetails(title="internal", client_title="Handover", client_facing=True)
        self._tell(
            StartProject(
                project=project, title="internal", client_title="Line", owner=PersonId("marta"), currency="GBP",
                time_zone="UTC",
            ),
            AddMilestone(project=project, milestone=MilestoneId("m1"), details=details, forecast=FIRST),
        )  # fmt: skip
        for race in races:
            self._share(project, race)

    def _share(self, project: ProjectId, race: Race) -> None:
        expires = self.clock() + timedelta(minutes=1) if race.cause == "expired" else None
        self._tell(RegisterClient(client=race.client, name="Acme", time_zone="UTC"))
        for person, secret in zip(race.people, race.secrets, strict=True):
            self._tell(
                InvitePerson(person=person, name="Vera", email=f"{person}@acme.test", role="viewer", client=race.client),
                StartSession(
                    person=person, session=f"session-{person}", session_hash=digest(secret),
                    session_expires=self.clock() + timedelta(days=20),
                ),
            )  # fmt: skip
        draft = DraftShare(
            share=race.share, project=project, client=race.client, terms=WIDE, ways=Ways(expires=expires)
        )
        self._tell(draft, ActivateTerms(share=race.share, reason="Agreed"))
        if race.cause == "narrowed":
            self._tell(DraftTerms(share=race.share, terms=NARROW))

    async def round(self, causes: Sequence[str], ports: Sequence[int]) -> None:
        """Run a race for each cause at the same time, and judge them."""
        self.run_at += 1
        project = ProjectId(f"line{self.run_at}")
        races = [
            Race(f"{self.run_at}x{i}", cause, self.rng.randrange(CHANGES), self.rng.randrange(300))
            for i, cause in enumerate(causes)
        ]
        await asyncio.to_thread(self._set, project, races)
        await until(lambda: all(self._head(race) == 1 for race in races))
        async with contextlib.AsyncExitStack() as stack:
            for i, race in enumerate(races):
                for j in range(2):
                    race.pages.append(await self._page(stack, race, j, ports[(i + j) % len(ports)]))
            await self._run(project, races)
            await self._settle(races)
            for race in races:
                self._judge(race)
        self.raced += races

    async def _page(self, stack: contextlib.AsyncExitStack, race: Race, which: int, port: int) -> Page:
        cookie = f"{self.processes[0].services.guard.cookie}={race.secrets[which]}"
        there = connect(
            f"ws://127.0.0.1:{port}/s/{race.share}/live", additional_headers={"cookie": cookie}, origin=ORIGIN,  # type: ignore[arg-type]
            compression=None, ping_interval=None,
        )  # fmt: skip
        page = Page(await stack.enter_async_context(there), f"tab-{race.people[which]}")
        await page.socket.send(json.dumps({"hello": 1, "tab": page.tab, "v": 2}))
        await asyncio.wait_for(page.greeted.wait(), PATIENCE)
        return page

    async def _run(self, project: ProjectId, races: Sequence[Race]) -> None:
        begun = [threading.Event() for _ in range(CHANGES)]
        workers = [asyncio.to_thread(self._end, race, begun[race.after], self._service) for race in races]
        await asyncio.gather(asyncio.to_thread(self._change, project, begun), *workers)

    def _change(self, project: ProjectId, begun: Sequence[threading.Event]) -> None:
        for day, event in enumerate(begun, 1):
            event.set()
            forecast = FIRST + timedelta(days=day)
            self._tell(
                MoveForecast(project=project, milestone=MilestoneId("m1"), forecast=forecast, reason=f"day {day}")
            )

    def _end(self, race: Race, begun: threading.Event, service: Any) -> None:
        assert begun.wait(PATIENCE)
        for _ in range(race.spin):
            pass
        command = race.end(self.clock)
        if command is None:
            return
        self._cutting.race = race
        service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))
        self._cutting.race = None

    async def _settle(self, races: Sequence[Race]) -> None:
        """Wait until all that was recorded is disclosed and handed on, and every page that ends has ended."""
        process = self.processes[0]
        await until(lambda: process.services.logs.disclosure.position() >= process.services.logs.events.head())
        ending = [page for race in races for page in race.ending]
        with contextlib.suppress(TimeoutError):
            await until(lambda: all(page.code for page in ending), PATIENCE)
        for race in races:
            for page in race.pages:
                if page not in race.ending:
                    with contextlib.suppress(TimeoutError):
                        await until(lambda page=page, race=race: page.at >= self._head(race), PATIENCE)  # type: ignore[misc]

    # what should not have happened

    def _head(self, race: Race) -> int:
        return self.processes[0].services.logs.disclosure.head(race.share)

    def _note(self, race: Race, told: str) -> None:
        self.found.append(f"{race.share}, {race.cause}: {told}")

    def _judge(self, race: Race) -> None:
        entries = self.processes[0].services.logs.disclosure.entries(race.share, 0, 1000)
        head = len(entries)
        if race.cause == "expired":
            ended = self.processes[0].services.present.world.shares[race.share].ways.expires
            assert ended is not None
            race.cut = sum(entry.content.at < ended for entry in entries)
        if race.cause in ("share revoked", "client ended", "expired") and head != race.cut:
            self._note(race, f"update {head} was recorded, after {race.cut} it had ended")
        if race.cause == "narrowed" and any(e.content.terms_version == 1 for e in entries[race.cut :]):
            self._note(race, f"an update after {race.cut} was recorded under what was agreed before")
        for page in race.ending:
            if page.code != CODES.get(race.cause, 4403):
                self._note(race, f"a page was closed with {page.code}")
            if page.at > race.cut:
                self._note(race, f"a page was sent update {page.at}, after {race.cut} it had ended")
        for page in race.pages:
            if page not in race.ending and (page.code or page.at != head):
                self._note(race, f"a page that goes on stands at {page.at} of {head}, closed with {page.code}")

    async def judge_receipts(self) -> None:
        """The last number anybody could have had is on record: no less than the page got, no more than the end."""
        with contextlib.suppress(TimeoutError):
            await until(
                lambda: all(len(self._sent(race, page)) == 1 for race in self.raced[-20:] for page in race.ending), 5.0
            )
        for race in self.raced:
            for page in race.ending:
                sent = self._sent(race, page)
                if len(sent) != 1 or not page.at <= sent[0] <= race.cut:
                    self._note(race, f"sent up to {sent} by the record, and the page got {page.at} of {race.cut}")

    def _sent(self, race: Race, page: Page) -> list[int]:
        for process in self.processes:
            process.services.receipts.flush()
        claims = self.processes[0].services.logs.receipts.claims(race.share)
        return [claim.n for claim in claims if claim.tab == page.tab and claim.kind == "closed"]

    # the installation

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[list[int]]:
        """Run every worker's process with a real server each; yield their ports."""
        async with contextlib.AsyncExitStack() as stack:
            yield [await stack.enter_async_context(_served(process)) for process in self.processes]


@contextlib.asynccontextmanager
async def _served(process: Process) -> AsyncIterator[int]:
    app = Starlette(routes=dashboard.routes())
    app.state.services, app.state.viewing, app.state.guard = (
        process.services,
        process.viewing,
        process.services.guard,
    )
    async with process.running():
        server = uvicorn.Server(server_config(app, "127.0.0.1", 0, lifespan="off"))
        running = asyncio.create_task(server._serve())
        await until(lambda: server.started or running.done())
        try:
            yield server.servers[0].sockets[0].getsockname()[1]
        finally:
            server.should_exit = True
            await asyncio.wait_for(running, PATIENCE)


async def until(met: Any, patience: float = PATIENCE) -> None:
    for _ in range(int(patience / 0.002)):
        if met():
            return
        await asyncio.sleep(0.002)
    raise TimeoutError("what the race waits for did not happen")


async def raced(races: Races, rounds: int, width: int) -> Races:
    """Run that many rounds of that many races, the causes in turn."""
    async with races.serving() as ports:
        await until(lambda: any(process.leads() for process in races.processes))
        for i in range(rounds):
            causes = [CAUSES[(i * width + j) % len(CAUSES)] for j in range(width)]
            await races.round(causes, ports)
        await races.judge_receipts()
    return races
