"""Ties a sign-in at the provider to the browser that began it, by a random word in a sealed cookie.

Rule: state, nonce and PKCE verifier are derived from that word and the installation's secret. So any process can
finish the sign-in, nothing is kept in memory, and an answer brought by another browser fits no cookie.
"""

import base64
import hashlib
import hmac
from datetime import datetime

import msgspec

from web.ids import new_secret

MINUTES = 10  # within which a sign-in has to be finished


class Tie(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in that has begun. `cookie` is for the browser alone; the other values go to the provider."""

    cookie: str
    state: str
    nonce: str
    verifier: str  # of PKCE (RFC 7636); only its hash is sent before the code comes back


class Ties:
    """Begins and recognises sign-ins. `secret`: the client secret, the same for every process of an installation."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.new(secret.encode(), b"fanlight openid", hashlib.sha256).digest()

    def begin(self, now: datetime) -> Tie:
        """Return a new tie, good for `MINUTES` from `now` (UTC)."""
        word = f"{new_secret()}.{int(now.timestamp()) + 60 * MINUTES}"
        return self._tie(f"{word}.{self._derived('cookie', word)}", word)

    def again(self, cookie: str, state: str, now: datetime) -> Tie | None:
        """Return the tie of a cookie; None when the cookie is not ours, too old, or of another sign-in than `state`."""
        word, _, seal = cookie.rpartition(".")
        ends = word.rpartition(".")[2]
        if not hmac.compare_digest(seal.encode(), self._derived("cookie", word).encode()):
            return None
        tie = self._tie(cookie, word)
        same = hmac.compare_digest(state.encode(), tie.state.encode())
        return tie if same and int(ends) > now.timestamp() else None

    def _tie(self, cookie: str, word: str) -> Tie:
        state, nonce, verifier = (self._derived(name, word) for name in ("state", "nonce", "verifier"))
        return Tie(cookie=cookie, state=state, nonce=nonce, verifier=verifier)

    def _derived(self, name: str, word: str) -> str:
        derived = hmac.new(self._key, f"{name} {word}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(derived).decode().rstrip("=")
