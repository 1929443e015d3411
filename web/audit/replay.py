"""Replay for auditors: the organisation or one project at any instant: what was true, what was shown, who watched.

Rule: a question is recorded once, before it is answered; playing on within it carries its place in the ledger.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.agreement.share import Share
from domain.events import Recorded
from domain.ids import ClientId, ProjectId, ShareId
from domain.language import N_
from domain.language import gettext as _
from domain.plan.project import Project
from domain.view import ClientView, Rag
from projections.entries.entry import Header, instant
from projections.events.world import World
from projections.replay import pages
from projections.wording import words
from projections.wording.phrases import after
from web.audit.events import Filter, kinds, position_before
from web.audit.replay_line import taken, time_line
from web.door.guard import AUDIT, Signed, door, not_found
from web.process.services import Services
from web.record import holds
from web.record.events_said import EventLine, line
from web.record.instant import everything_in, shown_in
from web.record.lanes import Stretch
from web.record.told import in_force
from web.staff.consulted import consulted
from web.staff.frame import shell

DAYS = 31  # shown when nothing else is asked
NEAR = 7  # events listed on either side
BLOCK, FURTHEST = 400, 10  # events looked through for them
LISTED = 12  # projects and shares set out
AT_ONCE = timedelta(seconds=2)
SPEEDS = (
    (3600, N_("1 hour a second")),
    (21600, N_("6 hours a second")),
    (86400, N_("1 day a second")),
    (604800, N_("1 week a second")),
)


class Question(Filter, frozen=True, kw_only=True):
    """What is asked of the replay; "" asks for all. `since` and `until` are civil dates in UTC, both included."""

    client: str = ""

    def told(self) -> str:
        """Return the question as it is recorded."""
        asked = {name: value for name, value in msgspec.structs.asdict(self).items() if value}
        return _("replay ") + ", ".join(f"{name} {value}" for name, value in sorted(asked.items()))


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """One project at an instant; `view` is None before it began."""

    project: Project
    view: ClientView | None
    overall: Rag | None
    risks: int
    high: int


class ReplayTold(msgspec.Struct, frozen=True, kw_only=True):
    """One share at an instant."""

    share: Share
    client: str
    project: str
    n: int
    since: datetime | None
    terms: int  # in force then, 0 for none
    sentence: str
    ended: bool
    held: tuple[str, ...]  # what waited for review
    watching: tuple[tuple[str, int, bool], ...]  # who, which update, paused


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One event and whom it was told."""

    at: datetime
    position: int
    line: EventLine
    where: str
    told: tuple[tuple[str, str, int], ...]  # client, share, update
    held: tuple[str, ...]  # clients for whom it began to wait for review


def question(query: Mapping[str, str], now: datetime) -> Question | None:
    """Return what a query asks, None when a date is none or the last comes first."""
    try:
        until = date.fromisoformat(query["until"]) if query.get("until") else now.date()
        since = date.fromisoformat(query["since"]) if query.get("since") else until - timedelta(days=DAYS - 1)
    except (ValueError, OverflowError):
        return None
    if since > until or since.year < 1970 or until.year > 2999:
        return None
    names = {name: query.get(name, "").strip()[:200] for name in ("project", "client", "kind", "actor")}
    return Question(**names, since=since.isoformat(), until=until.isoformat())


def stretch(asked: Question) -> Stretch:
    """Return the stretch of time a question covers."""
    start = datetime.combine(date.fromisoformat(asked.since), time(), UTC)
    end = datetime.combine(date.fromisoformat(asked.until), time(), UTC) + timedelta(days=1)
    return Stretch(start, end, "month", "UTC")


def instant_in(over: Stretch, text: str, now: datetime) -> datetime:
    """Return the instant an address names, brought into the stretch; the newest where it names none."""
    newest = min(over.end, now)
    try:
        at = datetime.fromisoformat(text) if text else newest
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return min(max(at.astimezone(UTC), over.start), newest)
    except (ValueError, OverflowError):
        return newest


