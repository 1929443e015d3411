"""The event log for auditors: filtered by project, kind, actor and time, newest first, each payload readable."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, get_args
from urllib.parse import urlencode

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.events import AnyEvent, Recorded, tag
from domain.language import gettext as _
from projections.entries.entry import instant
from projections.events.event_log import EventLog, Unreadable
from web.door.guard import AUDIT, Signed, door
from web.forms.fields import day
from web.process.services import Services
from web.record import holds
from web.record.events_said import line, say
from web.staff.consulted import consulted
from web.staff.frame import shell

PAGE = 50
BLOCK = 500  # events read at a time, backwards
FURTHEST = 20  # blocks a page looks through; then a link goes on


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What the query string asks for; "" asks for all."""

    project: str = ""
    kind: str = ""
    actor: str = ""
    since: str = ""
    until: str = ""

    def takes(self, recorded: Recorded, streams: frozenset[str]) -> bool:
        """Tell whether an event is asked for; `streams` are those of the project and its shares."""
        return (
            (not self.project or recorded.stream in streams)
            and (not self.kind or tag(recorded.event) == self.kind)
            and (not self.actor or recorded.actor == self.actor)
        )


class Found(msgspec.Struct, frozen=True):
    """One page of events, and where an older one starts (0: nowhere)."""

    events: list[Recorded]
    older: int


def kinds() -> list[tuple[str, str]]:
    """Return every kind of event with its words."""
    return sorted(((tag(kind), say(tag(kind))) for kind in get_args(AnyEvent)), key=lambda pair: pair[1])


def asked(query: Mapping[str, str]) -> tuple[Filter, str]:
    """Return the filter of a query string, and what is wrong with it."""
    names = Filter.__struct_fields__
    found = Filter(**{name: query.get(name, "").strip()[:200] for name in names})
    for text in (found.since, found.until):
        try:
            if text:
                day(text)
        except ValueError as error:
            return msgspec.structs.replace(found, since="", until=""), str(error)
    return found, ""


def search(log: EventLog, wanted: Filter, streams: frozenset[str], before: int) -> Found:
    """Return the newest events asked for below position `before` (0: from the end)."""
    since = _start(wanted.since)
    top = before - 1 if before else log.head()
    if wanted.until:
        top = min(top, position_before(log, _start(wanted.until) + timedelta(days=1)))
    events: list[Recorded] = []
    for _other in range(FURTHEST):
        bottom = max(0, top - BLOCK)
        block = [r for r in log.after(bottom, top - bottom) if r.position <= top] if top else []
        for recorded in reversed(block):
            if isinstance(recorded, Unreadable):
                continue
            if wanted.since and recorded.at < since:
                return Found(events, 0)
            if wanted.takes(recorded, streams):
                events.append(recorded)
                if len(events) == PAGE:
                    return Found(events, recorded.position if recorded.position > 1 else 0)
        top = bottom
        if top <= 0:
            return Found(events, 0)
    return Found(events, top + 1)


def _start(text: str) -> datetime:
    return datetime.combine(day(text) if text else date.min, time(), UTC)


def position_before(log: EventLog, at: datetime) -> int:
    """Return the last position recorded before an instant, by halving: times in the log rise."""
    low, high = 0, log.head()
    while low < high:
        middle = (low + high + 1) // 2
        found = log.after(middle - 1, 1)
        if found and isinstance(found[0], Recorded) and found[0].at >= at:
            high = middle - 1
        else:
            low = middle
    return low


async def events(request: Request, signed: Signed) -> Response:
    """`GET /audit?project=&kind=&actor=&since=&until=&before=`: the event log."""
    services: Services = request.app.state.services
    wanted, problem = asked(request.query_params)
    before = request.query_params.get("before", "")
    position = int(before) if before.isdecimal() and len(before) < 16 else 0
    world = services.present.refresh()
    shares = {f"share-{s.id}" for s in world.shares.values() if s.project == wanted.project}
    streams = frozenset({f"project-{wanted.project}"} | shares)
    told = ", ".join(f"{name} {value}" for name, value in msgspec.structs.asdict(wanted).items() if value)
    await run_in_threadpool(consulted, services, signed, wanted.project, _("events, {told}", told=told or _("all")))
    found = await run_in_threadpool(search, services.logs.events, wanted, streams, position)
    query = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value}
    context: dict[str, Any] = {
        "wanted": wanted,
        "problem": problem,
        "lines": [_line(services, recorded) for recorded in found.events],
        "older": urlencode(query | {"before": str(found.older)}) if found.older else "",
        "newest": urlencode(query) if position else "",
        "filtered": bool(query),
        "projects": sorted(((p.id, p.title) for p in world.projects.values()), key=lambda pair: pair[1]),
        "kinds": kinds(),
        "actors": sorted(((p.id, p.name) for p in world.people.values()), key=lambda pair: pair[1]),
        "total": services.logs.events.head(),
        "here": "events",
    }
    return services.pages.response(request, "audit/events.html", **context, **shell(services, signed))


def _line(services: Services, recorded: Recorded) -> dict[str, Any]:
    world = services.present.world
    kind, _, key = recorded.stream.partition("-")
    project = world.projects.get(key) if kind == "project" else None  # type: ignore[call-overload]
    stored = msgspec.json.encode(recorded.event)
    return {
        "position": recorded.position,
        "at": instant(recorded.at),
        "told": holds.told(world, line(services, project, recorded), recorded),
        "stream": recorded.stream,
        "version": recorded.version,
        "where": project.title if project else "",
        "command": recorded.command,
        "payload": msgspec.json.format(stored, indent=2).decode(),
    }


def routes() -> list[BaseRoute]:
    """Return the route of the event log."""
    return [door("/audit", events, allow=AUDIT)]
