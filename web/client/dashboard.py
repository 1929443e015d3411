"""The dashboard of a client: its page, the answers to it, the socket that keeps it up to date, and what it proves.

Rule: nothing here can reach the project; what a page shows was brought forward from the disclosure log. Whatever a
viewer may not see answers like what does not exist.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute
from starlette.websockets import WebSocket

from domain.errors import Refused
from domain.language import gettext as _
from domain.view import ClientView
from projections.entries.entry import Page
from projections.entries.parts import instant
from projections.wording import words
from projections.wording.days import last_day
from projections.wording.phrases import grouped
from web.client import answering, in_place
from web.client.answering import Offer
from web.client.in_place import Beneath
from web.client.live_words import live_words
from web.client.share_page import ShareFields, SharePage, language_of, share_fields
from web.client.since import News, news
from web.client.viewing import NO_STORE, Viewing
from web.door.device import device
from web.door.guard import VIEWERS, Signed, door, live_door, not_found
from web.door.problem import status_of
from web.push import messages
from web.push.viewer import Viewer
from web.render import charts, details
from web.write.saying import Spoke, asked, sent

PATIENCE = 0.6  # seconds to wait for an update with what the reader said a moment ago


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """Who opens the dashboard of which share, on what kind of device."""

    signed: Signed
    share: str
    device: str


class AnswerSection(msgspec.Struct, frozen=True):
    """What stands beneath a row: a form about it, or that an answer is recorded."""

    about: str = ""
    offer: Offer | None = None
    said: Spoke | None = None  # what was recorded just now


class AnswerPart(SharePage, frozen=True, kw_only=True):
    """A form to answer something, or that the answer is recorded, as it stands beneath a row."""

    template = "client/answer.html"
    ended: bool
    about: str
    answer: Offer | None
    said: Spoke | None
    told: str  # what was recorded, in words
    n: int
    head: str  # the tree head after update n, hex
    tag: str  # of the element it is, "" where it stands by itself
    columns: int


class DashboardPage(SharePage, frozen=True, kw_only=True):
    """The dashboard: the parts as recorded, and around them what depends on the reader."""

    template = "client/dashboard.html"
    title: str  # of the window
    days: int  # for which receipts are kept
    ended: bool
    ended_on: str  # the civil day, "" while the share is in force
    words: str  # of the page's own script, JSON
    stylesheet: str  # SHA-256, hex
    apart: Markup = Markup()  # an answer to what has no row on the page
    below: Markup = Markup()  # an answer to the whole page, at its foot
    # of the newest update; without one it is number 0
    n: int = 0
    at: str = ""  # UTC
    time: str = ""  # to the minute, in the share's zone
    recorded: str = ""  # day and time in words, UTC
    head: str = ""  # the tree head after it, hex
    root: str = ""  # the beginning of `head`, in groups of four
    rest: str = ""  # the rest of it, which paper has
    roots: Mapping[str, Markup] = {}  # the outermost parts by id, an answer beneath its row
    news: News = News(reader="")  # what changed since the last visit
    visited: str = ""  # when the last visit ended, in words


class RecordPage(SharePage, frozen=True, kw_only=True):
    """What the record proves, with the head the client holds."""

    template = "client/record.html"
    n: int
    root: str  # the tree head after update n, hex
    version: int  # of the agreement
    days: int  # for which receipts are kept


async def dashboard(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}?about=risk-r7`: the newest page, from the log, with a form to answer what is asked about."""
    viewing: Viewing = request.app.state.viewing
    share = request.path_params["share"]
    if not viewing.may_watch(signed, share):
        return not_found()
    page = await run_in_threadpool(viewing.heads.page, share)
    about = asked(request.query_params)
    offer = answering.offer(page, about) if page is not None and about is not None else None
    command = request.query_params.get("said", "")
    said = await run_in_threadpool(viewing.said, signed, share, command) if command else None
    if said is not None:
        page = await _with_what_was_said(viewing, share, page, said)
        return await _answer(request, signed, page, AnswerSection(said.subject, said=said))
    return await _answer(request, signed, page, AnswerSection(about or "", offer))


async def _with_what_was_said(viewing: Viewing, share: str, page: Page | None, said: Spoke) -> Page | None:
    """Return the newest page once it shows what was said a moment ago, or after `PATIENCE` as it is then."""
    until = asyncio.get_running_loop().time() + PATIENCE
    while page is not None and not answering.stands(page, said) and asyncio.get_running_loop().time() < until:
        await asyncio.sleep(0.02)
        page = await run_in_threadpool(viewing.heads.page, share)
    return page


async def _answer(
    request: Request, signed: Signed, page: Page | None, section: AnswerSection, status: int = 200
) -> Response:
    """Answer with the whole dashboard."""
    viewing: Viewing = request.app.state.viewing
    on = device(request.headers.get("user-agent", ""))
    opening = Opening(signed=signed, share=request.path_params["share"], device=on)
    return viewing.pages.answer(request, await run_in_threadpool(_page, viewing, opening, page, section), status)


