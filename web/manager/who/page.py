"""The page "Who has seen it?": what each client was told of a fact of a project, when, and what reached whose screen.

Rule: what it shows was recorded; the question itself is recorded before it is answered.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import ModuleType

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.agreement.answers import Acknowledgement
from domain.agreement.share import Share
from domain.ids import MilestoneId, ProjectId
from domain.language import N_, in_english
from domain.plan.project import Project
from domain.view import ClientView
from projections.events.hold_book import Hold
from projections.events.world import World
from projections.wording.instants import Clock
from web.door.guard import STAFF, Signed, door, not_found
from web.manager.who import sentences
from web.process import presence
from web.process.services import Services
from web.push.viewer import Watching
from web.record import facts
from web.record.audience import view_with_nothing_held
from web.record.events_said import called
from web.record.facts import Asked, Fact
from web.record.reception import Seen, Viewers, reached, viewers
from web.record.told import ClientTold, in_force, told
from web.seen.brought import dated_by, named
from web.staff.consulted import consulted
from web.staff.frame import StaffPage, shell

LISTED = 200  # viewers of a client in its table
SETTLES = 30  # seconds in which a recorded value may still be on its way
CLASSES = {
    "displayed": ("ok", N_("Displayed")),
    "superseded": ("none", N_("Superseded")),
    "delivered": ("none", N_("Delivered")),
    "sent": ("none", N_("Sent")),
    "never": ("none", N_("Never")),
}
Screens = Mapping[str, Sequence[Watching]]  # pages open now, by share


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """One client and what it was told."""

    client: str
    name: Callable[[str], str]  # what a person is called there, by id
    told: ClientTold
    answer: str
    why: str  # why it was not told, "" when it was
    note: str
    seen: list[Seen]
    old: list[Seen]  # who has an older update on a visible screen now
    more: int  # viewers beyond those listed
    gap: datetime | None
    expired: bool  # receipts of that time are no longer kept
    taken: list[Acknowledgement]  # of this very value, by people of the client


class WhoPage(StaffPage, frozen=True, kw_only=True):
    """A fact, and what became of it with each client."""

    template = "pm/who.html"
    project: Project
    fact: Fact
    sentence: str  # the fact
    answer: str  # in one line
    by: str  # who recorded it
    blocks: Sequence[Block]
    clock: Clock
    say: ModuleType  # web.manager.who.sentences
    classes: Mapping[str, tuple[str, str]]  # tone and word by state of an update
    query: str  # that asks for this fact


async def who(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/who?milestone=|risk=|figure=&measure=[&at=version]`: who knows this fact."""
    services: Services = request.app.state.services
    world = services.present.refresh()
    project = world.projects.get(ProjectId(request.path_params["project"]))
    version = request.query_params.get("at", "")
    asked = facts.asked(request.query_params, project) if project else None
    if project is None or asked is None or (version and not (version.isdecimal() and len(version) < 12)):
        return not_found()
    shares = [str(share.id) for share in world.shares_of_project(project.id)]
    screens: Screens = await run_in_threadpool(lambda: {share: presence.watching(services, share) for share in shares})
    wanted = int(version) if version else None
    fact = await run_in_threadpool(_fact, services, signed, project, asked, wanted)
    if fact is None:
        return not_found()
    page = await run_in_threadpool(_page, services, signed, project, fact, screens)
    return services.pages.answer(request, page)


def _fact(services: Services, signed: Signed, project: Project, asked: Asked, version: int | None) -> Fact | None:
    """Record the question, then return the fact: the newest value, or that as of an event. For threads."""
    since = in_english("newest value") if version is None else in_english("as of event {version}", version=version)
    consulted(
        services,
        signed,
        project.id,
        in_english("who has seen {kind} {key}, {since}", kind=asked.kind, key=asked.key, since=since),
    )
    newest = services.present.world.versions.get(f"project-{project.id}", 0)
    return facts.fact(services.logs.events, services.present.past, project, newest, asked, version)


def _page(services: Services, signed: Signed, project: Project, fact: Fact, screens: Screens) -> WhoPage:
    asked = fact.asked
    services.receipts.flush()
    world, clock = services.present.world, Clock(project.time_zone)
    by_client = blocks(services, world, project, fact, screens)
    thing = asked.kind in ("milestone", "risk")
    return WhoPage(
        project=project,
        fact=fact,
        sentence=sentences.sentence(fact, clock),
        answer=sentences.answers([(block.client, block.answer) for block in by_client]),
        by=_by(world, fact),
        blocks=by_client,
        clock=clock,
        say=sentences,
        classes=CLASSES,
        query=f"{asked.kind}={asked.key}" if thing else f"figure={asked.kind}&measure={asked.key}",
        **shell(services, signed),
    )


