"""Which string literals of the product a person reads, and whether each has a message id: `_("...")` or `N_("...")`.

Rule: a sentence is a literal with a space and a letter, a label (a capitalised word), or a word of the tables below. What
is none, though it looks like one, is left out by its place in the syntax, by its form, or by name with a reason.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

FOLDERS = ("domain", "projections", "web")
MARKS = {"_", "N_", "gettext", "ngettext", "pgettext", "counted", "P_", "NN_", "in_english"}

# Modules in which no literal is a sentence of the product's, with the reason.
NOT_READ = {
    "domain/language.py": "the functions themselves",
    "projections/verify/standalone.py": "a program for strangers that imports nothing of ours",
    "web/demo/cast.py": "what people of the demo have typed",
    "web/demo/story.py": "what people of the demo have typed",
    "web/demo/answers.py": "what people of the demo have typed",
    "web/demo/reviews.py": "what people of the demo have typed",
    "projections/events/fingerprint.py": "what is hashed",
    "web/demo/visits.py": "what people of the demo have typed",
    "web/demo/look.py": "a drawing of letters, in SVG",
    "web/identity/id_token.py": "for the log, and word for word for whoever tries a provider of a client",
    "web/identity/provider.py": "for the log, and word for word for whoever tries a provider of a client",
    "web/outside/transport.py": "for the log: what a library says of a connection",
    "web/process/cosigners.py": "what a witness or an authority answered goes to the log alone",
    "web/render/exact_page.py": "the file an update is exported as is recognised by these bytes",
    "web/process/log_lines.py": "the format of log lines",
    "web/proposal/writing.py": "elements of Microsoft Project's XML, and the product's own mark in it",
    "web/importers/mspdi/names.py": "names of elements in Microsoft Project's XML",
    "web/importers/registers/headings.py": "headings and words of other tools, compared with those of a file",
    "web/importers/table/headings.py": "headings and words of other tools, compared with those of a file",
}
# Functions, classes and constants of a module in which none is one, with the reason.
NOT_READ_HERE = {
    ("domain/people/naming.py", "_EVERYDAY"): "words that are compared with those of a text",
    ("projections/wording/words.py", "MONTHS"): "English; other languages have theirs from Babel",
    ("projections/logs/disclosure_log.py", "WAITS"): "tells a share that takes turns from one that is stopped",
    ("web/door/guard.py", "CLEARED"): "a header for browsers",
    ("web/door/templates.py", "lang"): "attributes of an element",
    ("web/door/templates.py", "as_typed"): "attributes of an element",
    ("projections/follow/next_entry.py", "seal_name"): "what a salt is derived for",
    ("web/door/device.py", "BROWSERS"): "names of products",
    ("web/door/device.py", "SYSTEMS"): "names of products",
    ("projections/evidence/notary.py", "_for_bundles"): "what lines of the ledger are about",
    ("projections/follow/shadow.py", "_parts"): "names a field, as the entry itself does",
    ("web/client/history.py", "CSP"): "a policy for browsers",
    ("web/importers/registers/periods.py", "_WRITTEN"): "a notation of a date",
    ("web/importers/table/days.py", "COMMON"): "notations of a date, as the mapping has them",
    ("web/importers/table/days.py", "_TIME"): "a pattern",
    ("web/importers/table/days.py", "_WEEKDAY"): "a pattern",
    ("web/importers/mspdi/xml_stream.py", "ENDED"): "messages of the XML parser, compared with its own",
    ("web/identity/client_providers.py", "SCOPE"): "scopes, as a provider knows them",
    ("web/identity/client_providers.py", "way"): "what a key is derived for",
    ("web/process/process.py", "_receipt_salt"): "what a salt is derived for",
    ("web/manager/answers/page.py", "comment"): "what an id is derived from",
    ("web/manager/agreement/preview.py", "_labelled"): "a selector of a style sheet",
    ("web/people/brand_sample.py", "DARK"): "a query of a style sheet",
    ("web/pictures/svg.py", "_written"): "an attribute of a drawing",
    ("web/render/look.py", "RULES"): "a style sheet",
    ("web/manager/agreement/preview.py", "LABEL"): "a style sheet, whose text no message can fill without its quoting",
    ("projections/events/event_log.py", "keyed"): "names a key",
    ("projections/installation/snapshots.py", "Snapshots"): "why a snapshot does not fit goes to the log alone",
    ("web/mail/own.py", "confirm_token"): "what a secret is derived for",
    ("web/identity/passkeys.py", "SIGN_IN"): "what a challenge is derived for",
    ("web/write/viewer_answers.py", "_command"): "what an id is derived from",
    ("web/converter/choosing.py", "KINDS"): "names of products",
    ("web/converter/bounds.py", "version"): "names of products",
    ("web/converter/child.py", "_agreed"): "names of elements in Microsoft Project's XML",
    ("web/converter/running.py", "_told"): "what Java says of memory",
    ("web/sources/tools/asking.py", "_body"): "of an exception that is told otherwise",
    ("web/sources/tools/github.py", "_asker"): "a header of HTTP",
    ("web/sources/tools/jira.py", "_asker"): "a header of HTTP",
    ("web/sources/tools/jira.py", "_asked"): "a query in the language of the tool",
    ("web/sources/tools/jira.py", "_issues"): "a query in the language of the tool",
    ("web/sources/tools/jira.py", "_is_as_before"): "a query in the language of the tool",
    ("web/sources/tools/openproject.py", "_asker"): "a header of HTTP",
    ("web/render/direct.py", "write_commons"): "a line of a program",
    ("web/sources/tools/smartsheet.py", "ROW"): "the heading of a column that no tool writes",
    ("web/sources/tools/smartsheet.py", "pull"): "a header of HTTP",
    ("web/sources/tools/tool.py", "__repr__"): "for whoever reads the log",
}
# Modules in which a capitalised word alone is no label, with the reason.
NO_LABELS = {
    "web/importers/table/mapping.py": "names of columns in an example",
    "web/importers/mspdi/reader.py": "names of elements in Microsoft Project's XML",
    "web/importers/mspdi/costs.py": "names of elements in Microsoft Project's XML",
    "web/importers/mspdi/tasks.py": "names of elements in Microsoft Project's XML",
    "web/importers/reading.py": "the name of a stream in a file of Excel",
    "web/sources/tools/jira.py": "the name of a product",
    "web/sources/tools/smartsheet.py": "the name of a product",
}
# Lower-case words that are read, by the function they are a value in. Words inside a sentence's braces need no entry.
WORDS = {
    ("PROXIMITY", "imminent"), ("_displayed", "knew"), ("_displayed", "knows"), ("_milestone", "forecast"),
    ("_milestone", "met"), ("_move", "after"), ("_move", "before"), ("_refuse_server", "unknown"),
    ("_schedule", "behind"), ("_share", "draft"), ("_share", "ended"),
    ("_share", "stopped"), ("_text", "never"), ("_text", "none"), ("_untold", "read"), ("_untold", "reads"),
    ("_wrong", "empty"), ("_yes_no", "no"), ("_yes_no", "yes"), ("clause", "ahead"), ("clause", "behind"),
    ("let_go", "released"), ("names", "you"), ("risk", "closed"),
    ("risks_counted", "none"), ("rule", "high"), ("said", "no"), ("said", "yes"),
    ("signed", "day"), ("signed", "days"), ("spend_words", "unknown"),
}  # fmt: skip
# Constants whose values are all words that are read.
TABLES = {"WORDS", "FIGURES", "MANY", "LEVELS"}
# Exceptions whose message is for those who read the log or the code; all others are shown to somebody.
INTERNAL = {
    "ValueError", "RuntimeError", "TypeError", "AssertionError", "KeyError", "LookupError", "NotImplementedError",
    "CurrencyMismatch", "UnknownKey", "Away", "NotVouched", "NotProven", "Moved", "TermsMoved", "LeaseLost",
}  # fmt: skip
# Modules whose ValueError is shown: the form or the setting tells it at the field.
VALUE_ERRORS_SHOWN = {"web/forms/fields.py", "web/mail/smtp.py", "web/importers/table/days.py"}
# Calls whose arguments are machine text: names, patterns, statements of a database, log lines, types.
CALLS = {
    "cast", "NewType", "TypeVar", "getattr", "setattr", "hasattr", "compile", "fullmatch", "match", "search", "sub",
    "finditer", "findall", "SQL", "Identifier", "execute", "executemany", "copy", "Struct", "strftime", "strptime",
    "replace", "removesuffix", "removeprefix", "startswith", "endswith", "split", "rsplit", "partition", "rpartition",
    "strip", "lstrip", "rstrip", "encode", "decode", "debug", "info", "warning", "error", "exception", "critical",
    "getLogger", "template", "response", "query_one", "get_template", "Route", "WebSocketRoute", "Mount",
}  # fmt: skip
LOGS = {"debug", "info", "warning", "error", "exception", "critical"}
COUNTS = {"Piece": 0}  # calls whose arguments from there on are words that are read
KEYWORDS = {
    *("context", "media_type", "metavar", "prog", "pattern", "tag", "tag_field", "scope", "samesite", "time_zone"),
}
NAMES = {"Lax", "Strict", "Europe/London"}

SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|GRANT|COPY|VACUUM|LOCK|PRAGMA|BEGIN|ALTER|WITH)\b[^a-z]")
MACHINE = re.compile(
    r"[a-z]+/[a-z0-9.+-]+(;|$)"  # media types
    r"|.*\b(max-age=|default-src|frame-src|attachment; filename|includeSubDomains)|camera=\(\)"  # headers
    r"|[MLHVZz0-9.,\0 ]+$"  # paths of SVG
    r"|\w*[{].*:.*;?[}]$"  # style sheets
    r"|[a-z]+(\.[a-z-]+)+$"  # topics
)
TAG = re.compile(r"<(?:!doctype|/?(?:[a-z][a-z0-9-]*))(?: [^<>]*)?/?>|<style>[^<>]*</style>|<[a-z]+ [^<>]*$")
LABEL = re.compile(r"[A-Z][a-z]+(?:[-’'][a-z]+)*[.:!?,…]?")
HOLE = "\0"


@dataclass(frozen=True)
class Sentence:
    """One sentence without a message id."""

    path: str
    node: ast.Constant | ast.JoinedStr
    text: str
    constant: bool  # evaluated once, when the module is read: N_ marks it

    def __str__(self) -> str:
        what = 'N_("...")' if self.constant else '_("...", name=value)' if HOLE in self.text else '_("...")'
        shown = self.text.replace(HOLE, "{}")
        return f"{self.path}:{self.node.lineno}: {shown[:60]!r} has no message id. Write {what} of domain.language."


def of_tree(root: Path) -> Iterator[Sentence]:
    """Find the sentences without a message id in the product's code."""
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*.py")):
            yield from of_module(file.read_text("utf-8"), file.relative_to(root).as_posix())


