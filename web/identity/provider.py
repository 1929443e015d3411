"""The client of an OpenID Connect provider: the address to send browsers to, and the email address it vouches for.

Rule: answers of the provider are bounded in time and size, and nothing is believed that `id_token` did not validate.
Only what the provider publishes about itself is kept in memory, and may be lost.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import msgspec
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.integrations.httpx_client import AsyncOAuth2Client  # type: ignore[import-untyped]
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from domain.message import UNREADABLE
from web.identity.failures import Away, NotVouched
from web.identity.id_token import Claims, Expected, UnknownKey, claims_of, verified_mail
from web.identity.round_trip import Tie, Ties
from web.outside.addresses import Forbidden
from web.outside.transport import AT_MOST, Bounded

PATIENCE = 5.0  # seconds for one answer
KEPT = 600.0  # seconds for which the provider's metadata and keys are cached

T = TypeVar("T")


class Published(msgspec.Struct, frozen=True, kw_only=True):
    """The metadata of a provider (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False  # RFC 9207


class _Keys(msgspec.Struct, frozen=True):
    """A JWK set (RFC 7517)."""

    keys: list[dict[str, Any]]


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider knows this installation: `client` and `secret` are ours there, `back` is the redirect URI."""

    issuer: str
    client: str
    secret: str
    back: str
    scope: str = "openid email"


class Provider:
    """A provider: of this installation, or of a client of it. Not thread-safe; owned by the event loop.

    `clock` returns UTC; `transport` makes what requests go by. `ties` are those of this installation's own provider.
    """

    def __init__(
        self,
        registered: Registered,
        clock: Callable[[], datetime],
        transport: Callable[[], httpx2.AsyncBaseTransport] = Bounded,
    ) -> None:
        self.ties = Ties(registered.secret)
        self._issuer, self._client, self._secret = registered.issuer, registered.client, registered.secret
        self._back, self._scope, self._clock, self._transport = registered.back, registered.scope, clock, transport
        self._published: tuple[float, Published] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def address(self, tie: Tie) -> str:
        """Return the address to send the browser to.

        Raises: Away.
        """
        async with self._asking() as client:
            published = await self._metadata(client)
            address, _state = client.create_authorization_url(
                published.authorization_endpoint, state=tie.state, code_verifier=tie.verifier, nonce=tie.nonce
            )
            return str(address)

    async def mail(self, code: str, tie: Tie, issuer: str = "") -> str:
        """Return the verified email address that the provider gives for a code which the browser brought back.

        `issuer`: named by the answer (RFC 9207), "" where it names none.
        Raises: Away, NotVouched.
        """
        return verified_mail(await self.claims(code, tie, issuer))

    async def claims(self, code: str, tie: Tie, issuer: str = "") -> Claims:
        """Return what the provider says of whoever brought back a code, as far as it is valid for this sign-in.

        Raises: Away, NotVouched.
        """
        if issuer and issuer != self._issuer:
            raise NotVouched("the answer comes from another issuer")
        async with self._asking() as client:
            published = await self._metadata(client)
            if published.authorization_response_iss_parameter_supported and not issuer:
                raise NotVouched("the answer does not name its issuer, which this provider always does")
            return await self._vouched(client, published, await self._token(client, published, code, tie), tie.nonce)

    async def _token(self, client: Any, published: Published, code: str, tie: Tie) -> str:
        ways = published.token_endpoint_auth_methods_supported
        if "client_secret_basic" not in ways and "client_secret_post" in ways:
            client.token_endpoint_auth_method = "client_secret_post"  # noqa: S105  # the name of a method, no secret
        try:
            answer = await client.fetch_token(
                published.token_endpoint, code=code, code_verifier=tie.verifier, grant_type="authorization_code"
            )
        except AuthlibBaseError as error:
            if error.error == "invalid_grant":
                raise NotVouched("the provider does not take the code it gave") from error
            raise Away(f"the provider refused us: {error.error}") from error
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise Away("the provider sent no ID token")
        return token

    async def _vouched(self, client: Any, published: Published, token: str, nonce: str) -> Claims:
        """Return the claims of a token; the keys are fetched once more where it names an unknown one."""
        keys = await self._known_keys(client, published, KEPT)
        expected = Expected(issuer=self._issuer, client=self._client, nonce=nonce, now=self._clock())
        try:
            return claims_of(token, keys, expected)
        except UnknownKey:
            keys = await self._known_keys(client, published, 0)
        try:
            return claims_of(token, keys, expected)
        except UnknownKey as error:
            raise NotVouched("the ID token is signed by a key that the provider does not publish") from error

    async def _metadata(self, client: Any) -> Published:
        """Return the provider's metadata, from the cache or its well-known address."""
        if self._published and time.monotonic() - self._published[0] < KEPT:
            return self._published[1]
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        published = await self._read(client, address, Published)
        if published.issuer != self._issuer:
            raise Away(f"expected the issuer {self._issuer}, got {published.issuer[:200]}")
        for endpoint in (published.authorization_endpoint, published.token_endpoint, published.jwks_uri):
            if urlsplit(endpoint).scheme not in ("https", urlsplit(self._issuer).scheme):
                raise Away(f"expected an address that begins with https://, got {endpoint[:200]}")
        self._published = time.monotonic(), published
        return published

    async def _known_keys(self, client: Any, published: Published, oldest: float) -> KeySet:
        """Return the provider's keys, read again where the cached ones are older than `oldest` seconds."""
        if self._keys and time.monotonic() - self._keys[0] < oldest:
            return self._keys[1]
        keys = KeySet([])
        for jwk in (await self._read(client, published.jwks_uri, _Keys)).keys:
            with contextlib.suppress(JoseError, KeyError, TypeError, ValueError):  # skip a key of an unknown kind
                keys.keys.append(JWKRegistry.import_key(jwk))
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
        except UNREADABLE as error:
            raise Away(f"{address} answered with something else than expected: {error}") from error

    @contextlib.asynccontextmanager
    async def _asking(self) -> AsyncIterator[Any]:
        """Give an HTTP client; whatever goes wrong on the way to the provider becomes `Away`."""
        client = AsyncOAuth2Client(
            self._client, self._secret, redirect_uri=self._back, scope=self._scope,
            code_challenge_method="S256", transport=self._transport(), timeout=PATIENCE, follow_redirects=False,
            headers={"accept-encoding": "identity"},
        )  # fmt: skip
        try:
            async with asyncio.timeout(AT_MOST), client:
                yield client
        except Forbidden as error:
            raise Away(str(error)) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError, OSError) as error:
            raise Away(f"{type(error).__name__}: {error}"[:300]) from error
