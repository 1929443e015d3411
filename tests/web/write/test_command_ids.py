"""The id of a command is its sender's own, and what earlier versions recorded is still answered as repeated."""

import threading
from datetime import date

import pytest

from domain import commands
from domain.agreement.answers import CommentMade, Screen
from domain.errors import Conflict, Invalid, Refused
from domain.events import AnyEvent, CommandCarriedOut, Recorded, Stored, tag
from domain.ids import CommandId, PersonId
from domain.people.person import DisablePerson, ErasePerson
from domain.plan.schedule import ForecastMoved, MoveForecast
from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from tests.world import ACME, ADMIN, HARBOUR, MANAGER, SHARE, World
from web.door.guard import Signed
from web.write.decide import decide, stream_of
from web.write.permission import Actor
from web.write.saying import Saying
from web.write.service import Service
from web.write.viewer_answers import ViewerAnswers, said_key

ANNA = Actor(PersonId("viewer-acme"), "viewer", (ACME,))
PETER = Actor(PersonId("peter"), "manager")


def move(day: int) -> MoveForecast:
    return MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, day), reason="Frost")


def moves(world: World) -> int:
    stream = world.folder.events.stream(f"project-{HARBOUR}")
    return sum(isinstance(recorded.event, ForecastMoved) for recorded in stream)


def as_an_earlier_version(world: World, command: MoveForecast, actor: Actor, key: str) -> None:
    """Record a command as it was recorded when the ids of everybody were one name space."""
    events, now, present = world.folder.events, world.clock(), world.present.refresh()
    stream = stream_of(command)
    made = decide(present, command, now)
    version = present.versions[stream]
    versions = tuple(version + k for k in range(1, len(made) + 1))
    sent = commands.encode(command) + actor.person.encode()
    done = CommandCarriedOut(
        command=tag(command),
        stream=stream,
        tags=tuple(tag(event) for event in made),
        versions=versions,
        fingerprint=events.fingerprint(stream, sent),
    )

    def stored(name: str, event: AnyEvent) -> Stored:
        return Stored(stream=name, at=now, actor=actor.person, command=CommandId(key), event=event)

    rows = [(stored(stream, event), number) for event, number in zip(made, versions, strict=True)]
    events.append([*rows, (stored(f"command-{key}", done), 1)])
    world.follow()


def answers_of(world: World) -> ViewerAnswers:
    return ViewerAnswers(world.service, world.present, world.folder)


def say(world: World, text: str, key: str) -> None:
    person = world.present.world.people[ANNA.person]
    signed = Signed(person=person, session=None)
    screen = Screen(n=1, head="0" * 64)
    answers_of(world).say(signed, SHARE, Saying(how="comment", subject="milestone-m1", screen=screen, text=text), key)


def test_an_id_that_somebody_else_used_says_nothing_of_it(world: World) -> None:
    world.harbour()
    world.tell(move(1), MANAGER, key="nightly-import-28")
    say(world, "Well", "nightly-import-28")
    assert isinstance(world.folder.events.stream(f"share-{SHARE}")[-1].event, CommentMade)


def test_an_id_that_a_client_used_up_is_free_for_everybody_else(world: World) -> None:
    world.harbour()
    say(world, "Well", "nightly-import-29")
    assert not world.tell(move(1), MANAGER, key="nightly-import-29").repeated
    assert moves(world) == 1


def test_a_comment_of_the_organisation_with_the_same_form_id_is_no_conflict_either(world: World) -> None:
    world.harbour()
    log = world.folder.events
    say(world, "Well", "k")
    assert said_key(log, MANAGER.person, "k") != said_key(log, ANNA.person, "k")


def test_an_id_still_means_one_thing_to_its_own_sender(world: World) -> None:
    world.harbour()
    assert not world.tell(move(1), MANAGER, key="k").repeated
    assert world.tell(move(1), MANAGER, key="k").repeated
    with pytest.raises(Conflict, match="used for another command"):
        world.tell(move(2), MANAGER, key="k")
    say(world, "Well", "said")
    say(world, "Well", "said")
    with pytest.raises(Conflict, match="sent before"):
        say(world, "Otherwise", "said")
    assert len(world.present.world.shares[SHARE].answers.comments) == 1


def test_two_people_with_one_id_at_the_same_moment_are_both_recorded_and_each_once(world: World) -> None:
    world.harbour()
    folders = [Folder(world.path) for _ in range(2)]
    services = [Service(f.events, CurrentWorld(f.events), world.clock) for f in folders]
    answers: list[tuple[PersonId, bool]] = []

    def send(actor: Actor, service: Service, day: int) -> None:
        done = service.execute(actor, move(day), command_id=CommandId("same"))
        answers.append((actor.person, done.repeated))

    threads = [
        threading.Thread(target=send, args=(actor, service, day))
        for actor, day in ((MANAGER, 1), (PETER, 2))
        for service in services * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for folder in folders:
        folder.close()
    for person in (MANAGER.person, PETER.person):
        assert sorted(repeated for who, repeated in answers if who == person) == [False, True, True, True]
    assert moves(world) == 2


@pytest.mark.parametrize("key", ["nightly-1", "import 2026-11-20T10:00:00Z", "x\n1\ny", f"{PETER.person}.k"])
def test_what_an_earlier_version_recorded_is_repeated_for_its_sender_and_for_nobody_else(
    world: World, key: str
) -> None:
    world.harbour()
    as_an_earlier_version(world, move(1), MANAGER, key)
    assert world.tell(move(1), MANAGER, key=key).repeated
    assert moves(world) == 1
    with pytest.raises(Conflict, match="used for another command"):
        world.tell(move(3), MANAGER, key=key)
    if key == "nightly-1":
        assert not world.tell(move(2), PETER, key=key).repeated
        assert moves(world) == 2


def test_no_earlier_id_takes_the_place_of_somebody_s_own(world: World) -> None:
    world.harbour()
    as_an_earlier_version(world, move(1), MANAGER, f"{PETER.person}.k")
    assert not world.tell(move(2), PETER, key="k").repeated
    assert moves(world) == 2


@pytest.mark.parametrize("key", ["", "x" * 201, "x\n1\ny", "\0", "\ud800", "a b", "a.b", "é", "-x"])
def test_a_new_id_is_made_of_what_every_id_is_made_of(world: World, key: str) -> None:
    world.harbour()
    with pytest.raises(Invalid, match="letters, digits, hyphens or underscores"):
        world.tell(move(1), key=key) if key else world.service.execute(MANAGER, move(1), command_id=CommandId(""))


def test_a_command_of_somebody_erased_is_not_recognised_and_gives_them_no_key_again(world: World) -> None:
    world.harbour()
    command = DisablePerson(person=ANNA.person, reason="Left")
    world.tell(command, ADMIN, key="off")
    assert world.tell(command, ADMIN, key="off").repeated
    world.tell(ErasePerson(person=ANNA.person, reason="Asked"), ADMIN)
    for _folder in range(2):
        with pytest.raises(Refused):
            world.tell(command, ADMIN, key="off")
        assert world.folder.vault.keys.read(f"person-{ANNA.person}") is None
        world.restart()


def test_the_closing_event_of_a_command_names_no_other_stream(world: World) -> None:
    world.harbour()
    world.tell(move(1), MANAGER, key="k")
    last = [r for r in world.folder.events.everything() if isinstance(r, Recorded)][-1]
    assert (last.stream, tag(last.event)) == (f"done-{MANAGER.person}.k", tag(CommandCarriedOut))
