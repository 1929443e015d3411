"""Every value of a view is a fact with a name; what two views tell differently is sorted into four heaps."""

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from domain.ids import MilestoneId
from domain.view import (
    BudgetVital,
    ClientView,
    ConcernCard,
    ForecastPoint,
    Headline,
    Indicator,
    MilestoneRow,
    Remark,
    RiskCard,
    RiskVital,
    ScheduleVital,
    Slip,
)
from projections.entries.consequence import consequence, facts, past
from projections.replay.ever_told import EverTold, EverToldIndex
from tests.world import SHARE, World, everything
from web.manager.agreement.consequence import Telling, lines, naming, wholly
from web.manager.agreement.labels import LABELS


def view(*rows: MilestoneRow, **rest: object) -> ClientView:
    full = {
        "organisation": "Example Works", "client": "Acme Rail", "project": "Harbour Line", "time_zone": "Europe/London",
        "terms_version": 1, "scope": "All", "headline": Headline(sentence="On time."), "milestones": rows,
    }  # fmt: skip
    return ClientView(**{**full, **rest})  # type: ignore[arg-type]


def row(key: str = "m1", **rest: object) -> MilestoneRow:
    return MilestoneRow(id=key, title=f"Milestone {key}", **rest)  # type: ignore[arg-type]


@pytest.mark.once
def test_what_is_told_anew_withdrawn_changed_or_the_same_is_told_apart() -> None:
    before = facts(view(row(forecast=date(2027, 5, 3), reason="Frost"), row("m2")))
    after = facts(view(row(forecast=date(2027, 5, 9), progress=40), row("m3")))
    found = consequence(before, after)
    assert set(found.new) == {("milestone-m1", "progress", ""), ("milestone-m3", "title", "")}
    assert set(found.gone) == {("milestone-m1", "reason", ""), ("milestone-m2", "title", "")}
    assert found.changed == (("milestone-m1", "forecast", ""),)
    assert wholly(found) == {"milestone-m2", "milestone-m3"}


@pytest.mark.once
def test_nothing_is_a_fact_that_a_client_could_not_tell_from_not_shared() -> None:
    assert {key[1] for key in facts(view(row())) if key[0] == "milestone-m1"} == {"title"}
    assert ("milestone-m1", "needs_acceptance", "") in facts(view(row(needs_acceptance=False)))


@pytest.mark.once
def test_of_a_course_only_what_came_before_the_present_is_past() -> None:
    course = tuple(ForecastPoint(date(2027, month, 1), date(2027, 9, month)) for month in (1, 2, 3))
    told = facts(view(row(trend=course, reason="Frost")))
    assert past(told) == {("milestone-m1", "trend", "2027-01-01"), ("milestone-m1", "trend", "2027-02-01")}
    assert past(facts(view(row(reason="Frost")))) == {("milestone-m1", "reason", "")}


@pytest.mark.once
def test_a_status_and_the_one_before_are_two_facts() -> None:
    told = facts(view(overall=Indicator(status="at_risk", rule="r", previous="on_track")))
    assert {key for key in told if key[0] == "overall"} == {
        ("overall", "indicator", ""),
        ("overall", "indicator", "previous"),
    }
    assert past(told) == {("overall", "indicator", "previous")}


@pytest.mark.once
def test_every_field_of_a_view_has_a_name() -> None:
    for kind, struct in (
        ("milestone", MilestoneRow), ("risk-", RiskCard), ("concern", ConcernCard), ("schedule", ScheduleVital),
        ("budget", BudgetVital), ("risk", RiskVital),
    ):  # fmt: skip
        assert set(LABELS[kind]) == set(struct.__struct_fields__) - {"id"}, kind
    items = {"milestones", "risks", "concerns", "schedule", "budget", "risk", "overall"}
    assert set(LABELS["page"]) == set(ClientView.__struct_fields__) - items


