"""One event of a project as a sentence, with the value before it.

Rule: values before and after are read from the project as it was; an event is never told by its fields alone.
"""

from collections.abc import Callable, Sequence
from typing import Literal, assert_never

import msgspec

from domain.headline import counted
from domain.language import N_, Said
from domain.language import gettext as _
from domain.money import Money
from domain.plan import budget as b
from domain.plan import health as h
from domain.plan import milestones as m
from domain.plan import project as p
from domain.plan import risks as r
from domain.plan import schedule as s
from domain.plan.project import Project, ProjectEvent
from domain.plan.putting_back import ChangePutBack
from domain.plan.risks import Register
from domain.plan.schedule import Schedule
from domain.plan.sources.source import SourceEvent
from projections.wording import words
from web.record.said import sources as said_of_sources
from web.record.said.values import MILESTONE, RISK, TOLERANCES, Became, amounts, differences, value

Topic = Literal["milestones", "risks", "budget", "statuses", "project"]
TOPICS: dict[Topic, str] = Said(
    {
        "milestones": N_("Milestones"),
        "risks": N_("Risks"),
        "budget": N_("Budget"),
        "statuses": N_("Statuses"),
        "project": N_("Project"),
    }
)
STATUS = Said({"on_track": N_("On track"), "at_risk": N_("At risk"), "off_track": N_("Off track")})
NAMED = 5  # things that are put back at once and named
MEASURE = Said({"price": N_("price"), "cost": N_("cost")})


class InSentences(msgspec.Struct, frozen=True, kw_only=True):
    """What happened: of what, and what became of it."""

    subject: str
    became: tuple[Became, ...]


class Both(msgspec.Struct, frozen=True):
    """A project before and after one event, and what people and clients are called."""

    before: Project | None
    after: Project
    person: Callable[[str], str]
    client: Callable[[str], str]
    put_back: Callable[[ChangePutBack], Sequence[str]]  # each thing that was put back, with its values

    @property
    def old(self) -> Project:
        """The project before the event, or after the one that started it."""
        return self.before or self.after


def topic(event: ProjectEvent) -> Topic:
    """Return what an event is about."""
    if isinstance(event, s.ScheduleEvent):
        return "milestones"
    if isinstance(event, r.RiskEvent):
        return "risks"
    if isinstance(event, b.BudgetEvent):
        return "budget"
    return "statuses" if isinstance(event, h.HealthEvent) else "project"


def told(event: ProjectEvent, both: Both) -> InSentences:
    """Return an event as a sentence."""
    if isinstance(event, m.MilestoneEvent):
        return _milestone(event, both)
    if isinstance(event, s.ScheduleEvent):
        return _plan(event)
    if isinstance(event, r.RiskEvent):
        return _risk(event, both)
    if isinstance(event, b.BudgetEvent):
        return InSentences(
            subject=_("Budget, {measure}", measure=_(MEASURE[event.measure])), became=tuple(_budget(event, both))
        )
    if isinstance(event, h.HealthEvent):
        return _health(event, both)
    if isinstance(event, SourceEvent):
        subject = said_of_sources.subject(event, both.after)
        return InSentences(subject=subject, became=tuple(said_of_sources.became(event, both.after)))
    return InSentences(subject=both.after.title, became=tuple(_own(event, both)))


def _milestone(event: m.MilestoneEvent, both: Both) -> InSentences:
    schedule: Schedule = both.old.schedule if isinstance(event, m.MilestoneRemoved) else both.after.schedule
    subject = schedule.milestones[event.milestone].details.title
    return InSentences(subject=subject, became=tuple(_of_milestone(event, both)))


