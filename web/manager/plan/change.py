"""Pages on which a project is changed by form: `GET` shows the form of a command, `POST` sends it.

They work with and without scripts. With scripts the form opens where the line is and the page changes in place; a
refusal comes back at its field with all that was typed.

Rule: a form carries a fingerprint of what it changes, so that nobody overwrites what they did not see.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.commands import AnyCommand
from domain.errors import Refused, Stale
from domain.ids import CommandId, MilestoneId, ProjectId, RiskId, ShareId
from domain.language import gettext as _
from domain.language import lowered
from domain.plan.project import Project, decide
from domain.plan.putting_back import PutBack
from domain.plan.risks import Risk
from domain.plan.schedule import Milestone
from projections.events.world import World
from projections.wording import words
from projections.wording.instants import Clock
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.door.templates import Page
from web.forms.fields import Unfit
from web.forms.form import Doubt, Form, command_of, filled, told
from web.ids import new_id
from web.manager.forms import doubts
from web.manager.forms.asked import Ask
from web.manager.forms.catalogue import form_for
from web.manager.plan.comes import Comes, comes, keep_by_hand
from web.manager.plan.offers import Offer, latest_offers
from web.manager.plan.workspace import ChangedPage, workspace
from web.manager.typed import Typed, first, typed_in
from web.process.services import Services
from web.record.audience import Effect, effects
from web.record.events_said import say
from web.staff.acting import actor_of
from web.staff.frame import StaffPage, shell
from web.write.viewers import owners

BY_ITSELF = frozenset({"day-ended"})  # what comes with a command, and nobody did
OWNED = frozenset({"move-forecast", "meet-milestone", "reopen-milestone", "report-progress", "describe-milestone"})
APART = "apart"  # the field that says that a milestone is kept by hand from now on
TRIES = 4  # to send a command while others change the project


class FormPage(StaffPage, frozen=True, kw_only=True):
    """The form of a command, to be put in its place on a page."""

    template = "pm/form.html"
    form: Form
    project: Project | None  # None for one that is being started
    action: str  # where the form is sent
    command_id: str
    new: str  # id of what it adds
    htmx: bool  # whether the page changes in place
    comes: Comes | None = None  # the source that keeps what the form changes, None where none does
    apart: bool = False  # whether it was said that it is kept by hand from now on


class ChangePage(FormPage, frozen=True, kw_only=True):
    """The form of a command as a page of its own."""

    template = "pm/change.html"


class RefusedPart(Page, frozen=True, kw_only=True):
    """Why there is no form, to be put in its place on a page."""

    template = "pm/refused.html"
    message: str


class NothingPage(StaffPage, frozen=True, kw_only=True):
    """Why there is no form, as a page of its own."""

    template = "pm/nothing.html"
    message: str
    project: str  # its id


class MorePart(StaffPage, frozen=True, kw_only=True):
    """Everything one can do with a milestone or a risk, to be put in its place on a page."""

    template = "pm/more.html"
    project: Project
    milestone: Milestone | None
    risk: Risk | None


class MorePage(MorePart, frozen=True, kw_only=True):
    """Everything one can do with a milestone or a risk, as a page of its own."""

    template = "pm/more_page.html"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a form: by whom, about what, and what was typed into it."""

    request: Request
    signed: Signed
    ask: Ask
    typed: Typed

    @property
    def services(self) -> Services:
        """The services of this process."""
        services: Services = self.request.app.state.services
        return services

    @property
    def in_place(self) -> bool:
        """Whether the page changes in place."""
        return bool(self.request.headers.get("hx-request"))


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A command to be recorded: under which id, and on which version of its stream where that matters."""

    command: AnyCommand
    key: CommandId
    expected: int | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a recorded command did, in words, where on the page that is said, and the id of the command."""

    words: str
    slot: str
    key: str
    undone: int = 0  # version of the change it put back, 0 for none


class Done(msgspec.Struct, frozen=True):
    """What came of a form: a sentence once recorded, else the form with what is wrong."""

    said: str
    form: Form | None = None
    status: int = 200


async def change(request: Request, signed: Signed) -> Response:
    """`GET|POST /p/{project}/do/{command}`: the form of a command, and sending it."""
    services: Services = request.app.state.services
    typed = typed_in(await request.form()) if request.method == "POST" else {}
    ask = await run_in_threadpool(_ask, services, request, signed, typed)
    if ask is None:
        return not_found()
    call = Call(request=request, signed=signed, ask=ask, typed=typed)
    try:
        blank = form_for(request.path_params["command"], ask)
    except Refused as refused:
        return _no_form(call, refused)
    if request.method != "POST":
        return _show(call, blank)
    done = await run_in_threadpool(_send, call, blank)
    if done.form is not None:
        return _show(call, done.form, done.status)
    return await recorded(request, signed, Said(words=done.said, slot=blank.slot, key=first(typed, "command_id")))


