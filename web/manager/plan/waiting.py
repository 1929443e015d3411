"""What waits for review in a project, as its workspace shows it."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from domain.headline import count
from domain.ids import ShareId
from domain.language import gettext as _
from domain.plan.project import Project
from domain.reveal.holding import Held
from projections.events.world import World
from projections.wording.instants import Clock
from projections.wording.phrases import in_time
from web.process.services import Services
from web.record import held as record_held


class Goes(msgspec.Struct, frozen=True, kw_only=True):
    """To whom one item goes."""

    share: ShareId
    client: str
    until: datetime
    within: str  # "in 52 min"
    item: str  # names it in the form


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """One item that waits, for one client or several."""

    key: str  # this hold of this item and no later one
    what: str
    rule: str
    since: str
    by: str
    goes: tuple[Goes, ...]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A form that was refused: what was wrong, and what was typed."""

    problem: str = ""
    items: tuple[str, ...] = ()
    note: str = ""
    command_id: str = ""
    homeless: bool = False  # nothing on the page waits that it was for


def waiting(services: Services, world: World, project: Project) -> dict[str, Any]:
    """Return what waits on a project: by item, and by share where several wait there."""
    now = services.now()
    clock = Clock(project.time_zone, project.civil(now))
    found: dict[tuple[str, str], Waits] = {}
    by_share: dict[ShareId, list[Goes]] = {}
    for share in world.shares_of_project(project.id):
        holds = world.held(share.id).held
        for held in sorted(holds.values(), key=lambda one: (one.fact.since, one.fact.subject)):
            fact, said = held.fact, record_held.what(held, project)
            one = Goes(
                share=share.id,
                client=world.client_name(share.client),
                until=fact.until,
                within=in_time(fact.until, now),
                item=f"{share.id}|{fact.subject}|{as_shown(held, project)}",
            )
            by_share.setdefault(share.id, []).append(one)
            line = found.get((fact.subject, said)) or Waits(
                key=f"{fact.subject}-{fact.since.timestamp():.0f}",
                what=said,
                rule=record_held.rule(fact.why, share.ways.release),
                since=clock.moment(fact.since),
                by=world.person_name(fact.changed_by),
                goes=(),
            )
            found[fact.subject, said] = msgspec.structs.replace(line, goes=(*line.goes, one))
    return {
        "waiting": list(found.values()),
        "held_said": sentence(len(found)),
        "all_of": [goes for goes in by_share.values() if len(goes) > 1],
        "kept": Kept(),
    }


def sentence(many: int) -> str:
    """Return "Two are waiting for your release.", "" when none is."""
    told = count(many, _("is"), _("are")) + _(" waiting for your release.")
    return told[:1].upper() + told[1:] if many else ""


def as_shown(held: Held, project: Project) -> str:
    """What names a hold as it is on the page now: once more has joined it, the name is another."""
    told = f"{held.fact.since.isoformat()} {record_held.what(held, project)}"
    return hashlib.sha256(told.encode()).hexdigest()[:24]
