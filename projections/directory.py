"""Who there is and what is agreed: clients, people and shares, and nothing of any project."""

from datetime import datetime
from typing import assert_never

import msgspec

from domain.agreement import share as agreement_share
from domain.agreement.share import Share, ShareEvent
from domain.ids import ClientId, PersonId, ProjectId, ShareId
from domain.language import gettext as _
from domain.people import access, clients
from domain.people.access import AccessEvent, OrganisationNamed, Person, PersonEvent
from domain.people.clients import Client, ClientEnded, ClientEvent


class Key(msgspec.Struct, frozen=True):
    """What a secret opens: whose it is and which one, by the public id."""

    person: PersonId
    id: str


class Directory:
    """The present state of every stream but the projects'. Not thread-safe: whoever folds it owns it."""

    def __init__(self) -> None:
        self.organisation = ""
        self.shares: dict[ShareId, Share] = {}
        self.clients: dict[ClientId, Client] = {}
        self.people: dict[PersonId, Person] = {}
        self.sessions: dict[str, Key] = {}  # by hash of the secret
        self.links: dict[str, Key] = {}
        self.tokens: dict[str, Key] = {}
        self.erased: set[PersonId] = set()

    def apply_access(self, event: AccessEvent, key: str, at: datetime) -> None:
        """Take in the next event of the organisation, a client or a person, recorded at `at` (UTC).

        `key` is the stream's id.

        After an erasure a person's earlier events say nothing any more, so their first one may be missing.
        """
        match event:
            case OrganisationNamed(name=name):
                self.organisation = name
            case _ if isinstance(event, ClientEvent):
                self._apply_client(ClientId(key), event, at)
            case access.PersonErased(person=person):
                self._erase(person)
            case _ if isinstance(event, PersonEvent):
                self._apply_person(PersonId(key), event, at)
            case _:
                assert_never(event)

    def _apply_client(self, key: ClientId, event: ClientEvent, at: datetime) -> None:
        """What ends a client ends, with the same event, its shares and the access of its people."""
        self.clients[key] = clients.evolve(self.clients.get(key), event, at)
        if not isinstance(event, ClientEnded):
            return
        for share in [s for s in self.shares.values() if s.client == key]:
            self._end_share(share, at)
        for person in [p for p in self.people.values() if p.client == key]:
            self._end_person(person)

    def _ended(self, client: ClientId | None) -> bool:
        found = self.clients.get(client) if client else None
        return found is not None and found.ended_at is not None

    def _end_share(self, share: Share, at: datetime) -> None:
        if share.revoked_at is None:
            why = self.clients[share.client].ended_why
            ended = {"draft": None, "revoked_at": at, "revoked_why": why, "revoked_cause": "client_ended"}
            self.shares[share.id] = msgspec.structs.replace(share, **ended)

    def _end_person(self, person: Person) -> None:
        ended = self.people[person.id] = msgspec.structs.replace(
            person, disabled=True, sessions={}, tokens={}, links={}
        )
        self._forget(person.id, ended)

    def _apply_person(self, key: PersonId, event: PersonEvent, at: datetime) -> None:
        person = self.people[key] = access.evolve(self.people.get(key), event, at)
        match event:
            case access.PersonInvited() if self._ended(person.client):  # ended while they were being invited
                self._end_person(person)
            case access.SessionStarted(session=session, hash=digest):
                self.sessions[digest] = Key(key, session)
            case access.LinkIssued(hash=digest):
                self.links[digest] = Key(key, digest)
            case access.TokenIssued(token=token, hash=digest):
                self.tokens[digest] = Key(key, token)
            case access.SessionEnded() | access.TokenRevoked() | access.PersonDisabled():
                self._forget(key, person)
            case _:
                pass

    def _erase(self, person: PersonId) -> None:
        self.erased.add(person)
        self.people.pop(person, None)
        self.sessions = {h: k for h, k in self.sessions.items() if k.person != person}
        self.links = {h: k for h, k in self.links.items() if k.person != person}
        self.tokens = {h: k for h, k in self.tokens.items() if k.person != person}

    def person_name(self, person: str) -> str:
        """Return somebody's name, what is left of it after erasure, or the id of one who was never here."""
        found = self.people.get(PersonId(person))
        return found.name if found else _("Erased person") if person in self.erased else person

    def _forget(self, key: PersonId, person: Person) -> None:
        open_sessions = {s.hash for s in person.sessions.values()}
        open_tokens = set(person.tokens.values())
        self.sessions = {h: k for h, k in self.sessions.items() if k.person != key or h in open_sessions}
        self.tokens = {h: k for h, k in self.tokens.items() if k.person != key or h in open_tokens}

    def apply_share(self, event: ShareEvent, key: str, at: datetime) -> None:
        """Take in the next event of a share, recorded at `at` (UTC)."""
        share = ShareId(key)
        found = self.shares[share] = agreement_share.evolve(self.shares.get(share), event, at)
        if self._ended(found.client):  # it was ended while this one was being drafted
            self._end_share(found, at)

    def shares_of_project(self, project: ProjectId) -> list[Share]:
        """Return the shares of a project, by client name."""
        found = [s for s in self.shares.values() if s.project == project]
        return sorted(found, key=lambda s: (self.client_name(s.client), s.id))

    def shares_of_client(self, client: ClientId) -> list[Share]:
        """Return the shares a client was ever given, that is: activated once."""
        return [s for s in self.shares.values() if s.client == client and s.versions]

    def client_name(self, client: ClientId) -> str:
        """Return a client's name, or its id where it was never registered."""
        found = self.clients.get(client)
        return found.name if found else client


class Called(msgspec.Struct, frozen=True):
    """What a share is called to its client."""

    organisation: str
    client: str
    zone: str  # IANA name of the time zone that the share's instants are shown in
