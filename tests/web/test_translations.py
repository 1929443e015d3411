"""Every catalogue has every message, whole: values, plurals and markup as in the id, and the terms of the glossary.

Rule: a catalogue that lags behind the sources fails for what reaches clients; for the rest once it is in `COMPLETE`.
"""

import re
from collections import Counter
from functools import cache
from pathlib import Path
from string import Formatter

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message

from domain.language import LANGUAGES, gettext, ngettext, speaking
from tests import catalogue
from web import languages

pytestmark = pytest.mark.once

COMPLETE = frozenset({"de", "fr", "es"})  # languages that lack no message at all, of our own people's pages neither
FILES = sorted((catalogue.ROOT / "web" / "locale").glob("*.po"))
GLOSSARY = catalogue.ROOT / "docs" / "words.md"
CLIENTS = (
    *("domain/headline.py", "domain/language.py", "domain/catalogue.py", "domain/reveal/", "domain/plan/health.py"),
    *("projections/wording/", "projections/entries/", "projections/follow/", "projections/events/world.py"),
    *("web/render/", "web/client/", "web/mail/", "web/sign_in/", "web/evidence/", "web/door/", "web/write/saying.py"),
    *("web/people/mail_choice.py", "web/process/rights.py", "domain/agreement/answers.py"),
    *("web/templates/parts/", "web/templates/client/", "web/templates/mail/", "web/templates/base.html"),
    *("web/templates/brand.html", "web/templates/sign_in.html", "web/templates/link.html", "web/templates/me.html"),
    *("web/templates/mail_stop.html", "web/templates/refused.html", "web/templates/evidence.html"),
)  # what speaks to clients: a file, or a folder
DEEDS = frozenset({"Record", "Release"})  # messages that are a button, not the thing of that name
TAG = re.compile(r"</?[a-z][^<>]*>")
OLD = re.compile(r"%\((\w+)\)[a-z]")


@cache
def template() -> Catalog:
    return languages.catalogue(catalogue.TEMPLATE, "en")


@cache
def for_clients() -> frozenset[tuple[str, str]]:
    """Return which messages reach clients, by context and id."""
    found = catalogue.extracted(only=CLIENTS)
    return frozenset(_key(message) for message in found if message.id)


@cache
def translated(path: Path) -> Catalog:
    return languages.catalogue(path, path.stem)


def _key(message: Message) -> tuple[str, str]:
    return message.context or "", _ids(message)[0]


