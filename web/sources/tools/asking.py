"""Asking a tool: one request and its answer as data, bounded, with a sentence for everything that can go wrong.

Rule: no answer is believed to be what was asked for. One is read up to so many bytes, has to be JSON of the shape that
its documentation gives, and whatever else comes is a `Trouble` that says what to do. The secret goes to the address
that was typed and nowhere else: a next page is asked only where it lies at the same place.
"""

import asyncio
import email.utils
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import msgspec

from domain import check
from domain.language import gettext as _
from web.outside.addresses import Forbidden
from web.outside.transport import TooLong
from web.sources.tools.tool import Attached, Tool, Trouble

MOST_VALUES = 2_000_000  # of one answer: three bytes there can be a hundred in memory
WHOLE = 8  # times as much as one answer may be, is what all answers of a pull may be
MOST_WAIT = 24 * 3600.0  # seconds that a tool may ask to wait
LITTLE_WAIT = 60.0  # seconds, where a tool asks to wait and does not say how long
SAID = 200  # characters of what a tool said that are told on

Json = Any
Params = Mapping[str, str]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool answered: `data` is None where nothing changed since the ETag that was sent."""

    data: Json
    headers: Mapping[str, str]
    at: datetime | None  # the instant of the tool's own clock, UTC

    @property
    def etag(self) -> str:
        return self.headers.get("etag", "")

    @property
    def next(self) -> str:
        """The address of the next page, as the header Link says (RFC 8288)."""
        for link in httpx2.Response(200, headers={"link": self.headers.get("link", "")}).links.values():
            if link.get("rel") == "next":
                return str(link.get("url", ""))
        return ""


class Asker:
    """Asks one tool, by one secret, during one pull.

    Raises: Trouble, before anything is asked, for a secret that no header can hold.
    """

    def __init__(self, tool: Tool, attached: Attached, client: httpx2.AsyncClient, headers: Mapping[str, str]) -> None:
        self.tool, self.attached = tool, attached
        self._client, self._headers = client, headers
        self._asked = self._read = self._values = 0
        bare = any(attached.secret in value for value in headers.values())  # and not packed, as for Basic
        if (bare and not _is_sent(attached.secret)) or not all(_is_sent(value) for value in headers.values()):
            raise self.unsendable()

    async def get(self, path: str, params: Params | None = None, *, etag: str = "", optional: bool = False) -> Answer:
        """Ask for a path below the tool's address, or for a whole address of it.

        `optional`: what this account may not see, or the tool does not have, is no data, and no trouble.

        Raises: Trouble.
        """
        address = self._within(path)
        self._asked += 1
        if self._asked > self.attached.most.pages:
            raise self.endless()
        headers = {"accept": "application/json", "user-agent": "fanlight", **self._headers}
        if etag and _is_sent(etag):
            headers["if-none-match"] = etag
        with _told(self):
            async with self._client.stream("GET", address, params=params, headers=headers) as response:
                body = await self._body(response)
        if response.status_code == 304 and etag:
            return Answer(data=None, headers=response.headers, at=_date(response))
        if response.status_code != 200:
            refused = self._refused(response, body)
            if optional and response.status_code in (403, 404, 410) and refused.retry_after is None:
                return Answer(data=None, headers=response.headers, at=_date(response))
            raise refused
        return Answer(data=self._json(response, body), headers=response.headers, at=_date(response))

    def _within(self, path: str) -> str:
        """Return the whole address of a path, and an address where it is the tool's.

        Raises: Trouble, so that a secret is never sent elsewhere.
        """
        if path.startswith("/"):
            return self.attached.address + path
        try:
            here, there = urlsplit(self.attached.address), urlsplit(path)
        except ValueError:
            raise self.unlike() from None
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            told = _(
                "{tool} names a next page at another address, which is not asked. Check the address.",
                **self.named,
            )
            raise Trouble(told, for_good=True)
        return path

    async def _body(self, response: httpx2.Response) -> bytes:
        received, most = bytearray(), self.attached.most.answer
        async for chunk in response.aiter_bytes():
            received += chunk
            if len(received) > most:
                raise TooLong(f"an answer is longer than {most} bytes")
        self._read += len(received)
        if self._read > WHOLE * most:
            raise self.endless()
        return bytes(received)

    @property
    def named(self) -> dict[str, str]:
        """How the tool and its address are called in a sentence."""
        return {"tool": self.tool.label, "host": urlsplit(self.attached.address).netloc}

    def _json(self, response: httpx2.Response, body: bytes) -> Json:
        kind = response.headers.get("content-type", "")
        if "html" in kind or body.lstrip()[:1] == b"<":
            raise Trouble(
                _(
                    "{tool} answered with a web page instead of data, as a sign-in page does. Check the address "
                    "{host}, and that the tool may be asked without signing in by a browser.",
                    **self.named,
                )
            )
        values = sum(map(body.count, (b",", b"[", b"{")))
        self._values += values
        if values > MOST_VALUES or self._values > WHOLE / 2 * MOST_VALUES:
            raise self.endless()
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Trouble(
                _(
                    "{tool} answered with something that is no data (JSON), or was cut off. It is asked again; if it "
                    "stays so, check the address {host}.",
                    **self.named,
                )
            ) from None

    def _refused(self, response: httpx2.Response, body: bytes) -> Trouble:
        """Return what an answer other than 200 means."""
        status, named = response.status_code, self.named
        said = _one_line(self._without_secret(_said(body)))
        if (wait := waiting(response, said)) is not None:
            told = _("{tool} asks to wait: it was asked too often, by this or by others of the same account.", **named)
            return Trouble(told, retry_after=wait)
        if 300 <= status < 400:
            told = _(
                "{tool} sends the request on to another address, which is not followed. Check the address {host} and "
                "the name of the project: it may have been moved or renamed.",
                **named,
            )
            return Trouble(told, for_good=True)
        if status == 401:
            return self.not_accepted()
        if status == 403:
            told = _(
                "{tool} does not let this {secret} read the plan. What it must allow: {scope}",
                **named,
                secret=_(self.tool.secret_label),
                scope=_(self.tool.scope),
            )
            return Trouble(told, for_good=True)
        if status in (404, 410):
            told = _(
                "{tool} knows nothing by this name ({status}), or does not show it to this {secret}. Check the name of "
                "the project in the source, and what the {secret} may see.",
                **named,
                status=status,
                secret=_(self.tool.secret_label),
            )
            return Trouble(told, for_good=True)
        if status >= 500:
            told = _("{tool} has trouble of its own ({status}). It is asked again.", **named, status=status)
            return Trouble(told, retry_after=_retry_after(response))
        told = _(
            "{tool} does not understand what is asked of it ({status}): {said}. Check the fields of the source.",
            **named,
            status=status,
            said=said or "–",
        )
        return Trouble(told, for_good=True)

    def not_accepted(self) -> Trouble:
        """Return that the secret is refused."""
        told = _(
            "{tool} does not accept the {secret}. It may have expired or been withdrawn: replace it.",
            **self.named,
            secret=_(self.tool.secret_label),
        )
        return Trouble(told, for_good=True)

    def _without_secret(self, text: str) -> str:
        """Return what a tool said with the secret left out: some repeat what they were sent."""
        sent = self._headers.get("authorization", "").rpartition(" ")[2]
        for secret in (self.attached.secret, self.attached.hook_secret, sent):
            text = text.replace(secret, "…") if secret else text
        return text

    def unsendable(self) -> Trouble:
        """Return that the secret has characters in it that no secret of a tool has; it is not repeated."""
        told = _(
            "The {secret} has a line break, a space at an end or a letter in it that cannot be sent to {tool}. Copy it "
            "there once more and replace it here.",
            **self.named,
            secret=_(self.tool.secret_label),
        )
        return Trouble(told, for_good=True)

    def unlike(self) -> Trouble:
        """Return that an answer has another shape than the documentation gives."""
        told = _(
            "{tool} answered with other data than a plan. Check the address {host}, and that it is that of {tool}.",
            **self.named,
        )
        return Trouble(told)

    def repeated(self) -> Trouble:
        """Return that a page came again."""
        told = _("{tool} gives the same page again instead of the next. It is asked again later.", **self.named)
        return Trouble(told)

    def endless(self) -> Trouble:
        """Return that there is no end of pages."""
        told = _("{tool} gives more than can be followed. Ask for less in the source.", **self.named)
        return Trouble(told, for_good=True)

    def another(self, was: str, found: str) -> Trouble:
        """Return that the tool answers with another project than it was asked for, or than before."""
        told = _(
            "{tool} answers with another project, “{found}” instead of “{was}”, so nothing was taken. If that is "
            "right, detach this source and attach the other project.",
            **self.named,
            was=was[:SAID],
            found=self._without_secret(found)[:SAID],
        )
        return Trouble(told, for_good=True)


class _told:  # noqa: N801  # used as a statement
    """Turns what a request raises into `Trouble`."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, Trouble | asyncio.CancelledError):
            return
        if (told := trouble(error, self._asker)) is not None:
            raise told from error


