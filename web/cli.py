"""The command line: `fanlight demo | serve | import | export | user | version`."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from domain.errors import Refused
from web import settings as settings_module
from web.settings import BadSetting, Settings

SERVE = (
    "data", "host", "port", "public_url", "link_hours", "session_hours", "tick_seconds", "max_upload_mb",
    "sign_in_per_minute", "log_level",
)  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="fanlight",
        description="Share live project status with clients, and prove afterwards exactly what was shown.",
        epilog="Every setting is a flag or a FANLIGHT_* variable; a flag wins.",
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="the sample portfolio, living, on one port")
    settings_module.add_flags(demo, (*SERVE, "demo_speed", "demo_seed"))
    serve = commands.add_parser("serve", help="serve what lies in a folder")
    settings_module.add_flags(serve, SERVE)
    load = commands.add_parser("import", help="compare a plan with a project, and take it over with --accept")
    load.add_argument("file", type=Path, help="MSPDI XML or CSV")
    load.add_argument("--project", required=True, help="id of the project, as in the address of its page")
    load.add_argument("--accept", action="store_true", help="record every proposed change (default: only show them)")
    load.add_argument("--mapping", type=Path, help="JSON file that says which CSV column is what")
    settings_module.add_flags(load, ("data", "max_upload_mb"))
    out = commands.add_parser("export", help="write the entries of a share as JSON lines")
    out.add_argument("share", help="id of the share, as in the address of its page")
    out.add_argument("--out", type=Path, help="file to write (default: standard output)")
    out.add_argument("--after", type=int, default=0, help="number of the last entry you have (default 0)")
    settings_module.add_flags(out, ("data",))
    _user(commands)
    commands.add_parser("version", help="the version of this program")
    return top


def _user(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    user = commands.add_parser("user", help="clients, people, links and tokens")
    actions = user.add_subparsers(dest="action", required=True, metavar="ACTION")
    name = actions.add_parser("organisation", help="name the organisation that shares")
    name.add_argument("name")
    client = actions.add_parser("client", help="register a client; prints its id")
    client.add_argument("name")
    client.add_argument("--time-zone", default="Europe/London", help="IANA name (default Europe/London)")
    invite = actions.add_parser("invite", help="invite a person; prints a one-time sign-in link")
    invite.add_argument("email")
    invite.add_argument("--name", required=True)
    invite.add_argument("--role", required=True, choices=("admin", "manager", "auditor", "viewer"))
    invite.add_argument("--client", help="id or name of the client, for a viewer")
    link = actions.add_parser("link", help="print a new sign-in link for a person")
    link.add_argument("email")
    token = actions.add_parser("token", help="print a bearer token for the JSON door; shown once")
    token.add_argument("email")
    token.add_argument("--label", required=True, help="what it is for")
    end = actions.add_parser("end", help="end a person's access: sessions, links and tokens")
    end.add_argument("email")
    end.add_argument("--reason", required=True)
    listing = actions.add_parser("list", help="list clients and people")
    for one in (name, client, invite, link, token, end, listing):
        settings_module.add_flags(one, ("data", "public_url", "host", "port", "link_hours"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    given = vars(parser().parse_args(arguments))
    try:
        return _run(given)
    except (BadSetting, Refused) as error:
        print(f"fanlight: {error}", file=sys.stderr)
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
        case "import":
            from web import cli_import

            return cli_import.run(settings, given["file"], given["project"], given["mapping"], accept=given["accept"])
        case "export":
            from web import cli_export

            return cli_export.run(settings, given["share"], given["out"], given["after"])
        case _:
            from web import cli_user

            return cli_user.run(settings, given)


def _serve(settings: Settings, *, demo: bool) -> int:
    from web import serve

    return serve.run(settings, demo=demo)


if __name__ == "__main__":
    sys.exit(main())
