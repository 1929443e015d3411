"""The page of a risk register or of budget figures: what it says, what its words mean, and what it would change."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TypedDict

import msgspec
from starlette.datastructures import FormData

from domain.errors import Invalid
from domain.language import N_, Said
from domain.language import gettext as _
from domain.plan.project import ChangeTogether, Project
from web.ids import new_id
from web.importers.plan import Problem
from web.importers.registers.columns import FIGURE_FIELDS, RISK_FIELDS, Columns, FigureColumns, Kind, RiskColumns
from web.importers.registers.found import FigureTable, RiskTable
from web.manager.importing.refusal import Refusal
from web.manager.importing.uploads import Reading
from web.process.services import Services
from web.proposal import figures, risks
from web.proposal.lines import REASONED, Proposal, ProposalLine
from web.proposal.meaning import Meant
from web.proposal.risks import RegisterProposal
from web.proposal.together import together
from web.staff.frame import StaffPage

MOST = 2000  # lines a person can be asked to look through
TITLES = Said({"plan": N_("A plan"), "risks": N_("A risk register"), "figures": N_("Budget figures")})
FIELDS = Said(
    {
        "ref": N_("Reference"),
        "title": N_("Title"),
        "event": N_("Event"),
        "cause": N_("Cause"),
        "effect": N_("Effect"),
        "probability": N_("Now: likelihood"),
        "impact": N_("Now: impact"),
        "inherent_probability": N_("Before any response: likelihood"),
        "inherent_impact": N_("Before any response: impact"),
        "response": N_("Response"),
        "actions": N_("What is done"),
        "owner": N_("Owner"),
        "actionee": N_("Actionee"),
        "author": N_("Author"),
        "proximity": N_("Proximity"),
        "category": N_("Category"),
        "status": N_("Status"),
        "date": N_("Status date or period"),
        "bac": N_("BAC (budget)"),
        "pv": N_("PV (planned)"),
        "ev": N_("EV (earned)"),
        "ac": N_("AC (spent)"),
        "eac": N_("EAC (forecast)"),
    }
)
REQUIRED = frozenset({"ref", "title"})


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to choose of how a table is read: its name, its label, and its options with what each is called."""

    name: str
    label: str
    value: str
    options: tuple[tuple[str, str], ...]
    required: bool = False


class ImportTablePage(StaffPage, frozen=True, kw_only=True):
    """What a register or figures would change, line by line, or what is wrong with it."""

    template = "pm/import_table.html"
    project: Project
    file: str  # SHA-256 of it
    name: str
    problem: str
    command_id: str
    kind: Kind
    kinds: dict[str, str]
    choices: Sequence[Choice]
    date_format: str | None  # None where it has no dates
    saved: bool
    problems: Sequence[Problem]
    table: RiskTable | FigureTable | None
    proposal: Proposal | None
    words: Sequence[Meant]
    fields: dict[str, str]
    chosen: AbstractSet[str]
    wrong: str  # name of the field the problem belongs to
    reason: str


class TableFields(TypedDict):
    """The fields of an `ImportTablePage` that are of the table itself, to be given as `**fields_of(...)`."""

    problem: str
    command_id: str
    kind: Kind
    kinds: dict[str, str]
    choices: Sequence[Choice]
    date_format: str | None
    saved: bool
    problems: Sequence[Problem]
    table: RiskTable | FigureTable | None
    proposal: Proposal | None
    words: Sequence[Meant]
    fields: dict[str, str]
    chosen: AbstractSet[str]
    wrong: str
    reason: str


def propose(services: Services, project: Project, table: RiskTable | FigureTable) -> Proposal:
    """Return what a table would change in a project now. For threads."""
    if isinstance(table, RiskTable):
        return risks.propose(project, table, new_id)
    return figures.propose(project, table, project.civil(services.now()))


