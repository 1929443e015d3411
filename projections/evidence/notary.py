"""`Notary` signs checkpoints of the record after reading it again, `Trust` reads them; docs/spec.md 4.7.

Rule: verify before signing. Everything a checkpoint adds is read from storage and hashed again, and must continue the
tree of the checkpoint before. A tree that does not agree is not signed, and the operator is told, until it agrees.

Checkpoints of a share that are signed for one bundle are kept apart from those of the clockwork: no bundle holds those
that were made for another, so nobody learns from theirs that somebody else took evidence, nor at which update.
"""

import base64
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from domain.language import gettext as _
from projections.evidence.event_leaves import EventReading
from projections.evidence.leaves import Leaves, entry_leaves, ledger_leaves, row_leaves, stored_leaves
from projections.installation.folder import Logs
from projections.logs.ledger import LedgerLine, Statement
from projections.proof import notes, tree
from projections.proof.notes import BadNote, Checkpoint, Signer

log = logging.getLogger("fanlight.notary")


class Differs(Exception):
    """What is stored is not what was signed, or contradicts itself; `n` is the first wrong number."""

    def __init__(self, origin: str, n: int, why: str) -> None:
        super().__init__(_("{origin}, number {n}: {why}", origin=origin, n=n, why=why))
        self.n = n


class Conflict(Exception):
    """A witness has seen another history of a tree; `size` is the size it has seen, -1 when it does not say."""

    def __init__(self, why: str, size: int) -> None:
        super().__init__(why)
        self.size = size


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A signed checkpoint, the `number`-th of its origin; `at` in UTC."""

    number: int
    checkpoint: Checkpoint
    note: str
    at: datetime
    for_bundle: bool = False  # signed for one bundle and not by the clockwork


def _for_bundles(origin: str) -> str:
    """Return the subject of statements on checkpoints that were signed for somebody's bundle; docs/spec.md 4.8."""
    return f"{origin} bundles"


class _Signing(msgspec.Struct, frozen=True, kw_only=True):
    """One tree that is to be signed."""

    origin: str
    subject: str  # of the statements in the ledger
    newest: Signed | None  # of any subject: the tree must have grown out of it
    previous: Signed | None  # of this subject: nothing is signed again while it covers the tree


class Trust:
    """The checkpoints that were signed in one name, opened with the keys that are trusted for it."""

    def __init__(self, folder: Logs, name: str, public: bytes) -> None:
        self._folder, self.name, self.public = folder, name, public
        self.keys = self._trusted_keys()

    # origins

    def origin(self, share: str) -> str:
        """Return the origin of a share's entries."""
        return f"{self.name}/share/{share}"

    def receipts_origin(self, share: str) -> str:
        """Return the origin of a share's receipts."""
        return f"{self.origin(share)}/receipts"

    @property
    def verification_key(self) -> str:
        """The verification key, as text."""
        return notes.verification_key(self.name, self.public)

    @property
    def rotations(self) -> list[str]:
        """Every rotation statement, oldest first."""
        return [line.statement.text for line in self._folder.ledger.of("key-rotated", self.name)]

    def _trusted_keys(self) -> list[bytes]:
        """Return the keys whose signatures are trusted, by the rotations on record.

        Raises: BadNote when the record was begun with another key that does not lead to this one.
        """
        added = self._folder.ledger.of("key-added", self.name)
        trusted = notes.trusted(self.name, self.public, self.rotations)
        if added and notes.open_key(added[0].statement.text)[1] not in trusted:
            message = _(
                "The signing key is not the one {name} began its record with, and no rotation leads to it. Put the "
                "right signing.key in place, or rotate from it.",
                name=self.name,
            )
            raise BadNote(message)
        return trusted

    # reading what was signed

    def newest(self, origin: str) -> Signed | None:
        """Return the newest checkpoint of an origin, whatever it was signed for.

        Raises: BadNote when the ledger holds something else.
        """
        found = [one for one in (self.of_clockwork(origin), self._newest(_for_bundles(origin))) if one is not None]
        return max(found, key=lambda one: one.checkpoint.size, default=None)

    def of_clockwork(self, origin: str) -> Signed | None:
        """Return the newest checkpoint of an origin that was not signed for somebody's bundle.

        Raises: BadNote.
        """
        return self._newest(origin)

    def _newest(self, subject: str) -> Signed | None:
        newest = self._folder.ledger.newest("checkpoint", subject)
        return self._signed(*newest) if newest else None

    def all(self, origin: str) -> list[Signed]:
        """Return every checkpoint of an origin, in the order of their sizes."""
        found = [*self.all_of_clockwork(origin), *self._all(_for_bundles(origin))]
        return sorted(found, key=lambda one: one.checkpoint.size)

    def all_of_clockwork(self, origin: str) -> list[Signed]:
        """Return every checkpoint of an origin that was not signed for somebody's bundle, oldest first."""
        return self._all(origin)

    def _all(self, subject: str) -> list[Signed]:
        return [self._signed(k, line) for k, line in enumerate(self._folder.ledger.of("checkpoint", subject), 1)]

    def stamps(self, signed: Signed) -> list[tuple[int, bytes]]:
        """Return the time stamps on record of the clockwork's checkpoints of an origin and of this one, with sizes."""
        origin = signed.checkpoint.origin
        lines = self._folder.ledger.of("time-stamped", origin)
        if signed.for_bundle:
            own = self._folder.ledger.of("time-stamped", _for_bundles(origin))
            lines += [line for line in own if line.statement.at == signed.at]
        split = [line.statement.text.partition(" ") for line in lines]
        return [(int(size), base64.b64decode(token)) for size, _sep, token in split]

    def _signed(self, number: int, line: LedgerLine) -> Signed:
        checkpoint = notes.open_checkpoint(notes.verify(line.statement.text, self.keys))
        aside = line.statement.subject == _for_bundles(checkpoint.origin)
        return Signed(
            number=number, checkpoint=checkpoint, note=line.statement.text, at=line.statement.at, for_bundle=aside
        )


