"""Invites people, and issues their one-time links, sessions and tokens.

Rule: each is recorded by a command; only the hash of a secret is recorded.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from domain.errors import Conflict, Unknown
from domain.ids import ClientId, CommandId, PersonId, ProjectId
from domain.language import gettext as _
from domain.people.memberships import same_address
from domain.people.person import InvitePerson, Person, Role
from domain.people.sign_ins import EndSession, IssueLink, Session, StartSession, UseLink
from domain.people.tokens import IssueToken
from projections.events.present import CurrentWorld
from web.ids import digest, new_id, new_secret
from web.write.permission import OPERATOR, SYSTEM, Actor
from web.write.service import Service

ASKED = timedelta(hours=1)  # for which a link is good that was asked for on the sign-in page


class Entrance(msgspec.Struct, frozen=True):
    """A new session: the secret for its cookie, and when it expires (UTC)."""

    secret: str
    expires: datetime


class Allows(msgspec.Struct, frozen=True, kw_only=True):
    """What a token may be used for, for which projects, and until when; None: as `IssueToken` says."""

    scopes: tuple[str, ...] | None = None
    projects: tuple[ProjectId, ...] | None = None
    expires: datetime | None = None  # UTC


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
        """Record a person, or one more client of a viewer known by that address, and return their id with a new link.

        Raises: Refused.
        """
        person = PersonId(new_id())
        command = InvitePerson(person=person, name=name, email=email, role=role, client=client, projects=projects)
        answer = self._service.execute(actor, command, command_id=CommandId(new_id(24)))
        person = PersonId(answer.stream.partition("-")[2])
        return person, self.link(actor, person, client)

    def link(self, actor: Actor, person: PersonId, client: ClientId | None = None) -> str:
        """Return the secret of a new one-time link for a person, to one client or to all they are a viewer of.

        Raises: Refused.
        """
        secret = new_secret()
        command = IssueLink(person=person, hash=digest(secret), expires=self._clock() + self._link, client=client)
        self._service.execute(actor, command, command_id=CommandId(new_id(24)))
        return secret

    def asked_link(self, person: PersonId, client: ClientId | None = None) -> str:
        """Return the secret of a link that was asked for on the sign-in page, good for an hour.

        Raises: Refused.
        """
        secret, expires = new_secret(), self._clock() + ASKED
        command = IssueLink(person=person, hash=digest(secret), expires=expires, client=client, asked=True)
        self._service.execute(SYSTEM, command, command_id=CommandId(new_id(24)))
        return secret

    def holder(self, secret: str) -> Person | None:
        """Return who may sign in with a link, without consuming it; None when it is unknown, used or expired."""
        world = self._present.refresh()
        entry = world.links.get(digest(secret))
        person = world.people.get(entry.person) if entry else None
        link = person.links.get(digest(secret)) if person else None
        if person is None or link is None or not person.comes_in or link.used or link.expires <= self._clock():
            return None
        return person

    def opened_by(self, secret: str, holder: Person) -> tuple[ClientId, ...]:
        """Return the clients whose shares a link opens."""
        return tuple(client for client in holder.links[digest(secret)].clients if client in holder.clients)

    def enter(self, secret: str, device: str = "", carry: Session | None = None) -> Entrance:
        """Consume a link and start a session on a kind of device; what `carry` opens it opens too, if it is theirs.

        Raises: Unknown when the link is unknown, used or expired.
        """
        person = self.holder(secret)
        if person is None:
            raise Unknown(_("This link has been used or has expired. Ask whoever sent it for a new one."))
        cookie, expires = new_secret(), self._clock() + self._session
        command = UseLink(
            person=person.id,
            hash=digest(secret),
            session=new_id(),
            session_hash=digest(cookie),
            session_expires=expires,
            device=device,
            carry=carry.id if carry is not None else "",
        )
        self._service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))
        return Entrance(cookie, expires)

    def vouched(self, email: str, device: str = "") -> Entrance | None:
        """Start a session for the one person who has an email address now; None for nobody or several."""
        known = self._present.refresh().addressed(email)
        holders = [p for p in known if any(same_address(address, email) for address in p.reached)]
        if len(holders) != 1:
            return None
        cookie, expires = new_secret(), self._clock() + self._session
        command = StartSession(
            person=holders[0].id, session=new_id(), session_hash=digest(cookie), session_expires=expires, device=device
        )
        try:
            self._service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))
        except Conflict:  # their access was ended a moment ago
            return None
        return Entrance(cookie, expires)

    def leave(
        self, person: PersonId, session: str, cause: Literal["signed_out", "ended", "over"] = "signed_out"
    ) -> None:
        """End a session; its sockets close. Its device ends with it where it stays signed in, but not of one `over`."""
        command = EndSession(person=person, session=session, cause=cause)
        self._service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))

    def token(self, actor: Actor, person: PersonId, label: str, allows: Allows | None = None) -> str:
        """Return the secret of a new bearer token for the JSON API; without `allows` it does what its holder may.

        Raises: Refused.
        """
        secret = new_secret()
        given = allows or Allows()
        command = IssueToken(
            person=person,
            token=new_id(),
            hash=digest(secret),
            label=label,
            scopes=given.scopes,
            projects=given.projects,
            expires=given.expires,
        )
        self._service.execute(actor, command, command_id=CommandId(new_id(24)))
        return secret
