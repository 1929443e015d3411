"""Which column of a table is what: guessed from its headings, chosen by a person, kept for all tables of that shape."""

import hashlib
from collections.abc import Sequence

import msgspec

from domain.language import gettext as _
from domain.message import UNREADABLE
from web.importers.plan import broken
from web.importers.table.headings import normal

FIELDS = (
    "id", "title", "outline", "baseline", "forecast", "actual", "deadline", "percent", "milestone", "duration",
    "summary", "active", "start",
)  # fmt: skip
DAYS = ("baseline", "forecast", "actual", "deadline", "start")
NOTHING = frozenset({"", "NA", "N/A", "NV", "N.V.", "-", "–", "—", "NONE", "NULL", "#N/A"})  # where there is no date
VALUES = "|"  # between the values that mean a milestone


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The name of the column for each field, nothing where there is none."""

    id: str = ""  # required: stays the same from file to file; may be the title
    title: str = ""  # required
    outline: str = ""
    baseline: str = ""
    forecast: str = ""
    actual: str = ""
    deadline: str = ""
    percent: str = ""
    milestone: str = ""  # says which rows are milestones, by yes and no or by `milestone_value`
    milestone_value: str = ""  # the values of that column that mean a milestone, parted by |; nothing: yes
    duration: str = ""  # without a column `milestone`, a row that takes no time is a milestone
    summary: str = ""  # yes: the row sums up others and is no milestone by its duration
    start: str = ""  # dates a milestone that has no finish, as start milestones of Primavera P6 have none
    active: str = ""  # no: the row is not part of the plan
    rows: str = ""  # of rows of which no column says so: "" each is a milestone, "ask" each is only offered
    date_format: str = ""  # such as DD/MM/YYYY; dates as YYYY-MM-DD are always understood
    delimiter: str = ""  # one character; found out where missing, or where it does not fit a file
    sheet: str = ""  # of a workbook; found out where missing


def encode(mapping: Mapping) -> bytes:
    """Return the mapping as the JSON to save."""
    return msgspec.json.format(msgspec.json.encode(mapping))


def decode(payload: bytes) -> Mapping:
    """Return a saved mapping.

    Raises: BrokenFile.
    """
    try:
        return msgspec.json.decode(payload, type=Mapping)
    except UNREADABLE as error:
        example = encode(Mapping(id="ID", title="Name", forecast="Finish", date_format="DD/MM/YYYY")).decode()
        raise broken(
            _("The mapping is not understood: {error}. Expected JSON such as\n{example}", error=error, example=example)
        ) from None


def shape(header: Sequence[str]) -> str:
    """Return what tables with the same headings, in whichever order, have in common: SHA-256 in hex."""
    names = sorted({normal(name) for name in header if name})
    return hashlib.sha256("\0".join(names).encode()).hexdigest()


def fits(mapping: Mapping, header: Sequence[str]) -> bool:
    """Tell whether a table has every column that a mapping names."""
    there = {normal(name) for name in header}
    return all(normal(name) in there for field in FIELDS if (name := getattr(mapping, field)))