def _ask(services: Services, request: Request, signed: Signed, typed: Typed) -> Ask | None:
    """Return what the form is asked for; None where there is no such project. For threads."""
    world = services.present.refresh()
    project = world.projects.get(ProjectId(request.path_params["project"]))
    if project is None:
        return None
    return Ask(
        project=project,
        directory=world,
        now=services.now(),
        params=dict(request.query_params),
        new_id=first(typed, "new") or new_id(),
        owners=tuple((one.id, one.name) for one in owners(world, signed.person, project)),
    )


def _send(call: Call, blank: Form) -> Done:
    """Send the command once; decide again when something else of the project changed in between. For threads."""
    typed = call.typed
    for _try in range(TRIES):
        form = filled(blank, typed)
        try:
            return _send_once(call, form)
        except (Unfit, Doubt) as error:
            return Done("", told(form, error), 422)
        except Stale:
            project = call.services.present.refresh().projects[call.ask.project.id]
            call = msgspec.structs.replace(call, ask=msgspec.structs.replace(call.ask, project=project))
            blank = form_for(blank.tag, call.ask)
            if blank.seen != first(typed, "seen"):
                break
        except Refused as refused:
            return Done("", told(form, refused), status_of(refused))
    stale = Stale(_now(blank, typed))
    return Done("", told(filled(blank, typed), stale), status_of(stale))


def _now(blank: Form, typed: Typed) -> str:
    """Return that somebody else has changed the fields, and how they stand now, in words."""
    differ = [
        f for f in blank.fields if f.value and f.value != first(typed, f.name) and f.kind in ("line", "day", "whole")
    ]
    if not differ:
        return _("Somebody changed this since you opened the form. Look at it, then send again.")
    return _(
        "Somebody changed this since you opened the form. It now says: {differ}. Look at it, then send again.",
        differ=", ".join(f"{lowered(f.label)} {f.value}" for f in differ),
    )


def _send_once(call: Call, form: Form) -> Done:
    """Record the command of a form.

    Raises: Unfit, Doubt, Refused; Stale where what the form changes is not as its sender saw it.
    """
    services, project = call.services, call.ask.project
    command: Any = command_of(form, call.typed)
    key = CommandId(first(call.typed, "command_id"))
    world = services.present.refresh()
    version = world.versions.get(f"project-{project.id}", 0)
    before = world.projects[project.id]
    repeated = services.service.carried_out(call.signed.person.id, key)
    guarded = form.about is not None and not repeated
    if guarded and (before is not project or form.seen != first(call.typed, "seen")):
        raise Stale(_("Somebody changed this since you opened the form."))
    if not repeated:
        decide(project, command, services.now())  # what is refused is not asked about first
        doubts.likely(call.ask, form_for(form.tag, call.ask), form, command)
    order = Order(command=command, key=key, expected=version if guarded else None)
    done = carry_out(services, call.signed, order, before)
    _kept_by_hand(call, form)
    return Done(done)


def carry_out(services: Services, signed: Signed, order: Order, before: Project) -> str:
    """Record a command of the project `before` and return what happened, with who will see which update.

    Raises: Refused.
    """
    world = services.present.world
    heads = {s.id: services.logs.disclosure.head(s.id) for s in world.shares_of_project(before.id)}
    held = {share: world.held(share) for share in heads}
    answer = services.service.execute(actor_of(signed), order.command, command_id=order.key, expected=order.expected)
    world = services.present.world
    if answer.repeated:
        return _("Recorded already.")
    if not answer.events:
        return _("Nothing changed, so nothing was recorded.")
    changed = effects(world, before, world.projects[before.id], held)
    done = _("Put back.") if isinstance(order.command, PutBack) else _("Recorded.")
    return f"{done} {seen_by(world, changed, heads, Clock(before.time_zone))}"


def seen_by(world: World, changed: Sequence[Effect], heads: Mapping[ShareId, int], clock: Clock) -> str:
    """Return who will see which update of a change, and for whom it waits until when."""
    if not changed:
        return _("No client sees a difference.")
    return "; ".join(_seen_by(world, effect, heads.get(effect.share.id, 0) + 1, clock) for effect in changed) + "."


def _seen_by(world: World, effect: Effect, number: int, clock: Clock) -> str:
    client = world.client_name(effect.share.client)
    until = "" if effect.waits_until is None else _by_itself(world, effect.share.id, effect.waits_until, clock)
    sees = _("{client} will see update {number}", client=client, number=number)
    if not effect.sees:
        return _("{client} sees it once you release it{until}", client=client, until=until)
    waits = _("the rest waits for your release{until}", until=until)
    return "; ".join([sees, waits] if until else [sees])


def _by_itself(world: World, share: ShareId, until: datetime, clock: Clock) -> str:
    """Return when what waits goes out without a release; the day is said where it is another one."""
    began = max((fact.since for fact in world.held(share).facts), default=until)
    there, then = words.local(until, clock.zone), words.local(began, clock.zone)
    if there.date() == then.date():
        return _(", or by itself at {time}", time=f"{there:%H:%M}")
    return _(", or by itself {at}", at=clock.moment(until))


