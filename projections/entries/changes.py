"""The differences between two views of a share, as data and in words. Pure.

Rule: every difference a reader would notice is a `Change`, one for each thing and value; what no row of the catalogue
names is told by its name. A reader folds the changes of several updates by subject, row and field.
"""

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter, is_
from typing import Any

import msgspec

from domain.language import LANGUAGES, N_, Said
from domain.language import gettext as _
from domain.memory import apart
from domain.view import BudgetVital, ClientView, DateUnit, RiskCard
from projections.entries import changes_course as course
from projections.entries import changes_values as values
from projections.entries.changes_aligned import aligned, coarser, respoken
from projections.entries.changes_said import said
from projections.entries.entry import Change
from projections.entries.one_change import Thing, change
from projections.wording import phrases
from projections.wording.values import Way, way_of

CONFIRMED = frozenset({"project.confirmed", "milestone.confirmed"})
NAMED = Said(
    {
        "organisation": N_("Organisation"),
        "client": N_("Client"),
        "project": N_("Title of the project"),
        "time_zone": N_("Time zone"),
        "language": N_("Language"),
        "brand": N_("Look"),
        "scale": N_("Scale of risks"),
    }
)  # members of a view that no row names; each is told by itself
OTHERS = Said(
    {
        "scope": N_("What the agreement covers"),
        "headline": N_("Headline"),
        "schedule": N_("Schedule"),
        "budget": N_("Budget"),
        "risk": N_("Risk"),
        "milestones": N_("Milestones"),
        "risks": N_("Risks"),
        "concerns": N_("Concerns"),
        "agreement_ack": N_("Acknowledgement"),
        "as_of": N_("Day of the last change"),
        "date_unit": N_("Unit of dates"),
        "money_step": N_("Rounding of amounts"),
        "milestones_shared": N_("Whether milestones are shared"),
        "risks_shared": N_("Whether risks are shared"),
    }
)  # members of a view in which more than the rows name can differ; told where nothing else is


LISTED = ("milestones", "risks", "concerns")  # members of a view that are compared thing by thing
_page = attrgetter(*(name for name in ClientView.__struct_fields__ if name not in LISTED))
NONE: frozenset[str] = frozenset()
Both = Callable[[Thing, Any, Any], Iterable[Change]]  # what is told of a thing that is in both views


def changes(previous: ClientView | None, view: ClientView) -> tuple[Change, ...]:
    """Return every difference a reader would notice, most important first."""
    if previous is None:
        return (_opened(view),)
    previous = respoken(previous, view)
    amended = previous.terms_version != view.terms_version
    old = aligned(previous, view) if amended else previous
    way = msgspec.structs.replace(way_of(view), unit=coarser(previous, view))

    def both(thing: Thing, before: Any, after: Any) -> Iterator[Change]:
        return _all_of(thing, before, after, way)

    moved = [*course.agreement(previous, view), *_moved(old, view, way.unit, both)]
    quietly = view.confirmed_quietly
    named = () if _same_page(old, view) else _named(old, view)
    noticed = [*_confirmed_once(moved, quietly=quietly), *said(old, view), *named]
    if noticed or previous == view:
        return tuple(noticed)
    alone = quietly and bool(moved) and all(one.row in CONFIRMED for one in moved)  # and nothing but the time of it
    if alone or msgspec.structs.replace(previous, unconfirmed=view.unconfirmed) == view:
        return ()
    return (_others(previous, view),)


def of_format_1(previous: ClientView | None, view: ClientView) -> tuple[Change, ...]:
    """Return the changes that an entry of format 1 has, with the data that `projections/follow/format_1.py` leaves out.

    They are compared with what was recorded, so nothing is added here.
    """
    if previous is None:
        return (_opened(view),)

    def both(thing: Thing, before: Any, after: Any) -> Iterator[Change]:
        return iter(()) if before is None or after is None else _course(thing, before, after, "day")

    noticed = [*course.agreement(previous, view), *_moved(previous, view, "day", both), *said(previous, view)]
    if not noticed and previous != view:
        say = _("Details were updated")
        noticed = [change("share.updated", "project", view.project, after=_("Details updated"), say=say)]
    return tuple(noticed)


def _same_page(old: ClientView, new: ClientView) -> bool:
    """Tell whether all of a view but its lists is the very same, so that nothing of it is to be compared."""
    return all(map(is_, _page(old), _page(new)))


