"""The event log for auditors: filtered by project, kind, actor and time, newest first, each payload readable."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from urllib.parse import urlencode

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain import check
from domain.errors import Invalid
from domain.events import AnyEvent, Recorded, tag
from domain.ids import ProjectId
from domain.language import gettext as _
from projections.entries.parts import instant
from projections.events.event_log import EventLog, Unreadable
from projections.events.world import World
from web.audit.frame import AuditPage, Options
from web.door.guard import AUDIT, Signed, door
from web.forms.fields import day
from web.process.services import Services
from web.record import holds
from web.record.events_said import EventLine, line, say
from web.staff.consulted import consulted
from web.staff.frame import shell

PAGE = 50
BLOCK = 500  # events read at a time, backwards
FURTHEST = 20  # blocks a page looks through; then a link goes on


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What the query string asks for; "" asks for all. `since` and `until` are civil dates in UTC, both included."""

    project: str = ""
    kind: str = ""
    actor: str = ""
    since: str = ""
    until: str = ""

    def given(self) -> dict[str, str]:
        """Return what is asked for by name, without what is not asked for."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value}

    def takes(self, recorded: Recorded, streams: frozenset[str]) -> bool:
        """Tell whether an event is of the project, kind and actor asked for; `streams` are those of the project."""
        return (
            (not self.project or recorded.stream in streams)
            and (not self.kind or tag(recorded.event) == self.kind)
            and (not self.actor or recorded.actor == self.actor)
        )


class SearchResults(msgspec.Struct, frozen=True):
    """One page of events, newest first, and the position below which older ones are looked for (0: nowhere)."""

    events: list[Recorded]
    older: int


class EventShown(msgspec.Struct, frozen=True, kw_only=True):
    """One event as the auditor reads it."""

    position: int
    at: str  # UTC
    told: EventLine  # in words
    stream: str
    version: int
    where: str  # the project's title, "" where it is of none
    command: str
    payload: str  # JSON, indented


class EventsPage(AuditPage, frozen=True, kw_only=True):
    """A page of events with the filter they were found by."""

    template = "audit/events.html"
    here: Literal["events"] = "events"
    wanted: Filter
    problem: str  # with the filter, "" for none
    lines: Sequence[EventShown]
    older: str  # the query of the page after this one, "" for none
    newest: str  # the query of the first page, "" on the first page
    filtered: bool
    projects: Options
    kinds: Options
    actors: Options
    total: int  # events on record


def kinds() -> Options:
    """Return every kind of event with its words."""
    return sorted(((tag(kind), say(tag(kind))) for kind in get_args(AnyEvent)), key=lambda pair: pair[1])


def project_options(world: World) -> Options:
    """Return every project by its title."""
    return sorted(((p.id, p.title) for p in world.projects.values()), key=lambda pair: pair[1])


def actor_options(world: World) -> Options:
    """Return everybody who may have acted, by name."""
    return sorted(((p.id, p.name) for p in world.people.values()), key=lambda pair: pair[1])


def streams_of(world: World, project: str) -> frozenset[str]:
    """Return the streams of a project and its shares."""
    shares = {f"share-{share.id}" for share in world.all_of_project(project)}
    return frozenset({f"project-{project}"} | shares)


def asked(query: Mapping[str, str]) -> tuple[Filter, str]:
    """Return the filter of a query string, and what is wrong with it ("" when nothing is)."""
    names = Filter.__struct_fields__
    wanted = Filter(**{name: query.get(name, "").strip()[:200] for name in names})
    for text in (wanted.since, wanted.until):
        try:
            if text:
                check.day("since" if text == wanted.since else "until", day(text))
        except (ValueError, Invalid) as error:
            return msgspec.structs.replace(wanted, since="", until=""), str(error)
    return wanted, ""


def search(log: EventLog, wanted: Filter, streams: frozenset[str], before: int) -> SearchResults:
    """Return the newest `PAGE` events asked for below position `before` (0: from the end).

    At most `BLOCK` times `FURTHEST` events are looked through; then `older` says where to go on.
    """
    since = _start(wanted.since)
    top = before - 1 if before else log.head()
    if wanted.until:
        top = min(top, position_before(log, _start(wanted.until) + timedelta(days=1)))
    events: list[Recorded] = []
    for _block in range(FURTHEST):
        bottom = max(0, top - BLOCK)
        block = [r for r in log.after(bottom, top - bottom) if r.position <= top] if top else []
        for recorded in reversed(block):
            if isinstance(recorded, Unreadable):
                continue
            if wanted.since and recorded.at < since:
                return SearchResults(events, 0)
            if wanted.takes(recorded, streams):
                events.append(recorded)
                if len(events) == PAGE:
                    return SearchResults(events, recorded.position if recorded.position > 1 else 0)
        top = bottom
        if top <= 0:
            return SearchResults(events, 0)
    return SearchResults(events, top + 1)


def _start(text: str) -> datetime:
    """Return the beginning of a day in UTC; of the first day there is when `text` is empty."""
    return datetime.combine(day(text) if text else date.min, time(), UTC)


def position_before(log: EventLog, at: datetime) -> int:
    """Return the last position recorded before an instant (UTC), by bisection: times in the log never fall."""
    low, high = 0, log.head()
    while low < high:
        middle = (low + high + 1) // 2
        events = log.after(middle - 1, 1)
        if events and isinstance(events[0], Recorded) and events[0].at >= at:
            high = middle - 1
        else:
            low = middle
    return low


async def events(request: Request, signed: Signed) -> Response:
    """`GET /audit?project=&kind=&actor=&since=&until=&before=`: the event log."""
    services: Services = request.app.state.services
    before = request.query_params.get("before", "")
    position = int(before) if before.isdecimal() and len(before) < 16 else 0
    page = await run_in_threadpool(_page, services, signed, request.query_params, position)
    return services.pages.answer(request, page)


def _page(services: Services, signed: Signed, query: Mapping[str, str], position: int) -> EventsPage:
    """Return the events a query asks for below `position` (0: from the end), once the question is recorded."""
    world, log = services.present.refresh(), services.logs.events
    wanted, problem = asked(query)
    given = wanted.given()
    question = ", ".join(f"{name} {value}" for name, value in given.items()) or _("all")
    consulted(services, signed, wanted.project, _("events, {told}", told=question))
    results = search(log, wanted, streams_of(world, wanted.project), position)
    return EventsPage(
        **shell(services, signed),
        wanted=wanted,
        problem=problem,
        lines=[_shown(services, recorded) for recorded in results.events],
        older=urlencode(given | {"before": str(results.older)}) if results.older else "",
        newest=urlencode(given) if position else "",
        filtered=bool(given),
        projects=project_options(world),
        kinds=kinds(),
        actors=actor_options(world),
        total=log.head(),
    )


def _shown(services: Services, recorded: Recorded) -> EventShown:
    world = services.present.world
    kind, _dash, key = recorded.stream.partition("-")
    project = world.projects.get(ProjectId(key)) if kind == "project" else None
    return EventShown(
        position=recorded.position,
        at=instant(recorded.at),
        told=holds.told(world, line(services, project, recorded), recorded),
        stream=recorded.stream,
        version=recorded.version,
        where=project.title if project else "",
        command=recorded.command,
        payload=msgspec.json.format(msgspec.json.encode(recorded.event), indent=2).decode(),
    )


def routes() -> list[BaseRoute]:
    """Return the route of the event log."""
    return [door("/audit", events, allow=AUDIT)]
