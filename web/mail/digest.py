"""The content of a digest: what changed since the last one that was mailed, as values for its text and its HTML.

Rule: it is made of recorded entries only, never of the project, so that a mail says nothing the page did not. Updates
under terms that are no longer in force are left out, so that narrowed terms narrow mails as well.
"""

from collections.abc import Iterator
from datetime import date

import msgspec

from domain.headline import counted
from domain.language import ENGLISH, capital, ngettext, speaking
from domain.language import gettext as _
from domain.view import BudgetVital, ClientView, DateUnit, MilestoneRow, RiskCard, RiskVital, ScheduleVital
from projections.entries.summed import ThingRow
from projections.logs.disclosure_log import DisclosureLog
from projections.replay import pages
from projections.replay.pages import Folded
from projections.replay.since import LOOK, since
from projections.wording import words
from projections.wording.values import BAND_INSIDE, STATE
from web.render.figures import in_band, risk_vital

WORD = STATE
MOST = 100  # things in one mail, the most important ones; mail programs cut off longer mails


class DigestLine(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one thing."""

    title: str
    before: str
    after: str
    note: str
    steps: str  # "in 3 steps", "" for one
    why: str  # with its status where that is another one now


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
    met: bool  # then the date is the one on which it was
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
    language: str = ENGLISH  # BCP 47; that of the newest update
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
    changes: tuple[DigestLine, ...]  # the most important first
    vitals: tuple[Vital, ...]
    milestones: tuple[Milestone, ...]
    risks: tuple[Risk, ...]


def covered(first: int, to: int) -> str:
    """Return "update 412" or "updates 397 to 412"."""
    return _("update {to}", to=to) if first >= to else _("updates {first} to {to}", first=first, to=to)


def compose(log: DisclosureLog, share: str, after: int, to: int, reader: str = "") -> Digest | None:
    """Return the digest of updates `after` + 1 to `to` for a person, None when nothing changed that they did not do.

    Work is bounded however many updates these are: docs/spec.md 3.12.

    Raises: Damaged.
    """
    readable = log.entries(share, max(after, to - LOOK), LOOK, to)
    newest = pages.fold(log, share, readable[-1].n) if readable else None
    if newest is None:
        return None
    with speaking(newest.view().language):
        return _composed(log, newest, (after, to), reader)


def _composed(log: DisclosureLog, newest: Folded, between: tuple[int, int], reader: str) -> Digest | None:
    """Return the digest of the updates after the first number of `between`, up to the second."""
    after, to = between
    entry, view = newest.entry, newest.view()
    share = entry.content.share
    at = entry.content.at
    first = _first_under(log, share, (after + 1, entry.n), entry.content.terms_version)
    found = since(log, share, first - 1, newest, reader)
    if not found.rows:
        return None
    return Digest(
        share=share,
        language=view.language,
        organisation=view.organisation,
        client=view.client,
        project=view.project,
        sentence=view.headline.sentence,
        ask=view.headline.ask,
        updates=covered(after + 1, to),
        n=entry.n,
        recorded=_("{at}, {newest_at:%H:%M:%S} UTC", at=words.day_year(at.date()), newest_at=at),
        root=" ".join(entry.root[i : i + 4] for i in range(0, 16, 4)),
        scope=view.scope,
        left=" ".join((*_left_out(after + 1, first), *_older(found.earlier), *_others(len(found.rows) - MOST))),
        changes=tuple(_line(row, cut=found.earlier > 0) for row in found.rows[:MOST]),
        vitals=tuple(_vitals(view)),
        milestones=tuple(_milestone(row, view.date_unit) for row in view.milestones),
        risks=tuple(_risk(card) for card in view.risks if card.status == "active"),
    )


def _first_under(log: DisclosureLog, share: str, between: tuple[int, int], version: int) -> int:
    """Return the number of the first update under a version of the agreement; the last one of `between` is one."""
    low, high = between
    while low < high:
        middle = (low + high) // 2
        if log.headers(share, middle - 1, 1, middle)[0].terms_version == version:
            high = middle
        else:
            low = middle + 1
    return low


def _left_out(first: int, first_in_force: int) -> Iterator[str]:
    """Yield the sentence about updates under earlier terms, if there are any."""
    if first != first_in_force:
        last = first_in_force - 1
        if first >= last:
            yield _("Update {to} came under an earlier agreement; your history has what was shown then.", to=last)
        else:
            yield _(
                "Updates {first} to {to} came under an earlier agreement; your history has what was shown then.",
                first=first,
                to=last,
            )


def _older(more: int) -> Iterator[str]:
    """Yield the sentence about updates that were not looked at for steps and reasons, if there are any."""
    if more > 0:
        yield capital(
            counted(
                "one earlier update is summed up here without their steps; your history has each.",
                "{many} earlier updates are summed up here without their steps; your history has each.",
                more,
            )
        )


def _others(more: int) -> Iterator[str]:
    """Yield the sentence about things beyond `MOST`, if there are any."""
    if more > 0:
        yield capital(
            counted(
                "one other thing changed; your history has each.",
                "{many} other things changed; your history has each.",
                more,
            )
        )


def _line(row: ThingRow, *, cut: bool) -> DigestLine:
    """Return a row in words; `cut`: of the updates not all were looked at."""
    if not row.values:
        unchanged = _unchanged_after(row.steps, cut=cut)
        return DigestLine(title=row.title, before="", after=unchanged, note="", steps="", why=row.why)
    leads, others = row.values[0], len(row.values) - 1
    also = ""
    if others:
        also = ngettext("and {n} other value", "and {n} other values", others, n=others)
    return DigestLine(
        title=row.title,
        before=leads.before,
        after=leads.after,
        note=leads.note,
        steps=_in_steps(row.steps, cut=cut) if row.steps > (not cut) else "",
        why=" · ".join(filter(None, (row.now, row.why, also))),
    )


def _unchanged_after(many: int, *, cut: bool) -> str:
    if cut:
        return _("Unchanged after {many}+ steps", many=many)
    return ngettext("Unchanged after {many} step", "Unchanged after {many} steps", many, many=many)


def _in_steps(many: int, *, cut: bool) -> str:
    if cut:
        return _("in {many}+ steps", many=many)
    return ngettext("in {many} step", "in {many} steps", many, many=many)


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
    bands = ((vital.high, "high"), (vital.medium, "medium"), (vital.low, "low"))
    told = [in_band(band, many) for many, band in bands if many]
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
        met=row.actual is not None,
        forecast=_date(row.actual or row.forecast, unit),
        slip=words.signed_in(row.slip.since_current, unit) if row.slip else "",
        status=WORD[row.status] if row.status else "",
    )


def _risk(card: RiskCard) -> Risk:
    score = ""
    if card.score is not None:
        score = f"{card.score.probability}×{card.score.impact} = {card.score.value}"
    return Risk(
        ref=card.ref, title=card.title, score=", ".join(filter(None, (score, BAND_INSIDE.get(card.band or ""))))
    )


def _date(value: date | None, unit: DateUnit) -> str:
    return words.day_year_in(value, unit) if value else ""
