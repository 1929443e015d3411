"""`StrictWalker`: XML from strangers, of which a DOCTYPE, an entity or a bomb is refused with its line.

Only what is wanted is told, by a tree of names; text elsewhere is passed over unread, which is most of a plan.
"""

from collections.abc import Callable, Iterator, Sequence
from pyexpat import ErrorString, ExpatError, ParserCreate, XMLParserType
from pyexpat.errors import codes
from typing import NoReturn, Protocol

import msgspec

from domain.language import gettext as _
from web.importers.plan import broken

MAX_DEPTH = 64
MAX_TEXT = 1_000_000  # characters inside one element
MAX_TOKEN = 4 * 2**20  # bytes of one tag or comment; expat reads an unfinished one again with every block
BLOCK = 64 * 1024
STEP = 64  # bytes at a time before the first tag, so that a DOCTYPE is met before what it declares

Progress = Callable[[float], None]
ENDED = {codes[said] for said in ("no element found", "unclosed token", "partial character", "unclosed CDATA section")}


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """An element that is wanted: with children of its own, or (a leaf) its text alone."""

    name: str
    children: tuple["Node", ...] = ()
    known: frozenset[str] = frozenset()  # names of children that are known and not wanted
    unknown: bool = True  # whether the visitor is told of children that are neither

    @property
    def leaf(self) -> bool:
        """Whether its text is told."""
        return not self.children and not self.known


Line = int | Callable[[], int]  # a line, or what finds it when somebody wants to know
Lines = Callable[[int], int]  # finds the line of a leaf by its place among the children
Leaf = tuple[str, str, int]  # name, text, and the line it began on or its place for `Lines`
Keep = Callable[[Sequence[Leaf]], None]


class Visitor(Protocol):
    """Is told what is wanted, in the order of the file."""

    def root(self, name: str, line: int) -> None:
        """The file begins with this element; {namespace}name where it is of another one. May raise BrokenFile."""

    def opened(self, node: Node, line: Line, lines: Lines | None = None) -> Keep:
        """An element with children begins; return what its leaves are told to."""

    def closed(self, node: Node) -> None:
        """An element with children ends."""

    def unknown(self, node: Node, name: str, line: int) -> None:
        """Inside of an element stands one of a name nobody knows; {namespace}name where it is of another one."""


def _nothing(_leaves: Sequence[Leaf]) -> None:
    """Keep nothing: there is no leaf before the first element."""


class _Place:
    """A node with its children by the names the parser gives them."""

    __slots__ = ("children", "known", "leaf", "name", "node")

    def __init__(self, node: Node, prefix: str) -> None:
        self.node, self.name, self.leaf = node, node.name, node.leaf
        self.children = {prefix + child.name: _Place(child, prefix) for child in node.children}
        self.known = frozenset(prefix + name for name in node.known) - self.children.keys()


