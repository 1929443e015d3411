"""An application of some doors on a real folder, for tests of those doors."""

import contextlib
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from domain.ids import PersonId
from domain.people.person import InvitePerson
from tests.plain import Plain
from tests.recorded import recorded
from tests.world import ACME, ADMIN, World
from web import app as application
from web import clock
from web.door.templates import Pages
from web.ids import new_id
from web.process.process import Given, Process
from web.settings import Settings
from web.write.permission import OPERATOR

ORIGIN = "http://testserver"


def _sample(folder: Path) -> None:
    """Record the sample project and somebody of each role."""
    world = World(folder)
    world.harbour()
    for role in ("manager", "auditor", "admin"):
        world.tell(InvitePerson(person=PersonId(role), name=role.title(), email=f"{role}@x.test", role=role), ADMIN)
    world.close()


def every_route() -> list[BaseRoute]:
    """Return the routes of the whole application, but for the demo's."""
    return application.routes(demo=False)


class House:
    """A running installation with the sample project; `client(person)` is a browser signed in as them."""

    def __init__(
        self, folder: Path, routes: list[BaseRoute], now: Callable[[], datetime] = clock.now, **more: Any
    ) -> None:
        recorded(folder, _sample)
        settings = Settings(**{"data": folder, "public_url": ORIGIN, **more})
        self.process = Process(
            settings, Plain(), Pages(asset=lambda name: f"/static/{name}", demo=False), Given(now=now)
        )

        @contextlib.asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            async with self.process.running():
                yield

        self.app = Starlette(routes=routes, lifespan=lifespan)
        services = self.process.services
        self.app.state.services, self.app.state.viewing, self.app.state.guard = (
            services,
            self.process.viewing,
            services.guard,
        )

    def cookie(self, person: str) -> str:
        """Sign somebody in and return their cookie's secret."""
        return self.process.services.credentials.enter(
            self.process.services.credentials.link(OPERATOR, PersonId(person))
        ).secret

    def token(self, person: str) -> str:
        return self.process.services.credentials.token(OPERATOR, PersonId(person), "test")

    def client(self, person: str = "") -> TestClient:
        client = TestClient(self.app, base_url=ORIGIN, follow_redirects=False)
        if person:
            client.cookies.set(self.process.services.guard.cookie, self.cookie(person))
        return client

    def bearer(self, person: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token(person)}", "idempotency-key": new_id()}


@contextlib.contextmanager
def running(
    folder: Path, routes: list[BaseRoute], now: Callable[[], datetime] = clock.now, **more: Any
) -> Iterator[House]:
    """Start a house, with settings of its own, and stop it."""
    house = House(folder, routes, now, **more)
    with TestClient(house.app, base_url=ORIGIN):
        yield house


VIEWER, OTHER_VIEWER = f"viewer-{ACME}", "viewer-council"


def wait_until(true: Callable[[], bool], seconds: float = 15) -> None:
    """Return once something is true; fail when it has not come true in time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


def without_token(page: bytes) -> bytes:
    """Return a page without the token of its forms, which is another text in every answer."""
    return re.sub(rb'name="csrf" value="\w+"', b"", page)
