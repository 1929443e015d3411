"""The page of the channels that are told of one project: added, tried, changed, ended.

Rule: an address is typed here and never shown: not on the page, not in a refusal, not in a link.
"""

from collections.abc import Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Invalid, Refused
from domain.ids import ChannelId, CommandId, ProjectId
from domain.language import N_
from domain.language import gettext as _
from domain.plan.project import Project
from domain.telling.channels import (
    TOLD,
    AddChannel,
    AllowChannelContent,
    ChangeChannel,
    Channel,
    ChannelCommand,
    EndChannel,
    Form,
    ReplaceChannelAddress,
)
from domain.telling.told import Kind
from projections.wording import words
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.process.services import Services
from web.staff.acting import actor_of, permitted
from web.staff.frame import StaffPage, shell
from web.telling.matters import NAMES, ORDER
from web.telling.state import PRODUCT, state

SAID = {
    "added": N_("Added. It is told of what comes from now on. Try it."),
    "address": N_("Replaced. The address before is used no more. Try it."),
    "changed": N_("Recorded. It holds from the next message on."),
    "ended": N_("Ended. Nothing more is sent there, and its address is destroyed."),
}
SHOWN = 5  # messages listed of each
WHICH = N_("Choose Microsoft Teams or Slack.")


class ChannelLine(msgspec.Struct, frozen=True, kw_only=True):
    """One channel as the page shows it."""

    channel: Channel
    product: str
    since: str  # when its address was typed
    messages: Sequence[str]  # what became of the last ones, newest first
    kinds: Sequence[Kind]  # as typed or as they hold
    name: str
    may_allow: bool  # decide whether it may see content


