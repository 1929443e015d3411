"""Handing mails to a mail server (RFC 5321), and what its answer means.

Rule: a mail counts as accepted when the server said so, as refused when it said no to this recipient or this content
for good, and as put off when nothing was taken; where the answer was lost, nobody knows, and that is said.
"""

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from typing import Literal, NoReturn

import msgspec

from domain.language import gettext as _
from web.mail_server import Server

TIMEOUT = 15.0  # seconds for one answer


class Outcome(msgspec.Struct, frozen=True):
    """What became of one mail; unknown: the answer was lost after the content had been sent."""

    state: Literal["accepted", "refused", "deferred", "unknown"]
    told: str = ""  # the server's own words


class Away(Exception):  # a fact for whoever sends: nothing was handed over
    """The mail server cannot be talked to now."""


class Session:
    """A conversation with the server, for one mail after the other."""

    def __init__(self, talk: smtplib.SMTP) -> None:
        self._talk = talk
        self.broken = False

    def hand(self, sender: str, to: str, content: bytes) -> Outcome:
        """Hand over one mail; lines of `content` end with CRLF."""
        try:
            put_off = self._envelope(sender, to)
            if put_off is not None:
                self._talk.rset()
                return put_off
        except (smtplib.SMTPException, OSError) as error:
            return self._break("deferred", error)
        try:
            code, told = self._talk.data(content)
            if code // 100 not in (2, 4, 5):
                return self._break("unknown", smtplib.SMTPResponseException(code, told))
            return _answer(code, told)
        except smtplib.SMTPDataError as error:  # it did not even want to hear the content
            return _answer(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            return self._break("unknown", error)

    def _envelope(self, sender: str, to: str) -> Outcome | None:
        code, told = self._talk.mail(sender)
        if code != 250:  # it says no to us, which says nothing about this mail
            return Outcome("deferred", _words(code, told))
        code, told = self._talk.rcpt(to)
        return None if code // 100 == 2 else _answer(code, told)

    def _break(self, state: Literal["deferred", "unknown"], error: Exception) -> Outcome:
        self.broken = True
        return Outcome(state, _why(error))


@contextlib.contextmanager
def talking(to: Server, name: str) -> Iterator[Session]:
    """Hold a conversation; `name` is what we call ourselves.

    Raises: Away.
    """
    talk = _opened(to, name)
    try:
        yield Session(talk)
    finally:
        with contextlib.suppress(smtplib.SMTPException, OSError):
            talk.quit()
        talk.close()


def _opened(to: Server, name: str) -> smtplib.SMTP:
    talk: smtplib.SMTP | None = None
    try:
        if to.tls:
            secure = ssl.create_default_context()
            talk = smtplib.SMTP_SSL(to.host, to.port, name, timeout=TIMEOUT, context=secure)
        else:
            talk = smtplib.SMTP(to.host, to.port, name, timeout=TIMEOUT)
        _secure(talk, to)
    except (smtplib.SMTPException, OSError) as error:
        if talk is not None:
            talk.close()
        raise Away(_why(error)) from error
    return talk


def _secure(talk: smtplib.SMTP, to: Server) -> None:
    """Encrypt where the server offers it, always before a password; to this machine itself plain is enough."""
    talk.ehlo_or_helo_if_needed()
    if not to.tls and (to.user or not to.here):
        if talk.has_extn("starttls"):
            talk.starttls(context=ssl.create_default_context())
            talk.ehlo()
        elif to.user:
            _refuse(_("it offers no STARTTLS, and a password is not sent in the clear"))
    if to.user:
        talk.login(to.user, to.password)


def _refuse(why: str) -> NoReturn:
    raise smtplib.SMTPException(why)


def _answer(code: int, told: bytes | str) -> Outcome:
    kind: dict[int, Literal["accepted", "refused"]] = {2: "accepted", 5: "refused"}
    return Outcome(kind.get(code // 100, "deferred"), _words(code, told))


def _words(code: int, told: bytes | str) -> str:
    text = told.decode("utf-8", "replace") if isinstance(told, bytes) else told
    return _line(f"{code} {text}")


def _why(error: Exception) -> str:
    """Return the server's words where it said any, else what went wrong."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _words(error.smtp_code, error.smtp_error)
    return _line(str(error)) or type(error).__name__


def _line(text: str) -> str:
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:300]
