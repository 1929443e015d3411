"""A view in sections: the page as a whole, each milestone, risk and concern, the budget, and each long list. Pure.

Rule: what did not change is the same text again, so an entry records the sections that did. docs/spec.md 3.9.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from domain.view import ClientView
from projections.entries.names import SealedName

PAGE, TERMS, NAMES = "page", "terms", "names"
LISTS = {"milestones": "milestone", "risks": "risk", "concerns": "concern"}  # of things with an id, in the view
LONG = ("trend", "remarks", "curve")  # lists within one of them, or within the budget
_encoder = msgspec.json.Encoder(order="sorted")
_views = msgspec.json.Decoder(ClientView)


def sections_of(view: ClientView, terms: object, commitments: Mapping[str, str]) -> dict[str, str]:
    """Return a view as sections, JSON texts by id, with the terms that allow it and the commitments to its names."""
    page = msgspec.to_builtins(view)
    found: dict[str, str] = {}
    for name, kind in LISTS.items():
        for thing in page[name]:
            found |= _thing(f"{kind}-{thing['id']}", thing)
        page[name] = [thing["id"] for thing in page[name]]
    if page["budget"] is not None:
        found |= _thing("budget", page["budget"])
        page["budget"] = True
    beside = {PAGE: _text(page), TERMS: _encoder.encode(terms).decode()}
    return beside | ({NAMES: _encoder.encode(commitments).decode()} if commitments else {}) | found


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
        yield f"{hashlib.sha256(sections[key].encode()).hexdigest()} {key}\n"
