"""Events in words: what happened to what, by whom and why."""

from typing import Any

import msgspec

from domain.events import Recorded, tag
from domain.ids import MilestoneId, ProjectId, RiskId
from domain.language import N_, Said
from domain.language import gettext as _
from domain.plan.project import Project
from domain.plan.putting_back import ChangePutBack
from projections.events.world import World
from projections.wording import words
from web.process.services import Services
from web.record.facts import about
from web.record.kinds_said import CALLED
from web.record.said.changes import put_back
from web.record.two_times import two_times

NOBODYS = Said({"operator": N_("System (command line, demo)"), "system": N_("System")})  # actors that are no person

DETAILS = Said(  # what is said of a field, in this order
    {
        "forecast": N_("forecast {value}"),
        "actual": N_("actual {value}"),
        "percent": N_("percent {value}"),
        "status_date": N_("status date {value}"),
        "ac": N_("AC {value}"),
        "eac": N_("EAC {value}"),
        "dimension": N_("dimension {value}"),
        "status": N_("status {value}"),
        "on": N_("on {value}"),
        "by": N_("by {value}"),
        "number": N_("number {value}"),
        "note": N_("note {value}"),
    }
)
WORDS = Said(  # values that are words of ours
    {
        "schedule": N_("schedule"),
        "budget": N_("budget"),
        "risk": N_("risk"),
        "overall": N_("overall"),
        "on_track": N_("on track"),
        "at_risk": N_("at risk"),
        "off_track": N_("off track"),
        "cost": N_("cost"),
        "price": N_("price"),
    }
)


class EventLine(msgspec.Struct, frozen=True, kw_only=True):
    """One event as people read it."""

    version: int  # of its stream
    at: str  # to the minute, in the project's zone
    day: str
    iso: str
    what: str  # "Forecast moved"
    subject: str  # of the milestone or risk, "" where it is about neither
    detail: str
    reason: str
    held: str  # both times of what it says, "" where they do not differ
    who: str
    knows: str  # the query that asks who knows it, "" where nobody is told of it as one value


def called(world: World, actor: str) -> str:
    """Return the name of whoever acted, of a command on the command line and of the clock as well."""
    return _(NOBODYS[actor]) if actor in NOBODYS and actor not in world.people else world.person_name(actor)


def say(kind: str) -> str:
    """Return an event's kind in words: "forecast-moved" is "Forecast moved"."""
    return CALLED.get(kind, kind)


def line(services: Services, project: Project | None, recorded: Recorded) -> EventLine:
    """Return an event in words; `project` is where milestones and risks are looked up."""
    payload = msgspec.to_builtins(recorded.event, enc_hook=str)
    zone = project.time_zone if project else "UTC"
    there = words.local(recorded.at, zone)
    return EventLine(
        version=recorded.version,
        at=f"{there:%H:%M}",
        day=words.day_year(there.date()),
        iso=recorded.at.isoformat(),
        what=say(tag(recorded.event)),
        subject=_subject(project, payload),
        detail=_put_back(services, recorded) or _detail(payload),
        reason=str(payload.get("reason", "")),
        held=two_times(recorded.at, getattr(recorded.event, "as_of", None), zone),
        who=called(services.present.world, recorded.actor),
        knows=about(recorded.event),
    )


def _put_back(services: Services, recorded: Recorded) -> str:
    """Return what an event put back, each thing with its values; "" for any other event."""
    if not isinstance(recorded.event, ChangePutBack):
        return ""
    return "; ".join(put_back(services, ProjectId(recorded.stream.removeprefix("project-")), recorded.event))


def _subject(project: Project | None, payload: dict[str, Any]) -> str:
    details = payload.get("details") or {}
    if details.get("title"):
        return " ".join(part for part in (details.get("ref", ""), details["title"]) if part)
    if project is None:
        return ""
    if (m := project.schedule.milestones.get(MilestoneId(payload.get("milestone", "")))) is not None:
        return m.details.title
    if (r := project.risks.risks.get(RiskId(payload.get("risk", "")))) is not None:
        return f"{r.details.ref} {r.details.title}"
    return ""


def _detail(payload: dict[str, Any]) -> str:
    given = {name: payload[name] for name in DETAILS if payload.get(name) not in (None, "")}
    figures = [DETAILS[name].format(value=WORDS.get(str(value), str(value))) for name, value in given.items()]
    amount = payload.get("amount")
    if isinstance(amount, dict):
        figures.append(f"{amount['currency']} {amount['amount']}")
    for name in ("residual", "points"):
        points = payload.get(name)
        if isinstance(points, dict):
            figures.append(f"{points['probability']}×{points['impact']}")
    if "measure" in payload:
        figures.insert(0, WORDS.get(payload["measure"], payload["measure"]))
    return ", ".join(figures)
