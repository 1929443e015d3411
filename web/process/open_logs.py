"""Opens the logs of an installation: in its data folder, or in the database that a setting names."""

import logging

from domain.language import gettext as _
from projections.installation.folder import Folder, Logs, Unopened
from web.settings import BadSetting, Settings

log = logging.getLogger("fanlight.database")


def logs(settings: Settings, *, reading: bool = False) -> Logs:
    """Open the logs of an installation; `reading`: nothing will be recorded, so a folder need not be writable.

    Raises: BadSetting when they cannot be used as they are.
    """
    if not settings.database_url:
        return _folder(settings, reading=reading)
    from projections.installation.database import Database, Unusable

    try:
        return Database(settings.database_url, connections=settings.database_connections)
    except Unusable as error:
        raise BadSetting(str(error)) from None


def _folder(settings: Settings, *, reading: bool) -> Logs:
    try:
        folder = Folder(settings.data)
    except (Unopened, OSError) as error:
        raise BadSetting(str(error)) from None
    if folder.read_only and not reading:
        folder.close()
        raise BadSetting(_("{data} cannot be written. Say which folder with --data.", data=settings.data))
    return folder


def warn_of_few_connections(settings: Settings) -> None:
    """Log a warning where the database has not as many connections free as this process may come to need."""
    if not settings.database_url:
        return
    from projections.installation import database

    needed = settings.database_connections + database.BESIDE
    try:
        free, most = database.room(settings.database_url)
    except database.Unusable as full:  # no place for one connection more: no reason not to go on with those there are
        log.warning("this process may need %d connections, and Postgres gives no further one: %s", needed, full)
        return
    if free < needed:
        log.warning(
            "this process may need %d connections and Postgres has %d of %d free: raise its max_connections, "
            "or lower --database-connections", needed, free, most,
        )  # fmt: skip
