"""The client's door: pages made of disclosed bytes only, and the socket that keeps them true.

Rule: nothing here can reach the project; what a page shows was folded from the disclosure log. Whatever a viewer may
not see answers like what does not exist.
"""

import hashlib
from datetime import UTC, date, datetime
from typing import Any
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
from projections.entries.entry import Page, instant
from projections.replay import pages
from projections.wording import words
from web.client import answering
from web.client.answering import Offer
from web.client.viewing import NO_STORE, Viewing
from web.door.device import device
from web.door.guard import VIEWERS, Signed, door, live_door, not_found
from web.door.problem import status_of
from web.push import messages
from web.push.viewer import Viewer
from web.render import charts
from web.write.saying import asked, sent

_views = msgspec.json.Decoder(ClientView)


async def dashboard(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}?about=risk-r7`: the newest page, from the log, with a form to answer what is asked about."""
    viewing: Viewing = request.app.state.viewing
    share = request.path_params["share"]
    if not viewing.may_watch(signed, share):
        return not_found()
    page = await run_in_threadpool(viewing.heads.page, share)
    about = asked(request.query_params)
    offered = answering.offer(page, about) if page is not None and about is not None else None
    said = request.query_params.get("said", "")
    told = await run_in_threadpool(answering.recorded, viewing, signed, share, said) if said else ""
    return await _shown(request, signed, page, None if told else offered, told=told)


async def _shown(
    request: Request, signed: Signed, page: Page | None, offered: Offer | None, status: int = 200, *, told: str = ""
) -> Response:
    """Answer with the whole dashboard; `offered` is what can be said about one thing of it."""
    viewing: Viewing = request.app.state.viewing
    share, agent = request.path_params["share"], request.headers.get("user-agent", "")
    context = await run_in_threadpool(_context, viewing, signed, share, page, device(agent))
    context |= {"answer": offered, "told": told, "signed": signed}
    return viewing.pages.response(request, "client/dashboard.html", status, **context)


async def answer(request: Request, signed: Signed) -> Response:
    """`GET|POST /s/{share}/answer`: say something of what is on screen; a refusal keeps what was typed."""
    viewing: Viewing = request.app.state.viewing
    share = request.path_params["share"]
    if not viewing.may_watch(signed, share):
        return not_found()
    if request.method != "POST":
        about = asked(request.query_params) or ""
        return RedirectResponse(f"/s/{share}?{urlencode({'about': about})}#answer", 303)
    form = await request.form()
    given, key = sent(form), str(form.get("command_id", ""))
    page = await run_in_threadpool(viewing.heads.page, share)
    try:
        await run_in_threadpool(answering.record, viewing, signed, share, page, given, key)
    except Refused as refusal:
        again = answering.refused(page, given, refusal.message, refusal.field)
        return await _shown(request, signed, page, again, status_of(refusal))
    return RedirectResponse(f"/s/{share}?{urlencode({'said': key})}#answer", 303)


def _context(viewing: Viewing, signed: Signed, share: str, page: Page | None, device: str) -> dict[str, Any]:
    """Return what the shell around the parts needs; of the viewer, only what is theirs."""
    called = viewing.called(share)
    ended, zone = viewing.ended_on(share), called.zone
    shell: dict[str, Any] = {
        "share": share,
        "organisation": called.organisation,
        "client": called.client,
        "ended": ended is not None,
        "ended_on": words.long_day(words.local(ended, zone).date()) if ended else "",
        "zone": zone,
        "days": viewing.kept_days(share),
        "items": "",
        "visited": "",
    }
    if page is None:
        return shell | {
            "title": called.organisation, "n": 0, "at": "", "time": "", "recorded": "", "root": "", "roots": {},
            "head": "", "stylesheet": viewing.style.stylesheet,
        }  # fmt: skip
    session = signed.session.id if signed.session else ""
    visit = viewing.receipts.opened(share, signed.person.id, session, page.n, device)
    items = pages.items_since(viewing.log, share, visit.since, page.n) if visit.since else []
    view = _views.decode(page.view)
    return shell | {
        "title": f"{view.project}: {view.headline.sentence}",
        "n": page.n,
        "at": instant(page.at),
        "time": f"{words.local(page.at, zone):%H:%M}",
        "recorded": _("{at}, {page_at:%H:%M:%S} UTC", at=words.day_year(page.at.date()), page_at=page.at),
        "head": page.root,
        "root": " ".join(page.root[i : i + 4] for i in range(0, 16, 4)),
        "roots": {root: Markup(markup) for root, markup in page.roots.items()},  # noqa: S704  # recorded, escaped when made
        "stylesheet": page.stylesheet,
        "items": Markup("".join(items)),  # noqa: S704  # recorded, escaped when made
        "visited": _visited(visit.ended, zone),
    }


def _visited(at: datetime | None, zone: str) -> str:
    if at is None:
        return ""
    there = words.local(at, zone)
    return f"{there:%A} {there.day} {words.LONG[there.month - 1]}, {there:%H:%M}"


async def today(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}/today.css`: where today lies on the page's axis; chrome, not part of any frame."""
    viewing: Viewing = request.app.state.viewing
    share = request.path_params["share"]
    if not viewing.may_watch(signed, share):
        return not_found()
    page = await run_in_threadpool(viewing.heads.page, share)
    view = _views.decode(page.view) if page else None
    css = today_css(view, words.local(viewing.now(), view.time_zone).date()) if view else ""
    return Response(css, media_type="text/css; charset=utf-8", headers=NO_STORE)


