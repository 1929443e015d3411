"""The readable page inside a bundle: what was shown and when, what pages claimed, and how to check it all."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from projections.evidence.bundle import ReadablePage
from projections.receipts import on_screen
from projections.wording import words
from web.door.templates import Pages


def readable(pages: Pages, told: ReadablePage, name: Callable[[str], str] | None) -> bytes:
    """Return `index.html`; `name` says what a person is called, None keeps everybody's receipts out. Times are UTC."""
    updates = [_update(n, content, leaf) for n, content, leaf in reversed(told.contents)]
    screens = _screens(told, name) if name else []
    context = {
        "m": told.manifest,
        "checkpoint": told.checkpoint,
        "updates": updates,
        "screens": screens,
        "key": told.key,
    }
    return pages.text("evidence.html", **context).encode()


def _update(n: int, content: Any, leaf: str) -> dict[str, Any]:
    if content is None:
        return {"n": n, "at": "", "changes": [], "terms": 0, "leaf": leaf}
    told = [change.say or f"{change.title}: {change.after}" for change in content.changes]
    return {"n": n, "at": _at(content.at), "changes": told, "terms": content.terms_version, "leaf": leaf}


def _screens(told: ReadablePage, name: Callable[[str], str]) -> list[dict[str, Any]]:
    claims = [claim for row in told.rows for claim in row.claims(told.manifest.share)]
    claims.sort(key=lambda claim: claim.at)
    found = on_screen.intervals((), claims)
    return [
        {"who": name(i.person), "n": i.n, "start": _at(i.start), "end": _at(i.end) if i.end else "", "how": i.ended}
        for i in found
    ]


def _at(at: datetime) -> str:
    there = at.astimezone(UTC)
    return f"{words.day_year(there.date())}, {there:%H:%M:%S}"
