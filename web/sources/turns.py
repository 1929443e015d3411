"""When each source has its turn: by its cadence, sooner after a hint, later after a failure. Pure; seconds of a clock.

Rule: one turn at a time for each source. A hint during a turn gives one more after it, however many hints there were.
None before the tool's own `Retry-After` is over, whichever process it was told, unless a person asks.
"""

from collections.abc import Callable, Mapping

import msgspec

MINUTE = 60.0
SOON = 2.0  # seconds after a hint, in which others join it
REST = 10.0  # seconds between two turns that hints asked for
FIRST = 5.0  # seconds within which a source that is new here has its first turn
LONGEST = 86_400.0  # between two tries
FOR_GOOD = 86_400.0  # until it is tried again what only a person can mend
JITTER = 0.1  # part of a cadence by which turns are spread


class Turn(msgspec.Struct):
    """When one source is due, and how it went."""

    due: float
    cadence: float
    failures: int = 0
    hinted: bool = False  # while it has its turn
    asked: bool = False  # by a person, for the next one
    running: bool = False
    ended: float = -LONGEST


class Turns:
    """The turns of all sources. `spread` returns a number from 0 to 1, at random; times are seconds of one clock."""

    def __init__(self, spread: Callable[[], float]) -> None:
        self._spread = spread
        self._turns: dict[str, Turn] = {}

    def keep(self, cadences: Mapping[str, float], now: float, waits: Mapping[str, float] | None = None) -> None:
        """Know these sources, with the seconds between their turns, and no others.

        `waits`: for how many seconds from now their tools asked not to be asked.
        """
        for gone in self._turns.keys() - cadences.keys():
            if not self._turns[gone].running:
                del self._turns[gone]
        for key, cadence in cadences.items():
            known = self._turns.get(key)
            if known is None:
                self._turns[key] = Turn(due=now + FIRST * self._spread(), cadence=cadence)
            elif known.cadence != cadence:
                known.cadence, known.due = cadence, min(known.due, now + cadence)
        for key, seconds in (waits or {}).items():
            turn = self._turns.get(key)
            if turn is not None and not turn.running and not turn.asked:
                turn.due = max(turn.due, now + min(seconds, LONGEST))

    def due(self, now: float, most: int) -> list[str]:
        """Return up to `most` sources that are due, the longest due first; their turn begins with this."""
        waiting = sorted((turn.due, key) for key, turn in self._turns.items() if not turn.running and turn.due <= now)
        begun = [key for _due, key in waiting[: max(0, most)]]
        for key in begun:
            self._turns[key].running, self._turns[key].hinted, self._turns[key].asked = True, False, False
        return begun

    def hint(self, key: str, now: float) -> None:
        """Give a source a turn soon, one for all hints that come meanwhile; none while it has to wait."""
        turn = self._turns.get(key)
        if turn is None:
            return
        if turn.running:
            turn.hinted = True
        elif not turn.failures:
            turn.due = min(turn.due, max(now + SOON, turn.ended + REST))

    def at_once(self, key: str, now: float) -> None:
        """Give a source its turn now, whatever it waits for: a person asked."""
        turn = self._turns.get(key)
        if turn is not None:
            turn.failures, turn.due, turn.hinted, turn.asked = 0, min(turn.due, now), turn.running, True

    def succeeded(self, key: str, now: float) -> None:
        """End a turn: the next one comes by the cadence, or soon where something hinted at one meanwhile."""
        turn = self._turns.get(key)
        if turn is None:
            return
        turn.running, turn.failures, turn.ended = False, 0, now
        spread = 1 + JITTER * (2 * self._spread() - 1)
        turn.due = now + (REST if turn.hinted else turn.cadence * spread)

    def failed(self, key: str, now: float, retry_after: float | None, *, for_good: bool) -> None:
        """End a turn that brought nothing: later each time, never before the tool's own `Retry-After` is over.

        Where a person asked during it, as by replacing the secret, the next one comes soon.
        """
        turn = self._turns.get(key)
        if turn is None:
            return
        again = turn.asked
        turn.running, turn.ended, turn.hinted, turn.asked = False, now, False, False
        if again:
            turn.failures, turn.due = 0, now + max(REST, min(retry_after or 0.0, LONGEST))
            return
        turn.failures += 1
        wait = FOR_GOOD if for_good else min(LONGEST, min(turn.cadence, MINUTE) * 2 ** min(turn.failures - 1, 12))
        wait = max(wait, min(retry_after or 0.0, LONGEST))
        turn.due = now + wait * (1 + JITTER * self._spread())

    def next_at(self, key: str) -> float | None:
        """Return when a source is due, None where it is not known."""
        turn = self._turns.get(key)
        return None if turn is None else turn.due

    def running(self, key: str) -> bool:
        """Tell whether a source has its turn."""
        turn = self._turns.get(key)
        return turn is not None and turn.running
