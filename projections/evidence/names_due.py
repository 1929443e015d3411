"""The updates that have to be erased with a person: what is due is recorded before the person is erased, then done.

Rule: `record` comes before the person's erasure and `erase_due` after it; whatever a crash leaves is found in the
ledger and finished by `erase_due`, which may be repeated. What was recorded for somebody who was not erased after all
is never done. docs/spec.md 3.11.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from domain.ids import PersonId, ShareId
from domain.language import gettext as _
from projections.directory import Directory
from projections.evidence.erasing import Erasure, erase_entries
from projections.evidence.leaves import numbers_erased
from projections.evidence.naming import Naming
from projections.evidence.notary import Notary
from projections.installation.folder import Logs
from projections.logs.ledger import Ledger, Statement
from projections.proof import notes

KIND = "names-due"
BATCH = 200  # updates read at a time


class NamesErased(msgspec.Struct, kw_only=True):
    """What is erased with people by now, and what waits until it is no longer on screens: numbers by share."""

    erased: dict[str, set[int]] = {}
    waiting: dict[str, set[int]] = {}


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """For whom updates are to be erased, and who asked; `at` in UTC."""

    person: PersonId
    who: str
    at: datetime


def record(ledger: Ledger, due: Due, updates: Iterable[Naming]) -> None:
    """Record which updates have to be erased with a person: a line for each share, its id and the numbers."""
    by: dict[str, set[int]] = {}
    for update in updates:
        by.setdefault(update.share, set()).add(update.n)
    text = "\n".join(f"{share} {notes.spans(numbers)}" for share, numbers in sorted(by.items()))
    if text:
        ledger.append(Statement(kind=KIND, at=due.at, who=due.who, subject=due.person, text=text))


def recorded(ledger: Ledger, person: PersonId) -> dict[str, set[int]]:
    """Return which updates have to be erased with a person, or were, by share."""
    by: dict[str, set[int]] = {}
    for line in ledger.of(KIND, person):
        for one in line.statement.text.split("\n"):
            share, _space, numbers = one.partition(" ")
            by.setdefault(share, set()).update(notes.numbers(numbers))
    return by


def erase_due(
    logs: Logs, notary: Notary, directory: Directory, people: Iterable[PersonId], now: datetime
) -> NamesErased:
    """Erase what is due for people who are erased; `now` in UTC.

    The newest update of a share that goes on waits: the update that follows it no longer shows the name.
    """
    due: dict[str, set[int]] = {}
    for person in directory.erased.intersection(people):
        for share, numbers in recorded(logs.ledger, person).items():
            due.setdefault(share, set()).update(numbers)
    done = NamesErased()
    for share, numbers in due.items():
        known = directory.shares.get(ShareId(share))
        ended = known is not None and not known.active
        waiting = set() if ended else numbers & {logs.disclosure.head(share)}
        reason = _("They named a person who was erased")
        left = numbers - waiting
        _erase(logs, notary, Erasure(share=share, numbers=left, reason=reason, who="system", ended=ended), now)
        done.erased[share] = left
        if waiting:
            done.waiting[share] = waiting
    return done


def _erase(logs: Logs, notary: Notary, due: Erasure, now: datetime) -> None:
    """Erase what is not erased yet, and the keys that a crash left after the statement was made."""
    share, numbers = due.share, set(due.numbers)
    stated = numbers & numbers_erased(logs, share)
    if left := numbers - stated:
        erase_entries(logs, notary, msgspec.structs.replace(due, numbers=left), now)
    if readable := stated.intersection(_readable(logs, share, stated)):
        logs.disclosure.erase(share, readable)


def _readable(logs: Logs, share: str, numbers: set[int]) -> Iterator[int]:
    """Yield the numbers from the first to the last of some whose content can be read."""
    after, last = min(numbers, default=1) - 1, max(numbers, default=0)
    while after < last and (batch := logs.disclosure.kept(share, after, BATCH, last)):
        yield from (kept.n for kept in batch if kept.raw is not None)
        after = batch[-1].n
