"""Hands mails to a mail server (RFC 5321), and says what its answer means.

Rule: a mail is accepted when the server says so, refused when it permanently rejects the recipient or the content, and
deferred when it took nothing. Where the answer to the content was lost, the outcome is unknown.
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
    """How a mail was delivered. Unknown: the answer was lost after the content was sent."""

    state: Literal["accepted", "refused", "deferred", "unknown"]
    told: str = ""  # the server's own words


class Away(Exception):
    """The mail server cannot be reached or used now; nothing was handed over."""


class Session:
    """An SMTP session, for one mail after the other. `broken`: the connection was lost, and it takes no more mails."""

    def __init__(self, talk: smtplib.SMTP) -> None:
        self._talk = talk
        self.broken = False

    def hand(self, sender: str, to: str, content: bytes) -> Outcome:
        """Hand over one mail, and return how that went; lines of `content` end with CRLF."""
        try:
            put_off = self._envelope(sender, to)
            if put_off is not None:
                self._talk.rset()
                return put_off
        except (smtplib.SMTPException, OSError) as error:
            return self._break("deferred", error)
        try:
            code, reply = self._talk.data(content)
            if code // 100 not in (2, 4, 5):
                return self._break("unknown", smtplib.SMTPResponseException(code, reply))
            return _answer(code, reply)
        except smtplib.SMTPDataError as error:  # it refused before the content was sent
            return _answer(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            return self._break("unknown", error)

    def _envelope(self, sender: str, to: str) -> Outcome | None:
        """Send the envelope, and return the outcome where the server does not take it."""
        code, reply = self._talk.mail(sender)
        if code != 250:  # it refuses the sender, which says nothing about this mail
            return Outcome("deferred", _words(code, reply))
        code, reply = self._talk.rcpt(to)
        return None if code // 100 == 2 else _answer(code, reply)

    def _break(self, state: Literal["deferred", "unknown"], error: Exception) -> Outcome:
        self.broken = True
        return Outcome(state, _reason(error))


@contextlib.contextmanager
def talking(to: Server, name: str) -> Iterator[Session]:
    """Open a session with a server, and close it after; `name` is the host name we greet it by.

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
        raise Away(_reason(error)) from error
    return talk


def _secure(talk: smtplib.SMTP, to: Server) -> None:
    """Encrypt if the server offers it, always before a password is sent; to this machine plain text is enough."""
    talk.ehlo_or_helo_if_needed()
    if not to.tls and (to.user or not to.here):
        if talk.has_extn("starttls"):
            talk.starttls(context=ssl.create_default_context())
            talk.ehlo()
        elif to.user:
            _fail(_("it offers no STARTTLS, and a password is not sent in the clear"))
    if to.user:
        talk.login(to.user, to.password)


def _fail(reason: str) -> NoReturn:
    raise smtplib.SMTPException(reason)


def _answer(code: int, reply: bytes | str) -> Outcome:
    states: dict[int, Literal["accepted", "refused"]] = {2: "accepted", 5: "refused"}
    return Outcome(states.get(code // 100, "deferred"), _words(code, reply))


def _words(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return _one_line(f"{code} {text}")


def _reason(error: Exception) -> str:
    """Return the server's words where it sent any, else the error."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _words(error.smtp_code, error.smtp_error)
    return _one_line(str(error)) or type(error).__name__


def _one_line(text: str) -> str:
    """Return a text as one printable line of at most 300 characters."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:300]
