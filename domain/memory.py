"""What was made a moment ago, used again where everything that it was made of is still the same object.

Rule: nothing in here can be wrong. Something is taken from memory only if each object that it depends on is that very
object (`is`), which is enough because states are frozen: whatever changed is another object. What was not asked for
since the last turn is forgotten, so that a memory never holds more than what was made last.
"""

from collections.abc import Callable, Hashable, Iterable
from operator import is_
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_encoder = msgspec.json.Encoder()


class Memory:
    """Holds what was made in this turn and in the one before. For one thread at a time."""

    __slots__ = ("_before", "_made")

    def __init__(self) -> None:
        self._before: dict[Hashable, tuple[tuple[object, ...], Any]] = {}
        self._made: dict[Hashable, tuple[tuple[object, ...], Any]] = {}

    def turn(self) -> None:
        """Begin another turn: what was not asked for in the last one is forgotten."""
        self._before, self._made = self._made, {}

    def of(self, key: Hashable, depends: tuple[object, ...], make: Callable[[], T]) -> T:
        """Return what `make` made before of the same objects under this key, else what it makes now.

        `depends` has every object that `make` reads. What is made now and says the same, to the byte, as before is the
        same object again.
        """
        known = self._before.get(key)
        if known is None:
            known = depends, make()
        elif not same(known[0], depends):
            known = depends, _as_before(known[1], make())
        self._made[key] = known
        value: T = known[1]
        return value

    def each(self, kind: str, around: tuple[object, ...], things: Iterable[Any], make: Callable[[Any], T]) -> list[T]:
        """Return what `make` makes of each thing, which has an `id`: of the same thing what it made of it before.

        `around` has every object besides the thing that `make` reads.
        """
        known: tuple[tuple[object, ...], dict[str, tuple[object, T]]] | None = self._before.get(kind)
        before = {} if known is None else known[1]
        valid = known is not None and same(known[0], around)
        made: dict[str, tuple[object, T]] = {}
        found: list[T] = []
        for thing in things:
            old = before.get(thing.id)
            if old is None:
                old = thing, make(thing)
            elif not valid or old[0] is not thing:
                old = thing, _as_before(old[1], make(thing))
            made[thing.id] = old
            found.append(old[1])
        self._made[kind] = around, made
        return found

    def one(self, key: Hashable, value: T) -> T:
        """Return the object of the turn before where it says the same, to the byte, as `value`; else `value`."""
        known = self._before.get(key)
        if known is not None:
            value = _as_before(known[1], value)
        self._made[key] = (), value
        return value


class Token:
    """Stands for objects on which much depends at once: `Memory.of` returns the same one while they are the same."""

    __slots__ = ()


def same(before: tuple[object, ...], after: tuple[object, ...]) -> bool:
    """Tell whether two tuples have the same objects."""
    return len(before) == len(after) and all(map(is_, before, after))


def _as_before(before: T, after: T) -> T:
    """Return `before` where it says the same as `after`; 1.0 and 1.00 are equal and do not."""
    if before is after or (before == after and _encoder.encode(before) == _encoder.encode(after)):
        return before
    return after
