"""reveal(project, share) -> ClientView: the only way from a project to a client. An allow-list, field by field.

Rule: a value reaches the view only under an `if` on the terms that name it. Whatever is counted, ordered, dated or
judged here is counted, ordered, dated and judged from shared values alone, except the health indicators, which are
measures of the whole project that the terms share knowingly. No internal version, position or clock is used. What lies
before an item became known (`past.known_from`) stays unknown, unless it was agreed with history.
"""

from collections.abc import Hashable, Iterable
from datetime import date, datetime
from functools import partial
from operator import attrgetter
from typing import get_args

import msgspec

from domain.agreement.answers import Acknowledgement, Comment
from domain.agreement.share import Share
from domain.agreement.terms import Terms
from domain.catalogue import Item
from domain.headline import Shared, counted, headline, read_of
from domain.ids import ClientId, MilestoneId
from domain.language import gettext as _
from domain.language import speaking, spoken, whole
from domain.look.look import Look
from domain.memory import Memory, Token
from domain.plan.calendar import calendar_days, working_days
from domain.plan.history import set_at
from domain.plan.milestones import Milestone, Move
from domain.plan.project import Project
from domain.plan.risks import Assessment, ClientAssessment, Risk
from domain.plan.schedule import Confirmation
from domain.plan.scores import Points, band
from domain.plan.sources.rules import owner
from domain.reveal.course import known_moves, last_change, points
from domain.reveal.levels import NEVER_CHANGED, at_level
from domain.reveal.measures import budget_of, indicator_of
from domain.reveal.past import ITEM, after, dated, earlier, known, known_from, settled
from domain.reveal.said import NEVER, Called, Heard, ack, agreement_ack, concerns, remarks, said_of
from domain.view import (
    Baseline,
    ClientView,
    ForecastPoint,
    MilestoneRow,
    MilestoneState,
    RiskBand,
    RiskCard,
    RiskVital,
    Scale,
    ScheduleVital,
    Score,
    Slip,
)

RANK: dict[RiskBand, int] = {"low": 1, "medium": 2, "high": 3}


def reveal(
    project: Project,
    share: Share,
    *,
    organisation: str,
    client: str,
    time_zone: str,
    called: Called = str,
    look: Look | None = None,
    memory: Memory | None = None,
) -> ClientView:
    """Return all that `client` may know of `project` under the terms in force of `share`, in the share's language.

    `organisation` and `client` are the names shown; `time_zone` is the IANA zone instants are shown in; `called` gives
    the name of a person whose words are shown; `look` is what the page wears. With the `memory` of the share, what did
    not change since the last time is the same object again; the view is the same with it and without.
    """
    memory = memory or Memory()
    memory.turn()
    names = organisation, client, time_zone
    with speaking(share.language):
        view = _reveal(project, share, names, called, memory)
    return view if look is None else msgspec.structs.replace(view, brand=look.digest, look=look)


