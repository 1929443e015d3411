"""Which addresses a request of ours may go to.

Rule: HTTPS, and no machine inside, unless the operator named its network. Threat: somebody who may type an address has
this server ask what it alone can reach (its neighbours, its own ports, the metadata of its cloud).
"""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from domain.language import gettext as _

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # a cloud's own service for its machines, by an address that looks public
        "192.0.0.0/24",  # protocol assignments, among them the metadata of another
        "64:ff9b:1::/48",  # translation to networks inside, RFC 8215
        "::/96",  # embedded IPv4, deprecated
        "2001::/32",  # Teredo
        "100.64.0.0/10",
        "fec0::/10",  # site-local, deprecated by RFC 3879
    )
)
NAT64 = ipaddress.ip_network("64:ff9b::/96")


Resolve = Callable[[str, int], Sequence[str]]  # the addresses of a name, for a port


class Forbidden(ValueError):
    """An address that is not asked. The message says which, and what would be taken."""


class Unreadable(Forbidden):
    """What was typed is no address at all."""


class Inside(Forbidden):
    """An address, or a name that leads to one, in a network inside which the operator has not allowed."""


def networks(text: str) -> tuple[Network, ...]:
    """Return the networks in a setting, with commas or spaces between.

    Raises: ValueError with the one that is none.
    """
    return tuple(ipaddress.ip_network(each) for each in text.replace(",", " ").split())


def plain(address: str) -> IP:
    """Return an IP address as its packets go: IPv4 that is written within IPv6 is IPv4."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if found.ipv4_mapped is not None:
        return found.ipv4_mapped
    if found.sixtofour is not None:
        return found.sixtofour
    if found in NAT64:
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found


def outside(address: str, inside: Sequence[Network]) -> bool:
    """Return whether an IP address may be asked: it is outside, or in one of the networks `inside` that are allowed."""
    found = plain(address)
    if any(found in network for network in inside if network.version == found.version):
        return True
    never = any(found in network for network in NEVER if network.version == found.version)
    return found.is_global and not found.is_multicast and not found.is_reserved and not never


def checked(address: str) -> tuple[str, int]:
    """Return the host and port of an HTTPS address.

    Raises: Forbidden.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, 443 if parts.port is None else parts.port
    except ValueError:
        raise Unreadable(_("{address} cannot be read as an address.", address=address[:200])) from None
    if parts.scheme != "https" or not host or not port:
        raise Forbidden(_("{address} does not begin with https://.", address=address[:200]))
    if "@" in parts.netloc:
        raise Forbidden(_("{host}: an address with a user or a password in it is not asked.", host=host[:200]))
    return host, port


def system(host: str, port: int) -> list[str]:
    """Return the addresses a name has now, as the system knows them.

    Raises: OSError.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(one[4][0]) for one in found]


async def judged(host: str, port: int, inside: Sequence[Network], resolve: Resolve = system) -> list[str]:
    """Return the IP addresses that a request to `host` may go to: each that its name has is judged first.

    Raises: Inside, OSError.
    """
    addresses = list(dict.fromkeys(await _looked_up(host, port, resolve)))
    if not addresses:
        raise OSError(_("The name in the address could not be found."))
    if not all(outside(one, inside) for one in addresses):
        raise Inside(
            _(
                "{host} leads to a network inside, which this installation does not ask. See --outside-networks.",
                host=host,
            )
        )
    return addresses


async def _looked_up(host: str, port: int, resolve: Resolve) -> Sequence[str]:
    """Return what a resolver says, in a thread of its own: the system's has no bound, and whoever waits here has."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[str]] = loop.create_future()

    def say(found: Sequence[str] | OSError) -> None:
        if answer.done():  # nobody waits any more
            return
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def look() -> None:
        found: Sequence[str] | OSError
        try:
            found = resolve(host, port)
        except UnicodeError as error:  # a name that cannot be one
            found = OSError(str(error))
        except OSError as error:
            found = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: it took too long
            loop.call_soon_threadsafe(say, found)

    threading.Thread(target=look, name="resolve", daemon=True).start()
    return await answer
