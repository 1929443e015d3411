"""Twin worlds: two histories of one share that differ only in what its terms do not name.

`pair(seed)` draws terms, a list of facts that are shared, and for each twin facts of its own that are not: other
projects, other clients, hidden milestones and risks, fields the terms do not name, internal notes, refused commands.
"""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import get_args

import msgspec

from domain import budget, health, risks, schedule
from domain.access import InvitePerson, IssueLink
from domain.agreement import ActivateTerms, DraftShare, RevokeShare
from domain.commands import AnyCommand
from domain.errors import Refused
from domain.ids import CommandId, MilestoneId, PersonId, RiskId, ShareId
from domain.money import Money
from domain.project import HoldProject, ResumeProject
from domain.terms import MilestoneField, RiskField, Terms
from tests.world import ADMIN, COUNCIL, DEPOT, HARBOUR, SHARE, START, World

FIRST = date(2027, 4, 1)
Step = tuple[int, AnyCommand]  # minute after the start, command


class Pair(msgspec.Struct):
    """Terms, the shared steps, and the hidden steps of either twin."""

    seed: int
    terms: Terms
    shared: list[Step]
    hidden: tuple[list[Step], list[Step]]


def pair(seed: int, steps: int = 14) -> Pair:
    """Return the pair of a seed."""
    rng = random.Random(seed)
    terms = _terms(rng)
    shared = [(i * 10, command) for i, command in enumerate(_shared(rng, terms, steps), start=1)]
    hidden = tuple(_hidden(random.Random(f"{seed}-{twin}"), terms, steps * 10) for twin in ("a", "b"))
    return Pair(seed, terms, shared, (hidden[0], hidden[1]))


def play(world: World, drawn: Pair, twin: int) -> None:
    """Tell one twin's history; what the domain refuses is a hidden fact as well."""
    world.people()
    world.project()
    world.project(DEPOT, "Depot")
    for key in ("m1", "m2", "m3"):
        world.milestone(key, FIRST + timedelta(days=30 * int(key[1])), f"Shared {key}")
    for key in ("r1", "r2"):
        world.risk(key, f"R-0{key[1]}")
    for measure in ("cost", "price"):
        amount = Money(Decimal(1000), "GBP")
        world.tell(budget.ApproveBudget(project=HARBOUR, measure=measure, amount=amount, reason="Contract"))
    world.baseline()
    world.share(drawn.terms)
    begin = START + timedelta(days=2)
    merged = sorted([*drawn.shared, *drawn.hidden[twin]], key=lambda step: step[0])
    for i, (minute, command) in enumerate(merged):
        world.clock.at = begin + timedelta(minutes=minute)
        try:
            world.service.execute(ADMIN, command, command_id=CommandId(f"{twin}-{i}"))
        except Refused:
            continue
        finally:
            world.follow()


