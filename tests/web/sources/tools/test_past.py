"""A plan as it stood at instants of the past, as OpenProject tells it."""

import itertools
import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from domain.ids import PersonId
from domain.plan import project as projects
from domain.plan.milestones import MilestoneDetails
from domain.plan.project import Project, StartProject
from domain.plan.schedule import AddMilestone, DescribeMilestone, MoveForecast
from tests.web.proposal.test_history import P, seen, share, tell, trends
from tests.web.sources.tools.fake_openproject import FakeOpenProject, at
from tests.web.sources.tools.kinds import by_title, pull, pull_past
from tests.web.sources.tools.served import NOW, Row, Server
from web.importers.plan import Plan
from web.proposal.compare import accept, propose
from web.proposal.history import Past, past
from web.sources.tools.past import weeks
from web.sources.tools.tool import Trouble

pytestmark = pytest.mark.once


def remembering() -> FakeOpenProject:
    fake = FakeOpenProject()
    fake.past = {
        12: [
            (at("2026-02-01T08:00"), {"date": "2027-03-01", "subject": "Roof"}),
            (at("2026-08-01T08:00"), {"date": "2027-04-15"}),
        ],
        13: [(at("2026-06-01T08:00"), {"percentageDone": 0})],
        11: [(at("2026-01-01T08:00"), {"_links": {"status": {"href": "/api/v3/statuses/1"}}})],
    }
    return fake


def told(plans: Any) -> list[dict[str, date | None]]:
    return [{one.title: one.forecast for one in plan.milestones} for _at, plan in plans]


def test_a_plan_is_given_as_it_stood_at_each_instant(server: Server) -> None:
    instants = [at("2026-03-01T12:00"), at("2026-07-01T12:00"), at("2027-03-01T12:00")]
    plans = pull_past(server, remembering(), instants)
    assert [when for when, _plan in plans] == instants
    first, second, third = told(plans)
    assert first == {"Foundations": date(2027, 2, 1), "Roof": date(2027, 3, 1), "Snagging": None}
    assert second["Roof"] == date(2027, 3, 1)
    assert third == {
        "Foundations": date(2027, 2, 1),
        "Roof closed": date(2027, 4, 15),
        "Handover": date(2027, 9, 30),
        "Snagging": None,
    }
    percents = {one.title: one.percent_complete for one in plans[1][1].milestones}
    assert percents["Handover"] == 0


def test_what_was_open_then_was_not_met_then(server: Server) -> None:
    fake = remembering()
    fake.past[11].append((at("2027-02-02T08:00"), {}))
    plans = pull_past(server, fake, [at("2026-03-01T12:00"), at("2027-03-01T12:00")], closed="date")
    met = [next(one.actual for one in plan.milestones if one.title == "Foundations") for _at, plan in plans]
    assert met == [None, date(2027, 2, 1)]


def test_a_year_is_asked_for_in_a_few_questions(server: Server) -> None:
    fake = remembering()
    weeks = [NOW - timedelta(weeks=week) for week in range(52, 0, -1)]
    plans = pull_past(server, fake, weeks)
    assert len(plans) == 52
    assert all(isinstance(plan, Plan) for _at, plan in plans)
    assert len(fake.asked) <= 12


def test_an_edition_that_keeps_no_past_is_told_on_in_its_words(server: Server) -> None:
    fake = remembering()
    fake.paid = False
    with pytest.raises(Trouble, match="only of the last day") as found:
        pull_past(server, fake, [at("2026-03-01T12:00")])
    assert found.value.for_good


def test_the_dates_of_a_day_are_the_agreed_ones(server: Server) -> None:
    of = by_title(pull(server, remembering(), baseline="2026-07-01"))
    assert (of["Roof closed"].baseline, of["Roof closed"].forecast) == (date(2027, 3, 1), date(2027, 5, 14))
    assert of["Handover"].baseline == date(2027, 9, 30)
    earlier = by_title(pull(server, remembering(), baseline="2026-05-01"))
    assert earlier["Handover"].baseline is None  # it was not there yet
    with pytest.raises(Trouble, match="is no day"):
        pull(server, remembering(), baseline="last May")


