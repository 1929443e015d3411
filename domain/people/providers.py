"""The identity providers of a client: OpenID Connect, each bound to the client and to some email domains of it.

See docs/spec.md 2.32.

Part of the client's stream. Rules: a setup is tried before it is used, and what is in use stays so until another was
tried. The secret is sealed, and the key that opens it is destroyed when an event names it among `drops`. A session
holds for as long as what vouched for it does: `Provider.holds`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never
from urllib.parse import urlsplit

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.people import mail_domains

LONGEST_SEALED = 4096  # bytes of a sealed secret
MOST_DOMAINS = 50

# events


class ProviderSet(Event, frozen=True, kw_only=True):
    """How a provider is reached from now on, once it was tried and is used. `app`: what it calls this installation.

    `sealed` is the secret, by the key `key`; `joins`: an address of it that nobody invited joins as a viewer.
    """

    provider: str
    setup: int  # counted from 1
    issuer: str
    app: str
    key: str
    sealed: bytes
    domains: tuple[str, ...]
    joins: bool
    drops: tuple[str, ...] = ()  # keys that open nothing any more


class ProviderTried(Event, frozen=True, kw_only=True):
    """Somebody came back from the provider with all that a sign-in needs. It signed nobody in."""

    provider: str
    setup: int


class ProviderUsed(Event, frozen=True, kw_only=True):
    """People sign in by this setup from now on. Sessions by setups before `since` ended with this."""

    provider: str
    setup: int
    since: int
    drops: tuple[str, ...] = ()


class ProviderRemoved(Event, frozen=True, kw_only=True):
    """Nobody signs in by it any more; the sessions it made ended, and its secret cannot be opened any more."""

    provider: str
    reason: str
    drops: tuple[str, ...] = ()


ProviderEvent = ProviderSet | ProviderTried | ProviderUsed | ProviderRemoved

# state


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider is reached, and for whom it vouches."""

    number: int
    issuer: str
    app: str
    key: str
    sealed: bytes
    domains: tuple[str, ...]
    joins: bool
    set_at: datetime

    @property
    def host(self) -> str:
        """The name of the provider's machine, for people."""
        return urlsplit(self.issuer).hostname or self.issuer


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One provider of a client: the setup in use, and the one that is being tried."""

    id: str
    draft: Setup | None = None
    tried_at: datetime | None = None  # the draft, UTC
    used: Setup | None = None
    used_at: datetime | None = None
    since: int = 0  # the first setup whose sessions hold
    setups: int = 0  # how many there were

    @property
    def shown(self) -> Setup:
        """The setup a person works on: the draft, else the one in use."""
        setup = self.draft or self.used
        assert setup is not None
        return setup

    def setup(self, number: int) -> Setup | None:
        """Return one of the setups by its number."""
        return next((one for one in (self.draft, self.used) if one is not None and one.number == number), None)

    def holds(self, setup: int) -> bool:
        """Return whether a session that was made by a setup still holds."""
        return self.used is not None and setup >= self.since

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its secrets."""
        return tuple(dict.fromkeys(one.key for one in (self.draft, self.used) if one is not None))


Providers = Mapping[str, Provider]


def evolve(state: Providers, event: ProviderEvent, at: datetime) -> dict[str, Provider]:
    """Return the providers of a client after `event`, recorded at `at` (UTC)."""
    replace, key = msgspec.structs.replace, event.provider
    match event:
        case ProviderSet():
            draft = Setup(
                number=event.setup, issuer=event.issuer, app=event.app, key=event.key, sealed=event.sealed,
                domains=event.domains, joins=event.joins, set_at=at,
            )  # fmt: skip
            before = state.get(key) or Provider(id=key)
            return {**state, key: replace(before, draft=draft, tried_at=None, setups=event.setup)}
        case ProviderTried():
            return {**state, key: replace(state[key], tried_at=at)}
        case ProviderUsed(since=since):
            before = state[key]
            used = replace(before, used=before.draft, draft=None, tried_at=None, used_at=at, since=since)
            return {**state, key: used}
        case ProviderRemoved():
            return {one: provider for one, provider in state.items() if one != key}
        case _:
            assert_never(event)


# commands


class SetProvider(Command, frozen=True, kw_only=True):
    """Say how a provider is reached. Without `key` and `sealed` the secret stays, as long as the issuer does."""

    client: ClientId
    provider: str
    issuer: str
    app: str
    domains: tuple[str, ...]
    joins: bool = False
    key: str = ""
    sealed: bytes = b""


class TryProvider(Command, frozen=True, kw_only=True):
    """Record that a setup was tried, and that all a sign-in needs came back."""

    client: ClientId
    provider: str
    setup: int


class UseProvider(Command, frozen=True, kw_only=True):
    """Let people sign in by the setup that was tried."""

    client: ClientId
    provider: str