def fields_of(
    services: Services, project: Project, reading: Reading, refusal: Refusal | None, query: str
) -> TableFields:
    """Return the fields of an `ImportTablePage` that are of the table itself. For threads."""
    offered, columns = reading.offered, reading.columns
    if offered is None or columns is None:
        message = "only a table that was offered has columns"
        raise ValueError(message)
    problems = reading.broken.problems if reading.broken else ()
    proposal = propose(services, project, reading.table) if reading.table else None
    if proposal and len(proposal.lines) > MOST:
        told = _(
            "It would change {lines:,} lines; at most {most:,} are looked through at once.",
            lines=len(proposal.lines),
            most=MOST,
        )
        problems, proposal = (Problem(None, told),), None
    lines = proposal.lines if proposal else ()
    form = refusal.form if refusal else None
    every = {line.key for line in lines}
    proposed = {line.key for line in lines if not line.offered}
    chosen = {"all": every, "none": set[str]()}.get(query, proposed)
    return {
        "problem": refusal.problem if refusal else "",
        "command_id": str(form.get("command_id")) if form and form.get("command_id") else new_id(24),
        "kind": offered.kind,
        "kinds": TITLES,
        "choices": choices(reading.table.header if reading.table else offered.header, offered.sheets, columns),
        "date_format": columns.date_format if isinstance(columns, FigureColumns) else None,
        "saved": reading.saved,
        "problems": problems,
        "table": reading.table if proposal else None,
        "proposal": proposal,
        "words": proposal.words if isinstance(proposal, RegisterProposal) else (),
        "fields": FIELDS,
        "chosen": {str(key) for key in form.getlist("line")} if form else chosen,
        "wrong": refusal.field if refusal else "",
        "reason": str(form.get("reason", "")) if form else "",
    }


def choices(header: Sequence[str], sheets: Sequence[str], columns: Columns) -> list[Choice]:
    """Return what there is to choose of how a table is read."""
    names = tuple((name, name) for name in header if name)
    found = []
    if len(sheets) > 1:
        every = tuple((name, name) for name in sheets)
        found.append(Choice(name="sheet", label=_("Sheet"), value=columns.sheet, options=every, required=True))
    for field in RISK_FIELDS if isinstance(columns, RiskColumns) else FIGURE_FIELDS:
        none = _("Choose") if field in REQUIRED else _("None")
        options = (("", none), *names)
        found.append(Choice(name=field, label=FIELDS[field], value=getattr(columns, field), options=options))
    return [*found, *_settings(columns)] if isinstance(columns, FigureColumns) else found


def _settings(columns: FigureColumns) -> list[Choice]:
    """Return how the amounts of figures can be meant."""
    unknown = ("", _("Asked where it matters"))
    return [
        Choice(
            name="measure",
            label=_("Figures of"),
            value=columns.measure,
            options=(("cost", _("Cost (yours)")), ("price", _("Price (the client’s)"))),
        ),
        Choice(
            name="amounts",
            label=_("Amounts are"),
            value=columns.amounts,
            options=(unknown, ("sums", _("Sums so far")), ("periods", _("Of each period"))),
        ),
        Choice(
            name="days",
            label=_("The first of a month means"),
            value=columns.days,
            options=(unknown, ("days", _("That day")), ("months", _("The whole month"))),
        ),
        Choice(
            name="unit",
            label=_("Amounts are in"),
            value=columns.unit,
            options=(
                ("", _("As the headings say")),
                ("1", _("Whole units")),
                ("1000", _("Thousands")),
                ("1000000", _("Millions")),
            ),
        ),
        Choice(
            name="decimal",
            label=_("Decimal places are parted by"),
            value=columns.decimal,
            options=(unknown, (".", _("A point")), (",", _("A comma"))),
        ),
    ]


def chosen_columns(form: FormData, columns: Columns) -> Columns:
    """Return the columns, or the meanings of words, that a form chooses; what it does not have stays as it is."""
    if isinstance(columns, RiskColumns) and form.get("words"):
        said = {key.removeprefix("means."): str(value)[:40] for key, value in form.items() if key.startswith("means.")}
        kept = {
            key[:200]: value for key, value in {**columns.meanings, **said}.items() if isinstance(value, str) and value
        }
        return msgspec.structs.replace(columns, meanings=dict(list(kept.items())[-2000:]))
    told = {
        field: str(form.get(field))[:200]
        for field in columns.__struct_fields__
        if field not in ("kind", "meanings", "delimiter") and form.get(field) is not None
    }
    changed: Mapping[str, object] = msgspec.structs.asdict(columns) | told
    try:
        return msgspec.convert(changed, type(columns))
    except msgspec.ValidationError:
        return columns


def accepted(project: Project, proposal: Proposal, form: FormData) -> ChangeTogether | None:
    """Return the command of the ticked lines, None where one of them is no longer proposed.

    Raises: Invalid.
    """
    ticked = {str(key) for key in form.getlist("line")}
    lines = [line for line in proposal.lines if line.key in ticked]
    if len(lines) < len(ticked):
        return None
    return together(project, lines, _reason(lines, form))


def _reason(lines: Sequence[ProposalLine], form: FormData) -> str:
    """Return why scores changed, or risks were closed or reopened.

    Raises: Invalid where some did and no reason is given.
    """
    reason = str(form.get("reason", "")).strip()
    if not reason and any(isinstance(command, REASONED) for line in lines for command in line.commands):
        raise Invalid(_("Reason is missing. Say why this changed; clients who may see reasons read it."), "reason")
    return reason
