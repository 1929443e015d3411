"""The content of a digest: the updates since the last one that was mailed, as values for its text and its HTML.

Rule: it is made of recorded entries only, never of the project, so that a mail says nothing the page did not. Updates
under terms that are no longer in force are left out, so that narrowed terms narrow mails as well.
"""

from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from domain.headline import count
from domain.language import N_
from domain.language import gettext as _
from domain.view import BudgetVital, ClientView, DateUnit, MilestoneRow, RiskCard, RiskVital, ScheduleVital
from projections.entries.entry import Change, Entry
from projections.wording import words
from web.render.figures import risk_vital

WORD = {
    "on_track": N_("On track"),
    "at_risk": N_("At risk"),
    "off_track": N_("Off track"),
    "overdue": N_("Overdue"),
    "met": N_("Done"),
    "planned": N_("Planned"),
}
MOST = 200  # changes in one mail, the newest ones; mail programs cut off longer mails


class DigestLine(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one update."""

    n: int
    when: str
    title: str
    before: str
    after: str
    note: str
    why: str


class Vital(msgspec.Struct, frozen=True, kw_only=True):
    """One of the three vitals."""

    name: str
    status: str  # in words, "" where none is shared
    figure: str
    beside: str


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    """One shared milestone; "" where a field is not shared or not known."""

    title: str
    agreed: str
    word: str  # "forecast", or "met"
    forecast: str
    slip: str
    status: str


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """One shared risk that is open."""

    ref: str
    title: str
    score: str


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a digest says; it is the same for all readers of a client."""

    share: str
    organisation: str
    client: str
    project: str
    sentence: str
    ask: str
    updates: str  # "update 412", "updates 397 to 412"
    n: int  # of the newest update
    recorded: str  # when that was
    root: str  # the beginning of the tree head after it
    scope: str
    left: str  # what is left out, "" for nothing
    changes: tuple[DigestLine, ...]  # newest update first
    vitals: tuple[Vital, ...]
    milestones: tuple[Milestone, ...]
    risks: tuple[Risk, ...]


def covered(first: int, to: int) -> str:
    """Return "update 412" or "updates 397 to 412"."""
    return _("update {to}", to=to) if first >= to else _("updates {first} to {to}", first=first, to=to)


def compose(entries: Sequence[Entry], view: ClientView | None, first: int, to: int) -> Digest | None:
    """Return the digest of updates `first` to `to`, None when nothing changed in them.

    `entries`: those of the updates that were not erased, in order; `view` is the one after the last of them.
    """
    if not entries or view is None:
        return None
    newest = entries[-1].content
    in_force = [entry for entry in entries if entry.content.terms_version == newest.terms_version]
    changes = tuple(line for entry in reversed(in_force) for line in _lines(entry, view.time_zone))
    if not changes:
        return None
    return Digest(
        share=newest.share,
        organisation=view.organisation,
        client=view.client,
        project=view.project,
        sentence=view.headline.sentence,
        ask=view.headline.ask,
        updates=covered(first, to),
        n=newest.n,
        recorded=_("{at}, {newest_at:%H:%M:%S} UTC", at=words.day_year(newest.at.date()), newest_at=newest.at),
        root=" ".join(entries[-1].root[i : i + 4] for i in range(0, 16, 4)),
        scope=view.scope,
        left=" ".join((*_left_out(entries[0].n, in_force[0].n), *_older(len(changes) - MOST))),
        changes=changes[:MOST],
        vitals=tuple(_vitals(view)),
        milestones=tuple(_milestone(row, view.date_unit) for row in view.milestones),
        risks=tuple(_risk(card) for card in view.risks if card.status == "active"),
    )


def _left_out(first: int, first_in_force: int) -> Iterator[str]:
    """Yield the sentence about updates under earlier terms, if there are any."""
    if first != first_in_force:
        which = covered(first, first_in_force - 1)
        yield _(
            "{which}{rest} came under an earlier agreement; your history has what was shown then.",
            which=which[:1].upper(),
            rest=which[1:],
        )


def _older(more: int) -> Iterator[str]:
    """Yield the sentence about changes beyond `MOST`, if there are any."""
    if more > 0:
        yield _(
            "{older_changes_are} in your history.",
            older_changes_are=count(more, _("older change is"), _("older changes are")).capitalize(),
        )


def _lines(entry: Entry, zone: str) -> Iterator[DigestLine]:
    when = words.moment_year(entry.content.at, zone)
    return (_digest_line(change, entry.n, when) for change in entry.content.changes)


def _digest_line(change: Change, n: int, when: str) -> DigestLine:
    return DigestLine(
        n=n, when=when, title=change.title, before=change.before, after=change.after, note=change.note, why=change.why
    )


def _vitals(view: ClientView) -> Iterator[Vital]:
    if view.schedule is not None:
        yield _schedule(view.schedule, view.date_unit)
    if view.budget is not None:
        yield _budget(view.budget, view.money_step)
    if view.risk is not None:
        yield _risks(view.risk)


def _schedule(vital: ScheduleVital, unit: DateUnit) -> Vital:
    status = WORD[vital.indicator.status] if vital.indicator else ""
    if vital.slip_days is None:
        return Vital(name=_("Schedule"), status=status, figure="", beside="")
    figure = words.signed_in(vital.slip_days, unit) if vital.slip_days else _(words.ON_TIME[unit])
    agreed, forecast = _date(vital.baseline, unit), _date(vital.forecast, unit)
    dates = f"{agreed} → {forecast}" if vital.slip_days else agreed
    return Vital(
        name=_("Schedule"),
        status=status,
        figure=_("{figure} at {title}", figure=figure, title=vital.title),
        beside=dates,
    )


def _budget(vital: BudgetVital, step: int) -> Vital:
    status = WORD[vital.indicator.status] if vital.indicator else ""
    figure = beside = ""
    if vital.budget is not None:
        total = words.money(vital.budget)
        figure = (
            _("{forecast} forecast of {total}", forecast=words.money(vital.forecast), total=total)
            if vital.forecast
            else _("{total} approved", total=total)
        )
        spent = _("{spent} spent", spent=words.money(vital.spent)) if vital.spent else ""
        beside = ", ".join(filter(None, (spent, words.rounded_to(step, vital.budget.currency))))
    elif vital.forecast_share is not None:
        figure = _("{forecast_share} of the budget forecast", forecast_share=words.percent(vital.forecast_share))
        beside = (
            _("{spent_share} spent", spent_share=words.percent(vital.spent_share))
            if vital.spent_share is not None
            else ""
        )
    elif vital.spent_share is not None:
        figure = _("{spent_share} of the budget spent", spent_share=words.percent(vital.spent_share))
    return Vital(name=_("Budget"), status=status, figure=figure, beside=beside)


def _risks(vital: RiskVital) -> Vital:
    bands = ((vital.high, _("high")), (vital.medium, _("medium")), (vital.low, _("low")))
    told = [f"{many} {band}" for many, band in bands if many]
    beside = ", ".join(told)
    figure = _("{top_score} highest score, {top}", top_score=vital.top_score, top=vital.top) if vital.top else ""
    if told and vital.top_score is None:
        figure, beside = told[0], ", ".join(told[1:])
    status = WORD[vital.indicator.status] if vital.indicator else ""
    if vital.top:
        status = risk_vital(vital).worst_risk  # as the page says it
    return Vital(name=_("Risk"), status=status, figure=figure, beside=beside)


def _milestone(row: MilestoneRow, unit: DateUnit) -> Milestone:
    return Milestone(
        title=row.title,
        agreed=_date(row.baseline, unit),
        word=_("met") if row.actual else _("forecast"),
        forecast=_date(row.actual or row.forecast, unit),
        slip=words.signed_in(row.slip.since_current, unit) if row.slip else "",
        status=WORD[row.status] if row.status else "",
    )


def _risk(card: RiskCard) -> Risk:
    score = ""
    if card.score is not None:
        score = f"{card.score.probability}×{card.score.impact} = {card.score.value}"
    return Risk(ref=card.ref, title=card.title, score=", ".join(filter(None, (score, card.band))))


def _date(value: date | None, unit: DateUnit) -> str:
    return words.day_year_in(value, unit) if value else ""
