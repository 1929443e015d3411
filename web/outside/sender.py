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
from urllib.parse import SplitResult, urlsplit

import msgspec

from domain.language import gettext as _

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
WITHIN = 12.0  # seconds for one request, whatever the other end does
LARGEST = 4096  # bytes of an answer that are read
EMBEDDING = (  # IPv6 networks whose addresses lead on to an IPv4 address, with the place of its last bit from the right
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # RFC 6052
    (ipaddress.IPv6Network("2002::/16"), 80),  # RFC 3056
)

LOCAL = (  # not public, though the standard library says otherwise
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # RFC 8215: a translation of its own, that may lead anywhere
    ipaddress.IPv6Network("fec0::/10"),  # RFC 3879
)


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


def may_reach(address: Address, allowed: Sequence[Network]) -> bool:
    """Tell whether anything may be sent to an address: a public one, or one in a network the operator allows."""
    inner = _embedded(address)
    if any(address in network or (inner is not None and inner in network) for network in allowed):
        return True
    if inner is not None:
        return may_reach(inner, ())
    if any(address in network for network in LOCAL):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _embedded(address: Address) -> Address | None:
    """Return the IPv4 address that an IPv6 address stands for, None where it stands for itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    for network, shift in EMBEDDING:
        if address in network:
            return ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return None


Resolve = Callable[[str, int], Sequence[str]]


def resolved(host: str, port: int) -> list[str]:
    """Return the addresses a name has now, as the system knows them."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


class Sender:
    """Sends to https addresses. Thread-safe. `allowed`: networks that may be reached though they are not public."""

    def __init__(self, allowed: Sequence[Network] = (), resolve: Resolve = resolved, within: float = WITHIN) -> None:
        self._allowed, self._resolve, self._within = tuple(allowed), resolve, within

    def post(self, address: str, body: bytes) -> Reply:
        """Hand JSON to an address, and return the answer.

        Raises: NotAllowed, NotSent, Lost.
        """
        parts = _https(address)
        host, port = parts.hostname or "", parts.port or 443
        with self._connected(host, port, self._checked(host, port)) as connection:
            return _asked(connection, parts, body)

    def _checked(self, host: str, port: int) -> list[Address]:
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
        if not all(may_reach(one, self._allowed) for one in addresses):
            told = _("The address leads into a private network. An operator can allow that network by a setting.")
            raise NotAllowed(told)
        return addresses

    @contextlib.contextmanager
    def _connected(self, host: str, port: int, there: Sequence[Address]) -> Iterator["_Connection"]:
        """Connect to one of some addresses, as the host that was typed; cut whatever takes too long."""
        connection = _Connection(host, port, self._within)
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

    def __init__(self, host: str, port: int, within: float) -> None:
        super().__init__(host, port, timeout=within)
        self._name, self._within, self._socket = host, within, socket.socket()
        self.over = False

    def open(self, there: Sequence[Address]) -> None:
        """Connect to the first of some addresses that answers. Raises: OSError."""
        for place, address in enumerate(there, 1):
            try:
                self._begin(address)
            except OSError:
                if place == len(there) or self.over:
                    raise
            else:
                return

    def _begin(self, address: Address) -> None:
        self._socket.close()
        plain = self._socket = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
        plain.settimeout(self._within)
        plain.connect((str(address), self.port))
        secured = ssl.create_default_context().wrap_socket(
            plain, server_hostname=self._name, do_handshake_on_connect=False
        )
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
