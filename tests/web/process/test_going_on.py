"""An error nobody thought of ends no thread and no task of a process for good, and no duty of its clock starves others."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from domain.ids import PersonId
from domain.people.person import InvitePerson
from tests.web.doors import ORIGIN, House, wait_until
from web.process import process as module
from web.process.hints import Hints
from web.write.permission import OPERATOR

pytestmark = pytest.mark.folder


class Fails:
    """Fails the first time it is called, and does afterwards what it stands for."""

    def __init__(self, sound: Callable[..., Any]) -> None:
        self._sound, self.calls = sound, 0

    def __call__(self, *given: Any) -> Any:
        self.calls += 1
        if self.calls == 1:
            raise ZeroDivisionError
        return self._sound(*given)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN", 0.05)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "data", [])


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged with a traceback of the error that was planted."""
    records = (record for record in caplog.records if record.exc_info and record.exc_info[0] is ZeroDivisionError)
    return [record.getMessage() for record in records]


def test_every_thread_and_task_begins_again(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sound, made = house.process._work, list[tuple[str, Fails]]()

    def work() -> list[tuple[str, Callable[[threading.Event], None]]]:
        made.extend((name, Fails(run)) for name, run in sound())
        return list(made)

    keep = Fails(house.process.clockwork.keep)
    monkeypatch.setattr(house.process, "_work", work)
    monkeypatch.setattr(house.process.clockwork, "keep", keep)
    with TestClient(house.app, base_url=ORIGIN):
        wait_until(lambda: bool(made) and all(run.calls == 2 for _name, run in made) and keep.calls == 2)
        assert {"receipts", "follower", "duties", "sources", "channels"} <= {name for name, _run in made}
        alive = {thread.name for thread in threading.enumerate()}
        assert {name for name, _run in made} <= alive
        house.process.services.service.execute(
            OPERATOR,
            InvitePerson(person=PersonId("late"), name="Late", email="late@x.test", role="auditor"),
            command_id=module.CommandId("late"),
        )
        head = house.process.services.logs.events.head()
        wait_until(lambda: house.process.services.logs.disclosure.position() == head)  # the follower works again
    told = [f"{name} ended unexpectedly; it begins again" for name in [*(name for name, _run in made), "clock"]]
    assert sorted(errors(caplog)) == sorted(told)


@pytest.mark.parametrize("duty", ["_end_terms", "_end_days", "end_idle", "end_devices", "sign"])
def test_a_duty_that_fails_for_ever_keeps_none_of_the_others_from_being_done(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, duty: str
) -> None:
    done: list[str] = []
    clockwork = house.process.clockwork

    def fails(*_given: object) -> None:
        raise ZeroDivisionError

    for one in ("sign", "_end_terms", "_end_days", "end_idle", "end_devices", "_lapse", "_reap_now_and_then"):
        name = one

        def notes(*_given: object, name: str = name) -> None:
            done.append(name)

        monkeypatch.setattr(clockwork, one, fails if one == duty else notes)
    clockwork.lead()
    assert len(done) == 6, done
    assert len(errors(caplog)) == 1
    house.process.services.logs.close()


def test_the_health_is_examined_where_what_else_the_clock_does_fails(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    services, looked = house.process.services, list[int]()

    def fails(*_given: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(services.activity, "write", fails)
    monkeypatch.setattr(services.present, "refresh", fails)
    monkeypatch.setattr(services.health, "look", lambda: looked.append(1))
    house.process.clockwork.tick()
    assert (looked, len(errors(caplog))) == ([1], 2)
    services.logs.close()


def test_logs_that_do_not_answer_are_said_once_a_turn_and_not_by_each_duty(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, looked = house.process.services, list[int]()

    def away(*_given: object) -> None:
        raise services.logs.away[0]

    monkeypatch.setattr(services.present, "refresh", away)
    monkeypatch.setattr(services.activity, "write", lambda: looked.append(1))
    with pytest.raises(services.logs.away[0]):
        house.process.clockwork.tick()
    assert looked == []
    services.logs.close()


def test_a_process_that_cannot_read_what_others_recorded_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with TestClient(house.app, base_url=ORIGIN):
        health = house.process.services.health
        wait_until(lambda: health.report().ok)
        monkeypatch.setattr(house.process._tail, "failure", "ZeroDivisionError: ")
        assert health.report().ok, "one process alone reads nothing of others"
        monkeypatch.setattr(house.process._logs, "shared", True)
        monkeypatch.setattr(type(health), "following", "follows")
        assert not health.report().ok
        assert health.behind
        monkeypatch.setattr(house.process._tail, "failure", "")
        assert health.report().ok
        assert not health.behind
        monkeypatch.setattr(house.process._logs, "shared", False)


def test_hints_that_run_a_second_time_are_heard_in_one_thread() -> None:
    async def story() -> None:
        hints = Hints("redis://127.0.0.1:1/0", "one", "me", lambda _hint: None, dict)
        for _ in range(2):
            running = asyncio.create_task(hints.run())
            await asyncio.sleep(0.05)
            running.cancel()
            await asyncio.wait([running])
        assert [thread.name for thread in threading.enumerate()].count("hints") == 1
        hints.end()
        await hints.close()

    asyncio.run(story())
