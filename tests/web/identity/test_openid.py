"""Coming in by the organisation's own sign-in: a real provider on a real port, and everything it may do wrong."""

import base64
import json
import logging
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.testclient import TestClient

from domain.ids import CommandId, PersonId
from domain.people.person import DisablePerson, InvitePerson
from tests.provider import CLIENT, SECRET, Provider, part
from tests.recorded import recorded
from tests.web.doors import ORIGIN, VIEWER
from tests.world import ADMIN, OTHER, SHARE, World
from web import app as application
from web import clock
from web.identity import provider as identity_provider
from web.identity.failures import BACK
from web.identity.round_trip import MINUTES, Ties
from web.process.process import Given
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR

MAIL = "v@acme.test"


class Inn:
    """The product beside its provider, and browsers that go between the two."""

    def __init__(self, folder: Path, provider: Provider) -> None:
        self.provider, self.later = provider, timedelta(0)
        settings = Settings(
            data=folder,
            public_url=ORIGIN,
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret=SECRET,
            oidc_name="Acme sign-on",
            sign_in_per_minute=1000,
        )
        self.process = application.compose(settings, Given(now=lambda: clock.now() + self.later))
        self.app = application.create(self.process)

    def browser(self, agent: str = "Mozilla/5.0 (Windows NT 10.0)") -> TestClient:
        return TestClient(self.app, base_url=ORIGIN, follow_redirects=False, headers={"user-agent": agent})

    def out(self, browser: TestClient, query: str = "", site: str = "same-origin") -> str:
        """Begin, sign in at the provider, and return the address it sends the browser back to."""
        begun = browser.get(f"/sign-in/openid{query}", headers={"sec-fetch-site": site} if site else {})
        assert begun.status_code == 303, begun.text
        sent = httpx2.get(begun.headers["location"], trust_env=False, verify=False)
        assert sent.status_code in (302, 307), sent.text
        return sent.headers["location"].removeprefix(ORIGIN)

    def come_in(self, browser: TestClient) -> httpx2.Response:
        return browser.get(self.out(browser))

    def sessions(self) -> int:
        return sum(len(person.sessions) for person in self.process.services.present.refresh().people.values())


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider(f"{ORIGIN}{BACK}").start()
    made.mail = MAIL
    yield made
    made.stop()


def sample(folder: Path) -> None:
    world = World(folder, Renderer())
    world.harbour()
    manager = InvitePerson(person=PersonId("manager"), name="Marta", email="marta@x.test", role="manager")
    world.tell(manager, ADMIN)
    world.close()


@pytest.fixture
def inn(tmp_path: Path, provider: Provider) -> Iterator[Inn]:
    recorded(tmp_path, sample)
    made = Inn(tmp_path, provider)
    with TestClient(made.app, base_url=ORIGIN):
        yield made


def nobody_came_in(inn: Inn, answer: httpx2.Response, browser: TestClient, status: int = 403) -> None:
    """The page is plain, there is no session anywhere, and the browser holds nothing that opens a door."""
    assert answer.status_code == status, answer.text
    assert inn.sessions() == 0
    assert inn.process.services.guard.cookie not in browser.cookies
    assert browser.get(f"/s/{SHARE}").headers["location"] == "/sign-in"


# coming in


def test_an_invited_viewer_comes_in_by_the_address_the_provider_vouches_for(inn: Inn) -> None:
    browser = inn.browser("Mozilla/5.0 (iPhone) Mobile/15E148 Safari")
    assert 'href="/sign-in/openid">Sign in with Acme sign-on</a>' in browser.get("/sign-in").text
    answer = inn.come_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/").headers["location"] == "/home"
    assert browser.get(f"/s/{SHARE}").status_code == 200
    (session,) = inn.process.services.present.world.people[PersonId(VIEWER)].sessions.values()
    assert (session.device, session.via) == ("Phone", "openid")


