"""Checks the entries and receipt rows of an evidence bundle, line by line; docs/spec.md 8.4 and 8.5. Pure."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from domain.language import gettext as _
from domain.message import UNREADABLE
from projections.entries import frames, sections
from projections.entries import parts as parts_of_page
from projections.entries.entry import Content, Header, digest_of, open_content, open_header
from projections.entries.entry import header as header_of
from projections.entries.frames import State
from projections.entries.names import commitment
from projections.entries.parts import Part, page_hash
from projections.proof import tree
from projections.proof.notes import Checkpoint
from projections.receipts import batches


class Found(msgspec.Struct):
    """What a verification has found so far: problems and notes are sentences for the report."""

    problems: list[str] = []
    notes: list[str] = []
    bad: set[int] = set()  # numbers of bad entries
    heads: dict[int, bytes] = {}  # the tree's head after each entry; of a whole record alone


class EvidenceLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One line: an entry (`n`) or a row of receipts (`k`), as it is written and read; docs/spec.md 8.4."""

    n: int = 0
    k: int = 0
    header: str
    content: str | None
    salt: str | None
    commitment: str
    leaf: str
    proof: list[str] | None = None


class GivenName(msgspec.Struct, frozen=True, kw_only=True):
    """A name beside a bundle, with the salt of its commitment; docs/spec.md 8.3."""

    key: str
    name: str
    salt: str  # hex


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """`base.json` of a bundle of format 2: everything shown after its first entry."""

    parts: list[Part]
    sections: dict[str, str]


