"""Numbers as people type them: what can be read in one way is read, what can be read in two is asked about."""

from decimal import Decimal
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import commands, numbers
from domain.plan.budget import ApproveBudget
from domain.plan.health import Tolerances
from domain.plan.project import SetTolerances

pytestmark = pytest.mark.once

D = Decimal


@pytest.mark.parametrize(
    ("text", "value"),
    [("1250,50", "1250.50"), ("99,50", "99.50"), ("1,5", "1.5"), ("1.200,50", "1200.50"), ("1,200.50", "1200.50"),
     ("1 250,00", "1250.00"), ("1\u00a0250.00", "1250"), ("1\u2009250\u2009000", "1250000"), ("1\u202f250", "1250"),
     ("1'250.75", "1250.75"), ("1’250’000", "1250000"), ("1.250.000", "1250000"), ("1,250,000", "1250000"),
     ("0,95", "0.95"), ("7,5", "7.5"), ("0.125", "0.125"), (",5", "0.5"), ("−1 250", "-1250"), ("+3", "3"),
     ("1250", "1250"), ("12,50,000", "1250000"), ("1.2340", "1.234")],
)  # fmt: skip
def test_a_number_that_can_be_read_in_one_way_is_read(text: str, value: str) -> None:
    assert numbers.number(text) == D(value)


@pytest.mark.parametrize(
    ("text", "large", "small"),
    [
        ("1.250", "1250", "1.25"),
        ("1,250", "1250", "1.25"),
        ("100,000", "100000", "100"),
        ("-1,234", "-1234", "-1.2340"),
    ],
)
def test_a_number_that_can_be_read_in_two_ways_is_refused_with_both(text: str, large: str, small: str) -> None:
    with pytest.raises(numbers.Ambiguous) as told:
        numbers.number(text)
    sentence = str(told.value)
    assert f"“{text}” can mean {large} or {small}." in sentence
    for advice in (large, small, numbers.grouped(D(large))):  # what it suggests can be typed
        assert advice in sentence
        assert numbers.number(advice) in (D(large), D(small))


@pytest.mark.parametrize(
    "text", ["", "-", ".", "5.", "1_000", "１２", "1e3", "NaN", "1 25", "12.345.6", "1,250,00", "1.250,000.5", "1-2", "%", "9" * 61]
)  # fmt: skip
def test_what_is_no_number_in_any_way_is_none(text: str) -> None:
    with pytest.raises(numbers.NoNumber):
        numbers.number(text)


def test_a_reading_the_field_cannot_take_is_no_reading() -> None:
    """A threshold of 1,250 % cannot be meant, and neither can a share of a day."""
    assert numbers.number("1,250", D(1000)) == D("1.25")
    assert numbers.number("1,500", whole=True) == 1500
    with pytest.raises(numbers.Ambiguous):
        numbers.number("1,000", whole=True)


amounts = st.decimals(min_value=D("-1e14"), max_value=D("1e14"), places=2) | st.decimals(
    min_value=D(-10000), max_value=D(10000), places=3
)


@given(amounts)
def test_what_a_form_shows_of_a_number_is_read_back_as_that_number(value: Decimal) -> None:
    assert numbers.number(numbers.grouped(value)) == value
    assert numbers.number(numbers.plain(value)) == value


@given(amounts, st.sampled_from(list(product(["", *numbers.SPACES, "'", "’", ",", "."], [".", ","]))))
def test_no_way_of_writing_a_number_is_read_as_another_number(value: Decimal, marks: tuple[str, str]) -> None:
    """Written with any thousands and decimal mark, it is read as itself, or asked about with itself among the two."""
    group, point = marks
    if group == point:
        return
    text = f"{value:,f}".replace(",", "G").replace(".", point).replace("G", group)
    try:
        said = numbers.number(text)
    except numbers.Ambiguous as told:
        said = value if f" {numbers.plain(value)}" in str(told) else Decimal("NaN")
    assert said == value


def test_a_percentage_has_its_sign_or_is_no_fraction() -> None:
    read = [("33.33 %", "33.33"), ("10.0", "10"), ("50,0 %", "50"), ("100.00%", "100"), ("0,5 %", "0.5"), ("1", "1"), ("33,333%", "33.333")]  # fmt: skip
    for text, value in read:
        assert numbers.percentage(text) == D(value)
    with pytest.raises(numbers.Ambiguous, match=r"“0.5” can mean 0.5 % or 50 %"):
        numbers.percentage("0.5")
    for text in ("101", "-5", "most"):
        with pytest.raises(numbers.NoNumber):
            numbers.percentage(text)


@pytest.mark.parametrize("sent", ['"1_000"', '" 12 "', '"１２"', '"1,5"', '"NaN"', '"1 250"', '"Infinity"'])
def test_json_takes_the_decimal_point_alone(sent: str) -> None:
    approve = (
        '{"type":"approve-budget","project":"p","measure":"cost","amount":{"amount":%s,"currency":"GBP"},"reason":""}'
    )
    with pytest.raises(msgspec.ValidationError):
        commands.decode((approve % sent).encode())
    thresholds = '{"type":"set-tolerances","project":"p","tolerances":{"spi_margin":%s},"reason":"r"}'
    with pytest.raises(msgspec.ValidationError, match=r"spi_margin|Invalid decimal"):
        commands.decode((thresholds % sent).encode())
    for good in ('"1250.50"', "1250.5", '"1E+3"', '"-3"'):
        assert isinstance(commands.decode((approve % good).encode()), ApproveBudget)


@given(amounts)
def test_what_a_command_is_written_as_is_taken(value: Decimal) -> None:
    command = SetTolerances(project="p", tolerances=Tolerances(cost_margin=value), reason="r")  # type: ignore[arg-type]
    assert commands.decode(commands.encode(command)) == command


@given(st.text() | st.text(alphabet="0123456789.,' \u00a0-%", max_size=14))
def test_whatever_is_typed_is_read_or_told(text: str) -> None:
    for read in (numbers.number, numbers.percentage):
        try:
            assert read(text).is_finite()
        except (numbers.Ambiguous, numbers.NoNumber) as told:
            assert isinstance(told, ValueError)  # noqa: PT017  # a sentence for whoever typed it