def test_they_are_led_on_to_the_page_they_asked_for_and_to_no_other_site(inn: Inn) -> None:
    browser = inn.browser()
    asked = browser.get(f"/s/{SHARE}/history", headers={"accept": "text/html"}).headers["location"]
    href = re.search(r'href="(/sign-in/openid\?to=[^"]+)">Sign in with', browser.get(asked).text)
    assert href is not None
    back = inn.out(browser, href[1].removeprefix("/sign-in/openid"))
    assert browser.get(back).headers["location"] == f"/s/{SHARE}/history"
    other = inn.browser()
    assert other.get(inn.out(other, "?to=https://else.test/")).headers["location"] == "/"


@pytest.mark.parametrize(
    ("query", "site", "kept"),
    [
        ("?keep=yes", "same-origin", 1),
        ("", "same-origin", 0),
        ("?keep=yes", "cross-site", 0),  # a link from elsewhere chooses nothing
        ("?keep=yes", "none", 0),
        ("?keep=yes", "", 0),
        ("?to=/home~keep~", "same-origin", 0),
    ],
)
def test_the_device_stays_signed_in_where_that_was_chosen_on_our_page(
    inn: Inn, query: str, site: str, kept: int
) -> None:
    browser = inn.browser()
    assert "and keep this device signed in</a>, for 30 days at most." in browser.get("/sign-in").text
    assert browser.get(inn.out(browser, query, site)).status_code == 303
    devices = inn.process.services.present.refresh().people[PersonId(VIEWER)].devices.kept
    assert len(devices) == kept


def test_staff_come_in_too_and_letter_case_of_the_address_does_not_matter(inn: Inn) -> None:
    inn.provider.mail = "MARTA@X.test"
    browser = inn.browser()
    assert inn.come_in(browser).status_code == 303
    assert browser.get("/").headers["location"] == "/p"


def test_the_session_ends_as_others_do(inn: Inn) -> None:
    browser = inn.browser()
    inn.come_in(browser)
    inn.later = timedelta(hours=13)
    assert browser.get(f"/s/{SHARE}").headers["location"] == "/sign-in"
    inn.later = timedelta(0)
    browser = inn.browser()  # what ended, idle or too old, stays ended
    inn.come_in(browser)
    assert browser.get(f"/s/{SHARE}").status_code == 200
    end = DisablePerson(person=PersonId(VIEWER), reason="Left")
    inn.process.services.service.execute(OPERATOR, end, command_id=CommandId("end"))
    assert browser.get(f"/s/{SHARE}").headers["location"] == "/sign-in"
    again = inn.browser()
    nobody_came_in(inn, inn.come_in(again), again)


def test_without_a_provider_there_is_no_such_way(tmp_path: Path) -> None:
    process = application.compose(Settings(data=tmp_path, public_url=ORIGIN))
    with TestClient(application.create(process), base_url=ORIGIN, follow_redirects=False) as browser:
        nothing = browser.get("/nothing/here")
        for address in ("/sign-in/openid", f"{BACK}?code=x&state=y"):
            assert browser.get(address).status_code == nothing.status_code == 404
        assert "openid" not in browser.get("/sign-in").text


# who is not let in


def test_unknown_ambiguous_ended_and_unverified_addresses_get_one_and_the_same_page(inn: Inn) -> None:
    twin = InvitePerson(person=PersonId("twin"), name="Vera", email="v@council.test", role="auditor")
    ended = InvitePerson(person=PersonId("gone"), name="Gus", email="gus@x.test", role="auditor")
    for command in (twin, ended, DisablePerson(person=PersonId("gone"), reason="Left")):
        inn.process.services.service.execute(OPERATOR, command, command_id=CommandId(f"c-{id(command)}"))
    people = len(inn.process.services.present.world.people)
    pages = []
    for mail, claims in (
        ("stranger@acme.test", {}),
        ("v@council.test", {}),
        ("gus@x.test", {}),
        (MAIL, {"email_verified": False}),
        (MAIL, {"email_verified": "true"}),
        (MAIL, {"email_verified": None}),
        (MAIL, {"email": None}),
        ("\u212aate@x.test", {}),
    ):
        inn.provider.mail, inn.provider.claims = mail, claims
        browser = inn.browser()
        answer = inn.come_in(browser)
        nobody_came_in(inn, answer, browser)
        pages.append((answer.text, dict(answer.headers)))
    assert all(page == pages[0] for page in pages)
    for word in ("stranger", "acme", "Vera", "council", "invited", "disabled"):
        assert word not in pages[0][0].replace("Acme sign-on", "")
    assert len(inn.process.services.present.world.people) == people  # nobody is created


