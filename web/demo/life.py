"""The demo: records a sample year, goes on changing the projects, and serves the page that signs visitors in."""

import asyncio
import contextlib
import ipaddress
import logging
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.agreement.answers import Screen
from domain.errors import Refused
from domain.ids import PersonId
from domain.language import gettext as _
from domain.people.person import Person
from domain.plan.project import Project
from projections.entries.entry import Entry
from projections.events.present import CurrentWorld
from projections.evidence.notary import Notary
from projections.follow.follower import Follower, FollowerPorts
from projections.installation.folder import Logs
from projections.receipts.taking import Receipts
from web.clock import Virtual, now
from web.demo import cast as plan
from web.demo import look
from web.demo.story import Story
from web.demo.visits import WEEKS, Visits
from web.door.guard import open_door
from web.door.templates import Page
from web.ids import random_salt
from web.process import open_logs
from web.process.services import Services
from web.process.signing import signing_key
from web.render.page import Renderer
from web.settings import BadSetting, Settings
from web.sign_in.keeping import signed_in
from web.write.brand_kept import BrandKept
from web.write.permission import OPERATOR
from web.write.service import Service

log = logging.getLogger("fanlight.demo")
WEEK = timedelta(days=7)
PACE = 4.0  # seconds between changes at speed 1, on average


def refuse_open_doors(settings: Settings) -> None:
    """Raise BadSetting when other machines could reach the demo, which signs anybody in as anyone."""
    host = settings.host
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        raise BadSetting(
            _("--host is {host!r}; the demo signs anybody in, so it only listens on loopback (127.0.0.1).", host=host)
        )


def tell_the_year(settings: Settings) -> None:
    """Record the sample year up to now, unless the folder has a history already."""
    folder = open_logs.logs(settings)
    try:
        if folder.events.head() == 0:
            _record_year(folder, settings)
    finally:
        folder.close()


def _record_year(folder: Logs, settings: Settings) -> None:
    clock, until = Virtual(now()), now()
    present = CurrentWorld(folder.events)
    receipts = Receipts(folder.receipts, clock, random_salt)
    visits = Visits(receipts, folder.disclosure, clock, settings.demo_seed)
    visits.plan(plan.HABITS, until)

    def updated(share: str, entries: Sequence[Entry]) -> None:
        visits.updated(share, entries[-1].n)

    ports = FollowerPorts(clock=clock, salt=random_salt, on_entries=updated)
    renderer = Renderer()
    follower = Follower(folder.events, folder.disclosure, renderer, ports)
    notary, signed = Notary(folder, signing_key(settings.key_file), clock), until - WEEKS

    def screen(share: str) -> Screen:
        last = folder.disclosure.last(share)
        return Screen(n=last.n, head=last.root) if last else Screen()

    service = Service(folder.events, present, clock)
    service.surround(BrandKept(folder.disclosure, renderer.style_of))
    worn = look.kept(folder.disclosure.keep_asset)
    story = Story(service, lambda: present.world, settings.demo_seed, screen, worn)
    for at in story.year(until):
        while follower.step():
            pass
        visits.until(at)
        clock.at = at
        if at - signed > WEEK:
            signed = at
            notary.sign(present.refresh().shares)
    while follower.step():
        pass
    visits.until(until)


class Life:
    """Changes the projects every few seconds while the server is up, unless paused."""

    def __init__(self, services: Services, speed: float, seed: int) -> None:
        self._services, self.speed = services, speed
        self._story = Story(services.service, lambda: services.present.world, seed + 1)
        self._random = random.Random(seed)  # noqa: S311  # a story, not a secret
        self._changed = asyncio.Event()

    def set_speed(self, speed: float) -> None:
        """Change the speed; 0 pauses."""
        self.speed = speed
        self._changed.set()

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Make changes while the server is up."""
        task = asyncio.create_task(self._keep_changing())
        try:
            yield
        finally:
            task.cancel()

    async def _keep_changing(self) -> None:
        while True:
            wait = PACE * self._random.uniform(0.5, 1.5) / self.speed if self.speed else None
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait)
                continue
            await run_in_threadpool(self._change_once)

    def _change_once(self) -> None:
        try:
            self._story.lapse(self._services.now())
            self._story.change(self._services.now())
            self._story.reviews.look(self._services.now())
        except Refused as refused:
            log.info("the story wanted what the domain refuses: %s", refused)
        except Exception:
            log.exception("a change of the story failed; the next one goes on")


class DemoPage(Page, frozen=True, kw_only=True):
    """The page of the demo."""

    template = "demo.html"
    organisation: str
    people: Sequence[Person]
    first: PersonId  # as whom to begin
    clients: Mapping[PersonId, str]  # names of the clients whose viewers they are, by person
    notes: Mapping[str, str]  # by person: what they see
    speed: float  # 0: paused
    updates: int  # shown so far
    projects: Sequence[Project]


async def page(request: Request) -> Response:
    """`GET /demo`: as whom a visitor can sign in, and what to watch."""
    services: Services = request.app.state.services
    world = services.present.refresh()
    people = [world.people[person] for person, *_ in plan.PEOPLE if person in world.people]
    shown = DemoPage(
        organisation=world.organisation,
        people=people,
        first=plan.FIRST,
        clients={person.id: ", ".join(map(world.client_name, person.clients)) for person in people},
        notes=plan.NOTES_ON,
        speed=_life(request).speed,
        updates=sum(services.logs.disclosure.head(share) for share in world.shares),
        projects=sorted(world.projects.values(), key=lambda project: project.client_title),
    )
    return services.pages.answer(request, shown)


async def become(request: Request) -> Response:
    """`POST /demo/as/{person}`: sign in as one of the cast."""
    services: Services = request.app.state.services
    person = PersonId(request.path_params["person"])
    if person not in {key for key, *_ in plan.PEOPLE}:
        return RedirectResponse("/demo", 303)
    secret = await run_in_threadpool(services.credentials.link, OPERATOR, person)
    entrance = await run_in_threadpool(services.credentials.enter, secret)
    response = RedirectResponse("/", 303)
    await signed_in(request, response, entrance.secret, keep=False)
    return response


async def pace(request: Request) -> Response:
    """`POST /demo/speed/{speed}`: faster, slower, or pause with 0."""
    speed = request.path_params["speed"]
    if speed in ("0", "1", "4"):
        _life(request).set_speed(float(speed))
    return RedirectResponse("/demo", 303)


def _life(request: Request) -> Life:
    life: Life = request.app.state.life
    return life


def routes() -> list[BaseRoute]:
    """Return the demo's routes."""
    return [
        open_door("/demo", page),
        open_door("/demo/as/{person}", become, methods=["POST"]),
        open_door("/demo/speed/{speed}", pace, methods=["POST"]),
    ]
