"""`fanlight import` of a risk register or of budget figures: what it would change, and recording it with --accept."""

import sys

import msgspec

from domain.ids import ProjectId
from domain.language import gettext as _
from projections.events.present import CurrentWorld
from web import clock
from web.cli.plans.proposed import project_in, record, say_how, show
from web.ids import new_id
from web.importers.registers.columns import FIGURE_FIELDS, RISK_FIELDS, Columns, FigureColumns, Kind, RiskColumns
from web.importers.registers.found import FigureTable, RiskTable
from web.importers.registers.reader import OfferedTable
from web.importers.table.mapping import FIELDS
from web.process import open_logs
from web.proposal import figures, risks
from web.proposal.lines import Proposal
from web.proposal.risks import RegisterProposal
from web.proposal.together import together
from web.settings import Settings


class AsTold:
    """Chooses as the command line says, else as the headings suggest, and prints what was chosen."""

    def __init__(self, kind: Kind | None, columns: Columns | None) -> None:
        self._kind, self._columns = kind, columns

    def kind(self, _header: object, guess: Kind) -> Kind:
        """Return what the table is."""
        return self._kind or guess

    def columns(self, offered: OfferedTable) -> Columns:
        """Return the columns to read by."""
        chosen = self._columns or offered.suggested
        print_columns(chosen)
        if self._columns is None:
            kept = {name: value for name, value in msgspec.to_builtins(chosen).items() if value}
            example = msgspec.json.encode(kept).decode()
            print(_("note      --mapping FILE chooses other columns: JSON such as {example}", example=example))
        return chosen


def print_columns(columns: Columns) -> None:
    """Print which column is what."""
    of = RISK_FIELDS if isinstance(columns, RiskColumns) else FIGURE_FIELDS
    fields = of if isinstance(columns, RiskColumns | FigureColumns) else FIELDS
    taken = [f"{field} = {name!r}" for field in fields if (name := getattr(columns, field))]
    print(_("columns   {taken}", taken=", ".join(taken) or _("none")))


def compare(settings: Settings, table: RiskTable | FigureTable, project_id: ProjectId, *, settled: bool) -> int:
    """Print what a table would change in a project, and record it if `settled` says so; return the exit code.

    Nothing is recorded while a word of it can mean several things. Raises: Unknown.
    """
    folder = open_logs.logs(settings)
    try:
        present = CurrentWorld(folder.events)
        project = project_in(present, project_id, folder.where)
        if isinstance(table, RiskTable):
            proposal: Proposal = risks.propose(project, table, new_id)
        else:
            proposal = figures.propose(project, table, project.civil(clock.now()))
        asked = _show(proposal)
        if (asked or proposal.doubt) and settled:
            print(_("fanlight: Something has to be said first, so nothing was recorded."), file=sys.stderr)
            return 3
        if settled and proposal.changes:
            record(folder, present, project, together(project, proposal.changes))
        elif proposal.changes:
            say_how()
        return 0
    finally:
        folder.close()


def _show(proposal: Proposal) -> bool:
    """Print a proposal; return whether a word of it can mean several things."""
    show(proposal, proposal.lines, _("Is this the same register? {doubt}", doubt=proposal.doubt))
    asked = proposal.asked if isinstance(proposal, RegisterProposal) else ()
    for word in asked:
        values = ", ".join(word.can or [value for value, _label in word.options])
        told = _(
            "{field} “{word}” (line {line}) can mean {values}: say it on the page “Import”, or in --mapping as {key}",
            field=word.field,
            word=word.word,
            line=word.line,
            values=values,
            key=msgspec.json.encode({"meanings": {word.key: "…"}}).decode(),
        )
        print(_("asked     {told}", told=told))
    print(
        _("{lines} changes proposed, {unchanged} unchanged.", lines=len(proposal.changes), unchanged=proposal.unchanged)
    )
    return bool(asked)
