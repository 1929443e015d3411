"""The event log for auditors: filtered by project, kind, actor and time, newest first, each payload readable.

Rule: what the machinery records (sessions, links, mails, the end of a command) is left out unless it is asked for.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Literal, get_args
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain import check
from domain.agreement.answers import CommentMade, ConcernAnswered, ConcernRaised
from domain.agreement.share import TermsActivated
from domain.errors import Invalid
from domain.events import AnyEvent, Recorded, tag
from domain.ids import ClientId, PersonId, ProjectId, ShareId
from domain.language import gettext as _
from domain.language import in_english
from domain.plan.project import Project, ProjectEvent, evolve
from domain.plan.schedule import BaselineApproved
from projections.entries.parts import instant
from projections.events.event_log import EventLog, Unreadable
from projections.events.world import World, organisation_zone
from projections.wording import words
from web.audit.frame import AuditPage, Options
from web.door.guard import AUDIT, Signed, door
from web.forms.fields import day
from web.process.services import Services
from web.record import holds
from web.record.events_said import EventLine, line, say
from web.record.said.changes import put_back
from web.record.said.project import Both, told
from web.record.said.values import Became
from web.staff.consulted import consulted
from web.staff.frame import shell

PAGE = 50
BLOCK = 500  # events read at a time, backwards
FURTHEST = 20  # blocks a page looks through; then a link goes on, and what is counted is "at least"
TECHNICAL = frozenset({
    "command-carried-out", "session-started", "session-ended", "link-issued", "link-used", "token-issued",
    "token-revoked", "token-used", "passkey-used", "mail-queued", "mail-settled", "message-queued", "message-settled",
    "day-ended", "place-opened",
})  # fmt: skip


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """What the query string asks for; "" asks for all. `since` and `until` are civil dates of the page's zone, both
    included.
    """

    project: str = ""
    thing: str = ""  # a milestone or a risk of that project
    kind: str = ""
    actor: str = ""
    since: str = ""
    until: str = ""
    technical: str = ""  # "1" shows what the machinery records as well
    zone: str = ""  # "utc", or the zone of the project or the organisation

    def given(self) -> dict[str, str]:
        """Return what is asked for by name, without what is not asked for."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value}

    def takes(self, recorded: Recorded, streams: frozenset[str]) -> bool:
        """Tell whether an event is of the project, kind and actor asked for; `streams` are those of the project."""
        return (
            (not self.project or recorded.stream in streams)
            and (not self.project or not self.thing or self.thing in concerned(recorded.event))
            and (not self.kind or tag(recorded.event) == self.kind)
            and (not self.actor or recorded.actor == self.actor)
        )

    def shows(self, recorded: Recorded, streams: frozenset[str]) -> bool:
        """Tell whether the list shows an event: it is asked for, and not the machinery's unless that is, too."""
        quiet = not self.technical and not self.kind and tag(recorded.event) in TECHNICAL
        return not quiet and self.takes(recorded, streams)


class SearchResults(msgspec.Struct, frozen=True):
    """One page of events, newest first, and the position below which older ones are looked for (0: nowhere)."""

    events: list[Recorded]
    older: int


class EventShown(msgspec.Struct, frozen=True, kw_only=True):
    """One event as the auditor reads it."""

    position: int
    at: str  # UTC
    said: str  # the same in words, in the page's zone
    told: EventLine  # in words
    became: tuple[Became, ...]  # what it changed, with the values before
    detail: str  # what else it says, where it changed no value of a project
    stream: str
    version: int
    where: str  # the project's title and the client's name, "" where it is of none
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
    found: str  # how many events fit, "at least" where not all were looked through
    asked_for: str  # what fits, in words
    zone: str  # that times are said in
    local: str  # the zone of the project or the organisation
    projects: Options
    things: Options  # of the project that is chosen
    kinds: Options
    actors: Options
    total: int  # events on record


