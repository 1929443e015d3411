"""The home page of a viewer: the shares they may watch."""

import hashlib
from collections.abc import Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.headline import counted
from domain.ids import ShareId
from domain.language import N_, capital
from domain.language import gettext as _
from domain.view import ClientView
from projections.entries.entry import Change
from projections.entries.parts import instant
from projections.wording import words
from projections.wording.days import last_day
from projections.wording.phrases import listed
from web.client.viewing import NO_STORE, Viewing
from web.door.guard import VIEWERS, Signed, door
from web.door.templates import Page
from web.render.figures import TONE, risk_vital
from web.render.page import WORD

KINDS = (("overall", N_("Overall")), ("schedule", N_("Schedule")), ("budget", N_("Budget")), ("risk", N_("Risk")))


class HowItStands(msgspec.Struct, frozen=True):
    """One status of a share as its dashboard has it."""

    kind: str  # "overall", "schedule", "budget", "risk"
    tone: str  # of its shape and colour: "ok", "warn", "bad"
    word: str


class ShareTile(msgspec.Struct, frozen=True, kw_only=True):
    """One share in the list: how it stands, what changed last, and how much is new to the reader."""

    id: str
    project: str
    sentence: str
    n: int  # the newest update, 0 for none yet
    statuses: Sequence[HowItStands] = ()
    change: Change | None = None  # the most important one of the newest update
    more: int = 0  # changes of the newest update beside it
    at: str = ""  # UTC, "" without an update
    time: str = ""  # in words, in the share's zone
    new: int = 0  # things that are different from when the reader last had it on screen
    at_least: bool = False  # there may be more: some updates lie too far back to be looked at
    visited: str = ""  # when that was, in words; "" when it never was
    compared: bool = True  # whether a page reported what was on screen then; else nothing is known to be new
    ended_on: str = ""  # the civil day, "" while it is in force


class ClientTiles(msgspec.Struct, frozen=True):
    """What is shared with one client of a viewer; without a name, and what has ended, where they belong to one only."""

    client: str
    shares: Sequence[ShareTile]
    zone: str = ""  # IANA name of the time zone of their times, "" where there is none
    ended: Sequence[ShareTile] = ()


class Shares(msgspec.Struct, frozen=True):
    """All that a viewer may watch: what is in force by client, and below it what has ended, each with its client."""

    groups: Sequence[ClientTiles]
    ended: Sequence[ShareTile]  # of the only client

    @property
    def over(self) -> list[ShareTile]:
        """The shares that have ended, of all clients."""
        return [*self.ended, *(share for group in self.groups for share in group.ended)]

    @property
    def going_on(self) -> list[ShareTile]:
        """The shares in force."""
        return [share for group in self.groups for share in group.shares]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """The statuses that any share in force has, each with its label."""
        had = {status.kind for share in self.going_on for status in share.statuses}
        return [(kind, _(label)) for kind, label in KINDS if kind in had]

    def heading(self) -> str:
        """Return how many projects are shared now."""
        many = len(self.going_on)
        if not many:
            return _("Nothing is shared with you now.") if self.over else _("Nothing is shared yet.")
        return capital(counted("one project is shared with you.", "{many} projects are shared with you.", many))

    def news(self) -> str:
        """Return how many of them have changed since the reader last looked, "" where that says nothing."""
        seen = [share for share in self.going_on if share.visited and share.compared]
        changed = sum(share.new > 0 for share in seen)
        if not seen:
            return ""
        if not changed:
            return _("Nothing has changed since you last looked.")
        return capital(
            counted("one has changed since you last looked.", "{many} have changed since you last looked.", changed)
        )


class SharesPart(Page, frozen=True, kw_only=True):
    """The list with its heading, as the page fetches it again."""

    template = "client/shares.html"
    shares: Shares


class HomePage(Page, frozen=True, kw_only=True):
    """A viewer's shares under a heading that counts them."""

    template = "client/home.html"
    signed: Signed
    organisation: str
    client: str
    shares: Shares


async def home(request: Request, signed: Signed) -> Response:
    """`GET /home`: a viewer's shares; straight to the dashboard when there is one."""
    viewing: Viewing = request.app.state.viewing
    shared = await run_in_threadpool(_shares, viewing, signed)
    organisation = await run_in_threadpool(viewing.organisation, signed)
    every = [*shared.going_on, *shared.over]
    if len(every) == 1:
        return RedirectResponse(f"/s/{every[0].id}", 303)
    page = HomePage(
        signed=signed,
        organisation=organisation,
        client=listed(viewing.clients_of(signed)),
        shares=shared,
    )
    return viewing.pages.answer(request, page)