def test_an_address_that_merely_looks_alike_is_another(inn: Inn) -> None:
    kate = InvitePerson(person=PersonId("kate"), name="Kate", email="kate@x.test", role="admin")
    inn.process.services.service.execute(OPERATOR, kate, command_id=CommandId("kate"))
    assert "\u212aate@x.test".lower() == "kate@x.test"  # so comparing lower case would let them in
    inn.provider.mail = "\u212aate@x.test"
    browser = inn.browser()
    nobody_came_in(inn, inn.come_in(browser), browser)
    inn.provider.mail = "kate@x.test"
    assert inn.come_in(browser).status_code == 303


# what a token may not be

WRONG_CLAIMS = {
    "another's nonce": {"nonce": "of another sign-in"},
    "no nonce": {"nonce": None},
    "another's audience": {"aud": "another-client"},
    "no audience": {"aud": None},
    "several audiences and nobody who asked": {"aud": [CLIENT, "another"]},
    "another who asked": {"azp": "another"},
    "several audiences and another who asked": {"aud": [CLIENT, "another"], "azp": "another"},
    "another issuer": {"iss": "http://somebody.else"},
    "run out": {"exp": 1_000_000_000},
    "no end": {"exp": None},
    "an end that is no number": {"exp": "never"},
    "from the future": {"iat": 99_999_999_999},
    "not yet": {"nbf": 99_999_999_999},
    "about nobody": {"sub": None},
}


@pytest.mark.parametrize("name", WRONG_CLAIMS)
def test_a_token_that_says_something_wrong_lets_nobody_in(inn: Inn, name: str) -> None:
    inn.provider.claims = WRONG_CLAIMS[name]
    browser = inn.browser()
    nobody_came_in(inn, inn.come_in(browser), browser)
    inn.provider.claims = {"aud": [CLIENT, "another"], "azp": CLIENT} if "several" in name else {}
    assert inn.come_in(browser).status_code == 303  # and what was wrong is all that kept them out


@pytest.mark.parametrize(
    "mode",
    [
        "unsigned",
        "unsigned by our name",
        "public key as secret",
        "client secret as key",
        "another's key",
        "brings its own key",
        "altered",
    ],
)
def test_a_token_that_is_not_signed_by_the_provider_lets_nobody_in(inn: Inn, mode: str) -> None:
    inn.provider.mode = mode
    browser = inn.browser()
    nobody_came_in(inn, inn.come_in(browser), browser)
    inn.provider.mode = "good"
    assert inn.come_in(browser).status_code == 303


@pytest.mark.parametrize("header", [{"crit": ["exp"], "exp": 1}, {"alg": "ES256"}, {"kid": "of-tomorrow"}])
def test_a_header_that_asks_for_something_else_is_not_followed(inn: Inn, header: dict[str, object]) -> None:
    token = inn.provider.id_token

    def changed(nonce: str) -> str:
        head, body, seal = token(nonce).split(".")
        return f"{part(json.loads(base64.urlsafe_b64decode(head + '==')) | header)}.{body}.{seal}"

    inn.provider.id_token = changed  # type: ignore[method-assign]
    browser = inn.browser()
    nobody_came_in(inn, inn.come_in(browser), browser)


