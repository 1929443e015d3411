"""Every page for everybody: no accessibility violation in light or dark, wide or narrow, and nothing scrolls sideways."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.agreement.answers import Acknowledge, AnswerConcern, MakeComment, RaiseConcern, Screen
from domain.agreement.share import DraftTerms
from domain.ids import PersonId, SourceId
from domain.people.addresses import AskAddressChange
from domain.people.clients import EndClient, SetMailDomains
from domain.people.memberships import NameLead
from domain.people.passkeys import AddPasskey, AskPasskeyReplacement
from domain.people.person import InvitePerson
from domain.people.providers import SetProvider, TryProvider, UseProvider
from domain.people.sign_ins import IssueLink, UseLink
from domain.people.tokens import IssueToken
from domain.plan.risks import Points, ScoreAsClient
from domain.plan.sources.commands import AttachSource
from domain.telling.channels import AddChannel, QueueMessage, SettleMessage
from tests.journeys.product import Product, seeded
from tests.world import ACME, ADMIN, ALL_RISKS, COUNCIL, HARBOUR, OTHER, SHARE, World, everything
from web import clock
from web.write.permission import OPERATOR

pytestmark = pytest.mark.browser

NOTHING = "/nothing/here"
PAGES: tuple[tuple[str, str], ...] = (
    (f"viewer-{ACME}", f"/s/{SHARE}"),
    (f"viewer-{ACME}", f"/s/{OTHER}?about=risk-r1"),
    (f"viewer-{ACME}", f"/s/{OTHER}?about="),
    (f"viewer-{ACME}", f"/s/{OTHER}?about=milestone-m1"),
    (f"viewer-{ACME}", f"/s/{OTHER}?about=agreement-1"),
    (f"viewer-{ACME}", NOTHING),
    (f"viewer-{ACME}", f"/s/{SHARE}/record"),
    (f"viewer-{ACME}", f"/s/{SHARE}/history"),
    (f"viewer-{ACME}", f"/s/{SHARE}/history?on=2020-01-01"),
    (f"viewer-{ACME}", f"/s/{SHARE}/history/1"),
    (f"viewer-{ACME}", "/home"),
    (f"viewer-{ACME}", "/me"),
    (f"viewer-{ACME}", "/me/passkeys"),
    (f"viewer-{ACME}", "/me/address"),
    (f"viewer-{ACME}", f"/s/{SHARE}/wall"),
    (f"viewer-{ACME}", "/wall/begin"),
    (f"viewer-{ACME}", "/home/mail"),
    (f"viewer-{ACME}", f"/home/people/{ACME}"),
    (f"viewer-{ACME}", f"/home/people/{ACME}/noor/end"),
    ("manager", "/p"),
    ("manager", "/p/new"),
    ("manager", "/search?q=e"),
    ("auditor", "/search?q=e"),
    ("manager", f"/p/{HARBOUR}/sharing"),
    ("manager", f"/p/{HARBOUR}"),
    ("manager", f"/p/{HARBOUR}/answers"),
    ("manager", f"/p/{HARBOUR}/history"),
    ("manager", f"/p/{HARBOUR}/who?milestone=m1"),
    ("manager", f"/p/{HARBOUR}/who?risk=r2"),
    ("manager", f"/p/{HARBOUR}/import"),
    ("manager", f"/p/{HARBOUR}/past"),
    ("manager", f"/p/{HARBOUR}/titles"),
    ("manager", f"/p/{HARBOUR}/do/move-forecast?milestone=m1"),
    ("manager", f"/p/{HARBOUR}/do/raise-risk"),
    ("manager", f"/p/{HARBOUR}/table/milestones"),
    ("manager", f"/p/{HARBOUR}/table/risks"),
    ("manager", f"/p/{HARBOUR}/shares/new"),
    ("manager", f"/p/{HARBOUR}/shares/{SHARE}"),
    ("manager", f"/p/{HARBOUR}/shares/{SHARE}/edit"),
    ("manager", f"/p/{HARBOUR}/shares/{SHARE}/edit?from=status"),
    ("manager", f"/p/{HARBOUR}/shares/{SHARE}/edit/activate"),
    ("manager", "/shares"),
    ("manager", f"/p/{HARBOUR}/shares/{SHARE}/as"),
    ("manager", f"/p/{HARBOUR}/shares/{SHARE}/at/u2"),
    ("manager", f"/p/{HARBOUR}/shares/{OTHER}/at/2020-01-01T00:00:00Z"),
    ("manager", f"/p/{HARBOUR}/shares/{SHARE}/access"),
    ("manager", f"/p/{HARBOUR}/shares/{SHARE}/viewers/viewer-{ACME}/end"),
    ("manager", "/clients"),
    ("manager", f"/clients/{ACME}"),
    ("manager", f"/clients/{COUNCIL}"),
    ("manager", f"/clients/{ACME}/end"),
    ("manager", f"/clients/{ACME}/people/viewer-{ACME}/end"),
    ("manager", "/me"),
    ("manager", "/me/passkeys"),
    ("manager", "/me/address"),
    ("manager", "/tokens"),
    ("manager", "/for-you"),
    ("manager", "/for-you/settings"),
    ("manager", f"/p/{HARBOUR}/channels"),
    ("manager", f"/p/{HARBOUR}/sources"),
    ("manager", f"/p/{HARBOUR}/sources/new/folder"),
    ("manager", f"/p/{HARBOUR}/sources/new/openproject"),
    ("manager", f"/p/{HARBOUR}/sources/script1"),
    ("auditor", "/audit?technical=1&zone=utc"),
    ("auditor", "/audit"),
    ("auditor", "/audit/replay"),
    ("auditor", "/audit/ledger"),
    ("auditor", "/audit/file"),
    ("auditor", f"/audit/shares/{SHARE}/shadow"),
    ("auditor", f"/audit/shares/{SHARE}/at/u1?span=day"),
    ("auditor", "/audit/shares"),
    ("auditor", f"/audit/shares/{SHARE}"),
    ("auditor", f"/audit/shares/{SHARE}/access"),
    ("auditor", "/me"),
    ("admin", "/people"),
    ("admin", "/people/manager/role"),
    ("admin", "/organisation"),
    ("admin", "/people/manager/end"),
    ("admin", f"/p/{HARBOUR}/shares/{SHARE}/viewers/viewer-{ACME}/erase"),
    ("admin", "/people/manager/passkeys"),
    ("admin", f"/clients/{ACME}"),
    ("admin", f"/clients/{ACME}/providers/acmesignonid"),
    ("admin", f"/clients/{ACME}/providers/anothersigno"),
    ("", "/sign-in"),
    ("", NOTHING),
)
# Scheme, width, and which of somebody's pages: in the daily run two of three have one look, in the slow run each has all six.
LOOKS = [
    pytest.param("light", 1280, slice(0, None, 3), id="light-wide-a-third"),
    pytest.param("dark", 390, slice(1, None, 3), id="dark-narrow-a-third"),
    *(
        pytest.param(scheme, width, slice(None), id=f"{scheme}-{width}-all", marks=pytest.mark.slow)
        for scheme in ("light", "dark")
        for width in (1280, 768, 390)
    ),
]
AXE = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


def talk(world: World) -> None:
    """Have something said, so that pages have it to show."""
    by, screen = f"viewer-{ACME}", Screen(n=1, head="ab" * 32)
    for key, about in (("k1", "milestone-m1"), ("k2", "risk-r1"), ("k3", "")):
        world.tell(RaiseConcern(share=OTHER, concern=key, subject=about, text="Worried", by=by, screen=screen), ADMIN)
    world.tell(AnswerConcern(share=OTHER, concern="k1", text="No need", by="manager"), ADMIN)
    world.tell(Acknowledge(share=OTHER, subject="milestone-m1", by=by, screen=screen), ADMIN)
    world.tell(MakeComment(share=OTHER, comment="c1", subject="risk-r1", text="Seen", by=by, side="ours"), ADMIN)
    world.tell(ScoreAsClient(project=HARBOUR, risk="r1", client=ACME, points=Points(4, 5), by=by), ADMIN)
    added = AddChannel(channel="ch1", project=HARBOUR, form="slack", name="W" * 120, address="https://127.0.0.1:1/x")
    world.tell(added, ADMIN)
    world.tell(QueueMessage(channel="ch1", message="m1"), ADMIN)
    world.tell(SettleMessage(channel="ch1", message="m1", state="refused", told="404 no_service " * 9), ADMIN)


def own(world: World, name: str) -> None:
    """Have people with passkeys, a change of their address that waits, tokens, and a source, all called by a name."""
    soon = clock.now() + timedelta(days=1)
    for who in (PersonId("manager"), PersonId(f"viewer-{ACME}")):
        email = world.present.refresh().people[who].email
        for command in (
            IssueLink(person=who, hash=f"l-{who}", expires=soon),
            UseLink(person=who, hash=f"l-{who}", session=f"s-{who}", session_hash=f"c-{who}", session_expires=soon),
            AddPasskey(
                person=who, passkey=f"p-{who}", name=name[:60], credential=f"c-{who}", key="k", handle="h",
                host="elsewhere.example", session=f"s-{who}", challenge=f"c-{who}", synced=True,
            ),
            AskAddressChange(
                person=who, change=f"a-{who}", old=email, new=f"{name[:120].replace(' ', '')}@x.test", expires=soon,
                clients=(ACME,),
            ),
        ):  # fmt: skip
            world.tell(command, OPERATOR)
    world.tell(AskPasskeyReplacement(person="manager"), OPERATOR)
    covers = IssueToken(
        person="manager", token="token", hash="t", label=name[:200], scopes=("read", "change"), projects=(HARBOUR,)
    )
    world.tell(covers, OPERATOR)
    world.tell(AttachSource(project=HARBOUR, source=SourceId("script1"), tool="upload", name=name[:100]))


def lead_and_provider(world: World) -> None:
    """Have Acme's viewer lead its people, one of whom they invited, and a provider with a change that waits."""
    vera = PersonId(f"viewer-{ACME}")
    noor = InvitePerson(person=PersonId("noor"), name="Noor", email="noor@acme.test", role="viewer", client=ACME)
    for command in (SetMailDomains(client=ACME, domains=("acme.test",)), noor, NameLead(person=vera, client=ACME)):
        world.tell(command, ADMIN)
    setup = {"client": ACME, "provider": "acmesignonid", "issuer": "https://login.acme.test", "app": "fanlight"}
    kept = {"domains": ("acme.test",), "key": "k", "sealed": b"x"}
    for step in (
        SetProvider(**setup, **kept),  # type: ignore[arg-type]
        TryProvider(client=ACME, provider="acmesignonid", setup=1),
        UseProvider(client=ACME, provider="acmesignonid"),
        SetProvider(**setup, domains=("acme.test",), joins=True),  # type: ignore[arg-type]
    ):
        world.tell(step, ADMIN)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    def more(world: World) -> None:
        for role in ("manager", "auditor", "admin"):
            someone = InvitePerson(person=role, name=role.title(), email=f"{role}@x.test", role=role)
            world.tell(someone, ADMIN)
        world.share(everything(risk_fields=(*ALL_RISKS, "comments")), OTHER, HARBOUR, ACME)
        talk(world)
        world.tell(DraftTerms(share=SHARE, terms=everything(risks=())))
        world.move("m1", date(2027, 6, 1))
        own(world, "Desk computer")  # before email domains are set, or the new addresses would be refused
        lead_and_provider(world)
        world.claim("opened", 1, person=f"viewer-{ACME}", tab="", device="Phone")
        for kind in ("delivered", "displayed", "hidden"):
            world.claim(kind, 2, person=f"viewer-{ACME}")
            world.receipts.flush()
        world.tell(EndClient(client=COUNCIL, reason="Handed over"), ADMIN)

    begun = clock.now() - timedelta(days=30)
    mail = ("--smtp-url", "smtp://127.0.0.1:1", "--mail-from", "status@works.example")  # nobody is mailed here
    product = Product(seeded(tmp_path_factory.mktemp("pages") / "data", more, begun), flags=mail).at_a_name().start()
    yield product
    product.stop()


