"""The agreement editor: looking saves nothing, the three columns say the same, and activation is named, reasoned, one event."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.agreement.share import ActivateTerms, DraftShare, DraftTerms
from domain.agreement.terms import Release, Terms, Ways, checked
from domain.ids import ClientId, CommandId, MilestoneId, PersonId, ShareId
from domain.people.clients import RegisterClient
from domain.people.person import InvitePerson
from domain.plan.schedule import MoveForecast
from tests.web.doors import VIEWER, House, running, wait_until
from tests.web.manager.plan.test_change import hidden
from tests.world import DEPOT, HARBOUR, SHARE, everything
from web.manager import projects
from web.manager.agreement import preview, terms_form
from web.manager.agreement.preview import Draft
from web.write.permission import OPERATOR

HERE = f"/p/{HARBOUR}/shares/{SHARE}"
EDIT = f"{HERE}/edit"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", projects.routes()) as made:
        wait_until(lambda: made.process.services.logs.disclosure.head(SHARE) == 1)
        yield made


def share(house: House):
    return house.process.services.present.refresh().shares[ShareId(SHARE)]


def form(page: str) -> dict[str, Any]:
    """The editor's form as a browser would send it."""
    (found,) = re.findall(r'<form id="terms".*?</form>', page, re.DOTALL)
    typed: dict[str, Any] = hidden(found)
    for kind, tag in re.findall(r'<input type="(radio|checkbox)"([^>]*)>', found):
        name, value = re.search(r'name="([^"]*)"', tag)[1], re.search(r'value="([^"]*)"', tag)[1]  # type: ignore[index]
        if " checked" in tag:
            typed[name] = value if kind == "radio" else [*typed.get(name, []), value]
    for name, value in re.findall(r'<input class="num" name="([^"]*)"[^>]*value="([^"]*)"', found):
        typed[name] = value
    typed["expires"] = re.search(r'name="expires" value="([^"]*)"', found)[1]  # type: ignore[index]
    return typed


def narrow(house: House, **changed: object) -> tuple[Any, dict[str, Any]]:
    """The manager's browser, and the form with one milestone left."""
    browser = house.client("manager")
    typed = form(browser.get(EDIT).text)
    return browser, typed | {"milestones": "some", "milestone": ["m1"], "risks": "none"} | changed


def activation(browser: Any, **values: str) -> Any:
    page = browser.get(f"{EDIT}/activate").text
    (found,) = re.findall(r'<form class="do" method="post".*?</form>', page, re.DOTALL)
    return browser.post(f"{EDIT}/activate", data=hidden(found) | values)


def test_the_form_says_what_is_in_force_and_sending_it_back_changes_nothing(house: House) -> None:
    browser = house.client("manager")
    typed = form(browser.get(EDIT).text)
    assert browser.post(EDIT, data=typed | {"do": "save"}).status_code == 303
    assert share(house).draft is None
    assert Draft(checked(terms_form.terms_of(as_lists(typed))), terms_form.ways_of(as_lists(typed), "UTC")) == Draft(
        checked(everything()), Ways()
    )


def as_lists(typed: dict[str, Any]) -> dict[str, list[str]]:
    return {key: value if isinstance(value, list) else [value] for key, value in typed.items()}


