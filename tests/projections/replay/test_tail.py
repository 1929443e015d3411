"""What other processes recorded: found at a hint at once, also one that comes while it is busy, and else by the clock."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from projections.entries.entry import Entry
from projections.logs.disclosure_log import Row
from projections.replay.tail import Tail
from tests.web.doors import wait_until
from tests.world import SHARE, World

LONG = 600.0  # seconds to the next look by the clock


class Watched:
    """A tail over the log of another process, and what it did in which order."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.world.harbour()
        self.did: list[object] = []
        self.reading: Callable[[], object] = lambda: None  # called after each read of the log
        self.tail = Tail(self.world.folder.disclosure, lambda: [SHARE], lambda: {SHARE}, self._read, self._take)
        self.tail.step()  # from where it begins

    def _read(self, place: int, limit: int) -> list[Row]:
        rows = self.world.folder.disclosure.since(place, limit)
        self.reading()
        return rows

    def _take(self, _share: str, entries: Sequence[Entry]) -> None:
        self.did += [entry.n for entry in entries]

    @contextmanager
    def running(self, poll: Callable[[], float]) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=lambda: self.tail.run(stop, poll), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            self.tail.wake()
            thread.join(10)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_hint_that_comes_while_it_reads_is_not_lost(watched: Watched) -> None:
    reads, goes_on = threading.Event(), threading.Event()

    def slow() -> None:
        reads.set()
        goes_on.wait(10)

    with watched.running(lambda: LONG):
        watched.reading = slow
        watched.tail.wake()
        assert reads.wait(10)
        watched.world.move("m1", date(2027, 6, 9))  # recorded after that read, and told while it is under way
        watched.tail.wake()
        assert watched.did == []
        goes_on.set()
        wait_until(lambda: watched.did == [2])


def test_what_no_hint_told_of_is_found_by_the_clock(watched: Watched) -> None:
    with watched.running(lambda: 0.05):
        watched.world.move("m1", date(2027, 6, 9))
        wait_until(lambda: watched.did == [2])