def concerned(event: AnyEvent) -> frozenset[str]:
    """Return the ids of the milestones and risks an event is about."""
    named = [getattr(event, "milestone", None), getattr(event, "risk", None)]
    subjects = [getattr(event, "subject", ""), *(fact.subject for fact in getattr(event, "held", ()))]
    said = [subject.partition("-")[2] for subject in subjects]
    dates = event.dates if isinstance(event, BaselineApproved) else ()
    return frozenset(key for key in (*named, *said, *dates) if key)


def thing_options(project: Project | None) -> Options:
    """Return the milestones and risks of a project, none where none is chosen."""
    if project is None:
        return []
    milestones = [(str(key), one.details.title) for key, one in project.schedule.milestones.items()]
    return [*milestones, *((str(key), f"{r.details.ref} {r.details.title}") for key, r in project.risks.risks.items())]


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


def search(log: EventLog, wanted: Filter, streams: frozenset[str], before: int, zone: str = "UTC") -> SearchResults:
    """Return the newest `PAGE` events asked for below position `before` (0: from the end).

    At most `BLOCK` times `FURTHEST` events are looked through; then `older` says where to go on.
    """
    since = _start(wanted.since, zone)
    top = before - 1 if before else log.head()
    if wanted.until:
        top = min(top, position_before(log, _start(wanted.until, zone, days=1)))
    events: list[Recorded] = []
    for _block in range(FURTHEST):
        bottom = max(0, top - BLOCK)
        block = [r for r in log.after(bottom, top - bottom) if r.position <= top] if top else []
        for recorded in reversed(block):
            if isinstance(recorded, Unreadable):
                continue
            if wanted.since and recorded.at < since:
                return SearchResults(events, 0)
            if wanted.shows(recorded, streams):
                events.append(recorded)
                if len(events) == PAGE:
                    return SearchResults(events, recorded.position if recorded.position > 1 else 0)
        top = bottom
        if top <= 0:
            return SearchResults(events, 0)
    return SearchResults(events, top + 1)


def counted(log: EventLog, wanted: Filter, streams: frozenset[str], zone: str) -> tuple[int, bool]:
    """Return how many events the list shows in all, and whether all were looked through: the newest ones are."""
    first = position_before(log, _start(wanted.since, zone)) if wanted.since else 0
    last = position_before(log, _start(wanted.until, zone, days=1)) if wanted.until else log.head()
    bottom = max(first, last - BLOCK * FURTHEST)
    events = log.after(bottom, last - bottom) if last > bottom else []
    many = sum(isinstance(r, Recorded) and wanted.shows(r, streams) for r in events)
    return many, bottom == first


def _start(text: str, zone: str, *, days: int = 0) -> datetime:
    """Return when a day begins in a zone, in UTC, or the day after it; the first instant when `text` is empty."""
    if not text:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.combine(day(text) + timedelta(days=days), time(), ZoneInfo(zone)).astimezone(UTC)


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
    question = ", ".join(f"{name} {value}" for name, value in given.items()) or in_english("all")
    consulted(services, signed, wanted.project, in_english("events, {told}", told=question))
    streams, local = streams_of(world, wanted.project), _zone(world, wanted.project)
    zone = "UTC" if wanted.zone == "utc" else local
    results = search(log, wanted, streams, position, zone)
    many, whole = counted(log, wanted, streams, zone)
    return EventsPage(
        **shell(services, signed),
        wanted=wanted,
        problem=problem,
        lines=[_shown(services, recorded, zone) for recorded in results.events],
        older=urlencode(given | {"before": str(results.older)}) if results.older else "",
        newest=urlencode(given) if position else "",
        filtered=bool(given.keys() - {"technical", "zone"}),
        found=f"{many:,}" if whole else _("At least {many}", many=f"{many:,}"),
        asked_for=_asked_for(world, wanted),
        zone=zone,
        local=local,
        projects=project_options(world),
        things=thing_options(world.projects.get(ProjectId(wanted.project))),
        kinds=kinds(),
        actors=actor_options(world),
        total=log.head(),
    )