def today_css(view: ClientView, day: date) -> str:
    """Return the rule that puts today's line on the milestones' axis; nothing when today lies outside."""
    axis = charts.axis_of(view.milestones)
    if axis is None or not axis.start <= day <= axis.end:
        return ""
    return f":root{{--today:{axis.at(day)}%}}\n"


async def stylesheet(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}/styles/{sha}.css`: the stylesheet an entry names, for ever the same bytes."""
    viewing: Viewing = request.app.state.viewing
    share, digest = request.path_params["share"], request.path_params["sha"]
    if not viewing.may_watch(signed, share):
        return not_found()
    if digest == viewing.style.stylesheet:
        css: bytes | None = viewing.style.css
    else:
        css = await run_in_threadpool(viewing.log.stylesheet, digest)
    if css is None or hashlib.sha256(css).hexdigest() != digest:
        return not_found()
    kept = {"cache-control": "private, max-age=31536000, immutable"}
    return Response(css, media_type="text/css; charset=utf-8", headers=kept)


async def record(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}/record`: what the record proves, in plain words, with the head this client holds."""
    viewing: Viewing = request.app.state.viewing
    share = request.path_params["share"]
    page = await run_in_threadpool(viewing.heads.page, share) if viewing.may_watch(signed, share) else None
    if page is None:
        return not_found()
    view = _views.decode(page.view)
    context = {"share": share, "n": page.n, "root": page.root, "version": page.terms_version, "project": view.project}
    context["days"] = viewing.kept_days(share)
    return viewing.pages.response(request, "client/record.html", organisation=view.organisation, **context)


async def live(websocket: WebSocket, signed: Signed | None) -> None:
    """`WS /s/{share}/live`: accepted first and refused by its code after, or browsers would retry for ever."""
    viewing: Viewing = websocket.app.state.viewing
    share = websocket.path_params["share"]
    mark = viewing.live.mark()
    await websocket.accept()
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
    """Return the routes of the client's door."""
    return [
        door("/s/{share}", dashboard, allow=VIEWERS),
        door("/s/{share}/today.css", today, allow=VIEWERS),
        door("/s/{share}/styles/{sha}.css", stylesheet, allow=VIEWERS),
        door("/s/{share}/record", record, allow=VIEWERS),
        door("/s/{share}/answer", answer, allow=VIEWERS, methods=["GET", "POST"]),
        live_door("/s/{share}/live", live),
    ]
