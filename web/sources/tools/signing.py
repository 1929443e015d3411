"""Signatures of webhooks: whether a body was sent by whoever holds the secret.

Rule: everything is compared in one time, whatever of it is right; without a secret nothing is signed.
Threat: somebody who knows the address of a webhook has this server pull as often as they like.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal


def header(headers: Mapping[str, str], name: str) -> str:
    """Return a header, whatever the case of its name; nothing where it is not there."""
    wanted = name.casefold()
    return next((value for key, value in headers.items() if key.casefold() == wanted), "")


def by_hex(
    secret: str, body: bytes, given: str, *, kind: Literal["sha256", "sha1"] = "sha256", before: str = ""
) -> bool:
    """Tell whether `given` is the HMAC of a body in hex, with what stands `before` it, such as "sha256="."""
    expected = before + hmac.new(secret.encode(), body, kind).hexdigest()
    return bool(secret) and hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def same(secret: str, given: str) -> bool:
    """Tell whether a secret itself was given."""
    return bool(secret) and hmac.compare_digest(secret.encode(), given.encode("utf-8", "replace"))


def by_standard(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether a body is signed as Standard Webhooks 1.0 says: "v1," and base64 of the HMAC-SHA256.

    `secret` is "whsec_" and base64; what is signed is the id, the time and the body with full stops between. One of
    several signatures is enough, since a secret may be replaced in between.
    """
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    told = f"{header(headers, 'webhook-id')}.{header(headers, 'webhook-timestamp')}.".encode()
    expected = b"v1," + base64.b64encode(hmac.new(key, told + body, hashlib.sha256).digest())
    given = header(headers, "webhook-signature").encode("utf-8", "replace").split()
    fits = [hmac.compare_digest(expected, one) for one in given]  # each is compared, whichever fits
    return bool(key) and any(fits)
