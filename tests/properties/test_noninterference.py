"""What is not shared with you does not change a byte you receive; and the test would notice if it did."""

import tempfile
from pathlib import Path

import pytest

from projections.follow.next_entry import Renderer
from tests.plain import Plain
from tests.properties.mutants import MUTANTS
from tests.properties.seeds import FIRST_SEED, few, search
from tests.properties.twins import Pair, pair, play, trace
from tests.world import World
from web.render.page import Renderer as Real

pytestmark = pytest.mark.stories

PAIRS, MANY, HUNDRED = few(20, 60), 2_000, 100
TRIES = 120  # pairs a leak may take to show


def played(drawn: Pair, twin: int, renderer: Renderer) -> list[bytes]:
    """Return the trace of one twin."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(Path(folder), renderer)
        try:
            play(world, drawn, twin)
            return trace(world)
        finally:
            world.close()


def differs(seed: int, renderer: Renderer) -> bool:
    """Tell whether the twins of a seed can be told apart by what the client receives."""
    drawn = pair(seed)
    return played(drawn, 0, renderer) != played(drawn, 1, renderer)


def test_twins_that_differ_only_in_what_is_not_shared_give_the_same_bytes() -> None:
    print(f"seeds {FIRST_SEED}..{FIRST_SEED + PAIRS - 1}; SEED={FIRST_SEED} repeats them")
    told_apart = [seed for seed in range(FIRST_SEED, FIRST_SEED + PAIRS) if differs(seed, Real())]
    assert told_apart == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + MANY, HUNDRED))
def test_two_thousand_twins_give_the_same_bytes(first: int) -> None:
    told_apart = [seed for seed in range(first, first + HUNDRED) if differs(seed, Real())]
    assert told_apart == []


def test_twins_do_differ_in_what_is_recorded() -> None:
    """Without this the test above could pass on twins that are the same."""
    different = 0
    for seed in range(FIRST_SEED, FIRST_SEED + 10):
        drawn = pair(seed)
        different += drawn.hidden[0].steps != drawn.hidden[1].steps
    assert different == 10


@pytest.mark.parametrize("name", MUTANTS)
def test_a_seeded_leak_is_noticed(name: str) -> None:
    with MUTANTS[name]():
        shown_by = search("twins", name, lambda seed: differs(seed, Plain()), range(FIRST_SEED, FIRST_SEED + TRIES))
    assert shown_by is not None, f"{TRIES} pairs of twins did not show the leak: {name}"


def test_there_are_enough_leaks_to_trust_the_test() -> None:
    assert len(MUTANTS) >= 65
