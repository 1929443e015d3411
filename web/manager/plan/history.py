"""The page of what happened in a project: its events in sentences with the value before, newest first, by topic.

Rule: the work of a page is bounded: it reads at most `LOOK` events, folded from the nearest state that is kept.
"""

import re
from collections.abc import Mapping, Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.events import Recorded
from domain.ids import ClientId, ProjectId
from domain.plan.project import Project, ProjectEvent, evolve
from domain.plan.sources.source import SourcePulled
from projections.wording import words
from web.door.guard import STAFF, Signed, door, not_found
from web.process.services import Services
from web.record.events_said import called
from web.record.facts import about
from web.record.said.changes import put_back
from web.record.said.project import TOPICS, Both, InSentences, Topic, told, topic
from web.record.two_times import two_times
from web.staff.frame import StaffPage, shell

PAGE = 60  # events that are listed
LOOK = 600  # events that are looked through for them


class HistoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One event as a sentence."""

    version: int
    at: str  # to the minute, in the project's zone
    day: str
    iso: str
    told: InSentences
    reason: str
    held: str  # both times of what it says, "" where they do not differ
    who: str
    knows: str  # the query that asks who knows it, "" where nobody is told of it as one value


class HistoryPage(StaffPage, frozen=True, kw_only=True):
    """One page of a project's history, newest first."""

    template = "pm/history.html"
    project: Project
    lines: Sequence[HistoryLine]
    older: int  # the event the next page is before, 0 where there is none
    newest: bool  # whether this is the first page
    topics: Mapping[Topic, str]
    topic: str  # "" for all


async def history(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/history?before=n&topic=risks`: the events of a project in sentences, newest first."""
    services: Services = request.app.state.services
    key, before = request.path_params["project"], request.query_params.get("before", "")
    chosen = request.query_params.get("topic", "")
    project = services.present.refresh().projects.get(ProjectId(key))
    if project is None or (before and not re.fullmatch(r"[0-9]{1,12}", before)) or (chosen and chosen not in TOPICS):
        return not_found()
    newest = services.present.world.versions.get(f"project-{key}", 0)
    upto = min(int(before) - 1, newest) if before else newest
    lines, older = await run_in_threadpool(_page, services, project, upto, chosen)
    shown = HistoryPage(
        project=project,
        lines=lines,
        older=older,
        newest=not before,
        topics=TOPICS,
        topic=chosen,
        **shell(services, signed),
    )
    return services.pages.answer(request, shown)


def _page(services: Services, project: Project, upto: int, chosen: str) -> tuple[list[HistoryLine], int]:
    """Return the lines of a page that ends with event `upto`, newest first, and what the next one is before."""
    if upto < 1:
        return [], 0
    after = max(0, upto - (LOOK if chosen else PAGE))
    state = services.present.after(project.id, after).state
    found: list[HistoryLine] = []
    events = services.logs.events.part(f"project-{project.id}", after, upto - after)
    pulled = {one.command: one.event.source for one in events if isinstance(one.event, SourcePulled)}
    for recorded in events:
        event = recorded.event
        assert isinstance(event, ProjectEvent)
        before, state = state, evolve(state, event, recorded.at)
        if not chosen or topic(event) == chosen:
            line, source = _line(services, before, state, recorded), pulled.get(recorded.command)
            named = project.sources.get(source) if source is not None else None
            found.append(line if named is None else msgspec.structs.replace(line, who=named.name))
    shown = found[-PAGE:]
    rest = shown[0].version if len(found) > PAGE else after + 1
    return shown[::-1], rest if rest > 1 else 0


def _line(services: Services, before: Project | None, after: Project, recorded: Recorded) -> HistoryLine:
    world, event = services.present.world, recorded.event
    assert isinstance(event, ProjectEvent)
    both = Both(
        before,
        after,
        world.person_name,
        lambda client: world.client_name(ClientId(client)),
        lambda event: put_back(services, after.id, event),
    )
    there = words.local(recorded.at, after.time_zone)
    return HistoryLine(
        version=recorded.version,
        at=f"{there:%H:%M}",
        day=words.day_year(there.date()),
        iso=recorded.at.isoformat(),
        told=told(event, both),
        reason=getattr(event, "reason", ""),
        held=two_times(recorded.at, getattr(event, "as_of", None), after.time_zone),
        who=called(world, recorded.actor),
        knows=about(event),
    )


def routes() -> list[BaseRoute]:
    """Return the route of the history."""
    return [door("/p/{project}/history", history, allow=STAFF)]
