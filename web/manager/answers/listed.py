"""Lists of what clients said about a project, with what each was looking at and what has changed since.

Rule: what was on a screen, and what changed since, is read from the disclosure log and never computed anew.
"""

import hashlib
from datetime import datetime

import msgspec

from domain.agreement.answers import Comment, Concern
from domain.agreement.share import Share
from domain.headline import counted
from domain.ids import ClientId, PersonId, RiskId
from domain.language import gettext as _
from domain.language import listed, sentence
from domain.plan.project import Project
from domain.plan.risks import ClientScored, Points, RiskRaised, RiskScored
from projections.entries.entry import Change
from projections.events.world import World
from web.door.guard import Signed
from web.manager.answers.allowed import May, may
from web.process.services import Services
from web.telling.matters import title_of

SPAN = 200  # updates looked through for what has changed since
LISTED = 6  # changes that are listed


class Since(msgspec.Struct, frozen=True):
    """What a share showed differently after one update: of the thing asked about, and how much else."""

    head: int  # the newest update
    changes: tuple[tuple[int, Change], ...]  # update, change; newest first
    more: int  # changes of the same thing that are not listed
    others: int  # changes of anything else


class ConcernLine(msgspec.Struct, frozen=True, kw_only=True):
    """One concern."""

    c: Concern
    share: Share
    client: str
    title: str
    since: Since | None  # None once it is settled
    may: May


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """What was said about one thing on one share, oldest first."""

    client: str
    of: ClientId  # its id
    title: str
    comments: tuple[Comment, ...]


class AckLine(msgspec.Struct, frozen=True, kw_only=True):
    """One acknowledgement; `current` tells whether its subject stands as it did."""

    client: str
    of: ClientId  # its id
    title: str
    by: PersonId
    at: datetime
    update: int
    current: bool


class Assessed(msgspec.Struct, frozen=True):
    """A score with who gave it and when; `update` is what was on the screen, 0 when not known."""

    points: Points
    by: str
    at: datetime
    update: int = 0
    as_of: datetime | None = None  # since when it held, where that is said


class ScoreLine(msgspec.Struct, frozen=True, kw_only=True):
    """One risk as both sides score it."""

    client: str
    title: str
    ours: Assessed
    theirs: Assessed


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """All that was said about a project, open concerns first."""

    concerns: list[ConcernLine]
    threads: list[Thread]
    acks: list[AckLine]
    scores: list[ScoreLine]
    token: str

    @property
    def open(self) -> str:
        """How many concerns are open, as a sentence."""
        many = sum(not line.c.settled for line in self.concerns)
        return (
            sentence(counted("one concern is open", "{many} concerns are open", many))
            if many
            else _("No concern is open.")
        )

    @property
    def rest(self) -> str:
        """How much else was said, as a sentence."""
        comments = sum(len(thread.comments) for thread in self.threads)
        return sentence(
            listed(
                (
                    counted("one comment", "{many} comments", comments),
                    counted("one acknowledgement", "{many} acknowledgements", len(self.acks)),
                )
            )
        )


def token(services: Services, world: World, project: Project) -> str:
    """Return a fingerprint of all that the page depends on: another one later means that something is new."""
    shares = world.shares_of_project(project.id)
    heads = [(s.id, world.versions.get(f"share-{s.id}", 0), services.logs.disclosure.head(s.id)) for s in shares]
    state = repr((heads, world.versions.get(f"project-{project.id}", 0), len(world.erased)))
    return hashlib.sha256(state.encode()).hexdigest()[:16]


def answers(services: Services, signed: Signed, world: World, project: Project) -> Answers:
    """Return what was said about a project. For threads."""
    shares = world.shares_of_project(project.id)
    client_names = {share.id: world.client_name(share.client) for share in shares}
    before = token(services, world, project)
    concerns = [line for share in shares for line in _concerns(services, signed, world, project, share)]
    concerns.sort(key=lambda line: (line.c.settled, -line.c.at.timestamp()))
    return Answers(
        concerns=concerns,
        threads=[thread for share in shares for thread in _threads(project, share, client_names[share.id])],
        acks=[ack for share in shares for ack in _acks(project, share, client_names[share.id])],
        scores=[line for share in shares for line in _scores(services, world, project, share)],
        token=before,  # what is recorded while this is read makes another one
    )


