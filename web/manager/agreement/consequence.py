"""The consequence of an agreement, in lines a manager reads: newly disclosed, withdrawn, read differently.

Rule: lines are made of facts alone, and every fact of a consequence stands in exactly one line.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

import msgspec

from domain.language import N_, Said, lowered, ngettext
from domain.language import gettext as _
from domain.money import Money
from domain.view import (
    Ack,
    Baseline,
    ClientView,
    CurvePoint,
    DateUnit,
    ForecastPoint,
    Headline,
    Indicator,
    Remark,
    Scale,
    Score,
    Slip,
)
from projections.entries.consequence import Consequence, Key
from projections.replay.ever_told import Ever
from projections.wording import words
from web.manager.agreement.labels import LABELS, PARTS, VITALS, WORD

Group = TypeVar("Group", bound=Hashable)
OF_THE_COURSE = frozenset(  # dates that are told in the unit of their view
    {"baseline", "original_baseline", "forecast", "earliest", "latest", "actual", "deadline", "accepted_on"}
)
JUDGED_BY_ID: Key = "schedule", "milestone", ""  # said by the milestone's title, which is a fact of its own
DATES: dict[DateUnit, str] = Said({"day": N_("by day"), "month": N_("by month"), "quarter": N_("by quarter")})


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """One fact in words: of what, what it says, and what it said before where it only reads differently."""

    of: str
    says: str
    before: str = ""


class ConsequenceLine(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to one item, or to a field of several: "Risk R-12 Late possession", "Reason, of 7 milestones"."""

    title: str
    values: tuple[Value, ...]
    past: int = 0  # of them tell of the past
    item: bool = False  # a whole milestone or risk
    seen: str = ""  # where it stood before: "in updates 3 to 40"
    keys: tuple[Key, ...] = ()

    @property
    def alone(self) -> bool:
        """One value says it all."""
        return len(self.values) == 1 and not self.item

    @property
    def summed(self) -> str:
        """What a part of the page tells, in short: "Approved budget £6.80m, spent £4.83m and 6 more"."""
        return summed(self.values) if self.keys and self.keys[0][0] in VITALS else ""


class Naming(msgspec.Struct, frozen=True):
    """How subjects are called, and in which zone instants are told."""

    titles: Mapping[str, str]  # by subject
    zone: str  # IANA


class Telling(msgspec.Struct, frozen=True):
    """Facts to be put into lines, and how their subjects are called."""

    facts: Mapping[Key, object]
    names: Naming
    past: frozenset[Key]  # facts that tell of the past
    whole: frozenset[str]  # subjects that come or go with all that is told of them


def naming(*views: ClientView | None) -> Naming:
    """Return the names in views, the later ones first."""
    titles: dict[str, str] = {}
    for view in filter(None, views):
        titles |= {f"milestone-{row.id}": row.title for row in view.milestones}
        titles |= {f"risk-{card.id}": _("Risk {ref} {title}", ref=card.ref, title=card.title) for card in view.risks}
        titles |= {f"concern-{c.id}": _("Concern of {at}", at=words.long_day(c.at.date())) for c in view.concerns}
    zone = next((view.time_zone for view in views if view is not None), "UTC")
    return Naming(titles, zone)


def lines(keys: Sequence[Key], telling: Telling, before: Mapping[Key, object] | None = None) -> list[ConsequenceLine]:
    """Return the lines of some facts: whole items each by themselves, then field by field.

    `before` has what the facts said before, where they only read differently.
    """
    whole, titles = telling.whole, telling.names.titles
    items = _grouped(keys, lambda key: key[0] if key[0] in whole else None)
    fields = _grouped(keys, lambda key: None if key[0] in whole else (_kind(key[0]), _heading(key)))
    made = [_line(titles.get(subject, subject), group, telling, before, item=True) for subject, group in items.items()]
    for (kind, of), group in fields.items():
        subjects = {key[0] for key in group}
        title = _("{of}, of {many}", of=of, many=_many(len(subjects), kind)) if _several(kind) else of
        made.append(_line(title, group, telling, before))
    return made


def _several(kind: str) -> bool:
    """Tell whether a page can have several subjects of a kind."""
    return kind in ("milestone", "risk-", "concern")


def _grouped(keys: Iterable[Key], by: Callable[[Key], Group | None]) -> dict[Group, list[Key]]:
    """Return keys by group; those that belong to none are left out."""
    groups: dict[Group, list[Key]] = {}
    for key in keys:
        if (group := by(key)) is not None:
            groups.setdefault(group, []).append(key)
    return groups


def _line(
    title: str, group: Sequence[Key], telling: Telling, before: Mapping[Key, object] | None, *, item: bool = False
) -> ConsequenceLine:
    names = telling.names
    says, said_before = (Saying(names.zone, _unit(facts)) for facts in (telling.facts, before or {}))
    several = not item and _several(_kind(group[0][0]))
    values = tuple(
        Value(
            of=names.titles.get(key[0], key[0]) if several else label(key),
            says=said(telling.facts[key], key[1], says),
            before="" if before is None else said(before[key], key[1], said_before),
        )
        for key in group
        if key != JUDGED_BY_ID or ("schedule", "title", "") not in telling.facts
    )
    return ConsequenceLine(
        title=title, values=values, past=sum(key in telling.past for key in group), item=item, keys=tuple(group)
    )


