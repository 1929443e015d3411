"""What a form of the client's page sends, and what is said by it: how, about what, and what was on the screen. Pure."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from domain.agreement.answers import Screen
from domain.errors import Invalid
from domain.language import gettext as _

How = Literal["score", "comment", "concern", "acknowledge"]
FIELDS = ("text", "probability", "impact")


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to say of "milestone-m1", "risk-r7", "agreement-3", or of the whole page ("")."""

    how: How
    subject: str
    screen: Screen
    text: str = ""
    points: tuple[int, int] = (0, 0)  # likelihood, impact; of a score


class Spoke(msgspec.Struct, frozen=True):
    """What somebody said: how, about what, and what was on their screen."""

    how: How
    subject: str
    screen: Screen


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as a form sent it."""

    how: str
    about: str
    n: str
    head: str
    typed: dict[str, str]

    def screen(self) -> Screen:
        """Return the screen the form names, number 0 when it names none."""
        known = self.n.isascii() and self.n.isdecimal() and len(self.n) < 12
        return Screen(n=int(self.n) if known else 0, head=self.head)

    def points(self) -> tuple[int, int]:
        """Return likelihood and impact.

        Raises: Invalid.
        """
        given = [self.typed.get(name, "") for name in ("probability", "impact")]
        if not all(one.isascii() and one.isdecimal() and len(one) < 3 for one in given):
            raise Invalid(_("Choose a likelihood and an impact, then send again."), "points")
        return int(given[0]), int(given[1])


def sent(form: Mapping[str, Any]) -> Sent:
    """Return what a form sent; a file is nothing."""

    def one(name: str) -> str:
        value = form.get(name)
        return value if isinstance(value, str) else ""

    typed = {name: one(name) for name in FIELDS if one(name)}
    return Sent(how=one("how"), about=one("about"), n=one("n"), head=one("head"), typed=typed)


def asked(query: Mapping[str, str]) -> str | None:
    """Return what an address asks to answer, None when nothing; `view` is how older pages ask for a score."""
    if "about" in query:
        return query["about"]
    return f"risk-{query['view']}" if query.get("view") else None
