"""Sentences of the page "Who has seen it?": the fact, the answer in one line, and why a client was not told.

Rule: sent, delivered and displayed are told apart; no sentence says that anybody read anything.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import assert_never

from domain.agreement.terms import Terms
from domain.headline import counted, number
from domain.language import N_, Said, capital
from domain.language import gettext as _
from domain.plan.scores import band
from projections.wording import words
from projections.wording.instants import Clock
from projections.wording.phrases import after, span
from web.record.facts import Amount, Fact, Forecast, Met, Scored, Value, at_step
from web.record.reception import Seen
from web.record.told import ClientTold
from web.telling import held as record_held

BAND = Said({"low": N_("low"), "medium": N_("medium"), "high": N_("high")})
AT_ONCE = timedelta(milliseconds=500)  # rounded to a second it is none
SPOKEN = 3  # clients the one-line answer speaks of
UNTOLD = Said(
    {"has not been told": N_("have not been told"), "was not told": N_("were not told")}
)  # what is said of several, by the message id of what is said of one


def value(told: Value, clock: Clock) -> str:
    """Return a value in words: "5 October", "met on 5 October", "4×4 = 16", "£3,041,000 to 28 February"."""
    match told:
        case Forecast(day=day):
            return clock.day(day)
        case Met(day=day):
            return _("met on {day}", day=clock.day(day))
        case Scored(points=points):
            return f"{points.probability}×{points.impact} = {points.score}"
        case Amount(money=amount, on=on):
            said = words.exact(amount)
            return _("{amount} to {on}", amount=said, on=clock.day(on)) if on else said
        case _:
            assert_never(told)


def sentence(fact: Fact, clock: Clock) -> str:
    """Return the fact: "Handover: 5 October, since Tue 16 March 13:58"."""
    start, text = clock.moment(fact.at), f"{fact.title}: {value(fact.value, clock)}"
    if fact.next is None:
        return _("{said}, since {start}", said=text, start=start)
    return _("{said}, from {start} to {at}", said=text, start=start, at=clock.moment(fact.next.at))


def answer(client: str, told: ClientTold, seen: Sequence[Seen], fact: Fact, name: Callable[[str], str]) -> str:
    """Return in one sentence how far a fact came with a client; `name` says what a person is called."""
    past = fact.next is not None
    if told.how != "told":
        return _untold(client, told, past=past)
    shown = sorted((s for s in seen if s.displayed), key=_when_displayed)
    if shown:
        return _displayed(client, shown, len(seen), told, fact)
    if any(s.superseded for s in seen):
        return _(
            "{client} was told in update {n}, and it was replaced before anybody there had it on screen.",
            client=client,
            n=told.n,
        )
    reached = sorted((s for s in seen if s.delivered), key=_when_delivered)
    never = _("nobody there had it on screen") if past else _("nobody there has had it on screen")
    if reached:
        first = reached[0]
        assert first.delivered is not None
        return _(
            "It reached a page of {name} at {client} {after}, but {never}.",
            name=name(first.person),
            client=client,
            after=after(fact.at, first.delivered),
            never=never,
        )
    if any(s.sent for s in seen):
        return _("{client} was sent update {n}, but no browser has reported it on screen.", client=client, n=told.n)
    return _("{client} was told in update {n}, but {never}.", client=client, n=told.n, never=never)


def _when_displayed(seen: Seen) -> datetime:
    assert seen.displayed is not None
    return seen.displayed


def _when_delivered(seen: Seen) -> datetime:
    assert seen.delivered is not None
    return seen.delivered


def _displayed(client: str, shown: Sequence[Seen], people: int, told: ClientTold, fact: Fact) -> str:
    """Return on how many screens a fact was, of how many `people`, and how long after the change it first was."""
    where = (
        _("on the screen of the only viewer")
        if people == 1
        else _("on {shown} of {people} people’s screens", shown=len(shown), people=people)
    )
    first = _when_displayed(shown[0])
    since = (
        _("{span} after the change", span=span(fact.at, first))
        if first - fact.at > AT_ONCE
        else _("at the change itself")
    )
    if told.level == "coarse":
        said = coarse(told, fact)
        return _("{client}: {where} as {said}, first {since}.", client=client, where=where, said=said, since=since)
    return _("{client}: {where}, first {since}.", client=client, where=where, since=since)


def _untold(client: str, told: ClientTold, *, past: bool) -> str:
    has_not = _("was not told") if past else _("has not been told")
    match told.how:
        case "same":
            said = _("said") if past else _("says")
            return _("The page of {client} {said} the same as before.", client=client, said=said)
        case "draft" | "unshared" | "ended" | "later":
            return _("{client} {untold}.", client=client, untold=has_not)
        case "stopped":
            return _("{client} {has_not}: its share is stopped.", client=client, has_not=has_not)
        case "held":
            return (
                _("{client} {has_not}: it was held for review.", client=client, has_not=has_not)
                if past
                else _("{client} {has_not}: it is held for review.", client=client, has_not=has_not)
            )
        case "coming":
            return _("{client} is being told at this moment.", client=client)
        case "erased":
            return _("What {client} was told can no longer be read.", client=client)
        case "missing" | "told":
            return _("{client} should have been told, and the record does not show it.", client=client)
        case _:
            assert_never(told.how)


def answers(each: Sequence[tuple[str, str]]) -> str:
    """Return the answer in one line, from each client's name and answer; of many clients, the first few."""
    if not each:
        return _("This project is shared with nobody.")
    sentences, untold = [], dict[str, list[str]]()
    for client, answer in each:
        plain = next((end for end in UNTOLD if answer == _alone(client, end)), "")
        if plain:
            untold.setdefault(plain, []).append(client)
        else:
            sentences.append(answer)
    rest = len(sentences) - SPOKEN
    more = capital(counted("one more client is listed below.", "{many} more clients are listed below.", rest))
    ends = [_together(clients, end) for end, clients in untold.items()]
    return " ".join([*sentences[:SPOKEN], *([more] if rest > 0 else ()), *ends])


