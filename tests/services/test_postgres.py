"""The real commands against a real Postgres: prepare, serve as the role that may only append, and be refused twice."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.installation.database import Database
from tests import postgres
from tests.fleet import eventually, fleet
from tests.postgres import Cluster, create
from tests.world import SHARE, World
from web.render.page import Renderer

pytestmark = pytest.mark.folder  # it has databases and folders of its own


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with postgres.running() as made:
        made.execute("CREATE ROLE app LOGIN")
        create(made.url(), "fanlight")
        yield made


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "web.cli", *(str(a) for a in arguments)]


def fanlight(*arguments: object) -> "subprocess.CompletedProcess[str]":
    clean = {k: v for k, v in os.environ.items() if not k.startswith("FANLIGHT_")}
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=90, check=False, env=clean)


def test_prepare_serve_export_and_verify_on_postgres(
    server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, app = server.url("fanlight"), server.url("fanlight", "app")
    told = ("--database-url", app, "--data", tmp_path)
    unprepared = fanlight("user", "list", *told)
    assert unprepared.returncode == 2
    assert "fanlight migrate" in unprepared.stderr or "permission denied" in unprepared.stderr
    keyless = fanlight("migrate", "--database-url", owner, "--role", "app", "--data", tmp_path / "elsewhere")
    assert keyless.returncode == 0, keyless.stderr
    assert "role app may append and read" in keyless.stdout
    assert f"{tmp_path / 'elsewhere' / 'signing.key'}: made" in keyless.stdout
    without = fanlight("serve", *told, "--port", "0")
    assert (without.returncode, "fanlight migrate makes it, once" in without.stderr) == (2, True)
    shutil.copy(tmp_path / "elsewhere" / "signing.key", tmp_path / "signing.key")
    again = fanlight("migrate", "--database-url", owner, "--role", "app", "--data", tmp_path)
    assert (again.returncode, "made" in again.stdout) == (0, False)
    monkeypatch.setattr("tests.world.Folder", lambda _path: Database(app))
    world = World(tmp_path, Renderer())
    world.harbour()
    world.close()
    serving = subprocess.Popen(command("serve", *told, "--port", "0"), stdout=subprocess.PIPE, text=True)
    try:
        assert serving.stdout is not None
        line = serving.stdout.readline()
        found = re.search(r"Fanlight is at (\S+)  \(data in database fanlight at 127.0.0.1", line)
        assert found, line
        assert b'"ok":true' in _answer(f"{found[1]}/healthz")
    finally:
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(30) == 0
    out = tmp_path / "bundle.zip"
    assert fanlight("export", SHARE, *told, "--out", out).returncode == 0
    assert fanlight("verify", out).returncode == 0
    stored = fanlight("verify", *told)
    assert stored.returncode == 0, stored.stderr
    assert "Everything in database fanlight" in stored.stdout
    recomputed = fanlight("shadow", SHARE, *told)
    assert recomputed.returncode == 0, recomputed.stdout
    assert "the same, byte for byte" in recomputed.stdout


def test_preparing_twice_at_once_prepares_once_and_makes_one_key(server: Cluster, tmp_path: Path) -> None:
    owner = create(server.url(), "hurried")
    told = command("migrate", "--database-url", owner, "--role", "app", "--data", tmp_path)
    racing = [subprocess.Popen(told, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate(timeout=90) for process in racing]
    assert [process.returncode for process in racing] == [0, 0, 0], said
    assert sum("as before" not in out for out, _err in said) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["signing.key"]


@pytest.mark.slow
def test_a_process_ends_in_time_though_its_database_is_away(tmp_path: Path) -> None:
    with fleet(tmp_path, workers=1, redis=False) as installation:
        worker = installation.workers[0]
        installation.cluster.stop("immediate")
        eventually(lambda: not worker.ready, what="not ready")
        begun = time.monotonic()
        assert worker.stop(60) == 0
        assert time.monotonic() - begun < 15


def _answer(url: str) -> bytes:
    end = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bytes(answer.read())
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_an_address_that_is_none_of_postgres_is_refused_with_an_example(tmp_path: Path) -> None:
    done = fanlight("serve", "--data", tmp_path, "--database-url", "mysql://db/x")
    assert done.returncode == 2
    assert "has to begin with postgresql://" in done.stderr
    assert fanlight("migrate").returncode == 2
