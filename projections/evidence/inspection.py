"""Whether the stored files hold: every row read again and hashed anew, against all that was signed. Reads only."""

from collections.abc import Iterable, Iterator

import msgspec

from domain.language import gettext as _
from projections.evidence.leaves import BATCH, Leaves, entry_leaves, ledger_leaves, row_leaves
from projections.evidence.notary import Notary
from projections.installation.folder import Logs
from projections.proof import tree
from projections.proof.notes import BadNote, Checkpoint


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong: in which tree, the first number it is wrong from, and what."""

    origin: str
    n: int
    why: str


def inspect(
    folder: Logs, notary: Notary, shares: Iterable[str], pinned: Iterable[Checkpoint] = ()
) -> Iterator[Finding]:
    """Yield what is wrong with the stored files of an installation; nothing when all of it holds.

    `pinned` are checkpoints kept elsewhere: without one, a record and its ledger cut back together cannot be told from
    a younger one.
    """
    held: dict[str, dict[int, bytes]] = {}
    for one in pinned:
        held.setdefault(one.origin, {})[one.size] = one.root
    for share in shares:
        head, rows = folder.disclosure.head(share), folder.receipts.head(share)
        yield from _tree(notary, held, notary.origin(share), entry_leaves(folder, share, 0, head))
        yield from _tree(notary, held, notary.receipts_origin(share), row_leaves(folder, share, 0, rows))
    last = folder.ledger.last()
    lines = ledger_leaves(folder, 0, last.index if last else 0)
    yield from _tree(notary, held, f"{notary.key.name}/organisation", lines)
    yield from _tree(notary, held, f"{notary.key.name}/events", _events(folder))


def _tree(notary: Notary, held: dict[str, dict[int, bytes]], origin: str, leaves: Leaves) -> Iterator[Finding]:
    """Yield the first thing that is wrong with one tree."""
    try:
        signed = {one.checkpoint.size: one.checkpoint.root for one in notary.all(origin)}
    except (BadNote, msgspec.MsgspecError) as error:
        yield Finding(origin, 0, _("its checkpoints cannot be trusted: {error}", error=error))
        signed = {}
    for size, root in held.get(origin, {}).items():
        if signed.setdefault(size, root) != root:
            yield Finding(origin, 1, _("two checkpoints of {size} were signed with different heads", size=size))
            return
    found = _first(origin, leaves, signed)
    if found is not None:
        yield found


def _first(origin: str, leaves: Leaves, signed: dict[int, bytes]) -> Finding | None:
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


def _events(folder: Logs) -> Leaves:
    position = n = 0
    while found := folder.events.leaves(position, BATCH):
        for position, leaf in found:  # noqa: B007  # where to go on
            n += 1
            yield n, leaf, (), ""
