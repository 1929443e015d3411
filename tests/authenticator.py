"""An authenticator in software: makes passkeys and signs with them, as a device of its user's does (WebAuthn Level 3)."""

import base64
import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, MAY_SYNC, SYNCED, ATTESTED = 1, 4, 8, 16, 64


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def raw(text_: str) -> bytes:
    return base64.urlsafe_b64decode(text_ + "=" * (-len(text_) % 4))


class Authenticator:
    """One passkey. `synced`: it counts nothing, as those that several devices share."""

    def __init__(self, origin: str, host: str, *, synced: bool = False) -> None:
        self.origin, self.host, self.synced = origin, host, synced
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(16)
        self.handle, self.count, self.verifies = "", 0, True

    def _flags(self) -> int:
        return PRESENT | (VERIFIED if self.verifies else 0) | (MAY_SYNC | SYNCED if self.synced else 0)

    def _data(self, flags: int, attested: bytes = b"") -> bytes:
        self.count += 0 if self.synced else 1
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big") + attested

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _answer(self, response: dict[str, Any]) -> str:
        return json.dumps({"id": text(self.id), "rawId": text(self.id), "type": "public-key", "response": response})

    def make(self, options: dict[str, Any]) -> str:
        """Return what a browser answers to the options for making a passkey."""
        assert options["rp"]["id"] == self.host
        assert options["authenticatorSelection"]["userVerification"] == "required"
        assert options["authenticatorSelection"]["residentKey"] == "required"
        self.handle = options["user"]["id"]
        point = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        data = self._data(self._flags() | ATTESTED, attested)
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options["challenge"])
        return self._answer(
            {"clientDataJSON": text(client), "attestationObject": text(statement), "transports": ["internal"]}
        )

    def sign(self, options: dict[str, Any]) -> str:
        """Return what a browser answers to the options for signing in."""
        assert options["rpId"] == self.host
        assert options["userVerification"] == "required"
        client, data = self._client("webauthn.get", options["challenge"]), self._data(self._flags())
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            {
                "clientDataJSON": text(client),
                "authenticatorData": text(data),
                "signature": text(signature),
                "userHandle": self.handle,
            }
        )
