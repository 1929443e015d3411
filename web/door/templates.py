"""Pages from templates: one Jinja2 environment, autoescaped, strict about names, and never cached by browsers."""

import functools
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any, ClassVar

import msgspec
from jinja2 import BytecodeCache, Environment, FunctionLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.bccache import Bucket
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from domain.language import ENGLISH, capital, direction, gettext, lowered, mirrored, ngettext, pgettext, spoken, tag
from web.door.layout import Layout
from web.door.worn import Worn
from web.ids import new_id

TEMPLATES = Path(__file__).parents[1] / "templates"


class _Compiled(BytecodeCache):
    """Keeps compiled templates in memory, for every environment with the same `finalize`."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load the code of a template, if it was compiled before."""
        if (code := self._code.get((bucket.key, bucket.checksum))) is not None:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        if bucket.code is not None:
            self._code[bucket.key, bucket.checksum] = bucket.code


_COMPILED: dict[object, _Compiled] = {}


@functools.cache
def _sources() -> dict[str, tuple[str, str, Callable[[], bool]]]:
    """Return every template by name: its text, its path, and that it does not change.

    They are read together, when the first environment is made: a process without free descriptors serves every page.
    """
    return {
        path.relative_to(TEMPLATES).as_posix(): (path.read_text("utf-8"), str(path), lambda: True)
        for path in sorted(TEMPLATES.rglob("*.html"))
    }


@pass_context
def _gettext(context: Context, message: str, /, **values: Any) -> Markup:
    """Return a sentence of a template as markup, with its values finalized and escaped."""
    finalize = context.environment.finalize or _unchanged
    # "%" that belongs to the text comes doubled from `{% trans %}`, as new-style gettext of Jinja2 does it.
    return Markup(gettext(message)) % {name: finalize(value) for name, value in values.items()}  # noqa: S704  # of a template


@pass_context
def _pgettext(context: Context, meant: str, message: str, /, **values: Any) -> Markup:
    """Return a sentence of a template whose words have another meaning elsewhere."""
    finalize = context.environment.finalize or _unchanged
    return Markup(pgettext(meant, message)) % {name: finalize(value) for name, value in values.items()}  # noqa: S704


@pass_context
def _ngettext(context: Context, singular: str, plural: str, count: int, /, **values: Any) -> Markup:
    """Return the sentence of a template for a number."""
    finalize = context.environment.finalize or _unchanged
    given = {name: finalize(value) for name, value in {"num": count, **values}.items()}
    return Markup(ngettext(singular, plural, count)) % given  # noqa: S704  # of a template


def _unchanged(value: Any) -> Any:
    return value


def lang() -> Markup:
    """Return what the root element of a document says of its language, and of its direction where that is not ours."""
    code = spoken()
    away = f' dir="{direction(code)}"' if direction(code) != "ltr" else ""
    return Markup(f'lang="{tag(code)}"{away}')  # noqa: S704  # no text of anybody


def as_typed() -> Markup:
    """Return the attributes of an element with what people typed, in a document of another language than English.

    Nobody says in which language they type, so it is marked as in none, and runs as its first letters do.
    """
    return Markup("") if spoken() == ENGLISH else Markup(' lang="" dir="auto"')


def way() -> int:
    """Return 1 where drawings run from left to right, -1 where they run the other way."""
    return -1 if mirrored() else 1


def edge() -> str:
    """Return where the edge of a drawing is at which lines of text begin."""
    return "100%" if mirrored() else "0"


def environment(finalize: Callable[[Any], Any] | None = None) -> Environment:
    """Return an environment that compiles templates; `finalize` is applied to every value before it is escaped.

    Sentences stand in `{% trans %}` blocks, so that each has a message id in the catalogue.
    """
    compiler = Environment(
        loader=FunctionLoader(_sources().get),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
        bytecode_cache=_COMPILED.setdefault(finalize, _Compiled()),
        extensions=["jinja2.ext.i18n", Layout],
    )
    compiler.newstyle_gettext = True  # type: ignore[attr-defined]  # the i18n extension's own setting
    compiler.globals.update(gettext=_gettext, ngettext=_ngettext, pgettext=_pgettext)
    compiler.filters.update(lowered=lowered, capital=capital)
    compiler.globals.update(lang=lang, as_typed=as_typed, way=way, edge=edge)
    return compiler


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The values one template shows: a struct per template, so that the type checker sees what a template is given.

    tests/web/door/test_pages_and_templates.py compares the fields with the names that the template uses.
    """

    template: ClassVar[str]  # its path in web/templates

    def names(self) -> dict[str, Any]:
        """Return the values by the names the template uses."""
        return msgspec.structs.asdict(self)


class Pages:
    """Renders whole pages and fragments; `shared` are names that every template may use."""

    def __init__(self, **shared: Any) -> None:
        self._environment = environment()
        self._environment.globals.update(shared, new_id=new_id)
        asset = shared.get("asset", str)
        own = Worn(stylesheet=asset("dashboard.css"), icon=asset("icon.svg"))
        self.wear(lambda: own)

    def wear(self, worn: Callable[[], Worn]) -> None:
        """Have every page wear what `worn` returns at that moment."""
        self._environment.globals.update(worn=worn)

    def markup(self, page: Page, /, **more: Any) -> str:
        """Return the markup of a page or fragment; `more`: the request, where the template needs it."""
        return self._environment.get_template(page.template).render(**page.names(), **more)

    def answer(self, request: Request, page: Page, status: int = 200) -> HTMLResponse:
        """Return a page that no cache keeps."""
        return HTMLResponse(self.markup(page, request=request), status, headers={"cache-control": "no-store"})
