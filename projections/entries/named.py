"""Where a view names its people: who commented, acknowledged, scored, raised a concern or answered one. Pure.

Rule: these fields hold a whole name (format 1) or a placeholder (format 2) and nothing else; every other text is free.
"""

from collections.abc import Callable, Collection, Iterator, Mapping

import msgspec

from domain.language import gettext as _
from domain.view import Ack, ClientView, ConcernCard, MilestoneRow, Remark, RiskCard
from projections.entries.names import filled, keys_in


def named(view: ClientView, called: Mapping[str, str]) -> ClientView:
    """Return a view with names in place of their placeholders; `called` has them by key."""
    return with_names(view, lambda text: filled(text, called))


def with_names(view: ClientView, name: Callable[[str], str]) -> ClientView:
    """Return a view with every name of a person replaced by what `name` makes of it."""
    replace = msgspec.structs.replace

    def remarks(given: tuple[Remark, ...]) -> tuple[Remark, ...]:
        return tuple(replace(remark, by=name(remark.by)) for remark in given)

    def ack(given: Ack | None) -> Ack | None:
        return None if given is None else replace(given, by=name(given.by))

    return replace(
        view,
        milestones=tuple(replace(m, remarks=remarks(m.remarks), ack=ack(m.ack)) for m in view.milestones),
        risks=tuple(
            replace(r, remarks=remarks(r.remarks), ack=ack(r.ack), client_scored_by=name(r.client_scored_by))
            for r in view.risks
        ),
        budget=None if view.budget is None else replace(view.budget, remarks=remarks(view.budget.remarks)),
        concerns=tuple(replace(c, by=name(c.by), answered_by=name(c.answered_by)) for c in view.concerns),
        agreement_ack=ack(view.agreement_ack),
    )


def authors(view: ClientView) -> Iterator[tuple[str, str]]:
    """Yield everybody a view names, each with what it names them for: "comment on Handover"."""
    about = [(row.title, row.remarks, row.ack) for row in view.milestones]
    about += [(f"{card.ref} {card.title}", card.remarks, card.ack) for card in view.risks]
    if view.budget is not None:
        about.append((_("the budget"), view.budget.remarks, None))
    for title, remarks, ack in about:
        yield from ((remark.by, _("comment on {title}", title=title)) for remark in remarks)
        if ack is not None:
            yield ack.by, _("acknowledgement of {title}", title=title)
    for card in view.risks:
        yield card.client_scored_by, _("score of {title}", title=f"{card.ref} {card.title}")
    for concern in view.concerns:
        title = concern.about or _("the whole page")
        yield concern.by, _("concern about {title}", title=title)
        yield concern.answered_by, _("answer to a concern about {title}", title=title)
    if view.agreement_ack is not None:
        yield view.agreement_ack.by, _("acknowledgement of the agreement")


def with_erased(before: ClientView, view: ClientView, erased: Collection[str]) -> ClientView:
    """Return `before`, in which names stand, with the placeholders in `view` of people who were erased.

    They are put where both hold the same comment, answer, acknowledgement or score, so that none counts as new because
    its name went. `erased` are the keys of those people.
    """
    replace = msgspec.structs.replace
    rows, cards = {row.id: row for row in view.milestones}, {card.id: card for card in view.risks}
    concerns = {concern.id: concern for concern in view.concerns}

    def by(old: str, new: str) -> str:
        return new if old and keys_in(new) & set(erased) else old

    def remarks(old: tuple[Remark, ...], new: tuple[Remark, ...]) -> tuple[Remark, ...]:
        now = {(remark.at, remark.ours, remark.text): remark.by for remark in new}
        return tuple(replace(one, by=by(one.by, now.get((one.at, one.ours, one.text), ""))) for one in old)

    def ack(old: Ack | None, new: Ack | None) -> Ack | None:
        if old is None or new is None or (old.on, old.update) != (new.on, new.update):
            return old
        return replace(old, by=by(old.by, new.by))

    def milestone(old: MilestoneRow) -> MilestoneRow:
        new = rows.get(old.id, old)
        return replace(old, remarks=remarks(old.remarks, new.remarks), ack=ack(old.ack, new.ack))

    def risk(old: RiskCard) -> RiskCard:
        new = cards.get(old.id, old)
        scored = by(old.client_scored_by, new.client_scored_by if new.client_score == old.client_score else "")
        return replace(
            old, remarks=remarks(old.remarks, new.remarks), ack=ack(old.ack, new.ack), client_scored_by=scored
        )

    def concern(old: ConcernCard) -> ConcernCard:
        new = concerns.get(old.id, old)
        answered = by(old.answered_by, new.answered_by if new.answered_at == old.answered_at else "")
        return replace(old, by=by(old.by, new.by), answered_by=answered)

    budget = before.budget
    if budget is not None and view.budget is not None:
        budget = replace(budget, remarks=remarks(budget.remarks, view.budget.remarks))
    return replace(
        before,
        milestones=tuple(map(milestone, before.milestones)),
        risks=tuple(map(risk, before.risks)),
        budget=budget,
        concerns=tuple(map(concern, before.concerns)),
        agreement_ack=ack(before.agreement_ack, view.agreement_ack),
    )
