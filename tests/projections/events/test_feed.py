"""One fold for doors and follower: the follower sees the world as it was after each command, however late it comes."""

import threading
import time
from datetime import date
from pathlib import Path

import pytest

from domain.agreement.share import ActivateTerms, DraftTerms
from domain.commands import AnyCommand
from domain.events import Recorded
from domain.ids import CommandId, MilestoneId
from domain.plan.schedule import MoveForecast
from projections.events import feed as module
from projections.events.present import CurrentWorld
from projections.events.world import World as State
from projections.follow.follower import Follower, FollowerPorts
from tests.world import HARBOUR, MANAGER, SHARE, World, everything, salt

pytestmark = pytest.mark.folder


class House:
    """A process with one fold: its doors, and its follower."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.world.harbour()
        self.open()

    def open(self) -> None:
        """Begin as a fresh process does."""
        logs = self.world.folder
        self.present = CurrentWorld(logs.events, follow=logs.disclosure.position())
        assert self.present.feed is not None
        self.feed = self.present.feed
        ports = FollowerPorts(clock=self.world.clock, salt=salt, feed=self.feed)
        self.follower = Follower(logs.events, logs.disclosure, self.world.renderer, ports)

    def tell(self, command: AnyCommand) -> None:
        """Record a command and let the doors see it, but not the follower."""
        self.world.clock.forward(minutes=1)
        key = CommandId(f"k{self.world.folder.events.head()}")
        self.world.service.execute(MANAGER, command, command_id=key)
        self.present.refresh()

    def move(self, day: int, milestone: str = "m1") -> None:
        self.tell(
            MoveForecast(
                project=HARBOUR, milestone=MilestoneId(milestone), forecast=date(2027, 6, day), reason=f"Frost {day}"
            )
        )

    def follow(self, limit: int = 500) -> None:
        while self.follower.step(limit):
            pass

    def shown(self) -> list[int]:
        """Return the day that each update shows for the first milestone."""
        views = [self.world.view(entry.n) for entry in self.world.entries()]
        rows = [next(row for row in view.milestones if row.id == "m1") for view in views]
        return [row.forecast.day for row in rows if row.forecast is not None]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_two_commands_before_its_turn_are_two_updates(house: House) -> None:
    before = len(house.shown())
    house.move(5)
    house.move(6)
    assert house.present.world.projects[HARBOUR].schedule.milestones[MilestoneId("m1")].forecast.day == 6
    house.follow()
    assert house.shown()[before:] == [5, 6]


def test_no_event_is_folded_twice(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    folded: list[int] = []
    apply = State.apply

    def counted(self: State, recorded: Recorded) -> None:
        folded.append(recorded.position)
        apply(self, recorded)

    monkeypatch.setattr(State, "apply", counted)
    house.open()
    for day in range(1, 9):
        house.move(day)
    house.follow()
    assert folded.count(1) == 1
    # the service of this test has a world of its own, which folds what it records as well
    assert max(folded.count(position) for position in folded) == 2
    assert house.follower._world.projects[HARBOUR] is house.present.world.projects[HARBOUR]


def test_a_follower_that_falls_far_behind_reads_for_itself_and_is_one_with_the_doors_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 6)
    before = len(house.shown())
    for day in range(1, 13):
        house.move(day)
    assert not house.feed.follows, "it is far behind, so this could fail"
    assert len(house.feed._waiting) == 0
    house.follow(limit=3)
    assert house.shown()[before:] == list(range(1, 13))
    assert house.feed.follows
    house.move(20)
    house.follow()
    assert house.shown()[-1] == 20
    assert house.follower._world.projects[HARBOUR] is house.present.world.projects[HARBOUR]


def test_half_a_command_is_not_handed_out_while_it_reads_for_itself(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 1)
    house.move(9)
    house.tell(DraftTerms(share=SHARE, terms=everything(milestones=("m1",))))
    assert not house.feed.follows
    while not house.feed.follows:
        steps, _read = house.feed.take(1)
        for step in steps:
            assert step.events[-1].stream.startswith("done-")
            assert step.after.position == step.events[-1].position


def test_what_was_not_recorded_is_handed_out_again(house: House) -> None:
    before = len(house.shown())
    house.move(5)
    house.move(6)
    steps, _read = house.feed.take()
    assert len(steps) == 2
    house.follower._unsure = True  # what it took in was not recorded, as when another follower writes first
    house.follower._guarded(house.follower._turn)
    house.follow()
    assert house.shown()[before:] == [5, 6]


def test_a_world_as_it_was_recorded_is_the_fold_of_the_events_up_to_there(house: House) -> None:
    for day in range(1, 6):
        house.move(day)
    house.follow()
    house.move(8)
    recorded = house.follower.recorded
    assert recorded.position == house.world.folder.disclosure.position() < house.world.folder.events.head()
    folded = State()
    for one in house.world.folder.events.everything(recorded.position):
        folded.apply(one)  # type: ignore[arg-type]
    assert recorded.world.projects == folded.projects
    assert recorded.world.versions == folded.versions


def test_a_second_follower_of_the_same_log_goes_on_from_what_the_first_recorded(house: House) -> None:
    other = House.__new__(House)
    other.world = house.world
    other.open()
    before = len(house.shown())
    house.move(5)
    house.follow()
    house.move(6)
    other.follow()
    assert house.shown()[before:] == [5, 6]
    house.follower.stand_by()
    house.move(7)
    house.follow()
    assert house.shown()[before:] == [5, 6, 7]


def test_terms_that_come_into_force_meanwhile_are_seen_in_what_waits(house: House) -> None:
    before = len(house.world.entries())
    house.move(5)
    house.tell(DraftTerms(share=SHARE, terms=everything(milestones=("m2",))))
    house.tell(ActivateTerms(share=SHARE, reason="Less"))
    house.follow()
    shown = [house.world.view(entry.n) for entry in house.world.entries()[before:]]
    assert [[row.id for row in view.milestones] for view in shown] == [["m2"]], "the move before it was never shown"


def reads(house: House, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note from now on every read of the event log by the shared fold, by the position it begins at."""
    begun: list[int] = []
    after = house.present._events.after

    def counted(position: int, limit: int = 500) -> list[object]:
        begun.append(position)
        return list(after(position, limit))

    monkeypatch.setattr(house.present._events, "after", counted)
    return begun


