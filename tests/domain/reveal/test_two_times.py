"""What a client may know of values that say since when they held, under agreements from now on and with history."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from domain.agreement.answers import Acknowledge, Screen
from domain.agreement.share import HeldFact, Share, Version
from domain.agreement.share import decide as decide_share
from domain.agreement.share import evolve as evolve_share
from domain.agreement.terms import Terms, Ways
from domain.ids import ClientId, PersonId, ProjectId, ShareId
from domain.plan import project
from domain.plan.budget import MeasureCost
from domain.plan.project import ChangeTogether
from domain.plan.risks import Points, RiskRaised, ScoreRisk
from domain.plan.schedule import ConfirmPlan, MoveForecast
from domain.reveal.holding import Held, Holds, as_released
from domain.reveal.past import earlier
from domain.reveal.policy import reveal
from domain.view import ClientView, MilestoneRow, RiskCard
from tests.domain.samples import DAY, P, added, agreed, approved, risk_details, started
from tests.spec import NOW
from tests.world import everything

pytestmark = pytest.mark.once

FLOOR = 20  # days ago
RAISED = RiskRaised(
    risk="r1", details=risk_details(client_facing=True, client_title="Possession"), inherent=Points(5, 5),
    residual=Points(2, 4),
)  # fmt: skip
HISTORY, FROM_NOW_ON = Ways(history=True), Ways(history=False)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def on(days: float) -> date:
    return ago(days).date()


def plan(*steps: tuple[float, Any]) -> Any:
    """The project after commands, each recorded so many days ago; it began 100 days ago with a forecast and a score."""
    state: Any = None
    first = (
        started(), added(client_facing=True, client_title="Gate"), approved(1000, "price"),
        RAISED, agreed(on=on(100)),
    )  # fmt: skip
    for event in first:
        state = project.evolve(state, event, ago(100))
    for days, command in sorted(steps, key=lambda step: -step[0]):
        for event in project.decide(state, command, ago(days)):
            state = project.evolve(state, event, ago(days))
    return state


def share(ways: Ways = FROM_NOW_ON, terms: Terms | None = None) -> Share:
    terms = terms or everything(milestones=("m1",), risks=("r1",))
    version = Version(number=1, terms=terms, reason="x", at=ago(FLOOR), ways=ways)
    return Share(id=ShareId("s"), project=ProjectId(P), client=ClientId("acme"), draft=None, versions=(version,))


def seen(state: Any, agreement: Share | None = None) -> ClientView:
    agreement = agreement or share()
    return reveal(state, agreement, organisation="Works", client="Acme", time_zone="Europe/London")


def row(view: ClientView) -> MilestoneRow:
    return view.milestones[0]


def card(view: ClientView) -> RiskCard:
    return view.risks[0]


def trend(view: ClientView) -> list[tuple[date, int]]:
    return [(p.on, p.forecast.day) for p in row(view).trend]


def move(day: int, as_of: float | None = None) -> MoveForecast:
    when = None if as_of is None else ago(as_of)
    return MoveForecast(project=P, milestone="m1", forecast=date(2027, 6, day), reason=f"to {day}", as_of=when)


def score(points: int, as_of: float | None = None) -> ScoreRisk:
    when = None if as_of is None else ago(as_of)
    return ScoreRisk(project=P, risk="r1", residual=Points(points, points), reason="Review", as_of=when)


MOVES = (25, move(15)), (10, move(20))  # the forecast that held when the agreement began, and the present one
SCORES = (25, score(1)), (10, score(3))


def test_what_a_floor_compares_is_the_earlier_of_the_two() -> None:
    assert earlier(ago(2), None) == ago(2)
    assert earlier(ago(2), ago(9)) == earlier(ago(9), ago(2)) == ago(9)


# the trend


def test_with_history_the_trend_is_drawn_by_since_when_each_forecast_held() -> None:
    view = seen(plan(*MOVES, (5, move(9, as_of=60)), (4, move(8, as_of=15))), share(HISTORY))
    assert trend(view) == [(on(100), DAY.day), (on(60), 9), (on(25), 15), (on(15), 8), (on(10), 20)]
    assert row(view).forecast == date(2027, 6, 20)


def test_from_now_on_a_forecast_of_before_stays_unknown_whenever_it_was_recorded() -> None:
    plain = seen(plan(*MOVES))
    assert trend(plain) == [(on(20), 15), (on(10), 20)]
    for recorded in (30, 15, 5, 0):
        assert seen(plan(*MOVES, (recorded, move(9, as_of=60)))) == plain, recorded


def test_from_now_on_one_that_held_after_the_agreement_began_is_told_in_its_place() -> None:
    view = seen(plan(*MOVES, (5, move(9, as_of=15)), (4, move(8, as_of=60))))
    assert trend(view) == [(on(20), 15), (on(15), 9), (on(10), 20)]


def test_the_instant_at_which_the_agreement_began_is_part_of_what_is_known() -> None:
    assert trend(seen(plan(*MOVES, (5, move(9, as_of=FLOOR))))) == [(on(20), 9), (on(10), 20)]


def test_a_forecast_that_became_present_later_is_shown_and_no_earlier_than_the_client_began_to_know() -> None:
    view = seen(plan((5, move(9, as_of=60))))
    assert trend(view) == [(on(20), 9)]
    assert row(view).forecast == date(2027, 6, 9)
    later = seen(plan((5, move(9, as_of=60)), (3, move(20))))
    assert trend(later) == [(on(20), 9), (on(3), 20)]


def test_a_past_added_in_one_go_that_ends_in_what_was_there_changes_nothing() -> None:
    told = Acknowledge(share=ShareId("s"), subject="milestone-m1", by="anna", screen=Screen(n=1, head="ab" * 32))
    agreement = share()
    for event in decide_share(agreement, told, ago(12)):
        agreement = evolve_share(agreement, event, ago(12))
    there = MoveForecast(project=P, milestone="m1", forecast=DAY, reason="again", as_of=ago(30))
    whole = ChangeTogether(project=P, commands=(move(9, as_of=50), move(7, as_of=40), there))
    before, after = (seen(plan(*steps), agreement) for steps in ((), ((5, whole),)))
    assert row(before).ack is not None
    assert after == before


def test_a_milestone_added_with_a_past_of_its_own_begins_for_the_client_when_it_is_added() -> None:
    first = added("m2", client_facing=True, client_title="New")
    state = project.evolve(
        plan(), type(first)(milestone="m2", details=first.details, forecast=DAY, as_of=ago(90)), ago(6)
    )
    agreement = share(terms=everything())
    (new,) = [m for m in seen(state, agreement).milestones if m.id == "m2"]
    assert [(p.on, p.forecast) for p in new.trend] == [(on(6), DAY)]


# what belongs to the present forecast


@pytest.mark.parametrize(
    ("as_of", "told"), [(60, ""), (FLOOR + 0.01, ""), (FLOOR, "to 9"), (15, "to 9"), (None, "to 9")]
)
def test_the_reason_of_a_forecast_that_held_before_stays_unknown(as_of: float | None, told: str) -> None:
    assert row(seen(plan((5, move(9, as_of))))).reason == told
    assert row(seen(plan((5, move(9, as_of))), share(HISTORY))).reason == "to 9"


def test_the_last_change_of_the_page_is_when_it_was_recorded_and_not_moved_by_the_past() -> None:
    assert seen(plan((5, move(9, as_of=60)))).as_of == on(5)
    assert seen(plan(*MOVES, (5, move(9, as_of=60)))).as_of == on(10)
    assert seen(plan((30, move(9)), (5, move(8, as_of=60)))).as_of == on(FLOOR)
    assert seen(plan((5, score(1, as_of=60)))).as_of == on(5)
    assert seen(plan((10, score(1)), (5, score(4, as_of=60)))).as_of == on(10)


@pytest.mark.parametrize(
    ("steps", "current"),
    [
        ((), True),
        (((5, move(9, as_of=60)),), False),  # the page says something else since five days, whatever held before
        (((15, move(20)), (5, move(9, as_of=60))), True),  # a past of what was acknowledged
        (((15, move(20)), (5, move(9, as_of=14))), False),
    ],
)
def test_what_was_acknowledged_is_current_until_the_page_says_something_else(steps: Any, current: bool) -> None:
    told = Acknowledge(share=ShareId("s"), subject="milestone-m1", by="anna", screen=Screen(n=1, head="ab" * 32))
    agreement = share()
    for event in decide_share(agreement, told, ago(12)):
        agreement = evolve_share(agreement, event, ago(12))
    ack = row(seen(plan(*steps), agreement)).ack
    assert ack is not None
    assert ack.current is current


# scores


def given(shown: RiskCard) -> tuple[Any, Any]:
    """The score and the one before it, each with its day."""
    score, previous = (None if one is None else (one.value, one.on) for one in (shown.score, shown.previous))
    return score, previous


def test_the_score_before_is_the_one_that_held_before() -> None:
    steps = ((10, score(3)), (5, score(4, as_of=60)), (4, score(2, as_of=15)))
    view = seen(plan(*steps), share(HISTORY))
    assert given(card(view)) == ((9, on(10)), (4, on(15)))
    assert card(seen(plan(*steps))).previous == card(view).previous  # it held after the agreement began


def test_from_now_on_a_score_of_before_stays_unknown_whenever_it_was_recorded() -> None:
    plain = seen(plan(*SCORES))
    assert given(card(plain)) == ((9, on(10)), (1, None))
    for recorded in (30, 15, 5, 0):
        assert seen(plan(*SCORES, (recorded, score(4, as_of=60)))) == plain, recorded
    with_history = card(seen(plan((10, score(3)), (5, score(4, as_of=60))), share(HISTORY)))
    assert given(with_history) == ((9, on(10)), (16, on(60)))


@pytest.mark.parametrize(("as_of", "day"), [(60, None), (15, on(15)), (None, on(5))])
def test_the_day_of_a_score_is_since_when_it_held_unless_that_lies_before(
    as_of: float | None, day: date | None
) -> None:
    view = card(seen(plan((5, score(3, as_of)))))
    assert given(view) == ((9, day), None if day is None else (8, None))


def test_the_inherent_score_has_the_day_since_which_it_held() -> None:
    state = project.evolve(plan(), msgspec.structs.replace(RAISED, risk="r2", as_of=ago(60)), ago(5))
    terms = everything(risks=("r2",))
    (whole,), (part,) = (seen(state, share(ways, terms)).risks for ways in (HISTORY, FROM_NOW_ON))
    assert whole.inherent is not None
    assert part.inherent is not None
    assert (whole.inherent.on, part.inherent.on) == (on(60), None)


# confirmation, and the curve


@pytest.mark.parametrize(
    ("steps", "known", "whole"),
    [
        (((5, None),), ago(5), ago(5)),
        (((5, 15),), ago(15), ago(15)),
        (((5, 60),), None, ago(60)),
        (((30, None),), None, ago(30)),
        (((10, None), (5, 60)), ago(10), ago(10)),
    ],
)
def test_a_confirmation_of_before_stays_unknown_whenever_it_was_recorded(steps: Any, known: Any, whole: Any) -> None:
    told = [(at, ConfirmPlan(project=P, as_of=None if of is None else ago(of))) for at, of in steps]
    view = seen(plan(*told))
    assert (view.confirmed_at, row(view).confirmed_at) == (known, known)
    assert seen(plan(*told), share(HISTORY)).confirmed_at == whole


def measure(status: float, ac: int) -> MeasureCost:
    day = on(status)
    return MeasureCost(project=P, measure="price", status_date=day, ev=Decimal(ac), ac=Decimal(ac))


def spent(view: ClientView) -> list[tuple[date, Decimal]]:
    assert view.budget is not None
    return [(p.on, p.spent) for p in view.budget.curve if p.spent is not None]


def test_a_figure_of_a_status_date_before_is_of_the_past_whenever_it_was_recorded() -> None:
    steps = ((30, measure(31, 10)), (15, measure(25, 20)), (14, measure(22, 30)), (5, measure(6, 40)))
    assert spent(seen(plan(*steps))) == [(on(22), 30), (on(6), 40)]
    assert [day for day, _ in spent(seen(plan(*steps), share(HISTORY)))] == [on(31), on(25), on(22), on(6)]


def test_figures_recorded_in_one_go_begin_with_the_newest_before() -> None:
    both = ChangeTogether(project=P, commands=(measure(25, 20), measure(22, 30)))
    alone = ChangeTogether(project=P, commands=(measure(22, 30),))
    assert seen(plan((30, measure(31, 10)), (5, both))) == seen(plan((30, measure(31, 10)), (5, alone)))
    ahead = ChangeTogether(project=P, commands=(measure(25, 20), measure(6, 40)))
    assert spent(seen(plan((30, measure(31, 10)), (5, ahead)))) == [(on(31), 10), (on(6), 40)]
    same_day = ChangeTogether(project=P, commands=(measure(FLOOR, 20), measure(6, 40)))
    assert spent(seen(plan((5, same_day)))) == [(on(FLOOR), 20), (on(6), 40)]


# what waits for review


def test_while_a_milestone_waits_a_confirmation_is_shown_with_both_times_as_it_was() -> None:
    before = plan((15, ConfirmPlan(project=P)))
    now = plan((15, ConfirmPlan(project=P)), (10, move(20)), (5, ConfirmPlan(project=P, as_of=ago(6))))
    fact = HeldFact(subject="milestone-m1", why="slip", since=ago(10), until=ago(-1), changed_by=PersonId("marta"))
    waits = Held(fact=fact, milestone=before.schedule.milestones["m1"], schedule=before.schedule)
    holds = Holds(held={"milestone-m1": waits})
    terms = share().terms
    assert seen(now).confirmed_at == ago(6)
    assert seen(as_released(now, holds, terms)).confirmed_at == ago(15)
