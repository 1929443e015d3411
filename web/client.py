"""The client's door: pages made of disclosed bytes only, and the socket that keeps them true.

Rule: nothing here can reach the project; what a page shows was folded from the disclosure log. Whatever a viewer may
not see answers like what does not exist.
"""

import hashlib
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute
from starlette.websockets import WebSocket

from domain.errors import Refused
from domain.headline import number
from domain.view import ClientView
from projections import replay, words
from projections.disclosure import Page, instant
from web import answering, charts, messages
from web.answering import Offer
from web.device import device
from web.guard import VIEWERS, Signed, door, live_door, not_found
from web.place import Viewer
from web.problem import status_of
from web.saying import asked, sent

if TYPE_CHECKING:
    from web.parts import Parts

_views = msgspec.json.Decoder(ClientView)
NO_STORE = {"cache-control": "no-store"}


async def dashboard(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}?about=risk-r7`: the newest page, from the log, with a form to answer what is asked about."""
    parts: Parts = request.app.state.parts
    share = request.path_params["share"]
    if not parts.may_watch(signed, share):
        return not_found()
    page = await run_in_threadpool(parts.heads.page, share)
    about = asked(request.query_params)
    offered = answering.offer(page, about) if page is not None and about is not None else None
    said = request.query_params.get("said", "")
    told = await run_in_threadpool(answering.recorded, parts, signed, share, said) if said else ""
    return await _shown(request, signed, page, None if told else offered, told=told)


async def _shown(
    request: Request, signed: Signed, page: Page | None, offered: Offer | None, status: int = 200, *, told: str = ""
) -> Response:
    """Answer with the whole dashboard; `offered` is what can be said about one thing of it."""
    parts: Parts = request.app.state.parts
    share, agent = request.path_params["share"], request.headers.get("user-agent", "")
    context = await run_in_threadpool(_context, parts, signed, share, page, device(agent))
    context |= {"answer": offered, "told": told, "signed": signed}
    return parts.pages.response(request, "client/dashboard.html", status, **context)


async def answer(request: Request, signed: Signed) -> Response:
    """`GET|POST /s/{share}/answer`: say something of what is on screen; a refusal keeps what was typed."""
    parts: Parts = request.app.state.parts
    share = request.path_params["share"]
    if not parts.may_watch(signed, share):
        return not_found()
    if request.method != "POST":
        about = asked(request.query_params) or ""
        return RedirectResponse(f"/s/{share}?{urlencode({'about': about})}#answer", 303)
    form = await request.form()
    given, key = sent(form), str(form.get("command_id", ""))
    page = await run_in_threadpool(parts.heads.page, share)
    try:
        await run_in_threadpool(answering.record, parts, signed, share, page, given, key)
    except Refused as refusal:
        again = answering.refused(page, given, refusal.message, refusal.field)
        return await _shown(request, signed, page, again, status_of(refusal))
    return RedirectResponse(f"/s/{share}?{urlencode({'said': key})}#answer", 303)


def _context(parts: "Parts", signed: Signed, share: str, page: Page | None, device: str) -> dict[str, Any]:
    """Return what the shell around the parts needs; of the viewer, only what is theirs."""
    called, zone = parts.called(share)
    ended = parts.ended_on(share)
    shell: dict[str, Any] = {
        "share": share,
        "organisation": called.organisation,
        "client": called.client,
        "ended": ended is not None,
        "ended_on": words.long_day(words.local(ended, zone).date()) if ended else "",
        "zone": zone,
        "days": parts.kept_days(share),
        "items": "",
        "visited": "",
    }
    if page is None:
        return shell | {
            "title": called.organisation, "n": 0, "at": "", "time": "", "recorded": "", "root": "", "roots": {},
            "head": "", "stylesheet": parts.renderer.stylesheet,
        }  # fmt: skip
    session = signed.session.id if signed.session else ""
    visit = parts.receipts.opened(share, signed.person.id, session, page.n, device)
    items = replay.items_since(parts.folder.disclosure, share, visit.since, page.n) if visit.since else []
    view = _views.decode(page.view)
    return shell | {
        "title": f"{view.project}: {view.headline.sentence}",
        "n": page.n,
        "at": instant(page.at),
        "time": f"{words.local(page.at, zone):%H:%M}",
        "recorded": f"{words.day_year(page.at.date())}, {page.at:%H:%M:%S} UTC",
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
    parts: Parts = request.app.state.parts
    share = request.path_params["share"]
    if not parts.may_watch(signed, share):
        return not_found()
    page = await run_in_threadpool(parts.heads.page, share)
    view = _views.decode(page.view) if page else None
    css = today_css(view, words.local(parts.now(), view.time_zone).date()) if view else ""
    return Response(css, media_type="text/css; charset=utf-8", headers=NO_STORE)


def today_css(view: ClientView, day: date) -> str:
    """Return the rule that puts today's line on the milestones' axis; nothing when today lies outside."""
    axis = charts.axis_of(view.milestones)
    if axis is None or not axis.start <= day <= axis.end:
        return ""
    return f":root{{--today:{axis.at(day)}%}}\n"


async def stylesheet(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}/styles/{sha}.css`: the stylesheet an entry names, for ever the same bytes."""
    parts: Parts = request.app.state.parts
    share, digest = request.path_params["share"], request.path_params["sha"]
    if not parts.may_watch(signed, share):
        return not_found()
    if digest == parts.renderer.stylesheet:
        css: bytes | None = parts.renderer.css
    else:
        css = await run_in_threadpool(parts.folder.disclosure.stylesheet, digest)
    if css is None or hashlib.sha256(css).hexdigest() != digest:
        return not_found()
    kept = {"cache-control": "private, max-age=31536000, immutable"}
    return Response(css, media_type="text/css; charset=utf-8", headers=kept)


async def record(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}/record`: what the record proves, in plain words, with the head this client holds."""
    parts: Parts = request.app.state.parts
    share = request.path_params["share"]
    page = await run_in_threadpool(parts.heads.page, share) if parts.may_watch(signed, share) else None
    if page is None:
        return not_found()
    view = _views.decode(page.view)
    context = {"share": share, "n": page.n, "root": page.root, "version": page.terms_version, "project": view.project}
    context["days"] = parts.kept_days(share)
    return parts.pages.response(request, "client/record.html", organisation=view.organisation, **context)


