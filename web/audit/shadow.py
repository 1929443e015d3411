"""A share recomputed for the auditor: what today's code makes of its events, beside what was recorded.

Rule: the record is not written to; that somebody asked is.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypedDict

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.agreement.share import Share
from domain.ids import ShareId
from domain.language import in_english
from projections.events.event_log import Unreadable
from projections.follow import shadow
from projections.follow.shadow import Compared, State
from web.audit.frame import AuditPage
from web.door.guard import AUDIT, Signed, door, not_found
from web.process.services import Services
from web.record.shadow_words import FINE, WORDS
from web.staff.consulted import consulted
from web.staff.frame import shell

LISTED = 40  # entries set out with both versions
FIELDS = 12  # of an entry
AROUND = 160  # characters shown before and after the first difference
SECONDS = 20.0  # a page takes at most; the command takes as long as it needs


Cut = tuple[str, str, str]  # of a text: what is the same before, the rest that differs, "…" where more follows


class Comparison(TypedDict):
    """How a share's entries came out."""

    counted: Mapping[State, int]
    listed: Sequence[Compared]  # those that differ, at most `LISTED`
    differing: int
    whole: bool  # whether all entries were compared in time
    problem: str  # why the events cannot be read to their end, "" when they can


class ShadowPage(AuditPage, frozen=True, kw_only=True):
    """A share's entries as recorded beside what today's code makes of the events."""

    template = "audit/shadow.html"
    here: Literal["shares"] = "shares"
    share: Share
    client: str
    project: str
    head: int  # the number of the newest entry
    said: Mapping[State, str]  # the verdicts in words
    parts_of: Callable[[str, str], tuple[Cut, Cut]]
    fields: int  # of an entry that are set out at most
    counted: Mapping[State, int]
    listed: Sequence[Compared]
    differing: int
    whole: bool
    problem: str


async def compare(request: Request, signed: Signed) -> Response:
    """`GET /audit/shares/{share}/shadow`: what today's code makes of the events, compared with the record."""
    services: Services = request.app.state.services
    share = services.present.refresh().shares.get(ShareId(request.path_params["share"]))
    if share is None:
        return not_found()
    return services.pages.answer(request, await run_in_threadpool(_page, services, signed, share))


def _page(services: Services, signed: Signed, share: Share) -> ShadowPage:
    consulted(services, signed, share.id, in_english("recomputed and compared"))
    comparison, world = _compared(services, share), services.present.world
    return ShadowPage(
        **shell(services, signed),
        **comparison,
        share=share,
        client=world.client_name(share.client),
        project=world.projects[share.project].title,
        head=services.logs.disclosure.head(share.id),
        said=WORDS,
        parts_of=around,
        fields=FIELDS,
    )


def _compared(services: Services, share: Share) -> Comparison:
    counted: dict[State, int] = {}
    listed: list[Compared] = []
    began, problem, whole = time.monotonic(), "", True
    try:
        for entry in shadow.compared(services.logs.events, services.logs.disclosure, share.id, services.renderer):
            counted[entry.state] = counted.get(entry.state, 0) + 1
            if entry.state not in FINE and len(listed) < LISTED:
                listed.append(entry)
            if time.monotonic() - began > SECONDS:
                whole = False
                break
    except Unreadable as error:
        problem = str(error)
    differing = sum(many for state, many in counted.items() if state not in FINE)
    return {"counted": counted, "listed": listed, "differing": differing, "whole": whole, "problem": problem}


def around(left: str, right: str) -> tuple[Cut, Cut]:
    """Return both texts cut around the first character that differs."""
    at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    begin = max(0, at - AROUND)
    same = ("…" if begin else "") + left[begin:at]

    def cut(text: str) -> Cut:
        return same, text[at : at + AROUND], "…" if len(text) > at + AROUND else ""

    return cut(left), cut(right)


def routes() -> list[BaseRoute]:
    """Return the route of the comparison."""
    return [door("/audit/shares/{share}/shadow", compare, allow=AUDIT, kind="export")]
