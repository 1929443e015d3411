"""Sources of pages: laid out to be read, all of them served, and small enough to be fetched over a slow line."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from web.door.assets import ALONE, SCRIPTS, STATIC, STYLES, asset_url, content, static

pytestmark = pytest.mark.once

WIDTH = 120
LIVE_BYTES = 30 * 1024  # our own part of the live page's script, as it is sent before compression
PAGE_BYTES = 79 * 1024  # all of it, with htmx
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
        whole = b"\n".join((STATIC / part).read_bytes() for part in parts)
        assert content(bundle).endswith(b"(() => {\n" + whole + b"})();\n")


def test_the_live_pages_script_stays_small() -> None:
    assert sum((STATIC / part).stat().st_size for part in OURS["live.js"]) <= LIVE_BYTES
    assert len(content("live.js")) <= PAGE_BYTES
