"""What waits for review changes no byte a client receives until it is released; and the test would notice if it did."""

import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from domain.agreement.share import ReleaseDue, ReleaseHeld
from domain.reveal import holding
from domain.reveal.policy import reveal
from domain.view import ClientView
from projections.events.world import World as Known
from projections.events.world import names
from projections.follow import follower
from projections.follow import next_entry as disclosing
from projections.follow.next_entry import Renderer
from projections.follow.shadow import compared
from tests.plain import Plain
from tests.properties.holding import Drawn, drawn, play
from tests.properties.mutants import Mutant
from tests.properties.seeds import FIRST_SEED, few, search, seeds
from tests.properties.twins import trace
from tests.world import MANAGER, SHARE, World
from web.render.page import Renderer as Real
from web.write.permission import SYSTEM

pytestmark = pytest.mark.stories

PAIRS, MANY, HUNDRED = few(14, 60), 1_000, 100
TRIES = 80  # pairs a leak may take to show
replace = msgspec.structs.replace


@contextmanager
def told(story: Drawn, renderer: Renderer, *, held: bool) -> Iterator[World]:
    """A world in which a story was told, up to the release."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(Path(folder), renderer)
        try:
            play(world, story, held=held)
            yield world
        finally:
            world.close()


def differs(seed: int, renderer: Renderer) -> bool:
    """Tell whether a client could tell that something waits."""
    story = drawn(seed)
    with told(story, renderer, held=True) as one, told(story, renderer, held=False) as other:
        assert not other.present.world.held(SHARE).held
        return trace(one) != trace(other)


def test_what_waits_changes_no_byte() -> None:
    print(f"seeds {FIRST_SEED}..{FIRST_SEED + PAIRS - 1}; SEED={FIRST_SEED} repeats them")
    assert [seed for seed in range(FIRST_SEED, FIRST_SEED + PAIRS) if differs(seed, Real())] == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + MANY, HUNDRED))
def test_in_a_thousand_stories_what_waits_changes_no_byte(first: int) -> None:
    assert [seed for seed in range(first, first + HUNDRED) if differs(seed, Real())] == []


def test_in_every_story_something_waits_and_in_most_something_goes_out_meanwhile() -> None:
    """Without this the tests above could pass on stories without holds."""
    kinds, busy = set[str](), 0
    for seed in range(FIRST_SEED, FIRST_SEED + 20):
        with told(drawn(seed), Plain(), held=True) as world:
            facts = world.present.world.held(SHARE).facts
            assert facts, seed
            kinds |= {fact.why for fact in facts}
            busy += any(entry.content.at > facts[0].since for entry in world.entries())
    assert kinds == {"slip", "score", "cost"}
    assert busy > 10


def whole(world: World) -> ClientView:
    """All that the terms cover of the project as it is, were nothing held."""
    known = world.present.refresh()
    share, called = known.shares[SHARE], names(known, known.shares[SHARE])
    return reveal(
        known.projects[share.project], share, organisation=called.organisation, client=called.client,
        time_zone=called.time_zone, called=called.called,
    )  # fmt: skip


def let_go(world: World, rng: random.Random) -> str:
    """Release all that waits, by hand or by time."""
    if rng.random() < 0.5:
        note = "We look into it" if rng.random() < 0.5 else ""
        world.tell(ReleaseHeld(share=SHARE, by=MANAGER.person, note=note))
        return "released"
    world.clock.forward(days=8)
    world.tell(ReleaseDue(share=SHARE), SYSTEM)
    return "time_up"


@pytest.mark.parametrize("span", seeds(20, 60))
def test_on_release_it_arrives_as_one_update_that_is_the_whole_difference(span: range) -> None:
    updates = 0
    for seed in span:
        with told(drawn(seed), Plain(), held=True) as world:
            before, facts = world.entries(), world.present.world.held(SHARE).facts
            how = let_go(world, random.Random(seed))
            after = world.entries()
            due = whole(world)
            shown = world.view(before[-1].n)
            assert after[: len(before)] == before
            assert len(after) - len(before) == (due != shown), seed
            assert world.view(after[-1].n) == due, seed
            record = world.present.world.hold_record(SHARE)
            assert {(h.fact, h.how) for h in record} == {(fact, how) for fact in facts}
            updates += due != shown
    assert updates > len(span) // 2


@pytest.mark.parametrize("span", seeds(10, 30))
def test_released_one_by_one_each_is_at_most_one_update_and_the_last_leaves_nothing_out(span: range) -> None:
    for seed in span:
        with told(drawn(seed), Plain(), held=True) as world:
            for fact in world.present.world.held(SHARE).facts:
                n = len(world.entries())
                world.tell(ReleaseHeld(share=SHARE, by=MANAGER.person, subjects=(fact.subject,)))
                assert len(world.entries()) - n in (0, 1)
            shown, due = world.view(), whole(world)
            assert shown == due, seed


@pytest.mark.parametrize("span", seeds(8, 20))
def test_recomputed_from_the_events_every_entry_of_a_story_with_holds_is_the_same(span: range) -> None:
    for seed in span:
        with told(drawn(seed), Real(), held=True) as world:
            let_go(world, random.Random(seed))
            found = list(compared(world.folder.events, world.folder.disclosure, SHARE, world.renderer))
            assert [one.n for one in found] == list(range(1, len(world.entries()) + 1)), seed
            assert {one.state for one in found} == {"same"}, seed


def test_after_a_restart_in_the_middle_the_same_waits_and_the_same_goes_out() -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + 10):
        with told(drawn(seed), Plain(), held=True) as world:
            waits, entries = world.present.world.held(SHARE), world.entries()
            record = world.present.world.hold_record(SHARE)
            world.restart()
            world.follow()
            assert (world.present.world.held(SHARE), world.entries()) == (waits, entries)
            assert world.present.world.hold_record(SHARE) == record
            let_go(world, random.Random(seed))
            assert world.view() == whole(world)


# leaks the test must notice


def _released(change: Callable[[Any, Any, Any], Any]) -> Mutant:
    """`change(released, project, holds)` has the last word on what counts as released."""
    sound = holding.as_released

    def leaky(project: Any, holds: Any, terms: Any) -> Any:
        found = sound(project, holds, terms)
        return change(found, project, holds) if holds.held else found

    return lambda: patch.object(holding, "as_released", leaky)


def _told_in_view(change: Callable[[ClientView, Known, Any], ClientView]) -> Mutant:
    sound = disclosing.released_view_of
    return lambda: patch.object(
        disclosing, "released_view_of", lambda world, share, *called: change(sound(world, share, *called), world, share)
    )


@contextmanager
def _a_number_taken() -> Iterator[None]:
    """What waits takes a number: the view is never found equal while something does."""
    sound = follower.disclose

    def leaky(world: Known, share: Any, shown: Any, *rest: Any) -> Any:
        if world.held(share).held and shown.view is not None:
            shown = replace(shown, view=replace(shown.view, scope=""))
        return sound(world, share, shown, *rest)

    with patch.object(follower, "disclose", leaky):
        yield


def _as_of_now(view: ClientView, world: Known, share: Any) -> ClientView:
    now = reveal(world.projects[share.project], share, organisation="", client="", time_zone="UTC")
    return replace(view, as_of=now.as_of)


def _counted(view: ClientView, world: Known, share: Any) -> ClientView:
    return replace(view, scope=f"{view.scope} {len(world.held(share.id).held)} wait.")


def _plans(found: Any, project: Any, _holds: Any) -> Any:
    """Every agreed date at once."""
    now = {name: getattr(project.schedule, name) for name in ("baselines", "agreed", "agreed_first")}
    return replace(found, schedule=replace(found.schedule, **now))


def _listed(found: Any, project: Any, _holds: Any) -> Any:
    """A plan in the list at once."""
    plan = found.schedule
    return replace(found, schedule=replace(plan, shown=replace(plan.shown, baselines=project.schedule.baselines)))


def _confirmed(found: Any, project: Any, _holds: Any) -> Any:
    """A confirmation of all that waits at once."""
    plan, now = found.schedule, project.schedule
    if not isinstance(plan, holding.Released):
        return found
    newest = {"confirmed_at": now.confirmed_at, "confirmed_as_of": now.confirmed_as_of}
    return replace(found, schedule=replace(plan, shown=replace(plan.shown, **newest)))


def _frozen_risk(into: Any, key: Any, held: Any, _terms: Any) -> None:
    if held.risk is None:
        into.pop(key, None)
    else:
        into[key] = held.risk


def _frozen_milestone(into: Any, key: Any, held: Any, _terms: Any) -> None:
    into[key] = held.milestone


LEAKS: dict[str, Mutant] = {
    "health of what waits": _released(lambda found, project, _h: replace(found, health=project.health)),
    "health that stands still while something waits": lambda: patch.object(
        holding, "_read", lambda waits, step, _terms: waits.health or step.before.health
    ),
    "the day of what waits": _told_in_view(_as_of_now),
    "the date agreed for a milestone that waits": _released(_plans),
    "an agreed plan while a milestone waits": _released(
        lambda found, *now: _listed(found, *now) if isinstance(found.schedule, holding.Released) else found
    ),
    "a plan confirmed while a milestone waits": _released(_confirmed),
    "how many wait": _told_in_view(_counted),
    "a number taken by what waits": _a_number_taken,
    "a risk that waits answers no more": lambda: patch.object(holding, "_risk", _frozen_risk),
    "a milestone taken away stays while it waits": lambda: patch.object(holding, "_milestone", _frozen_milestone),
    "a budget that waits": _released(lambda found, project, _h: replace(found, budget=project.budget)),
    "a new risk that waits": _released(lambda found, project, _h: replace(found, risks=project.risks)),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_seeded_leak_of_what_waits_is_noticed(name: str) -> None:
    with LEAKS[name]():
        shown_by = search("held", name, lambda seed: differs(seed, Plain()), range(FIRST_SEED, FIRST_SEED + TRIES))
    assert shown_by is not None, f"{TRIES} stories did not show the leak: {name}"
