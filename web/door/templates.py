"""Pages from templates: one Jinja2 environment, autoescaped, strict about names, and never cached by browsers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.bccache import Bucket
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from domain.language import gettext
from web.ids import new_id

TEMPLATES = Path(__file__).parents[1] / "templates"


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
        extensions=["jinja2.ext.i18n"],
    )
    made.newstyle_gettext = True  # type: ignore[attr-defined]  # the i18n extension's own setting
    made.globals.update(gettext=_gettext, ngettext=_ngettext)
    return made


class Pages:
    """Renders whole pages and fragments."""

    def __init__(self, **shared: Any) -> None:
        self._environment = environment()
        self._environment.globals.update(shared, new_id=new_id)

    def text(self, template: str, /, **context: Any) -> str:
        """Return the markup of a template."""
        return self._environment.get_template(template).render(**context)

    def response(self, request: Request, template: str, status: int = 200, /, **context: Any) -> HTMLResponse:
        """Return a page that no cache keeps."""
        markup = self.text(template, request=request, **context)
        return HTMLResponse(markup, status, headers={"cache-control": "no-store"})