async def page(request: Request, signed: Signed) -> Response:
    """`GET /audit/replay?project=&client=&kind=&actor=&since=&until=&at=`: the time line and the instant."""
    services: Services = request.app.state.services
    world, now = services.present.refresh(), services.now()
    asked = question(request.query_params, now)
    problem = "" if asked else _("Write both days as 2027-03-11, the first one first.")
    asked = asked or question({}, now)
    assert asked is not None
    context = await run_in_threadpool(_page, services, signed, world, asked, request.query_params.get("at", ""))
    status = 400 if problem else 200
    return services.pages.response(
        request, "audit/replay.html", status, **context, problem=problem, **shell(services, signed)
    )


def _page(services: Services, signed: Signed, world: World, asked: Question, at_text: str) -> dict[str, Any]:
    index = consulted(services, signed, asked.project, asked.told())
    services.receipts.flush()
    over = stretch(asked)
    at = instant_in(over, at_text, services.now())
    shares, streams = _shares(world, asked), _streams(world, asked)
    query = {name: value for name, value in msgspec.structs.asdict(asked).items() if value}
    return {
        "asked": asked,
        "line": time_line(services, over, asked, streams, shares, at),
        "query": urlencode(query),
        "question": index,
        "speeds": SPEEDS,
        "projects": sorted(((p.id, p.title) for p in world.projects.values()), key=lambda pair: pair[1]),
        "clients": sorted(((c.id, c.name) for c in world.clients.values()), key=lambda pair: pair[1]),
        "kinds": kinds(),
        "actors": sorted(((p.id, p.name) for p in world.people.values()), key=lambda pair: pair[1]),
        "here": "replay",
        "newest": min(over.end, services.now()),
        **_frame(services, world, asked, at),
    }


async def frame(request: Request, signed: Signed) -> Response:
    """`GET /audit/replay/frame?q=&at=&…`: the instant alone, within a question that was recorded."""
    services: Services = request.app.state.services
    world = services.present.refresh()
    asked = question(request.query_params, services.now())
    place = request.query_params.get("q", "")
    if asked is None or not (place.isdecimal() and len(place) < 12):
        return not_found()
    at = instant_in(stretch(asked), request.query_params.get("at", ""), services.now())
    found = await run_in_threadpool(_framed, services, signed, world, asked, int(place), at)
    if found is None:
        return not_found()
    return services.pages.response(request, "audit/replay_frame.html", **found, **shell(services, signed))


def _framed(
    services: Services, signed: Signed, world: World, asked: Question, place: int, at: datetime
) -> dict[str, Any] | None:
    recorded = next(iter(services.logs.ledger.lines(place - 1, 1, place)), None) if place else None
    statement = recorded.statement if recorded else None
    if statement is None or (statement.kind, statement.who, statement.text) != (
        "consulted",
        signed.person.id,
        asked.told(),
    ):
        return None
    query = {name: value for name, value in msgspec.structs.asdict(asked).items() if value}
    return {"query": urlencode(query), **_frame(services, world, asked, at)}


# the instant


def _frame(services: Services, world: World, asked: Question, at: datetime) -> dict[str, Any]:
    projects = [p for p in sorted(world.projects.values(), key=lambda p: p.title) if asked.project in ("", p.id)]
    shares = _shares(world, asked)
    earlier, later = _around(services, world, asked, at, shares)
    return {
        "at": at,
        "iso": _exact,
        "second": _second,
        "after": after,
        "truths": [_truth(services, world, project, at) for project in projects[:LISTED]],
        "told": [_told(services, world, share, at) for share in shares[:LISTED]],
        "beyond": max(0, len(projects) - LISTED) + max(0, len(shares) - LISTED),
        "earlier": earlier,
        "later": later,
    }


def _truth(services: Services, world: World, project: Project, at: datetime) -> Truth:
    state = services.present.past(project.id, at).state
    if state is None:
        return Truth(project=project, view=None, overall=None, risks=0, high=0)
    active = [r for r in state.risks.risks.values() if not r.closed]
    nobody = Share(id=ShareId(""), project=project.id, client=ClientId(""), draft=None)
    return Truth(
        project=state,
        view=everything_in(world, state, nobody),
        overall=state.health.status("overall"),
        risks=len(active),
        high=sum(r.residual.score >= state.scale.high_from for r in active),
    )


