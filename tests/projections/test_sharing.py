"""A map whose versions share what did not change: it says what a dict says, and an earlier version stays as it was."""

import random
import sys

import pytest

from projections.sharing import FEWEST, Sharing

pytestmark = pytest.mark.once


def same(made: Sharing[int, int], like: dict[int, int]) -> bool:
    """Compare a map with a dict in every way in which it can be read."""
    return (
        dict(made.items()) == like
        and len(made) == len(like)
        and list(made) == list(made.keys()) == [key for key, _value in made.items()]
        and list(made.values()) == [made[key] for key in made]
        and all((key in made) == (key in like) and made.get(key, -1) == like.get(key, -1) for key in range(60))
    )


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_written_every_version_says_what_a_dict_of_its_time_says(seed: int) -> None:
    rng = random.Random(seed)
    made: Sharing[int, int] = Sharing()
    like: dict[int, int] = {}
    versions: list[tuple[Sharing[int, int], dict[int, int]]] = []
    for i in range(600):
        key = rng.randrange(60)
        if rng.random() < 0.7:
            made[key] = like[key] = i
        else:
            assert made.pop(key, None) == like.pop(key, None)
        if rng.random() < 0.3:
            versions.append((made.still(), dict(like)))
        if rng.random() < 0.02:
            made.forget()
        if versions and rng.random() < 0.05:  # an earlier version goes on by itself
            other, then = versions[rng.randrange(len(versions))]
            branch, its = other.still(), dict(then)
            branch[key] = its[key] = -i
            branch.pop(key + 1, None)
            its.pop(key + 1, None)
            versions.append((branch, its))
    assert len(versions) > 100
    assert same(made, like)
    for version, then in versions:
        assert same(version, then)


def test_keys_are_in_the_order_in_which_they_came() -> None:
    made = Sharing({"b": 1, "a": 2})
    kept = made.still()
    made["c"] = 3
    made["b"] = 4
    assert list(made) == ["b", "a", "c"]
    assert list(reversed(made)) == ["c", "a", "b"]
    assert list(made.values()) == [4, 2, 3]
    assert list(kept.items()) == [("b", 1), ("a", 2)]


def test_a_missing_key_is_refused_as_by_a_dict() -> None:
    made = Sharing({"a": 1})
    made.still()
    del made["a"]
    for refused in (lambda: made["a"], lambda: made.__delitem__("a"), lambda: made["b"]):
        with pytest.raises(KeyError):
            refused()
    assert "a" not in made
    assert made.get("a", 7) == 7


def test_what_a_version_holds_of_its_own_grows_slower_than_the_map() -> None:
    made = Sharing({i: i for i in range(10_000)})
    made.still()
    for i in range(5_000):
        made[i] = -i
        version = made.still()
        assert len(version._beside) <= max(FEWEST, 100) + 1


def test_what_was_forgotten_is_held_by_no_later_version() -> None:
    secret = object()
    made: Sharing[str, object] = Sharing({"somebody": secret, "else": 1})
    earlier = made.still()
    before = sys.getrefcount(secret)
    del made["somebody"]
    assert sys.getrefcount(secret) == before, "the base still has it, so this could fail"
    made.forget()
    later = made.still()
    del earlier
    assert sys.getrefcount(secret) < before
    assert list(later) == ["else"]


def test_a_version_to_read_is_the_same_map_until_the_next_write_and_is_never_written_to() -> None:
    made = Sharing({"a": 1})
    version = made.version()
    assert made.version() is version
    assert version.version() is version
    made["a"] = 2
    assert version["a"] == 1
    assert made.version() is not version
    for refused in (lambda: version.__setitem__("b", 1), lambda: version.__delitem__("a"), version.forget):
        with pytest.raises(TypeError, match="only read"):
            refused()
    own = version.still()
    own["a"] = 3
    assert (version["a"], own["a"], made["a"]) == (1, 3, 2)
