"""Fixtures every test may use, and three rules: on skips, on what runs once, and where files lie.

A skip is loud anywhere and a failure under CI. A test that is marked `once` opens no folder: what it checks is the same
on every database.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projections.installation import database
from projections.installation import folder as installation
from tests import postgres, recorded, scratch

ON_POSTGRES = os.environ.get("TEST_ON") == "postgres"
# What takes longest of each part of the suite; where one is renamed, the suite takes longer and that is all.
LONGEST = (
    "tests/stories/test_no_500.py::test_no_input_gives_a_500",
    "tests/journeys/test_answers.py::test_a_client_scores_raises_and_acknowledges_while_its_manager_watches_and_answers",
    "tests/journeys/test_overflow.py::test_nothing_is_out_of_reach",
    "tests/journeys/test_pages.py::test_pages_are_accessible_and_fit",
    "tests/journeys/test_as_seen.py::test_as_seen_equals_seen",
    "tests/properties/test_noninterference.py::test_a_seeded_leak_is_noticed",
    "tests/services/test_postgres.py::test_a_process_ends_in_time_though_its_database_is_away",
    "tests/services/test_postgres.py::test_prepare_serve_export_and_verify_on_postgres",
    "tests/stories/test_cross_share.py::test_a_viewer_cannot_tell_what_is_not_theirs_from_what_is_not",
    "tests/stories/test_cross_share.py::test_who_is_not_signed_in_is_asked_to_whatever_there_is",
)
_cluster = contextlib.ExitStack()
_opened: list[Path] = []  # by the test under way
_for_nothing: list[str] = []  # tests that ran on Postgres and opened no folder
_scratch = scratch.settle()
_folders: postgres.Folders | None = None


def pytest_configure(config: pytest.Config) -> None:
    """With TEST_ON=postgres every folder a test opens is a database of a server of our own."""
    if config.getoption("numprocesses", None):
        return  # the tests run in other processes
    global _folders  # noqa: PLW0603  # one server for the process
    if ON_POSTGRES:
        server = _cluster.enter_context(postgres.running())
        postgres.prepared(server.url())
        _folders = folders = _cluster.enter_context(contextlib.closing(postgres.Folders(server.url())))
        database.POOL = 1  # as many at most, but not four connections for every test
        recorded.copy = folders.copy
        installation.Folder = lambda folder: _noted(folder) or folders.open(folder)  # type: ignore[assignment,misc]
    else:
        _note_folders()


def _noted(folder: Path) -> None:
    _opened.append(folder)


def _note_folders() -> None:
    made = installation.Folder.__init__

    def noting(self: installation.Folder, folder: Path) -> None:
        _noted(folder)
        made(self, folder)

    installation.Folder.__init__ = noting  # type: ignore[method-assign]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes longest begin first, so that one process is not left with it while the others have nothing to do."""
    order = {name: place for place, name in enumerate(LONGEST)}
    last = len(order)
    items.sort(key=lambda item: order.get(item.nodeid.partition("[")[0], last))


def pytest_unconfigure() -> None:
    """Stop the server and remove it, and what was recorded."""
    _cluster.close()
    recorded.forget()


def pytest_report_header() -> str:
    """Say where files lie: on a disk the suite takes longer."""
    return _scratch


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Any]:
    """An empty installation."""
    from tests.world import World

    made = World(tmp_path / "data")
    yield made
    made.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Forget the folders of the test before."""
    _opened.clear()
    return (yield)  # type: ignore[return-value]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Fail what was skipped under CI=true, where something that should be there is missing; and what is marked wrongly."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = (
            f"skipped under CI=true: {report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr}"
        )
    if report.when == "teardown" and _folders is not None and (path := item.funcargs.get("tmp_path")):  # type: ignore[attr-defined]
        _folders.drop(path)
    once = item.get_closest_marker("once") is not None
    report.for_nothing = ON_POSTGRES and report.when == "teardown" and not _opened and not once
    if report.when == "teardown" and report.passed and _opened and once:
        report.outcome = "failed"
        report.longrepr = f"marked once, but it opened {_opened[0]}: on another database it may go otherwise"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect what ran on Postgres for nothing, also in other processes."""
    if getattr(report, "for_nothing", False):
        _for_nothing.append(report.nodeid)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name what ran on Postgres for nothing."""
    if _for_nothing:
        terminalreporter.section("opened no folder: mark them once")
        for name in _for_nothing:
            terminalreporter.write_line(name)
