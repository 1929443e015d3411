"""One instant of a share: what was true, what its terms let its client know, and what was shown, side by side.

Rule: what was shown is the view recorded in the update, never computed anew; what was true is read from the events.
"""

from datetime import datetime
from typing import get_args

import msgspec

from domain.agreement.share import Share, Version
from domain.agreement.terms import Terms
from domain.catalogue import MilestoneField, ProjectField, RiskField
from domain.plan.project import Project
from domain.view import ClientView, Dimension
from projections.entries.entry import Header, Kept
from projections.events.hold_book import Hold
from projections.events.world import World
from projections.replay import pages
from web.process.services import Services
from web.record.audience import released_view, view_with_nothing_held
from web.record.told import in_force

EXACT = Terms()


class Then(msgspec.Struct, frozen=True, kw_only=True):
    """A share at an instant. Instants are UTC."""

    at: datetime
    share: Share  # as it is now
    n: int  # the update shown then, 0 before the first
    head: int  # the newest update
    update: Kept | None
    since: datetime | None  # when update n was recorded
    next_at: datetime | None  # when update n + 1 was
    agreed: Share | None  # with the terms in force then, None when there were none
    state: Project | None  # None before the project began
    plan: ClientView | None  # everything there was to know, as a client's view would put it
    coarse: ClientView | None  # the same at the level of detail of the terms in force
    due: ClientView | None  # what the terms let them know of it
    out: ClientView | None  # what of that did not wait for review
    held: tuple[tuple[Hold, str], ...]  # what did, and who let it go since, by name
    shown: ClientView | None  # what their page said; None before the first update, once ended, or when erased

    @property
    def ended(self) -> bool:
        """Whether the share was over: pages were closed."""
        return self.share.revoked_at is not None and self.share.revoked_at <= self.at

    @property
    def until(self) -> datetime | None:
        """When update n was replaced, or the share ended; None while it is what they see."""
        return self.next_at or self.share.revoked_at


def then(services: Services, share: Share, at: datetime) -> Then:
    """Return a share at an instant (UTC). For threads; its reads do not grow with the number of updates."""
    log, world = services.logs.disclosure, services.present.world
    n, head = pages.number_at(log, share.id, at), log.head(share.id)
    headers = {h.n: h for h in log.headers(share.id, max(n - 1, 0), 2, n + 1)}
    update = next(iter(log.kept(share.id, n - 1, 1, n)), None) if n else None
    agreed, state = in_force(share, at), services.present.past(share.project, at).state
    over = share.revoked_at is not None and share.revoked_at <= at
    return Then(
        at=at,
        share=share,
        n=n,
        head=head,
        update=update,
        since=_at(headers.get(n)),
        next_at=_at(headers.get(n + 1)),
        agreed=agreed,
        state=state,
        plan=everything_in(world, state, share) if state else None,
        coarse=everything_in(world, state, share, agreed.terms if agreed else EXACT) if state else None,
        due=view_with_nothing_held(world, state, agreed) if state and agreed else None,
        out=released_view(world, state, agreed, world.held_at(share.id, at)) if state and agreed else None,
        held=tuple((h, world.person_name(h.by)) for h in world.hold_record(share.id) if h.waits_at(at)),
        shown=pages.Views(log, share.id).after(update) if update and not over else None,
    )


def _at(header: Header | None) -> datetime | None:
    return header.instant if header else None


def everything_in(world: World, state: Project, share: Share, level: Terms = EXACT) -> ClientView:
    """Return a project as a view whose terms cover all that can be named to a client, at the `level` of detail."""
    terms = Terms(
        milestones=tuple(m.id for m in state.schedule.milestones.values() if m.details.client_title),
        milestone_fields=get_args(MilestoneField),
        risks=tuple(r.id for r in state.risks.risks.values() if r.details.client_title),
        risk_fields=get_args(RiskField),
        budget="amounts",
        measure=share.terms.measure if share.versions else "price",
        curve=True,
        indices=True,
        health=get_args(Dimension),
        project_fields=get_args(ProjectField),
        date_unit=level.date_unit,
        score_detail=level.score_detail,
        money_step=level.money_step,
    )
    version = Version(number=share.version, terms=terms, reason="", at=state.changed_at)
    return view_with_nothing_held(world, state, msgspec.structs.replace(share, versions=(version,), revoked_at=None))
