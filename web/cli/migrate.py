"""`fanlight migrate`: prepare a Postgres database, once and again with every version that changes its tables."""

from domain.language import gettext as _
from projections.installation import database
from projections.installation.database import Unusable
from web.settings import BadSetting, Settings


def run(settings: Settings, role: str) -> int:
    """Prepare the database and say what was done.

    Raises: BadSetting when there is none, or it cannot be used.
    """
    if not settings.database_url:
        raise BadSetting(_("There is no database to prepare. Say which one with --database-url; folders need nothing."))
    try:
        done = database.migrate(settings.database_url, role)
    except Unusable as error:
        raise BadSetting(str(error)) from None
    print("\n".join(done))
    return 0
