"""A last day is the same day in whichever zone it is read, over every change of clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.agreement.terms import Ways
from projections.wording import days
from web.forms import fields
from web.manager.agreement import terms_form

pytestmark = pytest.mark.once

zones = st.sampled_from(sorted(available_timezones() - {"localtime"}))
civil = st.dates(date(1980, 1, 1), date(2060, 1, 1))


@given(civil, zones)
@example(date(2027, 9, 4), "America/Santiago")  # no midnight after it
@example(date(2027, 4, 3), "America/Santiago")  # 23:00 to 24:00 twice
@example(date(2027, 3, 27), "Asia/Beirut")
@example(date(2027, 4, 29), "Africa/Cairo")
@example(date(2023, 9, 30), "America/Asuncion")
@example(date(2027, 10, 31), "America/Havana")
@example(date(2011, 12, 29), "Pacific/Apia")  # the day after it was left out
def test_a_last_day_stays_the_same_however_often_it_is_saved(day: date, zone: str) -> None:
    shown = day.isoformat()
    for _ in range(3):  # open the editor, save, open again
        ways = terms_form.ways_of({"history": ["no"], "expires": [shown]}, zone)
        shown = terms_form.last_day(ways, zone)
        assert shown == day.isoformat()
        assert ways.expires == days.end_of(day, zone)
        assert f"until {day.day} " in terms_form.manner(ways, zone)


@given(civil, zones)
def test_a_day_is_over_when_the_next_begins_and_not_a_second_before(day: date, zone: str) -> None:
    end, there = days.end_of(day, zone), ZoneInfo(zone)
    assert end.astimezone(there).date() > day
    left_out = days.start_of(day, zone) == end  # Apia had no 30 December 2011
    assert left_out or (end - days.SECOND).astimezone(there).date() == day


@given(civil, zones)
@example(date(2027, 4, 3), "America/Santiago")
def test_until_the_end_of_a_day_is_the_last_second_of_it(day: date, zone: str) -> None:
    """Where 23:00 to 24:00 comes twice, the second one counts as well."""
    field = fields.Field(name="until", label="Until", kind="until", unit=zone)
    read = fields.read([field], {"until": [day.isoformat()]})["until"]
    assert read.astimezone(UTC) + days.SECOND == days.end_of(day, zone)


def test_a_day_too_far_away_is_told_and_not_an_error() -> None:
    field = fields.Field(name="until", label="Until", kind="until", unit="Asia/Tokyo")
    with pytest.raises(fields.Unfit, match="too far away"):
        fields.read([field], {"until": ["9999-12-31"]})


def test_an_end_in_the_middle_of_a_day_has_that_day_as_its_last() -> None:
    assert days.last_day(datetime(2027, 9, 4, 15, tzinfo=UTC), "America/Santiago") == date(2027, 9, 4)
    assert Ways().expires is None
    assert days.last_day(days.start_of(date(2027, 9, 5), "UTC") + timedelta(seconds=1), "UTC") == date(2027, 9, 5)
