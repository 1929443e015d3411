"""What was said on a share: by whom, bound to what, and how it stood at an instant."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.agreement import answers
from domain.agreement.answers import Acknowledge, AnswerConcern, Answers, MakeComment, RaiseConcern, Screen
from domain.errors import Conflict, Invalid

pytestmark = pytest.mark.once

START = datetime(2027, 3, 1, 9, tzinfo=UTC)
SCREEN = Screen(n=3, head="ab" * 32)
TALK: tuple[Any, ...] = (
    MakeComment(share="s", comment="c1", subject="milestone-m1", text="One", by="anna", side="theirs", screen=SCREEN),
    RaiseConcern(share="s", concern="k1", subject="", text="Two", by="anna", screen=SCREEN),
    Acknowledge(share="s", subject="risk-r1", by="anna", screen=SCREEN),
    AnswerConcern(share="s", concern="k1", text="Three", by="marta"),
    MakeComment(share="s", comment="c2", subject="risk-r1", text="Four", by="marta", side="ours"),
)


def talked(commands: tuple[Any, ...]) -> Answers:
    """Return what was said after these commands, an hour apart."""
    state = Answers()
    for i, command in enumerate(commands):
        for event in answers.decide(state, command):
            state = answers.evolve(state, event, START + timedelta(hours=i))
    return state


@pytest.mark.parametrize("spoken", range(len(TALK) + 1))
def test_how_it_stood_at_an_instant_is_what_had_been_said_by_then(spoken: int) -> None:
    assert talked(TALK).until(START + timedelta(hours=spoken, minutes=-1)) == talked(TALK[:spoken])


@pytest.mark.parametrize("screen", [Screen(), Screen(n=1), Screen(n=0, head="ab" * 32), Screen(n=1, head="AB" * 32)])
def test_what_a_client_says_names_its_screen_whole(screen: Screen) -> None:
    for command in (
        MakeComment(share="s", comment="c", subject="risk-r1", text="x", by="anna", side="theirs", screen=screen),
        RaiseConcern(share="s", concern="k", subject="", text="x", by="anna", screen=screen),
        Acknowledge(share="s", subject="risk-r1", by="anna", screen=screen),
    ):
        with pytest.raises(Invalid, match="bound to the update that was on screen"):
            answers.decide(Answers(), command)


@pytest.mark.parametrize("key", ["", "a b", "a.b", "x\ny", "\0", "x" * 65])
def test_the_first_comment_has_an_id_like_every_other(key: str) -> None:
    comment = MakeComment(share="s", comment=key, subject="risk-r1", text="x", by="marta", side="ours")
    for said in (Answers(), talked(TALK)):
        with pytest.raises(Invalid, match="cannot be an id"):
            answers.decide(said, comment)


def test_concerns_that_pile_up_unsettled_are_refused_until_one_is_settled() -> None:
    def concern(i: int) -> RaiseConcern:
        return RaiseConcern(share="s", concern=f"k{i}", subject="", text="x", by="anna", screen=SCREEN)

    full = talked(tuple(concern(i) for i in range(answers.OPEN)))
    with pytest.raises(Conflict, match="50 concerns of this share are open"):
        answers.decide(full, concern(99))
    settle = AnswerConcern(share="s", concern="k7", text="Done", by="marta")
    room = talked((*(concern(i) for i in range(answers.OPEN)), settle))
    assert len(answers.decide(room, concern(99))) == 1