def test_what_somebody_else_reads_meanwhile_is_not_read_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = reads(house, monkeypatch)
    house.follow()
    assert begun, "it reads where nothing waits, so this could fail"
    house.world.clock.forward(minutes=1)
    command = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2027, 6, 9), reason="Frost")
    house.world.service.execute(MANAGER, command, command_id=CommandId("k"))
    begun.clear()
    found: list[int] = []
    with house.present._lock:  # the doors read at this moment
        asking = threading.Thread(target=lambda: found.append(len(house.feed.take()[0])))
        asking.start()
        house.present._read(None)
    asking.join(10)
    assert found == [1]
    assert len(begun) == 1


def test_a_read_that_began_before_somebody_asked_is_none_for_them(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = reads(house, monkeypatch)
    asked = time.monotonic()
    house.present.refresh_since(asked)
    assert len(begun) == 1
    house.present.refresh_since(asked)  # that read began later: who asked before it knows all
    assert len(begun) == 1
    house.present.refresh_since(time.monotonic())
    assert len(begun) == 2


def test_what_is_read_together_with_events_is_handed_back_once_they_are_taken_in_however_many_there_are(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.events.present.BATCH", 3)
    events = house.world.folder.events
    after = events.after
    monkeypatch.setattr(events, "after", lambda position, limit=3: after(position, min(limit, 3)))
    told: list[int] = []
    house.present.listen(lambda new: told.extend(one.position for one in new))
    for day in range(1, 9):
        command = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2027, 6, day), reason="x")
        house.world.clock.forward(minutes=1)
        house.world.service.execute(MANAGER, command, command_id=CommandId(f"k{day}"))
    head = events.head()
    assert house.present.refresh_by(lambda position: (list(told), events.after(position))) == [], "read before"
    assert told[-1] == head
    assert house.present.world.projects[HARBOUR].schedule.milestones[MilestoneId("m1")].forecast == date(2027, 6, 8)


def test_nothing_is_read_where_all_that_is_asked_for_is_taken_in(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = reads(house, monkeypatch)
    head = house.world.folder.events.head()
    house.present.refresh_to(head)
    assert begun == []
    house.present.refresh_to(head + 1)
    house.present.refresh_to(None)
    assert len(begun) == 2


def test_everybody_who_listens_is_told_though_one_of_them_fails(house: House) -> None:
    told: list[str] = []

    def fails(_new: object) -> None:
        raise OSError("the disk is gone")

    house.present.listen(lambda _new: told.append("one who comes before"))
    house.present.listen(fails)
    house.present.listen(lambda _new: told.append("whoever closes what a right ended for"))
    with pytest.raises(OSError, match="the disk is gone"):
        house.move(5)
    assert told == ["one who comes before", "whoever closes what a right ended for"]


def test_whoever_finds_what_closed_a_command_has_read_what_it_recorded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    events, key = house.world.folder.events, CommandId("at-this-moment")
    after, position = events.after, events.head()
    move = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2027, 6, 9), reason="Frost")

    def just_too_early(position: int, limit: int = 500) -> object:
        found = after(position, limit)
        monkeypatch.undo()
        house.world.service.execute(MANAGER, move, command_id=key)
        return found

    monkeypatch.setattr(events, "after", just_too_early)
    new, closed = events.after_and_carried_out(position, MANAGER.person, key)
    assert closed is None or new, "the command is answered, and nothing of it is taken in"
    new, closed = events.after_and_carried_out(position, MANAGER.person, key)
    assert closed is not None
    assert closed in [one.event for one in new if isinstance(one, Recorded)]
