"""What a viewer is told of the time since their last visit: one row a thing, and every single change beneath.

Rule: made of recorded entries and of that person's own receipts; what somebody did themselves is no news to them.
"""

from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from projections.entries import names
from projections.entries.entry import Page
from projections.entries.summed import ThingRow
from projections.replay.since import since
from web.client.viewing import Viewing

OPEN = 5  # rows beside the heading; the others are folded


class News(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of things that changed, and the single changes, newest first."""

    reader: str  # the key under which changes name whom this is for
    compared: bool = True  # with what was on screen then; False where no page reported what that was
    rows: Sequence[ThingRow] = ()  # the first ones
    folded: Sequence[ThingRow] = ()  # the others, and things that are as they were
    items: Markup = Markup()
    changes: int = 0  # how many single changes
    earlier: int = 0  # updates before those


def news(viewing: Viewing, page: Page, after: int, person: str) -> News:
    """Return what changed for a person whose last visit ended with update `after`; 0 for none."""
    reader = names.key_of(page.share, person)
    newest = viewing.heads.folded(page.share, page.n) if 0 < after < page.n else None
    if newest is None:
        return News(reader=reader, compared=after > 0)
    found = since(viewing.log, page.share, after, newest, person)
    rows = [row for row in found.rows if row.values]
    return News(
        reader=reader,
        rows=rows[:OPEN],
        folded=[*rows[OPEN:], *(row for row in found.rows if not row.values)],
        items=Markup("".join(reversed(found.items))),  # noqa: S704  # as recorded
        changes=found.changes,
        earlier=found.earlier,
    )