class RemoveProvider(Command, frozen=True, kw_only=True):
    """Let nobody sign in by a provider any more, and end the sessions it made."""

    client: ClientId
    provider: str
    reason: str


ProviderCommand = SetProvider | TryProvider | UseProvider | RemoveProvider


def decide(state: Providers, allowed: tuple[str, ...], command: ProviderCommand) -> list[ProviderEvent]:
    """Return the events that carry out `command`; `allowed` are the domains of the client's people, none: any.

    Raises: a kind of Refused.
    """
    if isinstance(command, SetProvider):
        return _set(state.get(check.identifier("provider", command.provider)), allowed, command)
    provider = state.get(command.provider)
    if provider is None:
        raise Unknown(_("There is no such identity provider of this client. Set it up first."), "provider")
    match command:
        case TryProvider(setup=number):
            if provider.draft is None or provider.draft.number != number:
                raise Conflict(_("What was tried is no longer what is set. Try it again."), "setup")
            return [] if provider.tried_at else [ProviderTried(provider=provider.id, setup=number)]
        case UseProvider():
            return _use(provider)
        case RemoveProvider(reason=reason):
            why = check.text("reason", reason, required=True)
            return [ProviderRemoved(provider=provider.id, reason=why, drops=provider.keys)]
        case _:
            assert_never(command)


def removed(state: Providers, reason: str) -> list[ProviderRemoved]:
    """Return the events that remove every provider of a client that ends."""
    return [ProviderRemoved(provider=one.id, reason=reason, drops=one.keys) for one in state.values()]


def _set(before: Provider | None, allowed: tuple[str, ...], command: SetProvider) -> list[ProviderEvent]:
    issuer, app = _issuer(command.issuer), check.line("app", command.app)
    domains = _domains(command.domains, allowed)
    shown = before.shown if before is not None else None
    if command.key or command.sealed:
        key, sealed = check.identifier("key", command.key), command.sealed
        if not 0 < len(sealed) <= LONGEST_SEALED:
            raise Invalid(_("The secret is missing, or longer than any should be."), "secret")
    elif shown is None:
        raise Invalid(_("Type the secret that the provider gave for this installation."), "secret")
    elif shown.issuer != issuer:
        told = _("The issuer is another one, so the secret has to be typed again: it belongs to the one before.")
        raise Invalid(told, "secret")
    else:
        key, sealed = shown.key, shown.sealed
    same = (issuer, app, key, sealed, domains, command.joins)
    if shown is not None and same == (shown.issuer, shown.app, shown.key, shown.sealed, shown.domains, shown.joins):
        return []
    kept = {key, *((before.used.key,) if before is not None and before.used is not None else ())}
    drops = tuple(one for one in (before.keys if before is not None else ()) if one not in kept)
    new = ProviderSet(
        provider=command.provider, setup=(before.setups if before is not None else 0) + 1, issuer=issuer, app=app,
        key=key, sealed=sealed, domains=domains, joins=command.joins, drops=drops,
    )  # fmt: skip
    return [new]


def _use(provider: Provider) -> list[ProviderEvent]:
    draft, used = provider.draft, provider.used
    if draft is None:
        return []
    if provider.tried_at is None:
        raise Conflict(_("Try it first: nobody has come back from this provider yet."), "provider")
    narrows = used is None or draft.issuer != used.issuer or not set(used.domains) <= set(draft.domains)
    since = draft.number if narrows else provider.since
    drops = tuple(one for one in provider.keys if one != draft.key)
    return [ProviderUsed(provider=provider.id, setup=draft.number, since=since, drops=drops)]


def _issuer(text: str) -> str:
    """Return an issuer identifier (OpenID Connect Discovery 1.0, section 3: https, no query, no fragment)."""
    issuer = check.line("issuer", text)
    told = _("Expected an address such as https://login.acme-rail.example, with nothing after ? or #.")
    try:
        parts = urlsplit(issuer)
        good = parts.scheme == "https" and bool(parts.hostname) and not (parts.query or parts.fragment or "@" in issuer)
        good = good and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or not issuer.isascii() or "\\" in issuer or " " in issuer or issuer.endswith(("?", "#")):
        raise Invalid(told, "issuer")
    return issuer


def _domains(texts: tuple[str, ...], allowed: tuple[str, ...]) -> tuple[str, ...]:
    domains = tuple(sorted({mail_domains.read(text) for text in texts}))
    if not domains:
        told = _("Name at least one email domain: the provider vouches for addresses in it, and for no others.")
        raise Invalid(told, "domains")
    if len(domains) > MOST_DOMAINS:
        raise Invalid(_("At most {most} domains. Leave some out.", most=MOST_DOMAINS), "domains")
    for domain in domains:
        if allowed and domain not in allowed:
            told = _("{domain} is not among the email domains of this client. Add it there first.", domain=domain)
            raise Invalid(told, "domains")
    return domains
