"""What became different between two views, as data and in words: what happened, then why. Pure."""

from collections.abc import Iterator
from datetime import date

from domain.money import Money
from domain.view import BudgetVital, ClientView, MilestoneRow, RiskCard
from projections.entries.changes_said import said
from projections.entries.entry import Change
from projections.wording import words

BAND = {"low": "Low", "medium": "Medium", "high": "High"}
STATUS = {"on_track": "On track", "at_risk": "At risk", "off_track": "Off track"}
PHASE = {"running": "Running", "on_hold": "On hold", "closed": "Closed"}


def changes(previous: ClientView | None, view: ClientView) -> tuple[Change, ...]:
    """Return every difference a reader would notice, most important first."""
    if previous is None:
        say = f"{view.project} is shared with you"
        return (_change("share.opened", "", view.project, after="Shared", why="First update", say=say),)
    moved = [*_project(previous, view), *_milestones(previous, view), *_risks(previous, view), *_budget(previous, view)]
    found = [*moved, *said(previous, view)]
    if not found and previous != view:
        say = "Details were updated"
        found = [_change("share.updated", "", view.project, after="Details updated", say=say)]
    return tuple(found)


def _change(
    kind: str,
    subject: str,
    title: str,
    *,
    before: str = "",
    after: str = "",
    note: str = "",
    why: str = "",
    say: str = "",
) -> Change:
    return Change(
        kind=kind, subject=subject, title=title, before=before, after=after, note=note, why=why, say=words.plain(say)
    )


def _project(old: ClientView, new: ClientView) -> Iterator[Change]:
    if old.terms_version != new.terms_version:
        before, after = f"Agreement {old.terms_version}", f"Agreement {new.terms_version}"
        yield _change(
            "agreement.amended", "", "Share agreement", before=before, after=after, say=f"{after} is now in force"
        )
    if old.phase and new.phase and old.phase != new.phase:
        after = PHASE[new.phase]
        yield _change(
            "project.phase",
            "",
            new.project,
            before=PHASE[old.phase],
            after=after,
            say=f"The project is {after.lower()}",
        )
    if len(new.baselines) > len(old.baselines):
        newest = new.baselines[-1]
        say = f"Plan {newest.number} was agreed on {words.long_day(newest.approved_on)}"
        after = f"Plan {newest.number}"
        yield _change(
            "plan.agreed",
            "",
            "New agreed plan",
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
            "plan.confirmed", "", "Plan confirmed", after="Unchanged", note=at, say="The plan was confirmed unchanged"
        )


def _health(name: str, old: ClientView, new: ClientView) -> Iterator[Change]:
    before, after = _indicator(old, name), _indicator(new, name)
    if before is None or after is None or before.status == after.status:
        return
    title = f"{name.capitalize()} status"
    yield _change(
        f"health.{name}",
        "",
        title,
        before=STATUS[before.status],
        after=STATUS[after.status],
        why=after.reason,
        say=f"{title} changed from {STATUS[before.status].lower()} to {STATUS[after.status].lower()}",
    )


