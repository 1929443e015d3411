"""What waits, on the pages of managers and auditors: listed, let go by hand or by time, explained, and on record."""

import asyncio
import re
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from domain.agreement.share import ActivateTerms, DraftShare, DraftTerms, ReleaseDue, ReleaseHeld, RevokeShare
from domain.agreement.terms import Release, Terms, Ways
from domain.commands import AnyCommand
from domain.ids import CommandId, PersonId
from domain.plan.project import ChangeTogether
from domain.plan.putting_back import PutBack
from domain.plan.risks import Points, ScoreRisk
from domain.plan.schedule import MoveForecast
from tests.web.doors import VIEWER, House, running, wait_until, without_token
from tests.world import COUNCIL, HARBOUR, OTHER, SHARE, START, everything
from web.audit import shares
from web.client import dashboard, home
from web.clock import Virtual
from web.ids import new_id
from web.manager import projects
from web.write.permission import OPERATOR, SYSTEM, Actor

HERE = f"/p/{HARBOUR}"
REVIEW = Ways(release=Release(hours=4, slip_days=5, score=12))
MANAGER = Actor(PersonId("manager"), "manager")
LATE = date(2027, 6, 20)
DAY = "(2027, 6, 20)"  # as the plain renderer of the tests writes it


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    clock = Virtual(START + timedelta(hours=2))
    with running(
        tmp_path / "data", [*projects.routes(), *shares.routes(), *home.routes(), *dashboard.routes()], clock
    ) as made:
        made.clock = clock  # type: ignore[attr-defined]
        reviewed(made)
        yield made


def tell(house: House, command: AnyCommand, actor: Actor = MANAGER) -> None:
    house.clock.forward(minutes=1)  # type: ignore[attr-defined]
    house.process.services.service.execute(actor, command, command_id=CommandId(new_id()))


def reviewed(house: House, terms: Terms | None = None) -> None:
    tell(house, DraftTerms(share=SHARE, terms=terms or everything(), ways=REVIEW))
    tell(house, ActivateTerms(share=SHARE, reason="Reviewed from now on"))
    settled(house)


def second(house: House) -> None:
    tell(house, DraftShare(share=OTHER, project=HARBOUR, client=COUNCIL, terms=everything(), ways=REVIEW))
    tell(house, ActivateTerms(share=OTHER, reason="Agreed"))
    settled(house)


def slip(house: House, to: date = LATE, reason: str = "Kestrel strike", key: str = "m1") -> None:
    tell(house, MoveForecast(project=HARBOUR, milestone=key, forecast=to, reason=reason))  # type: ignore[arg-type]
    settled(house)


def settled(house: House) -> None:
    wait_until(lambda: house.process.services.logs.disclosure.position() >= house.process.services.logs.events.head())


def forms(page: str) -> list[dict[str, list[str]]]:
    """The forms that let go, each with what it sends."""
    found = []
    for form in re.findall(r'<form class="let-go".*?</form>', page, re.DOTALL):
        sent: dict[str, list[str]] = {}
        for name, value in re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)"', form):
            sent.setdefault(name, []).append(value)
        found.append(sent)
    return found


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def head(house: House, share: str = SHARE) -> int:
    return house.process.services.logs.disclosure.head(share)


# the workspace


@pytest.mark.folder  # where the clock leaps, a lease on a database is behind, which is told first
def test_the_workspace_says_what_waits_why_for_whom_since_when_and_until_when(house: House) -> None:
    browser = house.client("manager")
    assert "Waiting for release" not in browser.get(HERE).text
    second(house)
    slip(house)
    house.clock.forward(hours=3, minutes=8)  # type: ignore[attr-defined]
    page = text(browser.get(HERE).text)
    assert "One is waiting for your release." in page
    assert "Section A energised 3 May → 20 Jun" in page
    assert "a date that moves later by more than 5 days" in page
    assert page.count("goes out by itself in 52 min") == 2
    assert page.count("Held 1") == 2
    assert "Acme Rail" in page
    assert "City Council" in page


