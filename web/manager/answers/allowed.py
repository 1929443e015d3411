"""Who may answer on a share: asked of the service's own rule, so that no page offers what would be refused."""

from typing import TYPE_CHECKING

import msgspec

from domain.agreement.answers import AnswerConcern, MakeComment
from domain.agreement.share import Share
from domain.commands import AnyCommand
from domain.errors import Denied
from projections.events.world import World
from web.write.permission import Actor, permit

if TYPE_CHECKING:
    from web.door.guard import Signed


class May(msgspec.Struct, frozen=True):
    """What somebody of ours may do on a share."""

    answer: bool
    comment: bool


def actor(signed: "Signed") -> Actor:
    """Return who acts."""
    return Actor(signed.person.id, signed.person.role, signed.person.client)


def may(world: World, signed: "Signed", share: Share) -> May:
    """Return what somebody may do on a share in force; nothing on one that has ended."""
    by = signed.person.id
    covered = {*share.terms.milestone_fields, *share.terms.risk_fields} if share.active else set()
    answer = AnswerConcern(share=share.id, concern="x", text="x", by=by)
    comment = MakeComment(share=share.id, comment="x", subject="milestone-x", text="x", by=by, side="ours")
    return May(
        answer=share.active and _permitted(world, signed, answer),
        comment="comments" in covered and _permitted(world, signed, comment),
    )


def _permitted(world: World, signed: "Signed", command: AnyCommand) -> bool:
    try:
        permit(actor(signed), command, world)
    except Denied:
        return False
    return True
