"""What needs whom: each kind comes up and goes, whose it is, and an index that follows says what a fresh one says."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.agreement.answers import Acknowledge, AnswerConcern, MakeComment, RaiseConcern, Screen
from domain.agreement.share import ActivateTerms, DraftTerms, ReleaseHeld
from domain.agreement.terms import Release, Ways
from domain.ids import PersonId
from domain.people.for_you import EndAbsence, HandOverLine, OpenPlace, PutOffLine, SetAbsence
from domain.people.mails import QueueMail, SettleMail
from domain.people.person import AssignProjects, DisablePerson, ErasePerson, InvitePerson
from domain.people.sign_ins import IssueLink, UseLink
from domain.plan.project import DescribeProject
from domain.plan.risks import Points, ScoreAsClient
from domain.plan.schedule import ConfirmPlan
from projections.events.for_you import ForYou, Line
from projections.events.matters import EXPIRES, JOINED, RECENT, UNCONFIRMED
from projections.events.present import CurrentWorld
from tests.properties.twins import pair, play
from tests.world import ACME, ADMIN, DEPOT, HARBOUR, SHARE, World, everything
from web.write.permission import SYSTEM, Actor

VERA, MARTA, SAM = PersonId(f"viewer-{ACME}"), PersonId("marta"), PersonId("sam")
AS_VERA = Actor(VERA, "viewer", (ACME,))
AS_MARTA, AS_SAM = Actor(MARTA, "manager"), Actor(SAM, "manager")
SCREEN = Screen(n=1, head="ab" * 32)
DAY = timedelta(days=1)


class Watched(World):
    """A world whose index follows, as that of a process does; every look is checked against a fresh one."""

    def open(self) -> None:
        super().open()
        self.index = ForYou(lambda: self.present.world)
        self.present.listen(self.index.take)

    def list_of(self, person: str, stopped: tuple[str, ...] = ()) -> list[Line]:
        self.present.refresh()
        parked = dict.fromkeys(stopped, 7)
        found = sorted(self.index.lines(PersonId(person), self.clock.at, parked), key=lambda line: line.matter.key)
        other = CurrentWorld(self.folder.events).world  # another worker's
        fresh = ForYou(lambda: other).lines(PersonId(person), self.clock.at, parked)
        assert found == sorted(fresh, key=lambda line: line.matter.key)
        return found

    def kinds(self, person: str = MARTA, *stopped: str) -> list[str]:
        return [line.matter.kind for line in self.list_of(person, stopped) if line.back is None]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    made.harbour(
        everything(milestone_fields=("forecast", "comments"), risk_fields=("score", "client_score", "comments"))
    )
    for person in (MARTA, SAM):
        made.tell(InvitePerson(person=person, name=person.title(), email=f"{person}@x.test", role="manager"), ADMIN)
    yield made
    made.close()


def concern(world: World, key: str = "c1") -> None:
    raised = RaiseConcern(share=SHARE, concern=key, subject="milestone-m1", text="Late?", by=VERA, screen=SCREEN)
    world.tell(raised, AS_VERA)


def comment(world: World, key: str, by: PersonId = VERA) -> None:
    theirs = by == VERA
    said = MakeComment(
        share=SHARE, comment=key, subject="milestone-m1", text="Well", by=by, side="theirs" if theirs else "ours",
        screen=SCREEN if theirs else Screen(),
    )  # fmt: skip
    world.tell(said, AS_VERA if theirs else Actor(by, "manager"))


def test_a_concern_comes_up_and_goes_when_it_is_answered(world: Watched) -> None:
    assert world.kinds() == []
    concern(world)
    (line,) = world.list_of(MARTA)
    assert (line.matter.kind, line.matter.client, line.matter.about, line.matter.by) == (
        "concern",
        ACME,
        "milestone-m1",
        VERA,
    )
    world.tell(AnswerConcern(share=SHARE, concern="c1", text="No", by=MARTA, settled=False), AS_MARTA)
    assert world.kinds() == []


def test_comments_on_one_thing_are_one_line_until_one_of_ours_answers(world: Watched) -> None:
    comment(world, "c1")
    comment(world, "c2")
    (line,) = world.list_of(MARTA)
    assert (line.matter.kind, line.matter.many, line.matter.newest) == ("comment", 2, world.clock.at)
    comment(world, "c3", MARTA)
    assert world.kinds() == []
    comment(world, "c4")
    assert world.list_of(MARTA)[0].matter.key.endswith(".c4")


def test_scores_and_acknowledgements_go_when_their_place_is_opened_or_get_old(world: Watched) -> None:
    world.tell(Acknowledge(share=SHARE, subject="milestone-m1", by=VERA, screen=SCREEN), AS_VERA)
    scored = ScoreAsClient(
        project=HARBOUR, risk="r1", client=ACME, by=VERA, points=Points(2, 2), share=SHARE, screen=SCREEN
    )
    world.tell(scored, AS_VERA)
    assert world.kinds() == ["ack", "score"]
    world.tell(
        OpenPlace(person=MARTA, place=f"project-{HARBOUR}", until=world.clock.at - timedelta(seconds=30)), AS_MARTA
    )
    assert world.kinds() == ["score"]
    world.tell(OpenPlace(person=MARTA, place=f"project-{HARBOUR}", until=world.clock.at), AS_MARTA)
    assert world.kinds() == []
    world.tell(Acknowledge(share=SHARE, subject="agreement-1", by=VERA, screen=SCREEN), AS_VERA)
    assert world.kinds() == ["ack"]
    world.clock.forward(seconds=RECENT.total_seconds())
    assert world.kinds() == []


def test_a_hold_comes_up_with_when_it_lapses_and_an_agreement_before_it_ends(world: Watched) -> None:
    ends = world.clock.at + EXPIRES + 2 * DAY
    world.tell(
        DraftTerms(share=SHARE, terms=everything(), ways=Ways(expires=ends, release=Release(hours=4, slip_days=1)))
    )
    world.tell(ActivateTerms(share=SHARE, reason="Agreed"))
    assert world.kinds() == []
    world.move("m1", date(2027, 7, 1))
    (line,) = world.list_of(MARTA)
    assert (line.matter.kind, line.matter.about) == ("hold", "milestone-m1")
    assert line.matter.until == world.clock.at + timedelta(hours=4)
    world.tell(ReleaseHeld(share=SHARE, by=MARTA), AS_MARTA)
    assert world.kinds() == []
    world.clock.forward(days=3)
    assert world.kinds() == ["expires"]
    world.tell(DraftTerms(share=SHARE, terms=everything(), ways=Ways(expires=ends + 90 * DAY)))
    world.tell(ActivateTerms(share=SHARE, reason="Longer"))
    assert world.kinds() == []


def test_a_refused_mail_goes_when_one_is_accepted(world: Watched) -> None:
    for number, state, kinds in ((1, "refused", ["mail"]), (2, "accepted", [])):
        queued = QueueMail(person=VERA, mail=f"m{number}", kind="invitation", client=ACME)
        world.tell(queued, SYSTEM)
        assert world.kinds() == []
        world.tell(SettleMail(person=VERA, mail=f"m{number}", state=state, told="550 no"), SYSTEM)  # type: ignore[arg-type]
        assert world.kinds() == kinds


def test_a_stopped_share_a_late_confirmation_and_who_joined(world: Watched) -> None:
    assert world.kinds(MARTA, SHARE, "none") == ["stopped"]
    world.tell(ConfirmPlan(project=HARBOUR))
    world.clock.forward(seconds=UNCONFIRMED.total_seconds() - 60)
    assert world.kinds() == []
    world.clock.forward(seconds=60)
    assert world.kinds() == ["confirm"]
    world.tell(ConfirmPlan(project=HARBOUR))
    soon = world.clock.at + DAY
    for session in ("s1", "s2"):
        world.tell(IssueLink(person=VERA, hash=session, expires=soon, client=ACME), ADMIN)
        world.tell(
            UseLink(person=VERA, hash=session, session=session, session_hash=session, session_expires=soon), ADMIN
        )
        assert world.kinds() == (["joined"] if session == "s1" else [])
        world.tell(OpenPlace(person=MARTA, place=f"client-{ACME}", until=world.clock.at), AS_MARTA)
    world.clock.forward(seconds=JOINED.total_seconds())
    assert world.kinds() == []


def test_a_line_put_off_comes_back_on_its_day_or_when_something_new_is_said(world: Watched) -> None:
    comment(world, "c1")
    (line,) = world.list_of(MARTA)
    until = world.clock.at.date() + 2 * DAY
    put_off = PutOffLine(person=MARTA, project=HARBOUR, line=line.matter.key, until=until)
    world.tell(put_off, AS_MARTA)
    assert (world.kinds(), world.list_of(MARTA)[0].back) == ([], until)
    world.restart()
    assert world.kinds() == []
    comment(world, "c2")
    assert world.kinds() == ["comment"]
    world.tell(put_off, AS_MARTA)
    assert world.kinds() == []
    world.clock.forward(days=2)
    assert world.kinds() == ["comment"]


def test_lines_are_the_owners_and_go_to_whom_they_are_handed_while_these_manage_the_project(world: Watched) -> None:
    concern(world)
    assert (world.kinds(MARTA), world.kinds(SAM)) == (["concern"], [])
    key = world.list_of(MARTA)[0].matter.key
    world.tell(HandOverLine(person=MARTA, project=HARBOUR, line=key, to=SAM), AS_MARTA)
    assert (world.kinds(MARTA), world.list_of(SAM)[0].given_by) == ([], MARTA)
    world.tell(HandOverLine(person=SAM, project=HARBOUR, line=key, to=MARTA), AS_SAM)
    assert (world.kinds(MARTA), world.kinds(SAM)) == (["concern"], [])
    world.tell(HandOverLine(person=MARTA, project=HARBOUR, line=key, to=SAM), AS_MARTA)
    world.tell(AssignProjects(person=SAM, projects=()), ADMIN)
    assert (world.kinds(MARTA), world.kinds(SAM)) == (["concern"], [])
    world.tell(AssignProjects(person=SAM, projects=None), ADMIN)
    world.tell(DisablePerson(person=MARTA, reason="Left"), ADMIN)
    assert (world.kinds(MARTA), world.kinds(SAM)) == ([], ["concern"])
    world.tell(ErasePerson(person=MARTA, reason="Asked"), ADMIN)
    assert world.kinds(SAM) == ["concern"]  # there is nobody else now


def test_who_is_away_is_covered_by_one_who_manages_the_project_on_those_days(world: Watched) -> None:
    concern(world)
    tomorrow = world.clock.at.date() + DAY
    world.tell(SetAbsence(person=MARTA, first=tomorrow, last=tomorrow, cover=SAM), AS_MARTA)
    assert world.kinds(SAM) == []
    world.clock.forward(days=1)
    assert (world.kinds(MARTA), world.list_of(SAM)[0].covers) == (["concern"], MARTA)
    world.project(DEPOT, "Depot")
    world.tell(AssignProjects(person=SAM, projects=(DEPOT,)), ADMIN)
    assert world.kinds(SAM) == []
    world.tell(AssignProjects(person=SAM, projects=None), ADMIN)
    world.tell(EndAbsence(person=MARTA), AS_MARTA)
    assert world.kinds(SAM) == []


def test_without_an_owner_who_can_lines_go_to_whom_the_project_is_assigned_else_to_all_who_manage_it(
    world: Watched,
) -> None:
    concern(world)
    describe = DescribeProject(project=HARBOUR, title="H", client_title="Harbour Line", owner=PersonId("nobody"))
    world.tell(describe, ADMIN)
    assert (world.kinds(MARTA), world.kinds(SAM), world.kinds(VERA)) == (["concern"], ["concern"], [])
    world.tell(AssignProjects(person=SAM, projects=(HARBOUR,)), ADMIN)
    assert (world.kinds(MARTA), world.kinds(SAM)) == ([], ["concern"])


def test_a_project_is_looked_at_again_only_when_something_of_it_was_recorded(world: Watched) -> None:
    world.project(DEPOT, "Depot")
    world.list_of(MARTA)
    before = world.index.looked
    world.list_of(MARTA)
    assert world.index.looked == before
    concern(world)
    world.list_of(MARTA)
    assert world.index.looked == before + 1


@pytest.mark.folder
def test_after_random_histories_an_index_that_followed_says_what_a_fresh_one_says(tmp_path: Path) -> None:
    seen = 0
    for seed in range(2):
        world = Watched(tmp_path / str(seed))
        play(world, pair(seed), seed % 2)
        for person in [p.id for p in world.present.refresh().people.values()] + [PersonId("nobody")]:
            for ahead in (0, 5, 40):
                now = world.clock.at + ahead * DAY
                other = CurrentWorld(world.folder.events).world
                found = {line.matter.key: line for line in world.index.lines(person, now)}
                assert found == {line.matter.key: line for line in ForYou(lambda w=other: w).lines(person, now)}  # type: ignore[misc]
                managed = world.present.world.people.get(person)
                assert all(managed is not None and managed.manages(line.matter.project) for line in found.values())
                seen += len(found)
        world.close()
    assert seen > 0
