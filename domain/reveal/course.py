"""The course of a milestone's forecast as a client may know it, in no more points than can be read; docs/spec.md 6.12.

Rule: that of `policy`. What is drawn follows from the known forecasts alone, however many there are. A long course is
read from its end and by bisection, so that its newest point costs the same after ten thousand moves as after a hundred.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.plan.milestones import Move
from domain.reveal.past import dated, known, settled
from domain.view import TREND_MOST, TREND_NEWEST, ForecastPoint

PERIODS: tuple[tuple[int, Callable[[date], date]], ...] = (
    (1, lambda day: day.replace(day=1)),
    (3, lambda day: day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)),
    (12, lambda day: day.replace(month=1, day=1)),
)  # months, quarters and years: how many months each has, and the first day of the one a day lies in
NEAR = 8  # moves that are looked at one by one before they are searched by bisection


def known_moves(moves: Sequence[Move], since: datetime | None) -> Sequence[Move]:
    """Return the moves that are known when what lies before `since` (UTC) is not, as `past.known` does."""
    if since is None:
        return moves
    if len(moves) > TREND_MOST:
        first = bisect_left(moves, since, key=_since)
        if first == 0:
            return moves
        if moves[first - 1].at < since:  # so it was recorded before whatever holds since later
            return moves[first - 1 :]
    return known(moves, since, dated)


def last_change(moves: Sequence[Move], said: Callable[[Move], object]) -> int:
    """Return the index of the move since which all say what the last one says."""
    newest, found = said(moves[-1]), len(moves) - 1
    while found > 0 and said(moves[found - 1]) == newest:
        found -= 1
    return found


def points(moves: Sequence[Move], since: datetime | None, zone: str) -> tuple[ForecastPoint, ...]:
    """Return the forecasts of known moves by the day (in a zone, IANA name) since which each held, thinned if many.

    With `since` (UTC) nothing holds since earlier than that.
    """
    if len(moves) <= TREND_MOST:
        set_on = {_day(move, since, zone): move.forecast for move in settled(moves, _forecast_of)}
        return tuple(ForecastPoint(on, forecast) for on, forecast in sorted(set_on.items()))
    course = _Course(moves, since, zone)
    newest = list(course.back(TREND_MOST + 1))
    if len(newest) <= TREND_MOST:
        return tuple(point for _index, point in reversed(newest))
    first, begin, room = course.first(), newest[TREND_NEWEST][1], TREND_MOST - TREND_NEWEST - 1
    months = (begin.on.year - first.on.year) * 12 + begin.on.month - first.on.month + 1
    period = next((period for length, period in PERIODS if months <= length * room), PERIODS[-1][1])
    drawn = [point for _index, point in newest[:TREND_NEWEST]]
    drawn += [point for point in course.last_of_each(period, newest[TREND_NEWEST - 1][0], room) if point != first]
    return (first, *reversed(drawn))


class _Course:
    """A long course of forecasts, each with the day since which it held."""

    def __init__(self, moves: Sequence[Move], since: datetime | None, zone: str) -> None:
        self._moves, self._since, self._zone = moves, since, zone
        self._first = self._on(0)

    def _on(self, index: int) -> date:
        return _day(self._moves[index], self._since, self._zone)

    def _begin(self, day: date, before: int) -> int:
        """Return the index of the first move of a day, or of a later one where it has none, at most `before`."""
        if day <= self._first:
            return 0
        begins, moves = _begins(day, self._zone), self._moves
        for index in range(before, max(before - NEAR, 0), -1):
            if moves[index - 1].since < begins:
                return index
        return bisect_left(moves, begins, lo=1, hi=before, key=_since)

    def _point(self, before: int) -> tuple[int, ForecastPoint] | None:
        """Return the last point made of moves with an index below `before`, with the index of its day's first move.

        A day on which each move says what the one before it said has no point.
        """
        while before > 0:
            day = self._on(before - 1)
            begin = self._begin(day, before)
            forecast = self._moves[before - 1].forecast
            others = (self._moves[i - 1].forecast != forecast for i in range(before - 1, max(begin, 1) - 1, -1))
            if begin == 0 or any(others):
                return begin, ForecastPoint(day, forecast)
            before = begin
        return None

    def back(self, most: int) -> Iterator[tuple[int, ForecastPoint]]:
        """Yield the newest points, the newest first."""
        before = len(self._moves)
        while most > 0 and (found := self._point(before)) is not None:
            yield found
            before, most = found[0], most - 1

    def first(self) -> ForecastPoint:
        """Return the first point."""
        end = self._begin(date.fromordinal(self._first.toordinal() + 1), len(self._moves))
        return ForecastPoint(self._first, self._moves[max(end, 1) - 1].forecast)

    def last_of_each(self, period: Callable[[date], date], before: int, most: int) -> list[ForecastPoint]:
        """Return the last point of each period (given by its first day) before a move, the newest first."""
        found: list[ForecastPoint] = []
        while len(found) < most and (point := self._point(before)) is not None:
            found.append(point[1])
            before = self._begin(period(point[1].on), point[0])
        return found


def _day(move: Move, since: datetime | None, zone: str) -> date:
    at = move.since if since is None else max(move.since, since)
    return at.astimezone(ZoneInfo(zone)).date()


@lru_cache(maxsize=4096)
def _begins(day: date, zone: str) -> datetime:
    """Return when a day begins in a zone (UTC)."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _since(move: Move) -> datetime:
    return move.since


def _forecast_of(move: Move) -> date:
    return move.forecast
