"""Random histories of one share in memory, each update made from what was made before and made afresh.

Rule: a history goes the way of the product, by `decide`, the world, `reveal`, the renderer and the seal; it leaves out
the disk alone. `differences` names what is not the same to the byte, so that a test can also see one that should be.
"""

import hashlib
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from domain.agreement import answers
from domain.agreement.share import ActivateTerms, DraftShare, DraftTerms, ReleaseHeld, SetLanguage
from domain.agreement.terms import Release, Terms, Ways
from domain.commands import AnyCommand
from domain.errors import Refused
from domain.events import AnyEvent, CommandCarriedOut, Recorded
from domain.ids import CommandId, MilestoneId, PersonId, RiskId, ShareId
from domain.money import Money
from domain.people.brand import NameOrganisation
from domain.people.clients import RegisterClient
from domain.people.person import ErasePerson, InvitePerson
from domain.plan import budget, health, project, risks, schedule
from domain.plan.account import PlannedPoint
from domain.plan.calendar import Calendar
from projections.entries import parts, sections
from projections.entries.names import SealedName
from projections.events.world import World
from projections.follow.next_entry import Made, Memories, Secrets, Shown, disclose
from tests.properties.twins import _terms as narrow
from tests.world import ACME, COUNCIL, HARBOUR, MANAGER, SHARE, START, everything
from web.render.page import Renderer
from web.write.decide import decide, stream_of

FIRST = date(2027, 3, 4)
OTHER = ShareId("other")
MILESTONES, RISKS = ("m1", "m2", "m3", "m4"), ("r1", "r2", "r3")
COMMENTED = ("forecast", "comments", "status")
_encode = msgspec.json.Encoder(order="sorted").encode


def _sealed(share: str, person: str, name: str) -> SealedName:
    digest = hashlib.sha256(f"{person} {name}".encode()).hexdigest()
    return SealedName(person=person, commitment=digest, sealed=name.encode())


SECRETS = Secrets(lambda share, n: hashlib.sha256(f"{share} {n}".encode()).digest(), lambda *given: _sealed(*given[:3]))


class History:
    """One history, and what its shares show, made with memory."""

    def __init__(self, seed: int, renderer: Renderer) -> None:
        self.rng, self.renderer = random.Random(seed), renderer
        self.world, self.at, self.position = World(), START, 0
        self.shown: dict[ShareId, Shown] = {}

    def tell(self, command: AnyCommand) -> bool:
        """Carry out a command; return whether it changed something."""
        try:
            events = decide(self.world, command, self.at)
        except Refused:
            return False
        stream, version = stream_of(command), self.world.versions.get(stream_of(command), 0)
        for i, event in enumerate(events, 1):
            self._apply(stream, version + i, event)
        done = CommandCarriedOut(command="c", stream=stream, tags=(), versions=(), fingerprint="")
        self._apply(f"done-{self.position}", 1, done)
        return bool(events)

    def _apply(self, stream: str, version: int, event: AnyEvent) -> None:
        self.position += 1
        self.world.apply(
            Recorded(
                stream=stream, version=version, position=self.position, at=self.at, actor=MANAGER.person,
                command=CommandId(f"c{self.at.isoformat()}"), event=event,
            )
        )  # fmt: skip

    def differences(self) -> list[str]:
        """Make the next update of every share with its memory and without; return in what they differ."""
        found: list[str] = []
        for share in sorted(self.world.shares):
            shown = self.shown.setdefault(share, Shown(memory=Memories()))
            made = disclose(self.world, share, shown, self.renderer, self.at, SECRETS)
            self.renderer.forget()
            alone = msgspec.structs.replace(shown, memory=None)
            found += _apart(made, disclose(self.world, share, alone, self.renderer, self.at, SECRETS))
            if made is not None:
                self.shown[share] = made.shown
        return found


