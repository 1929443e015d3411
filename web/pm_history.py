"""What happened in a project: its events, newest first, in words; and the words for every kind of event."""

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.events import Recorded, tag
from domain.ids import MilestoneId, ProjectId, RiskId
from domain.project import Project
from projections import words
from web.guard import STAFF, Signed, door, not_found
from web.pm_shown import shell
from web.pm_who_facts import about

if TYPE_CHECKING:
    from web.parts import Parts

PAGE = 60
SAID = {
    "held-released": "Let go after review",
    "client-scored": "Client’s view recorded",
    "client-view-asked": "Client’s view asked",
}
FOUND = ("milestone", "risk")
PLAIN = (
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


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One event as people read it."""

    version: int
    at: str
    day: str
    iso: str
    what: str
    subject: str
    detail: str
    reason: str
    who: str
    knows: str  # the question who knows it, "" where that is none


def say(kind: str) -> str:
    """Return an event's kind in words: "forecast-moved" is "Forecast moved"."""
    return SAID.get(kind) or kind.replace("-", " ").capitalize()


async def history(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/history?before=n`: the events of a project, newest first."""
    parts: Parts = request.app.state.parts
    key, before = request.path_params["project"], request.query_params.get("before", "")
    project = parts.present.refresh().projects.get(ProjectId(key))
    if project is None or (before and not before.isdecimal()):
        return not_found()
    newest = parts.present.world.versions.get(f"project-{key}", 0)
    upto = min(int(before[:12]) - 1, newest) if before else newest
    found = await run_in_threadpool(parts.folder.events.stream, f"project-{key}", max(0, upto - PAGE))
    lines = [line(parts, project, r) for r in reversed(found) if r.version <= upto]
    context: dict[str, Any] = {"project": project, "lines": lines, "older": upto - PAGE + 1 if upto > PAGE else 0}
    return parts.pages.response(request, "pm/history.html", **context, newest=not before, **shell(parts, signed))


def line(parts: "Parts", project: Project | None, recorded: Recorded) -> Line:
    """Return an event in words; `project` is where milestones and risks are looked up."""
    payload = msgspec.to_builtins(recorded.event, enc_hook=str)
    zone = project.time_zone if project else "UTC"
    there = words.local(recorded.at, zone)
    person = parts.present.world.people.get(recorded.actor)
    return Line(
        version=recorded.version,
        at=f"{there:%H:%M}",
        day=words.day_year(there.date()),
        iso=recorded.at.isoformat(),
        what=say(tag(recorded.event)),
        subject=_subject(project, payload),
        detail=_detail(payload),
        reason=str(payload.get("reason", "")),
        who=person.name if person else recorded.actor,
        knows=about(recorded.event),
    )


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
    told = [f"{name.replace('_', ' ')} {payload[name]}" for name in PLAIN if payload.get(name) not in (None, "")]
    amount = payload.get("amount")
    if isinstance(amount, dict):
        told.append(f"{amount['currency']} {amount['amount']}")
    for name in ("residual", "points"):
        points = payload.get(name)
        if isinstance(points, dict):
            told.append(f"{points['probability']}×{points['impact']}")
    if "measure" in payload:
        told.insert(0, payload["measure"])
    return ", ".join(told)


def routes() -> list[BaseRoute]:
    """Return the route of the history."""
    return [door("/p/{project}/history", history, allow=STAFF)]
