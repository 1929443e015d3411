"""The house: a folder holds at most sixteen modules and says its rule, names are not worn out, imports run in no circle."""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
TOP = ("domain", "projections", "web")
MOST = 16  # modules in one folder


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module of ours by its dotted name; a package stands for its `__init__`."""
    found = {}
    for path in (path for top in TOP for path in (root / top).rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def crowded(root: Path) -> list[str]:
    counts = Counter(path.parent for path in modules(root).values() if path.name != "__init__.py")
    return [f"{folder.relative_to(root)}: {count} modules" for folder, count in counts.items() if count > MOST]


def silent(root: Path) -> list[str]:
    """Packages whose `__init__` does not begin with a sentence."""
    packages = [path for path in modules(root).values() if path.name == "__init__.py"]
    folders = {path.parent for path in modules(root).values()}
    missing = [f"{folder}: no __init__.py" for folder in folders if not (folder / "__init__.py").exists()]
    rules = {path: ast.get_docstring(ast.parse(path.read_text())) or "" for path in packages}
    return missing + [str(path) for path, rule in rules.items() if not rule.partition("\n")[0].rstrip().endswith(".")]


def worn(root: Path) -> list[str]:
    """Class names that stand in three modules or more."""
    names: Counter[str] = Counter()
    for path in modules(root).values():
        names.update({node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)})
    return [f"{name}: {count} modules" for name, count in names.items() if count > 2]


def imported(tree: ast.AST, known: Mapping[str, Path]) -> Iterator[str]:
    """Names of modules a module imports, those for type checking and inside functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield from (name for name in (whole if whole in known else node.module,) if name in known)


def circle(root: Path) -> list[str]:
    known = modules(root)
    graph = {name: set(imported(ast.parse(path.read_text()), known)) - {name} for name, path in known.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("rule", [crowded, silent, worn, circle])
def test_the_house_is_in_order(rule: object) -> None:
    assert rule(ROOT) == []  # type: ignore[operator]


@pytest.fixture
def disorder(tmp_path: Path) -> Path:
    """A house with one fault of each kind."""
    full = tmp_path / "web" / "full"
    full.mkdir(parents=True)
    for number in range(MOST + 1):
        (full / f"m{number}.py").write_text("class Line: ...\n")
    (full / "m0.py").write_text("from web.full import m1\n")
    (full / "m1.py").write_text("def later():\n    from web.full.m0 import Line\n")
    (full / "__init__.py").write_text("")
    (tmp_path / "web" / "__init__.py").write_text('"""A rule."""\n')
    return tmp_path


@pytest.mark.parametrize("rule", [crowded, silent, worn, circle])
def test_disorder_is_noticed(disorder: Path, rule: object) -> None:
    assert rule(disorder)  # type: ignore[operator]
