"""The home page of a viewer: the shares they may watch."""

import hashlib
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.headline import number
from domain.language import gettext as _
from domain.view import ClientView
from projections.entries.entry import instant
from projections.wording import words
from web.client.viewing import NO_STORE, Viewing
from web.door.guard import VIEWERS, Signed, door

views = msgspec.json.Decoder(ClientView)


async def home(request: Request, signed: Signed) -> Response:
    """`GET /home`: a viewer's shares; straight to the dashboard when there is one."""
    viewing: Viewing = request.app.state.viewing
    shares = await run_in_threadpool(_shares, viewing, signed)
    if len(shares) == 1:
        return RedirectResponse(f"/s/{shares[0]['id']}", 303)
    many = (
        _("{shares} projects are shared with you.", shares=number(len(shares)).capitalize())
        if shares
        else _("Nothing is shared yet.")
    )
    called: dict[str, Any] = {"organisation": viewing.organisation(), "client": viewing.client_of(signed)}
    return viewing.pages.response(request, "client/home.html", signed=signed, shares=shares, heading=many, **called)


async def home_shares(request: Request, signed: Signed) -> Response:
    """`GET /home/shares`: the list alone; 304 when nothing on it is new."""
    viewing: Viewing = request.app.state.viewing
    markup = viewing.pages.text("client/shares.html", shares=await run_in_threadpool(_shares, viewing, signed))
    etag = f'"{hashlib.sha256(markup.encode()).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"etag": etag, **NO_STORE})
    return Response(markup, media_type="text/html; charset=utf-8", headers={"etag": etag, "cache-control": "no-cache"})


def _shares(viewing: Viewing, signed: Signed) -> list[dict[str, Any]]:
    found = []
    for share in viewing.shares_of(signed):
        page = viewing.heads.page(share)
        ended = viewing.ended_on(share) is not None
        if page is None:
            organisation = viewing.organisation()
            found.append(
                {
                    "id": share,
                    "project": organisation,
                    "sentence": _("Nothing has been shared yet"),
                    "n": 0,
                    "ended": ended,
                }
            )
            continue
        view = views.decode(page.view)
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


def routes() -> list[BaseRoute]:
    """Return the routes of a viewer's home."""
    return [
        door("/home", home, allow=VIEWERS),
        door("/home/shares", home_shares, allow=VIEWERS),
    ]
