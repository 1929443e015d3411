"""Mail: settings, what a server's answer means, invitations in their honest state, and the one click that stops mails."""

import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from domain.ids import CommandId, PersonId
from domain.people.clients import SetMailDomains
from domain.people.mails import ChooseDigest
from domain.people.person import DisablePerson
from domain.plan.schedule import MoveForecast
from tests.mail import SENDER, Got, Sink, sink
from tests.ports import free_port
from tests.web.doors import OTHER_VIEWER, VIEWER, House, running, wait_until
from tests.web.manager.plan.test_change import hidden
from tests.world import ACME, COUNCIL, HARBOUR, SHARE
from web.client import dashboard, history, home
from web.clock import Virtual
from web.ids import new_id
from web.mail import letters, sender, smtp
from web.mail.stop import stop_token
from web.mail_server import Server
from web.mail_server import server as server_of
from web.manager import projects
from web.people import mail_choice
from web.settings import BadSetting, read
from web.sign_in import link
from web.write.permission import OPERATOR

HERE = f"/p/{HARBOUR}/shares/{SHARE}"
ROUTES = [
    *projects.routes(),
    *link.routes(),
    *home.routes(),
    *dashboard.routes(),
    *history.routes(),
    *mail_choice.routes(),
]
GOOD = {"FANLIGHT_SMTP_URL": "smtp://u:p@mail.example.com", "FANLIGHT_MAIL_FROM": SENDER}
SECRET = "hunter2"


@pytest.fixture
def server() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def now() -> Virtual:
    return Virtual(datetime(2027, 5, 3, 9, 12, tzinfo=UTC))


@pytest.fixture
def house(tmp_path: Path, server: Sink, now: Virtual) -> Iterator[House]:
    with running(tmp_path / "data", ROUTES, now, smtp_url=server.url, mail_from=SENDER) as made:
        yield made


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[House]:
    """An installation without a mail server."""
    with running(tmp_path / "data", ROUTES) as made:
        yield made


# settings


@pytest.mark.once
def test_a_mail_server_is_set_by_two_variables_or_by_files_that_hold_them(tmp_path: Path) -> None:
    assert read({}, {}).smtp_url == ""
    assert read({}, GOOD).mail_from == SENDER
    held = tmp_path / "smtp"
    held.write_text("smtps://u:p%40w@mail.example.com\n")
    found = read({}, {"FANLIGHT_SMTP_URL_FILE": str(held), "FANLIGHT_MAIL_FROM": SENDER})
    assert server_of(found.smtp_url) == Server(host="mail.example.com", port=465, tls=True, user="u", password="p@w")
    assert server_of("smtp://u:p@mail.example.com").port == 587
    assert server_of("smtp://localhost") == Server(host="localhost", port=25, tls=False)


@pytest.mark.once
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"FANLIGHT_MAIL_FROM": ""}, "Email needs both"),
        ({"FANLIGHT_SMTP_URL": ""}, "Email needs both"),
        ({"FANLIGHT_SMTP_URL": f"http://u:{SECRET}@mail.example.com"}, "FANLIGHT_SMTP_URL is no mail server"),
        ({"FANLIGHT_SMTP_URL": f"smtp://u:{SECRET}@:25"}, "FANLIGHT_SMTP_URL is no mail server"),
        ({"FANLIGHT_SMTP_URL": f"smtp://u:{SECRET}@h:99999"}, "FANLIGHT_SMTP_URL is no mail server"),
        ({"FANLIGHT_SMTP_URL": f"smtp://u:{SECRET}@h/path"}, "FANLIGHT_SMTP_URL is no mail server"),
        ({"FANLIGHT_SMTP_URL": "smtp://u@h"}, "expected both or neither"),
        ({"FANLIGHT_MAIL_FROM": "Status <status@works.example>"}, "expected one address such as"),
        ({"FANLIGHT_MAIL_FROM": "status@works.example\nBcc: x@x.test"}, "expected one address such as"),
        ({"FANLIGHT_DIGEST_HOUR": "24"}, "0 to 23"),
    ],
)
def test_a_bad_mail_setting_is_told_in_one_line_without_the_password(changed: dict[str, str], told: str) -> None:
    with pytest.raises(BadSetting) as raised:
        read({}, {**GOOD, **changed})
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert SECRET not in str(raised.value)


