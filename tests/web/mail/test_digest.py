"""Digests: what was shared, in the mail itself, at times that tell nothing, never twice, and never for anything else."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path

import msgspec
import pytest

from domain.agreement.answers import MakeComment, Screen
from domain.agreement.share import ActivateTerms, DraftTerms, ReleaseHeld, RevokeShare
from domain.agreement.terms import Release, Ways
from domain.events import Recorded
from domain.ids import ClientId, MilestoneId, PersonId, ShareId
from domain.people.clients import EndClient, RegisterClient
from domain.people.mails import ChooseDigest
from domain.people.memberships import EndMembership
from domain.people.person import DisablePerson, ErasePerson, InvitePerson
from domain.plan.risks import TakeRiskNote
from domain.view import Indicator, RiskVital
from projections.events.present import CurrentWorld
from projections.evidence.erasing import Erasure, erase_entries
from projections.replay import since as replayed
from tests.mail import Got, Mailed, Sink, sink
from tests.world import ACME, ADMIN, ALL_MILESTONES, COUNCIL, DEPOT, HARBOUR, MANAGER, SHARE, START, everything
from web.mail import cadence, digest
from web.render.figures import risk_vital
from web.write.permission import OPERATOR, Actor

TALKING = everything(milestone_fields=(*ALL_MILESTONES, "comments"))
FIRST_SEED = int(os.environ.get("SEED", "1"))
MONDAY = START  # 1 March 2027, 09:00 in London


@pytest.fixture
def server() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def mailed(tmp_path: Path, server: Sink) -> Iterator[Mailed]:
    made = Mailed(tmp_path / "data", server)
    made.harbour()
    yield made
    made.close()


def to(mailed: Mailed, person: str) -> list[Got]:
    return [got for got in mailed.sink.mails if got.to.startswith(f"{person}@")]


def plain(html: str) -> str:
    """The words of markup, without the tags."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL)))


# what it says


def test_a_digest_holds_the_changes_themselves_in_text_and_markup_and_the_proof_of_where_they_stand(
    mailed: Mailed,
) -> None:
    mailed.reader("anna", "daily")
    mailed.move("m1", date(2027, 5, 14), "Supplier moved the test slot")
    mailed.move("m2", date(2027, 8, 20), "Crane away")
    mailed.until(MONDAY + timedelta(days=1))
    (got,) = to(mailed, "anna")
    entries = mailed.entries()
    assert [e.n for e in entries] == [1, 2, 3]
    for part in (got.text, plain(got.html)):
        flat = " ".join(part.split())
        for change in [c for e in entries[1:] for c in e.content.changes]:
            for said in (change.title, change.before, change.after, change.note, change.why):
                assert said in flat
        for told in ("updates 2 to 3", "Section A energised", "14 May 2027", "+11 days", "Eighteen days behind", "R-01",
                     f"{entries[-1].root[:4]} {entries[-1].root[4:8]}", "does not count as displayed"):  # fmt: skip
            assert told in flat
        assert "log in" not in flat.lower()
    assert f"http://testserver/s/{SHARE}" in got.text
    assert f'href="http://testserver/s/{SHARE}"' in got.html
    assert got.subject.startswith("Harbour Line: ")
    assert mailed.states("anna") == [("accepted", 2, 3)]


@pytest.mark.once
def test_a_mail_counts_the_shared_risks_where_the_page_counts_them() -> None:
    off_track = Indicator(status="off_track", rule="By the highest score")
    vital = RiskVital(indicator=off_track, medium=3, low=2, top="R-07", top_score=9)
    assert digest._risks(vital).status == risk_vital(vital).worst_risk == "Three medium"
    assert digest._risks(RiskVital(indicator=off_track)).status == "Off track"


