"""What a viewer may watch, and the services as pages of clients see them (`web/client/viewing.py`).

Rule: `Viewed` returns names, rights and disclosed bytes, and gives nobody its services.
"""

from collections.abc import Sequence
from datetime import datetime

from domain.ids import ClientId, ShareId
from domain.language import gettext as _
from domain.language import speaking
from projections.directory import Called
from projections.events.present import CurrentWorld
from projections.events.world import World, names
from projections.logs.disclosure_log import DisclosureLog
from projections.receipts.taking import Receipts
from projections.replay.pages import Heads
from projections.replay.since import ChangeCounts, HowMany
from web.door.guard import Signed
from web.door.templates import Pages
from web.process.services import Services
from web.push.live import Live
from web.render.exact_page import Style
from web.write.saying import Saying, Spoke


def may_watch(present: CurrentWorld, signed: Signed, share: str) -> bool:
    """Return whether somebody is signed in as a viewer of the share's client, and the share was ever in force."""
    agreement = present.world.shares.get(ShareId(share))
    if agreement is None or not agreement.versions:
        return False
    return signed.person.role == "viewer" and agreement.client in signed.clients


def called(services: Services, share: str) -> Called:
    """Return the names, the time zone and the language of a share's client: those of the newest update. For threads.

    Those of today are read of a share in force without an update that can be read.
    """
    page, agreed = services.heads.page(share), services.present.world.shares[ShareId(share)]
    if page is not None:
        return Called(page.view.organisation, page.view.client, page.view.time_zone, page.view.language)
    named = names(services.present.world, agreed)
    organisation = named.organisation
    if not agreed.active:
        with speaking(agreed.language):
            organisation = _("Your supplier")
    return Called(organisation, named.client, named.time_zone, agreed.language)


def organisation_of(services: Services, clients: Sequence[ClientId]) -> str:
    """Return the name of the organisation as the newest update of all shares of these clients has it. For threads."""
    return _as_shown(services.present.world, services.heads, clients)


def organisation_for(world: World, heads: Heads, signed: Signed) -> str:
    """Return what somebody who is signed in reads as the name of the organisation. For threads.

    A viewer reads it as an update has it, its own people as it is now.
    """
    if signed.person.role == "viewer":
        return _as_shown(world, heads, signed.clients)
    return world.organisation or _("Your organisation")


def _as_shown(world: World, heads: Heads, clients: Sequence[ClientId]) -> str:
    shares = [share for client in clients for share in world.shares_of_client(client)]
    shown = [page for share in shares if (page := heads.page(share.id)) is not None]
    if not shown:
        return world.organisation or _("Your supplier")
    return max(shown, key=lambda page: page.at).view.organisation


class Viewed:
    """Implements `Viewing` for pages of clients, on the services."""

    def __init__(self, services: Services) -> None:
        self._services, self._present = services, services.present
        self._counts = ChangeCounts(services.logs.disclosure, services.heads)

    @property
    def pages(self) -> Pages:
        """Renders templates."""
        return self._services.pages

    @property
    def heads(self) -> Heads:
        """The newest page of each share."""
        return self._services.heads

    @property
    def log(self) -> DisclosureLog:
        """The log of what was disclosed."""
        return self._services.logs.disclosure

    @property
    def live(self) -> Live:
        """The push layer."""
        return self._services.live

    @property
    def receipts(self) -> Receipts:
        """The receipts of pages."""
        return self._services.receipts

    @property
    def style(self) -> Style:
        """The stylesheet of today."""
        return self._services.renderer

    def now(self) -> datetime:
        """Return this instant, UTC."""
        return self._services.now()

    def organisation(self, signed: Signed) -> str:
        """Return the name of the organisation as a viewer's newest update has it."""
        return organisation_of(self._services, signed.clients)

    def may_watch(self, signed: Signed, share: str) -> bool:
        """Return whether somebody may watch a share."""
        return may_watch(self._present, signed, share)

    def known_to(self, signed: Signed, share: str) -> Signed:
        """Return somebody by the name that a share's client knows."""
        return signed.for_client(self._present.world.shares[ShareId(share)].client)

    def called(self, share: str) -> Called:
        """Return the names and the time zone that a share's client reads."""
        return called(self._services, share)

    def ended_on(self, share: str) -> datetime | None:
        """Return when a share was ended, UTC; None while it is in force."""
        return self._present.world.shares[ShareId(share)].ended_on(self.now())

    def kept_days(self, share: str) -> int:
        """Return the days for which receipts of a share are kept."""
        return self._present.world.shares[ShareId(share)].retention

    def changed(self, share: str, after: int, upto: int, person: str) -> HowMany:
        """Return how many things became different for a reader between two updates of a share."""
        return self._counts.since(share, after, upto, person)

    def shares_of(self, signed: Signed) -> list[ShareId]:
        """Return the shares a viewer may watch."""
        world = self._present.world
        return [share.id for client in signed.clients for share in world.shares_of_client(client)]

    def clients_of(self, signed: Signed) -> list[str]:
        """Return the names of the clients a viewer is signed in for."""
        return sorted(self._present.world.client_name(client) for client in signed.clients)

    def head_after(self, share: str, n: int) -> str:
        """Return the tree head after an update, hex; "" where there is no such update."""
        return self._services.viewer_answers.head(share, n)

    def say(self, signed: Signed, share: str, saying: Saying, command_id: str) -> None:
        """Record what a viewer says of a share, once for each command id."""
        self._services.viewer_answers.say(signed, share, saying, command_id)

    def said(self, signed: Signed, share: str, command_id: str) -> Spoke | None:
        """Return what a command of this person said on a share; None when they carried out no such command."""
        return self._services.viewer_answers.told(signed, share, command_id)
