"""What the costs of a plan would change in a project: the cost measure alone, never the price."""

from datetime import date
from decimal import Decimal

import msgspec

from domain.language import gettext as _
from domain.money import Money
from domain.plan.budget import Account, ApproveBudget, ForecastCompletion, Measure, MeasureCost, PlanSpend
from domain.plan.project import Project
from projections.wording import words
from web.importers.plan import Plan, PlannedCosts
from web.proposal.lines import Kind, ProposalLine


def costs(project: Project, plan: Plan, today: date, reason: str) -> tuple[list[ProposalLine], list[str]]:
    """Return the lines a plan's costs propose, and notes on what was left out."""
    if plan.costs is None:
        return [], []
    compared = ComparedCosts(project, plan.costs, today, reason)
    if not compared.foreign():
        compared.budget()
        compared.figures()
    return compared.told()


class ComparedCosts:
    """Compares costs with a project's account; lines and notes collect in it."""

    measure: Measure = "cost"

    def __init__(self, project: Project, planned: PlannedCosts, today: date, reason: str) -> None:
        self.project, self.planned, self.today, self.reason = project, planned, today, reason
        self.account: Account | None = project.budget.accounts.get(self.measure)
        self.bac = self.account.bac if self.account else planned.bac
        self.lines: list[ProposalLine] = []
        self.notes: list[str] = []

    def foreign(self) -> bool:
        """Tell whether the file's amounts are in another currency than the project's; a note says so."""
        planned, project = self.planned, self.project
        if not planned.currency or planned.currency == project.currency:
            return False
        told = _(
            "The file’s costs are in {currency}; this project keeps {project_currency}. They were left out.",
            currency=planned.currency,
            project_currency=project.currency,
        )
        self.notes.append(told)
        return True

    def told(self) -> tuple[list[ProposalLine], list[str]]:
        """Return the lines and notes; where the file names no currency, the lines are only offered."""
        if not self.lines or self.planned.currency:
            return self.lines, self.notes
        told = _(
            "The file does not say which currency its costs are in, so they are only offered: tick them if it is "
            "{currency}.",
            currency=self.project.currency,
        )
        return [msgspec.structs.replace(line, offered=True) for line in self.lines], [told, *self.notes]

    def budget(self) -> None:
        """Propose the file's budget while there is none."""
        bac = self.planned.bac
        if bac is None or bac <= 0:
            return
        if self.account is None:
            money = Money(bac, self.project.currency)
            command = ApproveBudget(project=self.project.id, measure=self.measure, amount=money, reason=self.reason)
            title = _("Approved budget, price") if self.measure == "price" else _("Approved budget, cost")
            self.propose("budget", title, ("", words.money(money)), command)
        elif bac != self.account.bac:
            ours, theirs = self.money(self.account.bac), self.money(bac)
            difference = _("The file’s budget is {theirs}, the approved one {ours}.", theirs=theirs, ours=ours)
            self.notes.append(_("{told} If a change was approved, approve it here.", told=difference))

    def figures(self) -> None:
        """Propose the figures of the file's status date, and its forecast at completion."""
        planned, day = self.planned, self.planned.status_date
        given = [value for value in (planned.pv, planned.ev, planned.ac) if value]
        if not given and not planned.eac:
            return
        if self.bac is None:
            told = _("The file has costs and no budget, and none is approved here.")
            self.notes.append(_("{told} They were left out: approve a budget first.", told=told))
            return
        if day is None:
            self.notes.append(_("The file has no status date, so its cost figures say of no day. They were left out."))
            return
        if day > self.today:
            sentence = _("The status date of the file, {day}, lies after today", day=words.long_day(day))
            self.notes.append(_("{told}, so its cost figures were left out.", told=sentence))
            return
        if given:
            self.measured(planned, day)
        self._forecast(day)

    def measured(self, planned: PlannedCosts, day: date, *, offered: bool = False) -> None:
        """Propose the figures of a status date."""
        last = self.account.measurements[-1] if self.account and self.account.measurements else None
        if last and day < last.status_date:
            self.notes.append(
                _(
                    "Costs were measured to {status_date} already, later than the file.",
                    status_date=words.long_day(last.status_date),
                )
            )
            return
        if planned.ev is not None and self.bac is not None and planned.ev > self.bac:
            self.notes.append(_("The file’s earned value is above the approved budget, so its figures were left out."))
            return
        if last and (last.status_date, last.pv, last.ev, last.ac) == (day, planned.pv, planned.ev, planned.ac):
            return
        command = MeasureCost(
            project=self.project.id, measure=self.measure, status_date=day, pv=planned.pv, ev=planned.ev, ac=planned.ac
        )
        shown = [
            (name, value)
            for name, value in (("PV", planned.pv), ("EV", planned.ev), ("AC", planned.ac))
            if value is not None
        ]
        after = ", ".join(f"{name} {self.money(value)}" for name, value in shown)
        was = _("to {status_date}", status_date=words.day_year(last.status_date)) if last else ""
        note = _("to {day}", day=words.day_year(day))
        title = _("Figures of the price") if self.measure == "price" else _("Cost figures")
        self.propose("measured", title, (was, after), command, note=note, offered=offered)

    def _forecast(self, day: date) -> None:
        last = self.account.forecasts[-1] if self.account and self.account.forecasts else None
        eac, spent = self.planned.eac, self.planned.ac or Decimal(0)
        if not eac or (last and (last.eac == eac or day < last.status_date)):
            return
        if eac < spent:
            told = _("The file’s forecast at completion, {eac}, is below what it says is spent.", eac=self.money(eac))
            self.notes.append(_("{told} It was left out.", told=told))
            return
        command = ForecastCompletion(
            project=self.project.id, measure=self.measure, status_date=day, eac=eac, reason=self.reason
        )
        was = self.money(last.eac) if last else ""
        self.propose("forecast", _("Forecast at completion"), (was, self.money(eac)), command)

    def money(self, value: Decimal) -> str:
        """Return an amount as people read it."""
        return words.money(Money(value, self.project.currency))

    def propose(
        self,
        kind: Kind,
        title: str,
        change: tuple[str, str],
        command: ApproveBudget | MeasureCost | ForecastCompletion | PlanSpend,
        *,
        note: str = "",
        offered: bool = False,
    ) -> None:
        """Add a line; `change` is before and after in words."""
        before, after = change
        self.lines.append(
            ProposalLine(
                kind=kind,
                source_id="",
                title=title,
                before=before,
                after=after,
                note=note,
                commands=(command,),
                offered=offered,
            )
        )
