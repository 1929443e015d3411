"""What is known of every project at a glance: what needs attention, and the words by which it is found.

Rule: an index beside the fold. A project is looked at again only when something was recorded of it, of one of its
shares or of a client; what depends on the day is worked out by whoever asks.
"""

import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar, cast

import msgspec

from domain.events import Recorded
from domain.ids import ClientId, PersonId, ProjectId, ShareId
from domain.plan.project import Project
from domain.view import Rag
from projections.events.world import World
from projections.wording.folding import folded

Made = TypeVar("Made")
KEPT = 4  # of what was made of the standings


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone or risk, as it is found."""

    kind: str  # "milestone" or "risk"
    id: str
    title: str  # of a risk with its reference
    words: str  # folded


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How one project stands, as far as the day does not matter."""

    id: ProjectId
    title: str
    owner: PersonId
    phase: str
    zone: str  # IANA
    overall: Rag | None
    due: tuple[date, ...]  # forecasts of what is not met, earliest first
    concerns: int  # not settled
    views: int  # asked of clients and not given
    held: int  # changes that wait for review
    shares: tuple[ShareId, ...]  # in force
    clients: frozenset[ClientId]  # it was ever shared with, or a share is drafted for
    words: str  # folded: its titles and its clients
    things: tuple[Thing, ...]

    def passed(self, today: date) -> int:
        """Return how many forecast dates have passed without being met by a civil date in the project's zone."""
        count = 0
        for day in self.due:
            if day >= today:
                break
            count += 1
        return count


class Portfolio:
    """The index of all projects. `world` returns the present world; safe for threads."""

    def __init__(self, world: Callable[[], World]) -> None:
        self._world, self._lock = world, threading.Lock()
        self._standings: dict[ProjectId, Standing] = {}
        self._kept: dict[Hashable, object] = {}
        self._changed: set[str] | None = None  # streams since the last look; None: everything
        self.looked = 0  # how many projects were looked at since the process began

    def take(self, new: Sequence[Recorded]) -> None:
        """Note what was recorded."""
        with self._lock:
            if self._changed is not None:
                self._changed |= {recorded.stream for recorded in new}

    def standings(self) -> Mapping[ProjectId, Standing]:
        """Return how every project stands now; it does not change any more."""
        with self._lock:
            return self._present()

    def made(self, key: Hashable, make: Callable[[Mapping[ProjectId, Standing]], Made]) -> Made:
        """Return what `make` makes of the standings, kept under a key for as long as they are the same."""
        with self._lock:
            standings = self._present()
            if key not in self._kept:
                if len(self._kept) >= KEPT:
                    self._kept.clear()
                self._kept[key] = make(standings)
            return cast("Made", self._kept[key])

    def _present(self) -> Mapping[ProjectId, Standing]:
        world = self._world()
        known = [world.projects[key] for key in self._concerned(world, self._changed) if key in world.projects]
        if known:
            self._standings = self._standings | {project.id: _standing(world, project) for project in known}
            self._kept.clear()
            self.looked += len(known)
        self._changed = set()
        return self._standings

    def _concerned(self, world: World, changed: Iterable[str] | None) -> set[ProjectId]:
        """Return which projects have to be looked at again."""
        if changed is None:
            return set(world.projects)
        found: set[ProjectId] = set()
        for stream in changed:
            kind, _, key = stream.partition("-")
            match kind:
                case "project":
                    found.add(ProjectId(key))
                case "share":
                    share = world.shares.get(ShareId(key))
                    found |= {share.project} if share else set()
                case "client":
                    found |= {share.project for share in world.all_of_client(key)}
                case "erasure":
                    return set(world.projects)
                case _:
                    pass
        return found


def _standing(world: World, project: Project) -> Standing:
    shares = world.shares_of_project(project.id)
    milestones = project.schedule.milestones.values()
    risks = project.risks.risks.values()
    return Standing(
        id=project.id,
        title=project.title,
        owner=project.owner,
        phase=project.phase,
        zone=project.time_zone,
        overall=project.health.status("overall"),
        due=tuple(sorted(m.forecast for m in milestones if m.actual is None)),
        concerns=sum(not concern.settled for share in shares for concern in share.answers.concerns.values()),
        views=sum(risk.view_needed_from(client) for risk in risks for client in risk.asked),
        held=sum(len(world.held(share.id).held) for share in shares),
        shares=tuple(share.id for share in shares if share.active),
        clients=frozenset(share.client for share in shares),
        words=folded(project.title, project.client_title, *(world.client_name(share.client) for share in shares)),
        things=(
            *(
                Thing(kind="milestone", id=m.id, title=d.title, words=folded(d.title, d.client_title))
                for m in milestones
                for d in (m.details,)
            ),
            *(
                Thing(
                    kind="risk",
                    id=risk.id,
                    title=f"{d.ref} {d.title}",
                    words=folded(d.ref, d.title, d.client_title),
                )
                for risk in risks
                for d in (risk.details,)
            ),
        ),
    )
