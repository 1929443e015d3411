"""What a form is asked for: a project as it stands, and the milestone, risk or measure the address names."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict

import msgspec

from domain import numbers
from domain.errors import Unknown
from domain.ids import MilestoneId, RiskId
from domain.language import N_
from domain.language import gettext as _
from domain.plan.project import Project
from domain.plan.risks import Risk
from domain.plan.schedule import Milestone
from projections.directory import Directory
from web.forms.fields import Field

YES_NO: tuple[tuple[str, str], ...] = (("yes", N_("Yes")),)


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a form is made from: the project, who there is, the instant (UTC), and the query of the address.

    `owners`: id and name of whom the project's owner may be.
    """

    project: Project
    directory: Directory
    now: datetime
    params: Mapping[str, str]
    new_id: str  # for what the form adds
    owners: tuple[tuple[str, str], ...] = ()

    @property
    def today(self) -> date:
        """The civil date in the project's zone."""
        return self.project.civil(self.now)

    def milestone(self) -> Milestone:
        """Return the milestone the address names.

        Raises: Unknown.
        """
        milestone = self.project.schedule.milestones.get(MilestoneId(self.params.get("milestone", "")))
        if milestone is None:
            raise Unknown(_("There is no such milestone in this project. It may have been removed: reload the plan."))
        return milestone

    def risk(self) -> Risk:
        """Return the risk the address names.

        Raises: Unknown.
        """
        risk = self.project.risks.risks.get(RiskId(self.params.get("risk", "")))
        if risk is None:
            raise Unknown(_("There is no such risk in this project. Reload the register."))
        return risk

    def clients(self) -> tuple[tuple[str, str], ...]:
        """Return id and name of the clients this project is shared with, by name."""
        shares = self.directory.shares_of_project(self.project.id)
        named = {s.client: self.directory.client_name(s.client) for s in shares if s.active}
        return tuple(sorted(named.items(), key=lambda pair: pair[1]))


def reason(help_text: str = "", *, required: bool = True, label: str = N_("Reason"), value: str = "") -> Field:
    """Return the field for a reason that goes on record."""
    return Field(name="reason", label=label, kind="line", help=help_text, required=required, value=value)


def iso(value: date | None) -> str:
    """Return a date as a date input holds it."""
    return value.isoformat() if value else ""


def plain(value: Decimal | None) -> str:
    """Return an amount as a person would type it, so that it can be read in one way only."""
    return "" if value is None else numbers.grouped(value)


def titled(what: str, thing: Milestone | Risk) -> str:
    """Return the title of a form about one thing, by its name inside the organisation: "Describe Handover"."""
    return f"{what} {thing.details.ref if isinstance(thing, Risk) else thing.details.title}"


def slot(kind: str, key: str = "") -> str:
    """Return the id of the element a form opens in."""
    return f"do-{kind}-{key}" if key else f"do-{kind}"


class Place(TypedDict):
    """What an address says of a form, and where on the page it opens."""

    fixed: dict[str, Any]
    slot: str  # id of an element


def at_project(ask: Ask) -> Place:
    """Return the place of a form about the project itself."""
    return {"fixed": {"project": ask.project.id}, "slot": slot("project")}


def at_milestone(ask: Ask) -> Place:
    """Return the place of a form about the milestone the address names.

    Raises: Unknown.
    """
    milestone = ask.milestone().id
    return {"fixed": {"project": ask.project.id, "milestone": milestone}, "slot": slot("m", milestone)}


def at_risk(ask: Ask) -> Place:
    """Return the place of a form about the risk the address names.

    Raises: Unknown.
    """
    risk = ask.risk().id
    return {"fixed": {"project": ask.project.id, "risk": risk}, "slot": slot("r", risk)}
