"""Comments, acknowledgements, concerns and answers that one view has and the one before had not, in words. Pure."""

from collections.abc import Iterator
from typing import TypedDict

from domain.language import gettext as _
from domain.memory import apart
from domain.view import Ack, ClientView, ConcernCard, MilestoneRow, Remark, RiskCard
from projections.entries.entry import Change
from projections.entries.one_change import Data, Thing, change

QUOTED = 240  # characters of what was said that stand in a list of changes


def said(old: ClientView, new: ClientView) -> Iterator[Change]:
    """Yield what somebody said: concerns first, then about each milestone and risk, the budget and the agreement."""
    before = {c.id: c for c in old.concerns}
    for card in new.concerns:
        yield from _concern(before.get(card.id), card)
    gone, others = apart(old.milestones, new.milestones)  # about the same row nothing was said
    rows = {row.id: row for row in gone}
    for row in reversed(others):
        if (was := rows.get(row.id)) is not None:
            yield from _about(Thing("milestone", row.id, row.title), was, row)
    left, dealt = apart(old.risks, new.risks)
    cards = {card.id: card for card in left}
    for risk in dealt:
        if (before_it := cards.get(risk.id)) is not None:
            yield from _about(Thing("risk", risk.id, f"{risk.ref} {risk.title}"), before_it, risk)
    if old.budget is not None and new.budget is not None:
        yield from _remarks(Thing("budget", "", _("Budget")), old.budget.remarks, new.budget.remarks)
    if old.agreement_ack is not new.agreement_ack:
        agreement = Thing("agreement", "", _("Share agreement {terms_version}", terms_version=new.terms_version))
        yield from _acknowledged(agreement, old.agreement_ack, new.agreement_ack)


def _about(thing: Thing, old: MilestoneRow | RiskCard, new: MilestoneRow | RiskCard) -> Iterator[Change]:
    yield from _remarks(thing, old.remarks, new.remarks)
    yield from _acknowledged(thing, old.ack, new.ack)


def _remarks(thing: Thing, before: tuple[Remark, ...], after: tuple[Remark, ...]) -> Iterator[Change]:
    earlier = {(remark.at, remark.text) for remark in before}
    fresh = [remark for remark in after if (remark.at, remark.text) not in earlier]
    for many, remark in enumerate(fresh, len(after) - len(fresh)):
        yield change(
            f"{thing.item}.commented",
            thing.subject,
            thing.title,
            after=_("Comment"),
            say=_("{by} commented on {title}", by=remark.by, title=thing.title),
            **_by(remark.by, remark.text),
            **_of_comments(thing, many, remark.by),
        )


def _of_comments(thing: Thing, many: int, who: str) -> Data:
    """Return the data of a comment: how many there were and are. Those on the budget are of no row."""
    row = "" if thing.item == "budget" else f"{thing.item}.comments"
    return {"row": row, "field": "remarks", "who": who, "was": str(many or ""), "now": str(many + 1)}


def _acknowledged(thing: Thing, before: Ack | None, after: Ack | None) -> Iterator[Change]:
    if after is not None and (before is None or (before.by, before.update) != (after.by, after.update)):
        say = _("{title} was acknowledged by {by}", title=thing.title, by=after.by)
        kind, word = f"{thing.item}.acknowledged", _("Acknowledged")
        yield change(kind, thing.subject, thing.title, after=word, say=say, **_by(after.by), who=after.by)


def _concern(before: ConcernCard | None, after: ConcernCard) -> Iterator[Change]:
    title = _("Concern about {about}", about=after.about) if after.about else _("Concern")
    subject = f"concern-{after.id}"
    if before is None:
        if after.about:
            say = _("{by} raised a concern about {about}", by=after.by, about=after.about)
        else:
            say = _("{by} raised a concern", by=after.by)
        by = _by(after.by, after.text)
        yield change("concern.raised", subject, title, after=_("Raised"), say=say, who=after.by, **by)
    if after.answer and (before is None or (before.answer, before.settled) != (after.answer, after.settled)):
        word = _("Settled") if after.settled else _("Answered")
        if after.settled:
            say = _("{title} was answered by {answered_by} and is settled", title=title, answered_by=after.answered_by)
        else:
            say = _("{title} was answered by {answered_by}", title=title, answered_by=after.answered_by)
        by = _by(after.answered_by, after.answer)
        yield change("concern.answered", subject, title, after=word, say=say, who=after.answered_by, **by)


class _By(TypedDict):
    """Who said something, as the note under it, and its beginning."""

    note: str
    why: str


def _by(name: str, text: str = "") -> _By:
    return {"note": name, "why": quoted(text)}


def quoted(text: str) -> str:
    """Return the beginning of a text on one line, cut between words."""
    line = " ".join(text.split())
    return line if len(line) <= QUOTED else line[:QUOTED].rsplit(" ", 1)[0] + " …"
