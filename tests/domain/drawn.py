"""Commands drawn at random over a small project: likely ones, odd ones and impossible ones."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

from hypothesis import strategies as st

from domain.agreement.answers import Screen
from domain.money import Money
from domain.plan import budget, milestones, project, risks, schedule
from domain.plan.calendar import Calendar
from domain.plan.health import Tolerances
from tests.domain.samples import P
from tests.spec import NOW

TODAY = NOW.date()


def mostly(good: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Nine times in ten something that may be right, or nothing would ever be recorded."""
    return st.integers(0, 9).flatmap(lambda n: odd if n == 9 else good)


ids = st.sampled_from(("m1", "m1", "m2", "m3"))
risk_ids = st.sampled_from(("r1", "r1", "r1", "r2", "r3"))
clients = mostly(st.sampled_from(("acme", "council")), st.sampled_from(("", "a b")))
people = mostly(st.sampled_from(("marta", "anna")), st.just(""))
odd_words = st.sampled_from(("", " ", "\x00", "\u202eevil", "a\nb", "x" * 201, "x" * 4001)) | st.text(max_size=8)
words = mostly(st.sampled_from(("Frost", "Agreed", "Scope", "Gate")), odd_words)
maybe_words = mostly(st.sampled_from(("", "Sign")), odd_words)
odd_days = st.sampled_from((date.min, date.max))
days = mostly(st.integers(-40, 40).map(lambda n: TODAY + timedelta(days=n)), odd_days)
past_days = mostly(st.integers(-5, 0).map(lambda n: TODAY + timedelta(days=n)), days)
maybe_days = mostly(st.none(), days)
early, late = (mostly(st.just(TODAY + timedelta(days=n)), days) | st.none() for n in (-60, 60))
odd_numbers = st.sampled_from(
    tuple(map(Decimal, ("NaN", "sNaN", "Infinity", "-1", "-0", "1E+20", "1E-999999", "0.01", "0.00000001")))
)
numbers = mostly(st.integers(0, 1000).map(Decimal), odd_numbers)
maybe_numbers = st.none() | numbers
changes = mostly(st.integers(-50, 50).map(Decimal), odd_numbers)
currencies = mostly(st.just("GBP"), st.sampled_from(("EUR", "")))
points = mostly(
    st.builds(risks.Points, st.integers(1, 5), st.integers(1, 5)),
    st.builds(risks.Points, st.integers(-1, 6), st.just(10**30)),
)
most = mostly(st.just(risks.Points(5, 5)), points)
measures = st.sampled_from(("cost", "price"))
dimensions = st.sampled_from(("schedule", "budget", "risk", "overall"))
odd_instants = st.sampled_from((datetime.max.replace(tzinfo=UTC), datetime(2027, 4, 1), NOW))
instants = mostly(st.integers(1, 4000).map(lambda n: NOW + timedelta(minutes=n)), odd_instants)
flags = st.booleans()
milestone_details = st.builds(
    milestones.MilestoneDetails,
    title=words, client_title=words, client_facing=flags, deadline=maybe_days,
    value=st.none() | st.builds(Money, numbers, currencies), needs_acceptance=flags, client_action=maybe_words,
    client_action_due=maybe_days, note=maybe_words,
)  # fmt: skip
refs = mostly(st.uuids().map(str), st.sampled_from(("R-1", "r-1", "")))
risk_details = st.builds(
    risks.RiskDetails,
    ref=refs, title=words, client_title=words, client_facing=flags, cause=maybe_words, effect=maybe_words,
    owner=maybe_words,
)  # fmt: skip
planned = st.lists(st.builds(budget.PlannedPoint, days, numbers), max_size=4).map(tuple)
rising = st.lists(st.integers(0, 100), min_size=1, max_size=5).map(
    lambda steps: tuple(
        budget.PlannedPoint(TODAY + timedelta(days=30 * (i - 2)), Decimal(sum(steps[: i + 1])))
        for i in range(len(steps))
    )
)
tolerances = st.builds(
    Tolerances,
    slip_at_risk=st.integers(-1, 9), slip_off_track=st.integers(5, 20), slip_margin=st.integers(0, 3),
    cost_at_risk=mostly(st.integers(0, 9).map(Decimal), odd_numbers),
    spi_at_risk=mostly(st.just(Decimal("0.9")), st.sampled_from((Decimal("NaN"), Decimal("0.8")))),
)  # fmt: skip
calendars = st.builds(
    Calendar,
    weekdays=mostly(st.just((0, 1, 2)), st.lists(st.integers(-1, 7), max_size=6).map(tuple)),
    holidays=st.lists(days, max_size=3).map(tuple),
)  # fmt: skip

