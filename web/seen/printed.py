"""What the page of an update printed: its sentence, statuses, figures and dates, as they stand in recorded markup.

Rule: whatever is said to have been on somebody's screen is read here, from the markup that was recorded; nothing of it
is worded or judged anew. Markup of every version is read; what a page did not have is not there.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from html.parser import HTMLParser

import msgspec

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
TONES = ("ok", "warn", "bad", "done", "none")
VITALS = ("v-schedule", "v-budget", "v-risk")


class Status(msgspec.Struct, frozen=True):
    """A status as it was printed: the tone of its mark and its word; both "" where there was none."""

    tone: str = ""
    word: str = ""


class PrintedVital(msgspec.Struct, frozen=True, kw_only=True):
    """One vital sign: its name and status, the large figure, what stood small beside it, and the line below."""

    name: str
    status: Status
    big: str
    small: str
    line: str


class PrintedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone; `machine` is its day for machines, "" for a quarter, and `due` the date it has missed, if any."""

    title: str
    day: str
    machine: str
    slip: str
    status: Status
    due: date | None


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    """A page as it was printed: vital signs by the id of their part, milestones by their own, risks by reference."""

    sentence: str = ""
    overall: Status = Status()
    vitals: Mapping[str, PrintedVital] = {}
    rows: Mapping[str, PrintedRow] = {}
    risks: tuple[str, ...] = ()


def printed(roots: Iterable[str]) -> Printed:
    """Return what the markup of a page's outermost parts says."""
    reader = _TreeBuilder()
    for markup in roots:
        reader.feed(markup)
    reader.close()
    tree = reader.root
    lead = tree.by_id("lead") or _Element("div", {})
    rows = (row for row in tree.every("tr") if row.id.startswith("ms-"))
    cards = (card for card in tree.every("li") if card.id.startswith("r-"))
    vitals = {vital.id: _vital(vital) for vital in tree.every("div") if vital.id in VITALS}
    return Printed(
        sentence=next((head.text(without="a") for head in lead.every("h1")), ""),
        overall=_status(lead),
        vitals={key: vitals[key] for key in VITALS if key in vitals},
        rows={row.id.removeprefix("ms-"): _row(row) for row in rows},
        risks=tuple(ref.text() for card in cards for ref in card.of_class("id")),
    )


def _vital(part: "_Element") -> PrintedVital:
    head = next(part.every("h2"), _Element("h2", {}))
    big = next(part.of_class("big"), _Element("p", {}))
    below = (child.text() for child in part.children if isinstance(child, _Element) and child.tag == "p")
    lines = [text for text in below if text]
    printed_big = big.text()
    return PrintedVital(
        name=head.text(without="span"),
        status=_status(head),
        big=big.text(without="small"),
        small=" ".join(small.text() for small in big.every("small")),
        line=lines[1] if len(lines) > 1 and lines[0] == printed_big else "",
    )


def _row(part: "_Element") -> PrintedRow:
    cells = {name: next(part.of_class(name), _Element("td", {})) for name in ("c-n", "c-f", "c-d", "c-s")}
    times = [time.attributes.get("datetime", "") for time in cells["c-f"].every("time")]
    dues = [late.attributes.get("data-due", "") for late in cells["c-s"].of_class("sofar")]
    titles = [*cells["c-n"].every("summary"), *cells["c-n"].every("a")]
    names = [*titles[0].every("span"), titles[0]] if titles else [cells["c-n"]]
    return PrintedRow(
        title=names[0].text(),
        day=cells["c-f"].text(),
        machine=times[0] if times else "",
        slip=cells["c-d"].text(without=".vh"),
        status=_status(cells["c-s"]),
        due=next((date.fromisoformat(due) for due in dues if due), None),
    )


def _status(within: "_Element") -> Status:
    found = next(within.of_class("st"), None)
    if found is None:
        return Status()
    return Status(next((tone for tone in TONES if tone in found.classes), ""), found.text())


# markup as a tree, as little of it as that takes


class _Element:
    """An element of markup with its children: elements and text."""

    def __init__(self, tag: str, attributes: Mapping[str, str]) -> None:
        self.tag, self.attributes = tag, attributes
        self.id, self.classes = attributes.get("id", ""), attributes.get("class", "").split()
        self.children: list[_Element | str] = []

    def within(self) -> "Iterator[_Element]":
        """Yield this element and all inside it, in the order of the page."""
        yield self
        for child in self.children:
            if isinstance(child, _Element):
                yield from child.within()

    def every(self, tag: str) -> "Iterator[_Element]":
        """Yield the elements with a tag."""
        return (one for one in self.within() if one.tag == tag)

    def of_class(self, name: str) -> "Iterator[_Element]":
        """Yield the elements of a class."""
        return (one for one in self.within() if name in one.classes)

    def by_id(self, wanted: str) -> "_Element | None":
        """Return the element with an id."""
        return next((one for one in self.within() if one.id == wanted), None)

    def text(self, without: str = "") -> str:
        """Return the text in one line, without that of elements with a tag or, after a dot, of a class."""
        return " ".join("".join(self._texts(without)).split())

    def _texts(self, without: str) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag != without and without.removeprefix(".") not in child.classes:
                yield from child._texts(without)  # noqa: SLF001  # its own class


class _TreeBuilder(HTMLParser):
    """Builds the tree of recorded markup, which is well-formed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = _Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        made = _Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(made)
        if tag not in VOID:
            self._open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in an element that is closed at once, as drawings have them."""
        self._open[-1].children.append(_Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost open element of that name and what was left open inside it."""
        for place in range(len(self._open) - 1, 0, -1):
            if self._open[place].tag == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        """Take in text."""
        self._open[-1].children.append(data)
