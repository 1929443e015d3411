"""A share recomputed from its events: byte for byte what was recorded, or every difference with both versions."""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from domain.agreement.share import ActivateTerms, DraftTerms, RevokeShare
from domain.reveal.policy import reveal
from projections.evidence.erasing import Erasure, erase_entries
from projections.follow import next_entry, shadow
from projections.follow.shadow import Compared, compared
from tests.plain import Plain
from tests.properties.seeds import FIRST_SEED, seeds
from tests.properties.twins import pair, play
from tests.world import ADMIN, SHARE, World, everything
from web.render.page import Renderer


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, Renderer())
    made.harbour()
    yield made
    made.close()


def against(world: World, renderer: object = None, share: str = SHARE) -> list[Compared]:
    return list(compared(world.folder.events, world.folder.disclosure, share, renderer or world.renderer))


def states(found: list[Compared]) -> list[str]:
    return [one.state for one in found]


def moved(world: World, times: int) -> None:
    for day in range(times):
        world.move("m1", date(2027, 5, 4) + timedelta(days=day))


@pytest.mark.stories
@pytest.mark.parametrize("span", seeds(10, 25))
def test_every_entry_of_random_histories_is_recomputed_byte_for_byte(tmp_path: Path, span: range) -> None:
    print(f"seeds {span[0]}..{span[-1]}; SEED={span[0]} repeats them")
    entries = 0
    for seed in span:
        world = World(tmp_path / str(seed), Renderer())
        play(world, pair(seed), seed % 2)
        for share in world.present.world.shares:
            found = against(world, share=share)
            assert [one.n for one in found] == list(range(1, world.folder.disclosure.head(share) + 1)), (seed, share)
            assert set(states(found)) <= {"same"}, (seed, share, [one for one in found if one.state != "same"][:1])
            entries += len(found)
        world.close()
    assert entries > 5 * len(span)


def test_terms_that_come_and_go_and_a_share_that_ended_are_recomputed(world: World) -> None:
    moved(world, 3)
    world.tell(DraftTerms(share=SHARE, terms=everything(budget="percent", risks=())))
    world.tell(ActivateTerms(share=SHARE, reason="Narrowed"))
    moved(world, 2)
    world.tell(RevokeShare(share=SHARE, reason="Over"))
    moved(world, 4)
    found = against(world)
    assert len(found) == world.folder.disclosure.head(SHARE)
    assert set(states(found)) == {"same"}


def test_a_follower_that_came_late_recorded_the_same(world: World) -> None:
    for day in range(6):
        world.clock.forward(minutes=1)
        world.tell(_move(day), follow=False)
    world.clock.forward(hours=5)
    world.follow()
    moved(world, 1)
    assert set(states(against(world))) == {"same"}


def _move(day: int):
    from domain.ids import MilestoneId
    from domain.plan.schedule import MoveForecast
    from tests.world import HARBOUR

    later = date(2027, 5, 4) + timedelta(days=day)
    return MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=later, reason="Frost")


def test_a_share_that_was_stopped_and_released_is_no_false_alarm(tmp_path: Path) -> None:
    broken = {"now": False}

    def stumble(_view: object) -> None:
        if broken["now"]:
            message = "broken template"
            raise ValueError(message)

    world = World(tmp_path, Plain(stumble))
    world.harbour()
    broken["now"] = True
    moved(world, 4)
    assert SHARE in world.follower.parked
    assert set(states(against(world, Plain()))) == {"same"}, "while it is stopped, what it did not take in is no loss"
    broken["now"] = False
    assert world.follower.retry(SHARE)
    moved(world, 2)
    found = against(world)
    assert len(found) == world.folder.disclosure.head(SHARE)
    assert set(states(found)) == {"same"}
    world.close()


