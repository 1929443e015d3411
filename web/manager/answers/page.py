"""The page of what clients of a project said, beside what they were looking at, with forms to answer and comment.

Rule: everything but the internal notes is said on a share and seen by its client; the page says so at each form.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.agreement.answers import AnswerConcern, MakeComment
from domain.agreement.share import Share
from domain.errors import Conflict, Refused
from domain.ids import CommandId, ProjectId, ShareId
from domain.language import N_
from domain.language import gettext as _
from domain.plan.project import Project
from projections.events.world import World
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.manager.answers.allowed import may
from web.manager.answers.listed import Answers, answers, token
from web.manager.answers.on_their_screen import look
from web.process.services import Services
from web.record.audience import view_with_nothing_held
from web.staff.acting import actor_of
from web.staff.for_you import opened
from web.staff.frame import FRAMING, StaffPage, share_of, shell
from web.write.viewer_answers import said_key

RECORDED = N_("Recorded. The client’s page shows it with the next update.")
NOTES = 12  # internal notes listed


class Typed(msgspec.Struct, frozen=True):
    """What was typed into one form, and what is wrong with it."""

    form: str  # id of the concern or share
    text: str = ""
    subject: str = ""
    problem: str = ""


class Topic(msgspec.Struct, frozen=True):
    """Something that a comment can be made on."""

    subject: str
    title: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One share on which something can be said."""

    share: Share
    client: str
    topics: tuple[Topic, ...]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One internal note of a risk."""

    title: str
    at: datetime
    text: str


class AnswersListPage(StaffPage, frozen=True, kw_only=True):
    """What was said about a project, as the page asks for it again every few seconds."""

    template = "pm/answers_list.html"
    project: Project
    a: Answers
    called: Callable[[str], str]  # what a person is called, by id
    typed: Typed | None


class AnswersPage(AnswersListPage, frozen=True, kw_only=True):
    """What was said about a project, forms to comment, and internal notes."""

    template = "pm/answers.html"
    places: Sequence[Place]
    notes: Sequence[Note]
    stray: Typed | None  # what was typed into a form that is not on the page any more
    said: str


async def page(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/answers`: concerns first, then scores, comments, acknowledgements and internal notes."""
    return await _page(request, signed)


async def _page(request: Request, signed: Signed, typed: Typed | None = None, status: int = 200) -> Response:
    services: Services = request.app.state.services
    world = await run_in_threadpool(services.present.refresh)
    project = world.projects.get(ProjectId(request.path_params["project"]))
    if project is None:
        return not_found()
    until = services.present.latest
    said = _(RECORDED) if "said" in request.query_params else ""
    shown = await run_in_threadpool(_shown, services, signed, project, typed, said)
    if request.method == "GET":
        await run_in_threadpool(opened, services, signed, f"project-{project.id}", until)
    response = services.pages.answer(request, shown, status)
    response.headers["content-security-policy"] = FRAMING
    return response


def _shown(services: Services, signed: Signed, project: Project, typed: Typed | None, said: str) -> AnswersPage:
    world = services.present.world
    shares = [share for share in world.shares_of_project(project.id) if share.active]
    every = answers(services, signed, world, project)
    places = [_place(world, project, share) for share in shares if may(world, signed, share).comment]
    forms = {line.c.id for line in every.concerns if line.may.answer} | {place.share.id for place in places}
    return AnswersPage(
        project=project,
        a=every,
        called=world.person_name,
        typed=typed,
        places=places,
        notes=_notes(project),
        stray=typed if typed is not None and typed.form not in forms else None,
        said=said,
        **shell(services, signed),
    )


def _place(world: World, project: Project, share: Share) -> Place:
    view, terms = view_with_nothing_held(world, project, share), share.terms
    rows = view.milestones if "comments" in terms.milestone_fields else ()
    cards = view.risks if "comments" in terms.risk_fields else ()
    topics = [Topic(f"milestone-{row.id}", row.title) for row in rows]
    topics += [Topic(f"risk-{card.id}", f"{card.ref} {card.title}") for card in cards]
    return Place(share=share, client=world.client_name(share.client), topics=tuple(topics))


