"""What sources do that nobody shares: attached, changed, pulled from, failing, put back, detached, and their past.

Rule: what is taken changes a milestone that nobody shares, or a field that no version names. What is not taken may
propose anything of any milestone: it is on the plan of neither twin.
"""

import random
from datetime import datetime, timedelta
from typing import Any

from domain.agreement.terms import Terms
from domain.commands import AnyCommand
from domain.ids import MilestoneId, SourceId
from domain.plan import project, schedule
from domain.plan.sources.commands import (
    AttachSource,
    ChangeSource,
    DetachSource,
    FailSource,
    PauseSource,
    RecoverSource,
    RenewSourceHook,
    ResumeSource,
    SetSourceRules,
    SetSourceSecret,
)
from domain.plan.sources.pulls import PutPullBack, SettleSource, TakePull
from domain.plan.sources.rules import Line, Proposed, Rules
from tests.world import HARBOUR, START

FIRST = (START + timedelta(days=31)).date()
DATES = {"forecast", "slip", "status", "range", "trend", "reason"}
M1, M2, M3 = MilestoneId("m1"), MilestoneId("m2"), MilestoneId("m3")


def pulled(rng: random.Random, terms: Terms) -> list[AnyCommand]:
    """Draw the life of a source of the shared project; `terms` covers what any version does."""
    source = SourceId(f"source{rng.randrange(9)}")
    away = "confirmed" not in terms.project_fields  # that nobody confirms the plan is told where that is agreed
    at: dict[str, Any] = {"project": HARBOUR, "source": source}
    return [
        AttachSource(**at, tool="jira", name=f"Jira {rng.random()}", address=f"https://jira{rng.randrange(9)}.test"),
        ChangeSource(**at, name=f"Jira of {rng.random()}", address="https://jira.test", cadence=rng.randrange(5, 99)),
        SetSourceSecret(**at, number=1, sealed=rng.randbytes(9)),
        SetSourceRules(**at, rules=_rules(rng)),
        RenewSourceHook(**at),
        PauseSource(**at, reason=f"moved {rng.random()}"),
        ResumeSource(**at),
        FailSource(**at, why=f"away {rng.random()}", not_before=START + timedelta(hours=int(source[-1]))),
        RecoverSource(**at),
        *_pulls(rng, at, terms),
        FailSource(**at, why=f"refused {rng.random()}", for_good=True),
        *([FailSource(**at, why="away for a day", for_good=True, lasting=True)] if away else []),
        *([DetachSource(**at, reason=f"over {rng.random()}")] if rng.random() < 0.7 else []),
    ]


def _rules(rng: random.Random) -> Rules:
    return Rules(
        forecasts="take", days=200, actuals="take", progress="take", titles="ask", new="take",
        reason=f"pulled {rng.random()}", apart=(M3,),
    )  # fmt: skip


def _pulls(rng: random.Random, at: dict[str, Any], terms: Terms) -> list[AnyCommand]:
    """Three pulls: what is new, what moved with what waits and what is left aside, and what is taken where it is hidden."""
    source, key = at["source"], MilestoneId(f"pulled{at['source']}")
    own = schedule.AddMilestone(
        project=HARBOUR, milestone=key, details=schedule.MilestoneDetails(title=f"pulled {rng.random()}"),
        forecast=FIRST, source_id=f"{source}/7",
    )  # fmt: skip
    wanted = _line("k4", "moved", f"{_day(rng)}", _move(rng, M1), asks="another project")
    aside = _line("k5", "moved", f"{_day(rng)}", _move(rng, M3))
    title = schedule.MilestoneDetails(
        title=f"at the source {rng.random()}", client_title="Shared m2", client_facing=True
    )
    named = _line(
        "k6", "described", title.title, schedule.DescribeMilestone(project=HARBOUR, milestone=M2, details=title)
    )
    asked = _line("k3", "progress", "", _percent(rng, key), asks="a person decides")
    said = {"title": f"Plan {rng.random()}", "notes": (f"note {rng.random()}",), "cursor": f"after {rng.random()}"}
    confirms = not {"confirmed"} & {*terms.project_fields, *terms.milestone_fields}
    return [
        TakePull(**at, pull="p1", lines=(_line("k1", "added", "", own),), confirm=confirms, data_date=_past_day(rng)),
        _history(rng, key),
        TakePull(**at, pull="p2", after="p1", lines=(_line("k2", "moved", "", _move(rng, key)), asked), **said),
        SettleSource(**at, pull="p2", take=("k3",)),
        PutPullBack(**at, pull="p2", reason=f"no {rng.random()}"),
        TakePull(**at, pull="p3", after="p2", lines=(wanted, aside, named), **said),
        SettleSource(**at, pull="p3", leave=("k6",)),
        *_of_what_no_version_names(rng, at, terms),
    ]  # fmt: skip


def _of_what_no_version_names(rng: random.Random, at: dict[str, Any], terms: Terms) -> list[AnyCommand]:
    """A source keeps a milestone that clients know, and sets of it what none of them is told."""
    fields = set(terms.milestone_fields)
    commands: list[Proposed] = []
    if not fields & DATES:
        commands.append(_move(rng, M1))
    if "progress" not in fields:
        commands.append(_percent(rng, M1))
    lines = tuple(_line(f"own{i}", "moved", "", one) for i, one in enumerate(commands))
    link = schedule.LinkMilestone(project=HARBOUR, milestone=M1, source_id=f"{at['source']}/{rng.randrange(99)}")
    return [link, TakePull(**at, pull="p4", after="p3", lines=lines)] if lines else [link]


def _history(rng: random.Random, key: MilestoneId) -> AnyCommand:
    """How a milestone that nobody shares stood before there was this record, as its tool remembers it."""
    then = START - timedelta(days=rng.randrange(20, 200))
    return project.ChangeTogether(
        project=HARBOUR,
        commands=(
            schedule.MoveForecast(project=HARBOUR, milestone=key, forecast=_day(rng), reason="As it was", as_of=then),
            schedule.ReportProgress(project=HARBOUR, milestone=key, percent=rng.randrange(1, 50), as_of=_later(then)),
            schedule.MeetMilestone(project=HARBOUR, milestone=key, actual=then.date(), as_of=_later(then, 2)),
            schedule.ReopenMilestone(project=HARBOUR, milestone=key, reason="As it was", as_of=_later(then, 3)),
        ),
    )


def _later(then: datetime, days: int = 1) -> datetime:
    return then + timedelta(days=days)


def _line(key: str, kind: str, after: str, command: Proposed, asks: str = "") -> Line:
    return Line(key=key, kind=kind, title="x", after=after, asks=asks, commands=(command,))


def _move(rng: random.Random, key: MilestoneId) -> Proposed:
    return schedule.MoveForecast(project=HARBOUR, milestone=key, forecast=_day(rng), reason="pulled")


def _percent(rng: random.Random, key: MilestoneId) -> Proposed:
    return schedule.ReportProgress(project=HARBOUR, milestone=key, percent=rng.randrange(1, 99))


def _day(rng: random.Random) -> Any:
    return FIRST + timedelta(days=rng.randrange(1, 150))


def _past_day(rng: random.Random) -> Any:
    return START.date() - timedelta(days=rng.randrange(1, 30))
