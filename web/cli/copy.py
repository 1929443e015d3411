"""`fanlight copy`: copies an installation from its folder into a database, and compares both row by row."""

from pathlib import Path

import msgspec

from domain.language import gettext as _
from projections.installation import copying
from projections.installation.copying import Copied
from projections.installation.database import Unusable
from projections.installation.folder import Folder
from web.cli import verify
from web.cli.arguments import Arguments, Commands, settings_of
from web.cli.serve import alone
from web.settings import BadSetting, add_flags


def add_parsers(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("copy", help=_("copy a folder into a prepared, empty database, and compare every row"))
    parser.add_argument(
        "--from", dest="source", type=Path, required=True, help=_("folder, which nobody serves meanwhile")
    )
    to = _("database, as its owner: postgresql://owner@host/name [default FANLIGHT_DATABASE_URL, best as a file]")
    parser.add_argument("--to", help=to)
    add_flags(parser, ("signing_key",))
    parser.set_defaults(run=run)


def run(given: Arguments) -> int:
    """Copy, compare and verify; return 0 when everything arrived.

    Raises: BadSetting when something is in the way; the database is then as it was.
    """
    settings, source = settings_of(given), given["source"]
    to = given["to"] or settings.database_url
    if not to:
        raise BadSetting(_("Say where to with --to, or set FANLIGHT_DATABASE_URL_FILE to a file with the address."))
    if not (source / "events.db").exists():
        raise BadSetting(_("There is no installation in {source}. Say which folder with --from.", source=source))
    lock, folder = alone(source), Folder(source)
    try:
        copying.copy(folder, to, print)
    except (Unusable, Copied) as error:
        raise BadSetting(str(error)) from None
    finally:
        folder.close()
        lock.close()
    arrived = msgspec.structs.replace(settings, data=source, database_url=to)
    if verify.stored(arrived, []):
        raise BadSetting(_("What arrived does not hold; see above. Do not serve it."))
    print(
        _(
            "Keep {key_file}: it signs on. The folder is as it was; archive it, and serve the database.",
            key_file=arrived.key_file,
        )
    )
    return 0