def trouble(error: BaseException, asker: Asker) -> Trouble | None:
    """Return what an exception of a request means, None for one that is none of a request."""
    named = asker.named
    match error:
        case Forbidden():
            return Trouble(str(error), for_good=True)
        case TooLong():
            told = _(
                "An answer of {tool} is longer than {most} MiB, the most that is read. Ask for less in the source, or "
                "have the setting pull_mb raised.",
                **named,
                most=asker.attached.most.answer >> 20,
            )
            return Trouble(told, for_good=True)
        case TimeoutError() | httpx2.TimeoutException():
            return Trouble(_("{tool} did not answer in time. It is asked again.", **named))
        case httpx2.ConnectError() if _of_certificate(error):
            told = _(
                "The certificate of {host} is not accepted: {error}. For an authority of your own see --outside-ca.",
                **named,
                error=_one_line(str(error)),
            )
            return Trouble(told)
        case httpx2.InvalidURL() | httpx2.UnsupportedProtocol() | httpx2.LocalProtocolError():
            return Trouble(_("The address {host} cannot be asked. Check it.", **named), for_good=True)
        case httpx2.HTTPError() | OSError():
            told = _(
                "{tool} cannot be reached at {host}: {error}. Check the address; it is asked again.",
                **named,
                error=_one_line(str(error)) or type(error).__name__,
            )
            return Trouble(told)
    return None