class StrictWalker:
    """Holds where the parser is: the wanted elements that are open, or how deep it is in one that is not."""

    def __init__(self, visitor: Visitor, tree: Node, namespace: str) -> None:
        self._visitor = visitor
        self._prefix = f"{namespace} "
        self._root = _Place(tree, self._prefix)
        self._places: list[_Place] = []  # of the wanted elements that are open, with children
        self._keeps: list[Keep] = []  # what their leaves are told to
        self._leaf: Callable[[], str] = str  # returns the name of the leaf that is open, "" where none is
        self._fed = 0
        self._begun = False
        self._parser = self._made()

    def _made(self) -> XMLParserType:
        parser = ParserCreate(None, " ")
        parser.buffer_text = True
        parser.ordered_attributes = True  # a list, which costs less than a dictionary; nobody reads it
        parser.StartElementHandler, parser.EndElementHandler = self._handlers(parser)
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse
        return parser

    def feed(self, block: bytes) -> None:
        """Take in the next bytes.

        Raises: BrokenFile.
        """
        for piece in self._pieces(block):
            self._parse(piece, final=False)
            self._fed += len(piece)
            if self._fed - self._parser.CurrentByteIndex > MAX_TOKEN:
                raise broken(
                    _("A single tag or comment is longer than 4 MiB. This is no plan as a tool saves it."), self._line
                )
        if not self._begun and self._fed >= BLOCK:
            raise broken(
                _("No <Project> within the first 64 KiB. Save the plan as XML again and send it unchanged."), 1
            )

    def finish(self) -> None:
        """Tell of what is left.

        Raises: BrokenFile.
        """
        self._parse(b"", final=True)

    def _pieces(self, block: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(block):
            size = len(block) if self._begun else STEP
            yield block[at : at + size]
            at += size

    def _parse(self, piece: bytes, *, final: bool) -> None:
        try:
            self._parser.Parse(piece, final)
        except ExpatError as error:
            raise broken(self._told(error, final=final), error.lineno) from None
        except (LookupError, ValueError):
            if self._begun:
                raise
            raise broken(_("The encoding the file names cannot be read. Save it as UTF-8."), self._line) from None

    def _told(self, error: ExpatError, *, final: bool) -> str:
        where = self._where() if self._places else ""
        if final and error.code in ENDED:
            if not where:
                return _("The file ends, in the middle. It was cut off on its way: send the whole file again.")
            return _(
                "The file ends inside {where}, in the middle. It was cut off on its way: send the whole file again.",
                where=where,
            )
        at, what = error.offset + 1, ErrorString(error.code)
        if not where:
            return _(
                "Not well-formed XML, at character {offset}: {errorstring}. Save the plan as XML again and "
                "send it unchanged.",
                offset=at,
                errorstring=what,
            )
        return _(
            "Not well-formed XML inside {where}, at character {offset}: {errorstring}. Save the plan as XML again and "
            "send it unchanged.",
            where=where,
            offset=at,
            errorstring=what,
        )

    def _where(self) -> str:
        names = [place.name for place in self._places] + [self._leaf()] * bool(self._leaf())
        return "".join(f"<{name}>" for name in names[:5])

    @property
    def _line(self) -> int:
        return self._parser.CurrentLineNumber

    def _refuse(self, *_other: object) -> NoReturn:
        raise broken(
            _(
                "The file declares a DOCTYPE or entities. A web page or an attack does that, a plan never; nothing "
                "of it was taken. Save the plan as XML again from the planning tool."
            ),
            self._line,
        )

    def _handlers(self, parser: XMLParserType) -> tuple[Callable[[str, object], None], Callable[[str], None]]:
        """Return what is called for every element that begins or ends: most are passed over, so it does little."""
        places, keeps = self._places, self._keeps
        begin, lost, opened_node, closed_node = self._begin, self._lost, self._visitor.opened, self._visitor.closed
        children: dict[str, _Place] = {}
        known: frozenset[str] = frozenset()
        keep: Keep = _nothing
        passed = 0  # elements open from one that is not wanted on
        leaf: _Place | None = None
        line, text = 0, ""
        self._leaf = lambda: leaf.name if leaf is not None else ""

        def characters(more: str) -> None:
            nonlocal text
            text += more
            if len(text) > MAX_TEXT:
                told = _(
                    "The text in {where} has more than {max_text} characters.", where=self._where(), max_text=MAX_TEXT
                )
                raise broken(told, self._line)

        def opened(name: str, _attributes: object) -> None:
            nonlocal children, known, keep, passed, leaf, line, text
            if passed:
                passed += 1
                if passed > MAX_DEPTH:
                    raise broken(
                        _("Elements are nested more than {max_depth} deep; a plan needs about 6.", max_depth=MAX_DEPTH),
                        self._line,
                    )
            elif name in known and leaf is None:
                passed = 1
            elif leaf is not None or (place := children.get(name)) is None:
                if places:
                    passed = 1
                    lost(name)
                else:
                    begin(name)
                    children, known, keep = places[-1].children, places[-1].known, keeps[-1]
            elif place.leaf:
                leaf, text, line = place, "", parser.CurrentLineNumber
                parser.CharacterDataHandler = characters
            else:
                places.append(place)
                keep = opened_node(place.node, parser.CurrentLineNumber)
                keeps.append(keep)
                children, known = place.children, place.known

        def closed(_name: str) -> None:
            nonlocal children, known, keep, passed, leaf
            if passed:
                passed -= 1
            elif leaf is not None:
                parser.CharacterDataHandler = None
                keep(((leaf.name, text, line),))
                leaf = None
            else:
                keeps.pop()
                closed_node(places.pop().node)
                if places:
                    children, known, keep = places[-1].children, places[-1].known, keeps[-1]

        return opened, closed

    def _begin(self, name: str) -> None:
        self._begun = True
        self._visitor.root(self._named(name), self._line)
        self._places.append(self._root)
        self._keeps.append(self._visitor.opened(self._root.node, self._line))

    def _lost(self, name: str) -> None:
        here = self._places[-1].node
        if here.unknown and not self._leaf():
            self._visitor.unknown(here, self._named(name), self._line)

    def _named(self, name: str) -> str:
        if name.startswith(self._prefix):
            return name[len(self._prefix) :]
        space, _, local = name.rpartition(" ")
        return f"{{{space}}}{local}"  # {}local where there is no namespace
