"""Every sentence that a person reads has a message id, and the catalogue in the repository has them all."""

import ast
from functools import cache
from io import BytesIO
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from tests import catalogue, sentences

pytestmark = pytest.mark.once

ROOT = catalogue.ROOT


@cache
def calls() -> list[tuple[str, ast.Call]]:
    """Return each call of the product's code that names a message, with its file."""
    found = []
    for folder in sentences.FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            path = file.relative_to(ROOT).as_posix()
            if path in sentences.NOT_READ:
                continue
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in catalogue.KINDS:
                    found.append((path, node))
    return found


def names(message: str) -> set[str]:
    """Return the names of the values that a brace message asks for."""
    found = set()
    for _, name, spec, _ in Formatter().parse(message):
        if name is not None:
            found |= {name} | names(spec or "")
    return found


def test_the_catalogue_is_what_the_sources_say():
    assert catalogue.text(catalogue.extracted()) == catalogue.TEMPLATE.read_text("utf-8"), "Run: make catalogue"


def test_every_sentence_in_the_code_has_a_message_id():
    found = [str(sentence) for sentence in sentences.of_tree(ROOT)]
    assert not found, "\n" + "\n".join(found)


def test_the_reasons_are_about_what_is_there():
    named = {*sentences.NOT_READ, *sentences.NO_LABELS, *sentences.VALUE_ERRORS_SHOWN}
    named |= {path for path, _ in sentences.NOT_READ_HERE}
    assert sorted(path for path in named if not (ROOT / path).is_file()) == []


@pytest.mark.parametrize(
    "planted",
    [
        'def f(x):\n    return "This has no message id."\n',
        'def f(x):\n    return f"{x} has no message id."\n',
        "def f(x):\n    return f\"{x} {_('day')}\"\n",
        'def f(x):\n    raise Invalid(f"{x.name} is no name", "name")\n',
        'def f(x):\n    return f"<p>{x}</p><h2>Risks</h2>"\n',
        'TABLE = {"at_risk": "At risk"}\n',
        'TABLE = {"low": "Low"}\n',
    ],
)
def test_a_sentence_without_a_message_id_is_found(tmp_path: Path, planted: str):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "planted.py").write_text(planted, "utf-8")
    line = 1 if planted.startswith("TABLE") else 2
    found = [str(sentence) for sentence in sentences.of_tree(tmp_path)]
    assert found
    assert all(one.startswith(f"web/planted.py:{line}: ") for one in found)
    assert all("has no message id. Write" in one for one in found)


@pytest.mark.parametrize(
    "planted",
    [
        'def f(x):\n    """What it does."""\n    return _("{x} has one.", x=x)\n',
        'def f(x):\n    log.warning("it failed: %s", x)\n',
        'def f(x):\n    raise ValueError("expected another type")\n',
        'def f(db):\n    db.execute("SELECT name FROM keys")\n',
        'def f(x):\n    return x["Status Date"] == "Not Yet"\n',
        'def f(x: "Parts | None") -> "Parts | None":\n    return Response(media_type="text/plain; charset=utf-8")\n',
        'TABLE = {"At risk": N_("At risk")}\n',
        'PATH = re.compile("one or two")\n',
    ],
)
def test_what_nobody_reads_needs_none(planted: str):
    assert [str(sentence) for sentence in sentences.of_module(planted, "web/planted.py")] == []


def test_every_message_is_called_with_the_values_it_names():
    wrong = []
    for path, call in calls():
        texts = catalogue.named(call)
        if not texts or ast.unparse(call.func) in {"N_", "NN_", "P_"}:
            continue
        given = {keyword.arg for keyword in call.keywords} | (
            {"many"} if ast.unparse(call.func) == "counted" else set()
        )
        if None in given:  # values of a mapping, of which only those that are named here can be looked at
            given = given - {None} | names(texts[-1])
        asked = names(texts[-1]) if given else set()  # of a number it is the one of several that names all values
        if (
            given != asked
            or (not given and _has_names(texts[-1]))
            or not (names(texts[0]) if given else set()) <= given
        ):
            wrong.append(f"{path}:{call.lineno}: {texts[-1]!r} names {sorted(asked)}, but is given {sorted(given)}.")
    assert not wrong, "\n" + "\n".join(wrong)


def test_no_message_of_the_code_is_missing_from_the_catalogue():
    known: set[object] = {message.id for message in read_po(BytesIO(catalogue.TEMPLATE.read_bytes()))}
    known |= {one for message in known if isinstance(message, tuple) for one in message}
    texts = {texts[-1] for _, call in calls() if (texts := catalogue.named(call))}
    assert sorted(texts - known) == []


def _has_names(message: str) -> bool:
    try:
        return bool(names(message))
    except ValueError:
        return False
