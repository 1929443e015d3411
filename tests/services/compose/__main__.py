"""`make test-compose`: deploys as docs/operators.md says, on an engine of its own, and has everything there happen once.

The commands of its sections are run as they stand there, so what is tested is the document. Ends with 0 when all held,
and when there is no engine to run it on: it says so then, and under CI=true that is a failure.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fleet import Crowd, eventually
from tests.services.compose.engine import ROOT, enclosed, engine, fetch, missing
from tests.services.compose.installed import ALL, OURS, Installed, first_link
from tests.world import HARBOUR, SHARE

SITE = "status.localhost"  # a name for which the proxy makes its certificate itself
DASHBOARDS, MOST = 20, 600.0  # seconds for everything but what is fetched once
COPIED = ("docker-compose.yml", "Dockerfile", ".dockerignore", "deploy", "requirements.run.lock", "requirements.build.lock",
          "requirements.convert.lock",
          "pyproject.toml", "README.md", "LICENSE", "domain", "projections", "web")  # fmt: skip
MADE = ('type "stored_event_text" already exists', 'relation "fanlight.disclosure_position" does not exist')  # asked
# by the event store's library while migrate makes the tables, once
BLOCK = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)


def documented(heading: str) -> list[str]:
    """Return the blocks of commands below a heading, or a bold word, of docs/operators.md."""
    text = (ROOT / "docs/operators.md").read_text()
    _, found, after = text.partition(f"\n{heading}")
    assert found, f"docs/operators.md has no {heading!r}"
    section = re.split(r"^(?:#|\*\*)", after, maxsplit=1, flags=re.MULTILINE)[0]
    blocks = [block.replace("status.example.com", SITE) for block in BLOCK.findall(section)]
    assert blocks, f"no commands below {heading!r}"
    return blocks


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    print(f"  {what} ...", end=" ", flush=True)
    begun = time.monotonic()
    yield
    print(f"{time.monotonic() - begun:.0f} s", flush=True)


def deployed(folder: Path) -> Installed:
    """Do what the section says, in a copy of this checkout, and sign in by the link that it printed."""
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    done = subprocess.run(
        ["sh", "-euc", documented("## Deploying with Compose")[0]], cwd=folder, capture_output=True, text=True, check=False,
        timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    assert len(re.findall(r"^IMAGE_\w+=\S+@sha256:\w{64}$", (folder / ".env").read_text(), re.MULTILINE)) == 4
    site = Installed(folder, SITE)
    cookie = site.enter(first_link(done.stdout))
    with site.client(cookie) as browser:
        assert browser.get("/p").status_code == 200
    site.populate()
    return site


def served(site: Installed) -> None:
    """The proxy keeps the operator's doors to itself, and every process of ours writes lines of JSON."""
    with site.client() as browser:
        assert [browser.get(path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [404] * 3
        assert "alt-svc" not in browser.get("/sign-in").headers
    for service in OURS:
        assert all(line.startswith("{") and json.loads(line) for line in site.logged(service)), service
        assert site.inspected(service, "{{.HostConfig.LogConfig.Type}} {{.HostConfig.ReadonlyRootfs}}") == "local true"
    status, said = health(site)
    assert (status, said["hints"]) == (200, "heard"), said


def health(site: Installed) -> tuple[int, dict[str, object]]:
    """Return what a worker says of the installation."""
    token = (site.folder / "secrets/operator_token").read_text().strip()
    asked = (
        "import urllib.request as u, urllib.error as e\n"
        f"q = u.Request('http://127.0.0.1:8000/healthz', headers={{'authorization': 'Bearer {token}'}})\n"
        "try: a = u.urlopen(q, timeout=5)\n"
        "except e.HTTPError as error: a = error\n"
        "print(a.status, a.read().decode())"
    )
    said = site.sh(f'docker compose exec -T worker-1 python -c "{asked}"')
    status, _sep, body = said.partition(" ")
    return int(status), json.loads(body)


def pushed(site: Installed, crowd: Crowd, changes: int) -> None:
    """Every change reaches every page, byte for byte what is recorded."""
    acknowledged = [site.tell(site.change()) for _ in range(changes)]
    record = site.log()
    record.check(acknowledged)
    crowd.check(record)


def reaching_out(site: Installed) -> None:
    """A worker is on a network that leads outside with deploy/outgoing.yml, and without it on none."""

    def networks() -> set[str]:
        return set(
            site.inspected("worker-1", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}").split()
        )

    one = "docker compose up --detach --no-deps --wait worker-1"
    assert networks() == {"fanlight_inside", "fanlight_front"}
    site.sh(f"COMPOSE_FILE=docker-compose.yml:deploy/outgoing.yml {one}")
    assert networks() == {"fanlight_inside", "fanlight_front", "fanlight_outgoing"}
    site.sh(one)
    assert networks() == {"fanlight_inside", "fanlight_front"}


def killed(site: Installed, crowd: Crowd) -> None:
    """Each service dies without warning, and comes back by itself; nothing acknowledged is lost."""
    for service in ALL:
        with step(f"kill {service}"):
            before = site.process(service)
            os.kill(before, signal.SIGKILL)
            acknowledged = [site.tell(site.change()) for _ in range(2)]
            eventually(lambda s=service, b=before: site.process(s) not in (0, b), 60, f"{service} is back")
            eventually(site.well, 90, f"everything is well after {service}")
            acknowledged.append(site.tell(site.change()))
            record = site.log()
            record.check(acknowledged)
            crowd.check(record)
    eventually(lambda: all(page.connected for page in crowd.pages), 60, "everybody connected")


def updated(site: Installed) -> None:
    """Another version takes over one process after the other, while no page fails; then the way back."""
    template = site.folder / "web/templates/sign_in.html"
    template.write_text(template.read_text().replace("<main ", "<!-- another version --><main ", 1))
    replace, others, back = documented("### Updating")
    answers: list[str] = []
    images = {service: site.inspected(service, "{{.Image}}") for service in OURS}
    with step("update one service after the other"), site.looking(answers):
        site.sh(replace)
    now = {service: site.inspected(service, "{{.Image}}") for service in OURS}
    assert all(now[service] != images[service] for service in OURS)
    failed = Counter(answer for answer in answers if answer != "200")
    assert len(answers) > 50
    assert not failed, f"of {len(answers)} pages {failed}"
    print(f"    {len(answers)} pages, none failed")
    with step("the others follow"):
        site.sh(others)
    with step("the way back"), site.looking(answers):
        site.sh(back)
    assert {service: site.inspected(service, "{{.Image}}") for service in OURS} == images
    assert not Counter(answer for answer in answers if answer != "200")


def without_postgres(site: Installed) -> None:
    """The proxy says so in words, and everything can be stopped in good order."""
    with step("stop Postgres"):
        site.sh("docker compose stop postgres")
        with site.client() as browser:
            eventually(lambda: browser.get("/sign-in").status_code == 503, 60, "the proxy's own page")
            answer = browser.get("/sign-in")
        assert answer.headers["retry-after"] == "10"
        assert "Reload this page" in answer.text
    begun = time.monotonic()
    with step("stop the others without it"):
        site.sh(f"docker compose stop {' '.join(OURS)}")
    assert time.monotonic() - begun < 16, "they are told to drain for 10 seconds"
    assert {service: site.inspected(service, "{{.State.ExitCode}}") for service in OURS} == dict.fromkeys(OURS, "0")
    with step("start again"):
        site.sh("docker compose up --detach --wait")
        eventually(site.well, 60, "everything is well")


def restored(site: Installed, crowd: Crowd) -> None:
    """A backup as documented; what came after it is lost; the restore as documented, and nothing means two things."""

    def key() -> str:
        with site.client() as browser:
            return browser.get("/key.txt").text

    before = key()
    with step("back up"):
        site.sh(documented("**A database**, with Compose")[0])
        files = sorted(
            str(path.relative_to(site.folder)) for kind in ("logs", "keys") for path in (site.folder / kind).iterdir()
        )
        assert len(files) == 3
        assert all((site.folder / file).stat().st_mode & 0o777 == 0o600 for file in files)
    with step("lose what came after it"):
        pushed(site, crowd, 3)
        lost = site.heads()[str(SHARE)][0]
    commands = documented("**To restore with Compose**")[0].splitlines()
    at = Path(next(file for file in files if file.startswith("logs/"))).stem
    with step("restore the dumps, without the key"):
        here = next(i for i, line in enumerate(commands) if "signing.key" in line)
        site.sh(f"at={at}\n" + "\n".join(commands[:here]))
        site.sh(commands[here + 1])
        refused = subprocess.run(
            "docker compose run --rm --no-deps -T worker-1", shell=True, cwd=site.folder, capture_output=True, text=True,
            check=False, timeout=60,
        )  # fmt: skip
        assert refused.returncode == 2, refused.stderr
        assert "fanlight key lost" in refused.stderr
        assert "Traceback" not in refused.stderr
    with step("restore the key, and serve"):
        said = site.sh(f"at={at}\n" + "\n".join([commands[here], *commands[here + 2 :]]))
        assert "holds" in said, said
    assert key() == before
    with step("every page starts over"):
        crowd.check(site.log(), 120)
        assert all(page.resets for page in crowd.pages)
        assert site.heads()[str(SHARE)][0] > lost
        acknowledged = [site.tell(site.change()) for _ in range(2)]
        record = site.log()
        assert set(acknowledged) <= set(record.commands)
        crowd.check(record)


def converted(site: Installed) -> None:
    """A converter is added as documented; a worker hands it a plan of another tool, and it can do nothing else."""
    with step("build and start a converter"):
        site.sh(documented("### A converter with Compose")[0])
        eventually(site.well, 60, "everything is well beside the converter")
    host = "{{.HostConfig.NetworkMode}} {{.HostConfig.ReadonlyRootfs}} {{.Config.User}} {{.State.Health.Status}}"
    assert site.inspected("converter", host) == "none true fanlight healthy"
    with step("convert a plan of Primavera P6"):
        put = f"docker compose exec -T worker-1 sh -c 'cat > /spool/plan.xer' < {Path(__file__).with_name('plan.xer')}"
        said = site.sh(
            f"{put}; docker compose exec -T worker-1 fanlight import /spool/plan.xer --project {HARBOUR} 2>&1"
        )
    assert "Converted from Primavera P6 (XER) by mpxj" in said, said
    assert "Berth ready" in said, said


def logged(site: Installed) -> None:
    """What an operator reads as an error is one."""
    errors = Counter(line.partition("ERROR:")[2].strip() for line in site.logged("postgres") if "ERROR:" in line)
    assert not [error for error in errors if not error.startswith(MADE)], errors
    for service in OURS:
        assert not [line for line in site.logged(service) if "Exception in ASGI" in line], service


def story(home: Path) -> None:
    """Everything, in turn."""
    with step("build and start as documented"):
        site = deployed(home / "fanlight")
    with step("look around"):
        served(site)
    with step("a way out"):
        reaching_out(site)
    with Crowd(site, DASHBOARDS) as crowd:
        with step(f"push to {DASHBOARDS} dashboards"):
            pushed(site, crowd, 20)
        logged(site)
        print(f"    {connections(site)} connections to Postgres")
        killed(site, crowd)
        updated(site)
        converted(site)
        pushed(site, crowd, 3)
        without_postgres(site)
        restored(site, crowd)
        logged(site)
    with step("take everything down"):
        site.sh("docker compose down --volumes --timeout 5")


def connections(site: Installed) -> dict[str, int]:
    """Return how many connections there are, by who holds them."""
    text = "SELECT client_addr || ' ' || count(*) FROM pg_stat_activity WHERE usename = 'fanlight' GROUP BY client_addr"
    said = site.sh(
        f'docker compose exec -T postgres psql --username owner --dbname fanlight --tuples-only --command "{text}"'
    )
    return {line.split()[0]: int(line.split()[1]) for line in said.splitlines() if line.strip()}


def main() -> int:
    """Run it, or say why not; return the exit code."""
    if why := missing():
        print(f"SKIPPED: make test-compose did not run: {why}")
        return 1 if os.environ.get("CI") == "true" else 0
    if sys.argv[1:] != ["inside"]:
        fetch()
        return enclosed("inside")
    begun = time.monotonic()
    with step("engine and stand-ins"):
        opened = engine(SITE)
        home = opened.__enter__()
    try:
        story(home)
        took = time.monotonic() - begun
    except BaseException:
        print("\n" + (home / "log").read_text()[-1500:])
        for service in (*ALL, "converter") if (home / "fanlight").exists() else ():
            said = subprocess.run(
                f"docker compose logs --tail 15 {service}", shell=True, cwd=home / "fanlight", capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            print(said.stdout[-3000:])
        raise
    finally:
        opened.__exit__(None, None, None)
    slow = "" if took < MOST else f", longer than {MOST:.0f} s; the load of this machine is {os.getloadavg()[0]:.0f}"
    print(f"1 passed, 0 failed\nEverything held, in {took:.0f} s{slow}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
