"""Comments, concerns and acknowledgements of both sides on what is shared. Part of a share's stream.

Rule: an answer of a client names the update that was on that person's screen, by number and hash. Internal notes are
events of the project and are never kept here.
"""

import re
from datetime import datetime
from typing import Literal, assert_never

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import PersonId, ShareId
from domain.language import gettext as _
from domain.message import Command, Event

Side = Literal["ours", "theirs"]
MOST = 500  # comments of one side, and concerns, on one share
OPEN = 50  # concerns of one share that wait to be settled


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """What was on a person's screen: the number of the update and the tree head after it, hex. 0 and "" for the
    organisation's own people.
    """

    n: int = 0
    head: str = ""


# events


class CommentMade(Event, frozen=True, kw_only=True):
    comment: str
    subject: str  # "milestone-m1", "risk-r7", "budget"
    text: str
    by: PersonId
    side: Side
    screen: Screen = Screen()


class ConcernRaised(Event, frozen=True, kw_only=True):
    concern: str
    subject: str  # "" for all that was on screen
    text: str
    by: PersonId
    screen: Screen


class ConcernAnswered(Event, frozen=True, kw_only=True):
    concern: str
    text: str
    by: PersonId
    settled: bool


class Acknowledged(Event, frozen=True, kw_only=True):
    """A client's person took note of something, which is not to agree to it."""

    subject: str  # "milestone-m1", "risk-r7", "agreement-4"
    by: PersonId
    screen: Screen


AnswerEvent = CommentMade | ConcernRaised | ConcernAnswered | Acknowledged

# state


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    subject: str
    text: str
    by: PersonId
    side: Side
    at: datetime
    screen: Screen
    remark: bool = False  # given with the release of a held change: shown whatever the terms say of comments


