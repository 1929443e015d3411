"""The readable page inside an evidence bundle: what was shown and when, what pages claimed, how to check it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from projections.entries.entry import Content
from projections.evidence.bundle import Manifest, ReadablePage
from projections.evidence.notary import Signed
from projections.receipts import on_screen
from projections.wording import words
from web.door.templates import Page, Pages


class UpdateRow(msgspec.Struct, frozen=True, kw_only=True):
    """One update; without its content `terms` is 0 and `at` and `changes` are empty."""

    n: int
    at: str
    changes: Sequence[str]
    terms: int  # version of the agreement
    leaf: str  # hex


class ScreenRow(msgspec.Struct, frozen=True, kw_only=True):
    """One update on one screen; `end` is "" while it still is."""

    who: str
    n: int
    start: str
    end: str
    how: str  # it ended


class EvidencePage(Page, frozen=True, kw_only=True):
    """`index.html` of a bundle."""

    template = "evidence.html"
    manifest: Manifest
    checkpoint: Signed
    updates: Sequence[UpdateRow]  # newest first
    screens: Sequence[ScreenRow]
    key: str  # verification key


def readable(pages: Pages, content: ReadablePage, name: Callable[[str], str] | None) -> bytes:
    """Return `index.html`; `name` says what a person is called, None leaves everybody's receipts out. Times are UTC."""
    page = EvidencePage(
        manifest=content.manifest,
        checkpoint=content.checkpoint,
        updates=[_update(n, update, leaf) for n, update, leaf in reversed(content.contents)],
        screens=_screens(content, name) if name else [],
        key=content.key,
    )
    return pages.markup(page).encode()


def _update(n: int, content: Content | None, leaf: str) -> UpdateRow:
    if content is None:
        return UpdateRow(n=n, at="", changes=[], terms=0, leaf=leaf)
    changes = [change.say or f"{change.title}: {change.after}" for change in content.changes]
    return UpdateRow(n=n, at=_at(content.at), changes=changes, terms=content.terms_version, leaf=leaf)


def _screens(content: ReadablePage, name: Callable[[str], str]) -> list[ScreenRow]:
    claims = [claim for row in content.rows for claim in row.claims(content.manifest.share)]
    claims.sort(key=lambda claim: claim.at)
    return [
        ScreenRow(
            who=name(interval.person),
            n=interval.n,
            start=_at(interval.start),
            end=_at(interval.end) if interval.end else "",
            how=interval.ended,
        )
        for interval in on_screen.intervals((), claims)
    ]


def _at(at: datetime) -> str:
    in_utc = at.astimezone(UTC)
    return f"{words.day_year(in_utc.date())}, {in_utc:%H:%M:%S}"
