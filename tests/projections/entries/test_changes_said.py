"""What was said is told in words of its own, once, and never as details that were updated."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from domain.agreement.answers import Acknowledge, AnswerConcern, MakeComment, RaiseConcern, Screen
from domain.agreement.share import ActivateTerms, DraftShare, ReleaseHeld
from domain.agreement.terms import Release, Ways
from domain.plan.risks import Points, ScoreAsClient
from projections.entries.changes_said import quoted
from projections.entries.entry import Change
from tests.world import ACME, ALL_MILESTONES, ALL_RISKS, HARBOUR, MANAGER, SHARE, World, everything
from web.render.page import Renderer
from web.write.permission import Actor

VERA = "viewer-acme"
THEIRS = Actor(VERA, "viewer", (ACME,))
TALKING = everything(milestone_fields=(*ALL_MILESTONES, "comments"), risk_fields=(*ALL_RISKS, "comments"))
SCREEN = Screen(n=1, head="ab" * 32)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, Renderer())
    made.harbour(TALKING)
    yield made
    made.close()


def last(world: World) -> list[tuple[str, str, str, str, str, str]]:
    """Return the changes of the newest entry, without what stays empty."""
    return [_told(change) for change in world.entries()[-1].content.changes]


def _told(c: Change) -> tuple[str, str, str, str, str, str]:
    assert c.before == ""
    return c.kind, c.title, c.after, c.note, c.why, c.say


def test_a_comment_of_either_side_is_told_with_who_made_it_and_what_it_says(world: World) -> None:
    comment = MakeComment(
        share=SHARE,
        comment="c1",
        subject="milestone-m1",
        text="Is the\ncrew there?",
        by=VERA,
        side="theirs",
        screen=SCREEN,
    )
    world.tell(comment, THEIRS)
    assert last(world) == [
        (
            "milestone.commented", "Section A energised", "Comment", "Vera", "Is the crew there?",
            "Vera commented on Section A energised",
        )
    ]  # fmt: skip
    ours = MakeComment(share=SHARE, comment="c2", subject="risk-r1", text="It is.", by=MANAGER.person, side="ours")
    world.tell(ours)
    assert last(world) == [
        ("risk.commented", "R-01 Risk r1", "Comment", "marta", "It is.", "marta commented on R-01 Risk r1")
    ]


def test_a_concern_and_its_answers_are_told(world: World) -> None:
    concern = RaiseConcern(share=SHARE, concern="k1", subject="risk-r1", text="Too low.", by=VERA, screen=SCREEN)
    world.tell(concern, THEIRS)
    about = "Concern about R-01 Risk r1"
    assert last(world) == [
        ("concern.raised", about, "Raised", "Vera", "Too low.", "Vera raised a concern about R-01 Risk r1")
    ]
    world.tell(AnswerConcern(share=SHARE, concern="k1", text="We look.", by=MANAGER.person, settled=False))
    assert last(world) == [
        ("concern.answered", about, "Answered", "marta", "We look.", f"{about} was answered by marta")
    ]
    world.tell(AnswerConcern(share=SHARE, concern="k1", text="Raised it.", by=MANAGER.person))
    said = f"{about} was answered by marta and is settled"
    assert last(world) == [("concern.answered", about, "Settled", "marta", "Raised it.", said)]
    world.tell(RaiseConcern(share=SHARE, concern="k2", subject="", text="All of it.", by=VERA, screen=SCREEN), THEIRS)
    assert last(world) == [("concern.raised", "Concern", "Raised", "Vera", "All of it.", "Vera raised a concern")]


@pytest.mark.parametrize(
    ("subject", "kind", "title"),
    [
        ("milestone-m1", "milestone.acknowledged", "Section A energised"),
        ("risk-r1", "risk.acknowledged", "R-01 Risk r1"),
        ("agreement-1", "agreement.acknowledged", "Share agreement 1"),
    ],
)
def test_an_acknowledgement_is_told(world: World, subject: str, kind: str, title: str) -> None:
    world.tell(Acknowledge(share=SHARE, subject=subject, by=VERA, screen=SCREEN), THEIRS)
    assert last(world) == [(kind, title, "Acknowledged", "Vera", "", f"{title} was acknowledged by Vera")]
    assert world.entries()[-1].message.decode().count(f"{title} was acknowledged by Vera") == 1  # the spoken sentence
    assert ">Acknowledged<" in world.entries()[-1].content.items


def test_a_move_of_what_was_acknowledged_is_told_as_a_move_alone(world: World) -> None:
    world.tell(Acknowledge(share=SHARE, subject="milestone-m1", by=VERA, screen=SCREEN), THEIRS)
    world.move("m1", date(2027, 5, 20))
    kinds = [change.kind for change in world.entries()[-1].content.changes]
    assert kinds[0] == "milestone.forecast"
    assert not [kind for kind in kinds if "acknowledged" in kind or kind == "share.updated"]


def test_a_revised_score_of_the_client_is_told_with_the_one_before(world: World) -> None:
    for points in ((4, 4), (2, 4)):
        world.tell(_score(*points), THEIRS)
    (change,) = world.entries()[-1].content.changes
    assert (change.kind, change.before, change.after, change.note) == (
        "risk.client-score",
        "16",
        "8",
        "Your view, Vera",
    )


def _score(probability: int, impact: int) -> ScoreAsClient:
    return ScoreAsClient(project=HARBOUR, risk="r1", client=ACME, points=Points(probability, impact), by=VERA)


def test_what_is_noted_with_a_release_stands_under_the_change(world: World) -> None:
    world.tell(
        DraftShare(
            share="share9", project=HARBOUR, client=ACME, terms=everything(), ways=Ways(release=Release(slip_days=5))
        )
    )
    world.tell(ActivateTerms(share="share9", reason="Agreed"))
    world.move("m1", date(2027, 6, 20))
    assert len(world.entries("share9")) == 1
    world.tell(ReleaseHeld(share="share9", by=MANAGER.person, note="Talks with the supplier go on."))
    newest = world.entries("share9")[-1].content
    kinds = [change.kind for change in newest.changes]
    assert "milestone.forecast" in kinds
    assert "milestone.commented" in kinds
    page = world.heads.page("share9")
    assert page is not None
    assert 'id="md-m1"' in page.roots["body"]
    assert "Talks with the supplier go on." in page.roots["body"]


@pytest.mark.once
def test_a_long_text_is_quoted_by_its_beginning_cut_between_words() -> None:
    assert quoted("short") == "short"
    assert quoted("a b\n\n c") == "a b c"
    long = quoted("word " * 100)
    assert long.endswith("word …")
    assert len(long) <= 242
