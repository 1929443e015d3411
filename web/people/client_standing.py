"""Which clients somebody of the organisation may know, and how each stands: shares, people, open pages, receipts."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from domain.agreement.share import Share
from domain.ids import ClientId
from domain.language import gettext as _
from domain.language import ngettext
from domain.people.clients import Client
from domain.people.devices import Device
from domain.people.memberships import Membership
from domain.people.person import Person
from domain.people.providers import Setup
from domain.people.sign_ins import Session
from projections.events.world import World
from projections.receipts.visits import Reached
from projections.wording.phrases import listed
from web.door.guard import Signed
from web.identity.devices import allowed_days
from web.mail.state import asked_for
from web.people.addresses import addresses_said
from web.process import presence
from web.process.presence import Looker
from web.process.services import Services
from web.push.viewer import Watching
from web.write.viewers import theirs

SETTLES = timedelta(seconds=10)  # more than the grace for a page that does not answer, and the recording of its end


class Someone(msgspec.Struct, frozen=True, kw_only=True):
    """One person of a client, with what is open of theirs."""

    person: Person
    known: Membership  # what this client's side knows of them
    ended: bool
    also: str  # names of the other clients they belong to, as far as who looks may know them
    state: str  # "Has signed in", "Has not signed in yet", "Ended"
    signed_in: datetime | None
    sessions: tuple[Session, ...]  # open ones of no device that stays, newest first
    devices: tuple[Device, ...]  # that stay signed in, and wall displays, newest first
    watching: int
    asked: list[str]  # the latest links they asked for, in words; for an admin alone


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """One share of a client, as far as who looks may know it."""

    share: Share
    project: str
    state: str
    update: int
    watching: tuple[Watching, ...]
    lookers: tuple[Looker, ...]  # the same, one for each person
    reached: Mapping[str, Reached]  # by person
    settled: bool


class ClientStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A client with its shares and people, as far as who looks may know them."""

    client: Client
    windows: tuple[Window, ...]
    people: tuple[Someone, ...]

    @property
    def in_force(self) -> int:
        """How many of its shares are in force."""
        return sum(window.share.active for window in self.windows)

    @property
    def with_access(self) -> int:
        """How many of its people have access."""
        return sum(not someone.ended for someone in self.people)

    @property
    def open_pages(self) -> int:
        """How many of its shares' pages are open now."""
        return sum(len(window.watching) for window in self.windows)


def clients_of(world: World, person: Person) -> list[Client]:
    """Return the clients somebody may know, by name: those their projects are shared with, or with nothing shared."""
    clients = [client for client in world.clients.values() if theirs(world, person, client.id)]
    return sorted(clients, key=lambda client: (client.ended_at is not None, client.name, client.id))


def client_of(services: Services, signed: Signed, key: str) -> Client | None:
    """Return a client by its id; None where there is none, or none that may be known."""
    world = services.present.refresh()
    client = world.clients.get(ClientId(key))
    return client if client is not None and theirs(world, signed.person, client.id) else None


def standing(services: Services, signed: Signed, client: Client, *, deep: bool = False) -> ClientStanding:
    """Return how a client stands; `deep` also looks through the receipts for what last reached whom. For threads."""
    if deep:
        services.receipts.flush()
    world = services.present.world
    shares = [s for s in world.all_of_client(client.id) if signed.person.manages(s.project)]
    windows = sorted((_window(services, world, share, deep=deep) for share in shares), key=_order)
    watching = [page for window in windows for page in window.watching]
    people = [_someone(signed, world, p, known, watching, services.now()) for p, known in _known(world, client.id)]
    return ClientStanding(
        client=client,
        windows=tuple(windows),
        people=tuple(sorted(people, key=lambda someone: (someone.ended, someone.known.name))),
    )


def for_all_shares(world: World, client: Client) -> list[str]:
    """Return what holds for all shares of a client, in sentences: how long devices stay, and who joins uninvited."""
    own, days = world.rules.device_days, allowed_days(world, client.id)
    if not days:
        stays = _("No device of theirs stays signed in.")
    elif client.device_days is None or own < client.device_days:
        stays = ngettext(
            "A device of theirs stays signed in for {days} day at most, as the organisation allows.",
            "A device of theirs stays signed in for {days} days at most, as the organisation allows.",
            days,
            days=days,
        )
    else:
        stays = ngettext(
            "A device of theirs stays signed in for {days} day at most, the limit of this client.",
            "A device of theirs stays signed in for {days} days at most, the limit of this client.",
            days,
            days=days,
        )
    joins = [one.used for one in client.providers.values() if one.used is not None and one.used.joins]
    if not joins:
        return [stays, _("Nobody joins uninvited.")]
    return [stays, *map(_joining, joins)]


def _joining(setup: Setup) -> str:
    return _(
        "Whoever has an account at {host} with an address in {domains} joins as a viewer, uninvited.",
        host=setup.host,
        domains=listed(setup.domains),
    )


def _known(world: World, client: ClientId) -> list[tuple[Person, Membership]]:
    """Return everybody who is or was a viewer of a client."""
    return [(p, known) for p in world.members_of(client) if (known := p.known_to(client)) is not None]


def reached(services: Services, share: Share) -> dict[str, Reached]:
    """Return the last update that can have reached each viewer of a share, as far as receipts are kept. For threads."""
    return services.visits.reached(share.id, services.now() - timedelta(days=share.retention))


def settled(services: Services, share: Share) -> bool:
    """Tell whether every page of a share that ended has closed, and said so on whichever process it was."""
    return share.revoked_at is None or services.now() - share.revoked_at > SETTLES


def _window(services: Services, world: World, share: Share, *, deep: bool) -> Window:
    project = world.projects.get(share.project)
    watching = tuple(presence.watching(services, share.id))
    return Window(
        share=share,
        project=project.title if project else share.project,
        state=_("Ended") if share.revoked_at else _("In force") if share.active else _("Draft"),
        update=services.logs.disclosure.head(share.id),
        watching=watching,
        lookers=presence.lookers(watching, world.names_for(share.client)),
        reached=reached(services, share) if deep else {},
        settled=settled(services, share),
    )


def _order(window: Window) -> tuple[int, str, str]:
    return (_("In force"), _("Draft"), _("Ended")).index(window.state), window.project, window.share.id


def _someone(
    signed: Signed, world: World, person: Person, known: Membership, watching: list[Watching], now: datetime
) -> Someone:
    sessions = [s for s in person.sessions.values() if s.expires > now and known.client in s.clients and not s.kept]
    devices = [device for device in person.devices.kept.values() if known.client in device.clients]
    ended = known.client not in person.clients
    zone = world.clients[known.client].time_zone
    others = [c for c in person.clients if c != known.client and theirs(world, signed.person, c)]
    return Someone(
        person=person,
        known=known,
        ended=ended,
        also=listed(sorted(world.client_name(client) for client in others)),
        state=_("Ended") if ended else _("Has signed in") if known.signed_in else _("Has not signed in yet"),
        signed_in=known.signed_in,
        sessions=tuple(sorted(sessions, key=_started, reverse=True)),
        devices=tuple(sorted(devices, key=_kept, reverse=True)),
        watching=sum(page.person == person.id for page in watching),
        asked=_asked(person, known.client, zone) if signed.person.role == "admin" and not ended else [],
    )


def _asked(person: Person, client: ClientId, zone: str) -> list[str]:
    return [*asked_for(person, None, zone), *addresses_said(person, (client,), zone)]


def _kept(device: Device) -> datetime:
    return device.kept


def _started(session: Session) -> str:
    return session.started.isoformat() if session.started else ""
