"""Facts that no version of the twins' agreement names: of the project, of other clients, of people, of the ways."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from domain.agreement import answers
from domain.agreement.share import ActivateTerms, DraftShare, DraftTerms, RevokeShare
from domain.agreement.terms import Release, Terms, Ways
from domain.commands import AnyCommand
from domain.ids import ClientId, MilestoneId, PersonId, RiskId, ShareId
from domain.money import Money
from domain.people import clients, mails
from domain.people.person import AssignProjects, ChangeRole, InvitePerson
from domain.people.sign_ins import EndSession, IssueLink, StartSession
from domain.plan import budget, health, risks, schedule
from domain.plan.project import HoldProject, ResumeProject
from tests.properties import vocabulary
from tests.properties.vocabulary import AROUND, FIRST, SOON, THEIRS, Made, Maker
from tests.world import ACME, COUNCIL, DEPOT, HARBOUR, SHARE, START

SCREEN = answers.Screen(n=1, head="ab" * 32)
Step = tuple[int, Made]  # minute after the beginning, command


def hidden(rng: random.Random, terms: Terms, minutes: int) -> list[Step]:
    """Draw facts that terms never name; `terms` covers what any version does."""
    known, more = list(_makers(terms)), list(vocabulary.makers(terms))
    found = [(rng.randrange(5, minutes + 20), rng.choice(known)(rng, i)) for i in range(rng.randrange(6, 18))]
    found += vocabulary.series(rng, minutes, terms)
    return found + [(rng.randrange(5, minutes + 20), rng.choice(more)(rng, i)) for i in range(rng.randrange(4, 14))]


def _makers(terms: Terms) -> Iterator[Maker]:
    """Every kind of fact these terms do not name."""
    yield from (_other_project, _refused, _hidden_milestone, _hidden_risk, _note, _other_share, _activate_other)
    yield from (_someone, _override, _link, _their_view, _ask_them, _cost, _spend, _internal_words, _revoke_other)
    yield from (_their_comment, _their_concern, _their_note, _their_answer, _draft)
    yield from (_domains, _cadence, _mail, _settled_mail, _session, _left, _assigned, _end_client)
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


def _link(rng: random.Random, i: int) -> AnyCommand:
    expires, asked = START + timedelta(days=90), i % 2 == 1
    return IssueLink(person=PersonId("viewer-council"), hash=f"{rng.random()}", expires=expires, asked=asked)


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
    later, soon = FIRST + timedelta(days=rng.randrange(20, 200)), SOON + timedelta(days=rng.randrange(20))
    forecast = rng.choice((later, soon))
    return schedule.MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=forecast, reason=f"hidden {i}")


def _rebaseline(_rng: random.Random, i: int) -> AnyCommand:
    on = (START + timedelta(days=2)).date()
    return schedule.ApproveBaseline(project=HARBOUR, reason=f"again {i}", approver="Board", on=on)


def _score(rng: random.Random, i: int) -> AnyCommand:
    points = risks.Points(rng.randrange(1, 5), rng.randrange(1, 5))
    return risks.ScoreRisk(project=HARBOUR, risk=RiskId("r2"), residual=points, reason=f"hidden {i}")


# what the other client says, on its own share of the same project


def _subject(rng: random.Random) -> str:
    return rng.choice(("milestone-m1", "milestone-m2", "risk-r1", "risk-r2"))


def _their_comment(rng: random.Random, i: int) -> AnyCommand:
    by, side = rng.choice((("viewer-council", "theirs"), ("marta", "ours")))
    return answers.MakeComment(
        share=THEIRS, comment=f"c{i}", subject=_subject(rng), text=f"among us {i}", by=PersonId(by), side=side,  # type: ignore[arg-type]
        screen=SCREEN,
    )  # fmt: skip


def _their_concern(rng: random.Random, i: int) -> AnyCommand:
    return answers.RaiseConcern(
        share=THEIRS, concern=f"q{rng.randrange(4)}", subject=rng.choice(("", _subject(rng))), text=f"worried {i}",
        by=PersonId("viewer-council"), screen=SCREEN,
    )  # fmt: skip


def _their_answer(rng: random.Random, i: int) -> AnyCommand:
    key = f"q{rng.randrange(4)}"
    return answers.AnswerConcern(share=THEIRS, concern=key, text=f"Answer {i}", by=PersonId("marta"))


def _their_note(rng: random.Random, _i: int) -> AnyCommand:
    subject = rng.choice((_subject(rng), "agreement-1"))
    return answers.Acknowledge(share=THEIRS, subject=subject, by=PersonId("viewer-council"), screen=SCREEN)


# drafts, and how a version discloses


def _draft(rng: random.Random, _i: int) -> AnyCommand:
    return DraftTerms(share=SHARE, terms=Terms(milestones="all", budget=rng.choice(("percent", "amounts"))))


def ways(rng: random.Random, *, history: bool) -> Ways:
    """Ways that differ between twins in what never shows: a review nothing waits for, a last day far away."""
    release = Release(hours=rng.randrange(1, 100), slip_days=3660) if rng.random() < 0.6 else None
    expires = START + timedelta(days=rng.randrange(100, 200)) if rng.random() < 0.6 else None
    return Ways(history=history, release=release, expires=expires)


# people, mail and sign-ins


def _domains(rng: random.Random, i: int) -> AnyCommand:
    return clients.SetMailDomains(client=rng.choice((ACME, COUNCIL)), domains=(f"d{i}.test",))


def _cadence(rng: random.Random, _i: int) -> AnyCommand:
    cadence = rng.choice(("off", "instant", "daily", "weekly"))
    return mails.ChooseDigest(person=PersonId(rng.choice(AROUND)), cadence=cadence, since={SHARE: rng.randrange(9)})


def _mail(rng: random.Random, i: int) -> AnyCommand:
    share, to = rng.choice(((None, 0), (SHARE, rng.randrange(1, 9))))
    person, mail = PersonId(rng.choice(AROUND)), f"mail{rng.randrange(4)}"
    kind = "digest" if share else ("invitation", "link")[i % 2]
    return mails.QueueMail(person=person, mail=mail, kind=kind, share=share, to=to)  # type: ignore[arg-type]


def _settled_mail(rng: random.Random, i: int) -> AnyCommand:
    person, state = PersonId(rng.choice(AROUND)), rng.choice(("accepted", "refused"))
    return mails.SettleMail(person=person, mail=f"mail{rng.randrange(4)}", state=state, told=f"550 no {i}")


def _session(rng: random.Random, i: int) -> AnyCommand:
    return StartSession(
        person=PersonId(rng.choice(AROUND)), session=f"s{rng.randrange(5)}", session_hash=f"{i}-{rng.random()}",
        session_expires=START + timedelta(days=90), device=rng.choice(("Phone", "Computer")),
    )  # fmt: skip


def _left(rng: random.Random, _i: int) -> AnyCommand:
    return EndSession(person=PersonId(rng.choice(AROUND)), session=f"s{rng.randrange(5)}", cause="ended")


def _assigned(rng: random.Random, i: int) -> AnyCommand:
    projects = rng.choice((None, (), (HARBOUR,), (DEPOT,)))
    if i % 3:
        return AssignProjects(person=PersonId("staff"), projects=projects)
    return ChangeRole(person=PersonId("staff"), role=("manager", "auditor", "admin")[i % 9 // 3], projects=projects)  # type: ignore[arg-type]


def _end_client(rng: random.Random, i: int) -> AnyCommand:
    client = COUNCIL if rng.random() < 0.3 else ClientId("nobody")
    return clients.EndClient(client=client, reason=f"over {i}")
