"""Checks the stored files of an installation: every row is read and hashed again and compared with what was signed.

Rule: nothing is accepted that cannot be read, and what no checkpoint covers is counted.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from domain.language import gettext as _
from domain.message import UNREADABLE
from projections.evidence.event_leaves import event_leaves
from projections.evidence.leaves import BATCH, Leaves, entry_leaves, ledger_leaves, row_leaves
from projections.evidence.notary import Trust
from projections.installation.folder import Logs
from projections.logs.ledger import LedgerLine
from projections.proof import notes, tree
from projections.proof.notes import BadNote, Checkpoint


class Finding(msgspec.Struct, frozen=True):
    """Something wrong in the tree named `origin`: the first wrong number, and what is wrong."""

    origin: str
    n: int
    why: str


class Uncovered(msgspec.Struct, frozen=True):
    """The newest leaves of a tree, `first` to `last`, that no checkpoint covers."""

    origin: str
    first: int
    last: int


def inspect(logs: Logs, trust: Trust, shares: Iterable[str], pinned: Iterable[Checkpoint] = ()) -> Iterator[Finding]:
    """Yield what is wrong with the stored files of an installation; nothing when all of it holds.

    `pinned` are checkpoints kept elsewhere: without one, a record and a ledger that were both cut back look like an
    earlier state.
    """
    yield from Inspection(logs, [trust], pinned).findings(shares)


class Inspection:
    """One check of an installation. `trusts`: first its present name, then those it signed in before."""

    def __init__(self, logs: Logs, trusts: Sequence[Trust], pinned: Iterable[Checkpoint] = ()) -> None:
        self._logs, self._trusts = logs, trusts
        self._held: dict[str, dict[int, bytes]] = {}  # origin -> size -> head, of checkpoints kept elsewhere
        for checkpoint in pinned:
            self._held.setdefault(checkpoint.origin, {})[checkpoint.size] = checkpoint.root
        self._signed: dict[str, list[LedgerLine]] = {}  # read from the lines, so that no index has to be believed
        self.uncovered: list[Uncovered] = []  # once the findings were asked for; of trees in which nothing is wrong

    def findings(self, shares: Iterable[str]) -> Iterator[Finding]:
        """Yield what is wrong with these shares, the ledger and the events."""
        logs, last = self._logs, self._logs.ledger.last()
        head = last.index if last else 0
        self._read_ledger(head)
        for share in shares:
            yield from self._tree(f"share/{share}", entry_leaves(logs, share, 0, logs.disclosure.head(share)))
            rows = row_leaves(logs, share, 0, logs.receipts.head(share))
            yield from self._tree(f"share/{share}/receipts", rows)
        yield from self._tree("organisation", ledger_leaves(logs, 0, head))
        yield from self._tree("events", event_leaves(logs))
        yield from self._beyond()

    def _read_ledger(self, head: int) -> None:
        after = 0
        while after < head and (batch := self._logs.ledger.lines(after, BATCH, head)):
            for line in batch:
                if line.statement.kind == "checkpoint":
                    self._signed.setdefault(line.statement.subject, []).append(line)
            after = batch[-1].index

    def _beyond(self) -> Iterator[Finding]:
        """Yield that updates were made of events that are not there."""
        made, head = self._logs.disclosure.position(), self._logs.events.head()
        if made > head:
            why = _("updates were made of events up to {made}, but only {head} are there", made=made, head=head)
            yield Finding(f"{self._trusts[0].name}/events", head + 1, why)

    def _tree(self, of: str, leaves: Leaves) -> Iterator[Finding]:
        """Yield the first thing that is wrong with one tree, in whichever name it was signed."""
        signed: dict[int, bytes] = {}
        origin = f"{self._trusts[0].name}/{of}"
        for trust in self._trusts:
            name = f"{trust.name}/{of}"
            try:
                heads = [_opened(line, trust) for line in self._signed.get(name, ())]
            except (BadNote, *UNREADABLE) as error:
                yield Finding(name, 0, _("its checkpoints cannot be trusted: {error}", error=error))
                heads = []
            heads += [Checkpoint(name, size, root) for size, root in self._held.get(name, {}).items()]
            for point in heads:
                if signed.setdefault(point.size, point.root) != point.root:
                    why = _("two checkpoints of {size} were signed with different heads", size=point.size)
                    yield Finding(name, 1, why)
                    return
        yield from self._walked(origin, leaves, signed)

    def _walked(self, origin: str, leaves: Leaves, signed: dict[int, bytes]) -> Iterator[Finding]:
        """Yield the first thing wrong with some leaves, given the heads that were signed by size."""
        frontier: tuple[bytes, ...] = ()
        size = good = 0
        for n, leaf, stored, trouble in leaves:
            if n != size + 1:
                yield Finding(origin, size + 1, _("expected number {size}, found {n}", size=size + 1, n=n))
                return
            frontier, size = tree.append(frontier, size, leaf), n
            if trouble:
                yield Finding(origin, n, trouble)
                return
            if stored is not None and stored != frontier:
                yield Finding(origin, n, _("its stored tree is not what is hashed to it"))
                return
            if size in signed:
                if signed[size] != tree.root_of(frontier):
                    yield Finding(origin, good + 1, _("up to {size} it is not what was signed", size=size))
                    return
                good = size
        beyond = max(signed, default=0)
        if beyond > size:
            why = _("{beyond} were signed for, but only {size} are there", beyond=beyond, size=size)
            yield Finding(origin, size + 1, why)
        elif good < size:
            self.uncovered.append(Uncovered(origin, good + 1, size))


def _opened(line: LedgerLine, trust: Trust) -> Checkpoint:
    """Return the checkpoint in a line of the ledger.

    Raises: BadNote.
    """
    return notes.open_checkpoint(notes.verify(line.statement.text, trust.keys))
