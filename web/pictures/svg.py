"""SVG read with entities refused and written anew from an allow-list of elements, attributes and values.

Rule: whatever could act, load or point elsewhere is refused with its line and what to do; what only describes
(metadata, titles, what a drawing program keeps for itself) is left out. What is written is in one namespace, without
comments, instructions or styles: a style becomes attributes, each checked like one.
Threats: scripts, handlers, animation, links, foreign content, style sheets, references to other files, entities and
DOCTYPE, nesting and reuse without end, texts that need a font of the reader's.
"""

import re
from collections.abc import Iterator, Mapping
from pyexpat import ErrorString, ExpatError, ParserCreate
from typing import NoReturn

import msgspec

from domain.language import gettext as _
from web.pictures.refused import PictureRefused

NAMESPACE, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
DEPTH, ELEMENTS, DRAWN_MOST = 32, 3000, 20_000
SHAPES = frozenset({"path", "rect", "circle", "ellipse", "line", "polyline", "polygon"})
PAINT = frozenset({"linearGradient", "radialGradient", "stop", "clipPath", "mask"})
DRAWN = frozenset({"svg", "g", "defs", "symbol", "use"}) | SHAPES | PAINT
DESCRIBING = frozenset({"title", "desc", "metadata"})
LOOK = frozenset(
    {"fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap"}
    | {"stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset", "opacity", "color", "display"}
    | {"visibility", "clip-path", "clip-rule", "mask", "stop-color", "stop-opacity", "overflow", "vector-effect"}
)  # what a style may say too
GEOMETRY = frozenset(
    {"id", "d", "points", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "fx", "fy", "fr", "width"}
    | {"height", "transform", "viewBox", "preserveAspectRatio", "offset", "pathLength", "gradientUnits"}
    | {"gradientTransform", "spreadMethod", "clipPathUnits", "maskUnits", "maskContentUnits"}
)
PLAIN = re.compile(r"[\w\s#.,;:%()+\-]*", re.ASCII)  # no quotes, no slashes, no backslashes, no angle brackets
NAME = re.compile(r"[\w.-]+", re.ASCII)
LOCAL = re.compile(r"url\(\s*#([\w.-]+)\s*\)", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
RULE = re.compile(r"((?:\.[\w-]+\s*,?\s*)+)\{([^{}]*)\}", re.ASCII)
LARGEST = 100_000.0  # of width and height, in units of the drawing


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """An SVG as it was written anew, its size in its own units, and what was left out."""

    content: bytes
    width: int
    height: int
    left_out: tuple[str, ...]


class _Element(msgspec.Struct, kw_only=True):
    tag: str
    attributes: dict[str, str]
    styled: dict[str, str]  # by its own style, which wins over classes and attributes
    classes: tuple[str, ...]
    children: "list[_Element]" = []


def read(data: bytes) -> Drawn:
    """Return an SVG written anew.

    Raises: PictureRefused.
    """
    reader = _Drawing()
    reader.parse(data)
    if reader.root is None:
        raise PictureRefused(_("There is no drawing in this file. Save it as a plain SVG."))
    root = reader.root
    _dress(root, reader.styles)
    width, height = _size(root)
    _check_reuse(root)
    root.attributes.setdefault("viewBox", f"0 0 {width} {height}")
    root.attributes |= {"width": str(width), "height": str(height)}
    content = "".join(_written(root, top=True)).encode()
    return Drawn(content=content, width=width, height=height, left_out=tuple(dict.fromkeys(reader.left_out)))


class _Drawing:
    """Reads the tree of what may be drawn; refuses the rest."""

    def __init__(self) -> None:
        self.root: _Element | None = None
        self.styles: list[tuple[str, dict[str, str]]] = []
        self.left_out: list[str] = []
        self._open: list[_Element] = []
        self._skipped = 0  # how deep within something that is left out
        self._style: list[str] | None = None
        self._count = 0
        parser = self._parser = ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.ProcessingInstructionHandler = self._instruction

    def parse(self, data: bytes) -> None:
        """Read a file.

        Raises: PictureRefused.
        """
        try:
            self._parser.Parse(data, True)
        except ExpatError as error:
            told = ErrorString(error.code)
            raise PictureRefused(
                _("Line {line}: this is no well-formed SVG ({told}).", line=error.lineno, told=told)
            ) from None
        except (ValueError, LookupError):  # an encoding nobody knows
            raise PictureRefused(_("This SVG is in an encoding that is not read. Save it as UTF-8.")) from None

    def _refuse(self, told: str) -> NoReturn:
        line = self._parser.CurrentLineNumber
        raise PictureRefused(_("Line {line}: {told}", line=line, told=told))

    def _doctype(self, *_given: object) -> None:
        self._refuse(_("it has a DOCTYPE, which is not read. Save it as a plain SVG, without one."))

    def _entity(self, *_given: object) -> None:
        self._refuse(_("it declares an entity, which is not read. Save it as a plain SVG."))

    def _instruction(self, target: str, _data: str) -> None:
        if target == "xml-stylesheet":
            self._refuse(_("it loads a style sheet. Save it with its styles inside."))
        self.left_out.append(target)

    def _start(self, name: str, given: dict[str, str]) -> None:
        self._count += 1
        if self._count > ELEMENTS or len(self._open) + self._skipped >= DEPTH:
            self._refuse(_("it has more parts, or deeper ones, than a logo needs. Simplify it."))
        namespace, _space, tag = name.rpartition(" ")
        if self._skipped or namespace != NAMESPACE:
            self._look_into(namespace, tag)
        if self._skipped:
            self._skipped += 1
        elif namespace != NAMESPACE or tag in DESCRIBING:
            if not self._open:
                self._refuse(_("it is no SVG: its outermost element is {tag}.", tag=tag[:40]))
            self._skipped = 1
            self.left_out.append(tag[:40])
        elif tag == "style":
            self._style, self._skipped = [], 1
        else:
            self._draw(tag, given)

    def _look_into(self, namespace: str, tag: str) -> None:
        """Refuse a script also where it would be left out: nobody has one there by accident."""
        if tag.lower() == "script" or (self._style is not None and namespace == NAMESPACE):
            self._refuse(_("{tag} is not taken: a logo is a drawing and nothing else. Take it out.", tag=tag[:40]))

    def _draw(self, tag: str, given: Mapping[str, str]) -> None:
        if tag not in DRAWN or (tag == "svg") != (not self._open):
            advice = _("turn it into paths") if tag in ("text", "tspan", "textPath") else _("take it out")
            self._refuse(_("{tag} is not taken in a logo; {advice}.", tag=tag[:40], advice=advice))
        element = _Element(
            tag=tag,
            attributes=self._attributes(tag, given),
            styled=self._declared(given.get("style", "")),
            classes=tuple(given.get("class", "").split()),
        )
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _attributes(self, tag: str, given: Mapping[str, str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for full, value in given.items():
            namespace, _space, name = full.rpartition(" ")
            if name.lower().startswith("on"):
                self._refuse(_("{name} would run a script. Take it out.", name=name[:40]))
            if name in ("href", "src") and namespace in ("", XLINK):
                found["href"] = self._reference(tag, name, value)
            elif namespace:
                self.left_out.append(name[:40])
            elif name in ("style", "class"):
                continue
            elif name in LOOK or name in GEOMETRY:
                found[name] = self._value(name, value)
            else:
                self._refuse_active(name, value)
                self.left_out.append(name[:40])
        return found

    def _reference(self, tag: str, name: str, value: str) -> str:
        if not re.fullmatch(r"\s*#[\w.-]+\s*", value, re.ASCII) or tag not in PAINT | {"use"}:
            self._refuse(
                _("{name} points to something outside of the drawing, or is none of a drawing. Take it out.", name=name)
            )
        return value.strip()

    def _value(self, name: str, value: str) -> str:
        self._refuse_active(name, value)
        text = " ".join(value.split())
        if not (NAME if name == "id" else PLAIN).fullmatch(text):
            self._refuse(_("the value of {name} is none of a drawing. Take it out.", name=name[:40]))
        return text

    def _refuse_active(self, name: str, value: str) -> None:
        """Refuse a value that loads or runs something, also where its attribute would be left out."""
        said = re.sub(r"\s|\\", "", value).lower()
        if "url(" in LOCAL.sub("", value).lower().replace(" ", "") or "script:" in said or "data:" in said:
            self._refuse(_("{name} loads something from elsewhere. Take it out.", name=name[:40]))

    def _declared(self, text: str) -> dict[str, str]:
        """Return the declarations of a style as attributes; what is none of a drawing is left out."""
        found = {}
        for declared in filter(str.strip, text.split(";")):
            name, _colon, value = (part.strip() for part in declared.partition(":"))
            if name.lower() in LOOK:
                found[name.lower()] = self._value(name, value.removesuffix("!important").strip())
            else:
                self._refuse_active(name, value)
                self.left_out.append(name[:40])
        return found

    def _text(self, text: str) -> None:
        if self._style is not None:
            self._style.append(text)

    def _end(self, _name: str) -> None:
        if not self._skipped:
            self._open.pop()
            return
        self._skipped -= 1
        if self._style is not None and not self._skipped:
            self.styles += self._classes("".join(self._style))
            self._style = None

    def _classes(self, css: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield what each class of a style sheet declares; a sheet of anything but classes is refused."""
        plain = re.sub(r"/\*.*?\*/", " ", css, flags=re.DOTALL)
        if RULE.sub("", plain).strip():
            self._refuse(_("its style sheet has more than classes. Save it with presentation attributes instead."))
        for selectors, declared in RULE.findall(plain):
            attributes = self._declared(declared)
            for name in re.findall(r"[\w-]+", selectors, re.ASCII):
                yield name, attributes


def _dress(element: _Element, styles: list[tuple[str, dict[str, str]]]) -> None:
    """Put what classes and styles declare in place of the attributes they win over."""
    for name, declared in styles:
        if name in element.classes:
            element.attributes |= declared
    element.attributes |= element.styled
    for child in element.children:
        _dress(child, styles)


def _size(root: _Element) -> tuple[int, int]:
    """Return width and height of a drawing, by its viewBox or else its own, at least 1 each."""
    box = [float(number) for number in NUMBER.findall(root.attributes.get("viewBox", ""))]
    sides = box[2:] if len(box) == 4 else [_length(root.attributes.get(name, "")) for name in ("width", "height")]
    if not all(0 < side <= LARGEST for side in sides):
        raise PictureRefused(_("The drawing says no size. Give its svg element a viewBox, or a width and a height."))
    return max(1, round(sides[0])), max(1, round(sides[1]))


def _length(text: str) -> float:
    found = NUMBER.match(text)
    return float(found[0]) if found and text[found.end() :] in ("", "px") else 0.0


def _check_reuse(root: _Element) -> None:
    """Refuse what draws itself, or draws so much again that it takes long.

    Raises: PictureRefused.
    """
    named = {one.attributes["id"]: one for one in _every(root) if "id" in one.attributes}
    costs: dict[int, int] = {}
    begun: set[int] = set()

    def cost(element: _Element) -> int:
        key = id(element)
        if key in costs:
            return costs[key]
        if key in begun:
            raise PictureRefused(_("A part of the drawing is made of itself. Take it out."))
        begun.add(key)
        again = [named[name] for name in _pointed(element) if name in named]
        costs[key] = 1 + sum(map(cost, (*element.children, *again)))
        return costs[key]

    if cost(root) > DRAWN_MOST:
        raise PictureRefused(_("The drawing repeats its parts too often. Simplify it."))


def _every(element: _Element) -> Iterator[_Element]:
    yield element
    for child in element.children:
        yield from _every(child)


def _pointed(element: _Element) -> Iterator[str]:
    """Yield the ids that an element points to."""
    for name, value in element.attributes.items():
        if name == "href":
            yield value.removeprefix("#")
        else:
            yield from LOCAL.findall(value)


def _written(element: _Element, *, top: bool = False) -> Iterator[str]:
    spaces = f' xmlns="{NAMESPACE}"' if top else ""
    given = "".join(f' {name}="{value}"' for name, value in sorted(element.attributes.items()))
    if not element.children:
        yield f"<{element.tag}{spaces}{given}/>"
        return
    yield f"<{element.tag}{spaces}{given}>"
    for child in element.children:
        yield from _written(child)
    yield f"</{element.tag}>"
