"""Somebody's own email address, changed by themselves and confirmed by the old and the new one. Part of their stream.

See docs/spec.md 2.27.

Rule: nothing changes until both have confirmed. Of a viewer it changes with the clients that know them by the old
address and that the session opened in which it was asked, and with no other.
"""

from datetime import datetime, timedelta
from typing import Literal, Protocol

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId, PersonId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.people.memberships import Membership, same_address
from domain.people.sign_ins import ahead

Side = Literal["old", "new"]
MOST, WITHIN = 3, timedelta(days=1)  # at most so many are asked for in that time: each mails two addresses
TOLD = 5  # of those that were made, the latest are kept in memory

# events


class AddressChangeAsked(Event, frozen=True, kw_only=True):
    """Somebody wants to be reached at another address, with some clients; None: of staff, or all of that time."""

    change: str
    old: str
    new: str
    expires: datetime
    clients: tuple[ClientId, ...] | None = None


class AddressConfirmed(Event, frozen=True, kw_only=True):
    change: str
    side: Side


class AddressChanged(Event, frozen=True, kw_only=True):
    """Both addresses confirmed: links and emails go to the new one. Links that were not used open nothing any more."""

    change: str
    old: str
    new: str
    clients: tuple[ClientId, ...] | None = None


class AddressChangeDropped(Event, frozen=True, kw_only=True):
    """It was taken back, or somebody else signs in by the new address, which is told to nobody but admins."""

    change: str
    cause: Literal["withdrawn", "taken"]


AddressEvent = AddressChangeAsked | AddressConfirmed | AddressChanged | AddressChangeDropped

# state


class AddressChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was asked for. `at`: when it was asked, or once it was made, when that was; UTC."""

    id: str
    old: str
    new: str
    expires: datetime
    clients: tuple[ClientId, ...]  # of a viewer
    at: datetime
    confirmed: tuple[Side, ...] = ()
    taken: bool = False  # whether both confirmed, and somebody else had the new one

    @property
    def waits(self) -> bool:
        """Whether somebody has still to confirm."""
        return not self.taken and len(self.confirmed) < 2


class AddressChanges(msgspec.Struct, frozen=True, kw_only=True):
    """The changes of one person's address."""

    asked: AddressChange | None = None  # the last one, until it was made or withdrawn
    made: tuple[AddressChange, ...] = ()
    times: tuple[datetime, ...] = ()  # when the latest were asked for

    def pending(self, now: datetime) -> AddressChange | None:
        """Return the change that can be confirmed at `now` (UTC), None for none."""
        waits = self.asked is not None and self.asked.waits and self.asked.expires > now
        return self.asked if waits else None

    @property
    def former(self) -> tuple[str, ...]:
        """The latest addresses that were given up."""
        return tuple(change.old for change in self.made)


def evolve(state: AddressChanges, event: AddressEvent, clients: tuple[ClientId, ...], at: datetime) -> AddressChanges:
    """Return the changes after `event`, recorded at `at` (UTC), of somebody who is a viewer of `clients`."""
    replace, asked = msgspec.structs.replace, state.asked
    match event:
        case AddressChangeAsked():
            about = clients if event.clients is None else event.clients
            new = AddressChange(
                id=event.change, old=event.old, new=event.new, expires=event.expires, clients=about, at=at
            )
            return replace(state, asked=new, times=(*state.times, at)[-MOST:])
        case AddressConfirmed(change=key, side=side) if asked is not None and asked.id == key:
            return replace(state, asked=replace(asked, confirmed=(*asked.confirmed, side)))
        case AddressChanged(change=key) if asked is not None and asked.id == key:
            return replace(state, asked=None, made=(*state.made, replace(asked, at=at))[-TOLD:])
        case AddressChangeDropped(change=key, cause="taken") if asked is not None and asked.id == key:
            return replace(state, asked=replace(asked, taken=True))
        case AddressChangeDropped(change=key) if asked is not None and asked.id == key:
            return replace(state, asked=None)
        case _:
            return state