def of_module(source: str, path: str) -> Iterator[Sentence]:
    """Find the sentences without a message id in one module."""
    if path not in NOT_READ:
        tree = ast.parse(source)
        yield from Module(tree, path).sentences()


class Module:
    """The literals of one module, each in its place."""

    def __init__(self, tree: ast.AST, path: str, *, inside: bool = False) -> None:
        self.path = path
        self.inside = inside  # an expression out of a formatted sentence, in a function
        self.parents: dict[ast.AST, ast.AST] = {}
        self.nodes = [tree]
        for node in self.nodes:  # grows meanwhile
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
                if not isinstance(child, (ast.expr_context, ast.operator, ast.cmpop)):
                    self.nodes.append(child)
        self.raised = self.raised_later()

    def sentences(self) -> Iterator[Sentence]:
        """Find the sentences, outermost first."""
        for node in self.nodes:
            if isinstance(node, (ast.Constant, ast.JoinedStr)) and (text := self.sentence(node)) is not None:
                constant = self.constant(node)
                if not (constant and isinstance(node, ast.JoinedStr)):
                    yield Sentence(self.path, node, text, constant)

    def sentence(self, node: ast.Constant | ast.JoinedStr) -> str | None:
        """Return the text of a literal that is a sentence without a message id, with a NUL for each value."""
        text = literal(node)
        if text is None or self.marked(node) or self.placed_elsewhere(node):
            return None
        read = self.reads(node, text) or (isinstance(node, ast.JoinedStr) and self.holds(node))
        return text if read else None

    def reads(self, node: ast.Constant | ast.JoinedStr, text: str) -> bool:
        """The text has the form of a sentence or of a label, or it is one of the words that are read."""
        if not re.search("[A-Za-z]", text) or SQL.match(text) or MACHINE.match(text):
            return False
        pieces = [piece for piece in TAG.sub(HOLE, text).split(HOLE) if re.search("[A-Za-z]", piece)]
        if any(" " in piece for piece in pieces):
            return True
        labels = self.path not in NO_LABELS and (isinstance(node, ast.Constant) or "<" in text)
        if labels and any(LABEL.fullmatch(piece) and piece not in NAMES for piece in pieces):
            return True
        return self.word(node, text)

    def holds(self, node: ast.JoinedStr) -> bool:
        """The braces hold a sentence: it is a message of its own, and nobody looks for one inside of braces."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call) and _name(inner.func) in MARKS:
                return True
            if isinstance(inner, ast.Constant) and inner not in node.values and self.sentence(inner) is not None:
                return True
        return False

    def word(self, node: ast.AST, text: str) -> bool:
        """A lower-case word that the tables know, or that stands inside a sentence."""
        parent = self.parents.get(node)
        if (
            isinstance(parent, ast.Call)
            and _name(parent.func) in COUNTS
            and node in parent.args[COUNTS[_name(parent.func)] :]
        ):
            return True
        if self.assigned(node) in TABLES and not isinstance(parent, ast.Call):
            return True
        if not isinstance(parent, (ast.IfExp, ast.BoolOp, ast.Return, ast.Dict, ast.keyword, ast.Assign, ast.Tuple)):
            return False
        if (self.function(node) or self.assigned(node), text) in WORDS:
            return True
        return isinstance(parent, (ast.IfExp, ast.BoolOp)) and text.isalpha() and self.in_format(node)

    def in_format(self, node: ast.AST) -> bool:
        """The node stands in the braces of a formatted string that is a sentence itself."""
        up = self.parents.get(node)
        while isinstance(up, (ast.IfExp, ast.BoolOp)):
            up = self.parents.get(up)
        if isinstance(up, ast.FormattedValue):
            whole = self.parents[up]
            return (
                isinstance(whole, ast.JoinedStr)
                and not self.placed_elsewhere(whole)
                and self.reads(whole, literal(whole) or "")
            )
        if isinstance(up, ast.keyword) and isinstance(call := self.parents[up], ast.Call):
            return _name(call.func) in MARKS
        return self.inside and up is not None and isinstance(up, (ast.Expression, ast.Module))

    def marked(self, node: ast.AST) -> bool:
        """The literal has its message id."""
        parent = self.parents.get(node)
        return isinstance(parent, ast.Call) and _name(parent.func) in MARKS and node in parent.args

    def constant(self, node: ast.AST) -> bool:
        """The literal is evaluated when the module is read, not when a function is called."""
        child, up = node, self.parents.get(node)
        while up is not None:
            if isinstance(up, (ast.FunctionDef, ast.AsyncFunctionDef)) and child in up.body:
                return False
            if isinstance(up, ast.Lambda) and child is up.body:
                return False
            child, up = up, self.parents.get(up)
        return not self.inside

    def function(self, node: ast.AST) -> str:
        """Return the name of the innermost function that the literal stands in."""
        up: ast.AST | None = node
        while up is not None and not isinstance(up, (ast.FunctionDef, ast.AsyncFunctionDef)):
            up = self.parents.get(up)
        return "" if up is None else up.name

    def assigned(self, node: ast.AST) -> str:
        """Return the name of the module's constant, class or function that the literal stands in."""
        up: ast.AST | None = node
        while up is not None and not isinstance(self.parents.get(up), ast.Module):
            up = self.parents.get(up)
        if isinstance(up, ast.Assign) and isinstance(up.targets[0], ast.Name):
            return up.targets[0].id
        if isinstance(up, ast.AnnAssign) and isinstance(up.target, ast.Name):
            return up.target.id
        return up.name if isinstance(up, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) else ""

    def placed_elsewhere(self, node: ast.AST) -> bool:
        """The literal stands where no sentence can: a key, a type, a comparison, a log line, an internal error."""
        named = {(self.path, self.assigned(node)), (self.path, self.function(node))}
        if named & NOT_READ_HERE.keys() or (node in self.raised and not self.shows_value_errors()):
            return True
        child, up = node, self.parents.get(node)
        direct = True
        while up is not None and not isinstance(up, ast.stmt):
            if self.machine(child, up, direct=direct):
                return True
            direct = direct and isinstance(
                up, (ast.Tuple, ast.List, ast.Set, ast.IfExp, ast.BoolOp, ast.BinOp, ast.Starred)
            )
            child, up = up, self.parents.get(up)
        return self.statement(node, child, up)

    def machine(self, child: ast.AST, up: ast.AST, *, direct: bool) -> bool:
        """One step up from the literal says that it is machine text."""
        if isinstance(up, ast.FormattedValue):
            return child is up.format_spec
        if isinstance(up, ast.arg):
            return True
        if isinstance(up, ast.Call):
            name = _name(up.func)
            if name in LOGS and isinstance(up.func, ast.Attribute):
                return child is not up.func and _owner(up.func) in {"log", "logger"}
            return direct and child is not up.func and name in CALLS
        if not direct:
            return False
        if isinstance(up, ast.Subscript):
            return child is up.slice
        if isinstance(up, ast.Dict):
            return child in up.keys
        if isinstance(up, ast.keyword):
            return up.arg in KEYWORDS
        return isinstance(up, (ast.Compare, ast.MatchValue, ast.JoinedStr, ast.pattern, ast.arguments)) and (
            not isinstance(up, ast.arguments) or isinstance(child, ast.arg)
        )

    def statement(self, node: ast.AST, child: ast.AST, up: ast.AST | None) -> bool:
        """The statement says that it is machine text: a docstring, an assertion, an annotation, an internal error."""
        if isinstance(up, ast.Expr):
            return child is node and not self.inside
        if isinstance(up, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return child is up.returns
        if isinstance(up, ast.AnnAssign):
            return child is up.annotation
        if isinstance(up, ast.Raise):
            call = up.exc
            internal = isinstance(call, ast.Call) and _name(call.func) in INTERNAL
            return internal and not self.shows_value_errors()
        if isinstance(up, ast.Assign):
            return any(isinstance(t, ast.Name) and t.id in {"__all__", "__slots__"} for t in up.targets)
        return isinstance(up, ast.Assert)

    def raised_later(self) -> set[ast.AST]:
        """Return the literals that are assigned to a name which the next statement raises as an internal error."""
        found: set[ast.AST] = set()
        for node in self.nodes:
            if not (
                isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and _name(node.exc.func) in INTERNAL
            ):
                continue
            named = {arg.id for arg in node.exc.args if isinstance(arg, ast.Name)}
            body = getattr(self.parents[node], "body", [])
            for one, after in pairwise(body) if isinstance(body, list) and named else ():
                if after is node and isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
                    found |= {one.value} if one.targets[0].id in named else set()
        return found

    def shows_value_errors(self) -> bool:
        """The ValueError of this module is told at a field."""
        return self.path in VALUE_ERRORS_SHOWN


def literal(node: ast.AST) -> str | None:
    """Return the text of a literal with a NUL for each value, None where it is no text."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(p.value if isinstance(p, ast.Constant) else HOLE for p in node.values)
    return None


def _name(func: ast.expr) -> str:
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""


def _owner(func: ast.Attribute) -> str:
    return _name(func.value).lower()
