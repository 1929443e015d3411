"""Clients answer what is on their screen, bound to its number and hash; the manager sees what it was and answers back."""

import html
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from domain.agreement.answers import Acknowledged, CommentMade, ConcernRaised
from domain.agreement.share import ActivateTerms, DraftTerms, RevokeShare
from domain.ids import CommandId, PersonId
from domain.people.person import AssignProjects, InvitePerson
from domain.plan.risks import ClientScored, TakeRiskNote
from domain.plan.schedule import MoveForecast
from tests.recorded import recorded
from tests.web.doors import ORIGIN, OTHER_VIEWER, VIEWER, wait_until
from tests.world import ADMIN, ALL_MILESTONES, ALL_RISKS, HARBOUR, OTHER, SHARE, START, World, everything
from web import app as application
from web import clock
from web.ids import new_id
from web.process.process import Given
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR

TALKING = everything(milestone_fields=(*ALL_MILESTONES, "comments"), risk_fields=(*ALL_RISKS, "comments"))


class Room:
    """The whole product on one folder, and whoever sits in front of it."""

    def __init__(self, client: TestClient, process: Any) -> None:
        self.client, self.process = client, process

    def sit(self, person: str) -> "Room":
        """Sign in as somebody."""
        secret = self.process.services.credentials.enter(
            self.process.services.credentials.link(OPERATOR, PersonId(person))
        ).secret
        self.client.cookies.clear()
        self.client.cookies.set(self.process.services.guard.cookie, secret)
        self.csrf = self.process.services.guard._by_session(
            next(reversed(self.process.services.present.world.sessions))
        ).csrf
        return self

    def tell(self, command: Any) -> None:
        """Carry out a command, and wait until the share's page has taken it in."""
        head = self.head
        self.process.services.service.execute(OPERATOR, command, command_id=CommandId(new_id(24)))
        if not isinstance(command, RevokeShare | AssignProjects | TakeRiskNote):
            wait_until(lambda: self.head > head)

    @property
    def head(self) -> int:
        return int(self.process.services.logs.disclosure.head(SHARE))

    def root(self, n: int, share: str = SHARE) -> str:
        return str(self.process.services.viewer_answers.head(share, n))

    def say(self, share: str = SHARE, **given: str) -> Response:
        """Send the form of the client's page as it would be sent at the newest update."""
        n = self.head
        form = {"n": str(n), "head": self.root(n), "command_id": new_id(24), "csrf": self.csrf, **given}
        return self.client.post(f"/s/{share}/answer", data=form, headers={"origin": ORIGIN})

    def send(self, path: str, **given: str) -> Response:
        form = {"command_id": new_id(24), "csrf": self.csrf, **given}
        return self.client.post(f"/p/{HARBOUR}{path}", data=form, headers={"origin": ORIGIN})

    def text(self, path: str) -> str:
        """Return the text of a page, without markup."""
        return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self.client.get(path).text)))

    def recorded(self, stream: str = f"share-{SHARE}") -> list[Any]:
        return [r.event for r in self.process.services.logs.events.stream(stream)]

    def said(self) -> list[Any]:
        kinds = CommentMade | ConcernRaised | Acknowledged | ClientScored
        return [e for s in (f"share-{SHARE}", f"project-{HARBOUR}") for e in self.recorded(s) if isinstance(e, kinds)]


def sample(folder: Path) -> None:
    world = World(folder, Renderer())
    world.harbour(TALKING)
    world.share(everything(), OTHER, HARBOUR, "council")
    for role in ("manager", "admin"):
        world.tell(InvitePerson(person=PersonId(role), name=role.title(), email=f"{role}@x.test", role=role), ADMIN)
    world.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    recorded(tmp_path, sample)
    ahead = START + timedelta(days=30) - clock.now()  # the sample project lives in a year to come
    process = application.compose(Settings(data=tmp_path, public_url=ORIGIN), Given(now=lambda: clock.now() + ahead))
    with TestClient(application.create(process), base_url=ORIGIN, follow_redirects=False) as client:
        yield Room(client, process).sit(VIEWER)


# what a client can say


