"""Being told: a concern reaches the list, the mail sink and both receivers, each once, in their honest states."""

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.agreement.answers import AnswerConcern, MakeComment, RaiseConcern, Screen
from domain.errors import Denied
from domain.ids import ChannelId, CommandId, PersonId, ProjectId
from domain.people.for_you import HandOverLine, SetAbsence
from domain.people.mails import Mail
from domain.people.person import AssignProjects, DisablePerson, InvitePerson
from domain.plan.project import DescribeProject
from domain.telling.channels import AddChannel, AllowChannelContent, Channel, EndChannel, Posted, QueueMessage
from domain.telling.notices import ChooseNotices
from domain.telling.told import News
from projections.events.present import CurrentWorld
from tests.chat import Slack, Teams, certified, receiving
from tests.mail import SENDER, Sink, sink
from tests.web.doors import VIEWER, House, every_route, running, wait_until
from tests.web.manager.test_finding import depot, do
from tests.world import HARBOUR, SHARE
from web.clock import Virtual
from web.ids import new_id
from web.mail import sender
from web.write.permission import Actor

SCREEN = Screen(n=1, head="ab" * 32)
AT = datetime(2027, 5, 3, 9, 12, tzinfo=UTC)  # ten past ten in London
SECRETS = "SECRET"  # in every address of the receivers


@pytest.fixture
def now() -> Virtual:
    return Virtual(AT)


@pytest.fixture
def mails() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


@pytest.fixture
def slack(certificate: Path) -> Iterator[Slack]:
    with receiving(Slack, certificate) as made:
        yield made


@pytest.fixture
def teams(certificate: Path) -> Iterator[Teams]:
    with receiving(Teams, certificate) as made:
        yield made


