"""The four steps from nothing to a client looking: a project, its plan, a client, a person of theirs."""

from collections.abc import Sequence

import msgspec

from domain.agreement.share import Share
from domain.language import gettext as _
from domain.people.person import Person
from domain.plan.project import Project
from projections.events.world import World
from web.people.client_standing import clients_of


class FirstStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step: what it is for, whether it is done, and where it is taken."""

    title: str
    about: str
    done: bool
    address: str = ""  # "" while an earlier step is missing
    button: str = ""
    asks: str = ""  # what can be typed right here: the name of a client
    instead: str = ""  # the way to the whole form


def first_steps(world: World, person: Person, project: Project | None = None) -> Sequence[FirstStep]:
    """Return the steps of a project, or of one that is to be started; none once all were taken, or a share ended."""
    shares = world.shares_of_project(project.id) if project else []
    if any(share.revoked_at for share in shares) or (project and project.phase == "closed"):
        return ()
    in_force = [share for share in shares if share.versions]
    plan = bool(project and project.schedule.milestones)
    let_in = any(world.viewers_of(share.client) for share in in_force)
    if plan and let_in:
        return ()
    here = f"/p/{project.id}" if project else ""
    return (
        FirstStep(
            title=_("Start a project"),
            about=_("Its title, and its plan as a file if there is one."),
            done=project is not None,
            address="/p/new",
            button=_("Start a project"),
        ),
        FirstStep(
            title=_("Import its plan"),
            about=_(
                "Microsoft Project XML, a workbook or CSV; or add milestones by hand. Tick there what clients may see."
            ),
            done=plan,
            address=f"{here}/import" if here else "",
            button=_("Import a plan"),
        ),
        _client_step(here, shares, several=bool(clients_of(world, person))),
        FirstStep(
            title=_("Invite a person"),
            about=_("Somebody of the client gets a link of their own, and is looking."),
            done=let_in,
            address=f"{here}/shares/{in_force[0].id}#viewers" if in_force else "",
            button=_("Invite a person"),
        ),
    )


def _client_step(here: str, shares: Sequence[Share], *, several: bool) -> FirstStep:
    draft = next((share for share in shares if not share.versions), None)
    asks = _("Name of a new client") if several else _("Name of the client")
    return FirstStep(
        title=_("Share it with a client"),
        about=_("You choose what the client sees, with their exact page beside it."),
        done=any(share.versions for share in shares),
        address=f"{here}/shares/{draft.id}/edit" if draft else f"{here}/shares/new" if here else "",
        button=_("Go on with the draft") if draft else _("Share with a client"),
        asks=asks if here and draft is None else "",
        instead=_("Choose a client") if several else _("More choices"),
    )
