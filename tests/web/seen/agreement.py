"""What the right side of "What they saw" says of an update, held against the exact page of that update.

Rule: both are read from what the server answers, by a reader of its own.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime
from html.parser import HTMLParser

import msgspec
from starlette.testclient import TestClient

from projections.wording import words
from web.process.process import Process

INLINE = {"a", "b", "mark", "small", "span", "time", "tspan"}
VOID = {"br", "hr", "img", "input", "link", "meta"}


class Node:
    """An element; `parts` are the texts and elements in it."""

    def __init__(self, tag: str, given: dict[str, str]) -> None:
        self.tag, self.given, self.parts = tag, given, list["Node | str"]()

    def all(self) -> "Iterator[Node]":
        yield self
        for part in self.parts:
            if isinstance(part, Node):
                yield from part.all()

    def find(self, **given: str) -> "list[Node]":
        """Return the elements with attributes; of a class one name is enough."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in given.items()}
        return [
            node
            for node in self.all()
            if all(
                value in node.given.get(key, "").split() if key == "class" else node.given.get(key) == value
                for key, value in wanted.items()
            )
        ]

    def tags(self, tag: str) -> "list[Node]":
        return [node for node in self.all() if node.tag == tag]

    @property
    def text(self) -> str:
        said = (part if isinstance(part, str) else part.spaced for part in self.parts)
        return " ".join("".join(said).split())

    @property
    def spaced(self) -> str:
        """Its text as it stands among others: what is no part of a line stands by itself."""
        return self.text if self.tag in INLINE else f" {self.text} "


