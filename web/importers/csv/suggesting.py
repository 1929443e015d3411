"""Suggests a mapping for a CSV file from its header and dates; a date format only where a single one can be meant."""

from itertools import islice

from web.importers.csv.days import ISO, fitting
from web.importers.csv.mapping import DAYS, NO, NOTHING, YES, Mapping
from web.importers.csv.rows import delimiter_of, rows, text_of
from web.importers.findings import Findings
from web.importers.plan import broken

LOOKED_AT = 5000  # rows
WORDS = {
    "id": (
        "uid",
        "unique id",
        "unique_id",
        "id",
        "milestone id",
        "task id",
        "activity id",
        "key",
        "ref",
        "no",
        "no.",
        "code",
    ),
    "title": (
        "title",
        "name",
        "task name",
        "activity name",
        "milestone name",
        "milestone",
        "task",
        "activity",
        "description",
    ),
    "outline": ("wbs", "outline number", "outline", "wbs code"),
    "baseline": (
        "baseline finish",
        "baseline",
        "baseline date",
        "baseline end",
        "bl project finish",
        "planned finish",
        "planned",
    ),
    "forecast": ("forecast", "forecast date", "finish", "finish date", "due", "due date", "date", "end", "end date"),
    "actual": ("actual finish", "actual", "actual date", "actual end", "met on", "completed on", "done"),
    "deadline": ("deadline", "contract date", "contractual deadline"),
    "percent": ("% complete", "percent complete", "percent", "%", "progress"),
    "milestone": ("milestone", "is milestone", "milestone?"),
}


def suggest(data: bytes) -> Mapping:
    """Return a mapping to look at and correct.

    Raises: BrokenFile where the file has no header to read.
    """
    text, _ = text_of(data)
    delimiter = delimiter_of(text)
    findings = Findings()
    table = rows(text, delimiter, findings)
    _, header = next(table, (1, []))
    findings.stop_if_broken()
    if not header:
        raise broken("The file has no rows; expected a header with the names of the columns, then a row per milestone.")
    body = [cells for _, cells in islice(table, LOOKED_AT)]
    chosen = _chosen(header, body)
    days = [chosen[field] for field in DAYS if field in chosen]
    named = {field: header[at] for field, at in chosen.items()}
    return Mapping(**named, date_format=_format(body, days), delimiter=delimiter)


def _chosen(header: list[str], body: list[list[str]]) -> dict[str, int]:
    names = [name.casefold() for name in header]
    chosen: dict[str, int] = {}
    for field in ("milestone", *(field for field in WORDS if field != "milestone")):
        for word in WORDS[field]:
            if word in names and names.index(word) not in chosen.values():
                at = names.index(word)
                if field == "milestone" and not _yes_or_no(body, at):
                    continue
                chosen[field] = at
                break
    return chosen


def _yes_or_no(body: list[list[str]], at: int) -> bool:
    cells = {cells[at].casefold() for cells in body if at < len(cells)}
    return bool(cells - {""}) and cells <= YES | NO


def _format(body: list[list[str]], columns: list[int]) -> str:
    texts = {cells[at] for cells in body for at in columns if at < len(cells)}
    others = [text for text in texts if text.upper() not in NOTHING and not ISO.day(text)]
    fit = fitting(others) if others else []
    return fit[0] if len(fit) == 1 else ""
