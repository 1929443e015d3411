"""The life of a project, and changes made together."""

from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest

from domain.errors import Conflict, Invalid, Stale, Unknown
from domain.money import Money
from domain.plan.budget import BudgetApproved
from domain.plan.calendar import Calendar
from domain.plan.health import Tolerances
from domain.plan.project import (
    CalendarSet,
    ChangeTogether,
    CloseProject,
    CorrectProject,
    DescribeProject,
    HoldProject,
    ProjectClosed,
    ProjectCorrected,
    ProjectDescribed,
    ProjectHeld,
    ProjectResumed,
    ResumeProject,
    SetCalendar,
    SetTolerances,
    StartProject,
    TolerancesSet,
    expect,
)
from domain.plan.risks import Scale
from domain.plan.schedule import (
    AddMilestone,
    MilestoneDescribed,
    MilestoneDetails,
    MoveForecast,
    PlanConfirmed,
    RemoveMilestone,
)
from tests.domain.samples import DAY, P, added, details, moved, started
from tests.spec import given

pytestmark = pytest.mark.once

START = {
    "project": P, "title": "Internal", "client_title": "Harbour Line", "owner": "marta", "currency": "GBP",
    "time_zone": "Europe/London",
}  # fmt: skip


def test_a_project_starts_once() -> None:
    given().when(StartProject(**START)).then(started())
    given(started()).when(StartProject(**START)).refused(Conflict, "exists already", "project")


@pytest.mark.parametrize(
    ("changed", "words", "field"),
    [
        ({"title": ""}, "Title is missing", "title"),
        ({"client_title": ""}, "Client title is missing", "client_title"),
        ({"currency": "pounds"}, "ISO 4217", "currency"),
        ({"time_zone": "Mars/Olympus"}, "no time zone", "time_zone"),
        ({"calendar": Calendar(weekdays=())}, "at least one day", "weekdays"),
        ({"calendar": Calendar(weekdays=(7,))}, "at least one day", "weekdays"),
        ({"tolerances": Tolerances(slip_at_risk=20)}, "beyond the at-risk one", "slip_off_track"),
        ({"tolerances": Tolerances(spi_at_risk=Decimal("0.5"))}, "beyond the at-risk one", "spi_off_track"),
        ({"tolerances": Tolerances(slip_at_risk=-1)}, "0 to 3650", "slip_at_risk"),
        ({"tolerances": Tolerances(cost_at_risk=Decimal("NaN"))}, "expected a number", "cost_at_risk"),
        ({"tolerances": Tolerances(spi_margin=Decimal("Infinity"))}, "expected a number", "spi_margin"),
        ({"tolerances": Tolerances(cost_margin=Decimal(-1))}, "expected a number", "cost_margin"),
        ({"tolerances": Tolerances(slip_margin=11)}, "wider than the 10 between", "slip_margin"),
        ({"scale": Scale(size=1)}, "bands have to rise", "scale"),
        ({"scale": Scale(high_from=6)}, "bands have to rise", "scale"),
        ({"project": "a/b"}, "cannot be an id", "project"),
        ({"owner": ""}, "cannot be an id", "owner"),
        ({"calendar": Calendar(holidays=(date(1, 1, 1),))}, "1950 to 2149", "holidays"),
        ({"calendar": Calendar(region="x" * 201)}, "at most 200", "region"),
        ({"time_zone": "../../etc/passwd"}, "no time zone", "time_zone"),
        ({"time_zone": "x" * 10_000}, "no time zone", "time_zone"),
    ],
)
def test_a_project_that_cannot_be_right_is_refused(changed: dict, words: str, field: str) -> None:
    given().when(StartProject(**(START | changed))).refused(Invalid, words, field)


def test_it_is_held_resumed_and_closed_and_a_closed_one_changes_no_more() -> None:
    given(started()).when(HoldProject(project=P, reason="Funding")).then(ProjectHeld(reason="Funding"))
    held = given(started(), ProjectHeld(reason="x"))
    held.when(HoldProject(project=P, reason="x")).refused(Conflict, "on hold already")
    held.when(ResumeProject(project=P, reason="Funded")).then(ProjectResumed(reason="Funded"))
    given(started()).when(ResumeProject(project=P, reason="x")).refused(Conflict, "running already")
    given(started()).when(CloseProject(project=P, reason="Done")).then(ProjectClosed(reason="Done"))
    closed = given(started(), added(), ProjectClosed(reason="x"))
    closed.when(MoveForecast(project=P, milestone="m1", forecast=DAY, reason="x")).refused(Conflict, "is closed")


