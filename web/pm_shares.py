"""Share agreements by plain form: draft, see as the client, put in force, end."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.access import RegisterClient
from domain.agreement import (
    ActivateTerms,
    DraftShare,
    DraftTerms,
    RevokeShare,
    SetRetention,
    Share,
    ShareCommand,
)
from domain.errors import Invalid, Refused
from domain.ids import ClientId, CommandId, ProjectId, ShareId
from domain.project import Project
from domain.terms import Terms
from web import pm_terms
from web.guard import STAFF, Signed, door, not_found
from web.ids import new_id
from web.pm_shown import share_line, share_of, shell
from web.pm_viewers import viewers_of
from web.problem import status_of
from web.service import Actor

if TYPE_CHECKING:
    from web.parts import Parts

Typed = dict[str, list[str]]


def _actor(signed: Signed) -> Actor:
    return Actor(signed.person.id, signed.person.role, signed.person.client)


def _one(typed: Typed, name: str) -> str:
    return (typed.get(name) or [""])[0]


async def _typed(request: Request) -> Typed:
    form = await request.form()
    return {key: [v for v in form.getlist(key) if isinstance(v, str)] for key in form}


def _project(parts: "Parts", request: Request) -> Project | None:
    return parts.present.refresh().projects.get(ProjectId(request.path_params["project"]))


# a new agreement


async def new(request: Request, signed: Signed) -> Response:
    """`GET|POST /p/{project}/shares/new`: draft an agreement with a client."""
    parts: Parts = request.app.state.parts
    project = await run_in_threadpool(_project, parts, request)
    if project is None:
        return not_found()
    typed: Typed = {}
    problem: Refused = Invalid("")
    status = 200
    terms = pm_terms.start()
    if request.method == "POST":
        typed = await _typed(request)
        try:
            terms = pm_terms.terms_of(typed)
            share = await run_in_threadpool(_draft, parts, signed, project, typed, terms)
        except Refused as refused:
            problem, status = refused, status_of(refused)
        else:
            return RedirectResponse(f"/p/{project.id}/shares/{share}", 303)
    world = parts.present.world
    context = {
        "project": project,
        "given": {name: _one(typed, name) for name in ("client", "client_name", "time_zone")},
        "problem": problem,
        "clients": sorted(world.clients.values(), key=lambda c: c.name),
        "command_id": _one(typed, "command_id") or new_id(24),
        "new_share": _one(typed, "new_share") or new_id(),
        **pm_terms.choices(project, terms),
        **shell(parts, signed),
    }
    return parts.pages.response(request, "pm/share_new.html", status, **context)


def _draft(parts: "Parts", signed: Signed, project: Project, typed: Typed, terms: Terms) -> ShareId:
    key, actor = _one(typed, "command_id"), _actor(signed)
    client = ClientId(_one(typed, "client"))
    if client == "new":
        client = ClientId(f"c{_one(typed, 'new_share')}")
        zone = _one(typed, "time_zone") or project.time_zone
        register = RegisterClient(client=client, name=_one(typed, "client_name"), time_zone=zone)
        if client not in parts.present.world.clients:
            parts.service.execute(actor, register, command_id=CommandId(f"{key}-client"))
    if not client:
        raise Invalid("Choose the client this agreement is with.", "client")
    share = ShareId(_one(typed, "new_share"))
    command = DraftShare(share=share, project=project.id, client=client, terms=terms)
    parts.service.execute(actor, command, command_id=CommandId(key))
    return share


# one agreement


async def agreement(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/shares/{share}`: the terms in force, the draft as a form, and who may watch."""
    parts: Parts = request.app.state.parts
    project, share = await run_in_threadpool(_both, parts, request)
    if project is None or share is None:
        return not_found()
    said = request.query_params.get("done", "")
    return await _agreement(parts, request, signed, project, share, said=said)


def _both(parts: "Parts", request: Request) -> tuple[Project | None, Share | None]:
    project = _project(parts, request)
    return project, share_of(parts, request.path_params["project"], request.path_params["share"])


