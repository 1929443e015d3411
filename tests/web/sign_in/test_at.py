"""Coming in by a client's own identity provider: two real providers on real ports, by TLS, and all they may do wrong."""

import re
import socket
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import msgspec
import pytest
from starlette.testclient import TestClient

from domain.commands import AnyCommand
from domain.errors import Conflict, Denied
from domain.ids import ClientId, CommandId, PersonId, ShareId
from domain.people import person as person_stream
from domain.people.clients import EndClient, SetMailDomains
from domain.people.devices import KeepDevice
from domain.people.memberships import EndMembership, GrantMembership
from domain.people.passkeys import AddPasskey
from domain.people.person import DisablePerson, InvitePerson, Person
from domain.people.providers import RemoveProvider, SetProvider, TryProvider, UseProvider
from domain.people.sign_ins import StartSession
from projections.events.world import World as Present
from projections.logs.vault import Gone
from tests.certificates import certified
from tests.provider import CLIENT, SECRET, Provider
from tests.recorded import recorded
from tests.web.doors import ORIGIN, VIEWER
from tests.web.manager.agreement.test_shares import form_of
from tests.web.outside.test_outside import leads
from tests.world import ACME, ADMIN, COUNCIL, HARBOUR, SHARE, World, everything
from web import app as application
from web import clock
from web.identity import provider as identity_provider
from web.ids import new_id
from web.outside.transport import Outside
from web.process.process import Given
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR, SYSTEM, Actor

NAMES = ("login.acme.test", "login.council.test")
IDP, IDP2 = "acmesignonid", "councilonid1"  # ids as ours are
THEIRS = ShareId("share-council")
BO = PersonId("bo")  # a viewer of both
BO_AT_ACME, BO_THERE = "bo@acme.test", "bo@council.test"
SET = f"/clients/{ACME}/providers/{IDP}"


def sample(folder: Path) -> None:
    """Harbour Line is shared with both clients; Bo is a viewer of both, by a name and an address for each."""
    world = World(folder, Renderer())
    world.harbour()
    world.share(everything(), THEIRS, HARBOUR, COUNCIL)
    world.tell(InvitePerson(person=BO, name="Bo There", email=BO_THERE, role="viewer", client=COUNCIL), ADMIN)
    world.tell(GrantMembership(person=BO, client=ACME, name="Bo", email=BO_AT_ACME), ADMIN)
    for role in ("manager", "auditor", "admin"):
        world.tell(InvitePerson(person=PersonId(role), name=role.title(), email=f"{role}@x.test", role=role), ADMIN)
    world.close()


class Inn:
    """The product beside two clients' providers, and browsers that go between them."""

    def __init__(self, folder: Path, providers: dict[str, Provider], **more: Any) -> None:
        self.providers, self.later, self.folder = providers, timedelta(0), folder
        given = {"outside_networks": "127.0.0.0/8", "outside_ca": certified(*NAMES).authority, **more}
        settings = Settings(data=folder, public_url=ORIGIN, sign_in_per_minute=1000, **given)
        self.process = application.compose(settings, Given(now=lambda: clock.now() + self.later))
        self.app = application.create(self.process)

    @property
    def idp(self) -> Provider:
        return self.providers[IDP]

    def browser(self, person: str = "") -> TestClient:
        made = TestClient(self.app, base_url=ORIGIN, follow_redirects=False)
        if person:
            credentials = self.process.services.credentials
            secret = credentials.enter(credentials.link(OPERATOR, PersonId(person))).secret
            made.cookies.set(self.process.services.guard.cookie, secret)
        return made

    def tell(self, command: AnyCommand, actor: Actor = OPERATOR) -> None:
        self.process.services.service.execute(actor, command, command_id=CommandId(new_id(24)))

    def world(self) -> Present:
        return self.process.services.present.refresh()

    def person(self, key: str) -> Person:
        return self.world().people[PersonId(key)]

    def set(self, key: str = IDP, client: ClientId = ACME, secret: str = SECRET, **more: Any) -> None:
        issuer = more.pop("issuer", self.providers[key].issuer)
        domains = more.pop("domains", (f"{client}.test",))
        sealing, sealed = self.process.services.client_providers.seal(client, key, issuer, secret)
        named = {"client": client, "provider": key, "issuer": issuer, "app": CLIENT, "domains": domains}
        self.tell(SetProvider(**named, key=sealing, sealed=sealed, **more))

    def use(self, key: str = IDP, client: ClientId = ACME, **more: Any) -> None:
        """Have a provider set, tried and used."""
        self.set(key, client, **more)
        setup = self.world().clients[client].providers[key].setups
        self.tell(TryProvider(client=client, provider=key, setup=setup), SYSTEM)
        self.tell(UseProvider(client=client, provider=key))

    def out(self, browser: TestClient, key: str = IDP, how: str = "") -> str:
        """Begin, sign in at the provider, and return the address it sends the browser back to."""
        begun = browser.get(f"/sign-in/at/{key}{how}")
        assert begun.status_code == 303, begun.text
        sent = httpx2.get(begun.headers["location"], trust_env=False, verify=False)
        assert sent.status_code in (302, 307), sent.text
        return sent.headers["location"].removeprefix(ORIGIN)

    def come_in(self, browser: TestClient, mail: str = BO_AT_ACME, key: str = IDP) -> httpx2.Response:
        self.providers[key].mail = mail
        return browser.get(self.out(browser, key))

    def sessions(self) -> int:
        return sum(len(person.sessions) for person in self.world().people.values())


