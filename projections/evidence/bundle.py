"""The evidence bundle: one file from which anyone can check, without us, what a share was shown. docs/spec.md 8.

Rule: nothing of the record is computed anew and nothing is left out silently; what cannot be read is written as
missing, and the verifier says so.
"""

import base64
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from domain.language import gettext as _
from projections.entries.entry import Content, Kept, open_content
from projections.evidence.leaves import BATCH
from projections.evidence.notary import Differs, Notary, Signed
from projections.installation.folder import Logs
from projections.proof import notes, tree
from projections.receipts.batches import BatchRow
from projections.replay import pages
from projections.verify import container

FORMAT = 1
LINES = 100  # of one file
Kind = Literal["share", "period", "entry"]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`bundle.json`."""

    format: int
    kind: Kind
    share: str
    name: str
    first: int = msgspec.field(name="from")
    to: int
    size: int
    receipts: bool
    made_at: str
    organisation: str
    client: str
    project: str


class EvidenceLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An entry or a row of receipts, docs/spec.md 8.4."""

    n: int | None = None
    k: int | None = None
    header: str
    content: str | None
    salt: str | None
    commitment: str
    leaf: str
    proof: list[str] | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle is to hold. `first` and `to` are entry numbers."""

    share: str
    kind: Kind = "share"
    first: int = 1
    to: int = 0
    receipts: bool = False
    organisation: str = ""
    client: str = ""
    project: str = ""


class ReadablePage(msgspec.Struct, frozen=True, kw_only=True):
    """What the readable page is made of."""

    manifest: Manifest
    checkpoint: Signed
    contents: list[tuple[int, Content | None, str]]  # number, content where it is there, leaf (hex)
    rows: list[BatchRow]
    key: str


class NothingYet(Exception):
    """The share has no entry, or no checkpoint can be signed for it."""


_encode = msgspec.json.Encoder().encode


def build(
    folder: Logs,
    notary: Notary,
    wanted: Wanted,
    *,
    now: datetime,
    verifier: bytes,
    readable: Callable[[ReadablePage], bytes],
) -> bytes:
    """Return the bundle; a checkpoint is signed for it when the newest one does not cover what is wanted.

    Raises: NothingYet.
    """
    checkpoint = _checkpoint(notary, wanted)
    size = checkpoint.checkpoint.size
    to = size if wanted.kind == "share" else wanted.to
    manifest = Manifest(
        format=FORMAT, kind=wanted.kind, share=wanted.share, name=notary.key.name,
        first=1 if wanted.kind == "share" else wanted.first, to=to, size=size, receipts=False,
        made_at=f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        organisation=wanted.organisation, client=wanted.client, project=wanted.project,
    )  # fmt: skip
    files: dict[str, bytes] = {
        "key.txt": notary.verification_key.encode() + b"\n",
        "checkpoint.note": checkpoint.note.encode(),
        "verify.py": verifier,
        "README.txt": README,
    }
    for k, note in enumerate(notary.rotations, 1):
        files[f"rotations/{k:06}.note"] = note.encode()
    for line in folder.ledger.of("time-stamped", notary.origin(wanted.share)):
        stamped, _, token = line.statement.text.partition(" ")
        files[f"timestamps/{int(stamped):09}.tsr"] = base64.b64decode(token)
    told = _entries(folder, manifest, files)
    if wanted.kind == "share":
        for signed in notary.all(notary.origin(wanted.share)):
            if signed.checkpoint.size < size:
                files[f"checkpoints/{signed.checkpoint.size:09}.note"] = signed.note.encode()
    else:
        folded = pages.fold(folder.disclosure, wanted.share, manifest.first)
        files["base.json"] = _encode(list(folded.parts.values()) if folded else [])
    rows = _receipts(folder, notary, manifest, files) if wanted.receipts else None
    manifest = msgspec.structs.replace(manifest, receipts=rows is not None)
    _erasures(folder, wanted.share, files, with_rows=rows is not None)
    for digest in {content.stylesheet for _, content, _ in told if content}:
        files[f"stylesheets/{digest}.css"] = folder.disclosure.stylesheet(digest) or b""
    page = ReadablePage(
        manifest=manifest, checkpoint=checkpoint, contents=told, rows=rows or [], key=notary.verification_key
    )
    files |= {"bundle.json": msgspec.json.format(_encode(manifest), indent=2) + b"\n", "index.html": readable(page)}
    return _sealed(notary, files)


def _sealed(notary: Notary, files: dict[str, bytes]) -> bytes:
    members = [container.pack(path, files[path]) for path in sorted(files)]
    lines = "".join(f"{member.digest} {member.path}\n" for member in members)
    note = notes.sign(f"{notary.key.name}/bundle\n{FORMAT}\n{lines}", notary.key)
    return container.write([container.pack(container.NOTE, note.encode()), *members])


def _checkpoint(notary: Notary, wanted: Wanted) -> Signed:
    try:
        found = notary.share(wanted.share)
    except Differs:  # then the record as it is must be seen by those who check, with what was signed before
        found = notary.newest(notary.origin(wanted.share))
    if found is None:
        raise NothingYet(_("Share {share!r} has no update yet, so there is nothing to prove.", share=wanted.share))
    return found


# entries


def _entries(folder: Logs, manifest: Manifest, files: dict[str, bytes]) -> list[tuple[int, Content | None, str]]:
    share, told = manifest.share, list[tuple[int, Content | None, str]]()
    proofs = None if manifest.kind == "share" else tree.Subtrees(_all_leaves(folder, share, manifest.size))
    lines: list[bytes] = []
    start = manifest.first
    for kept in _kept(folder, share, manifest.first - 1, manifest.to):
        proof = proofs.inclusion(kept.n - 1) if proofs and kept.n <= proofs.size else None
        lines.append(_encode(_entry_line(kept, proof)))
        content = open_content(kept.raw) if kept.raw is not None else None
        told.append((kept.n, content, kept.leaf.hex()))
        if len(lines) == LINES:
            files[f"entries/{start:09}.jsonl"] = b"\n".join(lines) + b"\n"
            lines, start = [], start + LINES
    if lines:
        files[f"entries/{start:09}.jsonl"] = b"\n".join(lines) + b"\n"
    return told


def _entry_line(kept: Kept, proof: Sequence[bytes] | None) -> EvidenceLine:
    return EvidenceLine(
        n=kept.n,
        header=_text(kept.header) or "",
        content=_text(kept.raw),
        salt=kept.salt.hex() if kept.salt is not None else None,
        commitment=kept.commitment.hex(),
        leaf=kept.leaf.hex(),
        proof=None if proof is None else [step.hex() for step in proof],
    )


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="replace")


def _kept(folder: Logs, share: str, after: int, upto: int) -> Iterator[Kept]:
    while after < upto and (found := folder.disclosure.kept(share, after, BATCH, upto)):
        yield from found
        after = found[-1].n


def _all_leaves(folder: Logs, share: str, size: int) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < size and (more := folder.disclosure.leaves(share, len(found), 2000, size)):
        found += more
    return found


# receipts


def _receipts(folder: Logs, notary: Notary, manifest: Manifest, files: dict[str, bytes]) -> list[BatchRow] | None:
    share = manifest.share
    try:
        signed = notary.receipts(share)
    except Differs:
        signed = notary.newest(notary.receipts_origin(share))
    if signed is None:
        return None
    size = signed.checkpoint.size
    files["receipts.note"] = signed.note.encode()
    after, upto = (0, size) if manifest.kind == "share" else _span(folder, manifest, size)
    proofs = None if manifest.kind == "share" else tree.Subtrees(_row_leaves(folder, share, size))
    rows: list[BatchRow] = []
    while after < upto and (found := folder.receipts.rows(share, after, LINES, upto)):
        lines = [_encode(_row_line(one, proofs.inclusion(one.k - 1) if proofs else None)) for one in found]
        files[f"receipts/{found[0].k:09}.jsonl"] = b"\n".join(lines) + b"\n"
        rows += found
        after = found[-1].k
    return rows


def _span(folder: Logs, manifest: Manifest, size: int) -> tuple[int, int]:
    """Return the rows recorded while the wanted entries were the newest."""
    begin = folder.disclosure.recorded_at(manifest.share, manifest.first)
    end = folder.disclosure.recorded_at(manifest.share, manifest.to + 1)
    after = folder.receipts.row_at(manifest.share, begin) if begin else 0
    upto = folder.receipts.row_at(manifest.share, end) + 1 if end else size
    return after, min(upto, size)


def _row_leaves(folder: Logs, share: str, size: int) -> list[bytes]:
    found: list[bytes] = []
    while len(found) < size and (rows := folder.receipts.rows(share, len(found), 1000, size)):
        found += [tree.leaf_hash(one.header, one.commitment) for one in rows]
    return found


def _row_line(one: BatchRow, proof: Sequence[bytes] | None) -> EvidenceLine:
    return EvidenceLine(
        k=one.k,
        header=_text(one.header) or "",
        content=_text(one.content),
        salt=one.salt.hex() if one.salt is not None else None,
        commitment=one.commitment.hex(),
        leaf=one.leaf.hex(),
        proof=None if proof is None else [step.hex() for step in proof],
    )


def _erasures(folder: Logs, share: str, files: dict[str, bytes], *, with_rows: bool) -> None:
    kinds = ("entries-erased", "receipts-expired") if with_rows else ("entries-erased",)
    found = [line.statement.text for kind in kinds for line in folder.ledger.of(kind, share)]
    for k, note in enumerate(found, 1):
        files[f"erasures/{k:06}.note"] = note.encode()


README = b"""Evidence of what a Fanlight share was shown.

index.html    read it in a browser (it needs no network)
verify.py     check it: python3 verify.py THIS_FILE.zip --key YOUR_KEY
              Python 3.11 or newer, nothing else. The key is the one you were given when the share began;
              key.txt holds the one this file claims.
Everything else is the record itself; the format is the product's specification, sections 3, 4, 7 and 8.
"""
