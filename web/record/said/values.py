"""Values of a project in words, and two structs compared field by field."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal

import msgspec

from domain import catalogue
from domain.language import N_, Said
from domain.language import gettext as _
from domain.money import Money
from domain.plan.risks import Points
from projections.wording import words

MILESTONE = {
    **catalogue.shown("milestone"),
    "title": N_("Internal title"),
    "client_title": N_("Title for clients"),
    "client_facing": N_("Client-facing"),
    "kind": N_("Kind"),
    "owner_side": N_("Who has to act"),
    "location": N_("Location"),
    "deadline": N_("Contractual deadline"),
    "value": N_("Payment due with it"),
    "needs_acceptance": N_("Needs the client’s acceptance"),
    "client_action": N_("What it waits for from the client"),
    "client_action_due": N_("Due"),
    "note": N_("Internal note"),
}
RISK = {
    **catalogue.shown("risk"),
    "ref": N_("Reference"),
    "title": N_("Internal title"),
    "client_title": N_("Title for clients"),
    "client_facing": N_("Client-facing"),
    "author": N_("Author"),
}
TOLERANCES = Said(
    {
        "slip_at_risk": N_("Slip at risk, days"),
        "slip_off_track": N_("Slip off track, days"),
        "slip_margin": N_("Margin of slip, days"),
        "cost_at_risk": N_("Cost at risk, %"),
        "cost_off_track": N_("Cost off track, %"),
        "cost_margin": N_("Margin of cost, %"),
        "spi_at_risk": N_("SPI(t) at risk below"),
        "spi_off_track": N_("SPI(t) off track below"),
        "spi_margin": N_("Margin of SPI(t)"),
    }
)


class Became(msgspec.Struct, frozen=True, kw_only=True):
    """One value that changed, in words: "Forecast" was "21 Jun 2027" and is "18 Jun 2027"."""

    what: str
    was: str = ""
    now: str = ""
    note: str = ""  # "+6 days"


def value(given: object) -> str:
    """Return a value as people read it; "" for none."""
    match given:
        case None:
            return ""
        case bool():
            return _("yes") if given else _("no")
        case datetime():
            return words.moment_year(given, "UTC")
        case date():
            return words.day_year(given)
        case Money():
            return words.money(given)
        case Points(probability=p, impact=i):
            return f"{p}×{i} = {given.score}"
        case Decimal():
            return words.index(Decimal(f"{given.normalize():f}"))
        case _:
            return str(given).replace("_", " ")


def differences(was: msgspec.Struct, now: msgspec.Struct, labels: Mapping[str, str]) -> Iterator[Became]:
    """Yield the fields in which two structs of a kind differ, in the order of the struct."""
    for field in now.__struct_fields__:
        before, after = getattr(was, field), getattr(now, field)
        if before != after:
            label = labels.get(field) or field.replace("_", " ").capitalize()
            yield Became(what=_(label), was=value(before), now=value(after) or _("none"))


def amounts(was: Decimal | None, now: Decimal, currency: str) -> tuple[str, str]:
    """Return two amounts in words: in short, or to the last digit where they read the same in short."""
    short = ("" if was is None else words.money(Money(was, currency))), words.money(Money(now, currency))
    if was is None or short[0] != short[1] or was == now:
        return short
    return words.exact(Money(was, currency)), words.exact(Money(now, currency))
