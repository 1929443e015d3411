"""Answers on fewer bytes: gzip for whoever takes it, where nothing secret stands beside what a request said.

Rule: an answer is compressed only to a GET without a query string, of which nothing is repeated in it; the token of a
form is another text in every answer (docs/decisions/0022-what-is-compressed.md). What comes in pieces, or is small, is
left alone.
"""

import gzip
import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST = 1_400  # bytes: less fits into one packet as it is
LEVEL = 5
TEXT = ("text/html", "text/css", "text/javascript", "image/svg+xml", "text/plain")


def takes_gzip(header: str) -> bool:
    """Tell whether an Accept-Encoding header takes gzip (RFC 9110, 12.5.3): named, or by *, and not at weight 0."""
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        name, _semicolon, parameter = (piece.strip() for piece in part.partition(";"))
        weight = re.fullmatch(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", parameter.replace(" ", "")) if parameter else None
        weights[name] = 0.0 if parameter and weight is None else float(weight[1]) if weight else 1.0
    return weights.get("gzip", weights.get("*", 0.0)) > 0


class Squeeze:
    """Compresses whole answers that may be."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, and compress its answer where the request lets it."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
            await self.app(scope, receive, send)
            return
        accepted = next((v for k, v in scope["headers"] if k == b"accept-encoding"), b"").decode("latin-1")
        start: Message = {}

        async def squeezed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start:
                whole = message["type"] == "http.response.body" and not message.get("more_body")
                if whole and _may_be(start, message.get("body", b"")):
                    message = _smaller(start, message, takes=takes_gzip(accepted))
                first, start = start, {}
                await send(first)
            await send(message)

        await self.app(scope, receive, squeezed)


def _may_be(start: Message, body: bytes) -> bool:
    """Tell whether an answer may be compressed for whoever takes it."""
    headers = MutableHeaders(raw=start["headers"])
    return (
        start["status"] == 200
        and len(body) >= LEAST
        and headers.get("content-type", "").startswith(TEXT)
        and not {"content-encoding", "set-cookie", "etag", "content-disposition"} & set(headers.keys())
    )


def _smaller(start: Message, message: Message, *, takes: bool) -> Message:
    """Return the body compressed where that is taken, and say in the headers that it depends."""
    headers = MutableHeaders(raw=list(start["headers"]))
    headers.add_vary_header("Accept-Encoding")
    body = message.get("body", b"")
    if takes:
        body = gzip.compress(body, LEVEL, mtime=0)
        headers["content-encoding"] = "gzip"
        headers["content-length"] = str(len(body))
    start["headers"] = headers.raw
    return {**message, "body": body}
