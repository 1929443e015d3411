"""The documents: README is short, links lead somewhere, and the commands that are named exist with their options."""

import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from web.cli.main import parser
from web.settings import Settings, variable

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md")] + sorted(ROOT.glob("docs/**/*.md"))
READERS = [ROOT / "docs" / f"{reader}.md" for reader in ("managers", "clients", "auditors", "operators")]
BLOCK = re.compile(r"^```.*?\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`(fanlight[^`\n]*)`")
TOLD = re.compile(r"^(?:docker compose run --rm \S+|fanlight) +(\S.*)")
OF_COMPOSE = {"FANLIGHT_SITE"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(text: str) -> set[str]:
    """Return where links into a document may lead: its headings, written as on the pages that show it."""
    heads = re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def dead(path: Path) -> list[str]:
    """Return the relative links of a document that lead nowhere."""
    text = BLOCK.sub("", path.read_text())
    found = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        where, _, anchor = link.partition("#")
        target = (path.parent / where).resolve() if where else path
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            found.append(link)
    return found


def commands(text: str) -> Iterator[tuple[list[str], bool]]:
    """Yield the words of every command a document names, and whether it is a whole command, as to be typed."""
    for block in BLOCK.findall(text):
        for line in block.splitlines():
            if told := TOLD.match(line):
                yield shlex.split(re.sub(r"\[.*?\]", "", told[1]), comments=True), True
    for span in SPAN.findall(BLOCK.sub("", text)) + re.findall(r"`(docker compose run --rm [^`\n]*)`", text):
        if told := TOLD.match(span):
            yield shlex.split(told[1]), False


def below(top: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the commands right below one."""
    for action in top._actions:  # argparse has no other way to ask
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def wrong(words: list[str], *, whole: bool) -> str:
    """Return what is wrong with a command, nothing when it is one of ours."""
    at, rest = parser(), list(words)
    while rest and (choices := below(at)) and not rest[0].startswith("-"):
        if rest[0] not in choices:
            return f"no command {rest[0]}"
        at = choices[rest.pop(0)]
    known = {option for action in at._actions for option in action.option_strings}
    unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]
    if unknown:
        return f"no option {unknown[0]}"
    if whole and "--help" not in rest:
        try:
            parser().parse_args(words)
        except SystemExit:
            return "it cannot be typed like this"
    return ""


def leaves(top: argparse.ArgumentParser, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield every command there is, with the words that lead to it."""
    choices = below(top)
    if not choices:
        yield before
    for name, one in choices.items():
        yield from leaves(one, (*before, name))


def test_readme_is_short_and_leads_to_a_page_for_every_reader() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    for page in READERS:
        assert f"]({named(page)})" in text
    assert "make demo" in text
    assert "make test" in text


def test_a_link_that_leads_nowhere_would_be_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One page\n[a](page.md#one-page) [b](#two) [c](gone.md) ![d](gone.png) [e](https://example.com)\n"
    )
    assert dead(page) == ["#two", "gone.md", "gone.png"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_relative_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    assert dead(path) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("`fanlight serve --prot`", "no option --prot"),
        ("`fanlight user dance`", "no command dance"),
        ("```\nfanlight export --out x.zip  # nothing to export\n```\n", "it cannot be typed like this"),
        ("```\ndocker compose run --rm worker-1 user organisation Us\n```\n", ""),
        ("`fanlight --help`", ""),
        ("```\nfanlight restored --reason x [--shown SHARE=N ...]\n```\n", ""),
    ],
)
def test_a_command_that_does_not_exist_would_be_noticed(text: str, told: str) -> None:
    [(words, whole)] = commands(text)
    assert wrong(words, whole=whole) == told


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_command_that_is_named_exists_with_its_options(path: Path) -> None:
    found = [(" ".join(words), wrong(words, whole=whole)) for words, whole in commands(path.read_text())]
    assert [one for one in found if one[1]] == []


def test_every_command_is_shown_to_operators_or_auditors() -> None:
    shown = {tuple(words) for page in READERS for words, _whole in commands(page.read_text())}
    for leaf in leaves(parser()):
        assert any(words[: len(leaf)] == leaf for words in shown), f"fanlight {' '.join(leaf)} is in no document"


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_variable_that_is_named_is_a_setting(path: Path) -> None:
    settings = {variable(name) for name in Settings.__struct_fields__}
    known = settings | {f"{name}_FILE" for name in settings} | OF_COMPOSE
    assert set(re.findall(r"\bFANLIGHT_[A-Z_]*[A-Z]\b(?!_?\*)", path.read_text())) <= known
