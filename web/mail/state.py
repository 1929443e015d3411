"""How mails were delivered, in words for pages."""

from domain.agreement.share import Share
from domain.ids import ClientId
from domain.language import gettext as _
from domain.people.mails import Mail
from domain.people.person import Person
from projections.wording import words
from web.mail.digest import covered

SHOWN = 3  # links that were asked for, on pages


def state(mail: Mail, zone: str, *, answer: bool = True) -> str:
    """Return how a mail was delivered, with times in `zone`; `answer`: with the mail server's own words."""
    server_words = f": {mail.told}" if answer and mail.told else ""
    queued, settled = words.moment_year(mail.at, zone), words.moment_year(mail.settled or mail.at, zone)
    what = called(mail)
    match mail.state:
        case "accepted":
            return _("{what} accepted by the mail server, {settled}", what=what, settled=settled)
        case "refused":
            return _(
                "{what} refused by the mail server, {settled}{told}", what=what, settled=settled, told=server_words
            )
        case "deferred":
            return _(
                "{what} put off by the mail server, {settled}{told}. It is tried again",
                what=what,
                settled=settled,
                told=server_words,
            )
        case "dropped":
            return _("{what} not sent, {settled}: there was no more reason to", what=what, settled=settled)
        case _:
            return _("{what} queued, {queued}. No answer is on record; it may have gone out", what=what, queued=queued)


def called(mail: Mail) -> str:
    """Return the name of a mail: "Invitation", "Link to sign in", or "Digest of update 412"."""
    match mail.kind:
        case "invitation":
            return _("Invitation")
        case "link":
            return _("Link to sign in")
        case "address":
            return _("Email about your address")
        case "passkey":
            return _("Email about a new passkey")
        case "notice":
            return _("Email about what waits for you")
        case "device":
            return _("Email about a device that stays signed in")
        case "copied":
            return _("Email about a device that was copied")
        case "digest":
            return _("Digest of {covered}", covered=covered(mail.first, mail.to))


def lines(person: Person, share: Share, zone: str) -> list[str]:
    """Return how the latest invitation and the latest digest of a share were delivered to somebody, newest first."""
    mails = [mail for mail in person.mails if mail.share == share.id or invites_for(person, mail, share.client)]
    latest = {mail.kind: mail for mail in mails}
    return [state(mail, zone) for mail in sorted(latest.values(), key=_at, reverse=True)]


def invites_for(person: Person, mail: Mail, client: ClientId) -> bool:
    """Tell whether a mail invited somebody for a client."""
    return mail.kind == "invitation" and (mail.client or next(iter(person.memberships), None)) == client


def asked_for(person: Person, clients: tuple[ClientId, ...] | None, zone: str, *, answer: bool = True) -> list[str]:
    """Return how the latest links that somebody asked for went out, newest first, with times in `zone`.

    `clients`: those that open nothing but some clients alone. Threat: whoever made a link to one client can come in by
    it, and must not learn of another.
    """
    links = [mail for mail in person.mails if mail.kind == "link"]
    if clients is not None:
        every = set(person.memberships) <= set(clients)
        links = [mail for mail in links if (every if mail.client is None else mail.client in clients)]
    return [state(mail, zone, answer=answer) for mail in sorted(links, key=_at, reverse=True)[:SHOWN]]


def _at(mail: Mail) -> str:
    return mail.at.isoformat()
