"""Who may answer and comment on a share, asked of `permit`, so that a page hides forms the service would refuse."""

import msgspec

from domain.agreement.answers import AnswerConcern, MakeComment
from domain.agreement.share import Share
from projections.events.world import World
from web.door.guard import Signed
from web.staff.acting import permitted


class May(msgspec.Struct, frozen=True):
    """What somebody of the organisation may do on a share."""

    answer: bool
    comment: bool


def may(world: World, signed: Signed, share: Share) -> May:
    """Return what somebody may do on a share in force; nothing on one that has ended."""
    by = signed.person.id
    covered = {*share.terms.milestone_fields, *share.terms.risk_fields} if share.active else set()
    answer = AnswerConcern(share=share.id, concern="x", text="x", by=by)
    comment = MakeComment(share=share.id, comment="x", subject="milestone-x", text="x", by=by, side="ours")
    return May(
        answer=share.active and permitted(world, signed, answer),
        comment="comments" in covered and permitted(world, signed, comment),
    )
