"""Comments, acknowledgements, concerns and answers that one view has and the one before had not, in words. Pure."""

from collections.abc import Iterator

from domain.language import gettext as _
from domain.view import Ack, ClientView, ConcernCard, Remark
from projections.entries.entry import Change
from projections.wording import words

QUOTED = 240  # characters of what was said that stand in a list of changes


def said(old: ClientView, new: ClientView) -> Iterator[Change]:
    """Yield what somebody said: concerns first, then about each milestone and risk, the budget and the agreement."""
    before = {c.id: c for c in old.concerns}
    for card in new.concerns:
        yield from _concern(before.get(card.id), card)
    rows, cards = {m.id: m for m in old.milestones}, {r.id: r for r in old.risks}
    for row in reversed(new.milestones):
        if row.id in rows:
            earlier = rows[row.id]
            yield from _about("milestone", row.id, row.title, earlier.remarks, row.remarks, earlier.ack, row.ack)
    for risk in new.risks:
        if risk.id in cards:
            was, title = cards[risk.id], f"{risk.ref} {risk.title}"
            yield from _about("risk", risk.id, title, was.remarks, risk.remarks, was.ack, risk.ack)
    if old.budget is not None and new.budget is not None:
        yield from _remarks("budget", "", _("Budget"), old.budget.remarks, new.budget.remarks)
    yield from _acknowledged(
        "agreement",
        "",
        _("Share agreement {terms_version}", terms_version=new.terms_version),
        old.agreement_ack,
        new.agreement_ack,
    )


def _about(
    kind: str,
    subject: str,
    title: str,
    before: tuple[Remark, ...],
    after: tuple[Remark, ...],
    ack_before: Ack | None,
    ack: Ack | None,
) -> Iterator[Change]:
    yield from _remarks(kind, subject, title, before, after)
    yield from _acknowledged(kind, subject, title, ack_before, ack)


def _remarks(
    kind: str, subject: str, title: str, before: tuple[Remark, ...], after: tuple[Remark, ...]
) -> Iterator[Change]:
    earlier = {(remark.at, remark.text) for remark in before}
    for remark in after:
        if (remark.at, remark.text) not in earlier:
            yield _change(
                f"{kind}.commented",
                subject,
                title,
                _("Comment"),
                by=remark.by,
                text=remark.text,
                say=_("{by} commented on {title}", by=remark.by, title=title),
            )


def _acknowledged(kind: str, subject: str, title: str, before: Ack | None, after: Ack | None) -> Iterator[Change]:
    if after is not None and (before is None or (before.by, before.update) != (after.by, after.update)):
        say = _("{title} was acknowledged by {by}", title=title, by=after.by)
        yield _change(f"{kind}.acknowledged", subject, title, _("Acknowledged"), by=after.by, say=say)


def _concern(before: ConcernCard | None, after: ConcernCard) -> Iterator[Change]:
    title = _("Concern about {about}", about=after.about) if after.about else _("Concern")
    if before is None:
        say = _("{by} raised a concern", by=after.by) + (_(" about {about}", about=after.about) if after.about else "")
        yield _change("concern.raised", after.id, title, _("Raised"), by=after.by, text=after.text, say=say)
    if after.answer and (before is None or (before.answer, before.settled) != (after.answer, after.settled)):
        word = _("Settled") if after.settled else _("Answered")
        say = _("{title} was answered by {answered_by}", title=title, answered_by=after.answered_by) + (
            _(" and is settled") if after.settled else ""
        )
        yield _change("concern.answered", after.id, title, word, by=after.answered_by, text=after.answer, say=say)


def _change(kind: str, subject: str, title: str, after: str, *, by: str, say: str, text: str = "") -> Change:
    return Change(
        kind=kind, subject=subject, title=title, before="", after=after, note=by, why=quoted(text), say=words.plain(say)
    )


def quoted(text: str) -> str:
    """Return the beginning of a text on one line, cut between words."""
    line = " ".join(text.split())
    return line if len(line) <= QUOTED else line[:QUOTED].rsplit(" ", 1)[0] + " …"
