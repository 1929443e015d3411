"""A channel of a chat product that is told of what needs somebody in one project: Microsoft Teams or Slack.

See docs/spec.md 2.25.

Rule: the address is a secret. It is checked here, and sealed before it is recorded (projections/events/event_log.py);
nothing that reads an event or a state has it. A message is recorded before it is sent, and one that may have gone out
is never sent again.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, assert_never
from urllib.parse import urlsplit

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ChannelId, ProjectId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.telling.notices import KINDS
from domain.telling.told import Kind, News, ToldLines

Form = Literal["teams", "slack"]
Settled = Literal["accepted", "refused", "deferred", "dropped"]
SENT = 30  # messages kept in memory; the log has them all
TOLD: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind != "channel")  # what a channel may be told of
LONGEST = 2000  # characters of an address
WAIT = 24 * 3600  # seconds that the other end may ask to wait

# events


class ChannelAdded(Event, frozen=True, kw_only=True):
    """`address` is sealed; `kinds` of lines are told there, of what comes from now on."""

    channel: ChannelId
    project: ProjectId
    form: Form
    name: str
    address: str
    kinds: tuple[Kind, ...]


class ChannelAddressReplaced(Event, frozen=True, kw_only=True):
    address: str  # sealed


class ChannelChanged(Event, frozen=True, kw_only=True):
    name: str
    kinds: tuple[Kind, ...]


class ChannelContentAllowed(Event, frozen=True, kw_only=True):
    """Whether whoever reads the channel may see what a line says, and not only its project and kind."""

    content: bool


class ChannelEnded(Event, frozen=True, kw_only=True):
    """Nothing more is sent there, and the key of its address is destroyed."""

    reason: str = ""


class MessageQueued(Event, frozen=True, kw_only=True):
    """A message is about to be sent, about some lines; none: to try the channel.

    Recorded again for the same message when that was deferred and is tried once more.
    """

    message: str
    lines: tuple[str, ...] = ()


class MessageSettled(Event, frozen=True, kw_only=True):
    """What became of a message. `wait`: for how many seconds the other end asked us to send nothing."""

    message: str
    state: Settled
    told: str = ""
    wait: int = 0


ChannelEvent = (
    ChannelAdded | ChannelAddressReplaced | ChannelChanged | ChannelContentAllowed | ChannelEnded | MessageQueued
    | MessageSettled
)  # fmt: skip

# state


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """A message to a channel."""

    id: str
    lines: tuple[str, ...]
    at: datetime  # queued first
    state: Literal["queued"] | Settled = "queued"  # queued: it may have been sent, there is no answer yet
    told: str = ""
    settled: datetime | None = None
    tries: int = 0  # how often it was deferred
    wait: int = 0

    @property
    def trial(self) -> bool:
        """Whether it tried the channel and told nothing."""
        return not self.lines


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    id: ChannelId
    project: ProjectId
    form: Form
    name: str
    address: str  # sealed
    kinds: tuple[Kind, ...]
    since: datetime  # of the address, UTC
    content: bool = False
    ended: datetime | None = None
    told: ToldLines = ToldLines()
    posted: tuple[Posted, ...] = ()  # the latest ones

    @property
    def last(self) -> Posted | None:
        """The newest message that has an answer, to the present address."""
        answered = [one for one in self.posted if one.settled is not None and one.state != "dropped"]
        ordered = sorted(answered, key=lambda one: one.settled or one.at)
        return next((one for one in ordered[-1:] if one.settled and one.settled >= self.since), None)


def evolve(state: Channel | None, event: ChannelEvent, at: datetime) -> Channel:
    """Return the channel after `event`, recorded at `at` (UTC)."""
    if isinstance(event, ChannelAdded):
        return Channel(
            id=event.channel, project=event.project, form=event.form, name=event.name, address=event.address,
            kinds=event.kinds, since=at, told=ToldLines(before=at),
        )  # fmt: skip
    if state is None:
        message = f"expected ChannelAdded first, got {type(event).__name__}"
        raise ValueError(message)
    replace = msgspec.structs.replace
    match event:
        case ChannelAddressReplaced(address=address):
            return replace(state, address=address, since=at)
        case ChannelChanged(name=name, kinds=kinds):
            return replace(state, name=name, kinds=kinds)
        case ChannelContentAllowed(content=content):
            return replace(state, content=content)
        case ChannelEnded():
            return replace(state, ended=at, address="")
        case MessageQueued():
            return _queued(state, event, at)
        case MessageSettled():
            return replace(state, posted=_changed(state.posted, event.message, lambda one: _settled(one, event, at)))
        case _:
            assert_never(event)


def _queued(state: Channel, event: MessageQueued, at: datetime) -> Channel:
    replace = msgspec.structs.replace
    if any(one.id == event.message for one in state.posted):
        return replace(state, posted=_changed(state.posted, event.message, lambda one: replace(one, state="queued")))
    posted = (*state.posted, Posted(id=event.message, lines=event.lines, at=at))[-SENT:]
    return replace(state, posted=posted, told=state.told.after(event.lines, at))


def _changed(posted: tuple[Posted, ...], key: str, change: Callable[[Posted], Posted]) -> tuple[Posted, ...]:
    return tuple(change(one) if one.id == key else one for one in posted)


def _settled(one: Posted, event: MessageSettled, at: datetime) -> Posted:
    tries = one.tries + (event.state == "deferred")
    return msgspec.structs.replace(one, state=event.state, told=event.told, settled=at, tries=tries, wait=event.wait)


# commands


class AddChannel(Command, frozen=True, kw_only=True):
    """Tell a channel of a project's lines; `address` as Teams or Slack gave it."""

    channel: ChannelId
    project: ProjectId
    form: Form
    name: str
    address: str
    kinds: tuple[Kind, ...] = TOLD


