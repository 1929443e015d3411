"""Sentences a person reads, each by its message id in the catalogue `web/locale/fanlight.pot`, and their language.

Rule: the message id is the English sentence. Values are named, never joined to a sentence from pieces, so that a
translator can put them in another order. The language is set around what is said (`speaking`); what is recorded is
said in the language of its view, whoever looks. English needs no catalogue.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import Final, Literal, TypeVar

import msgspec

ENGLISH: Final = "en"
LANGUAGES: Final = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}  # by BCP 47, as they say it
ACCENTED: Final = "en-XA"  # English with accents, four tenths longer, in brackets: shows what is cut or has no id
MIRRORED: Final = "he-XB"  # English in letters that are read from right to left
TEST_LANGUAGES: Final = {ACCENTED: "English, accented", MIRRORED: "English, from right to left"}


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """A language other than English: its messages, its rule of plurals, and how it writes numbers."""

    code: str  # BCP 47
    messages: Mapping[tuple[str, str], tuple[str, ...]]  # by context ("" for none) and message id; plurals in order
    plural: Callable[[int], int]  # which of the plural forms stands for a number
    number: Callable[[Decimal], str]  # with groups of digits, and its decimal places


Loader = Callable[[str], Language | None]


def _none(_code: str) -> Language | None:
    return None


_loader: list[Loader] = [_none]
_offered: dict[str, str] = dict(LANGUAGES)
_spoken: ContextVar[Language | None] = ContextVar("language", default=None)


def install(loader: Loader, *, tests: bool = False) -> None:
    """Set where languages are found by their code, before any is spoken; `tests`: those of tests may be chosen too."""
    _loader[0] = loader
    _offered.clear()
    _offered.update({**LANGUAGES, **TEST_LANGUAGES} if tests else LANGUAGES)


def offered() -> Mapping[str, str]:
    """Return the languages that may be chosen, by code (BCP 47), each by its own name."""
    return _offered


def direction(code: str) -> Literal["ltr", "rtl"]:
    """Return in which direction a language is read."""
    return "rtl" if code.partition("-")[0] in {"ar", "fa", "he", "ur"} else "ltr"


def mirrored() -> bool:
    """Tell whether the language that is spoken is read from right to left, so that drawings run that way too."""
    return direction(spoken()) == "rtl"


def tag(code: str) -> str:
    """Return a language as a document names it: English here is British."""
    return "en-GB" if code == ENGLISH else code


def spoken() -> str:
    """Return the code (BCP 47) of the language in which sentences are made now."""
    language = _spoken.get()
    return ENGLISH if language is None else language.code


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Make sentences in a language (BCP 47); one that is not known is English."""
    token = _spoken.set(None if code == ENGLISH else _loader[0](code))
    try:
        yield
    finally:
        _spoken.reset(token)


def _found(context: str, message: str, index: int = 0) -> str:
    """Return the translation of a message, or the message itself where there is none."""
    language = _spoken.get()
    if language is None:
        return message
    forms = language.messages.get((context, message))
    if not forms:
        return message
    return forms[index] if index < len(forms) else forms[-1]


def gettext(message: str, /, **values: object) -> str:
    """Return the sentence with its values filled in, as `str.format` does; import it as `_`."""
    found = _found("", message)
    return found.format(**values) if values else found


def in_english(message: str, /, **values: object) -> str:
    """Return a sentence for the ledger, which is in English whoever asks, with its values filled in."""
    return message.format(**values) if values else message


def pgettext(context: str, message: str, /, **values: object) -> str:
    """Return a sentence whose words have another meaning elsewhere; the context tells which one is meant."""
    found = _found(context, message)
    return found.format(**values) if values else found


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """Return the sentence for a number: `one` or `many` in English, the form of its own rule in another language."""
    language = _spoken.get()
    found = one if number == 1 else many
    if language is not None and (forms := language.messages.get(("", one))):
        found = forms[min(language.plural(number), len(forms) - 1)]
    return found.format(**values) if values else found


def forms(one: str, many: str) -> tuple[str, ...]:
    """Return the sentences for numbers in the order of the language's plural forms, values not filled in."""
    language = _spoken.get()
    return (one, many) if language is None else language.messages.get(("", one)) or (one, many)


