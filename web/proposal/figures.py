"""Budget figures of a table compared with those of a project: budget, planned spend, measurements, forecast.

Rule: of one account, cost or price, as a person chose. The newest status date is proposed, earlier ones only offered.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

from domain.language import gettext as _
from domain.plan.budget import Measure, PlannedPoint, PlanSpend
from domain.plan.project import Project
from projections.wording import words
from web.importers.plan import PlannedCosts
from web.importers.registers.found import FiguresAt, FigureTable
from web.proposal.costs import ComparedCosts
from web.proposal.lines import Proposal

EARLIER = 60  # status dates before the newest that are offered


def propose(project: Project, table: FigureTable, today: date) -> Proposal:
    """Return what figures would change in a project; `today` is the civil date beyond which nothing was measured."""
    reason = _("Imported figures")
    newest = _newest(table.rows, today)
    bac = next((row.bac for row in reversed(table.rows) if row.bac is not None), None)
    compared = _of(table.columns.measure)(project, _planned(newest, table, bac), today, reason)
    if not compared.foreign():
        compared.budget()
        _spend(compared, table.rows)
        _earlier(compared, table, newest)
        compared.figures()
    lines, notes = compared.told()
    return Proposal(lines=tuple(lines), unchanged=0, notes=(*notes, *table.notes), reason=reason)


class _OfPrice(ComparedCosts):
    measure: Measure = "price"


def _of(measure: Measure) -> type[ComparedCosts]:
    return _OfPrice if measure == "price" else ComparedCosts


def _newest(rows: Sequence[FiguresAt], today: date) -> FiguresAt | None:
    """Return the newest row of what was measured until today, else the first that says something was."""
    measured = [row for row in rows if row.ev is not None or row.ac is not None or len(rows) == 1]
    past = [row for row in measured if row.on is None or row.on <= today]
    return past[-1] if past else measured[0] if measured else None


def _planned(row: FiguresAt | None, table: FigureTable, bac: Decimal | None) -> PlannedCosts:
    if row is None:
        return PlannedCosts(currency=table.currency, bac=bac)
    return PlannedCosts(
        status_date=row.on,
        currency=table.currency,
        bac=bac,
        pv=row.pv,
        ev=row.ev,
        ac=row.ac,
        eac=row.eac,
    )


def _spend(compared: ComparedCosts, rows: Sequence[FiguresAt]) -> None:
    """Propose the planned amounts of all periods as the planned spend."""
    points = tuple(PlannedPoint(row.on, row.pv) for row in rows if row.on is not None and row.pv is not None)
    if len(points) < 2 or compared.bac is None:
        return
    if any(after.amount < before.amount for before, after in pairwise(points)):
        compared.notes.append(_("The planned amounts fall from one date to the next, so they are no planned spend."))
        return
    end = compared.money(points[-1].amount)
    if points[-1].amount > compared.bac:
        told = _(
            "The planned spend of the file ends at {end}, above the budget {budget}, so it was left out.",
            end=end,
            budget=compared.money(compared.bac),
        )
        compared.notes.append(told)
        return
    before = compared.account.planned if compared.account else ()
    if points == before:
        return
    was = _("{n} dates to {day}", n=len(before), day=words.day_year(before[-1].on)) if before else ""
    now = _("{n} dates to {day}", n=len(points), day=words.day_year(points[-1].on))
    command = PlanSpend(project=compared.project.id, measure=compared.measure, points=points)
    compared.propose("spend", _("Planned spend"), (was, now), command, note=_("up to {end}", end=end))


def _earlier(compared: ComparedCosts, table: FigureTable, newest: FiguresAt | None) -> None:
    """Offer what was measured before the newest row and after what is recorded."""
    last = compared.account.measurements[-1].status_date if compared.account and compared.account.measurements else None
    if newest is None or newest.on is None or compared.bac is None:
        return
    rows = [
        row
        for row in table.rows
        if row.on is not None and row.on < newest.on and (last is None or row.on > last)
        and (row.ev is not None or row.ac is not None)
    ]  # fmt: skip
    for row in rows[-EARLIER:]:
        if row.on is not None:
            compared.measured(_planned(row, table, None), row.on, offered=True)
    if len(rows) > EARLIER:
        compared.notes.append(_("Earlier status dates that are not offered: {n}.", n=len(rows) - EARLIER))
