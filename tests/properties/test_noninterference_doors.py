"""The same twins, seen through every door a client has: bodies, headers, ETags, socket messages, close codes."""

import contextlib
import json
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import CancelledError
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from domain.agreement.share import RevokeShare
from domain.errors import Refused
from domain.ids import PersonId
from domain.plan.schedule import MoveForecast
from tests.properties.seeds import each
from tests.properties.twins import pair, play
from tests.web.doors import wait_until
from tests.world import HARBOUR, KEY, SHARE, START, World, salt
from web import app as application
from web.process import signing
from web.process.process import Given
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR

pytestmark = pytest.mark.stories

ORIGIN = "http://testserver"
LATER = START + timedelta(days=30)
PATHS = (
    f"/s/{SHARE}", f"/s/{SHARE}/today.css", f"/s/{SHARE}/record", "/home", "/home/shares", "/s/other0", "/s/nosuch",
    f"/s/{SHARE}/styles/{'0' * 64}.css", f"/api/v1/shares/{SHARE}/entries", "/api/v1/shares/other0/entries", "/p", "/audit",
    f"/p/{HARBOUR}", "/healthz/x", f"/s/{SHARE}?view=r1", f"/s/{SHARE}?about=", f"/s/{SHARE}?about=milestone-m1",
    f"/s/{SHARE}?about=milestone-m3", f"/s/{SHARE}?about=milestone-hidden0", f"/s/{SHARE}?about=risk-r2", f"/s/{SHARE}?about=risk-hr0",
    f"/s/{SHARE}?about=agreement-1", f"/s/{SHARE}?said=nosuch", f"/s/{SHARE}/answer?about=risk-r1", "/s/other0?about=", f"/s/{SHARE}/history", f"/s/{SHARE}/history?before=3",
    f"/s/{SHARE}/history/1", f"/s/{SHARE}/history/2", f"/s/{SHARE}/history/1/page", f"/s/{SHARE}/history/99",
    f"/s/{SHARE}/history?on=2027-03-03", f"/s/{SHARE}/history?on=2027-03-03&time=10:15", f"/s/{SHARE}/history?on=2020-01-01",
    "/s/other0/history", "/s/other0/history/1", "/s/other0/history/1/page", "/key.txt", f"/s/{SHARE}/evidence.zip",
    f"/s/{SHARE}/evidence.zip?n=1", f"/s/{SHARE}/evidence.zip?from=1&to=2", f"/s/{SHARE}/evidence.zip?n=99",
    "/mail/stop/viewer-acme.x", "/s/other0/evidence.zip", "/s/other0/evidence.zip?n=1", f"/audit/shares/{SHARE}/evidence.zip",
)  # fmt: skip

KEYS = re.compile(  # of a form and of a session: random, of one length, saying nothing
    rb'(?<=name=")(csrf|command_id)" value="\w+(?=")|(?<=/sessions/)\w{12}(?=/end)'
)


@contextlib.contextmanager
def doors(folder: Path) -> Iterator[tuple[Any, TestClient]]:
    """Open a folder's doors at one instant, with Acme's viewer signed in.

    What is due by then is done before anything is asked: a process does it by itself, half a second after its start,
    and whatever is asked before that would see another page than what is asked after it.
    """
    settings = Settings(data=folder, public_url=ORIGIN, session_hours=720, idle_minutes=43_200, exports_per_minute=1000)
    signing.write(settings.key_file, KEY)
    process = application.compose(settings, Given(now=lambda: LATER, salt=salt))
    process.clockwork._signed_at = (
        LATER.timestamp()
    )  # else it signs once before or after the first updates, as it comes
    due = process.clockwork.lead
    process.clockwork.lead = lambda: None  # type: ignore[method-assign]
    with TestClient(application.create(process), base_url=ORIGIN, follow_redirects=False) as client:
        client.headers["accept-encoding"] = (
            "identity"  # the length of a compressed page moves with the token of its forms
        )
        secret = process.services.credentials.enter(
            process.services.credentials.link(OPERATOR, PersonId("viewer-acme"))
        ).secret
        client.cookies.set(process.services.guard.cookie, secret)
        wait_until(process.leads)
        due()
        logs = process.services.logs
        wait_until(lambda: logs.disclosure.position() == logs.events.head())
        yield process, client


def paths(process: Any) -> list[str]:
    """Every page a viewer can ask for: those named above, and each route of theirs there is."""
    ids = {"share": SHARE, "n": "1", "risk": "r1", "milestone": "m1", "sha": process.services.renderer.stylesheet}
    found = list(PATHS)
    for route in application.routes(demo=False):
        allowed = getattr(getattr(route, "endpoint", None), "guarded", ())
        if isinstance(route, Route) and "GET" in (route.methods or ()) and "viewer" in allowed:
            found.append(re.sub(r"\{(\w+)(:\w+)?\}", lambda name: ids.get(name[1], "x"), route.path))
    return list(dict.fromkeys(found))


@contextlib.contextmanager
def watching(client: TestClient) -> Iterator[WebSocketTestSession]:
    """Open a socket; the test client cancels its side on leaving, which is no event of the product."""
    with (
        contextlib.suppress(CancelledError),
        client.websocket_connect(f"/s/{SHARE}/live", headers={"origin": ORIGIN}) as socket,
    ):
        yield socket


def hear(socket: WebSocketTestSession, heard: list[str]) -> None:
    """Take messages until the socket is closed."""
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            message = socket.receive()
            heard.append(json.dumps(message, sort_keys=True, default=str))
            if message["type"] == "websocket.close":
                return


def seen(seed: int, twin: int) -> list[str]:
    """Return all that the viewer can observe of one twin."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(Path(folder), Renderer())
        play(world, pair(seed, steps=8), twin)
        world.close()
        found: list[str] = []
        with doors(Path(folder)) as (process, client):
            for path in paths(process):
                answer = client.get(path)
                shown = KEYS.sub(b"", answer.content)
                found.append(f"{path} {answer.status_code} {sorted(answer.headers.items())} {shown!r}")
            for since in (0, 1, 99):
                with watching(client) as socket:
                    socket.send_text(json.dumps({"hello": since, "tab": "t", "v": 2}))
                    found.append(json.dumps(socket.receive(), default=str))
            active = process.services.present.refresh().shares[SHARE].active
            with watching(client) if active else contextlib.nullcontext() as socket:
                head = process.services.logs.disclosure.head(SHARE)
                if socket is None:
                    return found
                socket.send_text(json.dumps({"hello": head, "tab": "t", "v": 2}))
                found.append(json.dumps(socket.receive(), default=str))
                execute = process.services.service.execute
                move = MoveForecast(project=HARBOUR, milestone="m2", forecast=LATER.date(), reason="last")
                with contextlib.suppress(Refused):
                    execute(OPERATOR, move, command_id=f"last-{seed}")
                process.services.follower.wake()
                execute(OPERATOR, RevokeShare(share=SHARE, reason="over"), command_id=f"end-{seed}")
                codes: list[str] = []
                hear(socket, codes)
                found.append(codes[-1])
        return found


@pytest.mark.parametrize("seed", each(3, 6))
def test_twins_look_alike_through_every_door(seed: int) -> None:
    one, other = seen(seed, 0), seen(seed, 1)
    assert len(one) > len(PATHS) + 5
    assert any(line.startswith(f"/s/{SHARE}/evidence.zip 200") for line in one)  # there was something to compare
    for left, right in zip(one, other, strict=True):
        assert left == right
