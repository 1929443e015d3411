"""The rest of the vocabulary as facts that no version of the twins' agreement names, one maker for each command.

A maker returns a command, or a function of the world as it stands then, which returns one or acts by itself.
"""

import contextlib
import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal

from domain.agreement import answers
from domain.agreement.share import (
    ActivateTerms,
    DraftShare,
    DropDraft,
    ExpireShare,
    ReleaseDue,
    ReleaseHeld,
    SetLanguage,
    SetRetention,
)
from domain.agreement.terms import Release, Terms, Ways
from domain.commands import AnyCommand
from domain.errors import Refused
from domain.ids import ChannelId, ClientId, CommandId, MilestoneId, PersonId, ProjectId, RiskId, ShareId
from domain.language import LANGUAGES
from domain.people import addresses, clients, devices, for_you, memberships, passkeys, providers
from domain.people.person import ChooseLanguage, DisablePerson, ErasePerson, InvitePerson
from domain.people.rules import RequirePasskeys, SetDeviceDays
from domain.people.sign_ins import IssueLink, StartSession, UseLink
from domain.people.tokens import IssueToken, RevokeToken, UseToken
from domain.plan import budget, health, project, risks, schedule
from domain.plan.account import PlannedPoint
from domain.plan.calendar import Calendar
from domain.telling import channels
from domain.telling.notices import ChooseNotices
from domain.telling.told import News
from projections.evidence.bundle import NothingYet
from tests.properties.pulled import pulled
from tests.world import ACME, ADMIN, COUNCIL, DEPOT, HARBOUR, SHARE, START, World

Act = Callable[[World], AnyCommand | None]
Made = AnyCommand | Act
Maker = Callable[[random.Random, int], Made]
FIRST = date(2027, 4, 1)
THEIRS = ShareId("theirs")  # the other client's share of the same project, in force in both twins
AROUND = ("viewer-council", "second-acme", "staff")  # people who look at nothing here
SOON = (START + timedelta(days=3)).date()  # dates from here on pass while the twins are played


def makers(terms: Terms) -> Iterator[Maker]:
    """Every kind of fact that terms do not name."""
    yield from (_start, _close, _describe_project, _describe_risk, _withdraw, _lapse, _plan_spend, _retention, _drop)
    yield from (_share_of_others, _release, _release_due, _expire, _grant, _end_membership, _disable, _erase)
    yield _require_passkeys
    yield from (_token, _revoke_token, _use_link, _register, _remove, _meet, _reopen, _accept, _passing)
    yield from (_close_risk, _reopen_risk, _together, taken_by_an_auditor, _again, _put_back)
    yield from (_language, _language_of_somebody)
    fields = set(terms.milestone_fields)
    if "range" not in fields:
        yield range_alone
    if "slip" not in fields:
        yield _calendar
    if "status" not in fields and terms.budget == "nothing":
        yield _tolerances


# the project, its dates and its rules


def _start(_rng: random.Random, i: int) -> AnyCommand:
    """Another project, or another currency of one that has no amount yet."""
    if i % 4 == 3:
        currency = "EUR" if i % 8 == 3 else "USD"
        return project.CorrectProject(project=DEPOT, currency=currency, time_zone="Europe/London")
    key = ProjectId(f"project{i}")
    return project.StartProject(
        project=key, title=f"Inside {i}", client_title=f"Other {i}", owner=PersonId("marta"), currency="EUR",
        time_zone="Europe/Paris",
    )  # fmt: skip


def _close(rng: random.Random, i: int) -> AnyCommand:
    return project.CloseProject(project=rng.choice((DEPOT, ProjectId(f"project{i - 1}"))), reason=f"over {i}")


def _describe_project(rng: random.Random, i: int) -> AnyCommand:
    owner = PersonId(rng.choice(("marta", "staff")))
    title = f"Inside {i} {rng.random()}"
    return project.DescribeProject(project=HARBOUR, title=title, client_title="Harbour Line", owner=owner)


def _calendar(rng: random.Random, _i: int) -> AnyCommand:
    weekdays = tuple(sorted(rng.sample(range(7), rng.randrange(3, 7))))
    return project.SetCalendar(project=HARBOUR, calendar=Calendar(weekdays=weekdays))


def _tolerances(rng: random.Random, i: int) -> AnyCommand:
    at_risk = rng.randrange(1, 9)
    tolerances = health.Tolerances(slip_at_risk=at_risk, slip_off_track=at_risk + rng.randrange(1, 20))
    return project.SetTolerances(project=HARBOUR, tolerances=tolerances, reason=f"rule {i}")


