"""Where the real plans are not (they are no part of the repository), their tests are left out and the summary says so."""

import pytest

from tests.web.importers.plans import REAL

collect_ignore = [] if REAL.is_dir() else ["test_real_plans.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore:
        terminalreporter.write_line(
            f"REAL PLANS NOT TRIED: {REAL} is not here; only plans of our own were read.", yellow=True
        )