class Tree(HTMLParser):
    """Reads a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.top = Node("", {})
        self.stack = [self.top]
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        node = Node(tag, {key: value or "" for key, value in attrs})
        self.stack[-1].parts.append(node)
        if tag not in VOID:
            self.stack.append(node)

    def handle_startendtag(self, tag, attrs):
        self.stack[-1].parts.append(Node(tag, dict(attrs)))

    def handle_endtag(self, tag):
        while self.stack[-1].tag != tag:
            self.stack.pop()
        self.stack.pop()

    def handle_data(self, data):
        self.stack[-1].parts.append(data)


def statuses(within: Node) -> list[tuple[str, str]]:
    """Return the tone and the word of every status."""
    return [(node.given["class"].removeprefix("st").strip(), node.text) for node in within.find(class_="st")]


class Compared(msgspec.Struct):
    """The sheet of one instant beside the exact page: update 0 where there is no page to compare with."""

    n: int = 0
    statuses: int = 0  # in the sheet
    late: int = 0  # milestones whose date had passed by then
    apart: list[str] = []  # how they differ, in words


def compared(process: Process, client: TestClient, share: str, at: datetime) -> Compared:
    """Compare what the page says of an instant (UTC) with the exact page of the update that was shown then."""
    moment = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    answer = client.get(f"/audit/shares/{share}/at/{moment}", headers={"hx-request": "true"})
    assert answer.status_code == 200, (moment, answer.text[:200])
    top = Tree(answer.text).top
    (pane,) = top.find(class_="seen-p")
    links = [link.given["href"] for link in pane.tags("a") if link.given["href"].endswith("/page")]
    if not links:  # its content is erased, the share had ended, or nothing was shown yet
        return Compared()
    exact = client.get(links[0])
    assert exact.status_code == 200, links
    (page,) = Tree(exact.text).top.find(class_="wrap")
    world = process.services.present.world
    zone = world.clients[world.shares[share].client].time_zone
    return Compared(
        n=int(links[0].split("/")[-2]),
        statuses=len(statuses(pane)),
        late=len(pane.find(class_="sofar")),
        apart=[
            *of_head(pane, page),
            *of_vitals(pane, page),
            *of_rows(pane, page, at, zone),
            *of_foot(pane, page),
            *of_sentence(top, page),
            *of_differences(top, page),
        ],
    )


def of_head(pane: Node, page: Node) -> Iterator[str]:
    (said,), (head,) = pane.tags("h3"), page.tags("h1")
    asked = " ".join(node.text for node in head.tags("a"))
    if f"{said.text} {asked}".strip() != head.text:
        yield f"the sentence is {said.text!r}, on the page {head.text!r}"
    (lead,) = page.find(id="lead")
    overall = [one for part in pane.find(class_="ov") for one in statuses(part)]
    if overall != statuses(lead):
        yield f"overall is {overall}, on the page {statuses(lead)}"


def of_vitals(pane: Node, page: Node) -> Iterator[str]:
    listed = [node for node in pane.all() if node.given.get("data-of", "").startswith("v-")]
    there = page.find(class_="vital")
    if [node.given["data-of"] for node in listed] != [node.given["id"] for node in there]:
        yield f"{len(listed)} vital signs, on the page {len(there)}"
    for mine, theirs in zip(listed, there, strict=False):
        (heading,) = theirs.tags("h2")
        if statuses(mine) != statuses(heading):
            yield f"{heading.text}: {statuses(mine)}, on the page {statuses(heading)}"
        small = [node.text for node in mine.find(class_="m")]
        for text in filter(None, [*(node.text for node in mine.tags("dt")), *(node.text for node in mine.tags("b"))]):
            if text not in theirs.text:
                yield f"{heading.text}: {text!r} is not on the page: {theirs.text!r}"
        for word in " ".join(small).split():
            if word not in theirs.text.split():
                yield f"{heading.text}: {word!r} of {small} is not on the page: {theirs.text!r}"


def of_rows(pane: Node, page: Node, at: datetime, zone: str) -> Iterator[str]:
    rows = {node.given["id"]: node for node in page.tags("tr") if node.given.get("id", "").startswith("ms-")}
    for line in pane.tags("tr"):
        key = line.given.get("data-of", "")
        if not key:
            continue
        row = rows.get(f"ms-{key}")
        if row is None:
            yield f"{key} is not on the page"
            continue
        if statuses(line) != statuses(row):
            yield f"{key}: {statuses(line)}, on the page {statuses(row)}"
        (named,) = line.tags("th")
        title = named.parts[0]
        assert isinstance(title, str)
        if title.strip() not in row.text:
            yield f"{key} is called {title!r}, on the page {row.text!r}"
        days = " ".join(node.text for node in line.find(class_="f"))
        if not has(row, days):
            yield f"{key}: {days!r}, on the page {row.text!r}"
        slip = " ".join(node.text for node in line.find(class_="s"))
        if slip and slip not in row.text:
            yield f"{key}: {slip!r}, on the page {row.text!r}"
        late = [node.text for node in line.find(class_="sofar")]
        if late != so_far(row, at, zone):
            yield f"{key}: {late} so far, by the page {so_far(row, at, zone)}"


def has(part: Node, said: str) -> bool:
    """Tell whether a text stands in a part of the page; the year of a date may stand there for machines alone."""
    years = {time.given.get("datetime", "")[:4] for time in part.tags("time") if time.text == said[:-5]}
    return said in part.text or said[-4:] in years


def so_far(row: Node, at: datetime, zone: str) -> list[str]:
    """Return for how long a date had passed, as a page that is open at `at` draws it."""
    dues = [date.fromisoformat(node.given["data-due"]) for node in row.find(class_="sofar") if "data-due" in node.given]
    days = [(words.local(at, zone).date() - due).days for due in dues]
    return [words.days_so_far(many) for many in days if many > 0]


def of_foot(pane: Node, page: Node) -> Iterator[str]:
    for row in pane.find(class_="x"):
        (name,), (told,) = row.find(class_="n"), row.find(class_="why")
        if name.text == "Shared risks" and any(ref not in page.text for ref in told.text.split(", ")):
            yield f"risks {told.text!r} are not on the page"
        if name.text == "Footer" and (number := re.search(r"\d+$", told.text)):
            (scope,) = page.find(id="scope")
            if f"version {number[0]}" not in scope.text and f"agreement {number[0]}" not in scope.text:
                yield f"the footer is {told.text!r}, on the page {scope.text!r}"


NOT_A_FIGURE = re.compile(r"|Not shown|Not yet|Other|(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d+ \w+( \d{4})?, \d\d:\d\d:\d\d")


def of_differences(top: Node, page: Node) -> Iterator[str]:
    """What the table of differences says they were shown instead is on the page, too."""
    for cell in top.find(data_l="Shown"):
        if not NOT_A_FIGURE.fullmatch(cell.text) and not has(page, cell.text):
            yield f"{cell.text!r} was not shown"


def of_sentence(top: Node, page: Node) -> Iterator[str]:
    """What the sentence says that their page said is how a sentence of that page begins."""
    (lead,), (head,) = top.tags("h1"), page.tags("h1")
    said = re.search(r"their (?:page|screens) said “?(.+?)”?(?:\. The plan said|, and so did the plan)", lead.text)
    if said is None or f" {said[1].lower()}" not in f" {head.text.lower()}":
        yield f"{lead.text!r}, on the page {head.text!r}"