def test_what_was_put_back_while_it_waits_says_so(house: House) -> None:
    tell(house, ScoreRisk(project=HARBOUR, risk="r1", residual=Points(4, 4), reason="Storm"))  # type: ignore[arg-type]
    version = house.process.services.present.refresh().versions[f"project-{HARBOUR}"]
    tell(house, PutBack(project=HARBOUR, version=version))  # type: ignore[arg-type]
    settled(house)
    assert "R-01 scored 9, changed and changed back" in text(house.client("manager").get(HERE).text)


def test_the_list_is_kept_up_by_the_polling_of_the_page(house: House) -> None:
    slip(house)
    watching = house.client("manager").get(f"{HERE}/watching").text
    assert 'hx-target="#waiting"' in watching
    assert "Section A energised 3 May → 20 Jun" in watching
    assert "One is waiting for your release." in watching


def test_releasing_one_lets_it_go_to_every_client_and_leaves_the_other(house: House) -> None:
    second(house)
    slip(house)
    tell(house, ScoreRisk(project=HARBOUR, risk="r1", residual=Points(4, 4), reason="Storm"))  # type: ignore[arg-type]
    settled(house)
    browser, before = house.client("manager"), (head(house), head(house, OTHER))
    page = browser.get(HERE).text
    assert "R-01 scored 9 → 16" in text(page)
    chosen = next(form for form in forms(page) if all("milestone-m1" in item for item in form["item"]))
    answer = browser.post(f"{HERE}/release", data=chosen | {"note": "Talks go on"})
    assert answer.status_code == 303
    settled(house)
    assert (head(house), head(house, OTHER)) == (before[0] + 1, before[1] + 1)
    after = text(browser.get(answer.headers["location"]).text)
    assert "Released. Sent to Acme Rail and City Council." in after
    assert "goes out by itself" in after.partition("R-01 scored 9 → 16")[2]
    assert re.search(
        rf"3 May → 20 Jun 2027 Acme Rail update {before[0] + 1} City Council update {before[1] + 1} Released 11:\d\d",
        after,
    )
    house.clock.forward(minutes=11)  # type: ignore[attr-defined]
    assert "3 May → 20 Jun" not in text(browser.get(HERE).text)
    assert "R-01 scored 9 → 16" in after
    share = house.process.services.present.world.shares[SHARE]
    assert [(r.cause, r.by, r.note) for r in share.released] == [("released", "manager", "Talks go on")]
    again = browser.post(f"{HERE}/release", data=chosen | {"note": "Talks go on"})  # the same form once more
    assert (again.status_code, len(house.process.services.present.world.shares[SHARE].released)) == (303, 1)


def test_releasing_all_of_a_share_leaves_what_other_clients_wait_for(house: House) -> None:
    second(house)
    slip(house)
    slip(house, date(2027, 9, 2), key="m2")
    browser = house.client("manager")
    page = browser.get(HERE).text
    assert "2 wait for Acme Rail." in text(page)
    every = next(form for form in forms(page) if len(form["item"]) == 2 and len({i[:6] for i in form["item"]}) == 1)
    assert all(item.startswith(f"{SHARE}|") for item in every["item"])
    assert browser.post(f"{HERE}/release", data=every).status_code == 303
    world = house.process.services.present.refresh()
    assert (len(world.held(SHARE).held), len(world.held(OTHER).held)) == (0, 2)


def test_what_is_gone_is_refused_and_what_was_typed_is_kept(house: House) -> None:
    slip(house)
    browser = house.client("manager")
    (form,) = forms(browser.get(HERE).text)
    tell(house, ReleaseHeld(share=SHARE, by=PersonId("system")), SYSTEM)
    slip(house, LATE + timedelta(days=30))  # and waits anew: not what was on the page
    answer = browser.post(f"{HERE}/release", data=form | {"note": "My long note"})
    assert answer.status_code == 409
    assert "None of this waits any more as it was shown" in answer.text
    assert "My long note" in answer.text
    assert len(house.process.services.present.refresh().held(SHARE).held) == 1
    long = browser.post(f"{HERE}/release", data=forms(answer.text)[0] | {"note": "x" * 4001})
    assert long.status_code == 422
    assert "at most 4000" in long.text
    assert "x" * 4001 in long.text