async def answer(request: Request, signed: Signed) -> Response:
    """`GET|POST /s/{share}/answer`: say something of what is on screen; a refusal keeps what was typed."""
    viewing: Viewing = request.app.state.viewing
    share = request.path_params["share"]
    if not viewing.may_watch(signed, share):
        return not_found()
    page = await run_in_threadpool(viewing.heads.page, share)
    if request.method != "POST":
        return await _form(request, signed, page, asked(request.query_params) or "")
    form = await request.form()
    given, key = sent(form), str(form.get("command_id", ""))
    answered = _part if "hx-request" in request.headers else _answer
    try:
        await run_in_threadpool(answering.record, viewing, signed, share, page, given, key)
    except Refused as refusal:
        again = answering.refused(page, given, refusal.message, refusal.field)
        return await answered(request, signed, page, AnswerSection(again.about, again), status_of(refusal))
    if answered is _part:
        said = await run_in_threadpool(viewing.said, signed, share, key)
        return await _part(request, signed, page, AnswerSection(given.about, said=said))
    return RedirectResponse(f"/s/{share}?{urlencode({'said': key})}#answer", 303)


async def _form(request: Request, signed: Signed, page: Page | None, about: str) -> Response:
    """Answer with the form alone where the page's script asks for it, else lead to the page with the form in it."""
    share = request.path_params["share"]
    if "hx-request" not in request.headers:
        return RedirectResponse(f"/s/{share}?{urlencode({'about': about})}#answer", 303)
    offer = answering.offer(page, about) if page is not None else None
    return await _part(request, signed, page, AnswerSection(about, offer)) if offer else not_found()


async def _part(
    request: Request, signed: Signed, page: Page | None, section: AnswerSection, status: int = 200
) -> Response:
    """Answer with what stands beneath a row."""
    viewing: Viewing = request.app.state.viewing
    fields = await run_in_threadpool(share_fields, viewing, signed, request.path_params["share"])
    part = _beneath(viewing, fields, page, section, in_place.place(page, section.about))
    return viewing.pages.answer(request, part, status)


def _beneath(
    viewing: Viewing, fields: ShareFields, page: Page | None, section: AnswerSection, there: Beneath | None
) -> AnswerPart:
    return AnswerPart(
        **fields,
        ended=viewing.ended_on(fields["share"]) is not None,
        about=section.about,
        answer=section.offer,
        said=section.said,
        told=answering.recorded(section.said) if section.said else "",
        n=page.n if page else 0,
        head=page.root if page else "",
        tag=there.tag if there else "",
        columns=there.columns if there else 1,
    )


class _Around(ShareFields):
    """The fields of a `DashboardPage` that depend on no update."""

    days: int
    ended: bool
    ended_on: str
    words: str


def _page(viewing: Viewing, opening: Opening, page: Page | None, section: AnswerSection) -> DashboardPage:
    """Return the dashboard with `page` in it, and record that it was opened; of the viewer, only what is theirs."""
    around = _around(viewing, opening)
    fields = share_fields(viewing, opening.signed, opening.share)
    there = in_place.place(page, section.about)
    answer = Markup()
    if section.offer or section.said:
        answer = Markup(viewing.pages.markup(_beneath(viewing, fields, page, section, there)))  # noqa: S704  # escaped
    apart = answer if section.about and there is None else Markup()
    below = answer if not section.about else Markup()
    if page is None:
        empty = viewing.style.stylesheet
        return DashboardPage(**around, title=around["organisation"], stylesheet=empty, apart=apart, below=below)
    roots = {root: Markup(markup) for root, markup in page.roots.items()}  # noqa: S704  # recorded, escaped when made
    if there is not None:
        roots["body"] = in_place.put(roots["body"], there, answer)
    session = opening.signed.session.id if opening.signed.session else ""
    visit = viewing.receipts.opened(opening.share, opening.signed.person.id, session, page.n, opening.device)
    view = page.view
    return DashboardPage(
        **around,
        title=f"{view.project}: {view.headline.sentence}",
        stylesheet=page.stylesheet,
        n=page.n,
        at=instant(page.at),
        time=f"{words.local(page.at, around['zone']):%H:%M}",
        recorded=_("{at}, {page_at:%H:%M:%S} UTC", at=words.day_year(page.at.date()), page_at=page.at),
        head=page.root,
        root=" ".join(grouped(page.root[:16])),
        rest=" ".join(grouped(page.root[16:])),
        roots=roots,
        apart=apart,
        below=below,
        news=news(viewing, page, visit.since, opening.signed.person.id),
        visited=_visited(visit.ended, around["zone"]),
    )


def _around(viewing: Viewing, opening: Opening) -> _Around:
    fields, ended = share_fields(viewing, opening.signed, opening.share), viewing.ended_on(opening.share)
    return {
        **fields,
        "days": viewing.kept_days(opening.share),
        "ended": ended is not None,
        "ended_on": words.long_day(last_day(ended, fields["zone"])) if ended else "",
        "words": live_words(),
    }