def _apart(made: Made | None, afresh: Made | None) -> list[str]:
    if made is None or afresh is None:
        return [] if made is afresh else ["whether there is an update"]
    content, rendered = made.entry.content, made.shown.rendered
    assert rendered is not None
    found = []
    if made.entry.raw != afresh.entry.raw or made.entry.leaf != afresh.entry.leaf:
        found.append("what is recorded")
    if _state(made.shown) != _state(afresh.shown) or _encode(made.keyframe) != _encode(afresh.keyframe):
        found.append("what the next one is compared with")
    if content.page != parts.page_hash(rendered.parts, rendered.roots):
        found.append("the hash of the page")
    if content.sections_hash != sections.hash_of(made.shown.sections):
        found.append("the hash of the view")
    return found


def _state(shown: Shown) -> bytes:
    assert shown.rendered is not None
    rendered = shown.rendered.roots, list(shown.rendered.parts.items()), shown.rendered.stylesheet
    return _encode([rendered, dict(shown.sections), shown.view, shown.called, shown.names])


# what may happen


def begun(seed: int, renderer: Renderer) -> History:
    """Return a history with a project that two clients are shown."""
    history = History(seed, renderer)
    rng = history.rng
    history.tell(NameOrganisation(name="Example Works"))
    for client in (ACME, COUNCIL):
        history.tell(RegisterClient(client=client, name=str(client).title(), time_zone="Europe/London"))
        viewer = PersonId(f"viewer-{client}")
        history.tell(InvitePerson(person=viewer, name="Vera", email=f"v@{client}.test", role="viewer", client=client))
    history.tell(
        project.StartProject(
            project=HARBOUR, title="Inside", client_title="Harbour", owner=MANAGER.person, currency="GBP",
            time_zone="Europe/London",
        )
    )  # fmt: skip
    for key in MILESTONES[:3]:
        history.tell(_milestone(rng, key))
    history.tell(_raise(rng, "r1"))
    history.tell(_agree(rng))
    history.tell(budget.ApproveBudget(project=HARBOUR, measure="price", amount=_pounds(rng), reason="Contract"))
    for share, client in ((SHARE, ACME), (OTHER, COUNCIL)):
        ways = _ways(rng)
        history.tell(DraftShare(share=share, project=HARBOUR, client=client, terms=_agreed_on(rng), ways=ways))
        history.tell(ActivateTerms(share=share, reason="Agreed"))
    return history


def played(seed: int, steps: int, renderer: Renderer) -> Iterator[tuple[AnyCommand | None, list[str]]]:
    """Yield every command of a history with the differences after it, None for the beginning."""
    history = begun(seed, renderer)
    yield None, history.differences()
    rng = history.rng
    while steps:
        history.at += timedelta(minutes=rng.choice((1, 1, 30, 60 * 24, 60 * 24 * 9)))
        command = rng.choice(MAKERS)(rng, history)
        if command is not None and history.tell(command):
            steps -= 1
            yield command, history.differences()


def _agreed_on(rng: random.Random) -> Terms:
    if rng.random() < 0.3:
        return narrow(rng)
    unit, score = rng.choice(("day", "day", "month", "quarter")), rng.choice(("score", "score", "band"))
    fields = (*everything().milestone_fields, "comments")
    of_risks = (*everything().risk_fields, "comments")
    wide = everything(milestone_fields=fields, risk_fields=of_risks, date_unit=unit, score_detail=score)
    return msgspec.structs.replace(wide, money_step=rng.choice((0, 0, 1000)))


def _ways(rng: random.Random) -> Ways:
    release = Release(slip_days=5, score=12, cost=True, hours=rng.choice((2, 48))) if rng.random() < 0.3 else None
    return Ways(history=rng.random() < 0.5, release=release)


def _pounds(rng: random.Random) -> Money:
    return Money(Decimal(rng.choice(("100", "100.0", "1500.50", "98000"))), "GBP")


def _day(rng: random.Random) -> date:
    return FIRST + timedelta(days=rng.randrange(200))


