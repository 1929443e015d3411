"""A plan that comes by itself: a date moved in a tool is on the dashboards that may show it, and nobody did anything.

The tools are servers that answer as Jira, OpenProject, GitHub, GitLab and Smartsheet do, by TLS on this machine, with a
certificate of an authority that the operator named, in a network that the operator allowed. The product is a process of
its own with its own clock, so that a cadence of five minutes does not have to be waited for.
"""

import re
import shlex
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.agreement.terms import Terms
from domain.ids import MilestoneId, PersonId, ProjectId, ShareId, SourceId
from domain.people.clients import RegisterClient
from domain.people.person import InvitePerson
from domain.plan.project import Project
from domain.plan.schedule import LinkMilestone, Milestone
from domain.plan.sources.commands import AttachSource
from domain.plan.sources.rules import Rules
from domain.plan.sources.source import key_name
from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from tests.certificates import certified
from tests.journeys.product import Product, on_screen, seeded, wait_until
from tests.journeys.test_live import overheard
from tests.moved_clock import Moved
from tests.programs import Program
from tests.web.sources.tools import calling
from tests.web.sources.tools.kinds import KINDS
from tests.web.sources.tools.served import Fake, Row, Server
from tests.world import ACME, ADMIN, HARBOUR, SHARE, World
from web.demo import cast
from web.sources.taking import bound

pytestmark = pytest.mark.browser

HERE = "127.0.0.1"
KEY = SourceId("harbourplan")
ACME_LINE, COUNCIL_LINE, NORTH_LINE = (ShareId(f"h4rb0ur{end}") for end in ("a7k2q", "c9m5x", "n3w8d"))
DAYS = timedelta(days=3)


class Fed(Product):
    """The product under a clock that is moved, told by its operator that tools stand in a network inside."""

    starts = 300.0  # the demo tells its year first

    def __init__(self, folder: Path, **more: Any) -> None:
        told = ("--outside-networks", f"{HERE}/32", "--outside-ca", str(certified(HERE).authority))
        super().__init__(folder, flags=(*told, "--demo-speed", "0") if more.get("demo") else told, **more)
        self.file = folder.parent / "clock"
        self.file.write_text("0")
        self.clock = Moved(self.file)

    def program(self, told: list[object], environment: dict[str, str], log: Path) -> Program:
        return Program([self.file, *told], environment, log, module="tests.moved_clock")

    def forward(self, **more: float) -> None:
        self.clock.to(self.clock() + timedelta(**more))


def project_of(product: Product, key: ProjectId) -> Project:
    """A project as it is recorded, as another process reads it."""
    folder = Folder(product.folder)
    try:
        return CurrentWorld(folder.events).world.projects[key]
    finally:
        folder.close()


@contextmanager
def tools(*kinds: str) -> Iterator[dict[str, Fake]]:
    """Serve tools by TLS, each at a port of its own."""
    with ExitStack() as stack:
        served = {}
        for kind in kinds:
            server = Server(certified(HERE))
            stack.callback(server.stop)
            fake = KINDS[kind]()
            fake.now = datetime.now(UTC)
            server.put(fake)
            served[kind] = fake
        yield served


def moved_there(fake: Fake, title: str, day: date, now: datetime) -> None:
    """Move the date of a milestone in a tool, as somebody does who has never heard of Fanlight."""
    row = next(one for one in fake.rows if one.title == title)
    row.due, row.changed, fake.now = day, now, now
    if hasattr(fake, "version"):
        fake.version += 1  # a sheet counts what is saved


def shown(day: date) -> str:
    return f"{day.day} {day:%b}"


