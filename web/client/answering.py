"""What a viewer may say of what is on screen, and whether an answer fits what was on screen.

Rule: an answer is bound to an update of this very share, by its number and its whole tree head, and is about something
that this update or the newest one shows. What is not shown answers like what does not exist.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from domain.agreement.answers import Screen
from domain.agreement.terms import Terms
from domain.errors import Conflict, Unknown
from domain.language import N_, Said
from domain.language import gettext as _
from domain.view import MilestoneRow, RiskCard
from projections.entries.entry import Page
from projections.replay import pages
from projections.wording.phrases import grouped
from web.client.viewing import Viewing
from web.door.guard import Signed
from web.write.saying import How, Saying, Sent, Spoke

Kind = Literal["milestone", "risk", "agreement", "page"]
RECORDED: dict[How, str] = Said(
    {
        "score": N_("Your score is recorded"),
        "comment": N_("Your comment is recorded"),
        "concern": N_("Your concern is recorded and stays open until it is settled"),
        "acknowledge": N_("Your acknowledgement is recorded"),
    }
)
NOT_COVERED = Said({"score": N_("a score of your own for this"), "comment": N_("comments on this")})
_terms = msgspec.json.Decoder(Terms)


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said about one thing on the page, what was typed so far, and what was wrong with it."""

    about: str  # "milestone-m1", "risk-r7", "agreement-3", "" for the whole page
    kind: Kind
    title: str
    size: int = 0  # of the scale, where the client may give a score of its own; else 0
    banded: bool = False  # what it is given beside is shared as a band alone
    comment: bool = False
    concern: bool = True
    acknowledge: bool = False
    typed: Mapping[str, str] = {}
    problem: str = ""
    field: str = ""  # that the problem is with: "text", "points", "" for the whole

    @property
    def hows(self) -> frozenset[How]:
        """The ways in which it can be answered."""
        ways: dict[How, object] = {
            "score": self.size, "comment": self.comment, "concern": self.concern, "acknowledge": self.acknowledge,
        }  # fmt: skip
        return frozenset(how for how, open_ in ways.items() if open_)


def offer(page: Page, about: str) -> Offer | None:
    """Return what a page lets its viewer say about something, None when the page does not show it."""
    view = page.view
    terms = _terms.decode(page.terms) if page.terms else Terms()
    if not about:
        return Offer(about="", kind="page", title=_("Everything on this page"))
    for row in view.milestones:
        if about == f"milestone-{row.id}":
            return _about_milestone(row, terms)
    for card in view.risks:
        if about == f"risk-{card.id}":
            return _about_risk(card, terms, view.scale.size if view.scale else 0)
    if about == f"agreement-{view.terms_version}":
        title = _("Share agreement {terms_version}", terms_version=view.terms_version)
        return Offer(about=about, kind="agreement", title=title, concern=False, acknowledge=True)
    return None


def _about_milestone(row: MilestoneRow, terms: Terms) -> Offer:
    comment = "comments" in terms.milestone_fields
    return Offer(about=f"milestone-{row.id}", kind="milestone", title=row.title, comment=comment, acknowledge=True)


def _about_risk(card: RiskCard, terms: Terms, size: int) -> Offer:
    """Return what can be said of a risk; `size` is that of the scale, 0 where there is none."""
    scored = "client_score" in terms.risk_fields and (card.score or card.band) is not None and card.status == "active"
    theirs = card.client_score
    return Offer(
        about=f"risk-{card.id}",
        kind="risk",
        title=f"{card.ref} {card.title}",
        size=size if scored else 0,
        banded=card.score is None,
        comment="comments" in terms.risk_fields,
        acknowledge=True,
        typed={"probability": str(theirs.probability), "impact": str(theirs.impact)} if theirs else {},
    )


def shown(viewing: Viewing, share: str, newest: Page, screen: Screen, about: str) -> Offer | None:
    """Return the offer on something that the newest page shows, or that the page on screen showed; None for neither.

    What only an earlier page shows can no longer be scored or commented on.
    """
    current = offer(newest, about)
    if current is not None or not 0 < screen.n < newest.n:
        return current
    earlier = pages.page(viewing.log, share, screen.n)
    past = offer(earlier, about) if earlier else None
    return msgspec.structs.replace(past, comment=False, size=0) if past else None


def record(viewing: Viewing, signed: Signed, share: str, newest: Page | None, answer: Sent, command_id: str) -> None:
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


def recorded(spoke: Spoke) -> str:
    """Return in words that an answer is recorded."""
    return _(
        "{recorded}, bound to update {n} and its hash {grouped}.",
        recorded=RECORDED[spoke.how],
        n=spoke.screen.n,
        grouped=" ".join(grouped(spoke.screen.head[:16])),
    )


def stands(page: Page, spoke: Spoke) -> bool:
    """Tell whether a page shows what was said; a score shows beside the risk, and is not looked for."""
    view = page.view
    rows = {f"milestone-{row.id}": row for row in view.milestones} | {f"risk-{card.id}": card for card in view.risks}
    row = rows.get(spoke.subject)
    match spoke.how:
        case "comment":
            return row is None or any(remark.text == spoke.text for remark in row.remarks)
        case "concern":
            return any(card.id == spoke.key for card in view.concerns)
        case "acknowledge":
            return row is None or row.ack is not None
        case "score":
            return True


def check(viewing: Viewing, share: str, newest: Page, answer: Sent) -> Saying:
    """Return what an answer says, when it fits what was on screen.

    Raises: Refused.
    """
    screen = answer.screen()
    if not screen.n or not answer.head or viewing.head_after(share, screen.n) != answer.head:
        problem = _("What was on your screen cannot be matched with this share’s record, so nothing was recorded")
        raise Conflict(_("{told}. Look at the page as it is now, then send again.", told=problem))
    offered = shown(viewing, share, newest, screen, answer.about)
    if offered is None:
        problem = _("This is not on your page, so it cannot be answered. Nothing was recorded")
        raise Unknown(_("{told}. You can raise a concern about the whole page instead.", told=problem))
    how = answer.how
    if how not in offered.hows:
        problem = _("Your share agreement does not cover {get}", get=NOT_COVERED.get(how, _("such an answer to this")))
        raise Conflict(_("{told}. Nothing was recorded; you can raise a concern instead.", told=problem))
    points = answer.points() if how == "score" else (0, 0)
    return Saying(how=how, subject=answer.about, screen=screen, text=answer.typed.get("text", ""), points=points)


def refused(newest: Page | None, answer: Sent, problem: str, field: str) -> Offer:
    """Return the form to show again, with what was typed and what is wrong."""
    offered = offer(newest, answer.about) if newest else None
    if offered is None:
        offered = Offer(about="", kind="page", title=_("Everything on this page"))
    return msgspec.structs.replace(offered, typed={**offered.typed, **answer.typed}, problem=problem, field=field)
