"""The forms that change a project itself and its health: one function for each command."""

from datetime import timedelta
from typing import get_args

import msgspec

from domain.errors import Unknown
from domain.language import N_, Said
from domain.language import gettext as _
from domain.plan import health, project
from domain.plan.neighbours import dates_of
from domain.view import Dimension, Rag
from web.forms.fields import Field
from web.forms.form import Form
from web.manager.forms import regions
from web.manager.forms.asked import Ask, Place, at_project, iso, plain, reason, slot

DAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
RAGS: dict[Rag, str] = Said({"on_track": N_("On track"), "at_risk": N_("At risk"), "off_track": N_("Off track")})
T = "tolerances."  # what the names of their fields begin with


def describe(ask: Ask) -> Form:
    """Return the form for titles and owner."""
    p = ask.project
    choices = ask.owners
    if p.owner not in dict(choices):
        choices = ((p.owner, p.owner), *choices)
    fields = (
        Field(name="title", label=_("Internal title"), value=p.title, required=True, help=_("Never shown to clients.")),
        Field(name="client_title", label=_("Title for clients"), value=p.client_title, required=True),
        Field(name="owner", label=_("Owner"), kind="choice", value=p.owner, options=choices),
    )
    about = [p.title, p.client_title, p.owner]
    return Form(
        command=project.DescribeProject,
        title=_("Describe the project"),
        button=_("Save"),
        fields=fields,
        about=about,
        **at_project(ask),
    )


def calendar(ask: Ask) -> Form:
    """Return the form for the working calendar; `fill` in the address names a region whose holidays to fill in."""
    c, region = ask.project.calendar, regions.code(ask.params.get("fill", ""))
    oldest = min(dates_of(ask.project, ask.today))
    days = regions.filled(c, region, ask.today, oldest) if region else c.holidays
    whose = msgspec.structs.replace(c, region=region, holidays=days) if region else c
    fields = (
        Field(
            name="calendar.weekdays",
            label=_("Working days"),
            kind="weekdays",
            value=" ".join(map(str, c.weekdays)),
            options=tuple((str(i), name) for i, name in enumerate(DAYS)),
        ),
        Field(
            name="calendar.holidays",
            label=_("Days nobody works"),
            kind="days",
            value="\n".join(map(iso, days)),
            help=_("Public holidays and others, one date a line."),
        ),
        Field(
            name="calendar.region",
            label=_("Region of the holidays"),
            value=region or c.region,
            slim=True,
            help=_("Such as GB-ENG, DE-BY or FR; empty when typed by hand."),
        ),
    )
    note = _("Slips in working days are counted by this calendar. It has {held}.", held=regions.held(whose))
    return Form(
        command=project.SetCalendar,
        title=_("Working calendar"),
        button=_("Save calendar"),
        fields=fields,
        note=note,
        offers=tuple(
            (_("Fill in {region}", region=regions.name(code)), f"fill={code}") for code in _offered(whose.region)
        ),
        about=c,
        **at_project(ask),
    )


def _offered(region: str) -> tuple[str, ...]:
    """Return the regions to fill in with one press: the parts of the country, or the region itself."""
    country = regions.code(region).partition("-")[0]
    found = tuple(regions.parts(country))
    return found if 0 < len(found) <= regions.NAMED else (region,) if region else ()


def correct(ask: Ask) -> Form:
    """Return the form for currency and time zone."""
    p = ask.project
    fields = (
        Field(name="currency", label=_("Currency"), value=p.currency, required=True, slim=True),
        Field(name="time_zone", label=_("Time zone"), value=p.time_zone, required=True),
    )
    return Form(
        command=project.CorrectProject,
        title=_("Currency and time zone"),
        button=_("Save"),
        fields=fields,
        note=_("The currency can be put right until there is an amount, the time zone until there is a date."),
        about=[p.currency, p.time_zone],
        **at_project(ask),
    )


