"""What they saw, in words: the sentence at the top, and every difference with its reason on record.

Rule: "their screens" only when a page of theirs claimed to show it at that moment, "their page" otherwise.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest

import msgspec

from domain.headline import counted, length, number
from domain.ids import MilestoneId, RiskId
from domain.language import capital
from domain.language import gettext as _
from domain.language import listed as in_a_row
from domain.plan.project import Project
from domain.view import ClientView
from projections.wording import words
from projections.wording.instants import Clock
from projections.wording.phrases import after
from web.record.instant import Then
from web.seen.compare import FIGURES, Difference, Key, Reason
from web.telling import held as record_held

DERIVED = ("page", "schedule", "risks")  # judged from the figures of the others
SENTENCE = re.compile(r"\. (?=[A-Z])")
NAMED = 3  # of the milestones or risks that are left out, by name


class Sentence(msgspec.Struct, frozen=True):
    """The sentence, and what is said more quietly."""

    told: str
    soft: str


class Later(msgspec.Struct, frozen=True, kw_only=True):
    """How what was not sent went on: the next update's figures, or what keeps it back."""

    n: int = 0  # of the next update, 0 when there is none
    at: datetime | None = None
    figures: Mapping[Key, str] = {}
    stopped: str = ""  # why the share is stopped now


class PlanAndScreen(msgspec.Struct, frozen=True, kw_only=True):
    """What all sentences are about: the plan and the screen at one instant, and where they differ."""

    then: Then
    client: str  # its name
    apart: Sequence[Difference]
    later: Later
    clock: Clock

    def of(self, reason: Reason) -> list[Difference]:
        """Return the differences that have a reason."""
        return [difference for difference in self.apart if difference.reason == reason]


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """One line of why they differ."""

    what: str
    since: str  # when the plan began to say so
    shown: str  # when they were shown it, or what they were shown instead
    reason: str


def when(at: datetime, clock: Clock) -> str:
    """Return "At 09:31 on Thursday 11 March"."""
    there = words.local(at, clock.zone)
    return _(
        "At {time} on {weekday} {date}",
        time=f"{there:%H:%M}",
        weekday=words.long_weekday(there),
        date=clock.day(there.date()),
    )


def sentence(c: PlanAndScreen, *, watched: bool) -> Sentence:
    """Return what they saw in one sentence; `watched` says that a page of theirs claimed to show it then."""
    shown = c.then.shown
    if shown is None or c.then.coarse is None or c.then.ended or c.then.agreed is None or c.then.n == 0:
        return _without_page(c)
    moment = when(c.then.at, c.clock)
    said = _("{moment} their screens said", moment=moment) if watched else _("{moment} their page said", moment=moment)
    nobody = "" if watched else _("Nobody had it open.")
    headline = next((d for d in c.apart if d.key == ("page", "", "sentence")), None)
    if headline is None:
        agreeing = _("{said} {shown}, and so did the plan.", said=said, shown=clause(shown))
        return Sentence(agreeing, " ".join(filter(None, (_beyond(c), nobody))))
    compared = c.then.coarse if headline.reason == "unshared" or c.then.due is None else c.then.due
    mine, theirs = _apart(shown, compared)
    match headline.reason:
        case "unsent":
            soft = _told(c)
        case "held":
            soft = _held(c)
        case "unshared":
            soft = _left_out(c.then)
    told = _("{said} {mine}. The plan said {theirs}.", said=said, mine=mine, theirs=theirs)
    return Sentence(told, " ".join(filter(None, (soft, nobody))))


def _without_page(c: PlanAndScreen) -> Sentence:
    """Return the sentence of an instant at which there is no page to read: too early, too late, or erased."""
    t, moment = c.then, when(c.then.at, c.clock)
    if t.state is None or t.plan is None:
        return Sentence(_("{moment} the project had not begun.", moment=moment), "")
    plan = _("The plan said {plan}.", plan=clause(t.plan))
    if t.ended:
        last = _("The last they were shown was update {n}.", n=t.n) if t.n else ""
        return Sentence(
            _("{moment} the share with {client} had ended. {plan}", moment=moment, client=c.client, plan=plan), last
        )
    if t.agreed is None or t.n == 0:
        return Sentence(
            _("{moment} nothing had been shown to {client} yet. {plan}", moment=moment, client=c.client, plan=plan),
            _beginning(c),
        )
    return Sentence(_("{moment} their page was update {n}. Its content has been erased.", moment=moment, n=t.n), "")


