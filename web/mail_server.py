"""The mail server as the setting writes it: host, port, encryption, and user."""

import contextlib
import ipaddress
import re
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

EXAMPLE = "smtp://user:password@mail.example.com:587"
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
PORTS = {"smtps": 465, "smtp": 587}
RELAY = 25  # the port where no user is given


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A mail server, and the user who signs in there."""

    host: str
    port: int
    tls: bool  # TLS from the first byte
    user: str = ""
    password: str = ""

    @property
    def here(self) -> bool:
        """Whether the server is this machine."""
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return self.host == "localhost"


def is_address(text: str) -> bool:
    """Return whether a text is one email address, without a name and in ASCII."""
    return len(text) <= 254 and ADDRESS.fullmatch(text) is not None


def server(url: str) -> Server:
    """Return the server that an smtp:// or smtps:// address names.

    Raises: ValueError; its message does not contain the password.
    """
    parts = _split(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise ValueError(f"names a user or a password alone; expected both or neither, as in {EXAMPLE}.")
    port = parts.port or (PORTS[parts.scheme] if user or parts.scheme == "smtps" else RELAY)
    return Server(host=parts.hostname or "", port=port, tls=parts.scheme == "smtps", user=user, password=password)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in PORTS and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        sound = False
    if not sound or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(f"is no mail server; expected an address such as {EXAMPLE}.")
    return parts
