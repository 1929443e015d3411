"""The way of a request to the outside: to the address that was judged, by TLS, and bounded in size.

Rule: a name is resolved once for each request, every address it has is judged, and the connection is made to one that
was; the certificate is that of the name. So a name that leads inside, now or a moment later, reaches nothing there.
Whoever uses it bounds the time and follows no redirects, as `asking` does and `sender.Sender`, the way of threads.
"""

import asyncio
import contextlib
import functools
import os
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import cast

import httpx2
import msgspec

from web.outside.addresses import Network, Resolve, checked, judged, system

PATIENCE = 5.0  # seconds for one answer
AT_MOST = 12.0  # seconds for all requests of one step
LONGEST = 256 << 10  # bytes of one answer


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What some requests that belong together may take."""

    patience: float  # seconds for one answer
    at_most: float  # seconds for all of them
    longest: int  # bytes of one answer


class TooLong(httpx2.ReadError):
    """An answer is longer than is read."""


def trusted(authority: Path = Path()) -> ssl.SSLContext:
    """Return whom TLS trusts: whom the system does or `SSL_CERT_FILE` names, and an authority of the operator's own.

    Raises: OSError, ssl.SSLError.
    """
    return _trusted(authority, os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))


@functools.cache
def _trusted(authority: Path, _file: str, _folder: str) -> ssl.SSLContext:
    """Return whom TLS trusts. Read once, since reading holds up the event loop for a tenth of a second."""
    context = httpx2.create_ssl_context()
    if authority != Path():
        context.load_verify_locations(authority)
    return context


class Bounded(httpx2.AsyncBaseTransport):
    """A transport that breaks off an answer longer than `longest` bytes, and takes none that is packed."""

    def __init__(self, inner: httpx2.AsyncBaseTransport | None = None, longest: int = LONGEST) -> None:
        self._inner = inner or httpx2.AsyncHTTPTransport(verify=trusted())
        self._longest = longest

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request, and return its answer, the body not read yet."""
        answer = await self._inner.handle_async_request(request)
        if answer.headers.get("content-encoding", "identity") != "identity":
            await answer.aclose()
            raise httpx2.DecodingError("a packed answer was not asked for", request=request)
        stream = _Counted(cast("httpx2.AsyncByteStream", answer.stream), self._longest)
        return httpx2.Response(answer.status_code, headers=answer.headers, stream=stream, extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._inner.aclose()


class _Counted(httpx2.AsyncByteStream):
    """A body that is read up to `longest` bytes."""

    def __init__(self, stream: httpx2.AsyncByteStream, longest: int) -> None:
        self._stream, self._longest = stream, longest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._stream:
            received += len(chunk)
            if received > self._longest:
                raise TooLong(f"an answer is longer than {self._longest} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class Pinned(httpx2.AsyncBaseTransport):
    """A transport that goes to an IP address that was judged, whatever the name leads to a moment later."""

    def __init__(self, inside: Sequence[Network], inner: httpx2.AsyncBaseTransport, resolve: Resolve = system) -> None:
        self._inside, self._inner, self._resolve = inside, inner, resolve

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request to the first address of its host that takes a connection.

        Raises: Forbidden, httpx2.TransportError.
        """
        host, port = checked(str(request.url))
        *others, last = await judged(host, port, self._inside, self._resolve)
        for address in others:
            with contextlib.suppress(httpx2.ConnectError, httpx2.ConnectTimeout):
                return await self._inner.handle_async_request(_pinned(request, host, address))
        return await self._inner.handle_async_request(_pinned(request, host, last))

    async def aclose(self) -> None:
        """Close its connections."""
        await self._inner.aclose()


def _pinned(request: httpx2.Request, host: str, address: str) -> httpx2.Request:
    """Return a request as it goes to an address of its host."""
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,  # among them Host, by name
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )


class Outside:
    """How this installation asks addresses that somebody typed. `inside`: networks that may be asked all the same."""

    def __init__(self, inside: Sequence[Network] = (), authority: Path = Path(), resolve: Resolve = system) -> None:
        self._inside, self._authority, self._resolve = tuple(inside), authority, resolve

    def transport(self, longest: int = LONGEST) -> httpx2.AsyncBaseTransport:
        """Return a new transport; whoever uses it closes it. Connections are made anew, so each is judged.

        `longest`: bytes of one answer.
        """
        return Bounded(self.pinned(), longest)

    def pinned(self) -> httpx2.AsyncBaseTransport:
        """Return the same for whoever reads the beginning of an answer alone, however long it is."""
        limits = httpx2.Limits(max_keepalive_connections=0)
        inner = httpx2.AsyncHTTPTransport(verify=trusted(self._authority), limits=limits, trust_env=False)
        return Pinned(self._inside, inner, self._resolve)

    @contextlib.asynccontextmanager
    async def asking(self, bounds: Bounds | None = None) -> AsyncIterator[httpx2.AsyncClient]:
        """Give a client for some requests that belong together, with no redirects.

        `bounds` (default: `PATIENCE`, `AT_MOST` and `LONGEST`, as for signing in) end what takes longer.

        Raises: Forbidden, TimeoutError, httpx2.HTTPError, OSError.
        """
        bounds = bounds or Bounds(patience=PATIENCE, at_most=AT_MOST, longest=LONGEST)
        client = httpx2.AsyncClient(
            transport=self.transport(bounds.longest), timeout=bounds.patience, follow_redirects=False, trust_env=False,
            headers={"accept-encoding": "identity"},
        )  # fmt: skip
        async with asyncio.timeout(bounds.at_most), client:
            yield client
