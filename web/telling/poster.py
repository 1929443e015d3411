"""Sends messages to channels of Teams and Slack, and records what became of each.

Rule: a message is recorded as queued before it is handed over, and the answer after. One that may have gone out is
never sent again; one that was put off is, by whichever process leads. The address is opened for the moment of sending
and never said: not in an answer, not in a log.
"""

import logging
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec

from domain.errors import Refused
from domain.ids import ChannelId, CommandId
from domain.language import gettext as _
from domain.telling.channels import WAIT, Channel, Posted, QueueMessage, Settled, SettleMessage
from domain.telling.told import News
from projections.events.for_you import ForYou
from projections.events.matters import Matter
from projections.events.present import CurrentWorld
from projections.events.world import World
from projections.installation.crash_point import CrashPoint, nowhere
from projections.logs.vault import Damaged, Gone
from web.ids import new_id
from web.mail import cadence
from web.outside.sender import Lost, NotAllowed, NotSent, Reply, Sender
from web.telling.cards import MOST, Item, Message, written
from web.telling.matters import NAMES, leads_to, quoted, rank, sentence
from web.write.permission import SYSTEM, Actor
from web.write.service import Service

log = logging.getLogger("fanlight.post")
EVERY, REST = 1.0, 0.2  # seconds between two looks when nothing is recorded; and at least
AT_ONCE = 8  # channels that are sent to at a time, so that one that hangs holds up no other
PATIENCE = 15.0  # seconds for which the page that tries a channel waits for its answer
NOT_NOW = (408, 425, 429)  # answers of 400 and above that mean: later
PERHAPS = 504  # whoever answers this does not know whether it was taken
THROTTLED = re.compile(r"\berror\s+429\b")  # what a Teams webhook may say in an answer of 200


class PosterPorts(msgspec.Struct, frozen=True, kw_only=True):
    """What sending messages uses of the product. `parked`: the shares that stopped."""

    service: Service
    present: CurrentWorld
    for_you: ForYou
    parked: Callable[[], Mapping[str, int]]
    open_secret: Callable[[str, str], str]  # a secret of a stream
    clock: Callable[[], datetime]  # UTC
    origin: str
    sender: Sender
    leads: Callable[[], bool] = lambda: True
    crash_point: CrashPoint = nowhere


class Delivery(msgspec.Struct, frozen=True):
    """What became of a message; unknown: it may have gone out."""

    state: Settled | None
    told: str = ""
    wait: int = 0


