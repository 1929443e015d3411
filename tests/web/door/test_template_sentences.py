"""Every sentence a person can see has a message id, and templates can be read line by line."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from web.door.layout import one_line
from web.door.templates import TEMPLATES, environment

pytestmark = pytest.mark.once

UNCONVERTED = ()  # folders whose sentences have no message ids yet
SPOKEN = ("title", "aria-label", "placeholder", "alt", "data-l", "data-label")  # attributes a person sees or hears
SILENT = ("style", "script", "code")  # elements that hold no sentence
BLOCKS = re.compile(
    r"<(?:html|head|body|main|section|header|footer|nav|div|p|h[1-3]|ul|ol|li|dl|dt|dd|table|thead|tbody|tr|th|td|form"
    r"|fieldset|figure|figcaption|details|summary|iframe|textarea|select|option)\b"
)
WIDEST = 120  # characters
MOST = 2  # block-level elements that begin on one line
LETTER = re.compile(r"[^\W\d_]")
WORD = re.compile(r"(?<![A-Za-z])[A-Z][a-z]+")
WORDS = re.compile(r"(?<![A-Za-z])[A-Z][a-z]+|[a-z]{2,} [a-z]{2,}")
TRANS = re.compile(r"\{%[-+]?\s*trans\b.*?\{%[-+]?\s*endtrans\s*[-+]?%\}", re.DOTALL)
# Attributes a macro or a `set` block holds, so that they stand outside of a tag; none of them is seen or heard.
ATTRIBUTES = re.compile(r'\s*(?:(?:aria-(?:invalid|describedby)="[^"]*"|autofocus)\s*)+')
JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def templates() -> list[Path]:
    found = sorted(TEMPLATES.rglob("*.html"))
    return [path for path in found if path.relative_to(TEMPLATES).parts[0] not in UNCONVERTED]


def name_of(path: Path) -> str:
    return path.relative_to(TEMPLATES).as_posix()


class _Seen(HTMLParser):
    """Collects what a person would see of the markup itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT
        told = dict(attrs)
        names = (*SPOKEN, "value") if tag == "input" and told.get("type") in {"submit", "button"} else SPOKEN
        self.found += [f'{name}="{told[name]}"' for name in names if LETTER.search(told.get(name) or "")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT

    def handle_data(self, data: str) -> None:
        if LETTER.search(data) and not self._silent and not ATTRIBUTES.fullmatch(data):
            self.found.append(data.strip())


def unnamed(source: str) -> list[str]:
    """Return what a person can see of a template that stands in no `{% trans %}` and no `_()`."""
    markup = TRANS.sub("", source)
    seen = _Seen()
    seen.feed(JINJA.sub("", markup))
    seen.close()
    return [*seen.found, *_spoken_by_code(source)]


def _spoken_by_code(source: str) -> list[str]:
    """Strings of expressions that are words: capitalised anywhere, several in a row outside tags."""
    markup = re.sub(r"pgettext\('[^']*', ('[^']*')", r"_(\1", source)  # a context is read by translators alone
    found, before, in_tag = [], ("", ""), False
    for _, kind, value in environment().lex(markup):
        if kind == "data":
            in_tag = value.rfind("<") > value.rfind(">") or (in_tag and ">" not in value)
        if kind == "string" and before != ("_", "(") and (WORD if in_tag else WORDS).search(value):
            found.append(value)
        if kind != "whitespace":
            before = (before[1], value)
    return found


def unreadable(source: str) -> list[str]:
    """Return the lines of a template that are too wide or hold too much."""
    lines = enumerate(source.splitlines(), 1)
    return [f"{n}: {line}" for n, line in lines if len(line) > WIDEST or len(BLOCKS.findall(line)) > MOST]


@pytest.mark.parametrize("path", templates(), ids=name_of)
def test_every_sentence_has_a_message_id(path: Path) -> None:
    assert not unnamed(path.read_text())


@pytest.mark.parametrize("path", templates(), ids=name_of)
def test_a_sentence_over_several_lines_says_that_it_is_trimmed(path: Path) -> None:
    long = [block for block in TRANS.findall(path.read_text()) if "\n" in block]
    assert not [block for block in long if not re.match(r"\{%-?\s*trans\s+trimmed\b", block)]


@pytest.mark.parametrize("path", templates(), ids=name_of)
def test_a_template_has_one_element_a_line(path: Path) -> None:
    assert not unreadable(path.read_text())


@pytest.mark.parametrize(
    "source",
    [
        "<p>Nothing yet</p>",
        "<p>{{ n }} updates</p>",
        '<p title="Nothing yet">{{ n }}</p>',
        '<table aria-label="Milestones"></table>',
        '<input type="submit" value="Keep">',
        '<td data-l="Forecast">{{ day }}</td>',
        "{% if a %}{% trans %}Named{% endtrans %}{% else %}Unnamed{% endif %}",
        "<p>{{ 'Paused' if still else _('Live') }}</p>",
        "<p>{{ 'every day' if daily }}</p>",
        "<p title=\"{{ 'Paused' if still }}\"></p>",
        "{{ m.status('ok', 'Done') }}",
        "<svg><text>Plan</text></svg>",
        '{% set rest %} title="Nothing yet" autofocus{% endset %}<p{{ rest }}></p>',
    ],
)
def test_a_sentence_without_a_message_id_would_be_noticed(source: str) -> None:
    assert unnamed(source)


@pytest.mark.parametrize(
    "source",
    [
        "<p>{% trans %}Nothing yet{% endtrans %}</p>",
        "<p>{% trans n=page.n %}Update <b>{{ n }}</b>{% endtrans %}</p>",
        "<p title=\"{{ _('Nothing yet') }}\">{{ n }} · 3 % ×</p>",
        "<p class=\"big {{ ' primary' if first }}\">{{ w.day(at) }}</p>",
        "<code>fanlight verify FILE</code>",
        '{% set rest %} aria-invalid="true" aria-describedby="{{ id }}-wrong" autofocus{% endset %}<p{{ rest }}></p>',
        "<p>{% trans %}Nothing yet{% endtrans +%} {{ n }}</p>",
    ],
)
def test_a_sentence_with_one_is_let_through(source: str) -> None:
    assert not unnamed(source)


def test_a_line_that_holds_too_much_would_be_noticed() -> None:
    assert unreadable("<ul><li><p>")
    assert unreadable("x" * 121)
    assert not unreadable(f"<li><p><b>\n{'x' * 120}")


# layout


@pytest.mark.parametrize(
    ("written", "one"),
    [
        ("<ul>\n  <li>\n    {{ a }}\n  </li>\n</ul>\n", "<ul><li>{{ a }}</li></ul>"),
        ("<p>\n  {{ a }}\n  {{ b }}\n</p>", "<p>{{ a }}{{ b }}</p>"),
        ("<b>{{ a }}</b>{{ ' ' }}\n<i>b</i>", "<b>{{ a }}</b>{{ ' ' }}<i>b</i>"),
        ("<p>a</p>\n\n<p>b</p>", "<p>a</p>\n<p>b</p>"),
        ('<line x1="{{ a }}"\n  x2="{{ b }}"/>', '<line x1="{{ a }}" x2="{{ b }}"/>'),
        ("<p{% if a %}\n  hidden{% endif %}>\n  b", "<p{% if a %} hidden{% endif %}>b"),
        ("{% set a = b\n  if c %}\n<p>", "{% set a = b\n  if c %}<p>"),
        ("{% trans trimmed %}\n  a\n  b\n{% endtrans %}\n", "{% trans trimmed %}\n  a\n  b\n{% endtrans %}"),
    ],
)
def test_layout_is_no_part_of_the_markup(written: str, one: str) -> None:
    assert one_line(written) == one


def test_a_folder_that_is_kept_as_written_keeps_its_line_breaks() -> None:
    preprocess = environment().preprocess
    assert [preprocess("<b>\n</b>", name) for name in ("pm/a", "me")] == ["<b>\n</b>", "<b></b>"]
