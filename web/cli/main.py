"""The command line: `fanlight demo | serve | follow | ...`; `fanlight --help` lists every command.

Rule: a command brings its parser and what it runs in a module of its own, which is imported only when it is needed.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.metadata import version

from domain.errors import Refused
from domain.language import gettext as _
from projections.proof.notes import BadNote
from web import languages
from web.cli.arguments import Arguments
from web.settings import BadSetting

MODULES = {
    "demo": "serve", "serve": "serve", "follow": "serve", "status": "status", "import": "import_plan",
    "history": "history", "export": "export", "verify": "verify", "migrate": "migrate", "copy": "copy",
    "restored": "restored", "shadow": "shadow", "erase": "erase", "key": "key", "user": "user",
}  # fmt: skip  # command -> module of this folder


def parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser of the whole command line, or of as much of it as one command needs."""
    top = argparse.ArgumentParser(
        prog="fanlight",
        description=_("Share live project status with clients, and prove afterwards exactly what was shown."),
        epilog=_("Every setting is a flag or a FANLIGHT_* variable; a flag wins."),
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in _modules(command):
        import_module(f"web.cli.{module}").add_parsers(commands)
    commands.add_parser("version", help=_("the version of this program")).set_defaults(run=_print_version)
    return top


def _modules(command: str) -> Iterable[str]:
    if command == "version":
        return ()
    return (MODULES[command],) if command in MODULES else dict.fromkeys(MODULES.values())


def _print_version(_given: Arguments) -> int:
    print(version("fanlight"))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    languages.install()
    words = sys.argv[1:] if arguments is None else list(arguments)
    given = vars(parser(words[0] if words else "").parse_args(words))
    try:
        code: int = given["run"](given)
    except (BadSetting, Refused, BadNote) as error:
        print(_("fanlight: {error}", error=error), file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0
    return code