@pytest.fixture
def inn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inn]:
    leads(monkeypatch, {name: ["127.0.0.1"] for name in NAMES})
    providers = {
        key: Provider(f"{ORIGIN}/sign-in/at/{key}/back", host, certified(*NAMES)).start()
        for key, host in zip((IDP, IDP2), NAMES, strict=True)
    }
    recorded(tmp_path, sample)
    made = Inn(tmp_path, providers)
    with TestClient(made.app, base_url=ORIGIN):
        assert made.person(BO).clients == (COUNCIL, ACME)
        yield made
    for provider in providers.values():
        provider.stop()


def nobody_came_in(inn: Inn, answer: httpx2.Response, browser: TestClient, status: int = 403) -> None:
    assert answer.status_code == status, answer.text
    assert inn.sessions() == 0
    assert inn.process.services.guard.cookie not in browser.cookies


def closed(session: Any) -> int:
    """Listen until the socket is closed, and return with which code."""
    while True:
        message = session.receive()
        if message["type"] == "websocket.close":
            return int(message["code"])


def reads(browser: TestClient) -> list[int]:
    return [browser.get(f"/s/{share}").status_code for share in (SHARE, THEIRS)]


# set, tried, used


def test_an_admin_sets_tries_and_uses_a_provider_and_its_secret_is_never_seen_again(inn: Inn) -> None:
    admin, browser = inn.browser("admin"), inn.browser()
    new = admin.get(f"/clients/{ACME}/providers").headers["location"]
    assert re.fullmatch(rf"/clients/{ACME}/providers/[a-z0-9]{{12}}", new)
    page = admin.get(SET).text
    assert f"{ORIGIN}/sign-in/at/{IDP}/back" in page  # what is registered there is known before anything is set
    typed = {"issuer": inn.idp.issuer, "app": CLIENT, "secret": SECRET, "domains": "acme.test"}
    answer = admin.post(SET, data=form_of(page, SET + "#set") | typed)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{SET}?done=set")
    assert browser.get(f"/sign-in/at/{IDP}").status_code == 404  # nobody signs in by what was not tried
    page = admin.get(SET).text
    assert "was not tried yet" in page
    assert f"{SET}/use" not in page
    refused = admin.post(f"{SET}/use", data=form_of(page, SET + "#set"))
    assert "Try it first" in refused.text
    inn.idp.mail = BO_AT_ACME
    tried = browser.get(inn.out(browser, how="/try"))
    assert "It works. Nobody was signed in." in tried.text
    assert inn.sessions() == 1  # the admin's
    assert browser.get(f"/sign-in/at/{IDP}").status_code == 404  # nor by what was tried and is not used
    assert admin.post(f"{SET}/use", data=form_of(admin.get(SET).text, f"{SET}/use")).status_code == 303
    assert inn.come_in(browser).status_code == 303
    assert reads(browser) == [200, 404]
    assert "by your organisation’s account" in browser.get("/me").text
    assert "by their own sign-on" in admin.get(f"/clients/{ACME}").text
    shown = "".join(admin.get(path).text for path in (SET, f"/clients/{ACME}"))
    assert "login.acme.test" in shown
    assert SECRET not in shown


@pytest.mark.folder
def test_the_secret_is_nowhere_in_what_is_stored(inn: Inn) -> None:
    inn.use()
    files = [path for path in inn.folder.rglob("*") if path.is_file() and path.name != "keys.db"]
    assert any(b"provider-set" in path.read_bytes() for path in files)  # what is looked for would be found
    assert not any(SECRET.encode() in path.read_bytes() for path in files)
    keys = sqlite3.connect(inn.folder / "keys.db")
    assert not any(SECRET.encode() in bytes(row[1]) for row in keys.execute("select * from keys"))


