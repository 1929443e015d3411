"""What the organisation asks of everybody who signs in; the clients' own limits may be narrower."""

from datetime import datetime
from typing import assert_never

import msgspec

from domain.message import Command, Event
from domain.people import devices

# events


class PasskeysRequired(Event, frozen=True, kw_only=True):
    """Whether the organisation's own people go nowhere before they have used a passkey."""

    required: bool


class DeviceDaysSet(Event, frozen=True, kw_only=True):
    """For how many days a device may stay signed in from now on, at most; 0: none may."""

    days: int


RuleEvent = PasskeysRequired | DeviceDaysSet

# state


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    passkeys_required: bool = False  # of the organisation's own people
    required_since: datetime | None = None  # UTC, while they are
    device_days: int = devices.DAYS  # for which a device may stay signed in, at most


def evolve(state: Rules, event: RuleEvent, at: datetime) -> Rules:
    """Return the rules after `event`, recorded at `at` (UTC)."""
    match event:
        case PasskeysRequired(required=required):
            return msgspec.structs.replace(state, passkeys_required=required, required_since=at if required else None)
        case DeviceDaysSet(days=days):
            return msgspec.structs.replace(state, device_days=days)
        case _:
            assert_never(event)


# commands


class RequirePasskeys(Command, frozen=True, kw_only=True):
    required: bool


class SetDeviceDays(Command, frozen=True, kw_only=True):
    """Say for how many days a device may stay signed in, at most; 0: none may. It holds for devices kept already."""

    days: int


RuleCommand = RequirePasskeys | SetDeviceDays


def decide(state: Rules, command: RuleCommand) -> list[RuleEvent]:
    """Return the event that carries out `command`; none where it is so already.

    Raises: Invalid.
    """
    match command:
        case RequirePasskeys(required=required):
            return [] if required == state.passkeys_required else [PasskeysRequired(required=required)]
        case SetDeviceDays():
            days = devices.checked_days(command.days)
            return [] if days == state.device_days else [DeviceDaysSet(days=days)]
        case _:
            assert_never(command)
