"""reveal(project, terms) -> ClientView: THE ONLY DOOR TO A CLIENT. An allow-list, field by field.

Rule: a value reaches the view only under an `if` on the terms that name it. Whatever is counted, ordered, dated or
judged here is counted, ordered, dated and judged from shared values alone, except the health indicators, which are
measures of the whole project that the terms share knowingly. No id, version, position or clock of ours is used.
"""

from datetime import date, datetime

import msgspec

from domain.agreement import Share, Terms
from domain.calendar import calendar_days, working_days
from domain.headline import count, headline
from domain.ids import ClientId
from domain.policy_measures import budget_of, indicator_of
from domain.project import Project
from domain.risks import Points, Risk, band
from domain.schedule import Milestone
from domain.view import (
    Baseline,
    ClientView,
    ForecastPoint,
    MilestoneRow,
    MilestoneState,
    RiskCard,
    RiskVital,
    Scale,
    ScheduleVital,
    Score,
    Slip,
)


def reveal(project: Project, share: Share, *, organisation: str, client: str, time_zone: str) -> ClientView:
    """Return all that `client` may know of `project` under the terms in force of `share`.

    `organisation` and `client` are the names shown; `time_zone` is the IANA zone instants are shown in.
    """
    terms = share.terms
    milestones = _milestones(project, terms)
    risks = _risks(project, terms, share.client)
    schedule = _schedule(project, terms, milestones)
    budget = budget_of(project, terms)
    phase = project.phase if "phase" in terms.project_fields else None
    return ClientView(
        organisation=organisation,
        client=client,
        project=project.client_title,
        time_zone=time_zone,
        terms_version=share.version,
        scope=_scope(terms, share.version, milestones, risks),
        headline=headline(schedule, budget, milestones, risks, phase),
        phase=phase,
        as_of=_as_of(project, terms),
        overall=indicator_of(project, terms, "overall"),
        schedule=schedule,
        budget=budget,
        risk=_risk_vital(project, terms, risks),
        milestones_shared=bool(terms.milestones),
        risks_shared=bool(terms.risks),
        milestones=milestones,
        baselines=_baselines(project, terms),
        risks=risks,
        scale=_scale(project) if terms.risks and "score" in terms.risk_fields else None,
        confirmed_at=project.schedule.confirmed_at if "confirmed" in terms.project_fields else None,
    )


# milestones


def _selected(project: Project, terms: Terms) -> list[Milestone]:
    every = project.schedule.milestones.values()
    if terms.milestones == "all":
        return [m for m in every if m.details.client_facing]
    return [m for m in every if m.id in terms.milestones and m.details.client_title]


def _milestones(project: Project, terms: Terms) -> tuple[MilestoneRow, ...]:
    selected = _selected(project, terms)
    rows = [_row(project, terms, m) for m in selected]
    rows.sort(key=lambda row: (row.baseline or row.forecast or row.actual or date.max, row.title, row.id))
    if rows and (rows[-1].baseline or rows[-1].forecast):
        rows[-1] = msgspec.structs.replace(rows[-1], final=True)
    return tuple(rows)


def _row(project: Project, terms: Terms, m: Milestone) -> MilestoneRow:
    fields, details = terms.milestone_fields, m.details
    baseline = project.schedule.baseline_of(m.id)
    moved = len(m.moves) > 1
    return MilestoneRow(
        id=m.id,
        title=details.client_title,
        kind=details.kind if "kind" in fields else "",
        owner_side=details.owner_side if "owner_side" in fields else "",
        original_baseline=project.schedule.original_of(m.id) if "baseline" in fields else None,
        baseline=baseline if "baseline" in fields else None,
        forecast=m.forecast if "forecast" in fields else None,
        earliest=m.earliest if "range" in fields else None,
        latest=m.latest if "range" in fields else None,
        actual=m.actual if "actual" in fields else None,
        deadline=details.deadline if "deadline" in fields else None,
        status=_status(project, m, baseline, _shown(m, terms)) if "status" in fields else None,
        slip=_slip(project, m, _shown(m, terms)) if "slip" in fields else None,
        reason=m.moves[-1].reason if "reason" in fields and moved else "",
        progress=m.percent if "progress" in fields else None,
        value=details.value if "value" in fields else None,
        needs_acceptance=details.needs_acceptance if "acceptance" in fields else None,
        accepted_on=m.accepted_on if "acceptance" in fields else None,
        client_action=details.client_action if "client_action" in fields else "",
        client_action_due=details.client_action_due if "client_action" in fields else None,
        confirmed_at=project.schedule.confirmed_at if "confirmed" in fields else None,
        trend=_trend(project, m) if {"trend", "forecast"} <= set(fields) else (),
    )


def _shown(m: Milestone, terms: Terms) -> date:
    return m.actual if m.actual and "actual" in terms.milestone_fields else m.forecast


def _slip(project: Project, m: Milestone, shown: date) -> Slip | None:
    baseline, original = project.schedule.baseline_of(m.id), project.schedule.original_of(m.id)
    if baseline is None:
        return None
    return Slip(
        since_original=None if original is None else calendar_days(original, shown),
        since_current=calendar_days(baseline, shown),
        working=working_days(project.calendar, baseline, shown),
    )


