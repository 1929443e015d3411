"""A plan as it stood at instants of the past, as OpenProject tells it."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.web.sources.tools.fake_openproject import FakeOpenProject, at
from tests.web.sources.tools.kinds import by_title, pull, pull_past
from tests.web.sources.tools.served import NOW, Server
from web.importers.plan import Plan
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
