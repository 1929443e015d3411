"""What the costs of a plan would change: the cost measure alone, never the price. Pure."""

from datetime import date
from decimal import Decimal

from domain.language import gettext as _
from domain.money import Money
from domain.plan.budget import Account, ApproveBudget, ForecastCompletion, MeasureCost
from domain.plan.project import Project
from projections.wording import words
from web.importers.plan import Plan, PlannedCosts
from web.proposal.lines import Kind, ProposalLine


def costs(project: Project, plan: Plan, today: date, reason: str) -> tuple[list[ProposalLine], list[str]]:
    """Return the lines a plan's costs propose, and notes on what was left out."""
    found = plan.costs
    if found is None:
        return [], []
    if found.currency and found.currency != project.currency:
        return [], [
            _(
                "The file’s costs are in {currency}; this project keeps {project_currency}. They were left out.",
                currency=found.currency,
                project_currency=project.currency,
            )
        ]
    made = _Costs(project, found, today, reason)
    made.budget()
    made.figures()
    return made.lines, made.notes


class _Costs:
    def __init__(self, project: Project, found: PlannedCosts, today: date, reason: str) -> None:
        self.project, self.found, self.today, self.reason = project, found, today, reason
        self.account: Account | None = project.budget.accounts.get("cost")
        self.bac = self.account.bac if self.account else found.bac
        self.lines: list[ProposalLine] = []
        self.notes: list[str] = []

    def budget(self) -> None:
        """Propose the file's budget while there is none."""
        bac = self.found.bac
        if bac is None or bac <= 0:
            return
        if self.account is None:
            money = Money(bac, self.project.currency)
            command = ApproveBudget(project=self.project.id, measure="cost", amount=money, reason=self.reason)
            self.lines.append(self._line("budget", _("Approved budget, cost"), "", words.money(money), command))
        elif bac != self.account.bac:
            ours, theirs = self._money(self.account.bac), self._money(bac)
            told = _("The file’s budget is {theirs}, the approved one {ours}.", theirs=theirs, ours=ours)
            self.notes.append(_("{told} If a change was approved, approve it here.", told=told))

    def figures(self) -> None:
        """Propose the figures of the file's status date, and its forecast at completion."""
        found, day = self.found, self.found.status_date
        given = [value for value in (found.pv, found.ev, found.ac) if value is not None]
        if self.bac is None or not given or not any(given):
            return
        if day is None:
            self.notes.append(_("The file has no status date, so its cost figures say of no day. They were left out."))
            return
        if day > self.today:
            told = _("The status date of the file, {day}, lies after today", day=words.long_day(day))
            self.notes.append(_("{told}, so its cost figures were left out.", told=told))
            return
        self._measure(day)
        self._forecast(day)

    def _measure(self, day: date) -> None:
        found, last = self.found, self.account.measurements[-1] if self.account and self.account.measurements else None
        if last and day < last.status_date:
            self.notes.append(
                _(
                    "Costs were measured to {status_date} already, later than the file.",
                    status_date=words.long_day(last.status_date),
                )
            )
            return
        if found.ev is not None and self.bac is not None and found.ev > self.bac:
            self.notes.append(_("The file’s earned value is above the approved budget, so its figures were left out."))
            return
        if last and (last.status_date, last.pv, last.ev, last.ac) == (day, found.pv, found.ev, found.ac):
            return
        command = MeasureCost(
            project=self.project.id, measure="cost", status_date=day, pv=found.pv, ev=found.ev, ac=found.ac
        )
        shown = [
            (name, value) for name, value in (("PV", found.pv), ("EV", found.ev), ("AC", found.ac)) if value is not None
        ]
        after = ", ".join(f"{name} {self._money(value)}" for name, value in shown)
        was = _("to {status_date}", status_date=words.day_year(last.status_date)) if last else ""
        note = _("to {day}", day=words.day_year(day))
        self.lines.append(self._line("measured", _("Cost figures"), was, after, command, note))

    def _forecast(self, day: date) -> None:
        eac, last = self.found.eac, self.account.forecasts[-1] if self.account and self.account.forecasts else None
        spent = self.found.ac or Decimal(0)
        if eac is None or eac <= 0 or eac < spent or (last and (last.eac == eac or day < last.status_date)):
            return
        command = ForecastCompletion(
            project=self.project.id, measure="cost", status_date=day, eac=eac, reason=self.reason
        )
        was = self._money(last.eac) if last else ""
        self.lines.append(self._line("forecast", _("Forecast at completion"), was, self._money(eac), command))

    def _money(self, value: Decimal) -> str:
        return words.money(Money(value, self.project.currency))

    def _line(
        self,
        kind: Kind,
        title: str,
        before: str,
        after: str,
        command: ApproveBudget | MeasureCost | ForecastCompletion,
        note: str = "",
    ) -> ProposalLine:
        return ProposalLine(
            kind=kind, source_id="", title=title, before=before, after=after, note=note, commands=(command,)
        )
