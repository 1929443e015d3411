"""From what a source brought to one recorded command: compared, judged by the rules, or nothing where nothing is new.

Rule: nothing is recorded of a pull that brings what is known, but that it confirms the plan when the day of its data
date is another one, once a day at most.
"""

import contextlib
import hmac
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from domain.errors import Stale
from domain.ids import CommandId, ProjectId, SourceId
from domain.language import gettext as _
from domain.language import speaking
from domain.plan import project as projects
from domain.plan.project import Project
from domain.plan.sources.commands import FailSource, RecoverSource, later
from domain.plan.sources.pulls import MOST_LINES, TakePull
from domain.plan.sources.rules import Judged, Line, Outcome, PlanAsIs, Rules, judged, owner
from domain.plan.sources.source import Failure, Source, SourcePulled, key_name, lines_of
from projections.events.event_log import EventLog
from projections.events.present import CurrentWorld
from projections.logs.vault import Damaged, Gone
from web.ids import new_id
from web.importers.plan import Plan
from web.proposal.sourced import Sourced, proposed
from web.sources.tools.tool import Attached, Pulled, Trouble
from web.sources.turns import LONGEST
from web.write.permission import SYSTEM
from web.write.service import Service

LASTING = timedelta(days=1)  # of failing, after which clients may read that the plan is not confirmed
News = Literal["recorded", "nothing", "gone"]


class TakingPorts(msgspec.Struct, frozen=True, kw_only=True):
    """What taking uses of the product."""

    service: Service
    present: CurrentWorld
    events: EventLog
    clock: Callable[[], datetime]  # UTC


class Ahead(msgspec.Struct, frozen=True):
    """What the rules would do with one line, for the page that tries them."""

    line: Line
    judged: Judged


