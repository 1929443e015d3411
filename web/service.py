"""The write side: one command in, its events recorded or a refusal out. Nothing is acknowledged before it is durable.

A command id seen before returns the first answer and records nothing. When somebody else wrote first, the command is
decided again on what is true now.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import assert_never

import msgspec

from domain import access, agreement, clients, commands, mails, project
from domain.access import PersonCommand, Role
from domain.agreement import ActivateTerms, DraftShare, ExpireShare, ReleaseDue, ReleaseHeld, ShareCommand
from domain.answers import Acknowledge, AnswerConcern, MakeComment, RaiseConcern
from domain.clients import Client, ClientCommand
from domain.commands import AnyCommand
from domain.errors import Conflict, Denied, Invalid, Stale, Unknown
from domain.events import AnyEvent, CommandCarriedOut, Stored, tag
from domain.health import LapseOverrides
from domain.ids import ClientId, CommandId, PersonId
from domain.project import ChangeTogether, ProjectCommand, expect
from domain.risks import AskClientView, ScoreAsClient
from projections.eventlog import EventLog
from projections.store import Moved
from projections.world import World
from web.present import Present

TRIES = 40  # of a command that others overtake
NONE, TICK = timedelta(), timedelta(microseconds=1)  # what was before an agreement and what came after is told by time


class Actor(msgspec.Struct, frozen=True):
    """Who asks. The system and the installation's operator act as admin."""

    person: PersonId
    role: Role
    client: ClientId | None = None


