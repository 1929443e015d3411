"""What a register or a sheet of figures says, before it is compared with a project."""

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from web.importers.registers.columns import FigureColumns, RiskColumns


class ListedRisk(msgspec.Struct, frozen=True, kw_only=True):
    """One risk of a register; words stay as the file has them, "" where it says nothing."""

    ref: str
    title: str
    event: str = ""
    cause: str = ""
    effect: str = ""
    probability: str = ""
    impact: str = ""
    inherent_probability: str = ""
    inherent_impact: str = ""
    response: str = ""
    actions: str = ""
    owner: str = ""
    actionee: str = ""
    author: str = ""
    category: str = ""
    proximity: str = ""
    status: str = ""
    line: int  # in the file


class TableRead(msgspec.Struct, frozen=True, kw_only=True):
    """What every table that was read says of itself."""

    format: Literal["csv", "sheet"]
    file_hash: str  # sha256 hex of the bytes
    header: tuple[str, ...]  # of the sheet that was read
    read: int = 0  # rows
    notes: tuple[str, ...] = ()


class RiskTable(TableRead, frozen=True, kw_only=True):
    """The risk register in one file, in the order of the file."""

    risks: tuple[ListedRisk, ...] = ()
    present: frozenset[str] = frozenset()  # references of all rows, without case, also of those left out
    lost: bool = False  # whether a row has no reference that can be read
    fractions: bool = False  # whether numbers from 0 to 1 are probabilities
    columns: RiskColumns


class FiguresAt(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one row in whole units of the currency, since the beginning; None where it does not say."""

    on: date | None
    bac: Decimal | None = None
    pv: Decimal | None = None
    ev: Decimal | None = None
    ac: Decimal | None = None
    eac: Decimal | None = None
    line: int


class FigureTable(TableRead, frozen=True, kw_only=True):
    """The figures in one file, by date."""

    rows: tuple[FiguresAt, ...] = ()
    currency: str = ""  # ISO 4217, "" where the file does not say
    columns: FigureColumns
