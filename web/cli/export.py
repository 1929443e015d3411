"""`fanlight export`: the evidence bundle of a share, a period or one update, or the plan of a project, as a file."""

from collections.abc import Mapping
from pathlib import Path

from domain.errors import Unknown
from domain.ids import ProjectId, ShareId
from domain.language import gettext as _
from projections.events.present import CurrentWorld
from projections.evidence import bundle
from projections.evidence.bundle import Enclosures
from projections.evidence.spool import Spool
from projections.installation.folder import Logs
from web import clock
from web.cli.arguments import Arguments, Commands, settings_of
from web.door.assets import asset_url
from web.door.templates import Pages
from web.evidence import download, page
from web.process import open_logs, signing
from web.proposal.writing import written
from web.settings import Settings, add_flags


def add_parsers(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("export", help=_("write the evidence bundle of a share, a period or one update"))
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("share", nargs="?", help=_("id of the share, as in the address of its page"))
    which.add_argument(
        "--plan", metavar="PROJECT", help=_("instead: the plan of this project, as Microsoft Project XML")
    )
    parser.add_argument("--out", type=Path, help=_("file to write (default: fanlight-SHARE.zip)"))
    parser.add_argument("--update", default="", help=_("only this update, with its proof"))
    parser.add_argument("--from", default="", help=_("first update of a period"))
    parser.add_argument("--to", default="", help=_("last update of a period"))
    parser.add_argument("--without-receipts", action="store_true", help=_("leave out what people's browsers reported"))
    add_flags(parser, ("data", "database_url", "signing_key"))
    parser.set_defaults(run=run)


def run(given: Arguments) -> int:
    """Write the bundle and say how to check it.

    Raises: BadSetting, Refused.
    """
    if given["plan"]:
        return _plan(settings_of(given), ProjectId(given["plan"]), given["out"])
    settings, share, receipts = settings_of(given), given["share"], not given["without_receipts"]
    query = {"n": given["update"], "from": given["from"], "to": given["to"]}  # as in the address of the download
    folder = open_logs.logs(settings)
    try:
        made = _bundle(settings, folder, share, query, receipts=receipts)
    finally:
        folder.close()
    target = given["out"] or Path(f"fanlight-{share}.zip")
    with target.open("wb") as out:
        out.writelines(made.pieces())
    print(_("{target}: {data:,} bytes. Check it with: fanlight verify {target}", target=target, data=made.size))
    made.close()
    return 0


def _plan(settings: Settings, project_id: ProjectId, out: Path | None) -> int:
    """Write the plan of a project, and say what was left out of it.

    Raises: BadSetting, Unknown.
    """
    folder = open_logs.logs(settings)
    try:
        project = CurrentWorld(folder.events).world.projects.get(project_id)
        where = folder.where
    finally:
        folder.close()
    if project is None:
        told = _("There is no project {project!r} in {where}. Its id is in the address of its page.",
                 project=str(project_id), where=where)  # fmt: skip
        raise Unknown(told)
    content, notes = written(project)
    target = out or Path(f"fanlight-{project_id}.xml")
    target.write_bytes(content)
    for note in notes:
        print(_("note      {note}", note=note))
    print(_("{target}: {n} milestones.", target=target, n=len(project.schedule.milestones)))
    return 0


def _bundle(settings: Settings, folder: Logs, share: str, query: Mapping[str, str], *, receipts: bool) -> Spool:
    world = CurrentWorld(folder.events).world
    head = folder.disclosure.head(share)
    asked = download.wanted(query, share, head, receipts=receipts)
    if share not in world.shares or head == 0:
        raise Unknown(
            _(
                "Share {share!r} has no updates in {where}. Its id is in the address of its page.",
                share=share,
                where=folder.where,
            )
        )
    if asked is None:
        raise Unknown(_("Share {share!r} has the updates 1 to {head}; choose among them.", share=share, head=head))
    agreed = world.shares[ShareId(share)]
    notary, pages = signing.notary(folder, settings, clock.now), Pages(asset=asset_url, demo=False)
    enclosed = Enclosures(
        made_at=clock.now(),
        verifier=download.verifier(),
        readable=lambda content: page.readable(pages, content, world.names_for(agreed.client) if receipts else None),
    )
    return bundle.build(folder, notary, asked, enclosed)
