"""The list of projects in the order of what needs attention: stopped, late, off track, at risk, open; the rest by name.

Rule (docs/spec.md 2.19): the order is worked out of the index of all projects (projections/events/portfolio.py), never
of events; only the projects of one page are looked at more closely.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec

from domain.ids import PersonId, ProjectId
from domain.language import gettext as _
from domain.people.person import Person
from projections.events.portfolio import Standing
from projections.wording.folding import matches, wanted
from projections.wording.words import local
from web.process import presence
from web.process.services import Services

PAGE = 20  # projects


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which projects somebody wants to see, and which page of them."""

    text: str = ""
    owner: str = ""
    page: int = 1


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A project in the list, with why it stands there."""

    standing: Standing
    stopped: int  # shares
    passed: int  # forecast dates that passed without being met

    @property
    def rank(self) -> tuple[bool, bool, bool, int, bool, str, str]:
        """Where it stands: the smaller, the sooner."""
        s = self.standing
        worst = {"off_track": 0, "at_risk": 1}.get(s.overall or "", 2)
        opened = s.concerns + s.views + s.held
        running = s.phase == "running"
        return not running, not self.stopped, not self.passed, worst, not opened, s.title.casefold(), s.id

    @property
    def reasons(self) -> list[str]:
        """What needs attention, each in a few words."""
        s = self.standing
        said = (
            _("1 share stopped") if self.stopped == 1 else _("{n} shares stopped", n=self.stopped),
            _("1 date passed") if self.passed == 1 else _("{n} dates passed", n=self.passed),
            _("1 concern open") if s.concerns == 1 else _("{n} concerns open", n=s.concerns),
            _("1 change to review") if s.held == 1 else _("{n} changes to review", n=s.held),
            _("1 score awaited") if s.views == 1 else _("{n} scores awaited", n=s.views),
        )
        counts = self.stopped, self.passed, s.concerns, s.held, s.views
        return [words for count, words in zip(counts, said, strict=True) if count]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the projects that were sought."""

    all: int  # that somebody manages
    found: int
    page: int
    pages: int
    lines: Sequence[Placed]
    owners: Mapping[PersonId, str]  # of all that somebody manages, by name


def found(services: Services, person: Person, sought: Sought) -> Found:
    """Return a page of the projects somebody manages, what needs attention first. For threads."""
    world, beginnings = services.present.world, wanted(sought.text)
    theirs = placed = in_order(services)
    if person.projects is not None:
        mine = frozenset(person.projects)
        theirs = placed = [one for one in theirs if one.standing.id in mine]
    if sought.owner:
        placed = [one for one in placed if one.standing.owner == sought.owner]
    if sought.text:
        placed = [one for one in placed if beginnings and matches(one.standing.words, beginnings)]
    pages = max(1, -(-len(placed) // PAGE))
    page = min(max(sought.page, 1), pages)
    owners = {owner: world.person_name(owner) for owner in {one.standing.owner for one in theirs}}
    return Found(
        all=len(theirs),
        found=len(placed),
        page=page,
        pages=pages,
        lines=placed[(page - 1) * PAGE : page * PAGE],
        owners=dict(sorted(owners.items(), key=lambda owner: owner[1].casefold())),
    )


def in_order(services: Services) -> Sequence[Placed]:
    """Return every project in the order of what needs attention; worked out again when that may have changed."""
    now, stopped = services.now(), frozenset(presence.all_stopped(services))
    quarter = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)  # a day begins with one in every zone

    def ordered(standings: Mapping[ProjectId, Standing]) -> Sequence[Placed]:
        today = Today(now)
        placed = [
            Placed(standing=s, stopped=len(stopped.intersection(s.shares)), passed=s.passed(today.at(s.zone)))
            for s in standings.values()
        ]
        return sorted(placed, key=lambda one: one.rank)

    return services.portfolio.made(("attention", quarter, stopped), ordered)


class Today:
    """The civil date of one instant (UTC), worked out once a zone."""

    def __init__(self, now: datetime) -> None:
        self._now, self._days = now, dict[str, date]()

    def at(self, zone: str) -> date:
        """Return the date in a zone (IANA)."""
        if zone not in self._days:
            self._days[zone] = local(self._now, zone).date()
        return self._days[zone]
