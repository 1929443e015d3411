"""`fanlight restored`: let a record go on after a backup was restored, without giving a number a second meaning."""

from collections.abc import Sequence

from domain.ids import ShareId
from projections.events.present import CurrentWorld
from projections.follow import restoring
from projections.installation import database
from projections.installation.database import Database, Unusable
from web import clock
from web.ids import random_salt
from web.render.page import Renderer
from web.settings import BadSetting, Settings


def run(settings: Settings, shown: Sequence[str], margin: int, reason: str) -> int:
    """Keep the numbers that may have been given before, put it on record, and let the database be served again.

    `shown` says SHARE=N: a number somebody has seen. Raises: BadSetting.
    """
    if not settings.database_url:
        raise BadSetting("Say which database was restored with --database-url, as its owner.")
    if margin < 0:
        raise BadSetting(f"--margin is {margin}; expected 0 or more.")
    seen = _seen(shown)
    try:
        logs = Database(settings.database_url, anywhere=True)
    except Unusable as error:
        raise BadSetting(str(error)) from None
    try:
        world, renderer, said = CurrentWorld(logs.events).world, Renderer(), []
        if unknown := sorted(set(seen) - set(world.shares)):
            raise BadSetting(f"There is no share {unknown[0]} in {logs.where}.")
        logs.disclosure.keep_stylesheet(renderer.stylesheet, renderer.css)
        for share in sorted(world.shares):
            head = logs.disclosure.head(share)
            upto = max(head, seen.get(share, 0)) + margin
            kept = restoring.keep_numbers(logs, share, upto, renderer, clock.now, random_salt)
            said.append(f"{share}: {head + 1} to {upto} lost" if kept else f"{share}: nothing lost after {head}")
        restoring.state(logs, clock.now(), "operator", "; ".join([reason, *said]))
    finally:
        logs.close()
    database.adopt(settings.database_url)
    print("\n".join([*said, "It may be served again."]))
    return 0


def _seen(shown: Sequence[str]) -> dict[ShareId, int]:
    found: dict[ShareId, int] = {}
    for one in shown:
        share, _, n = one.partition("=")
        if not (share and n.isdecimal() and len(n) < 10):
            raise BadSetting(f"--shown is {one!r}; expected SHARE=N, such as --shown h4rb0ura7k2q=93.")
        found[ShareId(share)] = max(int(n), found.get(ShareId(share), 0))
    return found
