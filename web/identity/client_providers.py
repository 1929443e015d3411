"""The identity providers of clients: how one is asked, and what it may vouch for.

Rule: a provider vouches for its own client alone, for addresses in its own domains, and for nobody of the organisation.
What signs in by it opens that client and nothing else, also for a person of several clients.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Refused, Unknown
from domain.ids import ClientId, CommandId, PersonId
from domain.people import mail_domains
from domain.people.person import InvitePerson, Person
from domain.people.providers import Provider, Setup, TryProvider
from domain.people.sign_ins import StartSession
from projections.events.event_log import EventLog
from projections.events.present import CurrentWorld
from projections.logs.vault import Damaged, Gone
from web.identity.credentials import Entrance
from web.identity.failures import Away
from web.identity.round_trip import Ties
from web.ids import digest, new_id, new_secret
from web.outside.transport import Outside
from web.write.leads import known_at, of_ours
from web.write.permission import SYSTEM
from web.write.service import Service

if TYPE_CHECKING:
    from web.identity import provider as openid
    from web.identity.id_token import Claims

SCOPE = "openid email profile"


def bound(client: ClientId, provider: str, issuer: str) -> str:
    """Return what a secret is sealed together with: it is sent to no other issuer than the one it was typed for."""
    return f"{client} {provider} {issuer}"


def back_path(provider: str) -> str:
    """Return the path of the redirect URI, which each provider has of its own (RFC 9700, 4.4: mix-up)."""
    return f"/sign-in/at/{provider}/back"


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """The way in by one setup of a provider, or the trial of it, which signs nobody in."""

    client: ClientId
    provider: Provider
    setup: Setup
    trial: bool
    ties: Ties


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """What came back from a provider, seen beside what a sign-in needs."""

    email: str
    verified: bool
    within: bool  # the provider's domains
    name: str

    @property
    def enough(self) -> bool:
        """Whether it is all that a sign-in needs."""
        return bool(self.email) and self.verified and self.within


class ClientProviders:
    """Asks the providers of clients, and signs people in by them.

    Asking belongs to the event loop, the rest is for threads. `clock` returns UTC; `origin` is this installation's.
    """

    def __init__(
        self,
        service: Service,
        present: CurrentWorld,
        events: EventLog,
        outside: Outside,
        *,
        clock: Callable[[], datetime],
        origin: str,
        session_hours: int,
    ) -> None:
        self._service, self._present, self._events, self._outside = service, present, events, outside
        self._clock, self._origin, self._session = clock, origin, timedelta(hours=session_hours)
        self._asked: dict[tuple[str, int], openid.Provider] = {}
        self._joining = threading.Lock()

    # how it is asked

    def seal(self, client: ClientId, provider: str, issuer: str, secret: str) -> tuple[str, bytes]:
        """Return a secret as it is recorded, and the id of the key it is sealed with."""
        key = new_id()
        return key, self._events.seal_bound(key, secret, bound(client, provider, issuer))

    def back(self, provider: str) -> str:
        """Return the redirect URI that has to be registered with a provider."""
        return f"{self._origin}{back_path(provider)}"

    def way(self, key: str, *, trial: bool = False) -> Way | None:
        """Return the way in by a provider that is in use, or with `trial` that of the setup that is being tried."""
        found = self._present.world.provider(key)
        if found is None:
            return None
        client, provider = found
        setup = provider.shown if trial else provider.used
        if setup is None:
            return None
        name = f"{'try' if trial else 'sign in'} {client} {provider.id} {setup.number}"
        ties = Ties(self._events.derived(name))
        return Way(client=client, provider=provider, setup=setup, trial=trial, ties=ties)

    def asked(self, way: Way) -> "openid.Provider":
        """Return the client of a provider, with what it published as far as that is known.

        Raises: Away where its secret cannot be opened.
        """
        from web.identity import provider as openid

        key, setup = (way.provider.id, way.setup.number), way.setup
        if key not in self._asked:
            try:
                secret = self._events.open_bound(
                    setup.key, setup.sealed, bound(way.client, way.provider.id, setup.issuer)
                )
            except (Gone, Damaged) as error:
                raise Away("its secret cannot be opened: type it again") from error
            registered = openid.Registered(
                issuer=setup.issuer, client=setup.app, secret=secret, back=self.back(way.provider.id), scope=SCOPE
            )
            self._forget()
            self._asked[key] = openid.Provider(registered, self._clock, self._outside.transport)
        return self._asked[key]

    def _forget(self) -> None:
        """Drop what is kept of setups that are neither in use nor tried any more, above all their secrets."""
        found = {key: self._present.world.provider(key) for key, _setup in self._asked}
        there = {key: one[1] for key, one in found.items() if one is not None}
        self._asked = {
            (key, setup): asked
            for (key, setup), asked in self._asked.items()
            if key in there and there[key].setup(setup) is not None
        }

    # what it may vouch for

    def reached(self, way: Way, claims: "Claims") -> Reached:
        """Return what came back, judged by a setup."""
        within = mail_domains.of(claims.email) in way.setup.domains and _address(claims.email)
        return Reached(email=claims.email, verified=claims.verified, within=within, name=claims.name)

    def sign_in(self, way: Way, reached: Reached, device: str = "") -> Entrance | None:
        """Start a session for whoever a provider vouched for; None for everybody it may not let in. For threads.

        It lets in who was invited to its client by that address. Who was not joins where the setup says so, but for
        somebody whose access was ended, and for an address of the organisation's own people.
        """
        if way.trial or not reached.enough:
            return None
        with self._joining:  # one address that comes twice at once joins once
            person = self._person(way, reached)
        if person is None:
            return None
        cookie, expires = new_secret(), self._clock() + self._session
        command = StartSession(
            person=person, session=new_id(), session_hash=digest(cookie), session_expires=expires, device=device,
            client=way.client, provider=way.provider.id, setup=way.setup.number,
        )  # fmt: skip
        try:
            self._service.execute(SYSTEM, command, command_id=CommandId(new_id(24)))
        except (Conflict, Unknown):  # their access was ended a moment ago
            return None
        began = digest(cookie) in self._present.refresh().sessions  # not so where the provider was removed meanwhile
        return Entrance(cookie, expires) if began else None

    def _person(self, way: Way, reached: Reached) -> PersonId | None:
        world, email = self._present.refresh(), reached.email
        leads_to = world.provider_for(email)
        if leads_to is None or leads_to[1].id != way.provider.id or not leads_to[1].holds(way.setup.number):
            return None
        there = known_at(world, way.client, email)
        current = [person for person, _known in there if _comes_in(person, way.client)]
        if current:
            return current[0].id  # several were invited by one address at once: they are the same one
        if there or not way.setup.joins or of_ours(world, email):
            return None
        return self._join(way, reached)

    def _join(self, way: Way, reached: Reached) -> PersonId | None:
        command = InvitePerson(
            person=PersonId(new_id()), name=_name(reached), email=reached.email, role="viewer", client=way.client,
            provider=way.provider.id,
        )  # fmt: skip
        try:
            answer = self._service.execute(SYSTEM, command, command_id=CommandId(new_id(24)))
        except Refused:  # no address that can be invited to this client
            return None
        return PersonId(answer.stream.partition("-")[2])

    def tried(self, way: Way) -> None:
        """Record that the setup which is tried gave all that a sign-in needs. For threads.

        Raises: Refused where it was changed meanwhile.
        """
        command = TryProvider(client=way.client, provider=way.provider.id, setup=way.setup.number)
        self._service.execute(SYSTEM, command, command_id=CommandId(new_id(24)))


def _comes_in(person: Person, client: ClientId) -> bool:
    return person.viewer and client in person.clients


def _address(email: str) -> bool:
    try:
        return check.address("email", email) == email
    except Invalid:
        return False


def _name(reached: Reached) -> str:
    """Return the name that a provider gives, or what stands before the @ where it gives none that can be kept."""
    try:
        return check.line("name", reached.name)
    except Invalid:
        return reached.email.partition("@")[0]
