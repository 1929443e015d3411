"""The organisation's own sign-in, an OpenID Connect provider by setting: where to send browsers, whom it vouches for.

Rule: what the provider sends is bounded in time and size, and believed only as far as `idtoken` goes. What is kept in
memory is what it publishes about itself, and may be lost.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

import httpx2
import msgspec
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from web.identity.failures import Away, NotVouched
from web.identity.id_token import UnknownKey, mail_of
from web.identity.round_trip import Tie, Ties

PATIENCE = 5.0  # seconds for one answer
AT_MOST = 12.0  # seconds for all that one step asks
LONGEST = 256 << 10  # of an answer, bytes
KEPT = 600.0  # seconds for which what the provider publishes is not asked again

T = TypeVar("T")


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself; OpenID Connect Discovery 1.0, section 3."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Keys(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


class Provider:
    """The provider of this installation. The event loop owns it."""

    def __init__(self, issuer: str, client: str, secret: str, back: str, clock: Callable[[], datetime]) -> None:
        self.ties = Ties(secret)
        self._issuer, self._client, self._secret, self._back, self._clock = issuer, client, secret, back, clock
        self._published: tuple[float, Published] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def address(self, tie: Tie) -> str:
        """Return where to send the browser.

        Raises: Away.
        """
        async with self._asking() as client:
            found = await self._about(client)
            address, _state = client.create_authorization_url(
                found.authorization_endpoint, state=tie.state, code_verifier=tie.verifier, nonce=tie.nonce
            )
            return str(address)

    async def mail(self, code: str, tie: Tie, issuer: str = "") -> str:
        """Return the verified mail address the provider vouches for, for a code the browser brought.

        `issuer` is who the answer says it comes from, "" where it does not say; RFC 9207.
        Raises: Away, NotVouched.
        """
        if issuer and issuer != self._issuer:
            raise NotVouched("the answer comes from another issuer")
        async with self._asking() as client:
            found = await self._about(client)
            return await self._vouched(client, found, await self._token(client, found, code, tie), tie.nonce)

    async def _token(self, client: Any, found: Published, code: str, tie: Tie) -> str:
        ways = found.token_endpoint_auth_methods_supported
        if "client_secret_basic" not in ways and "client_secret_post" in ways:
            client.token_endpoint_auth_method = "client_secret_post"  # noqa: S105  # the name of a way, no secret
        try:
            told = await client.fetch_token(
                found.token_endpoint, code=code, code_verifier=tie.verifier, grant_type="authorization_code"
            )
        except AuthlibBaseError as error:
            if error.error == "invalid_grant":
                raise NotVouched("the provider does not take the code it gave") from error
            raise Away(f"the provider refused us: {error.error}") from error
        token = told.get("id_token")
        if not isinstance(token, str):
            raise Away("the provider sent no ID token")
        return token

    async def _vouched(self, client: Any, found: Published, token: str, nonce: str) -> str:
        """Look again for keys once, where the token names one that is new."""
        keys = await self._known_keys(client, found, KEPT)
        wanted = {"issuer": self._issuer, "client": self._client, "nonce": nonce, "now": self._clock()}
        try:
            return mail_of(token, keys, **wanted)  # type: ignore[arg-type]
        except UnknownKey:
            keys = await self._known_keys(client, found, 0)
        try:
            return mail_of(token, keys, **wanted)  # type: ignore[arg-type]
        except UnknownKey as error:
            raise NotVouched("the ID token is signed by a key that the provider does not publish") from error

    async def _about(self, client: Any) -> Published:
        if self._published and time.monotonic() - self._published[0] < KEPT:
            return self._published[1]
        place = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        found = await self._read(client, place, Published)
        if found.issuer != self._issuer:
            raise Away(f"expected the issuer {self._issuer}, got {found.issuer[:200]}")
        for address in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            if urlsplit(address).scheme not in ("https", urlsplit(self._issuer).scheme):
                raise Away(f"expected an address that begins with https://, got {address[:200]}")
        self._published = time.monotonic(), found
        return found

    async def _known_keys(self, client: Any, found: Published, oldest: float) -> KeySet:
        if self._keys and time.monotonic() - self._keys[0] < oldest:
            return self._keys[1]
        keys = KeySet([])
        for told in (await self._read(client, found.jwks_uri, _Keys)).keys:
            with contextlib.suppress(JoseError, KeyError, TypeError, ValueError):  # of a kind that is not known here
                keys.keys.append(JWKRegistry.import_key(told))
        for key in keys:
            key.ensure_kid()
        self._keys = time.monotonic(), keys
        return keys

    @staticmethod
    async def _read(client: Any, address: str, kind: type[T]) -> T:
        answer = await client.request("GET", address, withhold_token=True)
        if answer.status_code != httpx2.codes.OK:
            raise Away(f"{address} answered {answer.status_code}")
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.MsgspecError as error:
            raise Away(f"{address} answered with something else than expected: {error}") from error

    @contextlib.asynccontextmanager
    async def _asking(self) -> AsyncIterator[Any]:
        """Make whatever goes wrong on the way to the provider one kind of trouble."""
        client = AsyncOAuth2Client(
            self._client, self._secret, redirect_uri=self._back, scope="openid email",
            code_challenge_method="S256", transport=Bounded(), timeout=PATIENCE, follow_redirects=False,
            headers={"accept-encoding": "identity"},
        )  # fmt: skip
        try:
            async with asyncio.timeout(AT_MOST), client:
                yield client
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError, OSError) as error:
            raise Away(f"{type(error).__name__}: {error}"[:300]) from error


class Bounded(httpx2.AsyncBaseTransport):
    """Carries requests, and breaks off an answer that is longer than any should be."""

    def __init__(self) -> None:
        self._inner = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the answer, its body not read yet."""
        answer = await self._inner.handle_async_request(request)
        if answer.headers.get("content-encoding", "identity") != "identity":
            await answer.aclose()
            raise httpx2.DecodingError("a packed answer was not asked for", request=request)
        stream = _Counted(cast("httpx2.AsyncByteStream", answer.stream))
        return httpx2.Response(answer.status_code, headers=answer.headers, stream=stream, extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._inner.aclose()


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        come = 0
        async for chunk in self._stream:
            come += len(chunk)
            if come > LONGEST:
                raise httpx2.ReadError(f"an answer is longer than {LONGEST} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
