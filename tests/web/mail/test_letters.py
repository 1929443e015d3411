"""The bytes of a mail, as a mailbox provider reads them: nothing is parsed here that could put a header right."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from domain.look.colour import accent_of
from domain.look.look import Look, Picture
from domain.people.brand import Brand
from web.mail.letters import Envelope, Invitation, MailWorn, invitation
from web.mail.worn import worn

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


def dressed(worn: MailWorn) -> EmailMessage:
    """Return an invitation that wears something, as a mail program reads it."""
    envelope = Envelope(
        sender="status@example.com", sender_name="Example Works", to="anna@acme.test", to_name="Anna", mail=MAIL,
        at=datetime(2027, 3, 1, tzinfo=UTC), worn=worn,
    )  # fmt: skip
    content = Invitation(organisation="Works & Sons", client="Acme", name="Anna", link="https://x/in/y", until="then")
    made = invitation(envelope, content)
    assert made == invitation(envelope, content)  # the same bytes whenever it is made
    read = message_from_bytes(made, policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def test_a_logo_travels_in_the_mail_and_nothing_is_fetched() -> None:
    read = dressed(MailWorn(link="#0a7957", logo=b"\x89PNG pixels", width=84, height=28))
    text, shown = read.iter_parts()
    html, picture = shown.iter_parts()
    assert (text.get_content_type(), shown.get_content_type()) == ("text/plain", "multipart/related")
    assert picture["Content-ID"] == "<logo>"
    assert (picture.get_content_type(), picture.get_content()) == ("image/png", b"\x89PNG pixels")
    markup = html.get_content()
    assert re.findall(r'src="([^"]*)"', markup) == ["cid:logo"]
    assert 'alt="Works &amp; Sons"' in markup
    assert "a{color:#0a7957}" in markup
    assert "url(" not in markup


def test_without_a_logo_there_is_no_picture() -> None:
    read = dressed(MailWorn())
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    assert "<img" not in read.as_string()


def test_mails_wear_a_small_png_alone() -> None:
    png, svg = (
        Picture(sha256=kind * 32, kind=kind2, width=240, height=80) for kind, kind2 in (("ab", "png"), ("cd", "svg"))
    )  # type: ignore[arg-type]
    kept = {png.sha256: b"small", svg.sha256: b"<svg/>"}
    accent = accent_of("accent", "#0a7d5a")
    told = worn(Brand(look=Look(accent=accent, logo=png)), kept.get)
    assert (told.logo, told.width, told.height, told.link) == (b"small", 84, 28, "#0a7957")
    assert worn(Brand(look=Look(logo=svg)), kept.get) == MailWorn()
    assert worn(Brand(look=Look(logo=png)), {png.sha256: b"x" * 70_000}.get) == MailWorn()
    assert worn(Brand(), kept.get) == MailWorn()