def _reveal(project: Project, share: Share, names: tuple[str, str, str], called: Called, memory: Memory) -> ClientView:
    terms, (organisation, client, time_zone) = share.terms, names
    project = at_level(project, terms, memory)
    said = said_of(share.answers, memory)
    told = _milestones(project, share, said, called, memory)
    carded = _risks(project, share, said, called, memory)
    milestones, risks = tuple(map(_row_of, told)), tuple([one.card for one in carded])
    final = next((row for row in reversed(milestones) if row.final), None)  # it is one of the last
    judged = project.health, project.tolerances, project.scale, spoken(), *share.versions
    schedule = memory.of("schedule", (*judged, final), lambda: _schedule(project, share, final))
    figures = *judged, project.budget, project.currency, project.time_zone
    budget = memory.of("figures", figures, lambda: budget_of(project, share))
    if budget is not None and (comments := said.comments.get("budget")):
        about = remarks(comments, called, item=_spent(share))
        budget = memory.one("budget", msgspec.structs.replace(budget, remarks=about))
    phase = project.phase if "phase" in terms.project_fields else None
    overall = memory.of("overall", judged, lambda: indicator_of(project, share, "overall"))
    risk = memory.of("risk", (*judged, *risks), lambda: _risk_vital(project, share, risks))
    agreed = project.schedule.listed, project.time_zone, *share.versions
    baselines = memory.of("baselines", agreed, lambda: _baselines(project, share))
    confirmed = memory.one("confirmed", _plan_confirmed(project, share))
    raised = concerns(share, milestones, risks, called)
    first = Shared(
        overall=overall,
        schedule=schedule,
        budget=budget,
        risk=risk,
        milestones=milestones,
        risks=risks,
        phase=phase,
        unit=terms.date_unit,
        more=bool(baselines or raised) or confirmed is not None,
    )
    counts = terms, share.version, len(milestones), len(risks), spoken()
    told_of = overall, schedule, budget, risk, phase, first.unit, first.more, spoken(), *risks, *read_of(milestones)
    return ClientView(
        organisation=organisation,
        client=client,
        project=project.client_title,
        time_zone=time_zone,
        terms_version=share.version,
        scope=memory.of("scope", counts, lambda: _scope(terms, share.version, milestones, risks)),
        headline=memory.of("headline", told_of, lambda: headline(first)),
        phase=phase,
        as_of=memory.one("as_of", _as_of(project, share, map(_moment_of, told), (one.scored_at for one in carded))),
        overall=overall,
        schedule=schedule,
        budget=budget,
        risk=risk,
        milestones_shared=bool(terms.milestones),
        risks_shared=bool(terms.risks),
        milestones=milestones,
        baselines=baselines,
        risks=risks,
        scale=memory.one("scale", _scale(project)) if terms.risks and "score" in terms.risk_fields else None,
        confirmed_at=confirmed,
        confirmed_quietly=_quietly(project, confirmed, milestones),
        unconfirmed=confirmed is not None and _unconfirmed(project),
        concerns=tuple(memory.one(("concern", one.id), one) for one in raised),
        agreement_ack=memory.one("agreement", agreement_ack(project, share, said, called)),
        date_unit=terms.date_unit,
        money_step=terms.money_step,
        language=share.language,
    )


def _plan_confirmed(project: Project, share: Share) -> datetime | None:
    """Return since when the plan is confirmed, as far as the terms tell it."""
    if "confirmed" not in share.terms.project_fields:
        return None
    return _confirmed(project.schedule.confirmation(), known_from(share, "project", "", "confirmed"))


def _unconfirmed(project: Project) -> bool:
    """Tell whether a source that keeps some of the plan has failed for a day, and nobody confirmed the plan since.

    A closed project is confirmed by nobody any more, and its sources are not asked, so nothing is missing there. One on
    hold has its sources asked further, and its dates are read further.
    """
    if project.phase == "closed":
        return False
    at = project.schedule.confirmed_at
    failing = {
        one.id
        for one in project.sources.values()
        if one.attached and one.paused is None and one.failure is not None and one.failure.lasting
        and (at is None or at < one.failure.since)
    }  # fmt: skip
    return bool(failing) and any(owner(one.source_id) in failing for one in project.schedule.milestones.values())


def _quietly(project: Project, confirmed: datetime | None, milestones: tuple[MilestoneRow, ...]) -> bool:
    """Return whether the newest confirmation, as far as the terms tell it, is no news by itself.

    While a milestone waits for review, that of the others may be newer than that of the plan.
    """
    told = [] if confirmed is None else [(confirmed, project.schedule.confirmation())]
    told += [
        (row.confirmed_at, project.schedule.confirmation(MilestoneId(row.id))) for row in milestones if row.confirmed_at
    ]
    return max(told, key=lambda one: one[0])[1].quietly if told else False


# milestones


def covers_milestone(terms: Terms, milestone: Milestone) -> bool:
    """Tell whether terms cover a milestone, which needs a title for the client."""
    if terms.milestones == "all":
        return milestone.details.client_facing
    return milestone.id in terms.milestones and bool(milestone.details.client_title)


def _selected(project: Project, terms: Terms) -> list[Milestone]:
    milestones = project.schedule.milestones.values()
    if terms.milestones == "all":  # as `covers_milestone` says, without a call for each
        return [m for m in milestones if m.details.client_facing]
    return [m for m in milestones if covers_milestone(terms, m)]


