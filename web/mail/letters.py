"""Mails as bytes (RFC 5322, MIME): a plain text and an HTML alternative, made of the same values.

Rule: the same mail has the same bytes whenever it is made. It fetches nothing and tells nobody that it was opened. No
name can add a header, and no text can add markup.
"""

import functools
from collections.abc import Iterator
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from typing import Any, ClassVar, Literal, TypedDict

import msgspec

from domain.language import gettext as _
from domain.language import speaking
from projections.wording import words
from web.door.templates import Page, environment
from web.mail.digest import Digest, Milestone

LONGEST = 998  # bytes of one line, RFC 5322 2.1.1
LOGO = "logo"  # the id of the logo within a mail, RFC 2392


class OneLine(BaseHeader):
    """A header that programs read: on one line, never in encoded words, which RFC 2047 section 5 forbids there."""

    max_count: ClassVar[Literal[1]] = 1
    parse = UnstructuredHeader.parse

    def fold(self, *, policy: Policy) -> str:
        """Return the header as one line.

        Raises: ValueError when it does not fit on one, or is not ASCII.
        """
        line = f"{self.name}: {self}"
        if not line.isascii() or len(line) > LONGEST:
            message = f"expected at most {LONGEST} ASCII characters, got {len(line)} in {self.name}"
            raise ValueError(message)
        return line + policy.linesep


_headers = HeaderRegistry()
for _name in ("message-id", "date", "auto-submitted", "list-unsubscribe", "list-unsubscribe-post"):
    _headers.map_to_type(_name, OneLine)
FOLDED = SMTP.clone(raise_on_defect=False, header_factory=_headers)


class MailWorn(msgspec.Struct, frozen=True, kw_only=True):
    """What mails wear: colours as #rrggbb, and a logo that travels in the mail, so that nothing is fetched."""

    link: str = "#234e9e"
    link_dark: str = "#9dbcff"
    button: str = "#191a1c"
    button_dark: str = "#eceae6"
    logo: bytes = b""  # a PNG, b"" for none
    width: int = 0  # of the logo, in pixels
    height: int = 0


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Sender, recipient, id of the mail, and when it was queued (UTC)."""

    sender: str
    sender_name: str
    to: str
    to_name: str
    mail: str
    at: datetime
    unsubscribe: str = ""  # address at which one POST stops these mails (RFC 8058)
    worn: MailWorn = MailWorn()


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses that a digest links to."""

    dashboard: str
    history: str
    settings: str
    stop: str


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an invitation says."""

    organisation: str
    client: str  # "" for the organisation's own people
    name: str
    link: str
    until: str
    role: str = ""  # of the organisation's own people, in words


class OwnLink(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a mail says with a link that was asked for on the sign-in page."""

    organisation: str
    name: str
    link: str
    until: str


class MailHtml(Page, frozen=True, kw_only=True):
    """What the HTML of every mail has."""

    worn: MailWorn
    organisation: str