def clause(view: ClientView) -> str:
    """Return what a page says first in a clause: "four days behind" where its sentence begins so, else that sentence.

    A sentence says the worst first, so that what is left out is no worse.
    """
    slip, text = view.schedule.slip_days if view.schedule else None, view.headline.sentence
    if slip is None:
        return _spoken(view)
    days = length(abs(slip), view.date_unit)
    said = _("{days} {behind}", days=days, behind=_("behind") if slip > 0 else _("ahead")) if slip else ""
    said = said or _("on the agreed plan")
    return said if text.lower().startswith(said.lower()) else _spoken(view)


def _spoken(view: ClientView, sentence: int = 0) -> str:
    """Return one sentence of a page's headline in quotation marks, the first and worst unless another is asked for."""
    said = _said(view)
    return f"“{said[min(sentence, len(said) - 1)]}”"


def _said(view: ClientView) -> list[str]:
    """Return the sentences of a page's headline without their full stops."""
    return SENTENCE.split(view.headline.sentence.removesuffix("."))


def _apart(shown: ClientView, plan: ClientView) -> tuple[str, str]:
    """Return what the page and the plan said, so that they can be told apart in one sentence."""
    mine, theirs = clause(shown), clause(plan)
    if mine == theirs or ("“" in mine and "“" in theirs):
        first = _first_difference(_said(shown), _said(plan))
        mine, theirs = _spoken(shown, first), _spoken(plan, first)
    left, right = (view.schedule.slip_days if view.schedule else None for view in (shown, plan))
    if left and right and left * right > 0 and "“" not in mine + theirs:
        return mine, number(abs(right))
    return mine, theirs


def _first_difference(mine: Sequence[str], theirs: Sequence[str]) -> int:
    """Return the number, from 0, of the first sentence that two headlines do not share."""
    return next((n for n, (left, right) in enumerate(zip_longest(mine, theirs)) if left != right), 0)


def _beginning(c: PlanAndScreen) -> str:
    """Return when they were first shown something."""
    versions = c.then.share.versions
    if c.then.agreed is not None and c.later.at is not None:
        return _("Update 1 was recorded {after}.", after=after(c.then.at, c.later.at))
    if not versions:
        return _("Nothing has been shared with them.")
    there = words.local(versions[0].at, c.clock.zone)
    return _("Sharing began at {there:%H:%M} on {date}.", there=there, date=c.clock.day(there.date()))


def _told(c: PlanAndScreen) -> str:
    """Return when they were told what had not been sent yet."""
    at, later = c.then.at, c.later
    if later.at is None:
        return (
            _("The share is stopped: {stopped}", stopped=later.stopped)
            if later.stopped
            else _("They have not been told yet.")
        )
    if (later.at - at).total_seconds() < 60:
        return _("They were told {after}.", after=after(at, later.at))
    there, then = words.local(later.at, c.clock.zone), words.local(at, c.clock.zone)
    day = (
        _("the same day")
        if there.date() == then.date()
        else _("on {weekday} {date}", weekday=words.long_weekday(there), date=c.clock.day(there.date()))
    )
    return _("They were told at {there:%H:%M} {day}.", there=there, day=day)


def _held(c: PlanAndScreen) -> str:
    """Return how what was held for review went on."""
    held = c.then.held
    if len(held) == 1:
        what = record_held.title(held[0][0].fact.subject, c.then.state)
        return _("The change of {what} was {why}.", what=what, why=record_held.why(*held[0], c.clock))
    ends = [hold.ended for hold, _by in held if hold.ended]
    many, waits = len(held), len(held) - len(ends)
    titles = [record_held.title(hold.fact.subject, c.then.state) for hold, _by in held]
    if waits == many:
        if many <= NAMED:
            return _("The changes of {what} are held for review.", what=in_a_row(titles))
        return _capital(counted("one change is held for review.", "{many} changes are held for review.", many))
    if many <= NAMED:
        text = _("The changes of {what} were held for review", what=in_a_row(titles))
    else:
        text = _capital(counted("one change was held for review", "{many} changes were held for review", many))
    if waits:
        return _("{held}, and {waits} still waits.", held=text, waits=number(waits))
    return _("{held}; the last of them ended {ends}.", held=text, ends=c.clock.moment(max(ends)))


def _left_out(t: Then) -> str:
    return _(
        "What makes the difference is not shared under agreement {version}.",
        version=t.agreed.version if t.agreed else 0,
    )


def _beyond(c: PlanAndScreen) -> str:
    """Return what differed although the sentence on top was the same."""
    if unsent := c.of("unsent"):
        return f"{_differed(len(unsent))} {_told(c)}"
    if held := c.of("held"):
        return f"{_differed(len(held))} {_held(c)}"
    if c.apart:
        return _("Part of the plan is outside their agreement.")
    return _("No figure differed.")


