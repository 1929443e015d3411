"""Reads what a form of the client's page sent: what a viewer says, about what, and the screen they had before them."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from domain.agreement.answers import Screen
from domain.errors import Invalid
from domain.language import gettext as _

How = Literal["score", "comment", "concern", "acknowledge"]
FIELDS = ("text", "probability", "impact")


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """What a viewer wants to say. `subject`: "milestone-m1", "risk-r7", "agreement-3", or "" for the whole page."""

    how: How
    subject: str
    screen: Screen
    text: str = ""
    points: tuple[int, int] = (0, 0)  # likelihood, impact; of a score


class Spoke(msgspec.Struct, frozen=True):
    """What a viewer said: how, about what, what was on their screen, and the words."""

    how: How
    subject: str
    screen: Screen
    text: str = ""
    key: str = ""  # id of the comment or concern


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of an answer form as they were sent."""

    how: str
    about: str
    n: str
    head: str
    typed: dict[str, str]

    def screen(self) -> Screen:
        """Return the screen that the form names; its number is 0 where the form names none."""
        named = self.n.isascii() and self.n.isdecimal() and len(self.n) < 12
        return Screen(n=int(self.n) if named else 0, head=self.head)

    def points(self) -> tuple[int, int]:
        """Return likelihood and impact.

        Raises: Invalid.
        """
        digits = [self.typed.get(name, "") for name in ("probability", "impact")]
        if not all(text.isascii() and text.isdecimal() and len(text) < 3 for text in digits):
            raise Invalid(_("Choose a likelihood and an impact, then send again."), "points")
        return int(digits[0]), int(digits[1])


def sent(form: Mapping[str, Any]) -> Sent:
    """Return the fields of a form; a file counts as empty."""

    def text(name: str) -> str:
        value = form.get(name)
        return value if isinstance(value, str) else ""

    typed = {name: text(name) for name in FIELDS if text(name)}
    return Sent(how=text("how"), about=text("about"), n=text("n"), head=text("head"), typed=typed)


def asked(query: Mapping[str, str]) -> str | None:
    """Return the subject that an address asks to answer, None for none; `view` is how older pages ask for a score."""
    if "about" in query:
        return query["about"]
    return f"risk-{query['view']}" if query.get("view") else None
