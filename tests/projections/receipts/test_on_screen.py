"""What was in front of whom, and when: the five classes are kept apart and never added up."""

import os
import random
from datetime import UTC, datetime

import pytest

from projections.receipts.claims import Receipt
from projections.receipts.on_screen import Reception, Screens, intervals, moment, receptions

pytestmark = pytest.mark.once


def claim(at: float, kind: str, n: int, person: str = "anna", tab: str = "t1", came_from: int = 0) -> Receipt:
    return Receipt(
        share="s1",
        person=person,
        session="s",
        tab="" if kind == "opened" else tab,
        kind=kind,
        n=n,
        came_from=came_from,
        at=at,
    )  # type: ignore[arg-type]


def told(claims: list[Receipt]) -> list[tuple[int, float, float | None, str]]:
    return [(i.n, i.start.timestamp(), i.end.timestamp() if i.end else None, i.ended) for i in intervals((), claims)]


def until(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def test_an_update_is_on_screen_until_another_one_is_drawn() -> None:
    assert told([claim(1, "displayed", 5), claim(9, "displayed", 6, came_from=5)]) == [
        (5, 1, 9, "superseded"),
        (6, 9, None, ""),
    ]


@pytest.mark.parametrize(("how", "ended"), [("hidden", "hidden"), ("closed", "closed"), ("lost", "lost")])
def test_it_ends_when_the_tab_goes_out_of_sight_is_closed_or_was_heard_of_last(how: str, ended: str) -> None:
    assert told([claim(1, "displayed", 5), claim(4, how, 5)]) == [(5, 1, 4, ended)]


def test_a_tab_that_comes_back_into_sight_begins_a_new_interval() -> None:
    claims = [claim(1, "displayed", 5), claim(4, "hidden", 5), claim(6, "displayed", 5, came_from=5)]
    assert told(claims) == [(5, 1, 4, "hidden"), (5, 6, None, "")]


def test_what_is_claimed_twice_changes_nothing() -> None:
    assert told([claim(1, "displayed", 5), claim(3, "displayed", 5), claim(4, "delivered", 5)]) == [(5, 1, None, "")]


def test_a_page_that_only_applied_an_update_never_had_it_on_screen() -> None:
    assert told([claim(1, "opened", 4), claim(2, "delivered", 5), claim(3, "hidden", 5)]) == []


def test_two_tabs_of_one_person_are_two_screens() -> None:
    claims = [claim(1, "displayed", 5), claim(2, "displayed", 5, tab="t2"), claim(3, "closed", 5)]
    assert told(claims) == [(5, 1, 3, "closed"), (5, 2, None, "")]


def test_a_window_that_begins_later_knows_what_was_on_screen_before() -> None:
    screens = Screens()
    for one in (claim(1, "displayed", 5), claim(2, "displayed", 7, tab="t2")):
        screens.take(one)
    found = intervals(screens.tabs.values(), [claim(9, "closed", 5)])
    assert [(i.n, i.start, i.end) for i in found] == [(5, moment(1), moment(9)), (7, moment(2), None)]


def test_every_class_is_a_fact_of_its_own() -> None:
    claims = [
        claim(1, "opened", 4), claim(2, "displayed", 4), claim(3, "delivered", 5), claim(4, "displayed", 5, came_from=4),
        claim(3, "delivered", 5, "ben"), claim(8, "delivered", 5, "cleo"), claim(9, "displayed", 6, "cleo", came_from=4),
        claim(9, "opened", 5, "dora"), claim(10, "hidden", 5),
    ]  # fmt: skip
    found = receptions(5, (), sorted(claims, key=lambda c: c.at), until(20))
    assert found["anna"] == Reception(
        person="anna", n=5, delivered=moment(3), displayed=moment(4), seconds=6.0, visits=1
    )
    assert found["ben"] == Reception(person="ben", n=5, delivered=moment(3))
    assert found["cleo"] == Reception(person="cleo", n=5, delivered=moment(8), superseded=True)
    assert found["dora"] == Reception(person="dora", n=5, sent=moment(9))


def test_an_update_that_was_drawn_after_all_is_not_superseded() -> None:
    claims = [claim(1, "displayed", 6, came_from=4), claim(2, "displayed", 5, tab="t2", came_from=4)]
    assert not receptions(5, (), claims, until(9))["anna"].superseded


def test_time_on_screen_is_added_up_over_visits_and_goes_no_further_than_asked() -> None:
    claims = [claim(10, "displayed", 5), claim(20, "hidden", 5), claim(30, "displayed", 5, came_from=5)]
    found = receptions(5, (), claims, until(35))["anna"]
    assert (found.seconds, found.visits) == (15.0, 2)
    assert receptions(5, (), claims, until(15))["anna"].seconds == 5.0


def test_what_a_page_had_before_it_was_opened_is_not_delivered_to_it() -> None:
    """A tab that claims to have applied 9 says nothing of 5 when it stood beyond 5 from the start."""
    claims = [claim(1, "displayed", 8), claim(2, "delivered", 9)]
    assert "anna" not in receptions(5, (), claims, until(9))


def some_claims(rng: random.Random) -> list[Receipt]:
    """Return what pages of two people claim in two sessions and three tabs each, as pages and sockets come and go."""
    made, at, stood = [], 0.0, dict[tuple[str, str, str], int]()
    for _ in range(60):
        at += rng.choice((0.0, 0.5, 3.0))
        who, session, tab = rng.choice(("anna", "ben")), rng.choice("xy"), rng.choice("abc")
        n, kind = rng.randint(3, 7), rng.choice(("opened", "delivered", "displayed", "displayed", "hidden", "closed"))
        came = stood.get((who, session, tab), 0)
        told = Receipt(
            share="s", person=who, session=session, tab="" if kind == "opened" else tab, kind=kind, n=n, at=at,
            came_from=came if kind == "displayed" else 0,
        )  # fmt: skip
        made.append(told)
        if kind == "displayed":
            stood[who, session, tab] = n
    return made


def test_the_times_of_a_row_come_from_one_tab_in_the_order_sent_delivered_displayed() -> None:
    seed, whole = int(os.environ.get("SEED", "1")), 0
    print(f"SEED={seed}")
    for one in range(seed, seed + 400):
        claims = some_claims(random.Random(one))
        for person, found in receptions(5, (), claims, until(1000)).items():
            given = [at for at in (found.sent, found.delivered, found.displayed) if at is not None]
            assert given == sorted(given), (one, person, found)
            whole += len(given) == 3
            if found.delivered:
                mine = {c.tab for c in claims if c.person == person and moment(c.at) == found.delivered}
                assert found.displayed is None or mine & {
                    c.tab for c in claims if c.person == person and moment(c.at) == found.displayed
                }, (one, person, found)
    assert whole > 50, "rows with all three times"


def test_what_one_page_was_sent_stands_in_no_row_of_another() -> None:
    claims = [claim(1, "delivered", 5, tab="a"), claim(2, "displayed", 5, tab="a"), claim(9, "opened", 5)]
    claims += [claim(10, "delivered", 5, tab="b")]
    found = receptions(5, (), claims, until(20))["anna"]
    assert (found.sent, found.delivered, found.displayed) == (None, moment(1), moment(2))
    later = receptions(5, (), claims[2:], until(20))["anna"]
    assert (later.sent, later.delivered, later.displayed) == (moment(9), moment(10), None)
