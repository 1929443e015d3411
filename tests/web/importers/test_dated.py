"""The status date of a plan: as the file says it, else as its name does, and never guessed."""

from datetime import date

import pytest

from web.importers.dated import day_in, status_date
from web.importers.plan import Plan

pytestmark = pytest.mark.once

MARCH = date(2026, 3, 31)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("plan-2026-03-31.xml", MARCH),
        ("2026_03_31 Harbour.csv", MARCH),
        ("harbour20260331.xlsx", MARCH),
        ("Stand 31.03.2026.csv", MARCH),
        ("Stand 3.4.2026.csv", date(2026, 4, 3)),
        ("plan 31-03-2026.xml", MARCH),
        ("plan 03-31-2026.xml", MARCH),
        ("plan 03-04-2026.xml", None),  # two days can be meant
        ("plan 04-04-2026.xml", date(2026, 4, 4)),
        ("plan-2026-13-01.xml", None),
        ("2026-03-31 as of 2026-04-30.xml", None),
        ("plan 7.xml", None),
        ("id 120260331000.xml", None),
        ("", None),
    ],
)
def test_the_day_in_a_name(name: str, day: date | None) -> None:
    assert day_in(name) == day


def test_what_the_file_says_comes_first() -> None:
    said = Plan(format="mspdi", file_hash="a" * 64, data_date=date(2026, 2, 1))
    assert status_date("plan-2026-03-31.xml", said) == date(2026, 2, 1)
    assert status_date("plan-2026-03-31.xml", Plan(format="csv", file_hash="a" * 64)) == MARCH
