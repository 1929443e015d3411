"""`fanlight history`: shows what a folder of older plans adds to the past of a project; records it with --accept."""

import sys
from datetime import datetime
from pathlib import Path

from domain.errors import Unknown
from domain.ids import CommandId, ProjectId
from domain.language import gettext as _
from domain.plan.project import Project
from projections.events.present import CurrentWorld
from web import clock
from web.cli.arguments import Arguments, Commands, settings_of
from web.ids import new_id
from web.importers import BrokenFile, Mapping, read
from web.importers.dated import status_date
from web.importers.table import mapping as csv_mapping
from web.process import open_logs
from web.proposal.history import Past, Then, end_of, past
from web.settings import BadSetting, Settings, add_flags
from web.write.permission import OPERATOR
from web.write.service import Service

MOST_FILES = 1000


def add_parsers(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "history", help=_("add the past of a project from a folder of older plans, with --accept")
    )
    parser.add_argument("folder", type=Path, help=_("folder with one plan file for each status date"))
    parser.add_argument("--project", required=True, help=_("id of the project, as in the address of its page"))
    parser.add_argument("--accept", action="store_true", help=_("record it (default: only show what it would add)"))
    parser.add_argument("--mapping", type=Path, help=_("JSON file that says which CSV column is what"))
    add_flags(parser, ("data", "database_url", "max_upload_mb"))
    parser.set_defaults(run=run)


def run(given: Arguments) -> int:
    """Read the folder and, if asked, record; a file that cannot be read records nothing and gives exit code 3.

    Raises: BadSetting, Unknown.
    """
    settings, files = settings_of(given), _files(given["folder"])
    folder = open_logs.logs(settings)
    try:
        present = CurrentWorld(folder.events)
        project = present.world.projects.get(ProjectId(given["project"]))
        if project is None:
            told = _("There is no project {project!r} in {where}.", project=given["project"], where=folder.where)
            raise Unknown(_("{told} Its id is in the address of its page.", told=told))
        now = clock.now()
        plans, failed = _plans(files, given["mapping"], settings, project, now)
        if failed:
            print(_("fanlight: nothing was recorded. Mend these files, or take them away."), file=sys.stderr)
            return 3
        found = past(project, plans, now)
        _show(found)
        if found.commands and given["accept"]:
            answer = Service(folder.events, present, clock.now).execute(
                OPERATOR, found.together(project), command_id=CommandId(f"history-{project.id}-{new_id()}")
            )
            print(_("Recorded {events} events.", events=len(answer.events)))
        elif found.commands:
            print(_("Nothing is recorded yet. The same command with --accept adds this to the past."))
        return 0
    finally:
        folder.close()


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder by name, without hidden ones. Raises: BadSetting."""
    try:
        files = sorted(one for one in folder.iterdir() if one.is_file() and not one.name.startswith("."))
    except OSError as error:
        raise BadSetting(_("{file} cannot be read: {strerror}.", file=folder, strerror=error.strerror)) from error
    if not files:
        raise BadSetting(_("There is no file in {folder}. Put one plan for each status date into it.", folder=folder))
    if len(files) > MOST_FILES:
        raise BadSetting(_("There are more than {most} files in {folder}.", most=MOST_FILES, folder=folder))
    return files


def _plans(
    files: list[Path], mapping: Path | None, settings: Settings, project: Project, now: datetime
) -> tuple[list[Then], bool]:
    """Return the plans with the instants they are of, and whether a file could not be read; each is printed."""
    columns = _columns(mapping)
    plans: list[Then] = []
    failed = False
    for file in files:
        try:
            plan = read(file.name, file, columns, max_bytes=settings.max_upload_mb * 2**20)
        except (BrokenFile, OSError) as broken:
            print(_("{file}: cannot be read. {why}", file=file.name, why=broken), file=sys.stderr)
            failed = True
            continue
        day = status_date(file.name, plan)
        if day is None:
            told = _(
                "{file}: neither the file nor its name says its status date. Put it into the name, such as "
                "plan-2026-03-31.xml.",
                file=file.name,
            )
            print(told, file=sys.stderr)
            failed = True
            continue
        print(_("{day}  {file}, milestones: {many}", day=day, file=file.name, many=len(plan.milestones)))
        plans.append((end_of(day, project, now), plan))
    return plans, failed


def _columns(mapping: Path | None) -> Mapping | None:
    if mapping is None:
        return None
    try:
        return csv_mapping.decode(mapping.read_bytes())
    except OSError as error:
        raise BadSetting(_("{file} cannot be read: {strerror}.", file=mapping, strerror=error.strerror)) from error
    except BrokenFile as broken:
        raise BadSetting(str(broken)) from None


def _show(found: Past) -> None:
    print(
        _(
            "Added to the past: {moves} moves of forecasts, {others} other values, {agreed} agreed plans.",
            moves=found.moves,
            others=found.others,
            agreed=found.agreed,
        )
    )
    for note in found.notes:
        print(_("note      {note}", note=note))
