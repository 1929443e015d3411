"""`fanlight restored`: continues a record after a backup was restored, without using a number of an update twice.

Rule: devices that stay signed in, and wall displays, end then: one that was ended after the backup, or whose copy was
found out, would be good again for weeks. Other sessions run out within hours, and open pages go on by them.
"""

from collections.abc import Mapping, Sequence

from domain.ids import CommandId, ShareId
from domain.language import gettext as _
from domain.people.devices import EndDevice
from projections.events.present import CurrentWorld
from projections.follow import restoring
from projections.installation import database
from projections.installation.database import Database, Unusable
from projections.installation.folder import Logs
from web import clock
from web.cli.arguments import Arguments, Commands, settings_of
from web.cli.serve import alone
from web.ids import new_id, random_salt
from web.process import open_logs
from web.render.page import Renderer
from web.settings import BadSetting, Settings, add_flags
from web.write.permission import OPERATOR
from web.write.service import Service


def add_parsers(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "restored", help=_("after a backup was restored: keep every number that was given before")
    )
    parser.add_argument("--shown", action="append", default=[], metavar="SHARE=N", help=_("highest number known"))
    parser.add_argument(
        "--margin", type=int, default=100, help=_("numbers to leave out beyond the highest known (100)")
    )
    parser.add_argument(
        "--nothing-lost", action="store_true", help=_("every update is there: a standby took over in sync")
    )
    parser.add_argument("--reason", required=True, help=_("what happened; kept for ever"))
    add_flags(parser, ("data", "database_url"))
    parser.set_defaults(run=run)


def run(given: Arguments) -> int:
    """Leave out the numbers that may have been used, record why, and let the database be served again.

    Raises: BadSetting.
    """
    settings, margin = settings_of(given), 0 if given["nothing_lost"] else given["margin"]
    if margin < 0:
        raise BadSetting(_("--margin is {margin}; expected 0 or more.", margin=margin))
    if not settings.database_url:
        return _folder(settings, given)
    shown = _shown(given["shown"])
    try:
        logs = Database(settings.database_url, anywhere=True)
    except Unusable as error:
        raise BadSetting(str(error)) from None
    try:
        sentences = [*_keep_numbers(logs, shown, margin), sign_out(logs)]
        restoring.state(logs, clock.now(), "operator", "; ".join([given["reason"], *sentences]))
    finally:
        logs.close()
    database.adopt(settings.database_url)
    print("\n".join([*sentences, _("It may be served again.")]))
    return 0


def _folder(settings: Settings, given: Arguments) -> int:
    """Sign devices out of a folder that was restored. No numbers are left out: it has no record of a loss."""
    if given["shown"]:
        raise BadSetting(_("Numbers of updates are left out in a database alone; give --database-url, or no --shown."))
    if not (settings.data / "events.db").exists():
        where = settings.data
        raise BadSetting(
            _("There is no record in {where}. Say what was restored: --data or --database-url.", where=where)
        )
    lock = alone(settings.data)
    try:
        logs = open_logs.logs(settings)
        try:
            sentence = sign_out(logs)
            restoring.state(logs, clock.now(), "operator", "; ".join([given["reason"], sentence]))
        finally:
            logs.close()
    finally:
        lock.close()
    print("\n".join([sentence, _("It may be served again.")]))
    return 0


def sign_out(logs: Logs) -> str:
    """End every device that stays signed in and every wall display; return how many that were, in words."""
    present = CurrentWorld(logs.events)
    service = Service(logs.events, present, clock.now)
    people = list(present.world.people.values())
    for person in people:
        for device in person.devices.kept:
            end = EndDevice(person=person.id, device=device, cause="restored")
            service.execute(OPERATOR, end, command_id=CommandId(new_id(24)))
    ended = sum(len(person.devices.kept) for person in people)
    return _("devices and wall displays signed out: {ended}", ended=ended)


def _keep_numbers(logs: Database, shown: Mapping[ShareId, int], margin: int) -> list[str]:
    """Leave out the numbers of every share up to `margin` beyond the highest known; return what was lost, in words."""
    world, renderer, sentences = CurrentWorld(logs.events).world, Renderer(), []
    if unknown := sorted(set(shown) - set(world.shares)):
        raise BadSetting(_("There is no share {unknown} in {where}.", unknown=unknown[0], where=logs.where))
    logs.disclosure.keep_stylesheet(renderer.stylesheet, renderer.css)
    for share in sorted(world.shares):
        head = logs.disclosure.head(share)
        upto = max(head, shown.get(share, 0)) + margin
        kept = restoring.keep_numbers(logs, share, upto, renderer, clock.now, random_salt)
        sentences.append(
            _("{share}: {head} to {upto} lost", share=share, head=head + 1, upto=upto)
            if kept
            else _("{share}: nothing lost after {head}", share=share, head=head)
        )
    return sentences


def _shown(options: Sequence[str]) -> dict[ShareId, int]:
    """Return the highest number somebody has seen of each share, from options such as "h4rb0ura7k2q=93"."""
    highest: dict[ShareId, int] = {}
    for option in options:
        share, _sep, n = option.partition("=")
        if not (share and n.isdecimal() and len(n) < 10):
            raise BadSetting(_("--shown is {one!r}; expected SHARE=N, such as --shown h4rb0ura7k2q=93.", one=option))
        highest[ShareId(share)] = max(int(n), highest.get(ShareId(share), 0))
    return highest
