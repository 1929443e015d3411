"""The lines of a pull as they are recorded: those that are new or another since the pull before; the others go on.

Rule: what is read is what was recorded: `whole` gives back every line that `shorter` was given, in the same order. A
line that was taken never goes on: it is carried out by the pull that has it. See docs/spec.md 2.41.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

import msgspec

from domain.plan.budget import ForecastCompletion
from domain.plan.schedule import MoveForecast, ReopenMilestone
from domain.plan.sources.rules import Line, Outcome, Proposed


class PulledLine(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one line of a pull."""

    line: Line
    outcome: Outcome
    why: str = ""


class Shorter(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of a pull beside those of the one before."""

    lines: tuple[PulledLine, ...]  # new, or another than before
    places: tuple[int, ...]  # of these among all lines, from 0, ascending
    gone: tuple[str, ...]  # keys of lines before that do not go on as they were
    reason_of_moves: str  # in all lines that go on: the only thing in them that may be another


def shorter(before: Sequence[PulledLine], now: Sequence[PulledLine]) -> Shorter | None:
    """Return lines by what changed since those before, None where nothing goes on."""
    known = {one.line.key: i for i, one in enumerate(before)}
    if len(known) < len(before) or len({one.line.key for one in now}) < len(now):
        return None
    reason = next((told for one in now for command in one.line.commands if (told := _reason(command))), "")
    same = {
        j: i
        for j, one in enumerate(now)
        if one.outcome != "taken" and (i := known.get(one.line.key)) is not None and _saying(before[i], reason) == one
    }
    same = _ascending(same)
    if not same:
        return None
    going = set(same.values())
    return Shorter(
        lines=tuple(one for j, one in enumerate(now) if j not in same),
        places=tuple(j for j in range(len(now)) if j not in same),
        gone=tuple(one.line.key for i, one in enumerate(before) if i not in going),
        reason_of_moves=reason,
    )


def whole(before: Sequence[PulledLine], told: Shorter) -> tuple[PulledLine, ...]:
    """Return all lines of a pull, of which `told` says what changed since those before."""
    gone, new = set(told.gone), dict(zip(told.places, told.lines, strict=True))
    going = iter([_saying(one, told.reason_of_moves) for one in before if one.line.key not in gone])
    many = len(before) - len(gone) + len(new)
    return tuple(new[j] if j in new else next(going) for j in range(many))


def _ascending(same: Mapping[int, int]) -> dict[int, int]:
    """Return as many of these pairs as rise together: the longest rising run (by patience), so that order is kept."""
    tops: list[int] = []
    ends: list[int] = []  # the key at the end of the best run of each length
    behind: dict[int, int | None] = {}
    for j, i in same.items():
        length = bisect_left(tops, i)
        behind[j] = ends[length - 1] if length else None
        tops[length : length + 1] = [i]
        ends[length : length + 1] = [j]
    run: list[int] = []
    at = ends[-1] if ends else None
    while at is not None:
        run.append(at)
        at = behind[at]
    return {j: same[j] for j in reversed(run)}


def _reason(command: Proposed) -> str:
    """Return the reason that a command records with a move, "" where it records none."""
    return command.reason if isinstance(command, MoveForecast | ReopenMilestone | ForecastCompletion) else ""


def _saying(one: PulledLine, reason: str) -> PulledLine:
    """Return a line whose moves have this reason: the line itself where they have it."""
    if all(_reason(command) in {"", reason} for command in one.line.commands):
        return one
    commands = tuple(
        msgspec.structs.replace(command, reason=reason) if _reason(command) else command
        for command in one.line.commands
    )
    return msgspec.structs.replace(one, line=msgspec.structs.replace(one.line, commands=commands))
