"""Visits in the demo: who had which dashboard open in the last weeks, recorded as claims like those of real pages."""

import heapq
import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import msgspec

from projections.logs.disclosure_log import DisclosureLog
from projections.receipts.claims import Kind, Receipt
from projections.receipts.taking import Receipts
from web.clock import Virtual
from web.ids import new_id

WEEKS = timedelta(days=60)


class Habit(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody opens a share on working days, UTC; a `hidden` page is in a background tab and never drawn."""

    person: str
    share: str
    device: str
    begins: time
    minutes: tuple[int, int]
    chance: float
    hidden: bool = False


class _Visit(msgspec.Struct):
    habit: Habit
    session: str
    tab: str
    shown: int = 0


class Visits:
    """Plays the visits on the clock of the story: between two changes, whatever opens and closes between them."""

    def __init__(self, receipts: Receipts, disclosure: DisclosureLog, clock: Virtual, seed: int) -> None:
        self._receipts, self._disclosure, self._clock = receipts, disclosure, clock
        self._random = random.Random(seed)  # noqa: S311  # a story, not a secret
        self._due: list[tuple[datetime, int, Literal["open", "close"], _Visit]] = []
        self._open: list[_Visit] = []
        self._count = 0

    def plan(self, habits: tuple[Habit, ...], until: datetime) -> None:
        """Schedule the visits of the weeks before `until`; all of them have ended by then."""
        day = (until - WEEKS).date()
        while day < until.date():
            for habit in habits if day.weekday() < 5 else ():
                if self._random.random() < habit.chance:
                    self._schedule(habit, day, until)
            day += timedelta(days=1)

    def _schedule(self, habit: Habit, day: date, until: datetime) -> None:
        begin = datetime.combine(day, habit.begins, UTC) + timedelta(seconds=self._random.randrange(900))
        end = begin + timedelta(minutes=self._random.randint(*habit.minutes), seconds=self._random.randrange(60))
        if end < until:
            visit = _Visit(habit, new_id(), new_id())
            self._push(begin, "open", visit)
            self._push(end, "close", visit)

    def _push(self, at: datetime, what: Literal["open", "close"], visit: _Visit) -> None:
        self._count += 1
        heapq.heappush(self._due, (at, self._count, what, visit))

    def until(self, at: datetime) -> None:
        """Begin and end visits up to an instant (UTC)."""
        while self._due and self._due[0][0] <= at:
            self._clock.at, _, what, visit = heapq.heappop(self._due)
            if what == "open":
                self._begin(visit)
            else:
                self._claim(visit, "closed", visit.shown)
                self._open.remove(visit)
            self._receipts.flush()

    def _begin(self, visit: _Visit) -> None:
        habit, n = visit.habit, self._disclosure.head(visit.habit.share)
        self._receipts.opened(habit.share, habit.person, visit.session, n, habit.device)
        self._open.append(visit)
        self._drawn(visit, n)

    def updated(self, share: str, n: int) -> None:
        """Deliver update n to every page that is open."""
        for visit in self._open:
            if visit.habit.share == share:
                self._claim(visit, "delivered", n)
                self._drawn(visit, n)
        self._receipts.flush()

    def _drawn(self, visit: _Visit, n: int) -> None:
        if not visit.habit.hidden:
            self._claim(visit, "displayed", n, visit.shown or n)
        visit.shown = n

    def _claim(self, visit: _Visit, kind: Kind, n: int, came_from: int = 0) -> None:
        habit, later = visit.habit, {"delivered": 0.08, "displayed": 0.15}.get(kind, 0.0)
        self._receipts.take(
            [
                Receipt(
                    share=habit.share,
                    person=habit.person,
                    session=visit.session,
                    tab=visit.tab,
                    kind=kind,
                    n=n,
                    came_from=came_from,
                    at=self._clock().timestamp() + later,
                )
            ]
        )
