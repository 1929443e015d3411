"""Public holidays by country and part of a country, as the library `holidays` has them."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import holidays

from domain.errors import Unknown
from domain.language import gettext as _
from domain.plan.calendar import Calendar

AHEAD = 4  # years filled in, the present one included
NAMED = 20  # parts of a country that a question names


def code(region: str) -> str:
    """Return a region as its code is written: "GB-ENG" for "gb-eng ", "GB" for "GB-"."""
    return region.strip().upper().rstrip("-")


def public_holidays(region: str, years: Iterable[int]) -> tuple[date, ...]:
    """Return the public holidays of a region such as "GB-ENG" in some years, ascending.

    Raises: Unknown for a region that nobody has written down.
    """
    country, _sep, part = code(region).partition("-")
    codes = holidays.list_supported_countries().get(country, ())
    part = next((one for one in codes if one.upper() == part), part)
    try:
        return tuple(sorted(holidays.country_holidays(country, subdiv=part or None, years=list(years))))
    except NotImplementedError:
        raise Unknown(
            _(
                "No public holidays are known for “{region}”. Expected a code such as GB-ENG or DE-BY.",
                region=region[:20],
            ),
            "region",
        ) from None


def ahead(today: date) -> range:
    """Return the years that are filled in: this one and three more."""
    return range(today.year, today.year + AHEAD)


@lru_cache(maxsize=64)
def parts(country: str) -> dict[str, str]:
    """Return the parts of a country by code, "GB-ENG", and name, in order; none where all have the same holidays."""
    codes = holidays.list_supported_countries().get(country, ())
    some = range(2026, 2026 + AHEAD)
    common = public_holidays(country, some) if codes else ()
    if all(public_holidays(f"{country}-{part}", some) == common for part in codes):
        return {}
    named = holidays.country_holidays(country).get_subdivision_aliases()
    return {f"{country}-{part}": next(iter(named.get(part) or ()), "") for part in codes}


def name(region: str) -> str:
    """Return what a region is called: "England (GB-ENG)", or its code where it has no name."""
    written = code(region)
    called = parts(written.partition("-")[0]).get(written, "")
    return f"{called} ({written})" if called else written


def common_only(region: str) -> str:
    """Return the question about a whole country whose parts have other holidays, "" where there is none to ask."""
    country = code(region)
    found = parts(country)
    if not found:
        return ""
    named = [name(part) for part in list(found)[:NAMED]]
    told, more = ", ".join(named), len(found) - NAMED
    if more > 0:
        told = _("{told} and {rest} more", told=told, rest=more)
    return _(
        "{country} alone has only the days that all of its parts share. Type the part: {named}. Or say that only "
        "the shared days are meant.",
        country=country,
        named=told,
    )


def filled(calendar: Calendar, region: str, today: date, oldest: date) -> tuple[date, ...]:
    """Return the days of a calendar with the public holidays of a region filled in, for the years from `oldest`.

    Days of past years stay, and so do days of this and later years that were typed by hand; of a past year without any
    day, the holidays are filled in.

    Raises: Unknown.
    """
    new = public_holidays(region, range(min(oldest, today).year, today.year + AHEAD))
    had = {day.year for day in calendar.holidays if day.year < today.year}
    old = set(public_holidays(calendar.region, ahead(today))) if _is_known(calendar.region) else set()
    kept = {day for day in calendar.holidays if day.year < today.year or day not in old}
    return tuple(sorted(kept | {day for day in new if day.year not in had}))


def held(calendar: Calendar) -> str:
    """Return whose days a calendar holds, and of which years: "holidays of England (GB-ENG), 2026 to 2029"."""
    if not calendar.holidays:
        return _("no public holidays")
    first, last = calendar.holidays[0].year, calendar.holidays[-1].year
    years = str(first) if first == last else _("{first} to {last}", first=first, last=last)
    if not calendar.region:
        return _("holidays typed by hand, {years}", years=years)
    return _("holidays of {region}, {years}", region=name(calendar.region), years=years)


def missing(calendar: Calendar, today: date) -> tuple[date, ...]:
    """Return the public holidays of a calendar's region that it does not hold, in this and later years it has days of.

    Raises: Unknown for a region that nobody has written down.
    """
    years = {day.year for day in calendar.holidays if day.year >= today.year}
    return tuple(sorted(set(public_holidays(calendar.region, years)) - set(calendar.holidays))) if years else ()


def _is_known(region: str) -> bool:
    try:
        public_holidays(region, (2026,))
    except Unknown:
        return False
    return bool(region)