def range_alone(rng: random.Random, i: int) -> Act:
    """Move the range of a milestone and not its forecast."""
    key, before, after = MilestoneId(rng.choice(("m1", "m2"))), rng.randrange(9), rng.randrange(9)

    def moved(world: World) -> AnyCommand | None:
        known = world.present.refresh().projects[HARBOUR].schedule.milestones
        if key not in known or known[key].actual:
            return None
        day = known[key].forecast
        earliest, latest = day - timedelta(days=before), day + timedelta(days=after)
        return schedule.MoveForecast(
            project=HARBOUR, milestone=key, forecast=day, reason=f"range {i}", earliest=earliest, latest=latest
        )

    return moved


def _key(rng: random.Random) -> MilestoneId:
    return MilestoneId(f"hidden{rng.randrange(3)}")


def _passing(rng: random.Random, _i: int) -> AnyCommand:
    """A date that nobody shares, and that passes soon."""
    on = SOON + timedelta(days=rng.randrange(20))
    return schedule.MoveForecast(project=HARBOUR, milestone=_key(rng), forecast=on, reason="hidden and soon")


def _remove(rng: random.Random, i: int) -> AnyCommand:
    return schedule.RemoveMilestone(project=HARBOUR, milestone=_key(rng), reason=f"gone {i}")


def _meet(rng: random.Random, _i: int) -> AnyCommand:
    actual = START.date() - timedelta(days=rng.randrange(9))
    return schedule.MeetMilestone(project=HARBOUR, milestone=_key(rng), actual=actual)


def _reopen(rng: random.Random, i: int) -> AnyCommand:
    return schedule.ReopenMilestone(project=HARBOUR, milestone=_key(rng), reason=f"again {i}")


def _accept(rng: random.Random, _i: int) -> AnyCommand:
    return schedule.AcceptMilestone(project=HARBOUR, milestone=_key(rng), on=START.date(), by="Somebody")


def _together(rng: random.Random, i: int) -> AnyCommand:
    day = FIRST + timedelta(days=rng.randrange(200))
    return project.ChangeTogether(
        project=HARBOUR,
        commands=(
            risks.TakeRiskNote(project=HARBOUR, risk=RiskId("r1"), note=f"together {i}"),
            schedule.MoveForecast(project=HARBOUR, milestone=_key(rng), forecast=day, reason=f"together {i}"),
        ),
    )


def _put_back(rng: random.Random, i: int) -> Act:
    """Move a date that nobody shares and put that back, or the newest change of such things before it."""
    to = FIRST + timedelta(days=rng.randrange(200))
    move = schedule.MoveForecast(project=HARBOUR, milestone=_key(rng), forecast=to, reason=f"mistake {i}")

    def put_back(world: World) -> AnyCommand | None:
        with contextlib.suppress(Refused):
            world.service.execute(ADMIN, move, command_id=CommandId(f"mistake-{i}-{world.present.refresh().position}"))
            world.follow_what_was_told()
        for change in reversed(world.present.refresh().changes.get(HARBOUR, ())):
            keys = (*change.milestones, *change.risks)
            if keys and change.possible and all(key.startswith(("hidden", "hr")) for key in keys):
                return project.PutBack(project=HARBOUR, version=change.last)
        return None

    return put_back


# risks, money and health


def _describe_risk(rng: random.Random, i: int) -> AnyCommand:
    """What the client may know of it stays as it is."""
    key = rng.choice(("1", "2"))
    details = risks.RiskDetails(
        ref=f"R-0{key}", title=f"inside {i}", client_title=f"Risk r{key}", client_facing=True, actionee=f"Who {i}",
        author=f"Me {i}",
    )  # fmt: skip
    return risks.DescribeRisk(project=HARBOUR, risk=RiskId(f"r{key}"), details=details)


def _close_risk(rng: random.Random, i: int) -> AnyCommand:
    return risks.CloseRisk(project=HARBOUR, risk=RiskId(f"hr{rng.randrange(3)}"), reason=f"closed {i}")


def _reopen_risk(rng: random.Random, i: int) -> AnyCommand:
    return risks.ReopenRisk(project=HARBOUR, risk=RiskId(f"hr{rng.randrange(3)}"), reason=f"open {i}")