def _of_milestone(event: m.MilestoneEvent, both: Both) -> Sequence[Became]:
    old = both.old.schedule.milestones.get(event.milestone)
    match event:
        case m.MilestoneAdded(forecast=day):
            return [Became(what=_("added, forecast"), now=value(day))]
        case m.MilestoneDescribed(details=details):
            return [*differences(old.details, details, MILESTONE)] if old else []
        case m.ForecastMoved(forecast=day):
            was = old.forecast if old else None
            note = words.signed((day - was).days) if was is not None and was != day else ""
            return [Became(what=_("Forecast"), was=value(was), now=value(day), note=note), *_range(event, old)]
        case m.ProgressReported(percent=percent):
            reported = "" if old is None or old.percent is None else f"{old.percent} %"
            return [Became(what=_("Progress"), was=reported, now=f"{percent} %")]
        case m.MilestoneMet(actual=day):
            forecast = _("forecast was {day}", day=value(old.forecast)) if old and old.forecast != day else ""
            return [Became(what=_("Met on"), now=value(day), note=forecast)]
        case m.MilestoneReopened():
            return [Became(what=_("Reopened"), was=value(old.actual) if old else "", now=_("not met"))]
        case m.MilestoneAccepted(on=day, by=by):
            return [Became(what=_("Accepted on"), now=value(day), note=_("by {name}", name=by))]
        case m.MilestoneRemoved():
            return [Became(what=_("Removed"))]
        case m.MilestoneRestored():
            return [Became(what=_("On the plan again"))]
        case m.MilestoneLinked(source_id=source):
            return [Became(what=_("Id in the imported plan"), was=old.source_id if old else "", now=source)]
        case _:
            assert_never(event)


def _range(event: m.ForecastMoved, old: m.Milestone | None) -> list[Became]:
    now = event.earliest, event.latest
    if old is None or (old.earliest, old.latest) == now:
        return []
    named = (_("Earliest"), old.earliest, event.earliest), (_("Latest"), old.latest, event.latest)
    return [Became(what=n, was=value(a), now=value(z) or _("none")) for n, a, z in named if a != z]


def _plan(event: s.BaselineApproved | s.PlanConfirmed | s.DayEnded) -> InSentences:
    match event:
        case s.BaselineApproved(number=number, dates=dates, on=on, approver=approver):
            note = _("{n} dates, agreed on {day} by {name}", n=len(dates), day=value(on), name=approver)
            became = Became(what=_("agreed plan"), now=_("Plan {number}", number=number), note=note)
        case s.PlanConfirmed(source=source, data_date=day, note=said):
            ways = {"import": _("from an imported file"), "source": _("from a source")}
            how = ways.get(source, "")
            stood = _("as it stood on {day}", day=value(day)) if day else ""
            note = ", ".join(filter(None, (how, stood, said)))
            became = Became(what=_("confirmed, dates still hold"), note=note)
        case s.DayEnded(day=day):
            return InSentences(subject=_("Calendar"), became=(Became(what=_("the day ended"), now=value(day)),))
        case _:
            assert_never(event)
    return InSentences(subject=_("Plan"), became=(became,))


def _risk(event: r.RiskEvent, both: Both) -> InSentences:
    details = both.after.risks.risks[event.risk].details
    return InSentences(subject=f"{details.ref} {details.title}", became=tuple(_of_risk(event, both)))


def _of_risk(event: r.RiskEvent, both: Both) -> Sequence[Became]:
    register: Register = both.old.risks
    old = register.risks.get(event.risk)
    match event:
        case r.RiskRaised(residual=points):
            return [Became(what=_("raised, score"), now=value(points))]
        case r.RiskDescribed(details=details):
            return [*differences(old.details, details, RISK)] if old else []
        case r.RiskScored(residual=points):
            return [Became(what=_("Score"), was=value(old.residual) if old else "", now=value(points))]
        case r.ClientViewAsked(client=client):
            return [Became(what=_("{client} was asked for a score", client=both.client(client)))]
        case r.ClientScored(client=client, points=points, by=by):
            earlier = old.client_scores.get(client, ()) if old else ()
            was = value(earlier[-1].points) if earlier else ""
            said = _("Score of {client}", client=both.client(client))
            return [Became(what=said, was=was, now=value(points), note=_("by {name}", name=both.person(by)))]
        case r.RiskNoteTaken(note=note):
            return [Became(what=_("Internal note"), now=note)]
        case r.RiskClosed():
            return [Became(what=_("Closed"))]
        case r.RiskReopened():
            return [Became(what=_("Reopened"))]
        case _:
            assert_never(event)


