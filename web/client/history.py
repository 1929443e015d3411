"""A viewer's own history: every update of its share, by number and by date, each exactly as it was recorded.

Rule: made of disclosed bytes alone; nothing here can reach the project, and another's share answers like none at all.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import groupby
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.language import gettext as _
from projections.entries.entry import Change, Content, Kept, open_header
from projections.entries.parts import instant
from projections.replay import pages
from projections.wording import days, words
from projections.wording.phrases import grouped
from web.client.share_page import ShareFields, SharePage, language_of, share_fields
from web.client.viewing import Viewing
from web.door.guard import VIEWERS, Signed, door, not_found
from web.door.headers import CSP
from web.render import exact_page

PAGE = 50
FRAMING = f"{CSP}; frame-src 'self'"  # the page of an update alone shows a frame, and only one of ours


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """One update as its client reads it; an erased one has no changes left."""

    n: int
    at: datetime
    iso: str
    day: str
    time: str  # to the minute, in the client's zone
    terms: int
    agreed: bool  # the first one under its agreement
    changes: tuple[Change, ...]
    state: Literal["whole", "erased", "damaged"]


class TypedMoment(msgspec.Struct, frozen=True):
    """A day and a time as they were typed."""

    on: str
    time: str


class HistoryPage(SharePage, frozen=True, kw_only=True):
    """A page of updates by day, newest first, with a form to go to a moment."""

    template = "client/history.html"
    head: int  # the newest update, 0 for none
    days: Sequence[tuple[str, Sequence[Update]]]
    older: int  # the number to list from on the next page, 0 on the last one
    newest: bool  # whether the newest update is on this page
    asked: TypedMoment
    problem: str  # with what was asked, "" for none


class UpdatePage(SharePage, frozen=True, kw_only=True):
    """One update: what it changed, when it was on the page, and its proof."""

    template = "client/history_update.html"
    u: Update
    head: int
    since: str
    until: str  # "" while it is the newest of a share in force
    followed: bool  # whether an update came after it
    leaf: Sequence[str]  # groups of four hex digits
    root: Sequence[str]


class NoSuchTime(Exception):
    """What was typed is no date or no time."""


def update(kept: Kept, content: Content | None, before: int, zone: str) -> Update:
    """Return an entry as its client reads it; `before` is the terms version of the entry before it, 0 for none."""
    header = open_header(kept.header)
    there = words.local(header.instant, zone)
    return Update(
        n=kept.n,
        at=header.instant,
        iso=instant(header.instant),
        day=f"{words.long_weekday(there)} {words.long_day(there.date())}",
        time=f"{there:%H:%M}",
        terms=header.terms_version,
        agreed=header.terms_version != before,
        changes=content.changes if content else (),
        state=kept.state,
    )


def updates(viewing: Viewing, share: str, upto: int, zone: str) -> list[Update]:
    """Return `PAGE` updates, newest first, beginning with `upto`; times in `zone`."""
    start = max(0, upto - PAGE)
    log = viewing.log
    earlier = log.headers(share, start - 1, 1, start) if start else []
    before = earlier[0].terms_version if earlier else 0
    listed: list[Update] = []
    for kept in log.kept(share, start, PAGE, upto):
        listed.append(update(kept, log.content(share, kept), before, zone))
        before = listed[-1].terms
    return listed[::-1]


def moment(query: Mapping[str, str], zone: str) -> datetime | None:
    """Return the instant a form asks for in UTC: `on` a day, its end unless a `time` is given; None when unasked.

    Raises: NoSuchTime.
    """
    day, hour = query.get("on", ""), query.get("time", "")
    if not day:
        return None
    try:
        if not hour:
            return days.end_of(date.fromisoformat(day), zone) - datetime.resolution
        at = time.fromisoformat(hour).replace(tzinfo=ZoneInfo(zone))
        return datetime.combine(date.fromisoformat(day), at).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NoSuchTime from error


async def listing(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}/history?before=n` or `?on=2027-03-11&time=09:31`: every update, newest first, or the one then."""
    viewing: Viewing = request.app.state.viewing
    share, before = request.path_params["share"], request.query_params.get("before", "")
    if not viewing.may_watch(signed, share) or (before and not _number(before)):
        return not_found()
    asked = TypedMoment(request.query_params.get("on", ""), request.query_params.get("time", ""))
    problem, status = "", 200
    fields = await run_in_threadpool(share_fields, viewing, signed, share)
    try:
        at = moment(request.query_params, fields["zone"])
        if at is not None:
            n = await run_in_threadpool(pages.number_at, viewing.log, share, at)
            if n:
                return RedirectResponse(f"/s/{share}/history/{n}", 303)
            problem = _("Nothing had been shown by then. The first update is the last one on the last page.")
    except NoSuchTime:
        problem, status = _("Write the day as 2027-03-11 and the time as 09:31."), 400
    listed = await run_in_threadpool(_listed, viewing, fields, before, asked, problem)
    return viewing.pages.answer(request, listed, status)


