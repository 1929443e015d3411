"""The services that pages of the organisation's own people use; `process` builds them once.

Rule: a frozen struct without behaviour. Pages of clients never hold it; they get `Viewing` (web/client/viewing.py).
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import HTTPConnection

from projections.events.for_you import ForYou
from projections.events.portfolio import Portfolio
from projections.events.present import CurrentWorld
from projections.evidence.notary import Notary
from projections.follow.follower import Follower
from projections.follow.next_entry import Renderer
from projections.installation.folder import Logs
from projections.receipts.activity import Activity
from projections.receipts.taking import Receipts
from projections.receipts.visit_log import VisitLog
from projections.replay.ever_told import EverToldIndex
from projections.replay.pages import Heads
from projections.replay.tail import Tail
from web.door.guard import Guard
from web.door.limit import Limit
from web.door.templates import Pages
from web.identity.client_providers import ClientProviders
from web.identity.credentials import Credentials
from web.identity.devices import Devices
from web.identity.passkeys import Passkeys
from web.mail.asked import Asked
from web.mail.sender import MailSender
from web.process.health import Health
from web.process.metrics import Metrics
from web.process.refresh import SharedRefresh
from web.push.live import Live
from web.settings import Settings
from web.sources.built import Sources
from web.telling.poster import Poster
from web.write.erasure import PersonErasure
from web.write.service import Service
from web.write.viewer_answers import ViewerAnswers

if TYPE_CHECKING:
    from web.identity.provider import Provider
    from web.process.hints import Hints


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """The services of one process."""

    settings: Settings
    now: Callable[[], datetime]  # UTC
    demo: bool
    worker: str  # the name of this process where several share the logs, else ""
    logs: Logs
    present: CurrentWorld
    portfolio: Portfolio  # every project at a glance
    for_you: ForYou  # what needs whom
    service: Service
    viewer_answers: ViewerAnswers
    credentials: Credentials
    passkeys: Passkeys
    devices: Devices  # that stay signed in, and wall displays
    guard: Guard
    refresh: SharedRefresh
    renderer: Renderer
    pages: Pages
    heads: Heads
    ever_told: EverToldIndex
    receipts: Receipts
    activity: Activity
    visits: VisitLog
    live: Live
    follower: Follower
    tail: Tail
    hints: "Hints | None"  # None where no Redis is set
    leads: Callable[[], bool]  # whether this process makes the updates, and does whatever only one process may do
    health: Health
    metrics: Metrics
    notary: Notary
    erasure: PersonErasure
    sign_ins: Limit  # attempts to sign in, by address
    provider: "Provider | None"
    single_sign_on_name: str  # as the sign-in page shows it, "" where there is none
    client_providers: ClientProviders
    mail_sender: MailSender | None  # None where no mail server is set
    poster: Poster  # messages to channels
    sources: Sources  # where plans come from by themselves
    asked: Asked | None  # links asked for on the sign-in page, None where no mail server is set


def services_of(connection: HTTPConnection) -> Services:
    """Return the services behind a request."""
    services: Services = connection.app.state.services
    return services
