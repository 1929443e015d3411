"""Bases of every event and command: frozen, tagged by a name that outlives any move of the class."""

import re

import msgspec


def kebab(name: str) -> str:
    """Return the stored tag of a class name: `MilestoneAdded` is `milestone-added`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=kebab, tag_field="type"):
    """A recorded fact, in the past tense. Stored by tag; fields are only ever added, with defaults."""


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=kebab, tag_field="type", forbid_unknown_fields=True):
    """A request, in the imperative. May be refused."""
