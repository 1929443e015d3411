"""Values that nobody's page would send, and what decides between several of them."""

from collections.abc import Sequence
from typing import Any, Protocol

from hypothesis import strategies as st

NUMBERS = (
    "0", "1", "-1", "3", "40", "12.5", "1250000", "1E+9999999", "-1E+9999999", "1E-9999999", "9E+999999999999999999", "NaN", "sNaN", "Infinity",
    "9" * 30, "9" * 5000, "-" + "9" * 5000, "0" * 40, "00000000000000001", "999999999999", "9223372036854775807", "9223372036854775808",
    "2147483648", "٣", "²", "1٣", "1,5", "1.250", "0x10", "1_000", "+1", "1e5", "- 1", "1 000", "−5",
)  # fmt: skip
DAYS = (
    "2027-06-01", "2027-06-01T09:00:00Z", "0001-01-01", "9999-12-31", "1949-12-31", "2150-01-01", "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z", "2027-06-01T09:00", "2027-06-01T09:00:00.123456789Z",
    "2027-02-30", "2027-W22-2", "20270601", "2027-06-01T24:00:00Z", "10000-01-01", "-0001-01-01", "2027-10-31T01:30:00", "12:00", "25:61",
)  # fmt: skip
TEXTS = (
    "", " ", "x", "Frost", "é", "ß" * 300, "\0", "a\0b", "\ud800", "\udfff", "\x1b[31m", "\u202e", "\u200b", "\ue000x\ue001", "\ufeff", "\r\n", "a\nb",
    "x" * 201, "x" * 4001, "x" * 30_000, "<script>", "'; DROP TABLE", "%00", "%", "%zz", "{x}", "%(x)s", "..", "../..", "/", "//evil.test", "\\", "|", "a|b|c",
    "||", "-", "-x", ".", "a.b.c", "null", "true", "[]", "{}", "[" * 20_000, '{"a":' * 20_000, "yes", "no", "all", "none", "new", "save", "day", "month",
    "band", "daily", "off", "name@x.test", "@", "a@b@c", "😀" * 60, "eyJhIjoxfQ", "eyJ", "=", "YQ==", "cost", "price", "milestone-", "milestone-m1", "risk-",
    "agreement-9" + "9" * 30, "agreement-x", "u", "u" + "9" * 40, "u-1", "m1", "r1",
    "Europe/London", "../../etc/passwd", "Europe/\0", "/etc/passwd", "UTC+25", "GB-ENG", "GB-", "-GB", "XX", "1 2 3 4 5", "9 9", "1 -1 x",
    "2027-03-31 1,200,000\n2027-06-30 x", "2027-03-31 1E+9999999", "2027-13-31",
)  # fmt: skip
WORST_NUMBERS = "1E+9999999", "9" * 5000, "NaN", "999999999999"
WORST_DAYS = "9999-12-31", "0001-01-01", "9999-12-31T23:59:59Z"
WORST_TEXTS = "\0", "x" * 30_000, "\ud800", "é"
NUMERIC, DATED = ("whole", "amount", "money", "points"), ("day", "until", "days")  # kinds of fields


class Choice(Protocol):
    """What decides wherever a request could be made in several ways."""

    def one(self, of: Sequence[Any]) -> Any:
        """Return one of some values."""

    def text(self) -> str:
        """Return any text."""

    def unique(self) -> str:
        """Return what was not returned before."""

    def upto(self, most: int) -> int:
        """Return a whole number from 0 to `most`."""