@pytest.mark.once
def test_a_bad_mail_setting_stops_the_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "web.cli", "serve", "--data", str(tmp_path), "--mail-from", "nobody"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("fanlight: Email needs both")


# what an answer means


def handed(to: Server, address: str = "v@acme.test") -> smtp.Outcome:
    with smtp.talking(to, "works.example") as session:
        return session.hand(SENDER, address, b"Subject: x\r\n\r\n.dot\r\n")


@pytest.mark.once
def test_a_servers_yes_no_and_not_now_are_three_things(server: Sink) -> None:
    assert handed(server.server) == smtp.Outcome("accepted", "250 taken")
    assert server.mails[0].raw.endswith(b".dot\r\n")
    server.refuse["v@acme.test"] = "550 5.1.1 no such user"
    assert handed(server.server) == smtp.Outcome("refused", "550 5.1.1 no such user")
    server.refuse["v@acme.test"] = "450 greylisted"
    assert handed(server.server).state == "deferred"
    assert handed(server.server, "w@acme.test").state == "accepted"
    server.refuse["x@acme.test"] = "252 cannot say who that is, and takes it"
    taken = len(server.mails)
    assert handed(server.server, "x@acme.test").state == "accepted"
    assert len(server.mails) == taken + 1
    server.content_away = "552 too much of it"
    assert handed(server.server, "w@acme.test") == smtp.Outcome("refused", "552 too much of it")
    server.content_away = "451 disk full"
    assert handed(server.server, "w@acme.test").state == "deferred"


@pytest.mark.once
def test_a_no_to_whoever_sends_says_nothing_about_the_mail(server: Sink) -> None:
    server.away = "530 authentication required"
    assert handed(server.server) == smtp.Outcome("deferred", "530 authentication required")


@pytest.mark.once
def test_an_answer_that_is_lost_after_the_content_is_not_called_anything(server: Sink) -> None:
    server.hangs_up = True
    assert handed(server.server).state == "unknown"
    assert len(server.mails) == 1


@pytest.mark.once
def test_one_refusal_does_not_end_the_conversation(server: Sink) -> None:
    server.refuse["a@acme.test"] = "550 no"
    with smtp.talking(server.server, "works.example") as session:
        states = [session.hand(SENDER, to, b"x\r\n").state for to in ("a@acme.test", "b@acme.test", "a@acme.test")]
        assert states == ["refused", "accepted", "refused"]
        assert not session.broken


@pytest.mark.once
def test_a_server_that_is_not_there_is_away() -> None:
    with pytest.raises(smtp.Away):
        handed(server_of(f"smtp://127.0.0.1:{free_port()}"))


