"""What a viewer may say of what is on screen, and whether what was sent fits it. Made of disclosed bytes alone.

Rule: an answer is bound to an update of this very share, by its number and its whole tree head, and is about something
that this update or the newest one shows. What is not shown answers like what does not exist.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from domain.agreement.answers import Screen
from domain.agreement.terms import Terms
from domain.errors import Conflict, Unknown
from domain.language import N_
from domain.language import gettext as _
from domain.view import ClientView
from projections.entries.entry import Page
from projections.replay import pages
from web.client.viewing import Viewing
from web.write.saying import How, Saying, Sent

if TYPE_CHECKING:
    from web.door.guard import Signed

Kind = Literal["milestone", "risk", "agreement", "page"]
RECORDED: dict[How, str] = {
    "score": N_("Your score is recorded"),
    "comment": N_("Your comment is recorded"),
    "concern": N_("Your concern is recorded. It stays open until it is settled"),
    "acknowledge": N_("Your acknowledgement is recorded"),
}
NOT_COVERED = {"score": N_("a score of your own for this"), "comment": N_("comments on this")}
_views = msgspec.json.Decoder(ClientView)
_terms = msgspec.json.Decoder(Terms)


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said about one thing on the page, and what was typed so far."""

    about: str  # "milestone-m1", "risk-r7", "agreement-3", "" for the whole page
    kind: Kind
    title: str
    size: int = 0  # of the scale, when a score of their own is asked for or welcome
    comment: bool = False
    concern: bool = True
    acknowledge: bool = False
    typed: Mapping[str, str] = {}
    problem: str = ""
    field: str = ""  # "text", "points", "" for the whole

    @property
    def hows(self) -> frozenset[How]:
        """The ways in which it can be answered."""
        ways: dict[How, object] = {
            "score": self.size, "comment": self.comment, "concern": self.concern, "acknowledge": self.acknowledge,
        }  # fmt: skip
        return frozenset(how for how, open_ in ways.items() if open_)


def offer(page: Page, about: str) -> Offer | None:
    """Return what a page lets its viewer say about something, None when it does not show it."""
    view = _views.decode(page.view)
    terms = _terms.decode(page.terms) if page.terms else Terms()
    if not about:
        return Offer(about="", kind="page", title=_("Everything on this page"))
    for row in view.milestones:
        if about == f"milestone-{row.id}":
            told = "comments" in terms.milestone_fields
            return Offer(about=about, kind="milestone", title=row.title, comment=told, acknowledge=True)
    for card in view.risks:
        if about == f"risk-{card.id}":
            scored = "client_score" in terms.risk_fields and card.score is not None and card.status == "active"
            size = view.scale.size if scored and view.scale else 0
            mine = card.client_score
            typed = {"probability": str(mine.probability), "impact": str(mine.impact)} if mine else {}
            told = "comments" in terms.risk_fields
            title = f"{card.ref} {card.title}"
            return Offer(about=about, kind="risk", title=title, size=size, comment=told, acknowledge=True, typed=typed)
    if about == f"agreement-{view.terms_version}":
        title = _("Share agreement {terms_version}", terms_version=view.terms_version)
        return Offer(about=about, kind="agreement", title=title, concern=False, acknowledge=True)
    return None


def shown(viewing: Viewing, share: str, newest: Page, screen: Screen, about: str) -> Offer | None:
    """Return the offer on something that the newest page shows, or the page that was on screen; the latter is past."""
    found = offer(newest, about)
    if found is not None or not 0 < screen.n < newest.n:
        return found
    earlier = pages.page(viewing.log, share, screen.n)
    past = offer(earlier, about) if earlier else None
    return msgspec.structs.replace(past, comment=False, size=0) if past else None


def record(viewing: Viewing, signed: "Signed", share: str, newest: Page | None, answer: Sent, command_id: str) -> None:
    """Record an answer, once for each command id. For threads.

    Raises: Refused.
    """
    if newest is None:
        raise Conflict(_("Nothing has been shared here yet, so there is nothing to answer."))
    if viewing.ended_on(share) is not None:
        called = viewing.called(share).organisation
        raise Conflict(
            _(
                "{called} ended this share, so nothing was recorded. Keep your words and write to them directly.",
                called=called,
            )
        )
    viewing.say(signed, share, check(viewing, share, newest, answer), command_id)


def recorded(viewing: Viewing, signed: "Signed", share: str, command_id: str) -> str:
    """Return in words what this person said by a command, "" when they said nothing by it. For threads."""
    found = viewing.said(signed, share, command_id)
    if found is None:
        return ""
    return _(
        "{recorded}, bound to update {n} and its hash {grouped}.",
        recorded=RECORDED[found.how],
        n=found.screen.n,
        grouped=_grouped(found.screen.head),
    )


def _grouped(head: str) -> str:
    return " ".join(head[i : i + 4] for i in range(0, 16, 4))


def check(viewing: Viewing, share: str, newest: Page, answer: Sent) -> Saying:
    """Return what an answer says, when it fits what was on screen.

    Raises: Refused.
    """
    screen = answer.screen()
    if not screen.n or not answer.head or viewing.head_after(share, screen.n) != answer.head:
        told = _("What was on your screen cannot be matched with this share’s record, so nothing was recorded")
        raise Conflict(_("{told}. Look at the page as it is now, then send again.", told=told))
    found = shown(viewing, share, newest, screen, answer.about)
    if found is None:
        told = _("This is not on your page, so it cannot be answered. Nothing was recorded")
        raise Unknown(_("{told}. You can raise a concern about the whole page instead.", told=told))
    how = answer.how
    if how not in found.hows:
        told = _("Your share agreement does not cover {get}", get=NOT_COVERED.get(how, _("such an answer to this")))
        raise Conflict(_("{told}. Nothing was recorded; you can raise a concern instead.", told=told))
    points = answer.points() if how == "score" else (0, 0)
    return Saying(how=how, subject=answer.about, screen=screen, text=answer.typed.get("text", ""), points=points)


def refused(newest: Page | None, answer: Sent, problem: str, field: str) -> Offer:
    """Return the form to show again, with what was typed and what is wrong."""
    found = offer(newest, answer.about) if newest else None
    if found is None:
        found = Offer(about="", kind="page", title=_("Everything on this page"))
    return msgspec.structs.replace(found, typed={**found.typed, **answer.typed}, problem=problem, field=field)
