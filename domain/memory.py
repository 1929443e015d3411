"""What was made a moment ago, used again where everything that it was made of is still the same object.

Rule: nothing in here can be wrong. Something is taken from memory only if each object that it depends on is that very
object (`is`), which is enough because states are frozen: whatever changed is another object. What was not asked for
since the last turn is forgotten, so that a memory never holds more than what was made last.
"""

import bisect
from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import compress, count
from operator import is_, is_not
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")
_encoder = msgspec.json.Encoder()


class Memory:
    """Holds what was made in this turn and in the one before. For one thread at a time."""

    __slots__ = ("_before", "_made")

    def __init__(self) -> None:
        self._before: dict[Hashable, Any] = {}  # by key: what it depends on, and what was made; of `each` a `_Made`
        self._made: dict[Hashable, Any] = {}

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
        new = tuple(things)
        known: _Made[T] | None = self._before.get(kind)
        if known is None:
            found = [make(thing) for thing in new]
        elif not same(known.around, around):
            found = known.anew(new, make)
        else:
            found = known.brought_forward(new, make)
        self._made[kind] = _Made(around, new, found)
        return found.copy()

    def ordered(self, kind: str, things: Sequence[T], key: Callable[[T], Any]) -> list[T]:
        """Return things in the order of a key that no two share, as `sorted` does; `things` is not changed after that.

        Of a long list in which little changed, only what did is put in its place.
        """
        known: tuple[Sequence[T], list[T]] | None = self._before.get(kind)
        begin, end = unlike(known[0], things) if known else (0, 0)
        if known is None or 2 * (begin + end) < len(things):
            found = sorted(things, key=key)
        else:
            found = known[1].copy()
            for gone in known[0][begin : len(known[0]) - end]:
                del found[bisect.bisect_left(found, key(gone), key=key)]
            for new in things[begin : len(things) - end]:
                bisect.insort(found, new, key=key)
        self._made[kind] = things, found
        return found.copy()

    def one(self, key: Hashable, value: T) -> T:
        """Return the object of the turn before where it says the same, to the byte, as `value`; else `value`."""
        known = self._before.get(key)
        if known is not None:
            value = _as_before(known[1], value)
        self._made[key] = (), value
        return value


class _Made(Generic[T]):
    """What was made of several things."""

    __slots__ = ("around", "found", "things")

    def __init__(self, around: tuple[object, ...], things: tuple[Any, ...], found: list[T]) -> None:
        self.around, self.things, self.found = around, things, found

    def anew(self, new: tuple[Any, ...], make: Callable[[Any], T]) -> list[T]:
        """Return what is made of all things now, as the same objects where it says the same."""
        before = {thing.id: value for thing, value in zip(self.things, self.found, strict=True)}
        made = [(thing.id, make(thing)) for thing in new]
        return [_as_before(before[key], value) if key in before else value for key, value in made]

    def brought_forward(self, new: tuple[Any, ...], make: Callable[[Any], T]) -> list[T]:
        """Return what was made of the things that are there still, and what is made of the others."""
        begin, end = unlike(self.things, new)
        old = slice(begin, len(self.things) - end)
        before = {thing.id: (thing, value) for thing, value in zip(self.things[old], self.found[old], strict=True)}
        others = [self._one(before.get(thing.id), thing, make) for thing in new[begin : len(new) - end]]
        return [*self.found[:begin], *others, *self.found[old.stop :]]

    @staticmethod
    def _one(known: tuple[Any, T] | None, thing: Any, make: Callable[[Any], T]) -> T:
        if known is None:
            return make(thing)
        return known[1] if known[0] is thing else _as_before(known[1], make(thing))


class Token:
    """Stands for objects on which much depends at once: `Memory.of` returns the same one while they are the same."""

    __slots__ = ()


def same(before: tuple[object, ...], after: tuple[object, ...]) -> bool:
    """Tell whether two tuples have the same objects."""
    return len(before) == len(after) and all(map(is_, before, after))


def apart(before: Sequence[T], after: Sequence[T]) -> tuple[list[T], list[T]]:
    """Return what of two lists is not the very same object in both, of each in its order."""
    begin, end = unlike(before, after)
    was, now = before[begin : len(before) - end], after[begin : len(after) - end]
    kept = set(map(id, was)).intersection(map(id, now))
    return [one for one in was if id(one) not in kept], [one for one in now if id(one) not in kept]


def unlike(before: Sequence[object], after: Sequence[object]) -> tuple[int, int]:
    """Return how many objects two lists begin with that are the same, and how many of the others they end with."""
    if before is after:
        return len(before), 0
    begin = _same_first(map(is_not, before, after), min(len(before), len(after)))
    end = _same_first(map(is_not, reversed(before), reversed(after)), min(len(before), len(after)) - begin)
    return begin, end


def _same_first(others: Iterable[bool], most: int) -> int:
    """Return how many are the same before the first other one, at most so many."""
    return min(most, next(compress(count(), others), most))


def _as_before(before: T, after: T) -> T:
    """Return `before` where it says the same as `after`; 1.0 and 1.00 are equal and do not."""
    if before is after or (before == after and _encoder.encode(before) == _encoder.encode(after)):
        return before
    return after
