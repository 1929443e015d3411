"""A past that is added from older plans: as if it had been recorded then, and unknown to a share from now on."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from domain.agreement.share import Share, Version
from domain.agreement.terms import Ways
from domain.ids import ClientId, MilestoneId, PersonId, ProjectId, ShareId
from domain.plan import project as projects
from domain.plan.milestones import MilestoneDetails
from domain.plan.project import Project, StartProject
from domain.plan.schedule import AddMilestone, ApproveBaseline, MeetMilestone, MoveForecast, ReportProgress
from domain.reveal import course, policy
from domain.reveal import past as pasts
from domain.reveal.policy import reveal
from domain.view import ClientView
from tests.world import everything
from web.importers.plan import Plan, PlannedMilestone
from web.proposal.history import Past, end_of, past

pytestmark = pytest.mark.once

P = ProjectId("p")
NOW = datetime(2027, 3, 10, 12, 0, tzinfo=UTC)
KEYS = ("m1", "m2", "m3")


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def day(number: int) -> date:
    return date(2027, 6, 1) + timedelta(days=number)


def tell(state: Project | None, command: Any, at: datetime = NOW) -> Project:
    for event in projects.decide(state, command, at):
        state = projects.evolve(state, event, at)
    assert state is not None
    return state


def begun(at: datetime, *, forecasts: dict[str, int]) -> Project:
    state = tell(
        None,
        StartProject(
            project=P, title="T", client_title="C", owner=PersonId("o"), currency="GBP", time_zone="Europe/London"
        ),
        at,
    )
    for key, forecast in forecasts.items():
        details = MilestoneDetails(title=f"Step {key}", client_title=f"Step {key}", client_facing=True)
        state = tell(
            state,
            AddMilestone(
                project=P, milestone=MilestoneId(key), details=details, forecast=day(forecast), source_id=f"s{key}"
            ),
            at,
        )
    return state


def planned(key: str, forecast: int | None, **more: Any) -> PlannedMilestone:
    when = None if forecast is None else day(forecast)
    return PlannedMilestone(source_id=f"s{key}", title=f"Step {key}", forecast=when, line=1, **more)


def plan(*rows: PlannedMilestone, of: str = "") -> Plan:
    return Plan(format="csv", file_hash=(of or str(hash(rows) % 10**9)).ljust(64, "0"), milestones=rows)


def move(key: str, forecast: int) -> MoveForecast:
    return MoveForecast(project=P, milestone=MilestoneId(key), forecast=day(forecast), reason="As an older plan has it")


def share(*, history: bool, at: datetime = NOW) -> Share:
    ways = Ways(history=history)
    version = Version(number=1, terms=everything(milestones=KEYS), reason="x", at=at, ways=ways)
    return Share(id=ShareId("s"), project=P, client=ClientId("acme"), draft=None, versions=(version,))


def seen(state: Project, agreement: Share) -> ClientView:
    return reveal(state, agreement, organisation="Works", client="Acme", time_zone="Europe/London")


def trends(state: Project, agreement: Share) -> dict[str, list[tuple[date, date]]]:
    return {row.id: [(p.on, p.forecast) for p in row.trend] for row in seen(state, agreement).milestones}


def added(state: Project, *plans: tuple[datetime, Plan]) -> tuple[Project, Past]:
    found = past(state, plans, NOW)
    return (tell(state, found.together(state)) if found.commands else state), found


def a_year(seed: int) -> list[dict[str, int]]:
    """The forecasts of each week of a year, in days after June."""
    rng = random.Random(seed)
    now = dict.fromkeys(KEYS, 0)
    weeks = []
    for _ in range(52):
        for key in KEYS:
            if rng.random() < 0.3:
                now[key] += rng.randrange(-3, 10)
        weeks.append(dict(now))
    return weeks


@pytest.mark.parametrize("seed", range(5))
def test_a_year_added_later_gives_the_trend_of_the_same_year_recorded_live(seed: int) -> None:
    weeks = a_year(seed)
    when = [ago(7 * (52 - week)) for week in range(52)]
    live = begun(when[0], forecasts=weeks[0])
    for at, forecasts in zip(when[1:], weeks[1:], strict=True):
        for key, forecast in forecasts.items():
            if live.schedule.milestones[MilestoneId(key)].forecast != day(forecast):
                live = tell(live, move(key, forecast), at)
    plans = [(at, plan(*(planned(k, f) for k, f in week.items()))) for at, week in zip(when, weeks, strict=True)]
    random.Random(seed).shuffle(plans)
    later, found = added(begun(NOW, forecasts=weeks[-1]), *plans)
    agreement = share(history=True)
    assert trends(later, agreement) == trends(live, agreement)
    assert found.moves > 10
    assert not found.notes
    assert [row.forecast for row in seen(later, agreement).milestones] == [
        row.forecast for row in seen(live, agreement).milestones
    ]


def unlike(seed: int) -> tuple[Project, Project]:
    """A project, and the same with a year that was added to it."""
    weeks = a_year(seed)
    state = begun(ago(20), forecasts=weeks[-1])
    state = tell(state, ReportProgress(project=P, milestone=MilestoneId("m1"), percent=60), ago(10))
    state = tell(state, ApproveBaseline(project=P, reason="x", approver="A", on=ago(15).date()), ago(15))
    state = tell(state, MeetMilestone(project=P, milestone=MilestoneId("m3"), actual=ago(8).date()), ago(8))
    rows = [
        (
            ago(400 - 7 * number),
            plan(
                planned("m1", week["m1"], percent_complete=number),
                planned("m2", week["m2"]),
                planned("m3", week["m3"], actual=ago(500).date() if 20 < number < 30 else None),
            ),
        )
        for number, week in enumerate(weeks)
    ]
    return state, added(state, *rows)[0]


AGREED = (25, 18, 1, 0)  # days ago, before and after the project's own values were recorded


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("agreed", AGREED)
def test_a_share_from_now_on_shows_none_of_it(seed: int, agreed: int) -> None:
    plain, later = unlike(seed)
    assert plain != later
    agreement = share(history=False, at=ago(agreed))
    assert seen(later, agreement) == seen(plain, agreement)
    assert seen(later, share(history=True)) != seen(plain, share(history=True))


LEAKS: dict[str, Any] = {
    "no floor": ("known_from", lambda *_a, **_k: None),
    "by when it was recorded": ("dated", lambda value: (value.at, value.at)),
    "all that is recorded": ("known", lambda history, _since, _times: list(history)),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_seeded_leak_would_be_noticed(leak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, later = unlike(1)
    name, instead = LEAKS[leak]
    monkeypatch.setattr(pasts, name, instead)
    monkeypatch.setattr(policy, name, instead)
    monkeypatch.setattr(course, name, instead, raising=False)
    shares = [share(history=False, at=ago(days)) for days in AGREED]
    assert any(seen(later, one) != seen(plain, one) for one in shares)


@pytest.mark.parametrize("seed", range(5))
def test_the_present_stays_as_it_is_whatever_is_added(seed: int) -> None:
    rng = random.Random(seed)
    state, _ = unlike(seed)
    rows = []
    for number in range(40):
        keys = [key for key in KEYS if rng.random() < 0.8]
        met = {key: ago(600 - number).date() if rng.random() < 0.3 else None for key in keys}
        some = [
            planned(key, rng.randrange(40) if rng.random() < 0.9 else None, actual=met[key],
                    percent_complete=rng.choice([None, 5, 100]))
            for key in keys
        ]  # fmt: skip
        rows.append((ago(rng.randrange(1, 600)), plan(*some, planned("gone", 3))))
    rows += [(ago(5), plan(planned("m1", 39))), (ago(-5), plan(planned("m1", 38)))]
    later, found = added(state, *rows)
    assert found.moves > 5
    for key, old in state.schedule.milestones.items():
        new = later.schedule.milestones[key]
        now = (new.forecast, new.earliest, new.latest, new.percent, new.actual, new.details, new.moved_at)
        assert now == (old.forecast, old.earliest, old.latest, old.percent, old.actual, old.details, old.moved_at)
    assert (later.schedule.baselines, later.schedule.confirmed_since) == (
        state.schedule.baselines,
        state.schedule.confirmed_since,
    )
    assert "not on the plan now" in " ".join(found.notes)
    assert "not older than the present one" in " ".join(found.notes)
    assert "day to come" in " ".join(found.notes)


def test_the_same_past_again_adds_nothing() -> None:
    weeks = a_year(3)
    rows = [(ago(400 - 7 * n), plan(*(planned(k, f) for k, f in week.items()))) for n, week in enumerate(weeks)]
    once, first = added(begun(NOW, forecasts=weeks[-1]), *rows)
    assert first.moves
    again, second = added(once, *rows)
    assert second.commands == ()
    assert again == once


def test_what_was_met_and_open_again_is_a_past_and_what_stays_met_only_there_is_none() -> None:
    state = begun(NOW, forecasts={"m1": 10, "m2": 10})
    met = ago(300).date()
    later, _ = added(
        state,
        (ago(200), plan(planned("m1", 3, actual=met), planned("m2", 3))),
        (ago(150), plan(planned("m1", 5), planned("m2", 4, actual=met))),
    )
    one, two = (later.schedule.milestones[MilestoneId(key)] for key in ("m1", "m2"))
    assert (one.met(ago(199)), one.met(ago(149)), one.actual) == (met, None, None)
    assert (two.met(ago(149)), two.actual) == (None, None)
    assert [m.forecast for m in two.moves] == [day(3), day(4), day(10)]


def test_dates_agreed_then_are_agreed_since_then_where_nothing_is_agreed_yet() -> None:
    state = begun(NOW, forecasts={"m1": 10, "m2": 10})
    rows = (
        (ago(200), plan(planned("m1", 3, baseline=day(1)), planned("m2", 3))),
        (ago(100), plan(planned("m1", 5, baseline=day(1)), planned("m2", 4, baseline=day(2)))),
        (ago(50), plan(planned("m1", 5, baseline=day(4)), planned("m2", 4, baseline=day(2)))),
    )
    later, found = added(state, *rows)
    assert (found.agreed, [b.on for b in later.schedule.baselines]) == (3, [at.date() for at, _plan in rows])
    one = MilestoneId("m1")
    assert (later.schedule.original_of(one), later.schedule.baseline_of(one)) == (day(1), day(4))
    assert later.schedule.slip_of(one) == 6
    agreed = tell(state, ApproveBaseline(project=P, reason="x", approver="A", on=NOW.date()))
    same, other = added(agreed, *rows)
    assert (other.agreed, same.schedule.baselines) == (0, agreed.schedule.baselines)
    assert "a plan is agreed here already" in " ".join(other.notes)


def test_ids_that_changed_are_paired_as_with_any_plan() -> None:
    state = begun(NOW, forecasts={"m1": 10})
    row = msgspec.structs.replace(planned("m1", 3), source_id="numbered-anew")
    later, found = added(state, (ago(100), plan(row)))
    assert found.moves == 1
    assert later.schedule.milestones[MilestoneId("m1")].moves[0].as_of == ago(100)


def test_a_status_date_is_the_end_of_its_day_in_the_zone_of_the_project() -> None:
    state = begun(NOW, forecasts={"m1": 10})
    assert end_of(date(2026, 7, 1), state, NOW) == datetime(2026, 7, 1, 22, 59, 59, tzinfo=UTC)
    assert end_of(NOW.date(), state, NOW) == NOW
