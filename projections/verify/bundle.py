"""Checks an evidence bundle by docs/spec.md 8, on its bytes alone. Pure.

Rule: no code that writes the record is used, everything that can be checked is checked, and whatever is wrong is a
sentence in the report, never an exception.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from domain.language import gettext as _
from domain.message import UNREADABLE
from projections.proof import notes
from projections.proof.notes import BadNote, Checkpoint
from projections.verify.container import ALL, NOTE, BadContainer, ZipMember, read
from projections.verify.lines import Entries, Found, Rows, check_entries, check_rows

MEMBERS = re.compile(
    r"bundle\.note|bundle\.json|key\.txt|checkpoint\.note|base\.json|receipts\.note|index\.html|verify\.py|README\.txt"
    r"|rotations/\d{6}\.note|checkpoints/\d{9}\.note|entries/\d{9}\.jsonl|receipts/\d{9}\.jsonl|erasures/\d{6}\.note"
    r"|stylesheets/[0-9a-f]{64}\.css|timestamps/\d{9}\.tsr|assets/[0-9a-f]{64}|names\.json|bases/\d{9}\.json"
)
ALWAYS = (NOTE, "bundle.json", "key.txt", "checkpoint.note", "index.html", "verify.py", "README.txt")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`bundle.json` (docs/spec.md 8.3), as far as it is checked: the updates `first` to `to` of a tree of `size`."""

    format: Literal[1, 2]
    kind: Literal["share", "period", "entry"]
    share: str
    name: str
    first: int = msgspec.field(name="from")
    to: int
    size: int
    receipts: bool

    @property
    def origin(self) -> str:
        """The origin of the share's tree."""
        return f"{self.name}/share/{self.share}"


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a verification; docs/spec.md 8.7."""

    accepted: bool
    first_bad: int | None
    problems: list[str]
    notes: list[str]
    kind: str
    share: str
    first: int = msgspec.field(name="from")
    to: int
    key: Literal["given", "bundle"]


_manifest = msgspec.json.Decoder(Manifest)


def check(data: bytes, key: str | None = None, checkpoints: Sequence[bytes] = (), *, most: int = ALL) -> VerifyReport:
    """Return the report on a bundle; `key` is a verification key and `checkpoints` are notes, both kept elsewhere.

    One whose files would be larger than `most` bytes together is rejected before anything is inflated.
    """
    found = Found()
    manifest: Manifest | None = None
    try:
        files, same = read(data, most)
    except BadContainer as error:
        found.problems.append(str(error))
    else:
        if not same:
            found.problems.append(_("the container holds bytes that do not follow from its files (8.1)"))
        manifest = _Bundle(files, found).check(key, checkpoints)
    return VerifyReport(
        accepted=not found.problems,
        first_bad=min(found.bad, default=None),
        problems=found.problems,
        notes=found.notes,
        kind=manifest.kind if manifest else "",
        share=manifest.share if manifest else "",
        first=manifest.first if manifest else 0,
        to=manifest.to if manifest else 0,
        key="given" if key else "bundle",
    )


class _Bundle:
    """Checks the files of one bundle; what is wrong is added to `found`."""

    def __init__(self, files: Mapping[str, ZipMember], found: Found) -> None:
        self._files, self._found = files, found
        self._keys: list[bytes] = []

    def check(self, key: str | None, checkpoints: Sequence[bytes]) -> Manifest | None:
        """Check everything that can be checked; return the manifest where it can be read."""
        self._members()
        manifest = self._manifest()
        self._trust(manifest, key)
        self._sealed(manifest)
        if manifest is None:
            return None
        signed = self._checkpoint("checkpoint.note", manifest.origin)
        if signed is not None and signed.size != manifest.size:
            self._wrong(
                _(
                    "checkpoint.note covers {size} updates, but bundle.json says {manifest_size}",
                    size=signed.size,
                    manifest_size=manifest.size,
                )
            )
        self._entries(manifest, signed, checkpoints)
        if manifest.receipts:
            self._receipts(manifest)
        return manifest

    def _wrong(self, problem: str) -> None:
        self._found.problems.append(problem)

    def _text(self, path: str) -> str | None:
        member = self._files.get(path)
        if member is None:
            return None
        try:
            return member.content().decode()
        except (BadContainer, UnicodeDecodeError) as error:
            self._wrong(_("{path} cannot be read: {error}", path=path, error=error))
            return None

    def _named(self, folder: str) -> list[str]:
        return sorted(path for path in self._files if path.startswith(f"{folder}/") and MEMBERS.fullmatch(path))

    # 8.2, 8.3

    def _members(self) -> None:
        for path in self._files:
            if not MEMBERS.fullmatch(path):
                self._wrong(_("{path} does not belong in a bundle (8.3)", path=path))
        for path in ALWAYS:
            if path not in self._files:
                self._wrong(_("{path} is missing (8.3)", path=path))

    def _manifest(self) -> Manifest | None:
        text = self._text("bundle.json")
        if text is None:
            return None
        try:
            m = _manifest.decode(text)
        except UNREADABLE as error:
            self._wrong(_("bundle.json is not what 8.3 says: {error}", error=error))
            return None
        if not self._possible(m):
            return None
        self._expected(m)
        return m

    def _possible(self, m: Manifest) -> bool:
        """Tell whether the numbers of a manifest can be."""
        wide = m.kind == "share" and (m.first, m.to) != (1, m.size)
        if wide or not 1 <= m.first <= m.to <= m.size or (m.kind == "entry" and m.first != m.to):
            self._wrong(
                _(
                    "bundle.json says {kind} from {first} to {to} of {size}, which cannot be (8.5)",
                    kind=m.kind,
                    first=m.first,
                    to=m.to,
                    size=m.size,
                )
            )
            return False
        return True

    def _expected(self, m: Manifest) -> None:
        """Compare the files with those that a bundle of this kind has."""
        allowed = {"base.json"} if m.kind != "share" else set[str]()
        allowed |= {"receipts.note"} if m.receipts else set()
        for path in ("base.json", "receipts.note"):
            if (path in self._files) != (path in allowed):
                self._wrong(
                    _(
                        "{path} is {missing} (8.3)",
                        path=path,
                        missing=_("missing") if path in allowed else _("not expected here"),
                    )
                )
        if (self._named("checkpoints") and m.kind != "share") or (self._named("receipts") and not m.receipts):
            self._wrong(_("there are files that do not belong in a bundle of this kind (8.3)"))

    def _trust(self, manifest: Manifest | None, given: str | None) -> None:
        inside = self._text("key.txt")
        rotations = [text for path in self._named("rotations") if (text := self._text(path)) is not None]
        try:
            name, key = notes.open_key(given if given is not None else inside or "")
            if manifest is not None and name != manifest.name:
                self._wrong(
                    _(
                        "the key is that of {name}, but the bundle is of {manifest_name} (8.6)",
                        name=name,
                        manifest_name=manifest.name,
                    )
                )
            self._keys = notes.trusted(name, key, rotations)
            if given is not None and inside is not None:
                name_inside, key_inside = notes.open_key(inside)
                if name_inside != name or key_inside not in self._keys:
                    self._wrong(_("key.txt holds another key than the one given, and no rotation leads to it (8.6)"))
        except BadNote as error:
            self._wrong(_("the key cannot be used: {error}", error=error))
        if given is None:
            self._found.notes.append(
                _("The key was taken from the bundle itself. Compare it with the one you were given.")
            )

    def _sealed(self, manifest: Manifest | None) -> None:
        text = self._note(NOTE)
        if text is None:
            return
        lines = text.split("\n")
        formats = (str(manifest.format),) if manifest else ("1", "2")
        if len(lines) < 3 or lines[1] not in formats or (manifest and lines[0] != f"{manifest.name}/bundle"):
            self._wrong(_("bundle.note is not the list of files that 8.2 asks for"))
            return
        listed = [f"{m.digest} {path}" for path, m in sorted(self._files.items()) if path != NOTE]
        for line in sorted(set(listed) ^ set(lines[2:-1])):
            path = line[65:]
            self._wrong(_("{path} is not the file that was signed for (8.2)", path=path)) if line in listed else None
            if path not in self._files:
                self._wrong(_("{path} was signed for and is missing (8.2)", path=path))
        if not set(listed) ^ set(lines[2:-1]) and lines[2:-1] != listed:
            self._wrong(_("bundle.note lists the files in another order (8.2)"))

    # notes

    def _note(self, path: str) -> str | None:
        text = self._text(path)
        if text is None:
            return None
        try:
            return notes.verify(text, self._keys)
        except BadNote as error:
            self._wrong(f"{path}: {error}")
            return None

    def _checkpoint(self, path: str, origin: str) -> Checkpoint | None:
        text = self._note(path)
        if text is None:
            return None
        try:
            checkpoint = notes.open_checkpoint(text)
        except BadNote as error:
            self._wrong(f"{path}: {error}")
            return None
        if checkpoint.origin != origin:
            self._wrong(
                _(
                    "{path} is a checkpoint of {found_origin}, expected {origin}",
                    path=path,
                    found_origin=checkpoint.origin,
                    origin=origin,
                )
            )
            return None
        return checkpoint

    def _erased(self, origin: str) -> set[int]:
        numbers: set[int] = set()
        for path in self._named("erasures"):
            text = self._note(path)
            try:
                if text is not None and notes.origin_of(text) == f"{origin}/erasures":
                    numbers |= notes.erased(text, origin)
            except BadNote as error:
                self._wrong(f"{path}: {error}")
        return numbers

    # entries and receipts

    def _entries(self, m: Manifest, signed: Checkpoint | None, given: Sequence[bytes]) -> None:
        earlier = [c for path in self._named("checkpoints") if (c := self._earlier(path, m)) is not None]
        pinned = self._pinned(m, given, signed)
        styles = {path[12:76]: self._files[path].content() for path in self._named("stylesheets") if self._opens(path)}
        bases = {int(path[6:15]): text for path in self._named("bases") if (text := self._text(path)) is not None}
        check_entries(
            Entries(
                share=m.share, first=m.first, to=m.to, size=m.size, whole=m.kind == "share",
                files=self._lines("entries"), base=self._text("base.json"), erased=self._erased(m.origin),
                styles=styles, signed=signed, others=[*earlier, *pinned],
                bases=bases, assets=self._assets(), format=m.format, names=self._text("names.json"),
            ),
            self._found,
        )  # fmt: skip

    def _assets(self) -> dict[str, bytes]:
        paths = [path for path in self._named("assets") if self._opens(path)]
        return {path.removeprefix("assets/"): self._files[path].content() for path in paths}

    def _opens(self, path: str) -> bool:
        """Tell whether a file can be read to its end."""
        try:
            self._files[path].content()
        except BadContainer:
            return False
        return True

    def _earlier(self, path: str, m: Manifest) -> Checkpoint | None:
        checkpoint = self._checkpoint(path, m.origin)
        if checkpoint is not None and (checkpoint.size != int(path[12:21]) or checkpoint.size >= m.size):
            self._wrong(_("{path} is of {size} updates", path=path, size=checkpoint.size))
            return None
        return checkpoint

    def _pinned(self, m: Manifest, given: Sequence[bytes], signed: Checkpoint | None) -> list[Checkpoint]:
        """Return the checkpoints kept elsewhere with which the tree of a whole record is to be compared; 8.6."""
        comparable: list[Checkpoint] = []
        for note in given:
            try:
                checkpoint = notes.open_checkpoint(notes.verify(note.decode(), self._keys))
            except (BadNote, UnicodeDecodeError) as error:
                self._wrong(_("a checkpoint you gave cannot be used: {error}", error=error))
                continue
            if checkpoint.origin != m.origin:
                self._wrong(
                    _(
                        "a checkpoint you gave is of {origin}, expected {m_origin}",
                        origin=checkpoint.origin,
                        m_origin=m.origin,
                    )
                )
            elif m.kind != "share":
                self._pin_part(m, checkpoint, signed)
            elif checkpoint.size <= m.size:
                comparable.append(checkpoint)
            else:
                self._found.bad.add(m.size + 1)
                self._wrong(
                    _(
                        "the record was cut: {size} updates were signed for, {m_size} are here (8.6)",
                        size=checkpoint.size,
                        m_size=m.size,
                    )
                )
        return comparable

    def _pin_part(self, m: Manifest, checkpoint: Checkpoint, signed: Checkpoint | None) -> None:
        """Compare a checkpoint kept elsewhere with a part of a record."""
        if checkpoint.size != m.size:
            self._found.notes.append(
                _("A checkpoint of {size} updates cannot be compared with a part (8.6).", size=checkpoint.size)
            )
        elif signed is not None and checkpoint.root != signed.root:
            self._wrong(_("a checkpoint you gave has another head at the same size (8.6)"))

    def _receipts(self, m: Manifest) -> None:
        origin = f"{m.origin}/receipts"
        signed = self._checkpoint("receipts.note", origin)
        check_rows(
            Rows(
                share=m.share, whole=m.kind == "share", files=self._lines("receipts"),
                erased=self._erased(origin), signed=signed, heads=self._found.heads,
            ),
            self._found,
        )  # fmt: skip

    def _lines(self, folder: str) -> Iterable[tuple[str, bytes, str]]:
        """Yield path, what can be inflated of the file, and what is wrong with the rest of it."""
        for path in self._named(folder):
            yield path, *self._files[path].readable()
