"""How much an agreement discloses or withdraws, counted in things that can be found on the client's page.

Rule: milestones, risks, concerns and figures are counted; the wording and the frame of the page are counted apart.
"""

from collections.abc import Iterable, Sequence

import msgspec

from domain import catalogue
from domain.language import listed, ngettext
from web.manager.agreement.consequence import ConsequenceLine

OF_PROJECT = frozenset(catalogue.shown("project"))  # fields of the page that say something of the project
KINDS = ("milestone-", "risk-", "concern-")


class Part(msgspec.Struct, frozen=True):
    """The lines of one heading: those that tell of the project, and the wording and the frame around it."""

    lines: tuple[ConsequenceLine, ...]
    frame: tuple[ConsequenceLine, ...]
    counted: str  # "6 milestones, 2 risks and 9 figures"; "" for none


def part(lines: Sequence[ConsequenceLine]) -> Part:
    """Return lines with the frame apart, and how many things they tell of."""
    telling = tuple(line for line in lines if not is_frame(line))
    return Part(telling, tuple(line for line in lines if is_frame(line)), counted(telling))


def is_frame(line: ConsequenceLine) -> bool:
    """Tell whether a line is about wording and frame alone: titles, footer, headline, sections, units."""
    return all(subject == "page" and field not in OF_PROJECT for subject, field, _item in line.keys)


def counted(lines: Iterable[ConsequenceLine]) -> str:
    """Return how many things lines tell of; an item counts once, however much of it is told."""
    keys = [key for line in lines for key in line.keys]
    subjects = {subject for subject, *_rest in keys}
    many = {start: sum(subject.startswith(start) for subject in subjects) for start in KINDS}
    parts = [_many(start, found) for start, found in many.items() if found]
    if figures := sum(not subject.startswith(KINDS) for subject, *_rest in keys):
        parts.append(_many("", figures))
    return listed(parts)


def _many(start: str, n: int) -> str:
    match start:
        case "milestone-":
            return ngettext("{n} milestone", "{n} milestones", n, n=n)
        case "risk-":
            return ngettext("{n} risk", "{n} risks", n, n=n)
        case "concern-":
            return ngettext("{n} concern", "{n} concerns", n, n=n)
        case _:
            return ngettext("{n} figure", "{n} figures", n, n=n)