def _indicator(view: ClientView, name: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  # Indicator or None
    part = getattr(view, name)
    return part if name == "overall" else getattr(part, "indicator", None)


def _milestones(old: ClientView, new: ClientView) -> Iterator[Change]:
    before = {m.id: m for m in old.milestones}
    after = {m.id: m for m in new.milestones}
    for row in reversed(new.milestones):
        if row.id in before:
            yield from _milestone(before[row.id], row)
        else:
            date_shown = _date(row.forecast or row.baseline)
            yield _change(
                "milestone.added", row.id, row.title, after=date_shown, note="New", say=f"{row.title} was added"
            )
    for row in old.milestones:
        if row.id not in after:
            yield _change(
                "milestone.withdrawn", row.id, row.title, before=_date(row.forecast or row.baseline),
                after="No longer shared", say=f"{row.title} is no longer shared",
            )  # fmt: skip


def _milestone(old: MilestoneRow, new: MilestoneRow) -> Iterator[Change]:
    if old.status != "met" and new.status == "met":
        on = f" on {words.long_day(new.actual)}" if new.actual else ""
        yield _change(
            "milestone.met", new.id, new.title, after="Done", note=_date(new.actual), say=f"{new.title} was reached{on}"
        )
    elif old.forecast != new.forecast and old.forecast and new.forecast:
        days = (new.forecast - old.forecast).days
        yield _change(
            "milestone.forecast", new.id, new.title, before=_date(old.forecast), after=_date(new.forecast),
            note=words.signed(days), why=new.reason,
            say=f"{new.title} moved from {words.long_day(old.forecast)} to {words.long_day(new.forecast)}",
        )  # fmt: skip
    elif old.status == "met" and new.status != "met":
        yield _change(
            "milestone.reopened", new.id, new.title, before="Done", after="Open", say=f"{new.title} was reopened"
        )
    elif old.status != new.status and new.status in STATUS and old.status in STATUS:
        yield _change(
            "milestone.status", new.id, new.title, before=STATUS[old.status], after=STATUS[new.status],
            say=f"{new.title} is {STATUS[new.status].lower()}",
        )  # fmt: skip
    if old.progress != new.progress and new.progress is not None and new.status != "met":
        before = f"{old.progress} %" if old.progress is not None else ""
        yield _change(
            "milestone.progress", new.id, new.title, before=before, after=f"{new.progress} %", note="complete",
            say=f"{new.title} is {new.progress} percent complete",
        )  # fmt: skip
    if old.accepted_on is None and new.accepted_on is not None:
        yield _change(
            "milestone.accepted",
            new.id,
            new.title,
            after="Accepted",
            note=_date(new.accepted_on),
            say=f"{new.title} was accepted",
        )
    if old.title != new.title:
        yield _change(
            "milestone.renamed",
            new.id,
            new.title,
            before=old.title,
            after=new.title,
            say=f"{old.title} is now called {new.title}",
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
                "risk.added", card.id, title, after=score or "New", note="New risk", say=f"Risk {title} was added"
            )
        else:
            yield from _risk(before[card.id], card, title)
    for card in old.risks:
        if card.id not in after:
            title = f"{card.ref} {card.title}"
            yield _change(
                "risk.withdrawn", card.id, title, after="No longer shared", say=f"Risk {title} is no longer shared"
            )


def _risk(old: RiskCard, new: RiskCard, title: str) -> Iterator[Change]:
    if old.status != new.status:
        word = "Closed" if new.status == "closed" else "Reopened"
        yield _change(f"risk.{word.lower()}", new.id, title, after=word, say=f"Risk {title} was {word.lower()}")
    if old.score and new.score and old.score.value != new.score.value:
        note = BAND[new.band] if new.band else ""
        if old.band and new.band and old.band != new.band:
            note = f"{BAND[old.band]} to {BAND[new.band].lower()}"
        yield _change(
            "risk.score", new.id, title, before=str(old.score.value), after=str(new.score.value), note=note,
            say=f"Risk {title} went from {old.score.value} to {new.score.value}",
        )  # fmt: skip
    if new.client_score != old.client_score and new.client_score:
        yield _change(
            "risk.client-score",
            new.id,
            title,
            before=str(old.client_score.value) if old.client_score else "",
            after=str(new.client_score.value),
            note=f"Your view, {new.client_scored_by}" if new.client_scored_by else "Your view",
            say=f"Your view of {title} is recorded",
        )
    elif not old.view_needed and new.view_needed:
        yield _change("risk.view-asked", new.id, title, after="Your view needed", say=f"Your view of {title} is needed")


def _budget(old: ClientView, new: ClientView) -> Iterator[Change]:
    before, after = old.budget, new.budget
    if before is None or after is None:
        return
    for field, title in (("spent", "Spend"), ("forecast", "Forecast at completion"), ("budget", "Approved budget")):
        yield from _figure(field, title, before, after)


def _figure(field: str, title: str, old: BudgetVital, new: BudgetVital) -> Iterator[Change]:
    before: Money | None = getattr(old, field)
    after: Money | None = getattr(new, field)
    if before is not None and after is not None and before != after:
        difference = after - before
        sign = "+" if difference.amount > 0 else ""
        told = f"{title} to {words.day(new.status_date)}" if field == "spent" and new.status_date else title
        yield _change(
            f"budget.{field}", "", told, before=words.money(before), after=words.money(after),
            note=f"{sign}{words.money(difference)}", say=f"{title} is now {words.money(after)}",
        )  # fmt: skip
        return
    share = f"{field}_share"
    if (
        field != "budget"
        and after is None
        and getattr(old, share) is not None
        and getattr(old, share) != getattr(new, share)
    ):
        now = getattr(new, share)
        if now is not None:
            shown = words.percent(now)
            yield _change(
                f"budget.{field}",
                "",
                title,
                before=words.percent(getattr(old, share)),
                after=shown,
                note="of the budget",
                say=f"{title} is {shown} of the budget",
            )