def test_looking_saves_nothing_and_shows_page_and_consequence_of_what_was_typed(house: House) -> None:
    browser, typed = narrow(house)
    before = house.process.services.logs.events.head()
    answer = browser.post(EDIT, data=typed, headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert answer.text.strip().startswith('<div id="outcome"')
    assert re.search(r"Withdrawn <span class=\"count\">[1-9]", answer.text)
    assert "Trial running starts" in answer.text
    assert "in update 1" in answer.text  # already seen
    assert "no browser reported displaying it" in answer.text
    assert "Activating writes update 2 for 1 person" in answer.text
    token = re.search(r"page\?draft=([\w-]+)", answer.text)
    assert token is not None
    page = browser.get(f"{EDIT}/page?draft={token[1]}")
    assert "Section A energised" in page.text
    assert "<s>Trial running starts</s>" in page.text
    assert page.headers["content-security-policy"].startswith("sandbox; default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
    assert (house.process.services.logs.events.head(), share(house).draft) == (before, None)
    whole = browser.post(EDIT, data=typed)  # without scripts, by the button
    assert 'value="m1" checked' in whole.text
    assert house.process.services.logs.events.head() == before


def test_what_was_on_a_screen_is_said_with_whose_it_was(house: House) -> None:
    from projections.receipts.claims import Receipt

    at = house.process.services.now().timestamp()
    claim = Receipt(share=SHARE, person=VIEWER, session="s", tab="t", kind="displayed", n=1, came_from=1, at=at)
    house.process.services.receipts.take([claim])
    house.process.services.receipts.flush()
    browser, typed = narrow(house)
    assert "on screen at Vera" in browser.post(EDIT, data=typed, headers={"hx-request": "true"}).text


def test_an_agreement_is_put_in_force_by_name_and_reason_and_by_one_event(house: House) -> None:
    browser, typed = narrow(house, history="no", release="review", hold_slip="yes", slip_days="3", hours="2")
    answer = browser.post(EDIT, data=typed | {"do": "activate"})
    assert answer.headers["location"] == f"{EDIT}/activate"
    nameless = activation(browser, name="Acme", reason="Less from now on")
    assert (nameless.status_code, "Type Acme Rail to say whom it is for" in nameless.text) == (422, True)
    assert "Less from now on" in nameless.text  # what was typed is not lost
    reasonless = activation(browser, name="acme  rail", reason=" ")
    assert (reasonless.status_code, "Reason is missing" in reasonless.text) == (422, True)
    before = house.process.services.present.world.versions[f"share-{SHARE}"]
    done = activation(browser, name="acme  rail", reason="Less from now on")
    assert done.headers["location"] == f"{HERE}?done=in-force"
    agreed = share(house)
    assert house.process.services.present.world.versions[f"share-{SHARE}"] == before + 1
    assert (agreed.version, agreed.terms.milestones, agreed.versions[-1].reason) == (2, ("m1",), "Less from now on")
    assert agreed.ways == Ways(history=False, release=Release(hours=2, slip_days=3))
    wait_until(lambda: house.process.services.logs.disclosure.head(SHARE) == 2)
    assert house.process.services.heads.page(SHARE).terms_version == 2  # type: ignore[union-attr]


def test_a_form_that_was_sent_twice_puts_it_in_force_once(house: House) -> None:
    browser, typed = narrow(house)
    browser.post(EDIT, data=typed | {"do": "activate"})
    page = browser.get(f"{EDIT}/activate").text
    (found,) = re.findall(r'<form class="do" method="post".*?</form>', page, re.DOTALL)
    twice = [
        browser.post(f"{EDIT}/activate", data=hidden(found) | {"name": "Acme Rail", "reason": "Less"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in twice] == [303, 303]
    assert share(house).version == 2
    assert browser.get(f"{EDIT}/activate").status_code == 303  # nothing is pending: back to the terms


def test_when_something_else_would_be_disclosed_by_now_it_is_shown_again(house: House) -> None:
    house.process.services.service.execute(
        OPERATOR, DraftTerms(share=ShareId(SHARE), terms=Terms(milestones="all", milestone_fields=("forecast",))), command_id="d"
    )  # fmt: skip
    browser = house.client("manager")
    page = browser.get(f"{EDIT}/activate").text
    (found,) = re.findall(r'<form class="do" method="post".*?</form>', page, re.DOTALL)
    moved = MoveForecast(
        project=HARBOUR, milestone=MilestoneId("m1"), forecast=house.process.services.now().date(), reason="x"
    )
    house.process.services.service.execute(
        OPERATOR, moved, command_id="m"
    )  # a value alone: what is disclosed is the same
    wait_until(lambda: house.process.services.logs.disclosure.head(SHARE) == 2)
    ok = hidden(found) | {"name": "Acme Rail", "reason": "Less"}
    from domain.plan.schedule import AddMilestone, MilestoneDetails

    details = MilestoneDetails(title="New", client_title="Brand new", client_facing=True)
    added = AddMilestone(
        project=HARBOUR, milestone=MilestoneId("m9"), details=details, forecast=house.process.services.now().date()
    )
    house.process.services.service.execute(OPERATOR, added, command_id="a")
    wait_until(lambda: house.process.services.logs.disclosure.head(SHARE) == 3)
    # the newest update tells of it under the terms in force, and of fewer fields under the draft: other things go
    refused = browser.post(f"{EDIT}/activate", data=ok)
    assert (refused.status_code, "look again, then repeat" in refused.text) == (412, True)
    assert share(house).version == 1
    assert activation(browser, name="Acme Rail", reason="Less").status_code == 303


def test_terms_that_do_not_fit_come_back_as_typed_with_what_to_do(house: House) -> None:
    browser, typed = narrow(house, milestone_fields=["slip", "reason"])
    answer = browser.post(EDIT, data=typed | {"do": "save"})
    assert answer.status_code == 422
    assert "A slip tells both dates" in answer.text
    assert re.search(r'value="reason" checked', answer.text)
    looked = browser.post(EDIT, data=typed, headers={"hx-request": "true"})
    assert "A slip tells both dates" in looked.text
    assert "<iframe" not in looked.text
    for wrong, told in (
        ({"release": "review"}, "no kind of change is named"),
        ({"release": "review", "hold_slip": "yes", "slip_days": "many"}, "Days of slip"),
        ({"expires": "yesterday"}, "Last day"),
        ({"history": ""}, "from now on, or with the past included"),
        ({"milestones": "some", "milestone": ["no such id!"]}, "cannot be an id"),
    ):
        browser, typed = narrow(house, **wrong)
        answer = browser.post(EDIT, data=typed | {"do": "save"})
        assert (answer.status_code, told in answer.text) == (422, True), wrong
    assert share(house).draft is None


def test_a_draft_that_somebody_else_changed_is_not_overwritten(house: House) -> None:
    browser, typed = narrow(house)
    assert browser.post(EDIT, data=typed | {"do": "save"}).status_code == 303
    stale = typed | {"command_id": "another-one-of-mine", "milestones": "all", "do": "save"}
    answer = browser.post(EDIT, data=stale)
    assert answer.status_code == 412
    assert share(house).draft.milestones == ("m1",)
    for unread in ("999999999999", "9" * 30, "", "x", "٣"):  # a guard that cannot be read refuses
        odd = stale | {"command_id": f"odd{len(unread)}", "expected": unread}
        assert browser.post(EDIT, data=odd).status_code in (412, 422)
        assert share(house).draft.milestones == ("m1",)
    discard = hidden(
        re.findall(r'<form method="post" action="[^"]*discard".*?</form>', browser.get(EDIT).text, re.DOTALL)[0]
    )
    assert browser.post(f"{EDIT}/discard", data=discard).status_code == 303
    assert share(house).draft == share(house).terms


def test_an_agreement_may_start_from_a_template_or_from_another_share(house: House) -> None:
    from domain.agreement.share import DraftShare
    from domain.plan.project import StartProject

    browser = house.client("manager")
    for key, (name, _) in terms_form.TEMPLATES.items():
        page = browser.get(f"{EDIT}?from={key}")
        assert (page.status_code, name in page.text) == (200, True)
    assert 'name="budget" value="amounts" checked' in browser.get(f"{EDIT}?from=open").text
    assert browser.get(f"{EDIT}?from=nosuch").status_code == 404
    assert browser.get(f"{EDIT}?copy=nosuch").status_code == 404
    execute = house.process.services.service.execute
    execute(
        OPERATOR,
        StartProject(project=DEPOT, title="D", client_title="Depot", owner=PersonId("marta"), currency="GBP", time_zone="UTC"),
        command_id="p",
    )  # fmt: skip
    named = Terms(milestones=(MilestoneId("d1"),), milestone_fields=("forecast",), risks="all", risk_fields=("score",))
    execute(OPERATOR, DraftShare(share=ShareId("depot1"), project=DEPOT, client="council", terms=named), command_id="s")
    execute(OPERATOR, ActivateTerms(share=ShareId("depot1"), reason="x"), command_id="t")
    page = browser.get(f"{EDIT}?copy=depot1").text
    assert 'name="milestones" value="none" checked' in page  # what is named there does not exist here
    assert 'name="risks" value="all" checked' in page


def test_a_preview_takes_no_draft_that_could_not_be_agreed(house: House) -> None:
    browser = house.client("manager")
    assert browser.get(f"{EDIT}/page").status_code == 404
    assert browser.get(f"{EDIT}/page?draft=%%%").status_code == 404
    bad = preview.packed(Draft(Terms(milestone_fields=("slip",)), Ways()))
    assert browser.get(f"{EDIT}/page?draft={bad}").status_code == 404
    good = preview.packed(Draft(Terms(milestones="all", milestone_fields=("forecast",)), Ways()))
    assert browser.get(f"{EDIT}/page?draft={good}").status_code == 200
    assert house.client("auditor").get(f"{EDIT}/page?draft={good}").status_code == 404
    assert house.client(VIEWER).get(EDIT).status_code == 404


def test_changes_that_wait_are_named_when_a_draft_would_let_them_go(house: House) -> None:
    execute = house.process.services.service.execute
    execute(
        OPERATOR, DraftTerms(share=ShareId(SHARE), terms=everything(), ways=Ways(release=Release(slip_days=1))), command_id="d"
    )  # fmt: skip
    execute(OPERATOR, ActivateTerms(share=ShareId(SHARE), reason="Review"), command_id="a")
    from datetime import date

    execute(
        OPERATOR, MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2028, 1, 1), reason="x"), command_id="m"
    )  # fmt: skip
    browser = house.client("manager")
    typed = form(browser.get(EDIT).text)
    kept = browser.post(EDIT, data=typed, headers={"hx-request": "true"}).text
    assert "go out with it" not in kept
    loose = browser.post(EDIT, data=typed | {"release": "once"}, headers={"hx-request": "true"}).text
    assert "1 change that waits for review goes out with it" in loose
    assert "2028" in loose


def test_all_live_shares_stand_in_one_table_that_sorts_and_downloads(house: House) -> None:
    execute = house.process.services.service.execute
    from domain.agreement.share import DraftShare

    execute(
        OPERATOR, DraftShare(share=ShareId("other"), project=HARBOUR, client="council", terms=Terms(milestones="all")), command_id="1"
    )  # fmt: skip
    browser = house.client("manager")
    assert "City Council" not in browser.get("/shares").text  # a draft is not live
    execute(OPERATOR, ActivateTerms(share=ShareId("other"), reason="x"), command_id="2")
    execute(
        OPERATOR, InvitePerson(person=PersonId("second"), name="Bo", email="b@acme.test", role="viewer", client="acme"), command_id="3"
    )  # fmt: skip
    up, down = browser.get("/shares").text, browser.get("/shares?sort=client&order=down").text
    assert up.index("Acme Rail") < up.index("City Council")
    assert down.index("City Council") < down.index("Acme Rail")
    sheet = browser.get("/shares.csv?sort=people&order=down")
    rows = sheet.text.lstrip("\ufeff").splitlines()
    assert sheet.headers["content-disposition"] == 'attachment; filename="shares.csv"'
    assert [row.partition(",")[0] for row in rows] == ["Client", "Acme Rail", "City Council"]
    assert "past included" in rows[1]


@pytest.mark.once
def test_a_cell_that_begins_like_a_formula_is_text() -> None:
    from web.door.csv_download import sheet

    assert sheet(("A",), [("=1+1",), ("+44",), (-3,), ("safe, and sound",)]).decode("utf-8-sig").splitlines() == [
        "A", "'=1+1", "'+44", "-3", '"safe, and sound"',
    ]  # fmt: skip


def test_what_would_be_let_go_is_part_of_what_was_looked_at(house: House) -> None:
    from datetime import date

    execute = house.process.services.service.execute
    review = DraftTerms(share=ShareId(SHARE), terms=everything(), ways=Ways(release=Release(slip_days=5)))
    execute(OPERATOR, review, command_id="review")
    execute(OPERATOR, ActivateTerms(share=ShareId(SHARE), reason="Review"), command_id="reviewed")
    execute(OPERATOR, DraftTerms(share=ShareId(SHARE), terms=everything(), ways=Ways()), command_id="loose")
    browser = house.client("manager")
    (found,) = re.findall(r'<form class="do" method="post".*?</form>', browser.get(f"{EDIT}/activate").text, re.DOTALL)
    slip = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2028, 1, 1), reason="Long")
    execute(OPERATOR, slip, command_id="slip")
    answer = browser.post(f"{EDIT}/activate", data=hidden(found) | {"name": "Acme Rail", "reason": "At once"})
    assert answer.status_code == 412
    assert "1 change that waits for review goes out with it" in answer.text
    assert share(house).version == 2


