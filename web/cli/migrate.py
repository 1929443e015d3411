"""`fanlight migrate`: prepares a Postgres database, at first and for every version that changes its tables.

It makes the signing key as well, where nothing is signed yet: it runs once, and everything else waits for it.
"""

from domain.language import gettext as _
from projections.installation import database
from projections.installation.database import Database, Unusable
from web.cli.arguments import Arguments, Commands, settings_of
from web.process import signing
from web.settings import BadSetting, Settings, add_flags


def add_parsers(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("migrate", help=_("prepare a Postgres database, as its owner"))
    parser.add_argument("--role", default="", help=_("role that serves: it may append and read, and change nothing"))
    add_flags(parser, ("data", "database_url", "signing_key"))
    parser.set_defaults(run=run)


def run(given: Arguments) -> int:
    """Prepare the database and say what was done.

    Raises: BadSetting when there is none, or it cannot be used, or the key cannot be made; BadNote.
    """
    settings = settings_of(given)
    if not settings.database_url:
        raise BadSetting(_("There is no database to prepare. Say which one with --database-url; folders need nothing."))
    try:
        done = database.migrate(settings.database_url, given["role"])
        print("\n".join([*done, *_key_made(settings)]))
    except Unusable as error:
        raise BadSetting(str(error)) from None
    return 0


def _key_made(settings: Settings) -> list[str]:
    """Make the signing key unless something is signed, or it is there; return that in words.

    Raises: BadSetting, BadNote, Unusable.
    """
    logs = Database(settings.database_url, anywhere=True)
    try:
        made = signing.made_for(logs, settings.key_file)
    finally:
        logs.close()
    told = _("{path}: made; every process signs with this file. Keep a copy apart", path=settings.key_file)
    return [] if made is None else [told]
