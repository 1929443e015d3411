"""A real server with few descriptors, under connections that never come to their end: everybody else is served."""

import json
import socket
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from domain.ids import PersonId
from domain.people.person import InvitePerson
from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from tests.fleet import eventually
from tests.ports import free_port
from tests.world import ACME, ADMIN, HARBOUR, SHARE, World
from web import clock
from web.identity.credentials import Credentials
from web.write.permission import OPERATOR
from web.write.service import Service

pytestmark = [pytest.mark.alone, pytest.mark.folder]
DESCRIPTORS = 256


def test_pages_and_commands_are_served_while_half_requests_take_every_descriptor_they_can(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour()
    world.tell(InvitePerson(person=PersonId("mona"), name="Mona", email="mona@x.test", role="manager"), ADMIN)
    world.close()
    logs = Folder(tmp_path)
    present = CurrentWorld(logs.events)
    people = Credentials(Service(logs.events, present, clock.now), present, clock.now, link_hours=1, session_hours=1)
    viewer = people.enter(people.link(OPERATOR, PersonId(f"viewer-{ACME}"))).secret
    manager, token = (
        people.enter(people.link(OPERATOR, PersonId("mona"))).secret,
        people.token(OPERATOR, PersonId("mona"), "half"),
    )
    logs.close()
    port = free_port()
    told = ["serve", "--data", str(tmp_path), "--port", str(port), "--log-level", "error"]
    serving = subprocess.Popen(
        ["sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$@"', "sh", sys.executable, "-m", "web.cli", *told],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    with ExitStack() as held:
        held.callback(serving.wait, 60)
        held.callback(serving.terminate)
        eventually(lambda: _get(port, "/readyz", "") == 200, what="ready")
        for _ in range(4):
            for _ in range(100):
                half = held.enter_context(socket.create_connection(("127.0.0.1", port)))
                half.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            for path in (f"/s/{SHARE}", "/home/mail", "/me", f"/s/{SHARE}/history"):  # each for the first time
                assert _get(port, path, viewer) == 200, path
            for path in ("/p", f"/p/{HARBOUR}", f"/p/{HARBOUR}/shares/{SHARE}", "/clients"):
                assert _get(port, path, manager) == 200, path
            assert _move(port, token, len(held._exit_callbacks)) == 201


def _get(port: int, path: str, cookie: str) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"cookie": f"fanlight={cookie}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _move(port: int, token: str, i: int) -> int:
    command = {
        "type": "move-forecast", "project": HARBOUR, "milestone": "m1", "forecast": f"2027-05-{i % 27 + 1:02}",
        "reason": f"half {i}",
    }  # fmt: skip
    headers = {"authorization": f"Bearer {token}", "idempotency-key": f"half-{i}", "content-type": "application/json"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/commands", json.dumps(command).encode(), headers, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(answer.status)
