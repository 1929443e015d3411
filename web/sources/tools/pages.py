"""Lists that come in pages one after another, each named by the one before it (Link, RFC 8288) and known by its ETag.

Rule: a page that brings nothing new ends the pull with a `Trouble`, so that none is endless. Where each page of the
last pull is as it was, nothing changed; a list whose last page was full is read anew, for a page may have come after.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from web.importers.plan import MAX_MILESTONES
from web.sources.tools.asking import Answer, Asker, Params
from web.sources.tools.items import Item, rows, text
from web.sources.tools.tool import Progress

PER_PAGE = 100  # items, the most that GitHub and GitLab give


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A whole list; `items` is None where nothing changed since the ETags that were given."""

    items: list[Item] | None
    etags: tuple[str, ...]  # of the pages, none where they cannot tell of every change
    at: datetime | None  # by the tool's clock, UTC


async def listed(
    asker: Asker, path: str, params: Params, etags: Sequence[str] = (), progress: Progress | None = None
) -> Listed:
    """Return the items of a list; those without an `id` are among them.

    Raises: Trouble.
    """
    params = {**params, "per_page": str(PER_PAGE)}
    begun: Answer | None = None
    for number, etag in enumerate(etags, 1):
        answer = await asker.get(path, {**params, "page": str(number)}, etag=etag)
        if answer.data is not None:
            begun = answer if number == 1 else None
            break
        if number == len(etags):
            return Listed(items=None, etags=tuple(etags), at=answer.at)
    return await _all(asker, path, params, begun or await asker.get(path, {**params, "page": "1"}), progress)


async def _all(asker: Asker, path: str, params: Params, answer: Answer, progress: Progress | None) -> Listed:
    items: list[Item] = []
    seen: set[str] = set()
    found_etags: list[str] = []
    at = answer.at
    while True:
        page = rows(answer.data)
        if page is None:
            raise asker.unlike()
        ids = {text(item, "id") for item in page} - {""}
        if ids and ids <= seen:
            raise asker.repeated()
        seen |= ids
        items += page
        found_etags.append(answer.etag)
        if progress:
            progress(len(items), _total(answer.headers))
        if len(items) > MAX_MILESTONES:
            raise asker.endless()
        if answer.next:
            answer = await asker.get(answer.next)
        elif number := answer.headers.get("x-next-page", "").strip():  # GitLab, where a proxy drops Link
            answer = await asker.get(path, {**params, "page": number})
        else:
            break
    sure = all(found_etags) and len(page) < PER_PAGE
    return Listed(items=items, etags=tuple(found_etags) if sure else (), at=at)


def _total(headers: Mapping[str, str]) -> int:
    """Return how many items there are, 0 where that is not said: GitLab says it of up to 10,000."""
    total = headers.get("x-total", "")
    return int(total) if total.isdecimal() and len(total) < 10 else 0