class _ToldMilestone(msgspec.Struct, frozen=True):
    """A milestone as it is told, where it stands among the others, and when its forecast was set, where shared."""

    row: MilestoneRow
    order: tuple[date, str, str]
    moved_at: datetime | None


def _milestones(
    project: Project, share: Share, said: Heard, called: Called, memory: Memory
) -> tuple[_ToldMilestone, ...]:
    around = _around_milestones(project, share, memory)
    about = said.about("milestone")
    selected = _selected(project, share.terms)
    quiet = [m for m in selected if m.id not in about] if about else selected
    told = memory.each("milestones", (around,), quiet, lambda m: _milestone(project, share, m, (), None, called))
    for m in selected if about else ():
        if m.id not in about:
            continue
        comments, given = said.comments.get(f"milestone-{m.id}", ()), said.acknowledged.get(f"milestone-{m.id}")
        spoke = _spoke(("spoke", m.id), comments, given, called, memory)
        told.append(
            memory.of(
                ("milestone", m.id),
                (m, around, comments, given, spoke),
                partial(_milestone, project, share, m, comments, given, called),
            )
        )
    told = memory.ordered("milestones.order", told, _order)
    final = next((i for i in reversed(range(len(told))) if told[i].row.baseline), None)
    if final is None:  # the last agreed one; what is not agreed yet hides nothing
        final = next((i for i in reversed(range(len(told))) if told[i].row.forecast), None)
    if final is not None:
        told[final] = memory.of(("final", told[final].row.id), (told[final],), partial(_as_final, told[final]))
    return tuple(told)


def _around_milestones(project: Project, share: Share, memory: Memory) -> object:
    """Return what stands for all that every milestone's row depends on, beside the milestone and what was said of it.

    The versions have the terms in force, and with those before them from when on each value is known.
    """
    schedule, newest = project.schedule, project.schedule.confirmation()
    return memory.of(
        "milestones.around",
        (
            *share.versions, share.client, project.tolerances, project.calendar, project.time_zone, newest.at,
            newest.as_of, schedule.baselines, schedule.agreed, schedule.agreed_first, schedule.ended,
            *schedule.withheld,
        ),
        Token,
    )  # fmt: skip


def _spoke(
    key: Hashable, comments: Iterable[Comment], given: Acknowledgement | None, called: Called, memory: Memory
) -> object:
    """Return the names of those who said something, the same object while they are the same."""
    names = [called(comment.by) for comment in comments]
    if given is not None:
        names.append(called(given.by))
    return memory.one(key, tuple(names)) if names else None


_order, _row_of, _moment_of = attrgetter("order"), attrgetter("row"), attrgetter("moved_at")


def _as_final(told: _ToldMilestone) -> _ToldMilestone:
    return msgspec.structs.replace(told, row=msgspec.structs.replace(told.row, final=True))


def _milestone(
    project: Project,
    share: Share,
    m: Milestone,
    comments: Iterable[Comment],
    given: Acknowledgement | None,
    called: Called,
) -> _ToldMilestone:
    """Return a milestone as it is told; an acknowledgement is current by the shown date alone."""
    terms = share.terms
    since = _past(share, m, "comments") if "comments" in terms.milestone_fields else NEVER
    moved = _moved_at(share, m) if "forecast" in terms.milestone_fields else None
    row = msgspec.structs.replace(
        _row(project, terms, m, share),
        remarks=remarks(comments, called, since, item=_past(share, m, ITEM)) if comments else (),
        ack=ack(project, given, called, moved),
    )
    return _ToldMilestone(row, (row.baseline or row.forecast or row.actual or date.max, row.title, row.id), moved)


