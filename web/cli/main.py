"""The command line: `fanlight demo | serve | follow | ...`; `fanlight --help` lists every command."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from domain.errors import Refused
from domain.language import gettext as _
from projections.proof.notes import BadNote
from web import settings as settings_module
from web.settings import BadSetting, Settings

SERVE = (
    "data", "host", "port", "public_url", "link_hours", "session_hours", "tick_seconds", "checkpoint_minutes",
    "signing_key", "witness_url", "witness_key", "timestamp_url", "max_upload_mb", "sign_in_per_minute",
    "oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_name",
    "smtp_url", "mail_from", "digest_hour", "drain_seconds", "operator_token", "proxies", "log_level", "log_format",
)  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="fanlight",
        description=_("Share live project status with clients, and prove afterwards exactly what was shown."),
        epilog=_("Every setting is a flag or a FANLIGHT_* variable; a flag wins."),
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help=_("the sample portfolio, living, on one port"))
    settings_module.add_flags(demo, (*SERVE, "demo_speed", "demo_seed"))
    serve = commands.add_parser("serve", help=_("serve what lies in a folder"))
    settings_module.add_flags(serve, ("data", "database_url", "redis_url", "follow", *SERVE[1:]))
    follow = commands.add_parser("follow", help=_("make the updates, or stand by for it, without serving pages"))
    settings_module.add_flags(follow, ("data", "database_url", "redis_url", *SERVE[1:]))
    status = commands.add_parser("status", help=_("how the installation stands: who follows, every share, what waits"))
    status.add_argument("--json", action="store_true", help=_("print it as JSON"))
    settings_module.add_flags(status, ("data", "database_url"))
    load = commands.add_parser("import", help=_("compare a plan with a project, and take it over with --accept"))
    load.add_argument("file", type=Path, help=_("MSPDI XML or CSV"))
    load.add_argument("--project", required=True, help=_("id of the project, as in the address of its page"))
    load.add_argument("--accept", action="store_true", help=_("record every proposed change (default: only show them)"))
    load.add_argument("--mapping", type=Path, help=_("JSON file that says which CSV column is what"))
    settings_module.add_flags(load, ("data", "database_url", "max_upload_mb"))
    _record(commands)
    _user(commands)
    commands.add_parser("version", help=_("the version of this program"))
    return top


def _record(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    out = commands.add_parser("export", help=_("write the evidence bundle of a share, a period or one update"))
    out.add_argument("share", help=_("id of the share, as in the address of its page"))
    out.add_argument("--out", type=Path, help=_("file to write (default: fanlight-SHARE.zip)"))
    out.add_argument("--update", default="", help=_("only this update, with its proof"))
    out.add_argument("--from", default="", help=_("first update of a period"))
    out.add_argument("--to", default="", help=_("last update of a period"))
    out.add_argument("--without-receipts", action="store_true", help=_("leave out what people's pages claimed"))
    check = commands.add_parser("verify", help=_("check an evidence bundle, or all stored files with --data"))
    check.add_argument("file", type=Path, nargs="?", help=_("evidence bundle"))
    check.add_argument("--key", help=_("verification key you were given, or a file that holds it"))
    check.add_argument(
        "--checkpoint", type=Path, action="append", default=[], help=_("checkpoint you kept (repeatable)")
    )
    check.add_argument("--json", action="store_true", help=_("print the report as JSON"))
    prepare = commands.add_parser("migrate", help=_("prepare a Postgres database, as its owner"))
    prepare.add_argument("--role", default="", help=_("role that serves: it may append and read, and change nothing"))
    settings_module.add_flags(prepare, ("database_url",))
    move = commands.add_parser("copy", help=_("copy a folder into a prepared, empty database, and compare every row"))
    move.add_argument(
        "--from", dest="source", type=Path, required=True, help=_("folder, which nobody serves meanwhile")
    )
    move.add_argument("--to", required=True, help=_("database, as its owner: postgresql://owner@host/name"))
    settings_module.add_flags(move, ("signing_key",))
    after = commands.add_parser(
        "restored", help=_("after a backup was restored: keep every number that was given before")
    )
    after.add_argument("--shown", action="append", default=[], metavar="SHARE=N", help=_("highest number known"))
    after.add_argument("--margin", type=int, default=100, help=_("numbers to leave out beyond the highest known (100)"))
    after.add_argument(
        "--nothing-lost", action="store_true", help=_("every update is there: a standby took over in sync")
    )
    after.add_argument("--reason", required=True, help=_("what happened; kept for ever"))
    settings_module.add_flags(after, ("database_url",))
    shadow = commands.add_parser("shadow", help=_("recompute a share with the code of today and list what differs"))
    shadow.add_argument("share")
    settings_module.add_flags(shadow, ("data", "database_url"))
    erase = commands.add_parser("erase", help=_("destroy a person's data or the content of updates, for ever"))
    kinds = erase.add_subparsers(dest="action", required=True, metavar="WHAT")
    person = kinds.add_parser("person", help=_("name, address and sign-ins of a person"))
    person.add_argument("email")
    entries = kinds.add_parser("updates", help=_("content of updates of a share; their proofs stay"))
    entries.add_argument("share")
    entries.add_argument("numbers", help=_("such as 3 or 3-9,12"))
    for one in (person, entries):
        one.add_argument("--reason", required=True, help=_("kept for ever; must not name anybody"))
    key = commands.add_parser("key", help=_("the key that signs checkpoints"))
    uses = key.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = uses.add_parser("show", help=_("print the verification key, for clients to keep"))
    rotate = uses.add_parser("rotate", help=_("sign with a new key from now on"))
    for one in (out, check, person, entries, show, rotate):
        settings_module.add_flags(one, ("data", "database_url", "signing_key"))


def _user(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    user = commands.add_parser("user", help=_("clients, people, links and tokens"))
    actions = user.add_subparsers(dest="action", required=True, metavar="ACTION")
    name = actions.add_parser("organisation", help=_("name the organisation that shares"))
    name.add_argument("name")
    client = actions.add_parser("client", help=_("register a client; prints its id"))
    client.add_argument("name")
    client.add_argument("--time-zone", default="Europe/London", help=_("IANA name (default Europe/London)"))
    invite = actions.add_parser("invite", help=_("invite a person; prints a one-time sign-in link"))
    invite.add_argument("email")
    invite.add_argument("--name", required=True)
    invite.add_argument("--role", required=True, choices=("admin", "manager", "auditor", "viewer"))
    invite.add_argument("--client", help=_("id or name of the client, for a viewer"))
    which = _("for a manager: ids or titles of projects, with commas between, or all (default)")
    invite.add_argument("--projects", default="all", help=which)
    projects = actions.add_parser("projects", help=_("say which projects a manager manages"))
    projects.add_argument("email")
    projects.add_argument("projects", help=_("ids or titles, with commas between, or all"))
    link = actions.add_parser("link", help=_("print a new sign-in link for a person"))
    link.add_argument("email")
    token = actions.add_parser("token", help=_("print a bearer token for the JSON door; shown once"))
    token.add_argument("email")
    token.add_argument("--label", required=True, help=_("what it is for"))
    end = actions.add_parser("end", help=_("end a person's access: sessions, links and tokens"))
    end.add_argument("email")
    end.add_argument("--reason", required=True)
    listing = actions.add_parser("list", help=_("list clients and people"))
    for one in (name, client, invite, projects, link, token, end, listing):
        settings_module.add_flags(one, ("data", "database_url", "public_url", "host", "port", "link_hours"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    given = vars(parser().parse_args(arguments))
    try:
        return _run(given)
    except (BadSetting, Refused, BadNote) as error:
        print(_("fanlight: {error}", error=error), file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0


def _run(given: dict[str, Any]) -> int:
    if given["command"] == "version":
        print(version("fanlight"))
        return 0
    defaults = {"data": Path("data/demo")} if given["command"] == "demo" else {}
    settings = settings_module.read(given, os.environ, **defaults)
    match given["command"]:
        case "demo" | "serve":
            return _serve(settings, demo=given["command"] == "demo")
        case "follow":
            return _follow(settings)
        case "status":
            from web.cli import status as cli_status

            return cli_status.run(settings, as_json=given["json"])
        case "import":
            from web.cli import import_plan

            return import_plan.run(settings, given["file"], given["project"], given["mapping"], accept=given["accept"])
        case "migrate":
            from web.cli import migrate

            return migrate.run(settings, given["role"])
        case "copy":
            from web.cli import copy

            return copy.run(settings, given["source"], given["to"])
        case "restored":
            from web.cli import restored

            margin = 0 if given["nothing_lost"] else given["margin"]
            return restored.run(settings, given["shown"], margin, given["reason"])
        case "shadow":
            from web.cli import shadow as cli_shadow

            return cli_shadow.run(settings, given["share"])
        case "export" | "verify" | "erase" | "key":
            return _of_record(settings, given)
        case _:
            from web.cli import user as cli_user

            return cli_user.run(settings, given)


def _of_record(settings: Settings, given: dict[str, Any]) -> int:
    from web.cli import erase as cli_erase
    from web.cli import export, verify

    match given["command"], given.get("action"):
        case "export", _:
            query = {"n": given["update"], "from": given["from"], "to": given["to"]}
            receipts = not given["without_receipts"]
            return export.run(settings, given["share"], given["out"], query, receipts=receipts)
        case "verify", _ if given["file"] is not None:
            return verify.bundle(given["file"], given["key"], given["checkpoint"], as_json=given["json"])
        case "verify", _:
            return verify.stored(settings, given["checkpoint"])
        case "erase", "person":
            return cli_erase.person(settings, given["email"], given["reason"])
        case "erase", _:
            return cli_erase.entries(settings, given["share"], given["numbers"], given["reason"])
        case _, "rotate":
            return cli_erase.rotate_key(settings)
        case _:
            return cli_erase.show_key(settings)


def _serve(settings: Settings, *, demo: bool) -> int:
    from web.cli import serve

    return serve.run(settings, demo=demo)


def _follow(settings: Settings) -> int:
    from web.cli import serve

    if not settings.database_url:
        raise BadSetting(_("In a folder the one process that serves also follows. fanlight follow needs a database."))
    return serve.run(msgspec.structs.replace(settings, follow=True), pages=False)