SYSTEM = Actor(PersonId("system"), "admin")
OPERATOR = Actor(PersonId("operator"), "admin")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a command recorded."""

    stream: str
    version: int  # of the stream after it
    events: tuple[str, ...]  # tags
    versions: tuple[int, ...]
    repeated: bool = False  # this command had been carried out before


class Service:
    """Carries out commands. Thread-safe; several processes may share one log."""

    def __init__(
        self,
        events: EventLog,
        present: Present,
        clock: Callable[[], datetime],
        point: Callable[[str], None] = lambda _name: None,
    ) -> None:
        self._events, self._present, self._clock, self._point = events, present, clock, point
        self.on_recorded: Callable[[], None] = lambda: None  # tells other processes, where there are any

    def execute(
        self, actor: Actor, command: AnyCommand, *, command_id: CommandId, expected: int | None = None
    ) -> Answer:
        """Record what `command` brings about and return its answer.

        `expected` is the version of the stream the sender looked at; None does not care.
        Raises: a kind of Refused; nothing is recorded then.
        """
        if not command_id or len(command_id) > 200:
            raise Invalid("A command needs an id of 1 to 200 characters that is its own.", "command_id")
        permit(actor, command, self._present.world)
        fingerprint = self._events.fingerprint(stream_of(command), commands.encode(command) + actor.person.encode())
        for tried in range(TRIES):
            if (first := self._first_answer(command_id, fingerprint)) is not None:
                return first
            try:
                return self._try(actor, command, command_id, expected, fingerprint)
            except Moved:
                time.sleep(0.001 * tried)
        raise Stale("Others are changing this at the same moment. Look at what changed, then repeat.")

    def carried_out(self, command_id: str) -> bool:
        """Tell whether a command with this id was carried out."""
        return bool(command_id) and bool(self._events.stream(f"command-{command_id}"))

    def _first_answer(self, command_id: CommandId, fingerprint: str) -> Answer | None:
        found = self._events.stream(f"command-{command_id}")
        if not found:
            return None
        done = found[0].event
        assert isinstance(done, CommandCarriedOut)
        if done.fingerprint != fingerprint:
            raise Conflict("This command id was used for another command. Use a new id for a new command.")
        self._present.refresh()
        return Answer(
            stream=done.stream,
            version=max(done.versions, default=0),
            events=done.tags,
            versions=done.versions,
            repeated=True,
        )

    def _try(
        self, actor: Actor, command: AnyCommand, command_id: CommandId, expected: int | None, fingerprint: str
    ) -> Answer:
        world = self._present.refresh()
        now = self._clock()
        before = self._present.latest + (TICK if isinstance(command, ActivateTerms) else NONE)
        at = max(now, before)  # a clock that was set back never turns the record around
        stream = stream_of(command)
        version = world.versions.get(stream, 0)
        expect(version, expected)
        _check_references(world, command)
        events = decide(world, command, now)
        versions = tuple(range(version + 1, version + 1 + len(events)))
        tags = tuple(tag(event) for event in events)
        done = CommandCarriedOut(
            command=tag(command), stream=stream, tags=tags, versions=versions, fingerprint=fingerprint
        )

        def stored(of: str, event: AnyEvent) -> Stored:
            return Stored(stream=of, at=at, actor=actor.person, command=command_id, event=event)

        rows = [(stored(stream, event), v) for event, v in zip(events, versions, strict=True)]
        self._point("before-event-commit")
        self._events.append([*rows, (stored(f"command-{command_id}", done), 1)])
        self._point("after-event-commit")
        self.on_recorded()
        self._present.refresh()
        return Answer(stream=stream, version=version + len(events), events=tags, versions=versions)


def stream_of(command: AnyCommand) -> str:
    """Return the stream a command is decided on."""
    match command:
        case access.NameOrganisation():
            return "organisation"
        case _ if isinstance(command, ClientCommand):
            return f"client-{command.client}"
        case access.ErasePerson(person=person):
            return f"erasure-{person}"
        case _ if isinstance(command, PersonCommand):
            return f"person-{command.person}"
        case _ if isinstance(command, ShareCommand):
            return f"share-{command.share}"
        case _ if isinstance(command, ProjectCommand):
            return f"project-{command.project}"
        case _:
            assert_never(command)


def decide(world: World, command: AnyCommand, now: datetime) -> list[AnyEvent]:
    """Return the events that carry out `command` on the world as it is at `now` (UTC).

    Raises: a kind of Refused.
    """
    match command:
        case access.NameOrganisation():
            return list(access.decide_organisation(world.organisation or None, command))
        case _ if isinstance(command, ClientCommand):
            return list(clients.decide(world.clients.get(command.client), command))
        case access.ErasePerson(person=person):
            return list(access.decide_erasure(world.people.get(person), command))
        case _ if isinstance(command, PersonCommand):
            return list(access.decide(world.people.get(command.person), command, now))
        case _ if isinstance(command, ShareCommand):
            return list(
                agreement.decide(world.shares.get(command.share), command, now, world.held(command.share).facts)
            )
        case _ if isinstance(command, ProjectCommand):
            return list(project.decide(world.projects.get(command.project), command, now))
        case _:
            assert_never(command)


def _check_references(world: World, command: AnyCommand) -> None:
    """Refuse what names another stream that does not exist."""
    match command:
        case DraftShare(project=key, client=client):
            if key not in world.projects:
                raise Unknown("There is no such project to share.", "project")
            if _known_client(world, client).ended_at is not None:
                raise Conflict("Everything with this client has ended. Register it again under a new id.", "client")
        case access.InvitePerson(person=person) if person in world.erased:
            raise Conflict("Somebody with this id was erased. Use a new id.", "person")
        case access.InvitePerson(client=str() as client, email=email):
            clients.invitable(_known_client(world, ClientId(client)), email)
        case access.InvitePerson(projects=tuple() as projects) | access.AssignProjects(projects=tuple() as projects):
            if missing := [key for key in projects if key not in world.projects]:
                raise Unknown(f"There is no project {missing[0]}. Leave it out.", "projects")
        case AskClientView(client=client):
            _known_client(world, client)
        case ScoreAsClient(client=client, by=by):
            _known_client(world, client)
            if (said_by := world.people.get(by)) is not None and said_by.client != client:
                raise Invalid("This person is not of that client. Choose somebody who is.", "by")
        case _:
            pass


def _known_client(world: World, client: ClientId) -> Client:
    if client not in world.clients:
        raise Unknown("There is no such client. Register it first.", "client")
    return world.clients[client]


def permit(actor: Actor, command: AnyCommand, world: World) -> None:
    """Raise Denied when the actor's role does not cover the command; docs/spec.md 2.3 has the table."""
    if actor.role == "admin":
        return
    own = access.EndSession | access.UseLink | mails.ChooseDigest
    if isinstance(command, own) and command.person == actor.person:
        return
    if actor.role == "viewer" and _for_viewers(actor, command, world):
        return
    if (
        actor.role == "manager"
        and _for_managers(command, world)
        and _among_theirs(actor, command, world)
        and _in_own_name(actor, command)
    ):
        return
    message = f"Your role, {actor.role}, does not cover {tag(command)}. Ask an admin of your organisation."
    raise Denied(message)


