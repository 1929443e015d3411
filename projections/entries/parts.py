"""Parts of a page: markup by id, how they make up the page, its hash, and the message that replaces some of them. Pure.

docs/spec.md 3.4, 3.8 and 5.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import compress
from operator import attrgetter

import msgspec

ISLAND = "since"  # id of the list of changes on the page: filled for each viewer, and each message adds to its top
_encoder = msgspec.json.Encoder()


class Part(msgspec.Struct, frozen=True, array_like=True):
    """A piece of inert markup with an id of its own.

    A leaf is all `head`. A container is `head`, then its children in order, then `tail`; a changed child is sent alone,
    a changed container (its own markup, or which children in which order) is sent whole.
    """

    id: str
    head: str
    children: tuple[str, ...] = ()
    tail: str = ""


class _Body(msgspec.Struct):
    n: int
    at: str
    content: str
    say: str


def instant(at: datetime) -> str:
    """Return an instant as ISO 8601 in UTC to the second, as clients see it; the year has four digits."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def markup(parts: Mapping[str, Part], key: str) -> str:
    """Return the whole markup of a part with its children."""
    part = parts[key]
    return part.head + "".join(markup(parts, child) for child in part.children) + part.tail


_children = attrgetter("children")


def with_children(parts: Mapping[str, Part]) -> frozenset[str]:
    """Return the ids of the parts that have others in them."""
    return frozenset(compress(parts, map(_children, parts.values())))


def still_with_children(known: frozenset[str], parts: Mapping[str, Part], changed: Iterable[str]) -> frozenset[str]:
    """Return what `with_children` does; `known` had others in them before, and no part but these has changed since."""
    return frozenset([key for key in {*known, *changed} if key in parts and parts[key].children])


def within(parts: Mapping[str, Part], keys: Iterable[str]) -> list[Part]:
    """Return some parts and all parts inside them, each before those in it."""
    found: list[Part] = []
    for key in keys:
        found += [parts[key], *within(parts, parts[key].children)]
    return found


def partial(target: str, html: str, swap: str = "outerMorph") -> str:
    """Return one instruction of a message: put `html` where the element with the id `target` is."""
    return f'<hx-partial hx-target="#{target}" hx-swap="{swap}">{html}</hx-partial>'


def instructions(roots: Mapping[str, str], items: str) -> str:
    """Return the content of a message: markup by target, and the changes for the top of their list."""
    content = "".join(partial(target, html) for target, html in roots.items())
    return content + partial(ISLAND, items, "afterbegin") if items else content


def body(n: int, at: datetime, roots: Mapping[str, str], items: str, say: str) -> str:
    """Return the message of entry n without its tree head; `roots` is the markup to replace, by target."""
    return _encoder.encode(_Body(n, instant(at), instructions(roots, items), say)).decode()


# the hash of a page, over the hashes of its parts


class Hashes(msgspec.Struct, frozen=True):
    """The hash of each part of a rendering, with all parts inside it."""

    parts: Mapping[str, Part]
    of: Mapping[str, bytes]
    containers: frozenset[str]  # the parts that have others in them

    def page(self, roots: Sequence[str]) -> str:
        """Return the hash of the page (hex), as `page_hash` does."""
        return hashlib.sha256(b"".join(self.of[root] for root in roots)).hexdigest()

    def after(self, parts: Mapping[str, Part], changed: Collection[str]) -> "Hashes":
        """Return the hashes of the next rendering, of which these parts are new or different from this one."""
        known = {**self.of}
        if self.parts.keys() != parts.keys():
            for gone in self.parts.keys() - parts.keys():
                del known[gone]
        containers = still_with_children(self.containers, parts, changed)
        others = set(changed)  # whose hash is another one, with what is inside them
        for key in others - containers:
            known[key] = _hash(parts[key], b"")
        looked: set[str] = set()

        def look(key: str) -> None:
            looked.add(key)
            part = parts[key]
            for inside in containers.intersection(part.children) - looked:
                look(inside)
            if key in others or not others.isdisjoint(part.children):
                others.add(key)
                known[key] = _hash(part, b"".join(map(known.__getitem__, part.children)))

        for key in containers:
            if key not in looked:
                look(key)
        return Hashes(parts, known, containers)


NO_HASHES = Hashes({}, {}, frozenset())


def _hash(part: Part, inside: bytes) -> bytes:
    head, tail = hashlib.sha256(part.head.encode()).digest(), hashlib.sha256(part.tail.encode()).digest()
    return hashlib.sha256(part.id.encode() + b"\0" + head + inside + tail).digest()


def part_hash(parts: Mapping[str, Part], key: str) -> bytes:
    """Return the hash of a part with all parts inside it.

    Raises: KeyError when one is missing, RecursionError when one is inside itself.
    """
    part = parts[key]
    return _hash(part, b"".join(part_hash(parts, child) for child in part.children))


def page_hash(parts: Mapping[str, Part], roots: Sequence[str]) -> str:
    """Return the hash of a page (hex) over the hashes of its outermost parts.

    Raises: KeyError, RecursionError, as `part_hash`.
    """
    return hashlib.sha256(b"".join(part_hash(parts, root) for root in roots)).hexdigest()