def test_each_way_of_answering_is_one_event_with_the_number_and_hash_of_the_screen(room: Room) -> None:
    room.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 5, 20), reason="Frost"))
    n = room.head
    assert room.say(how="score", about="risk-r1", probability="4", impact="5").status_code == 303
    assert room.say(how="comment", about="milestone-m1", text="Is the crew there?").status_code == 303
    assert room.say(how="concern", about="risk-r1", text="This is worse than it looks.").status_code == 303
    assert room.say(how="concern", about="", text="The page is a worry.").status_code == 303
    for about in ("milestone-m2", "risk-r1", "agreement-1"):
        assert room.say(how="acknowledge", about=about).status_code == 303
    said = room.said()
    assert len(said) == 7
    for event in said:
        assert event.by == VIEWER
        assert event.screen.n >= n
        assert event.screen.head == room.root(event.screen.n)
        assert len(event.screen.head) == 64
    scored = next(e for e in said if isinstance(e, ClientScored))
    assert (scored.share, scored.points.score) == (SHARE, 20)


def test_what_was_said_comes_back_on_the_page_with_person_and_update(room: Room) -> None:
    n = room.head
    room.say(how="comment", about="milestone-m1", text="Is the <b>crew</b> there?")
    room.say(how="acknowledge", about="milestone-m1")
    room.say(how="acknowledge", about="agreement-1")
    room.say(how="concern", about="risk-r1", text="Worse than it looks.")
    room.say(how="score", about="risk-r1", probability="4", impact="5")
    wait_until(lambda: room.head >= n + 5)
    page = room.text(f"/s/{SHARE}")
    assert "Is the <b>crew</b> there?" in page
    assert "<b>crew</b>" not in room.client.get(f"/s/{SHARE}").text
    assert page.count("Acknowledged by Vera,") == 2
    assert "Your concerns" in page
    assert "Worse than it looks." in page
    assert "One waits for an answer." in page
    assert re.search(r"Your score\s*4×5 = 20, high\s*Vera, \d", page)
    assert 'class="pin-y"' in room.client.get(f"/s/{SHARE}").text
    assert "It has changed since." not in page
    room.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 5, 21), reason="Frost"))
    assert "It has changed since." in room.text(f"/s/{SHARE}")


def test_a_client_scores_any_shared_risk_unasked_and_revises_it(room: Room) -> None:
    assert "Record our score" in room.client.get(f"/s/{SHARE}?about=risk-r1").text
    room.say(how="score", about="risk-r1", probability="4", impact="5")
    room.say(how="score", about="risk-r1", probability="2", impact="5")
    scores = [e.points.score for e in room.said() if isinstance(e, ClientScored)]
    assert scores == [20, 10]
    wait_until(lambda: "You 2×5 = 10" in room.text(f"/s/{SHARE}"))
    checked = re.findall(r'name="(\w+)" value="(\d)" checked', room.client.get(f"/s/{SHARE}?about=risk-r1").text)
    assert checked == [("probability", "2"), ("impact", "5")]


def test_a_form_carries_the_number_and_the_whole_hash_of_the_page_it_is_on(room: Room) -> None:
    page = room.client.get(f"/s/{SHARE}?about=milestone-m1").text
    n = room.head
    forms = re.findall(
        r'name="n" value="(\d+)" autocomplete="off"><input type="hidden" name="head" value="(\w+)"', page
    )
    assert forms == [(str(n), room.root(n))] * 2


def test_the_same_form_sent_twice_is_one_event(room: Room) -> None:
    given = {"how": "concern", "about": "milestone-m1", "text": "Once.", "command_id": new_id(24)}
    given |= {"n": str(room.head), "head": room.root(room.head)}
    first, second = room.say(**given), room.say(**given)
    assert first.status_code == second.status_code == 303
    assert len(room.said()) == 1
    other = room.say(**{**given, "text": "Twice, in other words."})
    assert other.status_code == 409
    assert "was sent before" in other.text
    assert "Twice, in other words." in other.text
    assert len(room.said()) == 1


def test_who_said_something_is_told_what_was_recorded_and_nobody_else_is(room: Room) -> None:
    n, key = room.head, new_id(24)
    answer = room.say(how="acknowledge", about="milestone-m1", command_id=key)
    told = room.text(answer.headers["location"])
    assert f"Your acknowledgement is recorded, bound to update {n} and its hash {room.root(n)[:4]}" in told
    assert "Your acknowledgement" not in room.text(f"/s/{SHARE}?said={new_id(24)}")
    room.sit(OTHER_VIEWER)
    assert "Your acknowledgement" not in room.text(f"/s/{OTHER}?said={key}")


def test_an_answer_may_be_about_what_was_on_an_older_screen(room: Room) -> None:
    old = room.head
    room.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 5, 20), reason="Frost"))
    assert room.say(how="acknowledge", about="milestone-m1", n=str(old), head=room.root(old)).status_code == 303
    assert room.said()[-1].screen.n == old


