"""A long course is drawn in few points, and read from its end to the same result as from its beginning."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from domain.plan.history import placed
from domain.plan.milestones import Move
from domain.reveal.course import PERIODS, known_moves, last_change, points
from domain.reveal.past import dated, known, settled
from domain.view import TREND_MOST, TREND_NEWEST

BEGIN = datetime(2027, 3, 1, 9, tzinfo=UTC)
ROOM = TREND_MOST - TREND_NEWEST - 1
ZONES = ("Europe/London", "Pacific/Auckland", "America/Sao_Paulo", "UTC")
Point = tuple[date, date]


def drawn(rng: random.Random, many: int) -> tuple[Move, ...]:
    """Return a course, with a part of it recorded later than it held."""
    apart, late = rng.choice((3_600, 40_000, 86_400, 86_400 * 4, 86_400 * 30)), rng.choice((0.0, 0.2))
    moves: tuple[Move, ...] = ()
    at = BEGIN
    for i in range(many):
        at += timedelta(seconds=rng.randrange(apart))
        as_of = at - timedelta(seconds=rng.randrange(apart * 20)) if rng.random() < late else None
        forecast = date(2029, 1, 1) + timedelta(days=rng.randrange(rng.choice((2, 40))))
        moves = placed(moves, Move(at=at, as_of=as_of, forecast=forecast, reason=str(i)))
    return moves


def every_point(moves: Sequence[Move], since: datetime | None, zone: str) -> list[Point]:
    """Return the points before any is left out, as docs/spec.md 6.12 defines them."""
    held = settled(known(moves, since, dated), lambda move: move.forecast)
    on = {max(m.since, since or m.since).astimezone(ZoneInfo(zone)).date(): m.forecast for m in held}
    return sorted(on.items())


def thinned(whole: list[Point]) -> list[Point]:
    """Return the points that are drawn, as docs/spec.md 6.12 defines them."""
    if len(whole) <= TREND_MOST:
        return whole
    newest, before = whole[-TREND_NEWEST:], whole[:-TREND_NEWEST]
    first, last = before[0], before[-1]
    months = (last[0].year - first[0].year) * 12 + last[0].month - first[0].month + 1
    period = next((begin for length, begin in PERIODS if months <= length * ROOM), PERIODS[-1][1])
    older = list({period(on): (on, forecast) for on, forecast in before}.values())[-ROOM:]
    return [first, *(point for point in older if point != first), *newest]


@pytest.mark.parametrize("many", [1, 5, 59, 60, 61, 80, 200, 700])
def test_a_course_is_drawn_as_its_definition_has_it(many: int) -> None:
    for seed in range(12):
        rng = random.Random(f"{many}-{seed}")
        moves = drawn(rng, many)
        floors = (
            None,
            BEGIN - timedelta(days=9),
            moves[many // 3].since,
            moves[-1].at,
            moves[-1].at + timedelta(days=9),
        )
        for since in floors:
            zone = rng.choice(ZONES)
            told = known_moves(moves, since)
            assert list(told) == known(moves, since, dated)
            found = [(point.on, point.forecast) for point in points(told, since, zone)]
            assert found == thinned(every_point(moves, since, zone)), (seed, since, zone)
            assert len(found) <= TREND_MOST


def test_years_of_moves_are_drawn_by_month_then_by_quarter_then_by_year() -> None:
    def months_apart(years: int) -> list[int]:
        moves = tuple(
            Move(at=BEGIN + timedelta(days=day), forecast=date(2090, 1, 1) + timedelta(days=day % 7), reason="")
            for day in range(365 * years)
        )
        found = [point.on for point in points(moves, None, "UTC")]
        assert found == sorted(found)
        assert found[0] == BEGIN.date()
        older = found[1:-TREND_NEWEST]
        return [(b.year - a.year) * 12 + b.month - a.month for a, b in pairwise(older)][:-1]

    assert set(months_apart(2)) == {1}
    assert set(months_apart(6)) == {3}
    assert set(months_apart(20)) == {12}


def test_the_reason_is_of_the_move_since_which_all_say_the_same() -> None:
    forecasts = [date(2029, 1, day) for day in (1, 2, 2, 2)]
    moves = [Move(at=BEGIN + timedelta(days=i), forecast=to, reason=str(i)) for i, to in enumerate(forecasts)]
    assert last_change(moves, lambda move: move.forecast) == 1
    assert last_change(moves[:1], lambda move: move.forecast) == 0
