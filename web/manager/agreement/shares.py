"""Share agreements by plain form: begin one, see how it stands, keep its receipts for so long, end it."""

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.agreement.share import DraftShare, RevokeShare, SetRetention, Share, ShareCommand
from domain.errors import Invalid, Refused
from domain.ids import ClientId, CommandId, ProjectId, ShareId
from domain.language import N_
from domain.language import gettext as _
from domain.people.clients import RegisterClient
from domain.plan.project import Project
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.manager.agreement import editor, terms_form
from web.manager.plan.share_lines import share_line
from web.people.client_standing import clients_of, reached, settled
from web.people.viewers import viewers_of
from web.process.services import Services
from web.staff.frame import share_of, shell
from web.write.permission import Actor

Typed = dict[str, list[str]]


def _actor(signed: Signed) -> Actor:
    return Actor(signed.person.id, signed.person.role, signed.person.client)


def _one(typed: Typed, name: str) -> str:
    return (typed.get(name) or [""])[0]


def _project(services: Services, request: Request) -> Project | None:
    return services.present.refresh().projects.get(ProjectId(request.path_params["project"]))


# a new agreement


async def new(request: Request, signed: Signed) -> Response:
    """`GET|POST /p/{project}/shares/new`: draft an agreement with a client."""
    services: Services = request.app.state.services
    project = await run_in_threadpool(_project, services, request)
    if project is None:
        return not_found()
    typed: Typed = {}
    problem: Refused = Invalid("")
    if request.method == "POST":
        typed = editor.plain(await request.form())
        try:
            share = await run_in_threadpool(_draft, services, signed, project, typed)
        except Refused as refused:
            problem = refused
        else:
            return RedirectResponse(f"/p/{project.id}/shares/{share}/edit?done=new", 303)
    world = services.present.world
    context = {
        "project": project,
        "given": {name: _one(typed, name) for name in ("client", "client_name", "time_zone", "start")},
        "problem": problem,
        "clients": [client for client in clients_of(world, signed.person) if client.ended_at is None],
        "templates": {key: (name, terms_form.summary(terms)) for key, (name, terms) in terms_form.TEMPLATES.items()},
        "command_id": _one(typed, "command_id") or new_id(24),
        "new_share": _one(typed, "new_share") or new_id(),
        **shell(services, signed),
    }
    status = status_of(problem) if problem.message else 200
    return services.pages.response(request, "pm/share_new.html", status, **context)


def _draft(services: Services, signed: Signed, project: Project, typed: Typed) -> ShareId:
    key, actor = _one(typed, "command_id"), _actor(signed)
    client = ClientId(_one(typed, "client"))
    if client != "new" and client not in {one.id for one in clients_of(services.present.world, signed.person)}:
        raise Invalid(_("Choose the client this agreement is with."), "client")
    if client == "new":
        client = ClientId(f"c{_one(typed, 'new_share')}")
        zone = _one(typed, "time_zone") or project.time_zone
        register = RegisterClient(client=client, name=_one(typed, "client_name"), time_zone=zone)
        if client not in services.present.world.clients:
            services.service.execute(actor, register, command_id=CommandId(f"{key}-client"))
    share = ShareId(_one(typed, "new_share"))
    _other, terms = terms_form.TEMPLATES.get(_one(typed, "start"), ("", terms_form.start()))
    command = DraftShare(share=share, project=project.id, client=client, terms=terms, ways=editor.FRESH)
    services.service.execute(actor, command, command_id=CommandId(key))
    return share


# one agreement


async def agreement(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/shares/{share}`: the terms in force, the draft, and who may watch."""
    services: Services = request.app.state.services
    project, share = await run_in_threadpool(_both, services, request)
    if project is None or share is None:
        return not_found()
    said = request.query_params.get("done", "")
    return await _agreement(services, request, signed, project, share, said=said)


def _both(services: Services, request: Request) -> tuple[Project | None, Share | None]:
    project = _project(services, request)
    return project, share_of(services, request.path_params["project"], request.path_params["share"])


SAID = {
    "retained": N_("Kept for so long from now on."),
    "in-force": N_("In force. The client’s dashboard follows at once."),
    "ended": N_("Ended. Every open dashboard of it was closed."),
    "erased": N_("Erased. What their pages claimed stays, under an id that leads to nobody."),
    "same": N_("Nothing changed, so nothing was recorded."),
}


async def _agreement(
    services: Services,
    request: Request,
    signed: Signed,
    project: Project,
    share: Share,
    *,
    said: str = "",
    problem: Refused | None = None,
    where: str = "",
    typed: Typed | None = None,
) -> Response:
    world = services.present.world
    line = await run_in_threadpool(share_line, services, world, share)
    context: dict[str, Any] = {
        "project": project,
        "share": share,
        "line": line,
        "client": world.client_name(share.client),
        "said": SAID.get(said, ""),
        "problem": problem,
        "where": where,
        "reason": _one(typed or {}, "reason"),
        "summary": terms_form.summary,
        "zone": project.time_zone,
        "people": world.people,
        "viewers": viewers_of(services, signed, share),
        "reached": await run_in_threadpool(reached, services, share),
        "settled": settled(services, share),
        "name": world.person_name,
        "mailed": services.mail_sender is not None,
        "version": world.versions.get(f"share-{share.id}", 0),
        "pending": editor.pending(share),
        "manner": terms_form.manner,
        **shell(services, signed),
    }
    return services.pages.response(request, "pm/share.html", status_of(problem) if problem else 200, **context)


async def revoke(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/revoke`: end the share; open dashboards close at once."""

    def command(share: Share, typed: Typed) -> ShareCommand:
        return RevokeShare(share=share.id, reason=_one(typed, "reason"))

    return await _send(request, signed, command, "ended", "revoke")


async def retain(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/retention`: how many days receipts are kept."""

    def command(share: Share, typed: Typed) -> ShareCommand:
        days = _one(typed, "days").strip()
        if not days.isdecimal() or len(days) > 6:
            raise Invalid(_("{days!r} is no number of days. Expected 30 to 3660.", days=days), "days")
        return SetRetention(share=share.id, days=int(days))

    return await _send(request, signed, command, "retained", "retention")


async def _send(
    request: Request, signed: Signed, command: Callable[[Share, Typed], ShareCommand], done: str, where: str
) -> Response:
    services: Services = request.app.state.services
    project, share = await run_in_threadpool(_both, services, request)
    if project is None or share is None:
        return not_found()
    typed = editor.plain(await request.form())
    try:
        recorded = await run_in_threadpool(_execute, services, signed, command(share, typed), typed)
    except Refused as refused:
        context = {"problem": refused, "where": where, "typed": typed}
        return await _agreement(services, request, signed, project, share, **context)  # type: ignore[arg-type]
    return RedirectResponse(f"/p/{project.id}/shares/{share.id}?done={done if recorded else 'same'}", 303)


def _execute(services: Services, signed: Signed, command: ShareCommand, typed: Typed) -> bool:
    return bool(editor.send(services, signed, command, typed).events)


def routes() -> list[BaseRoute]:
    """Return the routes of share agreements."""
    here = "/p/{project}/shares/{share}"
    return [
        door("/p/{project}/shares/new", new, allow=STAFF, methods=["GET", "POST"]),
        door(here, agreement, allow=STAFF),
        door(f"{here}/revoke", revoke, allow=STAFF, methods=["POST"]),
        door(f"{here}/retention", retain, allow=STAFF, methods=["POST"]),
    ]
