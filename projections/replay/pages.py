"""The page a share showed at any update or instant, assembled from recorded parts and never recomputed."""

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from domain.view import ClientView
from projections.entries import frames, names, parts, sections
from projections.entries.entry import Carried, Entry, Kept, Page, open_content, open_view
from projections.entries.frames import State
from projections.entries.parts import Part
from projections.logs.disclosure_log import DisclosureLog
from projections.proof import tree

ITEMS = 50  # of the newest entries have their changes listed for a viewer who was away for more


class Folded:
    """What a share shows after one entry."""

    __slots__ = ("called", "entry", "state")

    def __init__(self, entry: Entry, state: State, called: Mapping[str, str]) -> None:
        self.entry, self.state, self.called = entry, state, called

    @property
    def parts(self) -> dict[str, Part]:
        """The parts of the page by id, with people's names."""
        fill = names.filled_markup
        return {
            key: Part(key, fill(part.head, self.called), part.children, fill(part.tail, self.called))
            for key, part in self.state.parts.items()
        }

    def view(self) -> ClientView:
        """Return all that the client knew after this entry, with people's names."""
        content = self.entry.content
        if content.format == 1:
            return open_view(content.view)
        text = {key: names.filled_json(value, self.called) for key, value in self.state.sections.items()}
        return sections.view_of(text)

    def page(self) -> Page:
        """Return the page after this entry."""
        content = self.entry.content
        roots = {root: parts.markup(self.state.parts, root) for root in content.roots}
        return Page(
            share=content.share,
            n=content.n,
            at=content.at,
            root=self.entry.root,
            terms_version=content.terms_version,
            stylesheet=content.stylesheet,
            roots={root: names.filled_markup(markup, self.called) for root, markup in roots.items()},
            view=self.view(),
            changes=content.changes,
            terms=content.terms if content.format == 1 else self.state.sections.get(sections.TERMS, ""),
        )


def fold(log: DisclosureLog, share: str, n: int) -> Folded | None:
    """Return what a share shows after entry n, or None when there is no such entry."""
    entry = log.entry(share, n)
    if entry is None:
        return None
    keyframe = log.keyframe(share, n)
    state = frames.state_of(keyframe)
    for carried in log.carried(share, keyframe.n if keyframe else 0, n):
        state = frames.fold(state, carried)
    return Folded(entry, state, _called(log, share, state))


def _called(log: DisclosureLog, share: str, state: State) -> dict[str, str]:
    """Return the names that a view uses, without those of erased people, by key."""
    return log.called(share, sections.names_used(state.sections, state.names))


def page(log: DisclosureLog, share: str, n: int | None = None) -> Page | None:
    """Return what the share showed at entry n (the newest when None), or None when there is none."""
    folded = fold(log, share, log.head(share) if n is None else n)
    return folded.page() if folded else None


def number_at(log: DisclosureLog, share: str, at: datetime) -> int:
    """Return the number of the entry the share showed at an instant (UTC), 0 before the first."""
    low, high = 0, log.head(share)
    while low < high:
        middle = (low + high + 1) // 2
        recorded = log.recorded_at(share, middle)
        if recorded is not None and recorded <= at:
            low = middle
        else:
            high = middle - 1
    return low


def items_since(log: DisclosureLog, share: str, after: int, upto: int, limit: int = ITEMS) -> list[str]:
    """Return the recorded list items of entries after + 1 ... upto, newest first, of the newest `limit` entries."""
    start = max(after, upto - limit)
    entries = log.entries(share, start, limit, upto)
    return [entry.content.items for entry in reversed(entries) if entry.content.items]


NEAR = 8  # updates that are folded one by one instead of beginning at a keyframe


class Views:
    """The views of one share by number, each brought forward from the one asked before where that is near."""

    def __init__(self, log: DisclosureLog, share: str) -> None:
        self._log, self._share = log, share
        self._n, self._state = 0, State()

    def at(self, n: int) -> ClientView | None:
        """Return all that the client knew after entry n, with people's names; None when it cannot be read any more."""
        kept = next(iter(self._log.kept(self._share, n - 1, 1, n)), None) if n > 0 else None
        return self.after(kept) if kept else None

    def after(self, kept: Kept, *, placeholders: bool = False) -> ClientView | None:
        """Return all that the client knew after an entry; None when it cannot be read any more.

        With `placeholders` those of people stay where format 2 recorded them.
        """
        if kept.raw is None:
            return None
        content = open_content(kept.raw)
        if content.format == 1:
            return open_view(content.view)
        self._forward(kept.n, msgspec.structs.replace(content.carries, names=kept.names))
        if placeholders:
            return sections.view_of(self._state.sections)
        called = _called(self._log, self._share, self._state)
        return sections.view_of({key: names.filled_json(text, called) for key, text in self._state.sections.items()})

    def _forward(self, n: int, newest: Carried) -> None:
        """Bring the state forward to entry n; an erased entry on the way is passed by a keyframe after it."""
        if n == self._n:
            return
        between = self._log.carried(self._share, self._n, n - 1) if 0 < n - self._n <= NEAR else []
        if self._n and len(between) == n - 1 - self._n:
            state = self._state
            steps = [*between, newest]
        else:
            keyframe = self._log.keyframe(self._share, n)
            state, steps = frames.state_of(keyframe), self._log.carried(self._share, keyframe.n if keyframe else 0, n)
        for carried in steps:
            state = frames.fold(state, carried)
        self._n, self._state = n, state


