"""Replay for auditors: the organisation or one project at any instant: what was true, what was shown, who watched.

Rule: a question is recorded once, before it is answered; every further instant asked for within it names the line of
the ledger that the question is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, TypedDict
from urllib.parse import urlencode

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.agreement.share import Share
from domain.events import Recorded
from domain.ids import ClientId, ProjectId, ShareId
from domain.language import N_, in_english
from domain.language import gettext as _
from domain.plan.project import Project
from domain.view import ClientView, Rag
from projections.entries.entry import Header
from projections.entries.parts import instant
from projections.events.world import World
from projections.replay import pages
from projections.wording import words
from web.audit.events import Filter, actor_options, became, detail, kinds, position_before, project_options, streams_of
from web.audit.frame import AuditPage, Options
from web.audit.replay_line import TimeLine, taken, time_line
from web.door.guard import AUDIT, Signed, door, not_found
from web.process.services import Services
from web.record import holds
from web.record.events_said import EventLine, line
from web.record.instant import everything_in
from web.record.lanes import Stretch
from web.record.said.values import Became
from web.record.told import in_force
from web.staff.consulted import consulted
from web.staff.frame import shell

DAYS = 31  # shown when nothing else is asked
NEAR = 7  # events listed on either side
BLOCK, FURTHEST = 400, 10  # events looked through for them
LISTED = 12  # projects and shares set out
LOOKED = 60  # projects of which it is found out whether they changed in the stretch
AT_ONCE = timedelta(seconds=2)
SPEEDS = (
    (3600, N_("1 hour a second")),
    (21600, N_("6 hours a second")),
    (86400, N_("1 day a second")),
    (604800, N_("1 week a second")),
)


class Question(Filter, frozen=True, kw_only=True):
    """What is asked of the replay; "" asks for all."""

    client: str = ""

    def told(self) -> str:
        """Return the question as it is recorded."""
        return in_english(
            "replay {given}", given=", ".join(f"{name} {value}" for name, value in sorted(self.given().items()))
        )


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """One project at an instant; `view` is None before it began."""

    project: Project
    view: ClientView | None
    sentence: str  # what the plan said; that it was empty where it was
    overall: Rag | None
    risks: int  # that are open
    high: int  # of them, by the project's scale


class ReplayTold(msgspec.Struct, frozen=True, kw_only=True):
    """One share at an instant."""

    share: Share
    client: str
    project: str
    n: int  # the update on the page, 0 for none
    since: datetime | None  # when it was recorded, UTC
    terms: int  # in force then, 0 for none
    sentence: str
    ended: bool
    held: tuple[str, ...]  # what waited for review
    watching: tuple[tuple[str, int, bool], ...]  # who, which update, paused


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One event, and the clients it was told."""

    at: datetime
    position: int
    line: EventLine
    became: tuple[Became, ...]  # what it changed, with the values before
    detail: str  # what else it says, where it changed no value of a project
    where: str
    told: tuple[tuple[str, str, int], ...]  # client, share, update
    held: tuple[str, ...]  # clients for whom it began to wait for review


class InstantFields(TypedDict):
    """What was true and shown at one instant, and the events on either side."""

    query: str
    at: datetime
    iso: Callable[[datetime], str]
    second: Callable[[datetime], str]
    truths: Sequence[Truth]
    told: Sequence[ReplayTold]
    beyond: int
    earlier: Sequence[Happened]
    later: Sequence[Happened]


class ReplayFrame(AuditPage, frozen=True, kw_only=True):
    """The instant alone, as the page fetches it while it plays."""

    template = "audit/replay_frame.html"
    here: Literal["replay"] = "replay"
    query: str  # the question, for addresses
    at: datetime  # UTC
    iso: Callable[[datetime], str]  # an instant for addresses
    second: Callable[[datetime], str]  # an instant for people
    truths: Sequence[Truth]
    told: Sequence[ReplayTold]
    beyond: int  # projects and shares that are not set out
    earlier: Sequence[Happened]  # the nearest first
    later: Sequence[Happened]  # the nearest first


class ReplayPage(ReplayFrame, frozen=True, kw_only=True):
    """The question, the time line over all of it, and one instant."""

    template = "audit/replay.html"
    asked: Question
    problem: str  # with the question, "" for none
    question: int  # its line in the ledger
    line: TimeLine
    newest: datetime  # the last instant that can be asked for, UTC
    speeds: Sequence[tuple[int, str]]  # seconds of the record a second, and in words
    projects: Options
    clients: Options
    kinds: Options
    actors: Options