def _budget(event: b.BudgetEvent, both: Both) -> Sequence[Became]:
    account, currency = both.old.budget.accounts.get(event.measure), both.after.currency
    match event:
        case b.BudgetApproved(amount=amount):
            return [Became(what=_("Approved budget"), now=words.money(amount))]
        case b.BudgetChangeApproved(amount=added, approver=approver):
            bac = account.bac if account else None
            was, now = amounts(bac, (bac or 0) + added.amount, currency)
            return [Became(what=_("Approved budget"), was=was, now=now, note=_("by {name}", name=approver))]
        case b.SpendPlanned(points=points):
            last = words.money(Money(points[-1].amount, currency)) if points else ""
            note = _("{n} periods", n=len(points))
            return [Became(what=_("Planned spend"), now=last, note=note)]
        case b.CostMeasured(status_date=on):
            return [*_measured(event, both, _("at {day}", day=value(on)))]
        case b.CompletionForecast(status_date=on, eac=eac):
            was, now = amounts(account.forecasts[-1].eac if account and account.forecasts else None, eac, currency)
            return [Became(what=_("Forecast at completion"), was=was, now=now, note=_("at {day}", day=value(on)))]
        case _:
            assert_never(event)


def _measured(event: b.CostMeasured, both: Both, note: str) -> list[Became]:
    account, found = both.old.budget.accounts.get(event.measure), []
    named = (
        (_("Spent"), "ac", event.ac),
        (_("Planned value"), "pv", event.pv),
        (_("Earned value"), "ev", event.ev),
    )
    for name, field, amount in named:
        if amount is not None:
            known = account.known(field) if account else None  # type: ignore[arg-type]
            was, now = amounts(getattr(known, field) if known else None, amount, both.after.currency)
            found.append(Became(what=name, was=was, now=now))
    return [msgspec.structs.replace(one, note=note if one is found[-1] else "") for one in found]


def _health(event: h.HealthEvent, both: Both) -> InSentences:
    subject = _("{part} status", part=_(event.dimension.capitalize()))
    status = both.old.health.status(event.dimension)
    was = _(STATUS[status]) if status else ""
    match event:
        case h.HealthOverridden(status=now, until=until):
            note = _("by hand until {at}", at=words.moment_year(until, both.after.time_zone))
            became = Became(what="", was=was, now=_(STATUS[now]), note=note)
        case h.HealthOverrideEnded(cause=cause):
            after = both.after.health.status(event.dimension)
            why = _("set by hand no longer") if cause == "withdrawn" else _("set by hand until now")
            became = Became(what=_("by the rule again"), was=was, now=_(STATUS[after]) if after else "", note=why)
        case _:
            assert_never(event)
    return InSentences(subject=subject, became=(became,))


def _own(event: p.OwnEvent, both: Both) -> Sequence[Became]:
    old, new = both.old, both.after
    match event:
        case p.ProjectStarted():
            return [Became(what=_("started"))]
        case p.ProjectDescribed():
            named = (
                (_("Internal title"), old.title, new.title),
                (_("Title for clients"), old.client_title, new.client_title),
                (_("Owner"), both.person(old.owner), both.person(new.owner)),
            )
            return [Became(what=what, was=was, now=now) for what, was, now in named if was != now]
        case p.ProjectCorrected():
            money = Became(what=_("Currency"), was=old.currency, now=new.currency)
            zone = Became(what=_("Time zone"), was=old.time_zone, now=new.time_zone)
            return [one for one in (money, zone) if one.was != one.now]
        case p.CalendarSet():
            return [Became(what=_("calendar changed"))]
        case p.TolerancesSet(tolerances=tolerances):
            return [*differences(old.tolerances, tolerances, TOLERANCES)]
        case p.ProjectHeld():
            return [Became(what=_("put on hold"))]
        case p.ProjectResumed():
            return [Became(what=_("resumed"))]
        case p.ProjectClosed():
            return [Became(what=_("closed"))]
        case ChangePutBack():
            return _put_back(both.put_back(event))
        case _:
            assert_never(event)


def _put_back(things: Sequence[str]) -> list[Became]:
    """Return what was put back, thing by thing, and how many there are beyond the first ones."""
    found = [Became(what=_("put back"), now=thing) for thing in things[:NAMED]]
    if len(things) > NAMED:
        more = counted("one more change", "{many} more changes", len(things) - NAMED)
        found.append(Became(what=_("put back"), now=more))
    return found or [Became(what=_("a change was put back"))]
