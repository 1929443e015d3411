"""Who sees what: the ids and figures each share in force reveals, by the very rule clients are served by. Pure.

Rule: nothing is judged here; `reveal` is asked, and what appears in its view is shared.
"""

import msgspec

from domain.agreement import Share
from domain.policy import reveal
from domain.project import Project
from domain.view import ClientView, Dimension
from projections.world import World, names

LEVELS = {"amounts": "amounts", "percent": "percent", "rag": "status alone"}


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """What one client sees of a project."""

    share: str
    client: str
    number: int  # 1, 2, 3 ... by name: which mark stands for it
    ids: frozenset[str]  # milestones and risks
    budget: str  # "price, amounts", "" for nothing
    health: frozenset[Dimension]


def view_of(world: World, project: Project, share: Share) -> ClientView:
    """Return what a client may know of `project` under the terms in force of `share`, were nothing held."""
    called = names(world, share)
    return reveal(
        project,
        share,
        organisation=called.organisation,
        client=called.client,
        time_zone=called.time_zone,
        called=called.called,
    )


def audiences(world: World, project: Project) -> list[Audience]:
    """Return the audience of every share in force, by name of its client."""
    active = [share for share in world.shares_of_project(project.id) if share.active]
    return [_audience(world, project, share, number) for number, share in enumerate(active, 1)]


def _audience(world: World, project: Project, share: Share, number: int) -> Audience:
    view, terms = view_of(world, project, share), share.terms
    ids = {row.id for row in view.milestones} | {card.id for card in view.risks}
    measured = view.budget is not None and view.budget.measure is not None
    budget = f"{terms.measure}, {LEVELS[terms.budget]}" if measured and terms.budget != "nothing" else ""
    if not budget and terms.budget == "rag" and view.budget is not None:
        budget = LEVELS["rag"]
    return Audience(
        share=share.id,
        client=world.client_name(share.client),
        number=number,
        ids=frozenset(ids),
        budget=budget,
        health=frozenset(terms.health),
    )


def moved(world: World, before: Project, after: Project) -> list[Share]:
    """Return the shares in force whose clients see something else after a change of their project."""
    active = [share for share in world.shares_of_project(after.id) if share.active]
    return [share for share in active if view_of(world, before, share) != view_of(world, after, share)]
