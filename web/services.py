"""What the pages of the organisation's own people use: built once by `process`, and handed to every door.

Rule: a frozen struct without behaviour. A client's pages never hold it; they get `Viewing` (web/client_viewing.py).
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import HTTPConnection

from projections.disclose import Renderer
from projections.everseen import EverSeen
from projections.folder import Logs
from projections.follow import Follower
from projections.notary import Notary
from projections.receipts import Receipts
from projections.replay import Heads
from projections.tail import Tail
from projections.visitlog import VisitLog
from web.fresh import SharedRefresh
from web.guard import Guard
from web.health import Health
from web.limits import Limit
from web.live import Live
from web.metrics import Metrics
from web.pages import Pages
from web.people import Credentials
from web.post import MailSender
from web.present import CurrentWorld
from web.service import Service
from web.settings import Settings
from web.spoken import ViewerAnswers

if TYPE_CHECKING:
    from web.bus import Hints
    from web.openid import Provider


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """The services of one process."""

    settings: Settings
    now: Callable[[], datetime]  # UTC
    demo: bool
    worker: str  # this process's own name where several share the logs, else ""
    logs: Logs
    present: CurrentWorld
    service: Service
    spoken: ViewerAnswers
    people: Credentials
    guard: Guard
    fresh: SharedRefresh
    renderer: Renderer
    pages: Pages
    heads: Heads
    ever: EverSeen
    receipts: Receipts
    visits: VisitLog
    live: Live
    follower: Follower
    tail: Tail
    bus: "Hints | None"
    leads: Callable[[], bool]  # this process makes the updates, and does whatever one process alone must do
    health: Health
    metrics: Metrics
    notary: Notary
    sign_ins: Limit
    provider: "Provider | None"
    sso: str  # what the single sign-on is called, "" where there is none
    post: MailSender | None


def of(connection: HTTPConnection) -> Services:
    """Return the services behind a request."""
    services: Services = connection.app.state.services
    return services
