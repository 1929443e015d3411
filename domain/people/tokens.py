"""Bearer tokens of the JSON interface. Part of a person's stream.

Rule: a secret is recorded only as its hash.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from domain import check
from domain.errors import Conflict
from domain.ids import PersonId
from domain.language import gettext as _
from domain.message import Command, Event

# events


class TokenIssued(Event, frozen=True, kw_only=True):
    """A bearer token for the JSON interface; `hash` is the sha256 hex of its secret."""

    token: str
    hash: str
    label: str


class TokenRevoked(Event, frozen=True, kw_only=True):
    token: str


# state


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A bearer token; `issued` (UTC): an installation's settings say for how long it works from then."""

    id: str
    hash: str
    label: str
    issued: datetime


Tokens = Mapping[str, Token]


def evolve(state: Tokens, event: TokenIssued | TokenRevoked, at: datetime) -> dict[str, Token]:
    """Return the tokens after `event`, recorded at `at` (UTC)."""
    if isinstance(event, TokenIssued):
        return {**state, event.token: Token(id=event.token, hash=event.hash, label=event.label, issued=at)}
    return {key: token for key, token in state.items() if key != event.token}


# commands


class IssueToken(Command, frozen=True, kw_only=True):
    person: PersonId
    token: str
    hash: str
    label: str


class RevokeToken(Command, frozen=True, kw_only=True):
    person: PersonId
    token: str


def issue(state: Tokens, command: IssueToken) -> list[TokenIssued]:
    """Return the event that issues a token.

    Raises: Conflict when there is one with that id.
    """
    if check.identifier("token", command.token) in state:
        raise Conflict(_("A token with this id is in use already. Use a new id."), "token")
    digest, label = check.line("hash", command.hash), check.line("label", command.label)
    return [TokenIssued(token=command.token, hash=digest, label=label)]


def revoke(state: Tokens, command: RevokeToken) -> list[TokenRevoked]:
    """Return the event that ends a token, none where it ended already."""
    return [TokenRevoked(token=command.token)] if command.token in state else []