@pytest.mark.once
def test_a_servers_words_cannot_hold_what_a_page_would_stumble_over() -> None:
    assert smtp._words(550, b"no\x1b[31m such\r\n user \xff\xe2\x80\xae") == "550 no[31m such user �"


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for this machine, made and trusted for this test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    at = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(at - timedelta(days=1)).not_valid_after(at + timedelta(days=1))
    signed = made.add_extension(x509.SubjectAlternativeName(names), critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path / "cert.pem"
    file.write_bytes(signed.public_bytes(pem) + secret)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


@pytest.mark.once
def test_a_password_goes_out_encrypted_or_not_at_all(trusted: ssl.SSLContext) -> None:
    with sink(tls=trusted, password=SECRET) as server:
        assert handed(server_of(f"smtp://me:{SECRET}@127.0.0.1:{server.port}")).state == "accepted"
        assert server.secured == [True]
        with pytest.raises(smtp.Away, match="535"):
            handed(server_of(f"smtp://me:wrong@127.0.0.1:{server.port}"))
    with sink(password=SECRET) as server:
        with pytest.raises(smtp.Away, match="STARTTLS"):
            handed(server_of(f"smtp://me:{SECRET}@127.0.0.1:{server.port}"))
        assert server.secured == []


@pytest.mark.once
def test_a_certificate_nobody_vouches_for_is_no_encryption(
    trusted: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with sink(tls=trusted, password=SECRET) as server:
        with pytest.raises(smtp.Away, match="certificate"):
            handed(server_of(f"smtp://me:{SECRET}@127.0.0.1:{server.port}"))
        assert server.secured == []


# letters


@pytest.mark.once
@pytest.mark.parametrize(
    "name", ["Vera\r\nBcc: all@x.test", "Vera\nSubject: other", 'A "quoted", <name@x.test>', "Žofie 🚂"]
)
def test_no_name_becomes_a_header(name: str) -> None:
    at = datetime(2027, 5, 3, 9, 12, tzinfo=UTC)
    sent = letters.Envelope(sender=SENDER, sender_name=name, to="v@acme.test", to_name=name, mail="m1", at=at)
    told = letters.Invitation(organisation=name, client="<i>Acme</i>", name=name, link="http://x/in/y", until="6 May")
    raw = letters.invitation(sent, told)
    assert raw == letters.invitation(sent, told)
    got = Got(SENDER, "v@acme.test", raw)
    assert got.parsed["Bcc"] is None
    assert got.parsed.get_all("Subject") == [got.subject]
    assert [a.addr_spec for a in got.parsed["To"].addresses] == ["v@acme.test"]
    assert got.parsed["To"].addresses[0].display_name == " ".join(name.split())
    assert "<i>" not in got.html
    assert "&lt;i&gt;Acme" in got.html
    assert raw.replace(b"\r\n", b"").count(b"\n") == 0


@pytest.mark.once
@pytest.mark.parametrize(
    "address", ["žofie@acme.test", "a@b@c", "v@", "a,b@x.test", "<v@acme.test>", '"v"@[1.2.3.4', ""]
)
def test_what_is_no_plain_address_is_not_written_to(address: str) -> None:
    assert letters.writable("vera.o'neill+x@acme-rail.example")
    assert not letters.writable(address)


# invitations


def invite(house: House, email: str = "nia@acme.test", name: str = "Nia Bell") -> str:
    manager = house.client("manager")
    form = {"csrf": hidden(manager.get(HERE).text)["csrf"], "name": name, "email": email}
    answer = manager.post(f"{HERE}/viewers", data=form)
    assert answer.status_code in (200, 422), answer.status_code
    return answer.text


def person(house: House, email: str = "nia@acme.test") -> PersonId:
    return next(p.id for p in house.process.services.present.refresh().people.values() if p.email == email)


def secret_of(server: Sink, i: int = -1) -> str:
    found = re.search(r"/in/([\w-]+)", server.mails[i].text)
    assert found
    return found.group(1)


def test_an_invitation_goes_by_mail_and_its_link_is_nowhere_else(house: House, server: Sink) -> None:
    page = invite(house)
    (got,) = server.mails
    secret = secret_of(server)
    assert (got.sender, got.to) == (SENDER, "nia@acme.test")
    assert "Example Works invites you to follow its work for Acme Rail" in got.subject
    for part in (got.text, got.html):
        assert f"http://testserver/in/{secret}" in part
        assert "6 May 2027, 10:12 (Europe/London)" in part
    assert "The link went by email." in page
    assert secret not in page
    assert "Invitation accepted by the mail server, 3 May 2027, 10:12" in page
    assert "Invitation accepted by the mail server, 3 May 2027, 10:12" in house.client("manager").get(HERE).text
    visitor = house.client()
    assert "Nia Bell" in visitor.get(f"/in/{secret}").text
    assert visitor.post(f"/in/{secret}", headers={"origin": "http://testserver"}).status_code == 303
    assert visitor.get("/home").status_code == 303


def test_an_invitation_runs_out(house: House, server: Sink, now: Virtual) -> None:
    invite(house)
    now.forward(hours=72)
    assert house.client().get(f"/in/{secret_of(server)}").status_code == 410


def test_scanners_that_follow_every_link_of_a_mail_burn_nothing(house: House, server: Sink) -> None:
    invite(house)
    house.process.services.service.execute(
        OPERATOR, ChooseDigest(person=person(house), cadence="daily"), command_id=CommandId(new_id(24))
    )
    stop = f"/mail/stop/{stop_token(house.process.services.logs.events.fingerprint, person(house))}"
    before = house.process.services.logs.events.head()
    for scanner in ("Safe Links", "curl/8"):
        robot = house.client()
        robot.headers["user-agent"] = scanner
        for path in (f"/in/{secret_of(server)}", stop, f"/s/{SHARE}", f"/s/{SHARE}/history", "/home/mail"):
            for _ in range(3):
                assert robot.get(path).status_code in (200, 303)
                assert robot.head(path).status_code in (200, 303)
            assert not robot.cookies
    assert house.process.services.logs.events.head() == before
    assert list(house.process.services.logs.receipts.claims(SHARE)) == []
    entered = house.client().post(f"/in/{secret_of(server)}", headers={"origin": "http://testserver"})
    assert entered.status_code == 303


def test_each_person_has_a_link_of_their_own(house: House, server: Sink) -> None:
    invite(house)
    invite(house, "omar@acme.test", "Omar Haddad")
    assert secret_of(server, 0) != secret_of(server, 1)
    one, other = house.client(), house.client()
    for browser, i in ((one, 0), (other, 1)):
        browser.post(f"/in/{secret_of(server, i)}", headers={"origin": "http://testserver"})
    end = DisablePerson(person=person(house), reason="Leaked")
    house.process.services.service.execute(OPERATOR, end, command_id=CommandId(new_id(24)))
    assert one.get("/home").headers["location"] == "/sign-in"
    assert other.get("/home").headers["location"] == f"/s/{SHARE}"


def test_a_refused_invitation_says_so_with_the_servers_words_and_a_link_can_still_be_shown(
    house: House, server: Sink
) -> None:
    server.refuse["nia@acme.test"] = "550 no such <user>"
    page = invite(house)
    assert "the email was refused" in page
    assert "Invitation refused by the mail server, 3 May 2027, 10:12: 550 no such &lt;user&gt;" in page
    manager = house.client("manager")
    listed = manager.get(HERE).text
    assert "refused by the mail server" in listed
    form = {"csrf": hidden(listed)["csrf"]}
    shown = manager.post(f"{HERE}/viewers/{person(house)}/link", data=form).text
    assert "/in/" in shown
    assert server.mails == []


def test_an_invitation_that_is_put_off_is_tried_again_with_a_link_that_works(
    house: House, server: Sink, now: Virtual
) -> None:
    server.refuse["nia@acme.test"] = "451 greylisted"
    assert "Invitation put off by the mail server, 3 May 2027, 10:12: 451 greylisted. It is tried again" in invite(
        house
    )
    assert house.process.services.mail_sender is not None
    server.refuse.clear()
    assert house.process.services.mail_sender.look() == 0  # not before its time
    now.forward(minutes=2)
    house.process.services.mail_sender.look()
    assert [got.to for got in server.mails] == ["nia@acme.test"]
    assert house.client().get(f"/in/{secret_of(server)}").status_code == 200
    assert "Invitation accepted by the mail server, 3 May 2027, 10:14" in house.client("manager").get(HERE).text


def test_an_invitation_that_was_put_off_is_dropped_once_its_person_came_in_by_another_link(
    house: House, server: Sink, now: Virtual
) -> None:
    server.away = "421 closing"
    invite(house)
    house.cookie(person(house))
    server.away = ""
    now.forward(minutes=2)
    assert house.process.services.mail_sender is not None
    house.process.services.mail_sender.look()
    assert server.mails == []
    assert "Invitation not sent" in house.client("manager").get(HERE).text


def test_an_invitation_without_an_answer_may_have_gone_out_and_is_mailed_again_by_hand_alone(
    house: House, server: Sink, now: Virtual
) -> None:
    server.hangs_up = True
    assert "No answer is on record; it may have gone out" in invite(house)
    server.hangs_up = False
    now.forward(hours=3)
    assert house.process.services.mail_sender is not None
    assert house.process.services.mail_sender.look() == 0
    assert len(server.mails) == 1
    manager = house.client("manager")
    form = {"csrf": hidden(manager.get(HERE).text)["csrf"]}
    assert "The link went by email." in manager.post(f"{HERE}/viewers/{person(house)}/mail", data=form).text
    assert len(server.mails) == 2
    assert secret_of(server, 0) != secret_of(server, 1)


def test_a_mail_server_that_does_not_answer_does_not_keep_the_manager_waiting(
    house: House, server: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "PATIENCE", 0.0)
    assert "The email has not been accepted yet." in invite(house)


def test_an_address_outside_the_clients_domains_is_refused_and_what_was_typed_is_kept(
    house: House, server: Sink
) -> None:
    allowed = SetMailDomains(client=ACME, domains=("acme-rail.example",))
    house.process.services.service.execute(OPERATOR, allowed, command_id=CommandId(new_id(24)))
    page = invite(house, "nia@gmail.test")
    assert "Only addresses at acme-rail.example can be invited for Acme Rail" in page
    assert 'value="nia@gmail.test"' in page
    assert 'value="Nia Bell"' in page
    assert server.mails == []
    assert "The link went by email." in invite(house, "nia@acme-rail.example")


def test_without_a_mail_server_the_link_is_shown_once_and_the_page_says_why(silent: House) -> None:
    told = silent.client("manager").get(HERE).text
    assert "No mail server is set up, so no email is sent" in told
    assert "Email a new link" not in told
    page = invite(silent)
    assert "This link is shown once." in page
    assert "/in/" in page
    assert silent.process.services.present.world.people[person(silent)].mails == ()
    form = {"csrf": hidden(told)["csrf"]}
    assert silent.client("manager").post(f"{HERE}/viewers/{VIEWER}/mail", data=form).status_code in (403, 404)
    theirs = silent.client(VIEWER).get("/home/mail").text
    assert "No emails are sent from here." in theirs
    assert 'name="cadence"' not in theirs


# a viewer's own choice


def choose(house: House, cadence: str, who: str = VIEWER) -> str:
    browser = house.client(who)
    form = {"csrf": hidden(browser.get("/home/mail").text)["csrf"], "cadence": cadence}
    assert browser.post("/home/mail", data=form).headers["location"] == "/home/mail"
    return browser.get("/home/mail").text


def test_a_viewer_chooses_how_often_on_a_page_without_scripts(house: House) -> None:
    browser = house.client(VIEWER)
    page = browser.get("/home/mail").text
    assert "You get no emails about changes." in page
    assert "<script" not in page
    for told in (
        "As it happens",
        "Every day",
        "At 07:00 (Europe/London)",
        "On Monday at 07:00 (Europe/London)",
        "Never",
    ):
        assert told in page
    assert 'href="/home/mail"' in browser.get(f"/s/{SHARE}").text
    page = choose(house, "daily")
    assert "You get an email every day when something changed." in page
    assert 'value="daily" checked' in page
    viewer = house.process.services.present.world.people[PersonId(VIEWER)]
    assert viewer.digested == {SHARE: house.process.services.logs.disclosure.head(SHARE)}
    assert 'value="weekly" checked' in choose(house, "weekly")
    assert 'value="weekly" checked' in choose(house, "hourly")  # which there is not
    assert house.process.services.present.world.people[PersonId(OTHER_VIEWER)].digest(COUNCIL) == "off"


def test_only_viewers_choose_and_only_for_themselves(house: House) -> None:
    assert house.client("manager").get("/home/mail").status_code == 404
    assert house.client().get("/home/mail").headers["location"] == "/sign-in"
    assert house.client(VIEWER).post("/home/mail", data={"cadence": "daily"}).status_code == 403
    assert house.process.services.present.world.people[PersonId(VIEWER)].digest(ACME) == "off"


def test_one_click_stops_the_mails_without_signing_in(house: House) -> None:
    choose(house, "daily")
    token = stop_token(house.process.services.logs.events.fingerprint, PersonId(VIEWER))
    provider = house.client()
    one_click = {"List-Unsubscribe": "One-Click"}
    assert "has stopped nothing" in provider.get(f"/mail/stop/{token}").text
    assert house.process.services.present.world.people[PersonId(VIEWER)].digest(ACME) == "daily"
    for wrong in (
        token[:-1],
        token + "0",
        token[:-1] + "!",
        f"{OTHER_VIEWER}{token[token.index('.') :]}",
        "x",
        "manager.x",
    ):
        assert provider.post(f"/mail/stop/{wrong}", data=one_click).status_code == 404
    assert house.process.services.present.refresh().people[PersonId(VIEWER)].digest(ACME) == "daily"
    answer = provider.post(f"/mail/stop/{token}", data=one_click)  # from a mail provider: no cookie, no origin
    assert answer.status_code == 200
    assert "No more emails" in answer.text
    assert house.process.services.present.refresh().people[PersonId(VIEWER)].digest(ACME) == "off"
    assert provider.post(f"/mail/stop/{token}", data=one_click).status_code == 200
    assert not provider.cookies
    assert provider.get(f"/s/{SHARE}").headers["location"] == "/sign-in"
    assert "You get no emails about changes." in house.client(VIEWER).get("/home/mail").text


def test_a_mail_is_no_display(house: House, server: Sink, now: Virtual) -> None:
    """Somebody who was only mailed was sent nothing by a page, and is not said to have seen anything."""
    choose(house, "daily")
    move = MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, 1), reason="Frost")  # type: ignore[arg-type]
    house.process.services.service.execute(OPERATOR, move, command_id=CommandId(new_id(24)))
    wait_until(lambda: house.process.services.logs.disclosure.head(SHARE) == 2)
    before = list(house.process.services.logs.receipts.claims(SHARE))
    now.forward(days=1)
    assert house.process.services.mail_sender is not None
    house.process.services.mail_sender.look()
    assert [got.to for got in server.mails] == ["v@acme.test"]
    assert list(house.process.services.logs.receipts.claims(SHARE)) == before
    page = house.client("manager").get(HERE).text
    assert "Digest of update 2 accepted by the mail server, 4 May 2027, 10:12" in page
    assert (
        "Digest of update 2 accepted by the mail server, 4 May 2027, 10:12"
        in house.client(VIEWER).get("/home/mail").text
    )


def test_a_choice_sent_twice_is_made_once_and_every_form_is_answered(house: House) -> None:
    browser = house.client(VIEWER)
    form = hidden(browser.get("/home/mail").text)
    for cadence in ("daily", "daily", "weekly"):
        assert browser.post("/home/mail", data=form | {"cadence": cadence}).status_code == 303
    assert house.process.services.present.refresh().people[PersonId(VIEWER)].digest(ACME) == "weekly"


def test_an_invitation_that_could_not_be_made_is_put_off_and_tried_again(
    house: House, server: Sink, now: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = house.process.services.mail_sender
    assert sender is not None

    def broken(*_: object) -> bytes:
        raise OSError("the record is away")

    with monkeypatch.context() as patched:
        patched.setattr(sender._writer, "invitation", broken)
        invite(house)
    (mail,) = house.process.services.present.refresh().people[person(house)].mails
    assert (mail.state, len(server.mails)) == ("deferred", 0)
    now.forward(minutes=2)
    wait_until(lambda: bool(sender.look()) or len(server.mails) == 1)
    (mail,) = house.process.services.present.refresh().people[person(house)].mails
    assert mail.state == "accepted"
