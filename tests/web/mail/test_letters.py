"""The bytes of a mail, as a mailbox provider reads them: nothing is parsed here that could put a header right."""

import re
from datetime import UTC, datetime

import pytest

from web.mail.letters import Envelope, Invitation, invitation

ADDRESS = "https://status.example-works.example.com/mail/stop/h4rb0ura7k2q9mzp." + "0123456789abcdef" * 2 + "01234567"
MAIL = "3f9c1e7ab2d84c6f9e0a5b71d2c8e4f603a9b7c5d1e2f4a6"
LONG = "a.person.with.a.rather.long.address+projects@communications.department.example-works.example.com"


def raw(**more: str) -> list[bytes]:
    """Return the lines of a mail's header as they go over the wire."""
    given = {"sender": "status@example.com", "sender_name": "Example Works", "to": "anna@acme.test", "to_name": "Anna"}
    envelope = Envelope(**given | {"mail": MAIL, "unsubscribe": ADDRESS} | more, at=datetime(2027, 3, 1, tzinfo=UTC))
    content = Invitation(organisation="Example Works", client="Acme", name="Anna", link="https://x/in/y", until="then")
    return invitation(envelope, content).partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_the_address_that_stops_mails_is_one_line_of_plain_ascii_however_long_it_is() -> None:
    assert f"List-Unsubscribe: <{ADDRESS}>".encode() in raw()
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in raw()


@pytest.mark.parametrize("sender", ["status@example.com", f"status@{LONG.partition('@')[2]}"])
def test_what_programs_read_is_never_folded_nor_encoded(sender: str) -> None:
    lines = raw(sender=sender, sender_name="Büro für Außergewöhnliches " * 6, to=LONG, to_name="Jürgen " * 20)
    assert f"Message-ID: <{MAIL}@{sender.partition('@')[2]}>".encode() in lines
    for name in ("Message-ID", "Date", "Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post"):
        (at,) = [i for i, line in enumerate(lines) if line.startswith(f"{name}: ".encode())]
        assert b"=?" not in lines[at]
        assert not lines[at + 1][:1].isspace(), f"{name} goes on in a second line"
    unfolded = b"\r\n".join(lines).replace(b"\r\n ", b" ")
    assert re.search(rb"\r\nTo: .*<" + re.escape(LONG.encode()) + rb">", unfolded)  # the address itself is not encoded
    assert re.search(rb"From: .*<" + re.escape(sender.encode()) + rb">", unfolded)


def test_an_address_that_fits_on_no_line_is_refused_rather_than_sent_broken() -> None:
    with pytest.raises(ValueError, match="expected at most 998 ASCII characters"):
        raw(unsubscribe="https://status.example.com/" + "x" * 1000)
