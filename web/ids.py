"""New ids and secrets: random, so that nobody reads order, count or time out of one."""

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
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def form_token(session_hash: str) -> str:
    """Return the token that proves a form came from a page of this session."""
    return hmac.new(session_hash.encode(), b"form", hashlib.sha256).hexdigest()


def random_salt(_share: str, _n: int) -> bytes:
    """Return a fresh salt for a commitment."""
    return secrets.token_bytes(32)


Salt = Callable[[str, int], bytes]
