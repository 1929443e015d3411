"""Registers and figures through the page: what a table is, what its words mean, what is ticked, one command."""

import re

from tests.web.doors import House
from tests.web.manager.importing.test_page import house, sent
from tests.web.manager.plan.test_change import hidden, recorded
from tests.world import HARBOUR

__all__ = ["house"]  # the fixture

REGISTER = "Risk ID,Risk,Probability,Impact,Response,Owner\nR-20,Yard is late,High,4,Mitigate,Ann\nR-21,Permit,2,3,Accept,Bob\nR-01,internal r1,3,3,,\n"


def test_a_register_is_known_asked_about_and_recorded_as_one_update(house: House) -> None:
    before = len(recorded(house))
    browser, here, page = sent(house, REGISTER, "register.csv")
    assert '<strong class="btn" aria-current="true">A risk register</strong>' in page.text
    assert "It can mean: 4, 5." in page.text
    assert "3 risks read." in page.text
    key = re.search(r'name="(means\.probability/[^"]+)"', page.text)
    assert key is not None
    answer = browser.post(f"{here}/columns", data=hidden(page.text) | {"words": "yes", key[1]: "5"})
    assert answer.status_code == 303
    page = browser.get(here)
    assert "5 × 4 = 20" in page.text
    form = hidden(page.text) | {"line": ticked(page.text)}
    unsaid = browser.post(f"{here}/accept", data=form)
    assert unsaid.status_code == 303, "a new risk needs no reason"
    assert recorded(house)[before:] == ["RiskRaised", "RiskRaised"]
    found = house.process.services.logs.events.stream(f"project-{HARBOUR}")
    assert found[-1].command == found[-2].command
    _, _, again = sent(house, REGISTER, "register.csv")
    assert "Nothing is proposed by itself." in again.text or "Nothing has changed." in again.text
    assert not re.search(r'name="line"[^>]* checked', again.text)


def ticked(markup: str) -> list[str]:
    return re.findall(r'name="line" id="[^"]+" value="([^"]+)" checked', markup)


def test_a_score_that_changes_needs_a_reason_and_what_was_typed_stays(house: House) -> None:
    browser, here, page = sent(
        house, "Risk ID,Risk,Probability,Impact\nR-01,internal r1,4,4\nR-02,internal r2,3,3\n", "register.csv"
    )
    form = hidden(page.text) | {"line": ticked(page.text)}
    refused = browser.post(f"{here}/accept", data=form)
    assert (refused.status_code, "Reason is missing" in refused.text) == (422, True)
    assert ticked(refused.text) == form["line"]
    before = len(recorded(house))
    assert browser.post(f"{here}/accept", data=form | {"reason": "Frost"}).status_code == 303
    assert "RiskScored" in recorded(house)[before:]


def test_what_a_table_is_can_be_chosen_is_kept_for_its_shape_and_forgotten(house: House) -> None:
    browser, here, page = sent(house, REGISTER, "register.csv")
    browser.post(f"{here}/columns", data=hidden(page.text) | {"kind": "plan"})
    as_plan = browser.get(here).text
    assert '<strong class="btn" aria-current="true">A plan</strong>' in as_plan
    _, there, later = sent(house, REGISTER + "R-30,Third,1,1,Accept,\n", "later.csv")
    assert '<strong class="btn" aria-current="true">A plan</strong>' in later.text
    browser.post(f"{there}/columns", data=hidden(later.text) | {"kind": "risks"})
    browser.post(f"{there}/columns", data=hidden(browser.get(there).text) | {"title": "Owner", "ref": "Risk ID"})
    chosen = browser.get(there).text
    assert "Saved for tables with these headings" in chosen
    browser.post(f"{there}/columns", data=hidden(chosen) | {"forget": "yes"})
    assert "As the headings suggest" in browser.get(there).text
    assert '<strong class="btn" aria-current="true">A risk register</strong>' in browser.get(there).text


def test_figures_ask_how_amounts_are_meant_and_are_recorded_together(house: House) -> None:
    figures = "Month,PV (£),EV (£),AC (£),BAC (£)\n2026-01,100,90,95,5000\n2026-02,200,180,190,5000\n"
    browser, here, page = sent(house, figures, "figures.csv")
    assert '<strong class="btn" aria-current="true">Budget figures</strong>' in page.text
    assert "Nothing says whether amounts are sums so far or of each period." in page.text
    browser.post(f"{here}/columns", data=hidden(page.text) | {"amounts": "sums", "measure": "price"})
    page = browser.get(here)
    assert "Approved budget, price" in page.text
    before = len(recorded(house))
    done = browser.post(f"{here}/accept", data=hidden(page.text) | {"line": ticked(page.text)})
    assert done.status_code == 303, done.text
    assert recorded(house)[before:] == ["BudgetApproved", "SpendPlanned", "CostMeasured"]
    nothing = browser.post(
        f"{sent(house, figures, 'again.csv')[1]}/accept", data=hidden(page.text) | {"command_id": "x9"}
    )
    assert (nothing.status_code, "Nothing is ticked." in nothing.text) == (422, True)
