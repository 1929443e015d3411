"""What the editor says an agreement will do is what the client's page then shows: over random agreements and histories."""

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest

from domain.agreement.share import ActivateTerms, DraftTerms
from domain.agreement.terms import Release, Terms, Ways, checked
from domain.errors import Refused
from domain.view import ClientView
from projections.entries.consequence import Consequence, consequence, facts, past
from tests.properties.seeds import FIRST_SEED, search, seeds
from tests.properties.twins import _terms, pair, play
from tests.world import SHARE, World
from web.manager.agreement import outcome
from web.manager.agreement.preview import Draft
from web.write.service import TICK

pytestmark = pytest.mark.stories

HISTORIES = 60


@contextmanager
def played(seed: int) -> Iterator[World]:
    """A share with a random history behind it."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(Path(folder))
        try:
            play(world, pair(seed), seed % 2)
            yield world
        finally:
            world.close()


def drawn(seed: int, world: World) -> Draft:
    """Another agreement for it: other terms, from now on or with history, at once or after review."""
    rng = random.Random(f"draft {seed}")
    terms = checked(msgspec.structs.replace(_terms(rng), health=tuple(rng.sample(("schedule", "risk", "overall"), 1))))
    release = Release(slip_days=2, score=6, cost=True) if rng.random() < 0.4 else None
    expires = world.clock() + timedelta(days=30) if rng.random() < 0.3 else None
    return Draft(terms, Ways(history=rng.random() < 0.5, release=release, expires=expires))


def told(world: World, n: int) -> ClientView:
    """The view that update n recorded."""
    return world.view(n)


def foretold(world: World, draft: Draft) -> tuple[Consequence, frozenset[tuple[str, str, str]]]:
    """What the editor says, before anything is done."""
    now = world.present.refresh()
    head = world.folder.disclosure.head(SHARE)
    view, _ = outcome.seen_under(now, now.shares[SHARE], draft, world.clock() + TICK)
    before, after = facts(told(world, head)), facts(view)
    return consequence(before, after), past(after) - set(before)


def came(world: World, draft: Draft) -> tuple[Consequence, frozenset[tuple[str, str, str]]]:
    """What the record says, once it was put in force."""
    head = world.folder.disclosure.head(SHARE)
    world.tell(DraftTerms(share=SHARE, terms=draft.terms, ways=draft.ways))
    world.tell(ActivateTerms(share=SHARE, reason="Agreed anew"))
    assert world.folder.disclosure.head(SHARE) == head + 1, "one update for one activation"
    before, after = facts(told(world, head)), facts(told(world, head + 1))
    return consequence(before, after), past(after) - set(before)


def agrees(seed: int) -> bool:
    with played(seed) as world:
        draft = drawn(seed, world)
        said = foretold(world, draft)
        try:
            return said == came(world, draft)
        except Refused:
            return True  # the same terms as in force: there is nothing to put in force


@pytest.mark.parametrize("span", seeds(20, HISTORIES))
def test_the_list_is_exactly_what_the_page_then_shows(span: range) -> None:
    print(f"seeds {span[0]}..{span[-1]}; SEED={span[0]} repeats them")
    assert [seed for seed in span if not agrees(seed)] == []


def test_the_histories_do_disclose_and_withdraw_and_tell_of_the_past() -> None:
    """Without this the test above could pass on agreements that change nothing."""
    new = gone = changed = before = 0
    for seed in range(FIRST_SEED, FIRST_SEED + 12):
        with played(seed) as world:
            change, told_of_past = foretold(world, drawn(seed, world))
            new, gone, changed = new + len(change.new), gone + len(change.gone), changed + len(change.changed)
            before += len(told_of_past)
    assert min(new, gone, changed) > 10
    assert before >= 5


WRONG = {
    "forgets whether the past is told": lambda draft: Draft(draft.terms, msgspec.structs.replace(draft.ways, history=True)),
    "forgets one field": lambda draft: Draft(msgspec.structs.replace(draft.terms, milestone_fields=()), draft.ways),
    "forgets the risks": lambda draft: Draft(msgspec.structs.replace(draft.terms, risks=()), draft.ways),
}  # fmt: skip


@pytest.mark.parametrize("how", WRONG)
def test_a_list_that_is_wrong_is_noticed(how: str) -> None:
    sound = outcome.as_drafted

    def wrong(share: object, draft: Draft, at: object) -> object:
        return sound(share, WRONG[how](draft), at)  # type: ignore[arg-type]

    with patch.object(outcome, "as_drafted", wrong):
        shown_by = search("outcome", how, lambda seed: not agrees(seed), range(FIRST_SEED, FIRST_SEED + HISTORIES))
    assert shown_by is not None, how


def test_terms_that_name_nothing_withdraw_everything_but_the_page_itself() -> None:
    with played(FIRST_SEED) as world:
        change, _ = foretold(world, Draft(Terms(), Ways()))
        assert {key[0] for key in change.same} <= {"page"}
        assert change.new == ()
