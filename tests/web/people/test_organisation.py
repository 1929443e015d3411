"""The brand of the organisation: looked at before it is set, one quiet update of each share, and every page in the look of its day."""

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from domain.ids import CommandId, PersonId, ShareId
from domain.look.look import Picture
from domain.people.brand import SetBrand
from domain.people.person import InvitePerson
from domain.plan.schedule import MoveForecast
from projections.entries.one_change import QUIET, loud
from projections.replay import pages
from projections.replay.since import since
from projections.verify import bundle as verify_bundle
from tests.recorded import recorded
from tests.web.doors import ORIGIN, VIEWER, wait_until
from tests.web.manager.agreement.test_shares import form_of
from tests.web.pictures.test_png import GOOD as PNG
from tests.web.pictures.test_svg import EXPORTED as SVG
from tests.world import ACME, ADMIN, HARBOUR, SHARE, World, everything
from web import app as application
from web.mail import digest
from web.process.process import Process
from web.settings import Settings
from web.write.permission import OPERATOR, Actor

ICON = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="14"/></svg>'


def _sample(folder: Path) -> None:
    world = World(folder)
    world.harbour(everything())
    for role in ("manager", "auditor", "admin"):
        world.tell(InvitePerson(person=PersonId(role), name=role.title(), email=f"{role}@x.test", role=role), ADMIN)
    world.close()


class Office:
    """The whole application, with the pages of the product."""

    def __init__(self, folder: Path) -> None:
        recorded(folder, _sample)
        self.process: Process = application.compose(Settings(data=folder, public_url=ORIGIN))
        self.app = application.create(self.process)
        self.log = self.process.services.logs.disclosure

    def client(self, person: str = "") -> TestClient:
        client = TestClient(self.app, base_url=ORIGIN, follow_redirects=False)
        if person:
            credentials = self.process.services.credentials
            entered = credentials.enter(credentials.link(OPERATOR, PersonId(person)))
            client.cookies.set(self.process.services.guard.cookie, entered.secret)
        return client

    def head(self) -> int:
        return self.log.head(SHARE)

    def look_at(self, admin: TestClient, files: dict[str, bytes] | None = None, **typed: str) -> Any:
        form = form_of(admin.get("/organisation").text, "/organisation") | {"name": "Example Works"} | typed
        sent = {field: (f"{field}.bin", data) for field, data in (files or {}).items()}
        return admin.post("/organisation", data=form, files=sent or {"none": ("", b"")})

    def set(self, admin: TestClient, files: dict[str, bytes] | None = None, **typed: str) -> None:
        looked = self.look_at(admin, files, **typed)
        assert looked.status_code == 303, looked.text
        form = form_of(admin.get(looked.headers["location"]).text, "/organisation/save")
        before = self.head()
        assert admin.post("/organisation/save", data=form).headers["location"] == "/organisation?done=brand"
        wait_until(lambda: self.head() > before)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "data")
    with TestClient(made.app, base_url=ORIGIN):
        wait_until(lambda: made.head() >= 1)
        yield made


FILES = {"logo": SVG, "logo_dark": PNG, "icon": ICON}
ACCENT = {"own_accent": "yes", "accent": "#0a7d5a"}