def test_one_number_that_is_wrong_resets_no_other_choice(house: House) -> None:
    browser, typed = narrow(
        house, history="no", release="review", hold_slip="yes", slip_days="10", hours="4.5", expires="2099-05-03"
    )
    answer = browser.post(EDIT, data=typed | {"do": "save"})
    assert (answer.status_code, "Hours" in answer.text) == (422, True)
    again = form(answer.text)
    kept = ("history", "release", "slip_days", "hours", "expires", "hold_slip")
    assert [again[name] for name in kept] == ["no", "review", "10", "4.5", "2099-05-03", ["yes"]]
    never = browser.post(EDIT, data=typed | {"do": "save", "hours": "4", "expires": "9999-12-31"})
    assert (never.status_code, "expected a date from 1950 to 2149" in never.text) == (422, True)


def test_a_review_that_could_hold_nothing_says_so(house: House) -> None:
    browser, typed = narrow(
        house, milestones="none", budget="nothing", curve="", indices="", release="review", hold_slip="yes",
        hold_cost="yes", hold_score="yes",
    )  # fmt: skip
    told = browser.post(EDIT, data=typed, headers={"hx-request": "true"}).text
    assert told.count("Review cannot hold") == 3
    _, able = narrow(house, release="review", hold_slip="yes")
    assert "Review cannot hold" not in browser.post(EDIT, data=able, headers={"hx-request": "true"}).text


