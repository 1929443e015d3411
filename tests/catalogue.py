"""The catalogue of messages, extracted from code and templates; `python -m tests.catalogue` writes it.

Rule: the same sources make the same bytes: sorted, without places, dates and versions, so that merges stay quiet.
"""

import ast
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import write_po

ROOT = Path(__file__).parents[1]
MAPPING = ROOT / "web" / "locale" / "babel.cfg"
TEMPLATE = ROOT / "web" / "locale" / "fanlight.pot"
HEADER = """\
# Messages of Fanlight, by message id. Written by `make catalogue`; do not edit it.
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def extracted(root: Path = ROOT, only: tuple[str, ...] = ()) -> Catalog:
    """Return the messages of the tree; `only`: those of files whose path begins so."""
    catalog = Catalog(charset="utf-8")
    for path, line, message, context in _found(root):
        if not only or path.startswith(only):
            catalog.add(message, None, [("", line)], context=context)
    return catalog


@cache
def _found(root: Path) -> tuple[tuple[str, int, Any, str | None], ...]:
    """Return every message with its file, its line and its context."""
    with MAPPING.open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file, filename=str(MAPPING))
    everything: list[tuple[str, int, Any, str | None]] = []
    for folder in ("domain", "projections", "web"):
        found = extract_from_dir(
            root / folder,
            method_map=[
                (pattern.removeprefix(f"{folder}/"), method) for pattern, method in methods if _in(pattern, folder)
            ],
            options_map={
                pattern.removeprefix(f"{folder}/"): value for pattern, value in options.items() if _in(pattern, folder)
            },
        )
        everything += [(f"{folder}/{name}", line, message, context) for name, line, message, _, context in found]
    return tuple(everything)


Found = tuple[int, str, str | tuple[str, ...], list[str]]
KINDS = {
    "_": "_",
    "gettext": "_",
    "N_": "_",
    "ngettext": "ngettext",
    "counted": "ngettext",
    "pgettext": "pgettext",
    "P_": "pgettext",
    "NN_": "ngettext",
}  # as Babel has them


def code(file: BinaryIO, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Found]:
    """Find the messages of a Python file; Babel's own reader misses calls inside of calls inside of calls."""
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
            kind = KINDS[node.func.id]
            texts = named(node)
            if texts:
                yield node.lineno, kind, texts[0] if kind == "_" else texts, []


def named(call: ast.Call) -> tuple[str, ...]:
    """Return the texts that a call names: one message, the two of a number, or a context and a message; else none."""
    kind = KINDS[call.func.id] if isinstance(call.func, ast.Name) else "_"
    given = call.args[: 1 if kind == "_" else 2]
    texts = tuple(arg.value for arg in given if isinstance(arg, ast.Constant) and isinstance(arg.value, str))
    return texts if len(texts) == len(given) else ()


def _in(pattern: str, folder: str) -> bool:
    return pattern.startswith(f"{folder}/")


def text(catalog: Catalog) -> str:
    """Return a catalogue as it is kept."""
    out = BytesIO()
    write_po(out, catalog, width=120, no_location=True, omit_header=True, sort_output=True)
    return HEADER + out.getvalue().decode("utf-8").lstrip("\n")


if __name__ == "__main__":
    found = extracted()
    TEMPLATE.write_text(text(found), "utf-8")
    print(f"{TEMPLATE.relative_to(ROOT)}: {len(found)} messages")
