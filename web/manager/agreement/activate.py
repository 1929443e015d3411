"""Pages on which an agreement is put in force: the counts, the client's name to type, a reason; one event.

Rule: what is put in force is what was looked at. Where something else would be disclosed or withdrawn by now, nothing
is recorded and it is shown again. The client's name is asked for unless it is a first agreement that reaches nobody
yet; then the first person can be invited with it.
"""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain import check
from domain.agreement.share import ActivateTerms
from domain.errors import Conflict, Invalid, Refused, Stale
from domain.ids import PersonId
from domain.language import gettext as _
from domain.people.person import InvitePerson
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.manager.agreement import editor, outcome, terms_form
from web.manager.agreement.editor import Desk
from web.manager.agreement.outcome import Outcome
from web.manager.agreement.preview import Draft
from web.manager.typed import Typed, first, typed_in
from web.people.viewers import invited
from web.process import presence
from web.process.services import Services
from web.staff.acting import permitted
from web.staff.frame import FRAMING, StaffPage, shell


class ActivatePage(StaffPage, frozen=True, kw_only=True):
    """What putting a draft in force does, and the form that does it."""

    template = "pm/activate.html"
    at: Desk
    draft: Draft
    outcome: Outcome
    problem: Refused | None
    unreached: bool  # a first agreement, and nobody of the client can come in yet
    name: str  # the client's, as typed
    may_invite: bool  # whether who looks may invite people of the client
    person: str  # who is invited with a first agreement, as typed
    email: str
    mailed: bool  # whether links go by mail
    reason: str
    version: int
    summary: str  # of the terms
    watching: int  # people with a page open now


async def ask(request: Request, signed: Signed) -> Response:
    """`GET …/edit/activate`: what it does, and a form that asks for the client's name and a reason."""
    services: Services = request.app.state.services
    at = await run_in_threadpool(editor.desk, services, request)
    if at is None:
        return not_found()
    if not editor.pending(at.share):
        return RedirectResponse(f"{at.here}?done=same" if at.share.versions else at.here, 303)
    return await _page(request, signed, at, {}, None)


async def activate(request: Request, signed: Signed) -> Response:
    """`POST …/edit/activate`: put the draft in force."""
    services: Services = request.app.state.services
    at = await run_in_threadpool(editor.desk, services, request)
    if at is None:
        return not_found()
    typed = typed_in(await request.form())
    try:
        await run_in_threadpool(_activate, services, signed, at, typed)
    except Refused as refused:
        return await _page(request, signed, at, typed, refused)
    person, email = first(typed, "person").strip(), first(typed, "email").strip()
    if person or email:
        return await invited(request, signed, at.share, person, email)
    return RedirectResponse(f"/p/{at.project.id}/shares/{at.share.id}?done=in-force", 303)


def _activate(services: Services, signed: Signed, at: Desk, typed: Typed) -> None:
    command = ActivateTerms(share=at.share.id, reason=first(typed, "reason"))
    if services.service.carried_out(
        signed.person.id, first(typed, "command_id")
    ):  # the answer got lost, and the form came again
        editor.send(services, signed, command, typed)
        return
    if _unreached(at):
        _check_person(first(typed, "person").strip(), first(typed, "email").strip())
    else:
        check_name(at.client, first(typed, "name"))
    if not command.reason.strip():
        raise Invalid(_("Reason is missing. A sentence is enough; it goes on record."), "reason")
    if not editor.pending(at.share):
        raise Conflict(_("There is no draft that says something else. It was put in force or discarded meanwhile."))
    current = outcome.outcome(services, at.world, at.share, editor.standing(at.share))
    if current.digest != first(typed, "digest"):
        raise Stale(
            _("Something else would be disclosed or withdrawn by now. It is shown below; look again, then repeat.")
        )
    editor.send(services, signed, command, typed)


def _unreached(at: Desk) -> bool:
    """Tell whether a first agreement reaches nobody, because nobody of the client can come in."""
    return not at.share.versions and not at.world.viewers_of(at.share.client)


def _may_invite(at: Desk, signed: Signed) -> bool:
    asked = InvitePerson(
        person=PersonId("asked"), name="asked", email="asked@asked.example", role="viewer", client=at.share.client
    )
    return permitted(at.world, signed, asked)


def _check_person(name: str, email: str) -> None:
    """Raise Invalid where somebody is to be invited whose name or address is missing or is none."""
    if name and not email:
        raise Invalid(_("Type their email address too, or leave both empty and invite somebody later."), "email")
    if email:
        check.line("person", name)
        check.address("email", email)


def check_name(client: str, typed: str) -> None:
    """Raise Invalid unless the name typed is the client's; case and spacing do not matter."""
    if " ".join(typed.split()).casefold() != " ".join(client.split()).casefold():
        ask = _("Type {client} to say whom it is for", client=client)
        raise Invalid(
            _("{told}; this says {typed!r}.", told=ask, typed=typed.strip()[:60]) if typed.strip() else f"{ask}.",
            "name",
        )


async def _page(request: Request, signed: Signed, at: Desk, typed: Typed, problem: Refused | None) -> Response:
    services = at.services
    draft = editor.standing(at.share)
    shown = ActivatePage(
        at=at,
        draft=draft,
        outcome=await run_in_threadpool(outcome.outcome, services, at.world, at.share, draft),
        problem=problem,
        unreached=_unreached(at),
        may_invite=_may_invite(at, signed),
        name=first(typed, "name"),
        person=first(typed, "person"),
        email=first(typed, "email"),
        mailed=services.mail_sender is not None,
        reason=first(typed, "reason") if typed or at.share.versions else _("First agreement"),
        version=at.world.versions.get(f"share-{at.share.id}", 0),
        summary=terms_form.summary(draft.terms),
        watching=presence.people_watching(services, at.share.id),
        **shell(services, signed),
    )
    answer = services.pages.answer(request, shown, status_of(problem) if problem else 200)
    answer.headers["content-security-policy"] = FRAMING
    return answer


def routes() -> list[BaseRoute]:
    """Return the routes of activation."""
    here = "/p/{project}/shares/{share}/edit/activate"
    return [door(here, ask, allow=STAFF), door(here, activate, allow=STAFF, methods=["POST"])]
