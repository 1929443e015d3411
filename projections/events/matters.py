"""What needs somebody in one project, worked out of the present world: one rule for each kind of line.

Rule: nothing here knows whose it is, nor what anybody said of it: that is the index (for_you.py).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from domain.agreement.share import Share
from domain.ids import ChannelId, ClientId, PersonId, ProjectId, ShareId, SourceId
from domain.people.mails import Mail
from domain.plan.project import Project
from domain.telling.channels import Channel
from domain.telling.told import Kind
from projections.events.world import World

RECENT = timedelta(days=30)  # scores and acknowledgements
JOINED = timedelta(days=14)
EXPIRES = timedelta(days=14)  # before the agreed end of a share
UNCONFIRMED = timedelta(days=31)  # after the newest confirmation of a plan


class Matter(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that needs somebody, as far as the present instant does not matter."""

    key: str  # its kind, its project and its ids: the same for as long as it needs somebody
    kind: Kind
    project: ProjectId
    client: ClientId | None = None
    share: ShareId | None = None
    about: str = ""  # "milestone-m1", "risk-r7", "budget", "agreement-2"; "": everything
    channel: ChannelId | None = None
    source: SourceId | None = None
    by: PersonId | None = None  # of the client: who said it, joined, or was not reached
    at: datetime | None = None  # since when, UTC; None: not known
    newest: datetime | None = None  # when the latest of it came, where it is several
    many: int = 1
    until: datetime | None = None  # when it lapses
    starts: datetime | None = None  # it is nothing before that
    ends: datetime | None = None  # nor from then on
    place: str = ""  # whoever opens this place has dealt with it

    @property
    def moved(self) -> datetime | None:
        """When it last changed (UTC)."""
        return self.newest or self.at

    @property
    def since(self) -> datetime | None:
        """Since when it needs somebody as it is (UTC); None: not known."""
        times = [at for at in (self.moved, self.starts) if at is not None]
        return max(times, default=None)

    def holds(self, now: datetime) -> bool:
        """Tell whether it needs somebody at an instant."""
        return (self.starts is None or self.starts <= now) and (self.ends is None or now < self.ends)


def matters(world: World, project: Project) -> Iterator[Matter]:
    """Yield what needs somebody in a project, at any instant from now on."""
    active = [share for share in world.all_of_project(project.id) if share.active]
    for share in active:
        yield from _said(share)
        yield from _held(world, share)
        yield from _expires(share)
        yield from _mails(world, share)
    yield from _scored(project)
    yield from _unconfirmed(project, active)
    yield from _sources(project)
    for channel in world.channels_of(project.id):
        yield from _refusing(channel)
    for client in {share.client for share in world.all_of_project(project.id)}:
        if _home(world, client) == project.id:
            yield from _people_of(world, client, project.id)


def _key(kind: Kind, project: ProjectId, *ids: str | int) -> str:
    return ".".join((kind, project, *map(str, ids)))


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _said(share: Share) -> Iterator[Matter]:
    """Yield concerns and comments that nobody of ours answered, and what was acknowledged."""
    project, client = share.project, share.client
    for concern in share.answers.concerns.values():
        if not concern.settled and not concern.answer:
            yield Matter(
                key=_key("concern", project, share.id, concern.id), kind="concern", project=project, client=client,
                share=share.id, about=concern.subject, by=concern.by, at=concern.at,
            )  # fmt: skip
    open_now: dict[str, Matter] = {}
    for comment in share.answers.comments:
        known = open_now.get(comment.subject)
        if comment.side == "ours":
            if not comment.remark:
                open_now.pop(comment.subject, None)
        elif known is not None:
            new = {"many": known.many + 1, "newest": comment.at, "by": comment.by}
            open_now[comment.subject] = msgspec.structs.replace(known, **new)
        else:
            open_now[comment.subject] = Matter(
                key=_key("comment", project, share.id, comment.id), kind="comment", project=project, client=client,
                share=share.id, about=comment.subject, by=comment.by, at=comment.at,
            )  # fmt: skip
    yield from open_now.values()
    for subject, taken in share.answers.acknowledged.items():
        yield Matter(
            key=_key("ack", project, share.id, subject, _seconds(taken.at)), kind="ack", project=project, client=client,
            share=share.id, about=subject, by=taken.by, at=taken.at, ends=taken.at + RECENT, place=f"project-{project}",
        )  # fmt: skip


def _held(world: World, share: Share) -> Iterator[Matter]:
    for subject, held in world.held(share.id).held.items():
        fact = held.fact
        yield Matter(
            key=_key("hold", share.project, share.id, subject, _seconds(fact.since)), kind="hold",
            project=share.project, client=share.client, share=share.id, about=subject, at=fact.since, until=fact.until,
        )  # fmt: skip


