"""The form that releases held changes to clients, with a note or without.

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
from web.manager.plan.workspace import workspace
from web.process.services import Services
from web.staff.acting import actor_of

GONE = N_("None of this waits any more as it was shown: it went out, or changed again. What waits now is listed here.")


async def release(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/release`: release what the form names, `item` by `item`, with a note or without."""
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
    return RedirectResponse(f"/p/{key}?released={kept.command_id}", 303)


def let_go(services: Services, signed: Signed, project: str, asked: Kept) -> None:
    """Release the items of a form, one command for each share.

    Raises: Refused when none of them was.
    """
    by_share: dict[ShareId, list[tuple[str, str]]] = {}
    for item in asked.items:
        share, subject, since = (item.split("|") + ["", ""])[:3]
        by_share.setdefault(ShareId(share), []).append((subject, since))
    done = 0
    for share, wanted in by_share.items():
        known = services.present.world.shares.get(share)
        if known is None or known.project != project:
            continue
        try:
            done += _release(services, signed, share, wanted, asked)
        except Conflict:
            continue
    if not done:
        raise Conflict(GONE)


def _release(services: Services, signed: Signed, share: ShareId, wanted: Sequence[tuple[str, str]], asked: Kept) -> int:
    """Release what still waits as it was shown, and return how many commands that took: 1 or 0."""
    key = CommandId(f"{asked.command_id}-{share}")
    repeated = bool(asked.command_id) and services.service.carried_out(signed.person.id, key)
    world = services.present.world
    project = world.projects[world.shares[share].project]
    waits = {(subject, as_shown(held, project)) for subject, held in world.held(share).held.items()}
    subjects = tuple(subject for subject, since in wanted if repeated or (subject, since) in waits)
    if not subjects:
        return 0
    command = ReleaseHeld(share=share, by=signed.person.id, subjects=subjects, note=asked.note)
    services.service.execute(actor_of(signed), command, command_id=key)
    return 1


async def _refused(request: Request, signed: Signed, key: str, kept: Kept, status: int) -> Response:
    services: Services = request.app.state.services
    page = await run_in_threadpool(workspace, services, signed, key)
    if page is None:
        return not_found()
    offered = [[goes.item for goes in form] for form in (*(item.goes for item in page.waiting), *page.all_of)]
    kept = msgspec.structs.replace(kept, homeless=list(kept.items) not in offered)
    return services.pages.answer(request, msgspec.structs.replace(page, kept=kept), status)


def released(services: Services, signed: Signed, project: str, key: str) -> str:
    """Return whom a form of this person released something to, in words; "" where there was no such form."""
    world, done = services.present.world, services.service.carried_out
    shares = world.shares_of_project(ProjectId(project)) if 0 < len(key) <= 64 else []
    clients = [world.client_name(s.client) for s in shares if done(signed.person.id, f"{key}-{s.id}")]
    if not clients:
        return ""
    last = clients[-1]
    listed = _("{told} and {last}", told=", ".join(clients[:-1]), last=last) if len(clients) > 1 else last
    return _("Released. It is on its way to {listed}.", listed=listed)


def routes() -> list[BaseRoute]:
    """Return the route of a release."""
    return [door("/p/{project}/release", release, allow=STAFF, methods=["POST"])]
