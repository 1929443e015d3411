"""Fixtures every test may use, and the rule on skips: loud anywhere, a failure under CI."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty installation."""
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
