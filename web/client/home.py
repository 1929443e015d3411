"""The home page of a viewer: the shares they may watch."""

import hashlib
from collections.abc import Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.headline import number
from domain.ids import ShareId
from domain.language import gettext as _
from projections.entries.parts import instant
from projections.wording import words
from projections.wording.phrases import listed
from web.client.viewing import NO_STORE, Viewing
from web.door.guard import VIEWERS, Signed, door
from web.door.templates import Page


class ShareTile(msgspec.Struct, frozen=True, kw_only=True):
    """One share in the list: its newest sentence, and when that was recorded."""

    id: str
    project: str
    sentence: str
    n: int  # the newest update, 0 for none yet
    at: str = ""  # UTC, "" without an update
    time: str = ""  # in words, in the share's zone
    ended: bool


class ClientTiles(msgspec.Struct, frozen=True):
    """What is shared with one client of a viewer; without a name where they belong to one only."""

    client: str
    shares: Sequence[ShareTile]
    zone: str = ""  # IANA name of the time zone of their times, "" where there is none


class SharesPart(Page, frozen=True, kw_only=True):
    """The list alone, as the page fetches it again."""

    template = "client/shares.html"
    groups: Sequence[ClientTiles]


class HomePage(Page, frozen=True, kw_only=True):
    """A viewer's shares under a heading that counts them."""

    template = "client/home.html"
    signed: Signed
    organisation: str
    client: str
    heading: str
    groups: Sequence[ClientTiles]


async def home(request: Request, signed: Signed) -> Response:
    """`GET /home`: a viewer's shares; straight to the dashboard when there is one."""
    viewing: Viewing = request.app.state.viewing
    groups = await run_in_threadpool(_groups, viewing, signed)
    organisation = await run_in_threadpool(viewing.organisation, signed)
    shares = [share for group in groups for share in group.shares]
    if len(shares) == 1:
        return RedirectResponse(f"/s/{shares[0].id}", 303)
    heading = (
        _("{shares} projects are shared with you.", shares=number(len(shares)).capitalize())
        if shares
        else _("Nothing is shared yet.")
    )
    page = HomePage(
        signed=signed,
        organisation=organisation,
        client=listed(viewing.clients_of(signed)),
        heading=heading,
        groups=groups,
    )
    return viewing.pages.answer(request, page)


async def home_shares(request: Request, signed: Signed) -> Response:
    """`GET /home/shares`: the list alone; 304 when nothing on it is new."""
    viewing: Viewing = request.app.state.viewing
    markup = viewing.pages.markup(SharesPart(groups=await run_in_threadpool(_groups, viewing, signed)))
    etag = f'"{hashlib.sha256(markup.encode()).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"etag": etag, **NO_STORE})
    return Response(markup, media_type="text/html; charset=utf-8", headers={"etag": etag, "cache-control": "no-cache"})


def _groups(viewing: Viewing, signed: Signed) -> list[ClientTiles]:
    """Return what is shared with each client of a viewer, by the client's name; one group where there is one client."""
    zones: dict[str, str] = {}
    by_client: dict[str, list[ShareTile]] = {client: [] for client in viewing.clients_of(signed)}
    for share in viewing.shares_of(signed):
        called = viewing.called(share)
        zones[called.client] = called.zone
        by_client.setdefault(called.client, []).append(_tile(viewing, share))
    named = len(by_client) > 1
    return [
        ClientTiles(
            client if named else "",
            sorted(tiles, key=lambda tile: (tile.ended, tile.project, tile.id)),
            zones[client] if any(tile.time and not tile.ended for tile in tiles) else "",
        )
        for client, tiles in sorted(by_client.items())
    ]


def _tile(viewing: Viewing, share: ShareId) -> ShareTile:
    page, ended = viewing.heads.page(share), viewing.ended_on(share) is not None
    if page is None:
        organisation, nothing = viewing.called(share).organisation, _("Nothing has been shared yet")
        if viewing.log.head(share):
            nothing = _("What was shown last has been erased")
        return ShareTile(id=share, project=organisation, sentence=nothing, n=0, ended=ended)
    view = page.view
    return ShareTile(
        id=share,
        project=view.project,
        sentence=view.headline.sentence,
        n=page.n,
        at=instant(page.at),
        time=words.moment_year(page.at, view.time_zone),
        ended=ended,
    )


def routes() -> list[BaseRoute]:
    """Return the routes of a viewer's home."""
    return [
        door("/home", home, allow=VIEWERS),
        door("/home/shares", home_shares, allow=VIEWERS, kind="polled"),
    ]
