"""Erases recorded updates and receipts by destroying their keys; every proof stays valid. docs/spec.md 4.3, 4.11, 7.4.

A person's key is destroyed where the event log is read: projections/events/event_log.py.

Rule: the signed statement is durable before a key is destroyed, and `complete` finishes what a crash interrupted. No
log is ever edited.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from domain.errors import Conflict, Invalid, Unknown
from domain.language import gettext as _
from projections.evidence.leaves import numbers_erased, numbers_expired
from projections.evidence.notary import Notary
from projections.installation.folder import Logs
from projections.logs.ledger import Statement
from projections.proof import notes
from projections.replay import pages


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """Which updates of a share are to be erased, why, and by whom; the reason is kept for ever.

    `ended`: the share has ended, so that nothing of it is on screens and its newest update may be erased as well.
    """

    share: str
    numbers: Collection[int]
    reason: str
    who: str
    ended: bool = False


def erase_entries(logs: Logs, notary: Notary, asked: Erasure, now: datetime) -> str:
    """Destroy the content of entries of a share for ever, and return the signed statement; `now` in UTC.

    Raises: Refused when one of them is not there, or is on screens now: the newest of a share that has not ended.
    """
    _refuse(asked, logs.disclosure.head(asked.share))
    _keep_pages_after(logs, asked.share, asked.numbers)
    note = notes.erasure(notary.origin(asked.share), _stamp(now), asked.reason, asked.numbers, notary.key)
    logs.ledger.append(Statement(kind="entries-erased", at=now, who=asked.who, subject=asked.share, text=note))
    logs.disclosure.erase(asked.share, asked.numbers)
    return note


def _refuse(asked: Erasure, head: int) -> None:
    """Raise Refused when an erasure cannot be; `head` is the newest number of its share."""
    numbers = asked.numbers
    if not numbers:
        raise Invalid(_("Say which updates to erase, such as 3 or 3-9."), "numbers")
    if head == 0 or max(numbers) > head or min(numbers) < 1:
        raise Unknown(
            _(
                "Share {share!r} has the updates 1 to {head}; {numbers} are not all among them.",
                share=asked.share,
                head=head,
                numbers=notes.spans(numbers),
            )
        )
    if head in numbers and not asked.ended:
        raise Conflict(
            _("Update {head} is on screens now. Change what it shows first, then erase it.", head=head), "numbers"
        )
    if not asked.reason.strip():
        raise Invalid(_("Say why they are erased; the reason is kept for ever."), "reason")


def _keep_pages_after(logs: Logs, share: str, numbers: Collection[int]) -> None:
    """Store all parts of the first entry after each erased run: they can no longer be assembled across the run."""
    for n in sorted({n + 1 for n in numbers} - set(numbers)):
        folded = pages.fold(logs.disclosure, share, n)
        if folded is not None:
            logs.disclosure.keep_keyframe(share, folded.state.keyframe(n, folded.entry.content.roots))


def expire_receipts(logs: Logs, notary: Notary, share: str, days: int, *, now: datetime) -> int:
    """Destroy the claims in rows of receipts older than `days`; return how many rows that were. `now` in UTC."""
    last = logs.receipts.row_at(share, now - timedelta(days=days))
    expired = numbers_expired(logs, share)
    due = [k for k in range(max(expired, default=0) + 1, last + 1) if k not in expired]
    if due:
        note = notes.erasure(
            notary.receipts_origin(share), _stamp(now), _("kept for {days} days", days=days), due, notary.key
        )
        logs.ledger.append(Statement(kind="receipts-expired", at=now, who="system", subject=share, text=note))
        logs.receipts.expire(share, due)
    return len(due)


def complete(logs: Logs, shares: Iterable[str]) -> None:
    """Destroy again what the ledger says was erased: a crash or a restored copy of the keys may have left it."""
    for share in shares:
        if numbers := numbers_erased(logs, share):
            logs.disclosure.erase(share, numbers)
        if rows := numbers_expired(logs, share):
            logs.receipts.expire(share, rows)


def _stamp(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
