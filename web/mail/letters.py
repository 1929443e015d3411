"""Mails as bytes: one plain text and one HTML alternative made of the same facts, nothing fetched, nothing counted.

Rule: the same mail is the same bytes whenever it is made. No name can add a header, and no text can add markup.
"""

import functools
from collections.abc import Iterator
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

import msgspec

from domain.language import gettext as _
from projections.wording import words
from web.door.templates import environment
from web.mail.digest import Digest, Milestone

FOLDED = SMTP.clone(raise_on_defect=False)


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """From whom, to whom, which mail, and when it was queued (UTC)."""

    sender: str
    sender_name: str
    to: str
    to_name: str
    mail: str
    at: datetime
    unsubscribe: str = ""  # address that stops these mails with one POST (RFC 8058)


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Where a digest leads."""

    dashboard: str
    history: str
    settings: str
    stop: str


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """All that an invitation says."""

    organisation: str
    client: str
    name: str
    link: str
    until: str


def writable(address: str) -> bool:
    """Tell whether a mail can be addressed so; letters beyond ASCII need what few servers offer."""
    try:
        return address.isascii() and bool(Address(addr_spec=address).domain)
    except Exception:  # noqa: BLE001  # the parser of the standard library fails in many ways on what is no address
        return False


def digest(envelope: Envelope, told: Digest, links: Links) -> bytes:
    """Return a digest as a mail."""
    subject = f"{told.project}: {told.sentence}"
    return _message(envelope, subject, "\n".join(_digest(told, links)), "digest.html", d=told, to=links)


def invitation(envelope: Envelope, told: Invitation) -> bytes:
    """Return an invitation as a mail."""
    subject = _(
        "{organisation} invites you to follow its work for {client}", organisation=told.organisation, client=told.client
    )
    return _message(envelope, subject, "\n".join(_invitation(told)), "invitation.html", i=told)


def _message(envelope: Envelope, subject: str, text: str, template: str, **facts: Any) -> bytes:
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
    html = _environment().get_template(f"mail/{template}").render(**facts)
    mail.set_content(words.plain(text) + "\n", cte="quoted-printable")
    mail.add_alternative(html + "\n", subtype="html", cte="quoted-printable")
    mail.set_boundary(f"fanlight-{envelope.mail}")
    return mail.as_bytes()


def _header(text: str) -> str:
    """Return text as one line that holds nothing a header could end at."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


@functools.cache
def _environment() -> Any:
    return environment(_plain)


def _plain(value: Any) -> Any:
    return words.plain(value) if type(value) is str else value


def _digest(d: Digest, to: Links) -> Iterator[str]:
    yield from (
        _("{organisation} for {client}", organisation=d.organisation, client=d.client),
        "",
        d.project,
        d.sentence,
        *([d.ask] if d.ask else []),
        "",
    )
    if d.vitals:
        yield from _title(_("How it stands"))
        yield from (f"{v.name}: {', '.join(part for part in (v.status, v.figure, v.beside) if part)}" for v in d.vitals)
        yield ""
    yield from _title(_("What changed: {updates}", updates=d.updates))
    for c in d.changes:
        moved = " → ".join(part for part in (c.before, c.after) if part)
        yield f"* {c.title}: {' '.join(part for part in (moved, f'({c.note})' if c.note else '') if part)}"
        yield from ([f"  {_flat(c.why)}"] if c.why else [])
        yield _("  {when}, update {n}", when=c.when, n=c.n)
    yield from ([d.left, ""] if d.left else [""])
    if d.milestones:
        yield from _title(_("Milestones"))
        for m in d.milestones:
            told = _milestone(m)
            yield f"{m.title}: {told}" if told else m.title
        yield ""
    if d.risks:
        yield from _title(_("Shared risks"))
        yield from (f"{r.ref} {r.title}{f': {r.score}' if r.score else ''}" for r in d.risks)
        yield ""
    yield from (
        d.scope,
        "",
        _("The live dashboard: {dashboard}", dashboard=to.dashboard),
        _("Your history: {history}", history=to.history),
        "",
    )
    yield _("Update {n}, recorded {recorded}, {root}", n=d.n, recorded=d.recorded, root=d.root)
    yield _("Nobody is told whether you open this mail, and it does not count as displayed.")
    yield _("How often you get it: {settings}", settings=to.settings)
    yield _("No more of these mails: {stop}", stop=to.stop)


def _milestone(m: Milestone) -> str:
    agreed, shown = (
        _("agreed {agreed}", agreed=m.agreed) if m.agreed else "",
        f"{m.word} {m.forecast}" if m.forecast else "",
    )
    return ", ".join(part for part in (agreed, shown, m.slip, m.status) if part)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _title(text: str) -> tuple[str, str]:
    return text, "-" * len(text)


def _invitation(i: Invitation) -> Iterator[str]:
    yield from (f"{i.name},", "")
    yield _(
        "{organisation} shows {client} how its work stands, live, and has opened this for you.",
        organisation=i.organisation,
        client=i.client,
    )
    yield from ("", _("Sign in with your link:"), i.link, "")
    yield _(
        "It is yours alone and good once, until {until}. Opening the page does not use it; the button there does.",
        until=i.until,
    )
    yield _(
        "What is displayed on your screen, and when, is recorded for {organisation} and for you.",
        organisation=i.organisation,
    )
