"""What was made a moment ago, used again where everything that it was made of is still the same object.

Rule: nothing in here can be wrong. Something is taken from memory only if each object that it depends on is that very
object (`is`), which is enough because states are frozen: whatever changed is another object. What was not asked for
since the last turn is forgotten, so that a memory never holds more than what was made last.
"""

from collections.abc import Callable, Hashable, Iterable
from operator import is_
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
        if len(new) == len(self.things):  # mostly the same in the same order
            others = [i for i, kept in enumerate(map(is_, self.things, new)) if not kept]
            if all(self.things[i].id == new[i].id for i in others):
                found = self.found.copy()
                for i in others:
                    found[i] = _as_before(found[i], make(new[i]))
                return found
        before = {thing.id: (thing, value) for thing, value in zip(self.things, self.found, strict=True)}
        return [self._one(before.get(thing.id), thing, make) for thing in new]

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


def _as_before(before: T, after: T) -> T:
    """Return `before` where it says the same as `after`; 1.0 and 1.00 are equal and do not."""
    if before is after or (before == after and _encoder.encode(before) == _encoder.encode(after)):
        return before
    return after
