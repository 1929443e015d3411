"""`fanlight shadow`: a share recomputed from its events with the code of today, and what differs from the record."""

import sys

from domain.errors import Unknown
from domain.ids import ShareId
from domain.language import gettext as _
from projections.events.present import CurrentWorld
from projections.follow.shadow import Compared, State, compared
from web.process import open_logs
from web.record.shadow_words import FINE, WORDS
from web.render.page import Renderer
from web.settings import Settings

LONGEST = 160  # characters of each version printed


def run(settings: Settings, share: str) -> int:
    """Print every difference and the count of each kind; return 0 when there is none, 1 otherwise.

    Raises: Unknown.
    """
    folder, counted = open_logs.logs(settings), dict[State, int]()
    try:
        if share not in CurrentWorld(folder.events).world.shares:
            raise Unknown(
                _(
                    "There is no share {share!r} in {where}. Its id is in the address of its page.",
                    share=share,
                    where=folder.where,
                )
            )
        for one in compared(folder.events, folder.disclosure, ShareId(share), Renderer()):
            counted[one.state] = counted.get(one.state, 0) + 1
            if one.state not in FINE:
                print("\n".join(told(one)))
    finally:
        folder.close()
    print(", ".join(f"{many} {WORDS[state]}" for state, many in counted.items()) or _("Nothing was ever recorded."))
    differs = any(state not in FINE for state in counted)
    if differs:
        print(_("What was recorded stays as it is; only the answer of today's code is different."), file=sys.stderr)
    return 1 if differs else 0


def told(one: Compared) -> list[str]:
    """Return a comparison in lines."""
    name = _("update {n}", n=one.n) if one.n else _("at {at:%Y-%m-%d %H:%M:%S} UTC", at=one.at)
    lines = [f"{name}: {WORDS[one.state]}"]
    for apart in one.apart:
        lines += [
            f"  {apart.field}",
            _("    recorded   {short}", short=short(apart.recorded)),
            _("    recomputed {short}", short=short(apart.recomputed)),
        ]
    return lines


def short(text: str) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
