"""Letting people in: one-time links, sessions and tokens, through the write side like everything else."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from domain.errors import Conflict, Unknown
from domain.ids import ClientId, CommandId, PersonId, ProjectId
from domain.language import gettext as _
from domain.people.access import EndSession, InvitePerson, IssueLink, IssueToken, Person, Role, StartSession, UseLink
from projections.events.present import CurrentWorld
from web.ids import digest, new_id, new_secret
from web.write.permission import OPERATOR, Actor
from web.write.service import Service


class Entrance(msgspec.Struct, frozen=True):
    """A new session: the secret for the cookie, and when it ends (UTC)."""

    secret: str
    expires: datetime


class Credentials:
    """Invites people and signs them in."""

    def __init__(
        self,
        service: Service,
        present: CurrentWorld,
        clock: Callable[[], datetime],
        *,
        link_hours: int,
        session_hours: int,
    ) -> None:
        self._service, self._present, self._clock = service, present, clock
        self._link, self._session = timedelta(hours=link_hours), timedelta(hours=session_hours)

    def invite(
        self,
        actor: Actor,
        *,
        name: str,
        email: str,
        role: Role,
        client: ClientId | None = None,
        projects: tuple[ProjectId, ...] | None = None,
    ) -> tuple[PersonId, str]:
        """Record a new person and return their id with the secret of their first link.

        Raises: Refused.
        """
        person = PersonId(new_id())
        command = InvitePerson(person=person, name=name, email=email, role=role, client=client, projects=projects)
        self._service.execute(actor, command, command_id=CommandId(new_id(24)))
        return person, self.link(actor, person)

    def link(self, actor: Actor, person: PersonId) -> str:
        """Return the secret of a new one-time link for a person.

        Raises: Refused.
        """
        secret = new_secret()
        command = IssueLink(person=person, hash=digest(secret), expires=self._clock() + self._link)
        self._service.execute(actor, command, command_id=CommandId(new_id(24)))
        return secret

    def holder(self, secret: str) -> Person | None:
        """Return whose good link this is, without consuming it."""
        world = self._present.refresh()
        key = world.links.get(digest(secret))
        person = world.people.get(key.person) if key else None
        link = person.links.get(digest(secret)) if person else None
        if person is None or link is None or person.disabled or link.used or link.expires <= self._clock():
            return None
        return person

    def enter(self, secret: str, device: str = "") -> Entrance:
        """Consume a link and start a session, on a kind of device.

        Raises: Unknown when the link is none, used or run out.
        """
        person = self.holder(secret)
        if person is None:
            raise Unknown(_("This link has been used or has run out. Ask whoever sent it for a new one."))
        cookie, expires = new_secret(), self._clock() + self._session
        command = UseLink(
            person=person.id,
            hash=digest(secret),
            session=new_id(),
            session_hash=digest(cookie),
            session_expires=expires,
            device=device,
        )
        self._service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))
        return Entrance(cookie, expires)

    def vouched(self, email: str, device: str = "") -> Entrance | None:
        """Start a session for the one person who has this address; None when there is none, or more than one."""
        there = [p for p in self._present.refresh().people.values() if not p.disabled and _same(p.email, email)]
        if len(there) != 1:
            return None
        cookie, expires = new_secret(), self._clock() + self._session
        command = StartSession(
            person=there[0].id, session=new_id(), session_hash=digest(cookie), session_expires=expires, device=device
        )
        try:
            self._service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))
        except Conflict:  # their access was ended a moment ago
            return None
        return Entrance(cookie, expires)

    def leave(self, person: PersonId, session: str, cause: Literal["signed_out", "ended"] = "signed_out") -> None:
        """End a session."""
        command = EndSession(person=person, session=session, cause=cause)
        self._service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))

    def token(self, actor: Actor, person: PersonId, label: str) -> str:
        """Return a new bearer token for the JSON door.

        Raises: Refused.
        """
        secret = new_secret()
        command = IssueToken(person=person, token=new_id(), hash=digest(secret), label=label)
        self._service.execute(actor, command, command_id=CommandId(new_id(24)))
        return secret


def _same(one: str, other: str) -> bool:
    """Tell whether two addresses are one; letters that merely look alike are others, whatever their lower case is."""
    return one == other or (one.isascii() and other.isascii() and one.lower() == other.lower())
