"""Walks the XML of a plan by the tree that ElementTree builds in C, task by task: the usual file, at its usual speed.

Rule: whatever is not usual (a DOCTYPE, a comment, an error, a depth, an endless text) raises `Unusual`, and the file is
read again from its beginning by `xml_stream`, which is strict and says what is wrong. So both tell a visitor the same,
or this one tells nothing that is kept; and of the tree there is never more than what is open.
"""

import re
from collections import deque
from functools import partial
from itertools import compress, count
from operator import attrgetter
from pyexpat import ExpatError, ParserCreate
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from web.importers.mspdi.xml_stream import MAX_DEPTH, MAX_TEXT, STEP, Keep, Line, Node, Visitor

MOST_OPEN = 1024 * 1024  # bytes in which neither a task ends nor the tree grows; what is longer is read strictly
MOST_CHILDREN = 1000  # of one element; finding a line goes through them
_ITEM = b"<Task>"
_ROOT_TAG = re.compile(rb"<[^?!][^>]*>")
_tag = attrgetter("tag")
_UNCERTAIN = (
    (b"!", re.compile(rb"<!--")),  # <![CDATA[ is text
    (b"?", re.compile(rb"<\?")),
    (b"\r", re.compile(rb"\r[^\n]")),  # a line's end that is no newline
)


class Unusual(Exception):
    """The file has something that only the strict walker takes, or refuses with its line."""


class _Begun(Exception):
    """The root is there."""


class _Branch:
    """A node with those of its children that are wanted, and which names are known, by the tags of the tree."""

    __slots__ = ("children", "leaf", "name", "names", "node")

    def __init__(self, node: Node, prefix: str) -> None:
        self.node, self.name, self.leaf = node, node.name, node.leaf
        self.children = {prefix + child.name: _Branch(child, prefix) for child in node.children}
        self.names = self.children.keys() | {prefix + name for name in node.known}


