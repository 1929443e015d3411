"""One change, made of what is said of it. Pure."""

from typing import TypedDict, Unpack

import msgspec

from projections.entries.entry import Change
from projections.wording import words


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
