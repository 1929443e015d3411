"""Requests that nobody's page would send: every route, form, query, header and command, with values of any kind.

Names are taken from where they are read: parameters from the code and the templates, fields from the form catalogue,
commands and their fields from the union of commands. So what is added is asked without being written down here.
"""

import ast
import functools
import inspect as code
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import msgspec
from hypothesis import strategies as st
from msgspec import inspect
from starlette.routing import Route

from domain.commands import AnyCommand
from domain.errors import Refused
from projections.events.world import World
from tests.stories.odd_values import (
    FILES,
    HEADER_VALUES,
    HEADERS,
    JSON_BODIES,
    MULTIPART,
    NUMBERS,
    ODD_JSON,
    PARTS,
    Choice,
    Drawn,
    Plainly,
    odd,
    worst,
)  # fmt: skip
from tests.world import ACME, DEPOT, HARBOUR, OTHER, SHARE
from web import app as application
from web.forms.fields import Field
from web.manager.forms.asked import Ask
from web.manager.forms.catalogue import FORMS, form_for

WEB = Path(application.__file__).parent
PEOPLE = ("", "viewer-acme", "manager", "auditor", "admin")
STAMP = "2027-03-01T10:00:00Z"
LONGEST = 30_000  # characters of an address

# what there is, by the name it is usually asked for by
KNOWN: dict[str, tuple[str, ...]] = {
    "project": (*(HARBOUR,) * 7, DEPOT),
    "share": (SHARE, SHARE, OTHER),
    "client": (ACME, "council"),
    "person": ("viewer-acme", "viewer-council", "manager", "auditor"),
    "milestone": ("m1", "m1", "m1", "m2", "hidden", "fresh"),
    "risk": ("r1", "r1", "r1", "r2", "fresh"),
    "measure": ("cost", "price"),
    "n": ("1", "2", "u1"),
    "about": ("milestone-m1", "risk-r1", "agreement-1", "budget", ""),
    "subject": ("milestone-m1", "risk-r1", "agreement-1", ""),
    "how": ("score", "comment", "concern", "acknowledge"),
    "by": ("manager", "admin", "viewer-acme"),
    "currency": ("GBP", "EUR"),
    "time_zone": ("Europe/London", "America/Santiago"),
    "role": ("viewer", "manager"),
    "command": tuple(FORMS),
    "rest": ("x", "v1/nothing"),
    "at": (STAMP,),
    "on": ("2027-06-01",),
}
FIT = {
    "day": "2027-06-01", "until": "2027-12-01", "whole": "3", "amount": "1000", "money": "1000", "yes": "yes", "weekdays": "0 1 2 3 4", "days": "2027-12-25",
    "points": "2027-03-31 100\n2027-06-30 200", "line": "Frost", "text": "Frost",
}  # fmt: skip  # by the kind of a field


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request: by whom, and every byte of it."""

    person: str
    method: str
    target: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    ours: bool = True  # with the form token of the person's session
    token: bool = False  # with a bearer token in place of a session


# names


@functools.cache
def _read_in(path: Path) -> frozenset[str]:
    """Return the names under which a module reads something from an address or a form."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("get", "getlist", "first", "text", "read", "named"):
                found |= {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    return frozenset(name for name in found if re.fullmatch(r"[\w.]{1,30}", name))


@functools.cache
def names_asked() -> tuple[str, ...]:
    """Return every name under which a page reads something, or a template sends it."""
    found = {name for path in WEB.rglob("*.py") for name in _read_in(path)}
    for path in (WEB / "templates").rglob("*.html"):
        found |= set(re.findall(r'name="([\w.]+)"', path.read_text()))
    return tuple(sorted(found))


@functools.cache
def _words_in(path: Path) -> frozenset[str]:
    """Return every word of a module that anything is asked for by."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    words = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    words |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}  # queries that are read into a struct
    return frozenset(words & set(names_asked()))


def names_of(route: Route) -> tuple[str, ...]:
    """Return the names that the module of a route's page may read."""
    answered = code.getclosurevars(route.endpoint).nonlocals["answered"]  # as web/door/guard.py nests them
    page = code.getclosurevars(answered).nonlocals["endpoint"]
    return tuple(sorted(_words_in(Path(code.getfile(page)))))


def fields_of(state: World) -> dict[str, tuple[Field, ...]]:
    """Return the fields of every form of the catalogue, by the tag of its command."""
    fields: dict[str, tuple[Field, ...]] = {}
    for tag in FORMS:
        ask = Ask(
            project=state.projects[HARBOUR], directory=state, now=datetime(2027, 6, 1, tzinfo=UTC),
            params={"milestone": "m1", "risk": "r1", "measure": "price", "client": ACME}, new_id="fresh",
        )  # fmt: skip
        try:
            fields[tag] = form_for(tag, ask).fields
        except Refused:
            fields[tag] = ()
    return fields


# addresses and forms


@functools.cache
def routes() -> tuple[Route, ...]:
    return tuple(route for route in application.routes(demo=False) if isinstance(route, Route))


@functools.cache
def _weighted() -> tuple[Route, ...]:
    """Every route, and those oftener behind which there are many forms, or a file of any kind."""
    often = {"/p/{project}/do/{command}": 24, "/audit/file": 4, "/p/{project}/import": 3, "/s/{share}/answer": 4}
    return tuple(route for route in routes() for _ in range(often.get(route.path, 1)))


def _methods(route: Route) -> tuple[str, ...]:
    """The methods of a route, those that change something oftener; HEAD is GET without the body."""
    methods = sorted((route.methods or {"GET"}) - {"HEAD"})
    return (*methods, *(method for method in methods if method != "GET"))


def _allowed(route: Route) -> list[str]:
    """Who may use a route."""
    guarded = getattr(route.endpoint, "guarded", "anyone")
    return [person for person in PEOPLE if guarded in ("anyone", "display") or person.split("-")[0] in guarded]


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def _sent(pairs: Iterable[tuple[str, str]]) -> str:
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)


