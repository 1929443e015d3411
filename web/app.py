"""The composition root: wires everything, lists the routes, and holds no logic."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain import access, agreement
from domain.events import Recorded
from domain.health import LapseOverrides
from domain.ids import CommandId
from projections.disclosure import Entry
from projections.folder import Folder
from projections.follow import Follower
from projections.receipts import Receipts
from projections.replay import Heads, LiveLog
from web import api, assets, audit, client, clock, entry, pm
from web.guard import HEADERS, Guard, Signed, open_door
from web.ids import new_id, random_salt
from web.limits import Limit
from web.live import Live
from web.pages import Pages
from web.people import People
from web.present import Present
from web.render import Renderer
from web.service import SYSTEM, Service
from web.settings import Settings

log = logging.getLogger("fanlight")


class Parts:
    """Everything one process is made of."""

    def __init__(
        self,
        settings: Settings,
        *,
        now: Callable[[], datetime] = clock.now,
        salt: Callable[[str, int], bytes] = random_salt,
        point: Callable[[str], None] = lambda _name: None,
        demo: bool = False,
    ) -> None:
        self.settings, self.now, self.demo = settings, now, demo
        self.folder = Folder(settings.data)
        self.present = Present(self.folder.events)
        self.service = Service(self.folder.events, self.present, now, point)
        self.people = People(
            self.service, self.present, now, link_hours=settings.link_hours, session_hours=settings.session_hours
        )
        self.guard = Guard(lambda: self.present.world, now, settings.origin, secure=settings.secure)
        self.renderer = Renderer()
        self.heads = Heads(self.folder.disclosure)
        self.receipts = Receipts(self.folder.receipts, now)
        self.live = Live(LiveLog(self.folder.disclosure, self.heads), self.receipts.take, tick=settings.tick_seconds)
        self.follower = Follower(
            self.folder.events,
            self.folder.disclosure,
            self.renderer,
            clock=now,
            salt=salt,
            on_entries=self._send,
            point=point,
        )
        self.sign_ins = Limit(settings.sign_in_per_minute)
        self.pages = Pages(asset=assets.url, demo=demo)
        self.present.listen(self._cut)
        self.present.listen(lambda _new: self.follower.wake())
        self._point = point
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = threading.Event()

    def may_watch(self, signed: Signed, share: str) -> bool:
        """Tell whether somebody is a viewer of this share's client, and the share was ever in force."""
        found = self.present.world.shares.get(agreement.ShareId(share))
        person = signed.person
        return found is not None and person.client == found.client and bool(found.versions) and person.role == "viewer"

    def _send(self, share: str, entries: Sequence[Entry]) -> None:
        self._point("before-send")
        self.live.publish_threadsafe(share, [(e.n, e.message) for e in entries])

    def _cut(self, new: Sequence[Recorded]) -> None:
        """Close what an event ends, before anything else is sent."""
        for recorded in new:
            match recorded.event:
                case access.SessionEnded(session=session):
                    self._on_loop(self.live.end_session, session)
                case access.PersonDisabled():
                    self._on_loop(self.live.end_person, None, recorded.stream.partition("-")[2])
                case agreement.ShareRevoked():
                    self._on_loop(self.live.end_share, recorded.stream.partition("-")[2])
                case _:
                    pass

    def _on_loop(self, call: Callable[..., object], *arguments: object) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(call, *arguments)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow, flush receipts and keep time while the server is up."""
        self._loop = asyncio.get_running_loop()
        self.live.bind(self._loop)
        threads = [
            threading.Thread(target=self.follower.run, args=(self._stop,), name="follower"),
            threading.Thread(target=self.receipts.run, args=(self._stop,), name="receipts"),
        ]
        for thread in threads:
            thread.start()
        keeper = asyncio.create_task(self._keep_time())
        try:
            yield
        finally:
            keeper.cancel()
            await self.live.drain(2)
            self._stop.set()
            self.follower.wake()
            for thread in threads:
                await asyncio.to_thread(thread.join, 10)
            self.folder.close()

    async def _keep_time(self) -> None:
        """See what other processes wrote, and end overrides that have run out."""
        while True:
            await asyncio.sleep(0.5)
            try:
                await asyncio.to_thread(self._tick)
            except Exception:
                log.exception("keeping time failed; it goes on")

    def _tick(self) -> None:
        world, now = self.present.refresh(), self.now()
        for project in list(world.projects.values()):
            due = any(o.until <= now for o in project.health.overrides.values())
            if due and project.phase != "closed":
                self.service.execute(SYSTEM, LapseOverrides(project=project.id), command_id=CommandId(new_id(24)))


async def healthz(request: Request) -> Response:
    """`GET /healthz`: the truth about the follower and the parked shares."""
    parts: Parts = request.app.state.parts
    failing = bool(parts.follower.failure)
    body = {"ok": not failing, "follower": "failing" if failing else "following", "stopped": len(parts.follower.parked)}
    return JSONResponse(body, 503 if failing else 200, headers={"cache-control": "no-store"})


def routes(parts: Parts) -> list[BaseRoute]:
    """Return every route there is."""
    found = [
        open_door("/healthz", healthz),
        *assets.routes(),
        *entry.routes(),
        *client.routes(),
        *pm.routes(),
        *audit.routes(),
        *api.routes(),
    ]
    if parts.demo:
        from web import demo

        found += demo.routes()
    return found


def create(parts: Parts) -> ASGIApp:
    """Return the application."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(parts.running())
            if parts.demo:
                await stack.enter_async_context(app.state.life.going_on())
            yield

    app = Starlette(routes=routes(parts), lifespan=lifespan)
    app.state.parts, app.state.guard = parts, parts.guard
    if parts.demo:
        from web.demo import Life

        app.state.life = Life(parts, parts.settings.demo_speed, parts.settings.demo_seed)
    return Headers(app, secure=parts.settings.secure)


class Headers:
    """Puts the security headers on every HTTP response; a route may bring its own."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        always = dict(HEADERS)
        if secure:
            always["strict-transport-security"] = "max-age=63072000; includeSubDomains"
        self._headers = [(k.encode(), v.encode()) for k, v in always.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, adding headers to the start of a response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(h for h in self._headers if h[0] not in present)]
            await send(message)

        await self.app(scope, receive, with_headers)
