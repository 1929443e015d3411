"""The page on which somebody chooses what they are mailed of their list, and when."""

from collections.abc import Mapping, Sequence
from typing import get_args

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused
from domain.ids import CommandId, ProjectId
from domain.language import N_
from domain.language import gettext as _
from domain.telling.notices import ChooseNotices, When
from domain.telling.told import Kind
from projections.events.world import World, organisation_zone
from web.door.guard import STAFF, Signed, door
from web.door.problem import status_of
from web.ids import new_id
from web.mail import state
from web.process.services import Services
from web.staff.acting import actor_of
from web.staff.frame import StaffPage, shell
from web.telling.matters import NAMES, ORDER

WORDS: Mapping[When, str] = {"once": N_("At once"), "morning": N_("Each morning"), "off": N_("Not by email")}
SAID = N_("Recorded. Your list has every line all the same.")
SHOWN = 8  # mails listed


class KindChoice(msgspec.Struct, frozen=True, kw_only=True):
    """When somebody is mailed of one kind of line."""

    kind: Kind
    name: str
    when: When


class ToldProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project with channels that are told of it."""

    id: ProjectId
    title: str
    channels: int


class ForYouSettingsPage(StaffPage, frozen=True, kw_only=True):
    """What somebody is mailed of, and when."""

    template = "pm/for_you_settings.html"
    sends: bool  # whether this installation sends mails
    kinds: Sequence[KindChoice]
    words: Mapping[When, str]
    zone: str  # as typed or as it holds; "" for the organisation's
    usual_zone: str
    hour: str
    mails: Sequence[str]  # newest first
    projects: Sequence[ToldProject]
    said: str
    problem: Refused | None


async def page(request: Request, signed: Signed) -> Response:
    """`GET|POST /for-you/settings`: what one is mailed of, and when."""
    services: Services = request.app.state.services
    if request.method != "POST":
        said = _(SAID) if "done" in request.query_params else ""
        return services.pages.answer(request, await run_in_threadpool(_page, services, signed, said))
    form = await request.form()
    typed: dict[Kind, When] = {}
    for kind in ORDER:
        for when in get_args(When):
            if form.get(kind) == when:
                typed[kind] = when
    zone, key = str(form.get("zone", "")).strip(), str(form.get("command_id") or "") or new_id(24)
    command = ChooseNotices(person=signed.person.id, when=typed, time_zone=zone)
    try:
        await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=CommandId(key))
    except Refused as refused:
        shown = await run_in_threadpool(_page, services, signed, "", command, refused)
        return services.pages.answer(request, shown, status_of(refused))
    return RedirectResponse("/for-you/settings?done=1", 303)


def _page(
    services: Services, signed: Signed, said: str, typed: ChooseNotices | None = None, problem: Refused | None = None
) -> ForYouSettingsPage:
    world = services.present.refresh()
    person = world.people.get(signed.person.id, signed.person)
    when = typed.when if typed else {}
    zone = person.notices.time_zone or organisation_zone(world)
    notices = [mail for mail in person.mails if mail.kind == "notice"]
    return ForYouSettingsPage(
        sends=services.mail_sender is not None,
        kinds=[KindChoice(kind=k, name=_(NAMES[k]), when=when.get(k, person.notices.of(k))) for k in ORDER],
        words={key: _(word) for key, word in WORDS.items()},
        zone=typed.time_zone if typed else person.notices.time_zone,
        usual_zone=organisation_zone(world),
        hour=f"{services.settings.digest_hour:02}:00",
        mails=[state.state(mail, zone) for mail in reversed(notices[-SHOWN:])],
        projects=_projects(world, signed),
        said=said,
        problem=problem,
        **shell(services, signed),
    )


def _projects(world: World, signed: Signed) -> list[ToldProject]:
    person = world.people.get(signed.person.id, signed.person)
    mine = [project for project in world.projects.values() if person.manages(project.id)]
    told = [ToldProject(id=one.id, title=one.title, channels=len(world.channels_of(one.id))) for one in mine]
    return sorted((one for one in told if one.channels), key=lambda one: (one.title, one.id))


def routes() -> list[BaseRoute]:
    """Return the routes of the page."""
    return [door("/for-you/settings", page, allow=STAFF, methods=["GET", "POST"], name="for_you_settings")]