def test_keys_are_asked_once_and_again_when_the_provider_has_a_new_one(inn: Inn) -> None:
    for _ in range(3):
        assert inn.come_in(inn.browser()).status_code == 303
    assert inn.provider.asked.count("keys") == 1
    assert inn.provider.asked.count("discovery") == 1
    inn.provider.rotate("EC")
    assert inn.come_in(inn.browser()).status_code == 303
    assert inn.provider.asked.count("keys") == 2
    inn.provider.header = {"kid": "never-published"}
    before = inn.sessions()
    assert inn.come_in(inn.browser()).status_code == 403
    assert (inn.sessions(), inn.provider.asked.count("keys")) == (before, 3)  # once more, not for ever


# the tie to the browser


def test_another_browsers_answer_fits_no_cookie(inn: Inn) -> None:
    mine, theirs = inn.browser(), inn.browser()
    back = inn.out(theirs)
    nobody_came_in(inn, mine.get(back), mine, 400)
    inn.out(mine)  # has begun one of its own: the state still is another's
    nobody_came_in(inn, mine.get(back), mine, 400)
    assert inn.provider.asked.count("token") == 0
    assert theirs.get(back).status_code == 303


def test_an_answer_is_good_once(inn: Inn) -> None:
    browser = inn.browser()
    back = inn.out(browser)
    name = f"{inn.process.services.guard.cookie}-openid"
    tie = browser.cookies[name]
    assert browser.get(back).status_code == 303
    assert inn.sessions() == 1
    assert browser.get(back).status_code == 400  # the cookie is gone
    browser.cookies.set(name, tie)
    assert browser.get(back).status_code == 403  # kept all the same: the provider does not take its code twice
    assert inn.sessions() == 1


def test_an_answer_that_comes_too_late_or_was_made_up_is_not_taken(inn: Inn) -> None:
    browser = inn.browser()
    back = inn.out(browser)
    inn.later = timedelta(minutes=MINUTES, seconds=1)
    nobody_came_in(inn, browser.get(back), browser, 400)
    inn.later = timedelta(0)
    state = parse_qs(urlsplit(back).query)["state"][0]
    for made_up in ("", "x", "a.b.c", f"word.9999999999.{state}", "é.1.ü"):
        stranger = inn.browser()
        cookie = f"{inn.process.services.guard.cookie}-openid={made_up}".encode("latin-1")
        nobody_came_in(inn, stranger.get(back, headers=[("cookie", cookie)]), stranger, 400)
    assert inn.provider.asked.count("token") == 0


def test_a_code_alone_is_worth_nothing_without_the_verifier_of_its_browser(inn: Inn) -> None:
    """PKCE: a code that was stolen on its way, brought in by a browser that began a sign-in of its own."""
    victim, thief = inn.browser(), inn.browser()
    code = parse_qs(urlsplit(inn.out(victim)).query)["code"][0]
    mine = parse_qs(urlsplit(inn.out(thief)).query)["state"][0]
    nobody_came_in(inn, thief.get(f"{BACK}?code={code}&state={mine}"), thief)


def test_the_answer_of_another_issuer_is_not_taken(inn: Inn) -> None:
    browser = inn.browser()
    back = inn.out(browser)
    nobody_came_in(inn, browser.get(f"{back}&iss=http://somebody.else"), browser)


def test_a_sign_in_that_was_refused_there_says_so_and_can_be_begun_again(inn: Inn) -> None:
    inn.provider.mode = "refuses"
    browser = inn.browser()
    answer = inn.come_in(browser)
    nobody_came_in(inn, answer, browser, 400)
    assert "start again" in answer.text


@pytest.mark.once
def test_another_process_takes_the_browser_back_and_another_secret_does_not() -> None:
    now = clock.now()
    tie = Ties(SECRET).begin(now)
    assert Ties(SECRET).again(tie.cookie, tie.state, now) == tie
    assert Ties("another").again(tie.cookie, tie.state, now) is None
    assert len({tie.cookie, tie.state, tie.nonce, tie.verifier}) == 4
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", tie.verifier)
    for secret in (tie.nonce, tie.verifier, tie.state):
        assert secret not in tie.cookie