def _plan_spend(rng: random.Random, _i: int) -> AnyCommand:
    days = sorted(rng.sample(range(200), 3))
    points = tuple(PlannedPoint(FIRST + timedelta(days=d), Decimal(100 * k)) for k, d in enumerate(days, 1))
    return budget.PlanSpend(project=HARBOUR, measure="cost", points=points)


def _dimension(rng: random.Random) -> health.Dimension:
    found: health.Dimension = rng.choice(("schedule", "budget", "risk", "overall"))
    return found


def _again(rng: random.Random, i: int) -> AnyCommand:
    """An override that lapses while the twins are played."""
    until = START + timedelta(days=rng.randrange(4, 20))
    return health.OverrideHealth(
        project=HARBOUR, dimension=_dimension(rng), status="at_risk", reason=f"soon {i}", until=until
    )


def _withdraw(rng: random.Random, _i: int) -> AnyCommand:
    return health.WithdrawOverride(project=HARBOUR, dimension=_dimension(rng))


def _lapse(_rng: random.Random, _i: int) -> AnyCommand:
    return health.LapseOverrides(project=HARBOUR)


# other shares, and how this one is kept


def _other(rng: random.Random) -> ShareId:
    return ShareId(f"other{rng.randrange(2)}")


def _share_of_others(rng: random.Random, _i: int) -> AnyCommand:
    """A share of another client that ends by itself soon, and on which nearly every change waits."""
    ways = Ways(expires=START + timedelta(days=rng.randrange(5, 20)), release=Release(hours=1, slip_days=1, score=1))
    fields = Terms(milestones="all", milestone_fields=("forecast",), risks="all", risk_fields=("score",))
    return DraftShare(share=_other(rng), project=HARBOUR, client=COUNCIL, terms=fields, ways=ways)


def _release(rng: random.Random, _i: int) -> AnyCommand:
    return ReleaseHeld(share=_other(rng), by=PersonId("marta"))


def _release_due(rng: random.Random, _i: int) -> AnyCommand:
    return ReleaseDue(share=_other(rng))


def _expire(rng: random.Random, _i: int) -> AnyCommand:
    return ExpireShare(share=_other(rng))


def _retention(rng: random.Random, _i: int) -> AnyCommand:
    return SetRetention(share=THEIRS, days=rng.randrange(30, 3000))


def _language(rng: random.Random, _i: int) -> AnyCommand:
    return SetLanguage(share=_other(rng), language=rng.choice(tuple(LANGUAGES)))


def _language_of_somebody(rng: random.Random, _i: int) -> AnyCommand:
    return ChooseLanguage(person=PersonId(rng.choice(AROUND)), language=rng.choice(("", *LANGUAGES)))


def _drop(_rng: random.Random, _i: int) -> AnyCommand:
    return DropDraft(share=SHARE)


def taken_by_an_auditor(rng: random.Random, _i: int) -> Act:
    """Somebody of the organisation takes evidence of the share."""
    kind, receipts = rng.choice(("share", "entry")), rng.random() < 0.5

    def taken(world: World) -> None:
        with contextlib.suppress(NothingYet):
            world.bundle(kind, 1, 1, receipts=receipts)

    return taken


# clients and people


def _register(_rng: random.Random, i: int) -> AnyCommand:
    return clients.RegisterClient(client=ClientId(f"client{i}"), name=f"Client {i}", time_zone="Asia/Tokyo")


def _grant(rng: random.Random, i: int) -> AnyCommand:
    person, client = rng.choice((("second-acme", COUNCIL), ("viewer-council", ACME)))
    return memberships.GrantMembership(person=PersonId(person), client=client, name=f"Both {i}", email=f"b{i}@x.test")


def _end_membership(rng: random.Random, i: int) -> AnyCommand:
    person, client = rng.choice((("second-acme", COUNCIL), ("viewer-council", ACME), ("second-acme", ACME)))
    return memberships.EndMembership(person=PersonId(person), client=client, reason=f"left {i}")


def _disable(rng: random.Random, i: int) -> AnyCommand:
    return DisablePerson(person=PersonId(rng.choice(("p1", "p2", "staff"))), reason=f"left {i}")


def _erase(rng: random.Random, i: int) -> AnyCommand:
    return ErasePerson(person=PersonId(rng.choice(("p3", "p4", "staff", "second-acme"))), reason=f"asked {i}")


