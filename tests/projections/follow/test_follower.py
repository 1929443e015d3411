"""The follower: exactly once, in order, recorded before it is sent, and loud when a share cannot go on."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from domain.agreement.share import ActivateTerms, DraftTerms, RevokeShare
from domain.plan.project import ChangeTogether
from domain.plan.risks import TakeRiskNote
from domain.plan.schedule import ConfirmPlan, MoveForecast
from domain.view import ClientView
from projections.entries import frames
from projections.entries.entry import header, open_content
from projections.follow.next_entry import KEYFRAME_EVERY, restore
from projections.logs.disclosure_log import Moved, row
from projections.proof import tree
from tests.plain import Plain
from tests.world import HARBOUR, OTHER, SHARE, World, everything


def test_opening_a_share_is_entry_one_with_every_part(world: World) -> None:
    world.harbour()
    first = world.entries()[0]
    assert first.n == 1
    assert {part.id for part in first.content.parts} >= {"summary", "body", "ms-m1", "ms-m2", "r-r1"}
    assert first.content.terms_version == 1


def test_a_slip_is_one_entry_that_carries_only_what_changed(world: World) -> None:
    world.harbour()
    before = len(world.entries())
    world.move("m1", date(2027, 5, 10))
    entry = world.entries()[-1]
    assert entry.n == before + 1
    assert "ms-m1" in {part.id for part in entry.content.parts}
    assert "ms-m2" not in {part.id for part in entry.content.parts}
    assert b"ms-m2" not in entry.message


def test_what_is_not_shared_takes_no_number(world: World) -> None:
    world.harbour()
    before = len(world.entries())
    world.move("hidden", date(2027, 9, 2))
    world.tell(TakeRiskNote(project=HARBOUR, risk="r1", note="internal"))
    assert len(world.entries()) == before


def test_changes_made_together_are_one_update(world: World) -> None:
    world.harbour()
    before = len(world.entries())
    moves = tuple(
        MoveForecast(project=HARBOUR, milestone=m, forecast=date(2027, 10, d), reason="Frost")
        for m, d in (("m1", 1), ("m2", 2))
    )
    world.tell(ChangeTogether(project=HARBOUR, commands=moves))
    assert len(world.entries()) == before + 1
    assert {"ms-m1", "ms-m2"} <= {part.id for part in world.entries()[-1].content.parts}


def test_what_is_sent_is_what_was_recorded(world: World) -> None:
    world.harbour()
    world.move("m1", date(2027, 5, 10))
    assert [(n, message) for share, n, message in world.sent if share == SHARE] == [
        (e.n, e.message) for e in world.entries()
    ]


def test_numbers_have_no_gaps_and_times_never_go_back_even_when_the_clock_does(world: World) -> None:
    world.harbour()
    for day in range(1, 20):
        world.move("m1", date(2027, 6, day))
        world.clock.at -= timedelta(minutes=7)
    entries = world.entries()
    assert [e.n for e in entries] == list(range(1, len(entries) + 1))
    assert all(a.content.at <= b.content.at for a, b in pairwise(entries))


def test_every_leaf_and_head_can_be_computed_again_from_the_entry(world: World) -> None:
    world.harbour()
    world.move("m1", date(2027, 5, 10))
    frontier: tuple[bytes, ...] = ()
    for entry in world.entries():
        leaf = tree.leaf_hash(header(entry.content), tree.commit(entry.salt, entry.raw))
        frontier = tree.append(frontier, entry.n - 1, leaf)
        assert (leaf, tree.root_of(frontier).hex()) == (entry.leaf, entry.root)
        assert open_content(entry.raw) == entry.content


def test_a_follower_that_is_behind_batches_and_ends_where_one_that_kept_up_does(tmp_path: Path) -> None:
    kept_up, behind = World(tmp_path / "a"), World(tmp_path / "b")
    for world, follow in ((kept_up, True), (behind, False)):
        world.harbour()
        for day in range(1, 25):
            world.tell(
                MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, day), reason="Frost"),
                follow=follow,
            )
        world.follow(limit=7)
    assert [e.content.parts for e in kept_up.entries()] == [e.content.parts for e in behind.entries()]
    assert len(kept_up.entries()) == len(behind.entries()) > 20
    kept_up.close()
    behind.close()


def test_a_restart_goes_on_with_the_next_number_and_repeats_nothing(world: World) -> None:
    world.harbour()
    world.move("m1", date(2027, 5, 10))
    before = [e.raw for e in world.entries()]
    world.restart()
    world.follow()
    assert [e.raw for e in world.entries()] == before
    assert world.sent == []
    world.move("m1", date(2027, 5, 11))
    assert len(world.entries()) == len(before) + 1


@pytest.mark.parametrize("count", [KEYFRAME_EVERY - 2, KEYFRAME_EVERY * 2 + 3])
def test_what_is_restored_from_keyframes_is_what_a_fresh_render_gives(world: World, count: int) -> None:
    world.harbour()
    for i in range(count):
        world.move("m1", date(2027, 6, 1) + timedelta(days=i % 50))
    shown = restore(world.folder.disclosure, SHARE)
    assert shown.view is not None
    assert shown.rendered is not None
    fresh = world.renderer.render(shown.view)
    assert shown.rendered.parts == fresh.parts
    key = world.folder.disclosure.keyframe(SHARE, shown.n)
    assert key is not None
    assert shown.n - key.n < KEYFRAME_EVERY


def test_a_second_follower_is_fenced_out(world: World) -> None:
    world.harbour()
    old = world.follower
    stale_log = world.folder.disclosure
    world.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, 1), reason="Frost"), follow=False)
    position = stale_log.position()
    old.step()
    with pytest.raises(Moved):
        stale_log.record([], [], [], position)


def test_amending_the_agreement_is_an_entry_of_the_new_version_and_removes_what_is_no_longer_shared(
    world: World,
) -> None:
    world.harbour()
    world.tell(DraftTerms(share=SHARE, terms=everything(milestones=("m1",))))
    world.tell(ActivateTerms(share=SHARE, reason="Less"))
    last = world.entries()[-1]
    assert last.content.terms_version == 2
    assert last.content.removed == ("ms-m2",)
    assert [row.id for row in world.view().milestones] == ["m1"]
    assert not any("m2" in section for section in last.content.sections.values())


def test_a_revoked_share_gets_no_further_entry(world: World) -> None:
    world.harbour()
    world.tell(RevokeShare(share=SHARE, reason="Contract ended"))
    before = len(world.entries())
    world.move("m1", date(2027, 7, 1))
    assert len(world.entries()) == before


def test_a_confirmed_plan_is_told_to_those_who_share_it(world: World) -> None:
    world.harbour()
    before = len(world.entries())
    world.tell(ConfirmPlan(project=HARBOUR))
    assert len(world.entries()) == before + 1


class Poisoned:
    """A template that breaks on one date until it is mended."""

    def __init__(self) -> None:
        self.broken = True

    def __call__(self, view: ClientView) -> None:
        if self.broken and view.client == "Acme Rail" and any(m.forecast == date(2027, 6, 6) for m in view.milestones):
            message = "template broke"
            raise ValueError(message)


def _two_shares(path: Path, poison: Poisoned) -> World:
    world = World(path, renderer=Plain(poison))
    world.harbour()
    world.share(everything(), OTHER, HARBOUR, "council")
    return world


def test_a_failing_template_stops_that_share_and_no_other(tmp_path: Path) -> None:
    world = _two_shares(tmp_path, Poisoned())
    stopped, going = len(world.entries(SHARE)), len(world.entries(OTHER))
    for day in (5, 6, 7):
        world.move("m1", date(2027, 6, day))
    assert len(world.entries(SHARE)) == stopped + 1
    assert len(world.entries(OTHER)) == going + 3
    assert "template broke" in world.follower.parked[SHARE].error
    world.close()


def test_a_mended_share_shows_what_it_would_have_shown_had_it_never_failed(tmp_path: Path) -> None:
    poison, sound = Poisoned(), Poisoned()
    sound.broken = False
    failed, never = _two_shares(tmp_path / "a", poison), _two_shares(tmp_path / "b", sound)
    for world in (failed, never):
        for day in (5, 6, 7, 8):
            world.move("m1", date(2027, 6, day))
    failed.restart()
    assert not failed.follower.retry(SHARE)
    poison.broken = False
    assert failed.follower.retry(SHARE)
    assert [e.content.parts for e in failed.entries(SHARE)] == [e.content.parts for e in never.entries(SHARE)]
    assert failed.follower.parked == {}
    failed.restart()
    assert failed.follower.parked == {}
    failed.move("m1", date(2027, 6, 9))
    assert failed.entries(SHARE)[-1].n == len(never.entries(SHARE)) + 1
    failed.close()
    never.close()


def test_an_unreadable_event_stops_the_shares_of_its_project_and_says_so(world: World) -> None:
    world.harbour()
    before = len(world.entries())
    recorder = world.folder.events._recorder
    version = world.present.world.versions[f"project-{HARBOUR}"]
    recorder.insert_events([row(f"project-{HARBOUR}", version + 1, "moon-landed", b'{"type":"moon-landed"}')])
    recorder.insert_events([row("command-x", 1, "command-carried-out", b"not json")])
    world.follow()
    assert SHARE in world.follower.parked
    assert len(world.entries()) == before


def test_half_a_command_is_never_taken_in(world: World) -> None:
    """A reader that stops between the events of one command shows nothing of it until its closing event is there."""
    world.harbour()
    before = len(world.entries())
    moves = tuple(
        MoveForecast(project=HARBOUR, milestone=m, forecast=date(2027, 10, 5), reason="Frost") for m in ("m1", "m2")
    )
    world.tell(ChangeTogether(project=HARBOUR, commands=moves), follow=False)
    world.follower.step(limit=1)
    assert len(world.entries()) == before
    world.follow(limit=1)
    assert len(world.entries()) == before + 1


def test_the_parts_after_each_entry_fold_to_what_was_rendered(world: World) -> None:
    world.harbour()
    for day in range(1, 9):
        world.move("m2", date(2027, 9, day))
    state = frames.State()
    for entry in world.entries():
        state = frames.fold(state, open_content(entry.raw).carries)
    shown = restore(world.folder.disclosure, SHARE)
    assert shown.rendered is not None
    assert state.parts == shown.rendered.parts
    assert (state.sections, state.names) == (shown.sections, shown.names)
