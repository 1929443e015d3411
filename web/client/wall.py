"""The page of a wall display: a share as recorded, without controls, kept up to date by a socket of its own.

Rule: it answers nothing, and what its screen shows is recorded as displayed by the wall display, never by its person.
"""

from collections.abc import Mapping
from datetime import UTC
from typing import TypedDict

from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.websockets import WebSocket

from domain.language import gettext as _
from domain.language import speaking
from domain.people.devices import recipient
from projections.entries.entry import Page
from projections.entries.parts import instant
from projections.wording import words
from projections.wording.phrases import grouped
from web.client.dashboard import styled, today_css
from web.client.live_words import live_words
from web.client.since import News
from web.client.viewing import NO_STORE, Viewing, of
from web.door import templates
from web.door.guard import Display, display_door, live_display_door, not_found
from web.push import messages
from web.push.viewer import Viewer


class WallPage(templates.Page, frozen=True, kw_only=True):
    """A share on a wall display."""

    template = "client/wall.html"
    title: str
    organisation: str
    client: str
    zone: str
    share: str
    place: str  # where it hangs, as its person called it
    words: str  # of the page's own script, JSON
    stylesheet: str  # SHA-256, hex
    n: int = 0
    at: str = ""  # UTC
    time: str = ""  # to the minute, in the share's zone
    recorded: str = ""
    head: str = ""  # the tree head after it, hex
    root: str = ""  # the beginning of `head`, in groups of four
    rest: str = ""
    roots: Mapping[str, Markup] = {}
    news: News = News(reader="")
    visited: str = ""
    ended: bool = False


class _Names(TypedDict):
    """The fields of a `WallPage` that depend on no update."""

    organisation: str
    client: str
    zone: str
    share: str
    place: str
    words: str


def share_of(display: Display) -> str:
    """Return the share a wall display shows."""
    return str(display.device.share)


async def show(request: Request, display: Display) -> Response:
    """`GET /wall`: the newest page of the display's share."""
    viewing = of(request)
    share = share_of(display)
    if viewing.ended_on(share) is not None:
        return not_found()
    page = await run_in_threadpool(viewing.heads.page, share)
    with speaking((await run_in_threadpool(viewing.called, share)).language):  # its screen asks for no language
        return viewing.pages.answer(request, await run_in_threadpool(_page, viewing, display, page))


def _page(viewing: Viewing, display: Display, page: Page | None) -> WallPage:
    """Return the page, and record that it was made for the display."""
    share = share_of(display)
    called = viewing.called(share)
    names: _Names = {
        "organisation": called.organisation,
        "client": called.client,
        "zone": called.zone,
        "share": share,
        "place": display.device.name,
        "words": live_words(),
    }
    if page is None:
        return WallPage(**names, title=called.organisation, stylesheet=viewing.style.stylesheet)
    to, session = recipient(display.device.id), display.session.id
    viewing.receipts.opened(share, to, session, page.n, _("Wall display"))
    return WallPage(
        **names,
        title=f"{page.view.project}: {page.view.headline.sentence}",
        stylesheet=page.stylesheet,
        n=page.n,
        at=instant(page.at),
        time=f"{words.local(page.at, called.zone):%H:%M}",
        recorded=_("{at}, {page_at:%H:%M:%S} UTC", at=words.day_year(page.at.date()), page_at=page.at),
        head=page.root,
        root=" ".join(grouped(page.root[:16])),
        rest=" ".join(grouped(page.root[16:])),
        roots={root: Markup(markup) for root, markup in page.roots.items()},  # noqa: S704  # recorded, escaped when made
    )


async def today(request: Request, display: Display) -> Response:
    """`GET /wall/today.css`: where today lies on the page's axis."""
    viewing = of(request)
    page = await run_in_threadpool(viewing.heads.page, share_of(display))
    view = page.view if page else None
    css = today_css(view, words.local(viewing.now(), view.time_zone).date()) if view else ""
    return Response(css, media_type="text/css; charset=utf-8", headers=NO_STORE)


async def stylesheet(request: Request, display: Display) -> Response:
    """`GET /wall/styles/{sha}.css`: the stylesheet with a SHA-256, or of the update with a number."""
    return await styled(of(request), share_of(display), request.path_params["sha"])


async def renew(_request: Request, _display: Display) -> Response:
    """`POST /wall/renew`: the open page asks for a session whose own ran out; the door has begun one by then."""
    return Response(status_code=204, headers=NO_STORE)


async def live(websocket: WebSocket, display: Display | None) -> None:
    """`WS /wall/live`: pushes updates; accepted before it is refused, since browsers retry a refused handshake."""
    viewing = of(websocket)
    mark = viewing.live.mark()
    await viewing.live.accept(websocket)
    if display is None:
        await websocket.close(messages.SIGNED_OUT)
        return
    share = share_of(display)
    if viewing.ended_on(share) is not None:
        await websocket.close(messages.ENDED)
        return
    expires = display.session.expires.astimezone(UTC).timestamp()
    viewer = Viewer(
        person=recipient(display.device.id),
        share=share,
        session=display.session.id,
        expires=expires,
        by=display.person.id,
    )
    await viewing.live.serve(websocket, viewer, mark)


def routes() -> list[BaseRoute]:
    """Return the routes of wall displays."""
    return [
        display_door("/wall", show, name="wall"),
        display_door("/wall/today.css", today, name="wall_today"),
        display_door("/wall/styles/{sha}.css", stylesheet, name="wall_stylesheet"),
        display_door("/wall/renew", renew, methods=["POST"], name="wall_renew"),
        live_display_door("/wall/live", live, name="wall_live"),
    ]
