"""Optional cosigners of checkpoints: a C2SP witness, and an RFC 3161 time-stamping authority.

Rule: they are asked after our own signature is made and before it is recorded. One that cannot be reached costs only
its own signature; a witness that has seen another history stops the signing.
"""

import base64
import logging
import urllib.error
import urllib.request
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

from projections.evidence.notary import Conflict
from projections.proof import notes

log = logging.getLogger("fanlight.notary")
PATIENCE = 10.0  # seconds
LONGEST = 64 << 10  # bytes of an answer


class Witness:
    """A witness, by its address and verification key (docs/spec.md 4.10)."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._name, self._public = notes.open_cosigner(key)

    def __call__(self, note: str, old: int, proof: Sequence[bytes]) -> str:
        """Return the witness's signature line for a checkpoint, "" when it gives none.

        `note`: the signed checkpoint. `old`: the tree size the witness saw last, from which `proof` is consistent.
        Raises: Conflict when the witness has seen another history.
        """
        steps = "".join(f"{base64.b64encode(step).decode()}\n" for step in proof)
        try:
            answer = _post(f"{self._url}/add-checkpoint", f"old {old}\n{steps}\n{note}".encode(), "text/plain")
        except urllib.error.HTTPError as error:
            self._refused(error, old)
            return ""
        except OSError as error:
            log.warning("the witness %s cannot be reached: %s", self._name, error)
            return ""
        return self._checked(note, answer.decode(errors="replace"))

    def _refused(self, error: urllib.error.HTTPError, old: int) -> None:
        """Log why the witness did not sign.

        Raises: Conflict when it has seen another history.
        """
        reason = error.read(LONGEST).decode(errors="replace").strip()
        if error.code == 409:
            seen = int(reason) if reason.isdecimal() and len(reason) < 19 else -1
            size = reason or "another size"
            raise Conflict(f"the witness {self._name} has seen this tree at {size}", seen) from error
        if error.code == 422:
            raise Conflict(f"the witness {self._name} does not accept that this tree grew from {old}", -1) from error
        log.warning("the witness %s answered %d: %s", self._name, error.code, reason[:200])

    def _checked(self, note: str, lines: str) -> str:
        """Return the witness's own line among these signature lines, "" where none of its signatures is valid."""
        text = notes.text_of(note)
        try:
            for (name, key_id), signatures in notes.signatures(f"{text}\n{lines}").items():
                if (name, key_id) == (self._name, notes.cosigner_id(self._name, self._public)):
                    at, signature = signatures[0][:8], signatures[0][8:]
                    signed = f"cosignature/v1\ntime {int.from_bytes(at, 'big')}\n{text}"
                    Ed25519PublicKey.from_public_bytes(self._public).verify(signature, signed.encode())
                    return next(line for line in lines.splitlines(keepends=True) if line.startswith(f"— {name} "))
        except (notes.BadNote, InvalidSignature, ValueError):
            pass
        log.warning("the witness %s answered with no good cosignature", self._name)
        return ""


class TimeStamping:
    """A time-stamping authority, by its address."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __call__(self, text: str) -> bytes:
        """Return the authority's answer (DER) over the SHA-256 of a text, b"" when it gives none."""
        request = TimestampRequestBuilder().data(text.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
        try:
            answer = _post(self._url, request.as_bytes(), "application/timestamp-query")
            stamp = decode_timestamp_response(answer)
            good = stamp.status in (0, 1) and stamp.tst_info.message_imprint.message == request.message_imprint.message
        except (OSError, ValueError) as error:
            log.warning("no time stamp from %s: %s", self._url, error)
            return b""
        if not good:
            log.warning("%s answered with no good time stamp (status %s)", self._url, stamp.status)
        return answer if good else b""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: what is signed goes to the address that the operator set and to no other."""

    def redirect_request(self, *_sent: object) -> None:
        """Refuse it; the answer then is an HTTPError of its status."""


_opener = urllib.request.build_opener(_NoRedirect)


def _post(url: str, body: bytes, kind: str) -> bytes:
    request = urllib.request.Request(url, body, {"content-type": kind})  # noqa: S310  # the operator's own setting, http(s) only
    with _opener.open(request, timeout=PATIENCE) as answer:
        return bytes(answer.read(LONGEST))
