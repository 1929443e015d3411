"""The organisation's own page, for admins: its name, and how every page and email of it looks.

Rule: a brand is looked at in both schemes before it is set. What is set is one command, and one update of each share
that nobody is told of; docs/decisions/0028.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.ids import CommandId
from domain.language import N_
from domain.language import gettext as _
from domain.look import colour
from domain.look.colour import Finding
from domain.look.look import Picture
from domain.people.brand import SetBrand, look_of
from web.door.guard import ADMIN, Signed, door, not_found
from web.ids import new_id
from web.people import brand_sample
from web.people.brand_draft import Wrong, as_it_is, drafted, packed, shown, titles, unpacked
from web.pictures.picture import MOST
from web.process.services import Services
from web.staff.acting import actor_of
from web.staff.frame import FRAMING, StaffPage, shell

SAID = N_("Recorded. It is one update of each share, and nobody is told of it.")
PRODUCT = "#234e9e"  # the product's own accent, as dashboard.css has it


class OrganisationPage(StaffPage, frozen=True, kw_only=True):
    """The name and the look of the organisation, and a draft of another one."""

    template = "pm/organisation.html"
    draft: SetBrand
    token: str  # the draft as it travels
    preview: bool  # whether there is a draft to look at
    changed: bool  # whether it differs from what is set
    pictures: Mapping[str, Picture | None]
    titles: Mapping[str, str]  # of the pictures
    findings: Sequence[Finding]  # of the accent, for each scheme
    product: str  # the product's own accent
    most: int  # KiB of a picture
    mails: bool  # whether emails are sent
    wrong: Mapping[str, str]  # message by field
    said: str


async def organisation(request: Request, signed: Signed) -> Response:
    """`GET /organisation?draft=...`: how the organisation is called and looks, or a draft of that in both schemes."""
    services: Services = request.app.state.services
    world = await run_in_threadpool(services.present.refresh)
    given = request.query_params.get("draft", "")
    draft = unpacked(given) if given else None
    if given and draft is None:
        return not_found()
    return _page(request, signed, draft or as_it_is(world.brand), preview=draft is not None)


def _page(
    request: Request, signed: Signed, draft: SetBrand, wrong: Sequence[Wrong] = (), *, preview: bool = False
) -> Response:
    services: Services = request.app.state.services
    accent = None if wrong or not draft.accent else look_of(draft).accent
    page = OrganisationPage(
        draft=draft,
        token=packed(msgspec.structs.replace(draft, accent="") if wrong else draft),
        preview=preview,
        changed=draft != as_it_is(services.present.world.brand),
        pictures=shown(draft),
        titles=titles(),
        findings=colour.findings(accent) if accent is not None else (),
        product=PRODUCT,
        most=MOST // 1024,
        mails=services.mail_sender is not None,
        wrong={one.field: one.message for one in wrong},
        said=_(SAID) if request.query_params.get("done") else "",
        **shell(services, signed),
    )
    response = services.pages.answer(request, page, 422 if wrong else 200)
    response.headers["content-security-policy"] = FRAMING
    return response


async def look_at(request: Request, signed: Signed) -> Response:
    """`POST /organisation`: what was typed and uploaded as a draft, to be looked at; nothing is set by it."""
    services: Services = request.app.state.services
    form = await request.form(max_files=8, max_fields=64)
    before = unpacked(str(form.get("draft", "")))
    if before is None:
        before = as_it_is((await run_in_threadpool(services.present.refresh)).brand)
    draft, wrong = await drafted(form, before, services.logs.disclosure)
    try:
        look_of(draft)
    except Refused as refused:
        wrong.append(Wrong(refused.field, refused.message))
    if not wrong and not draft.name:
        wrong.append(Wrong("name", _("The organisation needs a name. Type it and look again.")))
    if wrong:
        return _page(request, signed, draft, wrong)
    return RedirectResponse(f"/organisation?{urlencode({'draft': packed(draft)})}#preview", 303)


async def save(request: Request, signed: Signed) -> Response:
    """`POST /organisation/save`: set what was looked at."""
    services: Services = request.app.state.services
    form = await request.form()
    draft = unpacked(str(form.get("draft", "")))
    if draft is None:
        return not_found()
    key = CommandId(str(form.get("command_id", "")) or new_id(24))
    try:
        await run_in_threadpool(services.service.execute, actor_of(signed), draft, command_id=key)
    except Refused as refused:
        return _page(request, signed, draft, [Wrong(refused.field, refused.message)], preview=True)
    return RedirectResponse("/organisation?done=brand", 303)


async def preview(request: Request, signed: Signed) -> Response:
    """`GET /organisation/preview?draft=...&scheme=light|dark`: a sample dashboard in a draft of a brand."""
    services: Services = request.app.state.services
    draft = unpacked(request.query_params.get("draft", ""))
    scheme = request.query_params.get("scheme", "")
    if draft is None or scheme not in colour.GROUNDS or signed is None:
        return not_found()
    return await run_in_threadpool(
        brand_sample.document, services.renderer, look_of(draft), draft.name or _("Your organisation"), scheme
    )


def routes() -> list[BaseRoute]:
    """Return the routes of the organisation's own page."""
    return [
        door("/organisation", organisation, allow=ADMIN),
        door("/organisation", look_at, allow=ADMIN, methods=["POST"]),
        door("/organisation/save", save, allow=ADMIN, methods=["POST"], name="save_brand"),
        door("/organisation/preview", preview, allow=ADMIN, name="preview_brand"),
    ]
