"""The files a stranger deploys with: the compose file, the image, the proxy; the proxy run for real."""

import json
import os
import re
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
    return understood(tmp_path_factory.mktemp("deploy"))


def understood(folder: Path, *more: str) -> dict[str, Any]:
    """Return what Compose makes of docker-compose.yml and of `more` files, in a folder that holds all it names."""
    for name in ("docker-compose.yml", "deploy", "Dockerfile"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    made = subprocess.run(["sh", "deploy/secrets"], cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert made.returncode == 0, made.stderr
    environment = os.environ | {"SITE": "status.example.test"}
    for program in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(program[0]) is None:
            continue
        if subprocess.run([*program, "version"], capture_output=True, timeout=30, check=False).returncode == 0:
            done = subprocess.run(
                [*program, "-f", "docker-compose.yml", *more, "config"], cwd=folder, capture_output=True, text=True, timeout=60, check=False, env=environment
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            found: dict[str, Any] = yaml.safe_load(done.stdout)
            if "--profile" not in more:  # some versions list what nobody asked for
                found["services"] = {k: v for k, v in found["services"].items() if not v.get("profiles")}
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


def test_every_service_is_bounded_and_holds_no_right_it_does_not_need(composed: dict[str, Any]) -> None:
    needs = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}  # until an entrypoint has become its user
    may = {"proxy": {"NET_BIND_SERVICE"}, "postgres": needs, "redis": needs}
    for name, service in composed["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert set(service.get("cap_add") or ()) <= may.get(name, set()), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["driver"] == "local", name  # json-file grows for ever
        assert service["pids_limit"] > 0, name
        assert str(service["mem_limit"]).rstrip("bkmg") not in ("", "0"), name
        assert all("size=" in one for one in service.get("tmpfs", []) if one.startswith("/tmp")), name


def test_the_converter_is_asked_for_and_has_neither_network_nor_secret(
    composed: dict[str, Any], tmp_path: Path
) -> None:
    assert "converter" not in composed["services"]
    asked = understood(tmp_path, "--profile", "convert")["services"]
    converter = asked["converter"]
    assert converter["network_mode"] == "none"
    assert not converter.get("secrets")
    assert "depends_on" not in converter
    assert [one.split(":")[1] if isinstance(one, str) else one["target"] for one in converter["volumes"]] == [
        "/converter"
    ]
    assert converter["read_only"]
    assert converter["cap_drop"] == ["ALL"]
    assert converter["security_opt"] == ["no-new-privileges:true"]
    assert converter["build"]["target"] == "converter"
    assert {one.removesuffix("_FILE") for one in converter["environment"]} <= {
        variable(one) for one in Settings.__struct_fields__
    }
    parser().parse_args(
        converter["command"] if isinstance(converter["command"], list) else converter["command"].split()
    )
    for name in ("worker-1", "follower-1"):
        assert any("/converter" in str(one) for one in asked[name]["volumes"]), name
    assert {name for name in asked if name not in composed["services"]} == {"converter"}


def test_redis_can_start_and_is_waited_for(composed: dict[str, Any]) -> None:
    """Its entrypoint refuses a working directory that it cannot write, and the image declares no volume any more."""
    redis = composed["services"]["redis"]
    assert any(one.startswith("/data") for one in redis["tmpfs"])
    assert redis["healthcheck"]["test"][:2] == ["CMD", "valkey-cli"]
    for name in OURS[:5]:
        assert composed["services"][name]["depends_on"]["redis"]["condition"] == "service_healthy", name


def test_services_can_be_updated_one_after_the_other_and_there_is_a_way_back(composed: dict[str, Any]) -> None:
    assert "depends_on" not in composed["services"]["proxy"]  # or it is made again with the worker it depends on
    assert {composed["services"][name]["image"] for name in OURS} == {"fanlight:latest"}
    assert "${VERSION:-latest}" in (ROOT / "docker-compose.yml").read_text()
    steps = (ROOT / "docs/operators.md").read_text()
    named = [name for name in OURS if name in steps.partition("### Updating")[2].partition("\n## ")[0]]
    assert named == list(OURS)


def test_what_is_pinned_is_what_is_used(composed: dict[str, Any]) -> None:
    pinned = dict(re.findall(r"([A-Z]+)=([\w/.-]+:[\w.-]+)", (ROOT / "deploy/pin").read_text()))
    assert {pinned["CADDY"], pinned["POSTGRES"], pinned["VALKEY"]} == {
        composed["services"][name]["image"] for name in ("proxy", "postgres", "redis")
    }
    text = (ROOT / "docker-compose.yml").read_text()
    assert all(f"${{IMAGE_{name}:-{image}}}" in text for name, image in pinned.items())
    assert f"ARG BASE={pinned['PYTHON']}" in (ROOT / "Dockerfile").read_text()
    assert [name for name, one in composed["services"].items() if one.get("build")] == ["migrate"]  # once for all


def test_nothing_of_ours_reaches_outside_unless_it_is_asked_for(composed: dict[str, Any], tmp_path: Path) -> None:
    inner = {name for name, network in composed["networks"].items() if (network or {}).get("internal")}
    for name in (*OURS, "postgres", "redis"):
        assert set(composed["services"][name]["networks"]) <= inner, name
    asked = understood(tmp_path, "-f", "deploy/outgoing.yml")["services"]
    for name in OURS[:5]:
        assert "outgoing" in asked[name]["networks"], name
        assert set(composed["services"][name]["networks"]) < set(asked[name]["networks"]), name
        settings, given = asked[name]["environment"], {one["source"] for one in asked[name]["secrets"]}
        assert {"smtp_url", "oidc_client_secret", "app_url"} <= given, name
        for secret in ("FANLIGHT_SMTP_URL", "FANLIGHT_OIDC_CLIENT_SECRET"):
            assert secret not in settings, name
            assert settings[f"{secret}_FILE"].startswith("/run/secrets/"), name
        assert {one.removesuffix("_FILE") for one in settings} <= {variable(one) for one in Settings.__struct_fields__}


def test_spooled_files_lie_on_a_disk_and_not_in_memory(composed: dict[str, Any]) -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert "TMPDIR=/spool" in text
    for name in OURS:
        mounted = [one["target"] if isinstance(one, dict) else one for one in composed["services"][name]["volumes"]]
        assert any("/spool" in one for one in mounted), name


def test_nothing_in_the_documents_sets_a_variable_that_stops_every_command() -> None:
    known = {variable(name) for name in Settings.__struct_fields__} | {
        f"{variable(name)}_FILE" for name in Settings.__struct_fields__
    }
    for path in ("docs/operators.md", "README.md", "docker-compose.yml", "deploy/Caddyfile", "Dockerfile"):
        found = set(re.findall(r"FANLIGHT_[A-Z_]+[A-Z]", (ROOT / path).read_text()))
        assert found <= known, path


def test_what_a_backup_and_a_deployment_leave_in_the_checkout_is_not_committed() -> None:
    for path in ("logs/2027.dump", "keys/2027.dump", "keys/signing.key", ".env", "secrets/owner_url"):
        done = subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False, timeout=30)
        assert done.returncode == 0, path
    text = (ROOT / "docs/operators.md").read_text()
    assert text.index("umask 077") < text.index("at=$(date -u +%Y%m%dT%H%M%SZ)") < text.index("pg_dump --username")
    for line in text.splitlines():
        assert "pg_dump --username" not in line or "/$at.dump" in line  # a second one on a day overwrites nothing


def test_whatever_the_image_installs_is_locked_with_hashes() -> None:
    text = (ROOT / "Dockerfile").read_text()
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
    built = (ROOT / "requirements.build.lock").read_text()
    assert "--hash=sha256:" in built
    pinned = re.search(r"^setuptools==\S+", built, re.MULTILINE)
    assert pinned
    assert pinned[0] in (ROOT / "requirements.lock").read_text()
    assert text.index("requirements.build.lock") < text.index("COPY domain")  # not again after every change
    assert "groupadd --system --gid 10001" in text
    assert "org.opencontainers.image.licenses" in text


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

    def __init__(self, folder: Path, port: int, workers: list[int], *, waits: bool = True) -> None:
        program = shutil.which("caddy")
        if program is None:
            pytest.skip("no proxy to try deploy/Caddyfile with: apt-get install caddy")
        home = folder / "caddy"
        home.mkdir()
        environment = os.environ | {
            "SITE": f"http://127.0.0.1:{port}", "HOME": str(home), "XDG_DATA_HOME": str(home),
            "XDG_CONFIG_HOME": str(home), "WORKERS": " ".join(f"127.0.0.1:{one}" for one in workers),
        }  # fmt: skip
        with (folder / "caddy.log").open("w") as log:
            self.process = subprocess.Popen(
                [program, "run", "--config", ROOT / "deploy/Caddyfile", "--adapter", "caddyfile"],
                env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        self.url = f"http://127.0.0.1:{port}"
        if waits:
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


def test_the_proxy_gives_up_half_requests_and_offers_nothing_that_is_not_published(tmp_path: Path) -> None:
    program = shutil.which("caddy")
    if program is None:
        pytest.skip("no proxy to try deploy/Caddyfile with: apt-get install caddy")
    told = [program, "adapt", "--config", str(ROOT / "deploy/Caddyfile"), "--adapter", "caddyfile"]
    done = subprocess.run(
        told, capture_output=True, text=True, timeout=60, check=False, env=os.environ | {"HOME": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    for server in json.loads(done.stdout)["apps"]["http"]["servers"].values():
        assert 0 < server["read_header_timeout"] <= 30e9  # nanoseconds
        assert server["read_timeout"] > 0
        assert server["idle_timeout"] > 0
        assert server["protocols"] == ["h1", "h2"]  # 443/udp is not published


def test_without_any_worker_the_proxy_says_so_in_a_sentence(tmp_path: Path) -> None:
    port = free_port()
    proxy = Proxy(tmp_path, port, [free_port()], waits=False)
    try:
        eventually(lambda: proxy.status("/healthz") == 404, what="the proxy")
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(proxy.url + "/sign-in", timeout=30)
        assert answer.value.code in (502, 503)
        assert answer.value.headers["retry-after"] == "10"
        assert "Reload this page" in answer.value.read().decode()
    finally:
        proxy.stop()


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


def test_an_environment_stays_where_it_was_made() -> None:
    """The first line of each of its programs names its Python by path."""
    text = (ROOT / "Dockerfile").read_text()
    made = re.findall(r"^RUN python -m venv (\S+)", text, re.MULTILINE)
    copied = re.findall(r"^COPY --from=\S+ (/opt/\S+) (\S+)$", text, re.MULTILINE)
    assert sorted(made) == sorted(start for start, _end in copied)
    assert all(start == end and text.count(f"PATH={end}/bin:") == 1 for start, end in copied)
