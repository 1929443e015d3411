"""`fanlight shadow`: recomputes a share from its events with the present code, and prints what differs."""

import sys

from domain.errors import Unknown
from domain.ids import ShareId
from domain.language import gettext as _
from projections.events.present import CurrentWorld
from projections.follow.shadow import Compared, State, compared
from web.cli.arguments import Arguments, Commands, settings_of
from web.process import open_logs
from web.record.shadow_words import FINE, WORDS
from web.render.page import Renderer
from web.settings import add_flags

LONGEST = 160  # characters of each version printed


def add_parsers(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("shadow", help=_("recompute a share with the code of today and list what differs"))
    parser.add_argument("share")
    add_flags(parser, ("data", "database_url"))
    parser.set_defaults(run=run)


def run(given: Arguments) -> int:
    """Print every difference and the count of each kind; return 0 when there is none, 1 otherwise.

    Raises: BadSetting, Unknown.
    """
    share = given["share"]
    folder, counted = open_logs.logs(settings_of(given)), dict[State, int]()
    try:
        if share not in CurrentWorld(folder.events).world.shares:
            raise Unknown(
                _(
                    "There is no share {share!r} in {where}. Its id is in the address of its page.",
                    share=share,
                    where=folder.where,
                )
            )
        for comparison in compared(folder.events, folder.disclosure, ShareId(share), Renderer()):
            counted[comparison.state] = counted.get(comparison.state, 0) + 1
            if comparison.state not in FINE:
                print("\n".join(_lines(comparison)))
    finally:
        folder.close()
    print(", ".join(f"{many} {WORDS[state]}" for state, many in counted.items()) or _("Nothing was ever recorded."))
    differs = any(state not in FINE for state in counted)
    if differs:
        print(_("What was recorded stays as it is; only the answer of today's code is different."), file=sys.stderr)
    return 1 if differs else 0


def _lines(comparison: Compared) -> list[str]:
    n, at = comparison.n, comparison.at
    name = _("update {n}", n=n) if n else _("at {at:%Y-%m-%d %H:%M:%S} UTC", at=at)
    lines = [f"{name}: {WORDS[comparison.state]}"]
    for apart in comparison.apart:
        lines += [
            f"  {apart.field}",
            _("    recorded   {short}", short=_short(apart.recorded)),
            _("    recomputed {short}", short=_short(apart.recomputed)),
        ]
    return lines


def _short(text: str) -> str:
    """Return the beginning of a text on one line, at most `LONGEST` characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
