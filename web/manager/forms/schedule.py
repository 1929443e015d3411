"""The forms that change the schedule: one function for each command."""

from typing import get_args

from domain.language import N_
from domain.language import gettext as _
from domain.plan import schedule
from domain.plan.schedule import MilestoneDetails, MilestoneKind
from projections.wording import words
from projections.wording.values import KIND
from web.forms.fields import Field
from web.forms.form import Form
from web.manager.forms.asked import Ask, at_milestone, iso, plain, reason, slot, titled

SIDES = (("ours", N_("Us")), ("theirs", N_("The client")), ("joint", N_("Both")))


def _details(ask: Ask, d: MilestoneDetails) -> tuple[Field, ...]:
    kinds = tuple((kind, KIND[kind]) for kind in get_args(MilestoneKind))
    value = plain(d.value.amount) if d.value else ""
    return (
        Field(
            name="details.title",
            label=_("Internal title"),
            value=d.title,
            required=True,
            help=_("Clients never see it."),
        ),
        Field(name="details.client_title", label=_("Title for clients"), value=d.client_title),
        Field(
            name="details.client_facing",
            label=_("Client-facing"),
            kind="yes",
            value="yes" if d.client_facing else "",
            help=_("Agreements that share “all client-facing” milestones will show it."),
        ),
        Field(name="details.kind", label=_("Kind"), kind="choice", value=d.kind, options=kinds),
        Field(name="details.owner_side", label=_("Who has to act"), kind="choice", value=d.owner_side, options=SIDES),
        Field(name="details.location", label=_("Location"), value=d.location),
        Field(name="details.deadline", label=_("Contractual deadline"), kind="day", value=iso(d.deadline)),
        Field(
            name="details.value", label=_("Payment due with it"), kind="money", value=value, unit=ask.project.currency
        ),
        Field(
            name="details.needs_acceptance",
            label=_("Needs the client’s acceptance"),
            kind="yes",
            value="yes" if d.needs_acceptance else "",
        ),
        Field(name="details.client_action", label=_("What it waits for from the client"), value=d.client_action),
        Field(name="details.client_action_due", label=_("Due"), kind="day", value=iso(d.client_action_due)),
        Field(
            name="details.note",
            label=_("Internal note"),
            kind="text",
            value=d.note,
            help=_("No agreement can share it."),
        ),
    )


MORE = (
    "details.kind", "details.owner_side", "details.location", "details.deadline", "details.value",
    "details.needs_acceptance", "details.client_action", "details.client_action_due", "details.note",
)  # fmt: skip


def add(ask: Ask) -> Form:
    """Return the form for a new milestone."""
    first, *rest = _details(ask, MilestoneDetails(title=""))
    forecast = Field(name="forecast", label=_("Forecast"), kind="day", required=True)
    return Form(
        command=schedule.AddMilestone,
        title=_("Add a milestone"),
        button=_("Add milestone"),
        fields=(first, forecast, *rest),
        fixed={"project": ask.project.id, "milestone": ask.new_id},
        slot=slot("milestones"),
        fold=MORE,
    )


def describe(ask: Ask) -> Form:
    """Return the form for what describes a milestone."""
    m = ask.milestone()
    return Form(
        command=schedule.DescribeMilestone,
        title=titled(_("Describe"), m),
        button=_("Save"),
        fields=_details(ask, m.details),
        about=m.details,
        fold=MORE,
        **at_milestone(ask),
    )


def move(ask: Ask) -> Form:
    """Return the form for another forecast."""
    m = ask.milestone()
    agreed = ask.project.schedule.baseline_of(m.id)
    note = _("Agreed for {agreed}.", agreed=words.long_day(agreed)) if agreed else ""
    fields = (
        Field(name="forecast", label=_("New forecast"), kind="day", value=iso(m.forecast), required=True),
        reason(_("Clients whose agreement covers reasons read it.")),
        Field(name="earliest", label=_("Earliest"), kind="day", value=iso(m.earliest)),
        Field(name="latest", label=_("Latest"), kind="day", value=iso(m.latest)),
    )
    about = [m.moves[-1].forecast, m.earliest, m.latest, m.actual]
    return Form(
        command=schedule.MoveForecast,
        title=titled(_("Move the forecast of"), m),
        button=_("Move"),
        fields=fields,
        note=note,
        about=about,
        fold=("earliest", "latest"),
        **at_milestone(ask),
    )


