"""A Jinja2 extension that takes line breaks and indentation out of templates before they are compiled.

Rule: the bytes of a page do not depend on how its template is laid out, because pages are recorded.
"""

import re

from jinja2.ext import Extension

AS_WRITTEN = ("pm/",)  # folders whose templates keep their own whitespace
_JINJA = re.compile(r"(\{%-?\s*trans\b.*?\{%-?\s*endtrans\s*-?%\}|\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})", re.DOTALL)
_BREAK = re.compile(r"[ \t]*\n\s*")


class Layout(Extension):
    """Takes the layout out of every template but those of `AS_WRITTEN`.

    An empty line stays as one line break (`trim_blocks` takes it away after a block tag), and a line break between
    attributes stays as a space. What stands inside Jinja's own delimiters, a `{% trans %}` block included, is left to
    Jinja. Where a space is wanted between two lines, the template says `{{ ' ' }}`.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        """Return the source of a template without its layout."""
        return source if name and name.startswith(AS_WRITTEN) else one_line(source)


def one_line(source: str) -> str:
    """Return the source of a template without its line breaks and indentation."""
    pieces, in_tag = [], False
    for i, piece in enumerate(_JINJA.split(source)):
        if i % 2:  # stands in Jinja's delimiters
            pieces.append(piece)
            continue
        for text, gap in zip(_BREAK.split(piece), [*_BREAK.findall(piece), ""], strict=True):
            in_tag = text.rfind("<") > text.rfind(">") or (in_tag and ">" not in text)
            pieces += [text, _gap(gap, in_tag=in_tag)]
    return "".join(pieces)


def _gap(gap: str, *, in_tag: bool) -> str:
    """Return what stays of a line break with the spaces around it."""
    if not gap:
        return ""
    if in_tag:
        return " "
    return "\n" if gap.count("\n") > 1 else ""
