"""Builds the evidence bundle: one file from which anyone can check what a share was shown; docs/spec.md 8.

Rule: nothing of the record is computed anew and nothing is left out silently; what cannot be read is written as
missing, and the verifier reports it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from domain.language import gettext as _
from projections.entries.entry import Content, Kept
from projections.entries.frames import State
from projections.entries.names import SealedName
from projections.evidence.leaves import BATCH, stored_leaves
from projections.evidence.notary import Differs, Notary, Signed
from projections.evidence.spool import Spool
from projections.installation.folder import Logs
from projections.logs.vault import Damaged
from projections.proof import notes, tree
from projections.receipts.batches import BatchRow
from projections.replay import pages
from projections.verify import bundle as verified
from projections.verify import container
from projections.verify.lines import Base, EvidenceLine, GivenName

FORMAT: Literal[2] = 2  # of bundles made from now on
LINES = 100  # of one file
LARGE = 32 << 20  # bytes of contents in one file; a verifier takes 128 MiB (8.1)
Kind = Literal["share", "period", "entry"]


class Manifest(verified.Manifest, frozen=True, kw_only=True):
    """`bundle.json`: what is checked, and what is only for readers."""

    made_at: str  # UTC, ISO 8601 to the second
    organisation: str
    client: str
    project: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle is to hold. `first` and `to` are entry numbers, and count for other kinds than "share" alone."""

    share: str
    kind: Kind = "share"
    first: int = 1
    to: int = 0
    receipts: bool = False


class ReadablePage(msgspec.Struct, frozen=True, kw_only=True):
    """What the readable page of a bundle (`index.html`) is made from."""

    manifest: Manifest
    checkpoint: Signed
    contents: list[tuple[int, Content | None, str]]  # number, content where it can be read, leaf (hex)
    rows: list[BatchRow]
    key: str  # verification key


