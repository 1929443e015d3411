"""Which updates of format 1 name a person: there a name stands in the content, which has to be erased with the person.

Rule: an update names a person when one of the names they were ever invited by stands, whole, where its view says who
commented, acknowledged, scored, raised a concern or answered one, or where one of its changes says who did. Only
shares on which the person said something are looked at, so that a namesake elsewhere is not taken for them; of two
people of one name who both spoke on one share, the updates of both are found. A name within free text (a comment, a
reason, the owner of a risk) is what somebody wrote: it makes no update name the person, and stays. In format 2 no
content holds a name. docs/spec.md 3.11.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from domain.ids import PersonId
from domain.language import gettext as _
from domain.people.memberships import MembershipGranted
from domain.people.person import PersonInvited
from projections.directory import Directory
from projections.entries.entry import Content, open_content, open_view
from projections.entries.named import authors
from projections.events.event_log import EventLog
from projections.installation.folder import Logs
from projections.logs.disclosure_log import DisclosureLog

BATCH = 200  # updates or events read at a time
PLAIN = "\"\\&<>'"  # written otherwise in JSON or in markup


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """One update that names a person."""

    share: str
    n: int
    at: datetime  # recorded, UTC
    what: tuple[str, ...]  # what it names them for: "comment on Handover"


def names_of(events: EventLog, person: PersonId) -> frozenset[str]:
    """Return every name a person was ever invited by; none once they are erased."""
    named = (r.event for r in events.stream(f"person-{person}"))
    return frozenset(event.name for event in named if isinstance(event, PersonInvited | MembershipGranted))


def updates_naming(logs: Logs, directory: Directory, person: PersonId) -> Iterator[Naming]:
    """Yield the readable updates of format 1 that name a person, share by share, oldest first."""
    names = names_of(logs.events, person)
    for share in sorted(directory.shares.values(), key=lambda share: share.id):
        last = last_of_format_1(logs.disclosure, share.id) if names else 0
        streams = (f"share-{share.id}", f"project-{share.project}")
        if last and any(_spoke(logs.events, stream, person) for stream in streams):
            yield from _of_share(logs.disclosure, share.id, last, names)


def last_of_format_1(log: DisclosureLog, share: str) -> int:
    """Return the number of the newest update in format 1, 0 when there is none; none follows one of format 2."""
    low, high = 0, log.head(share)
    while low < high:
        middle = (low + high + 1) // 2
        if log.headers(share, middle - 1, 1, middle)[0].format == 1:
            low = middle
        else:
            high = middle - 1
    return low


def _spoke(events: EventLog, stream: str, person: PersonId) -> bool:
    """Tell whether a person said anything in a stream: a comment, a score, an acknowledgement, a concern, an answer."""
    after = 0
    while batch := events.part(stream, after, BATCH):
        if any(getattr(recorded.event, "by", None) == person for recorded in batch):
            return True
        after = batch[-1].version
    return False


def _of_share(log: DisclosureLog, share: str, last: int, names: frozenset[str]) -> Iterator[Naming]:
    sought = [_plainest(name).encode() for name in names]
    after = 0
    while after < last and (batch := log.kept(share, after, BATCH, last)):
        for kept in batch:
            if kept.raw is None or not any(part in kept.raw for part in sought):  # most can be told without decoding
                continue
            content = open_content(kept.raw)
            if what := tuple(dict.fromkeys(_named_for(content, names))):
                yield Naming(share=share, n=kept.n, at=content.at, what=what)
        after = batch[-1].n


def _plainest(name: str) -> str:
    """Return the longest piece of a name that is written the same in text, JSON and markup."""
    for mark in PLAIN:
        name = name.replace(mark, "\n")
    return max(name.split("\n"), key=len)


def _named_for(content: Content, names: frozenset[str]) -> Iterator[str]:
    """Yield what an update names a person for."""
    yield from (what for name, what in authors(open_view(content.view)) if name in names)
    if any(_said_by(change.note, names) for change in content.changes):
        yield _("list of changes")


def _said_by(note: str, names: frozenset[str]) -> bool:
    """Tell whether the note of a change says that the person did it: "Anna Bell" or "Your view, Anna Bell"."""
    return note in names or any(note.endswith(f", {name}") for name in names)
