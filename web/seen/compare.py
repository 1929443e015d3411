"""The plan beside the screen: every figure of two views as text, which of them differ, and why.

Rule: a difference has exactly one reason. What the terms in force do not cover is not shared; what they cover and was
kept back for review is held; what the client may know and the page lacks was not sent yet.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from domain.ids import MilestoneId, RiskId
from domain.language import N_, Said
from domain.language import gettext as _
from domain.plan.project import Project
from domain.view import BudgetVital, ClientView, DateUnit, Indicator, MilestoneRow, RiskCard, RiskVital
from projections.wording import words
from web.render import figures as drawn
from web.render.page import WORD

Kind = Literal["page", "milestone", "risk", "schedule", "budget", "risks"]
Key = tuple[Kind, str, str]  # of what, its id, which figure
Reason = Literal["unshared", "held", "unsent"]
FIGURES = Said(
    {
        "forecast": N_("forecast"),
        "agreed": N_("agreed date"),
        "slip": N_("slip"),
        "status": N_("status"),
        "met": N_("date met"),
        "score": N_("score"),
        "client": N_("their own score"),
        "spent": N_("spent"),
        "budget": N_("budget"),
        "counts": N_("how many"),
        "sentence": N_("the sentence"),
        "phase": N_("phase"),
        "overall": N_("overall status"),
    }
)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One figure that the plan and the screen put differently; "" where it is not there."""

    key: Key
    plan: str
    shown: str
    reason: Reason
    since: datetime | None  # when the plan began to say so, UTC
    as_of: datetime | None = None  # since when it held in its source, where that is said


def figures(view: ClientView | None) -> dict[Key, str]:
    """Return every figure of a view as people read it."""
    if view is None:
        return {}
    texts: dict[Key, str] = {("page", "", "sentence"): view.headline.sentence}
    if view.phase:
        texts["page", "", "phase"] = view.phase.replace("_", " ")
    texts |= _status(("page", "", "overall"), view.overall)
    if view.schedule:
        texts |= _status(("schedule", "", "status"), view.schedule.indicator)
        if view.schedule.slip_days is not None:
            texts["schedule", "", "slip"] = words.signed_in(view.schedule.slip_days, view.date_unit)
    if view.budget:
        texts |= _budget(view.budget)
    if view.risk:
        texts |= _risks(view.risk)
    for row in view.milestones:
        texts |= {("milestone", row.id, name): text for name, text in milestone(row, view.date_unit).items()}
    for card in view.risks:
        texts |= {("risk", card.id, name): text for name, text in risk(card).items()}
    return texts


def milestone(row: MilestoneRow, unit: DateUnit) -> dict[str, str]:
    """Return the figures of a milestone, without those that are not there."""
    texts = {
        "met" if row.actual else "forecast": words.day_year_in(day, unit)
        if (day := row.actual or row.forecast)
        else "",
        "agreed": words.day_year_in(row.baseline, unit) if row.baseline else "",
        "slip": words.signed_in(row.slip.since_current, unit, short=True) if row.slip else "",
        "status": WORD[row.status] if row.status else "",
    }
    return {name: text for name, text in texts.items() if text}


def risk(card: RiskCard) -> dict[str, str]:
    """Return the figures of a risk, without those that are not there."""
    score, theirs = card.score, card.client_score
    texts = {
        "score": f"{score.probability}×{score.impact} = {score.value}" if score else card.band or "",
        "client": f"{theirs.probability}×{theirs.impact} = {theirs.value}" if theirs else "",
        "status": _("closed") if card.status == "closed" else "",
    }
    return {name: text for name, text in texts.items() if text}


def _status(key: Key, indicator: Indicator | None) -> dict[Key, str]:
    return {key: WORD[indicator.status]} if indicator else {}


def _risks(vital: RiskVital) -> dict[Key, str]:
    """Return what the vital sign of the risks says: the worst of those shared, the status where none is scored."""
    if not vital.top:
        return _status(("risks", "", "status"), vital.indicator)
    part = drawn.risk_vital(vital)
    return {("risks", "", "status"): part.worst_risk, ("risks", "", "counts"): part.risk_counts}


def _budget(vital: BudgetVital) -> dict[Key, str]:
    texts = _status(("budget", "", "status"), vital.indicator)
    for name in ("forecast", "spent", "budget"):
        text = amount(vital, name)
        if text:
            texts["budget", "", name] = text
    return texts


def amount(vital: BudgetVital, name: str) -> str:
    """Return a figure of the budget in money, in percent where only that is there, or ""."""
    money, share = getattr(vital, name), getattr(vital, f"{name}_share", None)
    return words.money(money) if money is not None else words.percent(share) if isinstance(share, Decimal) else ""


def differences(
    plan: ClientView | None,
    due: ClientView | None,
    shown: ClientView | None,
    state: Project | None,
    out: ClientView | None = None,
) -> list[Difference]:
    """Return every figure in which what was shown is not what was true, in the order of the page.

    `plan` is put at the level of detail of the terms; `due` is what they let the client know, `out` what of that did
    not wait for review; all of it when None.
    """
    full, allowed, released, seen = figures(plan), figures(due), figures(out or due), figures(shown)
    if plan and shown and plan.budget and shown.budget:
        _same_in_percent(plan.budget, shown.budget, full, seen)
    apart = []
    for key in [*full, *(key for key in seen if key not in full)]:
        true, said, may, went = (side.get(key, "") for side in (full, seen, allowed, released))
        text = may or true  # what the plan said, as the client would read it
        reason: Reason | None = None
        if said != went:
            reason, text = "unsent", went or text
        elif went != may:
            reason = "held"
        elif true != said:
            reason, text = "unshared", true
        if reason is not None:
            apart.append(Difference(key=key, plan=text, shown=said, reason=reason, **_times(state, key)))
    return apart


def _same_in_percent(plan: BudgetVital, shown: BudgetVital, full: dict[Key, str], seen: Mapping[Key, str]) -> None:
    """Make a figure shown in percent the same as the amount it stands for, in `full`, so that it does not differ."""
    for name in ("forecast", "spent"):
        key: Key = ("budget", "", name)
        share = getattr(shown, f"{name}_share")
        if getattr(shown, name) is None and share is not None and share == getattr(plan, f"{name}_share"):
            full[key] = seen[key]
    if shown.measure and shown.budget is None:
        full.pop(("budget", "", "budget"), None)  # percent of it is shown


def _times(state: Project | None, key: Key) -> dict[str, datetime | None]:
    """Return when the plan began to say what it says of a figure, and since when it held, as far as that is kept."""
    if state is None:
        return {"since": None}
    kind, subject, figure = key
    milestone = state.schedule.milestones.get(MilestoneId(subject)) if kind == "milestone" else None
    if milestone is not None and figure in ("forecast", "slip", "status"):
        return {"since": milestone.moved_at, "as_of": milestone.moves[-1].as_of}
    if milestone is not None:
        return {"since": milestone.described_at}
    risk = state.risks.risks.get(RiskId(subject)) if kind == "risk" else None
    if risk is not None:
        return {"since": risk.scored_at, "as_of": risk.scores[-1].as_of}
    if kind == "budget":
        return {"since": max((account.changed_at for account in state.budget.accounts.values()), default=None)}
    return {"since": state.changed_at if kind == "page" and figure == "sentence" else None}
