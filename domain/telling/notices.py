"""What a colleague is mailed of their list *For you*, by kind: at once, each morning, or not at all. Part of a person.

See docs/spec.md 2.24.

Rule: whatever is chosen, the list itself has every line.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, get_args

import msgspec

from domain import check
from domain.errors import Invalid
from domain.ids import PersonId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.telling.told import Kind, ToldLines

When = Literal["once", "morning", "off"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DEFAULT: When = "morning"
DEFAULTS: Mapping[Kind, When] = {"concern": "once"}  # of every other kind: DEFAULT

# events


class NoticesChosen(Event, frozen=True, kw_only=True):
    """When somebody is mailed of each kind of line; `time_zone`: whose mornings, "" for that of the organisation."""

    when: dict[Kind, When]
    time_zone: str = ""


# state


class Notices(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody chose, and what they were mailed of."""

    when: Mapping[Kind, When] = {}
    time_zone: str = ""
    chosen: datetime | None = None  # when they chose last, UTC
    told: ToldLines = ToldLines()

    def of(self, kind: Kind) -> When:
        """Return when the person is mailed of a kind of line."""
        return self.when.get(kind, DEFAULTS.get(kind, DEFAULT))


def evolve(state: Notices, event: NoticesChosen, at: datetime) -> Notices:
    """Return what somebody chose after `event`, recorded at `at` (UTC)."""
    return msgspec.structs.replace(state, when=event.when, time_zone=event.time_zone, chosen=at)


def mailed(state: Notices, lines: tuple[str, ...], at: datetime) -> Notices:
    """Return the state after a mail about some lines was queued at `at` (UTC)."""
    return msgspec.structs.replace(state, told=state.told.after(lines, at))


# commands


class ChooseNotices(Command, frozen=True, kw_only=True):
    """Say when a person is mailed of each kind of line; a kind that is not named keeps what it comes with."""

    person: PersonId
    when: dict[Kind, When]
    time_zone: str = ""


def choose(state: Notices, command: ChooseNotices, *, viewer: bool) -> list[NoticesChosen]:
    """Return the event that records what somebody chose, none where nothing changes.

    Raises: Invalid.
    """
    if viewer:
        raise Invalid(_("Viewers have no list. Choose how often they get a digest instead."), "person")
    zone = check.zone("time_zone", command.time_zone) if command.time_zone else ""
    same = all(state.of(kind) == command.when.get(kind, state.of(kind)) for kind in KINDS)
    if same and zone == state.time_zone:
        return []
    return [NoticesChosen(when={**state.when, **command.when}, time_zone=zone)]
