"""Mail of an installation from its settings, and what is said of mails on pages: each in its honest state."""

import hmac
from typing import TYPE_CHECKING

from domain.access import Person
from domain.ids import PersonId
from domain.mails import Mail
from projections import words
from web import smtp
from web.digest import covered
from web.post import Post
from web.writing import Mailing

if TYPE_CHECKING:
    from web.parts import Parts


def post(parts: "Parts") -> Post | None:
    """Return who sends the mails of a process, None where no mail server is set."""
    settings = parts.settings
    if not settings.smtp_url:
        return None
    mailing = Mailing(
        server=smtp.server(settings.smtp_url),
        sender=settings.mail_from,
        origin=settings.origin,
        hour=settings.digest_hour,
    )
    return Post(
        mailing,
        service=parts.service,
        present=parts.present,
        people=parts.people,
        disclosure=parts.folder.disclosure,
        clock=parts.now,
        stop_token=lambda person: stop_token(parts, person),
        leads=lambda: parts.leads,
        point=parts.point,
    )


def stop_token(parts: "Parts", person: PersonId) -> str:
    """Return what stops somebody's digests; it is made with a key of theirs, which nobody else has."""
    return f"{person}.{parts.folder.events.fingerprint(f'person-{person}', b'stop the digests')[:40]}"


def stopped_by(parts: "Parts", token: str) -> Person | None:
    """Return whose digests a token stops."""
    person = parts.present.world.people.get(PersonId(token.partition(".")[0]))
    if person is None or person.disabled or person.role != "viewer":
        return None
    return person if hmac.compare_digest(stop_token(parts, person.id).encode(), token.encode()) else None


def state(mail: Mail, zone: str, *, answer: bool = True) -> str:
    """Return how a mail stands, in the zone; `answer`: with the mail server's own words."""
    told = f": {mail.told}" if answer and mail.told else ""
    queued, settled = words.moment(mail.at, zone), words.moment(mail.settled or mail.at, zone)
    what = called(mail)
    match mail.state:
        case "accepted":
            return f"{what} accepted by the mail server, {settled}"
        case "refused":
            return f"{what} refused by the mail server, {settled}{told}"
        case "deferred":
            return f"{what} put off by the mail server, {settled}{told}. It is tried again"
        case "dropped":
            return f"{what} not sent, {settled}: there was no more reason to"
        case _:
            return f"{what} queued, {queued}. No answer is on record; it may have gone out"


def called(mail: Mail) -> str:
    """Return what a mail is called."""
    return "Invitation" if mail.kind == "invitation" else f"Digest of {covered(mail.first, mail.to)}"


def lines(person: Person, share: str, zone: str) -> list[str]:
    """Return how the latest invitation and the latest digest of a share to somebody stand, the newer one first."""
    of = [mail for mail in person.mails if mail.kind == "invitation" or mail.share == share]
    latest = {mail.kind: mail for mail in of}
    return [state(mail, zone) for mail in sorted(latest.values(), key=_at, reverse=True)]


def _at(mail: Mail) -> str:
    return mail.at.isoformat()
