"""`fanlight import`: shows what a plan would change in a project, and records it with --accept."""

import sys
from collections.abc import Callable
from pathlib import Path

from domain.ids import ProjectId
from domain.language import gettext as _
from projections.events.present import CurrentWorld
from web import clock
from web.cli.arguments import Arguments, Commands, settings_of
from web.cli.plans.convert import BOUNDS, bounds
from web.cli.plans.proposed import project_in, record, say_how, show
from web.cli.plans.table import AsTold, compare
from web.converter import converter
from web.ids import new_id
from web.importers import BrokenFile, Plan
from web.importers.reading import read_any
from web.importers.registers.columns import KINDS, Columns, decode, kind_of
from web.process import open_logs
from web.proposal.compare import accept, propose
from web.proposal.sourced import beside_sources, from_sources
from web.settings import BadSetting, Settings, add_flags

WIDTH = 30  # of the progress bar, in characters


def add_parsers(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "import", help=_("compare a plan, a risk register or figures with a project, and take it over with --accept")
    )
    parser.add_argument(
        "file", type=Path, help=_("MSPDI XML, XLSX, XLS, ODS or CSV; with a converter also MPP, P6, MPX, Planner, Asta")
    )
    parser.add_argument("--project", required=True, help=_("id of the project, as in the address of its page"))
    parser.add_argument(
        "--accept", action="store_true", help=_("record every proposed change (default: only show them)")
    )
    parser.add_argument("--as", dest="kind", choices=KINDS, help=_("what a table is (default: as its headings say)"))
    parser.add_argument("--mapping", type=Path, help=_("JSON file that says which column of a table is what"))
    add_flags(parser, ("data", "database_url", "max_table_mb", "converter", *BOUNDS))
    parser.set_defaults(run=run)


def run(given: Arguments) -> int:
    """Compare and, if asked, record; a broken file changes nothing and gives exit code 3.

    Raises: BadSetting, Unknown.
    """
    settings, file = settings_of(given), given["file"]
    _check(file)
    most = settings.max_upload_mb * 2**20
    try:
        columns = _mapping(given["mapping"])
        chooser = AsTold(given["kind"] or (kind_of(columns) if columns else None), columns)
        used = converter(settings.converter, bounds(settings))
        found = read_any(
            file.name, file, chooser, _progress(), max_bytes=most, max_table=settings.max_table_mb * 2**20,
            convert=used.take if used else None,
        )  # fmt: skip
    except BrokenFile as broken:
        _print_problems(file, broken)
        return 3
    if not isinstance(found, Plan):
        return compare(settings, found, ProjectId(given["project"]), settled=given["accept"])
    plan = found
    undecided = plan.undecided and given["accept"]
    doubted = _compare(settings, plan, ProjectId(given["project"]), settled=given["accept"] and not undecided)
    if undecided:
        told = _("No column says which rows are milestones, so nothing was recorded.")
        print(
            _("fanlight: {told} Say with --mapping which column does, or that each row is one.", told=told),
            file=sys.stderr,
        )
    return 3 if undecided or (doubted and given["accept"]) else 0


def _print_problems(file: Path, broken: BrokenFile) -> None:
    print(_("fanlight: {file} cannot be read, nothing was changed.", file=file), file=sys.stderr)
    for problem in broken.problems:
        print(
            _("  line {line}: {message}", line=problem.line, message=problem.message)
            if problem.line
            else f"  {problem.message}",
            file=sys.stderr,
        )


def _compare(settings: Settings, plan: Plan, project_id: ProjectId, *, settled: bool) -> bool:
    """Print what the plan would change in a project, and record it if `settled` says so.

    Return whether it may be another plan; then nothing is recorded, and no dates are confirmed.
    """
    folder = open_logs.logs(settings)
    try:
        present = CurrentWorld(folder.events)
        project = project_in(present, project_id, folder.where)
        proposal = propose(beside_sources(project), plan, new_id, project.civil(clock.now()))
        proposal = from_sources(project, proposal)
        show(proposal, proposal.changes, _("Is this the same plan? {doubt}", doubt=proposal.doubt))
        told = _("{lines} changes proposed, {unchanged} milestones unchanged.",
                 lines=len(proposal.changes), unchanged=proposal.unchanged)  # fmt: skip
        print(told)
        if proposal.doubt:
            return True
        if settled:
            record(folder, present, project, accept(project, plan, proposal.changes))
        elif proposal.changes:
            say_how()
        return False
    finally:
        folder.close()


def _check(file: Path) -> None:
    """Do nothing where a file can be opened.

    Raises: BadSetting.
    """
    try:
        with file.open("rb"):
            return
    except OSError as error:
        raise BadSetting(_("{file} cannot be read: {strerror}.", file=file, strerror=error.strerror)) from error


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadSetting(_("{file} cannot be read: {strerror}.", file=file, strerror=error.strerror)) from error


def _mapping(columns: Path | None) -> Columns | None:
    return decode(_content(columns)) if columns else None


def _progress() -> Callable[[float], None] | None:
    if not sys.stderr.isatty():
        return None

    def draw(share: float) -> None:
        done = round(share * WIDTH)
        end = "\n" if share >= 1 else ""
        print(
            _("\rreading {value}{width} {share:4.0%}", value="█" * done, width="·" * (WIDTH - done), share=share),
            end=end,
            file=sys.stderr,
            flush=True,
        )

    return draw