def _told(services: Services, world: World, share: Share, at: datetime) -> ReplayTold:
    log = services.logs.disclosure
    n = pages.number_at(log, share.id, at)
    kept = next(iter(log.kept(share.id, n - 1, 1, n)), None) if n else None
    view, agreed = shown_in(kept) if kept else None, in_force(share, at)
    standing = services.logs.receipts.window(share.id, at, at).standing
    return ReplayTold(
        share=share,
        client=world.client_name(share.client),
        project=world.projects[share.project].title,
        n=n,
        since=log.recorded_at(share.id, n) if n else None,
        terms=agreed.version if agreed else 0,
        sentence=view.headline.sentence if view else _("Its content has been erased.") if kept else "",
        ended=share.revoked_at is not None and share.revoked_at <= at,
        held=holds.waited_at(world, share, services.present.past(share.project, at).state, at),
        watching=tuple(sorted((world.person_name(t.person), t.n, t.paused) for t in standing if t.n)),
    )


def _shares(world: World, asked: Question) -> list[Share]:
    found = [
        share
        for share in world.shares.values()
        if share.versions and asked.project in ("", share.project) and asked.client in ("", share.client)
    ]
    return sorted(found, key=lambda s: (world.projects[s.project].title, world.client_name(s.client), s.id))


def _streams(world: World, asked: Question) -> frozenset[str]:
    shares = {f"share-{s.id}" for s in world.shares.values() if s.project == asked.project}
    return frozenset({f"project-{asked.project}"} | shares)


def _around(
    services: Services, world: World, asked: Question, at: datetime, shares: list[Share]
) -> tuple[list[Happened], list[Happened]]:
    """Return the events asked for on either side of an instant, each side from the nearest one outwards."""
    over, streams = stretch(asked), _streams(world, asked)
    here = position_before(services.logs.events, at + timedelta(microseconds=1))

    def near(found: Iterator[Recorded]) -> list[Happened]:
        kept: list[Happened] = []
        for recorded in found:
            if not over.start <= recorded.at < over.end or len(kept) == NEAR:
                break
            if taken(recorded, asked, streams):
                kept.append(_happened(services, world, recorded, shares))
        return kept

    return near(_backwards(services, here)), near(_forwards(services, here))


def _backwards(services: Services, position: int) -> Iterator[Recorded]:
    for _other in range(FURTHEST):
        bottom = max(0, position - BLOCK)
        block = services.logs.events.after(bottom, position - bottom) if position else []
        yield from (r for r in reversed(block) if isinstance(r, Recorded))
        position = bottom


def _forwards(services: Services, position: int) -> Iterator[Recorded]:
    for _other in range(FURTHEST):
        block = services.logs.events.after(position, BLOCK)
        yield from (r for r in block if isinstance(r, Recorded))
        position += len(block)


def _happened(services: Services, world: World, recorded: Recorded, shares: list[Share]) -> Happened:
    kind, _, key = recorded.stream.partition("-")
    project = world.projects.get(ProjectId(key)) if kind == "project" else None
    share = world.shares.get(ShareId(key)) if kind == "share" else None
    concerned = [s for s in shares if (project and s.project == key) or (share and s.id == key)]
    where = project.title if project else world.client_name(share.client) if share else ""
    return Happened(
        at=recorded.at,
        position=recorded.position,
        line=holds.told(world, line(services, project, recorded), recorded),
        where=where,
        told=tuple(
            (world.client_name(s.client), s.id, h.n) for s in concerned if (h := _update(services, s, recorded.at))
        ),
        held=holds.began(world, concerned, recorded.at) if project else (),
    )


def _update(services: Services, share: Share, at: datetime) -> Header | None:
    """Return the update that a change at an instant led to at once, if it led to one."""
    log = services.logs.disclosure
    before = pages.number_at(log, share.id, at - timedelta(microseconds=1))
    found = next(iter(log.headers(share.id, before, 1)), None)
    return found if found and found.instant <= at + AT_ONCE else None


def _exact(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z") if at.microsecond else instant(at)


def _second(at: datetime) -> str:
    return f"{at:%a} {words.day_year(at.date())}, {at:%H:%M:%S}"


def routes() -> list[BaseRoute]:
    """Return the routes of the replay."""
    return [door("/audit/replay", page, allow=AUDIT), door("/audit/replay/frame", frame, allow=AUDIT)]