async def home(request: Request, signed: Signed) -> Response:
    """`GET /home`: a viewer's shares; straight to the dashboard when there is one."""
    parts: Parts = request.app.state.parts
    shares = await run_in_threadpool(_shares, parts, signed)
    if len(shares) == 1:
        return RedirectResponse(f"/s/{shares[0]['id']}", 303)
    many = f"{number(len(shares)).capitalize()} projects are shared with you." if shares else "Nothing is shared yet."
    called: dict[str, Any] = {"organisation": parts.present.world.organisation, "client": parts.client_of(signed)}
    return parts.pages.response(request, "client/home.html", signed=signed, shares=shares, heading=many, **called)


async def home_shares(request: Request, signed: Signed) -> Response:
    """`GET /home/shares`: the list alone; 304 when nothing on it is new."""
    parts: Parts = request.app.state.parts
    markup = parts.pages.text("client/shares.html", shares=await run_in_threadpool(_shares, parts, signed))
    etag = f'"{hashlib.sha256(markup.encode()).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"etag": etag, **NO_STORE})
    return Response(markup, media_type="text/html; charset=utf-8", headers={"etag": etag, "cache-control": "no-cache"})


def _shares(parts: "Parts", signed: Signed) -> list[dict[str, Any]]:
    found = []
    for share in parts.shares_of(signed):
        page = parts.heads.page(share)
        ended = parts.ended_on(share) is not None
        if page is None:
            organisation = parts.present.world.organisation
            found.append(
                {
                    "id": share,
                    "project": organisation,
                    "sentence": "Nothing has been shared yet",
                    "n": 0,
                    "ended": ended,
                }
            )
            continue
        view = _views.decode(page.view)
        time = words.moment(page.at, view.time_zone)
        sentence = view.headline.sentence
        found.append(
            {
                "id": share,
                "project": view.project,
                "sentence": sentence,
                "n": page.n,
                "at": instant(page.at),
                "time": time,
                "ended": ended,
            }
        )
    return sorted(found, key=lambda s: (s["ended"], s["project"], s["id"]))


async def live(websocket: WebSocket, signed: Signed | None) -> None:
    """`WS /s/{share}/live`: accepted first and refused by its code after, or browsers would retry for ever."""
    parts: Parts = websocket.app.state.parts
    share = websocket.path_params["share"]
    mark = parts.live.mark()
    await websocket.accept()
    if signed is None or signed.session is None:
        await websocket.close(messages.SIGNED_OUT)
        return
    if not parts.may_watch(signed, share) or parts.ended_on(share) is not None:
        await websocket.close(messages.ENDED)
        return
    expires = signed.session.expires.astimezone(UTC).timestamp()
    viewer = Viewer(person=signed.person.id, share=share, session=signed.session.id, expires=expires)
    await parts.live.serve(websocket, viewer, mark)


def routes() -> list[BaseRoute]:
    """Return the routes of the client's door."""
    return [
        door("/home", home, allow=VIEWERS),
        door("/home/shares", home_shares, allow=VIEWERS),
        door("/s/{share}", dashboard, allow=VIEWERS),
        door("/s/{share}/today.css", today, allow=VIEWERS),
        door("/s/{share}/styles/{sha}.css", stylesheet, allow=VIEWERS),
        door("/s/{share}/record", record, allow=VIEWERS),
        door("/s/{share}/answer", answer, allow=VIEWERS, methods=["GET", "POST"]),
        live_door("/s/{share}/live", live),
    ]
