"""Twin worlds of a share with a release policy: one in which something waits, one in which it never happened.

`drawn(seed)` gives terms, a policy and steps. Free steps go out as they happen and are told in both worlds; held steps
are told in the first alone. A step that does both says what is left of it in the second.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import get_args

import msgspec

from domain.agreement.answers import Acknowledge, MakeComment, Screen
from domain.agreement.share import ActivateTerms, DraftShare
from domain.agreement.terms import Measure, Release, Terms, Ways
from domain.catalogue import MilestoneField, RiskField
from domain.commands import AnyCommand
from domain.errors import Refused
from domain.ids import CommandId, MilestoneId, PersonId, RiskId
from domain.money import Money
from domain.plan import budget, health, risks, schedule
from domain.plan.project import ChangeTogether, HoldProject, PlainCommand, ResumeProject
from tests.world import ACME, ADMIN, HARBOUR, SHARE, START, World

FIRST = date(2027, 4, 1)
ON = (START + timedelta(days=2)).date()
BEGIN = START + timedelta(days=2)
VIEWER = PersonId("viewer-acme")
DATES = {"m1": FIRST + timedelta(days=30), "m2": FIRST + timedelta(days=60), "m3": FIRST + timedelta(days=90)}


class Step(msgspec.Struct):
    """A command, and what is told instead in the world without holds; None: nothing."""

    minute: int
    command: AnyCommand
    other: AnyCommand | None


class Drawn(msgspec.Struct):
    """One story, up to the release."""

    seed: int
    terms: Terms
    ways: Ways
    steps: list[Step]


def drawn(seed: int, steps: int = 16) -> Drawn:
    """Return the story of a seed."""
    rng = random.Random(f"held {seed}")
    release = Release(hours=168, slip_days=5, score=12, cost=rng.random() < 0.5)
    terms = _terms(rng)
    return Drawn(seed, terms, Ways(release=release), list(_Teller(rng, release, terms).tell(steps)))


def play(world: World, story: Drawn, *, held: bool) -> None:
    """Tell a story in a fresh world."""
    world.people()
    world.project()
    for key, on in DATES.items():
        world.milestone(key, on, f"Shared {key}")
    for key in ("r1", "r2"):
        world.risk(key, f"R-0{key[1]}")
    for measure in ("cost", "price"):
        amount = Money(Decimal(1000), "GBP")
        world.tell(budget.ApproveBudget(project=HARBOUR, measure=measure, amount=amount, reason="Contract"))
    world.baseline()
    world.tell(DraftShare(share=SHARE, project=HARBOUR, client=ACME, terms=story.terms, ways=story.ways))
    world.tell(ActivateTerms(share=SHARE, reason="Agreed"))
    for i, step in enumerate(story.steps):
        world.clock.at = BEGIN + timedelta(minutes=step.minute)
        command = step.command if held else step.other
        if command is None:
            continue
        try:
            world.service.execute(ADMIN, command, command_id=CommandId(f"step-{i}"))
        except Refused:
            continue
        finally:
            world.follow_what_was_told()


def _terms(rng: random.Random) -> Terms:
    fields = {"forecast", "comments", *rng.sample(get_args(MilestoneField), rng.randrange(0, 14))}
    if "slip" in fields:
        fields |= {"baseline", "forecast"}
    of_risks = {"score", *rng.sample(get_args(RiskField), rng.randrange(0, 10))}
    level = rng.choice(("percent", "amounts"))
    return Terms(
        milestones=rng.choice(("all", ("m1", "m2"))),
        milestone_fields=tuple(fields),
        risks=rng.choice(("all", ("r1", "r2", "r9"))),
        risk_fields=tuple(of_risks),
        budget=level,
        measure="price",
        curve=rng.random() < 0.5,
        indices=rng.random() < 0.5,
        health=tuple(rng.sample(("schedule", "budget", "risk", "overall"), rng.randrange(0, 5))),
        project_fields=tuple(rng.sample(("phase", "baselines", "confirmed"), rng.randrange(0, 4))),
    )


class _Teller:
    """Makes up steps; keeps what it has to know of how things stand."""

    def __init__(self, rng: random.Random, release: Release, terms: Terms) -> None:
        self.rng, self.release, self.terms = rng, release, terms
        self.dates, self.agreed = dict(DATES), dict(DATES)  # agreed: as the client may know it
        self.waits: set[str] = set()  # what a held step has touched
        self.on_hold = False

    def tell(self, count: int) -> Iterator[Step]:
        begins = self.rng.randrange(1, count // 2)
        for i in range(1, count + 1):
            held = i == begins or (i > begins and self.rng.random() < 0.4)
            made = self._held(i, first=i == begins) if held else (self._free(i),) * 2
            if made is not None:
                yield Step(i * 10, *made)

    # what goes out at once, in both worlds

    def _free(self, i: int) -> AnyCommand:
        rng = self.rng
        makers = [
            self._small_move, self._small_move, self._progress, self._low_score, self._cost, self._phase, self._their_score,
            self._answer, self._override, self._unshared, self._new_risk,
        ]  # fmt: skip
        if not self.release.cost:
            makers.append(self._price)
        if "milestone-m1" not in self.waits:
            makers += [self._agree, self._confirm]
        else:
            makers.append(self._withdraw)
        if "risk-r1" in self.waits:
            makers.append(self._close)
        return rng.choice(makers)(i)

    def _small_move(self, i: int) -> PlainCommand:
        key = self.rng.choice(("m2", "m3"))
        self.dates[key] += timedelta(days=self.rng.choice((-9, -4, -1, 1, 3, 5)))
        return schedule.MoveForecast(
            project=HARBOUR, milestone=MilestoneId(key), forecast=self.dates[key], reason=f"free {i}"
        )

    def _progress(self, _i: int) -> AnyCommand:
        key = self.rng.choice(("m2", "m3") if "milestone-m1" in self.waits else ("m1", "m2", "m3"))
        return schedule.ReportProgress(project=HARBOUR, milestone=MilestoneId(key), percent=self.rng.randrange(101))

    def _low_score(self, i: int) -> AnyCommand:
        points = risks.Points(self.rng.randrange(1, 4), self.rng.randrange(1, 4))
        return risks.ScoreRisk(project=HARBOUR, risk=RiskId("r2"), residual=points, reason=f"free {i}")

    def _measured(self, measure: Measure, i: int) -> AnyCommand:
        ev, ac = Decimal(20 * i), Decimal(self.rng.randrange(10, 30) * i)
        return budget.MeasureCost(project=HARBOUR, measure=measure, status_date=ON, ev=ev, ac=ac)

    def _cost(self, i: int) -> AnyCommand:
        return self._measured("cost", i)

    def _price(self, i: int) -> AnyCommand:
        return self._measured("price", i)

    def _phase(self, i: int) -> AnyCommand:
        self.on_hold = not self.on_hold
        return (HoldProject if self.on_hold else ResumeProject)(project=HARBOUR, reason=f"free {i}")

    def _confirm(self, i: int) -> AnyCommand:
        return schedule.ConfirmPlan(project=HARBOUR, note=f"free {i}")

    def _their_score(self, _i: int) -> AnyCommand:
        """What the client says itself comes back to it, also of what waits."""
        points = risks.Points(self.rng.randrange(1, 6), self.rng.randrange(1, 6))
        return risks.ScoreAsClient(project=HARBOUR, risk=RiskId("r1"), client=ACME, points=points, by=VIEWER)

    def _answer(self, i: int) -> AnyCommand:
        screen = Screen(n=1, head="ab" * 32)
        if self.rng.random() < 0.5:
            return Acknowledge(share=SHARE, subject="milestone-m1", by=VIEWER, screen=screen)
        return MakeComment(
            share=SHARE, comment=f"c{i}", subject="milestone-m1", text=f"free {i}", by=VIEWER, side="theirs",
            screen=screen,
        )  # fmt: skip

    def _override(self, i: int) -> AnyCommand:
        dimension, status = self.rng.choice(("schedule", "risk")), self.rng.choice(("on_track", "off_track"))
        until = START + timedelta(days=30)
        return health.OverrideHealth(
            project=HARBOUR, dimension=dimension, status=status, reason=f"free {i}", until=until
        )

    def _unshared(self, i: int) -> AnyCommand:
        return risks.TakeRiskNote(project=HARBOUR, risk=RiskId("r1"), note=f"secret {i} {self.rng.random()}")

    def _new_risk(self, i: int) -> PlainCommand:
        return self._raised(f"n{i}", risks.Points(self.rng.randrange(1, 4), self.rng.randrange(1, 4)))

    def _raised(self, key: str, points: risks.Points) -> PlainCommand:
        details = risks.RiskDetails(ref=f"R-{key}", title=key, client_title=f"Risk {key}", client_facing=True)
        worst = risks.Points(5, 5)
        return risks.RaiseRisk(project=HARBOUR, risk=RiskId(key), details=details, inherent=worst, residual=points)

    def _agree(self, i: int) -> AnyCommand:
        self.agreed = dict(self.dates)
        return self._plan(i)

    def _plan(self, i: int, *kept: str) -> AnyCommand:
        """Agree on the present dates, and for those in `kept` on the date that was agreed before."""
        dates = {MilestoneId(key): self.agreed[key] for key in kept}
        return schedule.ApproveBaseline(project=HARBOUR, reason=f"plan {i}", approver="Board", on=ON, dates=dates)

    def _withdraw(self, i: int) -> AnyCommand:
        """Taken away from the client while it waits."""
        details = schedule.MilestoneDetails(title=f"internal {i}")
        return schedule.DescribeMilestone(project=HARBOUR, milestone=MilestoneId("m1"), details=details)

    def _close(self, i: int) -> AnyCommand:
        return risks.CloseRisk(project=HARBOUR, risk=RiskId("r1"), reason=f"free {i}")

    # what waits: the command, and what is left of it in the other world

    def _held(self, i: int, *, first: bool) -> tuple[AnyCommand, AnyCommand | None] | None:
        rng = self.rng
        makers = [self._slip, self._slip_and_free, self._high_score, self._high_risk]
        if self.release.cost:
            makers.append(self._forecast)
        if not first and "milestone-m1" in self.waits:
            makers += [self._back, self._again, self._agree_secretly, self._confirm_secretly]
        return rng.choice(makers)(i)

    def _slip(self, i: int) -> tuple[AnyCommand, None]:
        return self._moved(self.rng.randrange(6, 60), i), None

    def _moved(self, days: int, i: int) -> PlainCommand:
        self.waits.add("milestone-m1")
        self.dates["m1"] += timedelta(days=days)
        return schedule.MoveForecast(
            project=HARBOUR, milestone=MilestoneId("m1"), forecast=self.dates["m1"], reason=f"secret {i}"
        )

    def _slip_and_free(self, i: int) -> tuple[AnyCommand, AnyCommand]:
        """One step that tells both; in halves that are each within the limit and beyond it together."""
        free, days = self._small_move(i), self.rng.randrange(6, 30)
        parts = [self._moved(days, i)] if self.rng.random() < 0.5 else [self._moved(5, i), self._moved(4, i)]
        return ChangeTogether(project=HARBOUR, commands=(*parts, free)), free

    def _high_score(self, i: int) -> tuple[AnyCommand, None]:
        self.waits.add("risk-r1")
        points = self.rng.choice((risks.Points(3, 4), risks.Points(4, 3), risks.Points(4, 4)))
        return risks.ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=points, reason=f"secret {i}"), None

    def _high_risk(self, _i: int) -> tuple[AnyCommand, None]:
        return self._raised("r9", risks.Points(4, self.rng.choice((3, 4)))), None

    def _forecast(self, i: int) -> tuple[AnyCommand, None]:
        eac = Decimal(self.rng.randrange(900, 1400))
        return budget.ForecastCompletion(
            project=HARBOUR, measure="price", status_date=ON, eac=eac, reason=f"secret {i}"
        ), None

    def _back(self, i: int) -> tuple[AnyCommand, None]:
        return self._moved((DATES["m1"] - self.dates["m1"]).days, i), None

    def _again(self, i: int) -> tuple[AnyCommand, None]:
        return schedule.ReportProgress(project=HARBOUR, milestone=MilestoneId("m1"), percent=i), None

    def _confirm_secretly(self, i: int) -> tuple[AnyCommand, None] | None:
        """That the plan is confirmed would be said of dates that are not shown; of the others it is said."""
        return None if "confirmed" in self.terms.milestone_fields else (self._confirm(i), None)

    def _agree_secretly(self, i: int) -> tuple[AnyCommand, AnyCommand | None]:
        """A plan waits with the milestone in it, in the list and for that milestone; the other dates are shown."""
        if "baselines" in self.terms.project_fields:
            return self._plan(i, "m2", "m3"), None
        told, other = self._plan(i), self._plan(i, "m1")
        self.agreed |= {key: self.dates[key] for key in ("m2", "m3")}
        return told, other
