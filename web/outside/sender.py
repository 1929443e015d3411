"""Hands a few bytes to an https address that somebody typed, and returns what the other end answered.

Rule: the name is resolved once, every address it has is checked, and the connection is made to one that was checked;
so a name that leads into our own network, now or a moment later, reaches nothing there. No redirect is followed, no
proxy is asked. The answer is bounded in size, and the whole in time.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import msgspec

from domain.language import gettext as _
from web.outside.addresses import IP, Network, outside

WITHIN = 12.0  # seconds for one request, whatever the other end does
LARGEST = 4096  # bytes of an answer that are read


class NotSent(Exception):
    """Nothing was handed over; the message says why, without the address."""


class NotAllowed(NotSent):
    """The address is none that anything may be sent to; trying again does not help."""


class Lost(Exception):
    """It may have been handed over: the connection broke, or no answer came in time."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the other end answered: the status, and the beginning of what it said."""

    status: int
    text: str
    retry_after: str = ""  # the header, as it came


Resolve = Callable[[str, int], Sequence[str]]


def resolved(host: str, port: int) -> list[str]:
    """Return the addresses a name has now, as the system knows them."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class Sender:
    """Sends to https addresses. Thread-safe.

    `allowed`: networks inside that may be reached; `authority`: a file with an authority of the operator's own.
    """

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        resolve: Resolve = resolved,
        within: float = WITHIN,
        authority: Path = Path(),
    ) -> None:
        self._allowed, self._resolve, self._within = tuple(allowed), resolve, within
        self._authority = authority

    def post(self, address: str, body: bytes) -> Reply:
        """Hand JSON to an address, and return the answer.

        Raises: NotAllowed, NotSent, Lost.
        """
        parts = _https(address)
        host, port = parts.hostname or "", parts.port or 443
        with self._connected(host, port, self._checked(host, port)) as connection:
            return _asked(connection, parts, body)

    def _checked(self, host: str, port: int) -> list[IP]:
        """Return the addresses of a name, once every one of them may be reached."""
        found: list[str] = []

        def look() -> None:
            with contextlib.suppress(OSError, UnicodeError):
                found.extend(self._resolve(host, port))

        looking = threading.Thread(target=look, name="resolve", daemon=True)  # the system's own resolver has no bound
        looking.start()
        looking.join(self._within)
        if not found:
            raise NotSent(_("The name in the address could not be found."))
        addresses = [ipaddress.ip_address(one.partition("%")[0]) for one in found]
        if not all(outside(str(one), self._allowed) for one in addresses):
            told = _("The address leads into a private network. An operator can allow that network by a setting.")
            raise NotAllowed(told)
        return addresses

    def _trusted(self) -> ssl.SSLContext:
        """Return whom TLS trusts: whom the system does, and the operator's own authority."""
        context = ssl.create_default_context()
        if self._authority != Path():
            context.load_verify_locations(self._authority)
        return context

    @contextlib.contextmanager
    def _connected(self, host: str, port: int, there: Sequence[IP]) -> Iterator["_Connection"]:
        """Connect to one of some addresses, as the host that was typed; cut whatever takes too long."""
        connection = _Connection(host, port, self._within, self._trusted())
        watch = threading.Timer(self._within, connection.cut)
        watch.daemon = True
        watch.start()
        try:
            try:
                connection.open(there)
            except (OSError, ValueError) as error:  # the second of a name that no certificate can be for
                told = _one_line(str(error)) or type(error).__name__
                raise NotSent(_("No connection: {error}", error=told)) from error
            yield connection
        finally:
            watch.cancel()
            connection.close()


class _Connection(http.client.HTTPSConnection):
    """A connection to an address that was checked, which another thread can cut at any time."""

    def __init__(self, host: str, port: int, within: float, trusted: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=within)
        self._trusted = trusted
        self._name, self._within, self._socket = host, within, socket.socket()
        self.over = False

    def open(self, there: Sequence[IP]) -> None:
        """Connect to the first of some addresses that answers. Raises: OSError."""
        for place, address in enumerate(there, 1):
            try:
                self._begin(address)
            except OSError:
                if place == len(there) or self.over:
                    raise
            else:
                return

    def _begin(self, address: IP) -> None:
        self._socket.close()
        plain = self._socket = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
        plain.settimeout(self._within)
        plain.connect((str(address), self.port))
        secured = self._trusted.wrap_socket(plain, server_hostname=self._name, do_handshake_on_connect=False)
        self._socket = self.sock = secured
        secured.do_handshake()

    def cut(self) -> None:
        """End the connection, whatever it does."""
        self.over = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        super().close()
        self._socket.close()


def _https(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise NotAllowed(_("The address cannot be read.")) from None
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or port == 0:
        raise NotAllowed(_("Only addresses that begin with https:// are sent to."))
    return parts


def _asked(connection: _Connection, parts: SplitResult, body: bytes) -> Reply:
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    headers = {"content-type": "application/json", "user-agent": "fanlight", "connection": "close"}
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        said = answer.read(LARGEST)
        if connection.over:  # what was read ends where it was cut
            raise TimeoutError
    except (OSError, http.client.HTTPException) as error:
        why = (
            _("no answer came in time") if connection.over or isinstance(error, TimeoutError) else _one_line(str(error))
        )
        raise Lost(why or type(error).__name__) from error
    text = _one_line(said.decode("utf-8", "replace"))
    return Reply(status=answer.status, text=text, retry_after=answer.getheader("retry-after") or "")


def _one_line(text: str) -> str:
    """Return a text as one printable line of at most 300 characters."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:300]
