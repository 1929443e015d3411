"""A view in sections: the page as a whole, each milestone, risk and concern, the budget, and each long list. Pure.

Rule: what did not change is the same text again, so an entry records the sections that did. docs/spec.md 3.9.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import compress
from operator import attrgetter, is_not
from typing import Any

import msgspec

from domain.memory import Memory, apart
from domain.view import ClientView, ConcernCard, MilestoneRow, RiskCard
from projections.entries.names import SealedName

PAGE, TERMS, NAMES = "page", "terms", "names"
LISTS = {"milestones": "milestone", "risks": "risk", "concerns": "concern"}  # of things with an id, in the view
LATER = ("confirmed_quietly", "unconfirmed")  # members that are absent where they say nothing
LONG = ("trend", "remarks", "curve")  # lists within one of them, or within the budget
_encoder = msgspec.json.Encoder(order="sorted")
_views = msgspec.json.Decoder(ClientView)


class InSections(msgspec.Struct, frozen=True):
    """A view in sections: JSON texts by id, and what the next one is brought forward from."""

    sections: dict[str, str]
    changed: frozenset[str]  # the sections that are new or another text than before
    lines: dict[str, bytes]  # of each section, in the hash over all of them
    order: tuple[tuple[str, ...], list[str]]  # the ids, and the same in order
    lists: Mapping[str, tuple[list[dict[str, str]], dict[str, str]]]  # of things: the sections of each, and of all
    ids: Mapping[str, tuple[str, ...]]  # of the things of each list, in order

    @property
    def hash(self) -> str:
        """The hash (hex) of the view, as `hash_of` gives it."""
        return hashlib.sha256(b"".join(map(self.lines.__getitem__, self.order[1]))).hexdigest()


_id = attrgetter("id")
NOTHING = InSections({}, frozenset(), {}, ((), []), {}, {})
_of_page = attrgetter(*(name for name in ClientView.__struct_fields__ if name not in (*LISTS, "budget")))


def sections_of(view: ClientView, terms: object, commitments: Mapping[str, str]) -> dict[str, str]:
    """Return a view as sections, JSON texts by id, with the terms that allow it and the commitments to its names."""
    return told(view, terms, commitments, Memory(), NOTHING).sections


def told(
    view: ClientView, terms: object, commitments: Mapping[str, str], memory: Memory, before: InSections
) -> InSections:
    """Return a view in sections as `sections_of` does; `memory` and `before` are of the view before, of the share.

    What did not change is the same text again.
    """
    memory.turn()
    lists, found, ids = {}, dict[str, str](), dict[str, tuple[str, ...]]()
    for name, kind in LISTS.items():
        things = getattr(view, name)
        each = memory.each(name, (), things, partial(_section, kind))
        lists[name] = each, _merged(each, before.lists.get(name))
        found.update(lists[name][1])
        listed = tuple(map(_id, things))
        ids[name] = was if (was := before.ids.get(name, ())) == listed else listed
    if view.budget is not None:
        budget = view.budget
        found.update(memory.of("budget", (budget,), lambda: _thing("budget", msgspec.to_builtins(budget))))
    page = memory.of(PAGE, (*_of_page(view), view.budget is None, *ids.values()), lambda: _page(view, ids))
    allowed = memory.of(TERMS, (terms,), lambda: _encoder.encode(terms).decode())
    beside = {PAGE: page, TERMS: allowed}
    sections = beside | ({NAMES: _encoder.encode(commitments).decode()} if commitments else {}) | found
    changed = frozenset(compress(sections, map(is_not, sections.values(), map(before.sections.get, sections))))
    lines, order = _lines_after(sections, changed, before), _order_after(sections, before)
    return InSections(sections, changed, lines, order, lists, ids)


def _page(view: ClientView, ids: Mapping[str, tuple[str, ...]]) -> str:
    """Return the section of the page as a whole, which names the things that have sections of their own."""
    bare = msgspec.structs.replace(view, milestones=(), risks=(), concerns=(), budget=None)
    page = _without_nothing(msgspec.to_builtins(bare))
    for name in LISTS:
        page.pop(name, None)
        if ids[name]:
            page[name] = ids[name]
    for name in LATER:
        if not page.get(name):
            page.pop(name, None)  # so that a view says what it said before there was such a member
    if view.budget is not None:
        page["budget"] = True
    return _encoder.encode(page).decode()


def _merged(each: list[dict[str, str]], before: tuple[list[dict[str, str]], dict[str, str]] | None) -> dict[str, str]:
    """Return the sections of all things of a list; `before` are those of each thing before, and of all."""
    gone, new = apart(before[0], each) if before else ([], each)
    merged = before[1].copy() if before else {}
    for texts in gone:
        for key in texts:
            del merged[key]
    for texts in new:
        merged.update(texts)
    return merged


def _section(kind: str, thing: MilestoneRow | RiskCard | ConcernCard) -> dict[str, str]:
    return _thing(f"{kind}-{thing.id}", msgspec.to_builtins(thing))


def _lines_after(sections: Mapping[str, str], changed: Iterable[str], before: InSections) -> dict[str, bytes]:
    """Return the line of each section: that of before where its text is the same."""
    lines = {**before.lines}
    for key in changed:
        lines[key] = _line(key, sections[key]).encode()
    for gone in before.lines.keys() - sections.keys() if len(lines) != len(sections) else ():
        del lines[gone]
    return lines


def _order_after(sections: Mapping[str, str], before: InSections) -> tuple[tuple[str, ...], list[str]]:
    keys = tuple(sections)
    if keys == before.order[0]:
        return before.order
    return keys, before.order[1] if sections.keys() == before.sections.keys() else sorted(keys)


def _thing(key: str, thing: dict[str, Any]) -> dict[str, str]:
    """Return the section of one thing, and one for each long list in it that is not empty."""
    lists = {f"{key}.{name}": thing.pop(name, None) for name in LONG}
    return {key: _text(thing)} | {name: _text(value) for name, value in lists.items() if value}


def _text(value: Any) -> str:
    return _encoder.encode(_without_nothing(value)).decode()


def _without_nothing(value: Any) -> Any:
    """Return JSON data without the members of objects that are null or an empty list: decoding puts them back."""
    if isinstance(value, dict):
        return {key: _without_nothing(member) for key, member in value.items() if member is not None and member != []}
    return [_without_nothing(member) for member in value] if isinstance(value, list) else value


def view_of(sections: Mapping[str, str]) -> ClientView:
    """Return the view that sections make up.

    Raises: msgspec.MsgspecError or KeyError when they are not those of a view.
    """
    page = msgspec.json.decode(sections[PAGE])
    for name, kind in LISTS.items():
        page[name] = [_joined(f"{kind}-{key}", sections) for key in page.get(name, ())]
    if page.get("budget"):
        page["budget"] = _joined("budget", sections)
    return _views.decode(_encoder.encode(page))


def _joined(key: str, sections: Mapping[str, str]) -> dict[str, Any]:
    thing: dict[str, Any] = msgspec.json.decode(sections[key])
    for name in LONG:
        if (text := sections.get(f"{key}.{name}")) is not None:
            thing[name] = msgspec.json.decode(text)
    return thing


def commitments(sections: Mapping[str, str]) -> dict[str, str]:
    """Return the commitments (hex) to the names that a view uses, by key.

    Raises: msgspec.MsgspecError.
    """
    return msgspec.json.decode(sections.get(NAMES, "{}"), type=dict[str, str])


def names_used(sections: Mapping[str, str], names: Mapping[str, SealedName]) -> dict[str, SealedName]:
    """Return those of some sealed names that a view commits to, by key."""
    committed = commitments(sections)
    return {key: name for key, name in names.items() if committed.get(key) == name.commitment}


def hash_of(sections: Mapping[str, str]) -> str:
    """Return the hash (hex) over the hashes of all sections, in the order of their ids; docs/spec.md 3.9."""
    return hashlib.sha256("".join(_lines(sections)).encode()).hexdigest()


def _lines(sections: Mapping[str, str]) -> Iterator[str]:
    for key in sorted(sections):
        yield _line(key, sections[key])


def _line(key: str, text: str) -> str:
    return f"{hashlib.sha256(text.encode()).hexdigest()} {key}\n"
