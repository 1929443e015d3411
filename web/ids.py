"""New ids, secrets and salts.

Rule: they are random, so that none reveals an order, a count or a time.
"""

import hashlib
import hmac
import secrets
import string
from collections.abc import Callable

ALPHABET = string.ascii_lowercase + string.digits


def new_id(length: int = 12) -> str:
    """Return a random id of lower-case letters and digits (about 62 bits at 12)."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_secret() -> str:
    """Return 192 random bits for a link, a cookie or a token."""
    return secrets.token_urlsafe(24)


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret, hex: what is stored of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def form_token(session_hash: str) -> str:
    """Return the token that proves that a form came from a page of this session."""
    return hmac.new(session_hash.encode(), b"form", hashlib.sha256).hexdigest()


def random_salt(_share: str, _n: int) -> bytes:
    """Return a new salt of 32 bytes for a commitment; share and number do not matter."""
    return secrets.token_bytes(32)


Salt = Callable[[str, int], bytes]
