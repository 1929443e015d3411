"""Which processes serve an installation, and that each has let go of what was erased before an erasure answers.

Rule: a process comes before it answers anybody, and goes once it can send nothing any more, while it still answers
whoever erases: else they would wait for an answer that cannot come. Whoever erases asks once the erasure is durable,
and waits until every process that came and did not go has answered, for `PATIENCE` at most. One that did not answer is
named to whoever erased; it is not waited for again before it answers.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence

import msgspec
from eventsourcing.persistence import ApplicationRecorder, IntegrityError

from projections.logs.disclosure_log import row

log = logging.getLogger("fanlight")
PATIENCE = 8.0  # seconds for all processes to let go
AGAIN = 0.05  # seconds between looks for their answers
STREAM, ASKED = "attendance", "let-go"


class _Line(msgspec.Struct, frozen=True, array_like=True):
    process: str
    there: bool


_encode = msgspec.msgpack.Encoder().encode
_line = msgspec.msgpack.Decoder(_Line)


class Attendance:
    """The processes of an installation, by a name that each has for one run. Thread-safe."""

    def __init__(self, recorder: ApplicationRecorder, clock: Callable[[], float] = time.monotonic) -> None:
        self._recorder, self._clock = recorder, clock
        self.me = ""  # the name of this process, "" where it serves nobody
        self._going = threading.Lock()  # an answer after the last word would have it counted for ever

    # a process that serves

    def come(self, *, alone: bool) -> int:
        """Say that this process serves from now on, and return the number of the newest request to let go.

        `alone`: no other process can serve these logs, so whoever came before has ended.
        """
        asked = self.asked()
        for ended in self.there() if alone else ():
            self._note(ended, there=False)
        self.me = secrets.token_hex(8)
        self._note(self.me, there=True)
        return asked

    def go(self) -> None:
        """Say that this process sends nothing any more, and answers no more requests to let go."""
        with self._going:
            if self.me:
                self._note(self.me, there=False)
                self.me = ""

    def asked(self) -> int:
        """Return the number of the newest request to let go, 0 when there was none."""
        return self._newest(ASKED)

    def let_go(self, request: int) -> None:
        """Say that this process has let go of all that was erased before a request."""
        with self._going:
            if not self.me or request <= self._newest(_answers(self.me)):
                return
            self._recorder.insert_events([row(_answers(self.me), request, "let-go", b"")])
            if self.me not in self.there():  # it was given up meanwhile
                self._note(self.me, there=True)

    # whoever erases

    def everybody_lets_go(self, patience: float = PATIENCE) -> list[str]:
        """Ask all other processes to let go of what is erased by now, and return those that did not within `patience`.

        `patience` is in seconds. They are not waited for again until they answer.
        """
        if not self._others():
            return []
        request, until = self._ask(), self._clock() + patience
        while silent := [one for one in self._others() if self._newest(_answers(one)) < request]:
            if self._clock() > until:
                for process in silent:
                    log.error("process %s did not say that it let go of what was erased; end it if it hangs", process)
                    self._note(process, there=False)
                    if self._newest(_answers(process)) >= request:  # it said so just now, and took itself for counted
                        self._note(process, there=True)
                return silent
            time.sleep(AGAIN)
        return []

    def there(self) -> Sequence[str]:
        """Return the processes that came and did not go."""
        found = dict[str, None]()
        for stored in self._recorder.select_events(STREAM):
            line = _line.decode(stored.state)
            if line.there:
                found[line.process] = None
            else:
                found.pop(line.process, None)
        return list(found)

    def _others(self) -> list[str]:
        return [process for process in self.there() if process != self.me]

    def _ask(self) -> int:
        return self._next(ASKED, "let-go", b"")

    def _note(self, process: str, *, there: bool) -> None:
        self._next(STREAM, "attendance", _encode(_Line(process, there)))

    def _next(self, stream: str, topic: str, state: bytes) -> int:
        """Record the next row of a stream, and return its number."""
        while True:
            number = self._newest(stream) + 1
            try:
                self._recorder.insert_events([row(stream, number, topic, state)])
            except IntegrityError:  # another process has just taken the number
                continue
            return number

    def _newest(self, stream: str) -> int:
        newest = self._recorder.select_events(stream, desc=True, limit=1)
        return newest[0].originator_version if newest else 0


def _answers(process: str) -> str:
    return f"let-go-{process}"