def test_the_last_day_is_the_same_on_every_page_where_clocks_change_at_midnight(house: House) -> None:
    """In Santiago 5 September 2027 begins at one o'clock: there is no midnight after the 4th."""
    client, far = ClientId("andes"), ShareId("andes-1")
    for command in (
        RegisterClient(client=client, name="Andes Rail", time_zone="America/Santiago"),
        DraftShare(share=far, project=HARBOUR, client=client, terms=everything()),
        ActivateTerms(share=far, reason="Agreed"),
    ):
        house.process.services.service.execute(OPERATOR, command, command_id=CommandId(f"far-{type(command).__name__}"))
    edit = f"/p/{HARBOUR}/shares/{far}/edit"
    browser = house.client("manager")
    for _ in range(3):
        typed = form(browser.get(edit).text) | {"history": "no"}
        typed["expires"] = typed["expires"] or "2027-09-04"
        assert browser.post(edit, data=typed | {"do": "save"}).status_code == 303
    page = browser.get(edit).text
    assert form(page)["expires"] == "2027-09-04"
    assert "The share expires at the end of 4 September 2027 in America/Santiago." in page
    (found,) = re.findall(r'<form class="do" method="post".*?</form>', browser.get(f"{edit}/activate").text, re.DOTALL)
    assert (
        browser.post(f"{edit}/activate", data=hidden(found) | {"name": "Andes Rail", "reason": "Agreed"}).status_code
        == 303
    )
    assert "4 Sep 2027" in browser.get("/shares").text
    assert ",2027-09-04," in browser.get("/shares.csv").text