def trace(world: World) -> list[bytes]:
    """Return every byte of the share that can reach a client, in order."""
    head = world.log.head(SHARE)
    found = [message for _, message in world.log.frames(SHARE, 0, 10_000)]
    found += [world.log.keyframe(SHARE, since)[1] for since in (0, 1, head // 2, head)]
    newest = world.heads.page(SHARE)
    assert newest is not None
    found += [newest.view.encode(), *(markup.encode() for markup in newest.roots.values())]
    found += [e.raw for e in world.entries()] + [e.leaf for e in world.entries()]
    return found


def _terms(rng: random.Random) -> Terms:
    fields = set(rng.sample(get_args(MilestoneField), rng.randrange(0, 12)))
    if "slip" in fields:
        fields |= {"baseline", "forecast"}
    of_risks = set(rng.sample(get_args(RiskField), rng.randrange(0, 9)))
    if {"history", "client_score"} & of_risks:
        of_risks.add("score")
    level = rng.choice(("nothing", "percent", "amounts"))
    return Terms(
        milestones=rng.choice(("all", ("m1", "m2"), ("m2",))),
        milestone_fields=tuple(fields),
        risks=rng.choice(("all", ("r1",), ())),
        risk_fields=tuple(of_risks),
        budget=level,
        measure="price",
        curve=level != "nothing" and rng.random() < 0.5,
        indices=level != "nothing" and rng.random() < 0.5,
        project_fields=tuple(rng.sample(("phase", "baselines", "confirmed"), rng.randrange(0, 3))),
    )


def _shared(rng: random.Random, terms: Terms, steps: int) -> Iterator[AnyCommand]:
    """Facts both twins tell alike."""
    milestones = ["m1", "m2", "m3"] if terms.milestones == "all" else list(terms.milestones)
    for i in range(steps):
        key = MilestoneId(rng.choice(milestones))
        match rng.randrange(5):
            case 0 | 1:
                forecast = FIRST + timedelta(days=rng.randrange(20, 200))
                yield schedule.MoveForecast(project=HARBOUR, milestone=key, forecast=forecast, reason=f"reason {i}")
            case 2:
                yield schedule.ReportProgress(project=HARBOUR, milestone=key, percent=rng.randrange(101))
            case 3:
                points = risks.Points(rng.randrange(1, 5), rng.randrange(1, 5))
                yield risks.ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=points, reason=f"score {i}")
            case _:
                on = (START + timedelta(days=2)).date()
                ev, ac = Decimal(10 * i), Decimal(11 * i + 1)
                yield budget.MeasureCost(project=HARBOUR, measure="price", status_date=on, ev=ev, ac=ac)


def _hidden(rng: random.Random, terms: Terms, minutes: int) -> list[Step]:
    makers = list(_makers(terms))
    count = rng.randrange(4, 16)
    return [(rng.randrange(5, minutes + 20), rng.choice(makers)(rng, i)) for i in range(count)]


Maker = Callable[[random.Random, int], AnyCommand]


def _makers(terms: Terms) -> Iterator[Maker]:
    """Every kind of fact these terms do not name."""
    yield from (
        _other_project,
        _refused,
        _hidden_milestone,
        _hidden_risk,
        _note,
        _other_share,
        _activate_other,
        _someone,
    )
    yield from (_override, _link, _their_view, _ask_them, _cost, _spend, _internal_words, _revoke_other)
    fields = set(terms.milestone_fields)
    if "progress" not in fields:
        yield lambda rng, _i: schedule.ReportProgress(project=HARBOUR, milestone="m1", percent=rng.randrange(101))
    if not fields & {"forecast", "slip", "status", "range", "trend", "reason"}:
        yield _move
    if not fields & {"baseline", "slip", "status"} and "baselines" not in terms.project_fields:
        yield _rebaseline
    if "phase" not in terms.project_fields:
        yield lambda rng, i: (HoldProject if rng.random() < 0.5 else ResumeProject)(project=HARBOUR, reason=f"held {i}")
    if "confirmed" not in terms.project_fields and "confirmed" not in fields:
        yield lambda _rng, i: schedule.ConfirmPlan(project=HARBOUR, note=f"note {i}")
    if "score" not in terms.risk_fields or not terms.risks:
        yield _score
    if terms.budget == "nothing":
        yield _price
    if terms.milestones != "all":
        yield _unshared_milestone


def _other_project(rng: random.Random, i: int) -> AnyCommand:
    details = schedule.MilestoneDetails(title=f"other {i}", client_title=f"other {i}", client_facing=True)
    forecast = FIRST + timedelta(days=rng.randrange(300))
    return schedule.AddMilestone(project=DEPOT, milestone=MilestoneId(f"d{i}"), details=details, forecast=forecast)


def _refused(_rng: random.Random, _i: int) -> AnyCommand:
    return schedule.MeetMilestone(project=HARBOUR, milestone=MilestoneId("m1"), actual=date(2099, 1, 1))


def _hidden_milestone(rng: random.Random, _i: int) -> AnyCommand:
    key = MilestoneId(f"hidden{rng.randrange(3)}")
    forecast = FIRST + timedelta(days=rng.randrange(400))
    if rng.random() < 0.5:
        details = schedule.MilestoneDetails(title=f"aaa {rng.random()}")
        return schedule.AddMilestone(project=HARBOUR, milestone=key, details=details, forecast=forecast)
    return schedule.MoveForecast(project=HARBOUR, milestone=key, forecast=forecast, reason="hidden reason")


def _unshared_milestone(rng: random.Random, _i: int) -> AnyCommand:
    forecast = FIRST + timedelta(days=rng.randrange(400))
    return schedule.MoveForecast(project=HARBOUR, milestone=MilestoneId("m3"), forecast=forecast, reason="unshared")


def _hidden_risk(rng: random.Random, _i: int) -> AnyCommand:
    key = f"hr{rng.randrange(3)}"
    points = risks.Points(rng.randrange(1, 6), rng.randrange(1, 6))
    if rng.random() < 0.5:
        details = risks.RiskDetails(ref=f"H-{key}", title="hidden")
        worst = risks.Points(5, 5)
        return risks.RaiseRisk(project=HARBOUR, risk=RiskId(key), details=details, inherent=worst, residual=points)
    return risks.ScoreRisk(project=HARBOUR, risk=RiskId(key), residual=points, reason="hidden")


def _note(rng: random.Random, i: int) -> AnyCommand:
    return risks.TakeRiskNote(project=HARBOUR, risk=RiskId(rng.choice(("r1", "r2"))), note=f"secret {i} {rng.random()}")


def _internal_words(rng: random.Random, i: int) -> AnyCommand:
    key = rng.choice(("m1", "m2", "m3"))
    details = schedule.MilestoneDetails(
        title=f"{rng.choice('abxyz')} {i}", client_title=f"Shared {key}", client_facing=True, note=f"note {i}"
    )
    return schedule.DescribeMilestone(project=HARBOUR, milestone=MilestoneId(key), details=details)


def _other_share(rng: random.Random, _i: int) -> AnyCommand:
    key = ShareId(f"other{rng.randrange(2)}")
    return DraftShare(share=key, project=HARBOUR, client=COUNCIL, terms=Terms(milestones="all"))


def _activate_other(rng: random.Random, _i: int) -> AnyCommand:
    return ActivateTerms(share=ShareId(f"other{rng.randrange(2)}"), reason="for them")


def _revoke_other(rng: random.Random, _i: int) -> AnyCommand:
    return RevokeShare(share=ShareId(f"other{rng.randrange(2)}"), reason="ended")


def _someone(_rng: random.Random, i: int) -> AnyCommand:
    return InvitePerson(person=PersonId(f"p{i}"), name="X", email="x@x.test", role="viewer", client=COUNCIL)


def _link(rng: random.Random, _i: int) -> AnyCommand:
    return IssueLink(person=PersonId("viewer-council"), hash=f"{rng.random()}", expires=START + timedelta(days=90))


def _override(rng: random.Random, i: int) -> AnyCommand:
    dimension = rng.choice(("schedule", "budget", "risk", "overall"))
    until = START + timedelta(days=30)
    return health.OverrideHealth(project=HARBOUR, dimension=dimension, status="off_track", reason=f"r {i}", until=until)


def _their_view(rng: random.Random, _i: int) -> AnyCommand:
    points = risks.Points(rng.randrange(1, 6), rng.randrange(1, 6))
    return risks.ScoreAsClient(
        project=HARBOUR, risk=RiskId("r1"), client=COUNCIL, points=points, by=PersonId("viewer-council")
    )


def _ask_them(_rng: random.Random, _i: int) -> AnyCommand:
    return risks.AskClientView(project=HARBOUR, risk=RiskId("r1"), client=COUNCIL)


def _cost(rng: random.Random, _i: int) -> AnyCommand:
    on = (START + timedelta(days=2)).date()
    ev, ac = Decimal(rng.randrange(900)), Decimal(rng.randrange(900))
    return budget.MeasureCost(project=HARBOUR, measure="cost", status_date=on, ev=ev, ac=ac)


def _spend(rng: random.Random, i: int) -> AnyCommand:
    amount = Money(Decimal(rng.randrange(1, 99)), "GBP")
    return budget.ApproveBudgetChange(
        project=HARBOUR, measure="cost", amount=amount, reason=f"change {i}", approver="Board"
    )


def _price(rng: random.Random, _i: int) -> AnyCommand:
    on = (START + timedelta(days=2)).date()
    return budget.ForecastCompletion(
        project=HARBOUR, measure="price", status_date=on, eac=Decimal(rng.randrange(900, 2000)), reason="hidden"
    )


def _move(rng: random.Random, i: int) -> AnyCommand:
    forecast = FIRST + timedelta(days=rng.randrange(20, 200))
    return schedule.MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=forecast, reason=f"hidden {i}")


def _rebaseline(_rng: random.Random, i: int) -> AnyCommand:
    on = (START + timedelta(days=2)).date()
    return schedule.ApproveBaseline(project=HARBOUR, reason=f"again {i}", approver="Board", on=on)


def _score(rng: random.Random, i: int) -> AnyCommand:
    points = risks.Points(rng.randrange(1, 5), rng.randrange(1, 5))
    return risks.ScoreRisk(project=HARBOUR, risk=RiskId("r2"), residual=points, reason=f"hidden {i}")
