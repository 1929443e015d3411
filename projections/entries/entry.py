"""One numbered update of a share: what changed as data, the parts shown, the text sent. Pure.

docs/spec.md section 3 defines every field, of both formats; new entries are of format 2. `Content` is what the
commitment covers; once it is encoded, its bytes are kept as they are and never encoded again.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from domain.view import ClientView
from projections.entries import names, parts
from projections.entries.names import SealedName
from projections.entries.parts import Part
from projections.proof import tree

FORMAT: Literal[2] = 2  # of new entries


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that became different for the client, as data (API, search, mail) and as one list item of markup.

    Changes of several updates are folded by `subject`, `row` and `field`: the first `was` and the last `now` are the
    net difference. A value that only follows from another one of the same thing, as a slip does from a forecast, has a
    change only where it moves alone, so a reader takes its newest value from the view.
    """

    kind: str  # "milestone.forecast", "risk.score", "budget.spent", "milestone.added", "milestone.withdrawn", ...
    subject: str  # "milestone-m1", "risk-r7", "concern-c1", "budget", "project", "agreement"; format 1: bare id or ""
    title: str  # "Handover to Acme Rail"
    before: str  # as shown to people: "1 Oct", "" when there was nothing
    after: str  # "5 Oct"
    note: str  # "+4 days"
    why: str  # "Supplier moved the second test slot"
    say: str  # one sentence for assistive technology: "Handover moved from 1 to 5 October"
    # format 2 alone
    row: str = ""  # id in domain/catalogue.py: "milestone.forecast"; "" for what no row names, as "was added"
    field: str = ""  # which value of the row: "forecast", "spent"; "" where it is none, as an acknowledgement
    who: str = ""  # name of whoever said or did it, where the view tells it
    was: str = ""  # the value as data: ISO day or instant, number, "1234.50 GBP", word, text; "" where there was none
    now: str = ""


class Rendered(msgspec.Struct, frozen=True):
    """A view as markup: the parts by id, and the ids of the outermost ones (`roots`) in page order."""

    roots: tuple[str, ...]
    parts: dict[str, Part]
    stylesheet: str  # sha256 hex of the stylesheet this markup is meant for
    assets: tuple[str, ...] = ()  # sha256 hex of the fonts and images that the stylesheet names


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What entry n shows to the client, and how it was shown.

    In format 2 a person's name is a placeholder (projections/entries/names.py) wherever it stands.
    """

    format: Literal[1, 2] = 1
    share: str
    n: int  # 1, 2, 3 ... without gaps
    at: datetime  # recorded, UTC, never earlier than entry n - 1
    terms_version: int
    stylesheet: str  # sha256 hex
    changes: tuple[Change, ...]
    roots: tuple[str, ...]
    parts: tuple[Part, ...] = ()  # format 1: those that differ from entry n - 1; format 2: with all parts inside them
    removed: tuple[str, ...] = ()  # ids of parts no longer shown
    items: str = ""  # the changes as list items, for "since your last visit"
    page: str = ""  # of the page after this entry; format 1: sha256 hex of its markup, format 2: hash of part hashes
    # format 1 alone
    body: str = ""  # the message every open dashboard is sent, but for its `root`
    view: str = ""  # the ClientView as JSON, for replay, API and search
    terms: str = ""  # the terms of that version as JSON
    # format 2 alone
    targets: tuple[str, ...] = ()  # ids of the parts that the message replaces, in page order
    say: str = ""  # one sentence for assistive technology
    sections: dict[str, str] = {}  # of the view, those that differ from entry n - 1
    sections_removed: tuple[str, ...] = ()
    sections_hash: str = ""  # of all sections after this entry
    assets: tuple[str, ...] = ()  # sha256 hex of fonts and images that the stylesheet names

    @property
    def carries(self) -> "Carried":
        """The fields that the state after an entry is folded from."""
        return Carried(**{name: getattr(self, name) for name in Carried.__struct_fields__ if name != "names"})


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Entry n of one share as recorded: the committed content, its salt, and the tree after it."""

    content: Content  # with the names of people who are not erased, as it is delivered
    raw: bytes  # the content as encoded when it was recorded
    salt: bytes  # 32 bytes, destroyed with the content on erasure
    header: bytes
    commitment: bytes
    leaf: bytes
    frontier: tuple[bytes, ...]
    names: dict[str, SealedName] = {}  # every name that its own text uses, by key

    @property
    def n(self) -> int:
        """Its number."""
        return self.content.n

    @property
    def root(self) -> str:
        """The tree head after this entry, hex."""
        return tree.root_of(self.frontier).hex()

    @property
    def message(self) -> bytes:
        """The text every open dashboard was sent, exactly: the body with the tree head put in at its end."""
        return f'{body_of(self.content)[:-1]},"root":"{self.root}"}}'.encode()


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Entry n as stored, readable or not, for proofs; `raw` and `salt` are None once it is erased or damaged."""

    n: int
    header: bytes
    commitment: bytes
    leaf: bytes
    frontier: tuple[bytes, ...]
    raw: bytes | None
    salt: bytes | None
    state: Literal["whole", "erased", "damaged"] = "whole"
    names: dict[str, SealedName] = {}  # every name that its own text uses, by key

    @property
    def root(self) -> str:
        """The tree head after this entry, hex."""
        return tree.root_of(self.frontier).hex()


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a share showed at entry n, assembled from recorded parts alone."""

    share: str
    n: int
    at: datetime
    root: str
    terms_version: int
    stylesheet: str
    roots: dict[str, str]  # root id -> markup
    view: ClientView
    terms: str = ""  # of its version, JSON
    changes: tuple[Change, ...] = ()  # what entry n changed


