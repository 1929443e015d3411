"""What both sides said, as far as a client may know it: comments, acknowledgements, concerns. Part of the one door.

Rule as there; `policy` alone calls it. A client's own words come back to it, and never those of another client.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from domain.agreement.answers import Comment
from domain.agreement.share import Share
from domain.ids import PersonId
from domain.plan.project import Project
from domain.reveal.past import after
from domain.view import Ack, ConcernCard, MilestoneRow, Remark, RiskCard

Called = Callable[[PersonId], str]
NEVER = datetime.max.replace(tzinfo=UTC)


def remarks(
    share: Share, subject: str, called: Called, since: datetime | None = NEVER, *, item: datetime | None
) -> tuple[Remark, ...]:
    """Comments from `since` on, and what was noted with a release from when the item itself was known."""
    found = [c for c in share.answers.on(subject) if after(c.at, item if c.remark else since)]
    return tuple(_remark(comment, called) for comment in found)


def _remark(comment: Comment, called: Called) -> Remark:
    return Remark(at=comment.at, by=called(comment.by), ours=comment.side == "ours", text=comment.text)


def ack(project: Project, share: Share, subject: str, called: Called, moved: datetime | None) -> Ack | None:
    """The client's latest acknowledgement; `moved` is when what is shown last moved."""
    given = share.answers.acknowledged.get(subject)
    if given is None:
        return None
    current = moved is None or moved <= given.at
    return Ack(by=called(given.by), on=project.civil(given.at), update=given.screen.n, current=current)


def agreement_ack(project: Project, share: Share, called: Called) -> Ack | None:
    return ack(project, share, f"agreement-{share.version}", called, None)


def concerns(
    share: Share,
    rows: tuple[MilestoneRow, ...],
    cards: tuple[RiskCard, ...],
    called: Called,
) -> tuple[ConcernCard, ...]:
    """The client's own words come back to it; what they are about is named only while it is shared."""
    titles = {f"milestone-{r.id}": r.title for r in rows} | {f"risk-{c.id}": f"{c.ref} {c.title}" for c in cards}
    return tuple(
        ConcernCard(
            id=c.id,
            at=c.at,
            by=called(c.by),
            update=c.screen.n,
            about=titles.get(c.subject, ""),
            text=c.text,
            answer=c.answer,
            answered_by=called(c.answered_by) if c.answered_by else "",
            answered_at=c.answered_at,
            settled=c.settled,
        )
        for c in reversed(share.answers.concerns.values())
    )