BY_FIELD: dict[str, Any] = {
    "project": st.just(P), "milestone": ids, "risk": risk_ids, "client": clients, "by": people, "owner": people,
    "title": words, "client_title": words, "reason": words, "note": words, "approver": words,
    "currency": st.just("GBP"), "time_zone": st.just("Europe/London"), "calendar": calendars, "tolerances": tolerances,
    "scale": st.just(risks.Scale()), "forecast": days, "earliest": early, "latest": late, "actual": past_days,
    "on": past_days, "day": past_days, "status_date": past_days, "data_date": maybe_days,
    "percent": mostly(st.integers(0, 100), st.sampled_from((-1, 101, 10**30))),
    "source_id": mostly(st.just(""), st.just("7")), "source": st.sampled_from(("person", "import")),
    "file_hash": st.sampled_from(("", "ab")), "dates": st.dictionaries(ids, days, max_size=2), "measure": measures,
    "amount": st.builds(Money, numbers, currencies), "points": mostly(rising, planned), "pv": maybe_numbers,
    "ev": maybe_numbers, "ac": maybe_numbers, "eac": numbers, "inherent": most, "residual": points,
    "dimension": dimensions, "until": instants, "status": st.sampled_from(("on_track", "at_risk", "off_track")),
    "as_of": mostly(st.none(), mostly(st.integers(-4000, 0).map(lambda n: NOW + timedelta(minutes=n)), odd_instants)),
    "share": st.just("share1"), "screen": st.just(Screen(n=3, head="ab" * 32)), "only": flags,
}  # fmt: skip
BY_COMMAND: dict[tuple[type, str], Any] = {
    (milestones.AddMilestone, "details"): milestone_details,
    (milestones.DescribeMilestone, "details"): milestone_details,
    (milestones.AcceptMilestone, "by"): words,
    (budget.ApproveBudgetChange, "amount"): st.builds(Money, changes, currencies),
    (project.CorrectProject, "time_zone"): st.sampled_from(("Europe/London", "America/Santiago")),
    (risks.RaiseRisk, "details"): risk_details,
    (risks.DescribeRisk, "details"): risk_details,
    (risks.ScoreAsClient, "points"): points,
}
ENDING = (project.CloseProject, project.StartProject)
COMMANDS: tuple[type, ...] = tuple(get_args(project.PlainCommand))
ADDITIVE = (budget.ApproveBudgetChange, schedule.ConfirmPlan)  # said twice, they mean twice


def drawn(command: type) -> st.SearchStrategy[Any]:
    """Return a strategy for one command; a new field without a strategy fails here by name."""
    fields = command.__struct_fields__  # type: ignore[attr-defined]
    return st.builds(
        command, **{f: BY_COMMAND[command, f] if (command, f) in BY_COMMAND else BY_FIELD[f] for f in fields}
    )


plain_commands = st.sampled_from([c for c in COMMANDS if c not in ENDING]).flatmap(drawn)
together = st.builds(
    project.ChangeTogether, project=st.just(P), commands=st.lists(plain_commands, max_size=3).map(tuple)
)
commands = st.integers(0, 9).flatmap(lambda n: together if n == 9 else plain_commands)
histories = st.lists(commands, min_size=20, max_size=40)
