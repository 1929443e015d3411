"""`fanlight serve`, `fanlight demo` and `fanlight follow`: one server process on one port."""

import fcntl
import socket
from pathlib import Path
from typing import IO

import msgspec

from domain.language import gettext as _
from web import app
from web.cli.arguments import Arguments, Commands, settings_of
from web.process import log_lines
from web.process.open_logs import warn_of_few_connections
from web.process.process import Given
from web.push import server
from web.push.patience import Patience, most_connections
from web.push.server import server_config, tune_gc
from web.settings import BadSetting, Settings, add_flags

SERVE = (
    "data", "host", "port", "public_url", "link_hours", "session_hours", "idle_minutes", "token_days",
    "token_days_most", "tick_seconds", "checkpoint_minutes",
    "signing_key", "witness_url", "witness_key", "timestamp_url", "max_upload_mb", "max_table_mb",
    "converter", "converter_seconds", "converter_memory_mb", "sign_in_per_minute",
    "commands_per_minute", "exports_per_minute",
    "oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_name", "outside_networks", "outside_ca",
    "source_folder", "pull_seconds", "pull_mb", "pulls_at_once",
    "smtp_url", "mail_from", "digest_hour", "drain_seconds", "compress_updates", "operator_token", "proxies",
    "log_level", "log_format", "test_languages",
)  # fmt: skip  # settings of every server
DATABASE = ("database_url", "database_connections")


def add_parsers(commands: Commands) -> None:
    """Add the three commands."""
    demo = commands.add_parser("demo", help=_("the sample portfolio with simulated activity, on one port"))
    add_flags(demo, (*SERVE, "demo_speed", "demo_seed"))
    demo.set_defaults(run=_demo)
    serve = commands.add_parser("serve", help=_("serve what lies in a folder"))
    add_flags(serve, ("data", *DATABASE, "redis_url", "follow", *SERVE[1:]))
    serve.set_defaults(run=_serve)
    follow = commands.add_parser("follow", help=_("make the updates, or stand by for it, without serving pages"))
    add_flags(follow, ("data", *DATABASE, "redis_url", *SERVE[1:]))
    follow.set_defaults(run=_follow)


def _demo(given: Arguments) -> int:
    return run(settings_of(given, data=Path("data/demo")), demo=True)


def _serve(given: Arguments) -> int:
    return run(settings_of(given))


def _follow(given: Arguments) -> int:
    settings = settings_of(given)
    if not settings.database_url:
        raise BadSetting(_("In a folder the one process that serves also follows. fanlight follow needs a database."))
    return run(msgspec.structs.replace(settings, follow=True), pages=False)


def run(settings: Settings, *, demo: bool = False, pages: bool = True) -> int:
    """Serve until told to stop; return the exit code.

    Without `pages` the process makes updates, or stands by for it, and serves the operator's addresses alone.

    Raises: BadSetting when the address or the folder cannot be used.
    """
    if demo:
        from web.demo.life import refuse_open_doors

        refuse_open_doors(settings)
        if settings.database_url:
            raise BadSetting(_("The demo tells its stories into a folder alone. Unset FANLIGHT_DATABASE_URL for it."))
    locks = [] if settings.database_url else [alone(settings.data)]
    listener = _listen(settings)
    host, port = listener.getsockname()[:2]
    settings = msgspec.structs.replace(settings, port=port)
    if demo:
        from web.demo.life import tell_the_year

        log_lines.say(_("Recording a year of history ..."), settings.log_format)
        tell_the_year(settings)
    process = app.compose(settings, Given(demo=demo))
    warn_of_few_connections(settings)
    graceful = settings.drain_seconds + 5
    config = server_config(
        app.create(process, pages=pages), host, port, log_level="warning", log_config=None,
        timeout_graceful_shutdown=graceful, forwarded_allow_ips=settings.proxies,
        patience=Patience(most=most_connections()),
    )  # fmt: skip
    tune_gc()
    sentence = (
        _("Fanlight is at {origin}", origin=settings.origin)
        if pages
        else _("Fanlight follows, health at {origin}/healthz", origin=settings.origin)
    )
    where = process.services.logs.where
    log_lines.say(_("{says}  (data in {where}, stop with Ctrl+C)", says=sentence, where=where), settings.log_format)
    server.run(config, [listener])
    for lock in locks:
        lock.close()
    return 0


def alone(folder: Path) -> IO[str]:
    """Lock the folder for this process until the file is closed: two servers in one folder would both make updates.

    Raises: BadSetting when it cannot be written, or another process has it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "serving.lock").open("w")
    except OSError as error:
        raise BadSetting(
            _("--data is {folder!r}, which cannot be written: {strerror}.", folder=str(folder), strerror=error.strerror)
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        message = _("another Fanlight serves {folder} already. Stop it, or use another --data folder.", folder=folder)
        raise BadSetting(message) from None
    return lock


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        message = _(
            "cannot listen on {host} port {port}: {strerror}. Choose another --port.",
            host=settings.host,
            port=settings.port,
            strerror=error.strerror,
        )
        raise BadSetting(message) from error
    return listener