# what is refused


def refusal(answer: Response, status: int, told: str, kept: str = "") -> None:
    assert answer.status_code == status, answer.text[:400]
    assert told in html.unescape(answer.text)
    assert kept in answer.text


@pytest.mark.parametrize(
    "screen",
    [
        {"head": "0" * 64},
        {"head": ""},
        {"head": "not a hash"},
        {"n": "99"},
        {"n": "0"},
        {"n": "-1"},
        {"n": "٣"},
        {"n": "9" * 30},
        {"n": ""},
        {"n": "1"},  # of which this is not the hash
    ],
)
def test_a_number_and_hash_that_are_not_in_this_shares_log_are_refused_and_the_words_kept(
    room: Room, screen: dict[str, str]
) -> None:
    room.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 5, 20), reason="Frost"))
    answer = room.say(how="concern", about="milestone-m1", text="Kept words", **screen)
    refusal(answer, 409, "cannot be matched with this share’s record, so nothing was recorded", "Kept words")
    assert room.said() == []
    again = re.search(
        r'name="n" value="(\d+)" autocomplete="off"><input type="hidden" name="head" value="(\w+)"', answer.text
    )
    assert again
    assert again.groups() == (str(room.head), room.root(room.head))  # what comes back can be sent
    assert room.say(how="concern", about="milestone-m1", text="Kept words").status_code == 303


def test_the_hash_of_another_share_is_refused(room: Room) -> None:
    theirs = room.root(1, OTHER)
    assert theirs
    assert theirs != room.root(1)
    answer = room.say(how="acknowledge", about="milestone-m1", n="1", head=theirs)
    refusal(answer, 409, "cannot be matched")


@pytest.mark.parametrize("how", ["score", "comment", "concern", "acknowledge"])
def test_what_is_not_shared_is_refused_like_what_does_not_exist(room: Room, how: str) -> None:
    more = {"text": "Kept words", "probability": "1", "impact": "1"}
    answers = [
        room.say(how=how, about=about, **more)
        for about in ("milestone-hidden", "milestone-nosuch", "risk-r2", "risk-x")
    ]
    for answer in answers:
        refusal(answer, 404, "This is not on your page, so it cannot be answered.", "Kept words")
    bare = {re.sub(r'"(command_id|csrf)" value="\w+"', "", answer.text) for answer in answers}
    assert len(bare) == 1
    assert room.said() == []


def test_an_agreement_that_is_not_the_one_in_force_is_not_acknowledged(room: Room) -> None:
    refusal(room.say(how="acknowledge", about="agreement-2"), 404, "This is not on your page")
    room.process.services.service.execute(
        OPERATOR, DraftTerms(share=SHARE, terms=everything()), command_id=CommandId("draft")
    )
    room.tell(ActivateTerms(share=SHARE, reason="Less talk"))
    assert room.say(how="acknowledge", about="agreement-2").status_code == 303
    refusal(room.say(how="acknowledge", about="agreement-1"), 404, "This is not on your page")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"how": "comment", "about": "milestone-m1", "text": "Kept words"}, "does not cover comments on this"),
        ({"how": "comment", "about": "risk-r1", "text": "Kept words"}, "does not cover comments on this"),
        ({"how": "comment", "about": "", "text": "Kept words"}, "does not cover comments on this"),
        ({"how": "score", "about": "milestone-m1", "probability": "1", "impact": "1"}, "a score of your own"),
        ({"how": "concern", "about": "agreement-1", "text": "x"}, "such an answer"),
        ({"how": "applaud", "about": "milestone-m1"}, "such an answer"),
    ],
)
def test_what_the_agreement_does_not_cover_cannot_be_said(room: Room, given: dict[str, str], told: str) -> None:
    room.sit(OTHER_VIEWER)
    n = room.process.services.logs.disclosure.head(OTHER)
    answer = room.say(OTHER, n=str(n), head=room.root(n, OTHER), **given)
    refusal(answer, 409, told, given.get("text", ""))
    assert not [e for e in room.recorded(f"share-{OTHER}") if isinstance(e, CommentMade | ConcernRaised)]
    assert ">Comment</button>" not in room.client.get(f"/s/{OTHER}?about=milestone-m1").text


