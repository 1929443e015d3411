"""Two views compared value by value: what a client will see more, less or otherwise under another agreement. Pure.

Rule: every value of a view is a fact, found by walking all fields: a field that is added later is compared as well.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from domain import catalogue
from domain.view import Baseline, ClientView, CurvePoint, ForecastPoint, Indicator, Remark
from projections.wording.values import absent

Key = tuple[str, str, str]  # subject ("milestone-m1", "risk-r7", "budget", "page"), field, item of several or ""
ITEMS = {"milestones": "milestone", "risks": "risk", "concerns": "concern"}
COURSES = frozenset({"trend", "baselines"})  # fields with a series of values, of which the newest is the present one
CURVE = frozenset({"curve", "curve_currency"})  # of its points only some tell of the past
PAST = frozenset(field for row in catalogue.ROWS if row.past == "course" for field in row.shows) - COURSES - CURVE
NOTHING: Mapping[Key, object] = {}


class Consequence(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of two views, by what becomes of each when the second replaces the first."""

    new: tuple[Key, ...]  # only in the second view
    gone: tuple[Key, ...]  # only in the first view
    changed: tuple[Key, ...]  # in both, with another value
    same: tuple[Key, ...]


def consequence(before: Mapping[Key, object], after: Mapping[Key, object]) -> Consequence:
    """Compare the facts of two views; each tuple is in the order of the views."""
    both = [key for key in after if key in before]
    return Consequence(
        new=tuple(key for key in after if key not in before),
        gone=tuple(key for key in before if key not in after),
        changed=tuple(key for key in both if before[key] != after[key]),
        same=tuple(key for key in both if before[key] == after[key]),
    )


def facts(view: ClientView | None) -> dict[Key, object]:
    """Return every value in a view by subject, field and item; nothing for no view."""
    return {} if view is None else dict(_view(view))


def past(told: Mapping[Key, object]) -> frozenset[Key]:
    """Return the facts that are about the past, one for each past change even where several facts show it."""
    newest: dict[tuple[str, str], Key] = {}
    about_past = set()
    for key, value in told.items():
        subject, field, _ = key
        if field in COURSES:
            newest[subject, field] = max(key, newest.get((subject, field), key))
            about_past.add(key)
        elif field in PAST or _is_past(key, value, told):
            about_past.add(key)
    return frozenset(about_past - set(newest.values()))


def _is_past(key: Key, value: object, told: Mapping[Key, object]) -> bool:
    subject, field, item = key
    match field:
        case "indicator":
            return bool(item)
        case "curve":
            return _is_spent_point(value)
        case "reason":
            return not any(k[0] == subject and k[1] == "trend" for k in told)
        case "original_baseline":
            return value != told.get((subject, "baseline", ""))
        case _:
            return False


def _is_spent_point(value: object) -> bool:
    return isinstance(value, CurvePoint) and value.spent is not None


def _view(view: ClientView) -> Iterator[tuple[Key, object]]:
    for field in view.__struct_fields__:
        value = getattr(view, field)
        if field in ITEMS:
            for item in value:
                yield from _struct(f"{ITEMS[field]}-{item.id}", item)
        elif field in ("schedule", "budget", "risk") and value is not None:
            yield from _struct(field, value)
        else:
            yield from _value("page" if field != "overall" else "overall", field, value)


def _struct(subject: str, value: Any) -> Iterator[tuple[Key, object]]:
    for field in value.__struct_fields__:
        if field != "id":
            yield from _value(subject, field, getattr(value, field))


def _value(subject: str, field: str, value: object) -> Iterator[tuple[Key, object]]:
    if isinstance(value, Indicator):
        yield (subject, "indicator", ""), msgspec.structs.replace(value, previous=None)
        if value.previous is not None:
            yield (subject, "indicator", "previous"), value.previous
    elif isinstance(value, tuple):
        for place, item in enumerate(value):
            yield (subject, field, _item_name(item, place)), item
    elif not absent(field, value):
        yield (subject, field, ""), value


def _item_name(item: object, place: int) -> str:
    match item:
        case ForecastPoint(on=on) | CurvePoint(on=on):
            return on.isoformat()
        case Baseline(number=number):
            return f"{number:06}"
        case Remark(at=at, by=by):
            return f"{at.isoformat()} {by}"
        case _:
            return str(place)
