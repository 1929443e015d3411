"""The words of docs/words.md: none that its last column rules out stands in a message or in a document."""

import re
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from tests import catalogue

pytestmark = pytest.mark.once
ROOT = catalogue.ROOT
WORDS = ROOT / "docs" / "words.md"
TECHNICAL = {"docs/spec.md", "docs/developers.md", "docs/scale.md"}  # where words marked "(pages)" are the right ones
MARK = " (pages)"
ROW = re.compile(r"^\| .* \| ([^|]*)\|$", re.MULTILINE)
CODE = re.compile(r"```.*?```|<code.*?</code>|`[^`]*`|\]\([^)]*\)|<[^<>\n]*>", re.DOTALL)
# Where a word has its ordinary meaning, or names something of another program.
ALLOWED = (
    "mail server",
    "mail scanner",
    "mail scanners",
    "look at it, then send again",
    "look at it, and change it by hand",
    "the specification calls a line of it a receipt",
)


@cache
def ruled_out() -> dict[str, bool]:
    """Return each word that is not to be used, and whether that holds for the technical documents as well."""
    english = WORDS.read_text("utf-8").split("\n## In other languages\n")[0]
    cells = [cell for row in ROW.findall(english) for cell in row.split(",")]
    words = [cell.strip().lower() for cell in cells]
    return {w.removesuffix(MARK): not w.endswith(MARK) for w in words if w and w != "not"}


def strays(text: str, *, technical: bool = False) -> list[str]:
    """Return the words of a text, code and addresses left out, that docs/words.md rules out."""
    plain = " ".join(CODE.sub(" ", text).lower().split())
    for one in ALLOWED:
        plain = re.sub(rf"\b{re.escape(one)}\b", " ", plain)
    return [
        word
        for word, everywhere in ruled_out().items()
        if (everywhere or not technical) and re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", plain)
    ]


def test_a_stray_is_found():
    assert strays("Receipts and mails\nsay who\nknows it.") == ["mails", "receipts", "who knows"]
    assert strays("Receipts and mails.", technical=True) == ["mails"]
    assert strays("The mail server, `mail`, [an email](mail.md), /home/mail-stop and <code>receipts</code>.") == []
    assert len(ruled_out()) > 40


def test_no_message_strays():
    found = []
    for message in read_po(BytesIO(catalogue.TEMPLATE.read_bytes())):
        for text in message.id if isinstance(message.id, tuple) else (message.id,):
            found += [f"{word}: {text}" for word in strays(text)]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("path", sorted({*ROOT.glob("docs/*.md"), ROOT / "README.md"} - {WORDS}), ids=lambda p: p.name)
def test_no_document_strays(path: Path):
    technical = path.relative_to(ROOT).as_posix() in TECHNICAL
    found = [
        f"{word}: {' '.join(part.split())[:160]}"
        for part in re.split(r"\n\s*\n|\n(?=[-|#\d])", CODE.sub(" ", path.read_text("utf-8")))
        for word in strays(part, technical=technical)
    ]
    assert not found, "\n" + "\n".join(found)
