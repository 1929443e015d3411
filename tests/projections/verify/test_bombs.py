"""A file from a stranger costs a verifier a bounded amount of memory, whatever it claims to be or inflates to."""

import struct
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from projections.verify import bundle, standalone
from projections.verify.container import NOTE, ZipMember, pack, write

pytestmark = pytest.mark.once
MIB = 1 << 20
Check = Callable[[bytes], object]
VERIFIERS: dict[str, Check] = {"product": bundle.check, "stand-alone": standalone.check}


def zeros(mib: int) -> bytes:
    """Return a deflated stream that inflates to so many MiB."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return b"".join(deflate.compress(bytes(MIB)) for _ in range(mib)) + deflate.flush()


ZEROS = zeros(300)
CRC = zlib.crc32(bytes(300 * MIB))


def container(*members: ZipMember) -> bytes:
    return write([pack(NOTE, b"nothing is signed\n\n"), *members])


def claimed(path: str, size: int = 300 * MIB, packed: bytes = ZEROS) -> bytes:
    return container(ZipMember(path, packed, CRC, size))


def listed(members: int, packed: int) -> bytes:
    """A container that lists one and the same part of it as so many members."""
    data, central = bytearray(claimed("entries/000000001.jsonl", 9, bytes(packed))), bytearray()
    start = data.index(b"PK\x03\x04", 1)
    for i in range(members):
        name = f"entries/{i:09}.jsonl".encode()
        central += struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 33, 0, packed, 9, len(name),
                               0, 0, 0, 0, 0, start) + name  # fmt: skip
    body, count = data[: data.index(b"PK\x01\x02")], min(members, 65_535)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(central), len(body), 0)
    return bytes(body + central + end)


BOMBS = {
    "a member that never is large": claimed("bundle.json"),
    "one that claims to be small": claimed("bundle.json", 100),
    "one that breaks off": claimed("bundle.json", packed=ZEROS[:-2]),
    "a note": claimed("checkpoint.note"),
    "lines": claimed("entries/000000001.jsonl"),
    "lines that break off": claimed("entries/000000001.jsonl", packed=ZEROS[:-2]),
    "a stylesheet": claimed(f"stylesheets/{'0' * 64}.css"),
    "an erasure": claimed("erasures/000001.note"),
    "a file of no kind": claimed("anything"),
    "members that lie on each other": listed(400, 2 * MIB),
    "very many members": listed(120_000, 0),
}


@pytest.fixture(scope="module", params=VERIFIERS)
def check(request: pytest.FixtureRequest) -> Check:
    return VERIFIERS[request.param]


@pytest.mark.parametrize("bomb", [name for name in BOMBS if "lines" not in name])
def test_a_bomb_is_rejected_in_little_memory(check: Check, bomb: str) -> None:
    assert _peak(check, BOMBS[bomb]) < 40 * MIB


@pytest.mark.parametrize("bomb", ["lines", "lines that break off"])
def test_lines_take_no_more_than_their_bound(check: Check, bomb: str) -> None:
    assert _peak(check, BOMBS[bomb]) < 280 * MIB  # the bytes that were inflated, and once more while they are joined


def _peak(check: Check, data: bytes) -> int:
    """Return the most bytes that checking took; whatever it is, it is rejected and nothing is raised."""
    tracemalloc.start()
    try:
        assert not check(data).accepted  # type: ignore[attr-defined]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_members_that_are_too_large_together_are_not_inflated_at_all(check: Check) -> None:
    data = container(*(ZipMember(f"entries/{i:09}.jsonl", b"", 0, 127 * MIB) for i in range(1, 40)))
    assert "larger than 4096 MiB together" in check(data).problems[0]  # type: ignore[attr-defined]


def test_a_caller_may_bound_the_sum_more_tightly() -> None:
    report = bundle.check(container(pack("bundle.json", b" " * 5000)), most=4000)
    assert "larger than 0 MiB together" in report.problems[0]