def test_descriptions_calendars_and_tolerances_record_only_what_differs() -> None:
    past = given(started())
    past.when(DescribeProject(project=P, title="Internal", client_title="Harbour Line", owner="marta")).then()
    new = ProjectDescribed(title="New", client_title="Harbour", owner="tom")
    past.when(DescribeProject(project=P, title="New", client_title="Harbour", owner="tom")).then(new)
    past.when(SetCalendar(project=P, calendar=Calendar())).then()
    past.when(SetCalendar(project=P, calendar=Calendar(weekdays=(4, 3, 2, 1, 0, 0)))).then()
    christmas = Calendar(holidays=(date(2027, 12, 25), date(2027, 12, 25)))
    past.when(SetCalendar(project=P, calendar=christmas)).then(
        CalendarSet(calendar=Calendar(holidays=(date(2027, 12, 25),)))
    )
    stricter = Tolerances(slip_at_risk=3)
    past.when(SetTolerances(project=P, tolerances=stricter, reason="Agreed")).then(
        TolerancesSet(tolerances=stricter, reason="Agreed")
    )
    past.when(SetTolerances(project=P, tolerances=stricter, reason="")).refused(Invalid, "Reason is missing")


def test_currency_and_zone_are_put_right_while_nothing_depends_on_them() -> None:
    right = CorrectProject(project=P, currency="EUR", time_zone="Europe/Berlin")
    given(started()).when(right).then(ProjectCorrected(currency="EUR", time_zone="Europe/Berlin"))
    given(started(), ProjectCorrected(currency="EUR", time_zone="Europe/Berlin")).when(right).then()
    given(started()).when(msgspec.structs.replace(right, currency="Euro")).refused(Invalid, "ISO 4217", "currency")
    given(started()).when(msgspec.structs.replace(right, time_zone="Mars")).refused(Invalid, "time zone", "time_zone")


def test_currency_and_zone_stay_once_figures_or_dates_depend_on_them() -> None:
    zone = CorrectProject(project=P, currency="GBP", time_zone="Europe/Berlin")
    given(started(), added()).when(zone).refused(Conflict, "has dates already", "time_zone")
    confirmed = PlanConfirmed(source="person")
    given(started(), confirmed).when(zone).refused(Conflict, "has dates already", "time_zone")
    euro = CorrectProject(project=P, currency="EUR", time_zone="Europe/London")
    given(started(), added()).when(euro).then(ProjectCorrected(currency="EUR", time_zone="Europe/London"))
    budget = BudgetApproved(measure="cost", amount=Money(Decimal(5), "GBP"), reason="")
    given(started(), budget).when(euro).refused(Conflict, "keeps amounts in GBP already", "currency")
    given(started(), budget).when(zone).refused(Conflict, "has dates already", "time_zone")
    paid = MilestoneDetails(title="Gate", value=Money(Decimal(5), "GBP"))
    described = MilestoneDescribed(milestone="m1", details=paid)
    given(started(), added(), described).when(euro).refused(Conflict, "keeps amounts", "currency")


def test_nothing_is_asked_of_a_project_that_does_not_exist() -> None:
    given().when(HoldProject(project=P, reason="x")).refused(Unknown, "no such project")


def test_changes_made_together_see_each_other() -> None:
    to = DAY + timedelta(days=3)
    both = (
        AddMilestone(project=P, milestone="m1", details=details(), forecast=DAY),
        MoveForecast(project=P, milestone="m1", forecast=to, reason="Frost"),
    )
    given(started()).when(ChangeTogether(project=P, commands=both)).then(added(), moved(to))


def test_a_closed_project_refuses_changes_made_together_as_well() -> None:
    both = ChangeTogether(project=P, commands=(HoldProject(project=P, reason="x"),))
    given(started(), ProjectClosed(reason="x")).when(both).refused(Conflict, "is closed")
    late = (CloseProject(project=P, reason="Done"), HoldProject(project=P, reason="x"))
    given(started()).when(ChangeTogether(project=P, commands=late)).refused(Conflict, "is closed")


def test_a_hold_and_an_end_take_a_reason() -> None:
    given(started()).when(HoldProject(project=P, reason=" ")).refused(Invalid, "Reason is missing", "reason")
    given(started()).when(CloseProject(project=P, reason="\u200b")).refused(Invalid, "Reason is missing", "reason")


def test_changes_made_together_are_refused_together() -> None:
    both = (
        AddMilestone(project=P, milestone="m1", details=details(), forecast=DAY),
        RemoveMilestone(project=P, milestone="none", reason="x"),
    )
    given(started()).when(ChangeTogether(project=P, commands=both)).refused(Unknown, "no such milestone")
    given(started()).when(ChangeTogether(project=P, commands=())).refused(Invalid, "nothing to change")
    foreign = (HoldProject(project="other", reason="x"),)
    given(started()).when(ChangeTogether(project=P, commands=foreign)).refused(Invalid, "of one project")


def test_a_stale_version_names_both() -> None:
    expect(3, 3)
    expect(3, None)
    with pytest.raises(Stale, match="version 2 and this is version 3"):
        expect(3, 2)