def _row(project: Project, terms: Terms, m: Milestone, share: Share) -> MilestoneRow:
    fields, details = terms.milestone_fields, m.details
    baseline = project.schedule.baseline_of(m.id)
    original = _original(project, m, _past(share, m, "baseline"))
    return MilestoneRow(
        id=m.id,
        title=details.client_title,
        kind=details.kind if "kind" in fields else "",
        owner_side=details.owner_side if "owner_side" in fields else "",
        original_baseline=original if "baseline" in fields else None,
        baseline=baseline if "baseline" in fields else None,
        forecast=m.forecast if "forecast" in fields else None,
        earliest=m.earliest if "range" in fields else None,
        latest=m.latest if "range" in fields else None,
        actual=m.actual if "actual" in fields else None,
        deadline=details.deadline if "deadline" in fields else None,
        status=_status(project, m, terms),
        slip=_slip(project, terms, m, original) if "slip" in fields else None,
        location=details.location if "location" in fields else "",
        reason=_reason(m, terms, _past(share, m, "reason")) if "reason" in fields else "",
        progress=m.percent if "progress" in fields else None,
        value=details.value if "value" in fields else None,
        needs_acceptance=details.needs_acceptance if "acceptance" in fields else None,
        accepted_on=m.accepted_on if "acceptance" in fields else None,
        client_action=details.client_action if "client_action" in fields else "",
        client_action_due=details.client_action_due if "client_action" in fields else None,
        confirmed_at=_item_confirmed(project, share, m) if "confirmed" in fields else None,
        trend=_trend(project, m, _past(share, m, "trend", "forecast")) if {"trend", "forecast"} <= set(fields) else (),
    )


def _reason(m: Milestone, terms: Terms, since: datetime | None) -> str:
    """Return the reason of the last move that changed a shared date; of the forecast where no date is shared."""
    moves = known_moves(m.moves, since)
    if len(m.moves) > 1 and len(moves) == 1:
        return moves[0].reason if after(dated(moves[0])[1], since) else ""
    changed = last_change(moves, _range_of if "range" in terms.milestone_fields else _forecast_of) if moves else 0
    return moves[changed].reason if changed else ""


def _range_of(move: Move) -> object:
    return move.forecast, move.earliest, move.latest


def _forecast_of(move: Move) -> date:
    return move.forecast


def _moved_at(share: Share, m: Milestone) -> datetime:
    """Return when what is shared of a milestone's forecast was set, as far as the client may know."""
    told = _range_of if "range" in share.terms.milestone_fields else _forecast_of
    return _set(set_at(m.moves, told), _past(share, m, "forecast"))


def _past(share: Share, m: Milestone, *fields: str) -> datetime | None:
    return known_from(share, "milestone", m.id, *fields, facing=m.facing_since)


def _item_confirmed(project: Project, share: Share, m: Milestone) -> datetime | None:
    return _confirmed(project.schedule.confirmation(m.id), _past(share, m, "confirmed"))


def _confirmed(newest: Confirmation, since: datetime | None) -> datetime | None:
    """Return since when a plan is confirmed (UTC), or None where that lies before `since`, in what stays unknown."""
    at, as_of = newest.at, newest.as_of
    return (as_of or at) if at is not None and after(earlier(at, as_of), since) else None


def _set(at: datetime, since: datetime | None) -> datetime:
    """Return when something was set on the page, as far as the client may know: not before it began to know of it.

    That is when it was recorded, also where it is said to have held before: until then the page said something else.
    """
    return at if since is None else max(at, since)


def _original(project: Project, m: Milestone, since: datetime | None) -> date | None:
    """Return the first date agreed; with `since`, the one that was agreed when the client began to know of it."""
    if since is None:
        return project.schedule.original_of(m.id)
    agreed = [(b.on, b.dates[m.id]) for b in project.schedule.baselines if m.id in b.dates]
    before = [day for on, day in agreed if on <= project.civil(since)]
    return before[-1] if before else agreed[0][1] if agreed else None


def _shown(m: Milestone, terms: Terms) -> date:
    return m.actual if m.actual and "actual" in terms.milestone_fields else m.forecast


def _slip(project: Project, terms: Terms, m: Milestone, original: date | None) -> Slip | None:
    baseline, shown = project.schedule.baseline_of(m.id), _shown(m, terms)
    if baseline is None:
        return None
    return Slip(
        since_original=None if original is None else calendar_days(original, shown),
        since_current=calendar_days(baseline, shown),
        working=working_days(project.calendar, baseline, shown) if terms.date_unit == "day" else None,
    )


