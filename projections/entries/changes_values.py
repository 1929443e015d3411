"""Every value of a view that the catalogue has a row for, compared with the view before: one change for each. Pure.

Rule: the values are found by walking the rows, so one that is added to the catalogue is told as well. What became of a
thing is told by `changes_course` in words of its own; what is told there is not told here.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from operator import attrgetter
from typing import Any

import msgspec

from domain import catalogue
from domain.catalogue import Item, Row
from domain.language import N_, Said
from domain.language import gettext as _
from domain.money import Money
from domain.view import ClientView, Indicator
from projections.entries.changes_course import DIMENSIONS, indicator
from projections.entries.changes_said import quoted
from projections.entries.entry import Change
from projections.entries.one_change import Thing, change
from projections.wording import values, words
from projections.wording.values import STATUS, Way

SAID = frozenset({"remarks", "indicator", "overall"})  # fields that are told elsewhere: what was said, and statuses
PAIRED = {"earliest": "latest", "client_action": "client_action_due", "curve": "curve_currency"}  # told as one value
TO_CLIENT = Said(
    {
        "client_action": N_("Waiting for you"),
        "client_score": N_("Your score"),
        "client_band": N_("Band of your score"),
        "client_scored_by": N_("Who scored for you"),
        "view_needed": N_("Your view asked for"),
        "earliest": N_("Earliest and latest"),
    }
)  # labels of a change, where the one in the catalogue is said of the client
FOLLOWS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "milestone": {
        "original_baseline": frozenset({"baseline"}),
        "slip": frozenset({"baseline", "original_baseline", "forecast", "actual", "status"}),
        "status": frozenset({"baseline", "forecast", "actual"}),
        "reason": frozenset({"forecast", "earliest"}),
        "trend": frozenset({"forecast", "actual"}),
        "progress": frozenset({"actual"}),
    },
    "risk": {
        "band": frozenset({"score"}),
        "band_since": frozenset({"score", "band"}),
        "previous": frozenset({"score", "band"}),
        "previous_band": frozenset({"score", "band", "previous"}),
        "inherent_band": frozenset({"inherent"}),
        "client_band": frozenset({"client_score"}),
        "client_scored_by": frozenset({"client_score"}),
        "view_needed": frozenset({"client_score"}),
    },
    "budget": {
        "spent_share": frozenset({"spent", "budget"}),
        "forecast_share": frozenset({"forecast", "budget"}),
        "planned_share": frozenset({"planned", "budget"}),
        "earned_share": frozenset({"earned", "budget"}),
        "curve": frozenset(
            {"spent", "forecast", "planned", "earned", "budget", "status_date"}
            | {"spent_share", "forecast_share", "planned_share", "earned_share"}
        ),
    },
}  # by item, the values that come of others of the same thing, and are not told beside them


class Told(msgspec.Struct, frozen=True):
    """A value that is told by itself: one field of a row, or two that belong together."""

    row: Row
    fields: tuple[str, ...]
    label: str


def _of(item: Item) -> Iterator[Told]:
    for row in catalogue.of(item):
        for field, label in row.shows.items():
            if field not in SAID and field not in PAIRED.values():
                fields = (field, PAIRED[field]) if field in PAIRED else (field,)
                yield Told(row, fields, TO_CLIENT.get(field, label))


TOLD: Mapping[str, tuple[Told, ...]] = {
    item: tuple(_of(item)) for item in ("milestone", "risk", "budget", "project")
}  # the values of each item
FIELDS: Mapping[str, tuple[str, ...]] = {
    item: tuple(field for told in values_told for field in told.fields) for item, values_told in TOLD.items()
}


READ: Mapping[str, Callable[[object], tuple[Any, ...]]] = {
    item: attrgetter(*fields) for item, fields in FIELDS.items()
}  # all of a thing at once


def apart(thing: Thing, old: object, new: object) -> list[Told]:
    """Return every value of a thing that is another one now."""
    read, fields = READ[thing.item], FIELDS[thing.item]
    before, after = read(old), read(new)
    others = {field for field, was, now in zip(fields, before, after, strict=True) if was is not now and was != now}
    return [told for told in TOLD[thing.item] if not others.isdisjoint(told.fields)] if others else []


def difference(thing: Thing, told: Told, old: object, new: object, way: Way) -> Change:
    """Return the change of a value."""
    before, after = ([getattr(view, field) for field in told.fields] for view in (old, new))
    return _difference(thing, told, (before, after), way)


def _difference(thing: Thing, told: Told, moved: tuple[list[Any], list[Any]], way: Way) -> Change:
    field = told.fields[0]
    was, now = ("; ".join(filter(None, map(values.data, told.fields, side))) for side in moved)
    before, after = (_words(told, side, way) for side in moved)
    if thing.item == "budget" and isinstance(moved[0][0], Money) and isinstance(moved[1][0], Money):
        before, after = _amounts(moved[0][0], moved[1][0])
    return change(
        f"{thing.item}.{field.replace('_', '-')}",
        thing.subject,
        _(told.label) if thing.item in ("budget", "project") else thing.title,
        before="" if before == _("Updated") else quoted(before),
        after=quoted(after) or _("Removed"),
        note=_note(thing, told, moved, way),
        say=_sentence(thing, told, moved, way),
        row=told.row.id,
        field=field,
        was=was,
        now=now,
    )


def _words(told: Told, side: list[Any], way: Way, *, long: bool = False) -> str:
    """Return a value, or two that belong together, in words."""
    texts = [values.said(field, value, way, long=long) for field, value in zip(told.fields, side, strict=True)]
    match told.fields[0]:
        case "earliest":
            return values.span(*texts)
        case "client_action" if all(texts):
            return _("{action}, due {day}", action=texts[0], day=texts[1])
        case "client_action" if texts[1]:
            return _("Due {day}", day=texts[1])
        case "curve":
            return texts[0] or texts[1]
        case _:
            return texts[0]


def _amounts(before: Money, after: Money) -> tuple[str, str]:
    """Return two amounts in short where those differ, else to their last digit."""
    short = words.money(before), words.money(after)
    return short if short[0] != short[1] else (words.exact(before), words.exact(after))


def _note(thing: Thing, told: Told, moved: tuple[list[Any], list[Any]], way: Way) -> str:
    """Return what stands under a value: which one it is where the title names the thing, and how far a date moved."""
    label = "" if thing.item in ("budget", "project") else _(told.label)
    before, after = moved[0][0], moved[1][0]
    if len(told.fields) > 1 or not _is_day(before) or not _is_day(after):
        return label
    days, unit = (after - before).days, "day" if told.fields[0] in values.DAYS else way.unit
    by = words.signed_in(days, unit)
    return _("{label}, {by}", label=label, by=by) if label else by


def _is_day(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _sentence(thing: Thing, told: Told, moved: tuple[list[Any], list[Any]], way: Way) -> str:
    before, after = (quoted(_words(told, side, way, long=True)) for side in moved)
    title, label = thing.title, _(told.label)
    if not after:
        return _("{title}: {label} removed", title=title, label=label)
    if isinstance(moved[1][0], tuple) or before == after:
        return _("{title}: {label} updated", title=title, label=label)
    if not before:
        return _("{title}: {label} set to {after}", title=title, label=label, after=after)
    return _("{title}: {label} changed from {before} to {after}", title=title, label=label, before=before, after=after)


# statuses


def judged(old: ClientView, new: ClientView) -> Iterator[Change]:
    """Yield what else than its status changed of each health indicator, and indicators that are there or gone now."""
    for name in DIMENSIONS:
        before, after = indicator(old, name), indicator(new, name)
        if before is after:
            continue
        if before is None or after is None:
            yield from _appeared(name, before, after)
        elif before.status == after.status:
            yield from _grounds(name, before, after)


def _appeared(name: str, before: Indicator | None, after: Indicator | None) -> Iterator[Change]:
    was, now = ("" if one is None else one.status for one in (before, after))
    if was != now:
        title = values.HEALTH[name]
        if after is None:
            say = _("{title} removed", title=title)
        else:
            say = _("{title} set to {after}", title=title, after=STATUS[after.status])
        yield change(
            f"health.{name}",
            "budget" if name == "budget" else "project",
            title,
            before=STATUS.get(was, ""),
            after=STATUS.get(now) or _("Removed"),
            why=after.reason if after else "",
            say=say,
            row=f"health.{name}",
            field="status",
            was=was,
            now=now,
        )


def _grounds(name: str, before: Indicator, after: Indicator) -> Iterator[Change]:
    """Yield the reason, the rule and the earlier status of an indicator whose status is the same."""
    title = values.HEALTH[name]
    grounds = {
        "reason": (N_("Reason"), _ground(before), _ground(after)),
        "rule": (N_("Rule"), before.rule, after.rule),
        "previous": (N_("Status before"), STATUS.get(before.previous or "", ""), STATUS.get(after.previous or "", "")),
    }
    for field, (marked, was, now) in grounds.items():
        if was != now:
            label = _(marked)
            yield change(
                f"health.{name}.{field}",
                "budget" if name == "budget" else "project",
                title,
                before=quoted(was),
                after=quoted(now) or _("Removed"),
                note=label,
                say=_("{title}: {label} is now {now}", title=title, label=label, now=quoted(now))
                if now
                else _("{title}: {label} removed", title=title, label=label),
                row=f"health.{name}",
                field=field,
                was=was,
                now=now,
            )


def _ground(given: Indicator) -> str:
    if not given.overridden:
        return given.reason or _("By the rule")
    return _("Set by hand: {reason}", reason=given.reason) if given.reason else _("Set by hand")
