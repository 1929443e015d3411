"""Twin worlds: two histories of one share that differ only in what its client may not know.

`pair(seed)` draws the versions of an agreement, a list of facts that are shared, and for each twin facts of its own
that are not: what no version ever names (`hidden`), what happened before a version that was agreed from now on
(`past`), and what of that is recorded only later (`backfilled`).
"""

import contextlib
import io
import random
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import get_args

import msgspec

from domain.agreement import answers
from domain.agreement.share import ActivateTerms, DraftShare, DraftTerms, ExpireShare, ReleaseDue, SetRetention
from domain.agreement.terms import Terms, Ways
from domain.catalogue import MilestoneField, RiskField
from domain.commands import AnyCommand
from domain.errors import Refused
from domain.ids import CommandId, MilestoneId, PersonId, RiskId
from domain.money import Money
from domain.people.addresses import AddressCommand
from domain.people.brand import NameOrganisation
from domain.people.devices import DeviceCommand
from domain.people.passkeys import PasskeyCommand
from domain.people.person import InvitePerson
from domain.people.tokens import UseToken
from domain.plan import budget, risks, schedule
from domain.plan.health import LapseOverrides
from projections.evidence.bundle import NothingYet
from projections.replay.since import since
from tests.properties import after
from tests.properties.backfilled import backfilled
from tests.properties.hidden import SCREEN, Step, hidden, ways
from tests.properties.past import SPAN, Agreed, faced, first_budget, first_plans, past
from tests.properties.vocabulary import FIRST, SOON, THEIRS, on_lists, on_the_way_in
from tests.world import ACME, ADMIN, COUNCIL, DEPOT, HARBOUR, SHARE, START, World
from web.write.permission import OPERATOR, SYSTEM

OF_THE_SYSTEM = ExpireShare | ReleaseDue | LapseOverrides | schedule.EndDay
FEW = 100  # events of one command, and more than any has here
VIEWER, MARTA = PersonId("viewer-acme"), PersonId("marta")


class Twin(msgspec.Struct):
    """What one twin has for itself: the first plans and budget, the ways and reasons of versions, facts, and the last."""

    first: list[AnyCommand]
    ways: list[Ways]
    reasons: list[str]
    steps: list[Step]


class Pair(msgspec.Struct):
    """The versions, the shared steps, and either twin's own."""

    seed: int
    versions: list[Agreed]
    shared: list[Step]
    hidden: tuple[Twin, Twin]


