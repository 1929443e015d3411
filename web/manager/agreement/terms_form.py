"""The terms of an agreement as a plain form: what is ticked becomes `Terms`, and `Terms` become ticks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict, get_args

import msgspec

from domain import catalogue, check
from domain.agreement.terms import Measure, Release, Terms, Ways
from domain.catalogue import BudgetLevel, MilestoneField, RiskField
from domain.errors import Invalid
from domain.language import N_, Said, lowered, ngettext
from domain.language import gettext as _
from domain.plan.project import Project
from domain.plan.risks import Risk
from domain.plan.schedule import Milestone
from projections.wording import days, words
from web.forms import fields
from web.manager.typed import Typed, first

LEVELS = {"nothing": N_("Nothing")} | {row.key: row.label for row in catalogue.of("budget")[:3]}
MEASURES = Said({"price": N_("Price, to the client"), "cost": N_("Cost, internal")})
MEASURE = Said({"price": N_("price"), "cost": N_("cost")})  # inside of a sentence
UNITS = Said({"day": N_("By day"), "month": N_("By month"), "quarter": N_("By quarter")})
SCORES = Said({"score": N_("As scores"), "band": N_("As bands: low, medium, high")})

assert set(LEVELS) == set(get_args(BudgetLevel))
assert set(MEASURES) == set(get_args(Measure))


TEMPLATES: dict[str, tuple[str, Terms]] = {
    "status": (
        N_("Status only"),
        Terms(health=("overall", "schedule", "budget", "risk"), project_fields=("phase",)),
    ),
    "slip": (
        N_("Milestones and slip"),
        Terms(
            milestones="all",
            milestone_fields=("actual", "baseline", "comments", "forecast", "reason", "slip", "status", "trend"),
            health=("schedule",),
        ),
    ),
    "progress": (
        N_("Progress report"),
        Terms(
            milestones="all",
            milestone_fields=(
                "actual",
                "baseline",
                "client_action",
                "comments",
                "forecast",
                "progress",
                "reason",
                "slip",
                "status",
                "trend",
            ),
            risks="all",
            risk_fields=("cause", "client_score", "comments", "effect", "history", "response", "score"),
            budget="percent",
            health=("overall", "schedule", "budget", "risk"),
        ),
    ),
    "open": (
        N_("Open book"),
        Terms(
            milestones="all",
            milestone_fields=tuple(sorted(get_args(MilestoneField))),
            risks="all",
            risk_fields=tuple(sorted(get_args(RiskField))),
            budget="amounts",
            measure="price",
            curve=True,
            indices=True,
            health=("overall", "schedule", "budget", "risk"),
            project_fields=("baselines", "confirmed", "phase"),
        ),
    ),
}
ABOUT = Said(
    {  # of each, a line for whoever chooses; "" is `start`
        "": N_("Client-facing milestones: agreed and forecast dates, slip and status. No risks, no money."),
        "status": N_("On track or not, overall and for schedule, budget and risk. No dates, no figures."),
        "slip": N_("Dates alone, and also the reason of each move, the trend and comments."),
        "progress": N_("Milestones and slip, and also progress, shared risks and the budget in percent."),
        "open": N_("Everything an agreement can cover, amounts included."),
    }
)


def fitting(terms: Terms, *, same: bool) -> Terms:
    """Return terms for another share; of another project, what is named there does not exist here and is left out."""
    if same:
        return terms
    milestones: Any = terms.milestones if terms.milestones == "all" else ()
    risks: Any = terms.risks if terms.risks == "all" else ()
    return msgspec.structs.replace(terms, milestones=milestones, risks=risks)


def start() -> Terms:
    """Return what a new form offers: dates of what is client-facing, nothing of money and risks."""
    return Terms(milestones="all", milestone_fields=("actual", "baseline", "forecast", "slip", "status"))


def terms_of(typed: Typed) -> Terms:
    """Return the terms a filled form stands for.

    Raises: Invalid.
    """
    raw: dict[str, Any] = {
        "milestones": _chosen(typed, "milestones"),
        "risks": _chosen(typed, "risks"),
        "milestone_fields": list(typed.get("milestone_fields", ())),
        "risk_fields": list(typed.get("risk_fields", ())),
        "health": list(typed.get("health", ())),
        "project_fields": list(typed.get("project_fields", ())),
        "budget": first(typed, "budget") or "nothing",
        "measure": first(typed, "measure") or "price",
        "curve": first(typed, "curve") == "yes",
        "indices": first(typed, "indices") == "yes",
        "date_unit": first(typed, "date_unit") or "day",
        "score_detail": first(typed, "score_detail") or "score",
        "money_step": _number(typed, "money_step", _("Amounts rounded to"), 0),
    }
    try:
        return msgspec.convert(raw, Terms)
    except msgspec.ValidationError as error:
        raise Invalid(_("This form does not fit: {error}. Reload the page and try again.", error=error)) from None


def ways_of(typed: Typed, zone: str) -> Ways:
    """Return how a filled form wants the terms disclosed; the last day is one in the client's `zone` (IANA).

    Raises: Invalid.
    """
    release = None
    if first(typed, "release") == "review":
        release = Release(
            hours=_number(typed, "hours", _("Hours"), 4) or 0,
            slip_days=_number(typed, "slip_days", _("Days of slip"), 5) if first(typed, "hold_slip") else None,
            cost=bool(first(typed, "hold_cost")),
            score=_number(typed, "score", _("Score"), 12) if first(typed, "hold_score") else None,
        )
    history = first(typed, "history")
    if history not in ("yes", "no"):
        ask = _("Say whether the client also learns what was recorded before this agreement")
        raise Invalid(_("{told}: choose from now on, or with the past included.", told=ask), "history")
    return Ways(history=history == "yes", release=release, expires=_last_day(first(typed, "expires"), zone))


def ways_kept(typed: Typed, zone: str, otherwise: Ways) -> Ways:
    """Return what was typed of the ways, each part that can be read, and the rest as it is `otherwise`."""
    history = {"yes": True, "no": False}.get(first(typed, "history"), otherwise.history)
    release = otherwise.release
    if first(typed, "release") == "once":
        release = None
    elif first(typed, "release") == "review":
        release = Release(
            hours=_kept_number(typed, "hours", 4),
            slip_days=_kept_number(typed, "slip_days", 5) if first(typed, "hold_slip") else None,
            cost=bool(first(typed, "hold_cost")),
            score=_kept_number(typed, "score", 12) if first(typed, "hold_score") else None,
        )
    try:
        expires = _last_day(first(typed, "expires"), zone)
    except Invalid:
        expires = otherwise.expires
    return Ways(history=history, release=release, expires=expires)


def _kept_number(typed: Typed, name: str, otherwise: int) -> int:
    try:
        return _number(typed, name, name, otherwise)
    except Invalid:
        return otherwise


def _number(typed: Typed, name: str, label: str, otherwise: int) -> int:
    text = first(typed, name).strip()
    if not text:
        return otherwise
    try:
        return fields.whole(text)
    except ValueError as error:
        raise Invalid(f"{label}: {error}", name) from None


def _last_day(text: str, zone: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        last = check.day("last_day", fields.day(text))
    except ValueError as error:
        raise Invalid(_("Last day: {error}", error=error), "expires") from None
    return days.end_of(last, zone)


def last_day(ways: Ways, zone: str) -> str:
    """Return the last day of an agreement as a date field holds it, in the client's zone; "" for none."""
    return "" if ways.expires is None else days.last_day(ways.expires, zone).isoformat()


