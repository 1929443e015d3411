"""A source, its pulls and their lines in words, as its pages show them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from domain.language import N_, Said
from domain.language import gettext as _
from domain.plan.project import Project
from domain.plan.sources.pulls import refusal
from domain.plan.sources.rules import Deal, Judged, Line, Outcome, Rules
from domain.plan.sources.source import Pull, Source
from projections.wording import words
from projections.wording.phrases import in_time
from web.process.services import Services
from web.sources.tools.tool import Field, Tool

KINDS = Said(
    {
        "moved": N_("Moved"),
        "met": N_("Met"),
        "added": N_("Added"),
        "renamed": N_("Renamed"),
        "deadline": N_("Deadline"),
        "returned": N_("Back on the plan"),
        "linked": N_("Linked"),
        "progress": N_("Progress"),
        "missing": N_("Gone there"),
        "baseline": N_("Agreed plan"),
        "budget": N_("Budget"),
        "measured": N_("Figures"),
        "forecast": N_("Forecast"),
    }
)
OUTCOMES: dict[Outcome, str] = Said(
    {"taken": N_("Taken by itself"), "waits": N_("Waits for you"), "ignored": N_("Left as it is")}
)
DEALS: dict[Deal, str] = Said({"take": N_("Take it"), "ask": N_("Ask"), "ignore": N_("Leave it")})
RULES: dict[str, str] = Said(
    {
        "forecasts": N_("A forecast that moved"),
        "actuals": N_("That a milestone was met"),
        "progress": N_("A percentage"),
        "titles": N_("An internal title"),
        "new": N_("A new milestone, for the organisation alone"),
    }
)
LISTED = 20  # pulls of a source on its page


class LineTold(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a pull."""

    key: str
    kind: str
    title: str
    before: str
    after: str
    note: str
    outcome: str
    why: str
    waits: bool
    ticked: bool = True  # before somebody looks at it; not what leaves the plan, nor what may be of another plan


class PullTold(msgspec.Struct, frozen=True, kw_only=True):
    """One pull in the list of those that were recorded."""

    id: str
    number: int
    at: str
    data_date: str
    said: str  # what came of it
    possible: bool  # to put it back


class SourceTold(msgspec.Struct, frozen=True, kw_only=True):
    """One source as the pages show it."""

    source: Source
    tool: Tool | None
    label: str  # of the tool
    state: str
    tone: str  # "ok", "warn", "off" or "soft"
    next: str  # "" where nothing is pulled
    waits: int  # to be decided, which nothing is of a closed project
    owns: int  # milestones on the plan
    fields: Sequence[Field]
    asked: bool  # whether it is asked for its plan; one that is sent is not
    stopped: bool  # whether nothing is pulled or taken: it is paused, or the project is closed


def source_told(services: Services, project: Project, source: Source) -> SourceTold:
    """Return a source in words; for threads."""
    tool = services.sources.tools.get(source.tool)
    state, tone = _state(project, source)
    asked = source.tool != "upload"
    return SourceTold(
        source=source,
        tool=tool,
        label=_(tool.label) if tool is not None else source.tool,
        state=state,
        tone=tone,
        next=_next(services, project, source) if asked else "",
        waits=len(source.waits) if project.phase != "closed" else 0,
        owns=sum(one.source_id.startswith(f"{source.id}/") for one in project.schedule.milestones.values()),
        fields=tool.fields if tool is not None else (),
        asked=asked,
        stopped=source.paused is not None or project.phase == "closed",
    )


def _state(project: Project, source: Source) -> tuple[str, str]:
    zone = project.time_zone
    if project.phase == "closed":
        return _("The project is closed, so nothing comes from here any more."), "soft"
    if source.paused is not None:
        told = _("Paused: {why}", why=source.paused) if source.paused else _("Paused.")
        return told, "soft"
    if (failure := source.failure) is not None:
        since = words.moment_year(failure.since, zone)
        return _("Has failed since {at}. {why}", at=since, why=failure.why), "off"
    if (last := source.last) is None:
        return (_("Nothing was sent yet.") if source.tool == "upload" else _("Nothing was pulled yet.")), "soft"
    at = words.moment_year(last.at, zone)
    if last.data_date is None:
        return _("Last news on {at}.", at=at), "ok"
    return _("Last news on {at}, data date {day}.", at=at, day=words.long_day(last.data_date)), "ok"