class TreeWalker:
    """Tells a visitor of a plan of the usual shape: a root, its leaves, and one list of items, as Tasks holds Task."""

    def __init__(self, visitor: Visitor, tree: Node, namespace: str) -> None:
        self._visitor, self._prefix = visitor, f"{{{namespace}}}"
        self._root = _Branch(tree, self._prefix)
        builder = TreeBuilder()
        self._outside = builder.start("outside", {})  # keeps the root within reach while it is built
        self._parser = XMLParser(target=builder)  # noqa: S314 - see the rule
        self._keep: Keep | None = None  # for the leaves of the root, once it is there
        self._line = 0  # of the next child of the root, 0 where it is not known any more
        self._started = False  # whether the root has a child
        self._open = False  # whether the list is
        self._lines: deque[int] = deque()  # of items that stand in the bytes and were not told of yet
        self._ends = 1  # line on which the last block ended
        self._rest = b""  # the end of the last block, in which a tag may have begun
        self._still, self._deepest = 0, self._outside

    def feed(self, block: bytes) -> None:
        """Take in the next bytes.

        Raises: Unusual, BrokenFile.
        """
        self._look(block if self._keep else self._begin(block))
        try:
            self._parser.feed(block)
        except (ParseError, LookupError, ValueError):
            raise Unusual from None
        self._still += len(block)
        if len(self._outside):
            self._take(self._outside[0], ended=False)
        if self._still > MOST_OPEN:
            raise Unusual

    def finish(self) -> None:
        """Tell of what is left.

        Raises: Unusual, BrokenFile.
        """
        try:
            self._parser.close()
        except (ParseError, AssertionError):
            raise Unusual from None
        self._take(self._outside[0], ended=True)
        if self._lines:
            raise Unusual
        self._visitor.closed(self._root.node)

    def _begin(self, block: bytes) -> bytes:
        """Tell of the root, and return the bytes after its tag."""
        name = (self._prefix + self._root.node.name)[1:]
        line = _line_of_root(block, name)
        found = _ROOT_TAG.search(block)
        if found is None or b"\n" in found[0]:
            raise Unusual
        self._visitor.root(self._root.node.name, line)
        self._keep = self._visitor.opened(self._root.node, line)
        self._line = self._ends = line
        return block[found.end() :]

    def _look(self, block: bytes) -> None:
        """Find the lines of items in the bytes, and what would make lines uncertain."""
        text = self._rest + block
        for sign, lost in _UNCERTAIN:  # a sign alone is found at no cost
            if sign in text and lost.search(text):
                raise Unusual
        line, at = self._ends - self._rest.count(b"\n"), 0
        found = text.find(_ITEM)
        while found >= 0:
            line += text.count(b"\n", at, found)
            self._lines.append(line)
            at, found = found, text.find(_ITEM, found + 1)
        self._ends = line + text.count(b"\n", at)
        self._rest = text[1 - len(_ITEM) :]

    def _take(self, root: Element, *, ended: bool) -> None:
        """Tell of the children of the root that ended, and of the items of the list that did; keep what is open."""
        if not self._started and len(root):
            self._started, self._line = True, self._line + _newlines(root.text)
        while len(root) > (not ended):
            self._child(root[0])
            del root[0]
        if not len(root):
            return
        place = self._root.children.get(root[0].tag)
        if place is not None and not place.leaf:
            self._items(root[0], place, ended=False)
        else:
            self._grown(root)

    def _child(self, child: Element) -> None:
        """Tell of a child of the root that ended."""
        place = self._root.children.get(child.tag)
        if child.tag not in self._root.names:
            raise Unusual
        if place is not None and not place.leaf:
            self._items(child, place, ended=True)
        elif place is not None:
            if not self._line or len(child) or len(child.text or "") > MAX_TEXT or self._keep is None:
                raise Unusual
            self._keep([(place.name, child.text or "", self._line)])
        if self._line and (place is None or place.leaf) and not len(child):
            self._line += _newlines(child.text) + _newlines(child.tail)
        else:
            self._line = 0

    def _items(self, items: Element, place: _Branch, *, ended: bool) -> None:
        """Tell of the items of a list that ended; of an open list the last one is still to come."""
        if not self._open:
            self._visitor.opened(place.node, self._line)
            self._open = True
        done = items[:] if ended else items[:-1]
        for item in done:
            inner = place.children.get(item.tag)
            if inner is None or inner.leaf or not self._lines:
                raise Unusual
            self._item(item, inner, self._lines.popleft())
        if done:
            del items[: len(done)]
            self._still = 0
        if ended:
            self._visitor.closed(place.node)
            self._open = False
        elif len(items):
            _shallow(items[-1])

    def _item(self, element: Element, place: _Branch, line: Line) -> None:
        if len(element) > MOST_CHILDREN:
            raise Unusual
        lines = partial(_line_of, element, line)
        keep = self._visitor.opened(place.node, line, lines)
        children, tags = place.children, list(map(_tag, element))
        found: list[tuple[str, str, int]] = []
        for at in compress(count(), map(children.__contains__, tags)):
            child, inner = element[at], children[tags[at]]
            if not inner.leaf:
                self._item(child, inner, partial(lines, at))
            elif len(child) or len(text := child.text or "") > MAX_TEXT:
                raise Unusual
            else:
                found.append((inner.name, text, at))
        keep(found)
        if place.node.unknown and not place.names.issuperset(tags):
            for at in compress(count(), (tag not in place.names for tag in tags)):
                self._visitor.unknown(place.node, self._named(tags[at]), lines(at))
        self._visitor.closed(place.node)

    def _grown(self, root: Element) -> None:
        """Keep of what is open and not wanted nothing but the way down to its end, and see whether that moved."""
        deepest, depth = root, 0
        while len(deepest):
            del deepest[:-1]
            deepest, depth = deepest[0], depth + 1
            if depth > MAX_DEPTH:
                raise Unusual
        if deepest is not self._deepest:
            self._deepest, self._still = deepest, 0

    def _named(self, tag: str) -> str:
        if tag.startswith(self._prefix):
            return tag[len(self._prefix) :]
        return tag if tag.startswith("{") else f"{{}}{tag}"


def _shallow(element: Element, depth: int = 1) -> None:
    """Do nothing where an element is not nested deeper than the strict walker allows.

    Raises: Unusual.
    """
    if depth >= MAX_DEPTH:
        raise Unusual
    for child in element:
        if len(child):
            _shallow(child, depth + 1)


def _newlines(text: str | None) -> int:
    return text.count("\n") if text else 0


def _line_of(element: Element, line: Line, at: int) -> int:
    """Return the line of the child at this place of an element that begins on `line`."""
    begins = line if isinstance(line, int) else line()
    before = element[:at]
    inside = sum(_newlines(text) for child in before for text in child.itertext())
    return begins + _newlines(element.text) + inside + sum(_newlines(child.tail) for child in before)


def _line_of_root(block: bytes, name: str) -> int:
    """Return the line of the root, where it is this one and nothing was declared before it.

    Raises: Unusual.
    """
    parser = ParserCreate(None, "}")

    def opened(found: str, _attributes: dict[str, str]) -> None:
        raise _Begun if found == name else Unusual

    def declared(*_other: object) -> None:
        raise Unusual

    parser.StartElementHandler = opened
    parser.StartDoctypeDeclHandler = declared
    try:
        for at in range(0, len(block), STEP):
            parser.Parse(block[at : at + STEP], False)
    except _Begun:
        return parser.CurrentLineNumber
    except (ExpatError, LookupError, ValueError):
        pass
    raise Unusual
