"""Makes the next entry of a share: the world is revealed, rendered and sealed. Reads no clock and writes nothing.

Rule: names of people never reach a view or its markup here, only their placeholders; docs/spec.md 3.10.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import filterfalse
from typing import Literal, Protocol

import msgspec

from domain.agreement.share import Share
from domain.agreement.terms import Terms
from domain.ids import PersonId, ShareId
from domain.language import gettext as _
from domain.language import speaking
from domain.memory import Memory
from domain.reveal.policy import reveal
from domain.view import ClientView
from projections.entries import frames, sections
from projections.entries.entry import (
    FORMAT,
    Change,
    Content,
    Entry,
    Keyframe,
    Rendered,
    delivered,
    open_view,
    seal,
)
from projections.entries.frames import State
from projections.entries.named import authors, named, with_erased, with_names
from projections.entries.names import SealedName, key_of, keys_in, names_in, placeholder
from projections.entries.one_change import loud
from projections.entries.parts import NO_HASHES, Part
from projections.events.world import World, names
from projections.follow.people import Named, People
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

    @property
    def assets(self) -> Mapping[str, bytes]:
        """The fonts and images that the stylesheet names, by sha256 hex."""

    def render(self, view: ClientView, memory: Memory | None = None) -> Rendered:
        """Return the view as markup; `memory` has what was made of the view before."""

    def forget(self) -> None:
        """Drop what is remembered of markup: a person was erased, whose name may stand in some."""

    def css_of(self, stylesheet: str) -> bytes | None:
        """Return a stylesheet that a rendering named, by its sha256 hex."""

    def changes(self, previous: ClientView | None, view: ClientView) -> tuple[Change, ...]:
        """Return what became different, most important first."""

    def items(self, changes: Sequence[Change], n: int, at: datetime, time_zone: str) -> str:
        """Return the changes as list items."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a share shows now, which the next entry is numbered and compared by; all empty before the first."""

    n: int = 0
    at: datetime = datetime.min.replace(tzinfo=UTC)
    frontier: tuple[bytes, ...] = ()
    format: Literal[1, 2] = FORMAT  # of entry n; in format 1 the view and the parts hold names
    rendered: Rendered | None = None
    view: ClientView | None = None
    sections: Mapping[str, str] = {}
    names: Mapping[str, SealedName] = {}
    called: Mapping[str, str] = {}  # the names that are sealed in `names`, by key
    since_key: int = 0  # entries since the last keyframe
    memory: "Memories | None" = None  # what it was made of; None where it is read from the log


class Memories:
    """What was made of one share for its newest view, used again where nothing it depends on is another object.

    It has placeholders for names, as what is recorded has. `told` and `hashes` are of the newest entry.
    """

    __slots__ = ("hashes", "rendered", "revealed", "sections", "told")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop everything: the share ended, or a person was erased."""
        self.revealed, self.rendered, self.sections = Memory(), Memory(), Memory()
        self.told, self.hashes = sections.NOTHING, NO_HASHES


class Made(msgspec.Struct, frozen=True):
    """One entry made, and what the share shows after it."""

    entry: Entry
    shown: Shown
    keyframe: Keyframe | None  # where one is due


class NextView(msgspec.Struct, frozen=True, kw_only=True):
    """The view that entry `n` of a share is to disclose, the terms that allow it, and the names it uses."""

    share: str
    n: int
    at: datetime  # UTC
    view: ClientView  # with placeholders for names
    terms: Terms
    people: Mapping[str, Named] = {}  # of the placeholders in the view, by key


class Secrets(msgspec.Struct, frozen=True):
    """What only the process that records entries has."""

    salt: Callable[[str, int], bytes]  # of a share and a number, the 32 secret bytes of a commitment; docs/spec.md 4.1
    keep_name: Callable[[str, str, str, bytes], SealedName]  # of a share, a person, a name, and 32 secret bytes
    erased: Callable[[], Collection[str]] = frozenset  # everybody who is erased, also later than the world is

    def seal_name(self, share: str, person: str, name: str) -> SealedName:
        """Return a person's name sealed for the entries of a share."""
        key = key_of(share, person)
        return self.keep_name(share, person, name, self.salt(f"names of {share}", int(key[:8], 16)))