def _next(services: Services, project: Project, source: Source) -> str:
    if source.paused is not None or project.phase == "closed":
        return ""
    engine, now = services.sources.engine, services.now()
    tried, due = engine.tried_at(project.id, source.id), engine.next_at(project.id, source.id)
    said = [_("Asked last on {at}.", at=words.moment_year(tried, project.time_zone))] if tried is not None else []
    if due is not None:
        said.append(_("Next {within}.", within=in_time(due, now)) if due > now else _("Next at once."))
    return " ".join(said)


def every(minutes: int) -> str:
    """Return a cadence in words."""
    if minutes == 60:
        return _("every hour")
    if minutes == 1440:
        return _("every day")
    if minutes % 60 == 0:
        return _("every {hours} hours", hours=minutes // 60)
    return _("every {minutes} minutes", minutes=minutes)


def pulls_told(project: Project, source: Source) -> list[PullTold]:
    """Return the latest pulls of a source, newest first."""
    return [pull_told(project, one, newest=one is source.last) for one in reversed(source.pulls[-LISTED:])]


def pull_told(project: Project, pull: Pull, *, newest: bool) -> PullTold:
    """Return a pull in words; what waits of one that is not the newest is asked again in a later one."""
    return PullTold(
        id=pull.id,
        number=pull.number,
        at=words.moment_year(pull.at, project.time_zone),
        data_date=words.long_day(pull.data_date) if pull.data_date is not None else "",
        said=_came(pull, project.time_zone, newest=newest),
        possible=not refusal(pull, project.schedule),
    )


def _came(pull: Pull, zone: str, *, newest: bool) -> str:
    if pull.put_back is not None:
        return _("Put back on {at}.", at=words.moment_year(pull.put_back, zone))
    if not pull.lines:
        return _("Nothing new; it confirmed the plan.") if pull.confirmed else _("Nothing new.")
    count = {outcome: sum(one.outcome == outcome for one in pull.lines) for outcome in OUTCOMES}
    taken, left = count["taken"] + len(pull.accepted), count["ignored"] + len(pull.left)
    waits = len(pull.lines) - taken - left
    if waits and not newest:
        return _(
            "{taken} taken, {waits} asked again in a later pull, {left} left as they are.",
            taken=taken, waits=waits, left=left,
        )  # fmt: skip
    return _("{taken} taken, {waits} to decide, {left} left as they are.", taken=taken, waits=waits, left=left)


def line_told(line: Line, judged: Judged, done: str = "") -> LineTold:
    """Return a line with what becomes of it; `done`: what a person made of it since."""
    return LineTold(
        key=line.key,
        kind=_(KINDS.get(line.kind, line.kind)),
        title=line.title,
        before=line.before,
        after=line.after,
        note=line.note,
        outcome=done or _(OUTCOMES[judged.outcome]),
        why="" if done else judged.why,
        waits=judged.outcome == "waits" and not done,
        ticked=line.kind != "missing",
    )


def lines_told(pull: Pull) -> list[LineTold]:
    """Return the lines of a pull as they were recorded, with what a person made of them."""
    told = []
    for one in pull.lines:
        key = one.line.key
        done = _("Taken by a person") if key in pull.accepted else _("Left by a person") if key in pull.left else ""
        told.append(line_told(one.line, Judged(one.outcome, one.why), done))
    return told


def asked_on(at: datetime | None, zone: str) -> str:
    """Return when a secret was typed, "" where none is kept."""
    return words.moment_year(at, zone) if at is not None else ""


def deals(rules: Rules) -> list[tuple[str, str, str]]:
    """Return each kind of change that a rule is about: its name, in words, and what is done with it."""
    return [(name, _(said), getattr(rules, name)) for name, said in RULES.items()]
