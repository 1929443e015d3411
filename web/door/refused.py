"""A refusal as a page of the product, for whoever reads it in a browser; programs keep the plain sentence.

Rule: the page says the sentence of the refusal and the ways on, and nothing of the address that was asked for, so that
what is not there and what may not be seen stay the same bytes.
"""

import msgspec
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response

from web.door.problem import at_json_door
from web.door.templates import Page

AGAIN = (429, 500, 503)  # what may go well when it is tried again


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Who reads a refusal: "" for what is not known of them."""

    name: str = ""  # of the person who is signed in
    csrf: str = ""  # the token of their forms
    organisation: str = ""  # its name as they know it


NOBODY = Reader()


class RefusedPage(Page, frozen=True, kw_only=True):
    """What was refused, in a sentence, and where to go on."""

    template = "refused.html"
    reader: Reader
    sentence: str
    more: str  # what follows the first sentence, "" for nothing
    again: bool  # the same address may be asked once more


def to_a_person(request: HTTPConnection, answer: Response) -> bool:
    """Tell whether an answer refuses something in plain words, and a browser will show it as a page."""
    plain = answer.status_code >= 400 and isinstance(answer, PlainTextResponse)
    asks_for_page = "text/html" in request.headers.get("accept", "") and "hx-request" not in request.headers
    return plain and asks_for_page and not at_json_door(request)


def refused_page(request: Request, answer: Response, reader: Reader) -> RefusedPage:
    """Return the page of a refusal in plain words, for whoever reads it."""
    sentence, more = _parted(bytes(answer.body).decode().strip())
    again = answer.status_code in AGAIN and request.method in ("GET", "HEAD")
    return RefusedPage(reader=reader, sentence=sentence, more=more, again=again)


def with_headers_of(answer: Response, shown: Response) -> Response:
    """Return the page with what else the plain answer told: when to try again, and what is allowed."""
    for name, value in answer.headers.items():
        if name not in ("content-type", "content-length", "cache-control"):
            shown.headers[name] = value
    return shown


def _parted(text: str) -> tuple[str, str]:
    """Return the first sentence of a text, and the rest."""
    first, stop, rest = text.partition(". ")
    return (f"{first}.", rest) if stop else (text, "")
