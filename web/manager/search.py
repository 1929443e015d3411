"""Search over what somebody may see: projects, clients, milestones, risks and people.

Rule (docs/spec.md 2.20): only what the person may open is looked through, by the same rules as its own page; at most a
few of each kind are listed, and how many more there are is said. What an auditor looks for is recorded first.
"""

from collections.abc import Iterator, Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.ids import ClientId
from domain.language import N_, Said
from domain.language import gettext as _
from domain.people.person import Person
from projections.events.world import World
from projections.wording.folding import LONGEST, folded, matches, wanted
from web.door.guard import AUDIT, STAFF, Signed, door
from web.process.services import Services
from web.staff.consulted import consulted
from web.staff.frame import StaffPage, shell
from web.write.viewers import theirs

GROUPS = Said(
    {
        "project": N_("Projects"),
        "client": N_("Clients"),
        "share": N_("Shares"),
        "milestone": N_("Milestones"),
        "risk": N_("Risks"),
        "person": N_("People"),
    }
)
AT_ONCE, ON_THE_PAGE = 5, 30  # results of a kind


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was found."""

    title: str
    place: str  # the project or client it belongs to, "" for none
    href: str


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of one kind."""

    title: str
    results: Sequence[Result]
    more: int  # that are not listed


class FoundPage(StaffPage, frozen=True, kw_only=True):
    """What was found, to be put under the field."""

    template = "pm/found.html"
    text: str
    groups: Sequence[Group]


class SearchPage(FoundPage, frozen=True, kw_only=True):
    """The field and what was found, as a page."""

    template = "pm/search.html"


async def search(request: Request, signed: Signed) -> Response:
    """`GET /search?q=`: what somebody may see and looks for, grouped; without the page around it for the field."""
    services: Services = request.app.state.services
    text = request.query_params.get("q", "").strip()[:LONGEST]
    in_place = request.headers.get("hx-request") == "true"
    groups = await run_in_threadpool(found, services, signed, text, AT_ONCE if in_place else ON_THE_PAGE)
    kind = FoundPage if in_place else SearchPage
    return services.pages.answer(request, kind(text=text, groups=groups, **shell(services, signed)))


def found(services: Services, signed: Signed, text: str, most: int) -> list[Group]:
    """Return what somebody may see that a text looks for, at most so many of each kind. For threads."""
    beginnings = wanted(text)
    if not beginnings:
        return []
    world = services.present.refresh()
    if signed.person.role == "auditor":
        consulted(services, signed, "", _("search, {text}", text=text))
        results = _of_auditor(services, world, beginnings)
    else:
        results = _of_staff(services, world, signed.person, beginnings)
    return [
        Group(title=_(GROUPS[kind]), results=ordered[:most], more=max(0, len(ordered) - most))
        for kind, listed in results.items()
        if (ordered := sorted(listed, key=lambda one: (_rank(one.title, beginnings), one.title.casefold(), one.href)))
    ]


def _of_auditor(services: Services, world: World, beginnings: tuple[str, ...]) -> dict[str, list[Result]]:
    """Return what is found for auditors, who may see everything: each result leads to the events or the share."""
    results: dict[str, list[Result]] = {kind: [] for kind in GROUPS}
    for s in services.portfolio.standings().values():
        if matches(s.words, beginnings):
            results["project"].append(Result(title=s.title, place="", href=f"/audit?project={s.id}"))
        for thing in s.things:
            if matches(thing.words, beginnings):
                href = f"/audit?project={s.id}&thing={thing.id}"
                results[thing.kind].append(Result(title=thing.title, place=s.title, href=href))
    for share in list(world.shares.values()):
        name = world.client_name(share.client)
        project = world.projects.get(share.project)
        if matches(folded(name), beginnings):
            place = project.title if project else share.project
            results["share"].append(Result(title=name, place=place, href=f"/audit/shares/{share.id}"))
    for one in list(world.people.values()):
        if matches(folded(one.name), beginnings):
            results["person"].append(Result(title=one.name, place="", href=f"/audit?actor={one.id}"))
    return results


def _of_staff(services: Services, world: World, person: Person, beginnings: tuple[str, ...]) -> dict[str, list[Result]]:
    """Return what is found for managers and admins among what they may open."""
    mine = [s for s in services.portfolio.standings().values() if person.manages(s.id)]
    clients = [key for key in list(world.clients) if theirs(world, person, key)]
    results: dict[str, list[Result]] = {kind: [] for kind in GROUPS}
    for s in mine:
        if matches(s.words, beginnings):
            results["project"].append(Result(title=s.title, place="", href=f"/p/{s.id}"))
        for thing in s.things:
            if matches(thing.words, beginnings):
                anchor = f"{'m' if thing.kind == 'milestone' else 'r'}-{thing.id}"
                results[thing.kind].append(Result(title=thing.title, place=s.title, href=f"/p/{s.id}#{anchor}"))
    for key in clients:
        name = world.client_name(key)
        if matches(folded(name), beginnings):
            results["client"].append(Result(title=name, place="", href=f"/clients/{key}"))
    results["person"] += _people(world, person, clients, beginnings)
    return results


def _rank(title: str, beginnings: tuple[str, ...]) -> int:
    """Return 0 where a title begins with what is looked for, 1 where it has all of it, 2 where it is found elsewise."""
    words = folded(title)
    return 0 if words.startswith(beginnings[0]) else 1 if matches(words, beginnings) else 2


def _people(world: World, person: Person, clients: Sequence[ClientId], beginnings: tuple[str, ...]) -> Iterator[Result]:
    """Yield people: viewers, by the name their client's side knows, and for admins everybody of the organisation."""
    known = set(clients)
    for one in list(world.people.values()):
        if one.role == "viewer":
            for key in one.clients:
                membership = one.known_to(key)
                if key in known and membership and matches(folded(membership.name, membership.email), beginnings):
                    place = world.client_name(key)
                    yield Result(title=membership.name, place=place, href=f"/clients/{key}#people")
        elif person.role == "admin" and matches(folded(one.name, one.email), beginnings):
            yield Result(title=one.name, place=_("Your organisation"), href="/people")


def routes() -> list[BaseRoute]:
    """Return the route of the search."""
    return [door("/search", search, allow=STAFF | AUDIT)]
