"""Changes of many updates folded into one row a thing: what it was, what it is, in how many steps, and why. Pure.

Rule: what is different now is what the two views differ in, whatever lies between; the changes between say in how many
steps it came so, and why. docs/spec.md 3.8.1 and 3.12. `web/static/js/live/sum.js` folds further updates alike.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

import msgspec

from domain.language import gettext as _
from domain.language import ngettext
from domain.view import ClientView
from projections.entries import changes as differences
from projections.entries.changes_values import FOLLOWS
from projections.entries.entry import Change
from projections.entries.one_change import loud
from projections.wording import words
from projections.wording.values import BAND, STATE

SAID = frozenset({"remarks", "ack"})
MEASURED = frozenset(
    {"spent", "planned", "earned", "spent_share", "planned_share", "earned_share", "cpi", "spi_t"}
    | {"status_date", "forecast_on", "spent_on", "earned_on", "curve"}
)  # fields of the budget that come with one measurement: one thing
FIRST = frozenset(
    {"forecast", "actual", "status", "score", "client_score", "spent", "spent_share", "forecast_share", "budget", ""}
)  # fields that a row leads with where more than one is different
DAY = re.compile(r"\d{4}-\d\d-\d\d")
FAR = 1_000_000  # days; a date that came nearer stands behind all that moved away
NONE: frozenset[str] = frozenset()
WORSE = {"on_track": 0, "planned": 0, "met": 0, "at_risk": 1, "overdue": 2, "off_track": 3}


class ThingValue(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a thing: at the beginning, now, and the difference. `was` and `now` are what `as_told` returns."""

    field: str
    rank: int  # the lowest one of a thing leads
    title: str
    before: str
    after: str
    note: str
    was: str
    now: str
    by: int = 0  # days or points of a score by which it is more


class ThingRow(msgspec.Struct, frozen=True, kw_only=True):
    """All that became of one thing."""

    of: str  # which thing: `thing` of its changes
    values: tuple[ThingValue, ...]  # that are different now, the leading one first; none where all are as they were
    title: str
    steps: int  # updates that changed it, of those that were looked at; 0 where none of them did
    why: str  # the newest reason, or the newest words
    word: str  # its status or band at the beginning, "" where none is told
    now: str  # "now at risk" where its status is another one and is not what the row leads with


class ThingStep(msgspec.Struct, frozen=True):
    """The changes of one update."""

    n: int
    changes: tuple[Change, ...]


def step_of(form: Literal[1, 2], n: int, changes: tuple[Change, ...]) -> ThingStep:
    """Return the changes of an entry of a format; those of format 1 with their subjects as format 2 has them."""
    if form == 2:
        return ThingStep(n, changes)
    return ThingStep(n, tuple(msgspec.structs.replace(one, subject=_subject(one)) for one in changes))


def _subject(given: Change) -> str:
    item = given.kind.partition(".")[0]
    return f"{item}-{given.subject}" if item in ("milestone", "risk", "concern") else item


def thing(given: Change) -> str:
    """Return which thing a change is about: "milestone-m1", "milestone-m1.said", "budget.measured"."""
    item, kind = given.subject.partition("-")[0], given.kind
    if given.field in SAID or kind.endswith((".commented", ".acknowledged")):
        return f"{given.subject}.said"
    if kind.startswith("health."):
        return ".".join(kind.split(".")[:2])
    if item == "budget":
        field = given.field or kind.partition(".")[2]
        return "budget.measured" if field in MEASURED else f"budget.{field.removesuffix('_share')}"
    if item in ("milestone", "risk", "concern", "agreement"):
        return given.subject
    return f"{kind}.{given.field}" if kind == "share.updated" else kind


def rank(given: Change) -> int:
    """Return how early a change stands among those of its thing."""
    return 0 if given.field in FIRST else 1


def summed(old: ClientView, new: ClientView, steps: Sequence[ThingStep], reader: str = "") -> tuple[ThingRow, ...]:
    """Return one row for each thing that is different or was meanwhile, the most important first.

    `steps`: updates between the two views, the newest ones where not all were looked at. What `reader` (as `who` of
    changes has it) did is left out.
    """
    net = _by_thing(one for one in loud(differences.changes(old, new)) if not _own(one, reader))
    told: dict[str, list[tuple[int, Change]]] = {}
    for step in steps:
        for one in loud(step.changes):
            if not _own(one, reader):
                told.setdefault(thing(one), []).append((step.n, one))
    amended = old.terms_version != new.terms_version
    known = _words(old), _words(new)
    rows = []
    for of in {**net, **told}:
        seen = told.get(of, [])
        differs = _apart(net.get(of, []), seen) or _happened(seen)
        if differs or (seen and _came_back(seen, exactly=amended)):
            rows.append(_row(of, differs, seen, known))
    return tuple(sorted(rows, key=lambda row: _order(row, known, new)))


def _apart(net: list[Change], told: list[tuple[int, Change]]) -> list[Change]:
    """Return the differences of a thing without those that only come of another value of it that moved meanwhile.

    A date that moved and came back leaves another reason behind, a score another day on which it was set.
    """
    moved = {one.field for _n, one in told}
    return [
        one
        for one in net
        if not (one.field and one.was == one.now) and (one.field in moved or not _sources(one) & moved)
    ]


def _sources(given: Change) -> frozenset[str]:
    """Return the fields of the same thing that the value of a change comes of."""
    if given.kind.startswith("health."):
        return frozenset({"status"}) if given.field in ("previous", "reason") else NONE
    return FOLLOWS.get(given.subject.partition("-")[0], {}).get(given.field, NONE)