class ReplaceChannelAddress(Command, frozen=True, kw_only=True):
    channel: ChannelId
    address: str


class ChangeChannel(Command, frozen=True, kw_only=True):
    channel: ChannelId
    name: str
    kinds: tuple[Kind, ...]


class AllowChannelContent(Command, frozen=True, kw_only=True):
    """Say whether whoever reads a channel may see what a line says."""

    channel: ChannelId
    content: bool


class EndChannel(Command, frozen=True, kw_only=True):
    channel: ChannelId
    reason: str = ""


class QueueMessage(Command, frozen=True, kw_only=True):
    """Record that a message is about to be sent; with the id of a deferred one: that it is tried again."""

    channel: ChannelId
    message: str
    news: tuple[News, ...] = ()  # none: it tries the channel


class SettleMessage(Command, frozen=True, kw_only=True):
    channel: ChannelId
    message: str
    state: Settled
    told: str = ""
    wait: int = 0


ChannelCommand = (
    AddChannel | ReplaceChannelAddress | ChangeChannel | AllowChannelContent | EndChannel | QueueMessage | SettleMessage
)
Addressed = AddChannel | ReplaceChannelAddress  # commands that hold an address


def decide(state: Channel | None, command: ChannelCommand) -> list[ChannelEvent]:
    """Return the events that carry out `command`; an address in it is sealed by now.

    Raises: a kind of Refused.
    """
    if isinstance(command, AddChannel):
        return [_added(state, command)]
    if state is None:
        raise Unknown(_("There is no such channel. Add it first."), "channel")
    if isinstance(command, SettleMessage):  # also once it ended: what became of a message is told
        return list(_settle(state, command))
    if state.ended is not None:
        raise Conflict(_("This channel has ended. Add it again with a new address."), "channel")
    match command:
        case ReplaceChannelAddress(address=address):
            return [ChannelAddressReplaced(address=address)]
        case ChangeChannel(name=name, kinds=kinds):
            new = ChannelChanged(name=check.line("name", name), kinds=_kinds(kinds))
            return [] if (new.name, new.kinds) == (state.name, state.kinds) else [new]
        case AllowChannelContent(content=content):
            return [] if content == state.content else [ChannelContentAllowed(content=content)]
        case EndChannel(reason=reason):
            return [ChannelEnded(reason=check.text("reason", reason))]
        case QueueMessage():
            return list(_queue(state, command))
        case _:
            assert_never(command)


def _added(state: Channel | None, command: AddChannel) -> ChannelAdded:
    if state is not None:
        raise Conflict(_("A channel with this id exists already. Use a new id."), "channel")
    return ChannelAdded(
        channel=ChannelId(check.identifier("channel", command.channel)),
        project=command.project,
        form=command.form,
        name=check.line("name", command.name),
        address=command.address,
        kinds=_kinds(command.kinds),
    )


def _kinds(kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
    chosen = tuple(kind for kind in TOLD if kind in kinds)
    if not chosen:
        raise Invalid(_("Choose at least one kind, or end the channel."), "kinds")
    return chosen


def _queue(state: Channel, command: QueueMessage) -> list[MessageQueued]:
    """Return the event that queues a message; none where all of it was told, or another process was faster."""
    known = next((one for one in state.posted if one.id == command.message), None)
    if known is not None:
        again = MessageQueued(message=known.id, lines=known.lines)
        return [again] if known.state == "deferred" else []
    key = check.identifier("message", command.message)
    lines = state.told.new(command.news)
    return [MessageQueued(message=key, lines=lines)] if lines or not command.news else []


def _settle(state: Channel, command: SettleMessage) -> list[MessageSettled]:
    waits = any(one.id == command.message and one.state in ("queued", "deferred") for one in state.posted)
    told, wait = check.text("told", command.told)[:500], min(max(command.wait, 0), WAIT)
    settled = MessageSettled(message=command.message, state=command.state, told=told, wait=wait)
    return [settled] if waits else []


def address(field: str, value: str) -> str:
    """Return `value` if it can be the address of a channel: https, a host, nothing that signs in, no fragment.

    The message of the refusal never repeats it. Raises: Invalid.
    """
    told = _("This is no address of a channel. Copy the whole of it from Teams or Slack; it begins with https://.")
    text = value.strip()
    if not text.isascii() or not text.isprintable() or " " in text or not 0 < len(text) <= LONGEST:
        raise Invalid(told, field)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Invalid(told, field) from None
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or parts.fragment or port == 0:
        raise Invalid(told, field)
    return text