def test_only_managers_let_go_and_only_from_a_form_of_ours(house: House) -> None:
    slip(house)
    browser = house.client("manager")
    (form,) = forms(browser.get(HERE).text)
    assert browser.post(f"{HERE}/release", data=form | {"csrf": "forged"}).status_code == 403
    for person in ("auditor", VIEWER):
        assert house.client(person).post(f"{HERE}/release", data=form).status_code == 404
    assert browser.post("/p/nosuch/release", data=form).status_code == 404
    assert len(house.process.services.present.refresh().held(SHARE).held) == 1
    assert browser.post(f"{HERE}/release", data=form).status_code == 303


def change(browser: TestClient, to: date, key: str = "m1") -> str:
    path, headers = f"{HERE}/do/move-forecast?milestone={key}", {"hx-request": "true"}
    hidden = dict(
        re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', browser.get(path, headers=headers).text)
    )
    values = hidden | {"forecast": to.isoformat(), "reason": "Strike"}
    return text(browser.post(path, data=values, headers=headers).text)


def test_a_change_that_waits_is_confirmed_as_waiting_and_not_as_gone_out(house: House) -> None:
    browser, before = house.client("manager"), head(house)
    said = change(browser, LATE)
    assert "Acme Rail sees it once you release it, or by itself at 15:02." in said
    assert "will see update" not in said
    settled(house)
    assert head(house) == before
    assert "waits for" not in change(browser, date(2027, 8, 3), "m2")  # small, and of another milestone
    both = change(browser, LATE + timedelta(days=1))
    assert "Acme Rail sees it once you release it" in both


def test_one_command_that_does_both_says_both(house: House) -> None:
    from web.manager.plan.change import Order, carry_out

    before = house.process.services.present.refresh().projects[HARBOUR]
    moves = tuple(
        MoveForecast(project=HARBOUR, milestone=key, forecast=to, reason="Strike")  # type: ignore[arg-type]
        for key, to in (("m1", LATE), ("m2", date(2027, 8, 3)))
    )
    n = head(house) + 1
    signed = house.process.services.guard._by_token(__import__("web.ids").ids.digest(house.token("manager")))
    assert signed is not None
    together = ChangeTogether(project=HARBOUR, commands=moves)
    order = Order(command=together, key=CommandId("both"))
    told = carry_out(house.process.services, signed, order, before)
    assert told.startswith(
        f"Recorded. Acme Rail will see update {n}; the rest waits for your release, or by itself at "
    )


def test_the_preview_of_the_terms_in_force_is_what_the_client_really_sees(house: House) -> None:
    slip(house)
    page = house.client("manager").get(f"{HERE}/shares/{SHARE}/as").text
    assert DAY not in page
    tell(house, ReleaseHeld(share=SHARE, by=MANAGER.person))
    assert DAY in house.client("manager").get(f"{HERE}/shares/{SHARE}/as").text


# what they saw, who knows


def at(when: datetime) -> str:
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def test_what_they_saw_tells_held_apart_and_who_let_it_go(house: House) -> None:
    slip(house)
    during = house.process.services.now() + timedelta(minutes=1)
    browser, share = house.client("manager"), f"{HERE}/shares/{SHARE}"
    house.clock.forward(minutes=2)  # type: ignore[attr-defined]
    waiting = browser.get(f"{share}/at/{at(during)}").text
    assert "Held for review by the slip rule, until Mon 1 March 2027, 15:03 at most" in text(waiting)
    assert 'class="tie held waits"' in waiting
    house.clock.forward(minutes=50)  # type: ignore[attr-defined]
    tell(house, ReleaseHeld(share=SHARE, by=MANAGER.person, note="Talks go on"))
    settled(house)
    page = browser.get(f"{share}/at/{at(during)}").text
    told = text(page)
    reason = "Held for review by the slip rule until Mon 1 March 2027, 15:03 at most; released by Manager Mon 1 March 2027, 11:56"
    assert f"{reason} with a note" in told
    assert f"The change of Section A energised was {reason[:1].lower()}{reason[1:]}" in told, "what was held is named"
    assert "Not sent yet" not in told
    assert 'class="tie held"' in page
    assert 'class="tie held waits"' not in page
    now = text(browser.get(f"{share}/at/{at(house.process.services.now())}").text)
    assert "Held for review by" not in now
    line = re.search(r'class="tie held" x1="([\d.]+)%" x2="([\d.]+)%" y1="17" y2="87"', page)
    assert line is not None
    assert float(line[1]) < float(line[2])