MISSING = {
    "no address": ({"email": None}, "missing: have the provider send this claim"),
    "not verified": ({"email_verified": False}, "not true"),
    "verified is no truth": ({"email_verified": "true"}, "not true"),
    "nothing of verified": ({"email_verified": None}, "not true"),
    "another domain": ({"email": "bo@elsewhere.test"}, "not among acme.test"),
    "a domain below": ({"email": "bo@mail.acme.test"}, "not among acme.test"),
    "a domain that looks alike": ({"email": "bo@\u0430cme.test"}, "not among acme.test"),
    "two domains": ({"email": "bo@council.test@acme.test"}, "not among acme.test"),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_trial_says_which_claim_is_missing_and_what_is_missing_there_lets_nobody_in(inn: Inn, name: str) -> None:
    claims, told = MISSING[name]
    inn.set()
    inn.idp.mail, inn.idp.claims = BO_AT_ACME, claims
    browser = inn.browser()
    answer = browser.get(inn.out(browser, how="/try"))
    assert told in answer.text
    nobody_came_in(inn, answer, browser, 422)
    assert inn.world().clients[ACME].providers[IDP].tried_at is None
    inn.use(secret=SECRET)
    nobody_came_in(inn, inn.come_in(browser), browser)
    inn.idp.claims = {}
    assert inn.come_in(browser).status_code == 303


def test_a_trial_says_what_is_wrong_with_a_token_or_on_the_way(inn: Inn) -> None:
    browser = inn.browser()
    inn.set(secret="another")
    assert "refused us: invalid_client" in browser.get(inn.out(browser, how="/try")).text
    inn.set()
    inn.idp.mode = "refuses"
    assert "access_denied" in browser.get(inn.out(browser, how="/try")).text
    inn.idp.mode, inn.idp.claims = "good", {"aud": "another"}
    assert "is for somebody else" in browser.get(inn.out(browser, how="/try")).text
    inn.set(issuer="https://login.acme.test:1")
    assert browser.get(f"/sign-in/at/{IDP}/try").status_code == 422


def test_a_trial_signs_nobody_in_and_a_sign_in_is_no_trial(inn: Inn) -> None:
    inn.use()
    inn.idp.mail = BO_AT_ACME
    browser, name = inn.browser(), f"{inn.process.services.guard.cookie}-at"
    back = inn.out(browser, how="/try")
    trial = browser.cookies[name]
    inn.out(browser)
    browser.cookies.clear()
    browser.cookies.set(name, trial)
    assert "Nobody was signed in" in browser.get(back).text
    assert inn.sessions() == 0


def test_what_was_tried_is_what_is_used(inn: Inn) -> None:
    inn.use()
    browser, here = inn.browser(), inn.browser()
    assert inn.come_in(here).status_code == 303
    inn.set(secret="wrong")  # a change waits; what is in use goes on
    assert inn.come_in(browser).status_code == 303
    with pytest.raises(Conflict, match="Try it first"):
        inn.tell(UseProvider(client=ACME, provider=IDP))
    draft = inn.world().clients[ACME].providers[IDP].setups
    with pytest.raises(Conflict, match="no longer what is set"):
        inn.tell(TryProvider(client=ACME, provider=IDP, setup=draft - 1), SYSTEM)
    inn.use()  # its secret was replaced: sessions hold, as what it vouches for is the same
    assert reads(here) == [200, 404]


def test_who_is_no_admin_sets_none(inn: Inn) -> None:
    inn.set()
    for person in ("manager", "auditor", VIEWER):
        browser = inn.browser(person)
        for path in (f"/clients/{ACME}/providers", SET):
            assert browser.get(path).status_code == 404
        manager = Actor(PersonId(person), inn.person(person).role, (ACME,))
        for command in (
            SetProvider(client=ACME, provider="p", issuer="https://x.test", app="a", domains=("acme.test",)),
            TryProvider(client=ACME, provider=IDP, setup=1),
            UseProvider(client=ACME, provider=IDP),
            RemoveProvider(client=ACME, provider=IDP, reason="x"),
        ):
            with pytest.raises(Denied):
                inn.tell(command, manager)
    page = inn.browser("manager").get(f"/clients/{ACME}").text
    assert "login.acme.test" in page  # the manager sees that there is one
    assert "/providers/" not in page


# whom it lets in


def test_a_provider_opens_its_own_client_alone_also_for_somebody_of_two(inn: Inn) -> None:
    inn.use()
    browser = inn.browser()
    assert inn.come_in(browser).headers["location"] == "/"
    assert reads(browser) == [200, 404]
    (session,) = inn.person(BO).sessions.values()
    assert (session.clients, session.provider, session.via) == ((ACME,), IDP, "openid")
    for path in ("/home/shares", "/home/mail", "/me", f"/s/{SHARE}", f"/s/{SHARE}/history"):
        page = browser.get(path).text
        assert len(page) > 200
        for word in ("City Council", "Bo There", BO_THERE, THEIRS, COUNCIL):
            assert word not in page, (path, word)
    assert BO_AT_ACME in browser.get("/me").text


def test_what_opens_lastingly_is_not_kept_in_a_session_that_a_provider_vouches_for(inn: Inn) -> None:
    inn.use()
    inn.come_in(inn.browser())
    person, now = inn.person(BO), inn.process.services.now()
    (session,) = person.sessions.values()
    device = KeepDevice(person=BO, device="d1", session=session.id, hash="h", name="Firefox")
    passkey = AddPasskey(
        person=BO, passkey="p1", name="Key", credential="c", key="k", handle="h", host="x.test", session=session.id,
        challenge="c",
    )  # fmt: skip
    for command in (device, passkey):
        with pytest.raises(Conflict, match="Sign in by it again each time"):
            person_stream.decide(person, command, now)
        by_link = msgspec.structs.replace(session, provider="")
        assert person_stream.decide(msgspec.structs.replace(person, sessions={session.id: by_link}), command, now)


def test_what_a_provider_opened_is_carried_into_no_other_session(inn: Inn) -> None:
    inn.use()
    browser, credentials = inn.browser(), inn.process.services.credentials
    inn.come_in(browser)
    link = credentials.link(OPERATOR, BO, COUNCIL)
    assert browser.post(f"/in/{link}", headers={"origin": ORIGIN}).status_code == 303
    assert reads(browser) == [404, 200]
    inn.come_in(browser)  # nor does it carry on what another opened
    assert reads(browser) == [200, 404]


def test_whoever_may_not_come_in_gets_one_and_the_same_page(inn: Inn) -> None:
    """Staff, viewers of another client, people whose access was ended, and addresses that nobody has."""
    for key, client in (("gone", ACME), ("off", ACME), ("else", COUNCIL)):
        inn.tell(InvitePerson(person=PersonId(key), name=key, email=f"{key}@acme.test", role="viewer", client=client))
    inn.tell(InvitePerson(person=PersonId("ines"), name="Ines", email="ines@acme.test", role="admin"))
    inn.tell(EndMembership(person=PersonId("gone"), client=ACME, reason="Left"))
    inn.tell(DisablePerson(person=PersonId("off"), reason="Left"))
    inn.use()
    people, pages = len(inn.world().people), []
    for mail in ("stranger@acme.test", "gone@acme.test", "off@acme.test", "else@acme.test", "ines@acme.test", BO_THERE,
                 "admin@x.test", "v@council.test"):  # fmt: skip
        browser = inn.browser()
        answer = inn.come_in(browser, mail)
        nobody_came_in(inn, answer, browser)
        pages.append((answer.content, sorted(answer.headers.items())))
    assert all(page == pages[0] for page in pages)
    assert len(inn.world().people) == people
    assert inn.come_in(inn.browser(), "V@ACME.test").status_code == 303  # who was invited comes in, by any letter case


def test_where_the_setup_says_so_who_was_not_invited_joins_and_the_manager_is_told(inn: Inn) -> None:
    inn.use(joins=True)
    inn.idp.claims = {"name": "Noor Haddad"}
    browser = inn.browser()
    assert inn.come_in(browser, "noor@acme.test").status_code == 303
    assert reads(browser) == [200, 404]
    (noor,) = inn.world().addressed("noor@acme.test")
    known = noor.memberships[ACME]
    assert (noor.role, noor.clients, known.name, known.provider) == ("viewer", (ACME,), "Noor Haddad", IDP)
    assert inn.come_in(inn.browser(), "noor@acme.test").status_code == 303
    assert len(inn.world().addressed("noor@acme.test")) == 1
    manager = inn.browser("manager")
    assert "Noor Haddad joined Acme Rail by its own sign-on, without an invitation." in manager.get("/for-you").text
    page = manager.get(f"/clients/{ACME}").text
    assert "joined by their own sign-on" in page
    assert "with an address in acme.test joins as a viewer, uninvited." in page, (
        "what it allows stands by its agreements"
    )
    assert "Nobody joins uninvited." in manager.get(f"/clients/{COUNCIL}").text


def test_by_joining_nobody_comes_back_and_nobody_of_ours_gets_a_second_self(inn: Inn) -> None:
    for key in ("gone", "off"):
        inn.tell(InvitePerson(person=PersonId(key), name=key, email=f"{key}@acme.test", role="viewer", client=ACME))
    inn.tell(InvitePerson(person=PersonId("ines"), name="Ines", email="ines@acme.test", role="admin"))
    inn.tell(InvitePerson(person=PersonId("old"), name="Old", email="old@acme.test", role="manager"))
    for person in ("off", "old"):
        inn.tell(DisablePerson(person=PersonId(person), reason="Left"))
    inn.tell(EndMembership(person=PersonId("gone"), client=ACME, reason="Left"))
    inn.use(joins=True)
    people = len(inn.world().people)
    for mail in ("gone@acme.test", "off@acme.test", "ines@acme.test", "old@acme.test", "x@elsewhere.test"):
        browser = inn.browser()
        nobody_came_in(inn, inn.come_in(browser, mail), browser)
    inn.tell(SetMailDomains(client=ACME, domains=("rail.test",)))  # narrowed since: nobody new joins by the old one
    browser = inn.browser()
    nobody_came_in(inn, inn.come_in(browser, "new@acme.test"), browser)
    assert len(inn.world().people) == people
    assert inn.come_in(browser).status_code == 303  # and who is in already is not put out


def test_somebody_known_elsewhere_joins_as_one_more_membership_of_theirs_alone(inn: Inn) -> None:
    inn.tell(InvitePerson(person=PersonId("ada"), name="Ada L", email="ada@acme.test", role="viewer", client=COUNCIL))
    inn.use(joins=True)
    browser = inn.browser()
    assert inn.come_in(browser, "ada@acme.test").status_code == 303
    assert reads(browser) == [200, 404]
    assert inn.person("ada").clients == (COUNCIL, ACME)
    assert inn.person("ada").memberships[ACME].name == "ada"  # the provider sent no name, and the council's stays there


# led there by the domain alone


def test_where_one_is_led_depends_on_the_domain_alone(inn: Inn) -> None:
    browser, ours = inn.browser(), {"origin": ORIGIN}
    assert "/sign-in/where" not in browser.get("/sign-in").text  # no client has one
    inn.use()
    assert "/sign-in/where" in browser.get("/sign-in").text
    answers = [browser.post("/sign-in/where", data={"email": mail}, headers=ours) for mail in
               (BO_AT_ACME, "nobody@acme.test", "@acme.test", "Ines@ACME.test")]  # fmt: skip
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert f'href="/sign-in/at/{IDP}"' in answers[0].text
    assert "Acme" not in answers[0].text
    others = [browser.post("/sign-in/where", data={"email": mail}, headers=ours) for mail in
              ("admin@x.test", "v@council.test", "nobody@nowhere.test", "acme.test", "", "x@mail.acme.test")]  # fmt: skip
    assert {(answer.status_code, answer.content) for answer in others} == {(200, others[0].content)}
    assert "No organisation’s own sign-on" in others[0].text
    assert browser.post("/sign-in/where", data={"email": "a@acme.test"}).status_code == 403  # a form of ours alone


def test_the_page_that_was_asked_for_is_where_it_leads(inn: Inn) -> None:
    inn.use()
    browser = inn.browser()
    asked = browser.post(
        "/sign-in/where", data={"email": "a@acme.test", "to": f"/s/{SHARE}/history"}, headers={"origin": ORIGIN}
    )
    href = re.search(r'href="(/sign-in/at/[^"]+)"', asked.text)
    assert href is not None
    inn.idp.mail = BO_AT_ACME
    begun = browser.get(href[1])
    back = httpx2.get(begun.headers["location"], trust_env=False, verify=False).headers["location"]
    assert browser.get(back.removeprefix(ORIGIN)).headers["location"] == f"/s/{SHARE}/history"
    away = browser.get(f"/sign-in/at/{IDP}?to=//evil.test/x")
    back = httpx2.get(away.headers["location"], trust_env=False, verify=False).headers["location"]
    assert browser.get(back.removeprefix(ORIGIN)).headers["location"] == "/"


def test_a_provider_that_is_not_there_answers_like_one_that_is_not_used(inn: Inn) -> None:
    inn.set()
    browser = inn.browser()
    nothing = browser.get("/sign-in/at/zqzqzqzqzqzq")
    assert nothing.status_code == 404
    assert browser.get(f"/sign-in/at/{IDP}").content == nothing.content


# one provider is not another


def test_the_answer_of_one_provider_fits_nothing_of_another(inn: Inn) -> None:
    """Mix-up (RFC 9700, 4.4): each has a redirect address, a cookie and keys of its own."""
    inn.use()
    inn.use(IDP2, COUNCIL)
    for provider in inn.providers.values():
        provider.mail = BO_AT_ACME
    mine, theirs = inn.browser(), inn.browser()
    back = inn.out(mine)
    code, state = (parse_qs(urlsplit(back).query)[name][0] for name in ("code", "state"))
    nobody_came_in(inn, mine.get(f"/sign-in/at/{IDP2}/back?code={code}&state={state}"), mine, 400)
    inn.out(mine)
    inn.out(theirs, IDP2)
    nobody_came_in(inn, theirs.get(back), theirs, 400)
    # the code of one brought in by a browser that began at the other
    own = parse_qs(urlsplit(inn.out(theirs, IDP2)).query)["state"][0]
    nobody_came_in(inn, theirs.get(f"/sign-in/at/{IDP2}/back?code={code}&state={own}"), theirs)
    for issuer in (inn.providers[IDP2].issuer, "https://evil.test"):
        back = inn.out(mine)
        nobody_came_in(inn, mine.get(f"{back}&iss={issuer}"), mine)
    back = inn.out(mine)
    assert mine.get(f"{back}&iss={inn.idp.issuer}").status_code == 303


def test_one_that_always_names_itself_has_to(inn: Inn) -> None:
    inn.idp.published = {"authorization_response_iss_parameter_supported": True}
    inn.use()
    browser = inn.browser()
    nobody_came_in(inn, inn.come_in(browser), browser)
    assert browser.get(f"{inn.out(browser)}&iss={inn.idp.issuer}").status_code == 303


def test_a_token_of_another_issuer_or_by_its_keys_is_not_taken(inn: Inn) -> None:
    inn.use()
    browser = inn.browser()
    inn.idp.claims = {"iss": inn.providers[IDP2].issuer}
    nobody_came_in(inn, inn.come_in(browser), browser)
    inn.idp.claims, inn.idp.mode = {}, "another's key"
    nobody_came_in(inn, inn.come_in(browser), browser)
    inn.idp.mode = "good"
    assert inn.come_in(browser).status_code == 303


@pytest.mark.parametrize("published", ["token_endpoint", "jwks_uri", "authorization_endpoint"])
def test_a_configuration_that_leads_off_https_is_not_followed(inn: Inn, published: str) -> None:
    inn.idp.published = {published: f"http://login.acme.test:{inn.idp.port}/x"}
    inn.use()
    browser = inn.browser()
    nobody_came_in(inn, browser.get(f"/sign-in/at/{IDP}"), browser, 503)


def test_an_address_inside_that_is_published_is_not_asked(inn: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    leads(monkeypatch, {"metadata.test": ["169.254.169.254"]})
    inn.idp.published = {"token_endpoint": "https://metadata.test/token"}
    inn.use()
    browser = inn.browser()
    nobody_came_in(inn, inn.come_in(browser), browser, 503)


def test_without_the_operators_word_no_provider_inside_is_asked(inn: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    inn.use()
    asked = len(inn.idp.asked)
    monkeypatch.setattr(inn.process.services.client_providers, "_outside", Outside((), certified(*NAMES).authority))
    browser = inn.browser()
    nobody_came_in(inn, browser.get(f"/sign-in/at/{IDP}"), browser, 503)
    told = browser.get(f"/sign-in/at/{IDP}/try")
    assert "leads to a network inside" in told.text
    assert len(inn.idp.asked) == asked


def test_a_redirect_of_its_token_endpoint_is_not_followed(inn: Inn) -> None:
    inn.use()
    inn.idp.mode = "moves"
    browser = inn.browser()
    nobody_came_in(inn, inn.come_in(browser), browser, 503)


# replays, times and keys


def test_an_answer_is_good_once_and_in_its_own_browser(inn: Inn) -> None:
    inn.use()
    browser, thief = inn.browser(), inn.browser()
    inn.idp.mail = BO_AT_ACME
    back, name = inn.out(browser), f"{inn.process.services.guard.cookie}-at"
    tie = browser.cookies[name]
    nobody_came_in(inn, thief.get(back), thief, 400)
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 400
    browser.cookies.set(name, tie)
    assert browser.get(back).status_code == 403  # the provider does not take its code twice
    assert inn.sessions() == 1


def test_the_nonce_is_of_this_sign_in(inn: Inn) -> None:
    inn.use()
    inn.idp.claims = {"nonce": "of another sign-in"}
    browser = inn.browser()
    nobody_came_in(inn, inn.come_in(browser), browser)


def test_an_answer_that_comes_after_a_change_of_the_setup_is_not_taken(inn: Inn) -> None:
    inn.use()
    inn.idp.mail = BO_AT_ACME
    browser = inn.browser()
    back = inn.out(browser)
    inn.use(joins=True)
    nobody_came_in(inn, browser.get(back), browser, 400)
    back = inn.out(browser)
    inn.tell(RemoveProvider(client=ACME, provider=IDP, reason="Over"))
    nobody_came_in(inn, browser.get(back), browser, 404)


@pytest.mark.parametrize(("skew", "status"), [(50, 303), (-340, 303), (400, 403), (-400, 403)])
def test_clocks_may_differ_by_a_minute(inn: Inn, skew: int, status: int) -> None:
    """A token is good for five minutes from its making; a minute is granted at both ends."""
    inn.use()
    inn.idp.skew = skew
    assert inn.come_in(inn.browser()).status_code == status


def test_a_new_key_of_the_provider_is_asked_for_and_one_it_never_published_is_not_believed(inn: Inn) -> None:
    inn.use()
    assert inn.come_in(inn.browser()).status_code == 303
    asked = inn.idp.asked.count("keys")
    inn.idp.rotate("EC")
    assert inn.come_in(inn.browser()).status_code == 303
    assert inn.idp.asked.count("keys") == asked + 1
    inn.idp.header = {"kid": "never-published"}
    assert inn.come_in(inn.browser()).status_code == 403
    assert inn.idp.asked.count("keys") == asked + 2  # once more, not for ever


def test_a_provider_that_never_answers_is_not_waited_for(inn: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(identity_provider, "PATIENCE", 0.3)
        inn.use(issuer=f"https://login.acme.test:{silent.getsockname()[1]}")
        browser = inn.browser()
        nobody_came_in(inn, browser.get(f"/sign-in/at/{IDP}"), browser, 503)


# ends


def test_with_a_provider_its_sessions_end_and_its_secret_can_be_opened_no_more(inn: Inn) -> None:
    inn.use()
    browser, by_link = inn.browser(), inn.browser(BO)
    inn.come_in(browser)
    setup = inn.world().clients[ACME].providers[IDP].used
    assert setup is not None
    events = inn.process.services.logs.events
    bound = f"{ACME} {IDP} {setup.issuer}"
    assert events.open_bound(setup.key, setup.sealed, bound) == SECRET
    with browser.websocket_connect(f"/s/{SHARE}/live", headers={"origin": ORIGIN}) as socket_:
        socket_.send_json({"hello": 0, "tab": "t", "v": 2})
        admin = inn.browser("admin")
        form = form_of(admin.get(SET).text, f"{SET}/remove#remove")
        assert "Reason is missing" in admin.post(f"{SET}/remove", data=form).text
        assert admin.post(f"{SET}/remove", data=form | {"reason": "Contract over"}).status_code == 303
        assert closed(socket_) == 4401
    assert browser.get(f"/s/{SHARE}").headers["location"] == "/sign-in"
    assert reads(by_link) == [200, 200]  # what a link opened goes on
    assert browser.get(f"/sign-in/at/{IDP}").status_code == 404
    with pytest.raises(Gone):
        events.open_bound(setup.key, setup.sealed, bound)
    begun = StartSession(
        person=BO, session="late", session_hash="late", session_expires=clock.now() + timedelta(hours=1), client=ACME,
        provider=IDP, setup=1,
    )  # fmt: skip
    inn.tell(begun)  # recorded by a process that had not read of the removal yet
    assert "late" not in inn.world().sessions
    assert "late" not in inn.person(BO).sessions


def test_the_end_of_a_client_ends_its_provider(inn: Inn) -> None:
    inn.use()
    setup = inn.world().clients[ACME].providers[IDP].used
    assert setup is not None
    inn.tell(EndClient(client=ACME, reason="Contract over"))
    browser = inn.browser()
    assert browser.get(f"/sign-in/at/{IDP}").status_code == 404
    with pytest.raises(Gone):
        inn.process.services.logs.events.open_bound(setup.key, setup.sealed, f"{ACME} {IDP} {setup.issuer}")


def test_a_domain_that_moves_to_another_client_takes_its_sessions_along(inn: Inn) -> None:
    inn.use(domains=("acme.test", "rail.test"))
    browser = inn.browser()
    inn.come_in(browser)
    with pytest.raises(Conflict, match="vouched for by the identity provider of Acme Rail"):
        inn.use(IDP2, COUNCIL, domains=("acme.test",))
    inn.use(domains=("rail.test",))  # taken away there: whoever came by it is signed out
    assert browser.get(f"/s/{SHARE}").headers["location"] == "/sign-in"
    inn.use(IDP2, COUNCIL, domains=("acme.test",), joins=True)
    for key in (IDP, IDP2):
        fresh = inn.browser()
        answer = inn.come_in(fresh, BO_AT_ACME, key)
        if key == IDP:
            nobody_came_in(inn, answer, fresh)  # the address is no longer of its domains
        else:
            assert reads(fresh) == [404, 200]  # as whoever the council knows by that address, and no Acme in it


def test_what_is_used_first_has_the_domain(inn: Inn) -> None:
    inn.set()
    inn.set(IDP2, COUNCIL, domains=("acme.test",))
    for key, client in ((IDP, ACME), (IDP2, COUNCIL)):
        inn.tell(TryProvider(client=client, provider=key, setup=1), SYSTEM)
    inn.tell(UseProvider(client=ACME, provider=IDP))
    with pytest.raises(Conflict, match="vouched for"):
        inn.tell(UseProvider(client=COUNCIL, provider=IDP2))


def test_another_issuer_needs_its_secret_typed_again_and_ends_the_sessions(inn: Inn) -> None:
    inn.use()
    browser = inn.browser()
    inn.come_in(browser)
    admin, other = inn.browser("admin"), inn.providers[IDP2]
    form = form_of(admin.get(SET).text, SET + "#set")
    typed = {"issuer": other.issuer, "app": CLIENT, "domains": "acme.test", "secret": ""}
    assert "has to be typed again" in admin.post(SET, data=form | typed).text
    assert other.asked == []  # the secret of one was sent to no other
    assert admin.post(SET, data=form | typed | {"secret": "s"}).status_code == 303
    assert reads(browser) == [200, 404]  # not before it is used
    inn.tell(TryProvider(client=ACME, provider=IDP, setup=2), SYSTEM)
    inn.tell(UseProvider(client=ACME, provider=IDP))
    assert browser.get(f"/s/{SHARE}").headers["location"] == "/sign-in"


def test_a_process_that_starts_knows_as_much(inn: Inn) -> None:
    inn.use()
    browser = inn.browser()
    inn.come_in(browser)
    before = inn.world()
    other = application.compose(Settings(data=inn.folder, public_url=ORIGIN))
    after = other.services.present.refresh()
    assert (after.clients, after.people, after.sessions) == (before.clients, before.people, before.sessions)
    assert after.put_out == before.put_out


def test_what_is_typed_wrong_is_said_at_its_field(inn: Inn) -> None:
    admin = inn.browser("admin")
    good = {"issuer": inn.idp.issuer, "app": CLIENT, "secret": SECRET, "domains": "acme.test"}
    form = form_of(admin.get(SET).text, SET + "#set")
    inn.tell(SetMailDomains(client=ACME, domains=("acme.test",)))
    for field, value, told in (
        ("issuer", "http://login.acme.test", "Expected an address such as"),
        ("issuer", "https://u:p@login.acme.test", "Expected an address such as"),
        ("issuer", "https://login.acme.test/?x=1", "Expected an address such as"),
        ("issuer", "https://login.acme.test:x", "Expected an address such as"),
        ("app", "", "is missing"),
        ("secret", "", "Type the secret"),
        ("domains", "", "Name at least one email domain"),
        ("domains", "acme", "is no email domain"),
        ("domains", "other.test", "not among the email domains of this client"),
    ):
        answer = admin.post(SET, data=form | good | {field: value})
        assert answer.status_code in (409, 422), (field, value)
        assert f'id="p-{field}-wrong"' in answer.text, (field, value)
        assert told in answer.text
        assert SECRET not in answer.text
    assert admin.get(f"/clients/{ACME}/providers/short").status_code == 404
    assert admin.post(SET, data=form | good).status_code == 303
