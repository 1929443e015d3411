"""What waits for review in a project, item by item, as its workspace shows it."""

import hashlib
from datetime import datetime, timedelta
from typing import TypedDict

import msgspec

from domain.agreement.share import Share
from domain.headline import counted
from domain.ids import ShareId
from domain.language import capital
from domain.language import gettext as _
from domain.plan.project import Project
from domain.reveal.holding import Held
from projections.events.hold_book import Hold
from projections.events.world import World
from projections.wording import words
from projections.wording.instants import Clock
from projections.wording.phrases import in_time
from web.process.services import Services
from web.record import holds as record_holds
from web.telling import held as record_held

GONE = timedelta(minutes=10)  # for so long it says what was let go
LOOK = 40  # of the newest updates, for the one that told of it


class Goes(msgspec.Struct, frozen=True, kw_only=True):
    """To whom one item goes."""

    share: ShareId
    client: str
    until: datetime  # UTC
    within: str  # "in 52 min"
    item: str  # names it in the form


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """One item that waits, for one client or several."""

    key: str  # this hold of this item and no later one
    what: str
    rule: str  # of the agreement, in words
    since: str
    by: str
    goes: tuple[Goes, ...]


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """One item that waited and was let go a moment ago."""

    what: str
    how: str  # "Released 22:00"
    to: tuple[tuple[str, int], ...]  # client, and the update that told it; 0 while there is none


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A form that was refused: what was wrong, and what was typed."""

    problem: str = ""
    items: tuple[str, ...] = ()
    note: str = ""
    command_id: str = ""
    homeless: bool = False  # nothing on the page waits that it was for


class Waiting(TypedDict):
    """What a page shows of all that waits on a project, to be given to it as `**waiting(…)`."""

    waiting: list[Waits]
    gone: list[Gone]
    held_said: str  # how many wait, as a sentence
    all_of: list[list[Goes]]  # by share, where several items wait
    kept: Kept


def waiting(services: Services, world: World, project: Project) -> Waiting:
    """Return what waits on a project: by item, and by share where several wait there."""
    now = services.now()
    clock = Clock(project.time_zone)
    items: dict[tuple[str, str], Waits] = {}
    by_share: dict[ShareId, list[Goes]] = {}
    for share in world.shares_of_project(project.id):
        holds = world.held(share.id).held
        for held in sorted(holds.values(), key=lambda one: (one.fact.since, one.fact.subject)):
            goes = _goes(world, project, share, held, now)
            by_share.setdefault(share.id, []).append(goes)
            key = held.fact.subject, record_held.what(held, project)
            item = items.get(key) or _waits(world, project, share, held, clock)
            items[key] = msgspec.structs.replace(item, goes=(*item.goes, goes))
    return {
        "waiting": list(items.values()),
        "gone": gone(services, world, project),
        "held_said": sentence(len(items)),
        "all_of": [goes for goes in by_share.values() if len(goes) > 1],
        "kept": Kept(),
    }


def gone(services: Services, world: World, project: Project) -> list[Gone]:
    """Return what was let go within the last minutes, by item, the newest first."""
    since, found = services.now() - GONE, dict[tuple[str, str], Gone]()
    for share in world.shares_of_project(project.id):
        for hold in reversed(world.hold_record(share.id)):
            if hold.ended is None or hold.ended < since or hold.how not in ("released", "time_up"):
                continue
            at = f"{words.local(hold.ended, project.time_zone):%H:%M}"
            how = _("Released {at}", at=at) if hold.how == "released" else _("Went out by itself {at}", at=at)
            what = record_holds.what(services, share, hold)
            known = found.get((what, how)) or Gone(what=what, how=how, to=())
            told = world.client_name(share.client), _update(services, share, hold)
            found[what, how] = msgspec.structs.replace(known, to=(*known.to, told))
    return list(found.values())


def _update(services: Services, share: Share, hold: Hold) -> int:
    """Return the number of the update that told what was held, 0 where there is none yet."""
    log = services.logs.disclosure
    headers = log.headers(share.id, max(0, log.head(share.id) - LOOK), LOOK)
    return next((header.n for header in headers if hold.ended is not None and header.instant >= hold.ended), 0)


def _goes(world: World, project: Project, share: Share, held: Held, now: datetime) -> Goes:
    fact = held.fact
    return Goes(
        share=share.id,
        client=world.client_name(share.client),
        until=fact.until,
        within=in_time(fact.until, now),
        item=f"{share.id}|{fact.subject}|{as_shown(held, project)}",
    )


def _waits(world: World, project: Project, share: Share, held: Held, clock: Clock) -> Waits:
    fact = held.fact
    return Waits(
        key=f"{fact.subject}-{fact.since.timestamp():.0f}",
        what=record_held.what(held, project),
        rule=record_held.rule(fact.why, share.ways.release),
        since=clock.moment(fact.since),
        by=world.person_name(fact.changed_by),
        goes=(),
    )


def sentence(many: int) -> str:
    """Return "Two are waiting for your release.", "" when none is."""
    return (
        capital(counted("one is waiting for your release.", "{many} are waiting for your release.", many))
        if many
        else ""
    )


def as_shown(held: Held, project: Project) -> str:
    """Return a name for a hold as it is on the page now; it is another one once more has joined the hold."""
    state = f"{held.fact.since.isoformat()} {record_held.what(held, project)}"
    return hashlib.sha256(state.encode()).hexdigest()[:24]
