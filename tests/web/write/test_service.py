"""The write side: idempotent, optimistic, permitted by role, and honest about who did what when."""

import threading
from datetime import date, timedelta

import pytest

from domain.agreement.answers import AnswerConcern, MakeComment
from domain.agreement.share import ReleaseHeld
from domain.errors import Conflict, Denied, Invalid, Stale, Unknown
from domain.ids import ClientId, CommandId, PersonId
from domain.people.mails import QueueMail, SettleMail
from domain.people.person import InvitePerson
from domain.people.sign_ins import IssueLink
from domain.plan.health import LapseOverrides
from domain.plan.project import HoldProject
from domain.plan.risks import Points, ScoreAsClient
from domain.plan.schedule import ForecastMoved, MoveForecast
from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from tests.world import ACME, COUNCIL, HARBOUR, MANAGER, SHARE, World
from web.write.permission import Actor
from web.write.service import Service

AUDITOR = Actor(PersonId("tomas"), "auditor")
VIEWER = Actor(PersonId("viewer-acme"), "viewer", (ACME,))
COMMENT = {"share": SHARE, "subject": "milestone-m1", "text": "Well", "side": "ours"}


def move(day: int) -> MoveForecast:
    return MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, day), reason="Frost")


def test_a_command_id_seen_before_returns_the_first_answer_and_records_nothing(world: World) -> None:
    world.harbour()
    first = world.tell(move(1), key="same")
    head = world.folder.events.head()
    again = world.tell(move(1), key="same")
    assert (again.repeated, again.versions, again.events) == (True, first.versions, first.events)
    assert world.folder.events.head() == head


def test_a_command_id_cannot_mean_two_things(world: World) -> None:
    world.harbour()
    world.tell(move(1), key="same")
    with pytest.raises(Conflict, match="used for another command"):
        world.tell(move(2), key="same")


def test_a_command_that_was_refused_can_be_sent_again_once_it_is_possible(world: World) -> None:
    world.people()
    with pytest.raises(Unknown):
        world.tell(move(1), key="early")
    world.project()
    world.milestone("m1", date(2027, 5, 3))
    assert world.tell(move(1), key="early").events == ("forecast-moved",)


def test_a_stale_expectation_is_refused_with_both_versions(world: World) -> None:
    world.harbour()
    version = world.tell(move(1)).version
    world.tell(move(2))
    with pytest.raises(Stale, match=f"version {version} and this is version {version + 1}"):
        world.tell(move(3), expected=version)


def test_two_processes_writing_at_once_lose_nothing_and_double_nothing(world: World) -> None:
    world.harbour()
    folders = [Folder(world.path) for _ in range(4)]
    services = [Service(f.events, CurrentWorld(f.events), world.clock) for f in folders]
    failures: list[BaseException] = []

    def write(service: Service, start: int) -> None:
        try:
            for i in range(6):
                service.execute(MANAGER, move(1 + start * 6 + i), command_id=CommandId(f"w{start}-{i}"))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(s, i)) for i, s in enumerate(services)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    versions = [r.version for r in world.folder.events.stream(f"project-{HARBOUR}")]
    assert versions == list(range(1, len(versions) + 1))
    moved = [r for r in world.folder.events.stream(f"project-{HARBOUR}") if isinstance(r.event, ForecastMoved)]
    assert len(moved) == 24
    for folder in folders:
        folder.close()


def test_the_same_command_from_many_threads_is_carried_out_once(world: World) -> None:
    world.harbour()
    before = len(world.folder.events.stream(f"project-{HARBOUR}"))
    answers = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(world.service.execute(MANAGER, move(9), command_id=CommandId("once")))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == 8
    assert len({a.versions for a in answers}) == 1
    assert len(world.folder.events.stream(f"project-{HARBOUR}")) == before + 1


def test_actor_time_and_command_are_on_every_event(world: World) -> None:
    world.harbour()
    world.tell(move(1), key="traced")
    last = world.folder.events.stream(f"project-{HARBOUR}")[-1]
    assert (last.actor, last.command, last.at) == (MANAGER.person, "traced", world.clock.at)