def test_a_renderer_that_differs_is_listed_and_the_record_stays(world: World) -> None:
    moved(world, 3)
    before = world.entries()
    found = against(world, Other())
    assert states(found) == ["same", "differs", "differs", "differs"], "the first entry has no change to word"
    fields = {apart.field for one in found for apart in one.apart}
    assert "items" in fields
    told = next(apart for one in found for apart in one.apart if apart.field == "items")
    assert "Frost" in told.recorded
    assert "Frost" not in told.recomputed
    assert world.entries() == before


class Other(Renderer):
    """A renderer that words its list of changes otherwise."""

    def items(self, changes, n, at, time_zone):
        return super().items(changes, n, at, time_zone).replace("Frost", "Ice")


def test_a_policy_that_shows_less_is_listed_at_every_entry_it_would_change(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved(world, 3)

    def silent(*given: object, **named: object) -> object:
        return msgspec.structs.replace(reveal(*given, **named), risks=())

    monkeypatch.setattr(next_entry, "reveal", silent)
    found = against(world)
    assert set(states(found)) == {"differs"}
    assert any(apart.field == "view.risk-r1" and apart.recorded and not apart.recomputed for apart in found[0].apart)


def test_a_policy_that_is_blind_to_moves_leaves_entries_nothing_today_would_record(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved(world, 3)
    head = world.folder.disclosure.head(SHARE)

    def blind(project, share, **named: object) -> object:
        view = reveal(project, share, **named)
        return msgspec.structs.replace(view, milestones=(), schedule=None, as_of=None)

    monkeypatch.setattr(next_entry, "reveal", blind)
    found = against(world)
    assert "extra" in states(found)
    assert sorted(one.n for one in found if one.n) == list(range(1, head + 1)), "every recorded entry is accounted for"


def test_a_change_that_was_never_recorded_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = next_entry.revealed
    frozen: list[object] = []

    def stuck(of: object, share: object, now: object, *rest: object) -> object:
        view = real(of, share, now, *rest)
        if len(frozen) < 1:
            frozen.append(view)
        return frozen[0]

    moved(world, 1)
    frozen.append(real(world.follower._world, SHARE, world.clock()))
    monkeypatch.setattr(next_entry, "revealed", stuck)
    moved(world, 2)
    monkeypatch.setattr(next_entry, "revealed", real)
    world.clock.forward(minutes=1)
    world.move("m2", date(2027, 8, 9))
    found = against(world)
    assert states(found).count("missing") >= 1


def test_what_was_erased_cannot_be_compared_and_is_no_difference(world: World) -> None:
    moved(world, 4)
    world.notary.sign([SHARE])
    erase_entries(
        world.folder,
        world.notary,
        Erasure(share=SHARE, numbers=[3], reason="Named somebody", who="ines"),
        world.clock(),
    )
    found = against(world)
    assert states(found) == ["same", "same", "erased", "same", "same"]


def test_the_record_is_not_written_to(world: World, tmp_path: Path) -> None:
    moved(world, 2)
    rows: Callable[[], list[int]] = lambda: [path.stat().st_size for path in sorted(tmp_path.glob("*.db"))]  # noqa: E731
    before, bytes_before = rows(), [e.raw for e in world.entries()]
    against(world, Other())
    assert (rows(), [e.raw for e in world.entries()]) == (before, bytes_before)


def test_entries_are_paired_whatever_the_distance(tmp_path: Path) -> None:
    """Changes at one instant, and a follower that runs now and then: pairing goes by what was recorded, not by luck."""
    rng = random.Random(FIRST_SEED)
    world = World(tmp_path, Renderer())
    world.harbour()
    for day in range(30):
        world.service.execute(ADMIN, _move(rng.randrange(9)), command_id=f"at-once-{day}")
        if rng.random() < 0.4:
            world.follow()
        if rng.random() < 0.3:
            world.clock.forward(seconds=rng.randrange(90))
    world.follow()
    found = against(world)
    assert set(states(found)) == {"same"}
    assert shadow.summary(found) == {"same": world.folder.disclosure.head(SHARE)}
    world.close()
