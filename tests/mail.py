"""A mail server on a free port of loopback, with moods of its own; and a world that mails under a virtual clock."""

import contextlib
import email
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from domain.ids import ClientId, PersonId
from domain.people.mails import Cadence, ChooseDigest
from domain.people.person import InvitePerson
from projections.follow.next_entry import Renderer
from tests.ports import free_port
from tests.world import ACME, ADMIN, World
from web.clock import Virtual
from web.identity.credentials import Credentials
from web.mail import own
from web.mail.sender import MailSender, SenderPorts
from web.mail.writer import MailSettings
from web.mail_server import Server, server
from web.render.page import Renderer as Real
from web.write.permission import OPERATOR

SENDER = "status@works.example"
ORIGIN = "http://testserver"


class Got:
    """One mail as it arrived."""

    def __init__(self, sender: str, to: str, raw: bytes) -> None:
        self.sender, self.to, self.raw = sender, to, raw
        parsed = email.message_from_bytes(raw, policy=default)
        assert isinstance(parsed, EmailMessage)
        self.parsed = parsed

    def _part(self, kind: str) -> str:
        part = self.parsed.get_body((kind,))
        assert part is not None
        return str(part.get_content())

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def subject(self) -> str:
        return str(self.parsed["Subject"])


class Sink:
    """The server. `refuse` and `away` are answers; `hangs_up` makes it swallow the content and say nothing."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, password: str = "") -> None:
        self.mails: list[Got] = []
        self.refuse: dict[str, str] = {}
        self.away, self.content_away, self.hangs_up = "", "", False
        self.secured: list[bool] = []  # for each sign-in, whether it came encrypted
        self.port = free_port()
        more: dict[str, Any] = {}
        if password:
            more = {"authenticator": self._authenticate(password), "auth_require_tls": False, "auth_required": True}
        self._more = {"hostname": "127.0.0.1", "port": self.port, "tls_context": tls, **more}

    def _authenticate(self, password: str) -> Callable[..., AuthResult]:
        def check(server: SMTP, session: Any, _envelope: Any, _how: str, data: LoginPassword) -> AuthResult:
            self.secured.append(session.ssl is not None)
            return AuthResult(success=data.password.decode() == password, handled=False)

        return check

    async def handle_MAIL(self, _server: SMTP, _session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.away:
            return self.away
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, _server: SMTP, _session: Any, envelope: Any, address: str, options: Any) -> str:
        told = self.refuse.get(address, "250 OK")
        if not told.startswith("2"):
            return told
        envelope.rcpt_tos.append(address)
        return told

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:
        if self.content_away:
            return self.content_away
        self.mails += [Got(envelope.mail_from, to, envelope.original_content) for to in envelope.rcpt_tos]
        if self.hangs_up:
            server.transport.close()
        return "250 taken"

    @property
    def server(self) -> Server:
        return server(self.url)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> "Sink":
        self._controller = Controller(self, **self._more)
        self._controller.start()
        return self

    def stop(self) -> None:
        self._controller.stop(no_assert=True)


@contextlib.contextmanager
def sink(**more: Any) -> Iterator[Sink]:
    """Run a mail server."""
    made = Sink(**more).start()
    try:
        yield made
    finally:
        made.stop()


def token(person: str) -> str:
    """The same for the same person, so that twin worlds can be compared."""
    return f"{person}.stop"


class Ticking(Virtual):
    """A clock that lets something look around at every whole minute it passes.

    Once `far` is over that is every hour, and every minute after 07:00 UTC, when mails are due.
    """

    def __init__(self, start: datetime, look: Callable[[datetime], object], far: datetime) -> None:
        self._at, self._look, self._far, self._busy = start, look, far, False

    @property
    def at(self) -> datetime:  # type: ignore[override]
        return self._at

    @at.setter
    def at(self, wanted: datetime) -> None:
        while not self._busy and (tick := self._next()) <= wanted:
            self._at, self._busy = tick, True
            try:
                self._look(tick)
            finally:
                self._busy = False
        self._at = max(self._at, wanted)

    def _next(self) -> datetime:
        step = 60 if self._at < self._far or (self._at.hour == 7 and self._at.minute < 5) else 3600
        whole = int(self._at.timestamp()) // step * step
        return datetime.fromtimestamp(whole + step, UTC)


class Mailed(World):
    """A world whose digests go out to a sink, on a fixed grid of virtual time."""

    fine = timedelta(hours=4)  # for which every minute counts

    def __init__(self, folder: Path, to: Sink, renderer: Renderer | None = None, **more: Any) -> None:
        self.sink = to
        self.sent_at: list[datetime] = []  # of each mail in the sink
        super().__init__(folder, renderer or Real(), **more)
        self.clock = Ticking(self.clock.at, self._tick, self.clock.at + self.fine)
        self.restart()

    def open(self) -> None:
        super().open()
        self.post = self.poster()

    def poster(self, **more: Any) -> MailSender:
        """Who sends the mails, as a process would make it."""
        mailing = MailSettings(server=self.sink.server, sender=SENDER, origin=ORIGIN, hour=7)
        credentials = Credentials(self.service, self.present, self.clock, link_hours=72, session_hours=12)
        return MailSender(
            mailing,
            SenderPorts(
                service=self.service,
                present=self.present,
                credentials=credentials,
                disclosure=self.folder.disclosure,
                clock=self.clock,
                stop_token=token,
                confirm_token=partial(own.confirm_token, self.folder.events.fingerprint),
                **{"crash_point": self.point, **more},
            ),
        )

    def _tick(self, at: datetime) -> None:
        self.post.look()
        self.sent_at += [at] * (len(self.sink.mails) - len(self.sent_at))

    def reader(self, name: str, cadence: Cadence, client: ClientId = ACME) -> PersonId:
        """A viewer who wants mails."""
        person = PersonId(name)
        address = f"{name}@{client}.test"
        self.tell(InvitePerson(person=person, name=name.title(), email=address, role="viewer", client=client), ADMIN)
        self.choose(name, cadence)
        return person

    def choose(self, name: str, cadence: Cadence) -> None:
        since = {s.id: self.folder.disclosure.head(s.id) for s in self.present.world.shares.values()}
        self.tell(ChooseDigest(person=PersonId(name), cadence=cadence, since=since), OPERATOR)

    def until(self, at: datetime) -> None:
        """Let time pass."""
        self.clock.at = at

    def states(self, person: str) -> list[tuple[str, int, int]]:
        """Return state, first and last update of each mail to somebody."""
        return [(m.state, m.first, m.to) for m in self.present.refresh().people[PersonId(person)].mails]