def _token(rng: random.Random, i: int) -> AnyCommand:
    key = f"t{rng.randrange(3)}"
    return IssueToken(person=PersonId("staff"), token=key, hash=f"{i} {rng.random()}", label=f"nightly {i}")


def _revoke_token(rng: random.Random, _i: int) -> AnyCommand:
    return RevokeToken(person=PersonId("staff"), token=f"t{rng.randrange(3)}")


def _require_passkeys(_rng: random.Random, i: int) -> AnyCommand:
    return RequirePasskeys(required=i % 2 == 0)


def _use_link(rng: random.Random, i: int) -> Act:
    """Use a link that is there, so that the command is not always refused."""

    def used(world: World) -> AnyCommand | None:
        person = world.present.refresh().people.get(PersonId("viewer-council"))
        links = sorted(link.hash for link in person.links.values()) if person else []
        if not links:
            return None
        expires = START + timedelta(days=90)
        return UseLink(
            person=PersonId("viewer-council"), hash=rng.choice(links), session=f"u{i}", session_hash=f"used {i}",
            session_expires=expires,
        )  # fmt: skip

    return used


# several commands of which each needs the one before


def series(rng: random.Random, minutes: int, terms: Terms) -> list[tuple[int, AnyCommand]]:
    """Draw facts that `terms` do not name in an order that lets each of them happen, at minutes up to `minutes`."""
    told = [*(_reviewed(rng) if rng.random() < 0.4 else []), *(_accepted(rng) if rng.random() < 0.4 else [])]
    told += _answered(rng) if rng.random() < 0.4 else []
    told += _signed_in(rng) if rng.random() < 0.4 else []
    begin = rng.randrange(5, minutes // 2)
    own = random.Random(repr(told))  # so that the draws of everything else stay what they were
    stays = _stays(own) if own.random() < 0.4 else []
    pulls = pulled(own, terms) if own.random() < 0.4 else []
    return [*_spread(told, begin, minutes), *_spread(stays, begin, minutes), *_spread(pulls, begin, minutes)]


def _spread(told: list[AnyCommand], begin: int, minutes: int) -> list[tuple[int, AnyCommand]]:
    return [(begin + (minutes // 2 - 10) * i // max(len(told), 1), command) for i, command in enumerate(told)]


def _reviewed(rng: random.Random) -> list[AnyCommand]:
    """Another project is shared with another client; a change of it waits, is released, and the share expires."""
    key, share = MilestoneId(f"reviewed{rng.randrange(9)}"), ShareId("depot")
    details = schedule.MilestoneDetails(title="inside", client_title="Reviewed", client_facing=True)
    ways = Ways(expires=START + timedelta(days=8), release=Release(hours=rng.choice((1, 400)), slip_days=1))
    terms = Terms(milestones="all", milestone_fields=("forecast",))
    released = ReleaseHeld(share=share, by=PersonId("marta")) if rng.random() < 0.5 else ReleaseDue(share=share)
    later = FIRST + timedelta(days=rng.randrange(50, 99))
    return [
        DraftShare(share=share, project=DEPOT, client=COUNCIL, terms=terms, ways=ways),
        ActivateTerms(share=share, reason="for them"),
        schedule.AddMilestone(project=DEPOT, milestone=key, details=details, forecast=FIRST),
        schedule.MoveForecast(project=DEPOT, milestone=key, forecast=later, reason="held"),
        released,
        ExpireShare(share=share),
    ]


def _accepted(rng: random.Random) -> list[AnyCommand]:
    """A milestone that nobody shares is added, met, accepted, and taken away."""
    key, on = MilestoneId(f"accepted{rng.randrange(9)}"), START.date() - timedelta(days=1)
    details = schedule.MilestoneDetails(title="inside", needs_acceptance=True)
    return [
        schedule.AddMilestone(project=HARBOUR, milestone=key, details=details, forecast=FIRST),
        schedule.MeetMilestone(project=HARBOUR, milestone=key, actual=on),
        schedule.AcceptMilestone(project=HARBOUR, milestone=key, on=on, by="Somebody"),
        schedule.ReopenMilestone(project=HARBOUR, milestone=key, reason="Not yet"),
        schedule.LinkMilestone(project=HARBOUR, milestone=key, source_id=f"row-{rng.randrange(9)}"),
        schedule.RemoveMilestone(project=HARBOUR, milestone=key, reason="Not ours"),
        schedule.RestoreMilestone(project=HARBOUR, milestone=key),
        schedule.RemoveMilestone(project=HARBOUR, milestone=key, reason="Not ours after all"),
    ]


def _answered(rng: random.Random) -> list[AnyCommand]:
    """The other client worries and is answered; somebody overrides a status and thinks better of it."""
    key, dimension = f"worry{rng.randrange(9)}", _dimension(rng)
    until = START + timedelta(days=30)
    return [
        answers.RaiseConcern(
            share=THEIRS, concern=key, subject="", text="Well", by=PersonId("viewer-council"),
            screen=answers.Screen(n=1, head="ab" * 32),
        ),
        health.OverrideHealth(project=HARBOUR, dimension=dimension, status="on_track", reason="I say so", until=until),
        answers.AnswerConcern(share=THEIRS, concern=key, text=f"Well {rng.random()}", by=PersonId("marta")),
        health.WithdrawOverride(project=HARBOUR, dimension=dimension),
    ]  # fmt: skip


def on_lists(rng: random.Random, minutes: int) -> list[tuple[int, AnyCommand]]:
    """Draw what colleagues say of the lines of their lists, at minutes up to `minutes`."""
    staff, deputy = PersonId("staff"), PersonId("deputy")
    line = f"concern.{HARBOUR}.{THEIRS}.worry{rng.randrange(9)}"
    until = SOON + timedelta(days=rng.randrange(40, 200))
    told: list[AnyCommand] = [
        InvitePerson(person=deputy, name="Deputy", email="deputy@x.test", role="manager"),
        for_you.PutOffLine(person=staff, project=HARBOUR, line=line, until=until),
        for_you.HandOverLine(person=deputy, project=HARBOUR, line=line, to=deputy),
        for_you.OpenPlace(person=deputy, place=f"project-{HARBOUR}", until=START + timedelta(minutes=rng.randrange(5))),
        for_you.SetAbsence(person=staff, first=SOON, last=until, cover=deputy),
        *_told(rng, staff, line),
        for_you.PutOffLine(person=staff, project=HARBOUR, line=line, until=None),
        for_you.EndAbsence(person=staff),
    ]
    begin = rng.randrange(5, max(minutes // 2, 6))
    kept = told[: rng.randrange(3, len(told) + 1)] if rng.random() < 0.7 else []
    return [(begin + (minutes - begin) * i // len(told), command) for i, command in enumerate(kept)]


def _told(rng: random.Random, person: PersonId, line: str) -> list[AnyCommand]:
    """Somebody chooses what they are mailed of; a channel is added, sent to, changed and ended."""
    key = ChannelId(f"channel{rng.randrange(9)}")
    address = f"https://hooks.example/services/{rng.randrange(10**9)}"
    news = (News(line=line),)
    settled: channels.Settled = rng.choice(("accepted", "refused", "deferred"))
    return [
        ChooseNotices(person=person, when={"concern": rng.choice(("morning", "off"))}),
        channels.AddChannel(channel=key, project=HARBOUR, form="slack", name="all", address=address),
        channels.AllowChannelContent(channel=key, content=True),
        channels.QueueMessage(channel=key, message="m1", news=news),
        channels.SettleMessage(channel=key, message="m1", state=settled, told=f"{rng.random()}"),
        channels.ChangeChannel(channel=key, name=f"all {rng.random()}", kinds=("concern",)),
        channels.ReplaceChannelAddress(channel=key, address=f"{address}0"),
        channels.EndChannel(channel=key),
    ]


def on_the_way_in(rng: random.Random, minutes: int) -> list[tuple[int, AnyCommand]]:
    """Draw an identity provider of the watched client and what comes in by it, and a lead of its, up to `minutes`."""
    person, domain, until = PersonId("second-acme"), f"d{rng.randrange(9)}.test", START + timedelta(days=90)
    setup = {"client": ACME, "provider": "idp", "issuer": "https://login.acme.test", "app": f"us{rng.random()}"}
    told: list[AnyCommand] = [
        clients.SetMailDomains(client=ACME, domains=(domain,)),
        providers.SetProvider(**setup, domains=(domain,), key="k", sealed=b"x", joins=rng.random() < 0.5),  # type: ignore[arg-type]
        providers.TryProvider(client=ACME, provider="idp", setup=1),
        providers.UseProvider(client=ACME, provider="idp"),
        StartSession(
            person=person, session="by-idp", session_hash="by idp", session_expires=until, client=ACME, provider="idp",
            setup=1,
        ),
        memberships.NameLead(person=person, client=ACME),
        memberships.EndLead(person=person, client=ACME),
        providers.RemoveProvider(client=ACME, provider="idp", reason=f"over {rng.random()}"),
    ]  # fmt: skip
    begin = rng.randrange(5, max(minutes // 2, 6))
    kept = told[: rng.randrange(4, len(told) + 1)] if rng.random() < 0.5 else []
    return [(begin + (minutes - begin) * i // len(told), command) for i, command in enumerate(kept)]


def _stays(rng: random.Random) -> list[AnyCommand]:
    """A viewer of the other client keeps a device and puts its share on a wall, and one of the two ends.

    How many days the organisation allows everybody may read on their own page, so in the end they are what they were.
    """
    person, key, expires = PersonId("viewer-council"), f"{rng.random()}", START + timedelta(days=90)
    device, wall = f"d{key[2:8]}", f"w{key[2:8]}"
    return [
        SetDeviceDays(days=rng.randrange(10, 29)),
        clients.SetClientDeviceDays(client=COUNCIL, days=rng.randrange(1, 9)),
        IssueLink(person=person, hash=f"link {key}", expires=expires),
        UseLink(
            person=person, hash=f"link {key}", session=f"s{key[2:]}", session_hash=f"kept {key}", session_expires=expires
        ),
        devices.KeepDevice(person=person, device=device, session=f"s{key[2:]}", hash=f"first {key}", name="Firefox"),
        devices.RenewDevice(
            person=person, device=device, number=1, hash=f"first {key}", successor=0, issued=f"second {key}",
            session=f"r{key[2:]}", session_hash=f"renewed {key}", session_expires=expires, clients=(COUNCIL,),
        ),
        devices.OfferDisplay(
            person=person, device=wall, name="Hall", share=THEIRS, client=COUNCIL, hash=f"code {key}", expires=expires
        ),
        devices.BeginDisplay(person=person, code=f"code {key}", hash=f"hung {key}"),
        devices.RenameDevice(person=person, device=device, name="Kitchen"),
        devices.EndDevice(person=person, device=rng.choice((device, wall))),
        SetDeviceDays(days=devices.DAYS),
    ]  # fmt: skip


def _signed_in(rng: random.Random) -> list[AnyCommand]:
    """Somebody new comes in by a link, adds a passkey and loses it, changes their address, is given a token, leaves, and
    is forgotten.
    """
    person, key = PersonId(f"new{rng.randrange(9)}"), f"{rng.random()}"
    expires, today = START + timedelta(days=90), START.date()
    return [
        InvitePerson(person=person, name="New", email=f"{person}@x.test", role="manager"),
        IssueLink(person=person, hash=key, expires=expires),
        UseLink(
            person=person, hash=key, session=f"{person}-s", session_hash=f"session {key}", session_expires=expires
        ),
        IssueToken(person=person, token="own", hash=f"token {key}", label="own"),
        UseToken(person=person, token="own", on=today),
        RevokeToken(person=person, token="own"),
        passkeys.AddPasskey(
            person=person, passkey="own", name=f"Key {key}", credential=f"credential {key}", key="key", handle="handle",
            host="x.test", session=f"{person}-s", challenge=f"first {key}",
        ),
        passkeys.UsePasskey(
            person=person, passkey="own", count=1, challenge=f"second {key}", session=f"{person}-p",
            session_hash=f"passkey {key}", session_expires=expires,
        ),
        passkeys.RenamePasskey(person=person, passkey="own", name="Blue key", session=f"{person}-p"),
        passkeys.RemovePasskey(person=person, passkey="own"),
        passkeys.AskPasskeyReplacement(person=person),
        passkeys.ConfirmPasskeyReplacement(person=person, expires=expires),
        addresses.AskAddressChange(
            person=person, change="first", old=f"{person}@x.test", new=f"{person}@y.test", expires=expires
        ),
        addresses.WithdrawAddressChange(person=person, change="first"),
        addresses.AskAddressChange(
            person=person, change="own", old=f"{person}@x.test", new=f"{person}@y.test", expires=expires
        ),
        addresses.ConfirmAddress(person=person, change="own", side="new"),
        addresses.ConfirmAddress(person=person, change="own", side="old"),
        DisablePerson(person=person, reason="left"),
        ErasePerson(person=person, reason="asked"),
    ]  # fmt: skip
