"""What a viewer may watch, and the services as pages of clients see them (`web/client/viewing.py`).

Rule: `Viewed` returns names, rights and disclosed bytes, and gives nobody its services.
"""

from datetime import datetime

from domain.ids import ShareId
from projections.directory import Called
from projections.events.present import CurrentWorld
from projections.events.world import names
from projections.logs.disclosure_log import DisclosureLog
from projections.receipts.taking import Receipts
from projections.replay.pages import Heads
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


def called(present: CurrentWorld, share: str) -> Called:
    """Return the names and the time zone that a share's client reads."""
    world = present.world
    named = names(world, world.shares[ShareId(share)])
    return Called(named.organisation, named.client, named.time_zone)


class Viewed:
    """Implements `Viewing` for pages of clients, on the services."""

    def __init__(self, services: Services) -> None:
        self._services, self._present = services, services.present

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

    def organisation(self) -> str:
        """Return the name of the organisation that shares."""
        return self._present.world.organisation

    def may_watch(self, signed: Signed, share: str) -> bool:
        """Return whether somebody may watch a share."""
        return may_watch(self._present, signed, share)

    def called(self, share: str) -> Called:
        """Return the names and the time zone that a share's client reads."""
        return called(self._present, share)

    def ended_on(self, share: str) -> datetime | None:
        """Return when a share was ended, UTC; None while it is in force."""
        return self._present.world.shares[ShareId(share)].ended_on(self.now())

    def kept_days(self, share: str) -> int:
        """Return the days for which receipts of a share are kept."""
        return self._present.world.shares[ShareId(share)].retention

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