class Taking:
    """Takes what sources bring. Thread-safe; it keeps nothing but the addresses of hooks, which never change."""

    def __init__(self, ports: TakingPorts) -> None:
        self._ports = ports
        self._hooks: dict[tuple[ProjectId, SourceId, int], str] = {}

    def find(self, project: ProjectId, source: SourceId) -> tuple[Project, Source] | None:
        """Return a source that is attached to a project in which something may change, None where there is none."""
        there = self._ports.present.refresh().projects.get(project)
        found = there.sources.get(source) if there is not None else None
        if there is None or found is None or not found.attached or there.phase == "closed":
            return None
        return there, found

    def attached(self, project: ProjectId, source: Source) -> Attached:
        """Return what a tool is asked with, the secret opened for this moment. Raises: Trouble."""
        secret = ""
        if source.sealed:
            name = key_name(project, source.id, source.secret)
            try:
                secret = self._ports.events.open_for_source(name, source.sealed, bound(source.tool, source.address))
            except (Gone, Damaged):
                raise Trouble(_("The secret cannot be read any more. Replace it."), for_good=True) from None
        return Attached(
            address=source.address, values=source.values, project=project, secret=secret,
            hook_secret=self.hook_secret(project, source),
        )  # fmt: skip

    def calling(self, project: ProjectId, source: Source) -> Attached:
        """Return what a hint of a tool is checked with: its secret stays sealed, whoever calls and however often."""
        return Attached(address=source.address, values=source.values, hook_secret=self.hook_secret(project, source))

    def seal(self, project: ProjectId, source: SourceId, number: int, secret: str, to: tuple[str, str]) -> bytes:
        """Return the secret of a source, sealed with its key of a number for a tool and an address (`to`)."""
        return self._ports.events.seal_for_source(key_name(project, source, number), secret, bound(*to))

    def hook(self, project: ProjectId, source: Source) -> str:
        """Return the part of an address by which a tool may hint at news; nobody can guess it."""
        place = (project, source.id, source.hook)
        if place not in self._hooks:
            self._hooks[place] = self._ports.events.derived(_place("hook", project, source))[:40]
        return self._hooks[place]

    def is_hook(self, project: ProjectId, source: Source, text: str) -> bool:
        """Tell whether a text is that part of the address, compared in one time."""
        return hmac.compare_digest(self.hook(project, source).encode(), text.encode("utf-8", "replace"))

    def hook_secret(self, project: ProjectId, source: Source) -> str:
        """Return what the hints of a tool are signed with."""
        return self._ports.events.derived(_place("hook-secret", project, source))[:48]

    def take(self, project: ProjectId, source: SourceId, pulled: Pulled, asked: Source | None = None) -> News:
        """Record what a source brought, where that is news; `asked`: the source as it was asked.

        What came of a source that was paused, or is reached in another way since, is "gone". Raises: Refused.
        """
        found = self._still(project, source, asked)
        if found is None:
            return "gone"
        there, known = found
        command = self._command(there, known, pulled)
        if command is None:
            if known.failure is not None:
                self._execute(RecoverSource(project=project, source=source))
            return "nothing"
        self._execute(command)
        return "recorded"

    def fail(self, project: ProjectId, source: SourceId, trouble: Trouble, asked: Source | None = None) -> bool:
        """Record that pulls fail, where that is new; return whether it is of the source as it is now."""
        found = self._still(project, source, asked)
        if found is None:
            return False
        failure = found[1].failure
        lasting, until = self._lasts(failure), self._until(trouble)
        if failure is None or failure.for_good != trouble.for_good or lasting or later(until, failure.not_before):
            failed = FailSource(
                project=project, source=source, why=str(trouble), for_good=trouble.for_good, lasting=lasting,
                not_before=until,
            )  # fmt: skip
            self._execute(failed)
        return True

    def note_lasting(self, project: ProjectId, source: Source) -> None:
        """Record that a source has failed for a day, where that is new and it still fails."""
        if not self._lasts(source.failure):
            return
        world = self._ports.present.refresh()
        found, version = self.find(project, source.id), world.versions.get(f"project-{project}", 0)
        failure = found[1].failure if found is not None else None
        if failure is None or not self._lasts(failure):
            return
        failed = FailSource(
            project=project, source=source.id, why=failure.why, for_good=failure.for_good, lasting=True
        )  # fmt: skip
        with contextlib.suppress(Stale):  # something came between: it is looked at again
            self._execute(failed, version)

    def _lasts(self, failure: Failure | None) -> bool:
        return failure is not None and not failure.lasting and self._ports.clock() - failure.since >= LASTING

    def _until(self, trouble: Trouble) -> datetime | None:
        """Return until when a tool asked not to be asked (UTC), as far as that is kept; None where it did not."""
        seconds = min(trouble.retry_after or 0.0, LONGEST)
        return self._ports.clock() + timedelta(seconds=seconds) if seconds > 0 else None

    def _still(self, project: ProjectId, source: SourceId, asked: Source | None) -> tuple[Project, Source] | None:
        """Return a source that is still as it was `asked`, None where somebody changed how it is reached since."""
        found = self.find(project, source)
        if found is None or found[1].paused is not None:
            return None
        return found if asked is None or _reached(found[1]) == _reached(asked) else None

    def ahead(self, project: Project, source: Source, rules: Rules) -> list[Ahead]:
        """Return what some rules would have done with the newest pull, line by line."""
        last = source.last
        standing = self._standing(project, source, rules)
        return [Ahead(one.line, judged(one.line, standing)) for one in (last.lines if last is not None else ())]

    def _standing(self, project: Project, source: Source, rules: Rules) -> PlanAsIs:
        return PlanAsIs(
            source=source.id, rules=rules, schedule=project.schedule, stood_for=project.origins.stood_for,
            left=frozenset(source.left),
        )  # fmt: skip

    def _command(self, project: Project, source: Source, pulled: Pulled) -> TakePull | None:
        """Return what is to be recorded of a pull, None where it is nothing new."""
        now = self._ports.clock()
        today = project.civil(now)
        with speaking(source.language):
            found = self._found(project, source, pulled.plan, today)
            notes = self._notes(found, pulled, today)
        data_date = min(pulled.data_date or today, today)
        confirm = self._confirms(project, source, data_date, today)
        early = pulled.plan is not None and any(one.actual and one.actual > today for one in pulled.plan.milestones)
        command = TakePull(
            project=project.id, source=source.id, pull=new_id(16), after=source.last.id if source.last else "",
            lines=found.lines[:MOST_LINES], cursor="" if early else pulled.cursor, content_hash=pulled.content_hash,
            data_date=data_date, title=pulled.plan.title if pulled.plan is not None else "",
            unchanged=found.unchanged, doubt=found.doubt, notes=notes, confirm=True,
        )  # fmt: skip
        outcomes = self._outcomes(project, source, command, now)
        waits = {one.key for one, outcome in zip(command.lines, outcomes, strict=True) if outcome == "waits"}
        waited = {one.line.key for one in source.waits}
        news = "taken" in outcomes or (pulled.plan is not None and waits != waited) or source.last is None
        if not news and (not confirm or waits or (pulled.plan is None and waited)):
            return None
        return None if pulled.plan is None and source.last is None else command

    def _outcomes(self, project: Project, source: Source, command: TakePull, now: datetime) -> list[Outcome]:
        """Return what would become of each line: what the rules take and the plan refuses waits. Raises: Refused."""
        standing = self._standing(project, source, source.rules)
        outcomes = [judged(one, standing).outcome for one in command.lines]
        if "taken" not in outcomes:
            return outcomes
        *_taken, record = projects.decide(project, command, now)
        if not isinstance(record, SourcePulled):
            return outcomes
        return [one.outcome for one in lines_of(record, source.last)]

    def _found(self, project: Project, source: Source, plan: Plan | None, today: date) -> Sourced:
        if plan is None:
            return Sourced(lines=(), unchanged=0, doubt="", notes=())
        found = proposed(project, source, plan, new_id, today)
        before = source.last.data_date if source.last is not None else None
        if plan.data_date is None or before is None or plan.data_date >= before:
            return found
        told = _("The plan is as of {day}; one as of {before} came already.", day=plan.data_date, before=before)
        lines = tuple(msgspec.structs.replace(one, asks=one.asks or told) for one in found.lines)
        return msgspec.structs.replace(found, lines=lines)

    def _notes(self, found: Sourced, pulled: Pulled, today: date) -> tuple[str, ...]:
        notes = list(found.notes)
        if len(found.lines) > MOST_LINES:
            left = len(found.lines) - MOST_LINES
            notes.insert(0, _("{left} more lines are looked at once these are decided.", left=left))
        if pulled.data_date is not None and pulled.data_date > today:
            told = _("The source says {day}, which is after today; the plan counts as of today.", day=pulled.data_date)
            notes.insert(0, told)
        return tuple(notes)

    def _confirms(self, project: Project, source: Source, data_date: date, today: date) -> bool:
        """Tell whether a pull with nothing new confirms the plan: for a later day of its data date, once a day."""
        if not any(owner(one.source_id) == source.id for one in project.schedule.milestones.values()):
            return False
        once = source.confirmed_at is None or project.civil(source.confirmed_at) != today
        return once and (source.confirmed_for is None or data_date > source.confirmed_for)

    def _execute(self, command: TakePull | FailSource | RecoverSource, expected: int | None = None) -> None:
        self._ports.service.execute(SYSTEM, command, command_id=CommandId(new_id(24)), expected=expected)


def _place(what: str, project: ProjectId, source: Source) -> str:
    return f"source.{what}.{project}.{source.id}.{source.hook}"


def _reached(source: Source) -> tuple[object, ...]:
    """Return how a source is reached: what another answer can come of."""
    return source.tool, source.address, dict(source.values), source.secret


def bound(tool: str, address: str) -> str:
    """Return what a secret is sealed together with: it opens for no other tool and no other address."""
    return f"{tool}\n{address}"
