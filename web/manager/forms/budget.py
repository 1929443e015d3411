"""The forms that change the budget: one function for each command."""

from decimal import Decimal

from domain.language import N_
from domain.language import gettext as _
from domain.message import Command
from domain.plan import budget
from domain.plan.budget import Account, Measure
from projections.wording import words
from web.forms.fields import Field
from web.forms.form import Form
from web.manager.forms.asked import Ask, iso, plain, reason, slot

MEASURES = (("cost", N_("Cost, internal")), ("price", N_("Price, to the client")))
NEVER_MIX = N_("Cost and price never mix: an agreement shares one of them.")


def measure_of(ask: Ask) -> Measure:
    """Return the measure the address names; cost unless it says price."""
    return "price" if ask.params.get("measure") == "price" else "cost"


def account_of(ask: Ask) -> Account | None:
    """Return the account of that measure."""
    return ask.project.budget.accounts.get(measure_of(ask))


def _measure(ask: Ask) -> Field:
    return Field(
        name="measure", label=_("Cost or price"), kind="choice", value=measure_of(ask), options=MEASURES, help=NEVER_MIX
    )


def _money(ask: Ask, label: str, help_text: str = "") -> Field:
    return Field(name="amount", label=label, kind="money", required=True, unit=ask.project.currency, help=help_text)


def approve(ask: Ask) -> Form:
    """Return the form for the approved budget."""
    fields = (
        _measure(ask),
        _money(ask, _("Approved budget"), _("Budget at completion, without management reserve.")),
        reason(required=False),
    )
    return _budget_form(ask, budget.ApproveBudget, _("Approve a budget"), _("Approve"), fields)


def change(ask: Ask) -> Form:
    """Return the form for an approved change of the budget."""
    fields = (
        _measure(ask),
        _money(ask, _("Change"), _("Added to the budget; a negative amount takes away.")),
        reason(),
        Field(name="approver", label=_("Approved by"), required=True),
    )
    return _budget_form(ask, budget.ApproveBudgetChange, _("Change the approved budget"), _("Approve change"), fields)


def plan(ask: Ask) -> Form:
    """Return the form for planned spend over time."""
    account = account_of(ask)
    points = "\n".join(f"{p.on.isoformat()} {plain(p.amount)}" for p in account.planned) if account else ""
    fields = (
        _measure(ask),
        Field(
            name="points",
            label=_("Planned spend"),
            kind="points",
            value=points,
            required=True,
            help=_("One line for each period end: the date, then the amount in all until then. 2027-03-31 1,200,000"),
        ),
    )
    return _budget_form(ask, budget.PlanSpend, _("Plan the spend"), _("Save plan"), fields)


def measure(ask: Ask) -> Form:
    """Return the form for planned value, earned value and actual cost at a status date."""
    account, unit = account_of(ask), ask.project.currency
    last = account.measurements[-1] if account and account.measurements else None
    until = _("Last recorded to {status_date}.", status_date=words.long_day(last.status_date)) if last else ""
    fields = (
        _measure(ask),
        Field(name="status_date", label=_("Status date"), kind="day", value=iso(ask.today), required=True, help=until),
        Field(
            name="ac", label=_("Actual cost, AC"), kind="amount", unit=unit, help=_last_value(last.ac if last else None)
        ),
        Field(
            name="ev",
            label=_("Earned value, EV"),
            kind="amount",
            unit=unit,
            help=_last_value(last.ev if last else None),
        ),
        Field(
            name="pv",
            label=_("Planned value, PV"),
            kind="amount",
            unit=unit,
            help=_("Left empty, it is read off the plan."),
        ),
    )
    return _budget_form(ask, budget.MeasureCost, _("Record spend"), _("Record"), fields)


def _last_value(value: Decimal | None) -> str:
    return "" if value is None else _("Last: {value}", value=plain(value))


def forecast(ask: Ask) -> Form:
    """Return the form for the forecast at completion."""
    account = account_of(ask)
    last = account.forecasts[-1] if account and account.forecasts else None
    value = plain(last.eac) if last else ""
    fields = (
        _measure(ask),
        Field(name="status_date", label=_("Status date"), kind="day", value=iso(ask.today), required=True),
        Field(
            name="eac",
            label=_("Forecast at completion, EAC"),
            kind="amount",
            unit=ask.project.currency,
            value=value,
            required=True,
        ),
        reason(required=False),
    )
    return _budget_form(ask, budget.ForecastCompletion, _("Forecast at completion"), _("Record"), fields)


def _budget_form(ask: Ask, command: type[Command], title: str, button: str, fields: tuple[Field, ...]) -> Form:
    account = account_of(ask)
    about = None if account is None else account.changed_at
    return Form(
        command=command,
        title=title,
        button=button,
        fields=fields,
        fixed={"project": ask.project.id},
        slot=slot("budget"),
        about=about,
    )
