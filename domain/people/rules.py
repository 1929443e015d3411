"""What the organisation asks of everybody who signs in; the clients' own limits may be narrower."""

import msgspec

from domain.message import Command, Event

# events


class PasskeysRequired(Event, frozen=True, kw_only=True):
    """Whether the organisation's own people go nowhere before they have used a passkey."""

    required: bool


RuleEvent = PasskeysRequired

# state


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    passkeys_required: bool = False  # of the organisation's own people


def evolve(state: Rules, event: RuleEvent) -> Rules:
    """Return the rules after `event`."""
    return msgspec.structs.replace(state, passkeys_required=event.required)


# commands


class RequirePasskeys(Command, frozen=True, kw_only=True):
    required: bool


RuleCommand = RequirePasskeys


def decide(state: Rules, command: RuleCommand) -> list[RuleEvent]:
    """Return the event that carries out `command`; none where it is so already."""
    same = command.required == state.passkeys_required
    return [] if same else [PasskeysRequired(required=command.required)]
