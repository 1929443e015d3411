"""The installation that Compose runs, as people and their pages reach it: by its proxy, over TLS."""

import itertools
import random
import re
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from websockets.asyncio.client import connect

from domain import commands
from domain.commands import AnyCommand
from domain.ids import PersonId, ProjectId
from domain.people.clients import RegisterClient
from domain.people.person import InvitePerson
from domain.plan.project import StartProject
from tests.fleet import PLAIN, Dashboard, Fleet, eventually
from tests.world import ACME, HARBOUR, MANAGER, SHARE, World, everything
from web.ids import new_id

OURS = ("follower-1", "follower-2", "worker-1", "worker-2", "worker-3")
ALL = (*OURS, "redis", "postgres", "proxy")


class Page(Dashboard):
    """One open page, through the proxy."""

    site: "Installed"

    def opened(self) -> connect:
        return connect(
            f"wss://{self.site.name}/s/{self.share}/live", origin=self.site.origin,  # type: ignore[arg-type]
            ssl=self.site.tls, additional_headers={"cookie": self.cookie}, **PLAIN,
        )  # fmt: skip


class Telling(World):
    """The small portfolio of the tests, told through the JSON door."""

    def __init__(self, site: "Installed") -> None:
        self.site = site

    def tell(self, command: AnyCommand, *_: object, **__: object) -> None:  # type: ignore[override]
        self.site.tell(command)

    def people(self) -> None:
        for command in (
            RegisterClient(client=ACME, name="Acme Rail", time_zone="Europe/London"),
            InvitePerson(person=PersonId("viewer0"), name="V", email="v0@acme.test", role="viewer", client=ACME),
            InvitePerson(person=PersonId("viewer1"), name="W", email="v1@acme.test", role="viewer", client=ACME),
            InvitePerson(person=MANAGER.person, name="Marta", email="marta@example.test", role="manager"),
        ):
            self.tell(command)

    def project(self, project: ProjectId = HARBOUR, title: str = "Harbour Line") -> None:
        told = {"project": project, "title": f"{title} (internal)", "client_title": title, "owner": MANAGER.person}
        self.tell(StartProject(**told, currency="GBP", time_zone="Europe/London"))

    def baseline(self, project: ProjectId = HARBOUR) -> None:
        self.clock = type("", (), {"at": datetime.now(UTC)})
        super().baseline(project)


class Installed(Fleet):
    """What runs in `folder`; made when it is up, and somebody there may be signed in."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.origin = folder, name, f"https://{name}"
        self.random, self.shares, self.token, self.cookies = random.Random(1), [str(SHARE)], "", []
        self._numbers = itertools.count(1)
        eventually(lambda: self.docker("exec -T proxy cat /data/caddy/pki/authorities/local/root.crt"), what="TLS")
        self.tls = ssl.create_default_context(
            cadata=self.docker("exec -T proxy cat /data/caddy/pki/authorities/local/root.crt")
        )

    @property
    def app(self) -> str:
        """The address of the database as the workers know it, by the number it has now."""
        where = self.inspected("postgres", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}")
        return (self.folder / "secrets" / "app_url").read_text().strip().replace("@postgres/", f"@{where}/")

    # Docker

    def sh(self, script: str, seconds: float = 300) -> str:
        """Run a shell script in the folder and return what it printed."""
        done = subprocess.run(
            ["sh", "-euc", script], cwd=self.folder, capture_output=True, text=True, check=False, timeout=seconds
        )
        assert done.returncode == 0, f"{script}\n{(done.stdout + done.stderr)[-4000:]}"
        return done.stdout

    def docker(self, words: str) -> str:
        """Return what a Compose command printed, nothing where it failed."""
        done = subprocess.run(
            f"docker compose {words}",
            shell=True,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.stdout if done.returncode == 0 else ""

    def logged(self, service: str) -> list[str]:
        """Return the lines that a service logged since its container was made."""
        return self.sh(f"docker logs $(docker compose ps --all --quiet {service}) 2>&1").splitlines()

    def inspected(self, service: str, what: str) -> str:
        """Return what the engine says of the container of a service."""
        return self.sh(f"docker inspect --format '{what}' $(docker compose ps --all --quiet {service})").strip()

    def process(self, service: str) -> int:
        """Return the process id of what a service runs, 0 while it does not."""
        return int(self.inspected(service, "{{.State.Pid}}"))

    def well(self) -> bool:
        """Tell whether every service runs and is healthy where it says so."""
        said = self.sh("docker inspect --format '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' "
                       f"$(docker compose ps --all --quiet {' '.join(ALL)})")  # fmt: skip
        return len(said.splitlines()) == len(ALL) and all(
            line.split() in (["running"], ["running", "healthy"]) for line in said.splitlines()
        )

    # people

    def client(self, cookie: str = "") -> httpx2.Client:
        """Return a browser, as far as it asks for pages."""
        headers = {"origin": self.origin, **({"cookie": cookie} if cookie else {})}
        return httpx2.Client(base_url=self.origin, verify=self.tls, headers=headers, timeout=30)

    def enter(self, link: str) -> str:
        """Sign in by a link, as its page does; return the cookie."""
        path = urlsplit(link).path
        with self.client() as browser:
            assert link.startswith(self.origin), link
            assert f'action="{path}"' in browser.get(path).text
            answer = browser.post(path)
            assert answer.status_code == 303, answer.text
            return answer.headers["set-cookie"].partition(";")[0]

    def link(self, email: str) -> str:
        """Return a new sign-in link for somebody."""
        return first_link(self.sh(f"docker compose run --rm worker-1 user link {email}"))

    def tell(self, command: AnyCommand, seconds: float = 60) -> str:
        key, end = new_id(24), time.monotonic() + seconds
        headers = {"authorization": f"Bearer {self.token}", "idempotency-key": key}
        while True:
            try:
                with self.client() as door:
                    answer = door.post("/api/v1/commands", content=commands.encode(command), headers=headers)
                if answer.status_code in (200, 201):
                    return key
                assert answer.status_code in (409, 429, 502, 503, 504), answer.text
            except httpx2.TransportError:
                pass
            assert time.monotonic() < end, f"nobody took the command: {command}"
            time.sleep(0.2)

    def populate(self) -> None:
        """Tell of a project and a share of it, and sign two viewers in."""
        self.token = self.sh("docker compose run --rm worker-1 user token ines@example.com --label tests").split()[0]
        Telling(self).harbour(everything())
        self.cookies = [self.enter(self.link(f"v{i}@acme.test")) for i in range(2)]

    def dashboard(self, share: str, cookie: str, seed: int, n: int, root: str) -> Dashboard:
        made = Page(share, cookie, lambda: [0], seed, n, root)
        made.site = self
        return made

    @contextmanager
    def looking(self, answers: list[str]) -> Iterator[None]:
        """Ask for the page again and again meanwhile, each time by a new connection; `answers` gets what came."""
        over = threading.Event()

        def look() -> None:
            while not over.wait(0.1):
                try:
                    with self.client(self.cookies[0]) as browser:
                        answers.append(str(browser.get(f"/s/{SHARE}").status_code))
                except httpx2.HTTPError as error:
                    answers.append(repr(error))

        threads = [threading.Thread(target=look) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join(60)


def first_link(said: str) -> str:
    """Return the link in what a command printed."""
    found = re.search(r"https://\S+", said)
    assert found, said
    return found[0]