def _status(project: Project, m: Milestone, baseline: date | None, shown: date) -> MilestoneState:
    if m.actual is not None:
        return "met"
    if baseline is None:
        return "planned"
    slip, t = calendar_days(baseline, shown), project.tolerances
    return "off_track" if slip > t.slip_off_track else "at_risk" if slip > t.slip_at_risk else "on_track"


def _trend(project: Project, m: Milestone) -> tuple[ForecastPoint, ...]:
    points = {project.civil(move.at): move.forecast for move in m.moves}
    return tuple(ForecastPoint(on, forecast) for on, forecast in sorted(points.items()))


def _schedule(project: Project, terms: Terms, rows: tuple[MilestoneRow, ...]) -> ScheduleVital | None:
    indicator = indicator_of(project, terms, "schedule")
    final = next((row for row in rows if row.final), None)
    if final is None or final.slip is None:
        return None if indicator is None else ScheduleVital(indicator=indicator)
    before = _before(terms, final)
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


def _baselines(project: Project, terms: Terms) -> tuple[Baseline, ...]:
    if "baselines" not in terms.project_fields:
        return ()
    return tuple(Baseline(number=b.number, approved_on=b.on, reason=b.reason) for b in project.schedule.baselines)


# risks


def _selected_risks(project: Project, terms: Terms) -> list[Risk]:
    every = project.risks.risks.values()
    if terms.risks == "all":
        return [r for r in every if r.details.client_facing]
    return [r for r in every if r.id in terms.risks and r.details.client_title]


def _risks(project: Project, terms: Terms, client: ClientId) -> tuple[RiskCard, ...]:
    cards = [_card(project, terms, client, r) for r in _selected_risks(project, terms)]
    cards.sort(key=lambda c: (c.status == "closed", -(c.score.value if c.score else 0), c.ref, c.id))
    return tuple(cards)


def _card(project: Project, terms: Terms, client: ClientId, r: Risk) -> RiskCard:
    fields, details = terms.risk_fields, r.details
    theirs = r.client_scores.get(client, ()) if "client_score" in fields else ()
    ours = r.scores[-1]
    score = _score(project, ours.points, ours.at) if "score" in fields else None
    client_score = _score(project, theirs[-1].points, theirs[-1].at) if theirs else None
    return RiskCard(
        id=r.id,
        ref=details.ref,
        title=details.client_title,
        cause=details.cause if "cause" in fields else "",
        event=details.event if "cause" in fields else "",
        effect=details.effect if "effect" in fields else "",
        category=details.category if "category" in fields else "",
        status="closed" if r.closed else "active",
        score=score,
        inherent=_score(project, r.inherent, r.registered_at) if "inherent" in fields else None,
        previous=_score(project, r.scores[-2].points, r.scores[-2].at)
        if "history" in fields and len(r.scores) > 1
        else None,
        band=band(project.scale, score.value) if score else None,
        proximity=details.proximity if "proximity" in fields else "",
        response=details.response if "response" in fields else "",
        response_actions=details.response_actions if "response" in fields else "",
        owner=details.owner if "owner" in fields else "",
        client_score=client_score,
        client_band=band(project.scale, client_score.value) if client_score else None,
        view_needed=r.view_needed_from(client) if "client_score" in fields else False,
    )


def _score(project: Project, points: Points, at: datetime) -> Score:
    return Score(points.probability, points.impact, points.score, project.civil(at))


def _scale(project: Project) -> Scale:
    s = project.scale
    return Scale(size=s.size, medium_from=s.medium_from, high_from=s.high_from)


def _risk_vital(project: Project, terms: Terms, cards: tuple[RiskCard, ...]) -> RiskVital | None:
    indicator = indicator_of(project, terms, "risk")
    scored = [c for c in cards if c.score is not None and c.status == "active"]
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


def _as_of(project: Project, terms: Terms) -> date | None:
    """The last day on which one of the shared dates, figures or scores was set."""
    found: list[datetime] = []
    if "forecast" in terms.milestone_fields:
        found += [m.moves[-1].at for m in _selected(project, terms)]
    account = project.budget.accounts.get(terms.measure)
    if terms.budget in ("percent", "amounts") and account is not None:
        found.append(account.changed_at)
    if "score" in terms.risk_fields:
        found += [r.scores[-1].at for r in _selected_risks(project, terms)]
    return project.civil(max(found)) if found else None


def _scope(terms: Terms, version: int, rows: tuple[MilestoneRow, ...], cards: tuple[RiskCard, ...]) -> str:
    covered = []
    if terms.milestones:
        covered.append(count(len(rows), "milestone"))
    match terms.budget:
        case "amounts":
            covered.append("budget totals")
        case "percent":
            covered.append("the budget in percent")
        case "rag":
            covered.append("the status of the budget")
        case "nothing":
            pass
    if terms.risks:
        covered.append(count(len(cards), "risk"))
    if not covered:
        return f"Share agreement version {version} covers no milestones, no budget and no risks."
    listed = covered[0] if len(covered) == 1 else ", ".join(covered[:-1]) + " and " + covered[-1]
    return f"You are seeing what share agreement version {version} covers: {listed}. Nothing else is shared."