def test_a_withdrawn_item_can_still_be_a_concern_of_whoever_had_it_on_screen_and_nothing_more(room: Room) -> None:
    old = {"n": str(room.head), "head": room.root(room.head)}
    room.process.services.service.execute(
        OPERATOR, DraftTerms(share=SHARE, terms=everything(milestones=("m2",), risks=())), command_id=CommandId("d")
    )
    room.tell(ActivateTerms(share=SHARE, reason="Less"))
    refusal(room.say(how="comment", about="milestone-m1", text="Kept", **old), 409, "does not cover comments", "Kept")
    more = {"probability": "2", "impact": "2"}
    refusal(room.say(how="score", about="risk-r1", **more, **old), 409, "a score of your own")
    assert room.say(how="concern", about="milestone-m1", text="Where is it?", **old).status_code == 303
    refusal(room.say(how="concern", about="milestone-m1", text="Kept"), 404, "This is not on your page", "Kept")


def test_words_that_cannot_be_kept_and_scores_off_the_scale_come_back_with_what_is_wrong(room: Room) -> None:
    refusal(room.say(how="concern", about="milestone-m1", text="  "), 422, "is missing. A sentence is enough.")
    refusal(room.say(how="concern", about="", text="x" * 4001), 422, "at most 4000 are kept", "x" * 4001)
    refusal(room.say(how="score", about="risk-r1", probability="4"), 422, "Choose a likelihood and an impact")
    for impossible in ("9", "0"):
        answer = room.say(how="score", about="risk-r1", probability=impossible, impact="2")
        assert answer.status_code == 422
    refusal(room.say(how="concern", about="", text="Kept", command_id=""), 422, "needs an id", "Kept")
    assert room.said() == []


def test_an_ended_share_takes_no_more_answers_and_keeps_the_words(room: Room) -> None:
    room.tell(RevokeShare(share=SHARE, reason="Over"))
    assert "nothing more can be answered here" in room.client.get(f"/s/{SHARE}?about=milestone-m1").text
    for how, about in (("concern", "milestone-m1"), ("score", "risk-r1"), ("acknowledge", "agreement-1")):
        answer = room.say(how=how, about=about, text="Kept words", probability="2", impact="2")
        refusal(answer, 409, "ended this share, so nothing was recorded")
    assert room.said() == []


def test_only_a_viewer_of_this_client_answers_and_only_from_our_own_form(room: Room) -> None:
    forged = {"how": "concern", "about": "", "text": "x"}
    assert room.say(csrf="0" * 64, **forged).status_code == 403
    for person in (OTHER_VIEWER, "manager"):
        room.sit(person)
        theirs, nothing = room.say(**forged), room.say("nosuch", **forged)
        assert (theirs.status_code, theirs.content) == (404, nothing.content)
    room.client.cookies.clear()
    assert room.say(**forged).headers["location"] == "/sign-in"
    assert room.said() == []


def test_an_address_that_asks_for_what_is_not_there_shows_the_plain_page(room: Room) -> None:
    for about in ("milestone-hidden", "risk-r2", "nonsense", "agreement-9", "<script>"):
        assert 'id="answer"' not in room.client.get(f"/s/{SHARE}", params={"about": about}).text
    assert "Record our score" in room.client.get(f"/s/{SHARE}?view=r1").text  # as pages of an older release ask
    assert room.client.get(f"/s/{SHARE}/answer?about=risk-r1").headers["location"] == f"/s/{SHARE}?about=risk-r1#answer"


# the manager's side


def test_a_manager_sees_each_concern_with_what_was_on_the_screen_and_what_changed_since(room: Room) -> None:
    n = room.head
    room.say(how="concern", about="milestone-m1", text="Is May still true?")
    wait_until(lambda: room.head > n)
    room.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 5, 20), reason="Frost"))
    room.sit("manager")
    assert "One concern is open" in room.text(f"/p/{HARBOUR}")
    assert "1 open concern" in room.text(f"/p/{HARBOUR}/watching")
    page = room.text(f"/p/{HARBOUR}/answers")
    assert "One concern is open." in page
    assert "Is May still true?" in page
    assert f"at update {n}" in page
    assert f"Changed since update {n}" in page
    assert "3 May 2027 → 20 May 2027 +17 days" in page
    assert f"They see update {room.head}." in page
    src = re.search(
        rf'src="(/p/{HARBOUR}/shares/{SHARE}/{n}/look\?about=milestone-m1)"',
        room.client.get(f"/p/{HARBOUR}/answers").text,
    )
    assert src
    frame = room.client.get(src.group(1))
    assert "sandbox" in frame.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in frame.headers["content-security-policy"]
    assert "3 May" in frame.text  # as it was, not as it is
    assert "20 May" not in frame.text
    assert "Trial running starts" not in frame.text
    assert room.client.get(f"/p/{HARBOUR}/shares/{SHARE}/999/look?about=").status_code == 404
    assert room.client.get(f"/p/depot/shares/{SHARE}/{n}/look?about=").status_code == 404


