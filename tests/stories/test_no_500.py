"""No input gives a 500: whatever anybody sends by any route, form, query, header or command is answered.

`make test` asks for some seconds on each database, `make test-slow` for twenty minutes. SEED gives another stretch.
"""

import os
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from domain.ids import PersonId
from domain.money import Money
from domain.people.person import InvitePerson
from domain.plan.budget import ApproveBudget
from tests.properties.seeds import FIRST_SEED, ON_POSTGRES
from tests.recorded import recorded
from tests.stories.hostile import Asked, command_requests, fields_of, one_by_one, page_requests
from tests.web.doors import ORIGIN
from tests.world import ADMIN, COUNCIL, DEPOT, HARBOUR, OTHER, World, everything, pounds
from web import app as application
from web.ids import form_token
from web.process.process import Process
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR

SECONDS = float(os.environ.get("FUZZ_SECONDS", "8" if ON_POSTGRES else "20"))
LONG = float(os.environ.get("FUZZ_LONG", "1200"))
AT_ONCE = 150  # requests to one installation: what they do to it stays in bounds
MAY = {"/healthz", "/readyz"}  # which say by a 503 how things are


def sample(folder: Path) -> None:
    """Record two projects, three agreements and somebody of each role."""
    world = World(folder, Renderer())
    world.harbour()
    world.project(DEPOT, "Depot")
    world.share(everything(), OTHER, HARBOUR, COUNCIL)
    world.tell(ApproveBudget(project=HARBOUR, measure="price", amount=Money(pounds(100_000), "GBP"), reason="Agreed"))
    for role in ("manager", "auditor", "admin"):
        world.tell(InvitePerson(person=PersonId(role), name=role.title(), email=f"{role}@x.test", role=role), ADMIN)
    world.close()


class Product:
    """The whole application, and somebody of each role who comes in."""

    def __init__(self, folder: Path, database_url: str = "") -> None:
        if not database_url:  # else the sample is there
            recorded(folder, sample)
        given: dict[str, Any] = {"data": folder, "database_url": database_url, "public_url": ORIGIN}
        made = Settings(**given, sign_in_per_minute=1_000_000, max_upload_mb=1)
        self.process: Process = application.compose(made)
        self.client = TestClient(application.create(self.process), base_url=ORIGIN, follow_redirects=False)
        self._sessions: dict[str, str] = {}
        self._tokens: dict[str, str] = {}

    def ask(self, asked: Asked) -> int:
        """Send a request and return the status of its answer.

        Raises: whatever the application raised, which a server answers with a 500.
        """
        self.client.cookies.clear()
        url = self.client.base_url.join(asked.target)
        sent = [*asked.headers, *self._credentials(asked)]
        request = self.client.build_request(asked.method, url, headers=sent, content=asked.body)
        return self.client.send(request).status_code

    def _credentials(self, asked: Asked) -> list[tuple[bytes, bytes]]:
        person, credentials = PersonId(asked.person), self.process.services.credentials
        known = self.process.services.present.world.people.get(person)
        if known is None or not known.comes_in:
            return []
        if asked.token:
            if asked.person not in self._tokens:
                self._tokens[asked.person] = credentials.token(OPERATOR, person, "test")
            return [(b"authorization", f"Bearer {self._tokens[asked.person]}".encode())]
        cookie = self.process.services.guard.cookie
        if self._sessions.get(asked.person, "") not in {session.hash for session in known.sessions.values()}:
            secret = credentials.enter(credentials.link(OPERATOR, person)).secret
            known = self.process.services.present.world.people[person]
            self._sessions[asked.person] = list(known.sessions.values())[-1].hash
            self._secrets = {**getattr(self, "_secrets", {}), asked.person: secret}
        sent = [(b"cookie", f"{cookie}={self._secrets[asked.person]}".encode())]
        if asked.ours:
            sent.append((b"x-fanlight-form", form_token(self._sessions[asked.person]).encode()))
        return sent


class Faults:
    """What was answered with a 500, by where it was raised; one request of each."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.statuses: Counter[int] = Counter()

    def note(self, product: Product, asked: Asked) -> None:
        try:
            status = product.ask(asked)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)
            ours = [
                frame
                for frame in where
                if any(part in frame.filename for part in ("/web/", "/domain/", "/projections/"))
            ]
            place = f"{Path((ours or where)[-1].filename).name}:{(ours or where)[-1].name}"
            self.found.setdefault(f"{type(error).__name__} in {place}", _told(asked, repr(error)))
            return
        self.statuses[status] += 1
        if status >= 500 and asked.target.partition("?")[0] not in MAY:
            self.found.setdefault(f"{status} of {asked.target.partition('?')[0]}", _told(asked, str(status)))


def _told(asked: Asked, what: str) -> str:
    return (
        f"{what[:200]}: {asked.person} {asked.method} {asked.target[:300]} {asked.headers!r:.300} {asked.body[:300]!r}"
    )


def hunt(folder: Path, seconds: float, first: int, part: tuple[int, int] = (1, 1)) -> Faults:
    """Ask one by one, and then anything until so many seconds are over; return the faults found.

    `part`: of what is asked one by one, each so manieth: of what holds a NUL, which a database may trip over, and of the rest.
    """
    faults, end, number = Faults(), time.monotonic() + seconds, first
    product = Product(folder / "one by one")
    with product.client:
        every = enumerate(one_by_one(fields_of(product.process.services.present.world)))
        for asked in (asked for place, asked in every if place % part[0 if _holds_nul(asked) else 1] == 0):
            faults.note(product, asked)
    print(f"one by one: {sum(faults.statuses.values())} answers in {time.monotonic() - end + seconds:.0f} s")
    while time.monotonic() < end:
        product = Product(folder / str(number))
        asking = _asking(product, faults, end)
        with product.client:
            seed(number)(asking)()
        number += 1
    return faults


def _holds_nul(asked: Asked) -> bool:
    return "%00" in asked.target or b"%00" in asked.body or b"\\u0000" in asked.body


def _asking(product: Product, faults: Faults, end: float) -> Callable[[], None]:
    """Return what asks one installation one thing after another until `end`, by `time.monotonic`."""
    pages = page_requests(fields_of(product.process.services.present.world))

    @settings(
        max_examples=AT_ONCE,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(pages, pages, command_requests()))
    def ask(asked: Asked) -> None:
        if time.monotonic() < end:
            faults.note(product, asked)

    return ask


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(SECONDS, id="seconds"),
        pytest.param(LONG, id="minutes", marks=[pytest.mark.slow, pytest.mark.stories]),
    ],
)
def test_no_input_gives_a_500(tmp_path: Path, seconds: float) -> None:
    part = (1, 1) if seconds == LONG else (4, 16) if ON_POSTGRES else (1, 3)
    faults = hunt(tmp_path, seconds, FIRST_SEED * 1_000_000, part)
    print(f"SEED={FIRST_SEED}: {sum(faults.statuses.values())} answers, {dict(faults.statuses.most_common())}")
    assert not faults.found, "\n".join(f"{what}: {told}" for what, told in faults.found.items())
    assert {200, 303, 400, 403, 404, 422} <= set(faults.statuses)  # what is asked gets past the first door
