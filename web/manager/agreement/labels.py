"""Names of every field of a view, for lists of what an agreement discloses."""

from collections.abc import Mapping

from domain import catalogue
from domain.language import N_, Said

WORD = Said(
    {
        "on_track": N_("On track"),
        "at_risk": N_("At risk"),
        "off_track": N_("Off track"),
        "overdue": N_("Overdue"),
        "met": N_("Done"),
        "planned": N_("Planned"),
        "running": N_("Running"),
        "on_hold": N_("On hold"),
        "closed": N_("Closed"),
        "active": N_("Active"),
        "low": N_("Low"),
        "medium": N_("Medium"),
        "high": N_("High"),
    }
)
OF_ROW = catalogue.shown("milestone") | {
    "title": N_("Title"),
    "final": N_("The schedule is judged by it"),
    "ack": N_("Acknowledgement"),
}
OF_CARD = catalogue.shown("risk") | {
    "ref": N_("Reference"),
    "title": N_("Title"),
    "status": N_("Open or closed"),
    "ack": N_("Acknowledgement"),
}
OF_CONCERN = Said(
    {
        "at": N_("When"),
        "by": N_("Who"),
        "update": N_("On update"),
        "about": N_("About"),
        "text": N_("Concern"),
        "answer": N_("Answer"),
        "answered_by": N_("Answered by"),
        "answered_at": N_("Answered"),
        "settled": N_("Settled"),
    }
)
OF_SCHEDULE = Said(
    {
        "indicator": N_("Status"),
        "milestone": N_("Judged by"),
        "title": N_("Judged by"),
        "baseline": N_("Agreed date"),
        "forecast": N_("Forecast"),
        "slip_days": N_("Slip"),
        "previous_slip": N_("Slip before"),
        "previous_on": N_("Slip before, when"),
    }
)
OF_BUDGET = catalogue.shown("budget") | {"remarks": N_("Comments")}
OF_RISK = Said(
    {
        "indicator": N_("Status"),
        "high": N_("High risks"),
        "medium": N_("Medium risks"),
        "low": N_("Low risks"),
        "top": N_("Highest risk"),
        "top_score": N_("Highest score"),
    }
)
OF_PAGE = catalogue.shown("project") | {
    "organisation": N_("Your name"),
    "client": N_("Client’s name"),
    "project": N_("Project’s title"),
    "time_zone": N_("Time zone"),
    "language": N_("Language"),
    "brand": N_("Look"),
    "look": N_("Logo and accent"),
    "terms_version": N_("Agreement"),
    "scope": N_("Footer"),
    "headline": N_("Headline"),
    "as_of": N_("As of"),
    "milestones_shared": N_("A section for milestones"),
    "risks_shared": N_("A section for risks"),
    "scale": N_("Scale of scores"),
    "date_unit": N_("Unit of dates"),
    "money_step": N_("Amounts rounded to"),
    "agreement_ack": N_("Acknowledgement of the agreement"),
    "confirmed_quietly": N_("Whether the confirmation is no news"),
    "unconfirmed": N_("Whether it is not confirmed since then"),
}
LABELS: Mapping[str, Mapping[str, str]] = {
    "milestone": OF_ROW,
    "risk-": OF_CARD,
    "concern": OF_CONCERN,
    "schedule": OF_SCHEDULE,
    "budget": OF_BUDGET,
    "risk": OF_RISK,
    "page": OF_PAGE,
    "overall": {**catalogue.BY_ID["health.overall"].shows, "indicator": N_("Overall status")},
}
VITALS = ("schedule", "budget", "risk")
PARTS = Said(
    {
        "schedule": N_("Schedule"),
        "budget": N_("Budget"),
        "risk": N_("Risk"),
        "page": N_("Page"),
        "overall": N_("Overall"),
    }
)