def _one(rng: random.Random) -> MilestoneId:
    return MilestoneId(rng.choice(MILESTONES))


def _milestone(rng: random.Random, key: str = "") -> AnyCommand:
    key, facing = key or _one(rng), rng.random() < 0.9
    details = schedule.MilestoneDetails(title=f"in {key}", client_title=f"Out {key}", client_facing=facing)
    return schedule.AddMilestone(project=HARBOUR, milestone=MilestoneId(key), details=details, forecast=_day(rng))


def _describe(rng: random.Random, _history: History) -> AnyCommand:
    key = _one(rng)
    details = schedule.MilestoneDetails(
        title=f"in {key}", client_title=f"Out {rng.choice((key, 'another'))}", client_facing=rng.random() < 0.8,
        deadline=rng.choice((None, _day(rng))), value=rng.choice((None, _pounds(rng))),
    )  # fmt: skip
    return schedule.DescribeMilestone(project=HARBOUR, milestone=key, details=details)


def _move(rng: random.Random, history: History) -> AnyCommand:
    to, as_of = _day(rng), history.at - timedelta(days=rng.randrange(1, 40)) if rng.random() < 0.2 else None
    latest = to + timedelta(days=9) if rng.random() < 0.3 else None
    reason = f"reason {rng.randrange(3)}"
    return schedule.MoveForecast(
        project=HARBOUR, milestone=_one(rng), forecast=to, reason=reason, latest=latest, as_of=as_of
    )


def _agree(rng: random.Random) -> AnyCommand:
    on = START.date() + timedelta(days=rng.randrange(-9, 1))
    return schedule.ApproveBaseline(project=HARBOUR, reason=f"plan {rng.randrange(9)}", approver="Board", on=on)


def _raise(rng: random.Random, key: str = "") -> AnyCommand:
    key = key or rng.choice(RISKS)
    details = risks.RiskDetails(ref=f"R-{key}", title="in", client_title=f"Out {key}", client_facing=True)
    worst = risks.Points(5, 4)
    return risks.RaiseRisk(project=HARBOUR, risk=RiskId(key), details=details, inherent=worst, residual=_points(rng))


def _points(rng: random.Random) -> risks.Points:
    return risks.Points(rng.randrange(1, 6), rng.randrange(1, 6))


def _score(rng: random.Random, _history: History) -> AnyCommand:
    return risks.ScoreRisk(project=HARBOUR, risk=RiskId(rng.choice(RISKS)), residual=_points(rng), reason="seen")


def _score_as_client(rng: random.Random, _history: History) -> AnyCommand:
    by, risk = PersonId("viewer-acme"), RiskId(rng.choice(RISKS))
    return risks.ScoreAsClient(project=HARBOUR, risk=risk, client=ACME, points=_points(rng), by=by, share=SHARE)


def _close(rng: random.Random, _history: History) -> AnyCommand:
    kind = rng.choice((risks.CloseRisk, risks.ReopenRisk))
    return kind(project=HARBOUR, risk=RiskId(rng.choice(RISKS)), reason="over")


def _settle(rng: random.Random, history: History) -> AnyCommand:
    key = _one(rng)
    return rng.choice(
        (
            schedule.MeetMilestone(project=HARBOUR, milestone=key, actual=history.at.date()),
            schedule.ReopenMilestone(project=HARBOUR, milestone=key, reason="not yet"),
            schedule.ReportProgress(project=HARBOUR, milestone=key, percent=rng.randrange(101)),
            schedule.RemoveMilestone(project=HARBOUR, milestone=key, reason="gone"),
            schedule.RestoreMilestone(project=HARBOUR, milestone=key),
            schedule.ConfirmPlan(project=HARBOUR, note="as before"),
        )
    )


