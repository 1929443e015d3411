"""A source speaks a language: what is recorded with it is in it, whoever reads it, and nothing is asked twice for it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.plan.sources.commands import ChangeSource
from domain.plan.sources.pulls import SettleSource
from domain.plan.sources.rules import Rules
from tests.web.sources.house import HARBOUR, JIRA, JUNE, Sourced, form, sourced
from tests.web.sources.scripted import planned
from web import languages
from web.sources.tools.tool import Trouble

pytestmark = pytest.mark.stories
HERE = f"/p/{HARBOUR}/sources"
DEPOT = ("7", "Depot opens", JUNE)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def spoken() -> None:
    languages.install()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Sourced]:
    with sourced(tmp_path) as made:
        yield made


def speak(house: Sourced, language: str) -> None:
    known = house.source()
    house.tell(
        ChangeSource(
            project=HARBOUR, source=JIRA, name=known.name, address=known.address, cadence=60, language=language
        )
    )


def test_the_reason_of_a_move_its_notes_and_its_failures_are_in_the_language_of_the_source(house: Sourced) -> None:
    house.owned(DEPOT)
    speak(house, "de")
    house.pull(planned(("7", "Depot opens", JUNE + 2 * DAY)))
    assert house.titled("Depot opens").moves[-1].reason == "Wie jetzt geplant"
    house.pull(planned(("7", "Depot opens", JUNE + 40 * DAY)))
    [waits] = house.source().waits
    assert "Regeln" in waits.why
    house.tool.answer = lambda: (_ for _ in ()).throw(RuntimeError("broken"))  # type: ignore[assignment]
    assert house.services.sources.engine.turn_of(HARBOUR, JIRA).trouble is not None
    assert "Server" in house.source().failure.why  # type: ignore[union-attr]
    assert "unexpectedly" not in house.source().failure.why  # type: ignore[union-attr]


def test_what_was_left_stays_left_when_the_source_speaks_another_language(house: Sourced) -> None:
    house.attach(Rules())
    plan = planned(DEPOT, ("8", "Crane arrives", JUNE))
    house.pull(plan)
    last = house.source().last
    assert last is not None
    left = tuple(one.line.key for one in last.waits)
    assert len(left) == 2
    for language in ("de", "fr", "en", "es"):
        speak(house, language)
        house.pull(plan)
        newest = house.source().last
        assert newest is not None
        assert tuple(one.line.key for one in newest.lines) == left
    assert house.source().last is last or house.source().last.lines == last.lines  # type: ignore[union-attr]
    house.tell(SettleSource(project=HARBOUR, source=JIRA, pull=house.source().last.id, leave=left))  # type: ignore[union-attr]
    speak(house, "de")
    house.pull(plan)
    assert not house.source().waits


def test_the_form_offers_the_language_it_is_read_in_and_keeps_what_is_chosen(house: Sourced) -> None:
    browser = house.house.client("manager")
    page = browser.get(f"{HERE}/new/scripted", headers={"accept-language": "de"}).text
    assert '<option value="de" lang="de" selected>' in page
    fields = {"source": JIRA, "name": "Plan", "address": "https://jira.example.org", "secret": "s3cret"}
    wrong = form(browser, f"{HERE}/new/scripted", **fields, language="tlh")
    assert wrong.status_code == 422
    assert "is no language here" in wrong.text
    form(browser, f"{HERE}/new/scripted", **fields, language="fr")
    assert house.source().language == "fr"
    form(browser, f"{HERE}/{JIRA}/change", page=f"{HERE}/{JIRA}", name="Plan", address=fields["address"], language="es")
    assert house.source().language == "es"


def test_each_tool_says_what_it_brings_and_a_new_source_has_the_first_free_id(house: Sourced) -> None:
    browser = house.house.client("manager")
    page = browser.get(HERE).text
    for name, tool in house.services.sources.tools.items():
        if name == "scripted":
            continue
        assert re.search(rf'/new/{name}">{tool.label}</a>\s*<span class="soft">[^<]', page), name
        made = browser.get(f"{HERE}/new/{name}").text
        assert f'name="source" value="{name}1"' in made
        assert not tool.scope or "nothing else" in made or "alone" in made or "scope" in made
    house.attach(key=JIRA, tool="upload", address="")
    assert 'value="upload1"' in browser.get(f"{HERE}/new/upload").text
    made = form(browser, f"{HERE}/new/upload", page=f"{HERE}/new/upload", name="Script")
    assert made.headers["location"].startswith(f"{HERE}/upload1")
    assert 'value="upload2"' in browser.get(f"{HERE}/new/upload").text


def test_a_tool_that_is_away_says_so_in_the_language_of_the_source_and_never_its_secret(house: Sourced) -> None:
    house.attach()
    speak(house, "fr")
    house.tool.answer = Trouble("Away")
    house.services.sources.engine.turn_of(HARBOUR, JIRA)
    page = house.house.client("manager").get(f"{HERE}/{JIRA}").text
    assert "Away" in page
    assert "s3cret" not in page
