"""A tool whose waiting lines come and go: a pull costs the record what changed, and is read whole all the same."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from domain.ids import MilestoneId
from domain.plan.schedule import AddMilestone
from domain.plan.sources.pulls import SettleSource
from domain.plan.sources.rules import Rules
from domain.plan.sources.source import Pull, SourcePulled
from projections.events.present import CurrentWorld
from tests.web.sources.house import HARBOUR, JIRA, JUNE, MAY, TAKE, Sourced, sourced
from tests.web.sources.scripted import Row, planned

pytestmark = pytest.mark.stories
MANY = 120
DAY = timedelta(days=1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Sourced]:
    with sourced(tmp_path) as made:
        yield made


def rows(*more: Row, of: int = MANY) -> list[Row]:
    return [*more, *((f"t{n}", f"Task {n}", JUNE + n * DAY) for n in range(of))]


def recorded(house: Sourced) -> list[SourcePulled]:
    stream = house.services.logs.events.stream(f"project-{HARBOUR}")
    return [one.event for one in stream if isinstance(one.event, SourcePulled)]


def sizes(house: Sourced) -> list[int]:
    """The bytes of each pull on record."""
    return [len(msgspec.json.encode(one)) for one in recorded(house)]


def last(house: Sourced) -> Pull:
    newest = house.source().last
    assert newest is not None
    return newest


FLAP = ("9", "Crane arrives", MAY)


def test_a_line_that_comes_and_goes_costs_what_it_is_and_not_what_waits_beside_it(house: Sourced) -> None:
    house.attach(Rules())
    for turn in range(6):
        house.later(days=1)  # so the reason of each move is another
        plan = planned(*rows(*([FLAP] if turn % 2 else [])), data_date=date(2027, 4, 1) + turn * DAY)
        assert house.pull(plan) == "recorded"
        assert [one.line.title for one in last(house).waits] == [row[1] for row in rows(*([FLAP] if turn % 2 else []))]
    first, *later = sizes(house)
    assert first > MANY * 300
    assert max(later) < 1500
    assert [len(one.lines) for one in recorded(house)] == [MANY, 1, 0, 1, 0, 1]


def test_it_is_as_if_every_pull_had_been_recorded_whole(house: Sourced) -> None:
    """The pages, the record folded anew, and what a person takes, are as they were."""
    house.attach(Rules())
    for turn in range(3):
        house.pull(planned(*rows(*([FLAP] if turn % 2 == 0 else []), of=4), data_date=date(2027, 4, 1) + turn * DAY))
    browser, here = house.house.client("manager"), f"/p/{HARBOUR}/sources/{JIRA}"
    for pull, many in zip(house.source().pulls, (5, 4, 5), strict=True):
        page = browser.get(f"{here}/pulls/{pull.id}").text
        assert [f"Task {n}" in page for n in range(4)] == [True] * 4, pull.number
        assert ("Crane arrives" in page) == (many == 5)
    told = browser.get(f"/p/{HARBOUR}/history").text
    assert (told.count("pulled: 0 taken, 5 to decide"), told.count("pulled: 0 taken, 4 to decide")) == (2, 1)
    anew = CurrentWorld(house.services.logs.events).refresh().projects[HARBOUR]
    assert anew == house.project
    house.take_all()
    assert house.titled("Crane arrives").forecast == MAY
    assert house.titled("Task 3").forecast == JUNE + 3 * DAY


def test_a_milestone_that_waits_has_the_same_id_in_every_pull_until_it_is_taken(house: Sourced) -> None:
    house.attach(Rules())

    def ids() -> list[MilestoneId]:
        commands = [command for one in last(house).waits for command in one.line.commands]
        return [command.milestone for command in commands if isinstance(command, AddMilestone)]

    house.pull(planned(*rows(of=2)))
    before = ids()
    house.pull(planned(*rows(FLAP, of=2)))
    assert set(before) < set(ids())
    keys = [one.line.key for one in last(house).waits]
    house.tell(SettleSource(project=HARBOUR, source=JIRA, pull=last(house).id, take=tuple(keys[:1])))
    house.pull(planned(*rows(("8", "Gate opens", MAY), of=2)))
    assert len(set(ids())) == len(ids())
    house.take_all()
    assert {"Task 0", "Task 1", "Gate opens"} <= {m.details.title for m in house.project.schedule.milestones.values()}


def test_moves_that_wait_are_taken_with_the_reason_of_the_newest_pull(house: Sourced) -> None:
    house.owned(*rows(of=3))
    for turn in range(3):
        house.later(days=1)
        flapping = [("t2", "Task 2", JUNE + (2 + 60 * (turn % 2)) * DAY)]
        moved = [(f"t{n}", f"Task {n}", JUNE + (40 + n) * DAY) for n in range(2)]
        house.pull(planned(*moved, *flapping, data_date=date(2027, 4, 1) + turn * DAY))
    assert [len(one.lines) for one in recorded(house)][-2:] == [1, 0]
    house.take_all()
    assert house.titled("Task 0").moves[-1].reason == "As planned on 3 April 2027"
    assert house.titled("Task 1").forecast == JUNE + 41 * DAY


def test_what_a_person_left_goes_on_as_left_and_is_recorded_as_that_once(house: Sourced) -> None:
    house.attach(Rules())
    house.pull(planned(*rows()))
    keys = tuple(one.line.key for one in last(house).waits)
    house.tell(SettleSource(project=HARBOUR, source=JIRA, pull=last(house).id, leave=keys))
    for turn in range(4):
        house.pull(planned(*rows(*([FLAP] if turn % 2 == 0 else []))))
    assert [len(one.lines) for one in recorded(house)] == [MANY, MANY + 1, 0, 1, 0]
    assert len(last(house).lines) == MANY
    assert [one.outcome for one in last(house).lines].count("ignored") == MANY


def test_notes_that_are_as_before_are_recorded_once(house: Sourced) -> None:
    house.attach(Rules())
    for turn in range(3):
        plan = planned(*rows(*([FLAP] if turn % 2 else []), of=2))
        house.pull(msgspec.structs.replace(plan, notes=("One row has no date.",)))
        assert "One row has no date." in last(house).notes
    assert [bool(one.notes) for one in recorded(house)] == [True, False, False]


def test_what_is_taken_is_recorded_by_the_pull_that_takes_it(house: Sourced) -> None:
    house.owned(*rows(of=3), rules=TAKE)
    for turn in range(1, 4):
        house.pull(planned(*(("t0", "Task 0", JUNE + turn * DAY), *rows(of=3)[1:])))
        [line] = recorded(house)[-1].lines
        assert (line.outcome, recorded(house)[-1].since) == ("taken", "")
    assert house.titled("Task 0").forecast == JUNE + 3 * DAY


def test_a_line_that_waits_through_many_pulls_is_kept_in_memory_once(house: Sourced) -> None:
    house.attach(Rules())
    for turn in range(6):
        house.pull(planned(*rows(*([FLAP] if turn % 2 else []), of=3)))
    *_others, one, other, _newest = house.source().pulls
    alike = [(a, b) for a in one.lines for b in other.lines if a.line.key == b.line.key]
    assert len(alike) == 3
    assert all(a is b for a, b in alike)
    assert not any(line.line.commands for line in one.lines)
