"""The exact page of one update: recorded markup and recorded stylesheet in one file, sandboxed, without any script.

Rule: nothing is computed anew. The content security policy allows the one stylesheet, by its hash, a font and
pictures of ours, and nothing else.
"""

import base64
import hashlib
from typing import Protocol

from starlette.responses import HTMLResponse, Response

from domain.language import speaking
from projections.entries.entry import Page
from projections.entries.parts import instant
from projections.logs.disclosure_log import DisclosureLog
from projections.replay import pages
from web.door.guard import not_found
from web.door.templates import lang


class Style(Protocol):
    """The stylesheet of today, for an update that names it before it is kept in the log."""

    @property
    def stylesheet(self) -> str:
        """Its sha256, hex."""

    @property
    def css(self) -> bytes:
        """The stylesheet itself."""


FRAME = (
    '<!doctype html>\n<html {lang}><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1">'
    "<title>Update {n}, recorded {at}</title><style>{css}</style></head>\n"
    '<body><main id="main" class="wrap">{roots}</main></body></html>'
)


def recorded(log: DisclosureLog, style: Style, share: str, n: int) -> tuple[Page, bytes] | None:
    """Return what a share showed at update `n`, with the stylesheet it was shown with; None where either is missing."""
    page = pages.page(log, share, n) if n > 0 else None
    if page is None:
        return None
    css = log.stylesheet(page.stylesheet)
    if css is None and page.stylesheet == style.stylesheet:
        css = style.css
    return None if css is None else (page, css)


def document(page: Page, css: bytes, markup: str = "") -> str:
    """Return the one file that an update's exact page is, or `markup` out of it alone."""
    roots = markup or "".join(page.roots.values())
    with speaking(page.view.language):
        return FRAME.format(lang=lang(), n=page.n, at=instant(page.at), css=css.decode(), roots=roots)


def response(log: DisclosureLog, style: Style, share: str, number: str, *, ancestors: str = "'none'") -> Response:
    """Return the exact page of an update, or that there is none; `ancestors` says which pages may frame it (CSP)."""
    n = int(number) if number.isdecimal() and len(number) < 12 else 0
    shown = recorded(log, style, share, n)
    if shown is None:
        return not_found()
    page, css = shown
    return sealed(document(page, css), css, ancestors)


def sealed(markup: str, css: bytes, ancestors: str) -> Response:
    """Return recorded markup as a file of its own that may do nothing, with its one stylesheet."""
    allowed = base64.b64encode(hashlib.sha256(css).digest()).decode()
    policy = (
        f"sandbox; default-src 'none'; style-src 'sha256-{allowed}'; font-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors {ancestors}"
    )
    return HTMLResponse(markup, headers={"content-security-policy": policy, "cache-control": "no-store"})
