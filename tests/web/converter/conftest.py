"""Samples that mpxj wrote, read and converted, all in one Java process; and what is said where real MPP files are not."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.web.importers.plans import REAL
from web.converter import missing

MPP = REAL / "mpp"
collect_ignore = [] if MPP.is_dir() else ["test_mpp.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore:
        terminalreporter.write_line(
            f"MPP PLANS NOT TRIED: {MPP} is not here, and nothing writes such files.", yellow=True
        )


@pytest.fixture(scope="session")
def java() -> None:
    if lacks := missing():
        pytest.skip(f"no converting: {lacks}")


@pytest.fixture(scope="session")
def samples(java: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder with the samples, and what mpxj says of each beside what converting it gave."""
    folder = tmp_path_factory.mktemp("samples")
    mpp = [str(path) for path in sorted(MPP.glob("*.mpp"))] if MPP.is_dir() else []
    command = [sys.executable, "-m", "tests.web.converter.samples", str(folder), *mpp]
    done = subprocess.run(command, capture_output=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return folder, json.loads(done.stdout)
