"""Pages from templates: one Jinja2 environment, autoescaped, strict about names, and never cached by browsers."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.bccache import Bucket
from jinja2.ext import Extension
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from domain.language import gettext
from web.ids import new_id

TEMPLATES = Path(__file__).parents[1] / "templates"
AS_WRITTEN = ("pm/",)  # folders whose templates keep their own whitespace


class _Compiled(BytecodeCache):
    """What was compiled in this process, for every environment of one kind."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template what was compiled of it."""
        if (code := self._code.get(bucket.key)) is not None:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._code[bucket.key] = bucket.bytecode_to_string()


_COMPILED: dict[object, _Compiled] = {}
_JINJA = re.compile(r"(\{%-?\s*trans\b.*?\{%-?\s*endtrans\s*-?%\}|\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})", re.DOTALL)
_BREAK = re.compile(r"[ \t]*\n\s*")


class Layout(Extension):
    """Takes line breaks and indentation out of a template, so that recorded bytes do not depend on how it is laid out.

    An empty line stays as one line break (`trim_blocks` takes it away after a block tag), and a line break between
    attributes stays as a space. What stands inside Jinja's own delimiters, a `{% trans %}` block included, is left to
    Jinja. Where a space is wanted between two lines, the template says `{{ ' ' }}`.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        """Return a template as one line; those of `AS_WRITTEN` keep their own whitespace."""
        return source if name and name.startswith(AS_WRITTEN) else one_line(source)


def one_line(source: str) -> str:
    """Return a template without its layout."""
    made, in_tag = [], False
    for i, piece in enumerate(_JINJA.split(source)):
        if i % 2:  # Jinja's
            made.append(piece)
            continue
        for text, gap in zip(_BREAK.split(piece), [*_BREAK.findall(piece), ""], strict=True):
            in_tag = text.rfind("<") > text.rfind(">") or (in_tag and ">" not in text)
            made += [text, _gap(gap, in_tag=in_tag)]
    return "".join(made)


def _gap(gap: str, *, in_tag: bool) -> str:
    if not gap:
        return ""
    if in_tag:
        return " "
    return "\n" if gap.count("\n") > 1 else ""


@pass_context
def _gettext(context: Context, message: str, /, **values: Any) -> Markup:
    """Return a sentence of a template: it is markup, its values are finalized and escaped."""
    finalize = context.environment.finalize or _as_it_is
    # "%" that belongs to the text comes doubled from `{% trans %}`, as new-style gettext of Jinja2 does it.
    return Markup(gettext(message)) % {name: finalize(value) for name, value in values.items()}  # noqa: S704  # of a template


@pass_context
def _ngettext(context: Context, one: str, many: str, count: int, /, **values: Any) -> Markup:
    """Return the sentence of a template that fits a number."""
    return _gettext(context, one if count == 1 else many, **{"num": count, **values})


def _as_it_is(value: Any) -> Any:
    return value


def environment(finalize: Callable[[Any], Any] | None = None) -> Environment:
    """Return an environment templates are compiled in; `finalize` has the last word on every value.

    Sentences stand in `{% trans %}` blocks, so that each has a message id in the catalogue.
    """
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finalize,
        bytecode_cache=_COMPILED.setdefault(finalize, _Compiled()),
        extensions=["jinja2.ext.i18n", Layout],
    )
    made.newstyle_gettext = True  # type: ignore[attr-defined]  # the i18n extension's own setting
    made.globals.update(gettext=_gettext, ngettext=_ngettext)
    return made


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What one template shows: a struct per template, so that the type checker reads the border between the two.

    A test holds the fields against the names each template uses (tests/web/door/test_pages_and_templates.py).
    """

    template: ClassVar[str]  # its path in web/templates

    def names(self) -> dict[str, Any]:
        """Return what the template sees, by name."""
        return {field: getattr(self, field) for field in self.__struct_fields__}


class Pages:
    """Renders whole pages and fragments."""

    def __init__(self, **shared: Any) -> None:
        self._environment = environment()
        self._environment.globals.update(shared, new_id=new_id)

    def markup(self, page: Page, /, **more: Any) -> str:
        """Return the markup of a page or fragment; `more` is for the request alone."""
        return self._environment.get_template(page.template).render(**page.names(), **more)

    def answer(self, request: Request, page: Page, status: int = 200) -> HTMLResponse:
        """Return a page that no cache keeps."""
        return HTMLResponse(self.markup(page, request=request), status, headers={"cache-control": "no-store"})

    def text(self, template: str, /, **context: Any) -> str:
        """Return the markup of a template."""
        return self._environment.get_template(template).render(**context)

    def response(self, request: Request, template: str, status: int = 200, /, **context: Any) -> HTMLResponse:
        """Return a page that no cache keeps."""
        markup = self.text(template, request=request, **context)
        return HTMLResponse(markup, status, headers={"cache-control": "no-store"})
