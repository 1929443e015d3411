"""Which column of a CSV file is what: chosen once, saved as JSON beside the project, used for every later file."""

import msgspec

from domain.language import gettext as _
from domain.message import UNREADABLE
from web.importers.plan import broken

FIELDS = ("id", "title", "outline", "baseline", "forecast", "actual", "deadline", "percent", "milestone")
DAYS = ("baseline", "forecast", "actual", "deadline")
YES, NO = frozenset({"1", "yes", "y", "true", "x"}), frozenset({"", "0", "no", "n", "false"})
NOTHING = frozenset({"", "NA", "N/A", "-"})  # what tools write where there is no date


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The name of the column for each field, nothing where there is none."""

    id: str = ""  # required: stays the same from file to file
    title: str = ""  # required
    outline: str = ""
    baseline: str = ""
    forecast: str = ""
    actual: str = ""
    deadline: str = ""
    percent: str = ""
    milestone: str = ""  # yes or no; without it every row is a milestone
    date_format: str = ""  # such as DD/MM/YYYY; dates as YYYY-MM-DD are always understood
    delimiter: str = ""  # one character; found out where missing


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
