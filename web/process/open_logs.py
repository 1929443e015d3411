"""Opens the logs of an installation: in its data folder, or in the database that a setting names."""

from domain.language import gettext as _
from projections.installation.folder import Folder, Logs, Unopened
from web.settings import BadSetting, Settings


def logs(settings: Settings, *, reading: bool = False) -> Logs:
    """Open the logs of an installation; `reading`: nothing will be recorded, so a folder need not be writable.

    Raises: BadSetting when they cannot be used as they are.
    """
    if not settings.database_url:
        return _folder(settings, reading=reading)
    from projections.installation.database import Database, Unusable

    try:
        return Database(settings.database_url)
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