def test_the_next_difference_stops_at_what_was_held(house: House) -> None:
    slip(house, date(2027, 5, 4))
    start = house.process.services.now()
    slip(house)
    since = house.process.services.now()
    found = house.client("manager").get(f"{HERE}/shares/{SHARE}/at/{at(start)}?find=difference")
    assert at(since) in found.headers["location"]


def test_who_knows_says_that_it_is_held_and_afterwards_that_it_was(house: House) -> None:
    slip(house)
    browser = house.client("manager")
    page = text(browser.get(f"{HERE}/who?milestone=m1").text)
    assert "Acme Rail has not been told: it is held for review." in page
    assert "Held for review by the slip rule, until Mon 1 March 2027, 15:03 at most." in page
    tell(house, ReleaseHeld(share=SHARE, by=MANAGER.person))
    settled(house)
    page = text(browser.get(f"{HERE}/who?milestone=m1").text)
    assert f"Told in update {head(house)}" in page
    assert "released by Manager" in page


def test_who_knows_what_was_replaced_before_it_was_released_is_nobody(house: House) -> None:
    reviewed(house, everything(milestone_fields=("baseline", "forecast", "slip")))  # no trend, which tells the past
    slip(house)
    version = house.process.services.present.refresh().versions[f"project-{HARBOUR}"]
    slip(house, date(2027, 6, 21))
    tell(house, ReleaseHeld(share=SHARE, by=MANAGER.person))
    settled(house)
    page = text(house.client("manager").get(f"{HERE}/who?milestone=m1&at={version}").text)
    assert "Acme Rail was not told: it was held for review." in page
    assert "and by then this was no longer so." in page


# the auditor


def test_auditors_read_what_was_held_how_long_and_who_let_it_go(house: House) -> None:
    slip(house)
    auditor = house.client("auditor")
    waits = text(auditor.get(f"/audit/shares/{SHARE}").text)
    assert "Section A energised 3 May → 20 Jun" in waits
    assert "Waits until Mon 1 March 2027, 15:03 at most." in waits
    house.clock.forward(minutes=51)  # type: ignore[attr-defined]
    tell(house, ReleaseHeld(share=SHARE, by=MANAGER.person, note="Talks go on"))
    settled(house)
    page = text(auditor.get(f"/audit/shares/{SHARE}").text)
    assert "52 min" in page
    assert "Released by Manager Mon 1 March 2027, 11:55 with a note." in page
    assert "“Talks go on”" in page
    event = text(auditor.get("/audit?kind=held-released").text)
    assert "Let go after review Acme Rail" in event
    assert "Section A energised, 52 min by the slip rule; released; note: Talks go on" in event


def test_managers_have_the_same_record_in_their_own_time(house: House) -> None:
    browser, path = house.client("manager"), f"{HERE}/shares/{SHARE}/held"
    assert "No change waited for review." in text(browser.get(path).text)
    slip(house)
    slip(house, date(2027, 9, 2), key="m2")
    tell(house, ReleaseHeld(share=SHARE, by=MANAGER.person, subjects=("milestone-m1",), note="Talks go on"))
    page = text(browser.get(path).text)
    assert "Two changes waited for review, and one still does." in page
    assert "Section A energised 3 May → 20 Jun" in page
    assert "Released by Manager Mon 1 March 2027, 11:05 with a note." in page
    assert "2 changes waited for review , 1 still does." in text(browser.get(f"{HERE}/shares/{SHARE}").text)
    assert house.client(VIEWER).get(path).status_code == 404