def tolerances(ask: Ask) -> Form:
    """Return the form for the thresholds of the published rule."""
    t = ask.project.tolerances
    fields = (
        Field(
            name=T + "slip_at_risk",
            label=_("Slip: at risk above"),
            kind="whole",
            value=str(t.slip_at_risk),
            unit="days",
        ),
        Field(
            name=T + "slip_off_track",
            label=_("off track above"),
            kind="whole",
            value=str(t.slip_off_track),
            unit="days",
        ),
        Field(name=T + "slip_margin", label=_("better again by"), kind="whole", value=str(t.slip_margin), unit="days"),
        Field(
            name=T + "cost_at_risk",
            label=_("Cost: at risk above"),
            kind="amount",
            value=plain(t.cost_at_risk),
            most=health.MOST,
            unit="%",
        ),
        Field(
            name=T + "cost_off_track",
            label=_("off track above"),
            kind="amount",
            value=plain(t.cost_off_track),
            most=health.MOST,
            unit="%",
        ),
        Field(
            name=T + "cost_margin",
            label=_("better again by"),
            kind="amount",
            value=plain(t.cost_margin),
            most=health.MOST,
            unit="%",
        ),
        Field(
            name=T + "spi_at_risk",
            label=_("SPI(t): at risk below"),
            kind="amount",
            value=plain(t.spi_at_risk),
            most=health.MOST,
        ),
        Field(
            name=T + "spi_off_track",
            label=_("off track below"),
            kind="amount",
            value=plain(t.spi_off_track),
            most=health.MOST,
        ),
        Field(
            name=T + "spi_margin",
            label=_("better again by"),
            kind="amount",
            value=plain(t.spi_margin),
            most=health.MOST,
        ),
        reason(_("A changed rule can change every status.")),
    )
    return Form(
        command=project.SetTolerances,
        title=_("Tolerances"),
        button=_("Save tolerances"),
        fields=fields,
        about=t,
        **at_project(ask),
    )


def hold(ask: Ask) -> Form:
    """Return the form that puts a project on hold."""
    return Form(
        command=project.HoldProject,
        title=_("Put on hold"),
        button=_("Hold"),
        fields=(reason(),),
        about=ask.project.phase,
        **at_project(ask),
    )


def resume(ask: Ask) -> Form:
    """Return the form that lets a project go on."""
    return Form(
        command=project.ResumeProject,
        title=_("Resume"),
        button=_("Resume"),
        fields=(reason(required=False),),
        about=ask.project.phase,
        **at_project(ask),
    )


def close(ask: Ask) -> Form:
    """Return the form that closes a project."""
    note = _("Nothing can change after this. The record stays readable, and shares stay open until they are ended.")
    return Form(
        command=project.CloseProject,
        title=_("Close the project"),
        button=_("Close project"),
        fields=(reason(),),
        note=note,
        about=ask.project.phase,
        **at_project(ask),
    )


def override(ask: Ask) -> Form:
    """Return the form that sets a status by hand for some time."""
    dimension = dimension_of(ask)
    fields = (
        Field(name="status", label=_("Status"), kind="choice", options=tuple(RAGS.items()), required=True),
        reason(_("Clients who may see this status read it.")),
        Field(
            name="until",
            label=_("Until the end of"),
            kind="until",
            value=iso(ask.today + timedelta(days=28)),
            unit=ask.project.time_zone,
            required=True,
            help=_("At most 92 days ahead; then the rule holds again."),
        ),
    )
    note = health.rule(dimension, ask.project.tolerances, ask.project.scale)
    return Form(
        command=health.OverrideHealth,
        title=_("Set the {dimension} status by hand", dimension=dimension),
        button=_("Set"),
        fields=fields,
        note=note,
        about=[ask.project.health.overrides.get(dimension)],
        **at_health(ask, dimension),
    )


def withdraw(ask: Ask) -> Form:
    """Return the form that lets the rule hold again."""
    dimension = dimension_of(ask)
    return Form(
        command=health.WithdrawOverride,
        title=_("Let the rule decide the {dimension} status", dimension=dimension),
        button=_("Withdraw"),
        fields=(),
        about=[ask.project.health.overrides.get(dimension)],
        **at_health(ask, dimension),
    )


def dimension_of(ask: Ask) -> Dimension:
    """Return the dimension the address names.

    Raises: Unknown.
    """
    for dimension in get_args(Dimension):
        if dimension == ask.params.get("dimension"):
            return dimension  # type: ignore[no-any-return]
    raise Unknown(_("There is no such status. It is one of schedule, budget, risk and overall."))


def at_health(ask: Ask, dimension: Dimension) -> Place:
    """Return the place of a form about one status."""
    return {"fixed": {"project": ask.project.id, "dimension": dimension}, "slot": slot("health", dimension)}
