"""Dates as they are typed and pasted: one meaning, or both are said."""

import pytest

from web.forms.days import typed_day


@pytest.mark.parametrize(
    "text",
    ["2027-05-13", "13 May 2027", "13 may 2027", " 13\u00a0May\u00a02027 ", "13-May-27", "13/05/2027", "13.05.2027", "May 13, 2027",
     "Thu 13 May 2027", "2027/05/13", "13 May 27"],
)  # fmt: skip
def test_one_meaning(text: str) -> None:
    assert typed_day(text).isoformat() == "2027-05-13"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("03/04/2027", "“03/04/2027” can mean 4 March 2027 or 3 April 2027. Type 2027-03-04 or 2027-04-03."),
        ("03-04-2027", "4 March 2027 or 3 April 2027"),
        ("25/12/27", "27 December 2025 or 25 December 2027"),
        ("soon", "no date"),
        ("31 Feb 2027", "no date"),
        ("46000", "no date"),
        ("1850-01-01", "no date"),
        ("", "no date"),
    ],
)
def test_two_meanings_or_none(text: str, said: str) -> None:
    with pytest.raises(ValueError) as raised:
        typed_day(text)
    assert said in str(raised.value)


def test_the_same_day_in_both_readings_is_one_meaning() -> None:
    assert typed_day("05/05/2027").isoformat() == "2027-05-05"
