"""The comments, acknowledgements and concerns that a client may know. Part of `reveal`; only `policy` calls it.

Rule: that of `policy`. A client sees its own words and the organisation's, never those of another client.
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
    """Return the comments from `since` on, and the notes on releases from `item` on, when the item became known."""
    comments = [c for c in share.answers.on(subject) if after(c.at, item if c.remark else since)]
    return tuple(_remark(comment, called) for comment in comments)


def _remark(comment: Comment, called: Called) -> Remark:
    return Remark(at=comment.at, by=called(comment.by), ours=comment.side == "ours", text=comment.text)


def ack(project: Project, share: Share, subject: str, called: Called, moved: datetime | None) -> Ack | None:
    """Return the client's latest acknowledgement of a subject; `moved` is when what is shown of it last changed."""
    given = share.answers.acknowledged.get(subject)
    if given is None:
        return None
    current = moved is None or moved <= given.at
    return Ack(by=called(given.by), on=project.civil(given.at), update=given.screen.n, current=current)


def agreement_ack(project: Project, share: Share, called: Called) -> Ack | None:
    """Return the client's acknowledgement of the agreement in force."""
    return ack(project, share, f"agreement-{share.version}", called, None)


def concerns(
    share: Share,
    rows: tuple[MilestoneRow, ...],
    cards: tuple[RiskCard, ...],
    called: Called,
) -> tuple[ConcernCard, ...]:
    """Return the client's concerns, newest first; what one is about is named only while it is shared."""
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
