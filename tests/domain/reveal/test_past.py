"""From when on a client may know the past: chains of versions, items that become client-facing, levels of the budget."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.agreement.share import Share, Version
from domain.agreement.terms import Terms, Ways
from domain.ids import ClientId, MilestoneId, ProjectId, ShareId
from domain.reveal.past import ITEM, known_from

pytestmark = pytest.mark.once

START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
M1 = MilestoneId("m1")
ALL = Terms(milestones="all", milestone_fields=("forecast", "reason"))
NAMED = Terms(milestones=(M1,), milestone_fields=("forecast", "reason"))
DATES = Terms(milestones=(M1,), milestone_fields=("forecast",))
NONE = Terms()
PERCENT, AMOUNTS, RAG = (Terms(budget=level) for level in ("percent", "amounts", "rag"))


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def share(*versions: tuple[int, Terms, bool]) -> Share:
    """A share whose versions came into force on these days, with history or from now on."""
    made = tuple(
        Version(number=i, terms=terms, reason="x", at=day(at), ways=Ways(history=history))
        for i, (at, terms, history) in enumerate(versions, 1)
    )
    return Share(id=ShareId("s"), project=ProjectId("p"), client=ClientId("c"), draft=None, versions=made)


def since(found: Share, field: str = "reason", facing: int | None = 0) -> int | None:
    """The floor of one field of the milestone, in days after the start."""
    at = known_from(found, "milestone", M1, field, facing=None if facing is None else day(facing))
    return None if at is None else (at - START).days


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([(1, NAMED, True)], None),
        ([(1, NAMED, False)], 1),
        ([(1, NAMED, True), (2, NAMED, False)], None),
        ([(1, NAMED, False), (2, NAMED, False)], 1),
        ([(1, NAMED, False), (2, NAMED, True)], None),
        ([(1, NAMED, False), (2, NAMED, True), (3, NAMED, False)], None),
        ([(1, NAMED, True), (2, NONE, False), (3, NAMED, False)], 3),
        ([(1, NAMED, True), (2, DATES, False), (3, NAMED, False)], 3),
        ([(1, DATES, True), (2, NAMED, False)], 2),
        ([(1, NAMED, True), (2, NONE, True), (3, NAMED, True)], None),
        ([(1, ALL, False), (2, NAMED, False)], 1),
        ([(1, NAMED, False), (2, ALL, False)], 1),
    ],
)
def test_what_is_newly_covered_from_now_on_has_no_past_and_what_was_covered_keeps_its_own(
    versions: list[tuple[int, Terms, bool]], expected: int | None
) -> None:
    assert since(share(*versions)) == expected


def test_naming_an_item_later_does_not_tell_what_happened_before_it_became_client_facing() -> None:
    assert since(share((1, ALL, False), (9, NAMED, False)), facing=4) == 4


def test_an_item_that_became_client_facing_under_an_agreement_with_history_keeps_it_when_the_next_has_none() -> None:
    assert since(share((1, ALL, True), (9, ALL, False)), facing=4) is None


def test_an_item_that_becomes_client_facing_is_known_from_then() -> None:
    assert since(share((1, ALL, False)), facing=4) == 4
    assert since(share((1, ALL, True)), facing=4) is None


def test_being_named_first_and_client_facing_only_later_leaves_a_gap() -> None:
    assert since(share((1, NAMED, True), (2, ALL, False)), facing=5) == 5


def test_the_item_itself_is_covered_while_any_terms_choose_it() -> None:
    assert since(share((1, DATES, False), (2, NAMED, False)), ITEM) == 1
    assert since(share((1, DATES, False), (2, NONE, False), (3, NAMED, False)), ITEM) == 3


@pytest.mark.parametrize(
    ("versions", "field", "expected"),
    [
        ([(1, PERCENT, True), (2, AMOUNTS, False)], "amounts", 2),
        ([(1, PERCENT, True), (2, AMOUNTS, False)], ITEM, None),
        ([(1, AMOUNTS, False)], "amounts", 1),
        ([(1, Terms(budget="amounts", measure="cost"), True), (2, AMOUNTS, False)], "amounts", 2),
    ],
)
def test_each_level_of_the_budget_is_covered_by_itself(
    versions: list[tuple[int, Terms, bool]], field: str, expected: int | None
) -> None:
    at = known_from(share(*versions), "budget", "price", field)
    assert at == (None if expected is None else day(expected))


def test_a_budget_shared_as_a_status_alone_has_a_past_as_well() -> None:
    assert known_from(share((1, RAG, False)), "health", "", "budget") == day(1)
