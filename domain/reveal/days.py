"""Which day has to be recorded as over, so that dates which passed without being met are told as overdue.

Rule: a day is recorded when a date in it has passed: as the plan has it, or as some share was told it, at the level of
its terms and while changes wait for review. The event judges nothing; `policy` judges what each share was told.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from domain.agreement.terms import Terms
from domain.plan.milestones import Milestone
from domain.plan.project import Project
from domain.reveal.holding import Holds
from domain.reveal.levels import end_of


def day_to_end(project: Project, told: Iterable[tuple[Terms, Holds]], today: date) -> date | None:
    """Return the newest day before `today` in which a date has passed and that is not recorded as over; None for none.

    `told` has the terms and what waits of each share in force; `today` is the civil date in the project's zone.
    """
    schedule = project.schedule
    passed = (day for day in _dates(project, told) if day < today and not schedule.has_passed(day))
    return max(passed, default=None)


def _dates(project: Project, told: Iterable[tuple[Terms, Holds]]) -> Iterator[date]:
    """Yield the dates by which milestones that are not met become overdue for somebody."""
    agreed, shares = project.schedule.agreed, list(told)
    for m in project.schedule.milestones.values():
        if m.actual is None:
            yield m.forecast
        for terms, holds in shares:
            held = holds.held.get(f"milestone-{m.id}")
            shown, known = m, agreed
            if held is not None and held.milestone is not None and held.schedule is not None:
                shown, known = held.milestone, held.schedule.agreed
            if shown.actual is None:
                yield from (end_of(day, terms.date_unit) for day in _told(shown, known.get(m.id)))


def _told(milestone: Milestone, baseline: date | None) -> Iterator[date]:
    yield milestone.forecast
    if baseline is not None:
        yield baseline
