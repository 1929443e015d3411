"""Which page a tab began as: what was handed over before anything was heard of the tab.

Rule: the times of one row come from one tab, in the order sent, delivered, displayed. A page that is handed over has no
tab yet, so it is taken for that of the first tab that its session is heard of with afterwards.
"""

from collections.abc import Iterable

from projections.receipts.claims import Receipt

Key = tuple[str, str, str]  # person, session, tab


class Openings:
    """The pages that were handed over, until a tab is heard of that each belongs to; claims are taken oldest first."""

    def __init__(self, known: Iterable[Key]) -> None:
        self._known = set(known)
        self._waiting: dict[tuple[str, str], list[Receipt]] = {}

    def take(self, claim: Receipt) -> Receipt | None:
        """Take in a claim; return the page its tab began as, when it is the first of that tab."""
        session = claim.person, claim.session
        if claim.kind == "opened":
            self._waiting.setdefault(session, []).append(claim)
            return None
        key = claim.person, claim.session, claim.tab
        if key in self._known:
            return None
        self._known.add(key)
        waiting = self._waiting.get(session)
        return waiting.pop() if waiting else None

    def alone(self) -> list[Receipt]:
        """Return the pages no tab was heard of for: without scripts, or closed at once."""
        return [page for pages in self._waiting.values() for page in pages]