def _notes(project: Project) -> list[Note]:
    every = [
        Note(title=f"{r.details.ref} {r.details.title}", at=note.at, text=note.note)
        for r in project.risks.risks.values()
        for note in r.notes
    ]
    return sorted(every, key=lambda note: note.at, reverse=True)[:NOTES]


async def newer(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/answers/list?seen=`: what was said, or 204 when nothing is new."""
    services: Services = request.app.state.services
    world = await run_in_threadpool(services.present.refresh)
    project = world.projects.get(ProjectId(request.path_params["project"]))
    if project is None:
        return not_found()
    if request.query_params.get("seen") == await run_in_threadpool(token, services, world, project):
        return Response(status_code=204, headers={"cache-control": "no-store"})
    every = await run_in_threadpool(answers, services, signed, world, project)
    shown = AnswersListPage(project=project, a=every, called=world.person_name, typed=None, **shell(services, signed))
    return services.pages.answer(request, shown)


async def answer(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/concerns/{concern}`: reply to a concern, and close it or not."""
    form = await request.form()
    concern = request.path_params["concern"]
    typed = Typed(form=concern, text=str(form.get("text", "")))
    share = ShareId(request.path_params["share"])
    closes = form.get("settled") == "yes"
    command = AnswerConcern(share=share, concern=concern, text=typed.text, by=signed.person.id, settled=closes)
    return await _send(request, signed, command, typed, f"said=yes#concern-{concern}")


async def comment(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/comments`: comment on a milestone or risk, for that client to see."""
    form = await request.form()
    share = ShareId(request.path_params["share"])
    typed = Typed(form=share, text=str(form.get("text", "")), subject=str(form.get("subject", "")))
    log, command_id = request.app.state.services.logs.events, str(form.get("command_id", ""))
    key = await run_in_threadpool(said_key, log, signed.person.id, command_id)
    command = MakeComment(
        share=share, comment=key, subject=typed.subject, text=typed.text, by=signed.person.id, side="ours"
    )
    return await _send(request, signed, command, typed, "said=yes#comments")


async def _send(
    request: Request, signed: Signed, command: AnswerConcern | MakeComment, typed: Typed, to: str
) -> Response:
    services: Services = request.app.state.services
    project = request.path_params["project"]
    share = await run_in_threadpool(share_of, services, project, command.share)
    if share is None:
        return not_found()
    key = str((await request.form()).get("command_id", ""))
    try:
        await run_in_threadpool(_carry_out, services, signed, share, command, key)
    except Refused as refused:
        again = msgspec.structs.replace(typed, problem=refused.message)
        return await _page(request, signed, again, status_of(refused))
    return RedirectResponse(f"/p/{project}/answers?{to}", 303)


def _carry_out(
    services: Services, signed: Signed, share: Share, command: AnswerConcern | MakeComment, key: str
) -> None:
    if isinstance(command, MakeComment) and not services.service.carried_out(signed.person.id, key):
        world = services.present.world
        topics = _place(world, world.projects[share.project], share).topics if share.active else ()
        if command.subject not in {topic.subject for topic in topics}:
            why = _("This client’s agreement does not cover comments on this, so it would not be shown")
            raise Conflict(_("{told}. Choose something else, or widen the agreement first.", told=why))
    services.service.execute(actor_of(signed), command, command_id=CommandId(key))


def routes() -> list[BaseRoute]:
    """Return the routes of the clients' answers."""
    here = "/p/{project}/shares/{share}"
    return [
        door("/p/{project}/answers", page, allow=STAFF, name="answers"),
        door("/p/{project}/answers/list", newer, allow=STAFF, kind="polled"),
        door(f"{here}/concerns/{{concern}}", answer, allow=STAFF, methods=["POST"]),
        door(f"{here}/comments", comment, allow=STAFF, methods=["POST"]),
        door(f"{here}/{{n}}/look", look, allow=STAFF),
    ]
