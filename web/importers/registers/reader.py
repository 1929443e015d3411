"""Reads a table as what it is: a plan, a risk register, or budget figures, as its headings say or a person chose."""

import hashlib
from collections.abc import Sequence
from typing import Protocol

import msgspec

from domain.language import N_
from domain.language import gettext as _
from web.importers.mspdi.xml_stream import Progress
from web.importers.plan import Plan, broken, too_large
from web.importers.registers import figures, risks
from web.importers.registers.columns import Columns, FigureColumns, Kind, RiskColumns
from web.importers.registers.found import FigureTable, RiskTable
from web.importers.registers.guess import (
    Likely,
    figure_columns,
    guessed,
    head_of,
    likeliest,
    likely,
    risk_columns,
    turned,
)
from web.importers.table import reader as plans
from web.importers.table.suggesting import suggested
from web.importers.table.tables import Table, heading, tables, the_table

AnyRead = Plan | RiskTable | FigureTable


class OfferedTable(msgspec.Struct, frozen=True, kw_only=True):
    """What a person can choose from: what a table is taken for, its headings, and the columns they suggest."""

    key: tuple[str, ...]  # headings by which choices are kept: of the table as it was guessed
    header: tuple[str, ...]  # headings of the table as it is read
    sheets: tuple[str, ...]  # of a workbook
    kind: Kind  # as the headings say, or as it was chosen
    suggested: Columns


class Chooser(Protocol):
    """Who says what a table is, and which of its columns is what."""

    def kind(self, header: Sequence[str], guess: Kind) -> Kind:
        """Return what a table with these headings is."""

    def columns(self, offered: OfferedTable) -> Columns:
        """Return the columns to read by."""


def read(data: bytes, chooser: Chooser, progress: Progress | None = None, *, max_bytes: int) -> AnyRead:
    """Return what a table holds.

    Raises: BrokenFile.
    """
    if len(data) > max_bytes:
        raise broken(too_large(max_bytes))
    found = tables(data)
    others = likely(found)
    guess, table = guessed(found, others)
    key = _header(table or the_table(found, None), guess)
    kind = chooser.kind(key, guess)
    if table is None or kind != guess:
        table = the_table(found, None) if kind == "plan" else likeliest(found, kind)
    offered = OfferedTable(
        key=key,
        header=_header(table, kind),
        sheets=tuple(one.name for one in found if one.name),
        kind=kind,
        suggested=_suggested(table, kind),
    )
    columns = chooser.columns(offered)
    if isinstance(columns, RiskColumns):
        return risks.read(data, _chosen(found, table, columns), columns)
    if isinstance(columns, FigureColumns):
        return figures.read(data, turned(_chosen(found, table, columns)), columns)
    cut = found if len(found) > 1 else tables(data, columns)
    plan = plans.of_table(the_table(cut, columns), columns, hashlib.sha256(data).hexdigest(), progress)
    return msgspec.structs.replace(plan, notes=(*plan.notes, *_left(others, columns.sheet))) if others else plan


def _left(others: Sequence[Likely], sheet: str) -> list[str]:
    """Return what is said of the other sheets of a workbook that hold registers or figures."""
    said = {
        "risks": N_(
            "The sheet “{name}” looks like a risk register, and was not read. Choose “A risk register” for it."
        ),
        "figures": N_(
            "The sheet “{name}” looks like budget figures, and was not read. Choose “Budget figures” for it."
        ),
    }
    left = [one for one in others if one.table.name and one.table.name.casefold() != sheet.casefold()]
    return [_(said[one.kind], name=one.table.name) for one in left[:5]]


def _header(table: Table, kind: Kind) -> tuple[str, ...]:
    if kind == "plan":
        return tuple(heading(table).names)
    return head_of(turned(table) if kind == "figures" else table, kind).names


def _suggested(table: Table, kind: Kind) -> Columns:
    if kind == "risks":
        return risk_columns(table)
    if kind == "figures":
        return figure_columns(turned(table))
    return suggested(table)


def _chosen(found: Sequence[Table], first: Table, columns: RiskColumns | FigureColumns) -> Table:
    """Return the sheet that columns name, else the one that was guessed; a delimiter is found for each file."""
    wanted = columns.sheet.casefold()
    return next((table for table in found if wanted and table.name.casefold() == wanted), first)
