"""Pages of one share agreement: begin it, see how it stands, say how long receipts are kept, end it."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.agreement.share import DraftShare, RevokeShare, SetLanguage, SetRetention, Share, ShareCommand
from domain.agreement.terms import Terms, Ways
from domain.errors import Invalid, Refused
from domain.ids import ClientId, CommandId, ProjectId, ShareId
from domain.language import ENGLISH, N_, Said, offered
from domain.language import gettext as _
from domain.people.clients import Client, RegisterClient
from domain.plan.project import Project
from projections.events.world import names
from projections.receipts.visits import Reached
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.forms.fields import whole
from web.ids import new_id
from web.manager.agreement import activate, editor, terms_form
from web.manager.plan.share_lines import ShareLine, share_line
from web.manager.typed import Typed, first, typed_in
from web.people.client_standing import clients_of, reached, settled
from web.people.viewers import ViewerLine, viewers_of
from web.process.services import Services
from web.staff.acting import actor_of
from web.staff.frame import StaffPage, share_of, shell

SAID = Said(
    {
        "language": N_("Recorded. The client’s page and emails are in it from now on."),
        "retained": N_("Saved. They are kept for that long from now on."),
        "in-force": N_("In force. The client’s dashboard follows at once."),
        "ended": N_("Ended. Every open dashboard of it was closed."),
        "erased": N_("Erased. What their browsers reported stays, under an id that leads to nobody."),
        "erased-not-told": N_(
            "Erased. A process of the server did not confirm that it dropped what it had in memory: ask the operator to"
            " end it."
        ),
        "erased-not-asked": N_(
            "Erased. Whether the processes of the server dropped what they had in memory could not be asked: ask the "
            "operator to restart them."
        ),
        "erased-later": N_(
            "Erased. Updates that name them could not be erased yet; it is tried again. The server’s log says why."
        ),
        "same": N_("Nothing changed, so nothing was recorded."),
    }
)


class NewSharePage(StaffPage, frozen=True, kw_only=True):
    """The form that begins an agreement with a client."""

    template = "pm/share_new.html"
    project: Project
    given: Mapping[str, str]  # client, client_name, time_zone, language, start
    languages: Mapping[str, str]  # that may be chosen, by code
    problem: Refused  # without a message where nothing is wrong
    clients: Sequence[Client]
    templates: Mapping[str, tuple[str, str]]  # name of terms to start from, and a line that explains them
    command_id: str
    new_share: str  # its id


class SharePage(StaffPage, frozen=True, kw_only=True):
    """One agreement: its terms, its draft, its viewers and its receipts."""

    template = "pm/share.html"
    project: Project
    share: Share
    line: ShareLine
    client: str
    said: str
    problem: Refused | None
    where: str  # the form the problem belongs to
    reason: str  # as typed
    named: str  # the client, as typed to end the share
    summary: Callable[[Terms], str]
    manner: Callable[[Ways, str], str]
    zone: str  # the project's, IANA
    client_zone: str  # of last days, IANA
    viewers: Sequence[ViewerLine]
    reached: Mapping[str, Reached]  # by person
    settled: bool  # every page of a share that ended has closed
    name: Callable[[str], str]  # what a person is called, by id
    mailed: bool  # whether links go by mail
    languages: Mapping[str, str]  # that may be chosen, by code
    version: int
    pending: bool  # a draft says something else than what is in force


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What was done on the page of an agreement, or which of its forms was refused and what was typed there."""

    said: str = ""  # a key of SAID
    problem: Refused | None = None
    where: str = ""  # the form
    typed: Typed = {}


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
        typed = typed_in(await request.form())
        try:
            share = await run_in_threadpool(_draft, services, signed, project, typed)
        except Refused as refused:
            problem = refused
        else:
            return RedirectResponse(f"/p/{project.id}/shares/{share}/edit?done=new", 303)
    world = services.present.world
    shown = NewSharePage(
        project=project,
        given={name: first(typed, name) for name in ("client", "client_name", "time_zone", "language", "start")},
        problem=problem,
        languages=offered(),
        clients=[client for client in clients_of(world, signed.person) if client.ended_at is None],
        templates={"": (_("Dates alone"), terms_form.ABOUT[""])}
        | {key: (name, terms_form.ABOUT[key]) for key, (name, _terms) in terms_form.TEMPLATES.items()},
        command_id=first(typed, "command_id") or new_id(24),
        new_share=first(typed, "new_share") or new_id(),
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, status_of(problem) if problem.message else 200)


def _draft(services: Services, signed: Signed, project: Project, typed: Typed) -> ShareId:
    """Draft the agreement of a form, registering the client first where it is new.

    Raises: Refused.
    """
    key = first(typed, "command_id")
    client = _client(services, signed, project, typed)
    share = ShareId(first(typed, "new_share"))
    _other, terms = terms_form.TEMPLATES.get(first(typed, "start"), ("", terms_form.start()))
    speaks = first(typed, "language") or ENGLISH
    command = DraftShare(
        share=share, project=project.id, client=client, terms=terms, ways=editor.FRESH, language=speaks
    )
    services.service.execute(actor_of(signed), command, command_id=CommandId(key))
    return share


