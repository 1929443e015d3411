"""What waits for release on the shares of a project, and letting it go: with a note for the client, or as it is.

Rule: what is released is what was on the page; what waits anew since stays. A refusal keeps what was typed.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.agreement import ReleaseHeld
from domain.errors import Conflict, Refused
from domain.headline import count
from domain.holding import Held
from domain.ids import CommandId, ProjectId, ShareId
from domain.project import Project
from projections.world import World
from web import pm_held
from web.guard import STAFF, Signed, door, not_found
from web.ids import new_id
from web.pm_who_say import Clock
from web.problem import status_of
from web.service import Actor

if TYPE_CHECKING:
    from web.parts import Parts

GONE = "None of this waits any more as it was shown: it went out, or changed again. What waits now is listed here."


class Goes(msgspec.Struct, frozen=True, kw_only=True):
    """To whom one item goes."""

    share: ShareId
    client: str
    until: datetime
    within: str  # "in 52 min"
    item: str  # names it in the form


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """One item that waits, for one client or several."""

    key: str  # this hold of this item and no later one
    what: str
    rule: str
    since: str
    by: str
    goes: tuple[Goes, ...]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A form that was refused: what was wrong, and what was typed."""

    problem: str = ""
    items: tuple[str, ...] = ()
    note: str = ""
    command_id: str = ""
    homeless: bool = False  # nothing on the page waits that it was for


def waiting(parts: "Parts", world: World, project: Project) -> dict[str, Any]:
    """Return what waits on a project: by item, and by share where several wait there."""
    now = parts.now()
    clock = Clock(project.time_zone, project.civil(now))
    found: dict[tuple[str, str], Waits] = {}
    by_share: dict[ShareId, list[Goes]] = {}
    for share in world.shares_of_project(project.id):
        holds = world.held(share.id).held
        for held in sorted(holds.values(), key=lambda one: (one.fact.since, one.fact.subject)):
            fact, said = held.fact, pm_held.what(held, project)
            one = Goes(
                share=share.id,
                client=world.client_name(share.client),
                until=fact.until,
                within=pm_held.in_time(fact.until, now),
                item=f"{share.id}|{fact.subject}|{_as_shown(held, project)}",
            )
            by_share.setdefault(share.id, []).append(one)
            line = found.get((fact.subject, said)) or Waits(
                key=f"{fact.subject}-{fact.since.timestamp():.0f}",
                what=said,
                rule=pm_held.rule(fact.why, share.ways.release),
                since=clock.moment(fact.since),
                by=world.person_name(fact.changed_by),
                goes=(),
            )
            found[fact.subject, said] = msgspec.structs.replace(line, goes=(*line.goes, one))
    return {
        "waiting": list(found.values()),
        "held_said": sentence(len(found)),
        "all_of": [goes for goes in by_share.values() if len(goes) > 1],
        "kept": Kept(),
    }


def sentence(many: int) -> str:
    """Return "Two are waiting for your release.", "" when none is."""
    told = count(many, "is", "are") + " waiting for your release."
    return told[:1].upper() + told[1:] if many else ""


async def release(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/release`: let go what the form names, `item` by `item`, with a note or without."""
    parts: Parts = request.app.state.parts
    key = request.path_params["project"]
    if key not in (await run_in_threadpool(parts.present.refresh)).projects:
        return not_found()
    form = await request.form()
    items = tuple(str(v) for v in form.getlist("item"))
    kept = Kept(items=items, note=str(form.get("note", "")), command_id=str(form.get("command_id", "")))
    try:
        await run_in_threadpool(let_go, parts, signed, key, kept)
    except Refused as refused:
        kept = msgspec.structs.replace(kept, problem=refused.message, command_id=new_id(24))
        return await _refused(request, signed, key, kept, status_of(refused))
    return RedirectResponse(f"/p/{key}?released={kept.command_id}#waiting", 303)


def _as_shown(held: Held, project: Project) -> str:
    """What names a hold as it is on the page now: once more has joined it, the name is another."""
    told = f"{held.fact.since.isoformat()} {pm_held.what(held, project)}"
    return hashlib.sha256(told.encode()).hexdigest()[:24]


def let_go(parts: "Parts", signed: Signed, project: str, asked: Kept) -> None:
    """Release the items of a form, one command for each share.

    Raises: Refused when none of them was.
    """
    by_share: dict[ShareId, list[tuple[str, str]]] = {}
    for item in asked.items:
        share, subject, since = (item.split("|") + ["", ""])[:3]
        by_share.setdefault(ShareId(share), []).append((subject, since))
    done, refused = 0, Conflict(GONE)
    for share, wanted in by_share.items():
        found = parts.present.world.shares.get(share)
        if found is None or found.project != project:
            continue
        try:
            done += _one(parts, signed, share, wanted, asked)
        except Conflict:
            continue
    if not done:
        raise refused


def _one(parts: "Parts", signed: Signed, share: ShareId, wanted: Sequence[tuple[str, str]], asked: Kept) -> int:
    key, person = CommandId(f"{asked.command_id}-{share}"), signed.person
    known = bool(asked.command_id) and bool(parts.folder.events.stream(f"command-{key}"))
    world = parts.present.world
    project = world.projects[world.shares[share].project]
    waits = {(subject, _as_shown(held, project)) for subject, held in world.held(share).held.items()}
    subjects = tuple(subject for subject, since in wanted if known or (subject, since) in waits)
    if not subjects:
        return 0
    command = ReleaseHeld(share=share, by=person.id, subjects=subjects, note=asked.note)
    parts.service.execute(Actor(person.id, person.role, person.client), command, command_id=key)
    return 1


async def _refused(request: Request, signed: Signed, key: str, kept: Kept, status: int) -> Response:
    from web.pm_shown import workspace

    parts: Parts = request.app.state.parts
    found = await run_in_threadpool(workspace, parts, signed, key)
    if found is None:
        return not_found()
    offered = [[goes.item for goes in one] for one in (*(w.goes for w in found["waiting"]), *found["all_of"])]
    kept = msgspec.structs.replace(kept, homeless=list(kept.items) not in offered)
    return parts.pages.response(request, "pm/project.html", status, said="", **{**found, "kept": kept})


def released(parts: "Parts", project: str, key: str) -> str:
    """Return whom a form released something to, in words; "" where there was no such form."""
    world = parts.present.world
    shares = world.shares_of_project(ProjectId(project)) if 0 < len(key) <= 64 else []
    told = [world.client_name(s.client) for s in shares if parts.folder.events.stream(f"command-{key}-{s.id}")]
    if not told:
        return ""
    listed = f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else told[0]
    return f"Released. It is on its way to {listed}."


def routes() -> list[BaseRoute]:
    """Return the route that lets go."""
    return [door("/p/{project}/release", release, allow=STAFF, methods=["POST"])]