def _alone(client: str, end: str) -> str:
    return _("{client} {untold}.", client=client, untold=_(end))


def _together(clients: Sequence[str], end: str) -> str:
    if len(clients) == 1:
        return _alone(clients[0], end)
    if len(clients) > SPOKEN:
        return _("{clients} clients {untold}.", clients=number(len(clients)).capitalize(), untold=UNTOLD[end])
    return _("{clients} and {last} {untold}.", clients=", ".join(clients[:-1]), last=clients[-1], untold=UNTOLD[end])


def why(told: ClientTold, fact: Fact, clock: Clock) -> str:
    """Return why no update of a share tells a fact."""
    share, in_force = told.share, told.share.versions
    match told.how:
        case "told":
            return ""
        case "same":
            return _same(told, fact)
        case "draft":
            return _("Its share is a draft and was never in force.")
        case "later":
            return _("Its share came into force {at}, when this was no longer so.", at=clock.moment(in_force[0].at))
        case "ended":
            assert share.revoked_at is not None
            return _("Its share had ended {revoked_at}.", revoked_at=clock.moment(share.revoked_at))
        case "unshared":
            return _unshared(told, clock)
        case "stopped":
            return _("Its share is stopped; what it missed is shown once it goes on.")
        case "held":
            return _held(told, fact, clock)
        case "coming":
            return _("Recorded just now; its update follows.")
        case "erased":
            return _("The update that said so was erased since; its number, time and hash remain.")
        case "missing":
            return _(
                "Agreement {number} covers it, and no update looked at says so. Ask an auditor.",
                number=in_force[-1].number,
            )
        case _:
            assert_never(told.how)


def _held(told: ClientTold, fact: Fact, clock: Clock) -> str:
    assert told.hold is not None
    text = record_held.why(told.hold, told.hold_by, clock)
    replaced = fact.next is not None and (told.hold.ended is None or fact.next.at <= told.hold.ended)
    return _(
        "{said}{rest}{replaced}.",
        said=text[:1].upper(),
        rest=text[1:],
        replaced=_(", and by then this was no longer so") if replaced else "",
    )


