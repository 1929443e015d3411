"""How mails were delivered, in words for pages."""

from domain.agreement.share import Share
from domain.ids import ClientId
from domain.language import gettext as _
from domain.people.mails import Mail
from domain.people.person import Person
from projections.wording import words
from web.mail.digest import covered


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
    """Return the name of a mail: "Invitation", or "Digest of update 412"."""
    return (
        _("Invitation") if mail.kind == "invitation" else _("Digest of {covered}", covered=covered(mail.first, mail.to))
    )


def lines(person: Person, share: Share, zone: str) -> list[str]:
    """Return how the latest invitation and the latest digest of a share were delivered to somebody, newest first."""
    mails = [mail for mail in person.mails if mail.share == share.id or invites_for(person, mail, share.client)]
    latest = {mail.kind: mail for mail in mails}
    return [state(mail, zone) for mail in sorted(latest.values(), key=_at, reverse=True)]


def invites_for(person: Person, mail: Mail, client: ClientId) -> bool:
    """Tell whether a mail invited somebody for a client."""
    return mail.kind == "invitation" and (mail.client or next(iter(person.memberships), None)) == client


def _at(mail: Mail) -> str:
    return mail.at.isoformat()
