"""Sources of pages: laid out to be read, all of them served, and small enough to be fetched over a slow line."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from web.door.assets import ALONE, SCRIPTS, STATIC, STYLES, asset_url, content, lean, static

pytestmark = pytest.mark.once

WIDTH = 120
LIVE_BYTES = 32 * 1024  # our own part of the live page's script, as it is sent before compression
PAGE_BYTES = 74 * 1024  # all of it, with htmx
SENT_BYTES = 26_500  # all of it, compressed
OURS = {bundle: parts[-1] for bundle, parts in SCRIPTS.items() if isinstance(parts[-1], tuple)}


def sources(kind: str) -> Iterator[Path]:
    """Return our own sources of a kind."""
    for path in sorted(STATIC.rglob(f"*.{kind}")):
        if "vendor" not in path.relative_to(STATIC).parts:
            yield path


def crowded(css: str) -> list[str]:
    """Return the lines that carry more than one declaration or one rule."""
    bare = re.sub(r"/\*.*?\*/", lambda comment: "\n" * comment[0].count("\n"), css, flags=re.DOTALL)
    bare = re.sub(r'"[^"]*"', '""', bare)
    ended = re.sub(r"([^\s;{}])\s*}", r"\1;}", bare)  # the last declaration of a rule may do without its semicolon
    return [line for line in ended.splitlines() if max(line.count(sign) for sign in ";{}") > 1]


def long(text: str) -> list[str]:
    """Return the lines that are too wide to be read."""
    return [line for line in text.splitlines() if len(line) > WIDTH]


@pytest.mark.parametrize(
    "line", ["a { color: red; top: 0; }", "a{color:red;top:0}", "a { top: 0; } b { top: 0; }", "  color: red; top: 0;"]
)
def test_a_line_with_two_declarations_or_two_rules_is_noticed(line: str) -> None:
    assert crowded(line)
    assert not crowded('/* one; two; three */\na { content: ";;"; }\nb {\n  top: 0;\n}\n')


def test_a_stylesheet_has_one_declaration_a_line() -> None:
    found = {path.name: crowded(path.read_text()) for path in sources("css")}
    assert len(found) > 1
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("kind", ["js", "css"])
def test_no_line_of_a_source_is_wider_than_a_screen(kind: str) -> None:
    assert long("x" * (WIDTH + 1))
    found = {path.name: long(path.read_text()) for path in sources(kind)}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_every_source_is_part_of_something_a_page_fetches() -> None:
    named = {f"css/{bundle.removesuffix('.css')}/{part}.css" for bundle, parts in STYLES.items() for part in parts}
    for parts in SCRIPTS.values():
        for part in parts:
            named |= {part} if isinstance(part, str) else set(part)
    on_disk = {str(path.relative_to(STATIC)) for kind in ("js", "css") for path in sources(kind)}
    assert on_disk == {name for name in {*named, *ALONE} if name.endswith((".js", ".css")) and "vendor" not in name}


def test_what_a_page_fetches_is_served_for_ever_under_its_hash_and_nothing_else_is() -> None:
    browser = TestClient(Starlette(routes=[Route("/static/{name}", static)]))
    for name in (*SCRIPTS, *STYLES, *ALONE):
        answer = browser.get(asset_url(name))
        assert answer.content == content(name)
        assert "immutable" in answer.headers["cache-control"]
    assert browser.get(asset_url("live.js").replace("live.", "live.0")).status_code == 404
    assert browser.get("/static/feed.js").status_code == 404


def test_no_name_of_our_scripts_is_global() -> None:
    for bundle, parts in OURS.items():
        whole = b"\n".join(lean((STATIC / part).read_bytes()) for part in parts)
        assert content(bundle).endswith(b"(() => {\n" + whole + b"})();\n")


def test_the_live_pages_script_stays_small() -> None:
    assert sum((STATIC / part).stat().st_size for part in OURS["live.js"]) <= LIVE_BYTES
    assert len(content("live.js")) <= PAGE_BYTES


SOURCES = sorted((STATIC / "js").rglob("*.js"))


def over_lines(source: str) -> list[str]:
    """Lines in which a text or a comment begins or ends that goes over several: there `lean` could leave out text."""
    code = [line for line in source.splitlines() if not line.strip().startswith("//")]
    return [line for line in code if line.count("`") % 2 or "/*" in line]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_what_is_left_out_of_a_script_is_comments_and_space_alone(source: Path) -> None:
    text = source.read_text()
    assert over_lines(text) == []
    left = lean(text.encode()).decode()
    assert "\n//" not in f"\n{left}"
    kept = [line.strip() for line in text.splitlines()]
    assert left.split("\n") == [*(line for line in kept if line and not line.startswith("//")), ""]


@pytest.mark.parametrize("text", ["const a = `one\n  // two`;", "/* one\n two */"])
def test_a_text_over_several_lines_would_be_noticed(text: str) -> None:
    assert over_lines(text)


def test_the_live_pages_script_stays_small_as_it_is_sent() -> None:
    assert len(gzip.compress(content("live.js"), 9)) <= SENT_BYTES