def _kind(subject: str) -> str:
    if subject.startswith("risk-"):
        return "risk-"
    return subject.partition("-")[0]


def _many(count: int, kind: str) -> str:
    match kind:
        case "milestone":
            return ngettext("one milestone", "{many} milestones", count, many=count)
        case "risk-":
            return ngettext("one risk", "{many} risks", count, many=count)
        case _:
            return ngettext("one concern", "{many} concerns", count, many=count)


def _heading(key: Key) -> str:
    """Return under which line a field stands: a part of the page makes one line of all its figures."""
    return PARTS[key[0]] if key[0] in VITALS else label(key)


def label(key: Key) -> str:
    """Return what a field is called."""
    subject, field, detail = key
    name = LABELS[_kind(subject)].get(field, field.replace("_", " ").capitalize())
    return _("{known} before", known=name) if field == "indicator" and detail else name


class Saying(msgspec.Struct, frozen=True):
    """In which zone (IANA) instants are told, and in which unit dates of the course."""

    zone: str
    unit: DateUnit = "day"


def _unit(told: Mapping[Key, object]) -> DateUnit:
    """Return the unit that the dates of a view with these facts are in."""
    unit: DateUnit = told.get(("page", "date_unit", ""), "day")  # type: ignore[assignment]
    return unit


def said(value: object, field: str, saying: Saying) -> str:
    """Return a value as people read it; `field` tells an index from a share, and a date of the course from others."""
    zone, unit = saying.zone, saying.unit
    match value:
        case bool():
            return _("yes") if value else _("no")
        case datetime():
            return words.moment_year(value, zone)
        case date():
            return words.day_year_in(value, unit if field in OF_THE_COURSE else "day")
        case Money():
            return words.money(value)
        case Decimal():
            return words.index(value) if field in ("cpi", "spi_t") else words.percent(value)
        case Slip(since_current=days):
            return words.signed_in(days, unit)
        case Score(probability=p, impact=i, value=v):
            return f"{p}×{i} = {v}"
        case Indicator(status=status, overridden=overridden):
            return _("{status} (set by hand)", status=WORD[status]) if overridden else WORD[status]
        case ForecastPoint(on=on, forecast=forecast):
            return _(
                "{forecast}, as forecast on {on}", forecast=words.day_year_in(forecast, unit), on=words.day_year(on)
            )
        case Baseline(number=number, approved_on=on):
            return _("Plan {number}, {on}", number=number, on=words.day_year(on))
        case CurvePoint(on=on):
            return _("up to {on}", on=words.day_year(on))
        case Remark(by=by, text=text, at=at):
            return f"{by}, {words.day_year(words.local(at, zone).date())}: {text}"
        case Ack(by=by, on=on, update=n):
            return _("{by}, {on}, at update {n}", by=by, on=words.day_year(on), n=n)
        case Headline(sentence=sentence, ask=ask):
            return f"{sentence} {ask}".strip()
        case Scale(size=size):
            return _("1 to {size}", size=size)
        case int() if field == "progress":
            return f"{value} %"
        case int() if field in ("slip_days", "previous_slip"):
            return words.signed_in(value, unit)
        case int() if field == "money_step":
            return f"{value:,}" if value else _("exact")
        case str() if field == "date_unit":
            return _(DATES[value])  # type: ignore[index]
        case _:
            return WORD.get(str(value), str(value))


def wholly(consequence: Consequence) -> frozenset[str]:
    """Return the milestones and risks that come or go with all that is told of them."""
    kept = {key[0] for key in (*consequence.changed, *consequence.same)}
    both = {key[0] for key in consequence.new} & {key[0] for key in consequence.gone}
    moved = {key[0] for key in (*consequence.new, *consequence.gone) if _several(_kind(key[0]))}
    return frozenset(moved - kept - both)


def seen_before(line: ConsequenceLine, ever: Ever) -> ConsequenceLine:
    """Return the line with where in the record it stood, if it did."""
    spans = [ever.told[named] for key in line.keys if (named := (key[0], key[1])) in ever.told]
    if not spans:
        return line
    return msgspec.structs.replace(line, seen=span(min(t.first for t in spans), max(t.last for t in spans)))


def span(first: int, last: int) -> str:
    """Return "in update 3" or "in updates 3 to 40"."""
    return (
        _("in update {first}", first=first)
        if first == last
        else _("in updates {first} to {last}", first=first, last=last)
    )


def summed(values: Sequence[Value], most: int = 3) -> str:
    """Return the first few values of a line in one: "Forecast 5 Oct 2027, slip +4 days and 6 more"."""
    parts = [f"{v.of if not i else lowered(v.of)} {v.says}" for i, v in enumerate(values[:most])]
    rest = len(values) - len(parts)
    told = ", ".join(parts)
    return _("{told} and {rest} more", told=told, rest=rest) if rest > 0 else told
