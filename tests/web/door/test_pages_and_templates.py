"""Each page struct names exactly what its template uses: what is missing fails here, before a reader meets it."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from jinja2 import meta, nodes

import web
from web.door.templates import Page, environment

pytestmark = pytest.mark.once

ENVIRONMENT = environment()
ALWAYS = {*ENVIRONMENT.globals, "asset", "demo", "new_id", "request", "worn"}  # given to every template


def pages() -> list[type[Page]]:
    """Every page of the product that has a template of its own."""
    for module in pkgutil.walk_packages(web.__path__, "web."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, waiting = [], [Page]
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        if "template" in vars(cls) and cls.__module__.startswith("web."):
            found.append(cls)
    return sorted(found, key=lambda cls: (cls.__module__, cls.__name__))


def used(template: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Names a template uses, with those of templates it extends or includes."""
    source, *_ = ENVIRONMENT.loader.get_source(ENVIRONMENT, template)  # type: ignore[union-attr]
    tree = ENVIRONMENT.parse(source, template)
    named = set_by(tree)  # visible in its blocks and in what it extends
    names = meta.find_undeclared_variables(tree) - named
    for kind, given in ((nodes.Extends, named), (nodes.Include, named | bound_by(tree))):
        for other in inner(tree, kind):
            if other not in seen:
                names |= used(other, seen | {template}) - given
    return names


def set_by(tree: nodes.Template) -> set[str]:
    """Names a template gives itself, by `set` or `import`; `_trans` is what a sentence is counted by."""
    targets = (node.target for node in tree.find_all((nodes.Assign, nodes.AssignBlock)))
    names = {target.name for target in targets if isinstance(target, nodes.Name)}
    return names | {node.target for node in tree.find_all(nodes.Import)} | {"_trans"}


def bound_by(tree: nodes.Template) -> set[str]:
    """Names that what a template includes sees besides: those of its loops and its macros."""
    names = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    return names | {node.name for node in tree.find_all(nodes.Macro)}


def inner(tree: nodes.Template, kind: type[nodes.Node]) -> Iterator[str]:
    for node in tree.find_all(kind):
        if isinstance(node.template, nodes.Const):
            yield node.template.value


def amiss(cls: type[Page]) -> list[str]:
    """What a page lacks, or gives and nobody uses."""
    fields, names = set(cls.__struct_fields__), used(cls.template)
    given = ALWAYS | getattr(cls, "from_renderer", frozenset())
    lacking = [f"{cls.__name__} lacks {name}" for name in sorted(names - fields - given)]
    shared = {field for base in cls.__mro__[1:] if issubclass(base, Page) for field in base.__struct_fields__}
    return lacking + [f"{cls.__name__}.{name} is not used" for name in sorted(fields - shared - names)]


@pytest.mark.parametrize("cls", pages(), ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_a_page_gives_its_template_what_it_uses(cls: type[Page]) -> None:
    assert amiss(cls) == []


class Lacking(Page, frozen=True, kw_only=True):
    template = "link.html"
    nobody: str = ""


def test_what_lacks_or_is_useless_is_noticed() -> None:
    told = amiss(Lacking)
    assert "Lacking.nobody is not used" in told
    assert any("lacks" in line for line in told)