def _status(project: Project, m: Milestone, terms: Terms) -> MilestoneState | None:
    """Return the status; a date that has passed is told where the terms tell whether the milestone was met."""
    fields = terms.milestone_fields
    if "status" not in fields:
        return "overdue" if "actual" in fields and _overdue(project, m, terms) else None
    if m.actual is not None:
        return "met"
    if _overdue(project, m, terms):
        return "overdue"
    baseline = project.schedule.baseline_of(m.id)
    if baseline is None:
        return "planned"
    slip, t = calendar_days(baseline, _shown(m, terms)), project.tolerances
    return "off_track" if slip > t.slip_off_track else "at_risk" if slip > t.slip_at_risk else "on_track"


def _overdue(project: Project, m: Milestone, terms: Terms) -> bool:
    """Tell whether the date that is shared of a milestone, else the one its status is judged by, passed unmet."""
    fields = terms.milestone_fields
    if "forecast" in fields or "status" in fields:
        due: date | None = m.forecast
    else:
        due = project.schedule.baseline_of(m.id) if "baseline" in fields else None
    return m.actual is None and due is not None and project.schedule.has_passed(due)


def _trend(project: Project, m: Milestone, since: datetime | None) -> tuple[ForecastPoint, ...]:
    """Return the forecasts in the order in which they held; with `since`, beginning with the one that held then."""
    return points(known_moves(m.moves, since), since, project.time_zone)


def _schedule(project: Project, share: Share, final: MilestoneRow | None) -> ScheduleVital | None:
    indicator = indicator_of(project, share, "schedule")
    if final is None or final.slip is None:
        return None if indicator is None else ScheduleVital(indicator=indicator)
    before = _before(share.terms, final)
    return ScheduleVital(
        indicator=indicator,
        milestone=final.id,
        title=final.title,
        baseline=final.baseline,
        forecast=final.actual or final.forecast,
        slip_days=final.slip.since_current,
        previous_slip=before[0] if before else None,
        previous_on=before[1] if before else None,
    )


def _before(terms: Terms, final: MilestoneRow) -> tuple[int, date] | None:
    if "trend" not in terms.milestone_fields or len(final.trend) < 2 or final.baseline is None:
        return None
    earlier = final.trend[-2]
    return calendar_days(final.baseline, earlier.forecast), earlier.on


def _baselines(project: Project, share: Share) -> tuple[Baseline, ...]:
    if "baselines" not in share.terms.project_fields:
        return ()
    since, plans = known_from(share, "project", "", "baselines"), project.schedule.listed
    if since is None:
        return tuple(Baseline(number=b.number, approved_on=b.on, reason=b.reason) for b in plans)
    earlier = [b for b in plans if b.on <= project.civil(since)][-1:]
    later = [b for b in plans if b.on > project.civil(since)]
    first = [
        Baseline(number=1, approved_on=b.on, reason="") for b in earlier
    ]  # its reason and its number are of the past
    begin = len(first) + 1
    return (*first, *(Baseline(number=i, approved_on=b.on, reason=b.reason) for i, b in enumerate(later, begin)))


# risks


def covers_risk(terms: Terms, risk: Risk) -> bool:
    """Tell whether terms cover a risk, which needs a title for the client."""
    if terms.risks == "all":
        return risk.details.client_facing
    return risk.id in terms.risks and bool(risk.details.client_title)


def _selected_risks(project: Project, terms: Terms) -> list[Risk]:
    return [r for r in project.risks.risks.values() if covers_risk(terms, r)]


class _ToldRisk(msgspec.Struct, frozen=True):
    """A risk as it is told, and when its score was set, where that is shared."""

    card: RiskCard
    scored_at: datetime | None