def held(told: ClientTold, clock: Clock) -> str:
    """Return that what a client was told had been held for review, "" where it had not."""
    if told.hold is None or told.how != "told":
        return ""
    text = record_held.why(told.hold, told.hold_by, clock)
    return f"{text[:1].upper()}{text[1:]}."


def _same(told: ClientTold, fact: Fact) -> str:
    if share := _share(told, fact):
        return _(
            "Recorded, but rounded away: their page said {shown} before and after, as in update {n}.",
            shown=share,
            n=told.n,
        )
    if told.level == "coarse":
        return _(
            "Recorded, but finer than they are told: their page said {said} before and after, as in update {n}.",
            said=coarse(told, fact),
            n=told.n,
        )
    return _("Their page says the same before and after, as in update {n}.", n=told.n)


def _unshared(told: ClientTold, clock: Clock) -> str:
    numbers = [str(n) for n in told.versions]
    if not numbers:
        return _("Not shared: no agreement was in force.")
    if len(numbers) > 1:
        return _("Not shared under agreements {numbers} and {last}.", numbers=", ".join(numbers[:-1]), last=numbers[-1])
    at = next(v.at for v in told.share.versions if v.number == told.versions[0])
    return _("Not shared under agreement {numbers}, in force since {at}.", numbers=numbers[0], at=clock.moment(at))


def coarse(told: ClientTold, fact: Fact) -> str:
    """Return a fact as the terms tell it under which it was told: "October 2027", "high", "£410,000"."""
    terms = _terms(told)
    match fact.value:
        case Forecast(day=day) | Met(day=day):
            return words.long_in(day, terms.date_unit)
        case Scored(points=points):
            return _(BAND[band(fact.state.scale, points.score)])
        case Amount():
            amount = at_step(fact, terms.money_step)
            return "" if amount is None else words.exact(amount.money)
        case _:
            assert_never(fact.value)


def _terms(told: ClientTold) -> Terms:
    return next((v.terms for v in told.share.versions if v.number == told.terms), Terms())


def _level(told: ClientTold, fact: Fact) -> str:
    """Return at which level of detail a fact was told, "" where as it is."""
    terms = _terms(told)
    match fact.value:
        case Forecast() | Met():
            return {"day": "", "month": _("As its month alone"), "quarter": _("As its quarter alone")}[terms.date_unit]
        case Scored():
            return _("As its band alone") if terms.score_detail == "band" else ""
        case Amount(money=money):
            return _capital(words.rounded_to(terms.money_step, money.currency))
        case _:
            assert_never(fact.value)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def note(told: ClientTold, fact: Fact) -> str:
    """Return what has to be said beside the update that told a fact, "" for nothing."""
    notes = []
    level = _level(told, fact) if told.level in ("coarse", "earlier") else ""
    if level:
        notes.append(_("{level}: {said}.", level=level, said=coarse(told, fact)))
    if told.level == "earlier":
        notes.append(_("As an earlier value, in the history beside the one that replaced it."))
    if share := _share(told, fact):
        notes.append(_("As a percentage of the budget: {share}.", share=share))
    if told.level == "value" and _looks_alike(fact):
        assert isinstance(fact.value, Amount)
        notes.append(_("On screen both this and the value before it say {money}.", money=words.money(fact.value.money)))
    if told.blurred:
        notes.append(_("An earlier update was erased and may have said so first."))
    if told.beyond:
        notes.append(_("Until update {beyond}.", beyond=told.beyond))
    return " ".join(notes)


def _share(told: ClientTold, fact: Fact) -> str:
    """Return the part of the budget as which a fact was told, "" where it was not told as one."""
    if told.level != "share" or not isinstance(fact.value, Amount):
        return ""
    step = _terms(told).money_step
    amount = at_step(fact, step) if step else fact.value
    return "" if amount is None or amount.share is None else words.percent(amount.share)


def _looks_alike(fact: Fact) -> bool:
    old = fact.before.value if fact.before else None
    both = isinstance(old, Amount) and isinstance(fact.value, Amount)
    return both and words.money(old.money) == words.money(fact.value.money)  # type: ignore[union-attr]
