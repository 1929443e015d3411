"""All settings, read from flags and FANLIGHT_* variables; a bad one stops the start with one line that says why."""

import argparse
import ssl
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from domain.language import N_, Said
from domain.language import gettext as _
from domain.people.tokens import Token
from web.mail_server import is_address, server
from web.outside.addresses import networks


class BadSetting(Exception):
    """A setting that cannot be used; one line says which, what was expected, and what was given."""


Hours = Annotated[int, msgspec.Meta(ge=1, le=720)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings, with their defaults and ranges; times are in the unit that the name gives."""

    data: Path = Path("data")
    database_url: str = ""
    database_connections: Annotated[int, msgspec.Meta(ge=2, le=200)] = 16
    redis_url: str = ""
    follow: bool = True
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8000
    proxies: str = "127.0.0.1"
    public_url: str = ""  # the address people type; default: http://host:port
    link_hours: Hours = 72
    session_hours: Hours = 12
    idle_minutes: Annotated[int, msgspec.Meta(ge=5, le=43_200)] = 240
    token_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 90
    token_days_most: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 365
    tick_seconds: Annotated[int, msgspec.Meta(ge=1, le=40)] = 20
    checkpoint_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 10
    signing_key: Path = Path()  # default: signing.key in the data folder
    witness_url: str = ""
    witness_key: str = ""
    timestamp_url: str = ""
    max_upload_mb: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 256
    max_table_mb: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 64
    converter: str = ""
    converter_seconds: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 120
    converter_memory_mb: Annotated[int, msgspec.Meta(ge=128, le=32768)] = 1024
    sign_in_per_minute: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    commands_per_minute: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 600
    exports_per_minute: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10
    smtp_url: str = ""
    mail_from: str = ""
    digest_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 7
    operator_token: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_name: str = ""  # what people call it; default: single sign-on
    outside_networks: str = ""  # inside, that addresses typed by admins may lead to
    outside_ca: Path = Path()  # PEM file
    source_folder: Path = Path()  # below which folders are watched for plans
    pull_seconds: Annotated[int, msgspec.Meta(ge=10, le=3600)] = 120
    pull_mb: Annotated[int, msgspec.Meta(ge=1, le=256)] = 16
    pulls_at_once: Annotated[int, msgspec.Meta(ge=1, le=64)] = 4
    drain_seconds: Annotated[int, msgspec.Meta(ge=1, le=60)] = 4
    compress_updates: bool = True
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    log_format: Literal["text", "json"] = "text"
    test_languages: bool = False
    demo_speed: Annotated[float, msgspec.Meta(ge=0, le=100)] = 1.0
    demo_seed: Annotated[int, msgspec.Meta(ge=0, le=2**31)] = 7

    @property
    def origin(self) -> str:
        """The origin (scheme, host and port) that forms and sockets must come from."""
        parts = urlsplit(self.public_url or f"http://{_in_url(self.host)}:{self.port}")
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def key_file(self) -> Path:
        """The file with the signing key."""
        return self.signing_key if self.signing_key != Path() else self.data / "signing.key"

    @property
    def longest_token(self) -> timedelta:
        """After how long a token ends at the latest."""
        return timedelta(days=max(self.token_days, self.token_days_most))

    def token_ends(self, token: Token) -> datetime:
        """Return until when a token works, UTC."""
        chosen = token.expires or token.issued + timedelta(days=self.token_days)
        return min(chosen, token.issued + self.longest_token)

    @property
    def secure(self) -> bool:
        """Whether people reach the installation by https."""
        return self.origin.startswith("https://")


EXAMPLE = "postgresql://fanlight@db.example.com/fanlight"
HELP = Said(
    {
        "data": N_("folder that holds everything"),
        "database_url": N_(
            "Postgres for logs and keys, postgresql://user@host/name; default: SQLite in the data folder"
        ),
        "database_connections": N_(
            "connections this process makes to Postgres for its logs at most, 2 to 200; it makes three more beside them"
        ),
        "redis_url": N_("Redis or Valkey for hints between several processes, redis://host:6379; default: they poll"),
        "follow": N_("yes: this process may make updates, whichever of them has the lease; no: it only serves pages"),
        "host": N_("address to listen on"),
        "port": N_("port to listen on, 1 to 65535 (0 picks a free one)"),
        "proxies": N_(
            "addresses of proxies that are believed about whose request they pass on, with commas between, or *"
        ),
        "public_url": N_("address people type, such as https://status.example.com; default: host and port"),
        "link_hours": N_("hours a sign-in link stays good, 1 to 720"),
        "session_hours": N_("hours until people sign in again, 1 to 720"),
        "idle_minutes": N_("minutes after which a session ends in which nobody does anything, 5 to 43200"),
        "token_days": N_("days a bearer token works where no other day is chosen, 1 to 3650"),
        "token_days_most": N_(
            "days after which a bearer token ends at the latest, 1 to 3650; never less than token-days"
        ),
        "tick_seconds": N_("seconds between signs of life on an open dashboard, 1 to 40"),
        "checkpoint_minutes": N_("minutes between signed checkpoints of what is new, 1 to 1440"),
        "signing_key": N_(
            "file that holds the signing key, made at the first start, for a database by migrate; default: signing.key "
            "in the data folder"
        ),
        "witness_url": N_("address of a witness (C2SP) that cosigns checkpoints; default: none"),
        "witness_key": N_("verification key of that witness"),
        "timestamp_url": N_("address of a time-stamping authority (RFC 3161) for checkpoints; default: none"),
        "max_upload_mb": N_("largest plan that can be imported, in MiB, 1 to 1024"),
        "max_table_mb": N_(
            "largest CSV file or workbook that can be imported, in MiB, 1 to 1024: it is held in memory"
        ),
        "converter": N_(
            "what turns MPP, P6 and other plans into Microsoft Project XML: unix:/path of a converter service, its "
            "http://host:port, or here for a process of this machine; default: such files are refused with advice"
        ),
        "converter_seconds": N_("seconds one conversion may take, 5 to 3600"),
        "converter_memory_mb": N_("memory one conversion may take, in MiB, 128 to 32768"),
        "sign_in_per_minute": N_("sign-in attempts a minute from one address, 1 to 1000"),
        "commands_per_minute": N_("commands and forms a minute from one person, 1 to 100000"),
        "exports_per_minute": N_("evidence bundles, exports and uploads a minute from one person, 1 to 1000"),
        "smtp_url": N_(
            "mail server, smtp://user:password@host:587 or smtps://...; default: no email is sent, links are shown"
        ),
        "mail_from": N_("address emails come from, such as status@example.com, which the mail server accepts"),
        "digest_hour": N_("hour of the client's day at which daily and weekly emails go out, 0 to 23"),
        "operator_token": N_(
            "secret that opens /metrics and the details of /healthz and /readyz; default: they stay closed"
        ),
        "oidc_issuer": N_(
            "address of an OpenID Connect provider people may sign in by, as its tokens name it; default: none"
        ),
        "oidc_client_id": N_("what that provider calls this installation"),
        "oidc_client_secret": N_(
            "secret that provider gave this installation; best as FANLIGHT_OIDC_CLIENT_SECRET_FILE"
        ),
        "oidc_name": N_("what people call that provider, as on the sign-in page; default: single sign-on"),
        "outside_networks": N_(
            "networks inside that identity providers of clients and sources of plans may be in, such as 10.1.0.0/16, "
            "with commas between; default: none, only addresses outside are asked"
        ),
        "outside_ca": N_("file with a certificate authority of your own (PEM) that such addresses may be certified by"),
        "source_folder": N_(
            "folder below which sources of projects may watch for plans; default: none, no folder is watched"
        ),
        "pull_seconds": N_("seconds one pull from a planning tool may take, 10 to 3600"),
        "pull_mb": N_("longest answer of a planning tool that is read, in MiB, 1 to 256: it is held in memory"),
        "pulls_at_once": N_("planning tools that are asked at the same time, 1 to 64"),
        "drain_seconds": N_("seconds to close open dashboards in stages when told to stop, 1 to 60"),
        "compress_updates": N_("yes: updates are compressed for browsers that take it, once for a share; no: never"),
        "test_languages": N_(
            "yes: two languages of tests may be chosen too, English with accents and from right to left"
        ),
        "log_format": N_("text, or json for one object a line"),
        "log_level": N_("debug, info, warning or error"),
        "demo_speed": N_("speed of the demo: 1 is a change every few seconds, 0 is paused"),
        "demo_seed": N_("which demo history is told"),
    }
)
SECRETS = ("operator_token", "oidc_client_secret")  # secret as a whole
ADDRESSES = ("database_url", "redis_url", "smtp_url", "to")  # secret where they hold a password
ANSWERS = {"yes": True, "on": True, "true": True, "1": True, "no": False, "off": False, "false": False, "0": False}
TYPES = {field.name: field.type for field in msgspec.structs.fields(Settings)}


def variable(name: str) -> str:
    """Return the name of the environment variable of a setting."""
    return f"FANLIGHT_{name.upper()}"


def add_flags(parser: argparse.ArgumentParser, names: tuple[str, ...]) -> None:
    """Add the flags of these settings to a command."""
    for name in names:
        default = getattr(Settings(), name)
        default = ("no", "yes")[default] if isinstance(default, bool) else default
        text = _(
            "{help} [{name}, default {default}]",
            help=HELP[name],
            name=variable(name),
            default=default if default != "" else _("none"),
        )
        parser.add_argument(f"--{name.replace('_', '-')}", metavar=name.upper(), help=text.replace("%", "%%"))


def read(flags: Mapping[str, str | None], environment: Mapping[str, str], **defaults: Any) -> Settings:
    """Return the settings; a flag wins over a variable, a variable over `defaults`, and those over the built-in ones.

    Raises: BadSetting.
    """
    values = defaults | _given(flags, environment)
    _check_names(environment)
    settings = Settings(**values)
    _check_addresses(settings)
    _check_logs(settings)
    _check_openid(settings)
    if bool(settings.witness_url) != bool(settings.witness_key):
        raise BadSetting(_("A witness needs both its address (--witness-url) and its key (--witness-key)."))
    _check_mail(settings)
    _check_outside(settings)
    _check_folder(settings)
    _check_converter(settings.converter)
    return settings


def exposed(flags: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each secret among the flags: they stay in the list of processes, for everybody to read."""
    told = []
    for name in (*SECRETS, *ADDRESSES):
        value = flags.get(name)
        if not isinstance(value, str) or not value or (name in ADDRESSES and not _has_password(value)):
            continue
        setting = "database_url" if name == "to" else name
        told.append(
            _(
                "--{flag} holds a secret, which every user of this machine can read in the list of processes. Write it "
                "to a file and set {variable}_FILE to its path instead.",
                flag=name.replace("_", "-"),
                variable=variable(setting),
            )
        )
    return told


def _has_password(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return bool(parts.password) or "password=" in parts.query


def _given(flags: Mapping[str, str | None], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of the settings that are given by flag or variable."""
    values = {}
    for name in Settings.__struct_fields__:
        flag = flags.get(name)
        source = f"--{name.replace('_', '-')}" if flag is not None else variable(name)
        raw = flag if flag is not None else _from(environment, name)
        if raw is not None:
            values[name] = _value(name, raw, source)
    return values


def _check_names(environment: Mapping[str, str]) -> None:
    unknown = sorted(k for k in environment if k.startswith("FANLIGHT_") and k not in _variables())
    if unknown:
        raise BadSetting(
            _(
                "{unknown} is no setting. Known are {variables}.",
                unknown=unknown[0],
                variables=", ".join(sorted(_variables())),
            )
        )


def _check_addresses(settings: Settings) -> None:
    for name in ("public_url", "witness_url", "timestamp_url"):
        address = getattr(settings, name)
        if address and urlsplit(address).scheme not in ("http", "https"):
            raise BadSetting(
                _(
                    "{name} is {address!r}; expected https://name or http://name:port.",
                    name=variable(name),
                    address=address,
                )
            )


def _check_logs(settings: Settings) -> None:
    if settings.redis_url and urlsplit(settings.redis_url).scheme not in ("redis", "rediss", "unix"):
        raise BadSetting(
            _("{value} has to begin with redis://, as in redis://cache.example.com:6379.", value=variable("redis_url"))
        )
    if settings.redis_url and not settings.database_url:
        raise BadSetting(_("A Redis is for processes that share a Postgres. Set FANLIGHT_DATABASE_URL too."))
    if settings.database_url and urlsplit(settings.database_url).scheme not in ("postgres", "postgresql"):
        raise BadSetting(
            _(
                "{value} has to begin with postgresql://, as in {example}.",
                value=variable("database_url"),
                example=EXAMPLE,
            )
        )


def _check_openid(settings: Settings) -> None:
    given = {name: bool(getattr(settings, name)) for name in ("oidc_issuer", "oidc_client_id", "oidc_client_secret")}
    if any(given.values()) and not all(given.values()):
        missing = ", ".join(variable(name) for name, there in given.items() if not there)
        raise BadSetting(
            _("Single sign-on needs its issuer, client id and secret; {missing} is not set.", missing=missing)
        )
    address = urlsplit(settings.oidc_issuer)
    local = address.scheme == "http" and address.hostname in ("localhost", "127.0.0.1", "::1")
    if (settings.oidc_issuer and not (local or address.scheme == "https")) or address.query or address.fragment:
        expected = _("expected https://login.example.com, with nothing after ? or #")
        raise BadSetting(
            _(
                "{value} is {oidc_issuer!r}; {told}.",
                value=variable("oidc_issuer"),
                oidc_issuer=settings.oidc_issuer,
                told=expected,
            )
        )


def _check_mail(settings: Settings) -> None:
    if bool(settings.smtp_url) != bool(settings.mail_from):
        raise BadSetting(_("Email needs both a server (FANLIGHT_SMTP_URL) and an address it comes from (--mail-from)."))
    try:
        if settings.smtp_url:
            server(settings.smtp_url)
    except ValueError as error:
        raise BadSetting(f"{variable('smtp_url')} {error}") from None
    if settings.mail_from and not is_address(settings.mail_from):
        expected = _("expected one address such as status@example.com")
        raise BadSetting(
            _(
                "{value} is {mail_from!r}; {told}.",
                value=variable("mail_from"),
                mail_from=settings.mail_from,
                told=expected,
            )
        )


def _check_folder(settings: Settings) -> None:
    if settings.source_folder != Path() and not settings.source_folder.is_dir():
        raise BadSetting(
            _(
                "{value} is {path}, which is no folder that can be read. Make it, or leave the setting out.",
                value=variable("source_folder"),
                path=settings.source_folder,
            )
        )


def _check_outside(settings: Settings) -> None:
    try:
        networks(settings.outside_networks)
    except ValueError as error:
        raise BadSetting(
            _(
                "{value} is {given!r}: {error}. Expected networks such as 10.1.0.0/16.",
                value=variable("outside_networks"),
                given=settings.outside_networks,
                error=error,
            )
        ) from None
    try:
        if settings.outside_ca != Path():
            ssl.create_default_context(cafile=settings.outside_ca)
    except (OSError, ValueError) as error:
        raise BadSetting(
            _(
                "{value} is {path}, which holds no certificate that can be read: {error}.",
                value=variable("outside_ca"),
                path=settings.outside_ca,
                error=error,
            )
        ) from None


def _check_converter(address: str) -> None:
    parts = urlsplit(address)
    service = (parts.scheme == "http" and parts.hostname) or (address.startswith("unix:/") and len(address) > 6)
    if address and address != "here" and not service:
        raise BadSetting(
            _(
                "{value} is {address!r}; expected unix:/path, http://host:port or here.",
                value=variable("converter"),
                address=address,
            )
        )


def _variables() -> set[str]:
    """Return the names of all variables there are."""
    names = {variable(name) for name in Settings.__struct_fields__}
    return names | {f"{name}_FILE" for name in names}


def _from(environment: Mapping[str, str], name: str) -> str | None:
    """Return the value of a variable, or the content of the file that NAME_FILE names; None where neither is set."""
    path = environment.get(f"{variable(name)}_FILE")
    if path is None:
        return environment.get(variable(name))
    if variable(name) in environment:
        raise BadSetting(_("{name} and {name}_FILE are both set. Keep one of them.", name=variable(name)))
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(
            _("{name}_FILE is {path!r}, which cannot be read: {error}.", name=variable(name), path=path, error=error)
        ) from None


def _value(name: str, raw: str, source: str) -> Any:
    """Return the value of a setting, in its type and range; `source` is the flag or variable that gave it."""
    kind = type(getattr(Settings(), name))
    if kind is type(Path()):
        return Path(raw)
    if kind is bool:
        if raw.lower() not in ANSWERS:
            raise BadSetting(
                _("{source} is {raw!r}; expected yes or no: {help}.", source=source, raw=raw, help=HELP[name])
            )
        return ANSWERS[raw.lower()]
    try:
        value = kind(raw)
    except ValueError:
        word = _("a whole number") if kind is int else _("a number")
        raise BadSetting(
            _("{source} is {raw!r}; expected {word}: {help}.", source=source, raw=raw, word=word, help=HELP[name])
        ) from None
    try:
        return msgspec.convert(value, TYPES[name])
    except msgspec.ValidationError:
        raise BadSetting(_expected(name, raw, source)) from None


def _expected(name: str, raw: str, source: str) -> str:
    """Return the sentence about a value that is out of range, or not one of a few."""
    match name:
        case "log_format":
            return _("{source} is {raw!r}; expected text or json.", source=source, raw=raw)
        case "log_level":
            return _("{source} is {raw!r}; expected debug, info, warning or error.", source=source, raw=raw)
        case _:
            return _("{source} is {raw!r}; expected {help}.", source=source, raw=raw, help=HELP[name])


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
