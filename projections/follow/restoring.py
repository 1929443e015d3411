"""After a backup was restored: numbers that clients have seen are never given to other content; docs/spec.md 3.7.

Rule: every number that may have been disclosed after the backup becomes an entry that changes nothing and says that
the update was lost; the next real update gets the number after them.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from domain.language import gettext as _
from domain.language import speaking
from projections.entries import sections
from projections.entries.entry import FORMAT, Change, Content, seal
from projections.entries.frames import State
from projections.entries.parts import page_hash
from projections.follow.next_entry import Renderer, restore
from projections.installation.folder import Logs
from projections.logs.ledger import Statement

LOST = "record.restored"


def is_lost(content: Content) -> bool:
    """Tell whether an entry only takes the place of an update that was lost."""
    return any(change.kind == LOST for change in content.changes)


def keep_numbers(
    logs: Logs,
    share: str,
    upto: int,
    renderer: Renderer,
    now: Callable[[], datetime],
    salt: Callable[[str, int], bytes],
) -> int:
    """Record the numbers head + 1 ... `upto` of a share as lost, in one transaction; return how many there were.

    `now` gives the present in UTC; `salt(share, n)` gives the 32 secret bytes of a commitment.
    """
    shown, last = restore(logs.disclosure, share), logs.disclosure.last(share)
    if last is None or shown.view is None or shown.rendered is None or upto <= shown.n:
        return 0
    first, at, frontier, zone = shown.n + 1, max(now(), shown.at), shown.frontier, shown.view.time_zone
    with speaking(shown.view.language):
        change = _lost(first, upto)
        items = renderer.items((change,), upto, at, zone)
    after = shown.sections or sections.sections_of(shown.view, msgspec.json.decode(last.content.terms or "{}"), {})
    entries = []
    for n in range(first, upto + 1):
        content = Content(
            format=FORMAT,
            share=share,
            n=n,
            at=at,
            terms_version=shown.view.terms_version,
            stylesheet=shown.rendered.stylesheet,
            changes=(change,),
            roots=shown.rendered.roots,
            items=items if n == upto else "",
            page=page_hash(shown.rendered.parts, shown.rendered.roots),
            say=change.say if n == upto else "",
            sections=dict(after) if n == first and shown.format == 1 else {},
            sections_hash=sections.hash_of(after),
            assets=last.content.assets,
        )
        entry = seal(content, salt(share, n), frontier)
        frontier = entry.frontier
        entries.append(entry)
    key = State(shown.rendered.parts, after, shown.names).keyframe(upto, shown.rendered.roots)
    logs.disclosure.record(entries, [(share, key)], [], None)
    return len(entries)


def _lost(first: int, upto: int) -> Change:
    """Return the change of an entry that takes the place of an update that was lost."""
    sentence = (
        _("Update {first} was lost when a backup was restored", first=first)
        if first == upto
        else _("Updates {first} to {upto} were lost when a backup was restored", first=first, upto=upto)
    )
    return Change(
        kind=LOST,
        subject="",
        title=_("The record"),
        before="",
        after=_("Restored"),
        note="",
        why=sentence,
        say=sentence,
    )


def state(logs: Logs, now: datetime, who: str, text: str) -> None:
    """Record in the ledger that a backup was restored at `now` (UTC), by whom and with what to say about it."""
    logs.ledger.append(Statement(kind="restored", at=now, who=who, subject="", text=text))