def _differed(many: int) -> str:
    return _capital(counted("one figure differed.", "{many} figures differed.", many))


# why they differ


def why(c: PlanAndScreen, hidden: Sequence[tuple[str, int]] = ()) -> list[Why]:
    """Return every difference and its reason; `hidden` counts what has no name for clients at all."""
    t = c.then
    lines = [_unsent(c, subject, group) for subject, group in _by_subject(t, c.of("unsent")).items()]
    lines += [_waited(c, subject, group) for subject, group in _by_subject(t, c.of("held")).items()]
    outside = _outside(c)
    lines += [_unshared(c, what, group, outside) for what, group in _groups(t, c.of("unshared"))]
    internal = [_many(kind, many) for kind, many in hidden if many]
    if internal and t.agreed:
        what = _("{internal} without a name for clients", internal=in_a_row(internal))
        reason = _("Internal: no terms can cover them")
        lines.append(Why(what=_capital(what), since="", shown=_("Not shown"), reason=reason))
    return lines


def _by_subject(t: Then, apart: Sequence[Difference]) -> dict[str, list[Difference]]:
    """Return differences by the name of what they are of; those of derived figures last, under ""."""
    grouped: dict[str, list[Difference]] = {}
    for difference in apart:
        subject = "" if difference.key[0] in DERIVED else _title(t, difference.key)
        grouped.setdefault(subject, []).append(difference)
    if "" in grouped:
        grouped[""] = grouped.pop("")
    return grouped


def _unsent(c: PlanAndScreen, subject: str, group: Sequence[Difference]) -> Why:
    told = c.later.at is not None and all(c.later.figures.get(d.key, "") == d.plan for d in group)
    return Why(
        what=f"{subject}, {_moved(c.then, group)}" if subject else _capital(_figures(group)),
        since=_in_the_plan(group, c.clock),
        shown=_second(c.later.at, c.clock) if told else _("Not yet"),
        reason=_unsent_reason(c, told=told) if subject else _("Follows from the rest"),
    )


def _unsent_reason(c: PlanAndScreen, *, told: bool) -> str:
    """Return why figures had not been sent; `told` says that the next update did send them."""
    later = c.later
    if told and later.at is not None:
        return _("Not sent yet; update {n} followed {after}", n=later.n, after=after(c.then.at, later.at))
    if later.at is not None:
        return _("Not sent yet; update {n} said something newer", n=later.n)
    return _("The share is stopped: {stopped}", stopped=later.stopped) if later.stopped else _("Not sent yet")


def _waited(c: PlanAndScreen, subject: str, group: Sequence[Difference]) -> Why:
    kind, key, _figure = group[0].key
    held_as = "budget" if kind == "budget" else f"{kind}-{key}"
    held = next(((hold, by) for hold, by in c.then.held if hold.fact.subject == held_as), None)
    since = _in_the_plan(group, c.clock)
    if not subject or held is None:
        reason = _("Follows from what was held for review")
        return Why(what=_capital(_figures(group)), since=since, shown=_("Not yet"), reason=reason)
    hold, by = held
    shown = hold.ended if hold.shown else None
    return Why(
        what=f"{subject}, {_moved(c.then, group)}",
        since=since,
        shown=_second(shown, c.clock) if shown else _("Not yet") if hold.ended is None else _("Not shown"),
        reason=_capital(record_held.why(hold, by, c.clock)),
    )


def _in_the_plan(group: Sequence[Difference], clock: Clock) -> str:
    """Return since when the plan said what it says of figures, and since when the newest of it held, where said."""
    newest = max((d.since for d in group if d.since), default=None)
    held = next((d.as_of for d in group if d.since == newest and d.as_of), None)
    since = _second(newest, clock)
    return _("{since}, held since {held}", since=since, held=clock.moment(held)) if held else since


def _figures(group: Sequence[Difference]) -> str:
    """Return which figures differ, in words."""
    return _listed([FIGURES[d.key[2]] for d in group])


def _moved(t: Then, group: Sequence[Difference]) -> str:
    """Return how far a milestone moved, else which figures differ."""
    key = group[0].key
    if key[0] == "milestone" and t.due and t.shown:
        now = next((m.forecast for m in t.due.milestones if m.id == key[1]), None)
        then = next((m.forecast for m in t.shown.milestones if m.id == key[1]), None)
        if now and then and now != then:
            return words.signed_in((now - then).days, t.due.date_unit)
    return _figures(group)


Group = tuple[str, list[Difference]]  # what it is called


