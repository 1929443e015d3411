"""What the words of a risk register mean in a project: points on its scale, responses, open or closed.

Rule: a word that can mean two things is asked about. What it was said to mean is kept with the columns of the table.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import get_args

import msgspec

from domain.language import gettext as _
from domain.plan.risks import Proximity, Response
from domain.plan.scores import Scale
from projections.wording.values import PROXIMITY, RESPONSE
from web.importers.registers.columns import meaning
from web.importers.registers.found import RiskTable
from web.importers.registers.headings import OF_THREE, PROXIMITIES, RANK_OF, RESPONSES, SCORED, STATES

ORDER = (*SCORED, "response", "proximity", "status")
MOST = 60  # different words
_NUMBER = re.compile(r"\d{1,3}")
_PERCENT = re.compile(r"(\d{1,3}(?:[.,]\d+)?)\s*%")
_BARE_PERCENT = re.compile(r"(\d{1,3}(?:[.,]\d+)?)")  # where the heading has the sign
_FRACTION = re.compile(r"[01](?:[.,]\d+)?|[.,]\d+")
_BESIDE = re.compile(  # 4 - High; 4 (High); High (4)
    r"(?P<n>\d{1,2})\s*[-–—:.)(=]\s*(?P<word>\D+?)\)?|(?P<word2>\D+?)\s*[-–—:(\[=]\s*(?P<n2>\d{1,2})\s*[)\]]?"
)
_TOP = re.compile(r"1\s*(?:[-–—/]|\.\.+|to|bis|à|a)\s*(\d{1,2})")  # 1-5, in a heading


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
        self._tops = {field: _top(getattr(table.columns, field)) or scale.size for field in SCORED}
        self._of_hundred = {field for field in SCORED if "%" in getattr(table.columns, field)}
        self._of_five = {field: self._is_of_five(field) for field in SCORED}
        self._points = tuple((str(n), str(n)) for n in range(1, scale.size + 1))
        self._responses = tuple((value, RESPONSE[value]) for value in get_args(Response))

    @property
    def open(self) -> tuple[Meant, ...]:
        """The words of which it is not known what they mean."""
        return tuple(word for word in self.words.values() if not word.chosen)

    def told(self) -> tuple[Meant, ...]:
        """Return the words field by field, those first of which it is not known what they mean."""
        return tuple(
            sorted(self.words.values(), key=lambda word: (bool(word.chosen), ORDER.index(word.field), word.word))
        )

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

    def proximity(self, word: str, line: int) -> Proximity | None:
        """Return how near a risk is, None where the file does not say it or it is not known."""
        if not word:
            return None
        known = PROXIMITIES.get(_bare(word), "")
        options = tuple((value, PROXIMITY[value]) for value in get_args(Proximity))
        told = self._meant("proximity", word, line, options, (known,) if known else ())
        return told or None  # type: ignore[return-value]

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
            return self._of_number(field, int(bare))
        if bare in RANK_OF:
            return self._of_word(field, bare)
        if found := _BESIDE.fullmatch(bare):
            number = self._of_number(field, int(found["n"] or found["n2"]))
            word = (found["word"] or found["word2"]).strip()
            said = self._of_word(field, word) if word in RANK_OF else number
            return (number & said) or (number | said)
        return set()

    def _of_number(self, field: str, number: int) -> set[int]:
        """Return the points of a number on the scale its heading names, else on the project's."""
        top = self._tops[field]
        return _spread(number, top, self._size) if 1 <= number <= top and top > 1 else set()

    def _of_word(self, field: str, bare: str) -> set[int]:
        """Return the points of a word that ranks; one that a scale of three has, too, can mean either."""
        rank, of_three = RANK_OF[bare], bare in OF_THREE and not self._of_five[field]
        can = set[int]() if of_three and self._size == 3 else _spread(rank, 5, self._size)
        return can | _spread(rank - 1, 3, self._size) if of_three else can

    def highest(self) -> int:
        """Return the highest number among the scores, 0 where none is a number below the top of the scale."""
        told = [
            getattr(risk, field) for risk in self._table.risks for field in SCORED if self._tops[field] == self._size
        ]
        numbers = [int(word) for word in told if _NUMBER.fullmatch(word)]
        return max(numbers, default=0)

    def _percent(self, field: str, bare: str) -> Decimal | None:
        """Return a percentage from 0 to 100, None where a word is none."""
        signed = _PERCENT.fullmatch(bare)
        if found := signed or (_BARE_PERCENT.fullmatch(bare) if field in self._of_hundred else None):
            value = Decimal(found[1].replace(",", "."))
        elif self._table.fractions and "probability" in field and _FRACTION.fullmatch(bare):
            value = 100 * Decimal(bare.replace(",", "."))
        else:
            return None
        return value if value <= 100 else None


def _top(heading: str) -> int:
    """Return the top of the scale that a heading names, 0 where it names none."""
    found = _TOP.search(heading.casefold())
    return int(found[1]) if found else 0


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
