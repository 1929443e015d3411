"""`fanlight convert`: a plan of another tool as Microsoft Project XML; `fanlight converter`: the service for it."""

import socket
from pathlib import Path

import uvicorn

from domain.language import gettext as _
from web.cli.arguments import Arguments, Commands, settings_of
from web.converter import Allowance, bounds_of, converter, missing
from web.converter.choosing import HERE, notes
from web.converter.service import application
from web.importers.findings import shown
from web.importers.kinds import CONVERTED, kind_of
from web.importers.plan import BrokenFile
from web.importers.source import Source
from web.process import log_lines
from web.settings import BadSetting, Settings, add_flags

BOUNDS = ("max_upload_mb", "converter_seconds", "converter_memory_mb")


def add_parsers(commands: Commands) -> None:
    """Add both commands."""
    one = commands.add_parser(
        "convert", help=_("turn an MPP, P6, MPX, Planner or Asta plan into Microsoft Project XML")
    )
    one.add_argument("file", type=Path, help=_("the plan"))
    one.add_argument("--to", type=Path, help=_("file to write (default: FILE.xml)"))
    add_flags(one, ("converter", *BOUNDS))
    one.set_defaults(run=_convert)
    service = commands.add_parser("converter", help=_("the service that converts plans for the import page"))
    service.add_argument("--socket", type=Path, help=_("Unix socket to listen on, instead of host and port"))
    add_flags(service, ("host", "port", *BOUNDS, "log_level", "log_format"))
    service.set_defaults(run=_serve)


def bounds(settings: Settings) -> Allowance:
    """Return the bounds of a conversion."""
    return bounds_of(settings.max_upload_mb, settings.converter_seconds, settings.converter_memory_mb)


def _convert(given: Arguments) -> int:
    """Write the plan as Microsoft Project XML; where no service is set, it is converted here.

    Raises: BadSetting.
    """
    settings, file = settings_of(given), given["file"]
    target = given["to"] or file.with_name(f"{file.name}.xml")
    try:
        kind, what = kind_of(Source(file.name, file))
    except OSError as error:
        raise BadSetting(_("{file} cannot be read: {strerror}.", file=file, strerror=error.strerror)) from error
    if kind not in CONVERTED:
        what = what or _("no file that needs converting: it is read as it is")
        raise BadSetting(_("{name} is {what}.", name=shown(file.name), what=what))
    made = converter(settings.converter or HERE, bounds(settings))
    assert made is not None
    try:
        told = made.convert(kind, file, target)
    except BrokenFile as broken:
        raise BadSetting(str(broken)) from broken
    except OSError as error:
        raise BadSetting(_("{file} cannot be written: {strerror}.", file=target, strerror=error.strerror)) from error
    for note in notes(told, kind):
        print(note)
    print(_("{target}: {n} tasks.", target=target, n=told.tasks))
    return 0


def _serve(given: Arguments) -> int:
    """Serve until told to stop.

    Raises: BadSetting where nothing can be converted here, or nobody can listen there.
    """
    settings, path = settings_of(given), given["socket"]
    if lacks := missing():
        raise BadSetting(_("Nothing can be converted here: {lacks}.", lacks=lacks))
    listener = _listening(settings, path)
    where = f"unix:{path}" if path else "http://{}:{}".format(*listener.getsockname()[:2])
    log_lines.say(_("The converter listens at {where}", where=where), settings.log_format)
    config = uvicorn.Config(
        application(bounds(settings)), log_level="warning", log_config=None, access_log=False, server_header=False,
        timeout_graceful_shutdown=5, lifespan="off",
    )  # fmt: skip
    uvicorn.Server(config).run([listener])
    return 0


def _listening(settings: Settings, path: Path | None) -> socket.socket:
    """Return a socket that listens; a Unix socket that a process before left is taken over."""
    try:
        if path is None:
            return socket.create_server((settings.host, settings.port))
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(path))
        path.chmod(0o660)
        listener.listen(64)
    except OSError as error:
        raise BadSetting(
            _("cannot listen there: {strerror}. Choose another address.", strerror=error.strerror)
        ) from error
    return listener