def _groups(t: Then, apart: Sequence[Difference]) -> list[Group]:
    """Return what the terms leave out: whole milestones and risks by name, then figures of those that are shared."""
    view = t.shown or t.due
    shown = {row.id for row in view.milestones} | {card.id for card in view.risks} if view else set()
    whole = [d for d in apart if d.key[0] in ("milestone", "risk") and d.key[1] not in shown]
    partly = [d for d in apart if d.key[0] in ("milestone", "risk") and d.key[1] in shown]
    return [*_whole(t, whole), *_partly(partly), *_rest(apart)]


def _whole(t: Then, apart: Sequence[Difference]) -> Iterator[Group]:
    """Yield the milestones, then the risks, that are not on the page at all."""
    for kind in ("milestone", "risk"):
        group = [d for d in apart if d.key[0] == kind]
        names = list(dict.fromkeys(_title(t, d.key) for d in group))
        if names:
            yield f"{_capital(_many(kind, len(names)))}: {_listed(names, NAMED)}", group


def _many(kind: str, many: int) -> str:
    """Return how many milestones or risks there are: "two milestones"."""
    if kind == "milestone":
        return counted("one milestone", "{many} milestones", many)
    return counted("one risk", "{many} risks", many)


def _partly(apart: Sequence[Difference]) -> Iterator[Group]:
    """Yield the figures that are left out of milestones, then of risks, on the page."""
    for kind in ("milestone", "risk"):
        for figure in dict.fromkeys(d.key[2] for d in apart if d.key[0] == kind):
            group = [d for d in apart if (d.key[0], d.key[2]) == (kind, figure)]
            yield _("{figures} of {many}", figures=_capital(FIGURES[figure]), many=_many(kind, len(group))), group


def _rest(apart: Sequence[Difference]) -> Iterator[Group]:
    """Yield the figures of the budget, then those that are judged from the others."""
    budget = [d for d in apart if d.key[0] == "budget"]
    if budget:
        yield _("Budget: {budget}", budget=_figures(budget)), budget
    derived = [d for d in apart if d.key[0] in DERIVED]
    if derived:
        names = [
            FIGURES[d.key[2]]
            if d.key[0] == "page"
            else _("{figures} of {of}", figures=FIGURES[d.key[2]], of=_of(d.key))
            for d in derived
        ]
        yield _capital(_listed(names)), derived


def _of(key: Key) -> str:
    return _("the schedule") if key[0] == "schedule" else _("the risks")


def _unshared(c: PlanAndScreen, what: str, group: Sequence[Difference], outside: str) -> Why:
    """Return why figures are not shared; `outside` says which agreement does not cover them."""
    versions = c.then.share.versions
    derived = group[0].key[0] in DERIVED
    shown = list(dict.fromkeys(d.shown for d in group if d.shown))
    newest = max((d.since for d in group if d.since), default=None)
    if derived or newest is None:
        since = ""
    else:
        began = versions[0].at if versions else c.then.at
        since = _in_the_plan(group, c.clock) if newest > began else _("Before sharing began")
    return Why(
        what=what,
        since=since,
        shown=shown[0] if len(shown) == 1 else _("Other") if shown else _("Not shown"),
        reason=_("Judged on what is shared, by the same rules") if derived and shown else outside,
    )


def _outside(c: PlanAndScreen) -> str:
    """Return which agreement does not cover what is not shared."""
    if c.then.agreed is None:
        return _("No agreement was in force")
    version, clock = c.then.agreed.versions[-1], c.clock
    since = words.local(version.at, clock.zone).date()
    return _("Outside share agreement {number}, in force since {since}", number=version.number, since=clock.day(since))


def _title(t: Then, key: Key) -> str:
    return title(t.state, key) or key[1] or key[0].capitalize()


def title(state: Project | None, key: Key) -> str:
    """Return what a milestone or risk is called among our own people, "" for anything else."""
    kind, subject, _figure = key
    if state is None:
        return ""
    if kind == "milestone":
        milestone = state.schedule.milestones.get(MilestoneId(subject))
        return milestone.details.title if milestone else ""
    risk = state.risks.risks.get(RiskId(subject)) if kind == "risk" else None
    return f"{risk.details.ref} {risk.details.title}" if risk else ""


def _listed(names: Sequence[str], most: int = 9) -> str:
    """Return names in a sentence, each once; beyond `most` the rest is counted."""
    kept = list(dict.fromkeys(names))
    if len(kept) > most + 1:
        return _("{kept} and {most} more", kept=", ".join(kept[:most]), most=number(len(kept) - most))
    return kept[0] if len(kept) == 1 else _("{kept} and {last}", kept=", ".join(kept[:-1]), last=kept[-1])


def _capital(text: str) -> str:
    return capital(text)


def _second(at: datetime | None, clock: Clock) -> str:
    return clock.second(at) if at else ""