def _rules(rng: random.Random, _history: History) -> AnyCommand:
    slip = rng.choice((3, 20))
    return rng.choice(
        (
            project.SetTolerances(
                project=HARBOUR, tolerances=health.Tolerances(slip_at_risk=slip, slip_off_track=40), reason="stricter"
            ),
            project.SetCalendar(project=HARBOUR, calendar=Calendar(weekdays=rng.choice(((0, 1, 2), (0, 1, 2, 3, 4))))),
            project.DescribeProject(
                project=HARBOUR, title="Inside", client_title=rng.choice(("Harbour", "Port")), owner=MANAGER.person
            ),
            project.HoldProject(project=HARBOUR, reason="frost"),
            project.ResumeProject(project=HARBOUR, reason="thaw"),
        )
    )


def _end_day(_rng: random.Random, history: History) -> AnyCommand:
    return schedule.EndDay(project=HARBOUR, day=history.at.date() - timedelta(days=1))


def _spend(rng: random.Random, history: History) -> AnyCommand:
    points = tuple(PlannedPoint(FIRST + timedelta(days=30 * i), Decimal(100 * i + 1)) for i in range(4))
    spent = Decimal(rng.choice(("50", "50.0", "70")))
    day = history.at.date() - timedelta(days=1)
    return rng.choice(
        (
            budget.PlanSpend(project=HARBOUR, measure="price", points=points),
            budget.MeasureCost(project=HARBOUR, measure="price", status_date=day, pv=spent, ev=spent, ac=spent),
        )
    )


def _say(rng: random.Random, history: History) -> AnyCommand:
    share, client = rng.choice(((SHARE, ACME), (OTHER, COUNCIL)))
    by, key = PersonId(f"viewer-{client}"), f"k{history.position}"
    screen = answers.Screen(n=1, head="ab" * 32)
    about = rng.choice((f"milestone-{_one(rng)}", f"risk-{rng.choice(RISKS)}"))
    raised = list(history.world.shares[share].answers.concerns)
    said = [
        answers.MakeComment(share=share, comment=key, subject=about, text=f"text {key}", by=by, side="theirs"),
        answers.RaiseConcern(share=share, concern=key, subject=about, text="worried", by=by, screen=screen),
        answers.Acknowledge(share=share, subject=rng.choice((about, "agreement-1")), by=by, screen=screen),
    ]
    if raised:
        said.append(answers.AnswerConcern(share=share, concern=raised[0], text="seen", by=by))
    return rng.choice(said)


def _amend(rng: random.Random, _history: History) -> AnyCommand:
    share = rng.choice((SHARE, OTHER))
    if rng.random() < 0.5:
        return DraftTerms(share=share, terms=_agreed_on(rng), ways=_ways(rng))
    return ActivateTerms(share=share, reason=f"because {rng.randrange(9)}")


def _let_go(_rng: random.Random, _history: History) -> AnyCommand:
    return ReleaseHeld(share=SHARE, by=MANAGER.person, note="looked at")


def _names(rng: random.Random, _history: History) -> AnyCommand:
    person = PersonId(rng.choice(("viewer-acme", "viewer-council")))
    return rng.choice(
        (
            NameOrganisation(name=rng.choice(("Example Works", "Works"))),
            SetLanguage(share=rng.choice((SHARE, OTHER)), language=rng.choice(("en", "de", "fr"))),
            ErasePerson(person=person, reason="asked"),
            InvitePerson(person=PersonId(f"viewer-{rng.randrange(9)}"), name="New", email="n@a.test", role="manager"),
        )
    )


Maker = Callable[[random.Random, History], AnyCommand | None]
MAKERS: tuple[Maker, ...] = (
    _move, _move, _move, _move, lambda rng, _history: _milestone(rng), _describe, _settle, _settle, _score, _close,
    lambda rng, _history: _agree(rng), lambda rng, _history: _raise(rng), _score_as_client, _rules, _end_day, _spend,
    _say, _say, _amend, _let_go, _names,
)  # fmt: skip
