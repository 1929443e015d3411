"""Nothing is recorded under what was agreed before, or after an end: not late, not in a batch, not when mended."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.agreement.answers import Acknowledge, MakeComment, RaiseConcern, Screen
from domain.agreement.share import ActivateTerms, DraftShare, DraftTerms, RevokeShare
from domain.agreement.terms import Ways
from domain.commands import AnyCommand
from domain.errors import Conflict, Invalid
from domain.ids import CommandId, MilestoneId, PersonId
from domain.people.clients import EndClient
from domain.people.person import InvitePerson
from domain.people.sign_ins import IssueLink
from domain.plan.schedule import MoveForecast
from projections.follow import shadow
from tests.plain import Plain
from tests.projections.follow.test_follower import Poisoned, _two_shares
from tests.world import ACME, ADMIN, HARBOUR, MANAGER, OTHER, SHARE, World, everything

NARROWER = everything(milestones=("m2",))
VERA = PersonId("viewer-acme")
SCREEN = Screen(n=1, head="ab" * 32)
REVOKE = RevokeShare(share=SHARE, reason="Contract ended")
DRAFT, ACTIVATE = DraftTerms(share=SHARE, terms=NARROWER), ActivateTerms(share=SHARE, reason="Less")


def moved(day: int) -> MoveForecast:
    return MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2027, 6, day), reason="Frost")


def ended(world: World) -> list[tuple[int, int]]:
    """Number and version of every entry."""
    return [(entry.n, entry.content.terms_version) for entry in world.entries()]


@pytest.mark.parametrize(("commands", "expected"), [([REVOKE], [1]), ([DRAFT, ACTIVATE], [1, 2])])
@pytest.mark.parametrize("limit", [2, 3, 500])
def test_a_follower_that_is_far_behind_discloses_nothing_that_the_end_overtook(
    world: World, commands: list[AnyCommand], expected: list[int], limit: int
) -> None:
    world.harbour()
    for command in (moved(1), moved(2), moved(3), *commands, moved(4)):
        world.tell(command, follow=False)
    world.follow(limit=limit)
    assert [version for _, version in ended(world)] == expected


@pytest.mark.parametrize(("commands", "expected"), [([REVOKE], [1]), ([DRAFT, ACTIVATE], [1, 2])])
def test_what_ends_between_the_making_and_the_recording_of_an_update_wins(
    tmp_path: Path, commands: list[AnyCommand], expected: list[int]
) -> None:
    due: list[AnyCommand] = []

    def point(name: str) -> None:
        if name == "before-disclosure-commit":
            while due:
                world.service.execute(MANAGER, due.pop(0), command_id=CommandId(f"late-{len(due)}"))

    world = World(tmp_path, crash_point=point)
    world.harbour()
    world.tell(moved(1), follow=False)
    due.extend(commands)
    world.follow()
    assert due == []
    assert [version for _, version in ended(world)] == expected
    assert world.sent[-1][1] == expected[-1]
    world.close()


@pytest.mark.parametrize(("commands", "expected"), [([REVOKE], [1, 1]), ([DRAFT, ACTIVATE], [1, 1, 2])])
def test_a_share_that_was_stopped_when_it_ended_does_not_catch_up_once_it_is_mended(
    tmp_path: Path, commands: list[AnyCommand], expected: list[int]
) -> None:
    poison = Poisoned()
    world = _two_shares(tmp_path, poison)
    for command in (moved(5), moved(6), moved(7), *commands):
        world.tell(command)
    assert SHARE in world.follower.parked
    poison.broken = False
    assert world.follower.retry(SHARE)
    assert [version for _, version in ended(world)] == expected
    assert len(world.entries(OTHER)) == 4
    world.close()


def test_an_update_is_never_dated_before_what_it_tells_whichever_clock_is_behind(tmp_path: Path) -> None:
    """Two machines: the one that follows is ten minutes behind the one that records."""
    world = World(tmp_path, renderer=Plain())
    world.harbour()
    last_day = world.clock() + timedelta(minutes=20)
    draft = DraftShare(share=OTHER, project=HARBOUR, client=ACME, terms=everything(), ways=Ways(expires=last_day))
    world.tell(draft)
    world.tell(ActivateTerms(share=OTHER, reason="Agreed"))
    clock = world.clock
    world.follower._clock = lambda: clock() - timedelta(minutes=10)
    world.tell(moved(1))
    assert world.entries()[-1].content.at == clock()
    clock.at = last_day
    world.tell(moved(2))
    assert len(world.entries()) == 3
    assert len(world.entries(OTHER)) == 2  # over by the time of the event, though not by the follower's
    found = shadow.compared(world.folder.events, world.folder.disclosure, OTHER, world.renderer)
    assert [one.state for one in found] == ["same", "same"]
    world.close()


@pytest.mark.parametrize("what", ["share", "person"])
def test_a_client_that_is_ended_at_the_very_moment_gets_no_new_share_and_nobody_in(tmp_path: Path, what: str) -> None:
    """Their streams are not the client's, so nothing but the record's order says which came first."""
    due: list[AnyCommand] = []

    def point(name: str) -> None:
        if name == "before-event-commit" and due:
            world.service.execute(ADMIN, due.pop(), command_id=CommandId("end"))

    world = World(tmp_path, crash_point=point)
    world.harbour()
    due.append(EndClient(client=ACME, reason="Over"))
    if what == "share":
        world.tell(DraftShare(share=OTHER, project=HARBOUR, client=ACME, terms=everything()))
        with pytest.raises(Conflict, match="has ended"):
            world.tell(ActivateTerms(share=OTHER, reason="Agreed"))
    else:
        world.tell(
            InvitePerson(person=PersonId("late"), name="Lou", email="l@acme.test", role="viewer", client=ACME), ADMIN
        )
        with pytest.raises(Conflict, match="viewer of no client any more"):
            world.tell(IssueLink(person=PersonId("late"), hash="h", expires=world.clock() + timedelta(days=1)), ADMIN)
    assert due == []
    before = world.present.world.shares
    world.restart()
    assert world.present.world.shares == before
    world.close()


def test_a_share_whose_time_is_over_takes_no_answer_and_no_new_terms(world: World) -> None:
    world.harbour()
    ways = Ways(expires=world.clock() + timedelta(minutes=10))
    world.tell(DraftTerms(share=SHARE, terms=everything(), ways=ways))
    world.tell(ActivateTerms(share=SHARE, reason="Until then"))
    seen = RaiseConcern(share=SHARE, concern="c1", subject="", text="Hm", by=VERA, screen=SCREEN)
    assert world.tell(seen, ADMIN).events == ("concern-raised",)
    world.tell(DRAFT)
    world.clock.forward(minutes=10)
    for command in (RaiseConcern(share=SHARE, concern="c2", subject="", text="Hm", by=VERA, screen=SCREEN), ACTIVATE):
        with pytest.raises(Conflict, match="time of this share is over"):
            world.tell(command, ADMIN)


def test_nobody_takes_note_of_an_agreement_that_is_not_there_yet(world: World) -> None:
    world.harbour()
    for subject in ("agreement-2", "agreement-01", "agreement-0", "agreement-x"):
        with pytest.raises(Invalid, match="no agreement"):
            world.tell(Acknowledge(share=SHARE, subject=subject, by=VERA, screen=SCREEN), ADMIN)
    taken = Acknowledge(share=SHARE, subject="agreement-1", by=VERA, screen=SCREEN)
    assert world.tell(taken, ADMIN).events == ("acknowledged",)


def test_how_much_one_side_wrote_does_not_bound_the_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.agreement.answers.MOST", 2)
    world.harbour()

    def comment(key: str, side: str) -> MakeComment:
        by = VERA if side == "theirs" else MANAGER.person
        return MakeComment(
            share=SHARE,
            comment=key,
            subject="milestone-m1",
            text="Hm",
            by=by,
            side=side,
            screen=SCREEN,  # type: ignore[arg-type]
        )

    for key in ("a", "b"):
        world.tell(comment(key, "ours"), ADMIN)
    world.tell(comment("c", "theirs"), ADMIN)
    world.tell(comment("d", "theirs"), ADMIN)
    with pytest.raises(Conflict, match="You made 2 comments"):
        world.tell(comment("e", "theirs"), ADMIN)