def _chosen(typed: Typed, name: str) -> str | list[str]:
    match first(typed, name):
        case "all":
            return "all"
        case "some":
            return list(typed.get(name[:-1], ()))
        case _:
            return []


class Choices(TypedDict):
    """What the form offers: the terms as they are, and by name every choice in words."""

    terms: Terms
    all_milestones: list[Milestone]
    all_risks: list[Risk]
    milestone_fields: dict[str, str]
    risk_fields: dict[str, str]
    levels: dict[str, str]
    measures: dict[str, str]
    health_words: dict[str, str]
    project_fields: dict[str, str]
    units: dict[str, str]
    scores: dict[str, str]
    currency: str


def choices(project: Project, terms: Terms) -> Choices:
    """Return what the form offers: milestones by date, risks by reference with the closed ones last."""
    ordered = sorted(project.schedule.milestones.values(), key=lambda m: (m.expected, m.details.title, m.id))
    ranked = sorted(project.risks.risks.values(), key=lambda r: (r.closed, r.details.ref))
    return {
        "terms": terms,
        "all_milestones": ordered,
        "all_risks": ranked,
        "milestone_fields": catalogue.labels("milestone"),
        "risk_fields": catalogue.labels("risk"),
        "levels": LEVELS,
        "measures": MEASURES,
        "health_words": catalogue.labels("health"),
        "project_fields": catalogue.labels("project"),
        "units": UNITS,
        "scores": SCORES,
        "currency": project.currency,
    }