def _by(world: World, fact: Fact) -> str:
    """Return who recorded a fact: the source, where the pull that set it took it by itself."""
    known = fact.state.schedule.milestones if fact.asked.kind == "milestone" else {}
    milestone = known.get(MilestoneId(fact.asked.key))
    origin = dated_by(fact.state, milestone) if milestone is not None else None
    by_itself = origin is not None and not origin.accepted and origin.at == fact.step.at
    return named(fact.state, origin) if origin is not None and by_itself else called(world, fact.step.who)


def blocks(services: Services, world: World, project: Project, fact: Fact, screens: Screens) -> list[Block]:
    """Return what became of a fact with each client of a project: who was told first, then by name."""
    by_client: dict[str, list[Share]] = {}
    for share in world.shares_of_project(project.id):
        by_client.setdefault(share.client, []).append(share)
    every = [_block(services, world, fact, shares, screens) for shares in by_client.values()]
    return sorted(every, key=lambda b: (b.told.how != "told", b.client))


def _block(services: Services, world: World, fact: Fact, shares: list[Share], screens: Screens) -> Block:
    outcome = min((_told(services, world, fact, share) for share in shares), key=_telling)
    client = world.client_name(outcome.share.client)
    seen = _viewers(services, world, outcome, screens)
    project = world.projects[outcome.share.project]
    clock = Clock(project.time_zone)
    name = world.names_for(outcome.share.client)
    ordered = sorted(seen.seen, key=lambda s: (reached(s), name(s.person)))
    return Block(
        client=client,
        name=name,
        told=outcome,
        answer=sentences.answer(client, outcome, ordered, fact, name),
        why=sentences.why(outcome, fact, clock),
        note=" ".join(filter(None, (sentences.note(outcome, fact), sentences.held(outcome, clock)))),
        seen=ordered[:LISTED],
        old=[s for s in ordered if 0 < s.watching < outcome.n],
        more=max(0, len(ordered) - LISTED),
        gap=seen.gap,
        expired=outcome.at is not None and (services.now() - outcome.at).days >= outcome.share.retention,
        taken=_taken(outcome, fact),
    )


def _taken(outcome: ClientTold, fact: Fact) -> list[Acknowledgement]:
    """Return who said to have taken note of the fact, with an update on screen that told of it."""
    subject = f"{fact.asked.kind}-{fact.asked.key}"
    on = range(outcome.n, outcome.beyond or sys.maxsize) if outcome.how == "told" else range(0)
    return [ack for ack in outcome.share.answers.taken if ack.subject == subject and ack.screen.n in on]


def _telling(outcome: ClientTold) -> tuple[bool, str]:
    """Order the shares of one client: the one that told first, else the one whose reason says most."""
    if outcome.at is not None:
        return False, outcome.at.isoformat()
    counts = ("same", "stopped", "coming", "held", "erased", "missing", "unshared", "later", "ended", "draft")
    return True, f"{counts.index(outcome.how) if outcome.how in counts else len(counts)}"


def _told(services: Services, world: World, fact: Fact, share: Share) -> ClientTold:
    """Return what one share told its client of a fact, with the hold in which it waited, if it did."""

    def revealed(at: datetime) -> ClientView | None:
        agreed, past = in_force(share, at), services.present.past(share.project, at).state
        return view_with_nothing_held(world, past, agreed) if agreed and past else None

    stopped = presence.stopped(services, share.id) is not None
    behind = services.health.behind or (services.now() - fact.at).total_seconds() < SETTLES
    outcome = told(services.logs.disclosure, share, fact, revealed, stopped=stopped, behind=behind)
    hold = _hold(world, share, fact)
    if hold is None:
        return outcome
    kept_back = outcome.how in ("missing", "coming", "stopped") and never_shown(hold, fact)
    how = "held" if kept_back else outcome.how
    return msgspec.structs.replace(outcome, how=how, hold=hold, hold_by=world.person_name(hold.by))


def _hold(world: World, share: Share, fact: Fact) -> Hold | None:
    """Return the hold in which a fact waited for review on a share."""
    kind, key = fact.asked.kind, fact.asked.key
    subject = f"{kind}-{key}" if kind in ("milestone", "risk") else "budget"
    holds = (hold for hold in world.hold_record(share.id) if hold.fact.subject == subject and hold.waits_at(fact.at))
    return next(holds, None)


def never_shown(hold: Hold, fact: Fact) -> bool:
    """Tell whether a fact waited for as long as it was true, or still does."""
    replaced = fact.next is not None and hold.ended is not None and fact.next.at <= hold.ended
    return hold.ended is None or not hold.shown or replaced


def _viewers(services: Services, world: World, outcome: ClientTold, screens: Screens) -> Viewers:
    if outcome.how != "told" or outcome.at is None:
        return Viewers([], None)
    share = outcome.share
    people = [person.id for person in world.viewers_of(share.client)]
    span = outcome.n, outcome.beyond
    return viewers(services.logs.receipts, share.id, span, outcome.at, people, screens.get(share.id, ()))


def routes() -> list[BaseRoute]:
    """Return the route of the question."""
    return [door("/p/{project}/who", who, allow=STAFF)]