def _happened(told: list[tuple[int, Change]]) -> list[Change]:
    """Return the newest change of a thing that is alike in both views, where each was an event without a value."""
    if not told or any(one.field or one.kind.endswith((".added", ".withdrawn")) for _n, one in told):
        return []
    return [told[-1][1]]


def _own(given: Change, reader: str) -> bool:
    return bool(reader) and given.who == reader


def _by_thing(given: Iterable[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for one in given:
        found.setdefault(thing(one), []).append(one)
    return found


def _words(view: ClientView) -> dict[str, str]:
    """Return the status of each milestone and the band of each risk as data, by subject."""
    rows = {f"milestone-{row.id}": row.status or "" for row in view.milestones}
    return {**rows, **{f"risk-{card.id}": card.band or "" for card in view.risks}}


def _row(
    of: str, net: list[Change], told: list[tuple[int, Change]], known: tuple[dict[str, str], dict[str, str]]
) -> ThingRow:
    changes = [one for _n, one in told]
    values = _said(net) if of.endswith(".said") else sorted(map(_value, net), key=lambda value: value.rank)
    newest = (changes or net)[-1]
    was, now = (known[0].get(of, ""), known[1].get(of, ""))
    leads = values[0].field if values else ""
    status = was and now and was != now and of.startswith("milestone-") and leads not in ("status", "actual", "")
    return ThingRow(
        of=of,
        values=tuple(values),
        title=values[0].title if values else newest.title,
        steps=len({n for n, _one in told}),
        why=next((one.why for one in reversed(changes) if one.why), next((one.why for one in net if one.why), "")),
        word=STATE.get(was) or BAND.get(was),
        now=_now(now) if status else "",
    )


def _now(status: str) -> str:
    """Return that a milestone has another status now than at the beginning."""
    match status:
        case "on_track":
            return _("now on track")
        case "at_risk":
            return _("now at risk")
        case "off_track":
            return _("now off track")
        case "overdue":
            return _("now overdue")
        case "met":
            return _("now done")
        case _:
            return _("now planned")


def _value(given: Change) -> ThingValue:
    was, now = as_told(given)
    return ThingValue(
        field=given.field,
        rank=rank(given),
        title=given.title,
        before=given.before,
        after=given.after,
        note=given.note,
        was=was,
        now=now,
        by=_by(given),
    )


def as_told(given: Change) -> tuple[str, str]:
    """Return a value before and after as data that says no more than its words do: "2027-10-05", "2027-10", "2027-Q4".

    A day has its unit; what else would hold a day that is not told is the words themselves.
    """
    return _told(given.was, given.before), _told(given.now, given.after)


def _told(value: str, text: str) -> str:
    if not DAY.search(value):
        return value
    day = _day(value)
    if day is not None and text in (words.day(day), words.day_year(day)):
        return value
    if day is not None and text == words.day_year_in(day, "month"):
        return f"{day:%Y-%m}"
    if day is not None and text == words.day_year_in(day, "quarter"):
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return text


def _by(given: Change) -> int:
    """Return by how many days a date moved, or by how many points a score, 0 for whatever else."""
    was, now = _day(given.was), _day(given.now)
    if was and now:
        return (now - was).days
    if given.field == "score" and given.was and given.now:
        return int(given.now.rpartition("=")[2]) - int(given.was.rpartition("=")[2])
    return 0


def _day(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _said(net: list[Change]) -> list[ThingValue]:
    """Return comments as how many they are, and what else was said as its newest."""
    comments = [one for one in net if one.field == "remarks"]
    others = [_value(one) for one in net if one.field != "remarks"][-1:]
    if not comments:
        return others
    newest = _value(comments[-1])
    after = (
        newest.after
        if len(comments) == 1
        else ngettext("{many} comment", "{many} comments", len(comments), many=len(comments))
    )
    return [msgspec.structs.replace(newest, was=comments[0].was, after=after), *others]


def _came_back(told: list[tuple[int, Change]], *, exactly: bool) -> bool:
    """Tell whether each change of a thing was one of a value; `exactly`: and they end where they began, value by value.

    Under another agreement two views may be alike because a value is not shared any more.
    """
    first: dict[tuple[str, str], Change] = {}
    last: dict[tuple[str, str], Change] = {}
    for _n, one in told:
        first.setdefault((one.row, one.field), one)
        last[one.row, one.field] = one
    return all(key[1] and (not exactly or first[key].was == last[key].now) for key in first)


# their order


def _order(row: ThingRow, known: tuple[dict[str, str], dict[str, str]], view: ClientView) -> tuple[int, int]:
    """Return the place of a row: status worse, the last date, dates by how far, risks up, what was said, the rest."""
    if not row.values:
        return 9, 0
    leads, worse = row.values[0], _worse(row, known)
    if worse > 0:
        return 0, -worse
    if leads.by and row.of.startswith("milestone-"):
        final = any(one.final and row.of == f"milestone-{one.id}" for one in view.milestones)
        return (1, 0) if final else (2, -leads.by if leads.by > 0 else FAR - abs(leads.by))
    if leads.by and row.of.startswith("risk-"):
        return (3, -leads.by) if leads.by > 0 else (5, 0)
    if row.of.endswith(".said") or row.of.startswith("concern-"):
        return 4, 0
    return (7, 0) if leads.field == "progress" else (8, 0) if row.of == "budget.measured" else (6, 0)


def _worse(row: ThingRow, known: tuple[dict[str, str], dict[str, str]]) -> int:
    """Return by how much the status of a thing is worse now."""
    leads = row.values[0]
    if row.of.startswith("milestone-"):
        was, now = known[0].get(row.of, ""), known[1].get(row.of, "")
    elif leads.field == "status" and not row.of.startswith("risk-"):
        was, now = leads.was, leads.now
    else:
        return 0
    return WORSE[now] - WORSE[was] if was in WORSE and now in WORSE else 0
