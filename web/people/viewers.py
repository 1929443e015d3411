"""Pages on which a client's viewers are invited, get a new link, lose their access or are erased.

Rule: a link is mailed or shown once, and kept nowhere.
"""

from collections.abc import Mapping

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.agreement.share import Share
from domain.errors import Conflict, Refused
from domain.ids import ClientId, CommandId, PersonId
from domain.language import gettext as _
from domain.people.mails import Mail
from domain.people.memberships import EndMembership, Membership
from domain.people.person import DisablePerson, ErasePerson, Person
from domain.plan.project import Project
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.mail import state
from web.people.erasure import NamingLines, naming_lines
from web.process.services import Services
from web.staff.acting import actor_of, permitted
from web.staff.frame import StaffPage, share_of, shell
from web.write.erasure import Standing

ERASED: Mapping[Standing, str] = {  # what the page of a share says of it then: web/manager/agreement/shares.py
    "whole": "erased",
    "updates-wait": "erased-later",
    "not-asked": "erased-not-asked",
    "not-confirmed": "erased-not-told",
}


class ViewerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One viewer of a share, and what may be done about their access."""

    person: Person
    known: Membership  # what this client's side knows of them
    waiting: bool  # invited, and the link not used yet
    may_end: bool  # whether who looks may end their access
    may_erase: bool  # or erase them
    mails: list[str]  # what became of the latest ones


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was to be let in, and what came of it."""

    name: str
    email: str
    person: PersonId | None = None
    link: str = ""  # where it is shown
    mail: Mail | None = None  # where it was mailed
    stands: str = ""  # what became of that mail, in words
    problem: Refused | None = None


class InvitedPage(StaffPage, frozen=True, kw_only=True):
    """What came of an invitation: a mail, a link that is shown once, or the form again."""

    template = "pm/invited.html"
    project: Project
    share: Share
    client: str
    hours: int  # until the link runs out
    name: str
    email: str
    person: PersonId | None
    link: str
    mail: Mail | None
    stands: str
    problem: Refused | None


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Whose access is to end, and from which page."""

    person: Person
    action: str  # where the form is sent
    back: str  # where it leads afterwards
    client: ClientId | None = None  # a viewer's access to this client alone ends
    project: Project | None = None
    share: Share | None = None


class EndPersonPage(StaffPage, frozen=True, kw_only=True):
    """The question why somebody's access ends."""

    template = "pm/end_person.html"
    name: str
    client: str  # "" for one of the organisation
    reason: str
    problem: Refused | None
    action: str  # where the form is sent
    back: str  # where it leads afterwards
    nav: str  # "share" on the way from a share
    project: Project | None
    share: Share | None


class ErasePage(StaffPage, frozen=True, kw_only=True):
    """The question whether everything known of a person is destroyed."""

    template = "pm/erase.html"
    project: Project
    share: Share
    person: Person
    name: str
    client: str
    naming: NamingLines  # the updates that are erased as well
    reason: str
    problem: Refused | None


def viewers_of(services: Services, signed: Signed, share: Share) -> list[ViewerLine]:
    """Return the people of a share's client, by name; those whose access was ended are left out."""
    world = services.present.world
    zone = world.projects[share.project].time_zone
    people = sorted((p.memberships[share.client].name, p.id, p) for p in world.viewers_of(share.client))
    return [
        ViewerLine(
            person=p,
            known=p.memberships[share.client],
            waiting=p.memberships[share.client].signed_in is None,
            may_end=may_end(services, signed, p, share.client),
            may_erase=may_erase(services, signed, p),
            mails=state.lines(p, share, zone),
        )
        for _name, _id, p in people
    ]


def may_end(services: Services, signed: Signed, person: Person, client: ClientId) -> bool:
    """Tell whether somebody may end what a person is to a client."""
    asked = EndMembership(person=person.id, client=client, reason="asked")
    return permitted(services.present.world, signed, asked)