def _ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _texts(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def values(text: str) -> Counter[str]:
    """Return the values that a text names, in either notation."""
    old = OLD.findall(text)
    if old or "%%" in text:
        return Counter(old)
    return Counter(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def lacking(path: Path) -> list[str]:
    """Return the messages that a catalogue has not got, or not for certain."""
    known = {_key(message): message for message in translated(path) if message.id}
    asked = {_key(message) for message in template() if message.id}
    bad = [key for key in asked if key not in known or known[key].fuzzy or not all(_texts(known[key]))]
    return sorted(key[1] for key in bad if path.stem in COMPLETE or key in for_clients())


def faults(message: Message) -> list[str]:
    """Return what is wrong with a translation."""
    ids, texts = _ids(message), _texts(message)
    if not all(texts):
        return []
    named, one = set(values(ids[-1])), set(values(ids[0]))
    found = [f"names {sorted(set(values(text)) - named - one)}" for text in texts if set(values(text)) - named - one]
    if set(values(texts[-1])) != named:
        found.append(f"names {sorted(values(texts[-1]))} instead of {sorted(named)}")
    tags = Counter(TAG.findall(ids[-1]))
    found += [f"has other markup: {text!r}" for text in texts if Counter(TAG.findall(text)) != tags]
    if len(ids) > 1 and len(texts) != 2:
        found.append(f"has {len(texts)} plural forms instead of 2")
    edges = [(text.startswith(" "), text.endswith((" ", "\n"))) for text in (ids[-1], *texts)]
    return found + (["begins or ends in another way"] if len(set(edges)) > 1 else [])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_message_is_missing_empty_or_doubtful(path: Path) -> None:
    missing = lacking(path)
    assert not missing, f"{len(missing)} of {path.name}:\n" + "\n".join(missing)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_translation_has_the_values_and_the_markup_of_its_message(path: Path) -> None:
    wrong = [f"{_ids(m)[0]!r} {fault}" for m in translated(path) if m.id for fault in faults(m)]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_catalogue_is_of_a_language_there_is_and_counts_as_it_does(path: Path) -> None:
    assert path.stem in LANGUAGES
    read = translated(path)
    assert read.num_plurals == 2
    rule = Locale.parse(path.stem).plural_form
    others = eval(f"lambda n: int{read.plural_expr}")  # a rule of ours, of a number
    assert [others(n) for n in range(200)] == [int(rule(n) != "one") for n in range(200)]


def terms() -> dict[str, dict[str, str]]:
    """Return the glossary: each English term, and what it is in the other languages, by code."""
    lines = GLOSSARY.read_text("utf-8").partition("## In other languages")[2].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    codes = [{"Deutsch": "de", "Français": "fr", "Español": "es"}.get(name, "en") for name in rows[0]]
    return {row[0]: dict(zip(codes[1:], row[1:], strict=True)) for row in rows[2:]}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_message_that_is_one_term_is_that_of_the_glossary(path: Path) -> None:
    known = {term.casefold(): said[path.stem].casefold() for term, said in terms().items()}
    assert len(known) > 80
    wrong = [
        f"{message.id!r} is {message.string!r}, and the glossary says {known[message.id.casefold()]!r}"
        for message in translated(path)
        if isinstance(message.id, str) and not message.context and message.id not in DEEDS
        if message.id.casefold() in known
        if message.string and not _alike(str(message.string).casefold(), known[message.id.casefold()])
    ]
    assert not wrong, "\n" + "\n".join(wrong)


def _alike(said: str, term: str) -> bool:
    """Tell whether two words are one, but for the ending that a gender or a number asks for."""
    return said == term or (said[:4] == term[:4] and abs(len(said) - len(term)) <= 2)


@pytest.mark.parametrize(
    ("id_", "string"),
    [
        ("{n} days", "{m} Tage"),
        ("{n} days", "Tage"),
        ("<b>{n}</b>", "{n}"),
        ("%(n)s days", "%(m)s Tage"),
        (("{n} day", "{n} days"), ("{n} Tag",)),
        ("day", "Tag "),
        ("day", "<i>Tag</i>"),
    ],
)
def test_a_fault_would_be_noticed(id_: str | tuple[str, str], string: str | tuple[str, ...]) -> None:
    assert faults(Message(id_, string))  # type: ignore[arg-type]


def test_the_singular_may_say_its_number_in_words() -> None:
    assert not faults(Message(("one day", "{many} days"), ("ein Tag", "{many} Tage")))
    assert not faults(Message(("{n} day", "{n} days"), ("ein Tag", "{n} Tage")))


@pytest.mark.parametrize("code", ["en-XA", "he-XB"])
def test_the_languages_of_tests_have_every_message(code: str) -> None:
    made = languages.found(code)
    assert made is not None
    assert {_key(message) for message in template() if message.id} == set(made.messages)
    languages.install(tests=True)
    try:
        with speaking(code):
            assert gettext("{title} was reached", title="Gate 2").replace("Gate 2", "") != " was reached"
            assert "3" in ngettext("{many} day", "{many} days", 3, many=3)
    finally:
        languages.install()


def test_accents_make_a_message_longer_and_mark_its_ends() -> None:
    with_accents = languages.found("en-XA")
    assert with_accents is not None
    (text,) = with_accents.messages["", "The plan was confirmed unchanged"]
    assert text.startswith("[Ţ"[:1])
    assert text.endswith("]")
    assert len(text) >= 1.35 * len("The plan was confirmed unchanged")


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "en"),
        ("*", "en"),
        ("de-CH,de;q=0.9,en;q=0.8", "de"),
        ("it,en;q=0.1,de;q=0.05", "en"),
        ("fr;q=0, es;q=0.2", "es"),
        ("en-US,de", "en"),
        ("de;q=x, fr", "fr"),
        ("en-XA", "en"),
        ("he-XB, he", "en"),
        (",;q=;,de;;q=1" * 400, "de"),
        ("\x00" * 100, "en"),
    ],
)
def test_a_browser_gets_the_language_it_likes_best(header: str, code: str) -> None:
    languages.install(tests=True)
    try:
        assert languages.accepted(header) == code
    finally:
        languages.install()
