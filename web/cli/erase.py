"""`fanlight erase`: destroys a person's data or the content of updates for ever."""

import logging
import re
import sys
from collections.abc import Callable, Mapping, Sequence

from domain.errors import Invalid, Refused, Unknown
from domain.ids import CommandId, PersonId, ShareId
from domain.language import gettext as _
from domain.language import ngettext
from domain.people.naming import names_somebody
from domain.people.person import ErasePerson
from projections.events.present import CurrentWorld
from projections.evidence.erasing import Erasure, erase_entries
from projections.evidence.names_due import NamesErased
from projections.installation.folder import Logs
from projections.proof import notes
from projections.proof.notes import BadNote
from web import clock
from web.cli.arguments import Arguments, Commands, settings_of
from web.ids import new_id
from web.process import open_logs, signing
from web.settings import BadSetting, Settings, add_flags
from web.write.erasure import PersonErasure
from web.write.permission import OPERATOR
from web.write.service import Service

log = logging.getLogger("fanlight")
INCOMPLETE = 1  # exit code: erased, and something that goes with it is not done or not known
TOLD = (Refused, BadSetting, BadNote, BrokenPipeError)  # web/cli/main.py says what there is to say of them


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

    Return the exit code. Raises: Refused.
    """
    return _carried_out(settings, lambda folder: _person(folder, settings, email, reason))


def updates(settings: Settings, share: str, numbers: str, reason: str) -> int:
    """Erase the content of updates of a share, such as "3 7-9"; return the exit code.

    Raises: Refused.
    """
    wanted = _numbers(numbers)
    asked = Erasure(share=share, numbers=wanted, reason=reason, who=OPERATOR.person)
    return _carried_out(settings, lambda folder: _updates(folder, settings, asked))


def _carried_out(settings: Settings, erase: Callable[[Logs], int]) -> int:
    """Erase something in the logs, and return the exit code; what breaks it off is said, and how far it came.

    Raises: Refused where nothing was erased.
    """
    folder = open_logs.logs(settings)
    try:
        return erase(folder)
    except TOLD:
        raise
    except Exception as error:
        if not isinstance(error, folder.away):
            log.exception("the erasure broke off")
        message = _(
            "It broke off ({error}), so it is not known whether it is erased. Give the command again: what is erased "
            "stays so, and whoever is erased is not known any more.",
            error=error,
        )
        print(message, file=sys.stderr)
        return INCOMPLETE
    finally:
        folder.close()


def _person(folder: Logs, settings: Settings, email: str, reason: str) -> int:
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
    for count, person_id in enumerate(same_address):
        try:
            command = ErasePerson(person=person_id, reason=reason)
            service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))
        except Exception:
            if count:
                told = _("{count} of the {of} people with this address are erased.", count=count, of=len(same_address))
                print(told, file=sys.stderr)
            raise
    return _said(folder, present, erasure, same_address)


def _updates(folder: Logs, settings: Settings, asked: Erasure) -> int:
    people = CurrentWorld(folder.events).world.people.values()
    if any(names_somebody(asked.reason, person.names, person.addresses) for person in people):
        raise Invalid(_("The reason names somebody, and it is kept for ever. Say why without names."), "reason")
    erase_entries(folder, signing.notary(folder, settings, clock.now), asked, clock.now())
    message = _(
        "Erased {wanted} of share {share}. Their places, times and hashes stay, and every proof still holds.",
        wanted=len(asked.numbers),
        share=asked.share,
    )
    print(message, flush=True)  # before anybody is waited for: whatever fails from here on, it is erased
    return _memory_said([_asked(folder)])


def _asked(folder: Logs) -> int | None:
    """Have every process let go of what is erased; return how many did not, None where they could not be asked."""
    try:
        return len(folder.processes.everybody_lets_go())
    except Exception as error:
        log.exception("the processes could not be asked", exc_info=not isinstance(error, folder.away))
        return None


def _said(folder: Logs, present: CurrentWorld, erasure: PersonErasure, people: Sequence[PersonId]) -> int:
    """Say of people who are erased what is done, and what is not; return the exit code."""
    print(_("Erased. What their browsers reported stays, under an id that leads to nobody."), flush=True)
    outcomes = [erasure.outcome(person_id) for person_id in people]
    folder.snapshots.clear()
    try:
        done = erasure.finish(people)
    except Exception as error:  # noqa: BLE001  # said here
        message = _(
            "The updates that name them could not be erased yet ({error}). It is done by the process that leads, or "
            "when one starts.",
            error=error,
        )
        print(message, file=sys.stderr)
        return max(INCOMPLETE, _memory_said([outcome.silent for outcome in outcomes]))
    clients = {share.id: present.world.client_name(share.client) for share in present.world.shares.values()}
    _print_updates(done, clients)
    return _memory_said([outcome.silent for outcome in outcomes])


def _memory_said(silent: Sequence[int | None]) -> int:
    """Say what processes that serve may still have in memory of what was erased, if any may; return the exit code.

    `silent`: of each erasure how many did not confirm that they dropped it, None where they could not be asked.
    """
    if None in silent:
        message = _(
            "The processes that serve could not be asked to drop what they have in memory. Restart each of them, or "
            "end it."
        )
    elif many := sum(filter(None, silent)):
        message = ngettext(
            "A process that serves did not confirm that it dropped what it had in memory. End it, if it still runs.",
            "{many} processes that serve did not confirm that they dropped what they had in memory. End them, if they "
            "still run.",
            many,
            many=many,
        )
    else:
        return 0
    print(message, file=sys.stderr)
    return INCOMPLETE


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
