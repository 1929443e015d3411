"""A process that stops: nobody who erases waits for it in vain, and what fails on the way holds up nothing after it."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from projections.installation.attendance import Attendance
from tests.web.doors import ORIGIN, House
from web.process import process as module

pytestmark = pytest.mark.folder

Run = Callable[[threading.Event], None]


class Eraser:
    """Another process, such as the command line: it asks whoever serves to let go."""

    def __init__(self, house: House) -> None:
        self._there = Attendance(house.process._logs.receipts._recorder)
        self.silent: list[list[str]] = []
        self.took: list[float] = []

    def asks(self, patience: float = 5.0) -> None:
        begun = time.monotonic()
        self.silent.append(self._there.everybody_lets_go(patience))
        self.took.append(time.monotonic() - begun)

    def there(self) -> int:
        return len(self._there.there())

    def at_the_end(self, house: House, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Return how many serve when the logs of a process are closed, once they are."""
        found, close = list[int](), house.process._logs.close

        def closes() -> None:
            found.append(self.there())
            close()

        monkeypatch.setattr(house.process._logs, "close", closes)
        return found


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "data", [])


def stopped(house: House) -> None:
    """Start it and stop it in order."""
    with TestClient(house.app, base_url=ORIGIN):
        pass


def test_it_answers_while_its_threads_end_and_is_gone_before_it_signs(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    eraser, receipts, sign = Eraser(house), house.process._receipts.run, house.process._sign_all

    def ends_late(stop: threading.Event) -> None:
        receipts(stop)
        assert eraser.there() == 1, "this thread could still send something"
        eraser.asks()

    def signs() -> None:
        assert eraser.there() == 0
        eraser.asks()
        sign()

    monkeypatch.setattr(house.process._receipts, "run", ends_late)
    monkeypatch.setattr(house.process, "_sign_all", signs)
    stopped(house)
    assert eraser.silent == [[], []]
    assert eraser.took[1] < 0.5, "there was nobody to wait for"


def test_where_a_thread_hangs_it_is_counted_until_the_end_and_goes_on_answering(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "JOINED", 0.2)
    eraser, receipts, sign, over = (
        Eraser(house),
        house.process._receipts.run,
        house.process._sign_all,
        threading.Event(),
    )

    def hangs(stop: threading.Event) -> None:
        receipts(stop)
        over.wait(30)

    def signs() -> None:
        assert eraser.there() == 1
        eraser.asks()
        sign()

    monkeypatch.setattr(house.process._receipts, "run", hangs)
    monkeypatch.setattr(house.process, "_sign_all", signs)
    at_the_end = eraser.at_the_end(house, monkeypatch)
    stopped(house)
    over.set()
    assert eraser.silent == [[]]
    assert at_the_end == [0]
    assert "these do not end: receipts" in caplog.text


def test_where_a_message_to_a_channel_is_still_on_its_way_it_is_counted_until_the_end(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    eraser, poster, over, found = Eraser(house), house.process.services.poster, threading.Event(), list[int]()
    sending = threading.Thread(target=over.wait, args=(30,), daemon=True)
    sending.start()
    monkeypatch.setattr(poster, "run", lambda stop: stop.wait())  # it has given up waiting for it
    poster._sending["channel"] = sending  # type: ignore[index]
    monkeypatch.setattr(house.process, "_sign_all", lambda: found.append(eraser.there()))
    at_the_end = eraser.at_the_end(house, monkeypatch)
    stopped(house)
    over.set()
    assert (found, at_the_end) == ([1], [0])
    assert "these do not end: messages" in caplog.text


def test_a_step_that_fails_is_logged_and_those_after_it_are_done(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_given: object) -> None:
        raise ZeroDivisionError

    async def drain(_seconds: float) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(house.process._live, "drain", drain)
    for step in ("_sign_all", "_snapshot_last"):
        monkeypatch.setattr(house.process, step, fails)
    monkeypatch.setattr(house.process._tail, "wake", fails)
    at_the_end = Eraser(house).at_the_end(house, monkeypatch)
    stopped(house)
    assert at_the_end == [0]
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError] * 4
    left = [thread.name for thread in threading.enumerate() if thread.name in ("follower", "receipts", "duties")]
    assert left == []
