"""Refusals: the domain said no and recorded nothing.

Refused
├── Unknown   the thing named does not exist: look it up again
├── Invalid   a value cannot be right: correct the field named
├── Conflict  the state of things does not allow it now: look at it, then decide
├── Stale     it changed since you looked: look again, then repeat
└── Denied    you may not: ask someone who may
"""


class Refused(Exception):
    """The message is one or two sentences for the person who asked: what was expected, what came, what to do."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Unknown(Refused):
    """The thing named does not exist."""


class Invalid(Refused):
    """A value cannot be right; `field` names it."""


class Conflict(Refused):
    """The state of things does not allow it now."""


class Stale(Refused):
    """The stream moved on since the sender looked."""


class Denied(Refused):
    """The actor may not do this."""
