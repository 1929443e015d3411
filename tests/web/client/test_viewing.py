"""What can be reached from `Viewing` by its annotations belongs to no project: contracts cannot see through an object."""

import inspect
import typing
from collections.abc import Iterator
from types import FunctionType, UnionType
from typing import Any, Protocol

import msgspec
import pytest

import domain.plan
import projections.events
import web.process
from domain.plan.project import Project
from web.client.viewing import Viewing
from web.process.rights import Viewed
from web.process.services import Services

pytestmark = pytest.mark.once

OURS = ("domain.", "projections.", "web.", "tests.")  # and the mistakes below
CLOSED = tuple(f"{package.__name__}." for package in (domain.plan, projections.events, web.process))


def closed(cls: type) -> bool:
    return f"{cls.__module__}.".startswith(CLOSED)


def hints(of: object) -> dict[str, Any]:
    """The annotations of a class or function; a name known to type checkers alone is looked up where it is defined."""
    return typing.get_type_hints(of, include_extras=True)


def within(hint: Any) -> Iterator[type]:
    """Classes named by an annotation, inside unions, containers and callables as well."""
    if isinstance(hint, type) and not isinstance(hint, UnionType):
        yield hint
    if isinstance(hint, list | tuple):
        for inner in hint:
            yield from within(inner)
    for inner in typing.get_args(hint):
        yield from within(inner)


def annotated(cls: type) -> Iterator[tuple[str, Any]]:
    """Every annotation of a class: its fields, its properties, what its methods take and return."""
    for base in cls.__mro__:
        if not base.__module__.startswith(OURS):
            continue
        yield from hints(base).items()
        for name, member in vars(base).items():
            function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
            if isinstance(function, FunctionType):
                yield from ((f"{name}.{part}", hint) for part, hint in hints(inspect.unwrap(function)).items())


def reached(start: type) -> dict[type, str]:
    """Every class of ours that annotations lead to, with the way there."""
    ways = {start: start.__name__}
    waiting = [start]
    while waiting:
        cls = waiting.pop()
        for name, hint in annotated(cls):
            for found in within(hint):
                if found.__module__.startswith(OURS) and found not in ways:
                    ways[found] = f"{ways[cls]}.{name}"
                    waiting += [] if closed(found) else [found]
    return ways


def leaks(start: type) -> list[str]:
    """The ways by which a project, the events or our services can be reached."""
    return [way for cls, way in reached(start).items() if closed(cls)]


def test_no_annotation_leads_from_viewing_to_a_project() -> None:
    assert len(reached(Viewing)) > 20  # it does walk
    assert leaks(Viewing) == []


class WithProject(Viewing, Protocol):
    """A mistake: a client's pages would hold the project."""

    @property
    def project(self) -> Project | None: ...


class Deep(msgspec.Struct):
    """A mistake two steps away."""

    later: dict[str, list[Services]]


class WithServices(Viewing, Protocol):
    def peek(self) -> Deep: ...


@pytest.mark.parametrize("mistake", [WithProject, WithServices])
def test_the_walk_notices_a_project_and_services(mistake: type) -> None:
    assert leaks(mistake)


def test_the_process_hands_in_all_that_viewing_promises() -> None:
    promised = {name for name in vars(Viewing) if not name.startswith("_")}
    assert promised <= set(vars(Viewed))