def raised(room: Room, text: str = "Is May still true?") -> str:
    """Raise a concern as the client, sit down as the manager, and return its id."""
    head = room.head
    room.sit(VIEWER).say(how="concern", about="milestone-m1", text=text)
    wait_until(lambda: room.head > head)
    room.sit("manager")
    return next(reversed(room.process.services.present.world.shares[SHARE].answers.concerns))


def test_an_answer_reaches_the_clients_page_and_settles_the_concern_or_not(room: Room) -> None:
    concern = raised(room)
    path = f"/shares/{SHARE}/concerns/{concern}"
    refused = room.send(path, text=" ", settled="yes")
    refusal(refused, 422, "is missing")
    assert room.send(path, text="We think so.").status_code == 303
    state = room.process.services.present.refresh().shares[SHARE].answers.concerns[concern]
    assert (state.answer, state.settled, state.answered_by) == ("We think so.", False, "manager")
    assert "Answered, not settled" in room.text(f"/p/{HARBOUR}/answers")
    assert "1 open concern" in room.text(f"/p/{HARBOUR}")
    assert room.send(path, text="Yes, it is.", settled="yes").status_code == 303
    assert "No concern is open." in room.text(f"/p/{HARBOUR}/answers")
    room.sit(VIEWER)
    wait_until(lambda: "Yes, it is." in room.text(f"/s/{SHARE}"))
    assert "Settled" in room.text(f"/s/{SHARE}")
    assert "Manager" in room.text(f"/s/{SHARE}")


def test_a_manager_comments_only_where_the_client_would_see_it(room: Room) -> None:
    room.sit("manager")
    key = {"command_id": new_id(24)}
    for _ in range(2):
        sent = room.send(f"/shares/{SHARE}/comments", subject="milestone-m1", text="The crew is there.", **key)
        assert sent.status_code == 303
    assert [e.side for e in room.said()] == ["ours"]
    for share, subject in ((SHARE, "milestone-hidden"), (SHARE, "risk-r2"), (SHARE, ""), (OTHER, "milestone-m1")):
        answer = room.send(f"/shares/{share}/comments", subject=subject, text="Kept words")
        refusal(answer, 409, "does not cover comments on this", "Kept words")
    page = room.client.get(f"/p/{HARBOUR}/answers").text
    assert f'id="say-{SHARE}"' in page
    assert f'id="say-{OTHER}"' not in page
    room.sit(VIEWER)
    wait_until(lambda: "The crew is there." in room.text(f"/s/{SHARE}"))


def test_a_manager_of_other_projects_sees_no_form_and_is_refused(room: Room) -> None:
    concern = raised(room)
    assert f"/concerns/{concern}" in room.client.get(f"/p/{HARBOUR}/answers").text
    room.tell(AssignProjects(person="manager", projects=()))
    page = room.client.get(f"/p/{HARBOUR}/answers")
    assert f"/concerns/{concern}" not in page.text
    assert "/comments" not in page.text
    answer = room.send(f"/shares/{SHARE}/concerns/{concern}", text="No business of mine", settled="yes")
    assert answer.status_code in (403, 404)
    sent = room.send(f"/shares/{SHARE}/comments", subject="milestone-m1", text="Nor this")
    assert sent.status_code in (403, 404)
    assert not room.process.services.present.refresh().shares[SHARE].answers.concerns[concern].answer


def test_the_managers_list_is_asked_for_again_only_when_something_is_new(room: Room) -> None:
    raised(room)
    page = room.client.get(f"/p/{HARBOUR}/answers").text
    poll = html.unescape(re.search(r'hx-get="([^"]+/answers/list[^"]+)"', page).group(1))  # type: ignore[union-attr]
    assert room.client.get(poll).status_code == 204
    raised(room, "And June?")
    newer = room.client.get(poll)
    assert newer.status_code == 200
    assert "And June?" in newer.text
    assert room.client.get("/p/nosuch/answers/list?seen=x").status_code == 404


