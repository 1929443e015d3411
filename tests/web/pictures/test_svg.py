"""An SVG comes out as a drawing and nothing else, or it is refused with its line."""

import re

import pytest
from hypothesis import given, strategies

from web.pictures import svg
from web.pictures.picture import checked, take
from web.pictures.refused import PictureRefused

pytestmark = pytest.mark.once

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 120 40"'


def drawing(inside: str, given: str = "") -> bytes:
    return f"{HEAD}{given}>{inside}</svg>".encode()


def laughs(levels: int) -> str:
    made = '<g id="u0"><path d="M0 0h1"/></g>'
    for n in range(1, levels):
        made += f'<g id="u{n}">' + f'<use href="#u{n - 1}"/>' * 10 + "</g>"
    return f"<defs>{made}</defs>"


ATTACKS = {
    "script": drawing("<script>alert(1)</script>"),
    "script of another namespace": drawing('<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>'),
    "script in metadata": drawing("<metadata><script>alert(1)</script></metadata>"),
    "script with capitals in what is left out": drawing("<desc><SCRIPT>1</SCRIPT></desc>"),
    "script in a style": drawing("<style><script>1</script></style>"),
    "handler": drawing('<path d="M0 0" onload="alert(1)"/>'),
    "handler on the outside": drawing("", ' onload="alert(1)"'),
    "handler with capitals": drawing('<path d="M0 0" OnClick="alert(1)"/>'),
    "foreign content": drawing('<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>'),
    "embedded page": drawing('<iframe src="https://evil.test"/>'),
    "picture from elsewhere": drawing('<image href="https://evil.test/x.png"/>'),
    "picture inside": drawing('<image href="data:image/png;base64,AAAA"/>'),
    "link": drawing('<a href="https://evil.test"><path d="M0 0"/></a>'),
    "script link": drawing('<use href="javascript:alert(1)"/>'),
    "use from elsewhere": drawing('<use xlink:href="https://evil.test/x.svg#a"/>'),
    "use of data": drawing('<use href="data:image/svg+xml,&lt;svg/&gt;#a"/>'),
    "gradient from elsewhere": drawing('<linearGradient href="//evil.test/a.svg#b"/>'),
    "paint from elsewhere": drawing('<path d="M0 0" fill="url(https://evil.test/a.svg#b)"/>'),
    "paint from elsewhere, spaced": drawing('<path d="M0 0" fill="u&#10;rl( http://evil.test )"/>'),
    "paint in quotes": drawing('<path d="M0 0" fill="url(\'https://evil.test\')"/>'),
    "paint with an escape": drawing('<path d="M0 0" fill="\\75rl(https://evil.test)"/>'),
    "style that loads": drawing('<path d="M0 0" style="fill:url(https://evil.test)"/>'),
    "style that loads what is no look": drawing('<path d="M0 0" style="background:url(//evil.test)"/>'),
    "style sheet that imports": drawing('<style>@import "https://evil.test/a.css";</style>'),
    "style sheet of more than classes": drawing("<style>path{fill:red}</style>"),
    "style sheet that loads": drawing("<style>.a{fill:url(https://evil.test)}</style>"),
    "style sheet beside": b'<?xml-stylesheet href="https://evil.test/a.css"?>' + drawing(""),
    "animation": drawing('<path d="M0 0"><animate attributeName="href" to="javascript:alert(1)"/></path>'),
    "set": drawing('<set attributeName="onload" to="alert(1)"/>'),
    "filter": drawing('<filter id="f"><feImage href="https://evil.test"/></filter>'),
    "text": drawing("<text>Works</text>"),
    "svg in svg": drawing("<svg/>"),
    "pattern": drawing('<pattern id="p" width=".001" height=".001"/>'),
    "doctype": b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://evil.test/svg11.dtd">' + drawing(""),
    "entity": b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + drawing("<desc>&x;</desc>"),
    "billion laughs": b'<!DOCTYPE svg [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + drawing("<desc>&b;</desc>"),
    "entity nobody declared": drawing("<desc>&nbsp;</desc>"),
    "laughs by use": drawing(laughs(8)),
    "made of itself": drawing('<g id="a"><use href="#a"/></g>'),
    "masks of each other": drawing('<mask id="a" mask="url(#b)"/><mask id="b" mask="url(#a)"/>'),
    "too deep": drawing("<g>" * 40 + "</g>" * 40),
    "too deep in what is left out": drawing("<metadata>" + "<g>" * 40 + "</g>" * 40 + "</metadata>"),
    "too many": drawing("<g/>" * 4000),
    "no size": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "size without end": b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1e300 1e300"/>',
    "no namespace": b'<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>',
    "a page": b'<html xmlns="http://www.w3.org/1999/xhtml"><script>1</script></html>',
    "not closed": drawing("<g>"),
    "an encoding nobody knows": b'<?xml version="1.0" encoding="klingon"?>' + drawing(""),
    "zeros": drawing("\x00"),
    "too large": drawing("<desc>" + "x" * 140_000 + "</desc>"),
    "an id with a tag": drawing('<path id="a&gt;&lt;script&gt;" d="M0 0"/>'),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_could_act_load_or_never_end_is_refused(name: str) -> None:
    with pytest.raises(PictureRefused) as refused:
        take(ATTACKS[name])
    assert str(refused.value).rstrip(".")


def test_the_refusal_says_the_line_and_what_to_do() -> None:
    with pytest.raises(PictureRefused, match=r"Line 3: text is not taken in a logo; turn it into paths\."):
        take(drawing("\n\n<text>Works</text>"))


EXPORTED = drawing(
    """
  <title>Logo</title><desc>of Works</desc><metadata><x:rdf xmlns:x="urn:x"><x:li>1</x:li></x:rdf></metadata>
  <!-- made by a program -->
  <defs><style>/* one */ .a,.b{fill:#e4002b;} .b{stroke:none;font-family:'X'}</style>
  <linearGradient id="g"><stop offset="0" style="stop-color:#fff"/><stop offset="1"/></linearGradient></defs>
  <g class="a" data-name="x"><path class="b" d="M0,0 l10-3.5e-2z" style="fill:url(#g) !important" fill="#000"/></g>
  <use xlink:href="#g"/>""",
    ' id="Layer_1" xmlns:i="urn:i" i:tool="1"',
)


def test_what_a_drawing_program_exports_comes_out_as_a_drawing_alone() -> None:
    taken = take(EXPORTED)
    text = taken.content.decode()
    assert text == (
        '<svg xmlns="http://www.w3.org/2000/svg" height="40" id="Layer_1" viewBox="0 0 120 40" width="120"><defs>'
        '<linearGradient id="g"><stop offset="0" stop-color="#fff"/><stop offset="1"/></linearGradient></defs>'
        '<g fill="#e4002b"><path d="M0,0 l10-3.5e-2z" fill="url(#g)" stroke="none"/></g><use href="#g"/></svg>'
    )
    assert (taken.picture.kind, taken.picture.width, taken.picture.height) == ("svg", 120, 40)
    assert {"title", "desc", "metadata", "font-family", "tool", "data-name"} <= set(taken.left_out)


def test_what_was_taken_is_known_again_and_nothing_else() -> None:
    taken = take(EXPORTED)
    assert checked(taken.content) == taken.picture
    assert take(taken.content).content == taken.content
    assert checked(taken.content + b" ") is None
    assert checked(EXPORTED) is None
    assert checked(b"wOF2 a font") is None


SAFE = re.compile(r'<(/?[a-zA-Z]+)((?: [a-zA-Z0-9-]+="[^"<>&\']*")*) ?/?>')
PIECES = ["<path", "<g>", "</g>", ' d="M0 0"', ">", "/>", "<script>", ' onload="x"', "url(#a)", "url(//x)", "<style>", "&lt;",
          "</style>", ".a{fill:red}", "<use", ' href="#a"', ' href="http://x"', "<!--", "-->", "<desc>", "</desc>", '"', "'"]  # fmt: skip


@given(strategies.lists(strategies.sampled_from(PIECES), max_size=20))
def test_whatever_comes_out_is_of_the_allowed_elements_and_attributes(pieces: list[str]) -> None:
    try:
        text = take(drawing("".join(pieces))).content.decode()
    except PictureRefused:
        return
    assert SAFE.sub("", text) == ""
    for tag, attributes in SAFE.findall(text):
        assert tag.removeprefix("/") in svg.DRAWN
        for name, value in re.findall(r' ([a-zA-Z0-9-]+)="([^"]*)"', attributes):
            assert name in svg.LOOK | svg.GEOMETRY | {"href", "xmlns"}
            assert name == "xmlns" or ("/" not in value and ":" not in value)
            assert name != "href" or value.startswith("#")
