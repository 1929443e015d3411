"""What the words of a risk register mean in a project: points on its scale, responses, open or closed.

Rule: a word that can mean two things is asked about. What it was said to mean is kept with the columns of the table.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import get_args

import msgspec

from domain.language import gettext as _
from domain.plan.risks import Response
from domain.plan.scores import Scale
from projections.wording.values import RESPONSE
from web.importers.registers.columns import meaning
from web.importers.registers.found import RiskTable
from web.importers.registers.headings import OF_THREE, RANK_OF, RESPONSES, SCORED, STATES

MOST = 60  # different words
_NUMBER = re.compile(r"\d{1,3}")
_PERCENT = re.compile(r"(\d{1,3}(?:[.,]\d+)?)\s*%")
_FRACTION = re.compile(r"[01](?:[.,]\d+)?|[.,]\d+")
_BESIDE = re.compile(r"(\d{1,2})\W+\D+|\D*?\W*(\d{1,2})\W*")  # 4 - High; High (4)


class Meant(msgspec.Struct, frozen=True, kw_only=True):
    """One word of a register, and what it means; nothing is chosen where it can mean several things."""

    key: str  # under which the answer is kept
    field: str
    word: str  # "" for a risk without any
    options: tuple[tuple[str, str], ...]  # value and name of each
    can: tuple[str, ...] = ()  # the values it can mean, where they are few
    chosen: str = ""
    line: int  # of the first


class Meanings:
    """Answers what words mean, and collects which were met."""

    def __init__(self, table: RiskTable, scale: Scale) -> None:
        self.words: dict[str, Meant] = {}
        self.left = 0  # words beyond `MOST`
        self._table, self._size = table, scale.size
        self._said: Mapping[str, str] = table.columns.meanings
        self._of_five = {field: self._is_of_five(field) for field in SCORED}
        self._points = tuple((str(n), str(n)) for n in range(1, scale.size + 1))
        self._responses = tuple((value, RESPONSE[value]) for value in get_args(Response))

    @property
    def open(self) -> tuple[Meant, ...]:
        """The words of which it is not known what they mean."""
        return tuple(word for word in self.words.values() if not word.chosen)

    def points(self, field: str, word: str, line: int) -> int | None:
        """Return the points of a word for a probability or an impact, None where it is not known."""
        can = self._can(field, word)
        told = self._meant(field, word, line, self._points, tuple(map(str, sorted(can))))
        return int(told) if told else None

    def response(self, word: str, line: int) -> Response | None:
        """Return the response a word names, None where it is not known; a text that names none is as no word."""
        known = RESPONSES.get(_bare(word), "")
        told = self._meant("response", word if known else "", line, self._responses, (known,) if known else ())
        return told or None  # type: ignore[return-value]

    def names_response(self, word: str) -> bool:
        """Tell whether a word names a kind of response, and is no text of what is done."""
        return _bare(word) in RESPONSES

    def closed(self, word: str, line: int) -> bool | None:
        """Return whether a word says that a risk is closed, None where it says nothing or is not known."""
        if not word:
            return None
        known = STATES.get(_bare(word), "")
        options = (("open", _("Open")), ("closed", _("Closed")))
        told = self._meant("status", word, line, options, (known,) if known else ())
        return told == "closed" if told else None

    def _meant(
        self, field: str, word: str, line: int, options: tuple[tuple[str, str], ...], can: tuple[str, ...]
    ) -> str:
        key = meaning(field, word, self._size if field in SCORED else 0)
        if key not in self.words:
            if len(self.words) >= MOST:
                self.left += 1
                return ""
            said = self._said.get(key, "")
            if said not in {value for value, _label in options}:
                said = can[0] if len(can) == 1 else ""
            self.words[key] = Meant(key=key, field=field, word=word, options=options, can=can, chosen=said, line=line)
        return self.words[key].chosen

    def _is_of_five(self, field: str) -> bool:
        """Tell whether a column has words that only a scale of five has."""
        ranks = {RANK_OF.get(_bare(getattr(risk, field))) for risk in self._table.risks}
        return bool(ranks & {1, 5})

    def _can(self, field: str, word: str) -> set[int]:
        """Return the points a word can mean, nothing where it can mean any."""
        size, bare = self._size, _bare(word)
        if (percent := self._percent(field, bare)) is not None:
            return _of_percent(percent, size)
        if _NUMBER.fullmatch(bare):
            return {int(bare)} & set(range(1, size + 1))
        if rank := RANK_OF.get(bare):
            can = set() if bare in OF_THREE and not self._of_five[field] and size == 3 else _spread(rank, 5, size)
            if bare in OF_THREE and not self._of_five[field]:
                can |= _spread(rank - 1, 3, size)
            return can
        if found := _BESIDE.fullmatch(bare):
            return {int(found[1] or found[2])} & set(range(1, size + 1))
        return set()

    def _percent(self, field: str, bare: str) -> Decimal | None:
        """Return a percentage from 0 to 100, None where a word is none."""
        if found := _PERCENT.fullmatch(bare):
            value = Decimal(found[1].replace(",", "."))
        elif self._table.fractions and "probability" in field and _FRACTION.fullmatch(bare):
            value = 100 * Decimal(bare.replace(",", "."))
        else:
            return None
        return value if value <= 100 else None


def _bare(word: str) -> str:
    return " ".join(word.casefold().split()).strip(" .!?*")


def _of_percent(value: Decimal, size: int) -> set[int]:
    """Return the points of a percentage, on a scale cut in equal parts; where two parts meet it can be either."""
    place = value * size / 100
    if place == place.to_integral_value() and 0 < place < size:
        return {int(place), int(place) + 1}
    return {min(int(place) + 1, size)}


def _spread(rank: int, ranks: int, size: int) -> set[int]:
    """Return the points of a rank, of so many, on a scale of a size: two where it falls between them."""
    place = 1 + Decimal(rank - 1) * (size - 1) / (ranks - 1)
    low = int(place)
    return {low} if place == low else {low, low + 1}