def _path(route: Route, filled: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: _quoted(filled[found[1]])[:LONGEST], route.path)


def _fit(choice: Choice, name: str, offered: Sequence[str] = ("1", "Frost", "")) -> str:
    """A value that is there, by the name it is asked for by, or one of those that fit."""
    return choice.one(KNOWN.get(name.rpartition(".")[2], offered))


def _some(choice: Choice, names: Sequence[str], most: int) -> list[str]:
    return [choice.one(names) for _ in range(choice.upto(most))] if names else []


def _kind(name: str) -> str:
    """What sort of value a name asks for, as far as it says."""
    return "day" if name in ("at", "on", "time", "from", "to", "since", "until", "before", "span") else ""


@st.composite
def page_requests(draw: st.DrawFn, forms: dict[str, tuple[Field, ...]]) -> Asked:
    """Any page or form, by anybody, mostly by those who may. Most have one thing that is odd, in the address or below."""
    choice = Drawn(draw)
    route = choice.one(_weighted())
    method = choice.one(_methods(route))
    places = (
        ("path", "query", "query", "header")
        if method == "GET"
        else ("body",) * 12 + ("path", "query", "header", "token", "upload")
    )
    where = choice.one(places)
    person = choice.one(_allowed(route) if choice.upto(9) else PEOPLE)
    command = choice.one(tuple(FORMS))
    filled = {name: command if name == "command" else _fit(choice, name) for name in route.param_convertors}
    if where == "path" and filled:
        filled[choice.one(tuple(filled))] = odd(choice)
    asked = [("milestone", "m1"), ("risk", "r1")] if "command" in filled else []
    names = names_asked() if choice.upto(3) == 0 else names_of(route)
    asked += [
        (name, odd(choice, _kind(name)) if where == "query" else _fit(choice, name)) for name in _some(choice, names, 3)
    ]
    sent: dict[str, Any] = {"headers": _headers(choice) if where == "header" else ()}
    if method != "GET":
        upload = route.path.endswith(("/file", "/import", "/past")) or where == "upload"
        fields = forms[command] if "command" in filled else ()
        spoiled = _odd_name(choice, route, fields) if where == "body" else ""
        sent["body"], kind = _upload(choice) if upload else _body(choice, route, fields, spoiled)
        sent["headers"] = ((b"content-type", kind), *sent["headers"])
        sent["ours"] = where != "token"
    return Asked(person=person, method=method, target=f"{_path(route, filled)}?{_sent(asked)[:LONGEST]}", **sent)


def _headers(choice: Choice) -> tuple[tuple[bytes, bytes], ...]:
    """One or two headers with odd values, in the bytes that a server may be sent."""
    encoding = choice.one(("utf-8", "latin-1"))
    return tuple(
        (choice.one(HEADERS).encode(), choice.one(HEADER_VALUES).encode(encoding, "replace"))
        for _ in range(1 + choice.upto(1))
    )


def _upload(choice: Choice) -> tuple[bytes, bytes]:
    """A body with a file and its content type."""
    part = MULTIPART % (choice.one((*PARTS[:2] * 6, *PARTS)), choice.one(FILES))
    return part, b"multipart/form-data; boundary=" + choice.one((*(b"b",) * 9, b"", b"\xe9", b"other"))