def question(query: Mapping[str, str], now: datetime) -> Question | None:
    """Return what a query asks; None when one of its dates cannot be read or `until` comes before `since`."""
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
    """Return the instant (UTC) that an address names, brought into the stretch; the newest where it names none."""
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
    page = await run_in_threadpool(_page, services, signed, request.query_params)
    return services.pages.answer(request, page, 400 if page.problem else 200)


def _page(services: Services, signed: Signed, query: Mapping[str, str]) -> ReplayPage:
    """Return the answer to a question, once it is recorded; to the default one where it cannot be understood."""
    world, now = services.present.refresh(), services.now()
    asked = question(query, now)
    problem = "" if asked else _("Write both days as 2027-03-11, the first one first.")
    asked = asked or question({}, now)
    assert asked is not None
    index = consulted(services, signed, asked.project, asked.told())
    services.receipts.flush()
    over = stretch(asked)
    at = instant_in(over, query.get("at", ""), services.now())
    return ReplayPage(
        **shell(services, signed),
        **_instant(services, world, asked, at),
        asked=asked,
        problem=problem,
        question=index,
        line=time_line(services, over, asked, _shares(world, asked), at),
        newest=min(over.end, services.now()),
        speeds=SPEEDS,
        projects=project_options(world),
        clients=sorted(((c.id, c.name) for c in world.clients.values()), key=lambda pair: pair[1]),
        kinds=kinds(),
        actors=actor_options(world),
    )


async def frame(request: Request, signed: Signed) -> Response:
    """`GET /audit/replay/frame?q=&at=&…`: the instant alone, within a question that was recorded."""
    services: Services = request.app.state.services
    asked = question(request.query_params, services.now())
    index = request.query_params.get("q", "")
    if asked is None or not (index.isdecimal() and len(index) < 12):
        return not_found()
    at = instant_in(stretch(asked), request.query_params.get("at", ""), services.now())
    shown = await run_in_threadpool(_frame, services, signed, asked, int(index), at)
    return services.pages.answer(request, shown) if shown else not_found()


def _frame(services: Services, signed: Signed, asked: Question, index: int, at: datetime) -> ReplayFrame | None:
    """Return an instant; None unless line `index` of the ledger is this very question of this very person."""
    recorded = next(iter(services.logs.ledger.lines(index - 1, 1, index)), None) if index else None
    statement = recorded.statement if recorded else None
    if statement is None or (statement.kind, statement.who, statement.text) != (
        "consulted",
        signed.person.id,
        asked.told(),
    ):
        return None
    world = services.present.refresh()
    return ReplayFrame(**shell(services, signed), **_instant(services, world, asked, at))


# the instant


def _instant(services: Services, world: World, asked: Question, at: datetime) -> InstantFields:
    shares = _shares(world, asked)
    projects = _projects(services, world, asked)
    earlier, later = _around(services, world, asked, at, shares)
    return {
        "query": urlencode(asked.given()),
        "at": at,
        "iso": _exact,
        "second": _second,
        "truths": [_truth(services, world, project, at) for project in projects[:LISTED]],
        "told": [_told(services, world, share, at) for share in shares[:LISTED]],
        "beyond": max(0, len(projects) - LISTED) + max(0, len(shares) - LISTED),
        "earlier": earlier,
        "later": later,
    }


def _projects(services: Services, world: World, asked: Question) -> list[Project]:
    """Return the projects asked for: those that changed in the stretch first, then by title."""
    over = stretch(asked)
    start, end = over.start, min(over.end, services.now())

    def still(project: Project) -> bool:
        past = services.present.past
        return past(project.id, start).version == past(project.id, end).version

    found = sorted((p for p in world.projects.values() if asked.project in ("", p.id)), key=lambda p: p.title)
    looked, rest = found[:LOOKED], found[LOOKED:]
    return [*sorted(looked, key=still), *rest]


def _truth(services: Services, world: World, project: Project, at: datetime) -> Truth:
    state = services.present.past(project.id, at).state
    if state is None:
        return Truth(project=project, view=None, sentence="", overall=None, risks=0, high=0)
    active = [r for r in state.risks.risks.values() if not r.closed]
    nobody = Share(id=ShareId(""), project=project.id, client=ClientId(""), draft=None)
    view = everything_in(world, state, nobody)
    empty = not (view.milestones or view.risks or view.budget)
    return Truth(
        project=state,
        view=view,
        sentence=_("The plan was empty.") if empty else view.headline.sentence,
        overall=state.health.status("overall"),
        risks=len(active),
        high=sum(r.residual.score >= state.scale.high_from for r in active),
    )