# a year of it


def imported(plan: Plan, now: datetime) -> Project:
    """A project that took over a plan, its milestones shown to clients by the names they have."""
    numbers = itertools.count(1)
    start = StartProject(
        project=P, title="T", client_title="C", owner=PersonId("o"), currency="GBP", time_zone="Europe/London"
    )
    state = tell(None, start, now)
    found = propose(state, plan, lambda: f"m{next(numbers)}", state.civil(now))
    state = tell(state, accept(state, plan, found.changes), now)
    for one in state.schedule.milestones.values():
        details = type(one.details)(title=one.details.title, client_title=one.details.title, client_facing=True)
        state = tell(state, DescribeMilestone(project=P, milestone=one.id, details=details), now)
    return state


def a_year_there(seed: int) -> tuple[FakeOpenProject, list[tuple[datetime, str, int]]]:
    """A tool in which dates moved for a year, and its moves: when, which milestone, to which day of the plan."""
    rng, fake = random.Random(seed), FakeOpenProject()
    fake.rows = [Row(id=20 + i, title=f"m{i}") for i in (1, 2, 3)]
    moves = []
    for row in fake.rows:
        day, journal = date(2027, 6, 1), []
        for when in [weeks(NOW)[0] - timedelta(hours=1)] + [week - timedelta(hours=3) for week in weeks(NOW)[1:]]:
            if not journal or rng.random() < 0.2:
                day += timedelta(days=rng.randrange(-5, 15))
                journal.append((when, {"date": day.isoformat()}))
                moves.append((when, row.title, day.toordinal()))
        row.due, fake.past[row.id] = day, journal
    return fake, sorted(moves)


def pull_year(server: Server, fake: FakeOpenProject, state: Project) -> Past:
    return past(state, pull_past(server, fake, weeks(NOW)), NOW)


@pytest.mark.parametrize("seed", range(3))
def test_a_year_of_openproject_gives_the_trend_of_that_year_recorded_live(server: Server, seed: int) -> None:
    fake, moves = a_year_there(seed)
    found = pull(server, fake)
    assert found.plan is not None
    state = imported(found.plan, NOW)
    added = pull_year(server, fake, state)
    later = tell(state, added.together(state))
    known = {one.details.title: one.id for one in later.schedule.milestones.values()}
    live: Any = None
    for first, (when, title, ordinal) in enumerate(moves):
        day = date.fromordinal(ordinal)
        at_week = next(week for week in weeks(NOW) if week >= when)  # when Fanlight would have pulled it
        live = begun_live(title, day, at_week, live, str(known[title])) if first < 3 else live
        if first >= 3:
            move = MoveForecast(project=P, milestone=known[title], forecast=day, reason="As an older plan has it")
            for event in projects.decide(live, move, at_week):
                live = projects.evolve(live, event, at_week)
    with_history = share(history=True)
    assert trends(later, with_history) == trends(live, with_history)
    assert added.moves > 15
    assert added.notes == ()
    plain, told = seen(state, share(history=False)), seen(later, share(history=False))
    assert told == plain  # a share from now on shows none of it
    assert seen(later, with_history) != seen(state, with_history)


def begun_live(title: str, day: date, at_week: datetime, live: Any, key: str) -> Project:
    if live is None:
        start = StartProject(
            project=P, title="T", client_title="C", owner=PersonId("o"), currency="GBP", time_zone="Europe/London"
        )
        live = tell(None, start, at_week)
    details = MilestoneDetails(title=title, client_title=title, client_facing=True)
    return tell(live, AddMilestone(project=P, milestone=key, details=details, forecast=day), at_week)
