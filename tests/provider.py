"""A small OpenID Connect provider on a real port, with keys of its own; its `mode` makes it misbehave in one way."""

import base64
import functools
import hashlib
import hmac
import json
import secrets
import threading
import time
from typing import Any
from urllib.parse import urlencode

import uvicorn
from cryptography.hazmat.primitives import serialization
from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.certificates import Certified
from tests.ports import free_port

CLIENT, SECRET = "fanlight-test", "a secret of the provider and us"
ALGORITHMS = ["RS256", "ES256", "HS256"]


def part(data: bytes | dict[str, Any]) -> str:
    """One part of a compact token."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def by_secret(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """A token signed by HMAC, by hand: libraries refuse to make what an attacker would."""
    text = f"{part(header)}.{part(claims)}"
    return f"{text}.{part(hmac.digest(secret, text.encode(), 'sha256'))}"


def pem(key: Any) -> bytes:
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_key.public_bytes(serialization.Encoding.PEM, public))


@functools.cache
def made(kid: str, whose: str = "the provider") -> RSAKey:
    """An RSA key: one is made once in a process, since making it takes a quarter of a second."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


class Provider:
    """Whoever signs in is `mail`, as long as `mode` is "good"."""

    def __init__(self, callback: str, host: str = "127.0.0.1", tls: Certified | None = None) -> None:
        self.callback, self.port, self.tls = callback, free_port(), tls
        self.issuer = f"{'https' if tls else 'http'}://{host}:{self.port}"
        self.mail, self.mode = "", "good"
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.published: dict[str, Any] = {}  # of its configuration, beside or instead of what is right
        self.skew = 0  # seconds by which its clock is ahead
        self.asked: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.keys: list[Key] = []
        self._rotated = 0
        self.rotate()
        self.server: uvicorn.Server | None = None

    # its life

    def start(self) -> "Provider":
        app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.jwks),
            ]
        )
        files = {"ssl_certfile": self.tls.chain, "ssl_keyfile": self.tls.key} if self.tls else {}
        config = uvicorn.Config(app, "127.0.0.1", self.port, log_level="error", lifespan="off", **files)  # type: ignore[arg-type]
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        end = time.monotonic() + 15
        while not self.server.started:
            assert time.monotonic() < end, "the provider did not start"
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        if self.server is not None:
            self.server.should_exit = True
            self.thread.join(15)
            self.server = None

    def rotate(self, kind: str = "RSA") -> None:
        """Sign with a new key from now on; the old one is published no more."""
        self._rotated += 1
        kid = f"key-{self._rotated}"
        self.keys = [made(kid) if kind == "RSA" else ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})]

    # what it publishes

    async def discovery(self, _request: Request) -> Response:
        self.asked.append("discovery")
        if self.mode == "broken":
            return Response("<html>maintenance</html>", 200)
        issuer = "http://somebody.else" if self.mode == "other issuer" else self.issuer
        said = JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ALGORITHMS,
                "response_types_supported": ["code"],
                **self.published,
            }
        )
        if self.mode == "endless":  # good, but for a megabyte of blanks before it
            return StreamingResponse(iter([b" " * 65536] * 16 + [said.body]), media_type="application/json")
        return said

    async def jwks(self, _request: Request) -> Response:
        self.asked.append("keys")
        unknown = {"kty": "AKP", "kid": "of-tomorrow", "alg": "ML-DSA-44", "pub": "AAAA"}
        return JSONResponse({"keys": [unknown, *(key.as_dict(private=False) for key in self.keys)]})

    # signing in

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["client_id"] == CLIENT
        assert asked["redirect_uri"] == self.callback
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert {"openid", "email"} <= set(asked["scope"].split())
        if self.mode == "refuses":
            return RedirectResponse(f"{self.callback}?{urlencode({'error': 'access_denied', 'state': asked['state']})}")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return RedirectResponse(f"{self.callback}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def token(self, request: Request) -> Response:
        self.asked.append("token")
        form = await request.form()
        expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if not hmac.compare_digest(request.headers.get("authorization", ""), expected):
            decoded = base64.b64decode(request.headers.get("authorization", " ").partition(" ")[2])
            assert decoded, "no client authentication"
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self.codes.pop(str(form.get("code")), None)  # a code is good once
        verifier = str(form.get("code_verifier", ""))
        if asked is None or part(hashlib.sha256(verifier.encode()).digest()) != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if self.mode == "moves":
            return RedirectResponse(f"{self.issuer}/elsewhere", 307)
        if self.mode == "no token":
            return JSONResponse({"access_token": "x", "token_type": "Bearer"})
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])})

    def id_token(self, nonce: str) -> str:
        now = int(time.time()) + self.skew
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "u-1", "iat": now, "exp": now + 300, "nonce": nonce,
            "email": self.mail, "email_verified": True, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        key = self.keys[-1]
        algorithm = "RS256" if key.key_type == "RSA" else "ES256"
        header = {"alg": algorithm, "kid": key.kid, **self.header}
        match self.mode:
            case "unsigned":
                return f"{part({'alg': 'none'})}.{part(claims)}."
            case "unsigned by our name":
                return f"{part({**header, 'alg': 'none'})}.{part(claims)}."
            case "public key as secret":  # the public key is no secret: whoever signs with it must not be believed
                return by_secret({**header, "alg": "HS256"}, claims, pem(key))
            case "client secret as key":
                return by_secret({**header, "alg": "HS256"}, claims, SECRET.encode())
            case "another's key":
                stranger = made(str(key.kid), "a stranger")
                return jwt.encode(header, claims, stranger, algorithms=ALGORITHMS)
            case "brings its own key":
                stranger = made("mine", "a stranger")
                own = {**header, "kid": "mine", "jwk": stranger.as_dict(private=False)}
                return jwt.encode(own, claims, stranger, algorithms=ALGORITHMS)
            case "altered":
                head, body, seal = jwt.encode(header, claims, key, algorithms=ALGORITHMS).split(".")
                changed = json.loads(base64.urlsafe_b64decode(body + "==")) | {"email": self.mail + ".evil"}
                return f"{head}.{part(changed)}.{seal}"
            case _:
                return jwt.encode(header, claims, key, algorithms=ALGORITHMS)
