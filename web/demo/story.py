"""The demo's story: a year of changes on a virtual clock, then single changes, all recorded by the write side."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from domain.agreement import share as agreement_share
from domain.agreement.answers import Screen
from domain.commands import AnyCommand
from domain.ids import CommandId, MilestoneId, PersonId, RiskId
from domain.money import Money
from domain.people import clients
from domain.people.brand import NameOrganisation, SetBrand
from domain.people.person import InvitePerson
from domain.plan import budget, health, project, risks, schedule
from domain.plan.calendar import Calendar
from domain.plan.project import ChangeTogether, PlainCommand, Project
from projections.events.world import World
from web.demo import answers
from web.demo import cast as plan
from web.demo.cast import PlannedProject
from web.demo.reviews import Reviews
from web.ids import new_id
from web.write.permission import OPERATOR, SYSTEM, Actor
from web.write.service import Service

MANAGER = Actor(PersonId("marta"), "manager")
YEAR = timedelta(days=365)
ANSWERED, ASKED = 340, 362  # days on which Acme Rail rates a risk, and is asked about one
DRESSED = 351  # day on which the organisation gives itself a look of its own
REPLAN = 250  # day of the plan on which the Harbour Line is agreed anew


class Story:
    """Makes up changes that fit the present state of the projects; the same seed gives the same story."""

    def __init__(
        self,
        service: Service,
        world: Callable[[], World],
        seed: int,
        screen: Callable[[str], Screen] = lambda _share: Screen(),
        look: SetBrand | None = None,
    ) -> None:
        self._service, self._world, self._screen, self._look = service, world, screen, look
        self._random = random.Random(seed)  # noqa: S311  # a story, not a secret
        self.reviews = Reviews(self.tell, world, seed)

    def tell(self, actor: Actor, command: AnyCommand) -> None:
        """Record one command."""
        self._service.execute(actor, command, command_id=CommandId(new_id(24)))

    # the year before now

    def year(self, until: datetime) -> Iterator[datetime]:
        """Record a year that ends at `until` (UTC); yields each instant before it, so that a clock can be set."""
        start = until - YEAR
        yield start
        self._open()
        for planned in plan.PROJECTS:
            yield start + timedelta(minutes=self._random.randrange(10, 300))
            self._start(planned, start)
        yield start + timedelta(hours=6)
        self._agree()
        yield from self._days(start, until)

    def _open(self) -> None:
        self.tell(OPERATOR, NameOrganisation(name=plan.ORGANISATION))
        for key, name in plan.CLIENTS:
            self.tell(OPERATOR, clients.RegisterClient(client=key, name=name, time_zone="Europe/London"))
        for person, name, role, client in (*plan.PEOPLE, *plan.COLLEAGUES):
            mail = f"{person}@example.com"
            self.tell(OPERATOR, InvitePerson(person=person, name=name, email=mail, role=role, client=client))

    def _start(self, planned: PlannedProject, start: datetime) -> None:
        self.tell(
            MANAGER,
            project.StartProject(
                project=planned.id,
                title=planned.title,
                client_title=planned.client_title,
                owner=MANAGER.person,
                currency=planned.currency,
                time_zone="Europe/London",
                calendar=Calendar(holidays=_holidays(start), region="GB-ENG"),
            ),
        )
        first = start.date()
        parts: list[PlainCommand] = [
            schedule.AddMilestone(
                project=planned.id,
                milestone=MilestoneId(step.key),
                details=schedule.MilestoneDetails(
                    title=step.title, client_title=step.client_title, client_facing=bool(step.client_title)
                ),
                forecast=first + timedelta(days=step.day),
                source_id=step.key,
            )
            for step in planned.steps
        ]
        parts += [*self._money(planned, first), *(_risk(planned, risk) for risk in planned.risks)]
        self.tell(MANAGER, ChangeTogether(project=planned.id, commands=tuple(parts)))
        self._baseline(planned, first, "Plan of record agreed with the contract")

    def _money(self, planned: PlannedProject, first: date) -> Iterator[PlainCommand]:
        measures: tuple[tuple[budget.Measure, int], ...] = (("cost", planned.cost), ("price", planned.price))
        for measure, total in measures:
            amount = Money(Decimal(total), planned.currency)
            yield budget.ApproveBudget(project=planned.id, measure=measure, amount=amount, reason="Contract")
            days = [*range(30, planned.days, 30), planned.days]
            points = tuple(
                budget.PlannedPoint(first + timedelta(days=d), _whole(plan.planned_share(d, planned.days) * total))
                for d in days
            )
            yield budget.PlanSpend(project=planned.id, measure=measure, points=points)

    def _baseline(self, planned: PlannedProject, on: date, reason: str) -> None:
        command = schedule.ApproveBaseline(project=planned.id, reason=reason, approver="Steering group", on=on)
        self.tell(MANAGER, command)

    def _agree(self) -> None:
        for share, project_id, client, terms in plan.SHARES:
            self.tell(MANAGER, agreement_share.DraftShare(share=share, project=project_id, client=client, terms=terms))
            self.tell(MANAGER, agreement_share.ActivateTerms(share=share, reason="Agreed at project start"))

    def _days(self, start: datetime, until: datetime) -> Iterator[datetime]:
        day, last = 1, start
        while (at := self._working_hour(start, day)) < until:
            for planned in plan.PROJECTS:
                if day % 30 == 0:
                    yield at
                    self._measure(self._project(planned), planned, day, at.date())
                if planned is plan.HARBOUR and day == REPLAN:
                    yield at
                    self._baseline(planned, at.date(), "Scope of the depot widened at the client's request")
                for milestone in self._reached(planned, at.date()):
                    yield at
                    self.tell(MANAGER, milestone)
            if day == DRESSED and self._look is not None:
                yield at
                self.tell(OPERATOR, self._look)
            if day in (ANSWERED, ASKED):
                yield at
                self._with_acme(day)
            if day in answers.DAYS:
                yield at
                for by, command in answers.said_on(day, self._screen(plan.LINE)):
                    self.tell(MANAGER if by == MANAGER.person else Actor(by, "viewer", (plan.ACME,)), command)
            if self._random.random() < 0.55:
                yield at
                self.change(at)
            last = at
            for last in self.reviews.day(day, at, plan.SHARES[0][3], until):
                yield last
            day += 1
        yield from self.reviews.waiting(last, until)

    def _with_acme(self, day: int) -> None:
        """Record that Acme Rail rates a risk, or is asked about one."""
        key = RiskId("slots8n3" if day == ANSWERED else "posse4q1")
        self.tell(MANAGER, risks.AskClientView(project=plan.HARBOUR.id, risk=key, client=plan.ACME))
        if day == ANSWERED:
            points, by = risks.Points(4, 3), PersonId("anna")
            view = risks.ScoreAsClient(
                project=plan.HARBOUR.id, risk=key, client=plan.ACME, points=points, by=by, share=plan.LINE,
                screen=self._screen(plan.LINE),
            )  # fmt: skip
            self.tell(Actor(by, "viewer", (plan.ACME,)), view)

    def _working_hour(self, start: datetime, day: int) -> datetime:
        midnight = (start + timedelta(days=day)).replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + timedelta(hours=8, seconds=self._random.randrange(9 * 3600))

    def _project(self, planned: PlannedProject) -> Project:
        return self._world().projects[planned.id]

    def _reached(self, planned: PlannedProject, today: date) -> list[AnyCommand]:
        milestones = self._project(planned).schedule.milestones.values()
        due = [m for m in milestones if m.actual is None and m.forecast <= today]
        return [schedule.MeetMilestone(project=planned.id, milestone=m.id, actual=m.forecast) for m in due]

    def _measure(self, state: Project, planned: PlannedProject, day: int, on: date) -> None:
        drift = Decimal(self._random.randrange(96, 104)) / 100
        totals: tuple[tuple[budget.Measure, int], ...] = (("cost", planned.cost), ("price", planned.price))
        for measure, total in totals:
            pv = plan.planned_share(day, planned.days) * total
            account = state.budget.accounts[measure]
            spent = account.measurements[-1].ac if account.measurements else None
            earned = account.measurements[-1].ev if account.measurements else None
            self.tell(
                MANAGER,
                budget.MeasureCost(
                    project=planned.id,
                    measure=measure,
                    status_date=on,
                    ev=max(earned or Decimal(0), min(account.bac, _whole(pv * drift * Decimal("0.985")))),
                    ac=max(spent or Decimal(0), _whole(pv * drift)),
                ),
            )
            reason = "Monthly review"
            eac = _whole(Decimal(total) * (Decimal("0.97") + drift / 50))
            self.tell(
                MANAGER,
                budget.ForecastCompletion(project=planned.id, measure=measure, status_date=on, eac=eac, reason=reason),
            )

    # one change

    def change(self, now: datetime) -> None:
        """Record one plausible change at `now` (UTC)."""
        planned = self._random.choices(plan.PROJECTS, weights=(5, 3, 3))[0]
        state = self._project(planned)
        kinds = (self._slip, self._score, self._note, self._hidden, self._progress, self._confirm, self._spend)
        kind = self._random.choices(kinds, weights=(9, 6, 2, 3, 3, 1, 3))[0]
        command = kind(state, now)
        if command is not None:
            self.tell(MANAGER, command)

    def _slip(self, state: Project, now: datetime) -> AnyCommand | None:
        """Move a milestone, and sometimes the last one with it."""
        today = state.civil(now)
        ahead = [m for m in state.schedule.milestones.values() if m.details.client_facing and not m.actual]
        ahead = sorted((m for m in ahead if m.forecast > today + timedelta(days=7)), key=lambda m: m.forecast)
        if not ahead:
            return None
        chosen = self._random.choice(ahead)
        slip = state.schedule.slip_of(chosen.id) or 0
        days = (
            -self._random.randrange(1, 5) if slip > 16 or self._random.random() < 0.3 else self._random.randrange(1, 6)
        )
        reason = self._random.choice(plan.LATER[:-1] if days > 0 else plan.EARLIER)
        moves: list[PlainCommand] = [_move(state, chosen, days, reason)]
        last = ahead[-1]
        if last.id != chosen.id and self._random.random() < 0.4 and abs(state.schedule.slip_of(last.id) or 0) < 18:
            moves.append(
                _move(state, last, (days + 1) // 2 if days > 0 else days // 2, f"Follows from {_name(chosen)}")
            )
        return ChangeTogether(project=state.id, commands=tuple(moves))

    def _score(self, state: Project, _now: datetime) -> AnyCommand | None:
        active = [r for r in state.risks.risks.values() if not r.closed]
        risk = self._random.choice(active)
        step = self._random.choice((-1, 1))
        probability = max(1, min(state.scale.size, risk.residual.probability + step))
        points = risks.Points(probability, risk.residual.impact)
        if points == risk.residual or points.score > risk.inherent.score:
            return risks.TakeRiskNote(project=state.id, risk=risk.id, note=self._random.choice(plan.NOTES))
        reason = self._random.choice(plan.SCORES)
        return risks.ScoreRisk(project=state.id, risk=risk.id, residual=points, reason=reason)

    def _note(self, state: Project, _now: datetime) -> AnyCommand | None:
        """Take an internal note on a risk."""
        risk = self._random.choice(list(state.risks.risks.values()))
        return risks.TakeRiskNote(project=state.id, risk=risk.id, note=self._random.choice(plan.NOTES))

    def _hidden(self, state: Project, now: datetime) -> AnyCommand | None:
        """Move a milestone nobody shares."""
        today = state.civil(now)
        hidden = [m for m in state.schedule.milestones.values() if not m.details.client_facing and not m.actual]
        hidden = [m for m in hidden if m.forecast > today + timedelta(days=7)]
        if not hidden:
            return None
        return _move(state, self._random.choice(hidden), self._random.choice((-3, 2, 5)), "Internal replanning")

    def _progress(self, state: Project, now: datetime) -> AnyCommand | None:
        ahead = [m for m in state.schedule.milestones.values() if not m.actual and m.forecast > state.civil(now)]
        if not ahead:
            return None
        chosen = min(ahead, key=lambda m: m.forecast)
        percent = min(95, (chosen.percent or 0) + self._random.randrange(2, 9))
        return schedule.ReportProgress(project=state.id, milestone=chosen.id, percent=percent)

    def _confirm(self, state: Project, _now: datetime) -> AnyCommand | None:
        return schedule.ConfirmPlan(project=state.id)

    def _spend(self, state: Project, now: datetime) -> AnyCommand | None:
        """Record what was spent since the last status date."""
        measure: budget.Measure = self._random.choice(("cost", "price"))
        account = state.budget.accounts[measure]
        if not account.measurements:
            return None
        last = account.measurements[-1]
        more = _whole(account.bac * Decimal(self._random.randrange(3, 25)) / 10_000)
        spent, earned = (last.ac or Decimal(0)) + more, min(account.bac, (last.ev or Decimal(0)) + more)
        if account.forecasts and spent > account.forecasts[-1].eac:
            return None
        return budget.MeasureCost(project=state.id, measure=measure, status_date=state.civil(now), ev=earned, ac=spent)

    def lapse(self, now: datetime) -> None:
        """Meet the milestones whose forecast is due, and end overrides whose time is up."""
        for planned in plan.PROJECTS:
            for command in self._reached(planned, self._project(planned).civil(now)):
                self.tell(MANAGER, command)
            if any(o.until <= now for o in self._project(planned).health.overrides.values()):
                self.tell(SYSTEM, health.LapseOverrides(project=planned.id))


def _move(state: Project, milestone: schedule.Milestone, days: int, reason: str) -> schedule.MoveForecast:
    forecast = milestone.forecast + timedelta(days=days)
    return schedule.MoveForecast(project=state.id, milestone=milestone.id, forecast=forecast, reason=reason)


def _name(milestone: schedule.Milestone) -> str:
    return milestone.details.client_title


def _risk(planned: PlannedProject, risk: plan.PlannedRisk) -> PlainCommand:
    residual = risks.Points(risk.probability, risk.impact)
    inherent = risks.Points(min(5, risk.probability + 2), min(5, risk.impact + 1))
    details = risks.RiskDetails(
        ref=risk.ref,
        title=risk.title,
        client_title=risk.title if risk.shared else "",
        client_facing=risk.shared,
        cause=risk.cause,
        effect=risk.effect,
        response_actions=risk.actions,
        owner=risk.owner,
    )
    return risks.RaiseRisk(
        project=planned.id, risk=RiskId(risk.key), details=details, inherent=inherent, residual=residual
    )


def _whole(value: Decimal) -> Decimal:
    return value.quantize(Decimal(1))


def _holidays(start: datetime) -> tuple[date, ...]:
    import holidays

    years = range(start.astimezone(UTC).year, start.year + 4)
    return tuple(sorted(holidays.country_holidays("GB", subdiv="ENG", years=years)))
