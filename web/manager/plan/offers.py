"""The changes of somebody that can still be put back, in words, as the plan and confirmations offer them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.ids import PersonId
from domain.plan import putting_back
from domain.plan.project import Project
from domain.plan.putting_back import LatestChange
from projections.events.world import World
from projections.wording import words
from web.record.said.changes import what

SHOWN = 3  # of the latest changes


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One change that can be put back; one that put back another is made again by it."""

    version: int  # of its last event
    what: str
    at: str
    until: str
    again: bool  # whether it put back a change, so that putting it back makes that change again


class LatestOffers(msgspec.Struct, frozen=True, kw_only=True):
    """What of the latest changes of a person can be put back, and what no longer can."""

    possible: Sequence[Offer]  # newest first
    lapsed: Sequence[int]  # versions of changes that a page may still offer

    @property
    def listed(self) -> Sequence[Offer]:
        """The offers at the head of the plan: a change that put back another is offered where it is confirmed only."""
        return [offer for offer in self.possible if not offer.again][:SHOWN]


def latest_offers(world: World, project: Project, person: PersonId, now: datetime) -> LatestOffers:
    """Return which of the latest changes of a person can be put back at `now` (UTC)."""
    own = [one for one in reversed(world.latest_changes(project.id)) if one.by == person]
    possible = [one for one in own if not putting_back.refused(one, project.schedule, project.risks, now)]
    return LatestOffers(
        possible=[_offer(one, project.time_zone) for one in possible],
        lapsed=[one.last for one in own if one not in possible],
    )


def _offer(change: LatestChange, zone: str) -> Offer:
    return Offer(
        version=change.last,
        what=what(_reversed(change) if change.puts_back else change),
        at=f"{words.local(change.at, zone):%H:%M}",
        until=f"{words.local(change.until, zone):%H:%M}",
        again=change.puts_back,
    )


def _reversed(change: LatestChange) -> LatestChange:
    return msgspec.structs.replace(
        change,
        milestones={key: (now, was) for key, (was, now) in change.milestones.items()},
        risks={key: (now, was) for key, (was, now) in change.risks.items()},
    )
