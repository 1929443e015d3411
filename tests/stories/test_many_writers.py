"""Many writers at once on one folder: one linear log, one linear tree, whoever wins."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from domain.errors import Stale
from domain.ids import CommandId, MilestoneId
from domain.plan.schedule import MoveForecast
from projections.events.present import CurrentWorld
from projections.follow.follower import Follower, FollowerPorts
from projections.follow.shadow import compared
from projections.installation.folder import Folder
from projections.logs.disclosure_log import Moved
from projections.logs.ledger import Statement
from projections.proof import tree
from projections.proof.tree import Subtrees, consistent
from projections.receipts.claims import Receipt
from projections.receipts.taking import Receipts
from tests.plain import Plain
from tests.world import HARBOUR, MANAGER, SHARE, World, salt
from web.write.service import Service

WRITERS = 8


def at_once(work: Callable[[int], None]) -> None:
    """Run `work` in as many threads as there are writers; an error of one fails the test."""
    errors: list[BaseException] = []
    gate = threading.Barrier(WRITERS)

    def guarded(i: int) -> None:
        try:
            gate.wait()
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert errors == []


def linear(leaves: list[bytes], head: bytes) -> None:
    """Check that every size of a tree is consistent with every later one, and the newest has this head."""
    whole = Subtrees(leaves)
    assert whole.root(0, len(leaves)) == head
    for size in range(1, len(leaves)):
        proof = whole.consistency(size)
        assert consistent(size, len(leaves), proof, whole.root(0, size), head)


def test_eight_followers_of_one_share_record_one_linear_log(tmp_path: Path) -> None:
    world = World(tmp_path, Plain())
    world.harbour()
    for i in range(60):
        day = date(2027, 6, 1 + i % 28)
        command = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=day, reason=f"Frost {i}")
        world.clock.forward(seconds=1)
        world.service.execute(MANAGER, command, command_id=CommandId(f"frost-{i}"))
    end = world.folder.events.head()
    lost: list[int] = []

    def follow(i: int) -> None:
        folder = Folder(tmp_path)
        try:
            ports = FollowerPorts(clock=world.clock, salt=salt)
            follower = Follower(folder.events, folder.disclosure, Plain(), ports)
            while folder.disclosure.position() < end:
                try:
                    follower.step(3)
                except Moved:
                    lost.append(i)
                    follower._reset()
        finally:
            folder.close()

    at_once(follow)
    head = world.folder.disclosure.head(SHARE)
    kept = world.folder.disclosure.kept(SHARE, 0, 1000)
    assert [one.n for one in kept] == list(range(1, head + 1))
    linear([one.leaf for one in kept], bytes.fromhex(kept[-1].root))
    found = compared(world.folder.events, world.folder.disclosure, SHARE, Plain())
    assert {one.state for one in found} == {"same"}
    assert lost, "they never met, so this proves nothing"
    world.close()


def test_eight_writers_of_events_of_one_project_lose_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, Plain())
    world.harbour()

    def write(i: int) -> None:
        folder = Folder(tmp_path)
        try:
            service = Service(folder.events, CurrentWorld(folder.events), world.clock)
            for j in range(6):
                day = date(2027, 6, 1) + timedelta(days=6 * i + j)
                command = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=day, reason=f"{i} {j}")
                while True:
                    try:
                        service.execute(MANAGER, command, command_id=CommandId(f"{i}-{j}"))
                        break
                    except Stale:  # it says: repeat
                        continue
        finally:
            folder.close()

    at_once(write)
    recorded = world.folder.events.stream(f"project-{HARBOUR}")
    assert [r.version for r in recorded] == list(range(1, len(recorded) + 1))
    reasons = [r.event.reason for r in recorded if getattr(r.event, "reason", "").count(" ") == 1]
    assert sorted(reasons) == sorted(f"{i} {j}" for i in range(WRITERS) for j in range(6))
    world.close()


def test_eight_writers_of_receipts_lose_no_claim_and_keep_one_tree(tmp_path: Path) -> None:
    world = World(tmp_path, Plain())
    world.harbour()
    at = world.clock().timestamp()

    def claim(i: int) -> None:
        folder = Folder(tmp_path)
        try:
            receipts = Receipts(folder.receipts, world.clock, lambda share, k: salt(share, 1000 * i + k))
            for j in range(10):
                mark = Receipt(share=SHARE, person=f"p{i}", session="s", tab=f"t{j}", kind="displayed", n=1, at=at)
                receipts.take([mark])
                receipts.flush()
        finally:
            folder.close()

    at_once(claim)
    rows = world.folder.receipts.rows(SHARE, 0, 1000)
    assert [row.k for row in rows] == list(range(1, len(rows) + 1))
    assert {(c.person, c.tab) for row in rows for c in row.claims(SHARE)} == {
        (f"p{i}", f"t{j}") for i in range(WRITERS) for j in range(10)
    }
    linear([row.leaf for row in rows], tree.root_of(rows[-1].frontier))
    world.close()


def test_eight_writers_of_the_ledger_keep_one_tree(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    now = World(tmp_path / "clock").clock()

    def state(i: int) -> None:
        mine = Folder(tmp_path)
        try:
            for j in range(8):
                mine.ledger.append(Statement(kind="consulted", at=now, who=f"p{i}", text=f"{j}"))
        finally:
            mine.close()

    at_once(state)
    lines = folder.ledger.lines(0, 1000)
    assert [line.index for line in lines] == list(range(1, WRITERS * 8 + 1))
    linear([line.leaf for line in lines], tree.root_of(lines[-1].frontier))
    folder.close()
