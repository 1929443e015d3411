"""Amounts as people read them: short enough to take in, never as nothing, and to the last digit where that is asked."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from projections.wording import words

pytestmark = pytest.mark.once

D = Decimal


@pytest.mark.parametrize(
    ("currency", "amount", "short", "exact"),
    [
        ("IDR", "125000000000000", "IDR 125.00tn", "IDR 125,000,000,000,000"),
        ("IDR", "250000000000", "IDR 250.00bn", "IDR 250,000,000,000"),
        ("JPY", "1500000000", "JPY 1.50bn", "JPY 1,500,000,000"),
        ("JPY", "1500", "JPY 1,500", "JPY 1,500"),
        ("KWD", "1.234", "KWD 1.234", "KWD 1.234"),
        ("KWD", "1234.5", "KWD 1,234", "KWD 1,234.500"),
        ("GBP", "100000000000000", "£100.00tn", "£100,000,000,000,000"),
        ("GBP", "999600", "£1.00m", "£999,600"),
        ("GBP", "999499", "£999k", "£999,499"),
        ("GBP", "999995000", "£1.00bn", "£999,995,000"),
        ("GBP", "9999.60", "£10k", "£9,999.60"),
        ("GBP", "0.50", "£0.50", "£0.50"),
        ("GBP", "0.004", "£0.004", "£0.004"),
        ("GBP", "0.125", "£0.12", "£0.125"),
        ("GBP", "-0.50", "−£0.50", "−£0.50"),
        ("GBP", "-6721300", "−£6.72m", "−£6,721,300"),
        ("GBP", "0", "£0", "£0"),
        ("GBP", "950", "£950", "£950"),
        ("GBP", "321907.8947368421052631578948", "£322k", "£321,907.89"),  # read off a curve
        ("KWD", "321.8947368421052631578948", "KWD 322", "KWD 321.895"),
        ("GBP", "412300", "£412k", "£412,300"),
    ],
)
def test_an_amount_is_read_in_short_and_in_full(currency: str, amount: str, short: str, exact: str) -> None:
    assert words.money(Money(D(amount), currency)) == short
    assert words.exact(Money(D(amount), currency)) == exact


@pytest.mark.parametrize(
    ("currency", "amount", "label"),
    [("GBP", "0.5", "£0.5"), ("GBP", "500", "£500"), ("GBP", "1500000", "£1.5m"), ("EUR", "250000", "€250k"),
     ("GBP", "20000000000", "£20bn"), ("IDR", "50000000000000", "50tn"), ("GBP", "0", "0")],
)  # fmt: skip
def test_the_label_of_an_axis_is_as_short_as_it_can_be(currency: str, amount: str, label: str) -> None:
    assert words.round_money(Money(D(amount), currency)) == label


FACTORS = {"k": 3, "m": 6, "bn": 9, "tn": 12}
amounts = st.decimals(min_value=D("-999999999999999"), max_value=D("999999999999999"), places=4)


HALVES = (  # how far an amount below the first may be from what is read of it
    (D(100), D("0.005")), (D(9999), D("0.5")), (D(999000), D(500)), (D(10) ** 9, D(5000)), (D(10) ** 12, D(5) * 10 ** 6),
    (D(10) ** 15, D(5) * 10 ** 9),
)  # fmt: skip


def _number(text: str) -> Decimal:
    text = text.replace("£", "").replace(",", "").replace(words.MINUS, "-")
    unit = next((unit for unit in FACTORS if text.endswith(unit)), "")
    return D(text.removesuffix(unit)).scaleb(FACTORS.get(unit, 0))


@given(amounts)
def test_what_is_read_is_the_amount_to_its_last_digit_or_rounded(amount: Decimal) -> None:
    money = Money(amount, "GBP")
    assert _number(words.exact(money)) == amount
    short = words.money(money)
    half = next(half for most, half in HALVES if abs(amount) < most)
    assert abs(_number(short) - amount) <= half
    assert len(short) <= len("−£1,000.00tn")
    assert (_number(short) == 0) == (amount == 0)


@given(amounts, amounts)
def test_more_is_never_read_as_less(one: Decimal, other: Decimal) -> None:
    read = [_number(words.money(Money(amount, "GBP"))) for amount in sorted((one, other))]
    assert read == sorted(read)