def _for_viewers(actor: Actor, command: AnyCommand, world: World) -> bool:
    """A viewer speaks for their own client alone, in their own name, on what was shared with it."""
    if isinstance(command, ScoreAsClient):
        return (command.client, command.by) == (actor.client, actor.person)
    if not isinstance(command, MakeComment | RaiseConcern | Acknowledge):
        return False
    share = world.shares.get(command.share)
    theirs = share is not None and share.client == actor.client and command.by == actor.person
    return theirs and (not isinstance(command, MakeComment) or command.side == "theirs")


def _among_theirs(actor: Actor, command: AnyCommand, world: World) -> bool:
    """A manager of some projects changes those, and what is shared of those."""
    person = world.people.get(actor.person)
    if person is None or person.projects is None:
        return True
    if isinstance(command, ProjectCommand):
        return person.manages(command.project)
    if isinstance(command, DraftShare):
        return person.manages(command.project) and theirs(world, person, command.client)
    if isinstance(command, ShareCommand):
        share = world.shares.get(command.share)
        return share is not None and person.manages(share.project)
    return _among_their_clients(person, command, world)


def _among_their_clients(person: access.Person, command: AnyCommand, world: World) -> bool:
    """Whoever lets somebody in, or changes a client, has to manage all that the client is shown; an end needs less."""
    match command:
        case access.InvitePerson(client=str() as client):
            return theirs_alone(world, person, ClientId(client))
        case access.IssueLink(person=key) | mails.QueueMail(person=key):
            found = world.people.get(key)
            return found is None or found.client is None or theirs_alone(world, person, found.client)
        case access.DisablePerson(person=key) | access.EndSession(person=key):
            found = world.people.get(key)
            return found is None or found.client is None or theirs(world, person, found.client)
        case clients.EndClient(client=client) | clients.SetMailDomains(client=client):
            return theirs_alone(world, person, client)
        case _:
            return True


def theirs(world: World, person: access.Person, client: ClientId) -> bool:
    """Tell whether somebody of ours may know a client: something they manage is shared with it, or nothing is."""
    projects = [share.project for share in world.shares.values() if share.client == client]
    return person.projects is None or not projects or any(person.manages(project) for project in projects)


def theirs_alone(world: World, person: access.Person, client: ClientId) -> bool:
    """Tell whether somebody manages every project that is shared with a client."""
    return all(person.manages(share.project) for share in world.shares.values() if share.client == client)


def _in_own_name(actor: Actor, command: AnyCommand) -> bool:
    """What our side says to a client is said by who sends it."""
    return not isinstance(command, MakeComment | AnswerConcern | ReleaseHeld) or command.by == actor.person


def _for_managers(command: AnyCommand, world: World) -> bool:
    match command:
        case LapseOverrides() | ExpireShare() | ReleaseDue() | RaiseConcern() | Acknowledge():
            return False
        case ScoreAsClient(share=share, screen=screen):  # what a client said elsewhere was on no screen of its page
            return not share and not screen.n
        case MakeComment(side=side):
            return side == "ours"
        case ChangeTogether(commands=parts):
            return all(_for_managers(part, world) for part in parts)
        case access.InvitePerson(role=role):
            return role == "viewer"
        case mails.QueueMail(kind="digest"):  # or a manager could make a mail count as sent that never was
            return False
        case (
            access.IssueLink(person=person) | access.DisablePerson(person=person) | mails.QueueMail(person=person)
            | access.EndSession(person=person)
        ):  # fmt: skip
            return person not in world.people or world.people[person].role == "viewer"
        case _:
            return isinstance(command, ProjectCommand | ShareCommand | ClientCommand)
