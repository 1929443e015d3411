"""What they saw, in words: the sentence at the top, and every difference with its reason on record. Pure.

Rule: "their screens" only when a page of theirs claimed to show it at that moment, "their page" otherwise.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from domain.headline import count, number
from domain.language import gettext as _
from domain.plan.project import Project
from domain.view import ClientView
from projections.wording import words
from projections.wording.instants import Clock
from projections.wording.phrases import after
from web.record import held as record_held
from web.record.instant import Then
from web.seen.compare import FIGURES, Difference, Key

DERIVED = ("page", "schedule", "risks")  # judged from the rest
NAMED = 3  # of what is left out, by name


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


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """One line of why they differ."""

    what: str
    since: str
    shown: str
    reason: str


def when(at: datetime, clock: Clock) -> str:
    """Return "At 09:31 on Thursday 11 March"."""
    there = words.local(at, clock.zone)
    return _("At {there:%H:%M} on {there:%A} {date}", there=there, date=clock.day(there.date()))


def sentence(
    t: Then, client: str, found: Sequence[Difference], later: Later, clock: Clock, *, watched: bool
) -> Sentence:
    """Return what they saw in one sentence."""
    moment = when(t.at, clock)
    if t.state is None or t.plan is None:
        return Sentence(_("{moment} the project had not begun.", moment=moment), "")
    plan = _("The plan said {plan}.", plan=clause(t.plan))
    if t.ended:
        last = _("The last they were shown was update {n}.", n=t.n) if t.n else ""
        return Sentence(
            _("{moment} the share with {client} had ended. {plan}", moment=moment, client=client, plan=plan), last
        )
    if t.agreed is None or t.n == 0:
        return Sentence(
            _("{moment} nothing had been shown to {client} yet. {plan}", moment=moment, client=client, plan=plan),
            _beginning(t, later, clock),
        )
    if t.shown is None:
        return Sentence(_("{moment} their page was update {n}. Its content has been erased.", moment=moment, n=t.n), "")
    said = _("{moment} their {screens} said", moment=moment, screens=_("screens") if watched else _("page"))
    nobody = "" if watched else _(" Nobody had it open.")
    headline = next((d for d in found if d.key == ("page", "", "sentence")), None)
    if headline is None:
        return Sentence(
            _("{said} {shown}, and so did the plan.", said=said, shown=clause(t.shown)),
            _beyond(t, found, later, clock) + nobody,
        )
    mine, theirs = _apart(t.shown, t.plan if headline.reason == "unshared" else t.due or t.plan)
    match headline.reason:
        case "unsent":
            soft = _told(t, later, clock)
        case "held":
            soft = _held(t, clock)
        case "unshared":
            soft = _left_out(t)
    return Sentence(_("{said} {mine}. The plan said {theirs}.", said=said, mine=mine, theirs=theirs), soft + nobody)


def clause(view: ClientView) -> str:
    """Return what a page says in a clause: "four days behind", else its sentence."""
    slip = view.schedule.slip_days if view.schedule else None
    if slip is None or view.headline.sentence.startswith(("Closed", "On hold", "All ")):
        return _spoken(view)
    if slip == 0:
        return _("on the agreed plan")
    return _("{days} {behind}", days=count(abs(slip), _("day")), behind=_("behind") if slip > 0 else _("ahead"))


def _spoken(view: ClientView) -> str:
    text = view.headline.sentence.removesuffix(".")
    return f"“{text}”"


def _apart(shown: ClientView, plan: ClientView) -> tuple[str, str]:
    mine, theirs = clause(shown), clause(plan)
    if mine == theirs:
        return _spoken(shown), _spoken(plan)
    left, right = (view.schedule.slip_days if view.schedule else None for view in (shown, plan))
    if left and right and left * right > 0 and "“" not in mine + theirs:
        return mine, number(abs(right))
    return mine, theirs


def _beginning(t: Then, later: Later, clock: Clock) -> str:
    first = t.share.versions[0].at if t.share.versions else None
    if t.agreed is not None and later.at is not None:
        return _("Update 1 was recorded {after}.", after=after(t.at, later.at))
    if first is None:
        return _("Nothing has been shared with them.")
    there = words.local(first, clock.zone)
    return _("Sharing began at {there:%H:%M} on {date}.", there=there, date=clock.day(there.date()))


def _told(t: Then, later: Later, clock: Clock) -> str:
    if later.at is None:
        return (
            _("The share is stopped: {stopped}", stopped=later.stopped)
            if later.stopped
            else _("They have not been told yet.")
        )
    if (later.at - t.at).total_seconds() < 60:
        return _("They were told {after} later.", after=after(t.at, later.at).removesuffix(" later")).replace(
            "at once later", "at once"
        )
    there, then = words.local(later.at, clock.zone), words.local(t.at, clock.zone)
    day = (
        _("the same day")
        if there.date() == then.date()
        else _("on {there:%A} {date}", there=there, date=clock.day(there.date()))
    )
    return _("They were told at {there:%H:%M} {day}.", there=there, day=day)


def _held(t: Then, clock: Clock) -> str:
    if len(t.held) == 1:
        return _("It was {why}.", why=record_held.why(*t.held[0], clock))
    ends = [hold.ended for hold, _ in t.held if hold.ended]
    many, waits = len(t.held), len(t.held) - len(ends)
    if waits == many:
        return _("{changes_are} held for review.", changes_are=_capital(count(many, _("change is"), _("changes are"))))
    last = (
        _("; the last of them ended {ends}", ends=clock.moment(max(ends)))
        if not waits
        else _(", and {waits} still waits", waits=number(waits))
    )
    return _(
        "{changes_were} held for review{last}.",
        changes_were=_capital(count(many, _("change was"), _("changes were"))),
        last=last,
    )


def _left_out(t: Then) -> str:
    return _(
        "What makes the difference is not shared under agreement {version}.",
        version=t.agreed.version if t.agreed else 0,
    )


def _beyond(t: Then, found: Sequence[Difference], later: Later, clock: Clock) -> str:
    if any(d.reason == "unsent" for d in found):
        differed = count(sum(d.reason == "unsent" for d in found), _("figure"))
        return _("{differed} differed. {told}", differed=_capital(differed), told=_told(t, later, clock))
    if any(d.reason == "held" for d in found):
        differed = count(sum(d.reason == "held" for d in found), _("figure"))
        return _("{differed} differed. {held}", differed=_capital(differed), held=_held(t, clock))
    if found:
        return _("Some of the plan is not shared with them.")
    return _("No figure differed.")


# why they differ


def why(
    t: Then, found: Sequence[Difference], later: Later, clock: Clock, hidden: Sequence[tuple[str, int]] = ()
) -> list[Why]:
    """Return every difference and its reason; `hidden` counts what has no name for clients at all."""
    unsent = [d for d in found if d.reason == "unsent"]
    held = [d for d in found if d.reason == "held"]
    unshared = [d for d in found if d.reason == "unshared"]
    lines = [_unsent(t, subject, group, later, clock) for subject, group in _by_subject(t, unsent).items()]
    lines += [_waited(t, subject, group, clock) for subject, group in _by_subject(t, held).items()]
    outside = _outside(t, clock)
    lines += [_line(t, what, group, outside, clock) for what, group in _groups(t, unshared)]
    internal = [count(many, one) for one, many in hidden if many]
    if internal and t.agreed:
        what = _("{internal} without a name for clients", internal=_(" and ").join(internal))
        lines.append(
            Why(what=_capital(what), since="", shown=_("Not shown"), reason=_("Internal: no terms can cover them"))
        )
    return lines


def _by_subject(t: Then, found: Sequence[Difference]) -> dict[str, list[Difference]]:
    grouped: dict[str, list[Difference]] = {}
    for one in found:
        grouped.setdefault("" if one.key[0] in DERIVED else _title(t, one.key), []).append(one)
    if "" in grouped:
        grouped[""] = grouped.pop("")
    return grouped


def _unsent(t: Then, subject: str, group: Sequence[Difference], later: Later, clock: Clock) -> Why:
    told = later.at is not None and all(later.figures.get(d.key, "") == d.plan for d in group)
    if told and later.at is not None:
        reason = _("Not sent yet; update {n} followed {after}", n=later.n, after=after(t.at, later.at))
    elif later.at is not None:
        reason = _("Not sent yet; update {n} said something newer", n=later.n)
    else:
        reason = _("The share is stopped: {stopped}", stopped=later.stopped) if later.stopped else _("Not sent yet")
    if not subject:
        reason = _("Follows from the rest") if len(group) else reason
    since = max((d.since for d in group if d.since), default=None)
    return Why(
        what=f"{subject}, {_moved(t, group)}" if subject else _capital(_listed([FIGURES[d.key[2]] for d in group])),
        since=_second(since, clock),
        shown=_second(later.at, clock) if told else _("Not yet"),
        reason=reason,
    )


def _waited(t: Then, subject: str, group: Sequence[Difference], clock: Clock) -> Why:
    key = group[0].key
    of = "budget" if key[0] == "budget" else f"{key[0]}-{key[1]}"
    found = next(((hold, by) for hold, by in t.held if hold.fact.subject == of), None)
    since = max((d.since for d in group if d.since), default=None)
    shown = found[0].ended if found and found[0].shown else None
    if not subject or found is None:
        what, reason = _capital(_listed([FIGURES[d.key[2]] for d in group])), _("Follows from what was held for review")
        return Why(what=what, since=_second(since, clock), shown=_("Not yet"), reason=reason)
    return Why(
        what=f"{subject}, {_moved(t, group)}",
        since=_second(since, clock),
        shown=_second(shown, clock) if shown else _("Not yet") if found[0].ended is None else _("Not shown"),
        reason=_capital(record_held.why(*found, clock)),
    )


def _moved(t: Then, group: Sequence[Difference]) -> str:
    """Return how far a milestone moved, else which figures differ."""
    key = group[0].key
    if key[0] == "milestone" and t.due and t.shown:
        now = next((m.forecast for m in t.due.milestones if m.id == key[1]), None)
        then = next((m.forecast for m in t.shown.milestones if m.id == key[1]), None)
        if now and then and now != then:
            return words.signed((now - then).days)
    return _listed([FIGURES[d.key[2]] for d in group])


def _groups(t: Then, found: Sequence[Difference]) -> list[tuple[str, list[Difference]]]:
    """Return what the terms leave out: whole milestones and risks by name, then figures of those that are shared."""
    view = t.shown or t.due
    shown = {row.id for row in view.milestones} | {card.id for card in view.risks} if view else set()
    whole = {kind: [d for d in found if d.key[0] == kind and d.key[1] not in shown] for kind in ("milestone", "risk")}
    groups = []
    for kind, group in whole.items():
        names = list(dict.fromkeys(_title(t, d.key) for d in group))
        if names:
            groups.append((f"{_capital(count(len(names), kind))}: {_listed(names, NAMED)}", group))
    partly = [d for d in found if d.key[0] in whole and d.key[1] in shown]
    for kind in ("milestone", "risk"):
        for figure in dict.fromkeys(d.key[2] for d in partly if d.key[0] == kind):
            group = [d for d in partly if (d.key[0], d.key[2]) == (kind, figure)]
            groups.append(
                (_("{figures} of {count}", figures=_capital(FIGURES[figure]), count=count(len(group), kind)), group)
            )
    budget = [d for d in found if d.key[0] == "budget"]
    if budget:
        groups.append((_("Budget: {budget}", budget=_listed([FIGURES[d.key[2]] for d in budget])), budget))
    derived = [d for d in found if d.key[0] in DERIVED]
    if derived:
        names = [
            FIGURES[d.key[2]]
            if d.key[0] == "page"
            else _("{figures} of {of}", figures=FIGURES[d.key[2]], of=_of(d.key))
            for d in derived
        ]
        groups.append((_capital(_listed(names)), derived))
    return groups


def _of(key: Key) -> str:
    return _("the schedule") if key[0] == "schedule" else _("the risks")


def _line(t: Then, what: str, group: Sequence[Difference], outside: str, clock: Clock) -> Why:
    derived = group[0].key[0] in DERIVED
    began = t.share.versions[0].at if t.share.versions else t.at
    newest = max((d.since for d in group if d.since), default=None)
    since = "" if derived or newest is None else _second(newest, clock) if newest > began else _("Before sharing began")
    shown = list(dict.fromkeys(d.shown for d in group if d.shown))
    told = _("Judged on what is shared, by the same rules") if derived and shown else outside
    return Why(
        what=what,
        since=since,
        shown=shown[0] if len(shown) == 1 else _("Other") if shown else _("Not shown"),
        reason=told,
    )


def _outside(t: Then, clock: Clock) -> str:
    if t.agreed is None:
        return _("No agreement was in force")
    version = t.agreed.versions[-1]
    since = words.local(version.at, clock.zone).date()
    return _("Outside share agreement {number}, in force since {since}", number=version.number, since=clock.day(since))


def _title(t: Then, key: Key) -> str:
    return title(t.state, key) or key[1] or key[0].capitalize()


def title(state: Project | None, key: Key) -> str:
    """Return what a milestone or risk is called among us."""
    if state is None:
        return ""
    find: Callable[[str], object | None] = {
        "milestone": state.schedule.milestones.get, "risk": state.risks.risks.get
    }.get(key[0], lambda _id: None)  # type: ignore[assignment]  # fmt: skip
    found = find(key[1])
    details = getattr(found, "details", None)
    if details is None:
        return ""
    return f"{details.ref} {details.title}" if key[0] == "risk" else str(details.title)


def _listed(names: Sequence[str], most: int = 9) -> str:
    kept = list(dict.fromkeys(names))
    if len(kept) > most + 1:
        return _("{kept} and {most} more", kept=", ".join(kept[:most]), most=number(len(kept) - most))
    return kept[0] if len(kept) == 1 else _("{kept} and {last}", kept=", ".join(kept[:-1]), last=kept[-1])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _second(at: datetime | None, clock: Clock) -> str:
    return clock.second(at) if at else ""
