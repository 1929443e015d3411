"""What becomes of a project, its milestones, risks and budget between two views: the course of events, in words. Pure.

Rule: at the level of days these are the words of entries of format 1 as well, which are compared with what was
recorded, so what is said here of days stays as it is. What else can change is told by `changes_values`.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from domain.language import N_, Said
from domain.language import gettext as _
from domain.money import Money
from domain.view import BudgetVital, ClientView, DateUnit, Indicator, MilestoneRow, RiskCard
from projections.entries.entry import Change
from projections.entries.one_change import Data
from projections.entries.one_change import change as _change
from projections.wording import words
from projections.wording.values import BAND, BAND_INSIDE, HEALTH, PHASE, STATE_INSIDE, STATUS, data

DIMENSIONS = ("schedule", "budget", "risk", "overall")


def agreement(old: ClientView, new: ClientView) -> Iterator[Change]:
    """Yield that another version of the agreement is in force."""
    if old.terms_version != new.terms_version:
        before, after = (
            _("Agreement {terms_version}", terms_version=old.terms_version),
            _("Agreement {terms_version}", terms_version=new.terms_version),
        )
        yield _change(
            "agreement.amended",
            "agreement",
            _("Share agreement"),
            before=before,
            after=after,
            say=_("{after} is now in force", after=after),
            field="terms_version",
            was=str(old.terms_version),
            now=str(new.terms_version),
        )


def project(old: ClientView, new: ClientView) -> Iterator[Change]:
    """Yield the phase of the project, a plan that was agreed, its statuses, and that its plan was confirmed."""
    if old.phase and new.phase and old.phase != new.phase:
        after = PHASE[new.phase]
        yield _change(
            "project.phase",
            "project",
            new.project,
            before=PHASE[old.phase],
            after=after,
            say=_project_is(new.phase),
            row="project.phase",
            field="phase",
            was=old.phase,
            now=new.phase,
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
            "project",
            _("New agreed plan"),
            after=after,
            note=words.day_year(newest.approved_on),
            why=newest.reason,
            say=say,
            row="project.baselines",
            field="baselines",
            was=data("baselines", old.baselines),
            now=data("baselines", new.baselines),
        )
    for name in DIMENSIONS:
        yield from _health(name, old, new)
    if old.confirmed_at != new.confirmed_at and new.confirmed_at is not None:
        at = words.moment_year(new.confirmed_at, new.time_zone)
        yield _change(
            "plan.confirmed",
            "project",
            _("Plan confirmed"),
            after=_("Unchanged"),
            note=at,
            say=_("The plan was confirmed unchanged"),
            row="project.confirmed",
            field="confirmed_at",
            was=data("confirmed_at", old.confirmed_at),
            now=data("confirmed_at", new.confirmed_at),
        )


def _project_is(phase: str) -> str:
    """Return the sentence that the project runs, is on hold or is closed."""
    match phase:
        case "running":
            return _("The project is running")
        case "on_hold":
            return _("The project is on hold")
        case _:
            return _("The project is closed")


def _health(name: str, old: ClientView, new: ClientView) -> Iterator[Change]:
    before, after = indicator(old, name), indicator(new, name)
    if before is None or after is None or before.status == after.status:
        return
    title = HEALTH[name]
    yield _change(
        f"health.{name}",
        "budget" if name == "budget" else "project",
        title,
        before=STATUS[before.status],
        after=STATUS[after.status],
        why=after.reason,
        say=_(
            "{title} changed from {status} to {lower}",
            title=title,
            status=STATE_INSIDE[before.status],
            lower=STATE_INSIDE[after.status],
        ),
        row=f"health.{name}",
        field="status",
        was=before.status,
        now=after.status,
    )


def indicator(view: ClientView, name: str) -> Indicator | None:
    """Return a health indicator of a view by its dimension."""
    part = getattr(view, name)
    found: Indicator | None = part if name == "overall" else getattr(part, "indicator", None)
    return found


def milestone_added(row: MilestoneRow, unit: DateUnit) -> Change:
    """Return that a milestone is shared that was not."""
    return _change(
        "milestone.added",
        f"milestone-{row.id}",
        row.title,
        after=_date(row.forecast or row.baseline, unit),
        note=_("New"),
        say=_("{title} was added", title=row.title),
    )


def milestone_withdrawn(row: MilestoneRow, unit: DateUnit) -> Change:
    """Return that a milestone is not shared any more."""
    return _change(
        "milestone.withdrawn",
        f"milestone-{row.id}",
        row.title,
        before=_date(row.forecast or row.baseline, unit),
        after=_("No longer shared"),
        say=_("{title} is no longer shared", title=row.title),
    )


def milestone(old: MilestoneRow, new: MilestoneRow, unit: DateUnit) -> Iterator[Change]:
    """Yield what became of a milestone whose dates are told in a unit."""
    yield from _course(old, new, unit)
    yield from _progress(old, new)
    yield from _acceptance(old, new, unit)
    if old.title != new.title:
        yield _change(
            "milestone.renamed",
            f"milestone-{new.id}",
            new.title,
            before=old.title,
            after=new.title,
            say=_("{title} is now called {new_title}", title=old.title, new_title=new.title),
            field="title",
            was=old.title,
            now=new.title,
        )


def _course(old: MilestoneRow, new: MilestoneRow, unit: DateUnit) -> Iterator[Change]:
    """Yield what became of a milestone: reached, moved, reopened, or another status; at most one of these."""
    if old.status != "met" and new.status == "met":
        yield _change(
            "milestone.met",
            f"milestone-{new.id}",
            new.title,
            after=_("Done"),
            note=_date(new.actual, unit),
            say=_reached(new, unit),
            **_settled(old, new),
        )
    elif old.forecast != new.forecast and old.forecast and new.forecast:
        days = (new.forecast - old.forecast).days
        yield _change(
            "milestone.forecast",
            f"milestone-{new.id}",
            new.title,
            before=_date(old.forecast, unit),
            after=_date(new.forecast, unit),
            note=words.signed_in(days, unit),
            why=new.reason,
            say=_(
                "{title} moved from {forecast} to {new_forecast}",
                title=new.title,
                forecast=words.long_in(old.forecast, unit),
                new_forecast=words.long_in(new.forecast, unit),
            ),
            row="milestone.forecast",
            field="forecast",
            was=old.forecast.isoformat(),
            now=new.forecast.isoformat(),
        )
    elif old.status == "met" and new.status != "met":
        yield _change(
            "milestone.reopened",
            f"milestone-{new.id}",
            new.title,
            before=_("Done"),
            after=_("Open"),
            say=_("{title} was reopened", title=new.title),
            **_settled(old, new),
        )
    elif old.status and new.status and old.status != new.status and new.status in STATUS and old.status in STATUS:
        yield _change(
            "milestone.status",
            f"milestone-{new.id}",
            new.title,
            before=STATUS[old.status],
            after=STATUS[new.status],
            say=_is(new.title, new.status),
            row="milestone.status",
            field="status",
            was=old.status,
            now=new.status,
        )


def _reached(row: MilestoneRow, unit: DateUnit) -> str:
    """Return the sentence that a milestone was reached, with the day, month or quarter where that is shared."""
    if row.actual is None:
        return _("{title} was reached", title=row.title)
    told = words.long_in(row.actual, unit)
    if unit == "day":
        return _("{title} was reached on {actual}", title=row.title, actual=told)
    return _("{title} was reached in {actual}", title=row.title, actual=told)


def _is(title: str, status: str) -> str:
    """Return the sentence that a milestone has a status."""
    match status:
        case "on_track":
            return _("{title} is on track", title=title)
        case "at_risk":
            return _("{title} is at risk", title=title)
        case _:
            return _("{title} is off track", title=title)


def _settled(old: MilestoneRow, new: MilestoneRow) -> Data:
    """Return what of a milestone says that it was met or reopened: the day it was met where that is shared."""
    if old.actual != new.actual:
        was, now = data("actual", old.actual), data("actual", new.actual)
        return {"row": "milestone.actual", "field": "actual", "was": was, "now": now}
    return {"row": "milestone.status", "field": "status", "was": old.status or "", "now": new.status or ""}


def _progress(old: MilestoneRow, new: MilestoneRow) -> Iterator[Change]:
    if old.progress != new.progress and new.progress is not None and new.status != "met":
        before = words.percent(Decimal(old.progress) / 100) if old.progress is not None else ""
        yield _change(
            "milestone.progress",
            f"milestone-{new.id}",
            new.title,
            before=before,
            after=words.percent(Decimal(new.progress) / 100),
            note=_("complete"),
            say=_("{title} is {progress} percent complete", title=new.title, progress=new.progress),
            row="milestone.progress",
            field="progress",
            was=data("progress", old.progress),
            now=data("progress", new.progress),
        )


def _acceptance(old: MilestoneRow, new: MilestoneRow, unit: DateUnit) -> Iterator[Change]:
    if old.accepted_on is None and new.accepted_on is not None:
        yield _change(
            "milestone.accepted",
            f"milestone-{new.id}",
            new.title,
            after=_("Accepted"),
            note=_date(new.accepted_on, unit),
            say=_("{title} was accepted", title=new.title),
            row="milestone.acceptance",
            field="accepted_on",
            now=new.accepted_on.isoformat(),
        )


def _date(value: date | None, unit: DateUnit) -> str:
    return words.day_year_in(value, unit) if value else ""


def name_of(card: RiskCard) -> str:
    """Return what a risk is called: "R-07 Ground"."""
    return f"{card.ref} {card.title}"


def risk_added(card: RiskCard) -> Change:
    """Return that a risk is shared that was not."""
    title = name_of(card)
    return _change(
        "risk.added",
        f"risk-{card.id}",
        title,
        after=str(card.score.value) if card.score else _("New"),
        note=_("New risk"),
        say=_("Risk {title} was added", title=title),
    )


def risk_withdrawn(card: RiskCard) -> Change:
    """Return that a risk is not shared any more."""
    title = name_of(card)
    return _change(
        "risk.withdrawn",
        f"risk-{card.id}",
        title,
        after=_("No longer shared"),
        say=_("Risk {title} is no longer shared", title=title),
    )


def risk(old: RiskCard, new: RiskCard) -> Iterator[Change]:
    """Yield what became of a risk."""
    title = name_of(new)
    if old.status != new.status:
        closed = new.status == "closed"
        yield _change(
            "risk.closed" if closed else "risk.reopened",
            f"risk-{new.id}",
            title,
            after=_("Closed") if closed else _("Reopened"),
            say=_("Risk {title} was closed", title=title) if closed else _("Risk {title} was reopened", title=title),
            field="status",
            was=old.status,
            now=new.status,
        )
    if old.score and new.score and old.score.value != new.score.value:
        note = BAND[new.band] if new.band else ""
        if old.band and new.band and old.band != new.band:
            note = _("{band} to {lower}", band=BAND[old.band], lower=BAND_INSIDE[new.band])
        yield _change(
            "risk.score",
            f"risk-{new.id}",
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
            row="risk.score",
            field="score",
            was=data("score", old.score),
            now=data("score", new.score),
        )
    if new.client_score != old.client_score and new.client_score:
        yield _change(
            "risk.client-score",
            f"risk-{new.id}",
            title,
            before=str(old.client_score.value) if old.client_score else "",
            after=str(new.client_score.value),
            note=_("Your view, {client_scored_by}", client_scored_by=new.client_scored_by)
            if new.client_scored_by
            else _("Your view"),
            say=_("Your view of {title} is recorded", title=title),
            row="risk.client_score",
            field="client_score",
            who=new.client_scored_by,
            was=data("client_score", old.client_score),
            now=data("client_score", new.client_score),
        )
    elif not old.view_needed and new.view_needed:
        yield _change(
            "risk.view-asked",
            f"risk-{new.id}",
            title,
            after=_("Your view needed"),
            say=_("Your view of {title} is needed", title=title),
            row="risk.client_score",
            field="view_needed",
            now=data("view_needed", new.view_needed),
        )


def budget(old: BudgetVital, new: BudgetVital) -> Iterator[Change]:
    """Yield what was spent, what the forecast and what the budget became."""
    for field in ("spent", "forecast", "budget"):
        yield from _figure(field, old, new)


FIGURE = Said(
    {"spent": N_("Spend"), "forecast": N_("Forecast at completion"), "budget": N_("Approved budget")}
)  # what each figure is called


def _figure_is(field: str, after: str) -> str:
    """Return the sentence that a figure has an amount."""
    match field:
        case "spent":
            return _("Spend is now {after}", after=after)
        case "forecast":
            return _("Forecast at completion is now {after}", after=after)
        case _:
            return _("Approved budget is now {after}", after=after)


def _figure(field: str, old: BudgetVital, new: BudgetVital) -> Iterator[Change]:
    before: Money | None = getattr(old, field)
    after: Money | None = getattr(new, field)
    if before is not None and after is not None and before != after:
        difference = after - before
        sign = "+" if difference.amount > 0 else ""
        dated_title = (
            _("Spend to {status_date}", status_date=words.day_year(new.status_date))
            if field == "spent" and new.status_date
            else FIGURE[field]
        )
        yield _change(
            f"budget.{field}",
            "budget",
            dated_title,
            before=words.money(before),
            after=words.money(after),
            note=f"{sign}{words.money(difference)}",
            say=_figure_is(field, words.money(after)),
            row="budget.amounts",
            field=field,
            was=data(field, before),
            now=data(field, after),
        )
    elif field != "budget" and after is None:
        yield from _percentage(field, getattr(old, f"{field}_share"), getattr(new, f"{field}_share"))


def _percentage(field: str, old: Decimal | None, new: Decimal | None) -> Iterator[Change]:
    """Yield the change of a figure that is shared as a share of the budget alone."""
    if old is not None and new is not None and old != new:
        before, shown = words.percents(old, new)
        yield _change(
            f"budget.{field}",
            "budget",
            FIGURE[field],
            before=before,
            after=shown,
            note=_("of the budget"),
            say=_("Spend is {shown} of the budget", shown=shown)
            if field == "spent"
            else _("Forecast at completion is {shown} of the budget", shown=shown),
            row="budget.percent",
            field=f"{field}_share",
            was=data(f"{field}_share", old),
            now=data(f"{field}_share", new),
        )