def test_a_brand_is_looked_at_in_both_schemes_and_sets_nothing_until_it_is_saved(office: Office) -> None:
    admin, before = office.client("admin"), office.head()
    looked = office.look_at(admin, FILES, **ACCENT)
    page = admin.get(looked.headers["location"]).text
    assert "Light: #0a7957 is used, at 4.5:1. Yours would have 4.3:1, and text needs 4.5:1." in page
    frames = re.findall(r'<iframe sandbox src="([^"]+)"', page)
    assert len(frames) == 2
    for address, scheme, colour in zip(frames, ("light", "dark"), ("#0a7957", "#58a78f"), strict=True):
        answer = admin.get(address.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert f"--accent: {colour}" in answer.text
        assert "prefers-color-scheme" not in answer.text
        assert f"color-scheme: {scheme}" in answer.text
        assert "script" not in answer.text
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'; style-src 'sha256-")
    assert office.process.services.present.refresh().brand.look is None
    assert office.head() == before
    wears = admin.get("/p").text
    assert "/brand/" not in wears


def test_a_brand_is_one_update_that_nobody_is_told_of(office: Office) -> None:
    admin, before = office.client("admin"), office.head()
    office.set(admin, FILES, **ACCENT, name="Example Works Group")
    assert office.head() == before + 1
    entry = office.log.entry(SHARE, before + 1)
    assert entry is not None
    content = entry.content
    assert {change.field for change in content.changes} == {"organisation", "brand"} <= QUIET
    assert (loud(content.changes), content.items, content.say) == ((), "", "")
    assert "brand" in content.targets
    newest = pages.fold(office.log, SHARE, before + 1)
    assert newest is not None
    told = since(office.log, SHARE, before, newest)
    assert (told.rows, told.changes, [item for item in told.items if item]) == ((), 0, [])
    assert digest.compose(office.log, SHARE, before, before + 1) is None
    viewer = office.client(VIEWER)
    listed = viewer.get(f"/s/{SHARE}/history").text
    assert "Look" in listed  # it stands in the history
    command = MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, 9), reason="Ice")
    office.process.services.service.execute(OPERATOR, command, command_id=CommandId("m"))
    wait_until(lambda: office.head() == before + 2)
    mailed = digest.compose(office.log, SHARE, before, before + 2)
    assert mailed is not None
    assert all("Look" not in line.title for line in mailed.changes)  # and what is told is told without it


def test_a_page_is_replayed_in_the_look_of_its_day_byte_for_byte(office: Office) -> None:
    admin, viewer, first = office.client("admin"), office.client(VIEWER), office.head()
    exact = lambda n: viewer.get(f"/s/{SHARE}/history/{n}/page")  # noqa: E731
    plain = exact(first)
    office.set(admin, FILES, **ACCENT)
    green = exact(first + 1)
    office.set(admin, **ACCENT | {"accent": "#b00020"}, without="logo_dark")
    red = exact(first + 2)
    assert exact(first).content == plain.content
    assert exact(first + 1).content == green.content
    assert len({plain.content, green.content, red.content}) == 3
    assert b"#0a7957" in green.content
    assert b"#0a7957" not in red.content
    for answer in (plain, green, red):
        policy = answer.headers["content-security-policy"]
        assert "img-src 'self'" in policy
        assert "script" not in policy
    named = re.findall(r"/brand/[0-9a-f]{64}\.(?:svg|png)", green.text)
    assert len(named) == 2
    assert len(set(re.findall(r"/brand/[0-9a-f]{64}\.(?:svg|png)", red.text))) == 1
    for address in named:
        assert office.client().get(address).status_code == 200
    assert "/brand/" in viewer.get(f"/s/{SHARE}/history/{first + 1}").text  # the icon of today
    dashboard = viewer.get(f"/s/{SHARE}").text
    entry = office.log.entry(SHARE, first + 2)
    assert entry is not None
    assert f"/s/{SHARE}/styles/{entry.content.stylesheet}.css" in dashboard
    by_number = viewer.get(f"/s/{SHARE}/styles/{first + 2}.css")
    assert by_number.content == viewer.get(f"/s/{SHARE}/styles/{entry.content.stylesheet}.css").content
    assert by_number.headers["cache-control"] == "no-store"
    assert viewer.get(f"/s/{SHARE}/styles/{first + 9}.css").status_code == 404