def _client(services: Services, signed: Signed, project: Project, typed: Typed) -> ClientId:
    """Return the client that was chosen, or registered now because it was named.

    Raises: Refused.
    """
    known = {client.id: client.name for client in clients_of(services.present.world, signed.person)}
    chosen, named = ClientId(first(typed, "client")), " ".join(first(typed, "client_name").split())
    if chosen and named:
        raise Invalid(_("Choose a client or name a new one, not both. Empty one of the two."), "client")
    if chosen in known:
        return chosen
    if not named:
        raise Invalid(
            _("Choose the client this agreement is with, or name a new one.")
            if known
            else _("Name the client this agreement is with."),
            "client" if known else "name",
        )
    same = [name for key, name in known.items() if name.casefold() == named.casefold() and key != _new(typed)]
    if same:
        raise Invalid(_("{name} is a client already. Choose it in the list.", name=same[0]), "name")
    return _register(services, signed, project, typed)


def _new(typed: Typed) -> ClientId:
    """Return the id of the client that a form registers."""
    return ClientId(f"c{first(typed, 'new_share')}")


def _register(services: Services, signed: Signed, project: Project, typed: Typed) -> ClientId:
    client = _new(typed)
    zone = first(typed, "time_zone") or project.time_zone
    command = RegisterClient(client=client, name=first(typed, "client_name"), time_zone=zone)
    if client not in services.present.world.clients:
        key = CommandId(f"{first(typed, 'command_id')}-client")
        services.service.execute(actor_of(signed), command, command_id=key)
    return client


# one agreement


async def agreement(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/shares/{share}`: the terms in force, the draft, and who may watch."""
    services: Services = request.app.state.services
    project, share = await run_in_threadpool(_both, services, request)
    if project is None or share is None:
        return not_found()
    return await _agreement(request, signed, project, share, Attempt(said=request.query_params.get("done", "")))


def _both(services: Services, request: Request) -> tuple[Project | None, Share | None]:
    project = _project(services, request)
    return project, share_of(services, request.path_params["project"], request.path_params["share"])


async def _agreement(request: Request, signed: Signed, project: Project, share: Share, attempt: Attempt) -> Response:
    services: Services = request.app.state.services
    world, problem = services.present.world, attempt.problem
    shown = SharePage(
        project=project,
        share=share,
        line=await run_in_threadpool(share_line, services, world, share),
        client=world.client_name(share.client),
        said=SAID.get(attempt.said, ""),
        problem=problem,
        where=attempt.where,
        reason=first(attempt.typed, "reason"),
        named=first(attempt.typed, "name"),
        summary=terms_form.summary,
        manner=terms_form.manner,
        zone=project.time_zone,
        client_zone=names(world, share).time_zone,
        viewers=viewers_of(services, signed, share),
        reached=await run_in_threadpool(reached, services, share),
        settled=settled(services, share),
        name=world.names_for(share.client),
        mailed=services.mail_sender is not None,
        languages=offered(),
        version=world.versions.get(f"share-{share.id}", 0),
        pending=editor.pending(share),
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


async def revoke(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/revoke`: end the share; open dashboards close at once."""
    services: Services = request.app.state.services

    def command(share: Share, typed: Typed) -> ShareCommand:
        activate.check_name(services.present.world.client_name(share.client), first(typed, "name"))
        return RevokeShare(share=share.id, reason=first(typed, "reason"))

    return await _send(request, signed, command, "ended", "revoke")


async def speak(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/language`: in which language its page and emails are."""

    def command(share: Share, typed: Typed) -> ShareCommand:
        return SetLanguage(share=share.id, language=first(typed, "language"))

    return await _send(request, signed, command, "language", "language")


async def retain(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/retention`: how many days receipts are kept."""

    def command(share: Share, typed: Typed) -> ShareCommand:
        try:
            return SetRetention(share=share.id, days=whole(first(typed, "days")))
        except ValueError as error:
            raise Invalid(_("Days: {error}", error=error), "days") from None

    return await _send(request, signed, command, "retained", "retention")


async def _send(
    request: Request, signed: Signed, command: Callable[[Share, Typed], ShareCommand], done: str, where: str
) -> Response:
    services: Services = request.app.state.services
    project, share = await run_in_threadpool(_both, services, request)
    if project is None or share is None:
        return not_found()
    typed = typed_in(await request.form())
    try:
        recorded = await run_in_threadpool(_execute, services, signed, command(share, typed), typed)
    except Refused as refused:
        return await _agreement(request, signed, project, share, Attempt(problem=refused, where=where, typed=typed))
    back = "/edit" if first(typed, "back") == "edit" else ""
    return RedirectResponse(f"/p/{project.id}/shares/{share.id}{back}?done={done if recorded else 'same'}", 303)


def _execute(services: Services, signed: Signed, command: ShareCommand, typed: Typed) -> bool:
    return bool(editor.send(services, signed, command, typed).events)


def routes() -> list[BaseRoute]:
    """Return the routes of share agreements."""
    here = "/p/{project}/shares/{share}"
    return [
        door("/p/{project}/shares/new", new, allow=STAFF, methods=["GET", "POST"]),
        door(here, agreement, allow=STAFF),
        door(f"{here}/revoke", revoke, allow=STAFF, methods=["POST"]),
        door(f"{here}/language", speak, allow=STAFF, methods=["POST"]),
        door(f"{here}/retention", retain, allow=STAFF, methods=["POST"]),
    ]
