"""Comments, concerns and answers of the demo's last weeks, between Acme Rail and the manager."""

from collections.abc import Callable

import msgspec

from domain.agreement.answers import Acknowledge, AnswerCommand, AnswerConcern, MakeComment, RaiseConcern, Screen
from domain.ids import PersonId, ShareId
from web.demo import cast as plan

ANNA, MARTA = PersonId("anna"), PersonId("marta")


class DemoAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Something said on a day of the year; `says` makes the command from the share and the screen of the client."""

    day: int
    by: PersonId
    says: Callable[[ShareId, Screen], AnswerCommand]


def _comment(subject: str, by: PersonId, key: str, text: str) -> Callable[[ShareId, Screen], AnswerCommand]:
    theirs = by == ANNA

    def made(share: ShareId, screen: Screen) -> AnswerCommand:
        return MakeComment(
            share=share, comment=key, subject=subject, text=text, by=by, side="theirs" if theirs else "ours",
            screen=screen if theirs else Screen(),
        )  # fmt: skip

    return made


def _concern(subject: str, key: str, text: str) -> Callable[[ShareId, Screen], AnswerCommand]:
    return lambda share, screen: RaiseConcern(
        share=share, concern=key, subject=subject, text=text, by=ANNA, screen=screen
    )


def _answer(key: str, text: str) -> Callable[[ShareId, Screen], AnswerCommand]:
    return lambda share, _screen: AnswerConcern(share=share, concern=key, text=text, by=MARTA)


def _taken_note_of(subject: str) -> Callable[[ShareId, Screen], AnswerCommand]:
    return lambda share, screen: Acknowledge(share=share, subject=subject, by=ANNA, screen=screen)


LINES = (
    DemoAnswer(day=343, by=ANNA, says=_taken_note_of("milestone-signa4d7")),
    DemoAnswer(day=345, by=ANNA, says=_concern(
        "risk-spare2f7", "k8s5f3g6h2j9", "Thirty-eight weeks is beyond trial running. What happens if a bushing fails?",
    )),
    DemoAnswer(day=346, by=MARTA, says=_answer(
        "k8s5f3g6h2j9", "A loan set stands at the substation from the first day of trial running.",
    )),
    DemoAnswer(day=349, by=ANNA, says=_comment(
        "milestone-depot5h8", ANNA, "c7v2m8s3t6y1", "Our depot crew is booked for this weekend and the one after.",
    )),
    DemoAnswer(day=350, by=MARTA, says=_comment(
        "milestone-depot5h8", MARTA, "c1p6r9b4z8u3", "Thank you. We hold both until the weather forecast is in.",
    )),
    DemoAnswer(day=351, by=ANNA, says=_taken_note_of("risk-groun6c9")),
    DemoAnswer(day=352, by=ANNA, says=_concern(
        "milestone-hando3b4", "k4n9d2w7q1x5",
        "Every later date eats into our driver training. Which week is the last one you would stand by?",
    )),
)  # fmt: skip
DAYS = frozenset(line.day for line in LINES)


def said_on(day: int, screen: Screen) -> list[tuple[PersonId, AnswerCommand]]:
    """Return who says what on a day of the year, with `screen` on Acme Rail's page."""
    return [(line.by, line.says(plan.LINE, screen)) for line in LINES if line.day == day]
