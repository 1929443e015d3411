"""A share speaks its language: what is recorded, replayed, compared, mailed and proved of it, and nobody else's."""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from domain.agreement.share import SetLanguage
from domain.errors import Invalid
from domain.language import speaking
from projections.entries.entry import Entry
from projections.follow.shadow import compared
from projections.proof import notes
from projections.replay import pages
from projections.replay.since import since
from projections.verify import standalone
from tests.world import COUNCIL, HARBOUR, KEY, OTHER, SHARE, World, everything
from web import languages
from web.client.live_words import OF_NUMBERS, SENTENCES, live_words
from web.mail import digest
from web.render import exact_page
from web.render.page import Renderer

CODES = ("en", "de", "fr", "es", "en-XA", "he-XB")
WORD = {"en": "Milestones", "de": "Meilensteine", "fr": "Jalons", "es": "Hitos"}  # over the table of milestones


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    languages.install(tests=True)
    yield
    languages.install()


def played(folder: Path, *spoken: str) -> World:
    """The sample project with two clients; the share is put into languages, and a date moves after each."""
    world = World(folder, Renderer())
    world.harbour()
    world.share(everything(), OTHER, HARBOUR, COUNCIL)
    for i, code in enumerate(spoken, 1):
        world.tell(SetLanguage(share=SHARE, language=code))
        world.move("m2", date(2027, 8, 2 + 3 * i), f"Frost {i}")
    return world


def whole(entry: Entry) -> str:
    """Everything that a client reads of an entry."""
    return entry.content.items + entry.content.say + "".join(part.head + part.tail for part in entry.content.parts)


@pytest.mark.parametrize("code", CODES[1:])
def test_an_update_in_a_language_is_replayed_as_it_was_seen(tmp_path: Path, code: str) -> None:
    world = played(tmp_path, code, "en")
    seen: dict[int, dict[str, str]] = {}
    for entry in world.entries():
        page = pages.page(world.folder.disclosure, SHARE, entry.n)
        assert page is not None
        rendered = world.renderer.render(page.view)
        assert page.roots == {root: _markup(rendered.parts, root) for root in rendered.roots}
        seen[entry.n] = page.roots
    languages_of = [world.view(entry.n).language for entry in world.entries()]
    assert languages_of == ["en", code, code, "en", "en"]
    assert f'lang="{code}"' in seen[3]["summary"]
    assert "lang=" not in seen[5]["summary"]
    css = world.folder.disclosure.stylesheet(world.entries()[2].content.stylesheet)
    page = pages.page(world.folder.disclosure, SHARE, 3)
    assert css is not None
    assert page is not None
    document = exact_page.document(page, css)
    assert f'<html lang="{code}"' in document
    assert ('dir="rtl"' in document[:80]) == (code == "he-XB")
    world.close()


def _markup(parts: dict, key: str) -> str:  # type: ignore[type-arg]
    part = parts[key]
    return part.head + "".join(_markup(parts, child) for child in part.children) + part.tail


@pytest.mark.parametrize("path", sorted((languages.LOCALE).glob("*.po")), ids=lambda path: path.stem)
def test_everything_of_an_update_is_in_the_language(tmp_path: Path, path: Path) -> None:
    world = played(tmp_path, path.stem)
    change, move = world.entries()[1:3]
    assert WORD[path.stem] in whole(change)
    assert WORD["en"] not in whole(change)
    text = re.sub(r"<[^>]*>", " ", whole(change) + whole(move))
    english = {"the", "and", "of", "days", "agreed", "shared", "moved", "from", "milestone", "risk"} - {"de"}
    spoken = {word for word in re.findall(r"[a-z]+", text) if word in english}
    assert not spoken
    assert world.view().headline.sentence != world.view(1).headline.sentence
    world.close()


