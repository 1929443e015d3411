"""`fanlight restored`: let a record go on after a backup was restored, without giving a number a second meaning."""

from collections.abc import Sequence

from domain.ids import ShareId
from domain.language import gettext as _
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
        raise BadSetting(_("Say which database was restored with --database-url, as its owner."))
    if margin < 0:
        raise BadSetting(_("--margin is {margin}; expected 0 or more.", margin=margin))
    seen = _seen(shown)
    try:
        logs = Database(settings.database_url, anywhere=True)
    except Unusable as error:
        raise BadSetting(str(error)) from None
    try:
        world, renderer, said = CurrentWorld(logs.events).world, Renderer(), []
        if unknown := sorted(set(seen) - set(world.shares)):
            raise BadSetting(_("There is no share {unknown} in {where}.", unknown=unknown[0], where=logs.where))
        logs.disclosure.keep_stylesheet(renderer.stylesheet, renderer.css)
        for share in sorted(world.shares):
            head = logs.disclosure.head(share)
            upto = max(head, seen.get(share, 0)) + margin
            kept = restoring.keep_numbers(logs, share, upto, renderer, clock.now, random_salt)
            said.append(
                _("{share}: {head} to {upto} lost", share=share, head=head + 1, upto=upto)
                if kept
                else _("{share}: nothing lost after {head}", share=share, head=head)
            )
        restoring.state(logs, clock.now(), "operator", "; ".join([reason, *said]))
    finally:
        logs.close()
    database.adopt(settings.database_url)
    print("\n".join([*said, _("It may be served again.")]))
    return 0


def _seen(shown: Sequence[str]) -> dict[ShareId, int]:
    found: dict[ShareId, int] = {}
    for one in shown:
        share, _sep, n = one.partition("=")
        if not (share and n.isdecimal() and len(n) < 10):
            raise BadSetting(_("--shown is {one!r}; expected SHARE=N, such as --shown h4rb0ura7k2q=93.", one=one))
        found[ShareId(share)] = max(int(n), found.get(ShareId(share), 0))
    return found
