"""A proposal of a file, printed line by line; the project it is about; and one command that records it."""

from collections.abc import Sequence

from domain.errors import Unknown
from domain.ids import CommandId, ProjectId
from domain.language import gettext as _
from domain.plan.project import ChangeTogether, Project
from projections.events.present import CurrentWorld
from projections.installation.folder import Logs
from web import clock
from web.ids import new_id
from web.proposal.lines import Proposal, ProposalLine
from web.write.permission import OPERATOR
from web.write.service import Service


def project_in(present: CurrentWorld, key: ProjectId, where: str) -> Project:
    """Return a project of an installation. Raises: Unknown."""
    project = present.world.projects.get(key)
    if project is None:
        raise Unknown(
            _(
                "There is no project {project!r} in {where}. Its id is in the address of its page.",
                project=str(key),
                where=where,
            )
        )
    return project


def show(proposal: Proposal, lines: Sequence[ProposalLine], doubt: str) -> None:
    """Print lines of what a file would change, and its notes; `doubt` first where it may be of something else."""
    if proposal.doubt:
        print(_("note      {told} Nothing is taken over here: accept it on the page “Import”.", told=doubt))
    for line in lines:
        change = f"{line.before} -> {line.after}" if line.before else line.after
        note = f"  ({line.note})" if line.note else ""
        print(f"{'offered' if line.offered else line.kind:9} {line.title}: {change}{note}")
    for told in proposal.notes:
        print(_("note      {note}", note=told))


def record(logs: Logs, present: CurrentWorld, project: Project, command: ChangeTogether) -> None:
    """Record what was accepted as one command, and print what came of it."""
    answer = Service(logs.events, present, clock.now).execute(
        OPERATOR, command, command_id=CommandId(f"import-{project.id}-{new_id()}")
    )
    print(
        _(
            "Recorded {events} events; the project is at version {version}.",
            events=len(answer.events),
            version=answer.version,
        )
    )


def say_how() -> None:
    """Print how what was only shown is recorded."""
    print(_("Nothing is recorded yet. The same command with --accept takes these changes over."))
