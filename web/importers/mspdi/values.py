"""One element's children as values.

Rule: a value that cannot be right is left out and counted with its first line, and never costs the file or is guessed.
"""

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache

from domain.language import gettext as _
from web.importers.findings import Findings
from web.importers.mspdi.xml_stream import Leaf, Line, Lines
from web.importers.plan import EARLIEST, LATEST

UNIT, MOST = Decimal("0.01"), Decimal(10) ** 17  # an amount as kept, and too many hundredths
NONE = frozenset({"NA", "N/A", "NONE", "NULL", "-"})  # what tools write where there is no date
NEVER = ("0001-01-01", "1899-12-30", "1900-01-00", "2049-12-31T23:59")  # moments that stand for none
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?", re.ASCII)
_LASTING = re.compile(
    r"-?P(?=.)((?:\d+(?:\.\d+)?[YMWD])*)(T(?:\d+(?:\.\d+)?[HMS])+)?",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{0,60})?(E[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)
_FLAGS = {"1": True, "true": True, "0": False, "false": False}


@lru_cache(maxsize=1000)
def _lasts(text: str) -> bool | None:
    """Tell whether a duration is longer than none, None where it is no duration."""
    return bool(re.search("[1-9]", text)) if _LASTING.fullmatch(text) else None


class Values:
    """The children of one element, each with its line."""

    __slots__ = ("_findings", "_line", "_lines", "_raw")

    def __init__(self, line: Line, findings: Findings, lines: Lines | None = None) -> None:
        self._line, self._lines = line, lines
        self._raw: dict[str, tuple[str, int]] = {}  # text, and line or what `lines` finds it by, by name
        self._findings = findings

    @property
    def line(self) -> int:
        """The line of the element itself."""
        return self._line if isinstance(self._line, int) else self._line()

    def _at(self, line: int) -> int:
        return line if self._lines is None else self._lines(line)

    def keep(self, leaves: Sequence[Leaf]) -> None:
        """Keep children; of a second one of the same name that differs, the first is kept and the second counted."""
        raw = self._raw
        for name, text, line in leaves:
            if name not in raw:
                raw[name] = (text, line)
            elif raw[name][0].strip() != text.strip():
                told = _("<{name}> stands twice in one element, and the second was left out", name=name)
                self._findings.count(told, self._at(line))

    def told_to(self, findings: Findings) -> "Values":
        """Return the same children, of which other findings are told."""
        told = Values(self._line, findings, self._lines)
        told._raw = self._raw
        return told

    def text(self, name: str) -> str:
        """Return the text of a child, nothing where it is missing."""
        kept = self._raw.get(name)
        return kept[0].strip() if kept is not None else ""

    def line_of(self, name: str) -> int:
        """Return the line of a child, or of the element itself."""
        return self._at(self._raw[name][1]) if name in self._raw else self.line

    def flag(self, name: str, *, default: bool) -> bool:
        """Return an xsd:boolean."""
        text = self.text(name)
        if text and text not in _FLAGS:
            self._wrong(name, _("0 or 1"))
        return _FLAGS.get(text, default)

    def day(self, name: str) -> date | None:
        """Return the civil date of a moment, as written: MSPDI moments carry no zone."""
        text = self.text(name)
        if not text or text.upper() in NONE or text.startswith(NEVER):
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

    def percent(self, name: str) -> int | None:
        """Return a percentage, rounded down to a whole number: 100 is all of it, and 0 nothing."""
        if not (text := self.text(name)):
            return None
        if _NUMBER.fullmatch(text) and 0 <= (exact := Decimal(text)) <= 100:
            if 0 < exact < 1:  # what has begun does not read as nothing
                self._findings.count(_("Percent complete below 1 read as 1"), self.line_of(name))
                return 1
            if exact != int(exact):
                self._findings.count(_("Percent complete rounded down to a whole number"), self.line_of(name))
            return int(exact)
        self._wrong(name, _("a number from 0 to 100"))
        return None

    def takes_no_time(self, name: str) -> bool:
        """Tell whether a duration is there and is zero."""
        if not (text := self.text(name)):
            return False
        lasts = _lasts(text)
        if lasts is None:
            self._wrong(name, _("a duration such as PT8H0M0S"))
        return lasts is False

    def money(self, name: str) -> Decimal | None:
        """Return an amount in whole units, rounded to hundredths: MSPDI writes hundredths of the unit."""
        if not (text := self.text(name)):
            return None
        if _NUMBER.fullmatch(text) and abs(hundredths := Decimal(text)) < MOST:
            return (hundredths / 100).quantize(UNIT)
        self._wrong(name, _("an amount in hundredths of the currency, such as 125000.00"))
        return None

    def _wrong(self, name: str, expected: str) -> None:
        told = _("<{name}> that is not {expected}, left out", name=name, expected=expected)
        self._findings.count(told, self.line_of(name))