def _risks(project: Project, share: Share, said: Heard, called: Called, memory: Memory) -> tuple[_ToldRisk, ...]:
    around = memory.of("risks.around", (*share.versions, share.client, project.scale, project.time_zone), Token)
    told = []
    for r in _selected_risks(project, share.terms):
        comments, given = said.comments.get(f"risk-{r.id}", ()), said.acknowledged.get(f"risk-{r.id}")
        spoke = _spoke(("spoke.risk", r.id), comments, given, called, memory)
        scored_by = memory.one(("scored", r.id), _scored_by(share, r, called))
        told.append(
            memory.of(
                ("risk", r.id),
                (r, around, comments, given, spoke, scored_by),
                partial(_risk, project, share, r, comments, given, called),
            )
        )
    told.sort(key=_place)
    return tuple(told)


def _place(told: _ToldRisk) -> tuple[bool, int, str, str]:
    card = told.card
    return card.status == "closed", -_rank(card), card.ref, card.id


def _rank(card: RiskCard) -> int:
    return card.score.value if card.score else RANK[card.band] if card.band else 0


def _card(project: Project, share: Share, client: ClientId, r: Risk) -> RiskCard:
    fields, details = share.terms.risk_fields, r.details
    since, set_since = _past_of_risk(share, r, "history"), _past_of_risk(share, r, "score")
    theirs = r.client_scores.get(client, ()) if "client_score" in fields else ()
    banded = share.terms.score_detail == "band"
    scores = known(r.scores, since, dated)
    if banded:
        scores = settled(scores, _points_of)
    score = _score(project, r.scores[-1], set_since) if "score" in fields else None
    before = _score(project, scores[-2], since) if "history" in fields and len(scores) > 1 else None
    inherent = Assessment(at=r.registered_at, as_of=r.inherent_as_of, points=r.inherent)
    first = _score(project, inherent, _past_of_risk(share, r, "inherent")) if "inherent" in fields else None
    client_score = _score(project, theirs[-1], None) if theirs else None
    return RiskCard(
        id=r.id,
        ref=details.ref,
        title=details.client_title,
        cause=details.cause if "cause" in fields else "",
        event=details.event if "cause" in fields else "",
        effect=details.effect if "effect" in fields else "",
        category=details.category if "category" in fields else "",
        status="closed" if r.closed else "active",
        score=None if banded else score,
        inherent=None if banded else first,
        previous=None if banded else before,
        band=_band(project, score),
        band_since=_band_since(project, r, set_since) if banded and score else None,
        inherent_band=_band(project, first) if banded else None,
        previous_band=_band(project, before) if banded else None,
        proximity=details.proximity if "proximity" in fields else "",
        response=details.response if "response" in fields else "",
        response_actions=details.response_actions if "response" in fields else "",
        owner=details.owner if "owner" in fields else "",
        client_score=client_score,
        client_band=_band(project, client_score),
        view_needed=r.view_needed_from(client) if "client_score" in fields else False,
    )


def _risk(
    project: Project,
    share: Share,
    r: Risk,
    comments: Iterable[Comment],
    given: Acknowledgement | None,
    called: Called,
) -> _ToldRisk:
    fields = share.terms.risk_fields
    since = _past_of_risk(share, r, "comments") if "comments" in fields else NEVER
    scored = _set(r.scored_at, _past_of_risk(share, r, "score")) if "score" in fields else None
    card = msgspec.structs.replace(
        _card(project, share, share.client, r),
        client_scored_by=_scored_by(share, r, called),
        remarks=remarks(comments, called, since, item=_past_of_risk(share, r, ITEM)),
        ack=ack(project, given, called, scored),
    )
    return _ToldRisk(card, scored)


def _scored_by(share: Share, r: Risk, called: Called) -> str:
    """Return the name of whoever gave the client's own score, "" where there is none or it is not shared."""
    theirs = r.client_scores.get(share.client, ()) if "client_score" in share.terms.risk_fields else ()
    return called(theirs[-1].by) if theirs else ""


def _past_of_risk(share: Share, r: Risk, *fields: str) -> datetime | None:
    return known_from(share, "risk", r.id, *fields, facing=r.facing_since)


def _score(project: Project, given: Assessment | ClientAssessment, since: datetime | None) -> Score:
    """Return a score, with the day since which it holds unless that lies before `since`."""
    at, as_of = given.at, given.as_of if isinstance(given, Assessment) else None
    on = project.civil(as_of or at) if after(earlier(at, as_of), since) else None
    return Score(given.points.probability, given.points.impact, given.points.score, on)


