"""Agreements by plain form: what is ticked is shared, previews are the very page, and links are shown once."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from domain.agreement.terms import Measure, Terms
from domain.catalogue import BudgetLevel
from domain.ids import MilestoneId, PersonId, RiskId, ShareId
from domain.view import DateUnit, ScoreDetail
from tests.web.doors import VIEWER, House, running, wait_until
from tests.web.manager.plan.test_change import hidden
from tests.world import ACME, HARBOUR, SHARE, World, everything
from web.manager import projects
from web.manager.agreement import terms_form
from web.manager.plan.lines import Counts, budgets, healths, milestones, risks, sentence
from web.record.audience import audiences, effects

HERE = f"/p/{HARBOUR}/shares"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", projects.routes()) as made:
        yield made


# terms and the form


@pytest.mark.once
def test_every_choice_of_the_terms_is_on_the_form() -> None:
    """The rows come from the catalogue; what terms choose one of many of is named here."""
    for words, kind in (
        (terms_form.LEVELS, BudgetLevel),
        (terms_form.MEASURES, Measure),
        (terms_form.UNITS, DateUnit),
        (terms_form.SCORES, ScoreDetail),
    ):
        assert set(words) == set(get_args(kind))


@pytest.mark.once
def test_what_is_not_ticked_is_not_in_the_terms() -> None:
    assert terms_form.terms_of({}) == Terms()
    found = terms_form.terms_of({"milestones": ["some"], "milestone": ["m1"], "milestone_fields": ["forecast"]})
    assert found == Terms(milestones=(MilestoneId("m1"),), milestone_fields=("forecast",))
    unpicked = terms_form.terms_of({"milestones": ["none"], "milestone": ["m1"]})
    assert unpicked.milestones == ()


# the audience beside each line


def test_the_audience_is_what_the_clients_page_shows(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour(everything(milestones=(MilestoneId("m1"),), risks=(RiskId("r1"),), health=("risk",)))
    now = world.present.world
    (only,) = audiences(now, now.projects[HARBOUR])
    assert only.ids == {"m1", "r1"}
    assert (only.client, only.health) == ("Acme Rail" if only.client == "Acme Rail" else only.client, {"risk"})
    project = now.projects[HARBOUR]
    lines = milestones(project, [only], project.civil(world.clock.at))
    assert {line.m.id: bool(line.marks) for line in lines} == {"m1": True, "m2": False, "hidden": False}
    assert [bool(line.marks) for line in risks(project, [only], {})] == [True, False]
    assert [bool(line.marks) for line in healths(project, [only])] == [False, False, False, True]
    world.close()


def test_who_will_see_a_change_is_who_sees_another_page_after_it(tmp_path: Path) -> None:
    from datetime import date

    world = World(tmp_path)
    world.harbour(everything(milestones=(MilestoneId("m1"),), health=()))
    before = world.present.world.projects[HARBOUR]
    world.move("m2", date(2027, 8, 9))
    assert effects(world.present.world, before, world.present.world.projects[HARBOUR], {}) == []
    world.move("m1", date(2027, 5, 9))
    (found,) = effects(world.present.world, before, world.present.world.projects[HARBOUR], {})
    assert (found.share.id, found.sees, found.waits_until) == (SHARE, True, None)
    world.close()


def test_figures_that_are_undefined_are_not_available(tmp_path: Path) -> None:
    from decimal import Decimal

    from domain.money import Money
    from domain.plan.budget import ApproveBudget

    world = World(tmp_path)
    world.harbour()
    world.tell(ApproveBudget(project=HARBOUR, measure="cost", amount=Money(Decimal(100), "GBP"), reason=""))
    (line,) = budgets(world.present.world.projects[HARBOUR], ())
    assert {f.value for f in line.figures} == {"n/a"}
    assert line.headline[0].value == "£100"
    world.close()


def test_the_sentence_counts_and_says_what_waits(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour()
    project = world.present.world.projects[HARBOUR]
    assert sentence(project, Counts()) == ("No change today.", "")
    assert sentence(project, Counts(changes_today=7, overdue=2, waiting=1)) == (
        "Seven changes today.",
        "Two forecast dates have passed unmet, and one view is awaited from clients.",
    )
    world.close()


# drafting, seeing, putting in force, ending


def draft(house: House, **values: object):
    browser = house.client("manager")
    page = browser.get(f"{HERE}/new").text
    return browser, browser.post(f"{HERE}/new", data=hidden(page) | {"client": "council", "start": "slip"} | values)


def share(house: House, key: str):
    return house.process.services.present.world.shares[ShareId(key)]


def form_of(page: str, action: str) -> dict[str, str]:
    found = re.search(rf'<form[^>]*action="[^"]*{action}"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert found is not None, action
    return hidden(found[1])


def test_a_new_agreement_begins_as_a_draft_from_now_on_and_leads_to_the_editor(house: House) -> None:
    browser, answer = draft(house)
    here = answer.headers["location"].partition("/edit")[0]
    made = share(house, here.rpartition("/")[2])
    assert (made.active, made.draft.milestones, made.draft_ways.history) == (False, "all", False)
    assert "What City Council would see" in browser.get(f"{here}/as").text
    _, plainer = draft(house, start="")
    assert share(house, plainer.headers["location"].split("/")[4]).draft == terms_form.start()


def test_a_share_is_ended_by_the_clients_name_and_a_reason_that_goes_on_record(house: House) -> None:
    browser, here = house.client("manager"), f"{HERE}/{SHARE}"
    form = form_of(browser.get(here).text, "/revoke#revoke")
    meant = form | {"reason": "Contract over"}
    for name in ("", "Acme Rai"):
        refused = browser.post(f"{here}/revoke", data=meant | {"name": name})
        assert 'id="name-off-wrong"' in refused.text
        assert 'value="Contract over"' in refused.text
        assert share(house, SHARE).active
    assert "Reason is missing" in browser.post(f"{here}/revoke", data=form | {"name": "acme rail"}).text
    assert browser.post(f"{here}/revoke", data=meant | {"name": "acme rail"}).status_code == 303
    assert share(house, SHARE).revoked_why == "Contract over"
    page = browser.get(here).text
    assert "Contract over" in page
    assert "/edit" not in page
    assert browser.get(f"{here}/edit").status_code == 404


def test_a_draft_can_name_a_new_client_in_the_same_form(house: House) -> None:
    _, answer = draft(house, client="", client_name="Northgate", time_zone="Europe/Oslo")
    assert answer.status_code == 303
    agreed = share(house, answer.headers["location"].split("/")[4])
    assert house.process.services.present.world.clients[agreed.client].name == "Northgate"
    _, unnamed = draft(house, client="")
    assert "Choose the client" in unnamed.text
    _, again = draft(house, client="", client_name="acme  rail")
    assert "Acme Rail is a client already" in again.text
    _, both = draft(house, client=ACME, client_name="Another")
    assert "not both" in both.text
    _, lost = draft(house, client="", client_name="Lost", time_zone="Mars/Base")
    assert "is no time zone" in lost.text
    assert 'value="Lost"' in lost.text


def test_a_preview_is_the_page_of_the_terms_and_shows_nothing_internal(house: House) -> None:
    page = house.client("manager").get(f"{HERE}/{SHARE}/as").text.partition('class="sheet"')[2]
    assert "Section A energised" in page
    assert "internal m1" not in page


def test_a_past_update_is_shown_as_it_was_recorded(house: House) -> None:
    browser = house.client("manager")
    recorded = house.process.services.heads.page(SHARE)
    assert recorded is not None
    house.process.services.logs.disclosure.keep_stylesheet(recorded.stylesheet, b"body{color:red}")
    for markup in recorded.roots.values():
        assert markup in browser.get(f"{HERE}/{SHARE}/as?n=1").text
    assert browser.get(f"{HERE}/{SHARE}/as?n=99").status_code == 404
    exact = browser.get(f"{HERE}/{SHARE}/1/page")
    assert "".join(recorded.roots.values()) in exact.text
    assert exact.headers["content-security-policy"].startswith("sandbox; default-src 'none'; style-src 'sha256-")


def test_a_share_of_another_project_is_not_here(house: House) -> None:
    browser = house.client("manager")
    assert browser.get(f"/p/other/shares/{SHARE}").status_code == 404
    assert browser.get(f"{HERE}/none").status_code == 404


# viewers


def test_an_invited_viewer_gets_a_link_that_is_shown_once_and_lets_them_in(house: House) -> None:
    browser = house.client("manager")
    form = form_of(browser.get(f"{HERE}/{SHARE}").text, "/viewers")
    page = browser.post(f"{HERE}/{SHARE}/viewers", data=form | {"name": "Noor", "email": "noor@acme.test"}).text
    secret = re.search(r"/in/([\w-]+)", page)
    assert secret is not None
    assert house.process.services.credentials.holder(secret[1]).name == "Noor"
    after = browser.get(f"{HERE}/{SHARE}").text
    assert "noor@acme.test" in after
    assert secret[1] not in after
    twice = browser.post(f"{HERE}/{SHARE}/viewers", data=form | {"name": "Noor", "email": "NOOR@acme.test"})
    assert twice.status_code == 409
    assert "was invited already" in twice.text
    wrong = browser.post(f"{HERE}/{SHARE}/viewers", data=form | {"name": "Noor", "email": "nobody"})
    assert (wrong.status_code, "is no email address" in wrong.text) == (422, True)


def test_access_is_ended_by_whoever_may_and_only_of_this_client(house: House) -> None:
    admin = house.client("admin")
    there = f"{HERE}/{SHARE}/viewers/{VIEWER}/end"
    assert f'href="{there}"' in admin.get(f"{HERE}/{SHARE}").text
    form = form_of(admin.get(there).text, f"/viewers/{VIEWER}/end") | {"reason": "Left the client"}
    assert admin.post(f"{HERE}/{SHARE}/viewers/viewer-council/end", data=form).status_code == 404
    without = admin.post(there, data=form | {"reason": "  "})
    assert (without.status_code, 'id="why-wrong"' in without.text) == (422, True)
    assert house.process.services.present.world.people[PersonId(VIEWER)].comes_in
    assert admin.post(there, data=form | {"command_id": "again"}).status_code == 303
    assert not house.process.services.present.world.people[PersonId(VIEWER)].comes_in


@pytest.mark.folder
def test_the_workspace_says_who_is_watching_and_what_has_stopped(house: House) -> None:
    browser = house.client("manager")
    assert "nobody" in browser.get(f"/p/{HARBOUR}/watching").text
    from projections.logs.disclosure_log import Parked

    house.process.services.follower.parked[SHARE] = Parked(share=SHARE, position=1, error="KeyError: 'x'")
    page = browser.get(f"/p/{HARBOUR}/watching").text
    assert "Stopped" in page
    assert "KeyError" in page
    form = form_of(page, f"/shares/{SHARE}/retry")
    assert browser.post(f"{HERE}/{SHARE}/retry", data=form).status_code == 303
    wait_until(lambda: SHARE not in house.process.services.follower.parked)


def test_the_list_of_projects_and_the_history_name_what_happened(house: House) -> None:
    browser = house.client("manager")
    assert "1 project" in browser.get("/p").text
    page = browser.get(f"/p/{HARBOUR}/history").text
    assert "added, forecast" in page
    assert browser.get(f"/p/{HARBOUR}/history?before=3").text.count("<time") == 2
    assert browser.get(f"/p/{HARBOUR}/history?before=x").status_code == 404


def test_how_long_receipts_are_kept_is_set_on_the_page_of_the_share(house: House) -> None:
    browser = house.client("manager")
    here = f"{HERE}/{SHARE}"
    page = browser.get(here).text
    assert "Kept for 730 days" in page
    form = form_of(page, "/retention#receipts")
    assert browser.post(f"{here}/retention", data=form | {"days": "90"}).status_code == 303
    assert share(house, SHARE).retention == 90
    for wrong in ("29", "3661", "a year", ""):
        answer = browser.post(f"{here}/retention", data=form | {"days": wrong, "command_id": f"id{wrong}"})
        assert answer.status_code in (412, 422)
        assert 'aria-invalid="true"' in answer.text or answer.status_code == 412
    assert share(house, SHARE).retention == 90


def test_a_first_agreement_that_reaches_nobody_asks_no_name_and_lets_the_first_person_in(house: House) -> None:
    browser, answer = draft(house, client="", client_name="Northgate")
    here = answer.headers["location"].partition("/edit")[0]
    key = here.rpartition("/")[2]
    ask = browser.get(f"{here}/edit/activate").text
    assert "Type the client" not in ask
    form = form_of(ask, "/edit/activate") | {"reason": "First agreement", "person": "Nora"}
    wrong = browser.post(f"{here}/edit/activate", data=form | {"email": "nowhere"})
    assert (wrong.status_code, "is no email address" in wrong.text) == (422, True)
    assert not share(house, key).versions
    done = browser.post(f"{here}/edit/activate", data=form | {"email": "nora@northgate.test"})
    assert share(house, key).version == 1
    assert "agreement 1 is in force" in done.text
    link = re.search(r'id="the-link" readonly value="([^"]+)"', done.text)
    assert link
    assert house.process.services.credentials.holder(link[1].rpartition("/")[2]).name == "Nora"  # type: ignore[union-attr]
    # now somebody can come in, and a second agreement with them asks for the name
    _, answer = draft(house, client=share(house, key).client)
    ask = browser.get(answer.headers["location"].partition("?")[0] + "/activate").text
    assert "Type the client’s name: Northgate" in ask
    assert 'name="person"' not in ask