class Poster:
    """Sends the messages of one process. Any thread may call `wake` and `try_out`."""

    def __init__(self, ports: PosterPorts) -> None:
        self._ports = ports
        self._woken = threading.Event()
        self._sending: dict[ChannelId, threading.Thread] = {}

    def wake(self) -> None:
        """Have it looked at once, as something was recorded."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Send what is due until `stop`, where this process leads."""
        while not stop.wait(REST):
            self._woken.wait(EVERY - REST)
            self._woken.clear()
            try:
                if self._ports.leads() and self._ports.present.world.channels:  # else nothing is read for nobody
                    self.look()
            except Exception:
                log.exception("sending to channels failed; it is tried again")
        for thread in list(self._sending.values()):
            thread.join(PATIENCE)

    def look(self) -> None:
        """Begin to send whatever is due to a channel that nothing is being sent to."""
        self._sending = {key: thread for key, thread in self._sending.items() if thread.is_alive()}
        world, now, parked = self._ports.present.refresh(), self._ports.clock(), self._ports.parked()
        for channel in list(world.channels.values()):
            if channel.ended is not None or channel.id in self._sending or len(self._sending) >= AT_ONCE:
                continue
            try:
                due = self._due(channel, now, parked)
            except Exception:
                log.exception("what is due to a channel could not be found; the others go on")
                continue
            if due is not None:
                self._begin(SYSTEM, due)

    @property
    def sends(self) -> bool:
        """Whether a message may be on its way to a channel at this moment."""
        return any(thread.is_alive() for thread in list(self._sending.values()))

    def wait(self, seconds: float) -> None:
        """Wait at most so many seconds for what is being sent."""
        for thread in list(self._sending.values()):
            thread.join(seconds)

    def try_out(self, actor: Actor, channel: ChannelId) -> Posted | None:
        """Send a message that tells nothing, and return it after the answer came or `PATIENCE` ran out.

        Raises: Refused.
        """
        command = QueueMessage(channel=channel, message=new_id())
        self._ports.service.execute(actor, command, command_id=CommandId(new_id(24)))
        sending = threading.Thread(target=self._tried, args=(channel, command.message), name="trial", daemon=True)
        sending.start()
        sending.join(PATIENCE)
        return self._posted(channel, command.message)

    def _tried(self, channel: ChannelId, message: str) -> None:
        try:
            self._send(channel, message)
        except Exception:
            log.exception("a channel could not be tried")

    def _due(self, channel: Channel, now: datetime, parked: Mapping[str, int]) -> QueueMessage | None:
        """Return what is to be sent to a channel now: first what was put off, then what is new."""
        for one in channel.posted:
            if one.state == "deferred":
                again = QueueMessage(channel=channel.id, message=one.id)
                return again if now >= _again(one) else None
        matters = self._ports.for_you.of_project(channel.project, now, parked)
        told, kinds = channel.told, channel.kinds
        new = [one for one in matters if one.kind in kinds and not told.has(one.key, one.since)]
        news = tuple(News(line=one.key, since=one.since) for one in sorted(new, key=rank))
        return QueueMessage(channel=channel.id, message=new_id(), news=news) if news else None

    def _begin(self, actor: Actor, command: QueueMessage) -> None:
        thread = threading.Thread(target=self._queued, args=(actor, command), name="channel", daemon=True)
        self._sending[command.channel] = thread
        thread.start()

    def _queued(self, actor: Actor, command: QueueMessage) -> None:
        """Record a message as queued, and send it unless another process was faster."""
        ports = self._ports
        try:
            known = self._posted(command.channel, command.message)
            if known is not None and ports.clock() - known.at > cadence.GIVE_UP:
                told = _("Given up after three days: {told}", told=known.told)
                self._settle(command.channel, command.message, Delivery("refused", told))
            elif ports.service.execute(actor, command, command_id=CommandId(new_id(24))).events:
                ports.crash_point("after-message-queued")
                self._send(command.channel, command.message)
        except Refused:
            return  # the channel ended a moment ago
        except Exception:
            log.exception("a message to a channel could not be made")

    def _send(self, key: ChannelId, message: str) -> None:
        """Hand over a queued message if there still is a reason, and record the answer."""
        channel, posted = self._ports.present.refresh().channels[key], self._posted(key, message)
        if posted is None:
            return
        content = self._content(channel, posted)
        if content is None:
            self._settle(key, message, Delivery("dropped"))
            return
        outcome = self._handed(channel, content, trial=posted.trial)
        self._ports.crash_point("before-message-settled")
        self._settle(key, message, outcome)

    def _handed(self, channel: Channel, content: bytes, *, trial: bool) -> Delivery:
        try:
            address = self._ports.open_secret(f"channel-{channel.id}", channel.address)
        except (Gone, Damaged):
            return Delivery("refused", _("The address cannot be read any more. Type it again."))
        try:
            reply = self._ports.sender.post(address, content)
        except NotAllowed as error:
            return Delivery("refused", str(error))
        except NotSent as error:
            return Delivery("refused" if trial else "deferred", _without(address, str(error)))
        except Lost as error:
            log.info("what became of a message to a channel is not known: %s", _without(address, str(error)))
            return Delivery(None)
        outcome = meant(reply, self._ports.clock())
        state: Settled | None = "refused" if trial and outcome.state == "deferred" else outcome.state
        return msgspec.structs.replace(outcome, state=state, told=_without(address, outcome.told))

    def _content(self, channel: Channel, posted: Posted) -> bytes | None:
        """Return a message as it is sent; None where the channel has ended or nothing of it waits any more."""
        world, now = self._ports.present.world, self._ports.clock()
        if channel.ended is not None:
            return None
        there = {one.key: one for one in self._ports.for_you.of_project(channel.project, now, self._ports.parked())}
        matters = [there[key] for key in posted.lines if key in there]
        if not matters and not posted.trial:
            return None
        message = Message(
            project=world.projects[channel.project].title,
            items=[self._item(world, channel, one, now) for one in matters[:MOST]],
            more=max(0, len(matters) - MOST),
            home=f"{self._ports.origin}/for-you",
        )
        return written(channel.form, message)

    def _item(self, world: World, channel: Channel, matter: Matter, now: datetime) -> Item:
        """Return a line as a channel may see it: without content not even an address that names whom it is about."""
        kind = _(NAMES[matter.kind])
        if not channel.content:
            return Item(kind=kind, said="", href=f"{self._ports.origin}/for-you")
        said, words = sentence(world, matter, now), quoted(world, matter)
        if words:
            said = _("{sentence} “{words}”", sentence=said, words=words)
        return Item(kind=kind, said=said, href=f"{self._ports.origin}{leads_to(matter)}")

    def _settle(self, channel: ChannelId, message: str, outcome: Delivery) -> None:
        if outcome.state is None:
            return  # it stays queued: it may have gone out
        command = SettleMessage(
            channel=channel, message=message, state=outcome.state, told=outcome.told, wait=outcome.wait
        )
        self._ports.service.execute(SYSTEM, command, command_id=CommandId(new_id(24)))

    def _posted(self, channel: ChannelId, message: str) -> Posted | None:
        known = self._ports.present.refresh().channels.get(channel)
        return next((one for one in known.posted if one.id == message), None) if known else None


def meant(reply: Reply, now: datetime) -> Delivery:
    """Return what an answer of Teams or Slack means; `now` in UTC."""
    told = f"{reply.status} {reply.text}".strip()
    later = reply.status in NOT_NOW or (reply.status >= 500 and reply.status != PERHAPS)
    if later or (reply.status == 200 and THROTTLED.search(reply.text)):
        return Delivery("deferred", told, _seconds(reply.retry_after, now))
    if reply.status == PERHAPS:
        return Delivery(None, told)
    return Delivery("accepted" if 200 <= reply.status < 300 else "refused", told)


def _seconds(retry_after: str, now: datetime) -> int:
    """Return for how long the other end asks us to wait (RFC 9110 10.2.3), 0 where it does not say."""
    if retry_after.isascii() and retry_after.isdigit():
        return min(int(retry_after[:9]), WAIT)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(int((until - now).total_seconds()), 0), WAIT)


def _again(one: Posted) -> datetime:
    """Return when a message that was put off is tried again (UTC): as asked for, else later each time."""
    settled = one.settled or one.at
    return settled + timedelta(seconds=one.wait) if one.wait else cadence.again(one.tries, settled)


def _without(address: str, text: str) -> str:
    """Return a text without any part of an address that could let somebody in."""
    for part in sorted(_parts(address), key=len, reverse=True):
        text = text.replace(part, "…")
    return text


def _parts(address: str) -> Sequence[str]:
    rest = address.partition("://")[2].partition("/")[2]
    pieces = rest.replace("?", "/").replace("&", "/").replace("=", "/").split("/")
    return [one for one in (address, rest, *pieces) if len(one) >= 6]
