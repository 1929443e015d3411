"""Which column of a register or of figures is what: guessed, chosen by a person, kept for tables of a shape."""

from typing import Literal

import msgspec

from domain.language import gettext as _
from domain.message import UNREADABLE
from web.importers.plan import broken
from web.importers.table import mapping as plans
from web.importers.table.mapping import Mapping

RISK_FIELDS = (
    "ref", "title", "event", "cause", "effect", "probability", "impact", "inherent_probability", "inherent_impact",
    "response", "actions", "owner", "actionee", "author", "category", "proximity", "status",
)  # fmt: skip
FIGURE_FIELDS = ("date", "bac", "pv", "ev", "ac", "eac")
Kind = Literal["plan", "risks", "figures"]
KINDS: tuple[Kind, ...] = ("plan", "risks", "figures")


class RiskColumns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The name of the column for each field of a risk, nothing where there is none."""

    kind: Literal["risks"] = "risks"
    ref: str = ""  # required: stays the same from file to file
    title: str = ""  # required
    event: str = ""
    cause: str = ""
    effect: str = ""
    probability: str = ""  # now, after what was done
    impact: str = ""
    inherent_probability: str = ""  # before any response
    inherent_impact: str = ""
    response: str = ""
    actions: str = ""
    owner: str = ""
    actionee: str = ""
    author: str = ""
    category: str = ""  # of a log of risks, issues and more, what a row is
    proximity: str = ""
    status: str = ""
    meanings: dict[str, str] = {}  # what a person said that a word means, by `meaning`
    delimiter: str = ""
    sheet: str = ""


class FigureColumns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The name of the column for each figure, nothing where there is none, and how the amounts are meant."""

    kind: Literal["figures"] = "figures"
    date: str = ""  # status date, or the period
    bac: str = ""
    pv: str = ""
    ev: str = ""
    ac: str = ""
    eac: str = ""
    measure: Literal["cost", "price"] = "cost"
    amounts: Literal["", "sums", "periods"] = ""  # of PV, EV and AC: since the beginning, or of each period; "" unknown
    days: Literal["", "days", "months"] = ""  # what the first of a month stands for; "" unknown
    unit: Literal["", "1", "1000", "1000000"] = ""  # what one of the table is; "" as its headings say
    decimal: Literal["", ".", ","] = ""  # what parts the decimal places; "" asked where it matters
    date_format: str = ""
    delimiter: str = ""
    sheet: str = ""


Columns = Mapping | RiskColumns | FigureColumns


def kind_of(columns: Columns) -> Kind:
    """Return what columns are of."""
    return "plan" if isinstance(columns, Mapping) else columns.kind


def meaning(field: str, word: str, size: int = 0) -> str:
    """Return the key under which is kept what a word means: of scores on a scale of a size, of others on none."""
    return f"{field}/{size}/{word.casefold()}" if size else f"{field}/{word.casefold()}"


def encode(columns: Columns) -> bytes:
    """Return columns as the JSON to save."""
    return msgspec.json.format(msgspec.json.encode(columns))


def decode(payload: bytes) -> Columns:
    """Return saved columns; those that do not say of what they are, are of a plan.

    Raises: BrokenFile.
    """
    try:
        said = msgspec.json.decode(payload, type=dict[str, msgspec.Raw])
        kind = msgspec.json.decode(said["kind"], type=str) if "kind" in said else "plan"
        if kind == "risks":
            return msgspec.json.decode(payload, type=RiskColumns)
        if kind == "figures":
            return msgspec.json.decode(payload, type=FigureColumns)
    except UNREADABLE as error:
        told = _("The mapping is not understood: {error}.", error=error)
        raise broken(told) from None
    return plans.decode(payload)
