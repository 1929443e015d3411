"""A bundle takes little memory while it is made and handed out, however much was shown."""

import tracemalloc
from datetime import date, timedelta
from pathlib import Path

import pytest

from projections.evidence.bundle import LARGE, LINES, Enclosures, Wanted, _batches, build
from projections.evidence.spool import IN_MEMORY, PIECE, Spool
from projections.verify import bundle as verify
from projections.verify import container
from projections.verify.container import NOTE, ZipMember, pack, write
from tests.world import SHARE, World

MIB = 1 << 20


def noise(i: int, size: int) -> bytes:
    """Bytes that do not pack."""
    import random

    return random.Random(i).randbytes(size)


@pytest.mark.once
def test_the_pieces_of_a_spool_are_the_bytes_of_the_container() -> None:
    files = {"b.txt": b"b" * 5000, "a.bin": noise(1, 700_000), "c.bin": noise(2, 2 * MIB), NOTE: b"note\n"}
    spool = Spool()
    for path, content in files.items():
        spool[path] = content
    expected = write([pack(path, content) for path, content in files.items()])
    pieces = list(spool.pieces())
    assert b"".join(pieces) == expected
    assert spool.size == len(expected) > IN_MEMORY
    assert len(pieces) > 2
    assert all(len(piece) >= PIECE for piece in pieces[:-1])
    assert spool.whole() == expected
    with pytest.raises(ValueError, match="closed"):
        spool.read(0, 1)


@pytest.mark.once
def test_a_spool_holds_no_file_in_memory() -> None:
    tracemalloc.start()
    try:
        spool = Spool()
        for i in range(60):
            spool[f"entries/{i:09}.jsonl"] = noise(i, MIB)
        for _piece in spool.pieces():
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert spool.size > 60 * MIB
    assert peak < 12 * MIB


def test_a_bundle_of_much_takes_little(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour()
    for i in range(150):
        world.move("m1", date(2027, 6, 1) + timedelta(days=i), reason=noise(i, 1500).hex())
    page = lambda told: f"<p>{told.manifest.to}</p>".encode()  # noqa: E731
    enclosed = Enclosures(made_at=world.clock(), verifier=b"# verifier\n", readable=page)
    recorded = sum(len(entry.raw) for entry in world.entries())
    tracemalloc.start()
    try:
        made = build(world.folder, world.notary, Wanted(share=SHARE), enclosed)
        for _piece in made.pieces():
            pass
        still = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert still < recorded / 2, (still, recorded)
    assert verify.check(made.whole(), world.notary.verification_key).accepted
    world.close()


@pytest.mark.once
def test_no_file_of_lines_is_larger_than_a_verifier_takes() -> None:
    class Entry:
        def __init__(self, size: int) -> None:
            self.raw = bytes(size)

    sizes = [10] * 250 + [LARGE - 5, 10, 2 * LARGE, 10]
    batches = list(_batches(Entry(size) for size in sizes))  # type: ignore[misc]
    assert [len(batch) for batch in batches] == [LINES, LINES, 50, 1, 1, 1, 1]
    longest = ZipMember("entries/000000001.jsonl", b"", 0, 0).longest
    assert longest > 3 * LARGE


@pytest.mark.once
def test_the_length_is_known_before_a_byte_is_written() -> None:
    members = [pack("x", b"y" * 99), pack(NOTE, b"n")]
    assert container.length_of([(m.path, len(m.packed)) for m in members]) == len(write(members))
