"""One change, made of what is said of it, and which changes nobody is told of. Pure.

Rule: a change of how a page looks or speaks, and not of what it says, is *quiet*: it is recorded with its update and
stands in the history, but is no line of what is new since a visit, is not read out, and no email is sent for it.
Whatever tells people of changes asks `loud` first; a member of a view is quiet by standing in `QUIET`, and only there.
"""

from collections.abc import Iterable
from typing import TypedDict, Unpack

import msgspec

from projections.entries.entry import Change
from projections.wording import words

QUIET = frozenset({"organisation", "brand", "language"})  # members of a view, domain/view.py


class Data(TypedDict, total=False):
    """The fields of a `Change` that are data."""

    row: str
    field: str
    who: str
    was: str
    now: str


class Texts(Data, total=False):
    """The fields of a `Change` that are "" where nothing is said."""

    before: str
    after: str
    note: str
    why: str
    say: str


class Thing(msgspec.Struct, frozen=True):
    """What a change is about."""

    item: str  # "milestone", "risk", "budget", "project"
    id: str
    title: str  # "Handover", "R-07 Ground"

    @property
    def subject(self) -> str:
        """The subject of its changes: "milestone-m1", "budget"."""
        return f"{self.item}-{self.id}" if self.id else self.item


def change(kind: str, subject: str, title: str, **given: Unpack[Texts]) -> Change:
    """Return a change; nothing in its sentence can disturb what stands around it."""
    texts: Texts = {"before": "", "after": "", "note": "", "why": "", "say": "", **given}
    texts["say"] = words.plain(texts["say"])
    return Change(kind=kind, subject=subject, title=title, **texts)


def quiet(given: Change) -> bool:
    """Tell whether a change is one that nobody is told of."""
    return given.kind == "share.updated" and given.field in QUIET


def loud(given: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes that people are told of."""
    return tuple(one for one in given if not quiet(one))
