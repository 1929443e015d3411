"""What a client's pages may ask of the product: disclosed bytes, names and rights, nothing of a project.

Rule: no type that can be reached from `Viewing` belongs to a project; a test walks its annotations.
"""

from datetime import datetime
from typing import Protocol

from starlette.requests import HTTPConnection

from domain.ids import ShareId
from projections.directory import Called
from projections.logs.disclosure_log import DisclosureLog
from projections.receipts.taking import Receipts
from projections.replay.pages import Heads
from projections.replay.since import HowMany
from web.door.guard import Signed
from web.door.templates import Pages
from web.push.live import Live
from web.render.exact_page import Style
from web.write.saying import Saying, Spoke

NO_STORE = {"cache-control": "no-store"}


class Viewing(Protocol):
    """The product as the pages of a client see it. Methods that read the record are for threads."""

    @property
    def pages(self) -> Pages:
        """Templates."""

    @property
    def heads(self) -> Heads:
        """The newest page of each share."""

    @property
    def log(self) -> DisclosureLog:
        """What was disclosed."""

    @property
    def live(self) -> Live:
        """The push layer."""

    @property
    def receipts(self) -> Receipts:
        """What pages claim to have received."""

    @property
    def style(self) -> Style:
        """The stylesheet of today; pages are made of recorded markup."""

    def now(self) -> datetime:
        """Return this instant, UTC."""

    def organisation(self, signed: Signed) -> str:
        """Return the name of the organisation as a viewer's newest update has it."""

    def may_watch(self, signed: Signed, share: str) -> bool:
        """Tell whether somebody is a viewer of this share's client, and the share was ever in force."""

    def known_to(self, signed: Signed, share: str) -> Signed:
        """Return somebody by the name that a share's client knows."""

    def called(self, share: str) -> Called:
        """Return what a share is called to its client."""

    def ended_on(self, share: str) -> datetime | None:
        """Return when a share was ended, UTC; None while it is in force."""

    def kept_days(self, share: str) -> int:
        """Return for how many days receipts of a share are kept."""

    def changed(self, share: str, after: int, upto: int, person: str) -> HowMany:
        """Return how many things became different for a reader between two updates of a share."""

    def shares_of(self, signed: Signed) -> list[ShareId]:
        """Return the shares a viewer may watch."""

    def clients_of(self, signed: Signed) -> list[str]:
        """Return the names of the clients a viewer is signed in for."""

    def head_after(self, share: str, n: int) -> str:
        """Return the tree head after update `n`, hex; "" where there is no such update."""

    def say(self, signed: Signed, share: str, saying: Saying, command_id: str) -> None:
        """Record what a viewer says of a share, once for each command id.

        Raises: Refused.
        """

    def said(self, signed: Signed, share: str, command_id: str) -> Spoke | None:
        """Return what this person said by a command on a share, None when there is no such command of theirs."""


def of(connection: HTTPConnection) -> Viewing:
    """Return the product as the client's pages behind a request see it."""
    viewing: Viewing = connection.app.state.viewing
    return viewing
