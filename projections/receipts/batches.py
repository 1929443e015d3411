"""One row of receipts: many claims about one share, under one salted commitment; docs/spec.md 7.3."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from domain.message import UNREADABLE
from projections.proof import tree
from projections.receipts.claims import Receipt


class Header(msgspec.Struct, frozen=True):
    """What stays readable of a row after its claims are erased."""

    at: str
    count: int
    k: int
    share: str


class Claim(msgspec.Struct, frozen=True):
    """A claim as it is recorded, in the order of its JSON keys; the share is that of the row."""

    at: float
    device: str
    came_from: int = msgspec.field(name="from")
    head: str
    kind: str
    n: int
    person: str
    session: str
    tab: str


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """Row k of a share's receipts. `content` and `salt` are None once its retention period is over."""

    k: int
    at: datetime
    header: bytes
    content: bytes | None
    salt: bytes | None
    commitment: bytes
    leaf: bytes
    frontier: tuple[bytes, ...]
    by: str = ""  # the process that recorded it, where several serve; no part of the proof

    def claims(self, share: str) -> list[Receipt]:
        """Return the claims it holds, none once they are erased."""
        return [] if self.content is None else open_claims(self.content, share)


_encoder = msgspec.json.Encoder(order="sorted")
_claims = msgspec.json.Decoder(list[Claim])
_headers = msgspec.json.Decoder(Header)


def exact(at: datetime) -> str:
    """Return an instant as headers carry it: UTC, six digits of fraction, "Z"."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def seal(
    share: str, k: int, at: datetime, receipts: Sequence[Receipt], salt: bytes, frontier: Sequence[bytes]
) -> BatchRow:
    """Return row k, appended to the tree with the given frontier; `at` in UTC."""
    header = _encoder.encode(Header(at=exact(at), count=len(receipts), k=k, share=share))
    content = _encoder.encode([_claim(receipt) for receipt in receipts])
    commitment = tree.commit(salt, content)
    leaf = tree.leaf_hash(header, commitment)
    return BatchRow(
        k=k,
        at=at,
        header=header,
        content=content,
        salt=salt,
        commitment=commitment,
        leaf=leaf,
        frontier=tree.append(frontier, k - 1, leaf),
    )


def recorded_at(header: bytes) -> datetime:
    """Return the time in a header, UTC.

    Raises: ValueError, msgspec.MsgspecError on bytes that are no header.
    """
    return datetime.fromisoformat(_headers.decode(header).at)


def open_claims(content: bytes, share: str) -> list[Receipt]:
    """Return the claims a row's content holds.

    Raises: msgspec.MsgspecError.
    """
    return [_receipt(share, claim) for claim in _claims.decode(content)]


def says(header: bytes, share: str, k: int) -> bool:
    """Tell whether a header is that of row k of a share; False for bytes that are no header."""
    try:
        decoded = _headers.decode(header)
    except UNREADABLE:
        return False
    return (decoded.share, decoded.k) == (share, k)


def _claim(r: Receipt) -> Claim:
    return Claim(r.at, r.device, r.came_from, r.head, r.kind, r.n, r.person, r.session, r.tab)


def _receipt(share: str, c: Claim) -> Receipt:
    return Receipt(
        share=share, person=c.person, session=c.session, tab=c.tab, kind=c.kind,  # type: ignore[arg-type]
        n=c.n, came_from=c.came_from, at=c.at, head=c.head, device=c.device,
    )  # fmt: skip