@pytest.mark.once
def test_every_fact_stands_in_one_line() -> None:
    remark = Remark(at=datetime(2027, 3, 1, tzinfo=UTC), by="Anna", ours=False, text="Why?")
    now = view(
        row(forecast=date(2027, 5, 9), remarks=(remark,)), row("m2", progress=3), budget=BudgetVital(measure="price")
    )
    told = facts(now)
    found = consequence({}, told)
    made = lines(found.new, Telling(told, naming(now), past(told), wholly(found)))
    assert sorted(key for line in made for key in line.keys) == sorted(told)
    assert [line.title for line in made if line.item] == ["Milestone m1", "Milestone m2"]


def test_what_was_ever_told_is_known_with_the_updates_that_told_it(tmp_path: Path) -> None:
    from domain.agreement.share import ActivateTerms, DraftTerms

    world = World(tmp_path)
    world.harbour(everything(milestones=(MilestoneId("m1"), MilestoneId("m2"))))
    world.move("m1", date(2027, 5, 9))
    ever = EverToldIndex(world.folder.disclosure)
    assert ever.of(SHARE).told["milestone-m2", "forecast"] == EverTold(1, 2)
    world.tell(DraftTerms(share=SHARE, terms=everything(milestones=(MilestoneId("m1"),))))
    world.tell(ActivateTerms(share=SHARE, reason="Less"))
    found = ever.of(SHARE)
    assert found.told["milestone-m2", "forecast"] == EverTold(1, 2)
    assert found.told["milestone-m1", "forecast"] == EverTold(1, 3)
    assert msgspec.structs.asdict(EverToldIndex(world.folder.disclosure).of(SHARE)) == msgspec.structs.asdict(found)
    ever.forget(SHARE)
    assert ever.of(SHARE).upto == 3
    world.close()


def test_what_is_handed_out_does_not_change_under_whoever_reads_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour(everything())
    ever = EverToldIndex(world.folder.disclosure)
    first = ever.of(SHARE)
    before = dict(first.told)
    world.move("m1", date(2027, 5, 9))
    assert ever.of(SHARE).upto == 2
    assert first.told == before
    world.close()


@pytest.mark.once
def test_dates_of_each_view_are_told_in_its_own_unit() -> None:
    def course(day: date) -> MilestoneRow:
        slip = Slip(since_original=None, since_current=30)
        trend = (ForecastPoint(date(2027, 3, 4), day),)
        return row(forecast=day, slip=slip, trend=trend, client_action="Sign", client_action_due=date(2027, 4, 13))

    exact, coarse = (
        view(course(date(2027, 10, 5))),
        view(course(date(2027, 10, 31)), date_unit="month", money_step=10_000),
    )
    before, after = facts(exact), facts(coarse)
    telling = Telling(after, naming(exact, coarse), frozenset(), frozenset())
    reads = lines(consequence(before, after).changed, telling, before)
    told = {line.title: [(v.before, v.says) for v in line.values] for line in reads}
    assert told["Forecast, of one milestone"] == [("5 Oct 2027", "Oct 2027")]
    assert told["Course of the forecast, of one milestone"] == [
        ("5 Oct 2027, as forecast on 4 Mar 2027", "Oct 2027, as forecast on 4 Mar 2027")
    ]
    assert told["Unit of dates"] == [("by day", "by month")]
    assert told["Amounts rounded to"] == [("exact", "10,000")]
    same = {line.title: line.values[0].says for line in lines(consequence(before, after).same, telling)}
    assert same["Slip, of one milestone"] == "+1 month"
    assert same["Due from the client, of one milestone"] == "13 Apr 2027"


@pytest.mark.once
def test_a_band_before_is_of_the_past_as_a_score_before_is() -> None:
    told = facts(view(risks=(RiskCard(id="r1", ref="R-01", title="Steel", band="high", previous_band="low"),)))
    assert past(told) == {("risk-r1", "previous_band", "")}
