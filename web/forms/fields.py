"""Form fields: how a value of a command is typed, read and shown again.

Rule: what was typed is kept as it was typed; a value that cannot be read is a problem at its own field.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, assert_never

import msgspec

from domain import numbers
from domain.language import gettext as _
from projections.wording import days

Kind = Literal[
    "line", "text", "day", "whole", "amount", "money", "choice", "yes", "weekdays", "days", "points", "until", "file"
]  # fmt: skip
Typed = Mapping[str, Sequence[str]]
MOST_WHOLE = Decimal(999_999_999)
NOTHING = object()  # for a field that was left empty: the command's own default holds


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field. `name` is the path of its value in the command, such as "details.title"."""

    name: str
    label: str
    kind: Kind = "line"
    value: str = ""  # as the form shows it
    help: str = ""
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()  # of a choice: value and word
    unit: str = ""  # the currency of money, the time zone of until, else a word such as "days"
    slim: bool = False  # takes little room
    most: Decimal | None = None  # of an amount: no figure above it can be meant

    @property
    def id(self) -> str:
        return "f-" + self.name.replace(".", "-")

    @property
    def chosen(self) -> frozenset[str]:
        """The ticked values of a field with several."""
        return frozenset(self.value.split())


class Unfit(Exception):  # shown by the form, not an error of ours
    """Some values cannot be read. `problems`: a sentence by field name, "" for the whole form."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


def typed_value(field: Field, typed: Typed) -> str:
    """Return what was typed into a field, to be shown again."""
    values = typed.get(field.name, ())
    if field.kind in ("weekdays", "yes"):
        return " ".join(values)
    return values[0] if values else ""


def read(fields: Sequence[Field], typed: Typed) -> dict[str, Any]:
    """Return the values of all fields, nested as in the command.

    Raises: Unfit with every problem at once.
    """
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for field in fields:
        try:
            value = _value(field, typed_value(field, typed))
        except ValueError as error:
            problems[field.name] = str(error)
            continue
        if value is not NOTHING:
            _put(values, field.name.split("."), value)
    if problems:
        raise Unfit(problems)
    return values


def _put(values: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set the value at a path, making the dictionaries on the way."""
    for name in path[:-1]:
        values = values.setdefault(name, {})
    values[path[-1]] = value


def _value(field: Field, text: str) -> Any:
    """Return the value of what was typed, `NOTHING` for an empty field.

    Raises: ValueError with a sentence for whoever typed it.
    """
    if field.kind not in ("line", "text", "yes", "weekdays", "days") and not text.strip():
        if field.required:
            raise ValueError(_("{label} is missing. {example}", label=field.label, example=_example(field)))
        return NOTHING
    match field.kind:
        case "file":
            return NOTHING  # a file is no value of a command
        case "line" | "text" | "choice":
            return text
        case "yes":
            return text == "yes"
        case "day":
            return day(text)
        case "until":
            return _until(text, field.unit)
        case "whole":
            return whole(text.strip().removesuffix("%") if field.unit == "%" else text)
        case "amount" if field.unit == "%":
            return amount(text.strip().removesuffix("%"), field.most)
        case "amount":
            return amount(text, field.most)
        case "money":
            return {"amount": amount(text), "currency": field.unit}
        case "weekdays":
            return [whole(part) for part in text.split()]
        case "days":
            return [day(part) for part in re.split(r"[\s,;]+", text.strip()) if part]
        case "points":
            return [_point(line) for line in text.splitlines() if line.strip()]
        case _:
            assert_never(field.kind)


def _example(field: Field) -> str:
    match field.kind:
        case "day" | "until":
            return _("Choose a date.")
        case "choice":
            return _("Choose one.")
        case "points":
            return _("Type one line for each period end.")
        case _:
            return _("Type a number.")


def day(text: str) -> date:
    """Return a typed date.

    Raises: ValueError with a sentence for whoever typed it.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(_("“{text}” is no date. Expected one such as 2027-05-03.", text=text.strip()[:40])) from None


def dates_in(field: Field) -> list[date]:
    """Return the dates that stand in a field of dates, also in those of points; none of another kind."""
    texts = {"day": [field.value], "points": [line.partition(" ")[0] for line in field.value.splitlines()]}
    found = []
    for text in texts.get(field.kind, ()):
        with suppress(ValueError):
            found.append(date.fromisoformat(text.strip()))
    return found


def _until(text: str, zone: str) -> datetime:
    """Return the last second (UTC) of a typed day in a time zone."""
    try:
        return days.end_of(day(text), zone) - days.SECOND
    except OverflowError:
        raise ValueError(_("“{text}” is too far away. Choose another date.", text=text.strip()[:40])) from None


def whole(text: str) -> int:
    """Return a typed whole number.

    Raises: ValueError with a sentence for whoever typed it.
    """
    try:
        return int(numbers.number(text, MOST_WHOLE, whole=True))
    except numbers.NoNumber:
        raise ValueError(_("“{text}” is no whole number. Expected one such as 40.", text=text.strip()[:40])) from None


def amount(text: str, most: Decimal | None = None) -> Decimal:
    """Return a typed amount or figure, as `domain.numbers` reads it, never above `most` in size.

    Raises: ValueError with a sentence for whoever typed it.
    """
    try:
        return numbers.number(text, most)
    except numbers.NoNumber:
        pass
    if most is not None and _is_number(text):
        raise ValueError(_("“{text}” is more than {most}.", text=text.strip()[:40], most=numbers.grouped(most)))
    raise ValueError(_("“{text}” is no amount. Expected one such as 1,250,000 or 99.50.", text=text.strip()[:40]))


def _is_number(text: str) -> bool:
    try:
        numbers.number(text)
    except numbers.Ambiguous:
        return True
    except numbers.NoNumber:
        return False
    return True


def _point(line: str) -> dict[str, Any]:
    """Return a date and an amount that were typed on one line."""
    date_text, amount_text = (*line.split(maxsplit=1), "")[:2]
    if not amount_text.strip():
        raise ValueError(
            _("“{line}” is no point. Expected a date and an amount: 2027-03-31 1,200,000.", line=line.strip()[:40])
        )
    return {"on": day(date_text), "amount": amount(amount_text)}