def _zone(world: World, project: str) -> str:
    """Return the time zone (IANA) of a project, that of the organisation's pages where none is chosen."""
    chosen = world.projects.get(ProjectId(project))
    return chosen.time_zone if chosen else organisation_zone(world)


def _asked_for(world: World, wanted: Filter) -> str:
    """Return what a filter asks for in words, "" where it asks for all."""
    project = world.projects.get(ProjectId(wanted.project))
    dates = [words.day_year(day(text)) for text in (wanted.since, wanted.until) if text]
    parts = (
        say(wanted.kind) if wanted.kind else "" if wanted.technical else _("projects and sharing"),
        dict(thing_options(project)).get(wanted.thing, ""),
        project.title if project else wanted.project,
        _("by {name}", name=world.person_name(PersonId(wanted.actor))) if wanted.actor else "",
        " – ".join(dates) if len(dates) == 2 else "",
        _("from {day}", day=dates[0]) if wanted.since and len(dates) == 1 else "",
        _("to {day}", day=dates[0]) if wanted.until and len(dates) == 1 else "",
    )
    return ", ".join(part for part in parts if part)


def _shown(services: Services, recorded: Recorded, zone: str) -> EventShown:
    world, there = services.present.world, words.local(recorded.at, zone)
    kind, _dash, key = recorded.stream.partition("-")
    project = world.projects.get(ProjectId(key)) if kind == "project" else None
    told_so = holds.told(world, line(services, project, recorded), recorded)
    return EventShown(
        position=recorded.position,
        at=instant(recorded.at),
        said=f"{words.day_year(there.date())}, {there:%H:%M:%S}",
        told=told_so,
        became=became(services, project, recorded) if project else (),
        detail=detail(recorded, told_so.detail),
        stream=recorded.stream,
        version=recorded.version,
        where=_where(world, project, recorded),
        command=recorded.command,
        payload=msgspec.json.format(msgspec.json.encode(recorded.event), indent=2).decode(),
    )


def _where(world: World, project: Project | None, recorded: Recorded) -> str:
    """Return the project an event is of; of a share's event the client, too."""
    kind, _dash, key = recorded.stream.partition("-")
    share = world.shares.get(ShareId(key)) if kind == "share" else None
    if share is not None:
        return f"{world.client_name(share.client)} · {world.projects[share.project].title}"
    return project.title if project else ""


def detail(recorded: Recorded, fields: str) -> str:
    """Return what an event says of no value of a project: what somebody wrote, which agreement, or its fields."""
    event = recorded.event
    if isinstance(event, TermsActivated):
        return _("agreement {version}", version=event.version)
    if isinstance(event, CommentMade | ConcernRaised | ConcernAnswered):
        return event.text
    return "" if getattr(event, "by", None) == recorded.actor and fields == f"by {recorded.actor}" else fields


def became(services: Services, project: Project, recorded: Recorded) -> tuple[Became, ...]:
    """Return what an event of a project changed, read from the project as it was just before."""
    past = services.present.past(project.id, recorded.at - timedelta(microseconds=1))
    before = after = past.state
    for one in services.logs.events.part(recorded.stream, past.version, recorded.version - past.version):
        assert isinstance(one.event, ProjectEvent)
        before, after = after, evolve(after, one.event, one.at)
    assert after is not None
    world = services.present.world
    both = Both(
        before,
        after,
        world.person_name,
        lambda client: world.client_name(ClientId(client)),
        lambda event: put_back(services, project.id, event),
    )
    assert isinstance(recorded.event, ProjectEvent)
    return told(recorded.event, both).became


def routes() -> list[BaseRoute]:
    """Return the route of the event log."""
    return [door("/audit", events, allow=AUDIT)]
