"""New ids, secrets and salts.

Rule: they are random, so that none reveals an order, a count or a time.
"""

import hashlib
import hmac
import secrets
import string
from collections.abc import Callable
from functools import cached_property

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
    """Return a token that proves that a form came from a page of this session; another text each time.

    It is a random mask of 32 bytes and what it hides, so that no length of a compressed page tells of it.
    """
    mask = secrets.token_bytes(32)
    return mask.hex() + _xor(mask, hmac.digest(session_hash.encode(), b"form", "sha256")).hex()


class FormToken:
    """The token of the forms of one answer, made when the first of them needs it: most requests have none."""

    def __init__(self, session_hash: str) -> None:
        self._session_hash = session_hash

    @cached_property
    def text(self) -> str:
        """The token, as `form_token` makes it."""
        return form_token(self._session_hash)


def same_form_token(sent: str, token: str) -> bool:
    """Tell whether a text is a token of the session that `token` is of; one without a mask is of a page from before."""
    try:
        raw = bytes.fromhex(sent)
    except ValueError:
        return False
    plain = _unmasked(raw) if len(raw) == 64 else raw
    return hmac.compare_digest(plain, _unmasked(bytes.fromhex(token)))


def _unmasked(raw: bytes) -> bytes:
    return _xor(raw[:32], raw[32:])


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one) ^ int.from_bytes(other)).to_bytes(32)


def random_salt(_share: str, _n: int) -> bytes:
    """Return a new salt of 32 bytes for a commitment; share and number do not matter."""
    return secrets.token_bytes(32)


Salt = Callable[[str, int], bytes]
