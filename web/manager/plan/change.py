"""Changing a project by form: `GET` shows the form of a command, `POST` sends it. Works with and without scripts.

With scripts the form opens where the line is and the page changes in place; a refusal comes back at its field with
all that was typed. A form carries a fingerprint of what it changes, so nobody overwrites what they did not see.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.commands import AnyCommand
from domain.errors import Refused, Stale
from domain.events import CommandCarriedOut
from domain.ids import CommandId, MilestoneId, ProjectId, RiskId, ShareId
from domain.language import gettext as _
from domain.plan.project import Project
from projections.events.world import World
from projections.wording.instants import Clock
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.forms.fields import Typed, Unfit
from web.forms.form import Form, command_of, filled, told
from web.ids import new_id
from web.manager.forms.asked import Ask
from web.manager.forms.catalogue import form_for
from web.manager.plan.workspace import workspace
from web.process.services import Services
from web.record.audience import Effect, effects
from web.record.events_said import say
from web.staff.frame import shell
from web.write.permission import Actor

TRIES = 4


class Done(msgspec.Struct, frozen=True):
    """What came of a form: a sentence once recorded, else the form with what is wrong."""

    said: str
    form: Form | None = None
    status: int = 200


async def change(request: Request, signed: Signed) -> Response:
    """`GET|POST /p/{project}/do/{command}`: the form of a command, and sending it."""
    services: Services = request.app.state.services
    tag = request.path_params["command"]
    typed: dict[str, Sequence[str]] = {}
    if request.method == "POST":
        form = await request.form()
        typed = {key: [v for v in form.getlist(key) if isinstance(v, str)] for key in form}
    ask = await run_in_threadpool(_ask, services, request, typed)
    if ask is None:
        return not_found()
    try:
        blank = form_for(tag, ask)
    except Refused as refused:
        return await _nothing(services, request, signed, refused)
    if request.method != "POST":
        return _show(services, request, signed, ask.project, blank, {})
    done = await run_in_threadpool(_send, services, signed, ask, blank, typed)
    if done.form is not None:
        return _show(services, request, signed, ask.project, done.form, typed, done.status)
    return await _after(services, request, signed, ask.project, done.said, blank.slot, _first(typed, "command_id"))


def _ask(services: Services, request: Request, typed: Typed) -> Ask | None:
    world = services.present.refresh()
    project = world.projects.get(ProjectId(request.path_params["project"]))
    if project is None:
        return None
    key = _first(typed, "new") or new_id()
    return Ask(project=project, directory=world, now=services.now(), params=dict(request.query_params), new_id=key)


def _first(typed: Typed, name: str) -> str:
    given = typed.get(name, ())
    return given[0] if given else ""


def _send(services: Services, signed: Signed, ask: Ask, blank: Form, typed: Typed) -> Done:
    """Send the command once; decide again when something else of the project changed in between."""
    for _other in range(TRIES):
        form = filled(blank, typed)
        try:
            return _once(services, signed, ask, form, typed)
        except Unfit as unfit:
            return Done("", told(form, unfit), 422)
        except Stale:
            ask = msgspec.structs.replace(ask, project=services.present.refresh().projects[ask.project.id])
            blank = form_for(blank.tag, ask)
            if blank.seen != _first(typed, "seen"):
                break
        except Refused as refused:
            return Done("", told(form, refused), status_of(refused))
    stale = Stale(
        _("Somebody changed this since you opened the form. {now}Look at it, then send again.", now=_now(blank, typed))
    )
    return Done("", told(filled(blank, typed), stale), status_of(stale))


def _now(blank: Form, typed: Typed) -> str:
    """Return how the fields stand now that somebody else has changed, in words."""
    differ = [
        f for f in blank.fields if f.value and f.value != _first(typed, f.name) and f.kind in ("line", "day", "whole")
    ]
    return (
        _("It now says: {differ}. ", differ=", ".join(f"{f.label.lower()} {f.value}" for f in differ)) if differ else ""
    )


def _once(services: Services, signed: Signed, ask: Ask, form: Form, typed: Typed) -> Done:
    command: Any = command_of(form, typed)
    key = CommandId(_first(typed, "command_id"))
    world = services.present.refresh()
    version = world.versions.get(f"project-{ask.project.id}", 0)
    before = world.projects[ask.project.id]
    known = bool(key) and bool(services.logs.events.stream(f"command-{key}"))
    guarded = form.about is not None and not known
    if guarded and (before is not ask.project or form.seen != _first(typed, "seen")):
        raise Stale(_("Somebody changed this since you opened the form."))
    return Done(carry_out(services, signed, command, key, before, version if guarded else None))


def carry_out(
    services: Services,
    signed: Signed,
    command: AnyCommand,
    key: CommandId,
    before: Project,
    expected: int | None = None,
) -> str:
    """Record a command of a project and return what happened, with who will see which update.

    Raises: Refused.
    """
    world = services.present.world
    heads = {s.id: services.logs.disclosure.head(s.id) for s in world.shares_of_project(before.id)}
    held = {share: world.held(share) for share in heads}
    person = signed.person
    actor = Actor(person.id, person.role, person.client)
    answer = services.service.execute(actor, command, command_id=key, expected=expected)
    world = services.present.world
    if answer.repeated:
        return _("Recorded already.")
    if not answer.events:
        return _("Nothing changed, so nothing was recorded.")
    found = effects(world, before, world.projects[before.id], held)
    return _("Recorded. ") + seen_by(world, found, heads, Clock(before.time_zone, before.civil(services.now())))


def seen_by(world: World, found: Sequence[Effect], heads: Mapping[ShareId, int], clock: Clock) -> str:
    """Return who will see which update of a change, and for whom it waits until when."""
    if not found:
        return _("No client sees a difference.")
    told = []
    for one in found:
        client, number = world.client_name(one.share.client), heads.get(one.share.id, 0) + 1
        until = (
            ""
            if one.waits_until is None
            else _(", until {waits_until} at most", waits_until=clock.moment(one.waits_until))
        )
        sees = _("{client} will see update {number}", client=client, number=number)
        waits = (
            _("the rest waits for your release{until}", until=until)
            if one.sees
            else _("{client} sees it once you release it{until}", client=client, until=until)
        )
        told.append(f"{sees}; {waits}" if one.sees and until else sees if one.sees else waits)
    return "; ".join(told) + "."


def said(services: Services, key: str) -> str:
    """Return what a command recorded, in words, for a page without scripts."""
    found = services.logs.events.stream(f"command-{key}") if 0 < len(key) <= 64 else []
    event = found[0].event if found else None
    if not isinstance(event, CommandCarriedOut):
        return ""
    words = [say(tag) for tag in dict.fromkeys(event.tags)]
    return (
        _("Recorded: {words}.", words=", ".join(words).lower())
        if words
        else _("Nothing changed, so nothing was recorded.")
    )


def _show(
    services: Services,
    request: Request,
    signed: Signed,
    project: Project,
    form: Form,
    typed: Typed,
    status: int = 200,
) -> Response:
    context = {
        "form": form,
        "project": project,
        "action": f"/p/{project.id}/do/{form.tag}" + (f"?{request.url.query}" if request.url.query else ""),
        "command_id": _first(typed, "command_id") or new_id(24),
        "new": form.fixed.get("milestone") or form.fixed.get("risk") or "",
        "htmx": bool(request.headers.get("hx-request")),
        **shell(services, signed),
    }
    template = "pm/form.html" if context["htmx"] else "pm/change.html"
    return services.pages.response(request, template, status, **context)


async def _nothing(services: Services, request: Request, signed: Signed, refused: Refused) -> Response:
    if request.headers.get("hx-request"):
        markup = services.pages.text("pm/refused.html", message=refused.message)
        return HTMLResponse(markup, status_of(refused), headers={"cache-control": "no-store"})
    context = {"message": refused.message, "project": request.path_params["project"], **shell(services, signed)}
    return services.pages.response(request, "pm/nothing.html", status_of(refused), **context)


async def _after(
    services: Services, request: Request, signed: Signed, project: Project, said: str, slot: str, key: str
) -> Response:
    """Answer a recorded command: the page as it stands now, in place or by going there."""
    if not request.headers.get("hx-request"):
        return RedirectResponse(f"/p/{project.id}?said={key}", 303)
    found = await run_in_threadpool(workspace, services, signed, project.id)
    assert found is not None
    response = services.pages.response(request, "pm/after.html", said=said, slot=slot, **found)
    response.headers["hx-retarget"], response.headers["hx-reswap"] = "#work", "outerMorph"
    return response


async def more(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/more?milestone=|risk=`: everything one can do with a line; nothing named closes the form."""
    services: Services = request.app.state.services
    ask = await run_in_threadpool(_ask, services, request, {})
    if ask is None:
        return not_found()
    milestone = ask.project.schedule.milestones.get(MilestoneId(ask.params.get("milestone", "")))
    risk = ask.project.risks.risks.get(RiskId(ask.params.get("risk", "")))
    htmx = bool(request.headers.get("hx-request"))
    context = {"project": ask.project, "milestone": milestone, "risk": risk, **shell(services, signed)}
    return services.pages.response(request, "pm/more.html" if htmx else "pm/more_page.html", **context)


def routes() -> list[BaseRoute]:
    """Return the route of every form."""
    return [
        door("/p/{project}/more", more, allow=STAFF),
        door("/p/{project}/do/{command}", change, allow=STAFF, methods=["GET", "POST"]),
    ]
