"""An update made from what was made before is, to the byte, the one made afresh; and the test would notice if not."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from domain import memory
from domain.commands import AnyCommand
from domain.reveal import policy
from projections.entries import parts
from tests.properties.incremental import MAKERS, played
from tests.properties.seeds import FIRST_SEED, search, seeds
from web.render.page import Renderer

pytestmark = pytest.mark.stories

STEPS = 6
TRIES = 60  # histories that a fault may take to show


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


def shows(seed: int, renderer: Renderer) -> bool:
    """Tell whether an update of a history differs from the one made afresh."""
    return any(apart for _command, apart in played(seed, STEPS, renderer))


@pytest.mark.parametrize("chosen", seeds(100, 2_000))
def test_after_every_event_an_update_is_the_one_made_afresh(chosen: range, renderer: Renderer) -> None:
    found: dict[int, tuple[AnyCommand | None, list[str]]] = {}
    done: set[type] = set()
    for seed in chosen:
        for command, apart in played(seed, STEPS, renderer):
            done.add(type(command))
            if apart:
                found[seed] = command, apart
                break
    assert found == {}
    assert len(done) > len(MAKERS), "a kind of change that is never made could be stale and nobody would notice"


# faults


def _without_the_last_day(project: Any, share: Any, kept: memory.Memory) -> object:
    """A row that does not know which day ended last."""
    ended = msgspec.structs.replace(project.schedule, ended=None)
    return sound_around(msgspec.structs.replace(project, schedule=ended), share, kept)


def _whatever_is_around(self: memory.Memory, kind: str, _around: Any, things: Any, make: Any) -> Any:
    return sound_each(self, kind, (), things, make)


def _hash_as_before(self: parts.Hashes, given: Any, changed: Any) -> parts.Hashes:
    known = [key for key in changed if key not in self.of or given[key].children]
    return sound_after(self, given, known)


sound_around = policy._around_milestones
sound_each, sound_after = memory.Memory.each, parts.Hashes.after

Fault = Callable[[], AbstractContextManager[object]]
FAULTS: dict[str, Fault] = {
    "the last day that ended is forgotten": lambda: patch.object(policy, "_around_milestones", _without_the_last_day),
    "the axis around a row is forgotten": lambda: patch.object(memory.Memory, "each", _whatever_is_around),
    "what was said is forgotten": lambda: patch.object(
        memory, "same", lambda before, after: before[:2] == after[:2] and len(before) == len(after)
    ),
    "the hash of a part that changed is kept": lambda: patch.object(parts.Hashes, "after", _hash_as_before),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_stale_memory_is_noticed(fault: str, renderer: Renderer) -> None:
    tried = range(FIRST_SEED, FIRST_SEED + TRIES)
    with FAULTS[fault]():
        seed = search("incremental", fault, lambda seed: shows(seed, renderer), tried)
    assert seed is not None
    assert not shows(seed, renderer), "the same history differs without the fault"