@asynccontextmanager
async def within(asker: Asker) -> AsyncIterator[None]:
    """Bound a whole pull in time.

    Raises: Trouble.
    """
    try:
        async with asyncio.timeout(asker.attached.most.seconds):
            yield
    except TimeoutError:
        told = _(
            "{tool} answers so slowly that the plan was not read within {most} seconds. It is asked again; if it stays "
            "so, ask for less in the source, or have the setting pull_seconds raised.",
            tool=asker.tool.label,
            most=int(asker.attached.most.seconds),
        )
        raise Trouble(told) from None


def waiting(response: httpx2.Response, said: str) -> float | None:
    """Return how many seconds a tool asks to wait, None where it does not.

    429 everywhere; GitHub says it by 403 too, with x-ratelimit-remaining 0 or with words about a rate limit; GitLab
    gives the end as RateLimit-Reset. Smartsheet gives code 4003 in the body of its 429.
    """
    limited = response.status_code == 429 or (
        response.status_code == 403
        and (
            response.headers.get("x-ratelimit-remaining") == "0"
            or "retry-after" in response.headers
            or "rate limit" in said.casefold()
        )
    )
    if not limited:
        return None
    for found in (_retry_after(response), _reset(response)):
        if found is not None:
            return found
    return LITTLE_WAIT


def _reset(response: httpx2.Response) -> float | None:
    """Return the seconds until a limit is lifted, given in seconds since 1970, by the tool's own clock."""
    for name in ("x-ratelimit-reset", "ratelimit-reset"):
        text = response.headers.get(name, "")
        if text.isdecimal() and len(text) < 12:
            return _bounded(float(text) - (_date(response) or datetime.now(UTC)).timestamp())
    return None


def _retry_after(response: httpx2.Response) -> float | None:
    """Return the seconds of the header Retry-After (RFC 9110 section 10.2.3), which may be a date."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal() and len(text) < 12:
        return _bounded(float(text))
    if (until := _instant(text)) is None:
        return None
    return _bounded((until - (_date(response) or datetime.now(UTC))).total_seconds())


def _bounded(seconds: float) -> float:
    return min(max(seconds, 1.0), MOST_WAIT)


def _date(response: httpx2.Response) -> datetime | None:
    return _instant(response.headers.get("date", ""))


def _instant(text: str) -> datetime | None:
    try:
        found = email.utils.parsedate_to_datetime(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _of_certificate(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _is_sent(value: str) -> bool:
    """Tell whether a header can hold a value as it is (RFC 9110 section 5.5): printable ASCII, no space at its ends."""
    return value.isascii() and value.isprintable() and value == value.strip()


def _said(body: bytes) -> str:
    """Return what a tool says is wrong, from where it says it: `message`, `errorMessages`, `errors` or `error`."""
    try:
        data = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    if not isinstance(data, dict):
        return ""
    for name in ("message", "errorMessages", "error_description", "error", "errors"):
        value = data.get(name)
        if isinstance(value, list):
            value = "; ".join(one for one in value if isinstance(one, str))
        if isinstance(value, str) and value:
            return value
    return ""


def _one_line(text: str) -> str:
    """Return a text as one line for a message, without what nobody sees."""
    return " ".join(check.without_refused(" ".join(text.split())).split())[:SAID].rstrip(".")
