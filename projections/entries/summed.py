"""Changes of many updates folded into one row a thing: what it was, what it is, in how many steps, and why. Pure.

Rule: what is different now is what the two views differ in, whatever lies between; the changes between say in how many
steps it came so, and why. docs/spec.md 3.8.1 and 3.12. `web/static/js/live/sum.js` folds further updates alike.
"""

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from domain.language import gettext as _
from domain.view import ClientView
from projections.entries import changes as differences
from projections.entries.entry import Change, Content
from projections.wording.values import BAND, STATE

SAID = frozenset({"remarks", "ack"})
MEASURED = frozenset(
    {"spent", "planned", "earned", "spent_share", "planned_share", "earned_share", "cpi", "spi_t"}
    | {"status_date", "forecast_on", "spent_on", "earned_on", "curve"}
)  # fields of the budget that come with one measurement: one thing
FIRST = frozenset(
    {"forecast", "actual", "status", "score", "client_score", "spent", "spent_share", "forecast_share", "budget", ""}
)  # fields that a row leads with where more than one is different
WORSE = {"on_track": 0, "planned": 0, "met": 0, "at_risk": 1, "overdue": 2, "off_track": 3}


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a thing: at the beginning, now, and the difference. `was` and `now` are the same as data."""

    field: str
    rank: int  # the lowest one of a thing leads
    title: str
    before: str
    after: str
    note: str
    was: str
    now: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """All that became of one thing."""

    of: str  # which thing: `thing` of its changes
    values: tuple[Value, ...]  # that are different now, the leading one first; none where all are as they were
    title: str
    steps: int  # updates that changed it, of those that were looked at; 0 where none of them did
    why: str  # the newest reason, or the newest words
    word: str  # its status or band at the beginning, "" where none is told
    now: str  # "now at risk" where its status is another one and is not what the row leads with


class Step(msgspec.Struct, frozen=True):
    """The changes of one update."""

    n: int
    changes: tuple[Change, ...]


def step_of(content: Content) -> Step:
    """Return the changes of an entry; those of format 1 with their subjects as format 2 has them."""
    if content.format == 2:
        return Step(content.n, content.changes)
    return Step(content.n, tuple(msgspec.structs.replace(one, subject=_subject(one)) for one in content.changes))


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


def summed(old: ClientView, new: ClientView, steps: Sequence[Step], reader: str = "") -> tuple[Row, ...]:
    """Return one row for each thing that is different or was meanwhile, the most important first.

    `steps`: updates between the two views, the newest ones where not all were looked at. What `reader` (as `who` of
    changes has it) did is left out.
    """
    net = _by_thing(one for one in differences.changes(old, new) if not _own(one, reader))
    told: dict[str, list[tuple[int, Change]]] = {}
    for step in steps:
        for one in step.changes:
            if not _own(one, reader):
                told.setdefault(thing(one), []).append((step.n, one))
    amended = old.terms_version != new.terms_version
    words = _words(old), _words(new)
    rows = [_row(of, net.get(of) or _happened(told[of]), told.get(of, []), words) for of in {**net, **told}]
    rows = [row for row in rows if row.values or _came_back(told[row.of], exactly=amended)]
    return tuple(sorted(rows, key=lambda row: _order(row, words, new)))


def _happened(told: list[tuple[int, Change]]) -> list[Change]:
    """Return the newest change of a thing that is alike in both views, where each was an event without a value."""
    if any(one.field or one.kind.endswith((".added", ".withdrawn")) for _n, one in told):
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
    of: str, net: list[Change], told: list[tuple[int, Change]], words: tuple[dict[str, str], dict[str, str]]
) -> Row:
    changes = [one for _n, one in told]
    values = _said(net) if of.endswith(".said") else sorted(map(_value, net), key=lambda value: value.rank)
    newest = (changes or net)[-1]
    was, now = (words[0].get(of, ""), words[1].get(of, ""))
    leads = values[0].field if values else ""
    status = was and now and was != now and of.startswith("milestone-") and leads not in ("status", "actual", "")
    return Row(
        of=of,
        values=tuple(values),
        title=values[0].title if values else newest.title,
        steps=len({n for n, _one in told}),
        why=next((one.why for one in reversed(changes) if one.why), next((one.why for one in net if one.why), "")),
        word=_(STATE.get(was) or BAND.get(was, "")) if was else "",
        now=_("now {status}", status=_(STATE[now]).lower()) if status else "",
    )


def _value(given: Change) -> Value:
    return Value(
        field=given.field,
        rank=rank(given),
        title=given.title,
        before=given.before,
        after=given.after,
        note=given.note,
        was=given.was,
        now=given.now,
    )


def _said(net: list[Change]) -> list[Value]:
    """Return comments as how many they are, and what else was said as its newest."""
    comments = [one for one in net if one.field == "remarks"]
    others = [_value(one) for one in net if one.field != "remarks"][-1:]
    if not comments:
        return others
    newest = _value(comments[-1])
    after = newest.after if len(comments) == 1 else _("{many} comments", many=len(comments))
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


def _order(row: Row, words: tuple[dict[str, str], dict[str, str]], view: ClientView) -> tuple[int, int]:
    """Return the place of a row: status worse, the last date, dates by how far, risks up, what was said, the rest."""
    if not row.values:
        return 9, 0
    leads, worse = row.values[0], _worse(row, words)
    if worse > 0:
        return 0, -worse
    moved = _days(leads)
    if moved is not None and row.of.startswith("milestone-"):
        final = any(one.final and row.of == f"milestone-{one.id}" for one in view.milestones)
        return (1, 0) if final else (2, -moved if moved > 0 else 10_000 - abs(moved))
    if row.of.startswith("risk-") and leads.field == "score":
        up = _points(leads.now) - _points(leads.was)
        return (3, -up) if up > 0 else (5, 0)
    if row.of.endswith(".said") or row.of.startswith("concern-"):
        return 4, 0
    return (7, 0) if leads.field == "progress" else (8, 0) if row.of == "budget.measured" else (6, 0)


def _worse(row: Row, words: tuple[dict[str, str], dict[str, str]]) -> int:
    """Return by how much the status of a thing is worse now."""
    leads = row.values[0]
    if row.of.startswith("milestone-"):
        was, now = words[0].get(row.of, ""), words[1].get(row.of, "")
    elif leads.field == "status" and not row.of.startswith("risk-"):
        was, now = leads.was, leads.now
    else:
        return 0
    return WORSE[now] - WORSE[was] if was in WORSE and now in WORSE else 0


def _days(value: Value) -> int | None:
    """Return by how many days a date moved, None for what is no date that moved."""
    try:
        return (date.fromisoformat(value.now) - date.fromisoformat(value.was)).days
    except ValueError:
        return None


def _points(score: str) -> int:
    return int(score.rpartition("=")[2])
