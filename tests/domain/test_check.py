"""What people type: kept as typed, or refused with the field and the reason."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from domain import check
from domain.errors import Invalid
from domain.money import Money

pytestmark = pytest.mark.once

D = Decimal


def test_a_line_is_trimmed_and_kept_as_typed() -> None:
    assert check.line("title", "  Café — Ünïcode 日本 \u200fעברית  ") == "Café — Ünïcode 日本 \u200fעברית"
    assert check.text("note", "one\r\ntwo\rthree\u2028four") == "one\ntwo\nthree\nfour"


@pytest.mark.parametrize(
    ("character", "code"),
    [("\x00", "U+0000"), ("\x1b", "U+001B"), ("\x7f", "U+007F"), ("\x9b", "U+009B"), ("\u202e", "U+202E"),
     ("\u2066", "U+2066"), ("\ud800", "U+D800")],
)  # fmt: skip
def test_what_cannot_be_seen_but_acts_is_refused_with_its_place(character: str, code: str) -> None:
    for checked in (check.line, check.text):
        with pytest.raises(Invalid, match=f"Client title contains .*{code.replace('+', '.')}, at place 3") as raised:
            checked("client_title", f"ab{character}c")
        assert raised.value.field == "client_title"


@pytest.mark.parametrize("nothing", ["", " ", "\n", "\u200b", "\u00a0\u2060"])
def test_what_shows_nothing_is_missing(nothing: str) -> None:
    with pytest.raises(Invalid, match="Title is missing"):
        check.line("title", nothing)
    with pytest.raises(Invalid, match="Reason is missing"):
        check.text("reason", nothing, required=True)


def test_a_line_is_one_line_of_two_hundred_characters() -> None:
    assert len(check.line("title", "x" * 200)) == 200
    with pytest.raises(Invalid, match="has 201 characters; at most 200"):
        check.line("title", "x" * 201)
    for two in ("a\nb", "a\rb", "a\u2029b"):
        with pytest.raises(Invalid, match="on one line"):
            check.line("title", two)
    with pytest.raises(Invalid, match="at most 4000"):
        check.text("note", "x" * 4001)


@pytest.mark.parametrize("good", ["m1", "viewer-acme", "A_b-9", "x" * 64])
def test_ids_are_short_and_plain(good: str) -> None:
    assert check.identifier("milestone", good) == good


@pytest.mark.parametrize("bad", ["", "-x", "a b", "a/b", "a.b", "ä", "a\n", "x" * 65, "<b>", "x" * 10_000])
def test_what_could_break_an_address_is_no_id(bad: str) -> None:
    with pytest.raises(Invalid, match="expected 1 to 64 letters") as raised:
        check.identifier("milestone", bad)
    assert len(raised.value.message) < 300


@pytest.mark.parametrize("good", ["0", "0.01", "1234567.89", "999999999999999", "0.00000001", "1E+3"])
def test_amounts_of_any_currency_are_kept(good: str) -> None:
    assert check.amount("amount", D(good)) == D(good)


@pytest.mark.parametrize(
    "bad", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+15", "1E+999999", "1E-999999", "0.000000001", "-0.01"]
)
def test_what_is_no_amount_is_refused_in_a_short_sentence(bad: str) -> None:
    with pytest.raises(Invalid) as raised:
        check.amount("amount", D(bad))
    assert len(raised.value.message) < 200


def test_nothing_is_nothing_however_it_is_written() -> None:
    assert [str(check.amount("amount", D(zero))) for zero in ("-0", "0E+999999", "0.00")] == ["0", "0", "0"]


def test_money_is_in_the_currency_that_is_kept() -> None:
    assert check.money("value", Money(D("-0"), "GBP"), "GBP") == Money(D(0), "GBP")
    with pytest.raises(Invalid, match="Value is in EUR; this project keeps GBP"):
        check.money("value", Money(D(1), "EUR"), "GBP")


@pytest.mark.parametrize("bad", [-1, 101, 10**30, -(10**30), 10**5000], ids=lambda bad: f"{bad.bit_length()} bits")
def test_a_whole_number_has_bounds(bad: int) -> None:
    with pytest.raises(Invalid, match="from 0 to 100") as raised:
        check.whole("percent", bad, 0, 100)
    assert len(raised.value.message) < 200


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "-1", "11", "0.123456789", "1E-999999"])
def test_a_number_has_bounds(bad: str) -> None:
    with pytest.raises(Invalid, match="expected a number from 0 to 10"):
        check.number("cost_margin", D(bad), 0, 10)


def test_days_are_plausible() -> None:
    assert check.day("on", date(1950, 1, 1)) == date(1950, 1, 1)
    for bad in (date.min, date(1949, 12, 31), date(2150, 1, 1), date.max):
        with pytest.raises(Invalid, match="1950 to 2149"):
            check.day("on", bad)


def test_instants_carry_a_zone_and_are_kept_in_utc() -> None:
    summer = datetime(2027, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    kept = check.instant("until", summer)
    assert (kept, kept.tzinfo) == (summer, UTC)
    with pytest.raises(Invalid, match="no time zone"):
        check.instant("until", datetime(2027, 7, 1))
    for bad in (datetime.min, datetime.max):
        with pytest.raises(Invalid, match="1950 to 2149"):
            check.instant("until", bad.replace(tzinfo=timezone(timedelta(hours=14))))


@pytest.mark.parametrize("bad", ["gbp", "GB", "£", "x" * 10_000, ""])
def test_currencies_are_codes(bad: str) -> None:
    with pytest.raises(Invalid, match="ISO 4217") as raised:
        check.currency("currency", bad)
    assert len(raised.value.message) < 200


@pytest.mark.parametrize("bad", ["", "Nowhere", "Europe", "../x", "a\x00b", "/etc/localtime", "x" * 10_000])
def test_zones_have_names(bad: str) -> None:
    with pytest.raises(Invalid, match="no time zone") as raised:
        check.zone("time_zone", bad)
    assert len(raised.value.message) < 200