def live(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement?.dataset.state") == "live")


# one tool, by its cadence


def test_a_date_moved_in_github_is_on_the_dashboard_that_may_show_it_within_the_cadence(
    tmp_path: Path, sit_down: Callable[..., Any]
) -> None:
    with tools("github") as served:
        fake = served["github"]
        fake.rows = [Row(id=11, title="internal m1", due=date(2027, 5, 3)), Row(id=12, title="Not ours")]

        def attached(world: World) -> None:
            sealed = world.folder.events.seal_for_source(
                key_name(HARBOUR, KEY, 1), fake.secret, bound("github", fake.address)
            )
            rules = Rules(forecasts="take", days=10, new="ignore", reason="As the site office plans")
            source = AttachSource(
                project=HARBOUR, source=KEY, tool="github", name="Site office", address=fake.address,
                values=fake.values(), cadence=5, sealed=sealed, rules=rules,
            )  # fmt: skip
            world.tell(source)
            world.tell(LinkMilestone(project=HARBOUR, milestone=MilestoneId("m1"), source_id=f"{KEY}/github:11"))
            world.tell(RegisterClient(client="north", name="Northgate", time_zone="Europe/London"), ADMIN)
            for person, role, client in (("viewer-north", "viewer", "north"), ("manager", "manager", None)):
                invited = InvitePerson(
                    person=PersonId(person), name="N", email=f"{person}@n.test", role=role, client=client
                )
                world.tell(invited, ADMIN)
            fields = ("forecast",)
            world.share(Terms(milestones=("m2",), milestone_fields=fields), ShareId("share3"), HARBOUR, "north")

        start = datetime.now(UTC) - timedelta(days=30)
        product = Fed(seeded(tmp_path / "data", attached, start)).start()
        try:
            acme, north = (sit_down(product, f"viewer-{client}") for client in (ACME, "north"))
            wait_until(lambda: live(acme) and live(north))
            wait_until(
                lambda: project_of(product, HARBOUR).sources[KEY].last
            )  # the first turn, which brings what is known
            before = product.head("share3")
            assert "3 May" in acme.inner_text("#ms-m1")
            moved_there(fake, "internal m1", date(2027, 5, 11), product.clock())
            product.forward(minutes=6)
            wait_until(lambda: "11 May" in acme.inner_text("#ms-m1"))
            assert "As the site office plans" in acme.content()
            assert (on_screen(north), product.head("share3")) == (before, before)
            manager = sit_down(product, "manager")
            manager.goto(f"{product.url}/p/{HARBOUR}/shares/{SHARE}/at/now")
            assert "from Site office, pull 2, taken by itself" in manager.inner_text("#seen")
        finally:
            product.stop()


# all five, beside each other, attached in the browser

KEPT = {  # which milestone of the sample project each tool keeps
    "github": "Trial running",
    "jira cloud jql": "Section A live",
    "gitlab": "Handover",
    "smartsheet": "Depot cut-over",
    "openproject": "Section B live",
}
COVERED = {  # by person: which share they look at, and which of these its agreement covers
    "anna": (ACME_LINE, tuple(KEPT)),
    "carl": (COUNCIL_LINE, ("jira cloud jql", "gitlab", "smartsheet", "openproject")),
    "noor": (NORTH_LINE, ("smartsheet",)),
}
INTERNAL = "Claim against cable supplier settled"  # which no agreement covers; GitHub keeps it too
BY_CADENCE = "openproject"  # the others call
IDS = {step.title: MilestoneId(step.key) for step in cast.HARBOUR.steps}
SENTENCES = re.compile(r"from (.+?), pull (\d+), taken by itself")


def attach(page: Any, product: Product, fake: Fake, name: str) -> None:
    """Attach a tool as a manager does, and have its forecasts taken from then on; what it brings first is taken."""
    page.goto(f"{product.url}/p/{cast.HARBOUR.id}/sources")
    page.click(f"#attach a[href$='/new/{fake.name}']")  # type: ignore[attr-defined]
    page.fill("#f-name", name)
    page.fill("#f-address", fake.address)
    page.fill("#f-secret", fake.secret)
    for field, value in fake.values().items():
        there = page.locator(f"#f-{field}")
        if there.evaluate("e => e.localName") == "select":
            there.select_option(value)
        else:
            there.fill(value)
    page.select_option("#f-cadence", "5")
    page.click("button:has-text('Test and attach it')")
    page.wait_for_selector("#state")
    for rule in ("forecasts", "progress"):
        page.select_option(f"#r-{rule}", "take")
    page.fill("#r-days", "10")
    page.fill("#r-reason", "As the site office plans")
    page.click("button:has-text('Keep these rules')")
    page.wait_for_selector("text=The rules hold from the next pull on.")
    page.click("#state button:has-text('Pull now')")
    page.click("#state a:has-text('Decide on')")
    for box in page.locator("input[name=line]").all():
        box.check()
    page.click("button:has-text('Take what is ticked')")
    page.wait_for_selector("#state")


def hook_of(page: Any) -> tuple[str, str]:
    """The address and the secret that a manager copies from the page of a source into the tool."""
    address, secret = page.locator("#hook code").all_inner_texts()
    return address, secret


@pytest.mark.slow
def test_five_tools_feed_the_sample_project_and_each_date_is_where_it_may_be(
    tmp_path: Path, sit_down: Callable[..., Any]
) -> None:
    with tools(*KEPT) as served:
        product = Fed(tmp_path / "demo", demo=True).start()
        try:
            _fed_by_all(product, sit_down, served)
        finally:
            product.stop()


def _fed_by_all(product: Fed, sit_down: Callable[..., Any], served: dict[str, Fake]) -> None:
    before = {one.details.title: one.forecast for one in milestones(product)}
    keeps = {kind: [title, *([INTERNAL] if kind == "github" else [])] for kind, title in KEPT.items()}
    for number, (kind, fake) in enumerate(served.items(), 1):
        fake.rows = [Row(id=number * 100 + i, title=title, due=before[title]) for i, title in enumerate(keeps[kind])]
    marta, hooks = sit_down(product, "marta"), {}
    for kind, fake in served.items():
        attach(marta, product, fake, named(fake))
        hooks[kind] = hook_of(marta)
    pages, heard = {}, {}
    for person, (share, _kinds) in COVERED.items():
        page = pages[person] = sit_down(product, person)
        heard[person] = overheard(page)
        page.goto(f"{product.url}/s/{share}")
        wait_until(lambda page=page: live(page))
    for kind, fake in served.items():
        if kind == BY_CADENCE:
            continue
        for title in keeps[kind]:
            moved_there(fake, title, before[title] + DAYS, product.clock())
        assert calling.call(fake.name, *hooks[kind]) == 204  # type: ignore[attr-defined]
    for person, page in pages.items():
        for kind in COVERED[person][1]:
            if kind != BY_CADENCE:
                wait_until(lambda page=page, kind=kind: has(page, kind, before[KEPT[kind]] + DAYS), 60)
    moved_there(served[BY_CADENCE], KEPT[BY_CADENCE], before[KEPT[BY_CADENCE]] + DAYS, product.clock())
    product.forward(minutes=6)
    for person in ("anna", "carl"):
        wait_until(lambda page=pages[person]: has(page, BY_CADENCE, before[KEPT[BY_CADENCE]] + DAYS), 60)
    now = {one.details.title: one.forecast for one in milestones(product)}
    assert {title: now[title] - before[title] for title in before} == {
        title: DAYS if any(title in titles for titles in keeps.values()) else timedelta() for title in before
    }
    for person, (_share, kinds) in COVERED.items():
        told = "".join(heard[person]) + pages[person].content()
        assert "content" in "".join(heard[person])
        for title in [INTERNAL, *(KEPT[kind] for kind in KEPT if kind not in kinds)]:
            assert IDS[title] not in told, (person, title)
        assert not any(word in told for word in (INTERNAL, "Plan in "))
    for share, kinds in COVERED.values():
        expected = {named(served[kind]) for kind in kinds}
        wait_until(lambda share=share, expected=expected: expected <= sources_named(marta, product, share))


def sources_named(page: Any, product: Product, share: ShareId) -> set[str]:
    """The sources that *what they saw* names at the second that is over."""
    page.goto(f"{product.url}/p/{cast.HARBOUR.id}/shares/{share}/at/now")
    return {name for name, _pull in SENTENCES.findall(page.inner_text("#seen"))}


def milestones(product: Fed) -> list[Milestone]:
    return [one for one in project_of(product, cast.HARBOUR.id).schedule.milestones.values() if one.actual is None]


def named(fake: Fake) -> str:
    return f"Plan in {fake.name}"  # type: ignore[attr-defined]


def has(page: Any, kind: str, day: date) -> bool:
    """Tell whether a dashboard has the new date of what a tool keeps."""
    return shown(day) in page.inner_text(f"#ms-{IDS[KEPT[kind]]}")


# as the README says


@pytest.mark.slow
def test_the_five_lines_of_the_readme_set_up_a_source(tmp_path: Path, sit_down: Callable[..., Any]) -> None:
    """Each line is carried out as it stands there, at the address of this test instead of that of an example."""

    def manager(world: World) -> None:
        invited = InvitePerson(person=PersonId("manager"), name="Marta", email="m@n.test", role="manager")
        world.tell(invited, ADMIN)

    text = (Path(__file__).parents[2] / "README.md").read_text()
    told = text.partition("## A plan that comes by itself\n\n```\n")[2].partition("\n```")[0].splitlines()
    product = Product(seeded(tmp_path / "data", manager, datetime.now(UTC) - timedelta(days=30))).start()
    try:
        page, token = sit_down(product, "manager"), ""
        (tmp_path / "plan.xml").write_bytes(PLAN)
        done: list[str] = []
        for line in told:
            command, *words = shlex.split(line.replace("https://status.example.com", product.url), comments=True)
            if command == "open":
                page.goto(words[0])
            if command == "open" and line.endswith("# Attach it"):
                page.click("button:has-text('Attach it')")
            elif "Make a token" in line:
                page.click("button:has-text('Make a token for it')")
                token = page.inner_text("#send .said + p code")
            elif command == "curl":
                put, file, bearer, kept, address = words
                assert (put, bearer, kept) == ("-T", "--oauth2-bearer", "$TOKEN")
                body, head = (tmp_path / file).read_bytes(), {"authorization": f"Bearer {token}"}
                sent = urllib.request.Request(address, body, head, method="PUT")
                with urllib.request.urlopen(sent, timeout=30) as answer:
                    assert answer.status == 201
            elif "decide" in line:
                page.click("button:has-text('Take what is ticked')")
            elif "#rules" in line:
                page.select_option("#r-forecasts", "take")
                page.click("button:has-text('Keep these rules')")
            done.append(command)
        assert done == ["open", "open", "curl", "open", "open"]
        source = project_of(product, HARBOUR).sources[SourceId("upload1")]
        assert (source.rules.forecasts, len(source.waits)) == ("take", 0)
        assert "Depot opens" in [one.details.title for one in project_of(product, HARBOUR).schedule.milestones.values()]
    finally:
        product.stop()


PLAN = b"""<Project xmlns="http://schemas.microsoft.com/project"><Tasks><Task><UID>7</UID><Name>Depot opens</Name>
<Milestone>1</Milestone><Finish>2027-06-01T17:00:00</Finish></Task></Tasks></Project>"""
