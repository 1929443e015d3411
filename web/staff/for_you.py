"""The lines of somebody's list *For you*, and that a place was opened where some of them are dealt with."""

import contextlib
from datetime import datetime

from domain.errors import Refused
from domain.ids import CommandId
from domain.people.for_you import OpenPlace
from projections.events.for_you import Line
from web.door.guard import STAFF, Signed
from web.ids import new_id
from web.process import presence
from web.process.services import Services
from web.staff.acting import actor_of


def lines_of(services: Services, signed: Signed) -> list[Line]:
    """Return every line of somebody, what is put off too."""
    return services.for_you.lines(signed.person.id, services.now(), presence.all_stopped(services))


def counted(services: Services, signed: Signed) -> int | None:
    """Return how many lines wait for somebody now, None for whoever has no list."""
    if signed.person.role not in STAFF:
        return None
    return sum(line.back is None for line in lines_of(services, signed))


def opened(services: Services, signed: Signed, place: str, until: datetime) -> None:
    """Record that somebody opened a place, as of what was recorded until then (UTC), where that deals with a line."""
    if not services.for_you.told_at(signed.person.id, place):
        return
    command = OpenPlace(person=signed.person.id, place=place, until=min(until, services.now()))
    with contextlib.suppress(Refused):
        services.service.execute(actor_of(signed), command, command_id=CommandId(new_id(24)))
