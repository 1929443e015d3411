"""The time line of a replay: events by density, and per share its updates and when somebody had them on screen.

Rule: bounded reads. Beyond what can be drawn one by one, marks stand for how many there were.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from domain.agreement.share import Share
from domain.events import Recorded
from projections.replay import pages
from projections.wording import words
from web.audit.events import Filter, position_before
from web.process.services import Services
from web.record.lanes import Bar, Stretch, bars, watched

EVENTS = 2000  # read one by one
UPDATES = 1000  # of a share, read one by one
BUCKETS = 120
LANES = 6


class Pile(msgspec.Struct, frozen=True):
    """How many stand at one place: percent, and 0 to 1 of the most."""

    x: str
    height: float
    many: int


class ShareLane(msgspec.Struct, frozen=True, kw_only=True):
    """One share on the time line."""

    share: Share
    client: str
    ticks: tuple[str, ...]
    bars: tuple[Bar, ...]


class TimeLine(msgspec.Struct, frozen=True, kw_only=True):
    """All there is to draw."""

    stretch: Stretch
    piles: tuple[Pile, ...]
    lanes: tuple[ShareLane, ...]
    marks: tuple[tuple[str, str], ...]  # percent and label
    more: int  # shares without a lane
    all_kinds: bool  # the piles count every event, since there are too many to look at


def time_line(
    services: Services, over: Stretch, wanted: Filter, streams: frozenset[str], shares: Sequence[Share], at: datetime
) -> TimeLine:
    """Return the time line of a stretch. For threads."""
    piles, all_kinds = _piles(services, over, wanted, streams)
    return TimeLine(
        stretch=over,
        piles=piles,
        lanes=tuple(_lane(services, over, share, at) for share in shares[:LANES]),
        marks=tuple(_marks(over)),
        more=max(0, len(shares) - LANES),
        all_kinds=all_kinds,
    )


def _piles(services: Services, over: Stretch, wanted: Filter, streams: frozenset[str]) -> tuple[tuple[Pile, ...], bool]:
    log = services.logs.events
    first, last = position_before(log, over.start), position_before(log, over.end)
    width = (over.end - over.start) / BUCKETS
    counts = [0] * BUCKETS
    if last - first <= EVENTS:
        found = log.after(first, last - first) if last > first else []
        for recorded in found:
            if isinstance(recorded, Recorded) and taken(recorded, wanted, streams):
                counts[min(BUCKETS - 1, int((recorded.at - over.start) / width))] += 1
    else:
        edges = [position_before(log, over.start + width * i) for i in range(BUCKETS)] + [last]
        counts = [edges[i + 1] - edges[i] for i in range(BUCKETS)]
    most = max(counts, default=0) or 1
    piles = tuple(
        Pile(over.x(over.start + width * (i + 0.5)), (many / most) ** 0.5, many)
        for i, many in enumerate(counts)
        if many
    )
    return piles, last - first > EVENTS and bool(wanted.project or wanted.kind or wanted.actor)


def taken(recorded: Recorded, wanted: Filter, streams: frozenset[str]) -> bool:
    """Tell whether an event is asked for; what closes a command is never listed by itself."""
    return not recorded.stream.startswith("command-") and wanted.takes(recorded, streams)


def _lane(services: Services, over: Stretch, share: Share, at: datetime) -> ShareLane:
    log = services.logs.disclosure
    first, last = pages.number_at(log, share.id, over.start), pages.number_at(log, share.id, over.end)
    step = max(1, -(-(last - first) // UPDATES))
    numbers = range(first + 1, last + 1, step)
    if step == 1:
        instants = [h.instant for h in log.headers(share.id, first, last - first, last)] if last > first else []
    else:
        instants = [found for n in numbers if (found := log.recorded_at(share.id, n)) is not None]
    seen, end = watched(services, share.id, at, over, [])
    return ShareLane(
        share=share,
        client=services.present.world.client_name(share.client),
        ticks=tuple(dict.fromkeys(f"{float(over.x(one)):.1f}" for one in instants)),
        bars=tuple(bars(seen, over, end, lambda _one: False)),
    )


def _marks(over: Stretch) -> Sequence[tuple[str, str]]:
    days = max(1, (over.end - over.start).days)
    step = timedelta(days=-(-days // 9))
    found, at = [], over.start
    while at < over.end:
        there = at.date()
        label = words.day(there) if days < 120 else words.month_year(there) if days > 300 else words.day(there)
        found.append((over.x(at), f"{there:%a} {label}" if days < 15 else label))
        at += step
    return found