def test_what_is_covered_is_ticked_when_only_some_are_to_be_chosen(house: House) -> None:
    page = house.client("manager").get(EDIT).text
    assert 'name="milestones" value="all" checked' in page
    boxes = re.findall(r'name="milestone" value="(\w+)"( checked)?', page)
    facing = {m.id for m in house_project(house).schedule.milestones.values() if m.details.client_facing}
    assert {key for key, ticked in boxes if ticked} == facing
    assert f"{len(facing)} of {len(boxes)} chosen" in page


def house_project(house: House) -> Any:
    return house.process.services.present.refresh().projects[HARBOUR]


def test_nothing_changed_is_said_and_cannot_be_activated(house: House) -> None:
    browser = house.client("manager")
    page = browser.get(EDIT).text
    assert "Nothing changes: these are the terms in force." in page
    assert re.search(r'value="activate"[^>]*disabled', page)
    answer = browser.post(EDIT, data=form(page) | {"do": "activate"})
    assert (answer.status_code, "Nothing changes" in answer.text) == (200, True)
    _browser, typed = narrow(house)
    looked = browser.post(EDIT, data=typed, headers={"hx-request": "true"}).text
    assert "Nothing changes" not in looked
    assert not re.search(r'value="activate"[^>]*disabled', looked)


