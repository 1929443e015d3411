"""Who sees what of a project: the ids and figures that each share in force reveals.

Rule: nothing is judged here; `reveal` is asked, as it is for clients, and what appears in its view is shared.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from domain.agreement.share import Share
from domain.ids import ShareId
from domain.language import N_, Said
from domain.memory import Memory
from domain.plan.project import Project
from domain.reveal import holding
from domain.reveal.holding import Holds
from domain.reveal.policy import reveal
from domain.view import ClientView, Dimension
from projections.events.world import World, names
from web.telling.held import touched

LEVELS = Said({"amounts": N_("amounts"), "percent": N_("percent"), "rag": N_("status alone")})


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """What one client sees of a project."""

    share: str
    client: str
    number: int  # 1, 2, 3 ... by name: which mark stands for it
    ids: frozenset[str]  # milestones and risks
    budget: str  # "price, amounts", "" for nothing
    health: frozenset[Dimension]


def view_with_nothing_held(world: World, project: Project, share: Share, memory: Memory | None = None) -> ClientView:
    """Return what a client may know of `project` under the terms in force of `share`, were nothing held.

    `memory` is of views of this share that are asked for one after the other; it goes with the request.
    """
    called = names(world, share)
    return reveal(
        project,
        share,
        organisation=called.organisation,
        client=called.client,
        time_zone=called.time_zone,
        called=called.called,
        look=called.look,
        memory=memory,
    )


def audiences(world: World, project: Project) -> list[Audience]:
    """Return the audience of every share in force, by name of its client."""
    active = [share for share in world.shares_of_project(project.id) if share.active]
    return [_audience(world, project, share, number) for number, share in enumerate(active, 1)]


def _audience(world: World, project: Project, share: Share, number: int) -> Audience:
    view, terms = view_with_nothing_held(world, project, share), share.terms
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


class Effect(msgspec.Struct, frozen=True):
    """What a change means to one client: whether it sees some of it now, until when the rest waits at most (UTC)."""

    share: Share
    sees: bool
    waits_until: datetime | None


def released_view(
    world: World, project: Project, share: Share, holds: Holds, memory: Memory | None = None
) -> ClientView:
    """Return what a client may know of `project` while `holds` wait for review; `memory` as above."""
    return view_with_nothing_held(world, holding.as_released(project, holds, share.terms), share, memory)


def effects(world: World, before: Project, after: Project, held: Mapping[ShareId, Holds]) -> list[Effect]:
    """Return what a change of a project means to each client; `held` is what waited before it."""
    active = [share for share in world.shares_of_project(after.id) if share.active]
    every = [_effect(world, before, after, share, held.get(share.id, holding.NOTHING)) for share in active]
    return [effect for effect in every if effect.sees or effect.waits_until is not None]


def _effect(world: World, before: Project, after: Project, share: Share, held: Holds) -> Effect:
    waits, memory = world.held(share.id), Memory()
    sees = released_view(world, before, share, held, memory) != released_view(world, after, share, waits, memory)
    new = set[str]()
    if waits.held:
        seen = (view_with_nothing_held(world, state, share, memory) for state in (before, after))
        new = touched(*seen) & waits.held.keys()
    until = max((waits.held[subject].fact.until for subject in new), default=None)
    return Effect(share, sees, until)