def _concerns(services: Services, signed: Signed, world: World, project: Project, share: Share) -> list[ConcernLine]:
    return [
        ConcernLine(
            c=concern,
            share=share,
            client=world.client_name(share.client),
            title=title_of(project, concern.subject),
            since=None if concern.settled else since(services, share.id, concern.screen.n, concern.subject),
            may=may(world, signed, share),
        )
        for concern in share.answers.concerns.values()
    ]


def since(services: Services, share: str, n: int, subject: str) -> Since:
    """Return what a share showed differently after update `n`, of one thing or of everything ("")."""
    log, key = services.logs.disclosure, subject.partition("-")[2]
    head = log.head(share)
    entries = log.entries(share, max(n, head - SPAN), SPAN, head) if head > n else []
    every = [
        (entry.n, change)
        for entry in reversed(entries)
        for change in entry.content.changes
        if not change.kind.startswith("concern.")
    ]
    named = {subject, key}  # updates of entry format 1 name the id alone
    about = [(update, change) for update, change in every if not key or change.subject in named]
    listed = about[:LISTED]
    return Since(head=head, changes=tuple(listed), more=len(about) - len(listed), others=len(every) - len(about))


def _threads(project: Project, share: Share, client: str) -> list[Thread]:
    subjects = dict.fromkeys(comment.subject for comment in share.answers.comments)
    threads = [
        Thread(
            client=client, of=share.client, title=title_of(project, subject), comments=tuple(share.answers.on(subject))
        )
        for subject in subjects
    ]
    return sorted(threads, key=lambda thread: thread.comments[-1].at, reverse=True)


def _acks(project: Project, share: Share, client: str) -> list[AckLine]:
    return [
        AckLine(
            client=client, of=share.client, title=title_of(project, subject), by=given.by, at=given.at,
            update=given.screen.n, current=_last_moved(project, subject) <= given.at,
        )
        for subject, given in reversed(share.answers.acknowledged.items())
    ]  # fmt: skip


def _last_moved(project: Project, subject: str) -> datetime:
    """Return when the forecast or the score of a subject last moved (UTC); the earliest instant for anything else."""
    kind, _, key = subject.partition("-")
    if kind == "milestone" and key in project.schedule.milestones:
        return project.schedule.milestones[key].moved_at  # type: ignore[index]
    if kind == "risk" and key in project.risks.risks:
        return project.risks.risks[RiskId(key)].scored_at
    return datetime.min.replace(tzinfo=project.changed_at.tzinfo)


def _scores(services: Services, world: World, project: Project, share: Share) -> list[ScoreLine]:
    lines = []
    for risk in project.risks.risks.values():
        given = risk.client_scores.get(share.client, ())
        if given and not risk.closed:
            ours, theirs = risk.scores[-1], given[-1]
            who, _update = _event(services, project, ours.at, risk.id)
            _who, update = _event(services, project, theirs.at, risk.id)
            lines.append(
                ScoreLine(
                    client=world.client_name(share.client),
                    title=title_of(project, f"risk-{risk.id}"),
                    ours=Assessed(ours.points, world.person_name(who), ours.at, as_of=ours.as_of),
                    theirs=Assessed(theirs.points, world.person_name(theirs.by, share.client), theirs.at, update),
                )
            )
    return lines


def _event(services: Services, project: Project, at: datetime, risk: RiskId) -> tuple[str, int]:
    """Return who scored a risk at an instant, and the update that was on a client's screen then."""
    events, stream = services.logs.events, f"project-{project.id}"
    version = events.version_at(stream, at)
    while version > 0 and (recorded := events.part(stream, version - 1, 1)) and recorded[0].at == at:
        event = recorded[0].event
        if isinstance(event, RiskRaised | RiskScored | ClientScored) and event.risk == risk:
            return recorded[0].actor, event.screen.n if isinstance(event, ClientScored) else 0
        version -= 1
    return "", 0
