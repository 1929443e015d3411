"""`fanlight import`: shows what a plan would change in a project, and takes it over with --accept."""

import sys
from collections.abc import Callable
from pathlib import Path

from domain.errors import Unknown
from domain.ids import CommandId, ProjectId
from domain.language import gettext as _
from domain.plan.project import Project
from projections.events.present import CurrentWorld
from web import clock
from web.ids import new_id
from web.importers import BrokenFile, Mapping, Plan, read
from web.importers.csv import mapping
from web.process import open_logs
from web.proposal.compare import Proposal, accept, propose
from web.settings import BadSetting, Settings
from web.write.permission import OPERATOR
from web.write.service import Service

WIDTH = 30  # of the progress bar, in characters


def run(settings: Settings, file: Path, project: str, columns: Path | None, *, accept: bool) -> int:
    """Compare and, if asked, record; a broken file changes nothing and gives exit code 3."""
    data = _content(file)
    try:
        plan = read(file.name, data, _mapping(columns), _progress(), max_bytes=settings.max_upload_mb * 2**20)
    except BrokenFile as broken:
        print(_("fanlight: {file} cannot be read, nothing was changed.", file=file), file=sys.stderr)
        for problem in broken.problems:
            print(
                _("  line {line}: {message}", line=problem.line, message=problem.message)
                if problem.line
                else f"  {problem.message}",
                file=sys.stderr,
            )
        return 3
    folder = open_logs.logs(settings)
    try:
        present = CurrentWorld(folder.events)
        found = present.world.projects.get(ProjectId(project))
        if found is None:
            raise Unknown(
                _(
                    "There is no project {project!r} in {where}. Its id is in the address of its page.",
                    project=project,
                    where=folder.where,
                )
            )
        proposal = propose(found, plan, new_id, found.civil(clock.now()))
        _show(proposal)
        if accept:
            _record(Service(folder.events, present, clock.now), found, plan, proposal)
        elif proposal.lines:
            print(_("Nothing is recorded yet. The same command with --accept takes these changes over."))
    finally:
        folder.close()
    return 0


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadSetting(_("{file} cannot be read: {strerror}.", file=file, strerror=error.strerror)) from error


def _mapping(columns: Path | None) -> Mapping | None:
    return mapping.decode(_content(columns)) if columns else None


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


def _show(proposal: Proposal) -> None:
    for line in proposal.lines:
        change = f"{line.before} -> {line.after}" if line.before else line.after
        note = f"  ({line.note})" if line.note else ""
        print(f"{line.kind:9} {line.title}: {change}{note}")
    for note in proposal.notes:
        print(_("note      {note}", note=note))
    print(
        _(
            "{lines} changes proposed, {unchanged} milestones unchanged.",
            lines=len(proposal.lines),
            unchanged=proposal.unchanged,
        )
    )


def _record(service: Service, project: Project, plan: Plan, proposal: Proposal) -> None:
    command = accept(project, plan, proposal.lines)
    answer = service.execute(OPERATOR, command, command_id=CommandId(f"import-{project.id}-{new_id()}"))
    print(
        _(
            "Recorded {events} events; the project is at version {version}.",
            events=len(answer.events),
            version=answer.version,
        )
    )
