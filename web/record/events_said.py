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
from web.record.said.changes import put_back
from web.record.two_times import two_times

SAID = Said(
    {
        "held-released": N_("Released after review"),
        "client-scored": N_("Client’s view recorded"),
        "change-put-back": N_("Change put back"),
        "client-view-asked": N_("Client’s view asked"),
        "baseline-approved": N_("Agreed plan set"),
        "cost-measured": N_("Spend recorded"),
        "health-overridden": N_("Status set by hand"),
        "health-override-ended": N_("Status by the rule again"),
        "command-carried-out": N_("Command completed"),
        "mail-queued": N_("Email queued"),
        "mail-settled": N_("Email answered by the mail server"),
        "mail-domains-set": N_("Email domains set"),
        "notices-chosen": N_("Emails about the list chosen"),
        "message-queued": N_("Message to a channel queued"),
        "message-settled": N_("Message answered by Teams or Slack"),
        "provider-set": N_("Identity provider set"),
        "provider-tried": N_("Identity provider tried"),
        "provider-used": N_("Identity provider in use"),
        "provider-removed": N_("Identity provider removed"),
        "lead-named": N_("Made a lead of the client"),
        "lead-ended": N_("Lead of the client no more"),
        "source-pulled": N_("Pulled from a source"),
        "source-settled": N_("Proposals of a source decided"),
        "source-pull-put-back": N_("Pull put back"),
        "source-secret-set": N_("Secret of a source replaced"),
        "source-hook-renewed": N_("Webhook of a source replaced"),
    }
)

NOBODYS = Said({"operator": N_("System (command line, demo)"), "system": N_("System")})  # actors that are no person

PLAIN = (  # fields that are set out as they are
    "forecast",
    "actual",
    "percent",
    "status_date",
    "ac",
    "eac",
    "dimension",
    "status",
    "on",
    "by",
    "number",
    "note",
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
    return SAID.get(kind) or kind.replace("-", " ").capitalize()


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
    figures = [f"{name.replace('_', ' ')} {payload[name]}" for name in PLAIN if payload.get(name) not in (None, "")]
    amount = payload.get("amount")
    if isinstance(amount, dict):
        figures.append(f"{amount['currency']} {amount['amount']}")
    for name in ("residual", "points"):
        points = payload.get(name)
        if isinstance(points, dict):
            figures.append(f"{points['probability']}×{points['impact']}")
    if "measure" in payload:
        figures.insert(0, payload["measure"])
    return ", ".join(figures)
