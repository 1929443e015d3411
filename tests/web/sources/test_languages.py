"""A source speaks a language: what is recorded with it is in it, whoever reads it, and nothing is asked twice for it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.ids import PersonId, SourceId
from domain.language import spoken as spoken_now
from domain.plan.sources.commands import ChangeSource, PauseSource
from domain.plan.sources.pulls import SettleSource
from domain.plan.sources.rules import Rules
from tests.web.sources.house import HARBOUR, JIRA, JUNE, Sourced, form, sourced
from tests.web.sources.scripted import planned
from web import languages
from web.sources.files import Files
from web.sources.taking import Taking
from web.sources.tools.tool import Trouble
from web.write.permission import OPERATOR

pytestmark = pytest.mark.stories
HERE = f"/p/{HARBOUR}/sources"
DEPOT = ("7", "Depot opens", JUNE)
DAY = timedelta(days=1)
SCRIPT = SourceId("script1")
CSV = b"id,name,finish,milestone\n7,Depot opens,2027-06-01,yes\n"


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


# what a script is told


def sent(house: Sourced, content: bytes, name: str = "p.csv") -> Any:
    """Send a plan as a script does, whose library asks for German."""
    token = house.services.credentials.token(OPERATOR, PersonId("manager"), "all")
    put = f"/api/v1/projects/{HARBOUR}/sources/{SCRIPT}/plan?name={name}"
    bearer = {"authorization": f"Bearer {token}", "accept-language": "de"}
    return house.house.client().put(put, content=content, headers=bearer)


def test_a_script_is_told_in_english_what_the_record_has_in_the_language_of_the_source(house: Sourced) -> None:
    house.attach(key=SCRIPT, tool="upload", language="de")
    answer = sent(house, b"<oops")
    assert answer.status_code == 422
    assert answer.json()["title"] == "A value cannot be right"
    assert "cannot be read" in answer.json()["detail"]
    failure = house.source(SCRIPT).failure
    assert failure is not None
    assert "kann nicht gelesen werden" in failure.why
    assert "cannot be read" not in failure.why
    rowless = sent(house, b"id,name,finish\n7,Depot opens,2027-06-01\n")
    assert "Import it once by hand" in rowless.json()["detail"]


def test_in_english_a_broken_plan_is_read_once_and_another_language_costs_one_more(
    house: Sourced, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, seen = Files.read, []

    def counted(files: Files, name: str, content: Any) -> Any:
        seen.append(spoken_now())
        return read(files, name, content)

    monkeypatch.setattr(Files, "read", counted)
    house.attach(key=SCRIPT, tool="upload", language="fr")
    assert sent(house, b"<oops").status_code == 422
    assert seen == ["fr", "en"]
    seen.clear()
    assert sent(house, CSV).status_code == 201
    assert seen == ["fr"]
    house.tell(ChangeSource(project=HARBOUR, source=SCRIPT, name="Script", cadence=60, language="en"))
    seen.clear()
    assert sent(house, b"<oops").status_code == 422
    assert seen == ["en"]


def test_why_a_line_of_a_sent_plan_waits_is_recorded_in_the_language_of_the_source(house: Sourced) -> None:
    house.attach(Rules(), key=SCRIPT, tool="upload", language="de")
    assert sent(house, CSV).json()["waits"] == 1
    [waits] = house.source(SCRIPT).waits
    assert waits.why == "Die Regeln fragen."


def test_a_refusal_of_a_sent_plan_is_in_english_whatever_the_source_speaks(
    house: Sourced, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.attach(key=SCRIPT, tool="upload", language="de")
    monkeypatch.setattr(Taking, "_still", lambda self, project, source, _asked: self.find(project, source))

    def paused_meanwhile(files: Files, name: str, content: Any) -> Any:
        house.tell(PauseSource(project=HARBOUR, source=SCRIPT))
        return read(files, name, content)

    read = Files.read
    monkeypatch.setattr(Files, "read", paused_meanwhile)
    answer = sent(house, CSV)
    assert (answer.status_code, answer.json()["title"]) == (409, "Not possible now")
    assert "This source is paused" in answer.json()["detail"]