def test_english_is_what_it_was_when_others_are_spoken(tmp_path: Path) -> None:
    plain, spoken = World(tmp_path / "a", Renderer()), World(tmp_path / "b", Renderer())
    for world in (plain, spoken):
        with speaking("de" if world is spoken else "en"):  # whoever looks is of no account
            world.harbour()
            world.move("m2", date(2027, 8, 9))
    assert [entry.raw for entry in plain.entries()] == [entry.raw for entry in spoken.entries()]
    plain.close()
    spoken.close()


def test_a_change_of_language_is_one_quiet_update(tmp_path: Path) -> None:
    world = played(tmp_path)
    head, log = world.folder.disclosure.head(SHARE), world.folder.disclosure
    world.tell(SetLanguage(share=SHARE, language="de"))
    world.tell(SetLanguage(share=SHARE, language="de"))
    assert log.head(SHARE) == head + 1
    change = world.entries()[-1].content
    assert [one.field for one in change.changes] == ["language"]
    assert (change.items, change.say) == ("", "")
    assert change.terms_version == 1
    assert digest.compose(log, SHARE, head, head + 1) is None
    newest = pages.fold(log, SHARE, head + 1)
    assert newest is not None
    assert since(log, SHARE, head, newest).rows == ()
    world.move("m2", date(2027, 8, 9))
    told = digest.compose(log, SHARE, head, head + 2)
    assert told is not None
    assert told.language == "de"
    assert [line.title for line in told.changes if "Sprache" in line.title or "Language" in line.title] == []
    assert any(line.title == "Trial running starts" for line in told.changes)
    world.close()


def test_the_language_of_one_client_tells_another_nothing(tmp_path: Path) -> None:
    quiet, loud = played(tmp_path / "a", "en"), played(tmp_path / "b", "de")
    theirs = [[(e.raw, e.root) for e in world.entries(OTHER)] for world in (quiet, loud)]
    assert theirs[0] == theirs[1]
    assert len(theirs[0]) == 2
    quiet.close()
    loud.close()


def test_what_was_recorded_in_a_language_is_computed_again_alike(tmp_path: Path) -> None:
    world = played(tmp_path, "de", "he-XB")
    log = world.folder.disclosure
    found = list(compared(world.folder.events, log, SHARE, world.renderer))
    assert {one.state for one in found} == {"same"}
    assert len(found) == log.head(SHARE)
    world.close()


def test_a_bundle_in_a_language_holds(tmp_path: Path) -> None:
    world = played(tmp_path / "data", "de")
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(world.bundle())
    assert standalone.main([str(bundle), "--key", notes.verification_key(KEY.name, KEY.public)]) == 0
    world.close()


def test_a_language_that_there_is_not_is_refused(tmp_path: Path) -> None:
    languages.install()
    world = played(tmp_path)
    for code in ("it", "", "en-XA", "DE"):
        with pytest.raises(Invalid) as refused:
            world.tell(SetLanguage(share=SHARE, language=code))
        assert refused.value.field == "language"
        assert "de" in refused.value.message
    world.close()


@pytest.mark.parametrize("code", CODES)
def test_the_live_page_has_every_word_of_its_script(code: str) -> None:
    with speaking(code):
        given = json.loads(live_words())
    assert given["lang"] == code
    assert set(given["said"]) == set(SENTENCES)
    assert {one: len(forms) for one, forms in given["counted"].items()} == {one: 2 for one, _many in OF_NUMBERS}
    assert "{amount}" in given["units"][0][1]
    if code in ("de", "fr", "es"):
        assert given["placing"].endswith("{symbol}")
        assert given["said"]["Continue"] != "Continue"


def test_the_script_asks_for_no_word_that_it_is_not_given() -> None:
    source = "".join(
        file.read_text("utf-8") for file in (Path(languages.__file__).parent / "static" / "js" / "live").glob("*.js")
    )
    asked = set(re.findall(r"words\.(?:say|count)\(\s*'([^']+)'", source)) | set(re.findall(r"'(\{n\} [^']+)'", source))
    known = {*SENTENCES, *(one for one, _many in OF_NUMBERS)}
    assert asked - known == set()
    assert len(asked) > 12
