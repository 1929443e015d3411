"""A date far from all others of a project is noticed, and a long plan whose steps are short is not."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plan.neighbours import BEFORE, STEP, apart, far

pytestmark = pytest.mark.once

PLAN = frozenset({date(2026, 1, 12), date(2026, 11, 29), date(2027, 8, 2)})
WRONG = date(2019, 3, 26)


def test_2019_for_2027_is_far() -> None:
    assert far([WRONG], PLAN) == {WRONG}
    assert far([date(2027, 3, 26)], PLAN) == frozenset()


def test_a_date_is_far_half_a_year_before_the_oldest_and_more_than_two_years_after_the_newest() -> None:
    oldest, newest = min(PLAN), max(PLAN)
    for day, is_far in (
        (oldest - BEFORE, False),
        (oldest - BEFORE - timedelta(days=1), True),
        (newest + STEP, False),
        (newest + STEP + timedelta(days=1), True),
    ):
        assert far([day], PLAN) == ({day} if is_far else frozenset())


def test_a_plan_that_goes_on_by_short_steps_is_not_far_and_one_wrong_year_in_it_is() -> None:
    ten_years = [date(2027 + i, 3, 31) for i in range(10)]
    assert far(ten_years, PLAN) == frozenset()
    assert far([*ten_years, WRONG, WRONG + timedelta(days=30)], PLAN) == {WRONG, WRONG + timedelta(days=30)}


def test_a_file_that_brings_the_past_of_a_project_is_marked_only_where_it_leaves_its_own_dates() -> None:
    past = [date(2012, month, 1) for month in range(1, 13)]
    assert apart([*past, date(2021, 1, 1)], {date(2026, 11, 29)}) == {date(2021, 1, 1)}
    assert apart([date(2027, 5, 1), WRONG], PLAN) == {WRONG}
    assert apart([], PLAN) == frozenset()


days = st.dates(date(1950, 1, 1), date(2149, 1, 1))


@given(st.frozensets(days, max_size=6), st.frozensets(days, min_size=1, max_size=6))
def test_far_means_more_than_two_years_from_all_that_is_known_or_before_it(
    given_: frozenset[date], known: frozenset[date]
) -> None:
    found = far(given_, known)
    for day in given_:
        nearest = min(abs(day - other) for other in known)
        if min(known) - day > BEFORE:
            assert day in found
        elif nearest <= STEP:
            assert day not in found
    assert all(min(abs(day - other) for other in known) > BEFORE for day in found)
