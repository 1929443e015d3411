"""The leaves of every tree, read from storage and hashed anew, each with what is wrong with it. Reads only."""

from collections.abc import Iterator

import msgspec

from domain.language import gettext as _
from projections.entries.entry import Kept, open_content, open_header
from projections.entries.entry import header as header_of
from projections.installation.folder import Logs
from projections.proof import notes, tree
from projections.receipts import batches
from projections.receipts.batches import BatchRow

BATCH = 200
Leaves = Iterator[tuple[int, bytes, tuple[bytes, ...], str]]  # number, leaf, frontier as stored, trouble ("" when none)


def entry_leaves(folder: Logs, share: str, after: int, upto: int) -> Leaves:
    """Yield the leaves of entries after + 1 ... upto with what is wrong with each, "" when nothing is."""
    erased: set[int] | None = None
    while after < upto and (found := folder.disclosure.kept(share, after, BATCH, upto)):
        for kept in found:
            if kept.state == "erased" and erased is None:
                erased = numbers_erased(folder, share)
            yield (
                kept.n,
                tree.leaf_hash(kept.header, kept.commitment),
                kept.frontier,
                trouble(share, kept, erased or set()),
            )
        after = found[-1].n


def trouble(share: str, kept: Kept, erased: set[int]) -> str:
    """Return what is wrong with an entry as it lies in the log, "" when nothing is."""
    try:
        head = open_header(kept.header)
    except msgspec.MsgspecError:
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


def row_leaves(folder: Logs, share: str, after: int, upto: int) -> Leaves:
    """Yield the leaves of rows after + 1 ... upto of a share's receipts."""
    expired: set[int] | None = None
    while after < upto and (found := folder.receipts.rows(share, after, BATCH, upto)):
        for one in found:
            if one.content is None and expired is None:
                expired = numbers_expired(folder, share)
            yield (
                one.k,
                tree.leaf_hash(one.header, one.commitment),
                one.frontier,
                trouble_of_row(share, one, expired or set()),
            )
        after = found[-1].k


def trouble_of_row(share: str, one: BatchRow, expired: set[int]) -> str:
    """Return what is wrong with a row of receipts as it lies in the log, "" when nothing is."""
    if not batches.says(one.header, share, one.k):
        return _("its header is of another row")
    if one.leaf != tree.leaf_hash(one.header, one.commitment):
        return _("its leaf is not the hash of its header and commitment")
    if one.content is None or one.salt is None:
        return "" if one.k in expired else _("its claims cannot be read, and no erasure is on record")
    return "" if one.commitment == tree.commit(one.salt, one.content) else _("its claims are not what was committed to")


def ledger_leaves(folder: Logs, after: int, upto: int) -> Leaves:
    """Yield the leaves of lines after + 1 ... upto of the ledger."""
    while after < upto and (found := folder.ledger.lines(after, BATCH, upto)):
        for line in found:
            yield line.index, tree.leaf_hash(line.raw, b""), line.frontier, ""
        after = found[-1].index


def numbers_erased(folder: Logs, share: str) -> set[int]:
    """Return the entries of a share that were erased, by the ledger's statements."""
    return _named(folder, "entries-erased", share)


def numbers_expired(folder: Logs, share: str) -> set[int]:
    """Return the rows of a share's receipts that were erased, by the ledger's statements."""
    return _named(folder, "receipts-expired", share)


def _named(folder: Logs, kind: str, share: str) -> set[int]:
    found: set[int] = set()
    for line in folder.ledger.of(kind, share):
        text = notes.text_of(line.statement.text)
        found |= notes.erased(text, notes.origin_of(text).removesuffix("/erasures"))
    return found