def test_a_clock_that_was_set_back_never_turns_the_record_around(world: World) -> None:
    world.harbour()
    world.move("m1", date(2027, 6, 1))
    late = world.clock()
    world.clock.at -= timedelta(hours=3)
    world.move("m1", date(2027, 6, 2))
    recorded = world.folder.events.stream(f"project-{HARBOUR}")
    assert [r.at for r in recorded] == sorted(r.at for r in recorded)
    assert recorded[-1].at == late
    past = world.present.past(HARBOUR, late).state
    assert past is not None
    assert past.schedule.milestones["m1"].forecast == date(2027, 6, 2)


@pytest.mark.parametrize("actor", [AUDITOR, VIEWER])
def test_auditors_and_viewers_change_no_project(world: World, actor: Actor) -> None:
    world.harbour()
    with pytest.raises(Denied, match="does not cover"):
        world.tell(HoldProject(project=HARBOUR, reason="x"), actor)


def test_a_viewer_scores_for_its_own_organisation_only(world: World) -> None:
    world.harbour()
    own = ScoreAsClient(project=HARBOUR, risk="r1", client=ACME, points=Points(2, 2), by=VIEWER.person)
    world.tell(own, VIEWER)
    other = ScoreAsClient(project=HARBOUR, risk="r1", client=COUNCIL, points=Points(2, 2), by=VIEWER.person)
    with pytest.raises(Denied):
        world.tell(other, VIEWER)


def test_a_manager_cannot_make_or_become_an_admin(world: World) -> None:
    world.harbour()
    with pytest.raises(Denied):
        world.tell(InvitePerson(person=PersonId("x"), name="X", email="x@x.test", role="admin"))
    world.tell(
        InvitePerson(person=PersonId("boss"), name="B", email="b@x.test", role="admin"), Actor(PersonId("op"), "admin")
    )
    with pytest.raises(Denied):
        world.tell(IssueLink(person=PersonId("boss"), hash="h", expires=world.clock.at.replace(year=2030)))


def test_a_manager_queues_invitations_and_no_digest_or_an_update_would_count_as_mailed_that_never_was(
    world: World,
) -> None:
    world.harbour()
    viewer = PersonId("viewer-acme")
    world.tell(QueueMail(person=viewer, mail="m1", kind="invitation"))
    with pytest.raises(Denied):
        world.tell(QueueMail(person=viewer, mail="m2", kind="digest", share=SHARE, after=0, to=99))
    with pytest.raises(Denied):
        world.tell(SettleMail(person=viewer, mail="m1", state="accepted"))


def test_only_the_clock_lapses_overrides(world: World) -> None:
    world.harbour()
    with pytest.raises(Denied):
        world.tell(LapseOverrides(project=HARBOUR))


def test_a_manager_answers_a_client_in_no_name_but_their_own(world: World) -> None:
    world.harbour()
    world.tell(MakeComment(**COMMENT, comment="c1", by=MANAGER.person))  # type: ignore[arg-type]
    for by in ("somebody-else", VIEWER.person):
        with pytest.raises(Denied):
            world.tell(MakeComment(**COMMENT, comment="c2", by=PersonId(by)))  # type: ignore[arg-type]
        with pytest.raises(Denied):
            world.tell(AnswerConcern(share=SHARE, concern="c", text="Well", by=PersonId(by)))
        with pytest.raises(Denied):
            world.tell(ReleaseHeld(share=SHARE, by=PersonId(by)))


def test_what_names_a_client_that_does_not_exist_is_refused(world: World) -> None:
    world.harbour()
    stranger = InvitePerson(person=PersonId("s"), name="S", email="s@s.test", role="viewer", client=ClientId("nobody"))
    with pytest.raises(Unknown, match="Register it first"):
        world.tell(stranger)


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_command_needs_an_id_of_sensible_length(world: World, key: str) -> None:
    with pytest.raises(Invalid):
        world.service.execute(MANAGER, HoldProject(project=HARBOUR, reason="x"), command_id=CommandId(key))
