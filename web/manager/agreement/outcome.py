"""The outcome of a draft: what its activation discloses, withdraws and changes, and what was seen already.

Rule: it is the difference between the view recorded in the newest update and what `reveal` gives under the draft, fact
by fact; the same facts make the list, the counts and the marks on the preview.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from domain.agreement.share import Share
from domain.language import gettext as _
from domain.language import lowered
from domain.reveal import holding
from domain.view import ClientView
from projections.entries.consequence import Consequence, Key, consequence, facts, past
from projections.events.world import World
from projections.replay.ever_told import Ever, EverTold
from web.manager.agreement import counts
from web.manager.agreement.consequence import ConsequenceLine, Telling, lines, naming, seen_before, span, wholly
from web.manager.agreement.counts import Part
from web.manager.agreement.labels import LABELS, PARTS
from web.manager.agreement.preview import Draft, as_drafted
from web.process import presence
from web.process.services import Services
from web.record import reception
from web.record.audience import released_view
from web.telling import held as record_held
from web.write.service import TICK

SPANS = 4  # stretches of updates for which it is looked up who had them on screen


class Unseen(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was told already and is not, or no more, under the draft."""

    title: str
    when: str  # "in updates 3 to 40"
    on_screen: tuple[str, ...]  # names of those whose page claims to have displayed one of them


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The consequence of one draft at one moment."""

    before: ClientView | None  # as the newest update recorded it
    after: ClientView
    change: Consequence
    whole: frozenset[str]
    new: tuple[ConsequenceLine, ...]
    gone: tuple[ConsequenceLine, ...]
    reads: tuple[ConsequenceLine, ...]
    same: tuple[ConsequenceLine, ...]
    seen: tuple[Unseen, ...]
    earlier: bool  # what was told before the updates looked through is not among `seen`
    past_if_history: int  # facts about the past that become known, were the past included
    past_if_not: int
    let_go: int  # changes that wait for review, and go out with it
    idle: tuple[str, ...]  # what is to wait by the draft, and cannot, because nothing of it is shared
    n: int  # the update it writes
    people: int  # who may watch
    nothing: bool  # the draft says what is in force
    digest: str  # of what it discloses, withdraws and lets go; the same while those are the same things

    @property
    def past(self) -> int:
        """How many facts about the past become known under the draft."""
        return sum(line.past for line in self.new)

    @property
    def told(self) -> Part:
        """What is newly disclosed, with wording and frame apart."""
        return counts.part(self.new)

    @property
    def withdrawn(self) -> Part:
        """What is withdrawn, with wording and frame apart."""
        return counts.part(self.gone)

    @property
    def otherwise(self) -> Part:
        """What reads differently, with wording and frame apart."""
        return counts.part(self.reads)


def outcome(services: Services, world: World, share: Share, draft: Draft) -> Outcome:
    """Return what putting `draft` in force does now. For threads."""
    now = max(services.now(), services.present.latest + TICK)
    page = services.heads.page(share.id)
    before = page.view if page else None
    after, let_go = seen_under(world, share, draft, now)
    facts_before, facts_after = facts(before), facts(after)
    change = consequence(facts_before, facts_after)
    whole, names = wholly(change), naming(before, after)
    ever = services.ever_told.of(share.id)
    told = Telling(facts_before, names, past(facts_before), whole)
    telling = Telling(facts_after, names, past(facts_after), whole)
    plain = Telling(facts_after, names, frozenset(), frozenset())
    new = [seen_before(line, ever) for line in lines(change.new, telling)]
    gone = [seen_before(line, ever) for line in lines(change.gone, told)]
    return Outcome(
        before=before,
        after=after,
        change=change,
        whole=whole,
        new=tuple(new),
        gone=tuple(gone),
        reads=tuple(lines(change.changed, plain, facts_before)),
        same=tuple(lines(change.same, plain)),
        seen=tuple(_seen(services, share, ever, gone, {*facts_before, *facts_after})),
        earlier=ever.since > 0,
        past_if_history=_newly_past(world, share, _with_history(draft, history=True), now, facts_before),
        past_if_not=_newly_past(world, share, _with_history(draft, history=False), now, facts_before),
        let_go=len(let_go),
        idle=idle(draft),
        n=(page.n if page else 0) + 1,
        people=len(viewers(world, share)),
        nothing=in_force(share, draft),
        digest=_digest(change, let_go),
    )


def in_force(share: Share, draft: Draft) -> bool:
    """Tell whether a draft says what is in force already."""
    return bool(share.versions) and (draft.terms, draft.ways) == (share.terms, share.ways)


def seen_under(world: World, share: Share, draft: Draft, now: datetime) -> tuple[ClientView, list[str]]:
    """Return the view a draft gives, and the changes that wait for review which it lets go, as they stand by now."""
    project, holds, amended = world.projects[share.project], world.held(share.id), as_drafted(share, draft, now)
    waits = holding.under_new_terms(holds, share, amended, project)
    free = [held for subject, held in sorted(holds.held.items()) if subject not in waits.held]
    let_go = [f"{held.fact.subject} {held.fact.since.isoformat()} {record_held.what(held, project)}" for held in free]
    return released_view(world, project, amended, waits), let_go


def idle(draft: Draft) -> tuple[str, ...]:
    """Return which kinds of change a review names although the terms share nothing of them."""
    terms, held = draft.terms, draft.ways.release
    if held is None:
        return ()
    dates = bool(terms.milestones) and bool(holding.DATES & set(terms.milestone_fields))
    scores = bool(terms.risks) and "score" in terms.risk_fields
    named = (
        (held.slip_days is not None and not dates, _("slips, since no date is shared")),
        (held.cost and terms.budget == "nothing", _("changes of the budget, since it is not shared")),
        (held.score is not None and not scores, _("scores, since none is shared")),
    )
    return tuple(what for missing, what in named if missing)


def _newly_past(world: World, share: Share, draft: Draft, now: datetime, told: Iterable[Key]) -> int:
    """Return how many facts of the past become known under a draft."""
    view, _let_go = seen_under(world, share, draft, now)
    return len(past(facts(view)) - set(told))


def _with_history(draft: Draft, *, history: bool) -> Draft:
    return Draft(draft.terms, msgspec.structs.replace(draft.ways, history=history))


def viewers(world: World, share: Share) -> list[str]:
    """Return who may watch a share: people of its client whose access goes on."""
    return [person.id for person in world.viewers_of(share.client)]


def _digest(change: Consequence, let_go: list[str]) -> str:
    """Return a fingerprint of what is disclosed and withdrawn, by item and field, and of what is let go.

    Other values that move in the meantime do not matter.
    """
    named = [sorted({key[:2] for key in keys}) for keys in (change.new, change.gone)], let_go
    return hashlib.sha256(msgspec.json.encode(named)).hexdigest()[:32]


# what cannot be unseen


def _seen(
    services: Services, share: Share, ever: Ever, gone: Sequence[ConsequenceLine], told: set[Key]
) -> Iterable[Unseen]:
    shown: dict[tuple[int, int], tuple[str, ...]] = {}
    for title, where in [*_withdrawn(ever, gone), *_formerly(ever, told)]:
        key = where.first, where.last
        if key not in shown:
            shown[key] = _on_screen(services, share, where) if len(shown) < SPANS else ()
        yield Unseen(title=title, when=span(*key), on_screen=shown[key])


def _withdrawn(ever: Ever, gone: Sequence[ConsequenceLine]) -> Iterable[tuple[str, EverTold]]:
    for line in gone:
        spans = [ever.told[named] for key in line.keys if (named := (key[0], key[1])) in ever.told]
        if spans:
            yield line.title, EverTold(min(t.first for t in spans), max(t.last for t in spans))


def _formerly(ever: Ever, told: set[Key]) -> Iterable[tuple[str, EverTold]]:
    """Yield what earlier updates told and neither the newest nor the draft does: items by name, else by field."""
    present = {key[:2] for key in told}
    subjects = {key[0] for key in told}
    items: dict[str, EverTold] = {}
    for (subject, field), where in ever.told.items():
        if (subject, field) in present:
            continue
        title = ever.titles.get(subject, "") if subject not in subjects else _field(subject, field)
        if title:
            so_far = items.get(title, where)
            items[title] = EverTold(min(so_far.first, where.first), max(so_far.last, where.last))
    yield from items.items()


def _field(subject: str, field: str) -> str:
    if subject in PARTS:
        return f"{PARTS[subject]}: {lowered(LABELS[subject].get(field, field))}"
    kind = "risk" if subject.startswith("risk-") else subject.partition("-")[0]
    label = LABELS["risk-" if kind == "risk" else kind].get(field, field)
    if field in ("final", "view_needed"):
        return ""
    match kind:
        case "milestone":
            return _("{known}, of milestones", known=label)
        case "risk":
            return _("{known}, of risks", known=label)
        case _:
            return _("{known}, of concerns", known=label)


def _on_screen(services: Services, share: Share, where: EverTold) -> tuple[str, ...]:
    """Return the names of those whose page claims to have displayed one of some updates."""
    log, world = services.logs.disclosure, services.present.world
    since = log.recorded_at(share.id, where.first)
    if since is None:
        return ()
    beyond = 0 if where.last >= log.head(share.id) else where.last + 1
    people, watching = viewers(world, share), presence.watching(services, share.id)
    received = reception.viewers(services.logs.receipts, share.id, (where.first, beyond), since, people, watching)
    return tuple(
        world.person_name(viewer.person, share.client) for viewer in received.seen if viewer.state == "displayed"
    )