SAID = {
    "saved": "Draft saved. Nothing changes for the client until it is put in force.",
    "retained": "Kept for so long from now on.",
    "in-force": "In force. The client’s dashboard follows at once.",
    "ended": "Ended. Every open dashboard of it was closed.",
    "erased": "Erased. What their pages claimed stays, under an id that leads to nobody.",
    "same": "Nothing changed, so nothing was recorded.",
}


async def _agreement(
    parts: "Parts",
    request: Request,
    signed: Signed,
    project: Project,
    share: Share,
    *,
    said: str = "",
    terms: Terms | None = None,
    problem: Refused | None = None,
    where: str = "",
    typed: Typed | None = None,
) -> Response:
    world = parts.present.world
    shown = terms or share.draft or (share.terms if share.versions else Terms())
    line = await run_in_threadpool(share_line, parts, world, share)
    context: dict[str, Any] = {
        "project": project,
        "share": share,
        "line": line,
        "client": world.client_name(share.client),
        "said": SAID.get(said, ""),
        "problem": problem,
        "where": where,
        "reason": _one(typed or {}, "reason"),
        "summary": pm_terms.summary,
        "zone": project.time_zone,
        "people": world.people,
        "viewers": viewers_of(parts, signed, share),
        "version": world.versions.get(f"share-{share.id}", 0),
        "pending": _difference(share),
        **pm_terms.choices(project, shown),
        **shell(parts, signed),
    }
    return parts.pages.response(request, "pm/share.html", status_of(problem) if problem else 200, **context)


def _difference(share: Share) -> bool:
    """Tell whether there is a draft that says something else than the terms in force."""
    return share.draft is not None and (not share.versions or share.draft != share.terms)


async def save(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}`: save the draft."""

    def command(share: Share, typed: Typed) -> ShareCommand:
        return DraftTerms(share=share.id, terms=pm_terms.terms_of(typed))

    return await _send(request, signed, command, "saved", "terms")


async def activate(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/activate`: put the draft in force."""

    def command(share: Share, typed: Typed) -> ShareCommand:
        return ActivateTerms(share=share.id, reason=_one(typed, "reason"))

    return await _send(request, signed, command, "in-force", "activate")


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
            raise Invalid(f"{days!r} is no number of days. Expected 30 to 3660.", "days")
        return SetRetention(share=share.id, days=int(days))

    return await _send(request, signed, command, "retained", "retention")


async def _send(
    request: Request, signed: Signed, command: Callable[[Share, Typed], ShareCommand], done: str, where: str
) -> Response:
    parts: Parts = request.app.state.parts
    project, share = await run_in_threadpool(_both, parts, request)
    if project is None or share is None:
        return not_found()
    typed = await _typed(request)
    try:
        recorded = await run_in_threadpool(_execute, parts, signed, command(share, typed), typed)
    except Refused as refused:
        terms = _kept(typed) if where == "terms" else None
        context = {"problem": refused, "where": where, "typed": typed, "terms": terms}
        return await _agreement(parts, request, signed, project, share, **context)  # type: ignore[arg-type]
    return RedirectResponse(f"/p/{project.id}/shares/{share.id}?done={done if recorded else 'same'}", 303)


def _kept(typed: Typed) -> Terms | None:
    try:
        return pm_terms.terms_of(typed)
    except Refused:
        return None


def _execute(parts: "Parts", signed: Signed, command: ShareCommand, typed: Typed) -> bool:
    expected = _one(typed, "expected")
    answer = parts.service.execute(
        _actor(signed),
        command,
        command_id=CommandId(_one(typed, "command_id")),
        expected=int(expected) if expected.isdecimal() else None,
    )
    return bool(answer.events)


def routes() -> list[BaseRoute]:
    """Return the routes of share agreements."""
    here = "/p/{project}/shares/{share}"
    return [
        door("/p/{project}/shares/new", new, allow=STAFF, methods=["GET", "POST"]),
        door(here, agreement, allow=STAFF),
        door(here, save, allow=STAFF, methods=["POST"]),
        door(f"{here}/activate", activate, allow=STAFF, methods=["POST"]),
        door(f"{here}/revoke", revoke, allow=STAFF, methods=["POST"]),
        door(f"{here}/retention", retain, allow=STAFF, methods=["POST"]),
    ]
