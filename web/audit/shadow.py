"""A share recomputed for the auditor, with the code of today beside what was recorded. Nothing is written."""

import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.agreement.share import Share
from domain.ids import ShareId
from domain.language import gettext as _
from projections.events.event_log import Unreadable
from projections.follow import shadow
from projections.follow.shadow import Compared, State
from web.door.guard import AUDIT, Signed, door, not_found
from web.process.services import Services
from web.record.shadow_words import FINE, WORDS
from web.staff.consulted import consulted
from web.staff.frame import shell

LISTED = 40  # entries set out with both versions
FIELDS = 12  # of an entry
AROUND = 160  # characters shown before and after the first difference
SECONDS = 20.0  # a page takes at most; the command takes as long as it needs


async def compare(request: Request, signed: Signed) -> Response:
    """`GET /audit/shares/{share}/shadow`: what today's code makes of the events, compared with the record."""
    services: Services = request.app.state.services
    share = services.present.refresh().shares.get(ShareId(request.path_params["share"]))
    if share is None:
        return not_found()
    await run_in_threadpool(consulted, services, signed, share.id, _("recomputed and compared"))
    found = await run_in_threadpool(_compared, services, share)
    world = services.present.world
    context = {
        "share": share,
        "client": world.client_name(share.client),
        "project": world.projects[share.project].title,
        "head": services.logs.disclosure.head(share.id),
        "here": "shares",
        "said": WORDS,
        "parts_of": around,
        "fields": FIELDS,
    }
    return services.pages.response(request, "audit/shadow.html", **context, **found, **shell(services, signed))


def _compared(services: Services, share: Share) -> dict[str, Any]:
    counted: dict[State, int] = {}
    listed: list[Compared] = []
    began, problem, whole = time.monotonic(), "", True
    try:
        for one in shadow.compared(services.logs.events, services.logs.disclosure, share.id, services.renderer):
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
