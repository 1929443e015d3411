"""Values of a view in words and as data: kinds, bands and statuses, scores, ranges, slips, percentages. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

import msgspec

from domain.language import N_, P_, Said
from domain.language import gettext as _
from domain.money import Money
from domain.view import ClientView, DateUnit, Score, Slip
from projections.wording import words

KIND = Said(
    {
        "preProcurement": N_("Before procurement"),
        "approval": N_("Approval"),
        "engagement": N_("Engagement"),
        "assessment": N_("Assessment"),
        "delivery": N_("Delivery"),
        "reporting": N_("Reporting"),
        "financing": N_("Financing"),
        "payment": N_("Payment"),
        "procurement": N_("Procurement"),
        "contractClose": N_("Close of contract"),
    }
)
PROXIMITY = Said(
    {
        "imminent": N_("Imminent"),
        "within_stage": N_("Within this stage"),
        "within_project": N_("Within the project"),
        "beyond_project": N_("Beyond the project"),
    }
)
RESPONSE = Said(
    {
        "avoid": P_("risk response", "Avoid"),
        "reduce": P_("risk response", "Reduce"),
        "transfer": P_("risk response", "Transfer"),
        "share": P_("risk response", "Share"),
        "accept": P_("risk response", "Accept"),
        "prepare_contingent_plans": P_("risk response", "Prepare contingent plans"),
    },
    context="risk response",
)
STATUS = Said({"on_track": N_("On track"), "at_risk": N_("At risk"), "off_track": N_("Off track")})
STATE = Said(
    {
        "on_track": N_("On track"),
        "at_risk": N_("At risk"),
        "off_track": N_("Off track"),
        "overdue": N_("Overdue"),
        "met": N_("Done"),
        "planned": N_("Planned"),
    }
)  # of a milestone
STATE_INSIDE = Said(
    {
        "on_track": N_("on track"),
        "at_risk": N_("at risk"),
        "off_track": N_("off track"),
        "overdue": N_("overdue"),
        "met": N_("done"),
        "planned": N_("planned"),
    }
)  # inside of a sentence
BAND = Said({"low": N_("Low"), "medium": N_("Medium"), "high": N_("High")})
BAND_INSIDE = Said({"low": N_("low"), "medium": N_("medium"), "high": N_("high")})  # inside of a sentence
MEASURE = Said({"cost": N_("Cost"), "price": N_("Price")})
PHASE = Said({"running": N_("Running"), "on_hold": N_("On hold"), "closed": N_("Closed")})
HEALTH = Said(
    {
        "schedule": N_("Schedule status"),
        "budget": N_("Budget status"),
        "risk": N_("Risk status"),
        "overall": N_("Overall status"),
    }
)  # what each status is called
TERMS: Mapping[str, Said[str]] = {
    "kind": KIND,
    "proximity": PROXIMITY,
    "response": RESPONSE,
    "status": STATE,
    "band": BAND,
    "previous_band": BAND,
    "inherent_band": BAND,
    "client_band": BAND,
    "measure": MEASURE,
    "phase": PHASE,
}  # the words that stand for the values of a field of the view
DAYS = frozenset(
    {"client_action_due", "band_since", "status_date", "forecast_on", "spent_on", "earned_on"}
)  # fields that are days at every level of detail
ANSWERS = frozenset({"needs_acceptance"})  # fields of which "no" says something


class Way(msgspec.Struct, frozen=True):
    """How the values of a view are said to its client."""

    unit: DateUnit  # of dates of milestones
    zone: str  # IANA name; instants are said in it
    sides: Mapping[str, str]  # who has to act


def way_of(view: ClientView) -> Way:
    """Return how the values of a view are said."""
    sides = {"ours": view.organisation, "theirs": view.client, "joint": _("Both of us")}
    return Way(view.date_unit, view.time_zone, sides)


def absent(field: str, value: object) -> bool:
    """Tell whether a value looks to a client as if it were not shared: None, "", (), or False except as an answer."""
    return value is None or value in ("", ()) or (value is False and field not in ANSWERS)


def said(field: str, value: object, way: Way, *, long: bool = False) -> str:
    """Return the value of a field in words, "" for none; in a sentence (`long`) days and months are written out."""
    match value:
        case _ if absent(field, value):
            return ""
        case bool():
            return _("Yes") if value else _("No")
        case datetime():
            return words.moment_year(value, way.zone)
        case date():
            unit: DateUnit = "day" if field in DAYS else way.unit
            return words.long_in(value, unit) if long else words.day_year_in(value, unit)
        case Money():
            return words.exact(value)
        case Score():
            return points(value)
        case Slip():
            return slip(value, way.unit)
        case Decimal() if field.endswith("_share"):
            return words.percent(value)
        case int() if field == "progress":
            return words.percent(Decimal(value) / 100)
        case Decimal():
            return words.index(value)
        case tuple():
            return _("Updated")
        case _:
            return _term(field, str(value), way)


def _term(field: str, value: str, way: Way) -> str:
    if field == "owner_side":
        return way.sides.get(value, value)
    return TERMS[field].get(value, value) if field in TERMS else value


def points(score: Score) -> str:
    """Return an assessment as its product: "4×4 = 16"."""
    return f"{score.probability}×{score.impact} = {score.value}"


def slip(given: Slip, unit: DateUnit) -> str:
    """Return a slip in words: "+4 days, +2 in working days, +11 days against the first plan"."""
    parts = [words.signed_in(given.since_current, unit)]
    if given.working is not None:
        parts.append(_("{slip} in working days", slip=words.signed(given.working)))
    if given.since_original not in (None, given.since_current):
        parts.append(_("{slip} against the first plan", slip=words.signed_in(given.since_original or 0, unit)))
    return ", ".join(parts)


def span(earliest: str, latest: str) -> str:
    """Return two dates in words as a range, "" for none: "1 Oct 2027 to 9 Oct 2027", "1 Oct 2027 at the earliest"."""
    if earliest and latest:
        return _("{earliest} to {latest}", earliest=earliest, latest=latest)
    if earliest:
        return _("{day} at the earliest", day=earliest)
    return _("{day} at the latest", day=latest) if latest else ""


def data(field: str, value: object) -> str:
    """Return the value of a field as data, "" for none.

    Dates are ISO days, instants ISO 8601 in UTC; an amount is "1234.50 GBP", a score "4x3=12", a slip "4,2,11": in
    calendar days, working days and days against the first plan. A list is 16 hex digits that differ when it does.
    """
    match value:
        case _ if absent(field, value):
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return words.iso(value)
        case date():
            return value.isoformat()
        case Money():
            return f"{value.amount:f} {value.currency}"
        case Score():
            return f"{value.probability}x{value.impact}={value.value}"
        case Slip():
            parts = (value.since_current, value.working, value.since_original)
            return ",".join("" if part is None else str(part) for part in parts)
        case tuple():
            return hashlib.sha256(msgspec.json.encode(value)).hexdigest()[:16]
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)