def test_the_cookie_is_for_this_browser_and_ten_minutes(inn: Inn) -> None:
    cookie = inn.browser().get("/sign-in/openid").headers["set-cookie"]
    assert re.match(r"fanlight-openid=[^;]+; .*HttpOnly", cookie)
    for word in ("SameSite=Lax", f"Max-Age={60 * MINUTES}", "Path=/"):
        assert word in cookie


def test_where_people_come_by_https_the_cookie_is_bound_to_this_very_host(tmp_path: Path, provider: Provider) -> None:
    more = {"oidc_issuer": provider.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    process = application.compose(Settings(data=tmp_path, public_url="https://status.example.test", **more))
    with TestClient(application.create(process), base_url="https://status.example.test", follow_redirects=False) as it:
        begun = it.get("/sign-in/openid")
    cookie = begun.headers["set-cookie"]
    assert cookie.startswith("__Host-fanlight-openid=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["redirect_uri"] == [f"https://status.example.test{BACK}"]


# when the provider is away


@pytest.mark.parametrize("mode", ["broken", "endless", "other issuer"])
def test_a_provider_that_is_not_itself_is_told_plainly(inn: Inn, mode: str) -> None:
    inn.provider.mode = mode
    browser = inn.browser()
    answer = browser.get("/sign-in/openid")
    nobody_came_in(inn, answer, browser, 503)
    assert "Acme sign-on does not answer" in answer.text
    inn.provider.mode = "good"
    assert inn.come_in(browser).status_code == 303


def test_a_provider_that_is_down_costs_no_other_way_in(inn: Inn) -> None:
    browser = inn.browser()
    back = inn.out(browser)
    inn.provider.stop()
    nobody_came_in(inn, browser.get(back), browser, 503)
    secret = inn.process.services.credentials.link(OPERATOR, PersonId(VIEWER))
    assert browser.post(f"/in/{secret}", headers={"origin": ORIGIN}).status_code == 303


def test_a_provider_that_never_answers_is_not_waited_for(inn: Inn, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(identity_provider, "PATIENCE", 0.3)
        inn.process.services.provider._issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        browser = inn.browser()
        nobody_came_in(inn, browser.get("/sign-in/openid"), browser, 503)


def test_a_secret_that_the_provider_does_not_take_is_a_trouble_of_ours(inn: Inn) -> None:
    browser = inn.browser()
    back = inn.out(browser)
    inn.process.services.provider._secret = "another"
    nobody_came_in(inn, browser.get(back), browser, 503)


def test_an_answer_without_an_id_token_is_no_answer(inn: Inn) -> None:
    inn.provider.mode = "no token"
    browser = inn.browser()
    nobody_came_in(inn, inn.come_in(browser), browser, 503)


# what is kept of it


def test_nothing_personal_and_no_secret_goes_to_the_log(inn: Inn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "fanlight")
    inn.provider.mail = "stranger@acme.test"
    browser = inn.browser()
    back = inn.out(browser)
    browser.get(back)
    inn.provider.mode = "broken"
    inn.come_in(browser)
    assert "nobody was let in" in caplog.text
    code = parse_qs(urlsplit(back).query)["code"][0]
    for secret in ("stranger", code, SECRET):
        assert secret not in "".join(r.getMessage() for r in caplog.records if r.name.startswith("fanlight"))


def test_a_link_says_who_shares_what_with_whom_and_how_long_it_is_recorded(inn: Inn) -> None:
    secret = inn.process.services.credentials.link(OPERATOR, PersonId(VIEWER))
    page = inn.browser().get(f"/in/{secret}").text
    assert "Example Works shares Harbour Line with Acme Rail." in page
    assert "and kept for 730 days" in page
    assert "City Council" not in page
    assert OTHER not in page
    staff = inn.browser().get(f"/in/{inn.process.services.credentials.link(OPERATOR, PersonId('manager'))}").text
    assert "You sign in as a project manager of Example Works." in staff
