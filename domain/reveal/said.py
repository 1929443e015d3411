"""The comments, acknowledgements and concerns that a client may know. Part of `reveal`; only `policy` calls it.

Rule: that of `policy`. A client sees its own words and the organisation's, never those of another client.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from domain.agreement.answers import Acknowledgement, Answers, Comment
from domain.agreement.share import Share
from domain.ids import PersonId
from domain.memory import Memory
from domain.plan.project import Project
from domain.reveal.past import after
from domain.view import Ack, ConcernCard, MilestoneRow, Remark, RiskCard

Called = Callable[[PersonId], str]
NEVER = datetime.max.replace(tzinfo=UTC)


class Heard(msgspec.Struct, frozen=True):
    """The comments and the newest acknowledgement of each subject: "milestone-m1", "risk-r7", "budget"."""

    comments: Mapping[str, tuple[Comment, ...]]
    acknowledged: Mapping[str, Acknowledgement]

    def about(self, kind: str) -> frozenset[str]:
        """Return the ids of the milestones or risks of which anything was said."""
        subjects = (subject.partition("-") for subject in (*self.comments, *self.acknowledged))
        return frozenset(key for of, _dash, key in subjects if of == kind)


def said_of(answers: Answers, memory: Memory) -> Heard:
    """Return what was said of each subject; of one on which nothing new was said, the same objects as before."""
    comments = memory.of("comments", (answers.comments,), lambda: _by_subject(answers.comments, memory))
    acknowledged = memory.of("acknowledged", (answers.taken,), lambda: answers.acknowledged)
    return Heard(comments, acknowledged)


def _by_subject(comments: tuple[Comment, ...], memory: Memory) -> dict[str, tuple[Comment, ...]]:
    found: dict[str, list[Comment]] = {}
    for comment in comments:
        found.setdefault(comment.subject, []).append(comment)
    return {subject: memory.one(("comments", subject), tuple(on)) for subject, on in found.items()}


def remarks(
    comments: Iterable[Comment], called: Called, since: datetime | None = NEVER, *, item: datetime | None
) -> tuple[Remark, ...]:
    """Return the comments from `since` on, and the notes on releases from `item` on, when the item became known."""
    told = [c for c in comments if after(c.at, item if c.remark else since)]
    return tuple(_remark(comment, called) for comment in told)


def _remark(comment: Comment, called: Called) -> Remark:
    return Remark(at=comment.at, by=called(comment.by), ours=comment.side == "ours", text=comment.text)


def ack(project: Project, given: Acknowledgement | None, called: Called, moved: datetime | None) -> Ack | None:
    """Return the client's latest acknowledgement of a subject; `moved` is when what is shown of it last changed."""
    if given is None:
        return None
    current = moved is None or moved <= given.at
    return Ack(by=called(given.by), on=project.civil(given.at), update=given.screen.n, current=current)


def agreement_ack(project: Project, share: Share, said: Heard, called: Called) -> Ack | None:
    """Return the client's acknowledgement of the agreement in force."""
    return ack(project, said.acknowledged.get(f"agreement-{share.version}"), called, None)


def concerns(
    share: Share,
    rows: tuple[MilestoneRow, ...],
    cards: tuple[RiskCard, ...],
    called: Called,
) -> tuple[ConcernCard, ...]:
    """Return the client's concerns, newest first; what one is about is named only while it is shared."""
    if not share.answers.concerns:
        return ()
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
