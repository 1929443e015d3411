"""One numbered update of a share: what changed as data, the parts shown, the text sent. Pure.

docs/spec.md section 3 defines every field. `Content` is what the commitment covers; once it is encoded, its bytes are
kept as they are and never encoded again.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from domain.view import ClientView
from projections.proof import tree


class Part(msgspec.Struct, frozen=True, array_like=True):
    """A piece of inert markup with an id of its own.

    A leaf is all `head`. A container is `head`, then its children in order, then `tail`; a changed child is sent alone,
    a changed container (its own markup, or which children in which order) is sent whole.
    """

    id: str
    head: str
    children: tuple[str, ...] = ()
    tail: str = ""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that became different for the client, as data (API, search, mail) and as one list item of markup."""

    kind: str  # "milestone.forecast", "risk.score", "budget.spent", "milestone.added", "milestone.withdrawn", ...
    subject: str  # id of the milestone or risk, "" for the project
    title: str  # "Handover to Acme Rail"
    before: str  # as shown to people: "1 Oct", "" when there was nothing
    after: str  # "5 Oct"
    note: str  # "+4 days"
    why: str  # "Supplier moved the second test slot"
    say: str  # one sentence for assistive technology: "Handover moved from 1 to 5 October"


class Rendered(msgspec.Struct, frozen=True):
    """A view as markup: the parts by id, and the ids of the outermost ones (`roots`) in page order."""

    roots: tuple[str, ...]
    parts: dict[str, Part]
    stylesheet: str  # sha256 hex of the stylesheet this markup is meant for


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What entry n shows to the client, and how it was shown."""

    share: str
    n: int  # 1, 2, 3 ... without gaps
    at: datetime  # recorded, UTC, never earlier than entry n - 1
    terms_version: int
    stylesheet: str  # sha256 hex
    changes: tuple[Change, ...]
    roots: tuple[str, ...]
    parts: tuple[Part, ...]  # those that differ from entry n - 1 (all of them when n = 1)
    removed: tuple[str, ...]  # ids of parts no longer shown
    items: str  # the changes as list items, for "since your last visit"
    body: str  # the message every open dashboard is sent, but for its `root`
    view: str  # the ClientView as JSON, for replay, API and search
    terms: str = ""  # the terms of that version as JSON
    page: str = ""  # sha256 hex of the page after this entry, so that one entry alone proves what was on a screen


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Entry n of one share as recorded: the committed content, its salt, and the tree after it."""

    content: Content
    raw: bytes  # the content as encoded when it was recorded
    salt: bytes  # 32 bytes, destroyed with the content on erasure
    header: bytes
    commitment: bytes
    leaf: bytes
    frontier: tuple[bytes, ...]

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
        return f'{self.content.body[:-1]},"root":"{self.root}"}}'.encode()


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
    view: str  # JSON
    terms: str = ""  # of its version, JSON


class FoldStep(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a content from which the parts of a page are brought forward; decoded without the rest."""

    n: int
    roots: tuple[str, ...]
    parts: tuple[Part, ...]
    removed: tuple[str, ...]


class Keyframe(msgspec.Struct, frozen=True, kw_only=True):
    """All parts after entry n, kept so that assembling a later page need not begin before it."""

    n: int
    roots: tuple[str, ...]
    parts: tuple[Part, ...]


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What stays readable of an entry after its content is erased; a leaf is the hash of it and the commitment."""

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
_step = msgspec.json.Decoder(FoldStep)
_headers = msgspec.json.Decoder(Header)
_views = msgspec.json.Decoder(ClientView)


def digest_of(markup: Iterable[str]) -> str:
    """Return the SHA-256 (hex) of a page, given the markup of its roots in order."""
    return hashlib.sha256("".join(markup).encode()).hexdigest()


def instant(at: datetime) -> str:
    """Return an instant as ISO 8601 in UTC to the second, as clients see it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def header(content: Content) -> bytes:
    """Return the canonical header of a leaf; docs/spec.md 4.1."""
    exact = content.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return _encoder.encode(
        Header(
            share=content.share,
            n=content.n,
            at=exact,
            terms_version=content.terms_version,
            stylesheet=content.stylesheet,
        )
    )


def seal(content: Content, salt: bytes, frontier: Sequence[bytes]) -> Entry:
    """Return the entry that records `content` on top of the tree whose frontier is given."""
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
    )


def open_step(raw: bytes) -> FoldStep:
    """Return the fields of a recorded content that folding needs.

    Raises: msgspec.MsgspecError.
    """
    return _step.decode(raw)


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
