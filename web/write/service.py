"""Carries out commands: permits, decides and records each, and answers once its events are durable.

Rule: a command id is its sender's own, so that nobody learns of or uses up another's. One that was carried out before
returns its first answer and records nothing. A command that another writer overtook is decided again on what is true
then.
"""

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from domain import check, commands
from domain.agreement.share import ActivateTerms
from domain.commands import AnyCommand
from domain.errors import Conflict, Invalid, Stale
from domain.events import AnyEvent, CommandCarriedOut, Stored, closing_stream, tag
from domain.ids import CommandId, PersonId
from domain.language import gettext as _
from domain.plan.project import expect
from domain.telling import channels
from projections.events.event_log import EventLog
from projections.events.present import CurrentWorld
from projections.installation.crash_point import CrashPoint, nowhere
from projections.logs.disclosure_log import Moved
from web.write.decide import check_references, decide, stream_of
from web.write.permission import Actor, permit
from web.write.viewers import invited, meant

TRIES = 40  # of a command that other writers overtake
NONE = timedelta()
TICK = timedelta(microseconds=1)  # terms come so much after the newest event, so that the order is visible in time


def version_named(text: str) -> int:
    """Return the version of a stream that a sender says they looked at.

    Raises: Invalid where it cannot be read: a guard that is not understood is no guard.
    """
    if not re.fullmatch(r"[0-9]{1,18}", text):
        told = _("{text!r} is no version; expected that of the stream you looked at, such as 12.", text=text[:40])
        raise Invalid(told, "expected_version")
    return int(text)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a command recorded."""

    stream: str
    version: int  # of the stream after the command
    events: tuple[str, ...]  # their tags
    versions: tuple[int, ...]  # of each event
    repeated: bool = False  # the command had been carried out before


class Around(Protocol):
    """What is done around commands of some kind."""

    def before(self, actor: Actor, command: AnyCommand) -> None:
        """Called once a command is permitted and decided, before anything of it is recorded."""

    def after(self, command: AnyCommand) -> None:
        """Called once it is carried out, also when it had been before. Raises nothing."""


class Service:
    """Carries out commands. Thread-safe; several processes may share one log.

    `clock` returns UTC; `on_recorded` tells other processes, where there are any.
    """

    def __init__(
        self,
        events: EventLog,
        present: CurrentWorld,
        clock: Callable[[], datetime],
        crash_point: CrashPoint = nowhere,
        on_recorded: Callable[[], None] = lambda: None,
    ) -> None:
        self._events, self._present, self._clock, self._crash_point = events, present, clock, crash_point
        self._on_recorded = on_recorded
        self._around: list[Around] = []

    def surround(self, around: Around) -> None:
        """Have something done around every command from now on."""
        self._around.append(around)

    def execute(
        self, actor: Actor, command: AnyCommand, *, command_id: CommandId, expected: int | None = None
    ) -> Answer:
        """Record the events of `command` and return what was recorded.

        `expected`: the version of the stream that the sender looked at, None for any.
        Raises: a kind of Refused, and nothing is recorded.
        """
        answer = self._carry_out(actor, command, command_id, expected)
        for around in self._around:
            around.after(command)
        return answer

    def _carry_out(self, actor: Actor, command: AnyCommand, command_id: CommandId, expected: int | None) -> Answer:
        sent = commands.encode(command) + actor.person.encode()
        command = meant(self._present.world, actor.person, command)
        permit(actor, command, self._present.world)
        for attempt in range(TRIES):
            done = self._present.refresh_and_find(actor.person, command_id)
            if done is not None:
                return self._first_answer(done, sent)
            check.own_id("command_id", command_id)  # after it: what an earlier version took and recorded is answered
            try:
                return self._try(actor, command, command_id, expected, sent)
            except Moved:
                time.sleep(0.001 * attempt)
        raise Stale(_("Others are changing this at the same moment. Look at what changed, then repeat."))

    def carried_out(self, person: PersonId, command_id: str) -> bool:
        """Return whether somebody carried out a command by this id."""
        return self._events.carried_out(person, command_id) is not None

    def _first_answer(self, done: CommandCarriedOut, sent: bytes) -> Answer:
        """Return the answer of a command that was carried out before; `sent`: as it was sent, and by whom.

        Raises: Conflict when the id was used for another command.
        """
        if not self._events.recognised(done, sent):
            raise Conflict(_("This command id was used for another command. Use a new id for a new command."))
        return Answer(
            stream=done.stream,
            version=max(done.versions, default=0),
            events=done.tags,
            versions=done.versions,
            repeated=True,
        )

    def _sealed(self, command: AnyCommand) -> AnyCommand:
        """Return a command as it is decided on: no event gets to know a secret that it brings.

        Raises: Invalid.
        """
        if not isinstance(command, channels.Addressed):
            return command
        secret = channels.address("address", command.address)
        return msgspec.structs.replace(command, address=self._events.seal_secret(stream_of(command), secret))

    def _try(
        self, actor: Actor, command: AnyCommand, command_id: CommandId, expected: int | None, sent: bytes
    ) -> Answer:
        world = self._present.world
        command = invited(world, actor.person, command)
        now = self._clock()
        before = self._present.latest + (TICK if isinstance(command, ActivateTerms) else NONE)
        at = max(now, before)  # a clock that was set back never changes the order of the record
        stream = stream_of(command)
        version = world.versions.get(stream, 0)
        expect(version, expected)
        check_references(world, command)
        events = decide(world, self._sealed(command), now)
        for around in self._around:
            around.before(actor, command)
        versions = tuple(range(version + 1, version + 1 + len(events)))
        tags = tuple(tag(event) for event in events)
        done = CommandCarriedOut(
            command=tag(command),
            stream=stream,
            tags=tags,
            versions=versions,
            fingerprint=self._events.fingerprint(stream, sent),
        )

        def stored(name: str, event: AnyEvent) -> Stored:
            return Stored(stream=name, at=at, actor=actor.person, command=command_id, event=event)

        rows = [(stored(stream, event), v) for event, v in zip(events, versions, strict=True)]
        self._crash_point("before-event-commit")
        recorded = self._events.append([*rows, (stored(closing_stream(actor.person, command_id), done), 1)])
        self._crash_point("after-event-commit")
        self._on_recorded()
        self._present.take(recorded)
        return Answer(stream=stream, version=version + len(events), events=tags, versions=versions)
