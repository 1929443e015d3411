"""`fanlight migrate`: prepares a Postgres database, at first and for every version that changes its tables."""

from domain.language import gettext as _
from projections.installation import database
from projections.installation.database import Unusable
from web.cli.arguments import Arguments, Commands, settings_of
from web.settings import BadSetting, add_flags


def add_parsers(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("migrate", help=_("prepare a Postgres database, as its owner"))
    parser.add_argument("--role", default="", help=_("role that serves: it may append and read, and change nothing"))
    add_flags(parser, ("database_url",))
    parser.set_defaults(run=run)


def run(given: Arguments) -> int:
    """Prepare the database and say what was done.

    Raises: BadSetting when there is none, or it cannot be used.
    """
    settings = settings_of(given)
    if not settings.database_url:
        raise BadSetting(_("There is no database to prepare. Say which one with --database-url; folders need nothing."))
    try:
        done = database.migrate(settings.database_url, given["role"])
    except Unusable as error:
        raise BadSetting(str(error)) from None
    print("\n".join(done))
    return 0
