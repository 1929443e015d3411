"""Checkpoints: verified before they are signed, never smaller, and nothing is signed that does not agree."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from projections.evidence.inspection import inspect
from projections.evidence.notary import Differs, Notary
from projections.proof import notes, tree
from projections.proof.notes import BadNote, signer
from tests.projections.verify import tampering
from tests.projections.verify.tampering import MATRIX, alter
from tests.world import KEY, SHARE, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Twelve updates of a share and twelve rows of receipts."""
    made = World(tmp_path)
    made.harbour()
    for i in range(11):
        made.move("m1", made.clock.at.date() + timedelta(days=100 + i))
    assert made.folder.disclosure.head(SHARE) == 12
    for n in range(1, 13):
        made.claim("displayed", n)
        made.receipts.flush()
    return made


def findings(world: World) -> list[tuple[str, int]]:
    return [(f.origin.removeprefix("fanlight/test/"), f.n) for f in inspect(world.folder, world.notary, [SHARE])]


def test_a_checkpoint_covers_what_is_there_and_is_signed_once(world: World) -> None:
    first = world.notary.share(SHARE)
    assert first is not None
    assert (first.number, first.checkpoint.size) == (1, 12)
    last = world.folder.disclosure.last(SHARE)
    assert last is not None
    assert first.checkpoint.root.hex() == last.root
    assert notes.verify(first.note, [KEY.public]) == first.checkpoint.text
    assert world.notary.share(SHARE) == first
    world.move("m2", world.clock.at.date())
    second = world.notary.share(SHARE)
    assert second is not None
    assert (second.number, second.checkpoint.size) == (2, 13)
    assert [one.checkpoint.size for one in world.notary.all(world.notary.origin(SHARE))] == [12, 13]


def test_a_share_without_updates_has_no_checkpoint(world: World) -> None:
    assert world.notary.share("nothing") is None
    assert world.notary.receipts("nothing") is None


def test_everything_is_signed_and_then_nothing_is_new(world: World) -> None:
    world.notary.sign([SHARE])
    assert world.notary.refused == {}
    lines = world.folder.ledger.last()
    world.notary.sign([SHARE])
    again = world.folder.ledger.last()
    assert lines is not None
    assert again is not None
    assert lines.index == again.index
    assert findings(world) == []


@pytest.mark.folder
@pytest.mark.parametrize(("tamper", "first_bad"), MATRIX.values(), ids=MATRIX)
def test_nothing_is_signed_for_a_record_that_was_altered_before_its_checkpoint(
    world: World, tamper: tampering.Tamper, first_bad: int
) -> None:
    world.close()
    alter(world.path / "disclosure.db", tamper, f"share-{SHARE}")
    world.open()
    world.notary.sign([SHARE])
    signed = world.notary.newest(world.notary.origin(SHARE))
    head = world.folder.disclosure.head(
        SHARE
    )  # what was cut before anything was signed cannot be told from what never was
    assert (signed is None) == (head >= first_bad), world.notary.refused


@pytest.mark.folder
@pytest.mark.parametrize("name", ["disclosure.db", "receipts.db"])
@pytest.mark.parametrize(("tamper", "first_bad"), MATRIX.values(), ids=MATRIX)
def test_whatever_is_altered_after_signing_is_found_with_its_first_number(
    world: World, name: str, tamper: tampering.Tamper, first_bad: int
) -> None:
    world.notary.sign([SHARE])
    world.close()
    alter(world.path / name, tamper, f"share-{SHARE}")
    world.open()
    tree_of = f"share/{SHARE}" if name == "disclosure.db" else f"share/{SHARE}/receipts"
    assert findings(world) == [(tree_of, first_bad)]


@pytest.mark.folder
@pytest.mark.parametrize("index", [2, 4])
def test_an_altered_ledger_is_found(world: World, index: int) -> None:
    world.notary.sign([SHARE])
    for i in range(4):
        world.move("m2", world.clock.at.date() + timedelta(days=i))
        world.notary.sign([SHARE])
    world.close()
    alter(world.path / "ledger.db", tampering.flip(index, 0.4), "ledger")
    world.open()
    found = findings(world)
    assert ("organisation", index) in found


@pytest.mark.folder
def test_an_altered_event_is_found(world: World) -> None:
    world.notary.sign([SHARE])
    world.close()
    alter(world.path / "events.db", tampering.flip(5, 0.5), "project-harbour")
    world.open()
    assert [origin for origin, _ in findings(world)] == ["events"]


def test_a_rewritten_record_with_fresh_salts_and_heads_is_not_the_one_that_was_signed(
    world: World, tmp_path: Path
) -> None:
    """Somebody with every right makes the whole history anew, with one date changed, and keeps our checkpoints."""
    signed = world.notary.share(SHARE)
    assert signed is not None
    forged = World(tmp_path / "forged")
    forged.clock.at = world.clock.at - timedelta(hours=2)
    forged.harbour()
    for i in range(11):
        forged.move("m1", forged.clock.at.date() + timedelta(days=101 + i))
    (found,) = (
        f for f in inspect(forged.folder, forged.notary, [SHARE], [signed.checkpoint]) if "receipts" not in f.origin
    )
    assert (found.n, found.why) == (1, "up to 12 it is not what was signed")


@pytest.mark.folder
def test_yesterdays_backup_is_not_signed_for(world: World) -> None:
    """A smaller tree than was signed is refused, by this process and by one that starts on the restored files."""
    world.close()
    backup = (world.path / "disclosure.db").read_bytes()
    world.open()
    world.move("m2", world.clock.at.date())
    assert world.notary.share(SHARE) is not None
    world.close()
    for leftover in world.path.glob("disclosure.db*"):
        leftover.unlink()
    (world.path / "disclosure.db").write_bytes(backup)
    world.open()
    with pytest.raises(Differs, match="Was a backup restored"):
        world.notary.share(SHARE)
    world.notary.sign([SHARE])
    assert world.notary.origin(SHARE) in world.notary.refused


def test_after_a_rotation_both_keys_lead_to_everything(world: World) -> None:
    world.notary.share(SHARE)
    new = signer(KEY.name, os.urandom(32))
    world.notary.rotate(new)
    world.move("m2", world.clock.at.date())
    signed = world.notary.share(SHARE)
    assert signed is not None
    assert notes.verify(signed.note, [new.public]) == signed.checkpoint.text
    again = Notary(world.folder, new, world.clock)
    assert [one.number for one in again.all(again.origin(SHARE))] == [1, 2]
    assert notes.trusted(KEY.name, KEY.public, again.rotations) == sorted([KEY.public, new.public])


def test_a_key_that_no_rotation_leads_to_is_refused_with_what_to_do(world: World) -> None:
    world.notary.share(SHARE)
    with pytest.raises(BadNote, match=r"Put the right signing\.key in place"):
        Notary(world.folder, signer(KEY.name, bytes(32)), world.clock)


def test_statements_are_in_a_tree_of_their_own(world: World) -> None:
    world.notary.sign([SHARE])
    lines = world.folder.ledger.lines(0, 100)
    assert tree.root_of(lines[-1].frontier) == tree.head_of([tree.leaf_hash(line.raw, b"") for line in lines])
    assert [line.statement.kind for line in lines][:2] == ["key-added", "checkpoint"]
