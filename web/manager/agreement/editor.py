"""The agreement editor: terms, the exact page, and the consequence, side by side and never apart.

Rule: all three are made of the same typed terms in one answer; nothing is saved by looking.
"""

from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.agreement.share import DraftTerms, DropDraft, Share, ShareCommand
from domain.agreement.terms import Ways, checked, checked_ways
from domain.errors import Refused
from domain.ids import CommandId, ProjectId, ShareId
from domain.language import N_
from domain.plan.project import Project
from projections.events.world import World, names
from web.door.guard import STAFF, Signed, door, not_found
from web.door.headers import CSP
from web.door.problem import status_of
from web.manager.agreement import outcome, terms_form
from web.manager.agreement import preview as agreement_preview
from web.manager.agreement.outcome import Outcome
from web.manager.agreement.preview import Draft
from web.process.services import Services
from web.staff.frame import share_of, shell
from web.write.permission import Actor
from web.write.service import Answer

Typed = dict[str, list[str]]
FRAMING = f"{CSP}; frame-src 'self'"
FRESH = Ways(history=False)
SAID = {
    "saved": N_("Draft saved. Nothing changes for the client until it is put in force."),
    "dropped": N_("Draft discarded. The terms in force stand as they are."),
    "new": N_("A draft, not in force. Choose what it covers; the page and the consequence follow as you go."),
}


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What is on the desk: one share of one project, and how its client is called."""

    services: Services
    world: World
    project: Project
    share: Share
    client: str
    zone: str

    @property
    def here(self) -> str:
        """The address of the editor."""
        return f"/p/{self.project.id}/shares/{self.share.id}/edit"


def desk(services: Services, request: Request) -> Desk | None:
    """Return the share an address names, None where there is none or it has ended. For threads."""
    share = share_of(services, request.path_params["project"], request.path_params["share"])
    if share is None or share.revoked_at is not None:
        return None
    world = services.present.world
    called = names(world, share)
    project = world.projects[ProjectId(request.path_params["project"])]
    return Desk(
        services=services, world=world, project=project, share=share, client=called.client, zone=called.time_zone
    )


def standing(share: Share) -> Draft:
    """Return the draft of a share, or what is in force where there is none."""
    if share.draft is not None:
        return Draft(share.draft, share.draft_ways)
    return Draft(share.terms, share.ways) if share.versions else Draft(terms_form.start(), FRESH)


def pending(share: Share) -> bool:
    """Tell whether there is a draft that says something else than what is in force."""
    return share.draft is not None and (
        not share.versions or (share.draft, share.draft_ways) != (share.terms, share.ways)
    )


def start_from(at: Desk, signed: Signed, template: str, copied: str) -> Draft | None:
    """Return the terms to start from: a template, or those of another share; None where there is no such thing."""
    ways = standing(at.share).ways
    if template in terms_form.TEMPLATES:
        return Draft(checked(terms_form.TEMPLATES[template][1]), ways)
    other = at.world.shares.get(ShareId(copied))
    if other is None or not other.versions or not signed.person.manages(other.project):
        return None
    return Draft(terms_form.fitting(other.terms, same=other.project == at.project.id), ways)


def sources(at: Desk, signed: Signed) -> list[tuple[str, str]]:
    """Return the agreements whose terms can be copied, by client and project."""
    found = [
        (share.id, f"{at.world.client_name(share.client)}: {at.world.projects[share.project].client_title}")
        for share in at.world.shares.values()
        if share.versions and share.id != at.share.id and signed.person.manages(share.project)
    ]
    return sorted(found, key=lambda one: one[1])


# pages


async def edit(request: Request, signed: Signed) -> Response:
    """`GET …/edit?from=slip&copy=share`: the draft or the terms in force, as a form with its consequence."""
    services: Services = request.app.state.services
    at = await run_in_threadpool(desk, services, request)
    if at is None:
        return not_found()
    template, copied = request.query_params.get("from", ""), request.query_params.get("copy", "")
    draft = start_from(at, signed, template, copied) if template or copied else standing(at.share)
    if draft is None:
        return not_found()
    said = SAID.get(request.query_params.get("done", ""), "")
    return await _page(request, signed, at, draft, said=said, started=bool(template or copied))


async def change(request: Request, signed: Signed) -> Response:
    """`POST …/edit`: look at what was typed (nothing is saved), save it as the draft, or go on to activate it."""
    services: Services = request.app.state.services
    at = await run_in_threadpool(desk, services, request)
    if at is None:
        return not_found()
    typed = plain(await request.form())
    do, asked = _one(typed, "do") or "look", request.headers.get("hx-request") == "true"
    draft = standing(at.share)
    try:
        draft = Draft(terms_form.terms_of(typed), terms_form.ways_of(typed, at.zone))
        draft = Draft(checked(draft.terms), checked_ways(draft.ways, at.project.scale.size))
        if do == "look":
            return await (_look(request, signed, at, draft) if asked else _page(request, signed, at, draft))
        await run_in_threadpool(_save, services, signed, at, draft, typed)
    except Refused as refused:
        if asked:
            return _refused(request, signed, at, refused)
        return await _page(request, signed, at, _kept(typed, at, draft), problem=refused, typed=typed)
    return RedirectResponse(f"{at.here}/activate" if do == "activate" else f"{at.here}?done=saved", 303)


def _save(services: Services, signed: Signed, at: Desk, draft: Draft, typed: Typed) -> None:
    command = DraftTerms(share=at.share.id, terms=draft.terms, ways=draft.ways)
    send(services, signed, command, typed)


def send(services: Services, signed: Signed, command: ShareCommand, typed: Typed) -> Answer:
    """Carry out a command of a form: with the form's own id, on the version it was made for.

    Raises: Refused.
    """
    expected = _one(typed, "expected")
    return services.service.execute(
        Actor(signed.person.id, signed.person.role, signed.person.client),
        command,
        command_id=CommandId(_one(typed, "command_id")),
        expected=int(expected) if expected.isdecimal() and len(expected) < 12 else None,
    )


def _kept(typed: Typed, at: Desk, otherwise: Draft) -> Draft:
    """What was typed, as far as it can be told, so that nothing is lost."""
    try:
        terms = terms_form.terms_of(typed)
    except Refused:
        terms = otherwise.terms
    return Draft(terms, terms_form.ways_kept(typed, at.zone, otherwise.ways))


async def _look(request: Request, signed: Signed, at: Desk, draft: Draft) -> Response:
    found = await run_in_threadpool(outcome.outcome, at.services, at.world, at.share, draft)
    services = at.services
    return services.pages.response(
        request, "pm/edit_outcome.html", **_told(at, draft, found), **shell(services, signed)
    )


def _refused(request: Request, signed: Signed, at: Desk, refused: Refused) -> Response:
    services = at.services
    context = {"at": at, "outcome": None, "problem": refused, "draft": None, "token": ""}
    return services.pages.response(request, "pm/edit_outcome.html", **context, **shell(services, signed))


def _told(at: Desk, draft: Draft, found: Outcome) -> dict[str, Any]:
    return {"at": at, "draft": draft, "outcome": found, "problem": None, "token": agreement_preview.packed(draft)}


async def _page(
    request: Request,
    signed: Signed,
    at: Desk,
    draft: Draft,
    *,
    said: str = "",
    problem: Refused | None = None,
    typed: Typed | None = None,
    started: bool = False,
) -> Response:
    services = at.services
    try:
        found = await run_in_threadpool(outcome.outcome, services, at.world, at.share, _agreeable(draft, at))
        told = _told(at, draft, found) | {"problem": problem}
    except Refused as refused:
        told = {"at": at, "draft": draft, "outcome": None, "problem": problem or refused, "token": ""}
    context = {
        **told,
        "said": said,
        "typed": typed or {},
        "started": started,
        "pending": pending(at.share),
        "version": at.world.versions.get(f"share-{at.share.id}", 0),
        "templates": terms_form.TEMPLATES,
        "sources": sources(at, signed),
        "last_day": terms_form.last_day(draft.ways, at.zone),
        "highest": at.project.scale.size**2,
        **terms_form.choices(at.project, draft.terms),
        **shell(services, signed),
    }
    status = status_of(problem) if problem else 200
    answer = services.pages.response(request, "pm/edit.html", status, **context)
    answer.headers["content-security-policy"] = FRAMING
    return answer


def _agreeable(draft: Draft, at: Desk) -> Draft:
    return Draft(checked(draft.terms), checked_ways(draft.ways, at.project.scale.size))


async def discard(request: Request, signed: Signed) -> Response:
    """`POST …/edit/discard`: back to the terms in force."""
    services: Services = request.app.state.services
    at = await run_in_threadpool(desk, services, request)
    if at is None:
        return not_found()
    typed = plain(await request.form())
    try:
        await run_in_threadpool(send, services, signed, DropDraft(share=at.share.id), typed)
    except Refused as refused:
        return await _page(request, signed, at, standing(at.share), problem=refused)
    return RedirectResponse(f"{at.here}?done=dropped", 303)


async def preview(request: Request, signed: Signed) -> Response:
    """`GET …/edit/page?draft=…`: the exact page under a draft, with what it changes marked; nothing is kept of it."""
    services: Services = request.app.state.services
    at = await run_in_threadpool(desk, services, request)
    draft = agreement_preview.unpacked(request.query_params.get("draft", ""))
    if at is None or draft is None or signed is None:
        return not_found()
    return await run_in_threadpool(_preview, at, draft)


def _preview(at: Desk, draft: Draft) -> Response:
    services = at.services
    found = outcome.outcome(services, at.world, at.share, draft)
    gone = [line.title for line in found.gone if line.item]
    marked = agreement_preview.marks(found.change, found.whole) if found.before else ""
    return agreement_preview.document(services.renderer.render(found.after), services.renderer.css, marked, gone)


# forms


def plain(form: FormData) -> Typed:
    """Return a form as text, in the order it was sent."""
    return {key: [v for v in form.getlist(key) if isinstance(v, str)] for key in form}


def _one(typed: Typed, name: str) -> str:
    return (typed.get(name) or [""])[0]


def routes() -> list[BaseRoute]:
    """Return the routes of the editor."""
    here = "/p/{project}/shares/{share}/edit"
    return [
        door(here, edit, allow=STAFF),
        door(here, change, allow=STAFF, methods=["POST"]),
        door(f"{here}/discard", discard, allow=STAFF, methods=["POST"]),
        door(f"{here}/page", preview, allow=STAFF),
    ]
