"""Who knows? From any fact of a project: what each client was told of it and when, and what reached whose screen.

Rule: what is shown is what was recorded; the question itself is recorded before it is answered.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.agreement.answers import Acknowledgement
from domain.agreement.share import Share
from domain.ids import ProjectId
from domain.language import N_
from domain.language import gettext as _
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
from web.record.audience import view_of
from web.record.facts import Asked, Fact
from web.record.reception import Seen, Viewers, viewers
from web.record.told import ClientTold, in_force, told
from web.staff.consulted import consulted
from web.staff.frame import shell

LISTED = 200  # viewers of a client in its table
CLASSES = {
    "displayed": ("ok", N_("Displayed")),
    "superseded": ("none", N_("Superseded")),
    "delivered": ("none", N_("Delivered")),
    "sent": ("none", N_("Sent")),
    "never": ("none", N_("Never")),
}
Screens = Mapping[str, Sequence[Watching]]


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """One client and what it was told."""

    client: str
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
    context = await run_in_threadpool(_page, services, signed, project, asked, wanted, screens)
    return services.pages.response(request, "pm/who.html", **context) if context else not_found()


def _page(
    services: Services, signed: Signed, project: Project, asked: Asked, version: int | None, screens: Screens
) -> dict[str, Any] | None:
    since = _("newest value") if version is None else _("as of event {version}", version=version)
    consulted(
        services, signed, project.id, _("who knows {kind} {key}, {since}", kind=asked.kind, key=asked.key, since=since)
    )
    newest = services.present.world.versions.get(f"project-{project.id}", 0)
    fact = facts.fact(services.logs.events, services.present.past, project, newest, asked, version)
    if fact is None:
        return None
    services.receipts.flush()
    world, clock = services.present.world, Clock(project.time_zone, project.civil(services.now()))
    found = blocks(services, world, project, fact, screens)
    return {
        "project": project,
        "fact": fact,
        "sentence": sentences.sentence(fact, clock),
        "answer": sentences.answers([(block.client, block.answer) for block in found]),
        "by": world.person_name(fact.step.who),
        "blocks": found,
        "clock": clock,
        "say": sentences,
        "name": world.person_name,
        "classes": CLASSES,
        "query": f"{asked.kind}={asked.key}"
        if asked.kind in ("milestone", "risk")
        else f"figure={asked.kind}&measure={asked.key}",
        **shell(services, signed),
    }


def blocks(services: Services, world: World, project: Project, fact: Fact, screens: Screens) -> list[Block]:
    """Return what became of a fact with each client of a project: who was told first, then by name."""
    by_client: dict[str, list[Share]] = {}
    for share in world.shares_of_project(project.id):
        by_client.setdefault(share.client, []).append(share)
    found = [_block(services, world, fact, shares, screens) for shares in by_client.values()]
    return sorted(found, key=lambda b: (b.told.how != "told", b.client))


def _block(services: Services, world: World, fact: Fact, shares: list[Share], screens: Screens) -> Block:
    found = min((_told(services, world, fact, share) for share in shares), key=_telling)
    client = world.client_name(found.share.client)
    seen = _seen(services, world, found, screens)
    project = world.projects[found.share.project]
    clock = Clock(project.time_zone, project.civil(services.now()))
    ordered = sorted(seen.seen, key=lambda s: (_first(s), world.person_name(s.person)))
    return Block(
        client=client,
        told=found,
        answer=sentences.answer(client, found, ordered, fact, world.person_name),
        why=sentences.why(found, fact, clock),
        note=" ".join(filter(None, (sentences.note(found, fact), sentences.held(found, clock)))),
        seen=ordered[:LISTED],
        old=[s for s in ordered if 0 < s.watching < found.n],
        more=max(0, len(ordered) - LISTED),
        gap=seen.gap,
        expired=found.at is not None and (services.now() - found.at).days >= found.share.retention,
        taken=_taken(found, fact),
    )


def _taken(found: ClientTold, fact: Fact) -> list[Acknowledgement]:
    """Return who said to have taken note of the fact, with an update on screen that told of it."""
    subject = f"{fact.asked.kind}-{fact.asked.key}"
    on = range(found.n, found.beyond or sys.maxsize) if found.how == "told" else range(0)
    return [one for one in found.share.answers.taken if one.subject == subject and one.screen.n in on]


def _telling(found: ClientTold) -> tuple[bool, datetime | str]:
    """Order the shares of one client: the one that told first, else the one that counts most."""
    if found.at is not None:
        return False, found.at.isoformat()
    counts = ("same", "stopped", "coming", "held", "erased", "missing", "unshared", "later", "ended", "draft")
    return True, f"{counts.index(found.how) if found.how in counts else len(counts)}"


def _first(seen: Seen) -> tuple[int, str]:
    order = ("displayed", "superseded", "delivered", "sent", "never").index(seen.state)
    at = seen.displayed or seen.delivered or seen.sent
    return order, at.isoformat() if at else ""


def _told(services: Services, world: World, fact: Fact, share: Share) -> ClientTold:
    def revealed(at: datetime) -> ClientView | None:
        agreed, past = in_force(share, at), services.present.past(share.project, at).state
        return view_of(world, past, agreed) if agreed and past else None

    stopped = presence.stopped(services, share.id) is not None
    behind = services.health.behind or (services.now() - fact.at).total_seconds() < 30
    found = told(services.logs.disclosure, share, fact, revealed, stopped=stopped, behind=behind)
    hold = _hold(world, share, fact)
    if hold is None:
        return found
    kept_back = found.how in ("missing", "coming", "stopped") and never_shown(hold, fact)
    how = "held" if kept_back else found.how
    return msgspec.structs.replace(found, how=how, hold=hold, hold_by=world.person_name(hold.by))


def _hold(world: World, share: Share, fact: Fact) -> Hold | None:
    """Return the hold in which a fact waited for review on a share."""
    kind, key = fact.asked.kind, fact.asked.key
    subject = f"{kind}-{key}" if kind in ("milestone", "risk") else "budget"
    found = [h for h in world.hold_record(share.id) if h.fact.subject == subject and h.waits_at(fact.at)]
    return found[0] if found else None


def never_shown(hold: Hold, fact: Fact) -> bool:
    """Tell whether a fact waited for as long as it was true, or still does."""
    replaced = fact.next is not None and hold.ended is not None and fact.next.at <= hold.ended
    return hold.ended is None or not hold.shown or replaced


def _seen(services: Services, world: World, found: ClientTold, screens: Screens) -> Viewers:
    if found.how != "told" or found.at is None:
        return Viewers([], None)
    share = found.share
    people = [p.id for p in world.people.values() if p.client == share.client and p.role == "viewer" and not p.disabled]
    span = found.n, found.beyond
    return viewers(services.logs.receipts, share.id, span, found.at, people, screens.get(share.id, ()))


def routes() -> list[BaseRoute]:
    """Return the route of the question."""
    return [door("/p/{project}/who", who, allow=STAFF)]