class Enclosures(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle holds beside the record."""

    made_at: datetime  # UTC
    verifier: bytes  # the stand-alone program, `verify.py`
    readable: Callable[[ReadablePage], bytes]  # makes `index.html`


class NothingYet(Exception):
    """The share has no entry, or no checkpoint can be signed for it."""


_encode = msgspec.json.Encoder().encode


def build(logs: Logs, notary: Notary, wanted: Wanted, enclosed: Enclosures) -> Spool:
    """Return the bundle, on disk; a checkpoint is signed for it when the clockwork's newest does not cover the record.

    Raises: NothingYet.
    """
    checkpoint = _checkpoint(notary, wanted)
    manifest = _named(logs, _manifest(notary, wanted, checkpoint, enclosed.made_at))
    members = _Members(logs, notary, manifest)
    members.add_trust(checkpoint)
    contents = members.add_entries()
    rows = members.add_receipts() if wanted.receipts else None
    members.add_erasures(with_rows=rows is not None)
    members.add_stylesheets(contents)
    manifest = msgspec.structs.replace(manifest, receipts=rows is not None)
    page = ReadablePage(
        manifest=manifest, checkpoint=checkpoint, contents=contents, rows=rows or [], key=notary.verification_key
    )
    files = members.files
    files["README.txt"] = README
    files["verify.py"] = enclosed.verifier
    files["bundle.json"] = msgspec.json.format(_encode(manifest), indent=2) + b"\n"
    files["index.html"] = enclosed.readable(page)
    _seal(notary, files)
    return files


def _manifest(notary: Notary, wanted: Wanted, checkpoint: Signed, made_at: datetime) -> Manifest:
    size, whole = checkpoint.checkpoint.size, wanted.kind == "share"
    return Manifest(
        format=FORMAT, kind=wanted.kind, share=wanted.share, name=notary.key.name,
        first=1 if whole else wanted.first, to=size if whole else wanted.to, size=size, receipts=False,
        made_at=f"{made_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        organisation="", client="", project="",
    )  # fmt: skip


def _named(logs: Logs, manifest: Manifest) -> Manifest:
    """Return a manifest with the names as its newest entry shows them, or the one before that can still be read."""
    views = pages.Views(logs.disclosure, manifest.share)
    for n in range(manifest.to, 0, -1):
        try:
            view = views.at(n)
        except Damaged:  # which the entries here show
            continue
        if view is not None:
            names = {"organisation": view.organisation, "client": view.client, "project": view.project}
            return msgspec.structs.replace(manifest, **names)
    return manifest


def _seal(notary: Notary, files: Spool) -> None:
    """Add the signed list of the hashes of all files; docs/spec.md 8.2."""
    members = sorted(files.members, key=lambda member: member.path)
    lines = "".join(f"{member.digest} {member.path}\n" for member in members)
    files[container.NOTE] = notes.sign(f"{notary.key.name}/bundle\n{FORMAT}\n{lines}", notary.key).encode()


def _checkpoint(notary: Notary, wanted: Wanted) -> Signed:
    try:
        checkpoint = notary.for_bundle(wanted.share)
    except Differs:  # then the record as it is must be seen by those who check, with what was signed before
        checkpoint = notary.newest(notary.origin(wanted.share))
    if checkpoint is None:
        raise NothingYet(_("Share {share!r} has no update yet, so there is nothing to prove.", share=wanted.share))
    return checkpoint


class _Members:
    """Collects the files of one bundle by path."""

    def __init__(self, logs: Logs, notary: Notary, manifest: Manifest) -> None:
        self._logs, self._notary, self._manifest = logs, notary, manifest
        self._whole = manifest.kind == "share"
        self.files = Spool()
        self._names: dict[tuple[str, str], GivenName] = {}

    def add_trust(self, checkpoint: Signed) -> None:
        """Add the key, its rotations, the clockwork's signed heads and the one for this bundle; docs/spec.md 8.3."""
        origin = self._notary.origin(self._manifest.share)
        self.files["key.txt"] = self._notary.verification_key.encode() + b"\n"
        self.files["checkpoint.note"] = checkpoint.note.encode()
        for k, note in enumerate(self._notary.rotations, 1):
            self.files[f"rotations/{k:06}.note"] = note.encode()
        for size, token in dict(self._notary.stamps(checkpoint)).items():  # of two of one size the own one
            self.files[f"timestamps/{size:09}.tsr"] = token
        earlier = self._notary.all_of_clockwork(origin) if self._whole else []
        for size, note in {one.checkpoint.size: one.note for one in earlier}.items():
            if size < checkpoint.checkpoint.size:
                self.files[f"checkpoints/{size:09}.note"] = note.encode()

    def add_entries(self) -> list[tuple[int, Content | None, str]]:
        """Add the lines of the entries; return number, content where it can be read, and leaf (hex) of each."""
        manifest, contents = self._manifest, list[tuple[int, Content | None, str]]()
        proofs = None if self._whole else tree.Subtrees(stored_leaves(self._logs, manifest.share, manifest.size))
        entries = _entries(self._logs, manifest.share, manifest.first - 1, manifest.to)
        start, erased = manifest.first, False
        for batch in _batches(entries):
            lines = []
            for kept in batch:
                proof = proofs.inclusion(kept.n - 1) if proofs and kept.n <= proofs.size else None
                lines.append(_encode(_line(kept, proof)))
                content = self._logs.disclosure.content(manifest.share, kept)
                contents.append((kept.n, content and _slim(content), kept.leaf.hex()))
                self._note_names(kept)
                self._begin_again(kept, after_erased=erased)
                erased = kept.state == "erased"
            self.files[f"entries/{start:09}.jsonl"] = b"\n".join(lines) + b"\n"
            start += len(batch)
        if not self._whole:
            folded = pages.fold(self._logs.disclosure, manifest.share, manifest.first)
            state = folded.state if folded else State()
            self.files["base.json"] = _base(state)
            self._open_names(state.names)
        if self._names:
            self.files["names.json"] = _encode(sorted(self._names.values(), key=lambda name: (name.key, name.name)))
        return contents

    def _begin_again(self, kept: Kept, *, after_erased: bool) -> None:
        """Add what was shown after the first entry after ones that were erased: it follows from nothing else here."""
        if (
            after_erased
            and kept.state == "whole"
            and (folded := pages.fold(self._logs.disclosure, self._manifest.share, kept.n))
        ):
            self.files[f"bases/{kept.n:09}.json"] = _base(folded.state)

    def _note_names(self, kept: Kept) -> None:
        """Take in the names that an entry uses, of people who are not erased."""
        self._open_names(kept.names)

    def _open_names(self, sealed: Mapping[str, SealedName]) -> None:
        for key, name in sealed.items():
            opened = self._logs.disclosure.opened_name(self._manifest.share, key, name)
            if opened is not None:
                self._names[key, name.commitment] = GivenName(key=key, name=opened[1], salt=opened[0].hex())

    def add_receipts(self) -> list[BatchRow] | None:
        """Add the lines of the receipts and return their rows, None where no row was ever recorded."""
        signed = self._receipts_checkpoint()
        if signed is None:
            return None
        share, size, receipts = self._manifest.share, signed.checkpoint.size, self._logs.receipts
        self.files["receipts.note"] = signed.note.encode()
        after, upto = (0, size) if self._whole else _span(self._logs, self._manifest, size)
        proofs = None if self._whole else tree.Subtrees(_row_leaves(self._logs, share, size))
        rows: list[BatchRow] = []
        while after < upto and (batch := receipts.rows(share, after, LINES, upto)):
            lines = [_encode(_line(row, proofs.inclusion(row.k - 1) if proofs else None)) for row in batch]
            self.files[f"receipts/{batch[0].k:09}.jsonl"] = b"\n".join(lines) + b"\n"
            rows += batch
            after = batch[-1].k
        return rows

    def _receipts_checkpoint(self) -> Signed | None:
        try:
            return self._notary.receipts(self._manifest.share)
        except Differs:
            return self._notary.newest(self._notary.receipts_origin(self._manifest.share))

    def add_erasures(self, *, with_rows: bool) -> None:
        """Add the statements of erased entries, and with `with_rows` those of expired receipts."""
        kinds = ("entries-erased", "receipts-expired") if with_rows else ("entries-erased",)
        lines = [line for kind in kinds for line in self._logs.ledger.of(kind, self._manifest.share)]
        for k, line in enumerate(lines, 1):
            self.files[f"erasures/{k:06}.note"] = line.statement.text.encode()

    def add_stylesheets(self, contents: Sequence[tuple[int, Content | None, str]]) -> None:
        """Add every stylesheet the contents were shown with."""
        for digest in {content.stylesheet for _n, content, _leaf in contents if content}:
            self.files[f"stylesheets/{digest}.css"] = self._logs.disclosure.stylesheet(digest) or b""
        for digest in {digest for _n, content, _leaf in contents if content for digest in content.assets}:
            self.files[f"assets/{digest}"] = self._logs.disclosure.asset(digest) or b""


def _batches(entries: Iterable[Kept]) -> Iterator[list[Kept]]:
    """Yield the entries of one file after the other: at most `LINES`, and `LARGE` bytes where it is more than one."""
    batch, size = list[Kept](), 0
    for kept in entries:
        length = len(kept.raw or b"")
        if batch and (len(batch) == LINES or size + length > LARGE):
            yield batch
            batch, size = [], 0
        batch.append(kept)
        size += length
    if batch:
        yield batch


def _slim(content: Content) -> Content:
    """Return of a content what the readable page tells, and which files it needs."""
    return msgspec.structs.replace(
        content, parts=(), items="", body="", view="", terms="", sections={}, roots=(), removed=()
    )


def _base(state: State) -> bytes:
    return _encode(Base(parts=list(state.parts.values()), sections=dict(state.sections)))


def _line(stored: Kept | BatchRow, proof: Sequence[bytes] | None) -> EvidenceLine:
    n, k, content = (stored.n, 0, stored.raw) if isinstance(stored, Kept) else (0, stored.k, stored.content)
    return EvidenceLine(
        n=n,
        k=k,
        header=stored.header.decode(errors="replace"),
        content=None if content is None else content.decode(errors="replace"),
        salt=None if stored.salt is None else stored.salt.hex(),
        commitment=stored.commitment.hex(),
        leaf=stored.leaf.hex(),
        proof=None if proof is None else [step.hex() for step in proof],
    )


def _entries(logs: Logs, share: str, after: int, upto: int) -> Iterator[Kept]:
    while after < upto and (batch := logs.disclosure.kept(share, after, BATCH, upto)):
        yield from batch
        after = batch[-1].n


def _row_leaves(logs: Logs, share: str, size: int) -> list[bytes]:
    leaves: list[bytes] = []
    while len(leaves) < size and (rows := logs.receipts.rows(share, len(leaves), 1000, size)):
        leaves += [tree.leaf_hash(row.header, row.commitment) for row in rows]
    return leaves


def _span(logs: Logs, manifest: Manifest, size: int) -> tuple[int, int]:
    """Return between which rows, after the first number and up to the second, the wanted entries were the newest."""
    begin = logs.disclosure.recorded_at(manifest.share, manifest.first)
    end = logs.disclosure.recorded_at(manifest.share, manifest.to + 1)
    after = logs.receipts.row_at(manifest.share, begin) if begin else 0
    upto = logs.receipts.row_at(manifest.share, end) + 1 if end else size
    return after, min(upto, size)


README = b"""Evidence of what a Fanlight share was shown.

index.html    read it in a browser (it needs no network)
verify.py     check it: python3 verify.py THIS_FILE.zip --key YOUR_KEY
              Python 3.11 or newer, nothing else. The key is the one you were given when the share began;
              key.txt holds the one this file claims.
Everything else is the record itself; the format is the product's specification, sections 3, 4, 7 and 8.
"""