def _expires(share: Share) -> Iterator[Matter]:
    if (expires := share.ways.expires) is not None:
        yield Matter(
            key=_key("expires", share.project, share.id, _seconds(expires)), kind="expires", project=share.project,
            client=share.client, share=share.id, until=expires, starts=expires - EXPIRES, ends=expires,
        )  # fmt: skip


def _mails(world: World, share: Share) -> Iterator[Matter]:
    """Yield whom the last mail about a share did not reach."""
    for person in world.viewers_of(share.client):
        if mail := _refused([mail for mail in person.mails if mail.share == share.id]):
            yield Matter(
                key=_key("mail", share.project, share.id, person.id, _seconds(mail.at)), kind="mail",
                project=share.project, client=share.client, share=share.id, by=person.id, at=mail.settled or mail.at,
            )  # fmt: skip


def _refused(mails: Sequence[Mail]) -> Mail | None:
    """Return the last of some mails where it was refused."""
    return mails[-1] if mails and mails[-1].state == "refused" else None


def _scored(project: Project) -> Iterator[Matter]:
    for risk in project.risks.risks.values():
        for client, given in () if risk.closed else risk.client_scores.items():
            last = given[-1]
            yield Matter(
                key=_key("score", project.id, client, risk.id, _seconds(last.at)), kind="score", project=project.id,
                client=client, about=f"risk-{risk.id}", by=last.by, at=last.at, ends=last.at + RECENT,
                place=f"project-{project.id}",
            )  # fmt: skip


def _unconfirmed(project: Project, active: Sequence[Share]) -> Iterator[Matter]:
    """Yield that a plan which was confirmed before, and is shown to somebody, was not confirmed for long."""
    confirmed = project.schedule.confirmed_since
    open_dates = any(milestone.actual is None for milestone in project.schedule.milestones.values())
    if confirmed is not None and project.phase == "running" and active and open_dates:
        yield Matter(
            key=_key("confirm", project.id, _seconds(confirmed)), kind="confirm", project=project.id, at=confirmed,
            starts=confirmed + UNCONFIRMED,
        )  # fmt: skip


def _home(world: World, client: ClientId) -> ProjectId | None:
    """Return the project with which a client's people are told: of its first share in force, else of its first."""
    shares = world.all_of_client(client)
    return next((share.project for share in (*(s for s in shares if s.active), *shares)), None)


def _people_of(world: World, client: ClientId, project: ProjectId) -> Iterator[Matter]:
    """Yield whom an invitation did not reach, whom a lead invited, and who came in for the first time."""
    for person in world.viewers_of(client):
        known = person.memberships[client]
        first = next(iter(person.memberships))
        invited = [m for m in person.mails if m.kind == "invitation" and (m.client or first) == client]
        if (mail := _refused(invited)) and known.joined is None:
            yield Matter(
                key=_key("mail", project, client, person.id, _seconds(mail.at)), kind="mail", project=project,
                client=client, by=person.id, at=mail.settled or mail.at,
            )  # fmt: skip
        came = known.joined or (known.invited_at if known.invited_by is not None else None)
        if came is not None:
            yield Matter(
                key=_key("joined", project, client, person.id), kind="joined", project=project, client=client,
                by=person.id, at=came, ends=came + JOINED, place=f"client-{client}",
            )  # fmt: skip


def _sources(project: Project) -> Iterator[Matter]:
    """Yield which sources fail, and which brought something that waits for a person."""
    for source in project.sources.values():
        if not source.attached or project.phase == "closed":
            continue
        if (failure := source.failure) is not None and source.paused is None:
            yield Matter(
                key=_key("source", project.id, source.id, _seconds(failure.since)), kind="source", project=project.id,
                source=source.id, at=failure.since,
            )  # fmt: skip
        if (last := source.last) is not None and (waits := source.waits):
            yield Matter(
                key=_key("proposal", project.id, source.id), kind="proposal", project=project.id, source=source.id,
                at=last.at, many=len(waits),
            )  # fmt: skip


def _refusing(channel: Channel) -> Iterator[Matter]:
    """Yield that a channel did not take the last message, until it takes one or its address is another."""
    last = channel.last
    if last is not None and last.state == "refused":
        yield Matter(
            key=_key("channel", channel.project, channel.id, _seconds(last.at)), kind="channel",
            project=channel.project, channel=channel.id, at=last.settled or last.at,
        )  # fmt: skip


def stopped(share: Share, position: int) -> Matter:
    """Return that a share stopped after the event at a position; it may go on, and stop again after another."""
    return Matter(
        key=_key("stopped", share.project, share.id, position), kind="stopped", project=share.project,
        client=share.client, share=share.id,
    )  # fmt: skip