def test_what_the_end_of_a_share_overtook_is_on_record_as_never_shown(house: House) -> None:
    slip(house)
    tell(house, RevokeShare(share=SHARE, reason="Over"))
    page = text(house.client("auditor").get(f"/audit/shares/{SHARE}").text)
    assert "Never shown: the share ended Mon 1 March 2027, 11:04 while it waited." in page


def test_the_replay_says_what_was_held_at_the_instant_and_for_whom(house: House) -> None:
    slip(house)
    when = house.process.services.now()
    auditor, days = house.client("auditor"), "since=2027-03-01&until=2027-03-02"
    page = text(auditor.get(f"/audit/replay?{days}&at={at(when)}").text)
    assert "Held for review: Section A energised 3 May → 20 Jun" in page
    assert "held for Acme Rail" in page
    tell(house, ReleaseHeld(share=SHARE, by=MANAGER.person))
    settled(house)
    later = text(auditor.get(f"/audit/replay?{days}&at={at(house.process.services.now())}").text)
    assert "Held for review:" not in later


def test_no_door_of_the_client_says_that_anything_waits(house: House) -> None:
    viewer = house.client(VIEWER)
    paths = ("/home/shares", f"/s/{SHARE}", f"/s/{SHARE}/history", f"/s/{SHARE}/record")
    assert viewer.get(paths[1]).status_code == 200  # which the first one says the time of
    before = [without_token(viewer.get(path).content) for path in paths]
    slip(house)
    assert [without_token(viewer.get(path).content) for path in paths] == before
    tell(house, ReleaseHeld(share=SHARE, by=OPERATOR.person), OPERATOR)
    settled(house)
    wait_until(lambda: without_token(viewer.get(f"/s/{SHARE}").content) != before[1])


def test_what_joined_a_hold_since_is_not_let_go_unseen(house: House) -> None:
    slip(house)
    browser = house.client("manager")
    (form,) = forms(browser.get(HERE).text)
    slip(house, date(2027, 9, 10), "Worse than that")  # joins what waits
    answer = browser.post(f"{HERE}/release", data=form)
    assert answer.status_code == 409
    assert "10 Sep" in answer.text
    assert house.process.services.present.refresh().held(SHARE).facts
    assert browser.post(f"{HERE}/release", data=forms(answer.text)[0]).status_code == 303
    assert not house.process.services.present.refresh().held(SHARE).facts


def test_one_share_that_cannot_be_let_go_keeps_no_other_waiting(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    second(house)
    slip(house)
    real = house.process.services.service.execute

    def broken(actor: Actor, command: AnyCommand, **more: object) -> object:
        if isinstance(command, ReleaseDue) and command.share == SHARE:
            raise OSError("this one cannot be reached")
        return real(actor, command, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(house.process.services.service, "execute", broken)
    house.clock.forward(hours=5)  # type: ignore[attr-defined]
    house.process.clockwork._end_terms(house.clock())  # type: ignore[attr-defined]
    world = house.process.services.present.refresh()
    assert (len(world.held(SHARE).held), len(world.held(OTHER).held)) == (1, 0)


def test_a_tick_that_is_under_way_is_waited_for_when_the_clockwork_stops(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, over = threading.Barrier(3), threading.Event(), threading.Event()

    def slow() -> None:
        if not go_on.is_set():
            begun.wait(20)  # this clockwork, the one of the house, and the test
        assert go_on.wait(20)
        over.set()

    monkeypatch.setattr(house.process.clockwork, "tick", slow)

    async def story() -> None:
        keeping = asyncio.create_task(house.process.clockwork.keep())
        await asyncio.to_thread(begun.wait, 20)
        keeping.cancel()
        done, _ = await asyncio.wait([keeping], timeout=0.2)
        assert not done
        go_on.set()
        await asyncio.wait([keeping], timeout=20)
        assert over.is_set()

    asyncio.run(story())
