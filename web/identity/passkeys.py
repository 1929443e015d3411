"""Adds passkeys and signs people in by them.

Rule: a challenge is derived from a random word in the browser's own cookie and a key of the installation, as a single
sign-on is (docs/decisions/0016): any process can finish what another began, and nothing waits on the server. That one
is good once is kept by the record, in the stream of whoever signed it.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from domain.errors import Conflict, Refused
from domain.ids import ClientId, CommandId, PersonId
from domain.language import gettext as _
from domain.people.passkeys import AddPasskey, Passkey, UsePasskey
from domain.people.person import Person
from domain.people.sign_ins import Session
from projections.events.present import CurrentWorld
from web.identity import webauthn
from web.identity.credentials import Entrance
from web.identity.webauthn import Account, NotProven, RelyingParty
from web.ids import digest, new_id, new_secret
from web.write.permission import OPERATOR
from web.write.service import Service

MINUTES = 5  # within which an answer has to be brought
FRESH = 60 * 3  # seconds that a word must have left to be given out again
SIGN_IN = "sign in"


class Late(Exception):
    """The challenge was given to another browser, or too long ago."""


class Challenges:
    """Challenges by the word in a browser's cookie. `keyed` is an HMAC with a key of the installation, hex."""

    def __init__(self, keyed: Callable[[str, bytes], str]) -> None:
        self._keyed = keyed

    def word(self, cookie: str, now: datetime) -> str:
        """Return the cookie for a browser: the one it has while that is fresh, so that several tabs get on."""
        if self._left(cookie, now) > FRESH:
            return cookie
        word = f"{new_secret()}.{int(now.timestamp()) + 60 * MINUTES}"
        return f"{word}.{self._derived('cookie', word).hex()}"

    def of(self, cookie: str, purpose: str, now: datetime) -> bytes:
        """Return the challenge for a purpose.

        Raises: Late.
        """
        if self._left(cookie, now) <= 0:
            raise Late
        return self._derived(purpose, cookie)

    def _left(self, cookie: str, now: datetime) -> float:
        """Return for how many seconds a cookie is good, at most 0 for one that is not ours."""
        word, _dot, seal = cookie.rpartition(".")
        if not hmac.compare_digest(seal.encode(), self._derived("cookie", word).hex().encode()):
            return 0
        return int(word.rpartition(".")[2]) - now.timestamp()

    def _derived(self, purpose: str, word: str) -> bytes:
        return bytes.fromhex(self._keyed("passkeys", f"{purpose}\n{word}".encode(errors="replace")))


class PasskeySources(msgspec.Struct, frozen=True, kw_only=True):
    """What passkeys use of the product."""

    service: Service
    present: CurrentWorld
    clock: Callable[[], datetime]  # UTC
    keyed: Callable[[str, bytes], str]
    origin: str  # the address people type
    session_hours: int


class Passkeys:
    """Adds passkeys and signs people in by them. For threads."""

    def __init__(self, sources: PasskeySources) -> None:
        self._service, self._present, self._clock = sources.service, sources.present, sources.clock
        self._challenges, self._hours = Challenges(sources.keyed), timedelta(hours=sources.session_hours)
        self.place: RelyingParty | None = webauthn.place_of(sources.origin)

    @property
    def host(self) -> str:
        """The name in the address that passkeys are added for, "" where browsers allow none."""
        return self.place.host if self.place is not None else ""

    # signing in

    def begin(self, cookie: str) -> tuple[str, str]:
        """Return the cookie for a browser and the options for signing in by a passkey, as JSON.

        Raises: Conflict where there can be no passkeys.
        """
        now = self._clock()
        word = self._challenges.word(cookie, now)
        return word, webauthn.to_sign(self._here(), self._challenges.of(word, SIGN_IN, now))

    def enter(self, answer: str, cookie: str, device: str = "", carry: Session | None = None) -> Entrance | None:
        """Start a session for whoever's passkey signed; None for whatever does not let anybody in, for any reason.

        Raises: Late.
        """
        here, challenge = self.place, self._challenges.of(cookie, SIGN_IN, self._clock())
        if here is None:
            return None
        try:
            person, passkey = self._named(answer, here)
            count = webauthn.signed(answer, here, challenge, passkey)
        except NotProven:
            return None
        secret, expires = new_secret(), self._clock() + self._hours
        command = UsePasskey(
            person=person.id,
            passkey=passkey.id,
            count=count,
            challenge=hashlib.sha256(challenge).hexdigest(),
            session=new_id(),
            session_hash=digest(secret),
            session_expires=expires,
            device=device,
            carry=carry.id if carry is not None else "",
        )
        try:
            recorded = self._service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))
        except Refused:  # used already, or their access ended a moment ago
            return None
        return Entrance(secret, expires) if "session-started" in recorded.events else None

    def _named(self, answer: str, here: RelyingParty) -> tuple[Person, Passkey]:
        """Return whose passkey an answer says it is.

        Raises: NotProven.
        """
        said = webauthn.claimed(answer)
        world = self._present.refresh()
        key = world.passkeys.get(said.credential)
        person = world.people.get(key.person) if key is not None else None
        passkey = person.keyring.passkeys.get(key.id) if person is not None and key is not None else None
        if person is None or passkey is None or not person.comes_in:
            raise NotProven("nobody has it")
        if passkey.host != here.host or passkey.handle != said.handle:
            raise NotProven("of another place or account")
        return person, passkey

    # adding one

    def begin_adding(self, person: Person, session: Session, cookie: str) -> tuple[str, str]:
        """Return the cookie for a browser and the options for making a passkey, as JSON.

        Raises: Conflict where there can be no passkeys.
        """
        now, world = self._clock(), self._present.refresh()
        word = self._challenges.word(cookie, now)
        known = (person.known_to(session.clients[0]) if session.clients else None) or person
        account = Account(
            handle=handle(person.id, session.clients),
            name=known.email,
            title=known.name,
            organisation=world.organisation or _("Fanlight"),
        )
        held = [one for one in person.keyring.passkeys.values() if set(one.clients) <= set(session.clients)]
        return word, webauthn.to_add(self._here(), account, self._challenges.of(word, session.id, now), held)

    def add(self, person: PersonId, session: Session, answer: str, name: str, cookie: str) -> None:
        """Record a passkey that was made in a session.

        Raises: Refused, NotProven, Late.
        """
        here, challenge = self._here(), self._challenges.of(cookie, session.id, self._clock())
        made = webauthn.registered(answer, here, challenge)
        command = AddPasskey(
            person=person,
            passkey=new_id(),
            name=name,
            credential=made.credential,
            key=made.key,
            handle=handle(person, session.clients),
            host=here.host,
            session=session.id,
            challenge=hashlib.sha256(challenge).hexdigest(),
            count=made.count,
            synced=made.synced,
            transports=made.transports,
        )
        self._service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))

    def _here(self) -> RelyingParty:
        if self.place is None:
            raise Conflict(_("Browsers allow passkeys only at an address with a name and https."))
        return self.place


def handle(person: PersonId, clients: tuple[ClientId, ...]) -> str:
    """Return what authenticators know an account by, base64url of 32 bytes that tell nothing.

    Of a viewer it is another one for each set of clients that a passkey opens: an authenticator keeps one passkey an
    account, and would put a new one in the place of another that opens more.
    """
    named = hashlib.sha256("\n".join([person, *sorted(clients)]).encode()).digest()
    return base64.urlsafe_b64encode(named).decode().rstrip("=")
