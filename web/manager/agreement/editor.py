"""The editor of a share agreement: the terms, the exact page they give, and what changes for the client.

Rule: all three are made from the same typed terms in one answer; looking saves nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import urlencode

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.agreement.share import DraftTerms, DropDraft, Share, ShareCommand
from domain.agreement.terms import Terms, Ways, checked, checked_ways
from domain.errors import Refused
from domain.ids import CommandId, ProjectId, ShareId
from domain.language import N_, Said, offered
from domain.language import gettext as _
from domain.plan.project import Project
from domain.plan.risks import Risk
from domain.plan.schedule import Milestone
from projections.events.world import World, names
from projections.wording import days
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.manager.agreement import outcome, terms_form
from web.manager.agreement import preview as agreement_preview
from web.manager.agreement.outcome import Outcome
from web.manager.agreement.preview import Draft
from web.manager.plan.lines import untitled
from web.manager.typed import Typed, first, typed_in
from web.process.services import Services
from web.staff.acting import actor_of
from web.staff.frame import FRAMING, StaffPage, share_of, shell
from web.write.service import Answer, version_named

FRESH = Ways(history=False)  # of an agreement that is new
SAID = Said(
    {
        "language": N_("Recorded. The client’s page and emails are in it from now on."),
        "saved": N_("Draft saved. Nothing changes for the client until it is put in force."),
        "dropped": N_("Draft discarded. The terms in force stand as they are."),
        "same": N_("Nothing changes: these are the terms in force."),
        "new": N_("A draft, not in force. Choose what it covers; the page and the consequence follow as you go."),
    }
)


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """The share that is being edited, with its project and what its client is called."""

    services: Services
    world: World
    project: Project
    share: Share
    client: str
    zone: str  # the client's, IANA

    @property
    def here(self) -> str:
        """The address of the editor."""
        return f"/p/{self.project.id}/shares/{self.share.id}/edit"

    def last_day(self, ways: Ways) -> date | None:
        """Return the last day of an agreement in the client's zone, None where it has no end."""
        return None if ways.expires is None else days.last_day(ways.expires, self.zone)


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """Other terms that somebody wants to start from, instead of those they changed and did not save."""

    start: str  # a template, "copy", or "standing" for what stands: the draft or what is in force
    copied: str  # the share to copy from, "" for none
    name: str

    @property
    def query(self) -> str:
        """The query of the editor that starts from them."""
        names = {"copy": {"copy": self.copied}, "standing": {}}
        return urlencode(names.get(self.start, {"from": self.start}))


class Editing(msgspec.Struct, frozen=True, kw_only=True):
    """What the editor shows of one draft: as typed, with what is wrong or what was done."""

    draft: Draft
    said: str = ""
    problem: Refused | None = None
    typed: Typed = {}
    asks: Beginning | None = None


class OutcomePage(StaffPage, frozen=True, kw_only=True):
    """The exact page under a draft, and what the draft changes."""

    template = "pm/edit_outcome.html"
    at: Desk
    draft: Draft | None
    outcome: Outcome | None  # None where the draft cannot be agreed
    problem: Refused | None
    token: str  # the draft as it travels in an address


class LookedPage(OutcomePage, frozen=True, kw_only=True):
    """The outcome in place of the one before, with the buttons that follow from it."""

    template = "pm/edit_looked.html"


class EditPage(OutcomePage, frozen=True, kw_only=True):
    """The terms as a form, with their outcome beside it."""

    template = "pm/edit.html"
    said: str
    asks: Beginning | None  # asked before what was typed is replaced
    typed: Typed
    pending: bool
    project: Project
    untitled: int  # milestones without a title for clients
    version: int
    languages: Mapping[str, str]  # that may be chosen, by code
    templates: Mapping[str, tuple[str, Terms]]
    sources: Sequence[tuple[str, str]]  # agreements to copy from: share, title
    last_day: str
    highest: int  # score there can be
    terms: Terms
    all_milestones: Sequence[Milestone]
    all_risks: Sequence[Risk]
    milestone_fields: Mapping[str, str]
    risk_fields: Mapping[str, str]
    levels: Mapping[str, str]
    measures: Mapping[str, str]
    health_words: Mapping[str, str]
    project_fields: Mapping[str, str]
    units: Mapping[str, str]  # of dates
    scores: Mapping[str, str]  # how detailed
    currency: str


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
    agreements = [
        (share.id, f"{at.world.client_name(share.client)}: {at.world.projects[share.project].client_title}")
        for share in at.world.shares.values()
        if share.versions and share.id != at.share.id and signed.person.manages(share.project)
    ]
    return sorted(agreements, key=lambda agreement: agreement[1])


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
    return await _page(request, signed, at, Editing(draft=draft, said=said))


async def change(request: Request, signed: Signed) -> Response:
    """`POST …/edit`: look at what was typed (nothing is saved), save it as the draft, or go on to activate it."""
    services: Services = request.app.state.services
    at = await run_in_threadpool(desk, services, request)
    if at is None:
        return not_found()
    typed = typed_in(await request.form())
    if first(typed, "start"):
        return await _begin(request, signed, at, typed)
    do, in_place = first(typed, "do") or "look", request.headers.get("hx-request") == "true"
    draft = standing(at.share)
    try:
        draft = Draft(terms_form.terms_of(typed), terms_form.ways_of(typed, at.zone))
        draft = Draft(checked(draft.terms), checked_ways(draft.ways, at.project.scale.size))
        if do == "look":
            if in_place:
                return await _look(request, signed, at, draft)
            return await _page(request, signed, at, Editing(draft=draft))
        if do == "activate" and outcome.in_force(at.share, draft):
            return await _page(request, signed, at, Editing(draft=draft, said=SAID["same"]))
        await run_in_threadpool(_save, services, signed, at, draft, typed)
    except Refused as refused:
        if in_place:
            return _refused(request, signed, at, refused)
        editing = Editing(draft=_kept(typed, at, draft), problem=refused, typed=typed)
        return await _page(request, signed, at, editing)
    return RedirectResponse(f"{at.here}/activate" if do == "activate" else f"{at.here}?done=saved", 303)


