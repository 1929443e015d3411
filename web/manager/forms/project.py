"""The forms that change a project itself and its health: one function a command. Pure."""

from datetime import date, timedelta
from typing import get_args

import holidays

from domain.errors import Unknown
from domain.language import N_
from domain.language import gettext as _
from domain.message import Command
from domain.plan import health, project
from domain.view import Dimension, Rag
from web.forms.fields import Field
from web.forms.form import Form
from web.manager.forms.asked import Ask, iso, plain, reason, slot

DAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))
RAGS: dict[Rag, str] = {"on_track": N_("On track"), "at_risk": N_("At risk"), "off_track": N_("Off track")}
T = "tolerances."


def describe(ask: Ask) -> Form:
    """Return the form for titles and owner."""
    p = ask.project
    staff = sorted((x for x in ask.directory.people.values() if x.role in ("manager", "admin")), key=lambda x: x.name)
    owners = tuple((x.id, x.name) for x in staff if not x.disabled or x.id == p.owner)
    if p.owner not in dict(owners):
        owners = ((p.owner, p.owner), *owners)
    fields = (
        Field(name="title", label=_("Title among us"), value=p.title, required=True, help=_("Never shown to clients.")),
        Field(name="client_title", label=_("Title for clients"), value=p.client_title, required=True),
        Field(name="owner", label=_("Owner"), kind="choice", value=p.owner, options=owners),
    )
    about = [p.title, p.client_title, p.owner]
    return _form(ask, project.DescribeProject, _("Describe the project"), _("Save"), fields, about=about)


def calendar(ask: Ask) -> Form:
    """Return the form for the working calendar; `fill` in the address names a region whose holidays to fill in."""
    c, region = ask.project.calendar, ask.params.get("fill", "")
    days = public_holidays(region, ask.today) if region else c.holidays
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
            help=_("Such as GB, DE-BY or FR; empty when typed by hand."),
        ),
    )
    note = _("Slips in working days are counted by this calendar.")
    return _form(ask, project.SetCalendar, _("Working calendar"), _("Save calendar"), fields, note, about=c)


def public_holidays(region: str, today: date) -> tuple[date, ...]:
    """Return the public holidays of a region from this year to three years ahead.

    Raises: Unknown for a region that nobody has written down.
    """
    country, _sep, part = region.strip().upper().partition("-")
    years = range(today.year, today.year + 4)
    try:
        return tuple(sorted(holidays.country_holidays(country, subdiv=part or None, years=years)))
    except NotImplementedError:
        raise Unknown(
            _("No public holidays are known for “{region}”. Expected a code such as GB or DE-BY.", region=region[:20])
        ) from None


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
            unit="%",
        ),
        Field(
            name=T + "cost_off_track",
            label=_("off track above"),
            kind="amount",
            value=plain(t.cost_off_track),
            unit="%",
        ),
        Field(name=T + "cost_margin", label=_("better again by"), kind="amount", value=plain(t.cost_margin), unit="%"),
        Field(name=T + "spi_at_risk", label=_("SPI(t): at risk below"), kind="amount", value=plain(t.spi_at_risk)),
        Field(name=T + "spi_off_track", label=_("off track below"), kind="amount", value=plain(t.spi_off_track)),
        Field(name=T + "spi_margin", label=_("better again by"), kind="amount", value=plain(t.spi_margin)),
        reason(_("A changed rule can change every status.")),
    )
    return _form(ask, project.SetTolerances, _("Tolerances"), _("Save tolerances"), fields, about=t)


def hold(ask: Ask) -> Form:
    """Return the form that puts a project on hold."""
    return _form(ask, project.HoldProject, _("Put on hold"), _("Hold"), (reason(),), about=ask.project.phase)


def resume(ask: Ask) -> Form:
    """Return the form that lets a project go on."""
    return _form(
        ask, project.ResumeProject, _("Resume"), _("Resume"), (reason(required=False),), about=ask.project.phase
    )


def close(ask: Ask) -> Form:
    """Return the form that closes a project."""
    note = _("Nothing can change after this. The record stays readable, and shares stay open until they are ended.")
    return _form(
        ask, project.CloseProject, _("Close the project"), _("Close project"), (reason(),), note, ask.project.phase
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
    return _health(
        ask, health.OverrideHealth, _("Set the {dimension} status by hand", dimension=dimension), _("Set"), fields, note
    )


def withdraw(ask: Ask) -> Form:
    """Return the form that lets the rule hold again."""
    dimension = dimension_of(ask)
    return _health(
        ask,
        health.WithdrawOverride,
        _("Let the rule decide the {dimension} status", dimension=dimension),
        _("Withdraw"),
        (),
    )


def dimension_of(ask: Ask) -> Dimension:
    """Return the dimension the address names.

    Raises: Unknown.
    """
    for dimension in get_args(Dimension):
        if dimension == ask.params.get("dimension"):
            return dimension  # type: ignore[no-any-return]
    raise Unknown(_("There is no such status. It is one of schedule, budget, risk and overall."))


def _health(
    ask: Ask, command: type[Command], title: str, button: str, fields: tuple[Field, ...], note: str = ""
) -> Form:
    dimension = dimension_of(ask)
    return Form(
        command=command,
        title=title,
        button=button,
        fields=fields,
        fixed={"project": ask.project.id, "dimension": dimension},
        slot=slot("health", dimension),
        note=note,
        about=[ask.project.health.overrides.get(dimension)],
    )


def _form(
    ask: Ask,
    command: type[Command],
    title: str,
    button: str,
    fields: tuple[Field, ...],
    note: str = "",
    about: object = None,
) -> Form:
    fixed = {"project": ask.project.id}
    return Form(
        command=command,
        title=title,
        button=button,
        fields=fields,
        fixed=fixed,
        slot=slot("project"),
        note=note,
        about=about,
    )
