"""Makes the next entry of a share: the world is revealed, rendered and sealed. Reads no clock and writes nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from domain.agreement.share import Share
from domain.agreement.terms import Terms
from domain.ids import ShareId
from domain.reveal.policy import reveal
from domain.view import ClientView
from projections.entries import frames
from projections.entries.entry import Change, Content, Entry, Keyframe, Part, Rendered, digest_of, seal
from projections.events.world import World, names
from projections.logs.disclosure_log import DisclosureLog

KEYFRAME_EVERY = 50  # entries between keyframes, the most that are folded to open a page


class Renderer(Protocol):
    """How a view becomes markup and words. Passed in where the server is built."""

    @property
    def stylesheet(self) -> str:
        """The sha256 hex of the stylesheet."""

    @property
    def css(self) -> bytes:
        """The stylesheet itself."""

    def render(self, view: ClientView) -> Rendered:
        """Return the view as markup."""

    def changes(self, previous: ClientView | None, view: ClientView) -> tuple[Change, ...]:
        """Return what became different, most important first."""

    def items(self, changes: Sequence[Change], n: int, at: datetime, time_zone: str) -> str:
        """Return the changes as list items."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a share shows now, which the next entry is numbered and compared by; all empty before the first."""

    n: int = 0
    at: datetime = datetime.min.replace(tzinfo=UTC)
    frontier: tuple[bytes, ...] = ()
    rendered: Rendered | None = None
    view: ClientView | None = None
    since_key: int = 0  # entries since the last keyframe


class Made(msgspec.Struct, frozen=True):
    """One entry made, and what the share shows after it."""

    entry: Entry
    shown: Shown
    keyframe: Keyframe | None  # where one is due


class NextView(msgspec.Struct, frozen=True, kw_only=True):
    """The view that entry `n` of a share is to disclose, and the terms that allow it."""

    share: str
    n: int
    at: datetime  # UTC
    view: ClientView
    terms: Terms


_view_decoder = msgspec.json.Decoder(ClientView)
_json = msgspec.json.Encoder(order="sorted")


def restore(disclosure: DisclosureLog, share: str) -> Shown:
    """Return what a share shows now, read from its log."""
    last = disclosure.last(share)
    if last is None:
        return Shown()
    key = disclosure.keyframe(share, last.n) or Keyframe(n=0, roots=(), parts=())
    parts: dict[str, Part] = {part.id: part for part in key.parts}
    for step in disclosure.steps(share, key.n, last.n):
        parts = frames.fold(parts, step)
    return Shown(
        n=last.n,
        at=last.content.at,
        frontier=last.frontier,
        rendered=Rendered(last.content.roots, parts, last.content.stylesheet),
        view=_view_decoder.decode(last.content.view),
        since_key=last.n - key.n,
    )


def disclose(
    world: World, share: ShareId, shown: Shown, renderer: Renderer, now: datetime, salt: Callable[[str, int], bytes]
) -> Made | None:
    """Return the next entry of a share, or None when its client would see nothing new.

    `now` is UTC; the entry is dated then, or as the entry before it when that is later. `salt(share, n)` gives the 32
    secret bytes of its commitment; docs/spec.md 4.1.
    """
    view = revealed(world, share, now)
    if view is None or view == shown.view:
        return None
    n, at = shown.n + 1, max(now, shown.at)
    due = NextView(share=share, n=n, at=at, view=view, terms=world.shares[share].terms)
    content, rendered = compose(due, shown, renderer)
    entry = seal(content, salt(share, n), shown.frontier)
    key = n == 1 or shown.since_key + 1 >= KEYFRAME_EVERY
    after = Shown(
        n=n,
        at=at,
        frontier=entry.frontier,
        rendered=rendered,
        view=view,
        since_key=0 if key else shown.since_key + 1,
    )
    keyframe = Keyframe(n=n, roots=rendered.roots, parts=tuple(rendered.parts.values())) if key else None
    return Made(entry, after, keyframe)


def revealed(world: World, share: ShareId, now: datetime) -> ClientView | None:
    """Return what the client of a share may know of the world now; None unless the share is in force at `now`."""
    agreed = world.shares[share]
    if not agreed.active or agreed.ended_on(now) is not None:
        return None
    return released_view_of(world, agreed)


def released_view_of(world: World, share: Share) -> ClientView:
    """Return what the client of a share may know under its newest version, without what waits for review."""
    called = names(world, share)
    return reveal(
        world.released(share),
        share,
        organisation=called.organisation,
        client=called.client,
        time_zone=called.time_zone,
        called=called.called,
    )


def compose(due: NextView, shown: Shown, renderer: Renderer) -> tuple[Content, Rendered]:
    """Return the content of the entry that discloses `due` after what is shown so far, and its view as markup."""
    n, at, view = due.n, due.at, due.view
    rendered = renderer.render(view)
    difference = frames.difference(shown.rendered, rendered)
    changes = renderer.changes(shown.view, view)
    items = renderer.items(changes, n, at, view.time_zone)
    say = ". ".join(change.say for change in changes[:3] if change.say)
    content = Content(
        share=due.share,
        n=n,
        at=at,
        terms_version=view.terms_version,
        stylesheet=rendered.stylesheet,
        changes=changes,
        roots=rendered.roots,
        parts=difference.parts,
        removed=difference.removed,
        items=items,
        body=frames.body(n, at, rendered.parts, difference.targets, items, say),
        view=_json.encode(view).decode(),
        terms=_json.encode(due.terms).decode(),
        page=digest_of(frames.markup(rendered.parts, root) for root in rendered.roots),
    )
    return content, rendered
