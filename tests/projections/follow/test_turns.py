"""A share of very many items takes turns, so that it does not keep the others waiting; it shows the same as ever."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.agreement.share import ActivateTerms, DraftShare, DraftTerms, RevokeShare
from domain.ids import CommandId, PersonId
from domain.people.person import ErasePerson
from domain.plan.project import StartProject
from domain.plan.schedule import AddMilestone, MilestoneDetails, MoveForecast
from projections.follow import follower as module
from projections.logs.disclosure_log import WAITS
from tests.world import ADMIN, COUNCIL, DEPOT, HARBOUR, MANAGER, SHARE, World, everything

BIG = "share-big"
ITEMS = 40


@pytest.fixture(autouse=True)
def forty_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY", ITEMS)


def large(world: World) -> World:
    """Harbour Line, and a second project with many milestones that is shared as well."""
    world.harbour()
    world.tell(StartProject(project=DEPOT, title="Depot", client_title="Depot", owner=MANAGER.person, currency="GBP",
                            time_zone="Europe/London"))  # fmt: skip
    for i in range(ITEMS):
        details = MilestoneDetails(title=f"Item {i}", client_title=f"Item {i}", client_facing=True)
        world.tell(AddMilestone(project=DEPOT, milestone=f"b{i}", details=details, forecast=date(2027, 9, 1)))
    world.tell(DraftShare(share=BIG, project=DEPOT, client=COUNCIL, terms=everything()))
    world.tell(ActivateTerms(share=BIG, reason="Start"))
    world.follow()
    return world


def record(world: World, command: object) -> None:
    """Record a command without following it."""
    world.service.execute(MANAGER, command, command_id=f"c{world.folder.events.head()}")  # type: ignore[arg-type]


def big(i: int) -> MoveForecast:
    return MoveForecast(project=DEPOT, milestone="b1", forecast=date(2027, 9, 2) + timedelta(days=i), reason="Frost")


def small(i: int) -> MoveForecast:
    return MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, 2) + timedelta(days=i), reason="Frost")


def told(world: World) -> list[str]:
    """Note, in order, of which share entries are handed on from now on."""
    order: list[str] = []
    handed = world.follower._on_entries

    def note(share: str, entries) -> None:
        order.extend([share] * len(entries))
        handed(share, entries)

    world.follower._on_entries = note
    return order


def test_others_go_first_and_the_large_share_makes_one_update_at_a_time(world: World) -> None:
    order = told(large(world))
    for i in range(4):
        record(world, big(i))
    record(world, small(0))
    world.follower.step()
    assert order == [SHARE, BIG]
    record(world, small(1))
    world.follower.step()
    assert order == [SHARE, BIG, SHARE, BIG]
    world.follow()
    assert order == [SHARE, BIG, SHARE, BIG, BIG, BIG]
    assert world.folder.disclosure.parked(BIG) is None
    assert world.follower.parked == {}


def test_alone_it_does_not_wait(world: World) -> None:
    order = told(large(world))
    record(world, big(0))
    world.follower.step()
    assert order == [BIG]
    assert world.folder.disclosure.parked_versions(BIG) == 0


def test_it_shows_what_it_would_have_shown_without_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    for many in (ITEMS, 10**9):
        monkeypatch.setattr(module, "MANY", many)
        world = large(World(tmp_path / str(many)))
        for i in range(5):
            record(world, big(i))
            record(world, small(i))
        world.follow()
        shown.append([[world.view(e.n, s) for e in world.entries(s)] for s in (SHARE, BIG)])
        shown[-1].append([[c.after for c in e.content.changes] for e in world.entries(BIG)])
        world.close()
    assert shown[0] == shown[1]
    assert len(shown[0][1]) > 5


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_process_that_ends_meanwhile_loses_and_doubles_nothing(tmp_path: Path, turns: int) -> None:
    world = large(World(tmp_path))
    before = len(world.entries(BIG))
    for i in range(5):
        record(world, big(i))
    record(world, small(0))
    if turns == 0:
        world.follower._next_turn = lambda: 0  # type: ignore[method-assign]
    for _ in range(max(turns, 1)):
        world.follower.step()
    parked = world.folder.disclosure.parked(BIG)
    assert parked is not None
    assert parked.error == WAITS
    world.restart()
    world.follower._guarded(world.follower._turn)
    world.follow()
    found = [world.view(e.n, BIG) for e in world.entries(BIG)[before:]]
    rows = [next(row for row in view.milestones or () if row.id == "b1") for view in found if view]
    assert [row.forecast.day for row in rows if row.forecast] == [2, 3, 4, 5, 6]
    assert world.folder.disclosure.parked(BIG) is None


def remembered(monkeypatch: pytest.MonkeyPatch, of: str) -> list[int]:
    """Note how much is remembered of a share whenever an update of it is looked for, from now on."""
    found: list[int] = []
    sound = module.disclose

    def noting(world: Any, share: Any, shown: Any, *rest: Any) -> Any:
        if share == of:
            found.append(len(shown.memory.told.sections))
        return sound(world, share, shown, *rest)

    monkeypatch.setattr(module, "disclose", noting)
    return found


def test_what_it_made_before_its_turn_of_an_erasure_is_not_used_in_that(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(world)
    found = remembered(monkeypatch, BIG)
    for i in range(2):
        record(world, big(i))
    world.service.execute(ADMIN, ErasePerson(person=PersonId("viewer-acme"), reason="Asked"), command_id=CommandId("e"))
    record(world, big(2))
    world.follow()
    assert found[1] > 0
    assert found[2] == 0
    assert found[3] == 0  # an erasure that changed nothing on the page left nothing to remember
    assert len(found) == 4


def test_a_stopped_share_that_goes_on_uses_nothing_it_made_before_an_erasure(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.harbour()
    with monkeypatch.context() as patch:
        patch.setattr(module, "disclose", lambda *_args: 1 // 0)
        record(world, small(0))
        world.follow()
    assert SHARE in world.follower.parked
    assert SHARE in world.follower._before
    record(world, small(1))
    world.service.execute(ADMIN, ErasePerson(person=PersonId("viewer-acme"), reason="Asked"), command_id=CommandId("e"))
    record(world, small(2))
    world.follow()
    assert world.follower._before == {}, "a world with the person in it is not kept"
    found = remembered(monkeypatch, SHARE)
    assert world.follower.retry(SHARE)
    assert found[-3] > 0
    assert found[-2] == 0
    assert world.view().milestones[0].forecast == date(2027, 6, 4)


def test_what_ends_meanwhile_is_not_shown_any_more(world: World) -> None:
    large(world)
    before = len(world.entries(BIG))
    for i in range(5):
        record(world, big(i))
    record(world, small(0))
    world.follower.step()
    assert len(world.entries(BIG)) == before + 1
    record(world, RevokeShare(share=BIG, reason="Over"))
    world.follow()
    assert len(world.entries(BIG)) == before + 1


def test_what_is_withdrawn_meanwhile_is_shown_under_the_newer_terms_alone(world: World) -> None:
    large(world)
    for i in range(3):
        record(world, big(i))
    record(world, small(0))
    world.follower.step()
    record(world, DraftTerms(share=BIG, terms=everything(milestones=("b2",))))
    record(world, ActivateTerms(share=BIG, reason="Less"))
    n = len(world.entries(BIG))
    world.follow()
    for entry in world.entries(BIG)[n:]:
        view = world.view(entry.n, BIG)
        assert view is not None
        assert [row.id for row in view.milestones or ()] == ["b2"]
    assert world.folder.disclosure.parked(BIG) is None
