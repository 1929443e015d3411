"""Pages of a share's access log: who opened it, when, on which kind of device, for how long, until which update.

Rule: it is made of receipts alone, as long as they are kept; the ledger records the question before the answer.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.agreement.share import Share
from domain.ids import ShareId
from domain.language import gettext as _
from domain.plan.project import Project
from projections.entries.parts import instant
from projections.receipts.on_screen import moment
from projections.receipts.visit_log import VisitsTold
from projections.receipts.visits import Visit
from projections.wording import words
from projections.wording.phrases import lasted
from web.door.csv_download import download, sheet
from web.door.guard import AUDIT, STAFF, Signed, door, not_found
from web.process.services import Services
from web.staff.consulted import consulted
from web.staff.frame import StaffPage, shell

PAGE = 50
HEAD = (
    "opened_utc", "person", "device", "first_update", "last_update", "last_displayed", "open_seconds",
    "on_screen_seconds", "closed_utc", "state",
)  # fmt: skip


class AccessLine(msgspec.Struct, frozen=True, kw_only=True):
    """One opening as people read it."""

    at: str  # in the zone of the page
    iso: str  # UTC
    who: str
    device: str
    open_for: str  # "" when not known
    on_screen: str  # "" when it never was
    first: int  # update
    last: int
    displayed: int
    state: str


class EitherPage(StaffPage, frozen=True, kw_only=True):
    """A page in the frame of managers or in that of auditors."""

    base: str  # the template of the frame
    here: str  # which of its links leads here


class AccessPage(EitherPage, frozen=True, kw_only=True):
    """One page of the access log, newest first, for a manager or an auditor."""

    template = "pm/access.html"
    share: Share
    project: Project
    client: str
    lines: Sequence[AccessLine]
    total: int
    people: int
    open: int  # now
    dropped: int  # older openings that are not in the list
    page: int  # from 1
    older: bool
    path: str
    zone: str  # IANA


def _share(services: Services, request: Request) -> Share | None:
    """Return the share an address names; None where there is none, or the address names another project."""
    share = services.present.refresh().shares.get(ShareId(request.path_params["share"]))
    named = request.path_params.get("project", share.project if share else "")
    return share if share is not None and share.project == named else None


def told(services: Services, signed: Signed, share: Share, asked: str) -> VisitsTold:
    """Record the question, then return the visits of a share. For threads."""
    consulted(services, signed, share.id, asked)
    services.receipts.flush()
    return services.visits.told(share.id, services.now() - timedelta(days=share.retention))


async def access(request: Request, signed: Signed) -> Response:
    """`GET …/access?page=2`: the access log, newest first."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(_share, services, request)
    page = request.query_params.get("page", "1")
    if share is None or not (page.isascii() and page.isdecimal() and len(page) < 6 and int(page) > 0):
        return not_found()
    log = await run_in_threadpool(told, services, signed, share, _("access log, page {page}", page=int(page)))
    start = (int(page) - 1) * PAGE
    if start and start >= len(log.visits):
        return not_found()
    world = services.present.world
    staff = "project" in request.path_params
    zone = world.projects[share.project].time_zone if staff else "UTC"
    shown = AccessPage(
        share=share,
        project=world.projects[share.project],
        client=world.client_name(share.client),
        lines=[_line(services, share, visit, zone) for visit in log.visits[start : start + PAGE]],
        total=len(log.visits),
        people=len({visit.person for visit in log.visits}),
        open=sum(_open(share, visit) for visit in log.visits),
        dropped=log.dropped,
        page=int(page),
        older=start + PAGE < len(log.visits),
        path=request.url.path,
        zone=zone,
        here="shares",
        base="pm/base.html" if staff else "audit/base.html",
        **shell(services, signed),
    )
    return services.pages.answer(request, shown)


def _open(share: Share, visit: Visit) -> bool:
    return visit.open and share.revoked_at is None


def _state(share: Share, visit: Visit) -> str:
    if visit.lost:
        return _("Server went down")
    if visit.closed:
        return _("Closed")
    if not visit.live:
        return _("Opened, not kept open")
    return _("Open now") if share.revoked_at is None else _("Closed")


def _line(services: Services, share: Share, visit: Visit, zone: str) -> AccessLine:
    at, until = moment(visit.opened), _until(services, share)
    there = words.local(at, zone)
    return AccessLine(
        at=f"{words.day_year(there.date())}, {there:%H:%M:%S}",
        iso=instant(at),
        who=services.present.world.person_name(visit.person, share.client),
        device=visit.device or _("Not known"),
        open_for=lasted(visit.lasted(until)) if visit.live else "",
        on_screen=lasted(visit.on_screen(until)) if visit.displayed else "",
        first=visit.first,
        last=visit.last,
        displayed=visit.displayed,
        state=_state(share, visit),
    )


def _until(services: Services, share: Share) -> float:
    """Return until when a page that was not heard to close can have been open, POSIX seconds."""
    return (share.revoked_at or services.now()).timestamp()


async def access_csv(request: Request, signed: Signed) -> Response:
    """`GET …/access.csv`: the whole of it as a file, newest first; times in UTC."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(_share, services, request)
    if share is None:
        return not_found()
    log = await run_in_threadpool(told, services, signed, share, _("access log, as CSV"))
    name, until = services.present.world.names_for(share.client), _until(services, share)
    rows = [_row(share, visit, name(visit.person), until) for visit in log.visits]
    return download(await run_in_threadpool(sheet, HEAD, rows), f"fanlight-{share.id}-access.csv")


def _row(share: Share, visit: Visit, who: str, until: float) -> tuple[object, ...]:
    length = round(visit.lasted(until)) if visit.live else ""
    return (
        _utc(visit.opened), who, visit.device, visit.first, visit.last, visit.displayed or "", length,
        round(visit.on_screen(until)), _utc(visit.closed) if visit.closed else "", _state(share, visit).lower(),
    )  # fmt: skip


def _utc(at: float) -> str:
    return datetime.fromtimestamp(round(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def routes() -> list[BaseRoute]:
    """Return the routes of the access log, for managers and for auditors."""
    staff, audit = "/p/{project}/shares/{share}", "/audit/shares/{share}"
    return [
        door(f"{staff}/access", access, allow=STAFF),
        door(f"{staff}/access.csv", access_csv, allow=STAFF, kind="export"),
        door(f"{audit}/access", access, allow=AUDIT, name="audit_access"),
        door(f"{audit}/access.csv", access_csv, allow=AUDIT, name="audit_access_csv", kind="export"),
    ]
