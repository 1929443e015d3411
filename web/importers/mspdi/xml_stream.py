"""Walks XML from strangers: a DOCTYPE, an entity or a bomb is refused with its line, and nothing is ever fetched."""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from pyexpat import ErrorString, ExpatError, ParserCreate, XMLParserType
from pyexpat.errors import codes
from typing import BinaryIO, NoReturn, Protocol

from domain.language import gettext as _
from web.importers.plan import MAX_BYTES, broken

MAX_DEPTH = 64
MAX_ELEMENTS = 4_000_000
MAX_TEXT = 1_000_000  # characters inside one element
MAX_TOKEN = 4 * 2**20  # bytes of one tag or comment; expat reads an unfinished one again with every block
BLOCK = 64 * 1024
STEP = 64  # bytes at a time before the first tag, so that a DOCTYPE is met before what it declares

Progress = Callable[[float], None]
ENDED = {codes[said] for said in ("no element found", "unclosed token", "partial character", "unclosed CDATA section")}


class Visitor(Protocol):
    """Is told of every element; names of another namespace come as {namespace}name."""

    def opened(self, path: Sequence[str], line: int) -> None:
        """An element begins; the path ends with its name."""

    def closed(self, path: Sequence[str], text: str, line: int) -> None:
        """An element ends: its text after the last child, and the line it began on."""


def walk(
    source: bytes | BinaryIO,
    visitor: Visitor,
    *,
    namespace: str,
    max_bytes: int = MAX_BYTES,
    progress: Progress | None = None,
) -> str:
    """Tell the visitor of every element and return the sha256 hex of the bytes.

    Raises: BrokenFile.
    """
    walker = _Walker(visitor, namespace)
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    total, digest, done = _size(stream), hashlib.sha256(), 0
    while block := stream.read(BLOCK):
        done += len(block)
        if done > max_bytes:
            raise broken(
                _(
                    "The file is larger than {max_bytes} MiB, the most that is read. Send a smaller plan.",
                    max_bytes=max_bytes // 2**20,
                )
            )
        digest.update(block)
        walker.feed(block)
        if progress and total:
            progress(min(done / total, 1.0))
    walker.finish()
    if progress:
        progress(1.0)
    return digest.hexdigest()


def _size(stream: BinaryIO) -> int:
    """Return the bytes to come, 0 where the stream cannot tell."""
    if not stream.seekable():
        return 0
    here = stream.tell()
    size = stream.seek(0, io.SEEK_END) - here
    stream.seek(here)
    return size


class _Walker:
    def __init__(self, visitor: Visitor, namespace: str) -> None:
        self._visitor = visitor
        self._prefix = f"{namespace} "
        self._path: list[str] = []
        self._lines: list[int] = []
        self._text: list[str] = []
        self._length = self._elements = self._fed = 0
        self._parser = self._made()

    def _made(self) -> XMLParserType:
        parser = ParserCreate(None, " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse
        return parser

    def feed(self, block: bytes) -> None:
        for piece in self._pieces(block):
            self._parse(piece, final=False)
            self._fed += len(piece)
            if self._fed - self._parser.CurrentByteIndex > MAX_TOKEN:
                raise broken(
                    _("A single tag or comment is longer than 4 MiB. This is no plan as a tool saves it."), self._line
                )
        if not self._elements and self._fed >= BLOCK:
            raise broken(
                _("No <Project> within the first 64 KiB. Save the plan as XML again and send it unchanged."), 1
            )

    def finish(self) -> None:
        self._parse(b"", final=True)

    def _pieces(self, block: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(block):
            size = STEP if not self._elements else len(block)
            yield block[at : at + size]
            at += size

    def _parse(self, piece: bytes, *, final: bool) -> None:
        try:
            self._parser.Parse(piece, final)
        except ExpatError as error:
            raise broken(self._told(error, final=final), error.lineno) from None
        except (LookupError, ValueError):
            if self._elements:
                raise
            raise broken(_("The encoding the file names cannot be read. Save it as UTF-8."), self._line) from None

    def _told(self, error: ExpatError, *, final: bool) -> str:
        where = self._where() if self._path else ""
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
        return "".join(f"<{name}>" for name in self._path[:5])

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

    def _open(self, name: str, _attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._path) >= MAX_DEPTH:
            raise broken(
                _("Elements are nested more than {max_depth} deep; a plan needs about 6.", max_depth=MAX_DEPTH),
                self._line,
            )
        if self._elements > MAX_ELEMENTS:
            raise broken(
                _("The file has more than {max_elements} elements. Send a smaller plan.", max_elements=MAX_ELEMENTS),
                self._line,
            )
        self._path.append(self._named(name))
        self._lines.append(self._line)
        self._forget_text()
        self._visitor.opened(self._path, self._lines[-1])

    def _close(self, _name: str) -> None:
        self._visitor.closed(self._path, "".join(self._text), self._lines.pop())
        self._path.pop()
        self._forget_text()

    def _characters(self, text: str) -> None:
        self._length += len(text)
        if self._length > MAX_TEXT:
            raise broken(
                _("The text in {where} has more than {max_text} characters.", where=self._where(), max_text=MAX_TEXT),
                self._line,
            )
        self._text.append(text)

    def _forget_text(self) -> None:
        self._text.clear()
        self._length = 0

    def _named(self, name: str) -> str:
        if name.startswith(self._prefix):
            return name[len(self._prefix) :]
        space, _, local = name.rpartition(" ")
        return f"{{{space}}}{local}"  # {}local where there is no namespace
