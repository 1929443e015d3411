"""The files a stranger deploys with: the compose file, the image, the proxy; the proxy run for real."""

import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fleet import Fleet, eventually
from tests.journeys.conftest import chromium  # noqa: F401  # a fixture
from tests.ports import free_port
from tests.world import SHARE
from web.cli.main import parser
from web.settings import Settings, variable

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The compose file as Compose itself understands it."""
    folder = tmp_path_factory.mktemp("deploy")
    for name in ("docker-compose.yml", "deploy", "Dockerfile"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    made = subprocess.run(["sh", "deploy/secrets"], cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert made.returncode == 0, made.stderr
    environment = os.environ | {"FANLIGHT_SITE": "status.example.test"}
    for program in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(program[0]) is None:
            continue
        if subprocess.run([*program, "version"], capture_output=True, timeout=30, check=False).returncode == 0:
            done = subprocess.run(
                [*program, "config"], cwd=folder, capture_output=True, text=True, timeout=60, check=False, env=environment
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            found: dict[str, Any] = yaml.safe_load(done.stdout)
            return found
    pytest.skip("no Compose to check docker-compose.yml with: apt-get install docker-compose")


OURS = ("worker-1", "worker-2", "worker-3", "follower-1", "follower-2", "migrate")


def test_every_role_is_there_and_ours_run_with_nothing_they_do_not_need(composed: dict[str, Any]) -> None:
    services = composed["services"]
    assert set(services) == {*OURS, "proxy", "postgres", "redis"}
    for name in OURS:
        assert services[name]["read_only"], name
        assert services[name]["cap_drop"] == ["ALL"], name
        assert "ports" not in services[name], name
    published = [name for name, service in services.items() if service.get("ports")]
    assert published == ["proxy"]
    for name in ("postgres", "redis"):
        assert list(services[name]["networks"]) == ["inside"], name
    assert composed["networks"]["inside"]["internal"]
    assert all(services[name].get("healthcheck") for name in ("worker-1", "follower-1", "postgres"))


def test_the_workers_hold_no_right_to_change_what_is_recorded(composed: dict[str, Any]) -> None:
    for name, service in composed["services"].items():
        given = {one["source"] for one in service.get("secrets", [])}
        assert ("owner_url" in given) == (name == "migrate"), name
        assert not any(
            "password" in str(value) for value in (service.get("environment") or {}).values() if name in OURS
        )


def test_every_setting_and_command_in_the_compose_file_is_one_of_ours(composed: dict[str, Any]) -> None:
    known = {variable(name) for name in Settings.__struct_fields__}
    for name in OURS:
        service = composed["services"][name]
        for setting in service["environment"]:
            assert setting.removesuffix("_FILE") in known, setting
        words = service["command"]
        parser().parse_args(words if isinstance(words, list) else words.split())


def test_the_image_copies_only_what_it_runs_and_runs_as_nobody() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "USER fanlight" in text
    assert "--require-hashes" in text
    for name in ("pytest", "playwright", "ruff"):
        assert f"\n{name}==" not in (ROOT / "requirements.run.lock").read_text()
    for line in text.splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source


class Proxy:
    """Caddy with deploy/Caddyfile, on plain HTTP before workers on this machine."""

    def __init__(self, folder: Path, port: int, workers: list[int]) -> None:
        program = shutil.which("caddy")
        if program is None:
            pytest.skip("no proxy to try deploy/Caddyfile with: apt-get install caddy")
        home = folder / "caddy"
        home.mkdir()
        environment = os.environ | {
            "FANLIGHT_SITE": f"http://127.0.0.1:{port}", "HOME": str(home), "XDG_DATA_HOME": str(home),
            "XDG_CONFIG_HOME": str(home), "FANLIGHT_WORKERS": " ".join(f"127.0.0.1:{one}" for one in workers),
        }  # fmt: skip
        with (folder / "caddy.log").open("w") as log:
            self.process = subprocess.Popen(
                [program, "run", "--config", ROOT / "deploy/Caddyfile", "--adapter", "caddyfile"],
                env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        self.url = f"http://127.0.0.1:{port}"
        eventually(lambda: self.status("/sign-in") == 200, what=(folder / "caddy.log").read_text()[-1500:])

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fleet, Proxy]]:
    path, port = tmp_path_factory.mktemp("behind"), free_port()
    fleet = Fleet(path, workers=2, followers=1, redis=False, origin=f"http://127.0.0.1:{port}")
    try:
        fleet.start()
        proxy = Proxy(path, port, [worker.port for worker in fleet.workers])
        try:
            yield fleet, proxy
        finally:
            proxy.stop()
    finally:
        fleet.close()


def test_the_proxy_keeps_the_operators_doors_to_itself(behind: tuple[Fleet, Proxy]) -> None:
    fleet, proxy = behind
    assert all(proxy.status(path) == 404 for path in ("/healthz", "/readyz", "/metrics"))
    assert fleet.workers[0].ask("/metrics")[0] == 200


def test_a_browser_behind_the_proxy_stays_live_through_a_rolling_restart(
    behind: tuple[Fleet, Proxy],
    chromium: Any,  # noqa: F811
) -> None:
    fleet, proxy = behind
    context = chromium.new_context()
    context.add_cookies([{"name": "fanlight", "value": fleet.cookies[0], "url": proxy.url}])
    page = context.new_page()
    answers: list[int] = []
    page.on("response", lambda response: answers.append(response.status))
    page.goto(f"{proxy.url}/s/{SHARE}")
    state = lambda: page.evaluate("document.documentElement?.dataset.state")  # noqa: E731
    number = lambda: int(page.evaluate("document.getElementById('feed').dataset.n"))  # noqa: E731
    eventually(lambda: state() == "live", what="live")
    states = set()
    for worker in fleet.workers:
        worker.signal(signal.SIGTERM)
        assert worker.popen is not None
        end = time.monotonic() + 30
        while worker.popen.poll() is None:
            states.add(state())
            page.reload()
            assert time.monotonic() < end
            time.sleep(0.2)
        assert worker.popen.poll() == 0
        worker.start()
        fleet.tell(fleet.change())
        head = fleet.heads()[str(SHARE)][0]
        eventually(lambda n=head: number() >= n, 20, "the update is on the page")
    assert states <= {"live", "reconnecting"}
    assert max(answers) < 400, answers
    context.close()