def _listed(viewing: Viewing, fields: ShareFields, before: str, asked: TypedMoment, problem: str) -> HistoryPage:
    share = fields["share"]
    head = viewing.log.head(share)
    upto = min(int(before) - 1, head) if before else head
    listed = updates(viewing, share, upto, fields["zone"])
    return HistoryPage(
        **fields,
        head=head,
        days=[(day, list(group)) for day, group in groupby(listed, key=_day)],
        older=listed[-1].n if listed and listed[-1].n > 1 else 0,
        newest=upto == head,
        asked=asked,
        problem=problem,
    )


def _day(listed: Update) -> str:
    return listed.day


async def opened_update(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}/history/{n}`: what update n changed, when it was shown, its page and its proof."""
    viewing: Viewing = request.app.state.viewing
    share, n = request.path_params["share"], _number(request.path_params["n"])
    shown = (
        await run_in_threadpool(_update, viewing, signed, share, n) if n and viewing.may_watch(signed, share) else None
    )
    if shown is None:
        return not_found()
    response = viewing.pages.answer(request, shown)
    response.headers["content-security-policy"] = FRAMING
    return response


def _update(viewing: Viewing, signed: Signed, share: str, n: int) -> UpdatePage | None:
    log, fields = viewing.log, share_fields(viewing, signed, share)
    kept = next(iter(log.kept(share, n - 1, 1, n)), None)
    if kept is None:
        return None
    beside = {header.n: header for header in log.headers(share, max(n - 2, 0), 3, n + 1)}
    before, after = beside.get(n - 1), beside.get(n + 1)
    until = after.instant if after else viewing.ended_on(share)
    return UpdatePage(
        **fields,
        u=update(kept, log.content(share, kept), before.terms_version if before else 0, fields["zone"]),
        head=log.head(share),
        since=_exactly(open_header(kept.header).instant, fields["zone"]),
        until=_exactly(until, fields["zone"]) if until else "",
        followed=after is not None,
        leaf=grouped(kept.leaf.hex()),
        root=grouped(kept.root),
    )


def _exactly(at: datetime, zone: str) -> str:
    """Return an instant as "Thu 11 Mar 2027, 09:31:07"."""
    there = words.local(at, zone)
    return f"{words.weekday(there)} {words.day_year(there.date())}, {there:%H:%M:%S}"


async def page(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}/history/{n}/page`: the exact page of update n, for a frame of our own."""
    viewing: Viewing = request.app.state.viewing
    share = request.path_params["share"]
    if not viewing.may_watch(signed, share):
        return not_found()
    return await run_in_threadpool(
        exact_page.response, viewing.log, viewing.style, share, request.path_params["n"], ancestors="'self'"
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0


def routes() -> list[BaseRoute]:
    """Return the routes of a viewer's own history."""
    return [
        door("/s/{share}/history", listing, allow=VIEWERS, speaks=language_of),
        door("/s/{share}/history/{n}", opened_update, allow=VIEWERS, speaks=language_of),
        door("/s/{share}/history/{n}/page", page, allow=VIEWERS, speaks=language_of),
    ]