def said(services: Services, signed: Signed, key: str) -> str:
    """Return what a command of this person recorded, in words, for a page without scripts."""
    done = services.logs.events.carried_out(signed.person.id, key)
    if done is None:
        return ""
    tags = Counter(tag for tag in done.tags if tag not in BY_ITSELF)
    kinds = [lowered(say(tag)) + (f" ({many})" if many > 1 else "") for tag, many in tags.items()]
    return _("Recorded: {words}.", words=", ".join(kinds)) if kinds else _("Nothing changed, so nothing was recorded.")


def _show(call: Call, form: Form, status: int = 200) -> Response:
    project, query = call.ask.project, call.request.url.query
    page = FormPage if call.in_place else ChangePage
    shown = page(
        form=form,
        project=project,
        action=f"/p/{project.id}/do/{form.tag}" + (f"?{query}" if query else ""),
        command_id=first(call.typed, "command_id") or new_id(24),
        new=form.fixed.get("milestone") or form.fixed.get("risk") or "",
        htmx=call.in_place,
        comes=_comes(project, form) if form.tag in OWNED else None,
        apart=first(call.typed, APART) == "yes",
        **shell(call.services, call.signed),
    )
    return call.services.pages.answer(call.request, shown, status)


def _comes(project: Project, form: Form) -> Comes | None:
    """Return which source keeps the milestone that a form changes, where it is still asked about it."""
    milestone = project.schedule.milestones.get(MilestoneId(form.fixed.get("milestone", "")))
    found = comes(project, milestone) if milestone is not None else None
    return found if found is not None and not found.by_hand else None


def _kept_by_hand(call: Call, form: Form) -> None:
    """Have the source of a milestone not asked about it any more, where that was said with a change of it."""
    project = call.services.present.refresh().projects[call.ask.project.id]
    if form.tag in OWNED and first(call.typed, APART) == "yes" and _comes(project, form) is not None:
        by_hand = [MilestoneId(form.fixed["milestone"])]
        keep_by_hand(call.services, call.signed, project, by_hand, first(call.typed, "command_id"))


def _no_form(call: Call, refused: Refused) -> Response:
    pages, status = call.services.pages, status_of(refused)
    if call.in_place:
        return pages.answer(call.request, RefusedPart(message=refused.message), status)
    shown = NothingPage(message=refused.message, project=call.ask.project.id, **shell(call.services, call.signed))
    return pages.answer(call.request, shown, status)


async def recorded(request: Request, signed: Signed, said: Said) -> Response:
    """Answer a recorded command: the page as it stands now, in place or by going there."""
    services: Services = request.app.state.services
    project = request.path_params["project"]
    if not request.headers.get("hx-request"):
        return RedirectResponse(f"/p/{project}?said={said.key}", 303)
    page = await run_in_threadpool(workspace, services, signed, project)
    assert page is not None
    confirmed = await run_in_threadpool(confirmation, services, signed, project, said.key)
    names = page.names()
    names.update(said=said.words, slot=said.slot, undone=said.undone, **confirmed)
    shown = ChangedPage(**names)
    response = services.pages.answer(request, shown)
    response.headers["hx-retarget"], response.headers["hx-reswap"] = "#work", "outerMorph"
    return response


class Confirmation(TypedDict):
    """What belongs to the confirmation of a command."""

    offer: Offer | None  # to put back what it changed
    version: int  # of the last event it recorded, 0 for none
    lapsed: Sequence[int]  # versions of earlier changes that cannot be put back any more


def confirmation(services: Services, signed: Signed, project: str, key: str) -> Confirmation:
    """Return what belongs to the confirmation of a command of this person. For threads."""
    done = services.logs.events.carried_out(signed.person.id, key) if key else None
    last = max(done.versions, default=0) if done else 0
    world = services.present.world
    stands = latest_offers(world, world.projects[ProjectId(project)], signed.person.id, services.now())
    offer = next((offer for offer in stands.possible if offer.version == last), None)
    return Confirmation(offer=offer, version=last, lapsed=stands.lapsed)


async def more(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/more?milestone=|risk=`: everything one can do with a line; nothing named closes the form."""
    services: Services = request.app.state.services
    ask = await run_in_threadpool(_ask, services, request, signed, {})
    if ask is None:
        return not_found()
    milestone = ask.project.schedule.milestones.get(MilestoneId(ask.params.get("milestone", "")))
    risk = ask.project.risks.risks.get(RiskId(ask.params.get("risk", "")))
    page = MorePart if request.headers.get("hx-request") else MorePage
    shown = page(project=ask.project, milestone=milestone, risk=risk, **shell(services, signed))
    return services.pages.answer(request, shown)


def routes() -> list[BaseRoute]:
    """Return the route of every form."""
    return [
        door("/p/{project}/more", more, allow=STAFF),
        door("/p/{project}/do/{command}", change, allow=STAFF, methods=["GET", "POST"]),
    ]
