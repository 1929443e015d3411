"""Several processes of which one pulls: whoever leads is killed, and another goes on; a storm of hints is few pulls."""

import http.client
import statistics
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

import pytest

from domain.plan.project import Project
from projections.events.present import CurrentWorld
from projections.installation.database import Database
from tests.fleet import Fleet, Process, errors, eventually
from tests.services.pulling import GITHUB, JUNE, Attached, Holding, attach, flags, roof, trusted
from tests.web.sources.tools.calling import BODY, call, headers
from tests.web.sources.tools.served import Server
from tests.world import HARBOUR
from web import clock
from web.write.service import Service

pytestmark = [pytest.mark.alone, pytest.mark.slow]

STORM, SENDERS = 4_000, 8


class Pulling:
    """A fleet with a source of a tool that can be held."""

    def __init__(self, fleet: Fleet, tool: Holding) -> None:
        self.fleet, self.tool = fleet, tool
        self._database = Database(fleet.app)
        events = self._database.events
        self._present = CurrentWorld(events)
        self.source: Attached = attach(
            events, self._present, Service(events, self._present, clock.now), tool, clock.now
        )

    @property
    def project(self) -> Project:
        return self._present.refresh().projects[HARBOUR]

    @property
    def pulls(self) -> int:
        last = self.project.sources[GITHUB].last
        return last.number if last is not None else 0

    def hint(self, process: Process) -> int:
        """Call the hook as the tool does; 0 where nobody answers."""
        try:
            return call("github", f"http://127.0.0.1:{process.port}/hooks/{self.source.hook}", self.source.secret)
        except OSError:
            return 0

    def taken(self, due: date) -> bool:
        return roof(self.project).forecast == due

    def close(self) -> None:
        self._database.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server(trusted())
    yield made
    made.stop()


@pytest.fixture
def pulling(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Pulling]:
    fleet, tool = Fleet(tmp_path_factory.mktemp("fleet"), workers=2), Holding()
    server.put(tool)
    made = Pulling(fleet, tool)
    try:
        for process in fleet.processes:
            process.flags += tuple(flags())
        fleet.start()
        yield made
    finally:
        made.close()
        fleet.close()


def test_whoever_leads_is_killed_while_the_tool_answers_and_the_other_has_the_pull_once(pulling: Pulling) -> None:
    tool, fleet = pulling.tool, pulling.fleet
    for round_ in range(2):
        leader = eventually(fleet.leader, what="somebody leads")
        eventually(lambda: tool.begun >= 1 and _still(tool), 40, "it pulled when it began to lead")
        due, before = JUNE + timedelta(days=7 * (round_ + 1)), pulling.pulls
        tool.move(due)
        tool.reached.clear()
        tool.go.clear()
        tool.hold = 2
        other = next(process for process in fleet.processes if process is not leader)
        assert pulling.hint(other) == 204, "a hint to one that does not lead is handed on"
        assert tool.reached.wait(40), "the one that leads asks the tool"
        leader.kill()
        tool.go.set()
        begun = time.monotonic()
        eventually(lambda d=due: pulling.taken(d), 60, "the other pulls on")
        print(f"taken {time.monotonic() - begun:.1f} s after the kill")
        assert pulling.pulls == before + 1
        leader.start()
    assert [move.forecast for move in roof(pulling.project).moves] == [JUNE + timedelta(days=7 * n) for n in range(3)]
    fleet.log().check([])


def _still(tool: Holding) -> bool:
    """Tell whether nothing is asked at the moment."""
    before = tool.begun
    time.sleep(1.0)
    return tool.begun == before


def test_with_changes_hints_and_kills_all_the_time_every_value_comes_once_and_in_order(pulling: Pulling) -> None:
    tool, fleet, stop = pulling.tool, pulling.fleet, threading.Event()
    told: list[date] = []

    def changes() -> None:
        while not stop.wait(1.0):
            told.append(JUNE + timedelta(days=len(told) + 1))
            tool.move(told[-1])
            for process in fleet.processes:
                pulling.hint(process)

    thread = threading.Thread(target=changes)
    thread.start()
    try:
        for _kill in range(3):
            before = pulling.pulls
            eventually(lambda b=before: pulling.pulls > b + 1, 90, "pulls go on")
            leader = eventually(fleet.leader, what="somebody leads")
            leader.kill()
            leader.start()
    finally:
        stop.set()
        thread.join(30)
    eventually(lambda: [pulling.hint(p) for p in fleet.processes] and pulling.taken(told[-1]), 90, "the last is taken")
    moves = [move.forecast for move in roof(pulling.project).moves]
    assert all(old < new for old, new in pairwise(moves)), "a value that came twice, or an older one after a newer"
    numbers = [pull.number for pull in pulling.project.sources[GITHUB].pulls]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert all(len(pull.values) == 2 for pull in pulling.project.sources[GITHUB].pulls), "both values or none"
    fleet.log().check([])


def test_a_storm_of_hints_is_few_pulls_and_keeps_nobody_waiting(pulling: Pulling) -> None:
    tool, fleet = pulling.tool, pulling.fleet
    leader = eventually(fleet.leader, what="somebody leads")
    eventually(lambda: tool.begun >= 1 and _still(tool), 40, "it pulled when it began to lead")
    asked, before = tool.begun, pulling.pulls
    quiet = statistics.median(_waited(leader) for _ in range(40))
    begun, answers = time.monotonic(), list[int]()
    senders = [threading.Thread(target=_storm, args=(pulling, leader, answers)) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    waits = []
    while any(sender.is_alive() for sender in senders):
        waits.append(_waited(leader))
    for sender in senders:
        sender.join()
    took = time.monotonic() - begun
    busy = statistics.median(waits)
    print(f"{STORM} hints in {took:.1f} s; a health check {quiet * 1000:.1f} ms before, {busy * 1000:.1f} ms meanwhile")
    assert set(answers) == {204}
    eventually(lambda: tool.begun > asked, 40, "the hints are one pull")
    time.sleep(12)
    assert tool.begun - asked <= 2 + (took + 12) / 10, "one pull for all hints of ten seconds"
    assert pulling.pulls == before, "and nothing is recorded of what brought nothing"
    assert busy < 1.0
    tool.move(JUNE + timedelta(days=3))
    pulling.hint(leader)
    eventually(lambda: pulling.taken(JUNE + timedelta(days=3)), 30, "a real one is taken after it")
    assert errors(fleet) == []


def _waited(process: Process) -> float:
    begun = time.monotonic()
    assert process.ask("/healthz", 20)[0] == 200
    return time.monotonic() - begun


def _storm(pulling: Pulling, process: Process, answers: list[int]) -> None:
    """Call the hook over one connection, as fast as it answers."""
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=60)
    signed = {"content-type": "application/json", **headers("github", pulling.source.secret)}
    for _hint in range(STORM // SENDERS):
        connection.request("POST", f"/hooks/{pulling.source.hook}", BODY, signed)
        answer = connection.getresponse()
        answer.read()
        answers.append(answer.status)
    connection.close()