def pair(seed: int, steps: int = 14) -> Pair:
    """Return the pair of a seed."""
    rng = random.Random(seed)
    versions = [Agreed(phase, _terms(rng), rng.random() < 0.3) for phase in range(1, rng.choice((2, 2, 3, 4)))]
    union = _union([v.terms for v in versions])
    phases = [rng.randrange(len(versions) + 1) for _ in range(steps)]
    at = sorted(phase * SPAN + rng.randrange(5, SPAN // 2) for phase in phases)  # before what settles a phase
    shared = [*zip(at, _shared(rng, union, steps), strict=True), faced(versions)]
    ends = random.Random(f"{seed}-end").random() < 0.4
    end = (len(versions) + 1) * SPAN + 600
    shared += _passing(random.Random(f"{seed}-passing"), union, len(versions) + 1)
    shared += after.ticks() + (after.the_end(end) if ends else [])
    one, other = (_twin(random.Random(f"{seed}-{which}"), versions, union, shared) for which in ("a", "b"))
    for which, twin in (("a", one), ("b", other)):
        own = random.Random(f"{seed}-{which}-last")
        twin.steps += after.met(random.Random(f"{seed}-met"), own, union, end - 700)
        twin.steps += after.last(own, union, end - 300)
        twin.steps += after.ended(own, end) if ends else []
        twin.steps += on_lists(random.Random(f"{seed}-{which}-lists"), end - 800)
        twin.steps += on_the_way_in(random.Random(f"{seed}-{which}-way-in"), end - 800)
        twin.steps += [(own.randrange(5, end), after.restart)] if own.random() < 0.3 else []
    return Pair(seed, versions, shared, (one, other))


def _twin(rng: random.Random, versions: list[Agreed], union: Terms, shared: list[Step]) -> Twin:
    minutes = (len(versions) + 1) * SPAN
    return Twin(
        first=[*first_budget(rng, versions), *first_plans(rng, versions)],
        ways=[ways(rng, history=v.history) for v in versions],
        reasons=[f"because {rng.random()}" for _ in versions],
        steps=[*hidden(rng, union, minutes), *past(rng, versions), *backfilled(rng, versions, shared)],
    )


OWN = PasskeyCommand | AddressCommand | UseToken | DeviceCommand  # what nobody sends for somebody else


def play(world: World, drawn: Pair, twin: int) -> set[type]:
    """Tell one twin's history and return the kinds of command that changed something.

    What the domain refuses is a hidden fact as well.
    """
    own = drawn.hidden[twin]
    _begin(world, own)
    steps = [*_agreed(drawn, own), *drawn.shared, *own.steps]
    accepted = {type(command) for command in own.first}  # of those nothing may be refused
    for i, (minute, made) in enumerate(sorted(steps, key=lambda step: step[0])):
        world.clock.at = after.BEGIN + timedelta(minutes=minute)
        before = world.present.refresh().position
        command = made if isinstance(made, msgspec.Struct) else made(world)
        if command is not None:
            actor = SYSTEM if isinstance(command, OF_THE_SYSTEM) else OPERATOR if isinstance(command, OWN) else ADMIN
            with contextlib.suppress(Refused):
                world.service.execute(actor, command, command_id=CommandId(f"{twin}-{i}"))
                world.follow_what_was_told(FEW)
            if world.present.refresh().position > before:
                accepted |= {type(command)}
        elif made is after.tick and world.present.refresh().position > before:
            accepted |= {schedule.EndDay}
    return accepted


def _begin(world: World, own: Twin) -> None:
    world.people()
    for key, role, client in (("second-acme", "viewer", ACME), ("staff", "manager", None)):
        person = InvitePerson(person=PersonId(key), name="Sam", email=f"{key}@x.test", role=role, client=client)  # type: ignore[arg-type]
        world.tell(person, ADMIN)
    world.project()
    world.project(DEPOT, "Depot")
    for key in ("m1", "m2", "m3"):
        world.milestone(key, FIRST + timedelta(days=30 * int(key[1])), f"Shared {key}")
    world.milestone("late", FIRST + timedelta(days=60), facing=False)
    for key in ("r1", "r2"):
        world.risk(key, f"R-0{key[1]}")
    amount = Money(Decimal(1000), "GBP")
    world.tell(budget.ApproveBudget(project=HARBOUR, measure="cost", amount=amount, reason="Contract"))
    for command in own.first:
        world.tell(command)
    world.baseline()
    fields = Terms(milestones="all", milestone_fields=("forecast", "comments"), risks="all", risk_fields=("comments",))
    world.share(fields, THEIRS, client=COUNCIL)


def _agreed(drawn: Pair, own: Twin) -> Iterator[Step]:
    for version, how, reason in zip(drawn.versions, own.ways, own.reasons, strict=True):
        at, terms = version.phase * SPAN, version.terms
        if version.phase == 1:
            yield 0, DraftShare(share=SHARE, project=HARBOUR, client=ACME, terms=terms, ways=how)
        yield at, DraftTerms(share=SHARE, terms=terms, ways=how)
        yield at, ActivateTerms(share=SHARE, reason=reason)


def trace(world: World) -> list[bytes]:
    """Return every byte of the share that can reach a client, in order."""
    head = world.log.head(SHARE)
    found = [message for _, message in world.log.frames(SHARE, 0, 10_000)]
    found += [world.log.keyframe(SHARE, since)[1] for since in (0, 1, head // 2, head)]
    newest = world.heads.page(SHARE)
    assert newest is not None
    found += [msgspec.json.encode(newest.view), *(markup.encode() for markup in newest.roots.values())]
    found += [_since(world, after, newest.n) for after in (1, head // 2)]
    found += [e.raw for e in world.entries()] + [e.leaf for e in world.entries()]
    world.clock.at = after.END
    for kind, first in (("share", 1), ("entry", max(head - 1, 1)), ("period", 1)):
        try:
            found += _members(world.bundle(kind, first, first if kind == "entry" else head, receipts=False))
        except NothingYet:
            found.append(b"nothing")
    return found


def _since(world: World, after: int, n: int) -> bytes:
    """Return what a viewer is told of the time since update `after`."""
    folded = world.heads.folded(SHARE, n)
    assert folded is not None
    return msgspec.json.encode(since(world.folder.disclosure, SHARE, after, folded, VIEWER).rows)


def _members(bundle: bytes) -> list[bytes]:
    """Return the name and the bytes of every file of a bundle."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return [f"{name}\n".encode() + archive.read(name) for name in archive.namelist()]


def _terms(rng: random.Random) -> Terms:
    fields = set(rng.sample(get_args(MilestoneField), rng.randrange(0, 13)))
    if "slip" in fields:
        fields |= {"baseline", "forecast"}
    if "trend" in fields:
        fields.add("forecast")
    of_risks = set(rng.sample(get_args(RiskField), rng.randrange(0, 10)))
    if {"history", "client_score"} & of_risks:
        of_risks.add("score")
    level = rng.choice(("nothing", "percent", "amounts"))
    return Terms(
        milestones=rng.choice(("all", "all", ("m1", "m2"), ("m2",))),
        milestone_fields=tuple(fields),
        risks=rng.choice(("all", ("r1",), ())),
        risk_fields=tuple(of_risks),
        budget=level,
        measure="price",
        curve=level != "nothing" and rng.random() < 0.5,
        indices=level != "nothing" and rng.random() < 0.5,
        project_fields=tuple(rng.sample(("phase", "baselines", "confirmed"), rng.randrange(0, 3))),
    )


def _union(all_terms: list[Terms]) -> Terms:
    """Return terms that name all that any of these name."""
    chosen = [t.milestones for t in all_terms]
    risky = [t.risks for t in all_terms]
    return Terms(
        milestones="all" if "all" in chosen else tuple(MilestoneId(m) for ids in chosen for m in ids),
        milestone_fields=tuple({field for t in all_terms for field in t.milestone_fields}),
        risks="all" if "all" in risky else tuple(RiskId(r) for ids in risky for r in ids),
        risk_fields=tuple({field for t in all_terms for field in t.risk_fields}),
        budget=max((t.budget for t in all_terms), key=("nothing", "percent", "amounts").index),
        project_fields=tuple({field for t in all_terms for field in t.project_fields}),
    )


def _passing(rng: random.Random, terms: Terms, phases: int) -> Iterator[Step]:
    """Dates of shared milestones that pass while the twins are played, and a few words of the rest of the vocabulary."""
    milestones = ["m1", "m2", "m3"] if terms.milestones == "all" else sorted(set(terms.milestones))
    for i in range(rng.randrange(4)):
        key, on = MilestoneId(rng.choice(milestones)), SOON + timedelta(days=rng.randrange(20))
        move = schedule.MoveForecast(project=HARBOUR, milestone=key, forecast=on, reason=f"soon {i}")
        yield rng.randrange(phases) * SPAN + rng.randrange(5, SPAN // 2), move  # before what settles a phase
    r2, kept = RiskId("r2"), rng.randrange(30, 99)
    more: list[AnyCommand] = [
        risks.CloseRisk(project=HARBOUR, risk=r2, reason="over"),
        risks.ReopenRisk(project=HARBOUR, risk=r2, reason="not over"),
        SetRetention(share=SHARE, days=kept),
        NameOrganisation(name=f"Works {kept}"),
    ]
    yield from ((rng.randrange(5, phases * SPAN), command) for command in more if rng.random() < 0.3)


def _shared(rng: random.Random, terms: Terms, steps: int) -> Iterator[AnyCommand]:
    """Facts both twins tell alike."""
    milestones = ["m1", "m2", "m3"] if terms.milestones == "all" else sorted(set(terms.milestones))
    for i in range(steps):
        key = MilestoneId(rng.choice(milestones))
        match rng.randrange(7):
            case 0 | 1:
                forecast = FIRST + timedelta(days=rng.randrange(20, 200))
                yield schedule.MoveForecast(project=HARBOUR, milestone=key, forecast=forecast, reason=f"reason {i}")
            case 2:
                yield schedule.ReportProgress(project=HARBOUR, milestone=key, percent=rng.randrange(101))
            case 3:
                points = risks.Points(rng.randrange(1, 5), rng.randrange(1, 5))
                yield risks.ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=points, reason=f"score {i}")
            case 4 | 5:
                yield _said(rng, rng.choice((f"milestone-{key}", "risk-r1")), i)
            case _:
                on = (START + timedelta(days=2)).date()
                ev, ac = Decimal(10 * i), Decimal(11 * i + 1)
                yield budget.MeasureCost(project=HARBOUR, measure="price", status_date=on, ev=ev, ac=ac)


def _said(rng: random.Random, subject: str, i: int) -> AnyCommand:
    """What this client says on its own share, and what it is answered."""
    match rng.randrange(7):
        case 0:
            return answers.MakeComment(
                share=SHARE, comment=f"theirs-{i}", subject=subject, text=f"Hm {i}", by=VIEWER, side="theirs",
                screen=SCREEN,
            )  # fmt: skip
        case 1:
            return answers.MakeComment(
                share=SHARE, comment=f"ours-{i}", subject=subject, text=f"Well {i}", by=MARTA, side="ours"
            )
        case 2:
            about = rng.choice(("", subject))
            return answers.RaiseConcern(
                share=SHARE, concern=f"concern-{rng.randrange(2)}", subject=about, text=f"Worried {i}", by=VIEWER,
                screen=SCREEN,
            )  # fmt: skip
        case 3:
            key = f"concern-{rng.randrange(2)}"
            return answers.AnswerConcern(share=SHARE, concern=key, text=f"Do not be {i}", by=MARTA)
        case 4:
            about = rng.choice((subject, "agreement-1"))
            return answers.Acknowledge(share=SHARE, subject=about, by=VIEWER, screen=SCREEN)
        case 5:
            return risks.AskClientView(project=HARBOUR, risk=RiskId("r1"), client=ACME)
        case _:
            points = risks.Points(rng.randrange(1, 5), rng.randrange(1, 5))
            return risks.ScoreAsClient(project=HARBOUR, risk=RiskId("r1"), client=ACME, points=points, by=VIEWER)