class NewChannel(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed into the form that adds one, but for the address."""

    form: str = "teams"
    name: str = ""
    kinds: Sequence[Kind] = TOLD


class ChannelsPage(StaffPage, frozen=True, kw_only=True):
    """The channels that are told of a project."""

    template = "pm/channels.html"
    project: Project
    lines: Sequence[ChannelLine]
    kinds: Sequence[tuple[Kind, str]]
    products: Sequence[tuple[Form, str]]
    given: NewChannel
    said: str
    tried: str  # what the other end answered to a test
    problem: Refused | None
    where: str  # the channel whose form was refused, "" for the form that adds one


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What was done on the page, or which of its forms was refused and what was typed there."""

    said: str = ""
    tried: str = ""  # the channel
    problem: Refused | None = None
    where: str = ""
    given: NewChannel = NewChannel()


async def page(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/channels`: the channels of a project, with what became of the last messages."""
    asked = request.query_params
    return await _shown(request, signed, Attempt(said=asked.get("done", ""), tried=asked.get("tried", "")))


async def _shown(request: Request, signed: Signed, attempt: Attempt) -> Response:
    services: Services = request.app.state.services
    shown = await run_in_threadpool(_page, services, signed, request.path_params["project"], attempt)
    if shown is None:
        return not_found()
    return services.pages.answer(request, shown, status_of(attempt.problem) if attempt.problem else 200)


def _page(services: Services, signed: Signed, key: str, attempt: Attempt) -> ChannelsPage | None:
    world = services.present.refresh()
    project = world.projects.get(ProjectId(key))
    if project is None:
        return None
    found = world.channels_of(project.id)
    allow = [AllowChannelContent(channel=one.id, content=True) for one in found]
    lines = [
        _line(one, project.time_zone, attempt, may=permitted(world, signed, command))
        for one, command in zip(found, allow, strict=True)
    ]
    tried = next((line.messages[0] for line in lines if line.channel.id == attempt.tried and line.messages), "")
    return ChannelsPage(
        project=project,
        lines=lines,
        kinds=[(kind, _(NAMES[kind])) for kind in ORDER if kind in TOLD],
        products=[(key, _(word)) for key, word in PRODUCT.items()],
        given=NewChannel() if attempt.where else attempt.given,
        said=_(SAID[attempt.said]) if attempt.said in SAID else "",
        tried=tried,
        problem=attempt.problem,
        where=attempt.where,
        **shell(services, signed),
    )


def _line(channel: Channel, zone: str, attempt: Attempt, *, may: bool) -> ChannelLine:
    typed = attempt.given if attempt.where == channel.id and attempt.given.name else None
    return ChannelLine(
        channel=channel,
        product=_(PRODUCT[channel.form]),
        since=words.moment_year(channel.since, zone),
        messages=[state(channel, one, zone) for one in reversed(channel.posted[-SHOWN:])],
        kinds=typed.kinds if typed else channel.kinds,
        name=typed.name if typed else channel.name,
        may_allow=may,
    )


async def add(request: Request, signed: Signed) -> Response:
    """`POST /p/{project}/channels`: add one."""
    form = await request.form()
    given = _typed(form)
    named = next((key for key in PRODUCT if key == given.form), None)
    if named is None:
        return await _shown(request, signed, Attempt(problem=Invalid(_(WHICH), "form"), given=given))
    command = AddChannel(
        channel=ChannelId(str(form.get("channel") or "") or new_id()),
        project=ProjectId(request.path_params["project"]),
        form=named, name=given.name, address=str(form.get("address", "")), kinds=tuple(given.kinds),
    )  # fmt: skip
    return await _done(request, signed, command, "added", given)


def _typed(form: FormData) -> NewChannel:
    chosen = {str(one) for one in form.getlist("kind")}
    return NewChannel(
        form=str(form.get("form", "")), name=str(form.get("name", "")), kinds=[kind for kind in TOLD if kind in chosen]
    )


async def replace(request: Request, signed: Signed) -> Response:
    """`POST .../{channel}/address`: another address."""
    form = await request.form()
    address = str(form.get("address", ""))
    return await _done(request, signed, ReplaceChannelAddress(channel=_key(request), address=address), "address")


async def change(request: Request, signed: Signed) -> Response:
    """`POST .../{channel}/change`: another name, or other kinds."""
    given = _typed(await request.form())
    command = ChangeChannel(channel=_key(request), name=given.name, kinds=tuple(given.kinds))
    return await _done(request, signed, command, "changed", given)


async def allow(request: Request, signed: Signed) -> Response:
    """`POST .../{channel}/content`: whether it may see what lines say."""
    form = await request.form()
    command = AllowChannelContent(channel=_key(request), content=form.get("content") == "yes")
    return await _done(request, signed, command, "changed")


async def end(request: Request, signed: Signed) -> Response:
    """`POST .../{channel}/end`: nothing more is sent there."""
    return await _done(request, signed, EndChannel(channel=_key(request)), "ended")


async def try_out(request: Request, signed: Signed) -> Response:
    """`POST .../{channel}/test`: send a message that tells nothing, and show what the other end answered."""
    services: Services = request.app.state.services
    if not await run_in_threadpool(_belongs, services, request):
        return not_found()
    try:
        await run_in_threadpool(services.poster.try_out, actor_of(signed), _key(request))
    except Refused as refused:
        return await _shown(request, signed, Attempt(problem=refused, where=_key(request)))
    return RedirectResponse(f"/p/{request.path_params['project']}/channels?tried={_key(request)}", 303)


def _key(request: Request) -> ChannelId:
    return ChannelId(request.path_params["channel"])


def _belongs(services: Services, request: Request) -> bool:
    channel = services.present.refresh().channels.get(_key(request))
    return channel is not None and channel.project == request.path_params["project"]


async def _done(
    request: Request, signed: Signed, command: ChannelCommand, done: str, given: NewChannel | None = None
) -> Response:
    services: Services = request.app.state.services
    where = "" if isinstance(command, AddChannel) else command.channel
    if where and not await run_in_threadpool(_belongs, services, request):
        return not_found()
    key = CommandId(str((await request.form()).get("command_id") or "") or new_id(24))
    try:
        await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
    except Refused as refused:
        return await _shown(request, signed, Attempt(problem=refused, where=where, given=given or NewChannel()))
    return RedirectResponse(f"/p/{request.path_params['project']}/channels?done={done}", 303)


def routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    base = "/p/{project}/channels"
    return [
        door(base, page, allow=STAFF, name="channels"),
        door(base, add, allow=STAFF, methods=["POST"]),
        door(f"{base}/{{channel}}/test", try_out, allow=STAFF, methods=["POST"]),
        door(f"{base}/{{channel}}/address", replace, allow=STAFF, methods=["POST"]),
        door(f"{base}/{{channel}}/change", change, allow=STAFF, methods=["POST"]),
        door(f"{base}/{{channel}}/content", allow, allow=STAFF, methods=["POST"]),
        door(f"{base}/{{channel}}/end", end, allow=STAFF, methods=["POST"]),
    ]
