"""Holds as auditors read them: what waited for review on a share, how long, by whom it was changed and let go."""

from datetime import datetime

import msgspec

from domain.agreement.share import HeldReleased, Share
from domain.events import Recorded
from domain.ids import ShareId
from domain.language import gettext as _
from domain.plan.project import Project
from projections.events.hold_book import Hold
from projections.events.world import World
from projections.wording.instants import Clock
from projections.wording.phrases import lasted
from web.process.services import Services
from web.record.events_said import EventLine
from web.telling import held as record_held
from web.telling.held import RULE, title

LISTED = 40  # of a share, the newest first


class HoldLine(msgspec.Struct, frozen=True, kw_only=True):
    """One hold in words."""

    what: str
    rule: str  # with its agreement
    since: datetime  # UTC
    began: str  # the same in words
    by: str  # who changed it
    lasted: str  # up to now while it waits
    end: str  # how it ended, or until when it waits at most
    note: str  # of whoever let it go
    waits: bool


def lines(services: Services, share: Share, zone: str = "UTC") -> tuple[list[HoldLine], int]:
    """Return the newest holds of a share, and how many more there are; instants are said in `zone`. For threads."""
    newest_first = services.present.world.hold_record(share.id)[::-1]
    clock = Clock(zone)
    lines = [_line(services, share, hold, clock) for hold in newest_first[:LISTED]]
    return lines, max(0, len(newest_first) - LISTED)


def _line(services: Services, share: Share, hold: Hold, clock: Clock) -> HoldLine:
    world, fact, now = services.present.world, hold.fact, services.now()
    return HoldLine(
        what=what(services, share, hold),
        rule=_("{rule}, agreement {version}", rule=record_held.RULE[fact.why], version=_version(share, fact.since)),
        since=fact.since,
        began=clock.second(fact.since),
        by=world.person_name(fact.changed_by),
        lasted=lasted(((hold.ended or now) - fact.since).total_seconds(), rounded=True),
        end=record_held.ended(hold, clock, world.person_name(hold.by)),
        note=hold.note,
        waits=hold.ended is None,
    )


def what(services: Services, share: Share, hold: Hold) -> str:
    """Return what waited, with what it was before and what it was when the wait ended."""
    held = services.present.world.held_at(share.id, hold.fact.since).held.get(hold.fact.subject)
    state = services.present.past(share.project, hold.ended or services.now()).state
    if held is None or state is None:
        return record_held.title(hold.fact.subject, state)
    return record_held.what(held, state)


def _version(share: Share, at: datetime) -> int:
    return max((version.number for version in share.versions if version.at <= at), default=0)


def waited_at(world: World, share: Share, project: Project | None, at: datetime) -> tuple[str, ...]:
    """Return what waited on a share at an instant (UTC), in words."""
    holds = world.held_at(share.id, at).held
    return tuple(record_held.what(held, project) if project else key for key, held in sorted(holds.items()))


def began(world: World, shares: list[Share], at: datetime) -> tuple[str, ...]:
    """Return the clients for whom a change recorded at `at` (UTC) began to wait."""
    waiting = [share for share in shares if any(hold.fact.since == at for hold in world.hold_record(share.id))]
    return tuple(world.client_name(share.client) for share in waiting)


def told(world: World, line: EventLine, recorded: Recorded) -> EventLine:
    """Return an event's line; where it lets held changes go, the line says which, and how long each had waited."""
    if not isinstance(recorded.event, HeldReleased):
        return line
    share = world.shares.get(ShareId(recorded.stream.partition("-")[2]))
    project = world.projects.get(share.project) if share else None
    detail = let_go(recorded.event, project, recorded.at)
    client = world.client_name(share.client) if share else ""
    return msgspec.structs.replace(line, what=_("Let go after review"), subject=client, detail=detail)


def let_go(event: HeldReleased, project: Project | None, at: datetime) -> str:
    """Return what an event let go, and how long each had waited: "Section A energised, 52 min by the slip rule"."""
    items = [
        _(
            "{title}, {lasted} by the {rule}",
            title=title(fact.subject, project),
            lasted=lasted((at - fact.since).total_seconds(), rounded=True),
            rule=RULE[fact.why],
        )
        for fact in event.held
    ]
    cause = {
        "released": _("released"),
        "time_up": _("time was up"),
        "amended": _("no longer held by the new agreement"),
    }
    return "; ".join([*items, cause[event.cause]]) + (_("; note: {note}", note=event.note) if event.note else "")
