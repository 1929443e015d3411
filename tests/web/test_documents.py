"""The documents: README is short, links lead somewhere, and what is named exists: commands, settings, files, functions."""

import argparse
import ast
import re
import shlex
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from web.cli.main import parser
from web.settings import Settings, variable

pytestmark = pytest.mark.once
ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md")] + sorted(ROOT.glob("docs/**/*.md"))
READERS = [ROOT / "docs" / f"{reader}.md" for reader in ("managers", "clients", "auditors", "operators")]
BLOCK = re.compile(r"^```.*?\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`(fanlight[^`\n]*)`")
TOLD = re.compile(r"^(?:docker compose run --rm \S+|(?:\.venv/bin/)?fanlight) +(\S.*)")
DEVELOPERS = ROOT / "docs" / "developers.md"
FOLDERS = ("bench", "deploy", "docs", "domain", "projections", "tests", "web")
PLACE = re.compile(rf"(?<![\w./<>{{}}-])(?:(?:{'|'.join(FOLDERS)})/[\w./-]*|(?:[\w-]+/)*[\w-]+\.py)(?![\w<{{*])")
FOLDER = re.compile(r"`((?:[\w.-]+/)+)`")
IN_BUNDLES = {"verify.py"}  # docs/spec.md 8.3
IN_FILE = re.compile(r"((?:[\w-]+/)+[\w-]+\.(?:py|js))::([\w.]+)")
DOTTED = re.compile(r"(?<![\w./-])(?:domain|projections|web|tests)(?:\.\w+)+")


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
    known = settings | {f"{name}_FILE" for name in settings}
    assert set(re.findall(r"\bFANLIGHT_[A-Z_]*[A-Z]\b(?!_?\*)", path.read_text())) <= known


# files, folders and functions


def places(text: str) -> set[str]:
    """Return every file and folder of ours that a document names."""
    return {place.rstrip(".") for place in PLACE.findall(text)} | set(FOLDER.findall(text))


def missing(text: str) -> list[str]:
    """Return the files and folders a document names that are not there."""
    wanted = {place for place in places(text) if place not in IN_BUNDLES}
    return sorted(place for place in wanted if not (ROOT / place).exists())


def names(text: str) -> Iterator[tuple[Path, str]]:
    """Yield the file and the dotted name of every function, class or constant a document names."""
    for file, name in IN_FILE.findall(text):
        yield ROOT / file, name
    for dotted in DOTTED.findall(text):
        path, rest = ROOT, dotted.split(".")
        while rest and (path / rest[0]).is_dir():
            path /= rest.pop(0)
        if rest and (path / f"{rest[0]}.py").is_file():
            path /= f"{rest.pop(0)}.py"
        yield (path / "__init__.py" if path.is_dir() else path), ".".join(rest)


def defined(path: Path, name: str) -> bool:
    """Tell whether a file defines a name: `Room.publish`, `FORMS`; what it only imports does not count."""
    if not path.is_file():
        return False
    source = path.read_text()
    if path.suffix == ".js":
        return re.search(rf"\b(?:const|let|function|class) {name}\b", source) is not None
    body = ast.parse(source).body
    for part in name.split(".") if name else ():
        holder = next((node for node in body if part in bound(node)), None)
        if holder is None:
            return False
        body = getattr(holder, "body", [])
    return True


def bound(node: ast.stmt) -> set[str]:
    """Return the names a statement defines."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def layers() -> list[set[str]]:
    """Return the wings of `web/` from the import contracts, top to bottom, those that stand side by side together."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [found] = [contract["layers"] for contract in contracts if contract.get("containers") == ["web"]]
    return [set(layer.split(" | ")) for layer in found]


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("in `web/pm_seen.py`.", ["web/pm_seen.py"]),
        ("see web/push/hub.py, projections/store.py", ["projections/store.py"]),
        ("`domain/plan/` and `domain/plans/`", ["domain/plans/"]),
        ("`schedule.py`", ["schedule.py"]),
        ("`web/push/hub.py::Hub.publish`", []),
        ("`/s/<share>/today.css`, `entries/<n>.jsonl`, `verify.py`", []),
    ],
)
def test_a_file_that_is_not_there_would_be_noticed(text: str, gone: list[str]) -> None:
    assert missing(text) == gone


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_file_and_folder_that_is_named_is_there(path: Path) -> None:
    assert missing(path.read_text()) == []


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("`web/push/hub.py::Hub.publish`", True),
        ("`web/push/hub.py::Hub.shout`", False),
        ("`web/static/js/live/feed.js::feed`", True),
        ("`domain.reveal.policy.reveal`", True),
        ("`web.settings`", True),
        ("`web.pm_seen.page`", False),
    ],
)
def test_a_function_that_is_not_there_would_be_noticed(text: str, *, there: bool) -> None:
    [(path, name)] = names(text)
    assert defined(path, name) is there


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_function_that_is_named_is_there(path: Path) -> None:
    found = [(str(file.relative_to(ROOT)), name) for file, name in names(path.read_text()) if not defined(file, name)]
    assert found == []


def test_developers_read_of_every_package() -> None:
    told = places(DEVELOPERS.read_text())
    packages = [path.parent for top in ("domain", "projections", "web") for path in (ROOT / top).rglob("*/__init__.py")]
    assert [f"{named(package)}/" for package in packages if f"{named(package)}/" not in told] == []


def imports(package: Path) -> set[Path]:
    """Return the folders of the same layer that the modules of a package import from."""
    found = set()
    for node in (node for path in package.glob("*.py") for node in ast.walk(ast.parse(path.read_text()))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                path = ROOT.joinpath(*name.split(".")).with_suffix(".py")
                found |= {path.parent} if path.is_file() and path.parent != package else set()
    return found


def upward(order: list[Path]) -> list[tuple[str, str]]:
    """Return the imports that lead from a package to one above it in a list."""
    return [
        (named(one), named(other)) for i, one in enumerate(order) for other in sorted(imports(one) & set(order[:i]))
    ]


@pytest.mark.parametrize("layer", ["domain", "projections"])
def test_developers_read_of_the_other_packages_by_what_imports_what(layer: str) -> None:
    found = re.findall(rf"^({layer}/\w+)/ ", DEVELOPERS.read_text(), re.MULTILINE)
    told = [ROOT / place for place in found]
    assert len(told) == len(set(told)) > 3
    assert upward(told) == []
    assert upward(told[::-1])


def test_developers_read_of_the_wings_in_the_order_of_the_contracts() -> None:
    lines = re.findall(r"^web/(\w+)(?:/|\.py) ", DEVELOPERS.read_text(), re.MULTILINE)
    told = list(dict.fromkeys(lines))
    for layer in layers():
        assert set(told[: len(layer)]) == layer
        del told[: len(layer)]
    assert told == []


def test_a_number_of_the_specification_is_given_once() -> None:
    text = (ROOT / "docs" / "spec.md").read_text()
    numbers = re.findall(r"^(\d+\.\d+(?:\.\d+)?) ", text, re.MULTILINE)
    assert len(numbers) > 90
    assert [number for number, many in Counter(numbers).items() if many > 1] == []