def summary(terms: Terms) -> str:
    """Return what terms cover in one line: "All client-facing milestones · price, amounts · 3 risks"."""
    parts = [_many(terms.milestones, "milestone"), _many(terms.risks, "risk")]
    if terms.budget != "nothing":
        parts.insert(1, ", ".join((MEASURE[terms.measure], lowered(_(LEVELS[terms.budget])))))
    if terms.health:
        listed = ", ".join(lowered(_(catalogue.BY_ID[f"health.{d}"].label)) for d in terms.health)
        parts.append(
            _("{name} status", name=listed) if len(terms.health) == 1 else _("status: {listed}", listed=listed)
        )
    parts += [lowered(UNITS[terms.date_unit])] if terms.date_unit != "day" else []
    parts += [_("risks as bands")] if terms.score_detail == "band" and terms.risks else []
    parts += [_("amounts to {step}", step=f"{terms.money_step:,}")] if terms.money_step else []
    return " · ".join(part for part in parts if part) or _("Nothing")


def manner(ways: Ways, zone: str) -> str:
    """Return how terms are disclosed: "From now on, until 3 May 2027" and, in a sentence of its own, what waits."""
    parts = [_("Past included") if ways.history else _("From now on")]
    if not ways.release:
        parts.append(_("at once"))
    if ways.expires is not None:
        parts.append(_("until {expires}", expires=words.day_year(days.last_day(ways.expires, zone))))
    when = ", ".join(parts)
    return f"{when}. {review(ways)}" if ways.release else when


def review(ways: Ways) -> str:
    """Return which changes wait and how long: "Slips over 5 days wait for you, 4 hours at most"; "" where none does."""
    held = ways.release
    if held is None:
        return ""
    every = [
        _("slips over {slip_days} days", slip_days=held.slip_days) if held.slip_days is not None else "",
        _("changes of the budget") if held.cost else "",
        _("risks scored {score} or more", score=held.score) if held.score is not None else "",
    ]
    kinds = [kind for kind in every if kind]
    what = _("{told} and {last}", told=", ".join(kinds[:-1]), last=kinds[-1]) if len(kinds) > 1 else "".join(kinds)
    what = what[:1].upper() + what[1:]
    if held.hours == 1:
        return _("{what} wait for you, 1 hour at most", what=what)
    return _("{what} wait for you, {hours} hours at most", what=what, hours=held.hours)


def _many(chosen: str | Sequence[str], one: str) -> str:
    many = len(chosen)
    if not many:
        return ""
    if one == "milestone":
        if chosen == "all":
            return _("all client-facing milestones")
        return ngettext("{n} milestone", "{n} milestones", many, n=many)
    if chosen == "all":
        return _("all client-facing risks")
    return ngettext("{n} risk", "{n} risks", many, n=many)
