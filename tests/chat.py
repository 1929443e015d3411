"""Receivers on loopback that answer as Slack's incoming webhooks and Teams' Workflows are documented to, over TLS.

Slack: 200 "ok", 400 "invalid_payload" and "invalid_blocks", 404 "no_service", 410 "channel_is_archived", 429 with
Retry-After; 50 blocks, 150 characters of a header, 3,000 of a text. Teams: 202 without a body, 400 and 401 as JSON,
413 above 28 KB. Moods are set by a test.
"""

import contextlib
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SLACK_PATH = "/services/T0000SECRET/B0000SECRET/XXXXXXXXXXXXSECRET"
TEAMS_PATH = "/workflows/0123456789abcdefSECRET/triggers/manual/paths/invoke"
SIGNED = "api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=SECRETsecretSECRETsecret"
Answer = tuple[int, bytes, dict[str, str]]


def certified(folder: Path) -> Path:
    """Return a file with a certificate of localhost and its key; whoever trusts that file trusts the receivers."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    at = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.DNSName("hooks.example"), x509.IPAddress(ip_address("127.0.0.1"))]
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(at - timedelta(days=1)).not_valid_after(at + timedelta(days=1))
    signed = made.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "chat.pem"
    file.write_bytes(signed.public_bytes(pem) + secret)
    return file


class Receiver:
    """One receiver. `says` is an answer in place of the documented one; `drops` hangs up without any."""

    path = ""

    def __init__(self, certificate: Path) -> None:
        self.got: list[dict[str, Any]] = []
        self.asked: list[str] = []  # every path that was asked for
        self.says: Answer | None = None
        self.drops = False
        self.holds: threading.Event | None = None  # the answer is kept back until it is set
        self.has_one = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.take(self)

            def log_message(self, *_told: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}{self.path}"

    def take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"]))
        self.asked.append(request.path)
        status, text, headers = self.says or self.answer(request.path, body)
        if 200 <= status < 300 and status != 204:
            self.got.append(json.loads(body))
        self.has_one.set()
        if self.holds is not None:
            self.holds.wait(60)
        if self.drops:
            request.connection.close()
            return
        with contextlib.suppress(OSError):  # whoever asked was killed meanwhile
            request.send_response(status)
            for name, value in {"content-length": str(len(text)), **headers}.items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(text)

    def answer(self, path: str, body: bytes) -> Answer:
        raise NotImplementedError

    @property
    def texts(self) -> list[str]:
        """Everything each message says, as one text."""
        return ["\n".join(words(one)) for one in self.got]

    def start(self) -> "Receiver":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        if self.holds is not None:
            self.holds.set()
        self._server.shutdown()
        self._server.server_close()


class Slack(Receiver):
    """Slack's incoming webhooks."""

    path = SLACK_PATH

    def answer(self, path: str, body: bytes) -> Answer:
        if path != self.path:
            return 404, b"no_service", {}
        try:
            message = json.loads(body)
        except ValueError:
            return 400, b"invalid_payload", {}
        if not isinstance(message, dict) or not message.get("text"):
            return 400, b"no_text", {}
        blocks = message.get("blocks", [])
        return (
            (200, b"ok", {}) if len(blocks) <= 50 and all(map(_block_holds, blocks)) else (400, b"invalid_blocks", {})
        )


def _block_holds(block: dict[str, Any]) -> bool:
    match block:
        case {"type": "header", "text": {"type": "plain_text", "text": text}}:
            return 1 <= len(text) <= 150
        case {"type": "section", "text": {"type": "plain_text" | "mrkdwn", "text": text}}:
            return 1 <= len(text) <= 3000
        case {"type": "context", "elements": [*elements]}:
            return 1 <= len(elements) <= 10 and all(1 <= len(one["text"]) <= 3000 for one in elements)
        case _:
            return False


class Teams(Receiver):
    """A workflow of Teams that posts what it is sent to a channel."""

    path = f"{TEAMS_PATH}?{SIGNED}"

    def answer(self, path: str, body: bytes) -> Answer:
        json_kind = {"content-type": "application/json"}
        if path != self.path:
            return 401, b'{"error":{"code":"DirectApiAuthorizationRequired"}}', json_kind
        if len(body) > 28 * 1024:
            return 413, b'{"error":{"code":"RequestEntityTooLarge"}}', json_kind
        try:
            cards = [one for one in json.loads(body)["attachments"] if _card_holds(one)]
        except (ValueError, KeyError, TypeError):
            cards = []
        if len(cards) != 1:
            return 400, b'{"error":{"code":"TriggerInputSchemaMismatch"}}', json_kind
        return 202, b"", {}


def _card_holds(attachment: dict[str, Any]) -> bool:
    card = attachment["content"]
    kinds = {"TextBlock", "RichTextBlock"}
    return (
        attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        and card["type"] == "AdaptiveCard"
        and tuple(map(int, card["version"].split("."))) >= (1, 2)  # RichTextBlock came with it
        and all(part["type"] in kinds for part in card["body"])
        and all(action["type"] == "Action.OpenUrl" for action in card.get("actions", ()))
    )


def words(part: Any) -> Iterator[str]:
    """Every text in a message, addresses too."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for one in part.values():
            yield from words(one)
    elif isinstance(part, list):
        for one in part:
            yield from words(one)


@contextlib.contextmanager
def receiving(kind: Callable[[Path], Receiver], certificate: Path) -> Iterator[Any]:
    """Run a receiver."""
    made = kind(certificate).start()
    try:
        yield made
    finally:
        made.stop()