@pytest.fixture
def house(tmp_path: Path, mails: Sink, now: Virtual, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr(sender, "EVERY", 0.2)  # seconds between looks for what was put off
    settings = {"smtp_url": mails.url, "mail_from": SENDER, "outside_networks": "127.0.0.0/8"}
    with running(tmp_path / "data", every_route(), now, **settings) as made:
        do(made, AssignProjects(person=PersonId("manager"), projects=(ProjectId(HARBOUR),)))
        yield made


def channel(house: House, form: str, url: str, key: str = "", project: str = HARBOUR, *, content: bool = False) -> str:
    key = key or form
    do(
        house, AddChannel(channel=ChannelId(key), project=ProjectId(project), form=form, name=f"#{key}", address=url)  # type: ignore[arg-type]
    )  # fmt: skip
    if content:
        do(house, AllowChannelContent(channel=ChannelId(key), content=True))
    return key


def concern(house: House, now: Virtual, key: str = "c1", text: str = "Is the quay late?", share: str = SHARE) -> None:
    now.forward(seconds=1)  # what was there when a channel was added is not told there
    by = VIEWER if share == SHARE else "zoe"
    do(house, RaiseConcern(share=share, concern=key, subject="", text=text, by=PersonId(by), screen=SCREEN))  # type: ignore[arg-type]


def known(house: House, key: str) -> Channel:
    return house.process.services.present.refresh().channels[ChannelId(key)]


def posted(house: House, key: str) -> list[Posted]:
    return list(known(house, key).posted)


def noticed(house: House, person: str = "manager") -> list[Mail]:
    return [m for m in house.process.services.present.refresh().people[PersonId(person)].mails if m.kind == "notice"]


def settled(house: House, key: str, *states: str) -> None:
    wait_until(lambda: [one.state for one in posted(house, key)] == list(states))


def rest(house: House) -> None:
    """Look as often as it takes to see that nothing more is sent."""
    for _ in range(3):
        house.process.services.poster.look()
        house.process.services.poster.wait(15)
        assert house.process.services.mail_sender is not None
        house.process.services.mail_sender.look()


# at once


def test_a_concern_is_in_the_list_in_the_mail_and_in_both_channels_each_once(
    house: House, now: Virtual, mails: Sink, slack: Slack, teams: Teams
) -> None:
    channel(house, "slack", slack.url)
    channel(house, "teams", teams.url, content=True)
    concern(house, now)
    browser = house.client("manager")
    assert "Vera of Acme Rail raised a concern about the whole page." in browser.get("/for-you").text
    wait_until(lambda: mails.mails and slack.got and teams.got, 5)
    settled(house, "slack", "accepted")
    settled(house, "teams", "accepted")
    wait_until(lambda: [m.state for m in noticed(house)] == ["accepted"])
    now.forward(minutes=10)
    rest(house)
    assert (len(slack.got), len(teams.got)) == (1, 1)
    (mail,) = mails.mails
    assert (mail.to, mail.subject) == (
        "manager@x.test", "Harbour Line (internal): Vera of Acme Rail raised a concern about the whole page.",
    )  # fmt: skip
    for part in (mail.text, mail.html):
        assert "Is the quay late?" in part
        assert f"http://testserver/p/{HARBOUR}/answers#concerns" in part
    assert posted(house, "slack")[0].told == "200 ok"
    assert posted(house, "teams")[0].told == "202"


def test_without_content_a_message_names_the_project_and_the_kind_and_nothing_else(
    house: House, now: Virtual, slack: Slack, teams: Teams
) -> None:
    channel(house, "slack", slack.url)
    channel(house, "teams", teams.url)
    concern(house, now)
    wait_until(lambda: slack.got and teams.got)
    for text in (*slack.texts, *teams.texts):
        assert "Harbour Line (internal): Concern" in text
        assert not re.search(r"Vera|Acme|quay|late|share1|acme|viewer|milestone", text)
        assert set(re.findall(r"http://[^|>\s]+", text)) <= {
            "http://testserver/for-you",
            "http://adaptivecards.io/schemas/adaptive-card.json",
        }


def test_with_content_it_says_what_the_list_says_and_leads_there(house: House, now: Virtual, slack: Slack) -> None:
    channel(house, "slack", slack.url, content=True)
    concern(house, now)
    wait_until(lambda: slack.got)
    (text,) = slack.texts
    assert "Concern: Vera of Acme Rail raised a concern about the whole page. “Is the quay late?”" in text
    assert f"<http://testserver/p/{HARBOUR}/answers#concerns|Open>" in text


def test_titles_and_words_are_inert_in_both_products(house: House, now: Virtual, slack: Slack, teams: Teams) -> None:
    evil = "<!channel> <https://evil.example|Sign in> *now* @here & [Sign in](https://evil.example) **x** <at>all</at>"
    channel(house, "slack", slack.url, content=True)
    channel(house, "teams", teams.url, content=True)
    concern(house, now, text=evil)
    wait_until(lambda: slack.got and teams.got)
    (block,) = [one for one in slack.got[0]["blocks"] if one["type"] == "section"]
    assert block["text"]["type"] == "plain_text", "nothing in it is read as markup"
    assert evil in block["text"]["text"]
    links = [e for one in slack.got[0]["blocks"] if one["type"] == "context" for e in one["elements"]]
    assert all(re.fullmatch(r"<http://testserver/[^|<>]*\|[A-Za-z ]+>", e["text"]) for e in links)
    body = teams.got[0]["attachments"][0]["content"]["body"]
    assert {part["type"] for part in body} == {"RichTextBlock"}, "a TextBlock would be read as Markdown"
    assert any(evil in run["text"] for part in body for run in part["inlines"])


# what is told to whom


def test_what_was_dealt_with_before_the_mail_could_go_out_is_not_mailed(
    house: House, now: Virtual, mails: Sink, slack: Slack
) -> None:
    channel(house, "slack", slack.url)
    mails.away, slack.says = "421 busy", (503, b"busy", {})
    concern(house, now)
    settled(house, "slack", "deferred")
    wait_until(lambda: [m.state for m in noticed(house)] == ["deferred"])
    do(house, AnswerConcern(share=SHARE, concern="c1", text="No", by=PersonId("manager")))  # type: ignore[arg-type]
    mails.away, slack.says = "", None
    now.forward(minutes=2)
    settled(house, "slack", "dropped")
    wait_until(lambda: [m.state for m in noticed(house)] == ["dropped"], 20)
    assert (mails.mails, slack.got) == ([], [])


def test_nobody_is_told_of_a_project_they_do_not_manage(house: House, now: Virtual, mails: Sink, slack: Slack) -> None:
    depot(house)
    channel(house, "slack", slack.url)
    channel(house, "slack", slack.url, "theirs", "depot", content=True)
    concern(house, now, "c9", "Depot alone", "zug1")
    wait_until(lambda: slack.got and [got.to for got in mails.mails] == ["admin@x.test"])
    rest(house)
    assert [got.to for got in mails.mails] == ["admin@x.test"]
    assert posted(house, "slack") == []
    assert len(slack.got) == 1
    assert "Depot alone" in slack.texts[0]


@pytest.mark.slow
def test_a_mail_at_once_each_morning_or_not_at_all_by_kind_and_person(house: House, now: Virtual, mails: Sink) -> None:
    do(house, InvitePerson(person="sam", name="Sam", email="s@x.test", role="manager", projects=(ProjectId(HARBOUR),)))  # type: ignore[arg-type]
    when = {"concern": "morning", "comment": "off"}
    do(house, ChooseNotices(person=PersonId("sam"), when=when, time_zone="Pacific/Auckland"))  # type: ignore[arg-type]
    concern(house, now)
    said = MakeComment(
        share=SHARE,
        comment="k1",
        subject="milestone-m1",
        text="Well?",
        by=PersonId(VIEWER),
        side="theirs",
        screen=SCREEN,
    )  # type: ignore[arg-type]
    do(house, said)
    wait_until(lambda: [got.to for got in mails.mails] == ["manager@x.test"])
    assert "commented" not in mails.mails[0].text, "comments wait for the morning"
    now.at = datetime(2027, 5, 3, 19, 2, tzinfo=UTC)  # 07:02 in Auckland
    wait_until(lambda: len(mails.mails) == 2)
    assert mails.mails[1].to == "s@x.test"
    assert ("raised a concern" in mails.mails[1].text, "commented" in mails.mails[1].text) == (True, False)
    now.at = datetime(2027, 5, 4, 5, 59, tzinfo=UTC)  # 06:59 in London
    rest(house)
    assert len(mails.mails) == 2
    now.at = datetime(2027, 5, 4, 6, 1, tzinfo=UTC)
    wait_until(lambda: len(mails.mails) == 3)
    assert mails.mails[2].to == "manager@x.test"
    assert ("raised a concern" in mails.mails[2].text, "commented" in mails.mails[2].text) == (False, True)


def test_whoever_covers_and_whoever_was_handed_a_line_are_mailed_of_it(house: House, now: Virtual, mails: Sink) -> None:
    for key in ("sam", "tess"):
        told = InvitePerson(
            person=PersonId(key), name=key.title(), email=f"{key}@x.test", role="manager", projects=(ProjectId(HARBOUR),)
        )  # fmt: skip
        do(house, told)
    titles = {"title": "Harbour Line (internal)", "client_title": "Harbour Line"}
    do(house, DescribeProject(project=ProjectId(HARBOUR), owner=PersonId("manager"), **titles))
    concern(house, now)
    wait_until(lambda: [got.to for got in mails.mails] == ["manager@x.test"])
    line = f"concern.{HARBOUR}.{SHARE}.c1"
    do(house, HandOverLine(person=PersonId("manager"), project=ProjectId(HARBOUR), line=line, to=PersonId("tess")))
    wait_until(lambda: len(mails.mails) == 2)
    assert (mails.mails[1].to, "Handed to you by Manager." in mails.mails[1].text) == ("tess@x.test", True)
    day = now().date()
    do(house, SetAbsence(person=PersonId("tess"), first=day, last=day, cover=PersonId("sam")))
    wait_until(lambda: len(mails.mails) == 3)
    assert (mails.mails[2].to, "Tess is away; you cover for them." in mails.mails[2].text) == ("sam@x.test", True)


def test_what_comes_together_is_one_mail_and_one_message(house: House, now: Virtual, mails: Sink, slack: Slack) -> None:
    channel(house, "slack", slack.url)
    slack.holds = threading.Event()
    concern(house, now)
    wait_until(lambda: slack.has_one.is_set() and mails.mails)
    for number in range(20):
        concern(house, now, f"d{number}")
        now.forward(seconds=-1)
    slack.holds.set()
    settled(house, "slack", "accepted", "accepted")
    assert slack.texts[1].count("Concern") >= 12
    assert "8 more in the list." in slack.texts[1]
    now.forward(seconds=30)
    wait_until(lambda: len(mails.mails) == 2)
    assert "20 things wait for you" in mails.mails[1].subject


# honest states


def test_refused_and_put_off_are_two_things_and_the_refusal_is_on_the_list(
    house: House, now: Virtual, slack: Slack
) -> None:
    channel(house, "slack", slack.url)
    slack.says = 429, b"rate_limited", {"retry-after": "90"}
    concern(house, now)
    settled(house, "slack", "deferred")
    assert (posted(house, "slack")[0].wait, posted(house, "slack")[0].told) == (90, "429 rate_limited")
    concern(house, now, "c2")
    now.forward(seconds=80)
    rest(house)
    assert len(slack.asked) == 1, "nothing is sent before the time that was asked for"
    slack.says = 503, b"busy", {}
    now.forward(seconds=20)
    wait_until(lambda: posted(house, "slack")[0].tries == 2)
    slack.says = 404, b"no_service", {}
    now.forward(minutes=5)
    settled(house, "slack", "refused", "refused")
    assert posted(house, "slack")[0].told == "404 no_service"
    browser = house.client("manager")
    assert "The channel #slack did not take the last message." in browser.get("/for-you").text
    page = browser.get(f"/p/{HARBOUR}/channels").text
    assert "Message not taken by Slack" in page
    assert "404 no_service" in page
    slack.says = None
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    answer = browser.post(f"/p/{HARBOUR}/channels/slack/test", data={"csrf": csrf[1]})
    assert answer.status_code == 303
    assert "Test accepted by Slack" in browser.get(answer.headers["location"]).text
    assert "did not take" not in browser.get("/for-you").text


def test_a_message_without_an_answer_is_not_sent_again_and_says_so(house: House, now: Virtual, teams: Teams) -> None:
    channel(house, "teams", teams.url)
    teams.drops = True
    concern(house, now)
    wait_until(teams.has_one.is_set)
    house.process.services.poster.wait(15)
    teams.drops = False
    now.forward(days=1)
    rest(house)
    assert len(teams.got) == 1
    settled(house, "teams", "queued")
    page = house.client("manager").get(f"/p/{HARBOUR}/channels").text
    assert "No answer is on record; it may have gone out" in page
    concern(house, now, "c2")
    settled(house, "teams", "queued", "accepted")


def test_a_gateway_that_gave_up_may_have_sent_it(house: House, now: Virtual, teams: Teams) -> None:
    channel(house, "teams", teams.url)
    teams.says = 504, b"timeout", {}
    concern(house, now)
    wait_until(lambda: teams.asked)
    house.process.services.poster.wait(15)
    teams.says = None
    now.forward(hours=5)
    rest(house)
    assert len(teams.asked) == 1
    settled(house, "teams", "queued")


def test_an_end_that_throttles_in_words_is_put_off(house: House, now: Virtual, teams: Teams) -> None:
    channel(house, "teams", teams.url)
    teams.says = 200, b"Webhook message delivery failed: Microsoft Teams endpoint returned HTTP error 429", {}
    concern(house, now)
    settled(house, "teams", "deferred")


def test_after_three_days_of_being_put_off_it_is_given_up(house: House, now: Virtual, slack: Slack) -> None:
    channel(house, "slack", slack.url)
    slack.says = 503, b"busy", {}
    concern(house, now)
    settled(house, "slack", "deferred")
    now.forward(days=3, hours=1)
    settled(house, "slack", "refused")
    assert posted(house, "slack")[0].told == "Given up after three days: 503 busy"


# the address


def test_the_address_is_nowhere_but_sealed(
    house: House, now: Virtual, slack: Slack, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    channel(house, "slack", slack.url)
    slack.says = 400, f"bad {slack.path} {slack.url}".encode(), {}
    concern(house, now)
    settled(house, "slack", "refused")
    services, browser = house.process.services, house.client("admin")
    every = "".join(repr(r) for r in services.logs.events.everything())
    pages = [f"/p/{HARBOUR}/channels", f"/p/{HARBOUR}/channels?done=added", "/audit", "/audit?technical=1", "/for-you"]
    for text in (every, repr(services.present.world.channels), caplog.text, *(browser.get(at).text for at in pages)):
        assert SECRETS not in text
    assert services.logs.events.open_secret("channel-slack", known(house, "slack").address) == slack.url
    page = browser.get(f"/p/{HARBOUR}/channels").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    bad = {"csrf": csrf[1], "address": slack.url.replace("https", "http"), "name": "", "form": "slack"}
    for path in ("", "/slack/address"):
        answer = browser.post(f"/p/{HARBOUR}/channels{path}", data=bad)
        assert answer.status_code == 422
        assert SECRETS not in answer.text
    token = house.bearer("admin")
    sent = {"type": "replace-channel-address", "channel": "slack", "address": f"http://{SECRETS}"}
    answer = house.client().post("/api/v1/commands", json=sent, headers=token)
    assert answer.status_code == 422
    assert SECRETS not in answer.text
    stored = b"".join(file.read_bytes() for file in (tmp_path / "data").rglob("*") if file.is_file())
    assert SECRETS.encode() not in stored


def test_an_ended_channel_gets_nothing_more_and_its_address_is_destroyed(
    house: House, now: Virtual, slack: Slack
) -> None:
    channel(house, "slack", slack.url)
    sealed = known(house, "slack").address
    do(house, EndChannel(channel=ChannelId("slack")))
    concern(house, now)
    rest(house)
    assert slack.asked == []
    for log in (house.process.services.logs.events,):
        with pytest.raises(Exception, match="there is no key"):
            log.open_secret("channel-slack", sealed)
    with pytest.raises(Exception, match="has ended"):
        house.process.services.poster.try_out(Actor(PersonId("admin"), "admin"), ChannelId("slack"))


def test_a_replaced_address_is_the_one_that_is_sent_to(house: House, now: Virtual, slack: Slack, teams: Teams) -> None:
    channel(house, "slack", teams.url)
    browser = house.client("manager")
    csrf = re.search(r'name="csrf" value="([^"]+)"', browser.get(f"/p/{HARBOUR}/channels").text)
    assert csrf is not None
    path = f"/p/{HARBOUR}/channels/slack/address"
    assert browser.post(path, data={"csrf": csrf[1], "address": slack.url}).status_code == 303
    concern(house, now)
    wait_until(lambda: slack.got)
    assert teams.asked == []


def test_an_address_in_a_private_network_is_told_at_the_test_and_never_connected_to(
    tmp_path: Path, now: Virtual, slack: Slack
) -> None:
    with running(tmp_path / "other", every_route(), now) as house:
        channel(house, "slack", slack.url)
        browser = house.client("manager")
        csrf = re.search(r'name="csrf" value="([^"]+)"', browser.get(f"/p/{HARBOUR}/channels").text)
        assert csrf is not None
        answer = browser.post(f"/p/{HARBOUR}/channels/slack/test", data={"csrf": csrf[1]})
        assert "leads into a private network" in browser.get(answer.headers["location"]).text
        assert slack.asked == []


# who may do what


def test_a_channel_is_set_up_by_who_manages_the_project_and_sees_content_where_an_admin_says_so(
    house: House, slack: Slack
) -> None:
    depot(house)
    channel(house, "slack", slack.url)
    channel(house, "slack", slack.url, "theirs", "depot")
    services = house.process.services
    manager, viewer, auditor = (
        Actor(PersonId("manager"), "manager"), Actor(PersonId(VIEWER), "viewer"), Actor(PersonId("auditor"), "auditor")
    )  # fmt: skip

    def may(actor: Actor, command: Any) -> bool:
        try:
            services.service.execute(actor, command, command_id=CommandId(new_id(24)))
        except Denied:
            return False
        return True

    news = (News(line="concern.harbour.s.c"),)
    add = AddChannel(channel=ChannelId("x"), project=ProjectId("depot"), form="slack", name="x", address=slack.url)
    nothing = AddChannel(channel=ChannelId("x"), project=ProjectId("none"), form="slack", name="x", address=slack.url)
    for command in (
        add, nothing, EndChannel(channel=ChannelId("theirs")), EndChannel(channel=ChannelId("nobody")),
        AllowChannelContent(channel=ChannelId("slack"), content=True),
        QueueMessage(channel=ChannelId("slack"), message="m", news=news),
        QueueMessage(channel=ChannelId("theirs"), message="m"),
        ChooseNotices(person=PersonId("admin"), when={}),
    ):  # fmt: skip
        assert not may(manager, command), command
    for actor in (viewer, auditor):
        assert not may(actor, EndChannel(channel=ChannelId("slack")))
        assert not may(actor, ChooseNotices(person=actor.person, when={"concern": "off"}))
    assert may(manager, ChooseNotices(person=PersonId("manager"), when={"concern": "off"}))
    assert may(manager, QueueMessage(channel=ChannelId("slack"), message="m"))
    assert may(manager, EndChannel(channel=ChannelId("slack")))
    browser = house.client("manager")
    assert browser.get("/p/depot/channels").status_code == 404
    csrf = re.search(r'name="csrf" value="([^"]+)"', browser.get(f"/p/{HARBOUR}/channels").text)
    assert csrf is not None
    for deed in ("test", "address", "change", "content", "end"):
        path = f"/p/{HARBOUR}/channels/theirs/{deed}"
        data = {"csrf": csrf[1], "address": slack.url, "name": "x", "kind": "concern"}
        assert browser.post(path, data=data).status_code == 404, deed
    assert slack.asked == []


def test_whoever_may_not_come_in_any_more_is_mailed_nothing(house: House, now: Virtual, mails: Sink) -> None:
    do(house, DisablePerson(person=PersonId("manager"), reason="left"))
    concern(house, now)
    wait_until(lambda: [got.to for got in mails.mails] == ["admin@x.test"])
    assert noticed(house) == []


def test_what_one_is_told_of_is_chosen_on_a_page(house: House) -> None:
    browser = house.client("manager")
    page = browser.get("/for-you/settings").text
    assert '<option value="once" selected>At once</option>' in page
    csrf = re.search(r'name="csrf" value="([^"]+)"', page)
    assert csrf is not None
    answer = browser.post("/for-you/settings", data={"csrf": csrf[1], "concern": "off", "ack": "once", "zone": "Mars"})
    assert answer.status_code == 422
    assert "Mars" in answer.text
    assert "is no time zone" in answer.text
    answer = browser.post(
        "/for-you/settings", data={"csrf": csrf[1], "concern": "off", "ack": "once", "zone": "Europe/Paris"}
    )
    assert answer.status_code == 303
    person = house.process.services.present.refresh().people[PersonId("manager")]
    assert [person.notices.of(kind) for kind in ("concern", "ack", "hold")] == ["off", "once", "morning"]
    assert person.notices.time_zone == "Europe/Paris"


def test_a_second_process_knows_what_was_told(house: House, now: Virtual, slack: Slack, mails: Sink) -> None:
    channel(house, "slack", slack.url)
    concern(house, now)
    settled(house, "slack", "accepted")
    wait_until(lambda: [m.state for m in noticed(house)] == ["accepted"])
    world = CurrentWorld(house.process.services.logs.events).world
    line = f"concern.{HARBOUR}.{SHARE}.c1"
    assert world.channels[ChannelId("slack")].told.has(line, now())
    assert world.people[PersonId("manager")].notices.told.has(line, AT + timedelta(seconds=1))


def test_what_fails_for_one_channel_and_one_person_keeps_nothing_from_the_others(
    house: House, now: Virtual, mails: Sink, slack: Slack, teams: Teams, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, notices = house.process.services, house.process._telling.notices
    do(house, InvitePerson(person=PersonId("mira"), name="Mira", email="mira@x.test", role="manager"))
    do(house, AssignProjects(person=PersonId("mira"), projects=(ProjectId(HARBOUR),)))
    channel(house, "slack", slack.url)
    channel(house, "teams", teams.url)
    to_channel, to_person = services.poster._due, notices._due
    readers = list(notices._for_you.readers())
    assert {"manager", "mira"} <= set(readers)
    failing = next(key for key in readers if key in ("manager", "mira"))  # the one that is looked at first
    (other,) = {"manager", "mira"} - {failing}

    def broken_for_slack(of: Channel, *more: Any) -> Any:
        return to_channel(of, *more) if of.id != "slack" else 1 / 0

    def broken_for_one(world: Any, person: Any, *more: Any) -> Any:
        return to_person(world, person, *more) if person.id != failing else 1 / 0

    monkeypatch.setattr(services.poster, "_due", broken_for_slack)
    monkeypatch.setattr(notices, "_due", broken_for_one)
    concern(house, now)
    settled(house, "teams", "accepted")
    wait_until(lambda: [m.state for m in noticed(house, other)] == ["accepted"])
    assert (slack.got, noticed(house, failing)) == ([], [])