def test_terms_that_were_not_saved_are_replaced_only_after_asking_once(house: House) -> None:
    browser, typed = narrow(house)
    asked = browser.post(EDIT, data=typed | {"start": "open"})
    assert (asked.status_code, "Replace them by “Open book”" in asked.text) == (200, True)
    assert form(asked.text)["milestone"] == ["m1"]  # what was typed is still there
    again = browser.post(EDIT, data=hidden(asked.text) | {"start": "open", "replace": "yes"})
    assert again.headers["location"] == f"{EDIT}?from=open"
    back = browser.post(EDIT, data=typed | {"start": "standing"})
    assert "Replace them by “What is in force”" in back.text
    assert browser.post(EDIT, data=typed | {"start": "standing", "replace": "yes"}).headers["location"] == EDIT
    untouched = form(browser.get(EDIT).text)
    assert browser.post(EDIT, data=untouched | {"start": "open"}).status_code == 303
    assert browser.post(EDIT, data=typed | {"start": "nosuch"}).status_code == 404
    assert browser.post(EDIT, data=typed | {"start": "copy", "copy": "nosuch"}).status_code == 404


def test_what_is_withdrawn_is_counted_in_milestones_and_no_id_is_read_out(house: House) -> None:
    browser, typed = narrow(house, milestones="none", milestone=[])
    looked = browser.post(EDIT, data=typed, headers={"hx-request": "true"}).text
    plan = house_project(house).schedule.milestones
    facing = sum(m.details.client_facing for m in plan.values())
    count = re.search(r'Withdrawn <span class="count">([^<]*)', looked)
    assert count is not None
    assert count[1].startswith(f"{facing} milestones")
    assert "Wording and frame (" in looked
    assert not re.search(r"[Jj]udged by (<[^>]*>)*(m\d)\b", looked)
