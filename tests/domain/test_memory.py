"""What is remembered is given back for the very same objects, and for nothing that only equals them."""

import random
from decimal import Decimal

import msgspec

from domain.memory import Memory, apart, unlike


class Thing(msgspec.Struct, frozen=True):
    """Something with an id."""

    id: str
    amount: Decimal


def test_what_was_made_of_the_same_objects_is_not_made_again() -> None:
    memory, asked, made = Memory(), Thing("a", Decimal(1)), list[int]()
    for _turn in range(3):
        memory.turn()
        memory.of("key", (asked,), lambda: made.append(1))
    assert made == [1]
    memory.turn()
    memory.of("key", (Thing("a", Decimal(1)),), lambda: made.append(2))
    assert made == [1, 2], "an equal object is another one"


def test_what_was_not_asked_for_in_a_turn_is_forgotten() -> None:
    memory, asked, made = Memory(), Thing("a", Decimal(1)), list[int]()
    for keys in ("ab", "b", "ab"):
        memory.turn()
        for key in keys:
            memory.of(key, (asked,), lambda: made.append(1))
    assert len(made) == 3, "a, b, and a again"


def test_what_says_the_same_is_the_object_of_before_and_what_only_equals_it_is_not() -> None:
    memory, first = Memory(), Thing("a", Decimal("1.0"))
    memory.one("amount", first)
    memory.turn()
    assert memory.one("amount", Thing("a", Decimal("1.0"))) is first
    memory.turn()
    other = Thing("a", Decimal("1.00"))
    assert other == first
    assert memory.one("amount", other) is other, "it is recorded in other bytes"


def test_of_many_things_those_are_made_that_changed_wherever_they_stand() -> None:
    memory, made = Memory(), list[str]()
    a, b, c = (Thing(key, Decimal(1)) for key in "abc")

    def make(thing: Thing) -> str:
        made.append(thing.id)
        return f"{thing.id} {thing.amount}"

    def told(*things: Thing, around: tuple[object, ...] = ()) -> tuple[list[str], list[str]]:
        made.clear()
        memory.turn()
        return memory.each("things", around, things, make), list(made)

    assert told(a, b, c) == (["a 1", "b 1", "c 1"], ["a", "b", "c"])
    assert told(a, b, c) == (["a 1", "b 1", "c 1"], [])
    moved = Thing("b", Decimal(2))
    assert told(a, moved, c) == (["a 1", "b 2", "c 1"], ["b"])
    assert told(c, moved, a) == (["c 1", "b 2", "a 1"], [])
    assert told(c, a) == (["c 1", "a 1"], [])
    assert told(c, b, a) == (["c 1", "b 1", "a 1"], ["b"])
    assert told(c, b, a, around=(object(),)) == (["c 1", "b 1", "a 1"], ["c", "b", "a"])


def test_what_is_given_out_can_be_put_in_order_without_a_trace() -> None:
    memory, things = Memory(), [Thing("b", Decimal(1)), Thing("a", Decimal(1))]
    memory.each("things", (), things, lambda thing: thing.id).sort()
    memory.turn()
    assert memory.each("things", (), things, lambda thing: thing.id) == ["b", "a"]


def _other(rng: random.Random, things: list[Thing]) -> list[Thing]:
    """Return some things with a few changed, gone, new or elsewhere."""
    other = things.copy()
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(other) + 1)
        match rng.randrange(4):
            case 0:
                other.insert(at, Thing(f"n{rng.random()}", Decimal(rng.randrange(9))))
            case 1 if at < len(other):
                other[at] = Thing(other[at].id, Decimal(rng.randrange(9)))
            case 2 if at < len(other):
                del other[at]
            case _ if other:
                other.insert(at % len(other), other.pop(rng.randrange(len(other))))
    return other


def test_of_two_lists_exactly_what_is_not_in_both_is_told_apart() -> None:
    rng = random.Random(17)
    for _ in range(2000):
        before = [Thing(f"t{i}", Decimal(i)) for i in range(rng.randrange(8))]
        after = _other(rng, before)
        gone, new = apart(before, after)
        assert [id(one) for one in gone] == [id(one) for one in before if all(one is not other for other in after)]
        assert [id(one) for one in new] == [id(one) for one in after if all(one is not other for other in before)]
        begin, end = unlike(before, after)
        assert 0 <= begin + end <= min(len(before), len(after))
        assert all(a is b for a, b in zip(before[:begin], after[:begin], strict=True))
        assert all(a is b for a, b in zip(before[len(before) - end :], after[len(after) - end :], strict=True))


def test_order_that_is_kept_up_is_that_of_sorting_anew() -> None:
    rng = random.Random(17)

    def key(thing: Thing) -> tuple[Decimal, str]:
        return thing.amount, thing.id

    for _ in range(300):
        memory, things = Memory(), [Thing(f"t{i}", Decimal(rng.randrange(5))) for i in range(rng.randrange(12))]
        for _turn in range(6):
            memory.turn()
            found = memory.ordered("order", things, key)
            assert [id(one) for one in found] == [id(one) for one in sorted(things, key=key)]
            found.reverse()  # what is given out is the caller's
            things = _other(rng, things)