class Entries(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to check the entries `first` to `to` of a tree of `size` leaves."""

    share: str
    first: int
    to: int
    size: int
    whole: bool
    files: Iterable[tuple[str, bytes, str]]
    base: str | None
    bases: Mapping[int, str]  # by number, of entries after ones that were erased
    erased: set[int]
    styles: Mapping[str, bytes]
    assets: Mapping[str, bytes]
    format: int  # of the bundle
    names: str | None
    signed: Checkpoint | None
    others: list[Checkpoint]


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed to check the rows of receipts; `heads` are the tree heads of entries by number."""

    share: str
    whole: bool
    files: Iterable[tuple[str, bytes, str]]
    erased: set[int]
    signed: Checkpoint | None
    heads: Mapping[int, bytes]


class Bad(Exception):
    """An entry or a row is bad; says why."""


_line = msgspec.json.Decoder(EvidenceLine)
_parts = msgspec.json.Decoder(list[Part])
_bases = msgspec.json.Decoder(Base)
_given_names = msgspec.json.Decoder(list[GivenName])
_encoder = msgspec.json.Encoder(order="sorted")


def check_entries(asked: Entries, found: Found) -> None:
    """Check every entry, then the tree over all of them; what is wrong is added to `found`."""
    walk = _Walk(asked)
    number = asked.first - 1
    for raw, trouble in _raw_lines(asked.files, asked.first):
        number += 1
        if number > asked.to:
            _bad(
                found,
                number,
                _("update {number} was not to be here: there are lines beyond {to}", number=number, to=asked.to),
            )
            break
        try:
            walk.take(number, raw, trouble)
        except Bad as error:
            _bad(found, number, _("update {number}: {error}", number=number, error=error))
            if walk.lost:
                break
    else:
        if number < asked.to:
            _bad(found, number + 1, _("update {number} is missing", number=number + 1))
    _names(asked, walk.committed, found)
    if asked.whole:
        _heads(asked, walk, found)


def _bad(found: Found, number: int, problem: str) -> None:
    found.bad.add(number)
    if len(found.bad) <= 20:
        found.problems.append(problem)


def _raw_lines(files: Iterable[tuple[str, bytes, str]], first: int) -> Iterator[tuple[bytes, str]]:
    """Yield each line with "", or b"" with what is wrong where the next line should be, and then end."""
    expected = first
    for path, content, trouble in files:
        if int(path.rpartition("/")[2][:9]) != expected:
            yield (
                b"",
                _("{path} begins at another number than expected, which is {expected}", path=path, expected=expected),
            )
            return
        lines = content.split(b"\n")
        for line in lines[:-1]:
            expected += 1
            yield line, ""
        if trouble or lines[-1]:
            yield b"", trouble or _("{path} ends in the middle of a line", path=path)
            return


class _Walk:
    """Checks the entries of one bundle in order, keeping the tree and the parts of the page."""

    def __init__(self, asked: Entries) -> None:
        self._asked = asked
        self._state: State | None = State() if asked.whole else None
        self.committed: set[tuple[str, str]] = set()  # key and commitment of every name in the views
        self._at: datetime | None = None
        self.frontier: tuple[bytes, ...] = ()
        self.size = 0
        self.heads: dict[int, bytes] = {}
        self.lost = False  # the last line could not be read at all, so nothing after it can be located

    def take(self, number: int, raw: bytes, trouble: str) -> None:
        """Check one entry; `trouble` is what kept its line from being read.

        Raises: Bad.
        """
        self.lost = True
        if trouble:
            raise Bad(trouble)
        line = _opened(raw, "n")
        if line.n != number or (line.proof is None) != self._asked.whole:
            raise Bad(_("expected update {number}, the line says {n}", number=number, n=line.n))
        header, leaf = self._leaf(line, number)
        self.lost = False
        self.frontier, self.size = tree.append(self.frontier, self.size, leaf), self.size + 1
        self.heads[number] = tree.root_of(self.frontier)
        earlier, self._at = self._at, header.instant
        content = self._content(line, number)
        self._fold(number, content)
        if earlier is not None and header.instant < earlier:
            raise Bad(_("it was recorded before the one before it (8.5.5)"))
        if content is not None:
            self._style(content)
        self._proof(line, number, leaf)

    def _leaf(self, line: EvidenceLine, number: int) -> tuple[Header, bytes]:
        try:
            header = open_header(line.header.encode())
            exact = _encoder.encode(header).decode() == line.header and batches.exact(header.instant) == header.at
        except UNREADABLE as error:
            raise Bad(_("its header cannot be read: {error} (8.5.2)", error=error)) from error
        leaf = tree.leaf_hash(line.header.encode(), bytes.fromhex(line.commitment))
        if not exact or (header.share, header.n) != (self._asked.share, number) or leaf.hex() != line.leaf:
            raise Bad(_("header and leaf are not those of this update (8.5.2)"))
        return header, leaf

    def _content(self, line: EvidenceLine, number: int) -> Content | None:
        if line.content is None or line.salt is None:
            self._state = None
            if number not in self._asked.erased:
                raise Bad(_("its content is missing, and no erasure statement names it (8.5.4)"))
            return None
        if tree.commit(bytes.fromhex(line.salt), line.content.encode()).hex() != line.commitment:
            self._state = None
            raise Bad(_("its content is not what was committed to (8.5.3)"))
        try:
            content = open_content(line.content.encode())
        except UNREADABLE as error:
            self._state = None
            raise Bad(_("its content cannot be read: {error} (8.5.3)", error=error)) from error
        if header_of(content).decode() != line.header:
            raise Bad(_("its header does not follow from its content (8.5.3)"))
        return content

    def _fold(self, number: int, content: Content | None) -> None:
        begins = not self._asked.whole and number == self._asked.first
        given = self._asked.base if begins else self._asked.bases.get(number)
        if begins or (self._state is None and given is not None):
            try:
                self._state = _base(given, self._asked.format)
            except UNREADABLE as error:
                raise Bad(_("what it is to be put together from cannot be read: {error}", error=error)) from error
        elif self._state is not None and content is not None:
            self._state = frames.fold(self._state, content.carries)
        if self._state is None or content is None:
            self._state = None
            return
        if content.page and _page(self._state, content) != content.page:
            raise Bad(_("the page it folds to is not the page that was shown (8.5.6)"))
        if content.format == 2:
            self._sections(self._state)
            if sections.hash_of(self._state.sections) != content.sections_hash:
                raise Bad(_("the view it folds to is not the view that was recorded (8.5.9)"))

    def _sections(self, state: State) -> None:
        """Note which names were committed to, for `names.json`."""
        try:
            committed = sections.commitments(state.sections)
        except UNREADABLE as error:
            raise Bad(_("its commitments to names cannot be read: {error} (8.5.9)", error=error)) from error
        self.committed.update(committed.items())

    def _style(self, content: Content) -> None:
        css = self._asked.styles.get(content.stylesheet)
        if css is None or hashlib.sha256(css).hexdigest() != content.stylesheet:
            raise Bad(_("its stylesheet is missing or altered (8.5.7)"))
        for digest in content.assets:
            asset = self._asked.assets.get(digest)
            if asset is None or hashlib.sha256(asset).hexdigest() != digest:
                raise Bad(_("a font or image of its stylesheet is missing or altered (8.5.7)"))

    def _proof(self, line: EvidenceLine, number: int, leaf: bytes) -> None:
        if self._asked.whole or self._asked.signed is None:
            return
        path = [bytes.fromhex(step) for step in line.proof or ()]
        if not tree.included(leaf, number - 1, self._asked.size, path, self._asked.signed.root):
            raise Bad(_("its proof does not lead to the signed head (8.5.8)"))


def _base(given: str | None, form: int) -> State:
    """Return what was shown after an entry, as a bundle of a format has it; docs/spec.md 8.3.

    Raises: msgspec.MsgspecError.
    """
    if form == 1:
        return State({part.id: part for part in _parts.decode(given or "[]")})
    base = _bases.decode(given or "{}")
    return State({part.id: part for part in base.parts}, base.sections)


def _page(state: State, content: Content) -> str:
    """Return the hash of the page a state makes up, in the content's format; "" where it makes up none."""
    try:
        if content.format == 2:
            return page_hash(state.parts, content.roots)
        return digest_of(parts_of_page.markup(state.parts, root) for root in content.roots)
    except (KeyError, RecursionError):
        return ""


def _names(asked: Entries, committed: Collection[tuple[str, str]], found: Found) -> None:
    """Compare the names that are given with what was committed to; docs/spec.md 8.5.10."""
    if asked.names is None:
        return
    try:
        given = _given_names.decode(asked.names)
        fits = all((name.key, commitment(bytes.fromhex(name.salt), name.name)) in committed for name in given)
    except UNREADABLE as error:
        found.problems.append(_("names.json cannot be read: {error} (8.5.10)", error=error))
        return
    if not fits:
        found.problems.append(_("names.json gives a name that no update committed to (8.5.10)"))


def _opened(raw: bytes, key: str) -> EvidenceLine:
    """Return a line that has a number under `key`, "n" or "k".

    Raises: Bad.
    """
    try:
        line = _line.decode(raw)
        for text in (line.salt or "", line.commitment, line.leaf, *(line.proof or ())):
            bytes.fromhex(text)
    except UNREADABLE as error:
        raise Bad(_("the line cannot be read: {error} (8.5.1)", error=error)) from error
    if (line.n == 0) != (key != "n") or (line.content is None) != (line.salt is None):
        raise Bad(_("the line is not what 8.4 says (8.5.1)"))
    return line


def _heads(asked: Entries, walk: _Walk, found: Found) -> None:
    """Compare the tree with every checkpoint that was signed; docs/spec.md 8.5."""
    checkpoints = sorted([*asked.others, *([asked.signed] if asked.signed else [])], key=lambda c: c.size)
    first_bad = min(found.bad, default=walk.size + 1)  # it changes every tree that holds it, and is reported itself
    good = 0
    for checkpoint in checkpoints:
        size = checkpoint.size
        if size > walk.size:
            continue
        if (walk.heads[size] if size else tree.EMPTY) == checkpoint.root:
            good = max(good, size)
            continue
        problem = _("the record up to update {size} is not the one that was signed", size=size)
        if size < first_bad:
            _bad(found, good + 1, problem)
        else:
            found.problems.append(problem)
        break
    found.heads.update(walk.heads)


# receipts


def check_rows(asked: Rows, found: Found) -> None:
    """Check every row of receipts, then the tree over a whole record; what is wrong is added to `found`."""
    frontier: tuple[bytes, ...] = ()
    expected, first = 1, True
    for path, content, trouble in asked.files:
        if trouble:
            found.problems.append(f"{path}: {trouble}")
            return
        for raw in content.split(b"\n")[:-1]:
            try:
                line = _opened(raw, "k")
                expected = line.k if first and not asked.whole else expected
                frontier = _row(asked, line, expected, frontier, found)
            except Bad as error:
                found.problems.append(
                    _("row {expected} of the delivery record: {error}", expected=expected, error=error)
                )
                return
            expected, first = expected + 1, False
    if asked.whole and asked.signed is not None:
        _row_tree(expected - 1, frontier, asked.signed, found)


def _row_tree(rows: int, frontier: tuple[bytes, ...], signed: Checkpoint, found: Found) -> None:
    if rows != signed.size:
        found.problems.append(
            _("the delivery record has {expected} rows, {size} were signed for", expected=rows, size=signed.size)
        )
    elif tree.root_of(frontier) != signed.root:
        found.problems.append(_("the delivery record is not the one that was signed"))


def _row(
    asked: Rows, line: EvidenceLine, expected: int, frontier: tuple[bytes, ...], found: Found
) -> tuple[bytes, ...]:
    """Check one row and return the frontier after it.

    Raises: Bad.
    """
    header = line.header.encode()
    leaf = tree.leaf_hash(header, bytes.fromhex(line.commitment))
    if line.k != expected or not batches.says(header, asked.share, expected) or leaf.hex() != line.leaf:
        raise Bad(
            _("it is not row {expected}, or its leaf is not the hash of its header and commitment", expected=expected)
        )
    if line.content is None or line.salt is None:
        if expected not in asked.erased:
            raise Bad(_("its claims are missing, and no statement names it"))
    elif tree.commit(bytes.fromhex(line.salt), line.content.encode()).hex() != line.commitment:
        raise Bad(_("its claims are not what was committed to"))
    else:
        _claims(asked, line.content, found)
    if not asked.whole and asked.signed is not None:
        path = [bytes.fromhex(step) for step in line.proof or ()]
        if not tree.included(leaf, expected - 1, asked.signed.size, path, asked.signed.root):
            raise Bad(_("its proof does not lead to the signed head"))
    return tree.append(frontier, expected - 1, leaf) if asked.whole else frontier


def _claims(asked: Rows, content: str, found: Found) -> None:
    """Note each claim of another tree head than the record has at that number."""
    try:
        claims = batches.open_claims(content.encode(), asked.share)
    except UNREADABLE as error:
        raise Bad(_("its claims cannot be read: {error}", error=error)) from error
    for claim in claims:
        head = asked.heads.get(claim.n)
        if claim.head and head is not None and not head.hex().startswith(claim.head):
            claimed = _(
                "A page of {person} held another head at update {n}: {head}.",
                person=claim.person,
                n=claim.n,
                head=claim.head,
            )
            found.notes.append(_("{told} The page or the record is wrong; only a person can say which.", told=claimed))
