"""The milestones of a project as a table: columns, rows, and the commands that a changed row stands for."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import msgspec

from domain.ids import MilestoneId
from domain.language import N_
from domain.language import gettext as _
from domain.plan.neighbours import dates_of, far
from domain.plan.project import PlainCommand, Project
from domain.plan.schedule import (
    DescribeMilestone,
    MeetMilestone,
    Milestone,
    MoveForecast,
    ReopenMilestone,
    ReportProgress,
)
from projections.wording import words
from web.manager.forms import doubts
from web.manager.table.cells import YES, Column, SheetRow
from web.manager.table.sheet import Question, Sheet

COLUMNS = (
    Column(name="title", label=N_("Internal title"), required=True),
    Column(name="client_title", label=N_("Title for clients")),
    Column(name="client_facing", label=N_("Clients may see it"), kind="yes"),
    Column(name="forecast", label=N_("Forecast"), kind="day", required=True),
    Column(name="actual", label=N_("Met on"), kind="day"),
    Column(name="percent", label=N_("Percent"), kind="percent"),
    Column(name="deadline", label=N_("Deadline"), kind="day"),
    Column(name="location", label=N_("Location")),
)
DETAILS = frozenset(("title", "client_title", "client_facing", "deadline", "location"))


def rows(project: Project) -> list[SheetRow]:
    """Return the milestones in the order of the plan."""
    plan = project.schedule
    ordered = sorted(
        plan.milestones.values(), key=lambda m: (plan.baseline_of(m.id) or m.expected, m.details.title, m.id)
    )
    return [_row(m, plan.baseline_of(m.id)) for m in ordered]


def _row(m: Milestone, agreed: date | None) -> SheetRow:
    texts = {
        "title": m.details.title,
        "client_title": m.details.client_title,
        "client_facing": YES if m.details.client_facing else "",
        "forecast": words.day_year(m.forecast),
        "actual": _day(m.actual),
        "percent": "" if m.percent is None else str(m.percent),
        "deadline": _day(m.details.deadline),
        "location": m.details.location,
    }
    return SheetRow(key=m.id, title=m.details.title, texts=texts, beside=_day(agreed))


def _day(value: date | None) -> str:
    return "" if value is None else words.day_year(value)


def commands(project: Project, key: str, changes: Mapping[str, Any], reason: str) -> Iterator[tuple[str, PlainCommand]]:
    """Yield the commands of a changed row, each with the column that a refusal without a field belongs to."""
    m = project.schedule.milestones[MilestoneId(key)]
    if told := {name: value for name, value in changes.items() if name in DETAILS}:
        details = msgspec.structs.replace(m.details, **told)
        yield "title", DescribeMilestone(project=project.id, milestone=m.id, details=details)
    if "actual" in changes and m.actual is not None:
        yield "actual", ReopenMilestone(project=project.id, milestone=m.id, reason=reason)
    if "forecast" in changes:
        yield "forecast", _move(project, m, changes["forecast"], reason)
    if "percent" in changes:
        yield "percent", ReportProgress(project=project.id, milestone=m.id, percent=changes["percent"])
    if changes.get("actual") is not None:
        yield "actual", MeetMilestone(project=project.id, milestone=m.id, actual=changes["actual"])


def _move(project: Project, m: Milestone, forecast: date, reason: str) -> MoveForecast:
    """Return another forecast; of the range it keeps each end that still lies on its side."""
    return MoveForecast(
        project=project.id,
        milestone=m.id,
        forecast=forecast,
        reason=reason,
        earliest=m.earliest if m.earliest is not None and m.earliest <= forecast else None,
        latest=m.latest if m.latest is not None and m.latest >= forecast else None,
    )


def problems(_project: Project, _key: str, changes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what no command can say of a changed row: a column, and why."""
    if "percent" in changes and changes["percent"] is None:
        yield "percent", _("A percentage that was reported stays. Type another one.")


def questions(project: Project, changes: Mapping[str, Mapping[str, Any]], today: date) -> Iterator[Question]:
    """Yield what is not likely to be meant among all changes."""
    known = dates_of(project, today)
    days = [(key, name, value) for key, row in changes.items() for name, value in row.items() if _is_new(value, known)]
    distant = far([value for _key, _name, value in days], known)
    for key, name, value in days:
        if value in distant:
            yield Question(key, name, doubts.far_away(value, known), f"{key}-{name}-{value}")
    near = ((key, row["forecast"]) for key, row in changes.items() if row.get("forecast") not in (None, *distant))
    moved = {MilestoneId(key): day for key, day in near}
    for key, sentence, token in doubts.moves(project, moved):
        yield Question(key, "forecast", sentence, token)


def _is_new(value: object, known: frozenset[date]) -> bool:
    return isinstance(value, date) and value not in known


SHEET = Sheet(
    name="milestones",
    title=N_("Milestones as a table"),
    beside=N_("Agreed"),
    columns=COLUMNS,
    rows=rows,
    commands=commands,
    problems=problems,
    questions=questions,
    reason_help=N_("Clients whose agreement covers reasons read it beside every date that moves."),
)
