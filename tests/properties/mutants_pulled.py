"""Seeded leaks of sources: what they bring, what of it nobody took, what they are called, and that they fail."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from domain.agreement.share import Share
from domain.plan.milestones import Milestone
from domain.plan.project import Project
from domain.plan.sources.source import Pull, Source
from domain.reveal import policy
from tests.properties.leaking import Mutant, replace, scope


def _sources(words: Callable[[Source], object]) -> Mutant:
    return scope(lambda project: [words(source) for source in project.sources.values()])


def _pulls(words: Callable[[Pull], object]) -> Mutant:
    return _sources(lambda source: [words(pull) for pull in source.pulls])


def _not_taken(pull: Pull, outcome: str) -> list[str]:
    return [one.line.after for one in pull.lines if one.outcome == outcome]


def _row(change: Callable[[Any, Project, Milestone], Any]) -> Mutant:
    """`change(row, project, milestone)` has the last word on every milestone."""
    sound = policy._row

    def leaky(project: Project, terms: Any, m: Milestone, share: Share) -> Any:
        return change(sound(project, terms, m, share), project, m)

    return lambda: patch.object(policy, "_row", leaky)


def _named_by_its_source(row: Any, project: Project, m: Milestone) -> Any:
    """The line that proposes another title waits, and the client reads that title already."""
    titles = [
        one.line.after
        for source in project.sources.values()
        for pull in source.pulls
        for one in pull.lines
        if one.line.kind == "described" and m.id == "m2"
    ]
    return replace(row, title=titles[-1]) if titles else row


def _dated_by_its_source(row: Any, project: Project, m: Milestone) -> Any:
    """A forecast that waits for a person is shown as if it were taken, where a forecast is shown at all."""
    waits = [
        command.forecast
        for source in project.sources.values()
        for one in source.waits
        for command in one.line.commands
        if getattr(command, "milestone", "") == m.id and hasattr(command, "forecast")
    ]
    return replace(row, forecast=waits[-1]) if waits and row.forecast is not None else row


def _confirmed_for_everybody() -> AbstractContextManager[object]:
    """A share that tells no confirmation says when a source confirmed the plan."""

    def leaky(project: Project, _share: Share) -> Any:
        return max((s.confirmed_at for s in project.sources.values() if s.confirmed_at is not None), default=None)

    return patch.object(policy, "_plan_confirmed", leaky)


def _origins(project: Project) -> Iterator[object]:
    for key, fields in project.origins.of.items():
        yield key, sorted((field, origin.source, origin.pull) for field, origin in fields.items())


PULLED: dict[str, Mutant] = {
    "a value that a source brought and that waits": _row(_dated_by_its_source),
    "a milestone that the rules of a source leave aside": _pulls(lambda pull: _not_taken(pull, "ignored")),
    "the name of a source": _sources(lambda source: source.name),
    "why a source fails": _sources(lambda source: source.failure and source.failure.why),
    "confirmed by a source, where no confirmation is shared": _confirmed_for_everybody,
    "a title that a source proposes": _row(_named_by_its_source),
    "from which source and pull a value comes": scope(lambda project: list(_origins(project))),
    "when a source was pulled last": _sources(lambda source: source.last and source.last.at),
    "what a pull noted, and its place in the tool": _pulls(lambda pull: (pull.notes, pull.cursor)),
    "that a pull was put back": _pulls(lambda pull: pull.put_back),
    "until when a tool asked not to be asked": _sources(lambda source: source.failure and source.failure.not_before),
    "the id that a milestone has at its source": _row(
        lambda row, _project, m: replace(row, id=f"{row.id} {m.source_id}")
    ),
    "how a milestone that nobody shares stood before the record": scope(
        lambda project: [
            move.as_of for m in project.schedule.milestones.values() for move in m.moves if not m.details.client_facing
        ]
    ),
}
NOW_AND_THEN = frozenset(list(PULLED)[6:])  # in make test-slow alone; of the first six each makes its own mistake