def N_(message: str, /) -> str:  # noqa: N802  # the name every gettext tool looks for
    """Mark a sentence for the catalogue where it is a constant, and return it unchanged."""
    return message


def NN_(one: str, many: str, /) -> tuple[str, str]:  # noqa: N802  # as `N_`
    """Mark the two sentences of a number for the catalogue, and return them unchanged."""
    return one, many


def P_(_context: str, message: str, /) -> str:  # noqa: N802  # as `N_`
    """Mark a sentence with its context for the catalogue, and return it unchanged."""
    return message


K = TypeVar("K")


class Said(dict[K, str]):
    """A table of sentences marked by `N_` or `P_`: what is looked up comes in the language that is spoken."""

    def __init__(self, sentences: Mapping[K, str], context: str = "") -> None:
        super().__init__(sentences)
        self._context = context

    def __getitem__(self, key: K) -> str:
        return _found(self._context, super().__getitem__(key))

    def items(self) -> list[tuple[K, str]]:  # type: ignore[override]
        """Return every key with its sentence."""
        return [(key, self[key]) for key in self]

    def values(self) -> list[str]:  # type: ignore[override]
        """Return every sentence."""
        return [self[key] for key in self]

    def get(self, key: K, default: str = "") -> str:  # type: ignore[override]
        """Return the sentence of a key, `default` as it is where there is none."""
        found = super().get(key)
        return default if found is None else _found(self._context, found)


def whole(value: int) -> str:
    """Return a whole number with its groups of digits: "1,250"."""
    language = _spoken.get()
    return f"{value:,}" if language is None else language.number(Decimal(value))


def decimal(value: Decimal) -> str:
    """Return a number with the decimal places it has: "0.95"."""
    language = _spoken.get()
    return f"{value:,f}" if language is None else language.number(value)


def listed(names: Iterable[str]) -> str:
    """Return "A", "A and B", "A, B and C", "" for none."""
    *before, last = list(names) or [""]
    return gettext("{names} and {last}", names=", ".join(before), last=last) if before else last


_GERMAN = (
    "ab abgenommen alle als am an angezeigt auf aus ausgegeben beantwortet behoben bei berichtigt besser "
    "beurteilt bis braucht damit das der die eigene eigener eigenes ein eine einmal erarbeitet erledigt "
    "erreicht erste erster erstes frühere früherer früheres frühestens frühester frühestes fällig für "
    "gefährdet gemessen genehmigte genehmigtes geplant geplante gesamt geschlossen hohe höchste höchstes im in "
    "interne interner internes je jeder keine letzte mit mittlere nach neue neuer neues nicht nichts niedrige "
    "noch nur offen ohne ruhend sofort spätestens täglich unbekannt und ursprüngliche ursprüngliches "
    "vereinbarte vereinbarter vereinbartes verfrüht versiegelt verspätet vertragliche von vor wann was wenn "
    "wer wie wieder wird wo worauf wöchentlich zeitliche zu zugestellt zuletzt zum zur zurückgehalten zweimal "
    "überfällig"
)
GERMAN_SMALL: Final = frozenset(_GERMAN.split())  # first words of labels that are no nouns: small within a sentence


def lowered(text: str) -> str:
    """Return a label as it stands inside of a sentence: its first letter is small, unless its first word keeps it.

    An abbreviation does ("CPI", "SPI(t)", "E-Mail"), and in German every word that is none of `GERMAN_SMALL`. The other
    words of a label are written as they are in a sentence.
    """
    first = text.partition(" ")[0]
    small = text[:1].lower() + text[1:]
    if first[1:] != first[1:].lower():
        return text
    if spoken().partition("-")[0] != "de":
        return small
    return small if first.strip(".,:;").lower() in GERMAN_SMALL else text


def sentence(text: str) -> str:
    """Return a clause as a sentence: with a capital letter and a full stop."""
    return f"{capital(text)}."


def capital(text: str) -> str:
    """Return a text with its first letter as a capital."""
    return text[:1].upper() + text[1:]
