"""One element's children as values: a value that cannot be right becomes a problem with its line, never a guess."""

import re
from datetime import date
from decimal import Decimal

import msgspec

from domain.language import gettext as _
from web.importers.findings import Findings, shown
from web.importers.plan import EARLIEST, LATEST

UNIT, MOST = Decimal("0.01"), Decimal(10) ** 17  # an amount as kept, and too many hundredths
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?", re.ASCII)
_LASTING = re.compile(
    r"-?P(?=.)((?:\d+(?:\.\d+)?[YMWD])*)(T(?:\d+(?:\.\d+)?[HMS])+)?",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{0,60})?(E[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)
_FLAGS = {"1": True, "true": True, "0": False, "false": False}


class Raw(msgspec.Struct, frozen=True):
    """A child as it stands in the file."""

    text: str
    line: int


class Values:
    """The children of one element; `owner` is how messages name it."""

    def __init__(self, owner: str, line: int, findings: Findings) -> None:
        self.owner = owner
        self.line = line
        self._raw: dict[str, Raw] = {}
        self._findings = findings

    def keep(self, name: str, text: str, line: int) -> None:
        """Keep a child; a second one of the same name is a problem."""
        if name in self._raw:
            first = self._raw[name].line
            self._findings.problem(
                line,
                _(
                    "<{name}> of {owner} is here and on line {first}; expected it once. Remove one.",
                    name=name,
                    owner=self.owner,
                    first=first,
                ),
            )
        self._raw[name] = Raw(text.strip(), line)

    def told_to(self, findings: Findings) -> "Values":
        """Return the same children, of which other findings are told."""
        told = Values(self.owner, self.line, findings)
        told._raw = self._raw
        return told

    def text(self, name: str) -> str:
        """Return the text of a child, nothing where it is missing."""
        return self._raw[name].text if name in self._raw else ""

    def line_of(self, name: str) -> int:
        """Return the line of a child, or of the element itself."""
        return self._raw[name].line if name in self._raw else self.line

    def flag(self, name: str, *, default: bool) -> bool:
        """Return an xsd:boolean."""
        text = self.text(name)
        if text and text not in _FLAGS:
            self._wrong(name, _("0 or 1"))
        return _FLAGS.get(text, default)

    def day(self, name: str) -> date | None:
        """Return the civil date of a moment, as written: MSPDI moments carry no zone."""
        if not (text := self.text(name)):
            return None
        found = _MOMENT.fullmatch(text)
        try:
            day = date.fromisoformat(found[1]) if found else None
        except ValueError:
            day = None
        if found is None or day is None or not EARLIEST <= day < LATEST:
            self._wrong(name, _("a moment such as 2027-01-31T17:00:00, from 1950 to 2149"))
            return None
        if found[5]:
            self._findings.count(_("Dates with a time zone, taken as the day that is written"), self.line_of(name))
        return day

    def whole(self, name: str, low: int, high: int) -> int | None:
        """Return a whole number from low to high."""
        if not (text := self.text(name)):
            return None
        if _WHOLE.fullmatch(text) and low <= int(text) <= high:
            return int(text)
        self._wrong(name, _("a whole number from {low} to {high}", low=low, high=high))
        return None

    def takes_no_time(self, name: str) -> bool:
        """Tell whether a duration is there and is zero."""
        if not (text := self.text(name)):
            return False
        if not _LASTING.fullmatch(text):
            self._wrong(name, _("a duration such as PT8H0M0S"))
            return False
        return not re.search("[1-9]", text)

    def money(self, name: str) -> Decimal | None:
        """Return an amount in whole units, rounded to hundredths: MSPDI writes hundredths of the unit."""
        if not (text := self.text(name)):
            return None
        if _NUMBER.fullmatch(text) and abs(hundredths := Decimal(text)) < MOST:
            return (hundredths / 100).quantize(UNIT)
        self._wrong(name, _("an amount in hundredths of the currency, such as 125000.00"))
        return None

    def _wrong(self, name: str, expected: str) -> None:
        message = _(
            "<{name}> of {owner} is {text}; expected {expected}. Correct it in the planning tool and save the plan "
            "again.",
            name=name,
            owner=self.owner,
            text=shown(self.text(name)),
            expected=expected,
        )
        self._findings.problem(self.line_of(name), message)
