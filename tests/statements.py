"""The statements that a Postgres was sent, as its own log has them: counted, and told apart by transaction.

Nothing is left out: BEGIN and COMMIT, settings, locks, and the check of a connection are statements like any other.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests import postgres
from tests.postgres import Cluster

# every statement with its values; what the server does by itself is no statement
LOGGING = {"log_statement": "all", "log_parameter_max_length": "-1", "log_min_messages": "warning"}
_BEGINS = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \w+ \[(\d+)\] (\S*) (\w+):  ", re.MULTILINE)
_SAID = re.compile(r"(?:statement|execute [^:]+): ", re.DOTALL)
_VALUES = re.compile(r"parameters: ", re.IGNORECASE)
_VALUE = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')(?:, |\s*$)", re.DOTALL)


class Statement(NamedTuple):
    """One statement as the server took it; `transaction` is the server's own name for the one it was in."""

    process: str
    transaction: str
    text: str
    values: tuple[str | None, ...] = ()

    @property
    def said(self) -> str:
        """The text on one line, with what differs from case to case left out."""
        return re.sub(r"\s+", " ", self.text).strip() or "(an empty statement)"


class Sent(list[Statement]):
    """Statements in the order in which the server took them."""

    @property
    def transactions(self) -> int:
        """How many transactions they were; one outside of BEGIN and COMMIT is one of its own."""
        return len({(one.process, one.transaction) for one in self})

    def told(self) -> str:
        """Return them as a table, for whoever has to find out what came to it."""
        lines = [f"{len(self)} statements, {self.transactions} transactions:"]
        lines += [f"  {one.process} {one.transaction:>8}  {one.said[:150]}" for one in self]
        return "\n".join(lines)

    def kinds(self) -> Counter[str]:
        """Return how often each was sent."""
        return Counter(one.said for one in self)


class Listening:
    """Reads a server's log from a place on."""

    def __init__(self, cluster: Cluster, database: str = "") -> None:
        self._cluster, self._database = cluster, database
        self._from = self._end()

    def _end(self) -> int:
        return self._cluster.log_file.stat().st_size

    def anew(self) -> None:
        """Forget what was sent so far."""
        self._from = self._end()

    def sent(self) -> Sent:
        """Return what was sent since; a statement is in the log before it is answered."""
        with self._cluster.log_file.open("rb") as log:
            log.seek(self._from)
            return Sent(_statements(log.read().decode(errors="replace")))


def _statements(log: str) -> Iterator[Statement]:
    starts = [*_BEGINS.finditer(log)]
    ends = [*(start.start() for start in starts[1:]), len(log)]
    last: Statement | None = None
    for start, end in zip(starts, ends, strict=True):
        process, transaction, kind = start.groups()
        told = log[start.end() : end].removesuffix("\n")
        if kind == "DETAIL" and last is not None and (at := _VALUES.match(told)):
            last = last._replace(values=_read(told[at.end() :]))
            continue
        if last is not None:
            yield last
            last = None
        if kind == "LOG" and (said := _SAID.match(told)):
            last = Statement(process, transaction, told[said.end() :])
    if last is not None:
        yield last


def _read(told: str) -> tuple[str | None, ...]:
    found = {int(number): value for number, value in _VALUE.findall(told)}
    return tuple(None if (value := found[i]) == "NULL" else value[1:-1].replace("''", "'") for i in sorted(found))


@contextmanager
def listened() -> Iterator[Cluster]:
    """Start a server that logs every statement, or skip loudly when there is none to start."""
    with postgres.running(**LOGGING) as cluster:
        yield cluster