def _told(services: Services, world: World, share: Share, at: datetime) -> ReplayTold:
    log = services.logs.disclosure
    n = pages.number_at(log, share.id, at)
    kept = next(iter(log.kept(share.id, n - 1, 1, n)), None) if n else None
    view, agreed = pages.Views(log, share.id).after(kept) if kept else None, in_force(share, at)
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
        watching=tuple(sorted({(world.person_name(t.person), t.n, t.paused) for t in standing if t.n})),  # not by tab
    )


def _shares(world: World, asked: Question) -> list[Share]:
    """Return the shares asked for that were ever in force, by project and client."""
    shares = [
        share
        for share in world.shares.values()
        if share.versions and asked.project in ("", share.project) and asked.client in ("", share.client)
    ]
    return sorted(shares, key=lambda s: (world.projects[s.project].title, world.client_name(s.client), s.id))


def _around(
    services: Services, world: World, asked: Question, at: datetime, shares: list[Share]
) -> tuple[list[Happened], list[Happened]]:
    """Return the events asked for on either side of an instant, each side from the nearest one outwards."""
    over, streams = stretch(asked), streams_of(world, asked.project)
    here = position_before(services.logs.events, at + timedelta(microseconds=1))

    def near(events: Iterator[Recorded]) -> list[Happened]:
        kept: list[Happened] = []
        for recorded in events:
            if not over.start <= recorded.at < over.end or len(kept) == NEAR:
                break
            if taken(recorded, asked, streams):
                kept.append(_happened(services, world, recorded, shares))
        return kept

    return near(_backwards(services, here)), near(_forwards(services, here))


def _backwards(services: Services, position: int) -> Iterator[Recorded]:
    """Yield the events up to a position, the newest first, at most `BLOCK` times `FURTHEST`."""
    for _block in range(FURTHEST):
        bottom = max(0, position - BLOCK)
        block = services.logs.events.after(bottom, position - bottom) if position else []
        yield from (r for r in reversed(block) if isinstance(r, Recorded))
        position = bottom


def _forwards(services: Services, position: int) -> Iterator[Recorded]:
    """Yield the events after a position, the oldest first, at most `BLOCK` times `FURTHEST`."""
    for _block in range(FURTHEST):
        block = services.logs.events.after(position, BLOCK)
        yield from (r for r in block if isinstance(r, Recorded))
        position += len(block)


def _happened(services: Services, world: World, recorded: Recorded, shares: list[Share]) -> Happened:
    kind, _dash, key = recorded.stream.partition("-")
    project = world.projects.get(ProjectId(key)) if kind == "project" else None
    share = world.shares.get(ShareId(key)) if kind == "share" else None
    concerned = [s for s in shares if (project and s.project == key) or (share and s.id == key)]
    where = project.title if project else world.client_name(share.client) if share else ""
    said = holds.told(world, line(services, project, recorded), recorded)
    return Happened(
        at=recorded.at,
        position=recorded.position,
        line=said,
        became=became(services, project, recorded) if project else (),
        detail=detail(recorded, said.detail),
        where=where,
        told=tuple(
            (world.client_name(s.client), s.id, h.n) for s in concerned if (h := _update(services, s, recorded.at))
        ),
        held=holds.began(world, concerned, recorded.at) if project else (),
    )


def _update(services: Services, share: Share, at: datetime) -> Header | None:
    """Return the update that was recorded at once after a change at an instant, None when there is none."""
    log = services.logs.disclosure
    before = pages.number_at(log, share.id, at - timedelta(microseconds=1))
    header = next(iter(log.headers(share.id, before, 1)), None)
    return header if header and header.instant <= at + AT_ONCE else None


def _exact(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z") if at.microsecond else instant(at)


def _second(at: datetime) -> str:
    return f"{words.weekday(at)} {words.day_year(at.date())}, {at:%H:%M:%S}"


def routes() -> list[BaseRoute]:
    """Return the routes of the replay."""
    return [door("/audit/replay", page, allow=AUDIT), door("/audit/replay/frame", frame, allow=AUDIT)]
