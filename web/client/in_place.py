"""Where an answer stands on a page: beneath the row it is about, in the markup as it was recorded.

Rule: the recorded markup is cut at one place and otherwise left as it is; every id that is looked for was found in the
view of that page before.
"""

import re

import msgspec
from markupsafe import Markup

from projections.entries.entry import Page

ROWS = {"milestone": ("md", "ms"), "risk": ("r",)}  # what each is called in the markup, the last part of it first


class Beneath(msgspec.Struct, frozen=True):
    """A place in the markup of a page's body, and what may stand there."""

    at: int  # how many characters precede it
    tag: str  # of the elements beside it: "tr", "li", "p"
    columns: int = 1  # that a row of the table spans


def place(page: Page | None, about: str) -> Beneath | None:
    """Return the place beneath what an answer is about, None where the page has no row for it."""
    body = page.roots.get("body", "") if page else ""
    kind, _dash, of = about.partition("-")
    keys = ("scope",) if kind == "agreement" else tuple(f"{row}-{of}" for row in ROWS.get(kind, ()))
    for key in keys:
        if (found := _beneath(body, key)) is not None:
            return found
    return None


def put(body: str, there: Beneath, answer: str) -> Markup:
    """Return a page's body with an answer in its place."""
    return Markup(body[: there.at] + answer + body[there.at :])  # noqa: S704  # both were escaped when made


def _beneath(body: str, key: str) -> Beneath | None:
    """Return the place after the element with an id; its end is where as many of its kind were closed as opened."""
    found = re.search(rf'<(\w+) (?:[^>]* )?id="{re.escape(key)}"', body)
    if found is None:
        return None
    tag, depth = found[1], 0
    for step in re.compile(rf"<(/?){tag}\b[^>]*>").finditer(body, found.start()):
        depth += -1 if step[1] else 1
        if depth == 0:
            columns = re.search(r'colspan="(\d+)"', body[found.start() : step.end()])
            return Beneath(step.end(), tag, int(columns[1]) if columns else 1)
    return None
