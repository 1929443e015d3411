"""`fanlight erase` and `fanlight key`: what is destroyed for ever, and what signs."""

import re

from domain.errors import Invalid, Unknown
from domain.ids import CommandId
from domain.language import gettext as _
from domain.people.access import ErasePerson
from projections.events.present import CurrentWorld
from projections.evidence.erasing import Erasure, erase_entries
from web import clock
from web.ids import new_id
from web.process import open_logs, signing
from web.settings import Settings
from web.write.permission import OPERATOR
from web.write.service import Service


def person(settings: Settings, email: str, reason: str) -> int:
    """Erase a person: name, address, sign-ins and whatever else their stream holds.

    Raises: Refused.
    """
    folder = open_logs.logs(settings)
    try:
        present = CurrentWorld(folder.events)
        found = [p.id for p in present.world.people.values() if p.email.casefold() == email.casefold()]
        if not found:
            raise Unknown(
                _("Nobody with the address {email} is known. `fanlight user list` shows who is.", email=email), "email"
            )
        service = Service(folder.events, present, clock.now)
        for one in found:
            service.execute(OPERATOR, ErasePerson(person=one, reason=reason), command_id=CommandId(new_id(24)))
    finally:
        folder.close()
    print(_("Erased. What their pages claimed stays, under an id that leads to nobody."))
    return 0


def entries(settings: Settings, share: str, numbers: str, reason: str) -> int:
    """Erase the content of updates of a share, such as "3 7-9".

    Raises: Refused.
    """
    folder = open_logs.logs(settings)
    try:
        notary = signing.notary(folder, settings, clock.now)
        wanted = _numbers(numbers)
        asked = Erasure(share=share, numbers=wanted, reason=reason, who=OPERATOR.person)
        erase_entries(folder, notary, asked, clock.now())
    finally:
        folder.close()
    print(
        _(
            "Erased {wanted} of share {share}. Their places, times and hashes stay, and every proof still holds.",
            wanted=len(wanted),
            share=share,
        )
    )
    return 0


def _numbers(text: str) -> set[int]:
    found: set[int] = set()
    for span in text.replace(",", " ").split():
        match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", span)
        if match is None or int(match[2] or match[1]) - int(match[1]) > 1_000_000:
            raise Invalid(
                _("{span!r} is no number of an update. Expected something like 3 or 7-9.", span=span), "numbers"
            )
        found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return found


def show_key(settings: Settings) -> int:
    """Print the verification key."""
    folder = open_logs.logs(settings)
    try:
        print(signing.notary(folder, settings, clock.now).verification_key)
    finally:
        folder.close()
    return 0


def rotate_key(settings: Settings) -> int:
    """Sign with a new key from now on; the old one vouches for it. A server that runs goes on with the old one."""
    folder = open_logs.logs(settings)
    try:
        notary = signing.notary(folder, settings, clock.now)
        new = signing.renewed(notary.key)
        notary.rotate(new)
        signing.write(settings.key_file, new)
        print(notary.verification_key)
    finally:
        folder.close()
    print(_("Restart the server to sign with it. Who has the old key can still check everything."))
    return 0
