"""Dates that are not likely to be meant: far from all others of a project, moved far, or moved past another one.

Most often a year was mistyped, 2019 for 2027. The rule for a date. A date is far when
 1. it lies more than 180 days before the oldest date of the project, or
 2. it cannot be reached from the dates of the project in steps of at most two years (731 days) over the dates that
    are given together with it: a plan of spend that goes on for ten years, period by period, is not far.
Today counts as a date of the project. A move is far when it is of more than 180 days. A date is moved past another one
when one of the two was before the other and is after it now. All of it may well be meant, so it is asked about once and
never refused.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from typing import TypeVar

from domain.plan.project import Project

STEP = timedelta(days=731)
BEFORE = timedelta(days=180)
MOVE = timedelta(days=180)
Key = TypeVar("Key", bound=str)


def far(given: Collection[date], known: Collection[date]) -> frozenset[date]:
    """Return those of the dates given together that are far from the known ones, of which there is at least one."""
    unreached = frozenset(given)
    border = frozenset(known)
    while border:
        border = frozenset(day for day in unreached if any(abs(day - other) <= STEP for other in border))
        unreached -= border
    oldest = min(known)
    return unreached | frozenset(day for day in given if oldest - day > BEFORE)


def apart(given: Collection[date], known: Collection[date]) -> frozenset[date]:
    """Return those of the dates of a file that neither the known dates nor most dates of the file are near to.

    Near means reached in steps of at most two years. A file may bring the whole past of a project with it, so the first
    part of the rule does not hold here.
    """
    clusters: list[list[date]] = []
    for day in sorted({*given, *known}):
        if clusters and day - clusters[-1][-1] <= STEP:
            clusters[-1].append(day)
        else:
            clusters.append([day])
    here = frozenset(known)
    return frozenset(day for one in clusters if here.isdisjoint(one) and not _most(one, given) for day in one)


def _most(cluster: Collection[date], given: Collection[date]) -> bool:
    return 2 * sum(day in cluster for day in given) > len(given)


def passed(before: Mapping[Key, date], after: Mapping[Key, date]) -> dict[Key, Key]:
    """Return which of the dates that were moved passed another one, with the nearest of those it passed.

    Of two moved ones that change places it is the one that was moved further.
    """
    common = [key for key in before if key in after]
    size = {key: abs(after[key] - before[key]) for key in common}
    found: dict[Key, Key] = {}
    for key in common:
        if not size[key]:
            continue
        others = [
            one
            for one in common
            if (size[one], one) < (size[key], key)
            and (before[one] - before[key]).days * (after[one] - after[key]).days < 0
        ]
        if others:
            found[key] = min(others, key=lambda one: (abs(before[one] - before[key]), one))
    return found


def dates_of(project: Project, today: date) -> frozenset[date]:
    """Return every date of a project's schedule and budget, and today."""
    return frozenset((today, *_of_schedule(project), *_of_budget(project)))


def _of_schedule(project: Project) -> Iterator[date]:
    for m in project.schedule.milestones.values():
        yield m.forecast
        yield from (d for d in (m.actual, m.accepted_on, m.details.deadline, m.details.client_action_due) if d)
    for baseline in project.schedule.baselines:
        yield baseline.on
        yield from baseline.dates.values()
    if project.schedule.data_date is not None:
        yield project.schedule.data_date


def _of_budget(project: Project) -> Iterator[date]:
    for account in project.budget.accounts.values():
        yield from (point.on for point in account.planned)
        yield from (one.status_date for one in account.measurements)
        yield from (one.status_date for one in account.forecasts)