def progress(ask: Ask) -> Form:
    """Return the form for physical percent complete."""
    m = ask.milestone()
    value = "" if m.percent is None else str(m.percent)
    fields = (
        Field(name="percent", label=_("Physical percent complete"), kind="whole", value=value, required=True, unit="%"),
    )
    return Form(
        command=schedule.ReportProgress,
        title=titled(_("Progress of"), m),
        button=_("Record"),
        fields=fields,
        about=[m.percent, m.actual],
        **at_milestone(ask),
    )


def meet(ask: Ask) -> Form:
    """Return the form for the day a milestone was met."""
    m = ask.milestone()
    fields = (Field(name="actual", label=_("Met on"), kind="day", value=iso(ask.today), required=True),)
    return Form(
        command=schedule.MeetMilestone,
        title=titled(_("Record as met:"), m),
        button=_("Met"),
        fields=fields,
        about=[m.actual],
        **at_milestone(ask),
    )


def reopen(ask: Ask) -> Form:
    """Return the form that takes back that a milestone was met."""
    return Form(
        command=schedule.ReopenMilestone,
        title=titled(_("Reopen"), ask.milestone()),
        button=_("Reopen"),
        fields=(reason(),),
        about=[ask.milestone().actual],
        **at_milestone(ask),
    )


def accept(ask: Ask) -> Form:
    """Return the form for the client's acceptance."""
    m = ask.milestone()
    fields = (
        Field(name="on", label=_("Accepted on"), kind="day", value=iso(ask.today), required=True),
        Field(name="by", label=_("Accepted by"), required=True, help=_("The person who said so.")),
    )
    return Form(
        command=schedule.AcceptMilestone,
        title=titled(_("Acceptance of"), m),
        button=_("Record"),
        fields=fields,
        about=[m.accepted_on, m.actual],
        **at_milestone(ask),
    )


def remove(ask: Ask) -> Form:
    """Return the form that takes a milestone off the plan."""
    note = _("It leaves the plan and every dashboard that shows it. The record of it stays.")
    return Form(
        command=schedule.RemoveMilestone,
        title=titled(_("Remove"), ask.milestone()),
        button=_("Remove"),
        fields=(reason(),),
        note=note,
        about=[ask.milestone().actual],
        **at_milestone(ask),
    )


def approve(ask: Ask) -> Form:
    """Return the form that makes the present forecasts the agreed plan."""
    number = len(ask.project.schedule.baselines) + 1
    dates = tuple(
        Field(
            name=f"dates.{m.id}",
            label=m.details.title,
            kind="day",
            help=_("forecast {forecast}", forecast=words.day_year(m.forecast)),
        )
        for m in sorted(ask.project.schedule.milestones.values(), key=lambda m: (m.expected, m.id))
        if m.actual is None
    )
    fields = (
        reason(_("Everybody who sees the plans reads it.")),
        Field(name="approver", label=_("Agreed by"), required=True),
        Field(name="on", label=_("Agreed on"), kind="day", value=iso(ask.today), required=True),
        *dates,
    )
    return Form(
        command=schedule.ApproveBaseline,
        title=_("Set agreed plan {number} (baseline)", number=number),
        button=_("Set agreed plan {number}", number=number),
        fields=fields,
        fixed={"project": ask.project.id},
        slot=slot("milestones"),
        note=_("Each milestone is agreed for its forecast; a date under More is agreed instead. Earlier plans stay."),
        about=number,
        fold=tuple(field.name for field in dates),
    )


def confirm(ask: Ask) -> Form:
    """Return the form that says the plan holds."""
    return Form(
        command=schedule.ConfirmPlan,
        title=_("Confirm that the dates still hold"),
        button=_("Confirm"),
        fields=(
            Field(name="data_date", label=_("As it stood on"), kind="day", value=iso(ask.today)),
            Field(name="note", label=_("Internal note"), kind="line"),
        ),
        fixed={"project": ask.project.id},
        slot=slot("milestones"),
        note=_("Nothing moves; clients who may see it read that somebody looked today."),
    )