def axe_source() -> str:
    """Return axe-core, as its package carries it."""
    package = pytest.importorskip("axe_playwright_python", reason="axe is not installed: make test installs it")
    found = list(Path(package.__file__).parent.rglob("axe.min.js"))
    assert found, "the package carries no axe.min.js"
    return found[0].read_text()


@pytest.mark.parametrize(("scheme", "width", "which"), LOOKS)
@pytest.mark.parametrize("person", sorted({person for person, _ in PAGES}))
def test_pages_are_accessible_and_fit(
    served: Product, sit_down: Callable[..., Any], chromium: Any, person: str, scheme: str, width: int, which: slice
) -> None:
    source, found = axe_source(), []
    look: dict[str, Any] = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    page = sit_down(served, person, **look) if person else chromium.new_context(**look).new_page()
    theirs = [path for who, path in PAGES if who == person]
    for path in theirs[which] or theirs:  # one page alone is looked at in both
        answer = page.goto(served.url + path)
        assert answer.status == (404 if path == NOTHING else 200), path
        page.wait_for_timeout(50)
        page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
        page.evaluate("scrollTo(0, document.body.scrollHeight)")  # nothing lies under the bar that stays in sight
        page.evaluate(source)
        violations = page.evaluate("async (options) => (await axe.run(document, options)).violations", AXE)
        found += [(path, v["id"], v["nodes"][0]["html"][:160]) for v in violations]
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            found.append((path, "scrolls sideways", str(wide)))
    page.context.close()
    assert found == []
