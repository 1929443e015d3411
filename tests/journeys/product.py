"""The real server as a process of its own, and people with real browsers."""

import os
import signal
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from domain.ids import CommandId, PersonId
from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from tests import world as world_module
from tests.ports import free_port
from tests.programs import Program
from tests.world import MANAGER, World
from web import clock
from web.identity.credentials import Credentials
from web.ids import new_id
from web.write.permission import OPERATOR, Actor
from web.write.service import Service


def wait_until(true: Callable[[], Any], seconds: float = 20) -> Any:
    """Return what `true` returns once it is true; fail when that does not happen in time."""
    end = time.monotonic() + seconds
    while True:
        if found := _while_it_loads(true):
            return found
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.03)


def _while_it_loads(true: Callable[[], Any]) -> Any:
    """Return what `true` returns, nothing while a page is between two documents."""
    try:
        return true()
    except Exception as error:
        if "Execution context was destroyed" in str(error):
            return None
        raise


class Product:
    """`fanlight serve` on a folder; killed and started again at will."""

    starts = 60.0  # seconds in which it has to answer

    def __init__(self, folder: Path, *, demo: bool = False, flags: tuple[str, ...] = ()) -> None:
        self.folder, self.demo, self.flags = folder, demo, flags
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: Program | None = None

    def at_a_name(self) -> "Product":
        """Have it at an address with a name, at which browsers allow passkeys."""
        self.url = f"http://localhost:{self.port}"
        self.flags = (*self.flags, "--public-url", self.url)
        return self

    def start(self) -> "Product":
        """Start the server and wait until it answers."""
        told = ["demo" if self.demo else "serve", "--data", self.folder, "--port", self.port, "--tick-seconds", 2,
                "--drain-seconds", 1]  # fmt: skip
        environment = {k: v for k, v in os.environ.items() if not k.startswith("FANLIGHT_")}
        log = self.folder.parent / f"{self.folder.name}-{self.port}.log"
        self.process = self.program([*told, *self.flags], environment, log)
        wait_until(lambda: self.answers() or self.process.poll() is not None, self.starts)  # type: ignore[union-attr]
        assert self.process.poll() is None, log.read_text()[-2000:]
        return self

    def program(self, told: list[object], environment: dict[str, str], log: Path) -> Program:
        """Return the running command line."""
        return Program(told, environment, log)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """End the server without warning."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> int:
        """End the server by SIGTERM and return its exit code."""
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    # as another process would: through the logs in the folder

    def tell(self, command: Any, actor: Actor = MANAGER) -> None:
        """Carry out a command from outside the server."""
        folder = Folder(self.folder)
        try:
            Service(folder.events, CurrentWorld(folder.events), clock.now).execute(
                actor, command, command_id=CommandId(new_id(24))
            )
        finally:
            folder.close()

    def link(self, person: str) -> str:
        """Return a sign-in link for a person."""
        folder = Folder(self.folder)
        try:
            present = CurrentWorld(folder.events)
            service = Service(folder.events, present, clock.now)
            people = Credentials(service, present, clock.now, link_hours=1, session_hours=12)
            return f"{self.url}/in/{people.link(OPERATOR, PersonId(person))}"
        finally:
            folder.close()

    def head(self, share: str) -> int:
        folder = Folder(self.folder)
        try:
            return folder.disclosure.head(share)
        finally:
            folder.close()

    def root(self, share: str) -> str:
        """Return the newest tree head of a share, hex."""
        folder = Folder(self.folder)
        try:
            last = folder.disclosure.last(share)
            return last.root if last else ""
        finally:
            folder.close()


def seeded(
    folder: Path, more: Callable[[World], None] = lambda _world: None, start: datetime = world_module.START
) -> Path:
    """Put the sample project into a folder."""
    from web.render.page import Renderer

    world = World(folder, Renderer(), start=start)
    world.harbour()
    more(world)
    world.close()
    return folder


def markup(page: Any) -> str:
    """Return the markup of a page's parts as the browser has it, without what htmx notes on elements."""
    text: str = page.evaluate(
        """() => {
             const skip = new Set(['data-htmx-powered', 'open']);
             const told = (node) => {
               if (node.nodeType === 3) return node.data;
               const names = [...node.attributes].filter((a) => !skip.has(a.name)).map((a) => `${a.name}="${a.value}"`);
               return `<${[node.namespaceURI.slice(-4), node.localName, ...names.sort()].join(' ')}>` +
                 [...node.childNodes].map(told).join('') + '</>'; };
             return ['summary', 'body'].map((id) => told(document.getElementById(id))).join(''); }"""
    )
    return text


def on_screen(page: Any) -> int:
    """Return the number of the update a page shows, 0 while it is still being loaded."""
    return int(page.evaluate("+(document.getElementById('feed')?.dataset.n ?? 0)"))


def same(left: str, right: str) -> bool:
    """Compare two markups; say where they part instead of printing both."""
    if left == right:
        return True
    at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    print(f"they part at {at}:\n  {left[max(0, at - 120) : at + 160]!r}\n  {right[max(0, at - 120) : at + 160]!r}")
    return False


# What moved on a page since it was loaded, and by how much of the window, whoever caused it: a score, and what each of
# the elements did.
MOVED = """() => new Promise((done) => {
  const name = (node) => node?.nodeType === 1
    ? node.localName + (node.id ? '#' + node.id : '') + [...node.classList].map((c) => '.' + c).join('')
    : node?.parentElement ? `text of ${name(node.parentElement)}` : 'something that is gone';
  const at = (r) => [r.x, r.y, r.width, r.height].map(Math.round).join(' ');
  let score = 0;
  const moves = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      score += entry.value;
      for (const { node, previousRect, currentRect } of entry.sources) {
        moves.push(`${name(node)}: ${at(previousRect)} -> ${at(currentRect)} after ${Math.round(entry.startTime)} ms`);
      }
    }
  }).observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => done([score, moves]), 200);
})"""


def moved(page: Any) -> tuple[float, list[str]]:
    """Return how far things moved while a page was drawn, as browsers score it, and which things from where to where."""
    score, moves = page.evaluate(MOVED)
    return score, moves


def reload_slowly(page: Any, script: str) -> None:
    """Load a page again, and let a script of it come only when the page without it is on the screen."""
    held: list[Any] = []
    page.route(script, lambda route: held.append(route))  # noqa: PLW0108  # it notes something on what it is given
    page.reload(wait_until="commit")
    wait_until(lambda: _next(page) and held)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    held.pop().continue_()
    page.unroute(script)


def _next(page: Any) -> bool:
    """Let the browser's messages in."""
    page.wait_for_timeout(20)
    return True
