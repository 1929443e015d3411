"""Importing from the page: a proposal first, line by line, one command; a broken file changes nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.doors import House, running, wait_until
from tests.web.manager.plan.test_change import hidden, recorded
from tests.world import HARBOUR
from web.manager import projects

HERE = f"/p/{HARBOUR}/import"
CSV = "UID,Milestone,Finish\n1,Gate one,2027-06-01\n2,Gate two,2027-07-01\n"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", projects.routes()) as made:
        yield made


def sent(house: House, content: str | bytes, name: str = "plan.csv", *, wait: bool = True):
    """Upload a file and return the browser with the page of its proposal, however long the file takes to be read."""
    browser = house.client("manager")
    form = hidden(browser.get(HERE).text)
    answer = browser.post(HERE, data=form, files={"plan": (name, content)})
    assert answer.status_code == 303, answer.text
    here, pages = answer.headers["location"], []

    def done() -> bool:
        pages.append(browser.get(here))
        return not wait or 'http-equiv="refresh"' not in pages[-1].text  # the page of a file that is still being read

    wait_until(done)
    return browser, here, pages[-1]


def keys(markup: str) -> list[str]:
    return re.findall(r'name="line" id="[^"]+" value="([^"]+)"', markup)


def test_a_plan_is_looked_at_before_anything_changes(house: House) -> None:
    before = recorded(house)
    _, _, page = sent(house, CSV)
    assert "2 changes proposed." in page.text
    assert "Gate one" in page.text
    assert "1 Jun 2027" in page.text
    assert recorded(house) == before


def test_only_the_ticked_lines_are_recorded_in_one_command(house: House) -> None:
    browser, here, page = sent(house, CSV)
    chosen = keys(page.text)[0]
    done = browser.post(f"{here}/accept", data=hidden(page.text) | {"line": chosen, "reason": "Plan of May"})
    assert done.status_code == 303
    found = house.process.services.logs.events.stream(f"project-{HARBOUR}")
    assert [type(r.event).__name__ for r in found][-2:] == ["MilestoneAdded", "PlanConfirmed"]
    assert found[-1].command == found[-2].command
    assert "milestone added" in browser.get(done.headers["location"]).text


def test_the_same_file_again_proposes_nothing_and_records_one_confirmation(house: House) -> None:
    browser, here, page = sent(house, CSV)
    browser.post(f"{here}/accept", data=hidden(page.text) | {"line": keys(page.text)})
    before = len(recorded(house))
    browser, here, page = sent(house, CSV)
    assert "Nothing has changed." in page.text
    assert "imported before" in page.text
    form = hidden(page.text)
    for _ in range(2):
        assert browser.post(f"{here}/accept", data=form).status_code in (303, 404)
    assert recorded(house)[before:] == ["PlanConfirmed"]


def test_a_proposal_that_is_no_longer_true_is_shown_again(house: House) -> None:
    browser, here, page = sent(house, CSV)
    browser.post(f"{here}/accept", data=hidden(page.text) | {"line": keys(page.text)})
    browser, here, page = sent(house, CSV.replace("2027-06-01", "2027-06-09"))
    faster, other, second = sent(house, CSV.replace("2027-06-01", "2027-06-11"))
    form = hidden(second.text) | {"line": keys(second.text)}
    unsaid = faster.post(f"{other}/accept", data=form)
    assert (unsaid.status_code, "Reason is missing" in unsaid.text) == (422, True)
    assert faster.post(f"{other}/accept", data=form | {"reason": "The yard is late"}).status_code == 303
    answer = browser.post(f"{here}/accept", data=hidden(page.text) | {"line": keys(page.text)})
    assert answer.status_code == 409
    assert "11 Jun 2027" in answer.text


def test_a_broken_file_names_its_lines_and_changes_nothing(house: House) -> None:
    before = recorded(house)
    _, _, page = sent(house, "UID,Milestone,Finish\n1,Gate,03/04/2027\n2,Tor,04/05/2027\n")
    assert "This file cannot be taken over." in page.text
    assert "Line 2" in page.text
    assert "Line 3" in page.text
    _, _, broken = sent(
        house, b'<?xml version="1.0"?><Project xmlns="http://schemas.microsoft.com/project"><Tasks>', "p.xml"
    )
    assert "This file cannot be taken over." in broken.text
    assert recorded(house) == before


def test_a_file_nobody_could_look_through_is_told_so(house: House) -> None:
    rows = "".join(f"x{i},Gate {i},2027-06-01\n" for i in range(2100))
    _, _, page = sent(house, "UID,Milestone,Finish\n" + rows)
    assert "2,100 lines" in page.text
    assert "MilestoneAdded" not in recorded(house)[-1:]


def test_columns_are_chosen_once_for_tables_of_a_shape_and_can_be_forgotten(house: House) -> None:
    odd = "Nr;Was;Wann\nA1;Tor eins;03.06.2027\n"
    browser, here, page = sent(house, odd)
    assert "Columns" in page.text
    form = hidden(page.text) | {
        "id": "Nr",
        "title": "Was",
        "forecast": "Wann",
        "date_format": "DD.MM.YYYY",
    }
    assert browser.post(f"{here}/columns", data=form).status_code == 303
    assert "3 Jun 2027" in browser.get(here).text
    browser, here, later = sent(house, odd.replace("Tor eins", "Tor zwei").replace(";", ","))
    assert "Tor zwei" in later.text
    assert "Saved for tables with these headings" in later.text
    assert browser.post(f"{here}/columns", data=hidden(later.text) | {"forget": "yes"}).status_code == 303
    assert "As the headings suggest" in browser.get(here).text


def test_columns_an_earlier_version_saved_for_a_project_are_used_where_they_fit(house: House) -> None:
    kept = house.process.services.settings.data / "mappings"
    kept.mkdir(parents=True)
    (kept / f"{HARBOUR}.json").write_text('{"id": "Nr", "title": "Was", "forecast": "Wann", "delimiter": ","}')
    _, _, page = sent(house, "Nr;Was;Wann\nA1;Tor eins;2027-06-03\n")
    assert "3 Jun 2027" in page.text
    _, _, other = sent(house, CSV)
    assert "2 changes proposed." in other.text


def test_where_nothing_says_what_is_a_milestone_the_page_asks(house: House) -> None:
    browser, here, page = sent(house, "UID,Name,Finish\n1,Gate one,2027-06-01\n2,Gate two,2027-07-01\n")
    assert "Which are milestones?" in page.text
    before = recorded(house)
    browser.post(f"{here}/accept", data=hidden(page.text))
    assert recorded(house)[len(before) :] == ["PlanConfirmed"], "nothing is taken that nobody ticked"


def test_another_plan_is_asked_about_first_and_nothing_is_ticked(house: House) -> None:
    browser, here, page = sent(house, CSV)
    browser.post(f"{here}/accept", data=hidden(page.text) | {"line": keys(page.text)})
    browser, there, other = sent(house, "UID,Milestone,Finish\n7,Roof,2027-06-01\n8,Door,2027-07-01\n")
    assert "Is this the same plan?" in other.text
    assert "None of the 2 milestones of the plan before is in this file." in other.text
    assert not re.search(r'name="line"[^>]* checked', other.text)
    before = recorded(house)
    refused = browser.post(f"{there}/accept", data=hidden(other.text))
    assert (refused.status_code, "Nothing is ticked." in refused.text) == (422, True)
    assert recorded(house) == before, "another plan confirms nothing"


def test_a_file_of_another_project_is_not_found(house: House) -> None:
    browser, here, _ = sent(house, CSV)
    assert browser.get(here.replace(HARBOUR, "other")).status_code == 404
    assert browser.get(f"{HERE}/{'0' * 64}").status_code == 404


def test_no_file_and_too_large_a_file_are_told_at_the_field(house: House) -> None:
    browser = house.client("manager")
    form = hidden(browser.get(HERE).text)
    assert "No file was chosen" in browser.post(HERE, data=form, files={"plan": ("", b"")}).text


def test_a_long_file_shows_how_far_it_is_read_and_then_its_proposal(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from web.importers import reading
    from web.manager.importing import page as importing_page

    go_on, real = threading.Event(), reading.read_any

    def slowly(name, content, *, progress, **more):
        progress(0.4)
        assert go_on.wait(15)
        return real(name, content, progress=progress, **more)

    monkeypatch.setattr(reading, "read_any", slowly)
    monkeypatch.setattr(importing_page, "PATIENCE", 0.05)
    browser, here, page = sent(house, CSV, wait=False)
    assert 'value="40"' in page.text
    polled = browser.get(here, headers={"hx-request": "true"})
    assert 'value="40"' in polled.text
    assert "<script" not in polled.text
    go_on.set()
    monkeypatch.setattr(importing_page, "PATIENCE", 15)
    assert browser.get(here, headers={"hx-request": "true"}).headers["hx-refresh"] == "true"
    assert "2 changes proposed." in browser.get(here).text


@pytest.mark.parametrize("name", ["plan\u202e.csv", "plan\x1b[31m.csv", "plan\ue000.csv"])
def test_the_name_of_a_file_is_checked_like_whatever_else_people_enter(house: House, name: str) -> None:
    browser = house.client("manager")
    answer = browser.post(HERE, data=hidden(browser.get(HERE).text), files={"plan": (name, CSV)})
    assert answer.status_code == 422
    assert "invisible control character" in answer.text
    assert name not in answer.text


def test_what_clients_may_see_is_ticked_with_its_title_and_recorded_with_the_rest(house: House) -> None:
    browser, here, page = sent(house, CSV)
    one, two = keys(page.text)
    assert 'value="Gate one"' in page.text
    assert f'name="shown" value="{one}">' in page.text
    everything = browser.get(f"{here}?shown=all").text  # as All leads to without scripts
    assert f'name="shown" value="{one}" checked' in everything
    form = hidden(page.text) | {"line": [one, two], "shown": [one], f"title.{one}": " ", f"title.{two}": "Second gate"}
    before = recorded(house)
    refused = browser.post(f"{here}/accept", data=form)
    assert (refused.status_code, "“Gate one” has no title for clients" in refused.text) == (422, True)
    assert recorded(house) == before
    assert browser.post(f"{here}/accept", data=form | {f"title.{one}": "First gate"}).status_code == 303
    assert recorded(house)[len(before) :] == ["MilestoneAdded", "MilestoneAdded", "PlanConfirmed"]
    milestones = house.process.services.present.refresh().projects[HARBOUR].schedule.milestones.values()
    details = {m.details.title: m.details for m in milestones}
    assert (details["Gate one"].client_title, details["Gate one"].client_facing) == ("First gate", True)
    assert (details["Gate two"].client_title, details["Gate two"].client_facing) == ("", False)


def test_a_plan_without_milestones_says_what_was_read_and_offers_tasks(house: House) -> None:
    browser, here, page = sent(house, "ID,Name,Finish,Milestone\nA,Dig,2027-06-01,no\nB,Pour,2027-07-01,no\n")
    assert "2 tasks read, none is a milestone." in page.text
    assert "Choose tasks to follow" in page.text
    assert len(keys(page.text)) == 2
    assert not re.search(r'name="line"[^>]* checked', page.text)
    assert 'name="reason"' not in page.text  # nothing moved, so none is asked for
    form = hidden(page.text) | {"shown": keys(page.text)[0], f"title.{keys(page.text)[0]}": "Ground dug"}
    assert browser.post(f"{here}/accept", data=form).status_code == 303  # what clients may see is followed
    milestones = house.process.services.present.refresh().projects[HARBOUR].schedule.milestones.values()
    assert [m.details.client_title for m in milestones if m.source_id in ("A", "B")] == ["Ground dug"]


def test_a_plan_without_milestones_takes_none_out_of_the_plan_unasked(house: House) -> None:
    browser, here, page = sent(house, CSV)
    browser.post(f"{here}/accept", data=hidden(page.text) | {"line": keys(page.text)})
    *_rest, page = sent(house, "ID,Name,Finish,Milestone\nX,Dig,2027-06-01,no\n")
    assert "leaves the plan" in page.text
    assert not re.search(r'name="line"[^>]* checked', page.text)


def test_the_form_says_how_large_a_file_may_be_and_where_a_script_finds_it(house: House) -> None:
    form = house.client("manager").get(HERE).text
    assert f'data-most="{256 * 2**20}"' in form
    assert "<template data-too-large>The file is larger than 256 MiB, the most that is read." in form
    assert "whoever runs this server can set up a converter" in " ".join(form.split())


def test_a_plan_that_says_it_is_too_large_is_refused_before_it_is_read(house: House) -> None:
    browser = house.client("manager")
    form = hidden(browser.get(HERE).text)

    def never():
        raise AssertionError("a byte of it was asked for")
        yield b""

    size = str((256 << 20) + (2 << 20))
    headers = {"content-type": "multipart/form-data; boundary=x", "content-length": size, "x-csrf": form["csrf"]}
    answer = browser.post(HERE, content=never(), headers=headers)
    assert answer.status_code == 413
    assert "max_upload_mb" in answer.text


def test_the_plan_of_a_project_is_taken_out_and_proposes_nothing_when_it_comes_back(house: House) -> None:
    browser = house.client("manager")
    assert f'href="/p/{HARBOUR}/plan.xml" download' in browser.get(f"/p/{HARBOUR}").text
    answer = browser.get(f"/p/{HARBOUR}/plan.xml")
    assert answer.headers["content-disposition"] == f'attachment; filename="fanlight-{HARBOUR}.xml"'
    assert answer.headers["content-type"].startswith("application/xml")
    assert browser.get("/p/nowhere/plan.xml").status_code == 404
    _browser, _here, page = sent(house, answer.content, "plan.xml")
    assert not re.search(r'name="line"[^>]* checked', page.text)


def test_a_file_of_another_tool_is_converted_and_its_notes_say_so(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The converter is what the setting names; here it is a service on a socket that answers as one does."""
    import http.server
    import threading

    from tests.web.importers.plans import HARBOUR as MSPDI

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            assert waited.wait(15)
            self.send_response(200)
            self.send_header("fanlight-converted", '{"mpxj": "16.10.0", "java": "17", "tasks": 5}')
            self.send_header("content-length", str(len(MSPDI)))
            self.end_headers()
            self.wfile.write(MSPDI)

    waited = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with running(tmp_path / "other", projects.routes(), converter=f"http://127.0.0.1:{server.server_port}") as made:
        from web.manager.importing import page as importing_page

        monkeypatch.setattr(importing_page, "PATIENCE", 0.05)
        _browser, _here, _page = sent(made, b"ERMHDR\t18.8\r\n", "plan.xer", wait=False)
        wait_until(lambda: "Converting plan.xer" in _browser.get(_here).text)
        assert '<progress id="far"></progress>' in _browser.get(_here).text
        waited.set()
        wait_until(lambda: "Converted from Primavera P6 (XER) by mpxj 16.10.0, Java 17" in _browser.get(_here).text)
        assert "converted first" in made.client("manager").get(HERE).text
    server.shutdown()


@pytest.mark.slow
def test_a_plan_of_fifty_thousand_tasks_comes_in_through_the_page(house: House, tmp_path: Path) -> None:
    from bench.importing import write

    large = write(tmp_path / "large.xml", 50_000)
    assert large.stat().st_size > 100 * 2**20
    browser, here, page = sent(house, large.read_bytes(), "large.xml", wait=False)
    shown = set(re.findall(r'max="100" value="(\d+)"', page.text))
    wait_until(lambda: "<progress" not in see(browser, here, shown), 200)
    page = browser.get(here)
    assert len(keys(page.text)) >= 1000, "a milestone for every fiftieth task"
    assert len(shown) > 1, "how far it was read was shown as it went"


def see(browser, here: str, shown: set[str]) -> str:
    """Return the page, and add how far it says the file is read."""
    text: str = browser.get(here).text
    shown.update(re.findall(r'max="100" value="(\d+)"', text))
    return text
