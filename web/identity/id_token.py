"""Validates an ID token (OpenID Connect Core 1.0, section 3.1.3.7).

Rule: we choose the algorithms, all of them asymmetric; a token never chooses its key, an address or an algorithm.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from joserfc import jws, jwt
from joserfc.errors import ClaimError, JoseError
from joserfc.jwk import Key, KeySet
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

from web.identity.failures import NotVouched

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
LEEWAY = 60  # seconds by which the provider's clock and ours may differ
LONGEST = 16 << 10  # characters of a token


class UnknownKey(Exception):
    """The token names a key that is not among the provider's known keys."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a token is compared with."""

    issuer: str
    client: str  # this installation's id at the provider
    nonce: str  # of this sign-in
    now: datetime  # UTC


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a valid token says of somebody, as far as it is read."""

    email: str  # "" where it names none
    verified: bool
    name: str = ""


def verified_mail(claims: Claims) -> str:
    """Return the email address in a token, which the provider has verified.

    Raises: NotVouched.
    """
    if not claims.verified or not claims.email:
        raise NotVouched("the ID token names no verified email address")
    return claims.email


def claims_of(token: str, keys: KeySet, expected: Expected) -> Claims:
    """Return what a token says of somebody, once it is valid.

    Raises: UnknownKey, NotVouched.
    """
    if len(token) > LONGEST:
        raise NotVouched("the ID token is longer than any should be")
    try:
        header = jws.extract_compact(token.encode()).headers()
        allowed = _allowed(header)
        key = _key(header, keys)
        registry = jws.JWSRegistry(algorithms=allowed, strict_check_header=False)
        claims = jwt.decode(token, key, registry=registry).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise NotVouched(f"the ID token is not signed as it has to be ({type(error).__name__})") from error
    _check(claims, expected)
    mail, name = claims.get("email"), claims.get("name")
    return Claims(
        email=mail if isinstance(mail, str) else "",
        verified=claims.get("email_verified") is True,
        name=name if isinstance(name, str) else "",
    )


def _allowed(header: dict[str, Any]) -> Sequence[str]:
    """Return the one algorithm by which the token may be signed, in a list; NotVouched for one we do not accept."""
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS or "crit" in header or "b64" in header:
        raise NotVouched("the ID token is signed by no algorithm that is believed")
    return [algorithm]


def _key(header: dict[str, Any], keys: KeySet) -> Key:
    """Return the key the token is signed by."""
    wanted, algorithm = header.get("kid"), header["alg"]
    fits = [key for key in keys if wanted in (None, key.kid) and key.as_dict(private=False).get("use") in (None, "sig")]
    if not fits or (wanted is None and len(fits) > 1):
        raise UnknownKey
    meant_for = fits[0].as_dict(private=False).get("alg")
    if meant_for not in (None, algorithm) or fits[0].key_type == "oct":
        raise NotVouched("the ID token is signed by another algorithm than its key is for")
    return fits[0]


REFUSED = {  # reasons by claim
    "iss": "the ID token comes from another issuer",
    "aud": "the ID token is for somebody else",
    "sub": "the ID token is about nobody",
    "exp": "the ID token has run out",
    "iat": "the ID token was made in the future",
    "nbf": "the ID token is not good yet",
    "nonce": "the ID token is of another sign-in",
}


def _check(claims: dict[str, Any], expected: Expected) -> None:
    """Raise NotVouched unless the claims are valid now, and for this installation and this sign-in."""
    present: dict[str, ClaimsOption] = {name: {"essential": True} for name in ("sub", "exp", "iat")}
    equal: dict[str, ClaimsOption] = {
        name: {"essential": True, "value": value}
        for name, value in (("iss", expected.issuer), ("aud", expected.client), ("nonce", expected.nonce))
    }
    now = int(expected.now.timestamp())
    try:
        JWTClaimsRegistry(now=now, leeway=LEEWAY, **present, **equal).validate(claims)
    except ClaimError as error:
        reason = REFUSED.get(error.claim, f"the ID token does not say its {error.claim}")
        raise NotVouched(reason) from error
    audience = claims["aud"]
    if isinstance(audience, list) and len(audience) > 1 and "azp" not in claims:
        raise NotVouched("the ID token is for several and does not say who asked for it")
    if claims.get("azp", expected.client) != expected.client:
        raise NotVouched("somebody else asked for the ID token")
