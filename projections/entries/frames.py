"""What differs between two renderings; a share brought forward entry by entry; whole pages as messages. Pure.

docs/spec.md 3.4 and 5.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import compress, filterfalse
from operator import is_not
from typing import TypeVar

import msgspec

from projections.entries.entry import Carried, Keyframe, Rendered
from projections.entries.names import SealedName, keys_in
from projections.entries.parts import Part, instant, instructions, still_with_children, with_children, within

_encoder = msgspec.json.Encoder()
T = TypeVar("T")


class Difference(msgspec.Struct, frozen=True):
    """What is new, different or gone in a rendering, compared with the one before."""

    parts: tuple[Part, ...]  # the targets and all parts inside them
    removed: tuple[str, ...]
    targets: tuple[str, ...]  # the topmost parts that have to be swapped, in page order
    changed: frozenset[str]  # the parts that are new or different


class State(msgspec.Struct, frozen=True):
    """All that a share shows after an entry: parts of the page, sections of the view, sealed names, each by id."""

    parts: Mapping[str, Part] = {}
    sections: Mapping[str, str] = {}
    names: Mapping[str, SealedName] = {}

    def keyframe(self, n: int, roots: tuple[str, ...]) -> Keyframe:
        """Return the state as a keyframe after entry n."""
        return Keyframe(
            n=n, roots=roots, parts=tuple(self.parts.values()), sections=dict(self.sections), names=dict(self.names)
        )


class _Key(msgspec.Struct):
    n: int
    key: bool
    at: str
    content: str
    say: str
    root: str


def difference(
    before: Rendered | None,
    after: Rendered,
    renamed: frozenset[str] = frozenset(),
    containers: frozenset[str] | None = None,
) -> Difference:
    """Return what differs between two renderings; everything when `before` is None.

    Parts with one of the placeholders `renamed` are taken for different, since another name is filled in. `containers`
    are the parts of `before` that have others in them, where they are known.
    """
    old = before.parts if before else {}
    others = compress(after.parts, map(is_not, after.parts.values(), map(old.get, after.parts)))
    changed = {key for key in others if old.get(key) != after.parts[key]}
    if renamed:
        changed |= {key for key, part in after.parts.items() if _names(part) & renamed}
    known = with_children(after.parts) if containers is None else still_with_children(containers, after.parts, changed)
    targets = tuple(_topmost(after.roots, after.parts, changed, known))
    return Difference(
        parts=tuple(within(after.parts, targets)),
        removed=tuple(sorted(filterfalse(after.parts.__contains__, old))),  # as after a restart, so also before
        targets=targets,
        changed=frozenset(changed),
    )


def _names(part: Part) -> frozenset[str]:
    return keys_in(part.head) | keys_in(part.tail)


def _topmost(ids: Iterable[str], parts: Mapping[str, Part], changed: set[str], containers: frozenset[str]) -> list[str]:
    """Return the changed parts that lie in no other changed part, in page order."""
    found: list[str] = []
    looked_at = changed | containers

    def look(keys: Iterable[str]) -> None:
        for key in filter(looked_at.__contains__, keys):
            if key in changed:
                found.append(key)
            else:
                look(parts[key].children)

    look(ids)
    return found


def key_message(n: int, at: datetime, root: str, roots: Mapping[str, str], items: str) -> bytes:
    """Return the message that replaces the whole page, for a viewer who cannot be brought up by single updates."""
    return _encoder.encode(_Key(n, True, instant(at), instructions(roots, items), "", root))


def state_of(keyframe: Keyframe | None) -> State:
    """Return the state that a keyframe keeps, the empty one when there is none."""
    if keyframe is None:
        return State()
    return State({part.id: part for part in keyframe.parts}, keyframe.sections, keyframe.names)


def fold(state: State, carried: Carried) -> State:
    """Return the state after an entry, given the one before it."""
    parts = _folded(state.parts, {part.id: part for part in carried.parts}, carried.removed)
    sections = _folded(state.sections, carried.sections, carried.sections_removed)
    return State(parts, sections, {**state.names, **carried.names} if carried.names else state.names)


def _folded(before: Mapping[str, T], new: Mapping[str, T], gone: Iterable[str]) -> Mapping[str, T]:
    if not new and not gone:
        return before
    left = set(gone)
    return {key: value for key, value in before.items() if key not in left} | dict(new)
