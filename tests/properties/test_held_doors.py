"""What waits, seen through every door a client has: pages, history, evidence, frames, ticks and close codes alike."""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from domain.agreement.answers import RaiseConcern, Screen
from domain.agreement.share import ReleaseHeld, RevokeShare
from domain.commands import AnyCommand
from domain.ids import CommandId, MilestoneId, PersonId
from domain.plan.schedule import MoveForecast
from tests.properties.holding import VIEWER, drawn, play
from tests.properties.seeds import FIRST_SEED, each
from tests.properties.test_held import LEAKS
from tests.properties.test_noninterference_doors import KEYS, ORIGIN, hear, paths, watching
from tests.web.doors import wait_until
from tests.world import HARBOUR, KEY, SHARE, START, World, salt
from web import app as application
from web.process import signing
from web.process.process import Given, Process
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR

pytestmark = pytest.mark.stories

NOTE = "Talks go on"
LATER = START + timedelta(days=9)  # no time is up yet


@contextlib.contextmanager
def told(seed: int, *, held: bool) -> Iterator[tuple[Process, TestClient]]:
    """Open the doors of a world in which a story was told, with Acme's viewer signed in."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(Path(folder), Renderer())
        play(world, drawn(seed, steps=10), held=held)
        world.close()
        settings = Settings(
            data=Path(folder),
            public_url=ORIGIN,
            session_hours=720,
            idle_minutes=43_200,
            tick_seconds=1,
            exports_per_minute=1000,
        )
        signing.write(settings.key_file, KEY)
        process = application.compose(settings, Given(now=lambda: LATER, salt=salt))
        process.clockwork._signed_at = (
            LATER.timestamp()
        )  # else it signs once before or after the first updates, as it comes
        with TestClient(application.create(process), base_url=ORIGIN, follow_redirects=False) as client:
            client.headers["accept-encoding"] = "identity"
            secret = process.services.credentials.enter(
                process.services.credentials.link(OPERATOR, PersonId("viewer-acme"))
            ).secret
            client.cookies.set(process.services.guard.cookie, secret)
            yield process, client


def tell(process: Process, command: AnyCommand, key: str) -> None:
    """Carry out a command, and wait until the follower has taken it in."""
    process.services.service.execute(OPERATOR, command, command_id=CommandId(key))
    process.services.follower.wake()
    wait_until(lambda: process.services.logs.disclosure.position() >= process.services.logs.events.head())


def slip(process: Process) -> MoveForecast:
    """A slip that has to wait."""
    old = process.services.present.refresh().projects[HARBOUR].schedule.milestones[MilestoneId("m2")].forecast
    later = max(old, date(2027, 9, 1)) + timedelta(days=30)
    return MoveForecast(project=HARBOUR, milestone=MilestoneId("m2"), forecast=later, reason="secret at the end")


def on_screen(process: Process, client: TestClient, *, held: bool) -> list[str]:
    """Return all that an open page receives while something waits, up to the end of the share."""
    with watching(client) as socket:
        head = process.services.logs.disclosure.head(SHARE)
        socket.send_text(json.dumps({"hello": head, "tab": "t", "v": 2}))
        found = [json.dumps(socket.receive(), default=str)]
        if held:
            tell(process, slip(process), "slip")
        while "tick" not in found[-1]:
            found.append(json.dumps(socket.receive(), default=str))
        screen = Screen(n=1, head="ab" * 32)
        tell(
            process,
            RaiseConcern(share=SHARE, concern="c", subject="", text="And now?", by=VIEWER, screen=screen),
            "free",
        )
        while f'"n\\":{head + 1},' not in found[-1]:
            found.append(json.dumps(socket.receive(), default=str))
        tell(process, RevokeShare(share=SHARE, reason="over"), "end")
        rest: list[str] = []
        hear(socket, rest)
    ticks = [line for line in found if "tick" in line]  # how many came depends on how fast the test is
    return [*(line for line in (*found, *rest) if "tick" not in line), ticks[0]]


def seen(seed: int, *, held: bool) -> list[str]:
    """Return all that the viewer can observe of one world."""
    with told(seed, held=held) as (process, client):
        assert bool(process.services.present.refresh().held(SHARE).held) == held
        found = []
        for path in paths(process):
            answer = client.get(path)
            found.append(
                f"{path} {answer.status_code} {sorted(answer.headers.items())} {KEYS.sub(rb'', answer.content)!r}"
            )
        for since in (0, 1, 99):
            with watching(client) as socket:
                socket.send_text(json.dumps({"hello": since, "tab": "t", "v": 2}))
                found.append(json.dumps(socket.receive(), default=str))
        return found + on_screen(process, client, held=held)


@pytest.mark.parametrize("seed", each(3, 5))
def test_what_waits_is_seen_through_no_door(seed: int) -> None:
    one, other = seen(seed, held=True), seen(seed, held=False)
    assert any(line.startswith(f"/s/{SHARE}/evidence.zip 200") for line in one)  # there was something to compare
    assert any("tick" in line for line in one)
    for left, right in zip(one, other, strict=True):
        assert left == right


def test_a_leak_of_what_waits_would_be_seen_through_the_doors() -> None:
    with LEAKS["how many wait"]():
        assert seen(FIRST_SEED, held=True) != seen(FIRST_SEED, held=False)


def test_what_is_released_reaches_an_open_page_as_one_update_with_its_note() -> None:
    with told(FIRST_SEED, held=True) as (process, client), watching(client) as socket:
        head = process.services.logs.disclosure.head(SHARE)
        socket.send_text(json.dumps({"hello": head, "tab": "t", "v": 2}))
        heard: list[dict[str, Any]] = [json.loads(socket.receive()["text"])]
        tell(process, slip(process), "slip")
        tell(process, ReleaseHeld(share=SHARE, by=OPERATOR.person, note=NOTE), "release")
        while heard[-1].get("n") != head + 1:
            heard.append(json.loads(socket.receive()["text"]))
        assert process.services.logs.disclosure.head(SHARE) == head + 1
        (entry,) = process.services.logs.disclosure.entries(SHARE, head, 10)
        assert NOTE in entry.message.decode()
        assert [message["n"] for message in heard if "n" in message][-1:] == [head + 1]