class Drawn:
    """Hypothesis decides."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def one(self, of: Sequence[Any]) -> Any:
        return self._draw(st.sampled_from(of))

    def text(self) -> str:
        return self._draw(st.text(max_size=12))

    def unique(self) -> str:
        return self._draw(st.uuids()).hex

    def upto(self, most: int) -> int:
        return self._draw(st.integers(0, most))


class Plainly:
    """The first way that there is, with everything that may be left out."""

    def __init__(self) -> None:
        self._made = 0

    def one(self, of: Sequence[Any]) -> Any:
        return of[0]

    def text(self) -> str:
        return "x"

    def unique(self) -> str:
        self._made += 1
        return f"plainly{self._made}"

    def upto(self, most: int) -> int:
        return min(1, most)


def worst(kind: str = "") -> tuple[str, ...]:
    """The values that a field of a kind is most likely to trip over."""
    if kind in NUMERIC:
        return WORST_NUMBERS
    return WORST_DAYS if kind in DATED else WORST_TEXTS


def odd(choice: Choice, kind: str = "") -> str:
    """A value that does not fit."""
    how = choice.upto(9)
    if how < 5:
        return choice.one(worst(kind))
    if how < 7:
        return choice.one(NUMBERS if kind in NUMERIC else DAYS if kind in DATED else TEXTS)
    return choice.text() if how == 9 else choice.one((*TEXTS, *NUMBERS, *DAYS))


HEADERS = (
    "expected-version", "idempotency-key", "origin", "x-fanlight-form", "hx-request", "accept", "accept-language", "if-none-match", "range",
    "if-modified-since", "referer", "user-agent", "x-forwarded-for", "x-forwarded-proto", "forwarded", "cookie", "content-type", "host", "last-event-id",
    "authorization", "hx-target", "hx-current-url", "content-encoding", "x-request-id", "upgrade",
)  # fmt: skip
HEADER_VALUES = (
    "", "x", "1", "-1", "true", "é", "\xe9", "bytes=0-", "bytes=-1,5-2", "*/*", "text/html;q=x", "application/json", "multipart/form-data",
    "multipart/form-data; boundary=", "application/x-www-form-urlencoded; charset=nonsense", "application/x-www-form-urlencoded", "http://testserver",
    "https://evil.test", "Bearer ", "Bearer x", "Bearer \xe9", "Basic Og==", "=;=;", "fanlight=; fanlight=x", 'fanlight="\\351"', 'W/"x"', "[::1", "*",
    "null", "9" * 5000, "999999999999", "٣", "²", "1_0", " 1", "1 ", "testserver", "[", "x" * 3000, "gzip", "websocket", "a b", "\t",
)  # fmt: skip

MULTIPART = b"--b\r\ncontent-disposition: form-data; %s\r\n\r\n%s\r\n--b--\r\n"
PARTS = (
    b'name="file"; filename="plan.csv"', b'name="plan"; filename="plan.csv"', b'name="plan"; filename="\xe2\x80\xaex.csv"', b'name="plan"; filename="x.xml"', b'name="file"; filename=""', b'name="file"; filename="\xe2\x80\xae\x1bx.csv"', b'name="file"; filename="../../x.xml"',
    b'name="file"; filename="x.zip"', b'name="file"; filename="' + b"x" * 3000 + b'.csv"', b'name="file"', b"", b'name=""', b'name="\xff"; filename="\xff"',
    b'name="command_id"; filename="x"', b'name="csrf"; filename="x"', b'name="line"; filename="x"', b'name="reason"; filename="x"',
)  # fmt: skip
FILES = (
    b"", b"id,title,finish\nA1,Foundations,2027-05-10\n", b"id,title,finish\nA1,F,1E+9999999\n", b"\0", b"\xff\xfe", b"\xff" * 100, b"PK\x03\x04", b"PK\x03\x04" + b"x" * 200,
    b"<?xml version='1.0'?><Project xmlns='http://schemas.microsoft.com/project'/>", b"<" * 5000, b"<a>" * 5000, b'{"n":1,"a":' + b"[" * 60_000,
    b'{"n":1e999}', b'{"n":-1}', b'{"n":' + b"9" * 6000 + b"}", b'{"n":1,"share":"\\ud800"}', b"<title>Update 999999999, recorded 2027-03-01T09:00:00Z</title>",
    b"<title>Update 1, recorded 2027-03-01T09:00:00Z</title>", b"fanlight/x\n\n\xe2\x80\x94 fanlight/x AAAA\n", b"x\n\n\xe2\x80\x94 \n", b"fanlight/x/events\n" + b"9" * 6000 + b"\nx\n\n\xe2\x80\x94 a b\n",
    b'"' * 3000, b"a;b;c\n" * 50, b"id,title,finish\n" + b"\n" * 2000, b"=cmd,title,finish\n1,2,3\n",
)  # fmt: skip
JSON_BODIES = (
    b"", b"null", b"[]", b"{}", b'"x"', b"1", b"{", b'{"type":1}', b'{"type":"nothing"}', b'{"type":"x\xff"}', b"\xff\xfe\0", b'{"a":' * 50_000, b"[" * 50_000,
    b'{"type":"hold-project","project":"harbour","reason":"\xff"}', b'{"type":"hold-project","project":"harbour","reason":"\\ud800"}', b"1e99999", b"-",
    b'{"type":"hold-project","project":"harbour","reason":' + b"[" * 50_000, b'{"type":"hold-project","project":"harbour","reason":"a\\u0000b"}', b"9" * 6000,
)  # fmt: skip
ODD_JSON = (None, True, 1.5, -1, 10**400, [], {}, [[]], {"a": 1}, 2**63, 2**31, -(2**63) - 1, 0)
