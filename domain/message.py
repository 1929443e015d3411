"""The base classes of events and commands: frozen structs, tagged by class name and not by module."""

import re

import msgspec

UNREADABLE = msgspec.MsgspecError, ValueError, RecursionError  # what decoding bytes that are no message may raise


def kebab(name: str) -> str:
    """Return the stored tag of a class name: `MilestoneAdded` is `milestone-added`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=kebab, tag_field="type"):
    """A recorded fact, named in the past tense. Stored by tag; fields are only ever added, with defaults."""


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=kebab, tag_field="type", forbid_unknown_fields=True):
    """A request, named in the imperative. It may be refused."""
