"""`fanlight key`: prints the key that verifies checkpoints, or changes the one that signs them."""

from domain.language import gettext as _
from projections.proof import notes
from web import clock
from web.cli.arguments import Arguments, Commands, settings_of
from web.process import open_logs, signing
from web.settings import add_flags


def add_parsers(commands: Commands) -> None:
    """Add the command with its actions."""
    key = commands.add_parser("key", help=_("the key that signs checkpoints"))
    actions = key.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help=_("print the verification key, for clients to keep"))
    show.set_defaults(run=show_key)
    rotate = actions.add_parser("rotate", help=_("sign with a new key from now on"))
    rotate.set_defaults(run=rotate_key)
    lost = actions.add_parser("lost", help=_("the key is lost for ever: sign with another, in a name of its own"))
    lost.set_defaults(run=lost_key)
    for parser in (show, rotate, lost):
        add_flags(parser, ("data", "database_url", "signing_key"))


def show_key(given: Arguments) -> int:
    """Print the verification key."""
    settings = settings_of(given)
    folder = open_logs.logs(settings)
    try:
        print(signing.notary(folder, settings, clock.now).verification_key)
    finally:
        folder.close()
    return 0


def rotate_key(given: Arguments) -> int:
    """Sign with a new key from now on, which the old one signs for. A running server goes on with the old one."""
    settings = settings_of(given)
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


def lost_key(given: Arguments) -> int:
    """Sign in another name from now on. What was signed before is verified as before, with the key that others kept.

    Raises: BadSetting where nothing is lost.
    """
    settings = settings_of(given)
    folder = open_logs.logs(settings)
    try:
        key = signing.begun_anew(folder, settings.key_file, clock.now())
        print(notes.verification_key(key.name, key.public))
    finally:
        folder.close()
    print(_("Nothing ties it to the key before. Give it to everybody who has that one, and say why."))
    return 0