class OwnChange(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a mail says of what somebody changed of their own."""

    organisation: str
    name: str
    subject: str
    lines: tuple[str, ...]
    link: str  # "" for none
    button: str
    last: str  # what to do if it was not they


class OfDevice(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a mail says of a device: that it stays signed in, or that a copy of what keeps it so was used."""

    organisation: str
    name: str
    device: str  # as its person knows it
    display: bool  # whether it is a wall display
    copied: bool
    at: str  # since when, or when it ended
    until: str  # the last day at most, "" where it ended
    page: str  # address of the person's own page


class DigestHtml(MailHtml, frozen=True, kw_only=True):
    """The HTML of a digest."""

    template = "mail/digest.html"
    digest: Digest
    links: Links


class InvitationHtml(MailHtml, frozen=True, kw_only=True):
    """The HTML of an invitation."""

    template = "mail/invitation.html"
    invitation: Invitation


class OwnLinkHtml(MailHtml, frozen=True, kw_only=True):
    """The HTML of a mail with a link that was asked for."""

    template = "mail/own_link.html"
    own: OwnLink


class OwnChangeHtml(MailHtml, frozen=True, kw_only=True):
    """The HTML of a mail about what somebody changed of their own."""

    template = "mail/own_change.html"
    told: OwnChange


class OfDeviceHtml(MailHtml, frozen=True, kw_only=True):
    """The HTML of a mail about a device."""

    template = "mail/device.html"
    own: OfDevice
    lines: tuple[str, ...]


def writable(address: str) -> bool:
    """Return whether a mail can be sent to an address; few servers take letters beyond ASCII."""
    try:
        return address.isascii() and bool(Address(addr_spec=address).domain)
    except Exception:  # noqa: BLE001  # the standard library's parser raises many kinds of errors for what is no address
        return False


def digest(envelope: Envelope, content: Digest, links: Links) -> bytes:
    """Return a digest as a mail, in its language."""
    with speaking(content.language):
        return _of_digest(envelope, content, links)


def _of_digest(envelope: Envelope, content: Digest, links: Links) -> bytes:
    subject = f"{content.project}: {content.sentence}"
    return message(
        envelope,
        subject,
        "\n".join(_digest(content, links)),
        DigestHtml(digest=content, links=links, **dress(envelope, content.organisation)),
    )


def invitation(envelope: Envelope, content: Invitation) -> bytes:
    """Return an invitation as a mail."""
    subject = (
        _(
            "{organisation} invites you to follow its work for {client}",
            organisation=content.organisation,
            client=content.client,
        )
        if content.client
        else _("{organisation} invites you as {role}", organisation=content.organisation, role=content.role)
    )
    return message(
        envelope,
        subject,
        "\n".join(_invitation(content)),
        InvitationHtml(invitation=content, **dress(envelope, content.organisation)),
    )


def own_link(envelope: Envelope, content: OwnLink) -> bytes:
    """Return a mail with a link that was asked for."""
    subject = _("Your link to sign in at {organisation}", organisation=content.organisation)
    page = OwnLinkHtml(own=content, **dress(envelope, content.organisation))
    return message(envelope, subject, "\n".join(_own_link(content)), page)


class Dress(TypedDict):
    """The fields of a `MailHtml`."""

    worn: MailWorn
    organisation: str


def dress(envelope: Envelope, organisation: str) -> Dress:
    """Return what the HTML of every mail of an organisation has."""
    return {"worn": envelope.worn, "organisation": organisation}


def own_change(envelope: Envelope, content: OwnChange) -> bytes:
    """Return a mail about what somebody changed of their own."""
    link = (f"{content.button}:", content.link, "") if content.link else ()
    lines = (f"{content.name},", "", *content.lines, "", *link, content.last)
    page = OwnChangeHtml(told=content, **dress(envelope, content.organisation))
    return message(envelope, content.subject, "\n".join(lines), page)


def of_device(envelope: Envelope, content: OfDevice) -> bytes:
    """Return a mail about a device."""
    name, device = content.organisation, content.device
    if content.copied:
        subject = _("{device} was signed out at {organisation}: a copy was used", device=device, organisation=name)
    elif content.display:
        subject = _("A wall display was put up in your name at {organisation}", organisation=name)
    else:
        subject = _("{device} stays signed in at {organisation}", device=device, organisation=name)
    lines = tuple(_of_device(content))
    text = "\n".join((f"{content.name},", "", *lines, "", content.page))
    page = OfDeviceHtml(own=content, lines=lines, **dress(envelope, content.organisation))
    return message(envelope, subject, text, page)


def _of_device(content: OfDevice) -> Iterator[str]:
    """Yield the sentences of a mail about a device."""
    device, at, until = content.device, content.at, content.until
    if content.copied:
        yield _(
            "On {at} somebody used a copy of what keeps {device} signed in. It was signed out, and so was the copy.",
            at=at,
            device=device,
        )
        yield _(
            "Sign in again, and look at your other devices. If you cannot explain it, tell {organisation}.",
            organisation=content.organisation,
        )
        return
    if content.display:
        yield _(
            "Since {at} the wall display {device} shows a share in your name, until {until} at the latest.",
            at=at,
            device=device,
            until=until,
        )
    else:
        yield _(
            "You stay signed in on {device} since {at}, until {until} at the latest.", at=at, device=device, until=until
        )
    yield _("Was it not you? Sign in, and end it on your own page:")


def message(envelope: Envelope, subject: str, text: str, page: Page) -> bytes:
    """Return a mail with a text and the HTML of a page."""
    mail = EmailMessage(policy=FOLDED)
    mail["From"] = Address(_header(envelope.sender_name), addr_spec=envelope.sender)
    mail["To"] = Address(_header(envelope.to_name), addr_spec=envelope.to)
    mail["Subject"] = _header(subject)
    mail["Date"] = format_datetime(envelope.at)
    mail["Message-ID"] = f"<{envelope.mail}@{envelope.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if envelope.unsubscribe:
        mail["List-Unsubscribe"] = f"<{envelope.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    html = _environment().get_template(page.template).render(**page.names())
    mail.set_content(words.plain(text) + "\n", cte="quoted-printable")
    mail.add_alternative(html + "\n", subtype="html", cte="quoted-printable")
    if envelope.worn.logo:
        _, shown = mail.iter_parts()
        shown.add_related(envelope.worn.logo, "image", "png", cid=f"<{LOGO}>", disposition="inline")
        shown.set_boundary(f"fanlight-{envelope.mail}-logo")
    mail.set_boundary(f"fanlight-{envelope.mail}")
    return mail.as_bytes()


def _header(text: str) -> str:
    """Return a text as one line, without characters that could end a header."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


@functools.cache
def _environment() -> Any:
    return environment(_plain)


def _plain(value: Any) -> Any:
    return words.plain(value) if type(value) is str else value


def _digest(content: Digest, links: Links) -> Iterator[str]:
    """Yield the lines of a digest's plain text."""
    yield _("{organisation} for {client}", organisation=content.organisation, client=content.client)
    yield from ("", content.project, content.sentence, *([content.ask] if content.ask else []), "")
    yield from _vitals(content)
    yield from _changes(content)
    yield from _milestones(content)
    yield from _risks(content)
    yield from (content.scope, "")
    yield _("The live dashboard: {dashboard}", dashboard=links.dashboard)
    yield _("Your history: {history}", history=links.history)
    yield ""
    yield _("Update {n}, recorded {recorded}, {root}", n=content.n, recorded=content.recorded, root=content.root)
    yield _("Nobody is told whether you open this email, and it does not count as displayed.")
    yield _("How often you get it: {settings}", settings=links.settings)
    yield _("No more of these emails: {stop}", stop=links.stop)


def _vitals(content: Digest) -> Iterator[str]:
    if content.vitals:
        yield from _title(_("How it stands"))
        for vital in content.vitals:
            yield f"{vital.name}: {_joined(', ', vital.status, vital.figure, vital.beside)}"
        yield ""


def _changes(content: Digest) -> Iterator[str]:
    yield from _title(_("What changed: {updates}", updates=content.updates))
    for change in content.changes:
        moved = _joined(" → ", change.before, change.after)
        yield f"* {change.title}: {_joined(' ', moved, f'({change.note})' if change.note else '', change.steps)}"
        yield from ([f"  {_flat(change.why)}"] if change.why else [])
    yield _("Every single change is in your history.")
    yield from ([content.left, ""] if content.left else [""])


def _milestones(content: Digest) -> Iterator[str]:
    if content.milestones:
        yield from _title(_("Milestones"))
        for milestone in content.milestones:
            dates = _dates(milestone)
            yield f"{milestone.title}: {dates}" if dates else milestone.title
        yield ""


def _dates(milestone: Milestone) -> str:
    agreed = _("agreed {agreed}", agreed=milestone.agreed) if milestone.agreed else ""
    forecast = ""
    if milestone.forecast:
        forecast = (
            _("met {day}", day=milestone.forecast) if milestone.met else _("forecast {day}", day=milestone.forecast)
        )
    return _joined(", ", agreed, forecast, milestone.slip, milestone.status)


def _risks(content: Digest) -> Iterator[str]:
    if content.risks:
        yield from _title(_("Shared risks"))
        for risk in content.risks:
            yield f"{risk.ref} {risk.title}{f': {risk.score}' if risk.score else ''}"
        yield ""


def _joined(separator: str, *parts: str) -> str:
    """Return the parts that are not empty, with a separator between them."""
    return separator.join(part for part in parts if part)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _title(text: str) -> tuple[str, str]:
    return text, "-" * len(text)


def _invitation(content: Invitation) -> Iterator[str]:
    """Yield the lines of an invitation's plain text."""
    yield from (f"{content.name},", "")
    if content.client:
        yield _(
            "{organisation} shows {client} how its work stands, live, and has opened this for you.",
            organisation=content.organisation,
            client=content.client,
        )
    else:
        yield _(
            "{organisation} shows its clients how its work stands, live. You sign in as {role}.",
            organisation=content.organisation,
            role=content.role,
        )
    yield from ("", _("Sign in with your link:"), content.link, "")
    yield _(
        "It is yours alone and good once, until {until}. Opening the page does not use it; the button there does.",
        until=content.until,
    )
    if content.client:
        yield _(
            "What is displayed on your screen, and when, is recorded for {organisation} and for you.",
            organisation=content.organisation,
        )


def _own_link(content: OwnLink) -> Iterator[str]:
    """Yield the lines of the plain text of a link that was asked for."""
    yield from (f"{content.name},", "")
    yield _("This is the link to sign in that was asked for at {organisation}:", organisation=content.organisation)
    yield from (content.link, "")
    yield _(
        "It is yours alone and good once, until {until}. Opening the page does not use it; the button there does.",
        until=content.until,
    )
    yield _("If it was not you who asked, do nothing: nobody signs in without this email.")
