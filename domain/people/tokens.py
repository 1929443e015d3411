"""Bearer tokens of the JSON interface. Part of a person's stream.

See docs/spec.md 2.28.

Rule: a secret is recorded only as its hash. A token that names its scopes does what they say and nothing else; one that
names none was issued before there were any, or by the operator, and does what its holder may.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from domain import check
from domain.errors import Conflict, Invalid
from domain.ids import PersonId, ProjectId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.people.sign_ins import ahead

READ, CHANGE, SOURCE = "read", "change", "source"
SCOPES = (READ, CHANGE)  # that a person chooses from; one of another kind is a name, or a name and an id: "source:x"
_SCOPE = re.compile(r"[a-z]{1,20}(:[A-Za-z0-9][A-Za-z0-9_-]{0,63})?")
MOST = 500  # tokens of one person, those that have expired among them

# events


class TokenIssued(Event, frozen=True, kw_only=True):
    """A bearer token for the JSON interface; `hash` is the sha256 hex of its secret."""

    token: str
    hash: str
    label: str
    scopes: tuple[str, ...] | None = None  # None: whatever its holder may
    projects: tuple[ProjectId, ...] | None = None  # None: all its holder may see
    expires: datetime | None = None  # None: as the installation's settings say


class TokenRevoked(Event, frozen=True, kw_only=True):
    token: str


class TokenUsed(Event, frozen=True, kw_only=True):
    """A program used a token; recorded once a day (UTC), and nothing finer."""

    token: str
    on: date


TokenEvent = TokenIssued | TokenRevoked | TokenUsed

# state


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A bearer token; `issued` (UTC): an installation's settings say for how long it works from then."""

    id: str
    hash: str
    label: str
    issued: datetime
    scopes: tuple[str, ...] | None = None
    projects: tuple[ProjectId, ...] | None = None
    expires: datetime | None = None
    used: date | None = None  # the last day, UTC

    def covers(self, scope: str, about: str = "") -> bool:
        """Tell whether the token may be used for something, or for the one thing of that kind with the id `about`."""
        return self.scopes is None or scope in self.scopes or (bool(about) and f"{scope}:{about}" in self.scopes)


Tokens = Mapping[str, Token]


def evolve(state: Tokens, event: TokenEvent, at: datetime) -> dict[str, Token]:
    """Return the tokens after `event`, recorded at `at` (UTC)."""
    match event:
        case TokenIssued(token=key):
            new = Token(
                id=key, hash=event.hash, label=event.label, issued=at, scopes=event.scopes, projects=event.projects,
                expires=event.expires,
            )  # fmt: skip
            return {**state, key: new}
        case TokenUsed(token=key, on=on) if key in state:
            return {**state, key: msgspec.structs.replace(state[key], used=on)}
        case _:
            return {key: token for key, token in state.items() if key != event.token}


# commands


class IssueToken(Command, frozen=True, kw_only=True):
    """Issue a bearer token; without `scopes` it does whatever its holder may, without `projects` for all of theirs."""

    person: PersonId
    token: str
    hash: str
    label: str
    scopes: tuple[str, ...] | None = None
    projects: tuple[ProjectId, ...] | None = None
    expires: datetime | None = None


class RevokeToken(Command, frozen=True, kw_only=True):
    person: PersonId
    token: str


class UseToken(Command, frozen=True, kw_only=True):
    """Note that a token was used on a day (UTC)."""

    person: PersonId
    token: str
    on: date


TokenCommand = IssueToken | RevokeToken | UseToken


def decide(state: Tokens, command: TokenCommand, now: datetime) -> list[TokenEvent]:
    """Return the events that carry out `command` at `now` (UTC).

    Raises: a kind of Refused.
    """
    match command:
        case IssueToken():
            return [_issue(state, command, now)]
        case RevokeToken(token=key):
            return [TokenRevoked(token=key)] if key in state else []
        case UseToken(token=key, on=on):
            return [TokenUsed(token=key, on=on)] if key in state and state[key].used != on else []


def _issue(state: Tokens, command: IssueToken, now: datetime) -> TokenIssued:
    if check.identifier("token", command.token) in state:
        raise Conflict(_("A token with this id is in use already. Use a new id."), "token")
    if len(state) >= MOST:
        raise Conflict(_("There are {most} tokens, the most there can be. Revoke one first.", most=MOST))
    scopes = command.scopes
    if scopes is not None and (not scopes or not all(_SCOPE.fullmatch(scope) for scope in scopes)):
        raise Invalid(_("Choose what the token may be used for: to read, to change, or both."), "scopes")
    if command.projects == ():
        raise Invalid(_("Choose the projects the token is for, or all of them."), "projects")
    return TokenIssued(
        token=command.token, hash=check.line("hash", command.hash), label=check.line("label", command.label),
        scopes=None if scopes is None else tuple(dict.fromkeys(scopes)), projects=command.projects,
        expires=None if command.expires is None else ahead("expires", command.expires, now),
    )  # fmt: skip