async def _begin(request: Request, signed: Signed, at: Desk, typed: Typed) -> Response:
    """Start from other terms; where that replaces terms that somebody changed and did not save, ask first."""
    wanted = beginning(at, signed, typed)
    if wanted is None:
        return not_found()
    draft = standing(at.share)
    try:
        draft = _agreeable(Draft(terms_form.terms_of(typed), terms_form.ways_of(typed, at.zone)), at)
    except Refused:
        draft = _kept(typed, at, draft)
    given = [checked(terms) for _name, terms in terms_form.TEMPLATES.values()]
    unsaved = draft != standing(at.share) and draft.terms not in given
    if unsaved and first(typed, "replace") != "yes":
        return await _page(request, signed, at, Editing(draft=draft, typed=typed, asks=wanted))
    return RedirectResponse(f"{at.here}?{wanted.query}".rstrip("?"), 303)


def beginning(at: Desk, signed: Signed, typed: Typed) -> Beginning | None:
    """Return the terms a form wants to start from, None where there are none such."""
    start, copied = first(typed, "start"), first(typed, "copy")
    if start in terms_form.TEMPLATES:
        return Beginning(start=start, copied="", name=terms_form.TEMPLATES[start][0])
    if start == "standing":
        return Beginning(start=start, copied="", name=_("The draft") if pending(at.share) else _("What is in force"))
    called = dict(sources(at, signed)).get(copied) if start == "copy" else None
    return None if called is None else Beginning(start="copy", copied=copied, name=called)


def _save(services: Services, signed: Signed, at: Desk, draft: Draft, typed: Typed) -> None:
    command = DraftTerms(share=at.share.id, terms=draft.terms, ways=draft.ways)
    send(services, signed, command, typed)


def send(services: Services, signed: Signed, command: ShareCommand, typed: Typed) -> Answer:
    """Carry out a command of a form: with the form's own id, on the version it was made for.

    Raises: Refused.
    """
    return services.service.execute(
        actor_of(signed),
        command,
        command_id=CommandId(first(typed, "command_id")),
        expected=version_named(first(typed, "expected")),
    )


def _kept(typed: Typed, at: Desk, otherwise: Draft) -> Draft:
    """Return what was typed, as far as it can be read, and the rest as it is `otherwise`."""
    try:
        terms = terms_form.terms_of(typed)
    except Refused:
        terms = otherwise.terms
    return Draft(terms, terms_form.ways_kept(typed, at.zone, otherwise.ways))


async def _look(request: Request, signed: Signed, at: Desk, draft: Draft) -> Response:
    looked = await run_in_threadpool(outcome.outcome, at.services, at.world, at.share, draft)
    token = agreement_preview.packed(draft)
    shown = LookedPage(at=at, draft=draft, outcome=looked, problem=None, token=token, **shell(at.services, signed))
    return at.services.pages.answer(request, shown)


def _refused(request: Request, signed: Signed, at: Desk, refused: Refused) -> Response:
    shown = LookedPage(at=at, draft=None, outcome=None, problem=refused, token="", **shell(at.services, signed))
    return at.services.pages.answer(request, shown)


async def _page(request: Request, signed: Signed, at: Desk, editing: Editing) -> Response:
    services, draft = at.services, editing.draft
    looked, token, problem = None, "", editing.problem
    try:
        looked = await run_in_threadpool(outcome.outcome, services, at.world, at.share, _agreeable(draft, at))
        token = agreement_preview.packed(draft)
    except Refused as refused:
        problem = problem or refused
    shown = EditPage(
        at=at,
        draft=draft,
        outcome=looked,
        problem=problem,
        token=token,
        said=editing.said,
        asks=editing.asks,
        typed=editing.typed,
        pending=pending(at.share),
        project=at.project,
        untitled=len(untitled(at.project)),
        version=at.world.versions.get(f"share-{at.share.id}", 0),
        languages=offered(),
        templates=terms_form.TEMPLATES,
        sources=sources(at, signed),
        last_day=terms_form.last_day(draft.ways, at.zone),
        highest=at.project.scale.size**2,
        **terms_form.choices(at.project, draft.terms),
        **shell(services, signed),
    )
    answer = services.pages.answer(request, shown, status_of(editing.problem) if editing.problem else 200)
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
    typed = typed_in(await request.form())
    try:
        await run_in_threadpool(send, services, signed, DropDraft(share=at.share.id), typed)
    except Refused as refused:
        return await _page(request, signed, at, Editing(draft=standing(at.share), problem=refused))
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
    looked = outcome.outcome(services, at.world, at.share, draft)
    gone = [line.title for line in looked.gone if line.item]
    marked = agreement_preview.marks(looked.change, looked.whole) if looked.before else ""
    rendered = services.renderer.render(looked.after)
    css = services.renderer.css_of(rendered.stylesheet) or services.renderer.css
    return agreement_preview.document(rendered, css, marked, gone)


def routes() -> list[BaseRoute]:
    """Return the routes of the editor."""
    here = "/p/{project}/shares/{share}/edit"
    return [
        door(here, edit, allow=STAFF),
        door(here, change, allow=STAFF, methods=["POST"]),
        door(f"{here}/discard", discard, allow=STAFF, methods=["POST"]),
        door(f"{here}/page", preview, allow=STAFF),
    ]
