"""What waits for review, in words: what it is, which rule holds it, how and when that ends."""

from datetime import date

import msgspec

from domain.agreement.terms import Release
from domain.ids import MilestoneId, RiskId
from domain.language import N_, Said, ngettext
from domain.language import gettext as _
from domain.money import Money
from domain.plan.project import Project
from domain.reveal.holding import Held
from domain.view import ClientView
from projections.events.hold_book import Hold
from projections.wording import words
from projections.wording.instants import Clock

RULE = Said({"slip": N_("slip rule"), "cost": N_("budget rule"), "score": N_("score rule")})


def what(held: Held, now: Project) -> str:
    """Return what changed since it is held: "Signalling interface accepted 12 → 19 May", "R-07 scored 8 → 16"."""
    kind, _dash, key = held.fact.subject.partition("-")
    if kind == "milestone":
        return _milestone(held, now, MilestoneId(key))
    if kind == "risk":
        return _risk(held, now, RiskId(key))
    return _budget(held, now)


def _milestone(held: Held, now: Project, key: MilestoneId) -> str:
    old, new = held.milestone, now.schedule.milestones.get(key)
    if old is None or new is None:
        return _("{client_title}, removed since", client_title=old.details.client_title if old else key)
    title = (new if new.details.client_title else old).details.client_title
    if old.expected == new.expected:
        return _("{title} {expected}, moved and moved back", title=title, expected=words.day_year(new.expected))
    return f"{title} {_up_to(old.expected, new.expected)} → {words.day_year(new.expected)}"


def _up_to(day: date, end: date) -> str:
    """Return a date before another in short: what the two share is said with the second."""
    if day.year != end.year:
        return words.day_year(day)
    return words.day(day) if day.month != end.month else str(day.day)


def _risk(held: Held, now: Project, key: RiskId) -> str:
    old, new = held.risk, now.risks.risks.get(key)
    if new is None:
        return key
    if old is None or not old.details.client_facing:
        title = new.details.client_title
        return _(
            "{ref} {title}, new at {score}",
            ref=new.details.ref,
            title=title,
            score=new.residual.score,
        )
    if old.residual.score == new.residual.score:
        return _("{ref} scored {score}, changed and changed back", ref=new.details.ref, score=new.residual.score)
    return _(
        "{ref} scored {score} → {residual_score}",
        ref=new.details.ref,
        score=old.residual.score,
        residual_score=new.residual.score,
    )


def _budget(held: Held, now: Project) -> str:
    old, new = held.account, now.budget.accounts.get(held.measure)
    if old is None or new is None:
        return _("Budget approved") if new else _("Budget")
    before, after = old.earned_value(), new.earned_value()
    for name, was, is_now in (
        ("forecast", before.eac, after.eac), ("approved", old.bac, new.bac), ("spent", before.ac, after.ac)
    ):  # fmt: skip
        if was != is_now and is_now is not None:
            amount = words.money(Money(is_now, now.currency))
            return (
                _(
                    "Budget: {name} {money} → {told}",
                    name=name,
                    money=words.money(Money(was, now.currency)),
                    told=amount,
                )
                if was is not None
                else (_("Budget: {name} {told}", name=name, told=amount))
            )
    return _("Budget: planned or earned value")


def title(subject: str, project: Project | None) -> str:
    """Return what a held item is called to its client."""
    kind, _dash, key = subject.partition("-")
    if project is not None and (milestone := project.schedule.milestones.get(MilestoneId(key))) is not None:
        return milestone.details.client_title or milestone.details.title
    if project is not None and (risk := project.risks.risks.get(RiskId(key))) is not None:
        return f"{risk.details.ref} {risk.details.client_title or risk.details.title}"
    return _("Budget") if kind == "budget" else key


def rule(why: str, release: Release | None) -> str:
    """Return which kind of change waits: "a date that moves later by more than 5 days"."""
    if why == "slip":
        days = release.slip_days if release and release.slip_days is not None else None
        if not days:
            return _("a date that moves later")
        return ngettext(
            "a date that moves later by more than {days} day",
            "a date that moves later by more than {days} days",
            days,
            days=days,
        )
    if why == "score":
        if release and release.score:
            return _("a risk scored {score} or higher", score=release.score)
        return _("a risk scored high")
    return _("any change of the shared budget")


def ended(hold: Hold, clock: Clock, by: str) -> str:
    """Return how a hold ended: "released by Marta Lind 13:58 with a note", "its time was up Tue 16 March 13:58"."""
    if hold.ended is None:
        return _("until {until} at most", until=clock.moment(hold.fact.until))
    at = clock.moment(hold.ended)
    match hold.how:
        case "released":
            if hold.note:
                return _("released by {by} {at} with a note", by=by, at=at)
            return _("released by {by} {at}", by=by, at=at)
        case "time_up":
            return _("its time was up {at}", at=at)
        case "share_ended":
            return _("never shown: the share ended {at} while it waited", at=at)
        case _:
            return _("let go {at}, when a new agreement no longer held it", at=at)


def why(hold: Hold, by: str, clock: Clock) -> str:
    """Return why somebody was not told: "held for review by the slip rule until ...; released by Marta Lind ..."."""
    fact = hold.fact
    if hold.ended is None:
        return _(
            "held for review by the {rule}, until {until} at most", rule=RULE[fact.why], until=clock.moment(fact.until)
        )
    if hold.how == "time_up":
        return _(
            "held for review by the {rule} until its time was up {ended}",
            rule=RULE[fact.why],
            ended=clock.moment(hold.ended),
        )
    return _(
        "held for review by the {rule} until {until} at most; {ended}",
        rule=RULE[fact.why],
        until=clock.moment(fact.until),
        ended=ended(hold, clock, by),
    )


def touched(before: ClientView | None, after: ClientView | None) -> set[str]:
    """Return which items two views put differently, by subject."""
    if before is None or after is None:
        return set()
    subjects = set[str]()
    for kind, old, new in (
        ("milestone", {m.id: m for m in before.milestones}, {m.id: m for m in after.milestones}),
        ("risk", {c.id: c for c in before.risks}, {c.id: c for c in after.risks}),
    ):
        subjects |= {f"{kind}-{key}" for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    return subjects | ({"budget"} if _figures(before) != _figures(after) else set())


def _figures(view: ClientView) -> object:
    """Return what of the budget can be held: everything but its judged status and what was said of it."""
    return view.budget and msgspec.structs.replace(view.budget, indicator=None, remarks=())
