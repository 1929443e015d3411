"""The page with all live shares in one table: with whom, of what, what each discloses; sortable, also as CSV."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain import catalogue
from domain.agreement.share import Share
from domain.language import N_, Said
from domain.language import gettext as _
from projections.events.world import World, names
from projections.wording import days, words
from web.door import csv_download
from web.door.guard import STAFF, Signed, door
from web.manager.agreement import outcome, terms_form
from web.process import presence
from web.process.services import Services
from web.staff.frame import StaffPage, shell


class ShareRow(msgspec.Struct, frozen=True, kw_only=True):
    """One live share, as a row of the table."""

    share: Share
    client: str
    project: str
    discloses: str
    manner: str
    zone: str
    update: int
    people: int
    watching: int

    @property
    def since(self) -> date:
        """The day on which the agreement in force came into it, in the client's zone."""
        return words.local(self.share.versions[-1].at, self.zone).date()

    @property
    def ends(self) -> date | None:
        """The last day of the agreement in the client's zone."""
        ends = self.share.ways.expires
        return None if ends is None else days.last_day(ends, self.zone)


class SharesPage(StaffPage, frozen=True, kw_only=True):
    """Every live share."""

    template = "pm/table.html"
    rows: Sequence[ShareRow]
    heads: Mapping[str, str]  # of the columns that can be sorted by
    sort: str
    down: bool


SORTS: dict[str, tuple[str, Callable[[ShareRow], Any]]] = {
    "client": (N_("Client"), lambda row: row.client.casefold()),
    "project": (N_("Project"), lambda row: row.project.casefold()),
    "since": (N_("In force since"), lambda row: row.since),
    "ends": (N_("Ends"), lambda row: row.ends or date.max),
    "update": (N_("Update"), lambda row: row.update),
    "people": (N_("People"), lambda row: row.people),
    "watching": (N_("Watching"), lambda row: row.watching),
}


def rows(services: Services, signed: Signed) -> list[ShareRow]:
    """Return every share in force that somebody may manage. For threads."""
    world, now = services.present.refresh(), services.now()
    live = [share for share in world.shares.values() if share.active and share.ended_on(now) is None]
    return [_row(services, world, share) for share in live if signed.person.manages(share.project)]


def _row(services: Services, world: World, share: Share) -> ShareRow:
    naming = names(world, share)
    return ShareRow(
        share=share,
        client=naming.client,
        project=world.projects[share.project].title,
        discloses=terms_form.summary(share.terms),
        manner=terms_form.manner(share.ways, naming.time_zone),
        zone=naming.time_zone,
        update=services.logs.disclosure.head(share.id),
        people=len(outcome.viewers(world, share)),
        watching=presence.people_watching(services, share.id),
    )


def ordered(shares: list[ShareRow], sort: str, *, down: bool) -> list[ShareRow]:
    """Return rows by one column, those that are alike by client and project."""
    by_client = sorted(shares, key=lambda row: (row.client.casefold(), row.project.casefold(), row.share.id))
    return sorted(by_client, key=SORTS[sort][1], reverse=down)


def _order(request: Request) -> tuple[str, bool]:
    sort = request.query_params.get("sort", "client")
    return (sort if sort in SORTS else "client"), request.query_params.get("order") == "down"


async def table(request: Request, signed: Signed) -> Response:
    """`GET /shares?sort=client&order=down`: every live share."""
    services: Services = request.app.state.services
    sort, down = _order(request)
    shares = ordered(await run_in_threadpool(rows, services, signed), sort, down=down)
    heads = {key: name for key, (name, _) in SORTS.items()}
    shown = SharesPage(rows=shares, heads=heads, sort=sort, down=down, **shell(services, signed))
    return services.pages.answer(request, shown)


ITEM = Said(
    {
        "milestone": N_("Milestones"),
        "risk": N_("Risks"),
        "budget": N_("Budget"),
        "health": N_("Status"),
        "project": N_("Project"),
    }
)
HEADER = (
    N_("Client"),
    N_("Project"),
    N_("Id of the share"),
    N_("Agreement"),
    N_("In force since"),
    N_("Ends"),
    N_("History"),
    N_("Review"),
    N_("Milestones"),
    N_("Risks"),
    N_("Cost or price"),
    N_("Dates"),
    N_("Scores"),
    N_("Amounts rounded to"),
    N_("Update"),
    N_("People"),
    N_("Watching now"),
)


async def as_csv(request: Request, signed: Signed) -> Response:
    """`GET /shares.csv`: the same table with every term in a column of its own."""
    services: Services = request.app.state.services
    sort, down = _order(request)
    shares = ordered(await run_in_threadpool(rows, services, signed), sort, down=down)
    of_rows = [_("{item}: {label}", item=_(ITEM[of.item]), label=_(of.label)) for of in catalogue.ROWS]
    header = [*map(_, HEADER), *of_rows]
    return csv_download.download(csv_download.sheet(header, map(_cells, shares)), "shares.csv")


def _cells(row: ShareRow) -> list[object]:
    terms, ways = row.share.terms, row.share.ways
    return [
        row.client,
        row.project,
        row.share.id,
        row.share.version,
        row.since,
        row.ends or "",
        _("past included") if ways.history else _("from now on"),
        terms_form.review(ways) or _("at once"),
        _joined(terms.milestones),
        _joined(terms.risks),
        terms.measure if terms.budget != "nothing" else "",
        terms.date_unit,
        terms.score_detail,
        terms.money_step or "",
        row.update,
        row.people,
        row.watching,
        *(_yes_no(shared=of in terms.rows) for of in catalogue.ROWS),
    ]


def _joined(chosen: str | tuple[str, ...]) -> str:
    return chosen if isinstance(chosen, str) else "; ".join(chosen)


def _yes_no(*, shared: bool) -> str:
    return _("yes") if shared else _("no")


def routes() -> list[BaseRoute]:
    """Return the routes of the table."""
    return [door("/shares", table, allow=STAFF), door("/shares.csv", as_csv, allow=STAFF, kind="export")]
