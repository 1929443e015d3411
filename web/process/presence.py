"""Which dashboards are open and which shares are stopped, on all processes together."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from projections.logs.disclosure_log import Parked
from web.process.services import Services
from web.push.viewer import Watching


class Looker(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has a share open now, on one page or on several."""

    name: str  # as the client's side knows them
    pages: int
    paused: bool  # every page of theirs is
    hidden: bool  # no page of theirs is in front


def watching(services: Services, share: str) -> list[Watching]:
    """Return the open dashboards of a share on every process. For threads."""
    here = services.live.watching(share)
    if not services.logs.shared:
        return here
    if services.hints is not None and services.hints.listening:
        return here + services.hints.watching(share)
    tabs_here = {watching.tab for watching in here}
    return here + [
        Watching(
            person=tab.person,
            tab=tab.tab,
            since=0,
            sent=tab.delivered,
            displayed=tab.n,
            visible=tab.n > 0,
            paused=tab.paused,
        )
        for tab in services.receipts.open_tabs(share)
        if tab.tab not in tabs_here
    ]


def lookers(pages: Iterable[Watching], name: Callable[[str], str]) -> tuple[Looker, ...]:
    """Return who has pages open, each person once, in the order of their first page; `name` gives a name by id."""
    theirs: dict[str, list[Watching]] = {}
    for page in pages:
        theirs.setdefault(page.person, []).append(page)
    return tuple(
        Looker(
            name=name(person),
            pages=len(opened),
            paused=all(page.paused for page in opened),
            hidden=not any(page.visible for page in opened),
        )
        for person, opened in theirs.items()
    )


def people_watching(services: Services, share: str) -> int:
    """Return how many people, wall displays among them, have a dashboard of a share open. For threads."""
    return len({page.person for page in watching(services, share)})


def all_stopped(services: Services) -> dict[str, int]:
    """Return the shares that are stopped, with the position of the last event each has taken in."""
    return positions((services.tail if services.logs.shared else services.follower).parked)


def positions(parked: Mapping[str, Parked]) -> dict[str, int]:
    """Return the position of the last event that each share has taken in, of shares that stopped."""
    return {share: one.position for share, one in list(parked.items())}


def stopped(services: Services, share: str) -> Parked | None:
    """Return where and why a share is stopped, None where it is not."""
    return (services.tail if services.logs.shared else services.follower).parked.get(share)


def ask_again(services: Services, share: str) -> None:
    """Make whichever process leads try a stopped share again."""
    services.follower.ask_again(share)
    if services.hints is not None:
        services.hints.tell(retry=share)
