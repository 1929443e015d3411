"""Receipts are durable before they are shown, bounded in memory, in a tree of their own, and erased when their time is over."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from projections.evidence.erasing import expire_receipts
from projections.evidence.leaves import row_leaves
from projections.proof import tree
from projections.receipts import taking as module
from projections.receipts.on_screen import intervals
from projections.receipts.receipt_log import STANDING_EVERY
from tests.world import SHARE, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.harbour()
    return made


def kinds(world: World, share: str = SHARE) -> list[tuple[str, int]]:
    return [(claim.kind, claim.n) for claim in world.folder.receipts.claims(share)]


def test_many_claims_are_one_row_and_are_there_after_a_restart(world: World) -> None:
    for n in range(1, 6):
        world.claim("displayed", n)
    assert kinds(world) == []
    assert world.receipts.flush() == 5
    world.restart()
    assert kinds(world) == [("displayed", n) for n in range(1, 6)]
    assert world.folder.receipts.head(SHARE) == 1


def test_claims_on_two_shares_go_to_two_records_in_one_transaction(world: World) -> None:
    world.claim("displayed", 1)
    world.claim("displayed", 2, share="share2")
    world.receipts.flush()
    assert (kinds(world), kinds(world, "share2")) == ([("displayed", 1)], [("displayed", 2)])


def test_what_cannot_be_recorded_now_is_kept_and_recorded_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = world.folder.receipts.record

    def full(*_: object) -> None:
        raise OSError("disk full")

    world.claim("displayed", 1)
    monkeypatch.setattr(world.folder.receipts, "record", full)
    with pytest.raises(OSError, match="disk full"):
        world.receipts.flush()
    world.claim("displayed", 2)
    monkeypatch.setattr(world.folder.receipts, "record", sound)
    assert world.receipts.flush() == 2
    assert kinds(world) == [("displayed", 1), ("displayed", 2)]


def test_more_than_memory_holds_is_refused_and_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKLOG", 3)
    for n in range(1, 6):
        world.claim("displayed", n)
    assert (world.receipts.flush(), world.receipts.refused) == (3, 2)


def test_every_row_is_a_leaf_of_the_shares_own_tree(world: World) -> None:
    frontier: tuple[bytes, ...] = ()
    for n in range(1, 10):
        world.claim("displayed", n)
        world.receipts.flush()
    for k, leaf, stored, trouble in row_leaves(world.folder, SHARE, 0, 9):
        frontier = tree.append(frontier, k - 1, leaf)
        assert (stored, trouble) == (frontier, "")


def test_two_processes_that_record_on_one_share_take_turns(world: World) -> None:
    other = World(world.path)
    start = threading.Barrier(2)

    def record(one: World, person: str) -> None:
        start.wait()
        for n in range(1, 21):
            one.claim("displayed", n, person=person)
            one.receipts.flush()

    threads = [threading.Thread(target=record, args=pair) for pair in ((world, "anna"), (other, "ben"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    claims = world.folder.receipts.claims(SHARE, limit=100)
    assert {p: [c.n for c in claims if c.person == p] for p in ("anna", "ben")} == {
        "anna": list(range(1, 21)),
        "ben": list(range(1, 21)),
    }
    assert all(trouble == "" for *_, trouble in row_leaves(world.folder, SHARE, 0, 40))


def test_any_window_opens_from_the_standing_kept_beside_the_rows(world: World) -> None:
    """However much was claimed before, what was on screens at an instant is the same as from the beginning."""
    instants = []
    for n in range(1, 2 * STANDING_EVERY + 20):
        world.claim("displayed", n, tab=f"t{n % 3}")
        if n % 5 == 0:
            world.claim("hidden", n, tab="t1")
        world.receipts.flush()
        instants.append(world.clock())
    whole = world.folder.receipts.claims(SHARE, limit=10_000)
    for at in instants[3::17]:
        window = world.folder.receipts.window(SHARE, at, at)
        now = {(i.tab, i.n, i.start) for i in intervals(window.standing, window.claims)}
        before = intervals((), [c for c in whole if c.at <= at.timestamp()])
        assert now == {(i.tab, i.n, i.start) for i in before if i.end is None}


def test_a_visit_knows_what_was_on_screen_when_the_last_one_ended_also_after_a_restart(world: World) -> None:
    assert world.receipts.opened(SHARE, "anna", "s", 1).since == 0
    world.claim("displayed", 4)
    world.receipts.flush()
    world.restart()
    world.clock.forward(hours=3)
    visit = world.receipts.opened(SHARE, "anna", "s2", 9)
    assert visit.since == 4
    assert visit.ended is not None


def test_what_a_crash_left_on_screens_ends_when_the_server_was_heard_of_last(world: World) -> None:
    world.claim("displayed", 4)
    world.receipts.flush()
    world.clock.forward(minutes=5)
    world.receipts.beat()
    heard = world.clock()
    world.clock.forward(hours=2)
    world.restart()
    assert world.receipts.recover([SHARE]) == 1
    (one,) = intervals((), world.folder.receipts.claims(SHARE))
    assert (one.ended, one.end) == ("lost", heard)
    assert world.receipts.recover([SHARE]) == 0


def test_after_the_retention_period_claims_are_gone_and_every_proof_still_holds(world: World) -> None:
    world.claim("displayed", 1, person="somebody-special")
    world.receipts.flush()
    signed = world.notary.receipts(SHARE)
    assert signed is not None
    world.clock.forward(days=40)
    world.claim("displayed", 2, person="ben")
    world.receipts.flush()
    assert expire_receipts(world.folder, world.notary, SHARE, 30, now=world.clock()) == 1
    assert [c.person for c in world.folder.receipts.claims(SHARE)] == ["ben"]
    assert expire_receipts(world.folder, world.notary, SHARE, 30, now=world.clock()) == 0
    world.restart()
    assert [c.person for c in world.folder.receipts.claims(SHARE)] == ["ben"]
    after = world.notary.receipts(SHARE)
    assert after is not None
    assert after.checkpoint.size == 2
    leaves = [leaf for _, leaf, _, trouble in row_leaves(world.folder, SHARE, 0, 2) if not trouble]
    assert tree.head_of(leaves[:1]) == signed.checkpoint.root
    assert world.clock() - timedelta(days=30) > signed.at
