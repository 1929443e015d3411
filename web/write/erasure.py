"""Erasing a person in one step with the updates of format 1 that name them, by whichever door the command came.

Rule: what is due is in the ledger before the person is erased; a process that starts, and the one that leads, finish
it.
"""

import logging
import threading
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Literal

import msgspec

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

Standing = Literal["whole", "updates-wait", "not-asked", "not-confirmed"]


class ErasureOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the erasure of a person beside their own data, which is destroyed.

    `updates`: whether the updates that name them are erased, but for those on screens. `silent`: how many processes
    did not say that they let go of what they had in memory, None where they could not be asked.
    """

    updates: bool = True
    silent: int | None = 0

    @property
    def standing(self) -> Standing:
        """What to say of it: of what is not done, that which somebody has to do something about first."""
        if self.silent is None:
            return "not-asked"
        if self.silent:
            return "not-confirmed"
        return "whole" if self.updates else "updates-wait"


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
        self._outcomes: dict[PersonId, ErasureOutcome] = {}
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
            updates = self._tried(command.person)
            self._outcomes[command.person] = ErasureOutcome(updates=updates, silent=self._asked())

    def _asked(self) -> int | None:
        """Have every process let go; return how many did not say that they did, None where that cannot be known."""
        try:
            here = self._let_go()
            return len(self._logs.processes.everybody_lets_go()) + (not here)
        except Exception:
            log.exception("whether every process let go of an erased person is not known")
            return None

    def outcome(self, person: PersonId) -> ErasureOutcome:
        """Return what came of the erasure of a person who was erased through this process."""
        return self._outcomes.get(person, ErasureOutcome())

    def finish(self, people: Collection[PersonId]) -> NamesErased:
        """Erase what is due for people who are erased, and return what is erased by now and what still waits."""
        with self._lock:
            return names_due.erase_due(self._logs, self._notary, self._present.refresh(), people, self._clock())

    def finish_all(self) -> None:
        """Erase whatever is due for anybody and can be erased by now; what fails is logged, and the others go on."""
        for person in set(self._present.world.erased) - self._finished:
            if not self._waits(person):
                self._tried(person)

    def _tried(self, person: PersonId) -> bool:
        """Erase what is due for a person, and return whether that could be done."""
        try:
            self._waiting[person] = self.finish([person]).waiting
        except Exception:
            log.exception("updates that name an erased person could not be erased; it is tried again")
            return False
        if not self._waiting[person]:
            self._finished.add(person)
        return True

    def _waits(self, person: PersonId) -> bool:
        """Tell whether all that waited for a person when it was looked at last is on screens still."""
        waiting, shares, log = self._waiting.get(person, {}), self._present.world.shares, self._logs.disclosure
        return bool(waiting) and all(
            shares[ShareId(share)].active and log.head(share) in numbers for share, numbers in waiting.items()
        )
