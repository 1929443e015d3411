"""Erasing a person in one step with the updates of format 1 that name them, by whichever door the command came.

Rule: what is due is in the ledger before the person is erased; a process that starts, and the one that leads, finish
it.
"""

import logging
import threading
from collections.abc import Callable, Collection
from datetime import datetime

from domain.commands import AnyCommand
from domain.ids import PersonId, ShareId
from domain.people.person import ErasePerson
from projections.events.present import CurrentWorld
from projections.evidence import names_due
from projections.evidence.names_due import Due, NamesErased
from projections.evidence.naming import updates_naming
from projections.evidence.notary import Notary
from projections.installation.folder import Logs
from web.write.permission import Actor

log = logging.getLogger("fanlight")


class PersonErasure:
    """Erases the updates that name a person around the command that erases them. Thread-safe; `clock` returns UTC."""

    def __init__(
        self,
        logs: Logs,
        notary: Notary,
        present: CurrentWorld,
        clock: Callable[[], datetime],
        let_go: Callable[[], bool] = lambda: True,
    ) -> None:
        """`let_go` drops what this process itself has in memory, and returns whether that is done."""
        self._logs, self._notary, self._present, self._clock, self._let_go = logs, notary, present, clock, let_go
        self._silent: dict[PersonId, int] = {}
        self._lock = threading.Lock()
        self._finished: set[PersonId] = set()
        self._waiting: dict[PersonId, dict[str, set[int]]] = {}

    def before(self, actor: Actor, command: AnyCommand) -> None:
        """Record what has to be erased with a person, once it is decided that they are, and before they are."""
        if isinstance(command, ErasePerson):
            due = Due(person=command.person, who=actor.person, at=self._clock())
            updates = updates_naming(self._logs, self._present.world, command.person)
            names_due.record(self._logs.ledger, due, updates)

    def after(self, command: AnyCommand) -> None:
        """Erase it, once they are; if that fails it is logged, and the process that leads tries again."""
        if isinstance(command, ErasePerson):
            self._tried(command.person)
            try:
                here = self._let_go()
                self._silent[command.person] = len(self._logs.processes.everybody_lets_go()) + (not here)
            except Exception:
                log.exception("whether every process let go of an erased person is not known")
                self._silent[command.person] = 1

    def silent(self, person: PersonId) -> int:
        """Return how many processes did not say that they let go of a person who was erased through this one."""
        return self._silent.get(person, 0)

    def finish(self, people: Collection[PersonId]) -> NamesErased:
        """Erase what is due for people who are erased, and return what is erased by now and what still waits."""
        with self._lock:
            return names_due.erase_due(self._logs, self._notary, self._present.refresh(), people, self._clock())

    def finish_all(self) -> None:
        """Erase whatever is due for anybody and can be erased by now; what fails is logged, and the others go on."""
        for person in set(self._present.world.erased) - self._finished:
            if not self._waits(person):
                self._tried(person)

    def _tried(self, person: PersonId) -> None:
        try:
            self._waiting[person] = self.finish([person]).waiting
        except Exception:
            log.exception("updates that name an erased person could not be erased; it is tried again")
            return
        if not self._waiting[person]:
            self._finished.add(person)

    def _waits(self, person: PersonId) -> bool:
        """Tell whether all that waited for a person when it was looked at last is on screens still."""
        waiting, shares, log = self._waiting.get(person, {}), self._present.world.shares, self._logs.disclosure
        return bool(waiting) and all(
            shares[ShareId(share)].active and log.head(share) in numbers for share, numbers in waiting.items()
        )