class Concern(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    subject: str
    text: str
    by: PersonId
    at: datetime
    screen: Screen
    answer: str = ""
    answered_by: PersonId = PersonId("")
    answered_at: datetime | None = None
    settled: bool = False


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    subject: str
    by: PersonId
    at: datetime
    screen: Screen


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """All comments, concerns and acknowledgements of one share, oldest first."""

    comments: tuple[Comment, ...] = ()
    concerns: dict[str, Concern] = {}
    taken: tuple[Acknowledgement, ...] = ()

    @property
    def acknowledged(self) -> dict[str, Acknowledgement]:
        """The latest acknowledgement of each subject."""
        return {acknowledgement.subject: acknowledgement for acknowledgement in self.taken}

    def on(self, subject: str) -> list[Comment]:
        """Return the comments on a subject."""
        return [comment for comment in self.comments if comment.subject == subject]

    def until(self, at: datetime) -> "Answers":
        """Return the answers as of an instant (UTC); of an answer that was replaced later, only the concern is left."""
        concerns = {key: _answered_by(concern, at) for key, concern in self.concerns.items() if concern.at <= at}
        return Answers(
            comments=tuple(comment for comment in self.comments if comment.at <= at),
            concerns=concerns,
            taken=tuple(acknowledgement for acknowledgement in self.taken if acknowledgement.at <= at),
        )


def _answered_by(concern: Concern, at: datetime) -> Concern:
    if concern.answered_at is None or concern.answered_at <= at:
        return concern
    nobody = PersonId("")
    return msgspec.structs.replace(concern, answer="", answered_by=nobody, answered_at=None, settled=False)


def evolve(state: Answers, event: AnswerEvent, at: datetime) -> Answers:
    """Return the answers after `event`, recorded at `at` (UTC)."""
    replace = msgspec.structs.replace
    match event:
        case CommentMade(comment=key, subject=subject, text=text, by=by, side=side, screen=screen):
            new = Comment(id=key, subject=subject, text=text, by=by, side=side, at=at, screen=screen)
            return replace(state, comments=(*state.comments, new))
        case ConcernRaised(concern=key, subject=subject, text=text, by=by, screen=screen):
            raised = Concern(id=key, subject=subject, text=text, by=by, at=at, screen=screen)
            return replace(state, concerns={**state.concerns, key: raised})
        case ConcernAnswered(concern=key, text=text, by=by, settled=settled):
            answered = replace(state.concerns[key], answer=text, answered_by=by, answered_at=at, settled=settled)
            return replace(state, concerns={**state.concerns, key: answered})
        case Acknowledged(subject=subject, by=by, screen=screen):
            acknowledgement = Acknowledgement(subject=subject, by=by, at=at, screen=screen)
            return replace(state, taken=(*state.taken, acknowledgement))
        case _:
            assert_never(event)


# commands


class MakeComment(Command, frozen=True, kw_only=True):
    share: ShareId
    comment: str
    subject: str
    text: str
    by: PersonId
    side: Side
    screen: Screen = Screen()


class RaiseConcern(Command, frozen=True, kw_only=True):
    share: ShareId
    concern: str
    subject: str
    text: str
    by: PersonId
    screen: Screen


class AnswerConcern(Command, frozen=True, kw_only=True):
    share: ShareId
    concern: str
    text: str
    by: PersonId
    settled: bool = True


class Acknowledge(Command, frozen=True, kw_only=True):
    share: ShareId
    subject: str
    by: PersonId
    screen: Screen


AnswerCommand = MakeComment | RaiseConcern | AnswerConcern | Acknowledge


def decide(state: Answers, command: AnswerCommand) -> list[AnswerEvent]:
    """Return the events that carry out `command`.

    Raises: a kind of Refused.
    """
    by = PersonId(check.identifier("by", command.by))
    match command:
        case MakeComment(comment=key, subject=subject, text=text, side=side, screen=screen):
            return [_comment(state, key, subject, text, by, side, screen)]
        case RaiseConcern(concern=key, subject=subject, text=text, screen=screen):
            if check.identifier("concern", key) in state.concerns:
                raise Conflict(_("A concern with this id was raised already. Use a new id."), "concern")
            if len(state.concerns) >= MOST:
                raise Conflict(
                    _("You raised {most} concerns on this share, and no more are kept. Write a letter.", most=MOST)
                )
            if sum(not concern.settled for concern in state.concerns.values()) >= OPEN:
                raise Conflict(
                    _(
                        "{open} concerns of this share are open. Wait until one is settled, or write a letter.",
                        open=OPEN,
                    )
                )
            words = check.text("text", text, required=True)
            about = _subject(subject, "milestone", "risk") if subject else ""
            return [ConcernRaised(concern=key, subject=about, text=words, by=by, screen=bound(screen))]
        case AnswerConcern(concern=key, text=text, settled=settled):
            if key not in state.concerns:
                raise Unknown(_("There is no such concern on this share. Reload the page."), "concern")
            words = check.text("text", text, required=True)
            old = state.concerns[key]
            if (old.answer, old.settled) == (words, settled):
                return []
            return [ConcernAnswered(concern=key, text=words, by=by, settled=settled)]
        case Acknowledge(subject=subject, screen=screen):
            about, screen = _subject(subject, "milestone", "risk", "agreement"), bound(screen)
            before = state.acknowledged.get(about)
            same = before is not None and (before.by, before.screen) == (by, screen)
            return [] if same else [Acknowledged(subject=about, by=by, screen=screen)]
        case _:
            assert_never(command)


def _comment(
    state: Answers, key: str, subject: str, text: str, by: PersonId, side: Side, screen: Screen
) -> CommentMade:
    check.identifier("comment", key)
    if any(comment.id == key for comment in state.comments):
        raise Conflict(_("A comment with this id was made already. Use a new id."), "comment")
    if sum(c.side == side for c in state.comments) >= MOST:  # by side: the number of the other side may not be shared
        raise Conflict(
            _("You made {most} comments on this share, and no more are kept. Write a letter instead.", most=MOST)
        )
    return CommentMade(
        comment=key,
        subject=_subject(subject, "milestone", "risk"),
        text=check.text("text", text, required=True),
        by=by,
        side=side,
        screen=screen if side == "ours" else bound(screen),
    )


def _subject(subject: str, *kinds: str) -> str:
    kind, _sep, key = subject.partition("-")
    if kind not in kinds:
        problem = _("{subject!r} is nothing that can be answered here", subject=subject[:40])
        raise Invalid(
            _("{told}; expected one of {kinds}, a hyphen and its id.", told=problem, kinds=", ".join(kinds)), "subject"
        )
    check.identifier("subject", key)
    return subject


def bound(screen: Screen) -> Screen:
    """Return the screen if it names an update by number and hash.

    Raises: Invalid.
    """
    if screen.n < 1 or not re.fullmatch(r"[0-9a-f]{64}", screen.head):
        problem = _("An answer is bound to the update that was on screen, by its number and hash")
        raise Invalid(_("{told}. Reload the page and answer again.", told=problem), "screen")
    return screen