def restore(disclosure: DisclosureLog, share: str, n: int | None = None) -> Shown:
    """Return what a share shows now, or showed after entry n, read from its log."""
    last = disclosure.last(share) if n is None else disclosure.entry(share, n)
    if last is None:
        return Shown()
    key = disclosure.keyframe(share, last.n)
    state = frames.state_of(key)
    for carried in disclosure.carried(share, key.n if key else 0, last.n):
        state = frames.fold(state, carried)
    old = last.content.format == 1
    return Shown(
        n=last.n,
        at=last.content.at,
        frontier=last.frontier,
        format=last.content.format,
        rendered=Rendered(last.content.roots, dict(state.parts), last.content.stylesheet),
        view=open_view(last.content.view) if old else sections.view_of(state.sections),
        sections=state.sections,
        names=sections.names_used(state.sections, state.names),
        called=disclosure.called(share, sections.names_used(state.sections, state.names)),
        since_key=last.n - (key.n if key else 0),
    )


def disclose(
    world: World, share: ShareId, shown: Shown, renderer: Renderer, now: datetime, secrets: Secrets
) -> Made | None:
    """Return the next entry of a share, or None when its client would see nothing new.

    `now` is UTC; the entry is dated then, or as the entry before it when that is later.
    """
    memory = shown.memory or Memories()
    people = People(share, world, secrets.erased())
    view = revealed(world, share, now, people.called, memory.revealed)
    if view is None:
        memory.forget()
        return None
    n, at = shown.n + 1, max(now, shown.at)
    due = NextView(share=share, n=n, at=at, view=view, terms=world.shares[share].terms, people=people.named_in(view))
    if not _differs(due, shown):
        return None
    composed = compose(due, shown, renderer, secrets.seal_name, memory)
    entry = seal(composed.content, secrets.salt(share, n), shown.frontier, composed.names)
    key = n == 1 or shown.since_key + 1 >= KEYFRAME_EVERY
    called = names_of(due)
    after = Shown(
        n=n,
        at=at,
        frontier=entry.frontier,
        rendered=composed.rendered,
        view=view,
        sections=composed.state.sections,
        names=composed.state.names,
        called=called,
        since_key=0 if key else shown.since_key + 1,
        memory=memory,
    )
    if names_in(entry.raw):
        entry = msgspec.structs.replace(entry, content=delivered(entry.content, {**shown.called, **called}))
    return Made(entry, after, composed.state.keyframe(n, composed.rendered.roots) if key else None)


def names_of(due: NextView) -> dict[str, str]:
    """Return the names that a view uses, without those of erased people, by key."""
    return {key: named.name for key, named in due.people.items() if not named.erased}


def _differs(due: NextView, shown: Shown) -> bool:
    """Tell whether a client would see anything new, be it another name."""
    called = names_of(due)
    if shown.format == 1:
        return shown.view is None or named(due.view, called) != shown.view
    return due.view != shown.view or called != shown.called


def revealed(
    world: World,
    share: ShareId,
    now: datetime,
    called: Callable[[PersonId], str] | None = None,
    memory: Memory | None = None,
) -> ClientView | None:
    """Return what the client of a share may know of the world now; None unless the share is in force at `now`.

    `called` gives what stands for a person, the name where it is None; `memory` has what was revealed before.
    """
    agreed = world.shares[share]
    if not agreed.active or agreed.ended_on(now) is not None:
        return None
    return released_view_of(world, agreed, called, memory)


def released_view_of(
    world: World, share: Share, called: Callable[[PersonId], str] | None = None, memory: Memory | None = None
) -> ClientView:
    """Return what the client of a share may know under its newest version, without what waits for review."""
    naming = names(world, share)
    return reveal(
        world.released(share),
        share,
        organisation=naming.organisation,
        client=naming.client,
        time_zone=naming.time_zone,
        called=called or naming.called,
        look=naming.look,
        memory=memory,
    )


class Composed(msgspec.Struct, frozen=True):
    """The content of an entry, its view as markup, the state of the share after it, and the names its text uses."""

    content: Content
    rendered: Rendered
    state: State
    names: dict[str, SealedName]