def test_forms_of_the_managers_page_are_ours_alone_and_stay_within_the_project(room: Room) -> None:
    concern = raised(room)
    path = f"/shares/{SHARE}/concerns/{concern}"
    assert room.send(path, text="x", csrf="0" * 64).status_code == 403
    form = {"command_id": new_id(24), "csrf": room.csrf, "text": "x"}
    assert room.client.post(f"/p/depot{path}", data=form, headers={"origin": ORIGIN}).status_code == 404
    assert room.client.get("/p/nosuch/answers").status_code == 404
    refusal(room.send(f"/shares/{SHARE}/concerns/nosuch", text="Kept"), 404, "no such concern")
    room.sit(VIEWER)
    assert room.client.get(f"/p/{HARBOUR}/answers").status_code == 404
    assert room.send(path, text="x").status_code == 404


def test_internal_notes_stand_apart_and_never_reach_the_client(room: Room) -> None:
    room.tell(TakeRiskNote(project=HARBOUR, risk="r1", note="Margin is thin."))
    room.sit("manager")
    page = room.text(f"/p/{HARBOUR}/answers")
    assert "Internal, never shown to a client" in page
    assert page.index("Internal notes") < page.index("Margin is thin.")
    room.sit(VIEWER)
    assert "Margin is thin." not in room.text(f"/s/{SHARE}")


def test_both_scores_stand_side_by_side_with_person_and_date(room: Room) -> None:
    n = room.head
    room.say(how="score", about="risk-r1", probability="4", impact="5")
    room.sit("manager")
    page = room.text(f"/p/{HARBOUR}/answers")
    assert re.search(
        r"R-01 Risk r1 Acme Rail 3×3 = 9 marta, 1 Mar 2027, [\d:]+ 4×5 = 20 Vera, \d+ \w+ 2027, [\d:]+ , at update "
        + str(n),
        page,
    ), page[page.index("Scores") :][:300]


def test_who_took_note_of_a_value_is_told_beside_who_had_it_on_screen(room: Room) -> None:
    room.sit(VIEWER)
    n = room.head
    room.say(how="acknowledge", about="milestone-m1")
    wait_until(lambda: room.head > n)
    room.sit("manager")
    who = f"/p/{HARBOUR}/who?milestone=m1"
    assert "Acknowledged by Vera, " in room.text(who)
    assert f"with update {n} on screen" in room.text(who)
    at = room.process.services.present.world.shares[SHARE].answers.taken[-1].at.isoformat().replace("+00:00", "Z")
    seen = room.text(f"/p/{HARBOUR}/shares/{SHARE}/at/{at}")
    assert "Acknowledged Section A energised by Vera" in seen
    assert "Acknowledged" not in room.text(f"/p/{HARBOUR}/who?milestone=m2")
    room.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 7, 1), reason="Frost"))
    assert "Acknowledged by" not in room.text(who)  # it was of the value before


def test_the_form_alone_is_the_element_beneath_its_row_and_of_what_is_not_shared_there_is_none(room: Room) -> None:
    def form(about: str) -> Response:
        return room.client.get(f"/s/{SHARE}/answer?about={about}", headers={"hx-request": "true"})

    wait_until(lambda: room.head > 0)
    for about, tag in (("milestone-m1", "tr"), ("risk-r1", "li"), ("agreement-1", "div"), ("", "div")):
        given = form(about)
        assert given.text.strip().startswith(f'<{tag} class="answering'), about
        assert given.text.count('id="answer"') == 1
        page = room.client.get(f"/s/{SHARE}?about={about}").text
        assert page.count('id="answer"') == 1
    refused = [form(about) for about in ("milestone-hidden", "milestone-nosuch", "risk-r2", "risk-x", "budget")]
    assert {(answer.status_code, answer.content) for answer in refused} == {(404, room.client.get("/nosuch").content)}


def test_what_was_said_by_the_script_of_a_page_comes_back_as_the_element_that_takes_its_place(room: Room) -> None:
    wait_until(lambda: room.head > 0)
    n = room.head
    form = {"n": str(n), "head": room.root(n), "command_id": new_id(24), "csrf": room.csrf, "about": "milestone-m1"}
    headers = {"origin": ORIGIN, "hx-request": "true"}
    address = f"/s/{SHARE}/answer"
    empty = room.client.post(address, data={**form, "how": "comment", "text": " "}, headers=headers)
    assert (empty.status_code, empty.text.strip()[:22]) == (422, '<tr class="answering o')
    done = room.client.post(address, data={**form, "how": "concern", "text": "Worried"}, headers=headers)
    assert (done.status_code, done.text.strip()[:22]) == (200, '<tr class="answering s')
    assert f"bound to update {n}" in done.text
    assert "Worried" in done.text
