"""How the templates of parts are compiled: what a template says is done by Python itself, without Jinja's look-ups.

Rule: the markup is the same, byte for byte, as what Jinja makes of a template. What is given to parts makes that
possible: values are structs, modules and macros, so `a.b` is an attribute and nothing else, and no function that a
template calls takes Jinja's context.
"""

import re
from typing import Any

from jinja2 import Environment, Template, nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape

from domain import language
from projections.wording import words

_NOT_AS_IT_IS = re.compile(words.UNSHOWABLE.pattern + r"""|[&<>"']""")  # in text, what is left out or escaped


def finalize(value: Any) -> Any:
    """Return text without the characters of `words.UNSHOWABLE`, and markup as it is."""
    return words.plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def shown(value: Any) -> str:
    """Return a value as it stands in markup: finalized and escaped."""
    kind = type(value)
    if kind is str:
        return escape(words.plain(value)) if _NOT_AS_IT_IS.search(value) else value
    if kind is Markup:
        return value  # type: ignore[no-any-return]  # is text
    return str(value) if kind is int else escape(finalize(value))


class Direct(CodeGenerator):
    """Writes attributes, items, calls and output as Python has them."""

    def write_commons(self) -> None:
        """Write what every function of a template begins with."""
        super().write_commons()
        self.writeline("shown = environment.shown")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802  # as Jinja calls it
        """Write an attribute."""
        self.visit(node.node, frame)
        self.write(f".{node.attr}")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802
        """Write an item."""
        self.visit(node.node, frame)
        self.write("[")
        self.visit(node.arg, frame)
        self.write("]")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        """Write a call of what takes no context."""
        assert not forward_caller, "no part does this"
        assert node.dyn_args is None, "no part does this"
        assert node.dyn_kwargs is None, "no part does this"
        self.visit(node.node, frame)
        self.write("(")
        for arg in node.args:
            self.visit(arg, frame)
            self.write(", ")
        for named in node.kwargs:
            self.write(f"{named.key}=")
            self.visit(named.value, frame)
            self.write(", ")
        self.write(")")

    def _output_child_pre(self, _node: nodes.Expr, _frame: Frame, _finalize: Any) -> None:
        self.write("shown(")

    def _output_child_post(self, _node: nodes.Expr, _frame: Frame, _finalize: Any) -> None:
        self.write(")")


def compiled_by(made: Environment) -> None:
    """Have an environment that finalizes by `finalize` compile its templates so."""
    assert made.finalize is finalize
    made.code_generator_class = Direct
    made.shown = shown  # type: ignore[attr-defined]  # found by what `Direct` writes
    made.globals.update(gettext=_gettext, ngettext=_ngettext, pgettext=_pgettext, _=_gettext)


def markup_of(template: Template, names: dict[str, Any]) -> str:
    """Return what a template makes of these names."""
    try:
        return "".join(template.root_render_func(template.new_context(names)))
    except Exception:
        template.environment.handle_exception()  # says where in the template it was
        raise


# sentences of `{% trans %}`: "%" that belongs to the text comes doubled, as new-style gettext of Jinja does it


def _gettext(message: str, /, **values: Any) -> Markup:
    return _filled(language.gettext(message), values)


def _pgettext(meant: str, message: str, /, **values: Any) -> Markup:
    return _filled(language.pgettext(meant, message), values)


def _ngettext(singular: str, plural: str, count: int, /, **values: Any) -> Markup:
    return _filled(language.ngettext(singular, plural, count), {"num": count, **values})


def _filled(sentence: str, values: dict[str, Any]) -> Markup:
    if "%" not in sentence:
        return Markup(sentence)  # noqa: S704  # of a template
    return Markup(sentence % {name: shown(value) for name, value in values.items()})  # noqa: S704  # values are escaped