def compose(
    due: NextView,
    shown: Shown,
    renderer: Renderer,
    seal_name: Callable[[str, str, str], SealedName],
    memory: Memories | None = None,
) -> Composed:
    """Return the entry that discloses `due` after what is shown so far, in the language of its view.

    With the `memory` of what is shown, what did not change is not made again; the entry is the same without.
    """
    with speaking(due.view.language):
        return _composed(due, shown, renderer, seal_name, memory or Memories())


def _composed(
    due: NextView,
    shown: Shown,
    renderer: Renderer,
    seal_name: Callable[[str, str, str], SealedName],
    memory: Memories,
) -> Composed:
    n, at, view, called = due.n, due.at, due.view, names_of(due)
    renamed = frozenset(key for key in shown.called if called.get(key) != shown.called[key])
    rendered = renderer.render(view, memory.rendered)
    known = memory.hashes if shown.rendered is not None and memory.hashes.parts is shown.rendered.parts else NO_HASHES
    containers = None if known is NO_HASHES else known.containers
    difference = frames.difference(shown.rendered, rendered, renamed, containers)
    changes = _changes(due, shown, renderer, renamed)
    noticed = loud(changes)
    items = renderer.items(noticed, n, at, view.time_zone) if noticed else ""
    say = ". ".join(change.say for change in noticed[:3] if change.say)
    sealed = _sealed(due, shown, seal_name)
    committed = {key: name.commitment for key, name in sealed.items()}
    told = sections.told(view, due.terms, committed, memory.sections, memory.told)
    after = told.sections
    near = told.changed if memory.told.sections is shown.sections else after.keys()
    own_sections = {key: after[key] for key in near if shown.sections.get(key) != after[key]}
    hashes = known.after(rendered.parts, difference.changed if known is not NO_HASHES else rendered.parts.keys())
    beside = {**shown.names, **sealed}
    if beside:
        own = _keys_used(difference.parts, changes, items, own_sections.values())
        beside = {
            key: name for key, name in beside.items() if key in own or (key in sealed and shown.names.get(key) != name)
        }
    content = Content(
        format=FORMAT,
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
        page=hashes.page(rendered.roots),
        targets=difference.targets,
        say=say,
        sections=own_sections,
        sections_removed=tuple(sorted(filterfalse(after.__contains__, shown.sections))),
        sections_hash=told.hash,
        assets=rendered.assets,
    )
    memory.told, memory.hashes = told, hashes
    return Composed(content, rendered, State(rendered.parts, after, sealed), beside)


def _sealed(due: NextView, shown: Shown, seal_name: Callable[[str, str, str], SealedName]) -> dict[str, SealedName]:
    """Return the sealed names that are used after an entry; one that is the same as before is sealed already."""
    called = names_of(due)
    return {
        key: shown.names[key] if shown.called.get(key) == name else seal_name(due.share, due.people[key].person, name)
        for key, name in called.items()
    }


def _keys_used(parts: Sequence[Part], changes: Sequence[Change], items: str, sections: Iterable[str]) -> frozenset[str]:
    """Return the keys of the placeholders in an entry's own text."""
    texts = [part.head + part.tail for part in parts] + [items]
    texts += [text for change in changes for text in msgspec.structs.astuple(change)]
    return keys_in("".join([*texts, *sections]))


def _changes(due: NextView, shown: Shown, renderer: Renderer, renamed: Collection[str]) -> tuple[Change, ...]:
    """Return what became different since what is shown, people's names included."""
    before = shown.view
    if before is not None and shown.format == 1:
        keys = {name: placeholder(key) for key, name in names_of(due).items()}
        erased = {key for key, person in due.people.items() if person.erased}
        known = with_names(before, lambda name: keys.get(name, name))
        before = with_erased(known, due.view, erased)
        renamed = erased if set(authors(before)) != set(authors(known)) else frozenset()
    changes = renderer.changes(before, due.view)
    if changes or not renamed:
        return changes
    title = _("Names")
    if any(due.people[key].erased for key in renamed if key in due.people):
        say, after = _("A person was erased; the name is shown no longer"), _("Erased")
    else:
        say, after = _("A name was changed"), _("Changed")
    return (Change(kind="names", subject="", title=title, before="", after=after, note="", why="", say=say),)