async def invite(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/viewers`: invite a person of the client; the link is mailed, or shown once."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(_share, services, request)
    if share is None:
        return not_found()
    form = await request.form()
    name, email = str(form.get("name", "")).strip(), str(form.get("email", "")).strip()
    return await invited(request, signed, share, name, email)


async def invited(request: Request, signed: Signed, share: Share, name: str, email: str) -> Response:
    """Invite a person of a share's client and answer how their link stands: mailed, shown once, or refused."""
    services: Services = request.app.state.services
    try:
        person, secret = await run_in_threadpool(_invite, services, signed, share, name, email)
        mail = await run_in_threadpool(_mail, services, signed, share, person, secret)
    except Refused as refused:
        return _invited(request, signed, share, Invitation(name=name, email=email, problem=refused))
    invitation = Invitation(name=name, email=email, person=person, mail=mail)
    return _sent(request, signed, share, invitation, secret)


def _mail(services: Services, signed: Signed, share: Share, person: PersonId, secret: str) -> Mail | None:
    sender = services.mail_sender
    return sender.invite(actor_of(signed), person, share.client, secret) if sender is not None else None


def _sent(request: Request, signed: Signed, share: Share, invitation: Invitation, secret: str) -> Response:
    """Answer how the mail stands; where none is sent, show the link."""
    services: Services = request.app.state.services
    if invitation.mail is None:
        outcome = msgspec.structs.replace(invitation, link=_link(services, secret))
    else:
        zone = services.present.world.projects[share.project].time_zone
        outcome = msgspec.structs.replace(invitation, stands=state.state(invitation.mail, zone))
    return _invited(request, signed, share, outcome)


def _share(services: Services, request: Request) -> Share | None:
    return share_of(services, request.path_params["project"], request.path_params["share"])


def _invite(services: Services, signed: Signed, share: Share, name: str, email: str) -> tuple[PersonId, str]:
    there = [p.memberships[share.client] for p in services.present.world.viewers_of(share.client)]
    if any(known.email.casefold() == email.casefold() for known in there):
        raise Conflict(_("{email} was invited already. Make a new link for them instead.", email=email), "email")
    return services.credentials.invite(actor_of(signed), name=name, email=email, role="viewer", client=share.client)


def _link(services: Services, secret: str) -> str:
    return f"{services.settings.origin}/in/{secret}"


def _invited(request: Request, signed: Signed, share: Share, invitation: Invitation) -> Response:
    services: Services = request.app.state.services
    world = services.present.world
    shown = InvitedPage(
        project=world.projects[share.project],
        share=world.shares[share.id],
        client=world.client_name(share.client),
        hours=services.settings.link_hours,
        name=invitation.name,
        email=invitation.email,
        person=invitation.person,
        link=invitation.link,
        mail=invitation.mail,
        stands=invitation.stands,
        problem=invitation.problem,
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, status_of(invitation.problem) if invitation.problem else 200)


async def link(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/viewers/{person}/link`: show a new link, once."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(_share, services, request)
    person = _person(services, share, request)
    if share is None or person is None:
        return not_found()
    secret = await run_in_threadpool(services.credentials.link, actor_of(signed), person.id, share.client)
    known = person.memberships[share.client]
    invitation = Invitation(name=known.name, email=known.email, link=_link(services, secret))
    return _invited(request, signed, share, invitation)


async def again(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/shares/{share}/viewers/{person}/mail`: mail a new link."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(_share, services, request)
    person = _person(services, share, request)
    if share is None or person is None or services.mail_sender is None:
        return not_found()
    secret = await run_in_threadpool(services.credentials.link, actor_of(signed), person.id, share.client)
    mail = await run_in_threadpool(_mail, services, signed, share, person.id, secret)
    known = person.memberships[share.client]
    invitation = Invitation(name=known.name, email=known.email, person=person.id, mail=mail)
    return _sent(request, signed, share, invitation, secret)


def _person(services: Services, share: Share | None, request: Request) -> Person | None:
    """Return the viewer an address names; None where the share's client has no such person, or no more."""
    person = services.present.world.people.get(PersonId(request.path_params["person"]))
    return person if person and share and share.client in person.clients else None


async def end(request: Request, signed: Signed) -> Response:
    """`GET|POST /p/{project}/shares/{share}/viewers/{person}/end`: end a person's access, for a reason."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(_share, services, request)
    person = _person(services, share, request)
    if share is None or person is None or not may_end(services, signed, person, share.client):
        return not_found()
    here = f"/p/{share.project}/shares/{share.id}"
    ending = Ending(
        person=person,
        action=f"{here}/viewers/{person.id}/end",
        back=f"{here}#viewers",
        client=share.client,
        project=services.present.world.projects[share.project],
        share=share,
    )
    return await end_person(request, signed, ending)


async def end_person(request: Request, signed: Signed, ending: Ending) -> Response:
    """Ask why somebody's access ends, and end it; the pages it opened close at once."""
    services: Services = request.app.state.services
    person = ending.person
    form = await request.form() if request.method == "POST" else {}
    reason, key = _reason_and_key(form)
    problem: Refused | None = None
    if request.method == "POST":
        try:
            command = _ended(ending, reason)
            await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
            return RedirectResponse(ending.back, 303)
        except Refused as refused:
            problem = refused
    shown = EndPersonPage(
        name=services.present.world.person_name(person.id, ending.client),
        client=services.present.world.client_name(ending.client) if ending.client else "",
        reason=reason,
        problem=problem,
        action=ending.action,
        back=ending.back,
        nav="share" if ending.share else "",
        project=ending.project,
        share=ending.share,
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


def _ended(ending: Ending, reason: str) -> EndMembership | DisablePerson:
    if ending.client is None:
        return DisablePerson(person=ending.person.id, reason=reason)
    return EndMembership(person=ending.person.id, client=ending.client, reason=reason)


def _reason_and_key(form: Mapping[str, object]) -> tuple[str, CommandId]:
    """Return the reason typed, and the id under which the command is recorded."""
    return str(form.get("reason", "")).strip(), CommandId(str(form.get("command_id", "")) or new_id(24))


async def erase(request: Request, signed: Signed) -> Response:
    """`GET|POST /p/{project}/shares/{share}/viewers/{person}/erase`: destroy what is known of a person, for ever."""
    services: Services = request.app.state.services
    share = await run_in_threadpool(_share, services, request)
    person = _person(services, share, request)
    problem: Refused | None = None
    form = await request.form() if request.method == "POST" else {}
    reason, key = _reason_and_key(form)
    # whoever sends it again, as after an answer that said to try again, is not told that there is nobody
    again = (
        bool(form) and person is None and await run_in_threadpool(services.service.carried_out, signed.person.id, key)
    )
    if share is None or not (again or (person is not None and may_erase(services, signed, person))):
        return not_found()
    if request.method == "POST":
        try:
            command = ErasePerson(person=PersonId(request.path_params["person"]), reason=reason)
            await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
            done = ERASED[services.erasure.outcome(command.person).standing]
            return RedirectResponse(f"/p/{share.project}/shares/{share.id}?done={done}#viewers", 303)
        except Refused as refused:
            problem = refused
    if person is None:
        return not_found()
    naming = await run_in_threadpool(naming_lines, services, person.id)
    world = services.present.world
    shown = ErasePage(
        project=world.projects[share.project],
        share=share,
        person=person,
        name=world.person_name(person.id, share.client),
        client=world.client_name(share.client),
        naming=naming,
        reason=reason,
        problem=problem,
        **shell(services, signed),
    )
    return services.pages.answer(request, shown, status_of(problem) if problem else 200)


def may_erase(services: Services, signed: Signed, person: Person) -> bool:
    """Tell whether somebody may erase a person."""
    return permitted(services.present.world, signed, ErasePerson(person=person.id, reason="asked"))


def routes() -> list[BaseRoute]:
    """Return the routes of viewers."""
    here = "/p/{project}/shares/{share}/viewers"
    return [
        door(here, invite, allow=STAFF, methods=["POST"]),
        door(f"{here}/{{person}}/link", link, allow=STAFF, methods=["POST"]),
        door(f"{here}/{{person}}/mail", again, allow=STAFF, methods=["POST"]),
        door(f"{here}/{{person}}/end", end, allow=STAFF, methods=["GET", "POST"]),
        door(f"{here}/{{person}}/erase", erase, allow=STAFF, methods=["GET", "POST"]),
    ]
