"""Checks the stored files of an installation: every row is read and hashed again and compared with what was signed."""

from collections.abc import Iterable, Iterator

import msgspec

from domain.language import gettext as _
from projections.evidence.leaves import BATCH, Leaves, entry_leaves, ledger_leaves, row_leaves
from projections.evidence.notary import Notary
from projections.installation.folder import Logs
from projections.proof import tree
from projections.proof.notes import BadNote, Checkpoint


class Finding(msgspec.Struct, frozen=True):
    """Something wrong in the tree named `origin`: the first wrong number, and what is wrong."""

    origin: str
    n: int
    why: str


def inspect(logs: Logs, notary: Notary, shares: Iterable[str], pinned: Iterable[Checkpoint] = ()) -> Iterator[Finding]:
    """Yield what is wrong with the stored files of an installation; nothing when all of it holds.

    `pinned` are checkpoints kept elsewhere: without one, a record and a ledger that were both cut back look like an
    earlier state.
    """
    held: dict[str, dict[int, bytes]] = {}  # origin -> size -> head
    for checkpoint in pinned:
        held.setdefault(checkpoint.origin, {})[checkpoint.size] = checkpoint.root
    for share in shares:
        head, rows = logs.disclosure.head(share), logs.receipts.head(share)
        yield from _tree(notary, held, notary.origin(share), entry_leaves(logs, share, 0, head))
        yield from _tree(notary, held, notary.receipts_origin(share), row_leaves(logs, share, 0, rows))
    last = logs.ledger.last()
    lines = ledger_leaves(logs, 0, last.index if last else 0)
    yield from _tree(notary, held, f"{notary.key.name}/organisation", lines)
    yield from _tree(notary, held, f"{notary.key.name}/events", _events(logs))


def _tree(notary: Notary, held: dict[str, dict[int, bytes]], origin: str, leaves: Leaves) -> Iterator[Finding]:
    """Yield the first thing that is wrong with one tree."""
    try:
        signed = {earlier.checkpoint.size: earlier.checkpoint.root for earlier in notary.all(origin)}
    except (BadNote, msgspec.MsgspecError) as error:
        yield Finding(origin, 0, _("its checkpoints cannot be trusted: {error}", error=error))
        signed = {}
    for size, root in held.get(origin, {}).items():
        if signed.setdefault(size, root) != root:
            yield Finding(origin, 1, _("two checkpoints of {size} were signed with different heads", size=size))
            return
    finding = _first_wrong(origin, leaves, signed)
    if finding is not None:
        yield finding


def _first_wrong(origin: str, leaves: Leaves, signed: dict[int, bytes]) -> Finding | None:
    """Return the first thing wrong with some leaves, given the heads that were signed by size."""
    frontier: tuple[bytes, ...] = ()
    size = good = 0
    for n, leaf, stored, trouble in leaves:
        if n != size + 1:
            return Finding(origin, size + 1, _("expected number {size}, found {n}", size=size + 1, n=n))
        frontier, size = tree.append(frontier, size, leaf), n
        if trouble:
            return Finding(origin, n, trouble)
        if stored and stored != frontier:
            return Finding(origin, n, _("its stored tree is not what is hashed to it"))
        if size in signed:
            if signed[size] != tree.root_of(frontier):
                return Finding(origin, good + 1, _("up to {size} it is not what was signed", size=size))
            good = size
    beyond = max(signed, default=0)
    if beyond > size:
        return Finding(
            origin, size + 1, _("{beyond} were signed for, but only {size} are there", beyond=beyond, size=size)
        )
    return None


def _events(logs: Logs) -> Leaves:
    position = n = 0
    while batch := logs.events.leaves(position, BATCH):
        for position, leaf in batch:  # noqa: B007  # where to go on
            n += 1
            yield n, leaf, (), ""
