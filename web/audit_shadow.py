"""A share recomputed for the auditor, with the code of today beside what was recorded. Nothing is written."""

import time
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.agreement import Share
from domain.ids import ShareId
from projections import shadow
from projections.eventlog import Unreadable
from projections.shadow import Compared, State
from web.cli_shadow import FINE, WORDS
from web.guard import AUDIT, Signed, door, not_found
from web.pm_shown import shell

if TYPE_CHECKING:
    from web.parts import Parts

LISTED = 40  # entries set out with both versions
FIELDS = 12  # of an entry
AROUND = 160  # characters shown before and after the first difference
SECONDS = 20.0  # a page takes at most; the command takes as long as it needs


async def compare(request: Request, signed: Signed) -> Response:
    """`GET /audit/shares/{share}/shadow`: what today's code makes of the events, compared with the record."""
    parts: Parts = request.app.state.parts
    share = parts.present.refresh().shares.get(ShareId(request.path_params["share"]))
    if share is None:
        return not_found()
    await run_in_threadpool(parts.consulted, signed, share.id, "recomputed and compared")
    found = await run_in_threadpool(_compared, parts, share)
    world = parts.present.world
    context = {
        "share": share,
        "client": world.client_name(share.client),
        "project": world.projects[share.project].title,
        "head": parts.folder.disclosure.head(share.id),
        "here": "shares",
        "said": WORDS,
        "parts_of": around,
        "fields": FIELDS,
    }
    return parts.pages.response(request, "audit/shadow.html", **context, **found, **shell(parts, signed))


def _compared(parts: "Parts", share: Share) -> dict[str, Any]:
    counted: dict[State, int] = {}
    listed: list[Compared] = []
    began, problem, whole = time.monotonic(), "", True
    try:
        for one in shadow.compared(parts.folder.events, parts.folder.disclosure, share.id, parts.renderer):
            counted[one.state] = counted.get(one.state, 0) + 1
            if one.state not in FINE and len(listed) < LISTED:
                listed.append(one)
            if time.monotonic() - began > SECONDS:
                whole = False
                break
    except Unreadable as error:
        problem = str(error)
    differing = sum(many for state, many in counted.items() if state not in FINE)
    return {"counted": counted, "listed": listed, "differing": differing, "whole": whole, "problem": problem}


def around(left: str, right: str) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """Return both texts cut around where they first part, each as before, the differing rest, and after."""
    at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    begin = max(0, at - AROUND)
    same = ("…" if begin else "") + left[begin:at]

    def cut(text: str) -> tuple[str, str, str]:
        return same, text[at : at + AROUND], "…" if len(text) > at + AROUND else ""

    return cut(left), cut(right)


def routes() -> list[BaseRoute]:
    """Return the route of the comparison."""
    return [door("/audit/shares/{share}/shadow", compare, allow=AUDIT)]