class Heads:
    """The newest page of each share, cached and brought forward by new entries, so that a request assembles nothing."""

    def __init__(self, log: DisclosureLog) -> None:
        self._log = log
        self._folded: dict[str, Folded] = {}
        self._pages: dict[str, Page] = {}
        self._erasures = 0

    def folded(self, share: str, n: int) -> Folded | None:
        """Return what a share shows after entry n, from memory where that was the newest one just now."""
        found = self._folded.get(share)
        return found if found is not None and found.entry.n == n else fold(self._log, share, n)

    def page(self, share: str) -> Page | None:
        """Return the newest page of a share, None when nothing was disclosed."""
        head = self._log.head(share)
        if head == 0:
            return None
        cached = self._pages.get(share)
        if cached is not None and cached.n == head:
            return cached
        erasures = self._erasures
        folded = self._forward(share, head)
        if folded is None:
            return None
        new = folded.page()
        if erasures == self._erasures:  # else a name in it may be of a person who was erased meanwhile
            self._folded[share], self._pages[share] = folded, new
        return new

    def _forward(self, share: str, head: int) -> Folded | None:
        cached = self._folded.get(share)
        if cached is None or not 0 < head - cached.entry.n <= 2 * ITEMS:
            return fold(self._log, share, head)
        entry, state = self._log.entry(share, head), cached.state
        for carried in self._log.carried(share, cached.entry.n, head):
            state = frames.fold(state, carried)
        return Folded(entry, state, _called(self._log, share, state)) if entry else None

    def forget(self) -> None:
        """Drop every cached page: a person was erased, whose name may stand in one."""
        self._erasures += 1
        self._folded.clear()
        self._pages.clear()


class LiveLog:
    """The disclosure log as the push layer reads it: the exact message texts by number."""

    def __init__(self, log: DisclosureLog, heads: Heads) -> None:
        self._log, self._heads = log, heads

    def head(self, share: str) -> int:
        """Return the newest number, 0 when nothing was disclosed."""
        return self._log.head(share)

    def root(self, share: str, n: int) -> str:
        """Return the first 16 hex digits of the tree head at number n, "" when there is none."""
        entries = self._log.kept(share, n - 1, 1, n)
        return tree.root_of(entries[0].frontier).hex()[:16] if entries else ""

    def frames(self, share: str, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return numbers and messages of entries after + 1 and on as they were sent, at most `limit`."""
        return [(entry.n, entry.message) for entry in self._log.entries(share, after, limit)]

    def keyframe(self, share: str, since: int) -> tuple[int, bytes]:
        """Return the newest number and a message that replaces the whole page of a viewer who stands at `since`."""
        newest = self._heads.page(share)
        if newest is None:
            return 0, b'{"n":0,"key":true,"content":"","say":""}'
        exists = 0 < since <= newest.n
        items = "".join(items_since(self._log, share, since, newest.n)) if exists else ""
        return newest.n, frames.key_message(newest.n, newest.at, newest.root, newest.roots, items)


class Settled:
    """A `LiveLog` that runs `refresh` after each read: a right that ended before has then ended here too."""

    def __init__(self, log: LiveLog, refresh: Callable[[], object]) -> None:
        self._log, self._refresh = log, refresh

    def head(self, share: str) -> int:
        """Return the newest number, 0 when nothing was disclosed."""
        head = self._log.head(share)
        self._refresh()
        return head

    def root(self, share: str, n: int) -> str:
        """Return the first 16 hex digits of the tree head at number n, "" when there is none."""
        root = self._log.root(share, n)
        self._refresh()
        return root

    def frames(self, share: str, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return numbers and messages of entries after + 1 and on as they were sent, at most `limit`."""
        messages = self._log.frames(share, after, limit)
        self._refresh()
        return messages

    def keyframe(self, share: str, since: int) -> tuple[int, bytes]:
        """Return the newest number and a message that replaces the whole page of a viewer who stands at `since`."""
        keyframe = self._log.keyframe(share, since)
        self._refresh()
        return keyframe
