"""All events as one tagged union, and the stored form of an event: JSON with its tag; docs/spec.md section 1."""

from datetime import datetime

import msgspec

from domain.agreement.share import ShareEvent
from domain.ids import CommandId, PersonId
from domain.message import Event
from domain.people.access import AccessEvent
from domain.plan.project import ProjectEvent


class CommandCarriedOut(Event, frozen=True, kw_only=True):
    """Follows the events of one command, in the command's own stream: the answer to the same command sent again."""

    command: str  # tag of the command
    stream: str
    tags: tuple[str, ...]  # of the events recorded, in order
    versions: tuple[int, ...]  # of the events recorded, in the stream
    fingerprint: str  # sha256 hex of the command, so that one id cannot mean two things


class Sealed(Event, frozen=True, kw_only=True):
    """The stored form of an event of a person: sealed with that person's key."""

    kind: str  # tag of the event
    sealed: bytes


class ContentErased(Event, frozen=True, kw_only=True):
    """Stands for a sealed event whose key was destroyed. Never stored."""

    kind: str


AnyEvent = ProjectEvent | ShareEvent | AccessEvent | CommandCarriedOut | Sealed | ContentErased


_CLOSING = ("done-", "command-")  # what a command is closed in; the second until ids were the actor's own


def closing_stream(actor: PersonId, command: CommandId) -> str:
    """Return the stream that the closing event of a command stands in: an id is its actor's own."""
    return f"done-{actor}.{command}"  # no id holds a full stop, so no two pairs have one name


def closes(stream: str) -> bool:
    """Tell whether a stream holds the closing event of a command."""
    return stream.startswith(_CLOSING)


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An event with its place in the log."""

    stream: str  # "project-...", "share-...", "person-...", "client-...", "organisation", "done-..."
    version: int  # place in its stream, from 1
    position: int  # place in the whole log, from 1; never leaves the organisation
    at: datetime  # UTC
    actor: PersonId
    command: CommandId
    event: AnyEvent


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """The stored payload: who, when, by which command, and the event itself."""

    stream: str
    at: datetime
    actor: PersonId
    command: CommandId
    event: AnyEvent


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(Stored)


def encode(stored: Stored) -> bytes:
    """Return the payload that is stored."""
    return _encoder.encode(stored)


def decode(payload: bytes) -> Stored:
    """Return the stored event of a payload, written by any version of the program.

    Raises: msgspec.ValidationError (or DecodeError) on a payload that is not one.
    """
    return _decoder.decode(payload)


def tag(message: msgspec.Struct) -> str:
    """Return the stored name of an event or command."""
    return str(message.__struct_config__.tag)
