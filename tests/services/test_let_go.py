"""An erasure by the command line, beside two real processes that serve: it waits for both, and names one that hangs."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.installation.attendance import PATIENCE
from projections.installation.database import Database
from tests.fleet import Fleet, eventually, fleet
from tests.programs import Program

pytestmark = [pytest.mark.alone, pytest.mark.slow]

CONFIRM = "A process that serves did not confirm"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Fleet]:
    with fleet(tmp_path, workers=2) as made:
        yield made


def erase(running: Fleet, email: str, code: int = 0) -> tuple[str, float]:
    """Erase somebody by the command line; return what it printed, and how many seconds it took."""
    output, begun = running.path / f"{email}.txt", time.monotonic()
    told = ["erase", "person", email, "--reason", "Asked for it", "--data", running.path / "shared"]
    program = Program(told, {"FANLIGHT_DATABASE_URL": running.app}, output)
    assert program.wait(60) == code, output.read_text()
    return output.read_text(), time.monotonic() - begun


def there(running: Fleet) -> int:
    """Return how many processes are known to serve."""
    database = Database(running.app)
    try:
        return len(database.processes.there())
    finally:
        database.close()


def test_an_erasure_waits_for_every_process_and_names_one_that_hangs(running: Fleet) -> None:
    assert there(running) == 2
    printed, _took = erase(running, "v0@acme.test")
    assert CONFIRM not in printed
    assert there(running) == 2
    hung = running.workers[0]
    hung.signal(signal.SIGSTOP)
    try:
        printed, took = erase(running, "v1@acme.test", code=1)
        assert CONFIRM in printed
        assert took >= PATIENCE
        assert there(running) == 1
    finally:
        hung.signal(signal.SIGCONT)
    eventually(lambda: there(running) == 2, 30, "the process that hung is counted again, once it has let go")
    printed, _took = erase(running, "v2@acme.test")
    assert CONFIRM not in printed
    for worker in running.workers:
        assert worker.stop() == 0
    assert there(running) == 0
