"""Which code makes the states of a world: a fingerprint of the state types and of the functions that evolve them.

Rule: it is another one whenever what is folded from the same events could be another state, and the same whatever else
changes in the program: decisions, pages, words, comments. Too much may be in it, never too little.
"""

import functools
import hashlib
import re
import sys
import types
import typing
from collections.abc import Iterable, Mapping
from datetime import date, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any

import msgspec

from projections.events import kept
from projections.events.hold_book import HoldBook
from projections.events.world import World

OURS = ("domain", "projections")
WORDS = "domain.language"  # makes no state, and has in memory which languages were installed by now
PLAIN = str | bytes | int | float | complex | Decimal | date | time | timedelta | tzinfo | None  # said by their `repr`
ROOTS = (World, ("__init__", "apply", "settle")), (HoldBook, ("__init__",))


@functools.cache
def of_states() -> str:
    """Return the fingerprint, a SHA-256 in hex; the same in every process of one version of the program."""
    return fingerprint()


def fingerprint() -> str:
    """Return the fingerprint of the code as it is in memory now."""
    walk = _Walk()
    for kind, names in ROOTS:
        walk.names.update(names)
        walk.see(kind)
    walk.see(kept.read)
    walk.to_the_end()
    told = f"{sys.implementation.name} {sys.version_info[:2]}\n" + "\n".join(sorted(walk.told))
    return hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()


class _Walk:
    """Goes from a class to its fields and those of its methods that are named, from a function to what it names."""

    def __init__(self) -> None:
        self.told: set[str] = set()
        self.names: set[str] = set()  # whatever is named by code that was seen
        self._seen: set[int] = set()
        self._kept: list[object] = []  # so that no id is used twice
        self._classes: list[type] = []
        self._modules: list[types.ModuleType] = []

    def to_the_end(self) -> None:
        """See methods of classes, and members of modules, for as long as new names come up."""
        before = -1
        while before != len(self._seen) + len(self.names):
            before = len(self._seen) + len(self.names)
            for kind in list(self._classes):
                for name, member in list(vars(kind).items()):
                    if name in self.names or (_called_unnamed(name) and isinstance(member, types.FunctionType)):
                        self._named(f"{kind.__module__}.{kind.__qualname__}", name, _function(member))
            for module in list(self._modules):
                for name in self.names & vars(module).keys():
                    self._named(module.__name__, name, vars(module)[name])

    def _named(self, of: str, name: str, thing: object) -> None:
        """Take in what stands under a name: a value counts by the name that code has for it, not as one of many."""
        self.told.add(f"{of}: {name} = {_shape(thing)}")
        self.see(thing)

    def see(self, thing: object) -> None:
        """Take in something that code refers to."""
        if isinstance(thing, PLAIN):
            self.told.add(repr(thing))
            return
        if id(thing) in self._seen:
            return
        self._seen.add(id(thing))
        self._kept.append(thing)
        match thing:
            case types.FunctionType():
                self._function(thing)
            case type() if not typing.get_args(thing):
                self._class(thing)
            case types.ModuleType() if _ours(thing.__name__):
                self._modules.append(thing)
            case types.ModuleType():
                self.told.add(f"module {thing.__name__}")
            case msgspec.Struct():
                self._class(type(thing))
                self._all(getattr(thing, name) for name in thing.__struct_fields__)
            case Mapping():
                self._all(part for pair in thing.items() for part in pair)
            case tuple() | list() | set() | frozenset():
                self._all(thing)
            case functools.partial():
                self._all((thing.func, thing.args, thing.keywords))
            case _ if callable(wrapped := getattr(thing, "__wrapped__", None)):
                self.see(wrapped)
            case _ if (supertype := getattr(thing, "__supertype__", None)) is not None:
                self.see(supertype)
            case _ if typing.get_args(thing):
                self.told.add(str(typing.get_origin(thing)))
                self._all(typing.get_args(thing))
            case _:
                self.told.add(f"{type(thing).__module__}.{type(thing).__qualname__}")

    def _all(self, things: Iterable[object]) -> None:
        for thing in things:
            self.see(thing)

    def _class(self, kind: type) -> None:
        name = f"{kind.__module__}.{kind.__qualname__}"
        if not _ours(kind.__module__):
            self.told.add(f"class {name}")
            return
        self._classes.append(kind)
        try:
            hints = typing.get_type_hints(kind)
        except (NameError, TypeError):
            hints = dict(vars(kind).get("__annotations__", {}))
        self.told.add(f"class {name}({[base.__qualname__ for base in kind.__bases__]}): {hints}")
        self._all(hints.values())
        self._all(kind.__bases__)
        if issubclass(kind, msgspec.Struct):
            self.told.add(f"{name}: {kind.__struct_fields__} {kind.__struct_config__.tag!r}")
            self.told.add(f"{name}: {_shape(kind.__struct_defaults__)}")
            self._all(kind.__struct_defaults__)

    def _function(self, function: types.FunctionType) -> None:
        name = f"{function.__module__}.{function.__qualname__}"
        if not _ours(function.__module__ or ""):
            self.told.add(f"def {name}")
            return
        self.told.add(f"{name}: {_shape((function.__defaults__, function.__kwdefaults__))}")
        self._all((function.__defaults__, function.__kwdefaults__, getattr(function, "__wrapped__", None)))
        for cell in function.__closure__ or ():
            try:
                self.see(cell.cell_contents)
            except ValueError:  # not bound yet
                continue
        self.told.add(f"def {name}: {self._code(function.__code__, function.__doc__, function.__globals__)}")

    def _code(self, code: types.CodeType, doc: str | None, known: dict[str, Any]) -> str:
        """Return what a function does, without its documentation, and see whatever it names."""
        self.names.update(code.co_names)
        for name in code.co_names:
            if name in known:
                self._named(str(known.get("__name__")), name, known[name])
        inner = [
            self._code(one, None, known) if isinstance(one, types.CodeType) else _repr(one)
            for one in code.co_consts
            if doc is None or one != doc
        ]
        return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {code.co_freevars} {inner}"


def _called_unnamed(name: str) -> bool:
    """Tell whether a method is called by operators and the like, which do not name it."""
    return name.startswith("__") and name.endswith("__") and name != "__init__"


def _function(member: object) -> object:
    """Return the function behind a member of a class."""
    if isinstance(member, property):
        return member.fget
    return getattr(member, "__func__", member)


def _shape(thing: object) -> str:
    """Return what a value says, with all in it and in order; of what is no value, its name or its kind."""
    match thing:
        case _ if isinstance(thing, PLAIN):
            return repr(thing)
        case tuple() | list():
            return f"[{', '.join(map(_shape, thing))}]"
        case set() | frozenset():
            return f"{{{', '.join(sorted(map(_shape, thing)))}}}"
        case Mapping():
            return f"{{{', '.join(f'{_shape(key)}: {_shape(value)}' for key, value in thing.items())}}}"
        case msgspec.Struct():
            return f"{type(thing).__qualname__}{_shape([getattr(thing, name) for name in thing.__struct_fields__])}"
        case re.Pattern():
            return f"pattern {thing.pattern!r} {thing.flags}"
        case _:
            return str(getattr(thing, "__qualname__", type(thing).__qualname__))


def _repr(constant: object) -> str:
    return repr(sorted(map(repr, constant))) if isinstance(constant, frozenset) else repr(constant)


def _ours(module: str) -> bool:
    return module.partition(".")[0] in OURS and module != WORDS
