"""A percentage reads 100 only for all and 0 only for nothing, and is rounded once: as it is recorded."""

from decimal import Decimal
from random import Random

import pytest

from domain.headline import Shared, headline
from domain.plan.earned import part_of
from domain.view import BudgetVital
from projections.wording import words

D = Decimal


@pytest.mark.parametrize(
    ("value", "whole", "said"),
    [
        ("999499", "999999", "99.95 %"),  # rounded to 0.9995 and then again it read 100.0 %
        ("999999", "1000000", "99.99 %"),
        ("1000000", "1000000", "100 %"),
        ("1000001", "1000000", "100.01 %"),
        ("1", "1000000", "0.01 %"),
        ("0", "1000000", "0 %"),
        ("945", "1000", "94.5 %"),
        ("94", "100", "94 %"),
        ("3000100", "8000000", "37.5 %"),
        ("2", "3", "66.7 %"),
        ("9455", "10000", "94.55 %"),
        ("9997", "10000", "99.97 %"),
        ("123456", "100", "123,456 %"),
        ("1234567", "1000", "123,456.7 %"),
    ],
)
def test_a_part_is_said(value: str, whole: str, said: str) -> None:
    part = part_of(D(value), D(whole))
    assert part is not None
    assert words.percent(part) == said


def test_an_unknown_part_stays_unknown() -> None:
    assert part_of(None, D(5)) is part_of(D(5), D(0)) is None


@pytest.mark.parametrize("seed", range(5))
def test_what_is_said_is_the_exact_part_rounded_once_and_reads_all_or_nothing_only_where_it_is(seed: int) -> None:
    draw = Random(seed)
    for _n in range(4000):
        whole = draw.randrange(1, 2_000_000)
        value = draw.choice((draw.randrange(0, whole * 5 // 4 + 1), max(0, whole + draw.randrange(-9, 9))))
        part = part_of(D(value), D(whole))
        assert part is not None
        text = words.percent(part)
        assert (text == "100 %", text == "0 %") == (value == whole, value == 0), (value, whole)
        digits = text.removesuffix(" %").replace(",", "")
        exact, said = 100 * D(value) / whole, D(digits)
        if said in (D("0.01"), D("99.99"), D("100.01")):
            assert abs(said - exact) < D("0.01"), (value, whole)
        else:  # rounded once, to as many digits as there are
            assert said == exact.quantize(said), (value, whole)


def test_two_shares_that_differ_are_told_apart() -> None:
    assert words.percents(D("0.9451"), D("0.9453")) == ("94.51 %", "94.53 %")
    assert words.percents(D("0.94"), D("0.9453")) == ("94 %", "94.5 %")


@pytest.mark.parametrize(
    ("share", "said"),
    [
        ("0", "Zero percent of the budget spent."),
        ("0.0001", "0.01 percent of the budget spent."),
        ("0.4949", "49 percent of the budget spent."),
        ("0.4950", "49.5 percent of the budget spent."),
        ("0.9995", "99.95 percent of the budget spent."),
        ("1", "100 percent of the budget spent."),
        ("1.0001", "Under one percent over budget already."),
        ("1.6667", "67 percent over budget already."),
        ("1.1250", "12.5 percent over budget already."),
    ],
)
def test_the_headline_has_whole_percent_where_that_is_no_second_rounding(share: str, said: str) -> None:
    assert headline(Shared(budget=BudgetVital(measure="price", spent_share=D(share)))).sentence == said
