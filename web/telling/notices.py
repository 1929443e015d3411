"""Mails about lines of the list *For you*: which are due to whom, and what each says.

Rule: a mail says nothing that its reader's list does not say at that moment; a line that was dealt with meanwhile is
left out, and a mail of which nothing is left is not sent.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from domain.ids import PersonId, ProjectId
from domain.language import gettext as _
from domain.people.mails import Mail
from domain.people.person import Person
from domain.telling.notices import KINDS
from domain.telling.told import News
from projections.events.for_you import ForYou, Line
from projections.events.present import CurrentWorld
from projections.events.world import World, organisation_zone
from web.ids import new_id
from web.mail import cadence
from web.mail.due import Errand
from web.mail.notice import Notice, NoticeGroup, NoticeLine
from web.telling.matters import leads_to, quoted, rank, sentence

log = logging.getLogger("fanlight.post")
EVERY, REST = 5.0, 0.2  # seconds between two looks when nothing is recorded; and at least
GAP = timedelta(seconds=20)  # between two mails to one person, so that what comes together is one mail
MORNING = timedelta(hours=6)  # for so long after the hour a morning mail is sent that could not be sent then
MOST, QUOTED = 40, 500  # lines of one mail; characters of a quotation


class NoticeSources(msgspec.Struct, frozen=True, kw_only=True):
    """What such mails are made from. `parked`: the shares that stopped; `hour`: when the morning is."""

    for_you: ForYou
    present: CurrentWorld
    parked: Callable[[], Mapping[str, int]]
    clock: Callable[[], datetime]  # UTC
    origin: str
    hour: int


class Notices:
    """Finds the mails that are due, and what they say. Any thread may call `wake`."""

    def __init__(self, sources: NoticeSources) -> None:
        self._for_you, self._present, self._parked = sources.for_you, sources.present, sources.parked
        self._clock, self._origin, self._hour = sources.clock, sources.origin, sources.hour
        self._woken = threading.Event()
        self._seen: tuple[int, Mapping[str, int]] | None = None  # what lists were made of at the last look
        self._looked = 0.0

    def wake(self) -> None:
        """Have it looked at once, as something was recorded."""
        self._woken.set()

    def run(self, stop: threading.Event, send: Callable[[Sequence[Errand]], int], leads: Callable[[], bool]) -> None:
        """Hand what is due to `send` until `stop`, where this process leads."""
        while not stop.wait(REST):
            self._woken.wait(EVERY - REST)
            self._woken.clear()
            try:
                if leads() and self._changed():
                    send(self.errands())
            except Exception:
                log.exception("mailing of what waits failed; it is tried again")

    def _changed(self) -> bool:
        """Tell whether any list may be another than at the last look, by what was recorded or as time passed."""
        self._present.refresh()
        seen, now = (self._for_you.version(), self._parked()), time.monotonic()
        if seen == self._seen and now - self._looked < EVERY:
            return False
        self._seen, self._looked = seen, now
        return True

    def errands(self) -> list[Errand]:
        """Return every mail that is due now."""
        world, now, parked = self._present.refresh(), self._clock(), self._parked()
        found = []
        for key in self._for_you.readers():
            person = world.people.get(key)
            try:
                due = self._due(world, person, now, parked) if person is not None else []
            except Exception:
                log.exception("what is due to somebody could not be found; the others are mailed")
                continue
            if due:
                news = tuple(News(line=line.matter.key, since=line.since) for line in due)
                found.append(Errand(person=key, mail=new_id(), kind="notice", news=news))
        return found

    def _due(self, world: World, person: Person, now: datetime, parked: Mapping[str, int]) -> list[Line]:
        last = max((mail.at for mail in person.mails if mail.kind == "notice"), default=None)
        if (last is not None and now - last < GAP) or all(person.notices.of(k) == "off" for k in KINDS):
            return []
        notices = person.notices
        waiting = (line for line in self._for_you.lines(person.id, now, parked) if line.back is None)
        new = [line for line in waiting if not notices.told.has(line.matter.key, line.since)]
        slot = cadence.slot(now, "daily", self._hour, notices.time_zone or organisation_zone(world))
        morning = now - slot < MORNING and (notices.chosen is None or notices.chosen <= slot)
        return [line for line in new if _wanted(line, person, slot if morning else None)]

    def content(self, person: Person, mail: Mail) -> Notice | None:
        """Return what a mail says, None when nothing of it waits any more."""
        world, now = self._present.refresh(), self._clock()
        listed = self._for_you.lines(person.id, now, self._parked())
        waits = {line.matter.key: line for line in listed if line.back is None}
        lines = sorted((waits[key] for key in mail.lines if key in waits), key=lambda line: rank(line.matter))
        if not lines:
            return None
        by_project: dict[ProjectId, list[Line]] = {}
        for line in lines[:MOST]:
            by_project.setdefault(line.matter.project, []).append(line)
        return Notice(
            organisation=world.organisation or _("Your organisation"),
            name=person.name,
            groups=[
                NoticeGroup(project=world.projects[key].title, lines=list(self._said(world, theirs, now)))
                for key, theirs in by_project.items()
            ],
            more=max(0, len(lines) - MOST),
            home=f"{self._origin}/for-you",
            settings=f"{self._origin}/for-you/settings",
        )

    def _said(self, world: World, lines: Sequence[Line], now: datetime) -> Iterator[NoticeLine]:
        for line in lines:
            yield NoticeLine(
                text=sentence(world, line.matter, now),
                quoted=quoted(world, line.matter)[:QUOTED],
                note=note(world, line),
                href=f"{self._origin}{leads_to(line.matter)}",
            )


def _wanted(line: Line, person: Person, slot: datetime | None) -> bool:
    """Tell whether somebody is to be mailed of a line now; `slot`: the hour of this morning (UTC), where it is that."""
    match person.notices.of(line.matter.kind):
        case "once":
            return True
        case "morning":
            return slot is not None and (line.since is None or line.since <= slot)
        case "off":
            return False


def note(world: World, line: Line) -> str:
    """Return whose line it was before, or who is away; "" for neither."""
    if line.covers:
        return _("{name} is away; you cover for them.", name=world.person_name(line.covers))
    if line.given_by:
        return _("Handed to you by {name}.", name=world.person_name(line.given_by))
    return ""


def person_zone(world: World, person: PersonId) -> str:
    """Return the time zone (IANA) of somebody's mornings."""
    known = world.people.get(person)
    return (known.notices.time_zone if known else "") or organisation_zone(world)
