"""The differences between two views of a share, as data and in words. Pure.

Rule: every difference a reader would notice is a `Change`; a view that differs otherwise gives "Details updated".
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TypedDict, Unpack

from domain.language import N_
from domain.language import gettext as _
from domain.money import Money
from domain.view import BudgetVital, ClientView, Indicator, MilestoneRow, RiskCard
from projections.entries.changes_said import said
from projections.entries.entry import Change
from projections.wording import words

BAND = {"low": N_("Low"), "medium": N_("Medium"), "high": N_("High")}
STATUS = {"on_track": N_("On track"), "at_risk": N_("At risk"), "off_track": N_("Off track")}
PHASE = {"running": N_("Running"), "on_hold": N_("On hold"), "closed": N_("Closed")}


def changes(previous: ClientView | None, view: ClientView) -> tuple[Change, ...]:
    """Return every difference a reader would notice, most important first."""
    if previous is None:
        say = _("{project} is shared with you", project=view.project)
        return (_change("share.opened", "", view.project, after=_("Shared"), why=_("First update"), say=say),)
    moved = [*_project(previous, view), *_milestones(previous, view), *_risks(previous, view), *_budget(previous, view)]
    noticed = [*moved, *said(previous, view)]
    if not noticed and previous != view:
        say = _("Details were updated")
        noticed = [_change("share.updated", "", view.project, after=_("Details updated"), say=say)]
    return tuple(noticed)


class _Texts(TypedDict, total=False):
    """The fields of a `Change` that are "" where nothing is said."""

    before: str
    after: str
    note: str
    why: str
    say: str


def _change(kind: str, subject: str, title: str, **given: Unpack[_Texts]) -> Change:
    texts: _Texts = {"before": "", "after": "", "note": "", "why": "", "say": "", **given}
    texts["say"] = words.plain(texts["say"])
    return Change(kind=kind, subject=subject, title=title, **texts)


def _project(old: ClientView, new: ClientView) -> Iterator[Change]:
    if old.terms_version != new.terms_version:
        before, after = (
            _("Agreement {terms_version}", terms_version=old.terms_version),
            _("Agreement {terms_version}", terms_version=new.terms_version),
        )
        yield _change(
            "agreement.amended",
            "",
            _("Share agreement"),
            before=before,
            after=after,
            say=_("{after} is now in force", after=after),
        )
    if old.phase and new.phase and old.phase != new.phase:
        after = PHASE[new.phase]
        yield _change(
            "project.phase",
            "",
            new.project,
            before=PHASE[old.phase],
            after=after,
            say=_("The project is {after}", after=after.lower()),
        )
    if len(new.baselines) > len(old.baselines):
        newest = new.baselines[-1]
        say = _(
            "Plan {number} was agreed on {approved_on}",
            number=newest.number,
            approved_on=words.long_day(newest.approved_on),
        )
        after = _("Plan {number}", number=newest.number)
        yield _change(
            "plan.agreed",
            "",
            _("New agreed plan"),
            after=after,
            note=words.day_year(newest.approved_on),
            why=newest.reason,
            say=say,
        )
    for name in ("schedule", "budget", "risk", "overall"):
        yield from _health(name, old, new)
    if old.confirmed_at != new.confirmed_at and new.confirmed_at is not None:
        at = words.moment(new.confirmed_at, new.time_zone)
        yield _change(
            "plan.confirmed",
            "",
            _("Plan confirmed"),
            after=_("Unchanged"),
            note=at,
            say=_("The plan was confirmed unchanged"),
        )


def _health(name: str, old: ClientView, new: ClientView) -> Iterator[Change]:
    before, after = _indicator(old, name), _indicator(new, name)
    if before is None or after is None or before.status == after.status:
        return
    title = _("{name} status", name=name.capitalize())
    yield _change(
        f"health.{name}",
        "",
        title,
        before=STATUS[before.status],
        after=STATUS[after.status],
        why=after.reason,
        say=_(
            "{title} changed from {status} to {lower}",
            title=title,
            status=STATUS[before.status].lower(),
            lower=STATUS[after.status].lower(),
        ),
    )


def _indicator(view: ClientView, name: str) -> Indicator | None:
    part = getattr(view, name)
    indicator: Indicator | None = part if name == "overall" else getattr(part, "indicator", None)
    return indicator


def _milestones(old: ClientView, new: ClientView) -> Iterator[Change]:
    before = {m.id: m for m in old.milestones}
    after = {m.id: m for m in new.milestones}
    for row in reversed(new.milestones):
        if row.id in before:
            yield from _milestone(before[row.id], row)
        else:
            date_shown = _date(row.forecast or row.baseline)
            yield _change(
                "milestone.added",
                row.id,
                row.title,
                after=date_shown,
                note=_("New"),
                say=_("{title} was added", title=row.title),
            )
    for row in old.milestones:
        if row.id not in after:
            yield _change(
                "milestone.withdrawn",
                row.id,
                row.title,
                before=_date(row.forecast or row.baseline),
                after=_("No longer shared"),
                say=_("{title} is no longer shared", title=row.title),
            )


def _milestone(old: MilestoneRow, new: MilestoneRow) -> Iterator[Change]:
    yield from _course(old, new)
    yield from _progress(old, new)
    yield from _acceptance(old, new)
    if old.title != new.title:
        yield _change(
            "milestone.renamed",
            new.id,
            new.title,
            before=old.title,
            after=new.title,
            say=_("{title} is now called {new_title}", title=old.title, new_title=new.title),
        )


def _course(old: MilestoneRow, new: MilestoneRow) -> Iterator[Change]:
    """Yield what became of a milestone: reached, moved, reopened, or another status; at most one of these."""
    if old.status != "met" and new.status == "met":
        on = _(" on {actual}", actual=words.long_day(new.actual)) if new.actual else ""
        yield _change(
            "milestone.met",
            new.id,
            new.title,
            after=_("Done"),
            note=_date(new.actual),
            say=_("{title} was reached{on}", title=new.title, on=on),
        )
    elif old.forecast != new.forecast and old.forecast and new.forecast:
        days = (new.forecast - old.forecast).days
        yield _change(
            "milestone.forecast",
            new.id,
            new.title,
            before=_date(old.forecast),
            after=_date(new.forecast),
            note=words.signed(days),
            why=new.reason,
            say=_(
                "{title} moved from {forecast} to {new_forecast}",
                title=new.title,
                forecast=words.long_day(old.forecast),
                new_forecast=words.long_day(new.forecast),
            ),
        )
    elif old.status == "met" and new.status != "met":
        yield _change(
            "milestone.reopened",
            new.id,
            new.title,
            before=_("Done"),
            after=_("Open"),
            say=_("{title} was reopened", title=new.title),
        )
    elif old.status != new.status and new.status in STATUS and old.status in STATUS:
        yield _change(
            "milestone.status",
            new.id,
            new.title,
            before=STATUS[old.status],
            after=STATUS[new.status],
            say=_("{title} is {status}", title=new.title, status=STATUS[new.status].lower()),
        )


def _progress(old: MilestoneRow, new: MilestoneRow) -> Iterator[Change]:
    if old.progress != new.progress and new.progress is not None and new.status != "met":
        before = f"{old.progress} %" if old.progress is not None else ""
        yield _change(
            "milestone.progress",
            new.id,
            new.title,
            before=before,
            after=f"{new.progress} %",
            note="complete",
            say=_("{title} is {progress} percent complete", title=new.title, progress=new.progress),
        )


def _acceptance(old: MilestoneRow, new: MilestoneRow) -> Iterator[Change]:
    if old.accepted_on is None and new.accepted_on is not None:
        yield _change(
            "milestone.accepted",
            new.id,
            new.title,
            after=_("Accepted"),
            note=_date(new.accepted_on),
            say=_("{title} was accepted", title=new.title),
        )


def _date(value: date | None) -> str:
    return words.day(value) if value else ""


def _risks(old: ClientView, new: ClientView) -> Iterator[Change]:
    before, after = {r.id: r for r in old.risks}, {r.id: r for r in new.risks}
    for card in new.risks:
        title = f"{card.ref} {card.title}"
        if card.id not in before:
            score = str(card.score.value) if card.score else ""
            yield _change(
                "risk.added",
                card.id,
                title,
                after=score or _("New"),
                note=_("New risk"),
                say=_("Risk {title} was added", title=title),
            )
        else:
            yield from _risk(before[card.id], card, title)
    for card in old.risks:
        if card.id not in after:
            title = f"{card.ref} {card.title}"
            yield _change(
                "risk.withdrawn",
                card.id,
                title,
                after=_("No longer shared"),
                say=_("Risk {title} is no longer shared", title=title),
            )


def _risk(old: RiskCard, new: RiskCard, title: str) -> Iterator[Change]:
    if old.status != new.status:
        word = _("Closed") if new.status == "closed" else _("Reopened")
        yield _change(
            f"risk.{word.lower()}",
            new.id,
            title,
            after=word,
            say=_("Risk {title} was {word}", title=title, word=word.lower()),
        )
    if old.score and new.score and old.score.value != new.score.value:
        note = BAND[new.band] if new.band else ""
        if old.band and new.band and old.band != new.band:
            note = _("{band} to {lower}", band=BAND[old.band], lower=BAND[new.band].lower())
        yield _change(
            "risk.score",
            new.id,
            title,
            before=str(old.score.value),
            after=str(new.score.value),
            note=note,
            say=_(
                "Risk {title} went from {value} to {score_value}",
                title=title,
                value=old.score.value,
                score_value=new.score.value,
            ),
        )
    if new.client_score != old.client_score and new.client_score:
        yield _change(
            "risk.client-score",
            new.id,
            title,
            before=str(old.client_score.value) if old.client_score else "",
            after=str(new.client_score.value),
            note=_("Your view, {client_scored_by}", client_scored_by=new.client_scored_by)
            if new.client_scored_by
            else _("Your view"),
            say=_("Your view of {title} is recorded", title=title),
        )
    elif not old.view_needed and new.view_needed:
        yield _change(
            "risk.view-asked",
            new.id,
            title,
            after=_("Your view needed"),
            say=_("Your view of {title} is needed", title=title),
        )


def _budget(old: ClientView, new: ClientView) -> Iterator[Change]:
    before, after = old.budget, new.budget
    if before is None or after is None:
        return
    for field, title in (
        ("spent", _("Spend")),
        ("forecast", _("Forecast at completion")),
        ("budget", _("Approved budget")),
    ):
        yield from _figure(field, title, before, after)


def _figure(field: str, title: str, old: BudgetVital, new: BudgetVital) -> Iterator[Change]:
    before: Money | None = getattr(old, field)
    after: Money | None = getattr(new, field)
    if before is not None and after is not None and before != after:
        difference = after - before
        sign = "+" if difference.amount > 0 else ""
        dated_title = (
            _("{title} to {status_date}", title=title, status_date=words.day(new.status_date))
            if field == "spent" and new.status_date
            else title
        )
        yield _change(
            f"budget.{field}",
            "",
            dated_title,
            before=words.money(before),
            after=words.money(after),
            note=f"{sign}{words.money(difference)}",
            say=_("{title} is now {after}", title=title, after=words.money(after)),
        )
    elif field != "budget" and after is None:
        yield from _percentage(field, title, getattr(old, f"{field}_share"), getattr(new, f"{field}_share"))


def _percentage(field: str, title: str, old: Decimal | None, new: Decimal | None) -> Iterator[Change]:
    """Yield the change of a figure that is shared as a share of the budget alone."""
    if old is not None and new is not None and old != new:
        shown = words.percent(new)
        yield _change(
            f"budget.{field}",
            "",
            title,
            before=words.percent(old),
            after=shown,
            note=_("of the budget"),
            say=_("{title} is {shown} of the budget", title=title, shown=shown),
        )
