"""Refusals of a command. Nothing is recorded when one is raised.

Refused
├── Unknown   what the command names does not exist: look it up again
├── Invalid   a value cannot be right: correct the field named
├── Conflict  the present state does not allow it: look at it, then decide
├── Stale     the state changed since the sender read it: read it again, then repeat
└── Denied    the sender has no right to it: ask somebody who has
"""


class Refused(Exception):
    """The message is one or two sentences for the person who asked: what was expected, what came, what to do."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Unknown(Refused):
    """What the command names does not exist."""


class Invalid(Refused):
    """A value cannot be right; `field` names it."""


class Conflict(Refused):
    """The present state does not allow the command."""


class Stale(Refused):
    """The stream has newer events than the sender has read."""


class Denied(Refused):
    """The actor may not do this."""