# commands


class AskAddressChange(Command, frozen=True, kw_only=True):
    """Ask to be reached at another address: of a viewer, with those of `clients` that know them by the old one."""

    person: PersonId
    change: str
    old: str
    new: str
    expires: datetime
    clients: tuple[ClientId, ...] = ()


class ConfirmAddress(Command, frozen=True, kw_only=True):
    """Confirm a change from one of its two addresses."""

    person: PersonId
    change: str
    side: Side


class WithdrawAddressChange(Command, frozen=True, kw_only=True):
    person: PersonId
    change: str


AddressCommand = AskAddressChange | ConfirmAddress | WithdrawAddressChange


class Addressee(Protocol):
    """What deciding on an address asks of a person."""

    @property
    def email(self) -> str:
        """The address of somebody of the organisation."""

    @property
    def viewer(self) -> bool:
        """Whether they are known by client."""

    @property
    def clients(self) -> tuple[ClientId, ...]:
        """The clients they are a viewer of now."""

    @property
    def memberships(self) -> dict[ClientId, Membership]:
        """What each client knows them by."""

    @property
    def address_changes(self) -> AddressChanges:
        """Those that were asked for and made."""


def known_by(state: Addressee, address: str, clients: tuple[ClientId, ...]) -> tuple[ClientId, ...]:
    """Return those of some clients that know somebody by an address now."""
    held = state.memberships
    return tuple(c for c in state.clients if c in clients and same_address(held[c].email, address))


def decide(state: Addressee, command: AddressCommand, now: datetime, *, taken: bool) -> list[AddressEvent]:
    """Return the events that carry out `command` at `now` (UTC); `taken`: somebody else signs in by the new address.

    Raises: a kind of Refused.
    """
    asked = state.address_changes.pending(now)
    match command:
        case AskAddressChange():
            return [_ask(state, command, now)]
        case WithdrawAddressChange(change=key):
            waiting = state.address_changes.asked
            dropped = AddressChangeDropped(change=key, cause="withdrawn")
            return [dropped] if waiting is not None and waiting.id == key else []
        case ConfirmAddress(change=key, side=side):
            if asked is None or asked.id != key:
                raise Unknown(_("This has been confirmed, withdrawn, or has expired. Ask for the change again."))
            if side in asked.confirmed:
                return []
            confirmed = AddressConfirmed(change=key, side=side)
            return [confirmed, *_made(state, asked, taken=taken)] if asked.confirmed else [confirmed]


def _ask(state: Addressee, command: AskAddressChange, now: datetime) -> AddressChangeAsked:
    clients = known_by(state, command.old, command.clients)
    if not (clients if state.viewer else same_address(state.email, command.old)):
        raise Unknown(_("This is not an address of yours. Reload the page."), "old")
    new = check.address("email", command.new)
    if same_address(new, command.old):
        raise Invalid(_("This is your address already. Type the new one."), "email")
    if len([at for at in state.address_changes.times if at > now - WITHIN]) >= MOST:
        raise Conflict(_("You asked for {most} changes within a day. Try again tomorrow.", most=MOST), "email")
    return AddressChangeAsked(
        change=check.identifier("change", command.change), old=command.old, new=new,
        expires=ahead("expires", command.expires, now), clients=clients if state.viewer else None,
    )  # fmt: skip


def _made(state: Addressee, asked: AddressChange, *, taken: bool) -> list[AddressEvent]:
    clients = known_by(state, asked.old, asked.clients)
    if taken or not (clients if state.viewer else same_address(state.email, asked.old)):
        return [AddressChangeDropped(change=asked.id, cause="taken" if taken else "withdrawn")]
    return [AddressChanged(change=asked.id, old=asked.old, new=asked.new, clients=clients if state.viewer else None)]
