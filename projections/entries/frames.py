"""What differs between two renderings, as the message sent to open pages; and recorded parts as markup. Pure.

docs/spec.md 5.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from projections.entries.entry import Content, FoldStep, Part, Rendered, instant

ISLAND = "since"  # id of the list of changes on the page: filled for each viewer, and each message adds to its top
_encoder = msgspec.json.Encoder()


class Difference(msgspec.Struct, frozen=True):
    """What is new, different or gone in a rendering, compared with the one before."""

    parts: tuple[Part, ...]  # new or different
    removed: tuple[str, ...]
    targets: tuple[str, ...]  # the topmost parts that have to be swapped, in page order


class _Frame(msgspec.Struct):
    n: int
    at: str
    content: str
    say: str


class _Key(msgspec.Struct):
    n: int
    key: bool
    at: str
    content: str
    say: str
    root: str


def difference(before: Rendered | None, after: Rendered) -> Difference:
    """Return what differs between two renderings; everything when `before` is None."""
    old = before.parts if before else {}
    changed = {key for key, part in after.parts.items() if old.get(key) != part}
    return Difference(
        parts=tuple(part for key, part in after.parts.items() if key in changed),
        removed=tuple(key for key in old if key not in after.parts),
        targets=tuple(_topmost(after.roots, after.parts, changed)),
    )


def _topmost(ids: Iterable[str], parts: Mapping[str, Part], changed: set[str]) -> Iterable[str]:
    """Yield the changed parts that lie in no other changed part, in page order."""
    for key in ids:
        if key in changed:
            yield key
        else:
            yield from _topmost(parts[key].children, parts, changed)


def markup(parts: Mapping[str, Part], key: str) -> str:
    """Return the whole markup of a part with its children."""
    part = parts[key]
    return part.head + "".join(markup(parts, child) for child in part.children) + part.tail


def partial(target: str, html: str, swap: str = "outerMorph") -> str:
    """Return one instruction of a message: put `html` where the element with the id `target` is."""
    return f'<hx-partial hx-target="#{target}" hx-swap="{swap}">{html}</hx-partial>'


def body(n: int, at: datetime, parts: Mapping[str, Part], targets: Sequence[str], items: str, say: str) -> str:
    """Return the message of entry n without its tree head."""
    content = "".join(partial(target, markup(parts, target)) for target in targets)
    if items:
        content += partial(ISLAND, items, "afterbegin")
    return _encoder.encode(_Frame(n, instant(at), content, say)).decode()


def key_message(n: int, at: datetime, root: str, roots: Mapping[str, str], items: str) -> bytes:
    """Return the message that replaces the whole page, for a viewer who cannot be brought up by single updates."""
    content = "".join(partial(target, html) for target, html in roots.items())
    if items:
        content += partial(ISLAND, items, "afterbegin")
    return _encoder.encode(_Key(n, True, instant(at), content, "", root))


def fold(parts: Mapping[str, Part], content: Content | FoldStep) -> dict[str, Part]:
    """Return the parts of a page after an entry, given those before it."""
    after = {key: part for key, part in parts.items() if key not in content.removed}
    after.update((part.id, part) for part in content.parts)
    return after
