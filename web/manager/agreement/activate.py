"""Putting an agreement in force: the counts once more, the client's name typed, a reason, and one event.

Rule: what is put in force is what was looked at. When something else would be disclosed or withdrawn by now, nothing
happens and it is shown again.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.agreement.share import ActivateTerms
from domain.errors import Conflict, Invalid, Refused, Stale
from domain.language import gettext as _
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.manager.agreement import editor, outcome, preview, terms_form
from web.manager.agreement.editor import FRAMING, Desk, Typed
from web.manager.agreement.outcome import Outcome
from web.process import presence
from web.process.services import Services
from web.staff.frame import shell


async def ask(request: Request, signed: Signed) -> Response:
    """`GET …/edit/activate`: what it does, and a form that asks for the client's name and a reason."""
    services: Services = request.app.state.services
    at = await run_in_threadpool(editor.desk, services, request)
    if at is None:
        return not_found()
    if not editor.pending(at.share):
        return RedirectResponse(at.here, 303)
    return await _page(request, signed, at, {}, None)


async def activate(request: Request, signed: Signed) -> Response:
    """`POST …/edit/activate`: put the draft in force."""
    services: Services = request.app.state.services
    at = await run_in_threadpool(editor.desk, services, request)
    if at is None:
        return not_found()
    typed = editor.plain(await request.form())
    try:
        await run_in_threadpool(_activate, services, signed, at, typed)
    except Refused as refused:
        return await _page(request, signed, at, typed, refused)
    return RedirectResponse(f"/p/{at.project.id}/shares/{at.share.id}?done=in-force", 303)


def _activate(services: Services, signed: Signed, at: Desk, typed: Typed) -> None:
    command = ActivateTerms(share=at.share.id, reason=_one(typed, "reason"))
    if services.service.carried_out(_one(typed, "command_id")):  # the answer got lost, and the form came again
        editor.send(services, signed, command, typed)
        return
    _is_named(at.client, _one(typed, "name"))
    if not command.reason.strip():
        raise Invalid(_("Reason is missing. A sentence is enough; it goes on record."), "reason")
    if not editor.pending(at.share):
        raise Conflict(_("There is no draft that says something else. It was put in force or discarded meanwhile."))
    found = outcome.outcome(services, at.world, at.share, editor.standing(at.share))
    if found.digest != _one(typed, "digest"):
        raise Stale(
            _("Something else would be disclosed or withdrawn by now. It is shown below; look again, then repeat.")
        )
    editor.send(services, signed, command, typed)


def _is_named(client: str, typed: str) -> None:
    if " ".join(typed.split()).casefold() != " ".join(client.split()).casefold():
        told = _("Type {client} to say whom it is for", client=client)
        raise Invalid(
            _("{told}; this says {typed!r}.", told=told, typed=typed.strip()[:60]) if typed.strip() else f"{told}.",
            "name",
        )


async def _page(request: Request, signed: Signed, at: Desk, typed: Typed, problem: Refused | None) -> Response:
    services = at.services
    draft = editor.standing(at.share)
    found: Outcome = await run_in_threadpool(outcome.outcome, services, at.world, at.share, draft)
    context = {
        "at": at,
        "draft": draft,
        "outcome": found,
        "problem": problem,
        "token": preview.packed(draft),
        "name": _one(typed, "name"),
        "reason": _one(typed, "reason"),
        "version": at.world.versions.get(f"share-{at.share.id}", 0),
        "summary": terms_form.summary(draft.terms),
        "watching": len(presence.watching(services, at.share.id)),
        **shell(services, signed),
    }
    answer = services.pages.response(request, "pm/activate.html", status_of(problem) if problem else 200, **context)
    answer.headers["content-security-policy"] = FRAMING
    return answer


def _one(typed: Typed, name: str) -> str:
    return (typed.get(name) or [""])[0]


def routes() -> list[BaseRoute]:
    """Return the routes of activation."""
    here = "/p/{project}/shares/{share}/edit/activate"
    return [door(here, ask, allow=STAFF), door(here, activate, allow=STAFF, methods=["POST"])]
