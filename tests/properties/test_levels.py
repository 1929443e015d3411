"""What differs below the level of detail of an agreement does not change a byte its client receives."""

import tempfile
from pathlib import Path

import pytest

from projections.follow.next_entry import Renderer
from tests.plain import Plain
from tests.properties.levels import LEAKS, play, story
from tests.properties.seeds import FIRST_SEED, few, search
from tests.properties.twins import trace
from tests.world import World
from web.render.page import Renderer as Real

pytestmark = pytest.mark.stories

PAIRS, MANY, HUNDRED, TRIES = few(15, 40), 1_000, 100, 120


def played(seed: int, twin: int, renderer: Renderer) -> list[bytes]:
    """Return the trace of one twin."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(Path(folder), renderer)
        try:
            play(world, story(seed), twin)
            return trace(world)
        finally:
            world.close()


def differs(seed: int, renderer: Renderer) -> bool:
    """Tell whether the twins of a seed can be told apart by what the client receives."""
    return played(seed, 0, renderer) != played(seed, 1, renderer)


def test_twins_that_differ_below_the_level_give_the_same_bytes() -> None:
    assert [seed for seed in range(FIRST_SEED, FIRST_SEED + PAIRS) if differs(seed, Real())] == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + MANY, HUNDRED))
def test_a_thousand_twins_give_the_same_bytes(first: int) -> None:
    assert [seed for seed in range(first, first + HUNDRED) if differs(seed, Real())] == []


@pytest.mark.parametrize("name", LEAKS)
def test_a_seeded_leak_below_the_level_is_noticed(name: str) -> None:
    with LEAKS[name]():
        shown_by = search("levels", name, lambda seed: differs(seed, Plain()), range(FIRST_SEED, FIRST_SEED + TRIES))
    assert shown_by is not None, f"{TRIES} pairs of twins did not show the leak: {name}"
