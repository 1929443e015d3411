"""The leaves of every tree, read from storage and hashed again, each with what is wrong with it."""

from collections.abc import Iterator

from domain.language import gettext as _
from domain.message import UNREADABLE
from projections.entries.entry import Kept, open_content, open_header
from projections.entries.entry import header as header_of
from projections.installation.folder import Logs
from projections.logs.ledger import DAMAGED
from projections.proof import notes, tree
from projections.receipts import batches
from projections.receipts.batches import BatchRow

BATCH = 200  # leaves read at a time
Leaves = Iterator[
    tuple[int, bytes, tuple[bytes, ...] | None, str]
]  # number, leaf, frontier as stored (None: not kept), trouble ("" when none)


def entry_leaves(logs: Logs, share: str, after: int, upto: int) -> Leaves:
    """Yield the leaves of entries after + 1 ... upto with what is wrong with each, "" when nothing is."""
    erased: set[int] | None = None
    while after < upto and (batch := logs.disclosure.kept(share, after, BATCH, upto)):
        for kept in batch:
            if kept.state == "erased" and erased is None:
                erased = numbers_erased(logs, share)
            yield (
                kept.n,
                tree.leaf_hash(kept.header, kept.commitment),
                kept.frontier,
                trouble(share, kept, erased or set()),
            )
        after = batch[-1].n


def trouble(share: str, kept: Kept, erased: set[int]) -> str:
    """Return what is wrong with an entry as stored, "" when nothing is; `erased` are the numbers on record."""
    try:
        head = open_header(kept.header)
    except UNREADABLE:
        return _("its header cannot be read")
    if (head.share, head.n) != (share, kept.n):
        return _("it says that it is number {n} of {share}", n=head.n, share=head.share)
    if kept.leaf != tree.leaf_hash(kept.header, kept.commitment):
        return _("its leaf is not the hash of its header and commitment")
    if kept.state == "damaged" or (kept.raw is None and kept.n not in erased):
        return (
            _("its content cannot be read, and no erasure is on record")
            if kept.raw is None
            else _("its content is damaged")
        )
    if kept.raw is None or kept.salt is None:
        return ""
    if kept.commitment != tree.commit(kept.salt, kept.raw):
        return _("its content is not what was committed to")
    return "" if header_of(open_content(kept.raw)) == kept.header else _("its header does not follow from its content")


def row_leaves(logs: Logs, share: str, after: int, upto: int) -> Leaves:
    """Yield the leaves of rows after + 1 ... upto of a share's receipts with what is wrong with each."""
    expired: set[int] | None = None
    while after < upto and (batch := logs.receipts.rows(share, after, BATCH, upto)):
        for row in batch:
            if row.content is None and expired is None:
                expired = numbers_expired(logs, share)
            yield (
                row.k,
                tree.leaf_hash(row.header, row.commitment),
                row.frontier,
                trouble_of_row(share, row, expired or set()),
            )
        after = batch[-1].k


def trouble_of_row(share: str, row: BatchRow, expired: set[int]) -> str:
    """Return what is wrong with a row of receipts as stored, "" when nothing is; `expired` are those on record."""
    if not batches.says(row.header, share, row.k):
        return _("its header is of another row")
    if row.leaf != tree.leaf_hash(row.header, row.commitment):
        return _("its leaf is not the hash of its header and commitment")
    if row.content is None or row.salt is None:
        return "" if row.k in expired else _("its claims cannot be read, and no erasure is on record")
    return "" if row.commitment == tree.commit(row.salt, row.content) else _("its claims are not what was committed to")


def stored_leaves(logs: Logs, share: str, size: int) -> list[bytes]:
    """Return the leaves of the first `size` entries of a share as stored, unchecked; for proofs."""
    leaves: list[bytes] = []
    while len(leaves) < size and (more := logs.disclosure.leaves(share, len(leaves), 2000, size)):
        leaves += more
    return leaves


def ledger_leaves(logs: Logs, after: int, upto: int) -> Leaves:
    """Yield the leaves of lines after + 1 ... upto of the ledger."""
    while after < upto and (batch := logs.ledger.lines(after, BATCH, upto)):
        for line in batch:
            trouble = _("it cannot be read") if line.statement.kind == DAMAGED else ""
            yield line.index, tree.leaf_hash(line.raw, b""), line.frontier, trouble
        after = batch[-1].index


def numbers_erased(logs: Logs, share: str) -> set[int]:
    """Return the entries of a share that were erased, by the ledger's statements."""
    return _named(logs, "entries-erased", share)


def numbers_expired(logs: Logs, share: str) -> set[int]:
    """Return the rows of a share's receipts that were erased, by the ledger's statements."""
    return _named(logs, "receipts-expired", share)


def _named(logs: Logs, kind: str, share: str) -> set[int]:
    numbers: set[int] = set()
    for line in logs.ledger.of(kind, share):
        text = notes.text_of(line.statement.text)
        numbers |= notes.erased(text, notes.origin_of(text).removesuffix("/erasures"))
    return numbers
