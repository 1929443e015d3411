"""Fixtures every test may use, and the rule on skips: loud anywhere, a failure under CI."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import projections.installation.folder
from tests import postgres

ON_POSTGRES = os.environ.get("TEST_ON") == "postgres"
_cluster = contextlib.ExitStack()


def pytest_configure() -> None:
    """With TEST_ON=postgres every folder a test opens is a database of a server of our own."""
    if ON_POSTGRES:
        server = _cluster.enter_context(postgres.running())
        postgres.prepared(server.url())
        projections.installation.folder.Folder = lambda folder: postgres.of_folder(server.url(), folder)  # type: ignore[assignment,misc]


def pytest_unconfigure() -> None:
    """Stop the server and remove it."""
    _cluster.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Any]:
    """An empty installation."""
    from tests.world import World

    made = World(tmp_path / "data")
    yield made
    made.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Under CI=true a skipped test has failed: something that should be there is missing."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = (
            f"skipped under CI=true: {report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr}"
        )
