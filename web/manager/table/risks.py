"""The risks of a project as a table: columns, rows, and the commands that a changed row stands for."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from domain.ids import RiskId
from domain.language import N_
from domain.plan.project import PlainCommand, Project
from domain.plan.risks import CloseRisk, DescribeRisk, Points, ReopenRisk, Risk, ScoreRisk
from web.manager.table.cells import YES, Column, SheetRow
from web.manager.table.sheet import Sheet

COLUMNS = (
    Column(name="ref", label=N_("Reference"), required=True),
    Column(name="title", label=N_("Internal title"), required=True),
    Column(name="client_title", label=N_("Title for clients")),
    Column(name="client_facing", label=N_("Clients may see it"), kind="yes"),
    Column(name="probability", label=N_("Likelihood"), kind="score", required=True),
    Column(name="impact", label=N_("Impact"), kind="score", required=True),
    Column(name="owner", label=N_("Owner")),
    Column(name="category", label=N_("Category")),
    Column(name="closed", label=N_("Closed"), kind="yes"),
)
DETAILS = frozenset(("ref", "title", "client_title", "client_facing", "owner", "category"))


def rows(project: Project) -> list[SheetRow]:
    """Return the register: open first, highest first."""
    ordered = sorted(project.risks.risks.values(), key=lambda r: (r.closed, -r.residual.score, r.details.ref))
    return [_row(r) for r in ordered]


def _row(r: Risk) -> SheetRow:
    texts = {
        "ref": r.details.ref,
        "title": r.details.title,
        "client_title": r.details.client_title,
        "client_facing": YES if r.details.client_facing else "",
        "probability": str(r.residual.probability),
        "impact": str(r.residual.impact),
        "owner": r.details.owner,
        "category": r.details.category,
        "closed": YES if r.closed else "",
    }
    return SheetRow(key=r.id, title=r.details.ref, texts=texts, beside=str(r.residual.score))


def commands(project: Project, key: str, changes: Mapping[str, Any], reason: str) -> Iterator[tuple[str, PlainCommand]]:
    """Yield the commands of a changed row, each with the column that a refusal without a field belongs to."""
    r = project.risks.risks[RiskId(key)]
    if told := {name: value for name, value in changes.items() if name in DETAILS}:
        details = msgspec.structs.replace(r.details, **told)
        yield "ref", DescribeRisk(project=project.id, risk=r.id, details=details)
    if r.closed and changes.get("closed") is False:
        yield "closed", ReopenRisk(project=project.id, risk=r.id, reason=reason)
    if not {"probability", "impact"}.isdisjoint(changes):
        now = r.residual
        points = Points(changes.get("probability", now.probability), changes.get("impact", now.impact))
        yield (
            "probability" if "probability" in changes else "impact",
            ScoreRisk(project=project.id, risk=r.id, residual=points, reason=reason),
        )
    if changes.get("closed") is True:
        yield "closed", CloseRisk(project=project.id, risk=r.id, reason=reason)


SHEET = Sheet(
    name="risks",
    title=N_("Risks as a table"),
    beside=N_("Score"),
    columns=COLUMNS,
    rows=rows,
    commands=commands,
    reason_help=N_("Clients whose agreement covers the history of scores read it beside every score that changes."),
)