def _odd_name(choice: Choice, route: Route, fields: Sequence[Field]) -> str:
    return choice.one((*([field.name for field in fields] or names_of(route)), "command_id", "csrf"))


def _body(
    choice: Choice, route: Route, fields: Sequence[Field], spoiled: str = "", value: str | None = None
) -> tuple[bytes, bytes]:
    """The body of a form and its content type; the field `spoiled` is odd, or has this value."""
    kinds = {field.name: field.kind for field in fields}
    sent = {field.name: _fit(choice, field.name, _offered(field)) for field in fields}
    if not fields:
        sent = {name: _fit(choice, name) for name in names_of(route)} if choice.upto(3) else {}
    sent |= {name: _fit(choice, name) for name in _some(choice, names_asked(), 2)}
    sent["command_id"] = choice.unique()
    if spoiled:
        sent[spoiled] = odd(choice, kinds.get(spoiled, "")) if value is None else value
    return _sent(sent.items()).encode(), b"application/x-www-form-urlencoded"


def _offered(field: Field) -> tuple[str, ...]:
    return tuple(value for value, _word in field.options) or (field.value or FIT[field.kind], FIT[field.kind])


# commands

Leaf = tuple[Any, Any, inspect.Type]  # a container, a key in it, and the type of what stands there


class _Tree:
    """A command as JSON has it, grown by type and name, with all its leaves."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self.leaves: list[Leaf] = []

    def struct(self, kind: inspect.StructType) -> dict[str, Any]:
        made: dict[str, Any] = {} if kind.tag is None else {kind.tag_field or "type": kind.tag}
        for field in kind.fields:
            if field.required or self._choice.upto(3):
                self._put(made, field.encode_name, field.type, field.encode_name)
        return made

    def _put(self, into: Any, key: Any, kind: inspect.Type, name: str) -> None:
        into[key] = self._of(kind, name)
        self.leaves.append((into, key, kind))

    def _of(self, kind: inspect.Type, name: str) -> Any:
        choice = self._choice
        match kind:
            case inspect.StrType():
                return _fit(choice, name, ("Frost", "fresh", "cost"))
            case inspect.DecimalType():
                return choice.one(("1000", "250.50", "1"))
            case inspect.IntType():
                return 1 + choice.upto(3)
            case inspect.FloatType():
                return 1.5
            case inspect.BoolType():
                return bool(choice.upto(1))
            case inspect.DateType():
                return "2027-02-01"
            case inspect.DateTimeType():
                return STAMP
            case inspect.LiteralType(values=offered):
                return choice.one(offered)
            case inspect.NoneType():
                return None
            case inspect.UnionType(types=types):
                return self._of(choice.one([one for one in types if not isinstance(one, inspect.NoneType)]), name)
            case inspect.StructType():
                return self.struct(kind)
            case (
                inspect.ListType(item_type=item)
                | inspect.VarTupleType(item_type=item)
                | inspect.SetType(item_type=item)
            ):
                return self._list([item] * choice.upto(2), name)
            case inspect.TupleType(item_types=items):
                return self._list(items, name)
            case inspect.DictType(value_type=value):
                made: dict[str, Any] = {}
                self._put(made, "m1", value, name)
                return made
            case _:
                return "Frost"

    def _list(self, kinds: Sequence[inspect.Type], name: str) -> list[Any]:
        made: list[Any] = [None] * len(kinds)
        for place, kind in enumerate(kinds):
            self._put(made, place, kind, name)
        return made


def _sort(kind: inspect.Type) -> str:
    """Whether a type is of numbers, of days, or of other things; "" for those."""
    for one in kind.types if isinstance(kind, inspect.UnionType) else (kind,):
        if isinstance(one, inspect.DecimalType | inspect.IntType | inspect.FloatType):
            return "amount"
        if isinstance(one, inspect.DateType | inspect.DateTimeType):
            return "day"
    return ""


@functools.cache
def commands() -> tuple[inspect.StructType, ...]:
    """Return every command there is."""
    return tuple(inspect.type_info(kind) for kind in get_args(AnyCommand))  # type: ignore[misc]


@st.composite
def command_requests(draw: st.DrawFn) -> Asked:
    """Any command by anybody at the JSON API, with one odd value; now and then something that is no command."""
    choice = Drawn(draw)
    where = choice.one((*("value",) * 12, "nothing", "body", "key", "header"))
    tree = _Tree(choice)
    command = tree.struct(choice.one(commands()))
    if where == "value" and tree.leaves:
        into, key, kind = choice.one(tree.leaves)
        into[key] = odd(choice, _sort(kind)) if choice.upto(5) else choice.one((*ODD_JSON, *NUMBERS))
    body = choice.one(JSON_BODIES) if where == "body" else json.dumps(command).encode()
    name = choice.one((b"a", b"", b"x" * 300, b"\xe9", b"a b")) if where == "key" else choice.unique().encode()
    more = _headers(choice) if where == "header" else ()
    return _command(choice.one((*("manager", "admin") * 6, "auditor", "viewer-acme", "")), body, name, more)


def _command(person: str, body: bytes, name: bytes, more: tuple[tuple[bytes, bytes], ...] = ()) -> Asked:
    sent = (b"content-type", b"application/json"), (b"idempotency-key", name), *more
    return Asked(person=person, method="POST", target="/api/v1/commands", headers=sent, body=body, token=not more)


# one by one


def one_by_one(forms: dict[str, tuple[Field, ...]]) -> Iterator[Asked]:
    """Every place once with each of the worst values for it, and every file and body: what chance need not find."""
    choice = Plainly()
    for route in routes():
        for person in _allowed(route)[-1:]:
            yield from _of_addresses(choice, route, person)
            if "GET" not in (route.methods or ()) or "POST" in (route.methods or ()):
                yield from _of_forms(choice, route, person, forms)
    for command in commands():
        yield from _of_command(choice, command)
    for body in JSON_BODIES:
        yield _command("admin", body, choice.unique().encode())
    for value in HEADER_VALUES:
        for name in ("x-fanlight-form", "expected-version", "cookie", "authorization"):
            sent = (
                (b"content-type", b"application/x-www-form-urlencoded"),
                (name.encode(), value.encode("latin-1", "replace")),
            )
            yield Asked(person="viewer-acme", method="POST", target="/home/mail", headers=sent, ours=False)
            yield Asked(
                person="manager",
                method="POST",
                target="/api/v1/commands",
                headers=(*sent, (b"idempotency-key", b"a")),
                body=b"{}",
            )


def _of_addresses(choice: Choice, route: Route, person: str) -> Iterator[Asked]:
    filled = {name: _fit(choice, name, tuple(FORMS)) for name in route.param_convertors}
    method = min((route.methods or {"GET"}) - {"HEAD"})
    for name in filled:
        for value in worst():
            yield Asked(person=person, method=method, target=_path(route, filled | {name: value}))
    if method == "GET":
        for name in names_of(route):
            for value in {worst(_kind(name))[0], worst()[0]}:
                yield Asked(
                    person=person, method="GET", target=f"{_path(route, filled)}?{_sent([(name, value)])}"[:LONGEST]
                )


def _of_forms(choice: Choice, route: Route, person: str, forms: dict[str, tuple[Field, ...]]) -> Iterator[Asked]:
    filled = {name: _fit(choice, name) for name in route.param_convertors}
    asked = {"person": person, "method": "POST"}
    if route.path.endswith(("/file", "/import", "/past", "/p/new")):
        named = PARTS[not route.path.endswith("/file")]
        for part, file in [(named, file) for file in FILES] + [(part, FILES[1]) for part in PARTS]:
            kind = (b"content-type", b"multipart/form-data; boundary=b")
            yield Asked(target=_path(route, filled), headers=(kind,), body=MULTIPART % (part, file), **asked)
    for command, fields in forms.items() if "command" in filled else [("", ())]:
        target = _path(route, filled | {"command": command}) + ("?milestone=m1&risk=r1" if command else "")
        kinds = dict.fromkeys(names_of(route), "") if not fields else {field.name: field.kind for field in fields}
        places = [(field, value) for field, sort in kinds.items() for value in worst(sort)[:2]]
        for name, value in [*places, ("command_id", "\0"), ("csrf", "é")]:
            body, kind = _body(choice, route, fields, name, value)
            yield Asked(target=target, headers=((b"content-type", kind),), body=body, ours=name != "csrf", **asked)


def _of_command(choice: Choice, kind: inspect.StructType) -> Iterator[Asked]:
    grown = _Tree(choice)
    grown.struct(kind)
    for place in range(len(grown.leaves)):
        for value in worst(_sort(grown.leaves[place][2]))[:2]:
            tree = _Tree(choice)
            command = tree.struct(kind)
            into, key, _kind_of = tree.leaves[place]
            into[key] = value
            yield _command("admin", json.dumps(command).encode(), choice.unique().encode())
