"""The page of one project: its plan with the audience of each line, its shares, and what waits."""

from collections.abc import Sequence

from domain.ids import ClientId, ProjectId
from domain.plan.project import Project
from projections.events.world import World
from projections.wording import days
from web.door.guard import Signed
from web.manager.forms import regions
from web.manager.plan import lines
from web.manager.plan.comes import to_look_at
from web.manager.plan.first_steps import FirstStep, first_steps
from web.manager.plan.lines import BudgetLine, Counts, HealthLine, MilestoneLine, RiskLine
from web.manager.plan.offers import Offer, latest_offers
from web.manager.plan.share_lines import ShareLine, share_lines
from web.manager.plan.waiting import Goes, Gone, Kept, Waits, waiting
from web.manager.sources.told import SourceTold
from web.process.services import Services
from web.record import audience as record_audience
from web.staff.frame import StaffPage, shell

RECENT = 400  # events of the project looked through for today's


class WatchingPage(StaffPage, frozen=True, kw_only=True):
    """The shares of a project and what waits, as its page asks for them every few seconds."""

    template = "pm/watching.html"
    project: Project
    shares: Sequence[ShareLine]
    concerns: int  # open ones
    waiting: Sequence[Waits]
    gone: Sequence[Gone]  # what waited and was let go a moment ago
    held_said: str  # how many wait, as a sentence
    all_of: Sequence[Sequence[Goes]]  # by share, where several items wait
    kept: Kept


class WorkspacePage(WatchingPage, frozen=True, kw_only=True):
    """All that the page of a project shows."""

    template = "pm/project.html"
    done: str  # today, as a sentence
    waits: str  # for the manager, as a sentence
    milestones: Sequence[MilestoneLine]
    risks: Sequence[RiskLine]
    budgets: Sequence[BudgetLine]
    healths: Sequence[HealthLine]
    owner: str
    holidays: str  # whose the calendar holds and for which years
    offers: Sequence[Offer]  # what of theirs can be put back
    steps: Sequence[FirstStep]  # that are still to be taken before a client looks
    sources: Sequence[SourceTold]  # that fail, or of which something waits
    untitled: int  # milestones without a title for clients
    said: str = ""  # what was just recorded, in words
    offer: Offer | None = None  # to put that back


class ChangedPage(WorkspacePage, frozen=True, kw_only=True):
    """The page of a project after a change, to be put in place of what was there."""

    template = "pm/after.html"
    slot: str  # id of the element the form was in
    version: int  # of the last event it recorded, 0 for none
    undone: int  # version of the change it put back, 0 for none
    lapsed: Sequence[int]  # versions of changes that can be put back no longer, wherever the page still offers it


def changes_today(services: Services, project: Project, version: int) -> int:
    """Return how many commands changed the project since midnight in its zone."""
    midnight = days.start_of(project.civil(services.now()), project.time_zone)
    recent = services.logs.events.stream(f"project-{project.id}", after=max(0, version - RECENT))
    return len({recorded.command for recorded in recent if recorded.at >= midnight})


def open_concerns(world: World, project: Project) -> int:
    """Return how many concerns about a project are not settled."""
    shares = world.shares_of_project(project.id)
    return sum(not concern.settled for share in shares for concern in share.answers.concerns.values())


def shares_shown(services: Services, signed: Signed, key: str) -> WatchingPage | None:
    """Return what the list of shares shows, None where there is no such project. For threads."""
    world = services.present.refresh()
    project = world.projects.get(ProjectId(key))
    if project is None:
        return None
    return WatchingPage(
        project=project,
        shares=share_lines(services, world, project),
        concerns=open_concerns(world, project),
        **waiting(services, world, project),
        **shell(services, signed),
    )


def workspace(services: Services, signed: Signed, key: str) -> WorkspacePage | None:
    """Return the page of a project, None where there is no such project. For threads."""
    world = services.present.refresh()
    project = world.projects.get(ProjectId(key))
    if project is None:
        return None
    audience = record_audience.audiences(world, project)
    today = project.civil(services.now())
    milestones = lines.milestones(project, audience, today)
    asked = {str(client) for risk in project.risks.risks.values() for client in (*risk.client_scores, *risk.asked)}
    risks = lines.risks(project, audience, {client: world.client_name(ClientId(client)) for client in asked})
    shares = share_lines(services, world, project)
    counts = Counts(
        changes_today=changes_today(services, project, world.versions.get(f"project-{key}", 0)),
        overdue=sum(line.passed > 0 for line in milestones),
        waiting=sum(len(line.waiting) for line in risks),
        stopped=sum(bool(line.stopped) for line in shares),
        concerns=open_concerns(world, project),
    )
    done, waits = lines.sentence(project, counts)
    return WorkspacePage(
        project=project,
        done=done,
        waits=waits,
        milestones=milestones,
        risks=risks,
        budgets=lines.budgets(project, audience),
        healths=lines.healths(project, audience),
        shares=shares,
        concerns=counts.concerns,
        holidays=regions.held(project.calendar),
        steps=first_steps(world, signed.person, project),
        sources=to_look_at(services, project),
        untitled=len(lines.untitled(project)),
        owner=world.people[project.owner].name if project.owner in world.people else project.owner,
        offers=latest_offers(world, project, signed.person.id, services.now()).listed,
        **waiting(services, world, project),
        **shell(services, signed),
    )