def test_nothing_in_a_mail_is_fetched_and_nothing_in_it_counts_who_opens_it(mailed: Mailed) -> None:
    mailed.reader("anna", "daily")
    mailed.move("m1", date(2027, 5, 14))
    mailed.until(MONDAY + timedelta(days=1))
    (got,) = to(mailed, "anna")
    assert not re.search(r"<(img|script|link|iframe|svg)|src=|url\(|@import", got.html)
    assert {a.partition("/mail/stop/")[0] for a in re.findall(r'href="([^"]+)"', got.html)} == {
        "http://testserver/home/mail", f"http://testserver/s/{SHARE}", f"http://testserver/s/{SHARE}/history",
        "http://testserver",
    }  # fmt: skip
    assert [part.get_content_type() for part in got.parsed.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip
    assert got.parsed["List-Unsubscribe"] == "<http://testserver/mail/stop/anna.stop>"
    assert got.parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_many_updates_are_one_line_a_thing_in_a_mail_and_those_not_looked_at_are_counted(
    mailed: Mailed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (digest, replayed):
        monkeypatch.setattr(module, "LOOK", 3)
    mailed.reader("anna", "daily")
    for day in range(1, 6):
        mailed.move("m1", date(2027, 6, day), f"Reason {day}")
    mailed.move("m2", date(2027, 9, 1), "Crane away")
    mailed.until(MONDAY + timedelta(days=1))
    (got,) = to(mailed, "anna")
    for part in (got.text, plain(got.html)):
        flat = " ".join(part.split())
        assert part.count("Section A energised") == 2  # what changed, and the list of milestones
        assert re.search(r"3 May 2027 → 5 Jun 2027 \(?\+33 days\)? in 2\+ steps", flat)
        assert "Reason 5" in flat
        assert "Reason 4" not in flat
        assert "Three earlier updates are summed up here without their steps" in flat


def test_what_a_reader_said_is_no_news_to_them_and_is_to_others(mailed: Mailed) -> None:
    for reader in ("anna", "ben"):
        mailed.reader(reader, "daily")
    mailed.tell(DraftTerms(share=SHARE, terms=TALKING), MANAGER)
    mailed.tell(ActivateTerms(share=SHARE, reason="Talk"), MANAGER)
    mailed.until(MONDAY + timedelta(days=1))
    told = len(mailed.sink.mails)
    screen = Screen(n=mailed.entries()[-1].n, head=mailed.entries()[-1].root)
    said = MakeComment(
        share=SHARE, comment="c1", subject="milestone-m1", text="Why so late?", by="anna", side="theirs", screen=screen
    )
    mailed.tell(said, Actor(PersonId("anna"), "viewer", (ACME,)))
    mailed.until(MONDAY + timedelta(days=2))
    assert [got.to for got in mailed.sink.mails[told:]] == ["ben@acme.test"]
    assert "Why so late?" in mailed.sink.mails[-1].text


def test_each_person_is_mailed_what_came_after_their_own_last_mail(mailed: Mailed) -> None:
    mailed.reader("anna", "daily")
    mailed.move("m1", date(2027, 5, 14))
    mailed.until(MONDAY + timedelta(days=1))
    mailed.reader("ben", "daily")  # from now on
    mailed.move("m1", date(2027, 5, 15))
    mailed.until(MONDAY + timedelta(days=2))
    assert mailed.states("anna") == [("accepted", 2, 2), ("accepted", 3, 3)]
    assert mailed.states("ben") == [("accepted", 3, 3)]
    assert "update 3" in to(mailed, "ben")[0].text
    mailed.tell(ChooseDigest(person=PersonId("anna"), cadence="off"), OPERATOR)
    mailed.move("m1", date(2027, 5, 16))
    mailed.until(MONDAY + timedelta(days=3))
    assert len(to(mailed, "anna")) == 2
    assert len(to(mailed, "ben")) == 2


def test_what_was_narrowed_away_is_not_mailed_any_more(mailed: Mailed) -> None:
    mailed.reader("anna", "daily")
    mailed.move("m2", date(2027, 8, 20), "The secret reason")
    mailed.move("m1", date(2027, 5, 14), "Frost")
    mailed.tell(DraftTerms(share=SHARE, terms=everything(milestones=(MilestoneId("m1"),))))
    mailed.tell(ActivateTerms(share=SHARE, reason="Less"))
    mailed.move("m1", date(2027, 5, 15), "Frost again")
    mailed.until(MONDAY + timedelta(days=1))
    (got,) = to(mailed, "anna")
    assert any(c.why == "The secret reason" for e in mailed.entries() for c in e.content.changes)  # it had been shown
    assert "The secret reason" not in got.text + got.html
    assert "Frost again" in got.text
    assert "Updates 2 to 3 came under an earlier agreement" in got.text
    assert "Trial running starts: 20 Aug → No longer shared" in got.text or "No longer shared" in got.text


def test_a_name_that_tries_to_be_a_header_or_markup_stays_a_name(
    mailed: Mailed, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = 'Vera\r\nBcc: all@x.test\r\n\r\n<script>alert("x")</script>'
    told = "<b>bold</b> & <img src=x>"
    mailed.reader("anna", "daily")
    anna, stand = PersonId("anna"), CurrentWorld._stand  # the domain takes no such name, so it is smuggled in

    def smuggled(present: CurrentWorld, new: Sequence[Recorded]) -> object:
        present.world = stand(present, new).afresh()
        present.world.people[anna] = msgspec.structs.replace(present.world.people[anna], name=evil)
        return present.world

    monkeypatch.setattr(CurrentWorld, "_stand", smuggled)
    mailed.move("m1", date(2027, 5, 14), told)
    mailed.until(MONDAY + timedelta(days=1))
    (got,) = mailed.sink.mails
    assert got.parsed["Bcc"] is None
    assert got.parsed["To"].addresses[0].addr_spec == "anna@acme.test"
    assert set(got.parsed.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post",
        "MIME-Version", "Content-Type",
    }  # fmt: skip
    assert told in got.text
    assert "<img" not in got.html
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; &lt;img src=x&gt;" in got.html


# when


def test_daily_mails_leave_at_the_same_hour_of_the_clients_day_with_what_was_shown_by_then(mailed: Mailed) -> None:
    mailed.reader("anna", "daily")
    for day in range(10, 14):
        mailed.move("m1", date(2027, 5, day))
        mailed.until(datetime(2027, 3, day - 8, 7, 30, tzinfo=UTC))
    assert [at.isoformat() for at in mailed.sent_at] == [
        "2027-03-02T07:01:00+00:00", "2027-03-03T07:01:00+00:00", "2027-03-04T07:01:00+00:00",
        "2027-03-05T07:01:00+00:00",
    ]  # fmt: skip
    late = datetime(2027, 3, 27, 12, tzinfo=UTC)  # the night after, clocks go forward
    mailed.until(late)
    mailed.move("m1", date(2027, 5, 20))
    mailed.until(late + timedelta(days=1))
    assert mailed.sent_at[-1].astimezone(UTC).hour == 7
    assert cadence.slot(late + timedelta(days=1), "daily", 7, "Europe/London").hour == 6


def test_weekly_mails_leave_on_monday_and_none_leaves_when_nothing_changed(mailed: Mailed) -> None:
    mailed.reader("anna", "weekly")
    for day in (10, 11, 12):
        mailed.move("m1", date(2027, 5, day))
        mailed.until(mailed.clock.at + timedelta(days=1))
    mailed.until(datetime(2027, 3, 30, tzinfo=UTC))
    assert mailed.states("anna") == [("accepted", 2, 4)]
    (sent,) = mailed.sent_at
    assert (sent.weekday(), sent.date()) == (0, date(2027, 3, 8))


def test_as_it_happens_means_within_a_minute_one_sitting_in_one_mail_and_five_minutes_between(mailed: Mailed) -> None:
    mailed.reader("anna", "instant")
    begin = mailed.clock.at.replace(second=0)
    mailed.move("m1", date(2027, 5, 10))
    mailed.clock.at = begin + timedelta(minutes=2, seconds=10)
    assert [at - begin for at in mailed.sent_at] == [timedelta(minutes=2)]  # the first whole minute with 20 s of quiet
    for day in (11, 12, 13):
        mailed.move("m1", date(2027, 5, day))  # a minute each
    mailed.until(begin + timedelta(minutes=30))
    assert mailed.states("anna") == [("accepted", 2, 2), ("accepted", 3, 5)]
    assert [at - begin for at in mailed.sent_at] == [timedelta(minutes=2), timedelta(minutes=7)]
    assert {line for line in to(mailed, "anna")[1].text.splitlines() if "updates 3 to 5" in line}


def test_a_choice_changed_between_two_mails_loses_nothing(mailed: Mailed) -> None:
    mailed.reader("anna", "weekly")
    mailed.move("m1", date(2027, 5, 10))
    mailed.tell(ChooseDigest(person=PersonId("anna"), cadence="daily"), OPERATOR)
    mailed.until(MONDAY + timedelta(days=1))
    assert mailed.states("anna") == [("accepted", 2, 2)]


# never


def _hidden(mailed: Mailed) -> None:
    mailed.move("hidden", date(2027, 9, 9))
    mailed.tell(TakeRiskNote(project=HARBOUR, risk="r1", note="internal"))  # type: ignore[arg-type]
    mailed.project(DEPOT, "Depot")
    mailed.milestone("d1", date(2027, 5, 1), "Depot", DEPOT)


def test_what_is_not_shared_causes_no_mail(tmp_path: Path, server: Sink) -> None:
    mailed = Mailed(tmp_path / "data", server)
    mailed.harbour(everything(health=()))  # which tells of all that there is, knowingly
    for name, often in (("anna", "instant"), ("ben", "daily"), ("cleo", "weekly")):
        mailed.reader(name, often)  # type: ignore[arg-type]
    before = mailed.folder.events.head()
    _hidden(mailed)
    mailed.until(MONDAY + timedelta(days=9))
    assert mailed.folder.events.head() > before
    assert mailed.sink.mails == []
    mailed.move("m1", date(2027, 5, 10))
    mailed.until(MONDAY + timedelta(days=16))
    assert len(mailed.sink.mails) == 3
    mailed.close()


def test_what_waits_for_review_is_not_mailed_before_it_is_released(mailed: Mailed) -> None:
    mailed.reader("anna", "daily")
    held = Ways(release=Release(hours=48, slip_days=0))
    mailed.tell(DraftTerms(share=SHARE, terms=everything(), ways=held))
    mailed.tell(ActivateTerms(share=SHARE, reason="Review first"))
    mailed.until(MONDAY + timedelta(days=1))
    before = len(mailed.sink.mails)
    mailed.move("m1", date(2027, 5, 20), "Held back")
    mailed.until(MONDAY + timedelta(days=2))
    assert mailed.present.world.held(SHARE).facts
    assert len(mailed.sink.mails) == before
    mailed.tell(ReleaseHeld(share=SHARE, by=MANAGER.person))
    mailed.until(MONDAY + timedelta(days=3))
    assert len(mailed.sink.mails) == before + 1
    assert "Held back" in mailed.sink.mails[-1].text


ENDS: dict[str, Callable[[Mailed], object]] = {
    "the share was ended": lambda m: m.tell(RevokeShare(share=SHARE, reason="Over")),
    "the client was ended": lambda m: m.tell(EndClient(client=ACME, reason="Over"), ADMIN),
    "the person was disabled": lambda m: m.tell(DisablePerson(person=PersonId("anna"), reason="Left"), ADMIN),
    "the person was erased": lambda m: m.tell(ErasePerson(person=PersonId("anna"), reason="Asked"), ADMIN),
    "they chose no mails": lambda m: m.tell(ChooseDigest(person=PersonId("anna"), cadence="off"), OPERATOR),
}


@pytest.mark.parametrize("end", [None, *ENDS])
def test_what_has_ended_is_not_mailed(mailed: Mailed, end: str | None) -> None:
    mailed.reader("anna", "daily")
    mailed.reader("other", "daily", COUNCIL)
    mailed.move("m1", date(2027, 5, 10))
    if end is not None:
        ENDS[end](mailed)
    mailed.until(MONDAY + timedelta(days=8))
    assert len(mailed.sink.mails) == (1 if end is None else 0)


def erase(mailed: Mailed, number: int) -> None:
    erase_entries(
        mailed.folder, mailed.notary, Erasure(share=SHARE, numbers=[number], reason="Asked", who="ines"), mailed.clock()
    )


def test_an_update_that_was_erased_is_left_out_and_one_whose_all_was_erased_is_not_sent(mailed: Mailed) -> None:
    mailed.reader("anna", "daily")
    mailed.move("m1", date(2027, 5, 10), "The erased reason")
    mailed.move("m1", date(2027, 5, 11), "The other reason")
    erase(mailed, 2)
    mailed.until(MONDAY + timedelta(days=1))
    (got,) = mailed.sink.mails
    assert "The erased reason" not in got.text + got.html
    assert "The other reason" in got.text
    mailed.sink.content_away = "451 later"
    mailed.move("m1", date(2027, 5, 12), "Erased while it waited")
    mailed.until(MONDAY + timedelta(days=2))
    mailed.move("m1", date(2027, 5, 13), "Stays")
    erase(mailed, 4)
    mailed.sink.content_away = ""
    mailed.until(MONDAY + timedelta(days=3))
    assert mailed.states("anna") == [("accepted", 2, 3), ("dropped", 4, 4), ("accepted", 5, 5)]
    assert "Erased while it waited" not in "".join(got.text for got in mailed.sink.mails)


def test_a_share_whose_last_day_is_over_sends_nothing_more_even_before_anybody_wrote_that_down(mailed: Mailed) -> None:
    mailed.reader("anna", "daily")
    expires = MONDAY + timedelta(hours=12)
    mailed.tell(DraftTerms(share=SHARE, terms=everything(), ways=Ways(expires=expires)))
    mailed.tell(ActivateTerms(share=SHARE, reason="Until tonight"))
    mailed.move("m1", date(2027, 5, 10))
    mailed.until(MONDAY + timedelta(days=2))
    assert mailed.present.world.shares[SHARE].active
    assert mailed.sink.mails == []


# never twice, and in its honest state


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("place", ["after-mail-queued", "before-mail-settled"])
def test_a_digest_that_may_have_gone_out_is_never_sent_again(tmp_path: Path, server: Sink, place: str) -> None:
    armed = []

    def point(name: str) -> None:
        if name == place and armed:
            armed.clear()
            raise Killed

    mailed = Mailed(tmp_path / "data", server, crash_point=point)
    mailed.harbour()
    mailed.reader("anna", "daily")
    mailed.move("m1", date(2027, 5, 10))
    armed.append(True)
    with pytest.raises(Killed):
        mailed.until(MONDAY + timedelta(days=1))
    mailed.restart()
    went = len(server.mails)
    assert went == (place == "before-mail-settled")
    assert mailed.states("anna") == [("queued", 2, 2)]
    mailed.until(MONDAY + timedelta(days=2))
    assert len(server.mails) == went
    mailed.move("m1", date(2027, 5, 11))
    mailed.until(MONDAY + timedelta(days=3))
    assert mailed.states("anna") == [("queued", 2, 2), ("accepted", 3, 3)]
    assert len(server.mails) == went + 1
    mailed.close()


def test_an_answer_that_was_lost_leaves_the_mail_queued_and_it_is_not_sent_again(mailed: Mailed) -> None:
    mailed.reader("anna", "daily")
    mailed.move("m1", date(2027, 5, 10))
    mailed.sink.hangs_up = True
    mailed.until(MONDAY + timedelta(days=2))
    assert mailed.states("anna") == [("queued", 2, 2)]
    assert len(mailed.sink.mails) == 1


def test_a_refusal_for_good_is_on_record_with_the_servers_words_and_does_not_keep_others_from_theirs(
    mailed: Mailed,
) -> None:
    mailed.sink.refuse["anna@acme.test"] = "550 5.1.1 no such user"
    mailed.reader("anna", "daily")
    mailed.reader("ben", "daily")
    mailed.move("m1", date(2027, 5, 10))
    mailed.until(MONDAY + timedelta(days=2))
    assert mailed.states("anna") == [("refused", 2, 2)]
    assert mailed.present.world.people[PersonId("anna")].mails[0].told == "550 5.1.1 no such user"
    assert mailed.states("ben") == [("accepted", 2, 2)]
    assert [got.to for got in mailed.sink.mails] == ["ben@acme.test"]


def test_what_is_put_off_is_tried_again_also_by_another_process_and_meanwhile_nothing_more_is_queued(
    mailed: Mailed,
) -> None:
    mailed.reader("anna", "instant")
    mailed.sink.refuse["anna@acme.test"] = "451 4.7.1 try again later"
    mailed.move("m1", date(2027, 5, 10))
    mailed.until(mailed.clock.at + timedelta(minutes=3))
    assert mailed.states("anna") == [("deferred", 2, 2)]
    mailed.restart()
    mailed.move("m1", date(2027, 5, 11))
    mailed.until(mailed.clock.at + timedelta(minutes=8))
    assert mailed.states("anna") == [("deferred", 2, 2)]
    assert mailed.present.world.people[PersonId("anna")].mails[0].tries > 1
    mailed.sink.refuse.clear()
    mailed.until(mailed.clock.at + timedelta(hours=2))
    assert mailed.states("anna") == [("accepted", 2, 2), ("accepted", 3, 3)]
    assert len({got.parsed["Message-ID"] for got in mailed.sink.mails}) == len(mailed.sink.mails) == 2


def test_a_mail_put_off_for_three_days_is_given_up_and_says_so(mailed: Mailed) -> None:
    mailed.reader("anna", "daily")
    mailed.sink.content_away = "452 mailbox full"
    mailed.move("m1", date(2027, 5, 10))
    mailed.until(MONDAY + timedelta(days=6))
    (mail,) = mailed.present.world.people[PersonId("anna")].mails
    assert (mail.state, mail.told) == ("refused", "Given up after three days: 452 mailbox full")
    assert mail.tries < 90


@pytest.mark.parametrize("end", list(ENDS))
def test_what_is_put_off_and_ends_meanwhile_is_dropped(mailed: Mailed, end: str) -> None:
    mailed.reader("anna", "daily")
    mailed.sink.content_away = "451 later"
    mailed.move("m1", date(2027, 5, 10))
    mailed.until(MONDAY + timedelta(days=1))
    ENDS[end](mailed)
    mailed.sink.content_away = ""
    mailed.until(MONDAY + timedelta(days=2))
    assert mailed.sink.mails == []
    person = mailed.present.refresh().people.get(PersonId("anna"))
    assert person is None or not person.comes_in or person.mails[0].state == "dropped"


def test_while_the_mail_server_is_away_nothing_is_queued_and_nothing_is_lost(mailed: Mailed) -> None:
    mailed.reader("anna", "daily")
    mailed.move("m1", date(2027, 5, 10))
    mailed.sink.stop()
    mailed.until(datetime(2027, 3, 2, 9, tzinfo=UTC))
    assert mailed.states("anna") == []
    assert mailed.post.failure
    mailed.sink.start()
    mailed.until(datetime(2027, 3, 2, 10, 5, tzinfo=UTC))
    assert mailed.states("anna") == [("accepted", 2, 2)]
    assert mailed.post.failure == ""


# somebody of two clients


def test_digests_of_two_clients_go_out_each_at_the_hour_of_its_own_zone_to_its_own_address(mailed: Mailed) -> None:
    tokyo, share = ClientId("tokyo"), ShareId("share-tokyo")
    mailed.tell(RegisterClient(client=tokyo, name="Tokyo Metro", time_zone="Asia/Tokyo"), ADMIN)
    mailed.share(everything(), share, HARBOUR, tokyo)
    anna = mailed.reader("anna", "daily")
    second = InvitePerson(person=PersonId("x"), name="Price-san", email="ANNA@acme.test", role="viewer", client=tokyo)
    mailed.tell(second, ADMIN)
    mailed.move("m1", date(2027, 5, 14))
    mailed.until(MONDAY + timedelta(days=1, hours=2))
    assert [got.to for got in mailed.sink.mails] == ["anna@acme.test"]  # nobody chose mails about the other client
    since = {share: mailed.folder.disclosure.head(share)}
    mailed.tell(ChooseDigest(person=anna, cadence="daily", since=since, client=tokyo), OPERATOR)
    mailed.move("m2", date(2027, 8, 20))
    before = len(mailed.sink.mails)
    mailed.until(MONDAY + timedelta(days=3))
    told = list(zip(mailed.sent_at, mailed.sink.mails, strict=True))[before:]
    assert [(at.hour, got.to, got.parsed["To"].addresses[0].display_name) for at, got in told] == [
        (23, "ANNA@acme.test", "Price-san"),  # the first look after 7 in Tokyo; looks are hourly here
        (7, "anna@acme.test", "Anna"),
    ]
    assert "Acme" not in told[0][1].text
    mailed.tell(EndMembership(person=anna, client=tokyo, reason="Left"), ADMIN)
    mailed.move("m1", date(2027, 5, 28))
    mailed.until(MONDAY + timedelta(days=5))
    assert [got.to for got in mailed.sink.mails[before + 2 :]] == ["anna@acme.test"]
