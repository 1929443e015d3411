"""What one view tells that another does not, value by value: the consequence of an agreement not in force yet. Pure.

Rule: every value of a view is a fact, found by walking its fields: one that nobody thought of here is compared too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from domain.view import Baseline, ClientView, CurvePoint, ForecastPoint, Indicator, Remark

Key = tuple[str, str, str]  # subject ("milestone-m1", "risk-r7", "budget", "page"), field, one of several or ""
ITEMS = {"milestones": "milestone", "risks": "risk", "concerns": "concern"}
PAST = frozenset({"previous", "remarks"})  # tell of what was before
COURSES = frozenset({"trend", "baselines"})  # of these the newest is the present
NOTHING: Mapping[Key, object] = {}


class Consequence(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of each fact when one view takes the place of another."""

    new: tuple[Key, ...]  # told now, and not before
    gone: tuple[Key, ...]  # told before, and not now
    changed: tuple[Key, ...]  # told both times, with another value
    same: tuple[Key, ...]


def consequence(before: Mapping[Key, object], after: Mapping[Key, object]) -> Consequence:
    """Return what becomes of each fact, in the order of the views."""
    both = [key for key in after if key in before]
    return Consequence(
        new=tuple(key for key in after if key not in before),
        gone=tuple(key for key in before if key not in after),
        changed=tuple(key for key in both if before[key] != after[key]),
        same=tuple(key for key in both if before[key] == after[key]),
    )


def facts(view: ClientView | None) -> dict[Key, object]:
    """Return every value a view tells, by what it is of; nothing for no view."""
    return {} if view is None else dict(_view(view))


def past(told: Mapping[Key, object]) -> frozenset[Key]:
    """Return the facts that each tell of one change in the past: of one change one fact, where several tell of it."""
    newest: dict[tuple[str, str], Key] = {}
    found = set()
    for key, value in told.items():
        subject, field, _ = key
        if field in COURSES:
            newest[subject, field] = max(key, newest.get((subject, field), key))
            found.add(key)
        elif field in PAST or _of_the_past(key, value, told):
            found.add(key)
    return frozenset(found - set(newest.values()))


def _of_the_past(key: Key, value: object, told: Mapping[Key, object]) -> bool:
    subject, field, one = key
    match field:
        case "indicator":
            return bool(one)
        case "curve":
            return _spent(value)
        case "reason":
            return not any(k[0] == subject and k[1] == "trend" for k in told)
        case "original_baseline":
            return value != told.get((subject, "baseline", ""))
        case _:
            return False


def _spent(value: object) -> bool:
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
        for place, one in enumerate(value):
            yield (subject, field, _name(one, place)), one
    elif not _absent(field, value):
        yield (subject, field, ""), value


def _name(one: object, place: int) -> str:
    match one:
        case ForecastPoint(on=on) | CurvePoint(on=on):
            return on.isoformat()
        case Baseline(number=number):
            return f"{number:06}"
        case Remark(at=at, by=by):
            return f"{at.isoformat()} {by}"
        case _:
            return str(place)


def _absent(field: str, value: object) -> bool:
    """None and "" are what a client cannot tell from not shared; so is a flag that is down, but for an answer."""
    return value is None or value == "" or (value is False and field != "needs_acceptance")
