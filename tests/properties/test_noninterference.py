"""What is not shared with you does not change a byte you receive; and the test would notice if it did."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from domain.agreement.share import RevokeShare
from domain.commands import AnyCommand
from domain.people.brand import SetBrand
from domain.plan.schedule import MeetMilestone
from projections.follow.next_entry import Renderer
from tests.plain import Plain
from tests.properties import after
from tests.properties.mutants import MUTANTS
from tests.properties.mutants_pulled import NOW_AND_THEN
from tests.properties.seeds import FIRST_SEED, few, search
from tests.properties.twins import Pair, pair, play, trace
from tests.world import World
from web.render.page import Renderer as Real

pytestmark = pytest.mark.stories

PAIRS, MANY, HUNDRED = few(14, 60), 2_000, 100
TRIES = 120  # pairs a leak may take to show
VOCABULARY = 90  # pairs that may be needed to carry out every command


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Return a folder in memory, for as long as it is needed."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        yield Path(folder)


def played(drawn: Pair, twin: int, renderer: Renderer) -> list[bytes]:
    """Return the trace of one twin."""
    with scratch() as folder:
        world = World(folder, renderer)
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


def test_every_command_of_the_vocabulary_is_drawn_and_changes_something() -> None:
    """A command that the twins never carry out could leak and nobody would notice."""
    carried_out = set[type]()
    for seed in range(FIRST_SEED, FIRST_SEED + VOCABULARY):
        with scratch() as folder:
            world = World(folder, Plain())
            carried_out |= play(world, pair(seed), seed % 2)
            world.close()
        if carried_out >= set(get_args(AnyCommand)) - {SetBrand}:
            return
    missing = {command.__name__ for command in get_args(AnyCommand)} - {one.__name__ for one in carried_out}
    assert missing == {"SetBrand"}, (
        "a brand is the same for every client; what it changes: web/people/test_organisation.py"
    )


def test_twins_end_restart_and_see_days_pass() -> None:
    """Without these the tests here would say nothing of them."""
    steps = [pair(seed).hidden[0].steps + pair(seed).shared for seed in range(FIRST_SEED, FIRST_SEED + 40)]
    told = [{made if callable(made) else type(made) for _, made in drawn} for drawn in steps]
    for kind in (after.restart, after.tick, RevokeShare, MeetMilestone):
        assert sum(kind in drawn for drawn in told) > 5
    actuals = [
        tuple({made.actual for _, made in twin.steps if isinstance(made, MeetMilestone) and made.milestone != "m1"})
        for seed in range(FIRST_SEED, FIRST_SEED + 40)
        for twin in pair(seed).hidden
    ]
    assert len({one for one in actuals if one}) > 20


def test_twins_do_differ_in_what_is_recorded() -> None:
    """Without this the test above could pass on twins that are the same."""
    different = 0
    for seed in range(FIRST_SEED, FIRST_SEED + 10):
        drawn = pair(seed)
        different += drawn.hidden[0].steps != drawn.hidden[1].steps
    assert different == 10


LEAKS = [pytest.param(name, marks=[pytest.mark.slow] if name in NOW_AND_THEN else []) for name in MUTANTS]


@pytest.mark.parametrize("name", LEAKS)
def test_a_seeded_leak_is_noticed(name: str) -> None:
    with MUTANTS[name]():
        shown_by = search("twins", name, lambda seed: differs(seed, Plain()), range(FIRST_SEED, FIRST_SEED + TRIES))
    assert shown_by is not None, f"{TRIES} pairs of twins did not show the leak: {name}"


def test_there_are_enough_leaks_to_trust_the_test() -> None:
    assert len(MUTANTS) >= 100