def _points_of(given: Assessment) -> Points:
    return given.points


def _band(project: Project, score: Score | None) -> RiskBand | None:
    return None if score is None else band(project.scale, score.value)


def _band_since(project: Project, r: Risk, since: datetime | None) -> date | None:
    """Return the day since which a risk is in its band, None where that lies before `since`."""
    first = settled(known(r.scores, since, dated), _points_of)[-1]
    return project.civil(first.since) if after(dated(first)[1], since) else None


def _scale(project: Project) -> Scale:
    s = project.scale
    return Scale(size=s.size, medium_from=s.medium_from, high_from=s.high_from)


def _risk_vital(project: Project, share: Share, cards: tuple[RiskCard, ...]) -> RiskVital | None:
    indicator = indicator_of(project, share, "risk")
    scored = [c for c in cards if c.band is not None and c.status == "active"]
    if not scored:
        return None if indicator is None else RiskVital(indicator=indicator)
    top = scored[0]
    return RiskVital(
        indicator=indicator,
        high=sum(c.band == "high" for c in scored),
        medium=sum(c.band == "medium" for c in scored),
        low=sum(c.band == "low" for c in scored),
        top=top.ref,
        top_score=top.score.value if top.score else None,
    )


# the rest


def _spent(share: Share) -> datetime | None:
    return known_from(share, "budget", share.terms.measure, ITEM)


def _as_of(
    project: Project, share: Share, moved: Iterable[datetime | None], scored: Iterable[datetime | None]
) -> date | None:
    """Return the last day on which a shared date, figure or score was set, as far as the client may know.

    `moved` and `scored`: when the dates and the scores that are shared were set.
    """
    terms, account = share.terms, project.budget.accounts.get(share.terms.measure)
    spent = terms.budget in ("percent", "amounts") and account is not None
    instants = (*moved, *scored, _set(account.changed_at, _spent(share)) if spent and account else None)
    newest = max(filter(None, instants), default=NEVER_CHANGED)
    return project.civil(newest) if newest > NEVER_CHANGED else None


def _scope(terms: Terms, version: int, rows: tuple[MilestoneRow, ...], cards: tuple[RiskCard, ...]) -> str:
    """Return the sentence in the footer: it names exactly the rows of the catalogue that the terms cover."""
    covered = [text for text in (_scope_of(item, terms, rows, cards) for item in get_args(Item)) if text]
    if not covered:
        return _("Share agreement version {version} covers nothing yet.", version=version)
    return _(
        "You are seeing what share agreement version {version} covers: {listed}. Nothing else is shared.",
        version=version,
        listed="; ".join(covered),
    )


def _scope_of(item: Item, terms: Terms, rows: tuple[MilestoneRow, ...], cards: tuple[RiskCard, ...]) -> str:
    """Return what is covered of one item: "two risks (scores, causes and events, scores as bands)"; "" for nothing."""
    covered = [row for row in terms.rows if row.item == item]
    named = [_(row.named) for row in covered]
    details = {row.detail for row in covered}
    if "date" in details and terms.date_unit != "day":
        named.append(_("dates by month") if terms.date_unit == "month" else _("dates by quarter"))
    if "score" in details and terms.score_detail == "band":
        named.append(_("scores as bands"))
    if "money" in details and terms.money_step:
        named.append(_("amounts rounded to {step}", step=whole(terms.money_step)))
    listed = ", ".join(named)
    match item:
        case "milestone" if terms.milestones:
            each = listed or _("titles alone")
            return counted("one milestone ({listed})", "{many} milestones ({listed})", len(rows), listed=each)
        case "risk" if terms.risks:
            each = listed or _("titles alone")
            return counted("one risk ({listed})", "{many} risks ({listed})", len(cards), listed=each)
        case "budget" if listed:
            return _("the budget ({listed})", listed=listed)
        case "health" if listed:
            return _("statuses ({listed})", listed=listed)
        case "project" if listed:
            return _("the project ({listed})", listed=listed)
        case _:
            return ""