async def home_shares(request: Request, signed: Signed) -> Response:
    """`GET /home/shares`: the list alone; 304 when nothing on it is new."""
    viewing: Viewing = request.app.state.viewing
    markup = viewing.pages.markup(SharesPart(shares=await run_in_threadpool(_shares, viewing, signed)))
    etag = f'"{hashlib.sha256(markup.encode()).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"etag": etag, **NO_STORE})
    return Response(markup, media_type="text/html; charset=utf-8", headers={"etag": etag, "cache-control": "no-cache"})


def _shares(viewing: Viewing, signed: Signed) -> Shares:
    """Return what is shared with a viewer, by the name of the client; one group where there is one client.

    The work for a share does not depend on how much happened in it, nor on how long the viewer was away: what became
    different is found by two states and the newest updates between them (docs/spec.md 3.12), once for each update.
    """
    clients = viewing.clients_of(signed)
    several = len(clients) > 1
    zones: dict[str, str] = {}
    going_on, ended = ({client: list[ShareTile]() for client in clients} for _ in range(2))
    for share in viewing.shares_of(signed):
        called = viewing.called(share)
        tile = _tile(viewing, signed, share)
        (ended if tile.ended_on else going_on).setdefault(called.client, []).append(tile)
        if tile.time and not tile.ended_on:
            zones[called.client] = called.zone
    over = {client: sorted(tiles, key=_by_name) for client, tiles in ended.items()}
    groups = [
        ClientTiles(
            client if several else "",
            sorted(going_on.get(client, ()), key=_by_name),
            zones.get(client, ""),
            over.get(client, ()) if several else (),
        )
        for client in sorted(going_on.keys() | over.keys())
        if going_on.get(client) or not over.get(client) or several
    ]
    return Shares(groups, [] if several else [tile for tiles in over.values() for tile in tiles])


def _by_name(tile: ShareTile) -> tuple[str, str]:
    return tile.project, tile.id


def _tile(viewing: Viewing, signed: Signed, share: ShareId) -> ShareTile:
    page, ended = viewing.heads.page(share), viewing.ended_on(share)
    zone = viewing.called(share).zone
    over = words.long_day(last_day(ended, zone)) if ended else ""
    if page is None:
        organisation, nothing = viewing.called(share).organisation, _("Nothing has been shared yet.")
        if viewing.log.head(share):
            nothing = _("What was shown last has been erased.")
        return ShareTile(id=share, project=organisation, sentence=nothing, n=0, ended_on=over)
    view, visit = page.view, viewing.receipts.last_visit(share, signed.person.id)
    changed = viewing.changed(share, visit.since, page.n, signed.person.id)
    return ShareTile(
        id=share,
        project=view.project,
        sentence=view.headline.sentence,
        n=page.n,
        statuses=statuses(view),
        change=page.changes[0] if page.changes and page.n > 1 else None,
        more=max(0, len(page.changes) - 1),
        at=instant(page.at),
        time=words.moment_year(page.at, view.time_zone),
        new=changed.things,
        at_least=changed.at_least,
        visited=words.moment_year(visit.ended, view.time_zone) if visit.ended else "",
        compared=visit.since > 0,
        ended_on=over,
    )


def statuses(view: ClientView) -> tuple[HowItStands, ...]:
    """Return the statuses of a view in the words of its dashboard, those alone that are shared."""
    indicators = {
        "overall": view.overall,
        "schedule": view.schedule.indicator if view.schedule else None,
        "budget": view.budget.indicator if view.budget else None,
        "risk": view.risk.indicator if view.risk else None,
    }
    said = {kind: HowItStands(kind, TONE[of.status], _(WORD[of.status])) for kind, of in indicators.items() if of}
    if view.risk and view.risk.top:
        worst = "bad" if view.risk.high else "warn" if view.risk.medium else "ok"
        said["risk"] = HowItStands("risk", worst, risk_vital(view.risk).worst_risk)
    return tuple(said[kind] for kind, _label in KINDS if kind in said)


def routes() -> list[BaseRoute]:
    """Return the routes of a viewer's home."""
    return [
        door("/home", home, allow=VIEWERS),
        door("/home/shares", home_shares, allow=VIEWERS, kind="polled"),
    ]
