"""What kind of table is edited: its columns, and how its rows are read from a project and become commands."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from domain.errors import Refused
from domain.plan.project import ChangeTogether, PlainCommand, Project, decide, evolve
from web.manager.table.cells import Column, Edited, SheetRow

Changes = Mapping[str, Mapping[str, Any]]


class Question(msgspec.Struct, frozen=True):
    """Something that is not likely to be meant: where it was typed, the sentence, and what a tick stands for."""

    key: str
    column: str
    sentence: str
    token: str


def nothing(*_asked: object) -> Iterator[Any]:
    """Yield nothing: what a table says that has no problems or questions of its own."""
    yield from ()


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of table."""

    name: str  # in its address
    title: str
    beside: str  # head of the column that is only shown
    columns: tuple[Column, ...]
    rows: Callable[[Project], list[SheetRow]]
    commands: Callable[[Project, str, Mapping[str, Any], str], Iterator[tuple[str, PlainCommand]]]
    problems: Callable[[Project, str, Mapping[str, Any]], Iterator[tuple[str, str]]] = nothing
    questions: Callable[[Project, Changes, date], Iterator[Question]] = nothing
    reason_help: str


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What came of all changed rows: the command, and what is wrong with the reason given for all."""

    command: ChangeTogether
    reason_problem: str = ""


def decided(sheet: Sheet, project: Project, made: Edited, reason: str, now: datetime) -> Decided:
    """Return the one command of all changed rows. What is refused is said at its cell, of every row at once."""
    state, parts, why = project, list[PlainCommand](), ""
    for key, changes in made.changes.items():
        for column, problem in sheet.problems(project, key, changes):
            made.told(key, column, problem=problem)
        cells = made.cells[key]
        fit = {column: value for column, value in changes.items() if not cells[column].problem}
        for column, command in sheet.commands(project, key, fit, reason):
            try:
                events = decide(state, command, now)
            except Refused as refused:
                if refused.field == "reason":
                    why = refused.message
                    continue
                at = refused.field if refused.field in cells else column
                made.told(key, at, problem=refused.message)
                continue
            for event in events:
                state = evolve(state, event, now)
            parts.append(command)
    return Decided(command=ChangeTogether(project=project.id, commands=tuple(parts)), reason_problem=why)
