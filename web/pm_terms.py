"""The terms of an agreement as a plain form: what is ticked becomes `Terms`, and back. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import msgspec

from domain.agreement import BudgetLevel, Measure, MilestoneField, ProjectField, RiskField, Terms
from domain.errors import Invalid
from domain.project import Project
from domain.view import Dimension

MILESTONE_FIELDS: dict[str, str] = {
    "baseline": "Agreed date", "forecast": "Forecast", "slip": "Slip", "status": "Status", "actual": "Date met",
    "reason": "Reason for the last movement", "trend": "Trend of the forecast", "range": "Earliest and latest",
    "deadline": "Contractual deadline", "progress": "Percent complete", "client_action": "What waits for the client",
    "acceptance": "Acceptance", "owner_side": "Who has to act", "kind": "Kind", "value": "Payment due with it",
    "confirmed": "When last confirmed",
}  # fmt: skip
RISK_FIELDS: dict[str, str] = {
    "score": "Score", "history": "Score before", "inherent": "Score before any response",
    "client_score": "Client’s own score",
    "cause": "Cause and event", "effect": "Effect", "response": "Response", "owner": "Owner", "category": "Category",
    "proximity": "Proximity",
}  # fmt: skip
LEVELS = {"nothing": "Nothing", "rag": "Status alone", "percent": "Percentages", "amounts": "Amounts"}
MEASURES = {"price": "Price, to the client", "cost": "Cost, internal"}
HEALTH = {"overall": "Overall", "schedule": "Schedule", "budget": "Budget", "risk": "Risk"}
PROJECT_FIELDS = {"phase": "On hold or closed", "baselines": "Earlier agreed plans", "confirmed": "When last confirmed"}
Typed = Mapping[str, Sequence[str]]

assert set(MILESTONE_FIELDS) == set(get_args(MilestoneField))
assert set(RISK_FIELDS) == set(get_args(RiskField))
assert set(LEVELS) == set(get_args(BudgetLevel))
assert set(MEASURES) == set(get_args(Measure))
assert set(HEALTH) == set(get_args(Dimension))
assert set(PROJECT_FIELDS) == set(get_args(ProjectField))


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
        "budget": _first(typed, "budget") or "nothing",
        "measure": _first(typed, "measure") or "price",
        "curve": _first(typed, "curve") == "yes",
        "indices": _first(typed, "indices") == "yes",
    }
    try:
        return msgspec.convert(raw, Terms)
    except msgspec.ValidationError as error:
        raise Invalid(f"This form does not fit: {error}. Reload the page and try again.") from None


def _chosen(typed: Typed, name: str) -> str | list[str]:
    match _first(typed, name):
        case "all":
            return "all"
        case "some":
            return list(typed.get(name[:-1], ()))
        case _:
            return []


def _first(typed: Typed, name: str) -> str:
    given = typed.get(name, ())
    return given[0] if given else ""


def choices(project: Project, terms: Terms) -> dict[str, Any]:
    """Return what the form shows: every choice with whether it is taken."""
    ordered = sorted(project.schedule.milestones.values(), key=lambda m: (m.expected, m.details.title, m.id))
    ranked = sorted(project.risks.risks.values(), key=lambda r: (r.closed, r.details.ref))
    return {
        "terms": terms,
        "all_milestones": ordered,
        "all_risks": ranked,
        "milestone_fields": MILESTONE_FIELDS,
        "risk_fields": RISK_FIELDS,
        "levels": LEVELS,
        "measures": MEASURES,
        "health_words": HEALTH,
        "project_fields": PROJECT_FIELDS,
    }


def summary(terms: Terms) -> str:
    """Return what terms cover in one line: "All client-facing milestones · price, amounts · 3 risks"."""
    told = [_many(terms.milestones, "milestone"), _many(terms.risks, "risk")]
    if terms.budget != "nothing":
        told.insert(1, f"{terms.measure}, {LEVELS[terms.budget].lower()}")
    if terms.health:
        told.append(f"status of {', '.join(HEALTH[d].lower() for d in terms.health)}")
    return " · ".join(part for part in told if part) or "Nothing"


def _many(chosen: str | Sequence[str], one: str) -> str:
    if chosen == "all":
        return f"all client-facing {one}s"
    return f"{len(chosen)} {one}{'' if len(chosen) == 1 else 's'}" if chosen else ""
