"""The preview of a draft: the exact page it would give, as a document of its own, with what is new or gone marked.

Rule: the markup is what the renderer would send, byte for byte; marks are a second stylesheet that names ids, and what
is taken away stands outside the page. The draft travels in the address: any process can answer, and nothing is kept.
"""

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from markupsafe import escape
from starlette.responses import HTMLResponse, Response

from domain.agreement.share import Share, Version
from domain.agreement.terms import Terms, Ways, checked, checked_ways
from domain.errors import Refused
from domain.language import gettext as _
from domain.message import UNREADABLE
from projections.entries import parts as parts_of_page
from projections.entries.consequence import Consequence, Key
from projections.entries.entry import Rendered

LONGEST = 200_000  # bytes of a draft, inflated
PLACES = {"milestone": "ms", "risk": "r"}
VITALS = {"schedule": "#v-schedule", "budget": "#v-budget", "risk": "#v-risk", "overall": "#lead"}
OF_PAGE = {"headline": "#lead", "scope": "#scope", "project": "#lead"}
NEW = "{background:var(--accent-t)}"
LABEL = "{content:'New';margin-left:8px;font-size:11px;font-weight:600;color:var(--accent);white-space:nowrap}"
STILL = "a{pointer-events:none}"  # a picture of a page leads nowhere
READS = "{outline:1.5px dashed var(--accent);outline-offset:3px;border-radius:4px}"
FRAME = (
    '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>'
    "<style>{css}</style><style>{marks}</style></head>\n"
    '<body><main id="main" class="wrap">{roots}</main>{gone}</body></html>'
)


class Draft(msgspec.Struct, frozen=True):
    """Terms and ways that were typed, in force or not."""

    terms: Terms
    ways: Ways


_decoder = msgspec.json.Decoder(Draft)


def packed(draft: Draft) -> str:
    """Return a draft as it travels in an address."""
    return base64.urlsafe_b64encode(zlib.compress(msgspec.json.encode(draft), 9)).decode().rstrip("=")


def unpacked(text: str) -> Draft | None:
    """Return the draft in an address, None where there is none that could be agreed."""
    try:
        inflater = zlib.decompressobj()
        raw = inflater.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), LONGEST)
        draft = _decoder.decode(raw)
        return Draft(checked(draft.terms), checked_ways(draft.ways))
    except (zlib.error, binascii.Error, *UNREADABLE, Refused):
        return None


def marks(change: Consequence, whole: frozenset[str]) -> str:
    """Return the stylesheet that marks what a draft adds (tinted, named) and what reads differently (a bar)."""
    added = {key[0] for key in change.new} & whole
    new = [selector for subject in sorted(added) if (selector := _place(subject))]
    other = {_spot(key) for key in (*change.new, *change.gone, *change.changed) if key[0] not in whole} - {""}
    rules = [f"{selector}{NEW}{_labelled(selector)}::after{LABEL}" for selector in new]
    return "".join([*rules, *(f"{selector}{READS}" for selector in sorted(other))])


def _place(subject: str) -> str:
    kind, _, key = subject.partition("-")
    return f"#{PLACES[kind]}-{key}" if key and kind in PLACES and re.fullmatch(r"[A-Za-z0-9_-]+", key) else ""


def _spot(key: Key) -> str:
    subject, field, _ = key
    if subject == "page":
        return OF_PAGE.get(field, "")
    return VITALS.get(subject) or _place(subject)


def _labelled(selector: str) -> str:
    return f"{selector} th" if selector.startswith("#ms-") else f"{selector} summary>span:nth-of-type(2)"


def taken_away(titles: Sequence[str]) -> str:
    """Return what a draft takes off the page, struck through, as a part that stands outside of it."""
    if not titles:
        return ""
    rows = "".join(f"<li><s>{escape(title)}</s></li>" for title in titles)
    title = _("Taken away")
    return f'<div class="wrap"><section class="sec"><header><h2>{title}</h2></header><ul>{rows}</ul></section></div>'


def document(rendered: Rendered | None, css: bytes, marked: str, gone: Iterable[str]) -> Response:
    """Return the preview: it may stand in a frame of this origin, runs nothing and loads nothing."""
    roots = "" if rendered is None else "".join(parts_of_page.markup(rendered.parts, root) for root in rendered.roots)
    marked = STILL + marked
    title, away = _("Preview of a draft"), taken_away(list(gone))
    page = FRAME.format(title=title, css=css.decode(), marks=marked, roots=roots, gone=away)
    allowed = " ".join(f"'sha256-{_hash(text)}'" for text in (css, marked.encode()))
    policy = (
        f"sandbox; default-src 'none'; style-src {allowed}; font-src 'self'; img-src 'self'; "
        "base-uri 'none'; frame-ancestors 'self'"
    )
    return HTMLResponse(page, headers={"content-security-policy": policy, "cache-control": "no-store"})


def _hash(text: bytes) -> str:
    return base64.b64encode(hashlib.sha256(text).digest()).decode()


def as_drafted(share: Share, draft: Draft, at: datetime) -> Share:
    """Return the share as it would be with a draft in force since `at` (UTC)."""
    version = Version(number=share.version + 1, terms=draft.terms, reason="", at=at, ways=draft.ways)
    return msgspec.structs.replace(share, versions=(*share.versions, version), draft=None)
