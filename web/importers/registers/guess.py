"""What kind of table something is, and which of its columns is what: a plan, a risk register, or budget figures.

Rule: it is a plan unless its headings say otherwise, and a person can always say which.
"""

import re
from collections.abc import Sequence
from itertools import islice

import msgspec

from domain import numbers
from web.importers.findings import Findings
from web.importers.registers.columns import FigureColumns, Kind, RiskColumns
from web.importers.registers.headings import (
    AMOUNTS,
    BY_PERIOD,
    CUMULATIVE,
    FIGURES,
    RANK_OF,
    RISK_TITLES,
    RISKS,
    SCORED,
    figure,
    named,
    plain,
)
from web.importers.registers.periods import Days, format_of, is_period
from web.importers.table.headings import WORDS, known, normal
from web.importers.table.mapping import NOTHING
from web.importers.table.tables import LOOKED_AT, Row, Table

BODY = 2000  # rows looked at
_SCORE = re.compile(
    r"\d{1,2}(?:\s*[-–—:.)(=].{0,30})?|[<>≤≥]?\s*\d+(?:[.,]\d+)?\s*%?|\D{1,30}[(\[:–—=-]\s*\d{1,2}[)\]]?"
)
_SCORE_OR_TEXT = frozenset(RISKS["effect"]) & frozenset(RISKS["impact"])  # "impact" may be either
_NUMBER = re.compile(r"[^\d]{0,5}\d[\d.,' \u00a0\u202f\u2019]*[^\d]{0,5}")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The headings of a table, found for one kind, and the rows below."""

    line: int
    names: tuple[str, ...]  # as the table has them
    body: list[Row]


def head_of(table: Table, kind: Kind, wanted: Sequence[str] = ()) -> Head:
    """Return the row with the columns that are wanted, else the one that names most columns of a kind."""
    rows = list(islice(table.rows(Findings()), LOOKED_AT + BODY))
    top = rows[:LOOKED_AT]
    names = {normal(name) for name in wanted if name}
    at = next((n for n, (_, cells) in enumerate(top) if names and names <= {normal(cell) for cell in cells}), None)
    if at is None:
        at = max(range(len(top)), key=lambda n: (_count(top[n][1], kind), -n), default=0)
    line, cells = top[at] if top else (1, [])
    return Head(line=line, names=tuple(cells), body=rows[at + 1 :])


def _count(cells: Sequence[str], kind: Kind) -> int:
    if kind == "plan":
        return known(list(cells))
    words = RISKS if kind == "risks" else FIGURES
    names = [plain(cell) if kind == "risks" else figure(cell) for cell in cells]
    return sum(bool(places) for places in named([n or "\0" for n in names], words).values())


def turned(table: Table) -> Table:
    """Return a table whose first column names figures with rows and columns exchanged, any other as it is."""
    rows = list(islice(table.rows(Findings()), BODY))
    firsts = [figure(cells[0]) for _line, cells in rows if cells]
    said = {field for field in AMOUNTS for word in FIGURES[field] if word in firsts}
    if len(said) < 2 or _count(head_of(table, "figures").names, "figures") >= len(said) or len(rows) > LOOKED_AT:
        return table
    places = [n for n, first in enumerate(firsts) if any(first in FIGURES[field] for field in FIGURES)]
    begin = min(places)
    if begin and not any(firsts[n] in FIGURES["date"] for n in places):
        begin -= 1  # periods stand above the figures, under no name
    kept = [cells for _line, cells in rows[begin:]]
    if begin < min(places) and not kept[0][0]:
        kept[0] = ["date", *kept[0][1:]]
    width = max(map(len, kept))
    first = rows[0][0]
    lines = [(first + n, [cells[n] if n < len(cells) else "" for cells in kept]) for n in range(width)]
    texts = frozenset(
        (first + column, n)
        for n, (line, cells) in enumerate(rows[begin:])
        for column in range(len(cells))
        if (line, column) in table.texts
    )
    return msgspec.structs.replace(table, lines=[row for row in lines if any(row[1])], texts=texts, turned=True)


class Likely(msgspec.Struct, frozen=True):
    """What a table may be, and how much it looks like it."""

    weight: int
    kind: Kind
    table: Table


def likely(tables: Sequence[Table]) -> list[Likely]:
    """Return the registers and figures among the tables of a file, the likeliest first."""
    found = []
    for table in tables:
        found += [Likely(_risks(table), "risks", table), Likely(_figures(turned(table)), "figures", table)]
    return sorted((one for one in found if one.weight), key=lambda one: -one.weight)


def guessed(tables: Sequence[Table], found: Sequence[Likely]) -> tuple[Kind, Table | None]:
    """Return what kind of table a file holds, and which; for a plan it is left to the plan which.

    A workbook with a plan on another sheet is a plan.
    """
    if not found:
        return "plan", None
    best = found[0]
    plans = {table.name: _plan(table) for table in tables}
    elsewhere = any(weight for name, weight in plans.items() if name != best.table.name)
    if elsewhere or plans[best.table.name] >= best.weight:
        return "plan", None
    return best.kind, best.table


def likeliest(tables: Sequence[Table], kind: Kind) -> Table:
    """Return the table whose headings name most columns of a kind."""
    return max(tables, key=lambda table: _count(head_of(turned(table), kind).names, kind))


def _plan(table: Table) -> int:
    """Return how much a table looks like a plan: by its columns of titles and of days."""
    head = head_of(table, "plan")
    names = [normal(name) for name in head.names]
    days = [at for field in ("forecast", "baseline", "actual") for at in _places(names, WORDS[field])]
    dated = [at for at in days if _share(head.body, at, lambda cell: Days("").like(cell)) > 0.5]
    return known(list(head.names)) if dated and _places(names, WORDS["title"]) else 0


def _places(names: Sequence[str], words: Sequence[str]) -> list[int]:
    return [names.index(word) for word in words if word in names]


def _risks(table: Table) -> int:
    chosen = risk_places(head := head_of(table, "risks"))
    names = {plain(name) for name in head.names}
    scored = {"probability", "impact"} & chosen.keys()
    said = RISK_TITLES & names
    if (len(scored) == 2 or (scored and said) or len(said) > 1) and "title" in chosen:
        return len(chosen) + 2 * len(scored) + 2 * len(said)
    return 0


def _figures(table: Table) -> int:
    chosen = figure_places(head_of(table, "figures"))
    amounts = set(AMOUNTS) & chosen.keys()
    if len(amounts) >= 2 or (amounts & {"pv", "ac"} and "date" in chosen):
        return 2 * len(amounts) + ("date" in chosen)
    return 0


def _share(body: Sequence[Row], at: int, fits: object) -> float:
    """Return which part of the cells of a column that say something fits."""
    cells = [cells[at] for _line, cells in body if at < len(cells) and cells[at].upper() not in NOTHING]
    return sum(bool(fits(cell)) for cell in cells) / len(cells) if cells else 0.0  # type: ignore[operator]


def _scored(head: Head, at: int) -> bool:
    """Tell whether a column holds scores, and no texts."""
    return _share(head.body, at, _scores) > 0.5


def _scores(cell: str) -> bool:
    return cell.casefold() in RANK_OF or bool(_SCORE.fullmatch(cell))


def risk_places(head: Head) -> dict[str, int]:
    """Return the column of each field of a risk; one named like a score and full of text is the effect."""
    places = named([plain(name) for name in head.names], RISKS)
    chosen: dict[str, int] = {}
    for field in (*SCORED, *(field for field in RISKS if field not in SCORED)):
        for at in places[field]:
            if at in chosen.values():
                continue
            both = plain(head.names[at]) in _SCORE_OR_TEXT and _share(head.body, at, bool) > 0
            if not both or field not in (*SCORED, "effect") or (field in SCORED) == _scored(head, at):
                chosen[field] = at
                break
    return chosen


def figure_places(head: Head) -> dict[str, int]:
    """Return the column of each figure; a column of amounts holds numbers."""
    places = named([figure(name) for name in head.names], FIGURES)
    chosen: dict[str, int] = {}
    for field in FIGURES:
        for at in places[field]:
            fits = is_period if field == "date" else _is_number
            if at not in chosen.values() and (_share(head.body, at, fits) > 0.5 or not head.body):
                chosen[field] = at
                break
    budget = chosen.get("bac")
    if "date" in chosen and "pv" not in chosen and budget is not None and figure(head.names[budget]) != "bac":
        amounts = {cells[budget] for _line, cells in head.body if budget < len(cells) and cells[budget]}
        if len(amounts) > 1:  # a budget for each period is planned spend
            chosen["pv"] = chosen.pop("bac")
    return chosen


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell)) and not Days("").like(cell)


def risk_columns(table: Table) -> RiskColumns:
    """Return columns of a register to look at and correct."""
    head = head_of(table, "risks")
    chosen = {field: head.names[at] for field, at in risk_places(head).items()}
    return msgspec.convert({**chosen, "delimiter": table.delimiter, "sheet": table.name}, RiskColumns)


def figure_columns(table: Table) -> FigureColumns:
    """Return columns of figures to look at and correct, and how their amounts and dates are meant where it shows."""
    head = head_of(table, "figures")
    places = figure_places(head)
    chosen = {field: head.names[at] for field, at in places.items()}
    found = {
        **chosen,
        "amounts": _sums(head, places),
        "decimal": _decimal(head, places),
        "date_format": format_of(_column(head, places.get("date"))),
        "delimiter": table.delimiter,
        "sheet": table.name,
    }
    return msgspec.convert(found, FigureColumns)


def _column(head: Head, at: int | None) -> list[str]:
    return [] if at is None else [cells[at] for _line, cells in head.body if at < len(cells) and cells[at]]


def _decimal(head: Head, places: dict[str, int]) -> str:
    """Return the decimal mark that some amounts show, "" where none does or they contradict each other."""
    shown = set()
    for field in AMOUNTS:
        for cell in _column(head, places.get(field)):
            mark = mark_of(cell)
            if mark:
                shown.add(mark)
    return shown.pop() if len(shown) == 1 else ""


def mark_of(cell: str) -> str:
    """Return what parts the decimal places of an amount that can be read in one way, "" where it has none."""
    bare = re.sub(r"[^\d.,]", "", cell)
    try:
        value = numbers.number(bare)
    except (numbers.Ambiguous, numbers.NoNumber):
        return ""
    last = max(bare.rfind("."), bare.rfind(","))
    if last < 0:
        return ""
    whole = re.sub(r"\D", "", bare)
    if value == value.to_integral_value() and str(int(value)) == whole.lstrip("0"):
        return "," if bare[last] == "." else "."  # it parts the thousands, so the other one is the mark
    return bare[last]


def _sums(head: Head, places: dict[str, int]) -> str:
    """Return whether amounts are sums since the beginning or of each period, where headings or amounts show it."""
    told = [normal(head.names[places[field]]) for field in ("pv", "ev", "ac") if field in places]
    names = [re.sub(r"[()\[\],;]", " ", name) for name in told]
    if any(CUMULATIVE.search(f"{name} ") for name in names):
        return "sums"
    if any(BY_PERIOD.search(f"{name} ") for name in names):
        return "periods"
    return ""