def _visited(at: datetime | None, zone: str) -> str:
    """Return when a visit ended as "Thursday 11 March 2027, 09:31", "" when there was none."""
    if at is None:
        return ""
    there = words.local(at, zone)
    return f"{words.long_weekday(there)} {words.long_day(there.date())}, {there:%H:%M}"


async def today(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}/today.css`: where today lies on the page's axis, which no update holds."""
    viewing: Viewing = request.app.state.viewing
    share = request.path_params["share"]
    if not viewing.may_watch(signed, share):
        return not_found()
    page = await run_in_threadpool(viewing.heads.page, share)
    view = page.view if page else None
    css = today_css(view, words.local(viewing.now(), view.time_zone).date()) if view else ""
    return Response(css, media_type="text/css; charset=utf-8", headers=NO_STORE)


def today_css(view: ClientView, day: date) -> str:
    """Return the rules of today's line on the milestones' axis, and of how many days ago each overdue date was."""
    axis = charts.axis_of(view.milestones, view.date_unit)
    rules = [f":root{{--today:{axis.at(day)}%}}"] if axis is not None and axis.start <= day <= axis.end else []
    for row in view.milestones:
        passed = details.due(row)
        if passed is not None and passed < day:
            days = words.days_so_far((day - passed).days)
            rules.append(f'.sofar[data-of="{row.id}"]:not([data-days])::after{{content:"{days}"}}')
    return "".join(f"{rule}\n" for rule in rules)


async def stylesheet(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}/styles/{sha}.css`: the stylesheet with a SHA-256, or of the update with a number."""
    viewing: Viewing = request.app.state.viewing
    share = request.path_params["share"]
    if not viewing.may_watch(signed, share):
        return not_found()
    return await styled(viewing, share, request.path_params["sha"])


async def styled(viewing: Viewing, share: str, digest: str) -> Response:
    """Return the stylesheet with a SHA-256 (hex), or of the update of a share with a number."""
    kept = {"cache-control": "private, max-age=31536000, immutable"}
    if digest.isascii() and digest.isdecimal() and len(digest) < 12:
        kept = NO_STORE  # after a backup was restored another update may have the number
        digest = await run_in_threadpool(_stylesheet_of, viewing, share, int(digest))
    if digest == viewing.style.stylesheet:
        css: bytes | None = viewing.style.css
    else:
        css = await run_in_threadpool(viewing.log.stylesheet, digest)
    if css is None or hashlib.sha256(css).hexdigest() != digest:
        return not_found()
    return Response(css, media_type="text/css; charset=utf-8", headers=kept)


def _stylesheet_of(viewing: Viewing, share: str, n: int) -> str:
    """Return the SHA-256 (hex) of the stylesheet of an update, "" where there is no such update."""
    headers = viewing.log.headers(share, n - 1, 1, n) if n > 0 else []
    return headers[0].stylesheet if headers else ""


async def record(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}/record`: what the record proves, in plain words, with the head this client holds."""
    viewing: Viewing = request.app.state.viewing
    share = request.path_params["share"]
    page = await run_in_threadpool(viewing.heads.page, share) if viewing.may_watch(signed, share) else None
    if page is None:
        return not_found()
    proved = RecordPage(
        **await run_in_threadpool(share_fields, viewing, signed, share),
        n=page.n,
        root=page.root,
        version=page.terms_version,
        days=viewing.kept_days(share),
    )
    return viewing.pages.answer(request, proved)


async def live(websocket: WebSocket, signed: Signed | None) -> None:
    """`WS /s/{share}/live`: pushes updates; accepted before it is refused, since browsers retry a refused handshake."""
    viewing: Viewing = websocket.app.state.viewing
    share = websocket.path_params["share"]
    mark = viewing.live.mark()
    await viewing.live.accept(websocket)
    if signed is None or signed.session is None:
        await websocket.close(messages.SIGNED_OUT)
        return
    if not viewing.may_watch(signed, share) or viewing.ended_on(share) is not None:
        await websocket.close(messages.ENDED)
        return
    expires = signed.session.expires.astimezone(UTC).timestamp()
    viewer = Viewer(person=signed.person.id, share=share, session=signed.session.id, expires=expires)
    await viewing.live.serve(websocket, viewer, mark)


def routes() -> list[BaseRoute]:
    """Return the routes of the dashboard."""
    return [
        door("/s/{share}", dashboard, allow=VIEWERS, speaks=language_of),
        door("/s/{share}/today.css", today, allow=VIEWERS, speaks=language_of, kind="polled"),
        door("/s/{share}/styles/{sha}.css", stylesheet, allow=VIEWERS, speaks=language_of, kind="polled"),
        door("/s/{share}/record", record, allow=VIEWERS, speaks=language_of),
        door("/s/{share}/answer", answer, allow=VIEWERS, speaks=language_of, methods=["GET", "POST"]),
        live_door("/s/{share}/live", live),
    ]
