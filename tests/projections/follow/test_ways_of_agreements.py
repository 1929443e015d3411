"""How a version discloses: from now on, after review, until a day. What waits reaches no byte until it is let go."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.agreement.answers import Acknowledge, MakeComment, Screen
from domain.agreement.share import ActivateTerms, DraftShare, ExpireShare, HeldReleased, ReleaseDue, ReleaseHeld
from domain.agreement.terms import Release, Terms, Ways
from domain.errors import Conflict, Denied, Invalid
from domain.people.clients import EndClient
from projections.follow.next_entry import revealed
from tests.world import ACME, ADMIN, HARBOUR, MANAGER, SHARE, World, everything
from web.write.permission import SYSTEM, Actor

LATE = date(2027, 6, 20)  # 48 days after what was agreed


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.people()
    made.project()
    made.milestone("m1", date(2027, 5, 3), "Section A energised")
    made.milestone("m2", date(2027, 8, 2), "Trial running starts")
    made.risk("r1", "R-01")
    made.baseline()
    yield made
    made.close()


def agreed(world: World, ways: Ways, terms: Terms | None = None) -> None:
    world.tell(DraftShare(share=SHARE, project=HARBOUR, client=ACME, terms=terms or everything(), ways=ways))
    world.tell(ActivateTerms(share=SHARE, reason="Agreed"))


def test_a_held_slip_is_in_no_byte_until_it_is_released_and_then_one_update(world: World) -> None:
    agreed(world, Ways(release=Release(slip_days=5)))
    world.move("m1", LATE, "Kestrel strike")
    assert len(world.entries()) == 1
    held = world.present.world.held(SHARE).facts
    assert [(fact.subject, fact.why, fact.changed_by) for fact in held] == [("milestone-m1", "slip", MANAGER.person)]
    world.move("m2", date(2027, 8, 4), "Waits for the first")  # within the limit: goes out at once
    entries = world.entries()
    assert len(entries) == 2
    assert not any(b"Kestrel" in e.raw or LATE.isoformat().encode() in e.raw for e in entries)
    world.tell(ReleaseHeld(share=SHARE, by=MANAGER.person, note="Talks go on"))
    entries = world.entries()
    assert len(entries) == 3
    assert all(word in entries[2].raw for word in (b"Kestrel", LATE.isoformat().encode(), b"Talks go on"))
    released = world.present.world.shares[SHARE].released
    assert [(one.cause, one.by, one.held) for one in released] == [("released", MANAGER.person, held)]
    with pytest.raises(Conflict, match="None of this waits"):
        world.tell(ReleaseHeld(share=SHARE, by=MANAGER.person))


def test_what_waits_releases_itself_when_the_time_is_up(world: World) -> None:
    agreed(world, Ways(release=Release(hours=2, slip_days=5)))
    world.move("m1", LATE)
    world.clock.forward(minutes=100)
    assert world.tell(ReleaseDue(share=SHARE), SYSTEM).events == ()
    world.clock.forward(minutes=30)
    assert world.tell(ReleaseDue(share=SHARE), SYSTEM).events == ("held-released",)
    assert len(world.entries()) == 2
    (released,) = world.present.world.shares[SHARE].released
    assert isinstance(released, HeldReleased)
    assert (released.cause, released.held[0].until - released.held[0].since) == ("time_up", timedelta(hours=2))


def test_a_restart_holds_what_was_held(world: World) -> None:
    agreed(world, Ways(release=Release(slip_days=5)))
    world.move("m1", LATE)
    before = world.present.world.held(SHARE)
    world.restart()
    world.follow()
    assert world.present.refresh().held(SHARE) == before
    assert len(world.entries()) == 1


def test_from_now_on_tells_nothing_of_the_past_that_with_history_tells(world: World) -> None:
    world.clock.forward(days=2)
    world.move("m1", date(2027, 5, 13), "Kestrel strike")
    world.clock.forward(days=2)
    agreed(world, Ways(history=False))
    shown = revealed(world.present.world, SHARE, world.clock())
    assert shown is not None
    row = next(row for row in shown.milestones if row.id == "m1")
    assert (row.forecast, row.reason, len(row.trend)) == (date(2027, 5, 13), "", 1)
    world.clock.forward(days=2)
    world.move("m1", date(2027, 5, 17), "Late cable")
    later = revealed(world.present.world, SHARE, world.clock())
    assert later is not None
    row = next(row for row in later.milestones if row.id == "m1")
    assert (row.reason, [point.forecast.day for point in row.trend]) == ("Late cable", [13, 17])
    assert not any(b"Kestrel" in e.raw for e in world.entries())


def test_with_history_tells_the_past(world: World) -> None:
    world.clock.forward(days=2)
    world.move("m1", date(2027, 5, 13), "Kestrel strike")
    agreed(world, Ways(history=True))
    assert b"Kestrel" in world.entries()[0].raw


def test_an_agreement_ends_on_its_last_day_and_no_entry_follows(world: World) -> None:
    agreed(world, Ways(expires=world.clock() + timedelta(hours=3)))
    world.move("m1", date(2027, 5, 4))
    world.clock.forward(hours=4)
    world.move("m1", date(2027, 5, 5))  # the end is not on record yet, and nothing is disclosed all the same
    assert len(world.entries()) == 2
    assert world.tell(ExpireShare(share=SHARE), SYSTEM).events == ("share-revoked",)
    assert world.present.world.shares[SHARE].revoked_cause == "expired"
    world.move("m1", date(2027, 5, 6))
    assert len(world.entries()) == 2


def test_ending_a_client_ends_every_share_of_it_and_its_people(world: World) -> None:
    agreed(world, Ways())
    world.tell(EndClient(client=ACME, reason="Contract over"), ADMIN)
    share = world.present.world.shares[SHARE]
    assert (share.active, share.revoked_cause) == (False, "client_ended")
    world.move("m1", LATE)
    assert len(world.entries()) == 1


def test_an_answer_is_bound_to_what_was_on_screen(world: World) -> None:
    agreed(world, Ways())
    viewer = Actor(world.present.world.people["viewer-acme"].id, "viewer", (ACME,))  # type: ignore[index]
    head = "ab" * 32
    seen = Acknowledge(share=SHARE, subject="milestone-m1", by=viewer.person, screen=Screen(n=1, head=head))
    assert world.tell(seen, viewer).events == ("acknowledged",)
    assert world.tell(seen, viewer).events == ()
    with pytest.raises(Invalid, match="bound to the update"):
        world.tell(Acknowledge(share=SHARE, subject="milestone-m1", by=viewer.person, screen=Screen()), viewer)
    forged = MakeComment(share=SHARE, comment="c1", subject="milestone-m1", text="Hm", by=MANAGER.person, side="ours")
    with pytest.raises(Denied):
        world.tell(forged, viewer)