def _opened(view: ClientView) -> Change:
    say = _("{project} is shared with you", project=view.project)
    return change("share.opened", "project", view.project, after=_("Shared"), why=_("First update"), say=say)


def _moved(old: ClientView, new: ClientView, unit: DateUnit, both: Both) -> Iterator[Change]:
    """Yield what changed of the project, its milestones, its risks and its budget, in this order."""
    if not _same_page(old, new):
        yield from both(Thing("project", "", new.project), old, new)
    gone, others = apart(old.milestones, new.milestones)  # the same row says nothing new
    rows = {row.id: row for row in gone}
    for row in reversed(others):
        was = rows.pop(row.id, None)
        if was is None:
            yield course.milestone_added(row, unit)
        else:
            yield from both(Thing("milestone", row.id, row.title), was, row)
    yield from (course.milestone_withdrawn(row, unit) for row in rows.values())
    left, dealt = apart(old.risks, new.risks)
    cards = {card.id: card for card in left}
    for card in dealt:
        earlier = cards.pop(card.id, None)
        if earlier is None:
            yield course.risk_added(card)
        else:
            yield from both(Thing("risk", card.id, course.name_of(card)), earlier, card)
    yield from map(course.risk_withdrawn, cards.values())
    if old.budget is not new.budget:
        yield from both(Thing("budget", "", _("Budget")), old.budget, new.budget)


def _course(thing: Thing, before: Any, after: Any, unit: DateUnit) -> Iterator[Change]:
    match thing.item:
        case "project":
            return course.project(before, after)
        case "milestone":
            return course.milestone(before, after, unit)
        case "risk":
            return course.risk(before, after)
        case _:
            return course.budget(before, after)


def _all_of(thing: Thing, before: Any, after: Any, way: Way) -> Iterator[Change]:
    """Yield what became of a thing, and of its other values those that do not only follow from what is told."""
    if thing.item == "budget":
        before, after = before or BudgetVital(), after or BudgetVital()
    found = [*_course(thing, before, after, way.unit)]
    known = {(one.row, one.field) for one in found}
    if thing.item == "project":
        found += values.judged(before, after)
    if thing.item == "risk":
        found += _renamed(thing, before, after)
    apart = [told for told in values.apart(thing, before, after) if (told.row.id, told.fields[0]) not in known]
    follows = values.FOLLOWS.get(thing.item, {})
    fields = {one.field for one in found} | {told.fields[0] for told in apart}
    left = [told for told in apart if not follows.get(told.fields[0], NONE) & fields]
    found += [values.difference(thing, told, before, after, way) for told in left]
    return (one for one in found if not follows.get(one.field, NONE) & fields)


def _renamed(thing: Thing, before: RiskCard, after: RiskCard) -> Iterator[Change]:
    """Yield that a risk has another title or reference."""
    was, now = course.name_of(before), course.name_of(after)
    if was != now:
        say = _("Risk {title} is now called {new_title}", title=was, new_title=now)
        kind, subject = "risk.renamed", thing.subject
        yield change(kind, subject, now, before=was, after=now, say=say, field="title", was=was, now=now)


def _confirmed_once(moved: list[Change], *, quietly: bool) -> list[Change]:
    """Return changes without those of milestones whose plan was confirmed, where that is told of the whole plan.

    With `quietly` no confirmation is a change: the page says when it was, and nobody is told of it.
    """
    if quietly:
        return [one for one in moved if one.row not in CONFIRMED]
    plan = any(one.row == "project.confirmed" for one in moved)
    return [one for one in moved if not plan or one.row != "milestone.confirmed"]


def _named(old: ClientView, new: ClientView) -> Iterator[Change]:
    """Yield what changed of the page as a whole that no row of the catalogue names."""
    for field in NAMED:
        was, now = getattr(old, field), getattr(new, field)
        if was is not now and was != now:
            what = NAMED[field]
            if field == "language":
                was, now = (LANGUAGES.get(code, code) for code in (was, now))
            told = isinstance(was, str) and isinstance(now, str) and field != "brand"
            yield change(
                "share.updated",
                "project",
                what,
                before=was if told else "",
                after=now if told else _("Updated"),
                say=_("{what} updated", what=what),
                field=field,
                was=was if told else "",
                now=now if told else "",
            )


def _others(old: ClientView, new: ClientView) -> Change:
    """Return what else differs, by name."""
    what = phrases.listed([OTHERS[field] for field in OTHERS if getattr(old, field) != getattr(new, field)])
    after = _("{what} updated", what=what)
    return change("share.updated", "project", new.project, after=after, say=after)
