"""What waits for release on the shares of a project, and letting it go: with a note for the client, or as it is.

Rule: what is released is what was on the page; what waits anew since stays. A refusal keeps what was typed.
"""

from collections.abc import Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.agreement.share import ReleaseHeld
from domain.errors import Conflict, Refused
from domain.ids import CommandId, ProjectId, ShareId
from domain.language import N_
from domain.language import gettext as _
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.manager.plan.waiting import Kept, as_shown
from web.process.services import Services
from web.write.permission import Actor

GONE = N_("None of this waits any more as it was shown: it went out, or changed again. What waits now is listed here.")


async def release(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/release`: let go what the form names, `item` by `item`, with a note or without."""
    services: Services = request.app.state.services
    key = request.path_params["project"]
    if key not in (await run_in_threadpool(services.present.refresh)).projects:
        return not_found()
    form = await request.form()
    items = tuple(str(v) for v in form.getlist("item"))
    kept = Kept(items=items, note=str(form.get("note", "")), command_id=str(form.get("command_id", "")))
    try:
        await run_in_threadpool(let_go, services, signed, key, kept)
    except Refused as refused:
        kept = msgspec.structs.replace(kept, problem=refused.message, command_id=new_id(24))
        return await _refused(request, signed, key, kept, status_of(refused))
    return RedirectResponse(f"/p/{key}?released={kept.command_id}#waiting", 303)


def let_go(services: Services, signed: Signed, project: str, asked: Kept) -> None:
    """Release the items of a form, one command for each share.

    Raises: Refused when none of them was.
    """
    by_share: dict[ShareId, list[tuple[str, str]]] = {}
    for item in asked.items:
        share, subject, since = (item.split("|") + ["", ""])[:3]
        by_share.setdefault(ShareId(share), []).append((subject, since))
    done, refused = 0, Conflict(GONE)
    for share, wanted in by_share.items():
        found = services.present.world.shares.get(share)
        if found is None or found.project != project:
            continue
        try:
            done += _one(services, signed, share, wanted, asked)
        except Conflict:
            continue
    if not done:
        raise refused


def _one(services: Services, signed: Signed, share: ShareId, wanted: Sequence[tuple[str, str]], asked: Kept) -> int:
    key, person = CommandId(f"{asked.command_id}-{share}"), signed.person
    known = bool(asked.command_id) and bool(services.logs.events.stream(f"command-{key}"))
    world = services.present.world
    project = world.projects[world.shares[share].project]
    waits = {(subject, as_shown(held, project)) for subject, held in world.held(share).held.items()}
    subjects = tuple(subject for subject, since in wanted if known or (subject, since) in waits)
    if not subjects:
        return 0
    command = ReleaseHeld(share=share, by=person.id, subjects=subjects, note=asked.note)
    services.service.execute(Actor(person.id, person.role, person.client), command, command_id=key)
    return 1


async def _refused(request: Request, signed: Signed, key: str, kept: Kept, status: int) -> Response:
    from web.manager.plan.workspace import workspace

    services: Services = request.app.state.services
    found = await run_in_threadpool(workspace, services, signed, key)
    if found is None:
        return not_found()
    offered = [[goes.item for goes in one] for one in (*(w.goes for w in found["waiting"]), *found["all_of"])]
    kept = msgspec.structs.replace(kept, homeless=list(kept.items) not in offered)
    return services.pages.response(request, "pm/project.html", status, said="", **{**found, "kept": kept})


def released(services: Services, project: str, key: str) -> str:
    """Return whom a form released something to, in words; "" where there was no such form."""
    world = services.present.world
    shares = world.shares_of_project(ProjectId(project)) if 0 < len(key) <= 64 else []
    told = [world.client_name(s.client) for s in shares if services.logs.events.stream(f"command-{key}-{s.id}")]
    if not told:
        return ""
    listed = _("{told} and {last}", told=", ".join(told[:-1]), last=told[-1]) if len(told) > 1 else told[0]
    return _("Released. It is on its way to {listed}.", listed=listed)


def routes() -> list[BaseRoute]:
    """Return the route that lets go."""
    return [door("/p/{project}/release", release, allow=STAFF, methods=["POST"])]
