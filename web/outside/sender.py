"""Hands a few bytes to an https address that somebody typed, and returns what the other end answered. For threads.

Rule: it goes the way of `transport`: every address of the name is judged, and the connection is made to one that was;
no redirect is followed, no proxy is asked. Of the answer the beginning is read, and all of it is bounded in time. What
broke before the request went out is told apart from what broke after: that may have arrived.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import httpx2
import msgspec

from domain.language import gettext as _
from web.outside.addresses import Forbidden, Inside, Network, Resolve, Unreadable, checked, system
from web.outside.transport import Outside

WITHIN = 12.0  # seconds for one request, whatever the other end does
LARGEST = 4096  # bytes of an answer that are read
BEGUN = "http11.send_request_headers.started"  # from here on something may have arrived


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


class Sender:
    """Sends to https addresses. Thread-safe; not for a thread in which an event loop runs.

    `allowed`: networks inside that may be reached; `authority`: a file with an authority of the operator's own.
    """

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        resolve: Resolve = system,
        within: float = WITHIN,
        authority: Path = Path(),
    ) -> None:
        self._outside, self._within = Outside(allowed, authority, resolve), within

    def post(self, address: str, body: bytes) -> Reply:
        """Hand JSON to an address, and return the answer.

        Raises: NotAllowed, NotSent, Lost.
        """
        _allowed(address)
        handing = _Handing(self._outside, self._within)
        try:
            return asyncio.run(handing.over(address, body))
        except Inside as error:
            told = _("The address leads into a private network. An operator can allow that network by a setting.")
            raise NotAllowed(told) from error
        except (Forbidden, httpx2.InvalidURL) as error:
            raise NotAllowed(_("The address cannot be read.")) from error
        except (httpx2.HTTPError, OSError, ValueError) as error:  # the last of a name that no certificate can be for
            raise handing.broken(error) from error


def _allowed(address: str) -> None:
    """Raise NotAllowed for what is no https address; its words do not repeat the address, which is a secret."""
    try:
        checked(address)
    except Unreadable:
        raise NotAllowed(_("The address cannot be read.")) from None
    except Forbidden:
        raise NotAllowed(_("Only addresses that begin with https:// are sent to.")) from None


class _Handing:
    """One request, and how far it got."""

    def __init__(self, way: Outside, within: float) -> None:
        self._way, self._within = way, within
        self._found, self._begun = False, False

    async def over(self, address: str, body: bytes) -> Reply:
        headers = {"content-type": "application/json", "user-agent": "fanlight", "accept-encoding": "identity"}
        async with asyncio.timeout(self._within), httpx2.AsyncClient(
            transport=self._way.pinned(), timeout=self._within, follow_redirects=False, trust_env=False, headers=headers
        ) as client:  # fmt: skip
            asked = client.stream("POST", address, content=body, extensions={"trace": self._trace})
            async with asked as answer:
                said = await _beginning(answer)
                return Reply(
                    status=answer.status_code,
                    text=_one_line(said.decode("utf-8", "replace")),
                    retry_after=answer.headers.get("retry-after", ""),
                )

    async def _trace(self, step: str, _info: object) -> None:
        self._found = True
        self._begun = self._begun or step == BEGUN

    def broken(self, error: Exception) -> NotSent | Lost:
        """Return what an error means at the point that was reached."""
        late = isinstance(error, (TimeoutError, httpx2.TimeoutException))
        why = _("no answer came in time") if late else _one_line(str(error)) or type(error).__name__
        if self._begun:
            return Lost(why)
        if self._found:
            return NotSent(_("No connection: {error}", error=why))
        return NotSent(_("The name in the address could not be found."))


async def _beginning(answer: httpx2.Response) -> bytes:
    """Return the first bytes of an answer, as they came."""
    said = b""
    async for chunk in answer.aiter_raw():
        said += chunk
        if len(said) >= LARGEST:
            break
    return said[:LARGEST]


def _one_line(text: str) -> str:
    """Return a text as one printable line of at most 300 characters."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:300]
