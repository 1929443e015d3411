"""The page of what needs somebody, its count for the head of every page, and what can be said of a line.

Rule: every form names ids alone; the service decides whether they are on a list of whoever sent it.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Invalid, Refused
from domain.ids import CommandId, PersonId, ProjectId
from domain.language import N_, Said
from domain.language import gettext as _
from domain.people.for_you import EndAbsence, ForYouCommand, HandOverLine, PutOffLine, SetAbsence
from projections.events.world import World, organisation_zone
from projections.wording import words
from projections.wording.phrases import listed as in_words
from web.door.guard import STAFF, Signed, door
from web.door.problem import status_of
from web.ids import new_id
from web.manager.for_you.said import Listed, day_in, listed
from web.process.services import Services
from web.staff.acting import actor_of
from web.staff.for_you import counted
from web.staff.frame import StaffPage, shell
from web.write.colleagues import covers

DONE = Said(
    {
        "put-off": N_("Put off. It comes back on that day, or when something new is said."),
        "back": N_("It is back on the list."),
        "handed": N_("Handed over. It is on their list now."),
        "away": N_("Recorded. They have your lines on those days."),
        "here": N_("Recorded. Your lines are yours alone again."),
    }
)
DAY = N_("Choose a day.")
HELD, LOOK = 0.75, 0.05  # seconds for which a question for the list waits for news, and between two looks


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """Who covers for somebody, and when; what was typed where that was refused."""

    set: bool
    said: str  # the whole of it as a sentence
    left: str  # projects that the colleague does not manage, ""
    first: str  # ISO
    last: str
    cover: str
    covers: Sequence[tuple[str, str]]  # id, name


class ForYouListPage(StaffPage, frozen=True, kw_only=True):
    """The list, as the page asks for it again."""

    template = "pm/for_you_list.html"
    found: Listed


class ForYouPage(ForYouListPage, frozen=True, kw_only=True):
    """The list, and who covers for its reader."""

    template = "pm/for_you.html"
    away: Cover
    said: str
    problem: str


async def page(request: Request, signed: Signed) -> Response:
    """`GET /for-you`: what needs this person, by project."""
    services: Services = request.app.state.services
    said = _(DONE[done]) if (done := request.query_params.get("done", "")) in DONE else ""
    shown = await run_in_threadpool(_page, services, signed, said)
    return services.pages.answer(request, shown)


def _page(services: Services, signed: Signed, said: str = "", problem: str = "") -> ForYouPage:
    found = listed(services, signed)
    away = _away(services.present.world, signed, services)
    return ForYouPage(found=found, away=away, said=said, problem=problem, **shell(services, signed))


def _away(world: World, signed: Signed, services: Services) -> Cover:
    person = world.people.get(signed.person.id, signed.person)
    among = [(one.id, one.name) for one in covers(world, person)]
    absence = person.desk.absence
    today = words.local(services.now(), organisation_zone(world)).date()
    if absence is None or absence.last < today:
        return Cover(
            set=False, said="", left="", first=today.isoformat(), last=(today + timedelta(days=7)).isoformat(),
            cover="", covers=among,
        )  # fmt: skip
    told = _(
        "From {first} to {last} {name} has your lines too.",
        first=words.day_year(absence.first),
        last=words.day_year(absence.last),
        name=world.person_name(absence.cover),
    )
    cover = world.people.get(absence.cover)
    mine = [world.projects[key] for key in person.projects or () if key in world.projects]
    left = [project.title for project in mine if cover is None or not cover.manages(project.id)]
    return Cover(
        set=True, said=told, left=in_words(left), first=absence.first.isoformat(), last=absence.last.isoformat(),
        cover=absence.cover, covers=among,
    )  # fmt: skip


async def newer(request: Request, signed: Signed) -> Response:
    """`GET /for-you/list?seen=`: the list as soon as it is another than was seen, or 204 after a moment."""
    services: Services = request.app.state.services
    seen, position = request.query_params.get("seen"), services.present.world.position
    found = await run_in_threadpool(listed, services, signed)
    if found.token == seen and await _recorded_since(services, position):
        found = await run_in_threadpool(listed, services, signed)
    if found.token == seen:
        return Response(status_code=204, headers={"cache-control": "no-store"})
    shown = await run_in_threadpool(lambda: ForYouListPage(found=found, **shell(services, signed)))
    return services.pages.answer(request, shown)


async def _recorded_since(services: Services, position: int) -> bool:
    """Wait for something to be recorded after a position, at most `HELD` seconds; return whether something was."""
    for _turn in range(round(HELD / LOOK)):
        if services.present.world.position != position:
            return True
        await asyncio.sleep(LOOK)
    return False


async def count(request: Request, signed: Signed) -> Response:
    """`GET /for-you/count?seen=`: how many lines wait, as digits, or 204 when it is what was seen."""
    services: Services = request.app.state.services
    many = str(await run_in_threadpool(counted, services, signed))
    headers = {"cache-control": "no-store"}
    if many == request.query_params.get("seen"):
        return Response(status_code=204, headers=headers)
    return PlainTextResponse(many, headers=headers)


async def put_off(request: Request, signed: Signed) -> Response:
    """`POST /for-you/put-off`: show a line again on the day `until` or `day`; with `back` at once."""
    form = await request.form()
    until = None if form.get("back") else day_in(str(form.get("until") or form.get("day") or ""))
    if until is None and not form.get("back"):
        return await _refused(request, signed, Invalid(_(DAY), "until"))
    command = PutOffLine(
        person=signed.person.id, project=ProjectId(str(form.get("project"))), line=str(form.get("line")), until=until
    )
    return await _done(request, signed, command, "put-off" if until else "back")


async def hand_over(request: Request, signed: Signed) -> Response:
    """`POST /for-you/hand-over`: give a line to a colleague who manages its project."""
    form = await request.form()
    command = HandOverLine(
        person=signed.person.id, project=ProjectId(str(form.get("project"))), line=str(form.get("line")),
        to=PersonId(str(form.get("to"))),
    )  # fmt: skip
    return await _done(request, signed, command, "handed")


async def absence(request: Request, signed: Signed) -> Response:
    """`POST /for-you/absence`: who covers from `first` to `last`; with `end` nobody any more."""
    form = await request.form()
    if form.get("end"):
        return await _done(request, signed, EndAbsence(person=signed.person.id), "here")
    first, last = (day_in(str(form.get(name, ""))) for name in ("first", "last"))
    if first is None or last is None:
        return await _refused(request, signed, Invalid(_(DAY), "first"))
    cover = PersonId(str(form.get("cover")))
    return await _done(
        request, signed, SetAbsence(person=signed.person.id, first=first, last=last, cover=cover), "away"
    )


async def _done(request: Request, signed: Signed, command: ForYouCommand, done: str) -> Response:
    services: Services = request.app.state.services
    key = CommandId(str((await request.form()).get("command_id") or "") or new_id(24))
    try:
        await run_in_threadpool(services.service.execute, actor_of(signed), command, command_id=key)
    except Refused as refused:
        return await _refused(request, signed, refused)
    return RedirectResponse(f"/for-you?done={done}", 303)


async def _refused(request: Request, signed: Signed, refused: Refused) -> Response:
    services: Services = request.app.state.services
    shown = await run_in_threadpool(_page, services, signed, "", refused.message)
    return services.pages.answer(request, shown, status_of(refused))


def routes() -> list[BaseRoute]:
    """Return the routes of the list."""
    return [
        door("/for-you", page, allow=STAFF, name="for_you"),
        door("/for-you/list", newer, allow=STAFF, kind="polled", name="for_you_list"),
        door("/for-you/count", count, allow=STAFF, kind="polled", name="for_you_count"),
        door("/for-you/put-off", put_off, allow=STAFF, methods=["POST"]),
        door("/for-you/hand-over", hand_over, allow=STAFF, methods=["POST"]),
        door("/for-you/absence", absence, allow=STAFF, methods=["POST"]),
    ]
