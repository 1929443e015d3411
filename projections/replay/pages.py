"""The page a share showed at any update or instant, assembled from recorded parts and never recomputed."""

from collections.abc import Callable
from datetime import datetime

from projections.entries import frames
from projections.entries.entry import Entry, Page, Part
from projections.logs.disclosure_log import DisclosureLog
from projections.proof import tree

ITEMS = 50  # of the newest entries have their changes listed for a viewer who was away for more


class Folded:
    """The parts of a share's page after one entry."""

    __slots__ = ("entry", "parts")

    def __init__(self, entry: Entry, parts: dict[str, Part]) -> None:
        self.entry, self.parts = entry, parts

    def page(self) -> Page:
        """Return the page after this entry."""
        content = self.entry.content
        return Page(
            share=content.share,
            n=content.n,
            at=content.at,
            root=self.entry.root,
            terms_version=content.terms_version,
            stylesheet=content.stylesheet,
            roots={root: frames.markup(self.parts, root) for root in content.roots},
            view=content.view,
            terms=content.terms,
        )


def fold(log: DisclosureLog, share: str, n: int) -> Folded | None:
    """Return the parts of a share after entry n, or None when there is no such entry."""
    entry = log.entry(share, n)
    if entry is None:
        return None
    keyframe = log.keyframe(share, n)
    parts = {part.id: part for part in keyframe.parts} if keyframe else {}
    start = keyframe.n if keyframe else 0
    for step in log.steps(share, start, n):
        parts = frames.fold(parts, step)
    return Folded(entry, parts)


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


class Heads:
    """The newest page of each share, cached and brought forward by new entries, so that a request assembles nothing."""

    def __init__(self, log: DisclosureLog) -> None:
        self._log = log
        self._folded: dict[str, Folded] = {}
        self._pages: dict[str, Page] = {}

    def page(self, share: str) -> Page | None:
        """Return the newest page of a share, None when nothing was disclosed."""
        head = self._log.head(share)
        if head == 0:
            return None
        cached = self._pages.get(share)
        if cached is not None and cached.n == head:
            return cached
        folded = self._forward(share, head)
        if folded is None:
            return None
        new = folded.page()
        self._folded[share], self._pages[share] = folded, new
        return new

    def _forward(self, share: str, head: int) -> Folded | None:
        cached = self._folded.get(share)
        if cached is None or not 0 < head - cached.entry.n <= 2 * ITEMS:
            return fold(self._log, share, head)
        parts = cached.parts
        entries = self._log.entries(share, cached.entry.n, head - cached.entry.n, head)
        for entry in entries:
            parts = frames.fold(parts, entry.content)
        return Folded(entries[-1], parts) if entries else None


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
