"""Erasing what was recorded: keys go, proofs stay. docs/spec.md 4.3, 4.11, 7.4.

Rule: the signed statement is durable before a key is destroyed, and `complete` finishes what a crash cut short. No
log is ever edited.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from domain.errors import Conflict, Invalid, Unknown
from domain.language import gettext as _
from projections.entries.entry import Keyframe
from projections.evidence.leaves import numbers_erased, numbers_expired
from projections.evidence.notary import Notary
from projections.installation.folder import Logs
from projections.logs.ledger import Statement
from projections.proof import notes
from projections.replay import pages


def erase_entries(
    folder: Logs, notary: Notary, share: str, numbers: Collection[int], reason: str, *, who: str, now: datetime
) -> str:
    """Destroy the content of entries of a share, for ever, and return the signed statement; `now` in UTC.

    Raises: Refused when one of them is not there, or is the newest: what is on screens now cannot be erased.
    """
    head = folder.disclosure.head(share)
    if not numbers:
        raise Invalid(_("Say which updates to erase, such as 3 or 3-9."), "numbers")
    if head == 0 or max(numbers) > head or min(numbers) < 1:
        raise Unknown(
            _(
                "Share {share!r} has the updates 1 to {head}; {numbers} are not all among them.",
                share=share,
                head=head,
                numbers=notes.spans(numbers),
            )
        )
    if head in numbers:
        raise Conflict(
            _("Update {head} is on screens now. Change what it shows first, then erase it.", head=head), "numbers"
        )
    if not reason.strip():
        raise Invalid(_("Say why they are erased; the reason is kept for ever."), "reason")
    _rescue(folder, share, numbers)
    note = notes.erasure(notary.origin(share), _stamp(now), reason, numbers, notary.key)
    folder.ledger.append(Statement(kind="entries-erased", at=now, who=who, subject=share, text=note))
    folder.disclosure.erase(share, numbers)
    return note


def _rescue(folder: Logs, share: str, numbers: Collection[int]) -> None:
    """Keep whole what the first entry after each erased run shows: nothing can be folded over the run any more."""
    for n in sorted({n + 1 for n in numbers} - set(numbers)):
        folded = pages.fold(folder.disclosure, share, n)
        if folded is not None:
            parts = tuple(folded.parts.values())
            folder.disclosure.keep_keyframe(share, Keyframe(n=n, roots=folded.entry.content.roots, parts=parts))


def expire_receipts(folder: Logs, notary: Notary, share: str, days: int, *, now: datetime) -> int:
    """Destroy the claims in rows older than `days`; return how many rows that were."""
    last = folder.receipts.row_at(share, now - timedelta(days=days))
    gone = numbers_expired(folder, share)
    due = [k for k in range(max(gone, default=0) + 1, last + 1) if k not in gone]
    if due:
        note = notes.erasure(
            notary.receipts_origin(share), _stamp(now), _("kept for {days} days", days=days), due, notary.key
        )
        folder.ledger.append(Statement(kind="receipts-expired", at=now, who="system", subject=share, text=note))
        folder.receipts.expire(share, due)
    return len(due)


def complete(folder: Logs, shares: Iterable[str]) -> None:
    """Destroy again what the ledger says was erased: a crash, or a restored copy of the keys, may have left it."""
    for share in shares:
        if numbers := numbers_erased(folder, share):
            folder.disclosure.erase(share, numbers)
        if rows := numbers_expired(folder, share):
            folder.receipts.expire(share, rows)


def _stamp(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
