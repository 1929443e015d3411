"""The time line of a replay: how many events when, and per share its updates and when somebody had them on screen.

Rule: reads are bounded. Where there are too many events or updates to read one by one, they are counted or sampled.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from domain.agreement.share import Share
from domain.events import Recorded, closes
from projections.events.event_log import EventLog
from projections.replay import pages
from projections.wording import words
from web.audit.events import Filter, position_before, streams_of
from web.process.services import Services
from web.record.lanes import Bar, Stretch, bars, watched

EVENTS = 2000  # read one by one
UPDATES = 1000  # of a share, read one by one
BUCKETS = 120
LANES = 12  # of shares; more than eight scroll


class Pile(msgspec.Struct, frozen=True):
    """How many events lie in one part of the stretch."""

    x: str  # percent
    height: float  # 0 to 1, the square root of its share of the most
    many: int


class ShareLane(msgspec.Struct, frozen=True, kw_only=True):
    """One share on the time line."""

    share: Share
    client: str  # its name
    project: str  # its title
    ticks: tuple[str, ...]  # updates, in percent
    bars: tuple[Bar, ...]


class TimeLine(msgspec.Struct, frozen=True, kw_only=True):
    """All that is drawn of a stretch."""

    stretch: Stretch
    piles: tuple[Pile, ...]
    lanes: tuple[ShareLane, ...]
    marks: tuple[tuple[str, str], ...]  # percent and label
    more: int  # shares without a lane
    all_kinds: bool  # the piles count every event, since there are too many to look at


def time_line(services: Services, over: Stretch, wanted: Filter, shares: Sequence[Share], at: datetime) -> TimeLine:
    """Return the time line of a stretch; where there are too many receipts, those nearest to `at`. For threads."""
    piles, all_kinds = _piles(services, over, wanted)
    return TimeLine(
        stretch=over,
        piles=piles,
        lanes=tuple(_lane(services, over, share, at) for share in shares[:LANES]),
        marks=tuple(_marks(over)),
        more=max(0, len(shares) - LANES),
        all_kinds=all_kinds,
    )


def _piles(services: Services, over: Stretch, wanted: Filter) -> tuple[tuple[Pile, ...], bool]:
    """Return the piles, and whether they count more than what is wanted, since there are too many events to look at."""
    log = services.logs.events
    first, last = position_before(log, over.start), position_before(log, over.end)
    crowded = last - first > EVENTS
    counts = _between(log, over, last) if crowded else _of_wanted(services, over, wanted, (first, last))
    width = (over.end - over.start) / BUCKETS
    most = max(counts, default=0) or 1
    piles = tuple(
        Pile(over.x(over.start + width * (i + 0.5)), (many / most) ** 0.5, many)
        for i, many in enumerate(counts)
        if many
    )
    return piles, crowded and bool(wanted.project or wanted.kind or wanted.actor)


def _of_wanted(services: Services, over: Stretch, wanted: Filter, span: tuple[int, int]) -> list[int]:
    """Return how many of the events wanted lie in each bucket, read one by one; `span` are positions (after, upto)."""
    streams, width = streams_of(services.present.world, wanted.project), (over.end - over.start) / BUCKETS
    counts = [0] * BUCKETS
    first, last = span
    for recorded in services.logs.events.after(first, last - first) if last > first else []:
        if isinstance(recorded, Recorded) and taken(recorded, wanted, streams):
            counts[min(BUCKETS - 1, int((recorded.at - over.start) / width))] += 1
    return counts


def _between(log: EventLog, over: Stretch, last: int) -> list[int]:
    """Return how many events of any kind lie in each bucket; `last` is the position of the last one."""
    width = (over.end - over.start) / BUCKETS
    edges = [position_before(log, over.start + width * i) for i in range(BUCKETS)] + [last]
    return [edges[i + 1] - edges[i] for i in range(BUCKETS)]


def taken(recorded: Recorded, wanted: Filter, streams: frozenset[str]) -> bool:
    """Tell whether an event is asked for; what the machinery records only where its kind is."""
    return not closes(recorded.stream) and wanted.shows(recorded, streams)


def _lane(services: Services, over: Stretch, share: Share, at: datetime) -> ShareLane:
    log, world = services.logs.disclosure, services.present.world
    first, last = pages.number_at(log, share.id, over.start), pages.number_at(log, share.id, over.end)
    step = max(1, -(-(last - first) // UPDATES))
    numbers = range(first + 1, last + 1, step)
    if step == 1:
        instants = [h.instant for h in log.headers(share.id, first, last - first, last)] if last > first else []
    else:
        instants = [at_n for n in numbers if (at_n := log.recorded_at(share.id, n)) is not None]
    seen, end = watched(services, share.id, at, over, [])
    return ShareLane(
        share=share,
        client=world.client_name(share.client),
        project=world.projects[share.project].title,
        ticks=tuple(dict.fromkeys(f"{float(over.x(recorded)):.1f}" for recorded in instants)),
        bars=tuple(bars(seen, over, end, lambda _interval: False)),
    )


def _marks(over: Stretch) -> Sequence[tuple[str, str]]:
    """Return up to nine days under the line, each where it begins, in percent, and what it is called."""
    days = max(1, (over.end - over.start).days)
    step = timedelta(days=-(-days // 9))
    marks: list[tuple[str, str]] = []
    at = over.start
    while at < over.end:
        there = at.date()
        new = not marks or there.year != (at - step).year  # the first mark says the year, and each in a new one
        label = words.month_year(there) if days > 300 else words.day_year(there) if new else words.day(there)
        marks.append((over.x(at), f"{words.weekday(there)} {label}" if days < 15 else label))
        at += step
    return marks