def test_a_bundle_holds_the_pictures_and_is_verified_without_us(office: Office, tmp_path: Path) -> None:
    admin = office.client("admin")
    office.set(admin, FILES, **ACCENT)
    auditor = office.client("auditor")
    data = auditor.get(f"/audit/shares/{SHARE}/evidence.zip").content
    look = office.process.services.present.refresh().brand.look
    assert look is not None
    with zipfile.ZipFile(io.BytesIO(data)) as bundle:
        held = set(bundle.namelist())
        assert {f"assets/{one.sha256}" for one in look.pictures} <= held
        (tmp_path / "verify.py").write_bytes(bundle.read("verify.py"))
        (tmp_path / "bundle.zip").write_bytes(data)
        key = bundle.read("key.txt").decode().strip()
        kept = {name: bundle.read(name) for name in held}
    assert verify_bundle.check(data).accepted
    alone = [sys.executable, "-I", "-S", str(tmp_path / "verify.py"), str(tmp_path / "bundle.zip"), "--key", key]
    done = subprocess.run(alone, capture_output=True, text=True, timeout=60, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    missing = io.BytesIO()
    with zipfile.ZipFile(missing, "w") as less:
        for name, content in kept.items():
            less.writestr(name, b"" if name == f"assets/{look.pictures[0].sha256}" else content)
    assert not verify_bundle.check(missing.getvalue()).accepted


def test_pictures_are_served_as_pictures_that_may_do_nothing(office: Office) -> None:
    admin, anybody = office.client("admin"), office.client()
    office.set(admin, FILES, **ACCENT)
    look = office.process.services.present.refresh().brand.look
    assert look is not None
    for picture in look.pictures:
        answer = anybody.get(picture.address)
        assert answer.headers["content-type"] == {"svg": "image/svg+xml", "png": "image/png"}[picture.kind]
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in answer.headers["cache-control"]
    font = next(iter(office.process.services.renderer.assets))
    for address in (
        f"/brand/{font}.png", f"/brand/{font}.svg", f"/brand/{look.logo.sha256}.png", "/brand/x.svg",  # type: ignore[union-attr]
        f"/brand/{'0' * 64}.svg", f"/brand/{'0' * 64}.css", f"/brand/{look.logo.sha256}.html",  # type: ignore[union-attr]
    ):  # fmt: skip
        assert anybody.get(address).status_code == 404
    sign_in = anybody.get("/sign-in").text
    assert look.logo is not None
    assert look.logo.address in sign_in
    style = re.search(r'href="(/brand/[0-9a-f]{64}\.css)"', sign_in)
    assert style is not None
    assert b"--accent: #0a7957" in anybody.get(style[1]).content
    assert "Shown with Fanlight" in sign_in


@pytest.mark.parametrize(
    ("files", "typed", "field"),
    [
        ({"logo": b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"}, {}, "logo"),
        ({"icon": SVG}, {}, "icon"),
        ({"logo": b"\x89PNG\r\n\x1a\nbroken"}, {}, "logo"),
        ({"logo": b"x" * 200_000}, {}, "logo"),
        ({}, {"own_accent": "yes", "accent": "blue"}, "accent"),
        ({}, {"name": " "}, "name"),
        ({"logo_dark": ICON}, {}, "logo"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field(
    office: Office, files: dict[str, bytes], typed: dict[str, str], field: str
) -> None:
    answer = office.look_at(office.client("admin"), files, **typed)
    assert answer.status_code == 422
    assert f'id="b-{field}-wrong"' in answer.text


def test_more_than_a_form_may_bring_is_refused_as_it_is_read(office: Office) -> None:
    answer = office.look_at(office.client("admin"), {"logo": b"x" * (2 << 20)})
    assert answer.status_code == 413


def test_only_an_admin_sees_or_sets_it_and_guesses_are_answered_alike(office: Office) -> None:
    for person in ("manager", "auditor", VIEWER):
        client = office.client(person)
        for path in ("/organisation", "/organisation/preview?draft=x&scheme=dark"):
            assert client.get(path).status_code == 404
    admin = office.client("admin")
    for path in (
        "/organisation?draft=x", "/organisation/preview?draft=x&scheme=dark", "/organisation/preview?scheme=dark"
    ):  # fmt: skip
        assert admin.get(path).status_code == 404
    good = office.look_at(admin, **ACCENT).headers["location"].partition("draft=")[2].partition("#")[0]
    assert admin.get(f"/organisation/preview?draft={good}&scheme=dark").status_code == 200
    assert admin.get(f"/organisation/preview?draft={good}&scheme=sepia").status_code == 404


def test_by_the_json_door_too_a_picture_has_to_be_one_that_was_taken(office: Office) -> None:
    credentials = office.process.services.credentials

    def send(person: str, **look: object) -> Any:
        token = credentials.token(OPERATOR, PersonId(person), "test")
        headers = {"authorization": f"Bearer {token}", "idempotency-key": f"{person}-{len(json.dumps(look))}"}
        return office.client().post(
            "/api/v1/commands", json={"type": "set-brand", "name": "Example Works", **look}, headers=headers
        )

    font = next(iter(office.process.services.renderer.assets))
    before = office.head()
    for sha in ("0" * 64, font):
        named = {"sha256": sha, "kind": "png", "width": 8, "height": 4}
        refused = send("admin", logo=named)
        assert (refused.status_code, "was kept" in refused.text) == (422, True)
    assert send("manager", accent="#0a7d5a").status_code == 403
    admin = office.client("admin")
    office.set(admin, {"logo": PNG})
    look = office.process.services.present.refresh().brand.look
    assert look is not None
    lying = {"sha256": look.logo.sha256, "kind": "png", "width": 800, "height": 4}  # type: ignore[union-attr]
    assert send("admin", logo=lying).status_code == 422
    assert office.head() == before + 1


def test_taking_a_brand_back_keeps_its_place_on_the_page(office: Office) -> None:
    admin = office.client("admin")
    office.set(admin, FILES, **ACCENT)
    look = office.process.services.present.refresh().brand.look
    command = SetBrand(name="Example Works")
    before = office.head()
    office.process.services.service.execute(OPERATOR, command, command_id=CommandId("back"))
    wait_until(lambda: office.head() > before)
    page = pages.page(office.log, SHARE)
    assert page is not None
    assert list(page.roots) == ["brand", "summary", "body"]
    assert page.stylesheet == office.process.services.renderer.stylesheet
    assert isinstance(look.logo if look else None, Picture)  # there was one to take back
    assert "<img" not in page.roots["brand"]
    assert office.process.services.present.world.shares[ShareId(SHARE)].active


def test_a_wall_display_wears_the_recorded_look_and_takes_on_a_new_one(office: Office) -> None:
    devices, anna = office.process.services.devices, Actor(PersonId(VIEWER), "viewer", clients=(ACME,))
    code = devices.offer(anna, ShareId(SHARE), ACME, "Site office").code
    wall = office.client()
    assert wall.post("/wall/begin", headers={"origin": ORIGIN}, data={"code": code}).headers["location"] == "/wall"
    before = office.head()
    assert "data-look" not in wall.get("/wall").text
    office.set(office.client("admin"), FILES, **ACCENT)
    page, n = wall.get("/wall").text, office.head()
    assert re.search(r'<span class="brand">\s*<span class="by" id="brand" data-look="\w+">', page)
    named = re.search(r'id="style" href="(/wall/styles/\w{64}\.css)"', page)
    assert named is not None
    new, old = wall.get(f"/wall/styles/{n}.css"), wall.get(f"/wall/styles/{before}.css")
    assert new.content == wall.get(named[1]).content
    assert (new.status_code, old.status_code, old.content != new.content) == (200, 200, True)
    assert wall.get(f"/wall/styles/{n + 1}.css").status_code == 404
    logo = re.search(r'<img[^>]* src="(/brand/[^"]+)"', page)
    assert logo is not None
    assert wall.get(logo[1]).status_code == 200
