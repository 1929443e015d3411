"""`fanlight erase`: destroys a person's data or the content of updates for ever."""

import re
import sys
from collections.abc import Mapping

from domain.errors import Invalid, Unknown
from domain.ids import CommandId, ShareId
from domain.language import gettext as _
from domain.language import ngettext
from domain.people.naming import names_somebody
from domain.people.person import ErasePerson
from projections.events.present import CurrentWorld
from projections.evidence.erasing import Erasure, erase_entries
from projections.evidence.names_due import NamesErased
from projections.proof import notes
from web import clock
from web.cli.arguments import Arguments, Commands, settings_of
from web.ids import new_id
from web.process import open_logs, signing
from web.settings import Settings, add_flags
from web.write.erasure import PersonErasure
from web.write.permission import OPERATOR
from web.write.service import Service


def add_parsers(commands: Commands) -> None:
    """Add the command with its two kinds."""
    erase = commands.add_parser("erase", help=_("destroy a person's data or the content of updates, for ever"))
    kinds = erase.add_subparsers(dest="action", required=True, metavar="WHAT")
    of_person = kinds.add_parser("person", help=_("name, address and sign-ins of a person"))
    of_person.add_argument("email")
    of_person.set_defaults(run=lambda given: person(settings_of(given), given["email"], given["reason"]))
    of_updates = kinds.add_parser("updates", help=_("content of updates of a share; their proofs stay"))
    of_updates.add_argument("share")
    of_updates.add_argument("numbers", help=_("such as 3 or 3-9,12"))
    of_updates.set_defaults(run=_erase_updates)
    for parser in (of_person, of_updates):
        parser.add_argument("--reason", required=True, help=_("kept for ever; must not name anybody"))
        add_flags(parser, ("data", "database_url", "signing_key"))


def _erase_updates(given: Arguments) -> int:
    return updates(settings_of(given), given["share"], given["numbers"], given["reason"])


def person(settings: Settings, email: str, reason: str) -> int:
    """Erase a person: name, address, sign-ins, the rest of their events, and the updates of format 1 that name them.

    Raises: Refused.
    """
    folder = open_logs.logs(settings)
    try:
        present = CurrentWorld(folder.events)
        people = present.world.people.values()
        sought = email.casefold()
        same_address = [known.id for known in people if sought in {one.casefold() for one in known.addresses}]
        if not same_address:
            raise Unknown(
                _("Nobody with the address {email} is known. `fanlight user list` shows who is.", email=email), "email"
            )
        service = Service(folder.events, present, clock.now)
        erasure = PersonErasure(folder, signing.notary(folder, settings, clock.now), present, clock.now)
        service.surround(erasure)
        for person_id in same_address:
            service.execute(OPERATOR, ErasePerson(person=person_id, reason=reason), command_id=CommandId(new_id(24)))
        done = erasure.finish(same_address)
        folder.snapshots.clear()
        silent = sum(erasure.silent(person_id) for person_id in same_address)
        clients = {share.id: present.world.client_name(share.client) for share in present.world.shares.values()}
    finally:
        folder.close()
    print(_("Erased. What their browsers reported stays, under an id that leads to nobody."))
    _print_updates(done, clients)
    _print_silent(silent)
    return 0


def _print_silent(silent: int) -> None:
    """Print that processes did not say that they dropped what was erased from memory, if there are any."""
    if silent:
        message = ngettext(
            "A process that serves did not confirm that it dropped what it had in memory. End it, if it still runs.",
            "{many} processes that serve did not confirm that they dropped what they had in memory. End them, if they "
            "still run.",
            silent,
            many=silent,
        )
        print(message, file=sys.stderr)


def _print_updates(done: NamesErased, clients: Mapping[ShareId, str]) -> None:
    """Print which updates were erased with a person, which follow, and what is not changed."""
    for share, numbers in done.erased.items():
        if numbers:
            message = _(
                "Updates {numbers} of share {share} ({client}) named them: their content is erased and cannot be shown "
                "or replayed again. Their numbers, times and hashes stay, and every proof still holds.",
                numbers=notes.spans(numbers),
                share=share,
                client=clients[ShareId(share)],
            )
            print(message)
    for share, numbers in done.waiting.items():
        message = _(
            "Update {numbers} of share {share} ({client}) is on screens until the server shows one without the name; "
            "its content is erased then, by the server.",
            numbers=notes.spans(numbers),
            share=share,
            client=clients[ShareId(share)],
        )
        print(message)
    print(_("What other people wrote about them in their own words is not changed."))


def updates(settings: Settings, share: str, numbers: str, reason: str) -> int:
    """Erase the content of updates of a share, such as "3 7-9".

    Raises: Refused.
    """
    folder = open_logs.logs(settings)
    try:
        people = CurrentWorld(folder.events).world.people.values()
        if any(names_somebody(reason, person.names, person.addresses) for person in people):
            raise Invalid(_("The reason names somebody, and it is kept for ever. Say why without names."), "reason")
        notary = signing.notary(folder, settings, clock.now)
        wanted = _numbers(numbers)
        asked = Erasure(share=share, numbers=wanted, reason=reason, who=OPERATOR.person)
        erase_entries(folder, notary, asked, clock.now())
        silent = len(folder.processes.everybody_lets_go())
    finally:
        folder.close()
    print(
        _(
            "Erased {wanted} of share {share}. Their places, times and hashes stay, and every proof still holds.",
            wanted=len(wanted),
            share=share,
        )
    )
    _print_silent(silent)
    return 0


def _numbers(text: str) -> set[int]:
    numbers: set[int] = set()
    for span in text.replace(",", " ").split():
        match = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", span)
        if match is None or int(match[2] or match[1]) - int(match[1]) > 1_000_000:
            raise Invalid(
                _("{span!r} is no number of an update. Expected something like 3 or 7-9.", span=span), "numbers"
            )
        numbers.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return numbers