class Notary(Trust):
    """Keeps the checkpoints of one installation. Thread-safe."""

    def __init__(
        self,
        folder: Logs,
        key: Signer,
        clock: Callable[[], datetime],
        *,
        witness: Callable[[str, int, Sequence[bytes]], str] | None = None,
        stamp: Callable[[str], bytes] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(folder, key.name, key.public)
        self.key, self._clock = key, clock
        self._witness, self._stamp = witness, stamp
        self._lock = threading.RLock()
        self.refused: dict[str, str] = {}  # origin -> why nothing is signed, for health
        self._reading = EventReading(folder)
        self._walked: tuple[int, tuple[bytes, ...]] = 0, ()  # events: size, frontier
        self._stopping = stopping  # asked while much is hashed; what is left is signed another time

    # signing

    def last(self, shares: Iterable[str], over: Callable[[], bool]) -> None:
        """Sign all that is new at an orderly stop, so that nothing lies bare after it; no other tree once `over`."""
        self._stopping = over
        self.sign(shares)

    def _introduce_key(self) -> None:
        """Put the key on record before its first signature."""
        if self._folder.ledger.newest("key-added", self.key.name) is None:
            key, at = self.verification_key, self._clock()
            statement = Statement(kind="key-added", at=at, who="operator", subject=self.key.name, text=key)
            self._folder.ledger.append(statement)

    def sign(self, shares: Iterable[str]) -> None:
        """Sign what is new of every tree; why one is not signed is in `refused` and in the log."""
        self.attempt(f"{self.key.name}/events", self.events)  # first: what a stop cuts short is what others prove too
        for share in shares:
            if self._stopping():
                return
            self.attempt(self.origin(share), lambda share=share: self.share(share))  # type: ignore[misc]
            self.attempt(self.receipts_origin(share), lambda share=share: self.receipts(share))  # type: ignore[misc]
        self.attempt(f"{self.key.name}/organisation", self.ledger)

    def attempt(self, origin: str, signing: Callable[[], object]) -> None:
        """Sign one tree, or keep in `refused` why it is not signed. Raises nothing."""
        try:
            signing()
            self.refused.pop(origin, None)
        except Exception as error:
            if self.refused.get(origin) != str(error):
                log.exception("nothing is signed for %s until it agrees again", origin)
            self.refused[origin] = str(error)

    def share(self, share: str) -> Signed | None:
        """Return a checkpoint of a share by the clockwork that covers its newest entry; None when there is no entry.

        Raises: Differs, BadNote.
        """
        head = self._folder.disclosure.head(share)
        return self._sign(self._job(self.origin(share)), head, self._entries(share, head))

    def for_bundle(self, share: str) -> Signed | None:
        """Return a checkpoint for one bundle that covers a share's newest entry; None when there is no entry.

        It is the clockwork's where that covers it, else one that no other bundle holds: a time in its cosignature or
        stamp is that of this bundle. Its number goes on from the clockwork's.

        Raises: Differs, BadNote.
        """
        origin, head = self.origin(share), self._folder.disclosure.head(share)
        job = self._job(origin)
        if job.previous and job.previous.checkpoint.size == head:
            return job.previous
        subject = _for_bundles(origin)
        dated = self._witness is not None or self._stamp is not None
        job = msgspec.structs.replace(job, subject=subject, previous=None if dated else self._newest(subject))
        signed = self._sign(job, head, self._entries(share, head))
        before = self.of_clockwork(origin)
        return signed and msgspec.structs.replace(signed, number=before.number + 1 if before else 1)

    def _job(self, origin: str) -> _Signing:
        return _Signing(origin=origin, subject=origin, newest=self.newest(origin), previous=self.of_clockwork(origin))

    def _entries(self, share: str, head: int) -> Callable[[int], Leaves]:
        return lambda after: entry_leaves(self._folder, share, after, head)

    def receipts(self, share: str) -> Signed | None:
        """Return a checkpoint of a share's receipts that covers the newest row; None when there is none.

        Raises: Differs, BadNote.
        """
        head = self._folder.receipts.head(share)
        job = self._job(self.receipts_origin(share))
        return self._sign(job, head, lambda after: row_leaves(self._folder, share, after, head))

    def events(self) -> Signed | None:
        """Return a checkpoint of the whole event log; what this process has read before is not read again.

        Raises: Differs, BadNote.
        """
        origin = f"{self.key.name}/events"
        with self._lock:
            previous = self.newest(origin)
            try:
                size, frontier = self._walk(origin, previous)
            except BaseException:
                self._reading, self._walked = EventReading(self._folder), (0, ())
                raise
            return previous if self._stopping() else self._issue(self._job(origin), size, frontier)

    def _walk(self, origin: str, previous: Signed | None) -> tuple[int, tuple[bytes, ...]]:
        """Return size and frontier of the event log, once everything that is new in it was read.

        Raises: Differs.
        """
        size, frontier = self._walked
        while not self._stopping() and (leaves := self._reading.next()):
            for leaf, trouble in leaves:
                frontier, size = tree.append(frontier, size, leaf), size + 1
                if trouble:
                    raise Differs(origin, size, trouble)
                if previous and size == previous.checkpoint.size and tree.root_of(frontier) != previous.checkpoint.root:
                    why = _("what is stored up to here is not what checkpoint {number} signed", number=previous.number)
                    raise Differs(origin, size, why)
        self._walked = size, frontier
        return size, frontier

    def ledger(self) -> Signed | None:
        """Return a checkpoint of the ledger, unless nothing but that checkpoint itself is new.

        Raises: Differs, BadNote.
        """
        origin, ledger = f"{self.key.name}/organisation", self._folder.ledger
        previous, last = self.newest(origin), ledger.last()
        if last is None or (previous and last.index <= previous.checkpoint.size + 1):
            return previous
        return self._sign(self._job(origin), last.index, lambda after: ledger_leaves(self._folder, after, last.index))

    def _sign(self, job: _Signing, head: int, leaves: Callable[[int], Leaves]) -> Signed | None:
        """Return a checkpoint at `head`; `leaves` reads those after a number.

        Raises: Differs, BadNote.
        """
        with self._lock:
            origin, newest, previous = job.origin, job.newest, job.previous
            size = newest.checkpoint.size if newest else 0
            if head < size:
                raise Differs(
                    origin,
                    head + 1,
                    _(
                        "{size} were signed for, but only {head} are there. Was a backup restored?",
                        size=size,
                        head=head,
                    ),
                )
            if head == (previous.checkpoint.size if previous else 0):
                return previous
            frontier = self._frontier(origin, newest, leaves)
            for n, leaf, stored, trouble in leaves(size):
                if self._stopping():
                    return previous
                frontier = tree.append(frontier, n - 1, leaf)
                if trouble or (stored is not None and stored != frontier):
                    raise Differs(origin, n, trouble or _("its stored tree is not what its entries hash to"))
                if n != size + 1:
                    raise Differs(origin, size + 1, _("expected number {size}, found {n}", size=size + 1, n=n))
                size = n
            return self._issue(job, size, frontier)

    def _frontier(self, origin: str, previous: Signed | None, leaves: Callable[[int], Leaves]) -> tuple[bytes, ...]:
        """Return the frontier the newest checkpoint was signed at, checked against it."""
        if previous is None:
            return ()
        size = previous.checkpoint.size
        for n, _leaf, stored, _trouble in leaves(size - 1):
            if n == size and stored is not None and tree.root_of(stored) == previous.checkpoint.root:
                return stored
            break
        raise Differs(
            origin, size, _("its tree is not the one that was signed as checkpoint {number}", number=previous.number)
        )

    def _issue(self, job: _Signing, size: int, frontier: tuple[bytes, ...]) -> Signed | None:
        origin, newest, previous = job.origin, job.newest, job.previous
        grown_from = newest.checkpoint.size if newest else 0
        if size < grown_from:
            why = _(
                "{checkpoint_size} were signed for, but only {size} are there. Was a backup restored?",
                checkpoint_size=grown_from,
                size=size,
            )
            raise Differs(origin, size + 1, why)
        if size == (previous.checkpoint.size if previous else 0):
            return previous
        self._introduce_key()
        checkpoint = Checkpoint(origin, size, tree.root_of(frontier))
        note = notes.sign(checkpoint.text, self.key)
        if self._witness is not None:
            note += self._cosigned(checkpoint, note, grown_from)
        at = self._clock()
        statements = [Statement(kind="checkpoint", at=at, who="operator", subject=job.subject, text=note)]
        if self._stamp is not None and (token := self._stamp(checkpoint.text)):
            text = f"{size} {base64.b64encode(token).decode()}"
            statements.append(Statement(kind="time-stamped", at=at, who="operator", subject=job.subject, text=text))
        self._folder.ledger.append(*statements)
        number, aside = previous.number + 1 if previous else 1, job.subject != origin
        return Signed(number=number, checkpoint=checkpoint, note=note, at=at, for_bundle=aside)

    def _cosigned(self, checkpoint: Checkpoint, note: str, old: int) -> str:
        """Return the witness's signature line for the tree of a share, "" for other trees; `old` is the size before.

        Raises: Differs when it has seen another history.
        """
        assert self._witness is not None
        share = checkpoint.origin.removeprefix(f"{self.key.name}/share/")
        if share == checkpoint.origin or "/" in share:
            return ""
        trees = tree.Subtrees(stored_leaves(self._folder, share, checkpoint.size))
        try:
            return self._witness(note, old, trees.consistency(old))
        except Conflict as conflict:
            if not 0 <= conflict.size < checkpoint.size or conflict.size == old:
                raise Differs(checkpoint.origin, checkpoint.size, str(conflict)) from conflict
            seen = conflict.size  # it missed some checkpoints, or this process missed some of its answers
        try:
            return self._witness(note, seen, trees.consistency(seen))
        except Conflict as conflict:
            raise Differs(checkpoint.origin, checkpoint.size, str(conflict)) from conflict

    # rotation

    def rotate(self, new: Signer) -> str:
        """Record that a new key takes over, and sign with it from now on; return the statement."""
        at = f"{self._clock().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        note = notes.rotation(len(self.rotations) + 1, self.key, new, at)
        statement = Statement(kind="key-rotated", at=self._clock(), who="operator", subject=self.key.name, text=note)
        self._folder.ledger.append(statement)
        self.key, self.public = new, new.public
        self.keys = self._trusted_keys()
        return note