class Carried(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a content from which page and view are brought forward, and the names sealed beside it."""

    n: int
    roots: tuple[str, ...]
    parts: tuple[Part, ...] = ()
    removed: tuple[str, ...] = ()
    sections: dict[str, str] = {}
    sections_removed: tuple[str, ...] = ()
    names: dict[str, SealedName] = {}


class Keyframe(msgspec.Struct, frozen=True, kw_only=True):
    """All parts, sections and names after entry n, so that assembling a later page need not begin before it."""

    n: int
    roots: tuple[str, ...]
    parts: tuple[Part, ...]
    sections: dict[str, str] = {}
    names: dict[str, SealedName] = {}


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What stays readable of an entry after its content is erased; a leaf is the hash of it and the commitment."""

    format: Literal[1, 2] = 1  # written from 2 on
    share: str
    n: int
    at: str
    terms_version: int
    stylesheet: str

    @property
    def instant(self) -> datetime:
        """When the entry was recorded, UTC."""
        return datetime.fromisoformat(self.at)


_encoder = msgspec.json.Encoder(order="sorted")
_content = msgspec.json.Decoder(Content)
_carried = msgspec.json.Decoder(Carried)
_headers = msgspec.json.Decoder(Header)
_views = msgspec.json.Decoder(ClientView)


def digest_of(markup: Iterable[str]) -> str:
    """Return the SHA-256 (hex) of a page, given the markup of its roots in order."""
    return hashlib.sha256("".join(markup).encode()).hexdigest()


def header(content: Content) -> bytes:
    """Return the canonical header of a leaf; docs/spec.md 4.1."""
    exact = content.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return _encoder.encode(
        Header(
            format=content.format,
            share=content.share,
            n=content.n,
            at=exact,
            terms_version=content.terms_version,
            stylesheet=content.stylesheet,
        )
    )


def seal(
    content: Content, salt: bytes, frontier: Sequence[bytes], names: Mapping[str, SealedName] | None = None
) -> Entry:
    """Return the entry that records `content`, with names beside it, on top of the tree whose frontier is given."""
    raw, head = _encoder.encode(content), header(content)
    commitment = tree.commit(salt, raw)
    leaf = tree.leaf_hash(head, commitment)
    return Entry(
        content=content,
        raw=raw,
        salt=salt,
        header=head,
        commitment=commitment,
        leaf=leaf,
        frontier=tree.append(frontier, content.n - 1, leaf),
        names=dict(names or {}),
    )


def delivered(content: Content, called: Mapping[str, str]) -> Content:
    """Return a content with names in place of their placeholders; `called` has those that are not erased, by key."""
    if content.format == 1:
        return content

    def text(value: str) -> str:
        return names.filled(value, called)

    def markup(value: str) -> str:
        return names.filled_markup(value, called)

    def change(row: Change) -> Change:
        return Change(**{name: text(getattr(row, name)) for name in Change.__struct_fields__})

    return msgspec.structs.replace(
        content,
        changes=tuple(map(change, content.changes)),
        parts=tuple(Part(p.id, markup(p.head), p.children, markup(p.tail)) for p in content.parts),
        items=markup(content.items),
        say=text(content.say),
    )


def body_of(content: Content) -> str:
    """Return the message every open dashboard is sent, but for its `root`, of a content as it is delivered."""
    if content.format == 1:
        return content.body
    inside = {part.id: part for part in content.parts}
    roots = {target: parts.markup(inside, target) for target in content.targets}
    return parts.body(content.n, content.at, roots, content.items, content.say)


def open_carried(raw: bytes) -> Carried:
    """Return the fields of a recorded content that folding needs.

    Raises: msgspec.MsgspecError.
    """
    return _carried.decode(raw)


def open_header(header: bytes) -> Header:
    """Return a recorded header.

    Raises: msgspec.MsgspecError.
    """
    return _headers.decode(header)


def open_content(raw: bytes) -> Content:
    """Return the content in recorded bytes.

    Raises: msgspec.MsgspecError.
    """
    return _content.decode(raw)


def open_view(view: str) -> ClientView:
    """Return the view a client was shown, from the `view` of a content or a page (JSON).

    Raises: msgspec.MsgspecError.
    """
    return _views.decode(view)
