"""Opens the logs of an installation: in its data folder, or in the database that a setting names."""

from projections.installation.folder import Folder, Logs
from web.settings import BadSetting, Settings


def logs(settings: Settings) -> Logs:
    """Open the logs of an installation.

    Raises: BadSetting when the database cannot be used as it is.
    """
    if not settings.database_url:
        return Folder(settings.data)
    from projections.installation.database import Database, Unusable

    try:
        return Database(settings.database_url)
    except Unusable as error:
        raise BadSetting(str(error)) from None
