"""Whoever is erased is erased from what earlier versions recorded as well, where a name stands in the content in plain."""

import contextlib
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from domain.agreement import answers
from domain.agreement.share import RevokeShare
from domain.errors import Invalid
from domain.ids import CommandId, PersonId
from domain.people.person import ErasePerson, InvitePerson
from domain.plan.schedule import DescribeMilestone
from projections.entries.entry import open_content
from projections.entries.names import erased
from projections.evidence import names_due
from projections.evidence.inspection import inspect
from projections.evidence.leaves import numbers_erased
from projections.evidence.naming import updates_naming
from projections.follow.shadow import compared
from projections.installation.database import migrate
from projections.proof import notes
from projections.replay import pages
from projections.verify import bundle as verify_bundle
from projections.verify import standalone
from tests import postgres
from tests.stories.test_erased_names import inflated
from tests.stories.test_recorded import Otherwise, laid_out
from tests.vectors.make_recorded import ANNA, OTHER, OWN, SECOND_KEY, Sample
from tests.web.doors import ORIGIN, every_route, wait_until
from tests.world import ACME, ADMIN, HARBOUR, MANAGER, SHARE
from web.cli.main import main
from web.clock import Virtual
from web.door.assets import asset_url
from web.door.templates import Pages
from web.ids import new_id
from web.mail import digest
from web.process.process import Given, Process
from web.render.page import Renderer
from web.settings import Settings
from web.write.erasure import PersonErasure
from web.write.permission import OPERATOR, Actor

pytestmark = [pytest.mark.folder, pytest.mark.stories]

FIRST = Path(__file__).parents[1] / "vectors" / "recorded" / "1"
TRUSTED = notes.verification_key(SECOND_KEY.name, SECOND_KEY.public)
NAME, OURS = "Anna Example", "Marta Example"
REASON = "Asked to be forgotten"


class Crash(BaseException):
    """The process ends here."""


class Erasing(Sample):
    """The sample of an earlier version, opened by the code of today as a process opens it."""

    def open(self) -> None:
        super().open()
        self.erasure = PersonErasure(self.folder, self.notary, self.present, self.clock)
        self.service.surround(self.erasure)

    def erase(self, person: PersonId = ANNA, reason: str = REASON) -> None:
        self.tell(ErasePerson(person=person, reason=reason), ADMIN)
        self.erasure.finish_all()

    def named(self, person: PersonId = ANNA) -> dict[str, set[int]]:
        found: dict[str, set[int]] = {}
        for update in updates_naming(self.folder, self.present.world, person):
            found.setdefault(update.share, set()).add(update.n)
        return found

    def readable(self, share: str = SHARE) -> set[int]:
        return {kept.n for kept in self.folder.disclosure.kept(share, 0, 100_000) if kept.raw is not None}

    def holding(self, name: str = NAME) -> set[int]:
        kept = self.folder.disclosure.kept(SHARE, 0, 100_000)
        return {one.n for one in kept if one.raw is not None and name.encode() in one.raw}


def opened(at: Path) -> Erasing:
    world = Erasing(at, Renderer())
    last = world.folder.disclosure.entries(SHARE, 0, 100_000)[-1]
    world.clock.at = last.content.at + timedelta(days=400)
    world._ids = itertools.count(100_001)  # command ids that the sample did not use
    return world


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    laid_out(FIRST, tmp_path / "data")
    for extra in ("expected.json",):  # what a test compares with, and no part of the installation
        (tmp_path / "data" / extra).unlink()
    return tmp_path / "data"


@pytest.fixture
def world(folder: Path) -> Iterator[Erasing]:
    made = opened(folder)
    yield made
    made.close()


def given_out(world: Erasing) -> dict[str, str]:
    """Everything that leaves, by what it is, as text."""
    log, head = world.folder.disclosure, world.folder.disclosure.head(SHARE)
    found = {
        f"page {n}": "".join(page.roots.values()) + str(page.view)
        for n in range(1, head + 1)
        if (page := pages.page(log, SHARE, n)) is not None
    }
    found |= {f"message {n}": text.decode() for n, text in world.log.frames(SHARE, 0, 1000)}
    found |= {f"whole page since {n}": world.log.keyframe(SHARE, n)[1].decode() for n in (0, 1, head)}
    found["digest"] = str(digest.compose(world.folder.disclosure, SHARE, 1, head))
    for kind, first, to in (("share", 1, 0), ("period", head - 1, head), ("entry", head, head)):
        with zipfile.ZipFile(io.BytesIO(world.bundle(kind, first, to))) as files:
            found |= {f"{kind} bundle, {name}": files.read(name).decode(errors="replace") for name in files.namelist()}
    return found


def traces(texts: dict[str, str], name: str = NAME) -> list[str]:
    return [what for what, text in texts.items() if name in text]


def stored(folder: Path, name: str = NAME) -> list[str]:
    """The files of a folder that hold a name, be it compressed."""
    sought, found = name.encode(), []
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        if sought in content or any(sought in part for part in inflated(content)):
            found.append(path.name)
    return found


def sound(world: Erasing) -> None:
    assert [str(one) for one in inspect(world.folder, world.notary, [SHARE, OTHER, OWN])] == []
    head = world.folder.disclosure.head(SHARE)
    for kind, first, to in (("share", 1, 0), ("period", head - 3, head), ("entry", head, head), ("entry", 31, 31)):
        data = world.bundle(kind, first, to)
        for report in (verify_bundle.check(data, TRUSTED), standalone.check(data, TRUSTED)):
            assert report.accepted, (kind, report.problems)


# which updates name somebody


def test_the_updates_found_are_all_that_hold_the_name_and_no_other(world: Erasing) -> None:
    assert world.holding(), "the drill could fail: the name is there to be found"
    assert world.named() == {SHARE: world.holding()}
    (first, *_more) = updates_naming(world.folder, world.present.world, ANNA)
    assert first.what == ("score of R-01 Late approval", "list of changes")
    everything = {what for found in updates_naming(world.folder, world.present.world, ANNA) for what in found.what}
    assert {
        "comment on Trial running starts", "concern about R-01 Late approval", "acknowledgement of the agreement",
    } <= everything  # fmt: skip


def test_somebody_of_the_organisation_is_found_where_they_commented_and_answered(world: Erasing) -> None:
    found = world.named(MANAGER.person)
    assert found == {SHARE: world.holding(OURS)}
    assert found[SHARE] < world.named()[SHARE]


def test_who_never_said_anything_is_named_nowhere_be_it_under_a_name_that_stands_there(world: Erasing) -> None:
    namesake = PersonId("namesake")
    world.tell(InvitePerson(person=namesake, name=NAME, email="n@acme.test", role="viewer", client=ACME), ADMIN)
    assert world.named(PersonId("tomas")) == {}
    assert world.named(namesake) == {}
    before = world.readable()
    world.erase(namesake)
    assert world.readable() - {world.folder.disclosure.head(SHARE)} == before - {world.folder.disclosure.head(SHARE)}


def test_a_name_in_what_somebody_wrote_makes_no_update_name_the_person(world: Erasing) -> None:
    """Somebody is called by two of the words in a comment of the sample, and comments as well, in format 2."""
    called = PersonId("called")
    world.tell(InvitePerson(person=called, name="Our drivers", email="d@acme.test", role="viewer", client=ACME), ADMIN)
    assert world.holding("Our drivers")
    said = answers.MakeComment(
        share=SHARE, comment="theirs", subject="milestone-m2", text="Yes.", by=called, side="theirs", screen=world.screen()
    )  # fmt: skip
    world.tell(said, Actor(called, "viewer", (ACME,)))
    assert world.named(called) == {}, "their comment is in format 2, and the words are a comment's"


# the drill


def test_the_drill_nothing_that_is_stored_or_given_out_holds_the_name_and_all_proofs_hold(world: Erasing) -> None:
    before, named = world.readable(), world.named()[SHARE]
    found = {what.split()[0] for what in traces(given_out(world))}
    assert {"page", "message", "whole", "share"} <= found, "the drill could fail: the name is there to be found"
    world.erase()
    log, head = world.folder.disclosure, world.folder.disclosure.head(SHARE)
    assert traces(given_out(world)) == []
    assert stored(world.path) == []
    assert world.readable() == before - named | {head}, "what names nobody, or others alone, stays readable"
    assert numbers_erased(world.folder, SHARE) >= named
    page = pages.page(log, SHARE)
    assert page is not None
    assert erased() in "".join(page.roots.values())
    sound(world)
    world.restart()
    assert traces(given_out(world)) == []
    sound(world)


def test_shadow_replay_finds_no_difference_where_there_is_something_left_to_compare(world: Erasing) -> None:
    named = world.named()[SHARE]
    world.erase()
    before = world.folder.disclosure.head(SHARE)
    noted = answers.MakeComment(
        share=SHARE, comment="noted", subject="milestone-m2", text="Frost.", by=MANAGER.person, side="ours"
    )
    world.tell(noted)
    states = {
        one.n: one.state
        for one in compared(world.folder.events, world.folder.disclosure, SHARE, world.renderer)
        if one.n >= min(named)
    }
    head = world.folder.disclosure.head(SHARE)
    assert head == before + 1
    assert {states[n] for n in named} == {"erased"}
    assert (states[head - 1], states[head]) == ("same", "same")
    renamed = [
        one.apart for one in compared(world.folder.events, world.folder.disclosure, SHARE, Otherwise()) if one.n == head
    ]
    assert all(renamed), "what is made otherwise is noticed, also after what was erased"


def test_the_update_that_follows_says_that_a_person_was_erased_and_nothing_else(world: Erasing) -> None:
    m = next(iter(world.present.refresh().projects[HARBOUR].schedule.milestones.values()))
    internal = msgspec.structs.replace(m.details, note="For us alone")
    world.tell(
        DescribeMilestone(project=HARBOUR, milestone=m.id, details=internal)
    )  # what is reworded today comes first
    before = world.folder.disclosure.head(SHARE)
    world.erase()
    (entry,) = world.folder.disclosure.entries(SHARE, before, 10)
    assert [(change.kind, change.say) for change in entry.content.changes] == [
        ("names", "A person was erased; the name is shown no longer")
    ]
    kept = world.folder.disclosure.kept(SHARE, before, 1)[0]
    assert kept.raw is not None
    assert open_content(kept.raw).format == 2


def test_updates_that_name_others_alone_stay_readable(world: Erasing) -> None:
    only = world.holding(NAME) - world.holding(OURS)
    assert only, "some name the one and not the other"
    before, named = world.readable(), world.named(MANAGER.person)[SHARE]
    world.erase(MANAGER.person)
    assert world.readable() == before - named | {world.folder.disclosure.head(SHARE)}
    assert only <= world.readable()
    assert world.holding(OURS) == set()
    assert world.holding(NAME) >= only
    sound(world)


def test_once_erased_it_is_repeated_without_a_further_statement(world: Erasing) -> None:
    world.erase()
    last = world.folder.ledger.last()
    world.erasure.finish([ANNA])
    world.erasure.finish_all()
    world.restart()
    world.erasure.finish_all()
    again = world.folder.ledger.last()
    assert last is not None
    assert again is not None
    assert again.index == last.index


def test_of_a_share_that_has_ended_the_newest_update_is_erased_as_well(world: Erasing) -> None:
    world.tell(RevokeShare(share=SHARE, reason="Done"))
    head = world.folder.disclosure.head(SHARE)
    assert head in world.named()[SHARE], "nothing will follow it"
    world.erase()
    assert world.folder.disclosure.head(SHARE) == head
    assert pages.page(world.folder.disclosure, SHARE) is None
    assert stored(world.path) == []
    assert [str(one) for one in inspect(world.folder, world.notary, [SHARE, OTHER, OWN])] == []
    for report in (verify_bundle.check(data := world.bundle(), TRUSTED), standalone.check(data, TRUSTED)):
        assert report.accepted, report.problems
    assert NAME.encode() not in b"".join(zipfile.ZipFile(io.BytesIO(data)).read(n) for n in names_in(data))
    world.restart()
    world.follow()


def names_in(data: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(data)).namelist()


def test_a_share_that_is_on_screens_keeps_its_newest_update_until_the_next_shows_no_name(world: Erasing) -> None:
    head, named = world.folder.disclosure.head(SHARE), world.named()[SHARE]
    world.tell(ErasePerson(person=ANNA, reason=REASON), ADMIN, follow=False)
    assert world.holding() == {head}
    assert world.erasure.finish([ANNA]).waiting == {SHARE: {head}}
    world.follow()
    done = world.erasure.finish([ANNA])
    assert (done.erased, done.waiting) == ({SHARE: named}, {})
    assert world.holding() == set()


# a crash on the way


def killed(world: Erasing, at: str) -> None:
    """Erase somebody and die at a point; what is opened again knows only what is on disk."""

    def point(name: str) -> None:
        if name == at:
            raise Crash

    world.service._crash_point = point
    with pytest.raises(Crash):
        world.tell(ErasePerson(person=ANNA, reason=REASON), ADMIN)
    world.restart()


def test_killed_between_the_person_and_the_updates_it_is_finished_at_the_next_start(world: Erasing) -> None:
    before = world.holding()
    killed(world, "after-event-commit")
    assert ANNA in world.present.world.erased
    assert world.holding() == before, "nothing of the updates was erased yet"
    world.follow()
    world.erasure.finish_all()
    assert world.holding() == set()
    assert stored(world.path) == []
    sound(world)


def die(folder: str) -> None:
    """Erase somebody, and kill this process once the person is erased."""
    world = opened(Path(folder))
    world.service._crash_point = lambda name: os.kill(os.getpid(), signal.SIGKILL) if "after-event" in name else None
    world.tell(ErasePerson(person=ANNA, reason=REASON), ADMIN)


def test_a_real_process_that_starts_after_a_kill_finishes_it(folder: Path) -> None:
    program = f"from tests.stories import {Path(__file__).stem} as story; story.die({str(folder)!r})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    world = opened(folder)
    now, held = Virtual(world.clock.at), world.holding()
    assert ANNA in world.present.world.erased
    assert held
    world.close()
    made = Running(folder, now)
    with TestClient(made.app, base_url=ORIGIN):
        wait_until(lambda: readable_with_name(made) == [])
        assert settled(made)
    assert stored(folder) == []


def test_killed_before_the_person_is_erased_nothing_is_and_the_next_try_erases_all(world: Erasing) -> None:
    before, readable = world.holding(), world.readable()
    killed(world, "before-event-commit")
    assert names_due.recorded(world.folder.ledger, ANNA) == {SHARE: before}
    world.follow()
    world.erasure.finish_all()
    assert world.readable() >= readable
    assert world.holding() >= before
    world.erase()
    assert world.holding() == set()


def test_killed_between_the_statement_and_the_keys_the_leading_process_finishes_it(
    world: Erasing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_given: object) -> None:
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(world.folder.disclosure, "erase", die)
        with pytest.raises(Crash):
            world.erase()
    assert world.holding()
    assert numbers_erased(world.folder, SHARE) >= world.holding() - {world.folder.disclosure.head(SHARE)}
    world.restart()
    world.follow()
    world.erasure.finish_all()
    assert world.holding() == set()


def test_an_erasure_that_is_refused_records_nothing(world: Erasing) -> None:
    last, readable = world.folder.ledger.last(), world.readable()
    with pytest.raises(Invalid):
        world.erase(reason="Anna asked")
    assert world.folder.ledger.last() == last
    world.erasure.finish([ANNA])
    assert world.readable() == readable


# through the doors of a running installation


class Running:
    """The sample under a real process; `as_(person)` is a browser signed in as them."""

    def __init__(self, folder: Path, now: Callable[[], object], database: str = "") -> None:
        settings = Settings(data=folder, public_url=ORIGIN, database_url=database)
        given = Given(now=now)  # type: ignore[arg-type]
        self.process = Process(settings, Renderer(), Pages(asset=asset_url, demo=False), given)
        self.services = self.process.services

        @contextlib.asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            async with self.process.running():
                yield

        self.app = Starlette(routes=every_route(), lifespan=lifespan)
        state = self.app.state
        state.services, state.viewing, state.guard = self.services, self.process.viewing, self.services.guard

    def as_(self, person: str) -> TestClient:
        client = TestClient(self.app, base_url=ORIGIN, follow_redirects=False)
        secret = self.services.credentials.enter(self.services.credentials.link(OPERATOR, PersonId(person))).secret
        client.cookies.set(self.services.guard.cookie, secret)
        return client


@pytest.fixture
def product(folder: Path) -> Iterator[Running]:
    world = opened(folder)
    now = Virtual(world.clock.at)
    world.close()
    made = Running(folder, now)
    with TestClient(made.app, base_url=ORIGIN):
        yield made


PAGES = {
    "marta": (
        "/p", "/p/harbour", "/shares", "/p/harbour/history", f"/p/harbour/shares/{SHARE}", "/p/harbour/answers",
        f"/p/harbour/shares/{SHARE}/as", f"/p/harbour/shares/{SHARE}/at/2027-04-20T12:00:00Z",
        f"/p/harbour/shares/{SHARE}/access", f"/p/harbour/shares/{SHARE}/access.csv", "/clients/acme",
        "/p/harbour/who?about=milestone-m2",
    ),
    "tomas": (
        "/audit", "/audit?kind=comment-made", "/audit/ledger", "/audit/shares", f"/audit/shares/{SHARE}",
        f"/audit/shares/{SHARE}/shadow", "/audit/replay", f"/audit/shares/{SHARE}/evidence.zip",
        f"/audit/shares/{SHARE}/at/2027-04-20T12:00:00Z",
    ),
    "viewer-acme": ("/home", f"/s/{SHARE}", f"/s/{SHARE}/record", f"/s/{SHARE}/history", f"/s/{SHARE}/evidence.zip"),
}  # fmt: skip


def shown(product: Running) -> dict[str, str]:
    """What every page, the JSON API and the bundles show, by path."""
    head, found = product.services.logs.disclosure.head(SHARE), {}
    for person, paths in PAGES.items():
        browser = product.as_(person)
        numbered = range(head - 6, head + 1)
        further = {
            "marta": [f"/p/harbour/shares/{SHARE}/{n}/page" for n in numbered],
            "tomas": [f"/audit/shares/{SHARE}/{n}/page" for n in numbered],
            "viewer-acme": [f"/s/{SHARE}/history/{n}" for n in numbered],
        }[person]
        for path in (*paths, *further):
            answer = browser.get(path)
            assert answer.status_code in (200, 303, 404, 410), (path, answer.status_code)
            found[path] = answer.text if not path.endswith(".zip") else unzipped(answer.content)
    token = product.services.credentials.token(OPERATOR, PersonId("viewer-acme"), "drill")
    door = TestClient(product.app, base_url=ORIGIN)
    for after in (0, max(head - 20, 0)):
        path = f"/api/v1/shares/{SHARE}/entries?after={after}"
        answer = door.get(path, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        found[path] = json.dumps(answer.json(), ensure_ascii=False)
    return found


def unzipped(data: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as files:
        return "".join(files.read(name).decode(errors="replace") for name in files.namelist())


def settled(product: Running, person: PersonId = ANNA) -> bool:
    due = names_due.recorded(product.services.logs.ledger, person)
    return all(numbers <= numbers_erased(product.services.logs, share) for share, numbers in due.items())


def test_the_page_lists_what_is_erased_in_the_same_step_and_says_what_stays(product: Running, folder: Path) -> None:
    browser, here = product.as_("ines"), f"/p/harbour/shares/{SHARE}/viewers/{ANNA}/erase"
    named = list(updates_naming(product.services.logs, product.services.present.world, ANNA))
    before = shown(product)
    hit = {path.split("?")[0].rsplit("/", 1)[-1] for path in traces(before)}
    assert {"entries", "evidence.zip", "answers", "page"} & hit, hit
    page = browser.get(here).text
    assert f"{len(named)} updates of an earlier version hold the name in their content." in " ".join(page.split())
    assert page.count('<th scope="row">') == min(50, len(named))
    for part in (f'<th scope="row">{named[0].n}</th>', "Acme Rail", "score of R-01 Late approval", "is not changed"):
        assert part in " ".join(page.split()), part
    answer = browser.post(here, data=form_of(page) | {"reason": REASON})
    assert answer.status_code == 303, answer.text
    wait_until(lambda: settled(product))
    wait_until(lambda: traces({"whole": shown(product)[f"/s/{SHARE}"]}) == [])
    assert traces(shown(product)) == []
    product.process.clockwork.sign()
    assert stored(folder) == []


def test_a_long_list_is_cut_and_the_rest_counted(product: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.people.erasure.LISTED", 4)
    named = list(updates_naming(product.services.logs, product.services.present.world, ANNA))
    page = product.as_("ines").get(f"/p/harbour/shares/{SHARE}/viewers/{ANNA}/erase").text
    assert page.count('<th scope="row">') == 4
    assert f"And {len(named) - 4} more updates." in page


def test_of_who_is_named_nowhere_no_updates_are_listed(product: Running) -> None:
    page = product.as_("ines").get(f"/p/harbour/shares/{SHARE}/viewers/viewer-acme/erase").text
    assert "Updates that name them" not in page
    assert "is not changed" in " ".join(page.split())


def form_of(page: str) -> dict[str, str]:
    """The hidden fields of the form that erases."""
    form = page.split('<form class="do"')[1].split("</form>", maxsplit=1)[0]
    fields = {}
    for tag in form.split("<input ")[1:]:
        attributes = dict(part.split("=", 1) for part in tag.split(">")[0].split('" ') if "=" in part)
        clean = {key.strip(): value.strip().strip('"') for key, value in attributes.items()}
        if clean.get("type") == "hidden":
            fields[clean["name"]] = clean.get("value", "")
    return fields


def test_through_the_json_door_the_same_is_erased(product: Running) -> None:
    token = product.services.credentials.token(OPERATOR, PersonId("ines"), "drill")
    headers = {"authorization": f"Bearer {token}", "idempotency-key": new_id()}
    command = {"type": "erase-person", "person": ANNA, "reason": REASON}
    door = TestClient(product.app, base_url=ORIGIN)
    named = {found.n for found in updates_naming(product.services.logs, product.services.present.world, ANNA)}
    assert door.post("/api/v1/commands", json=command, headers=headers).status_code == 201
    assert names_due.recorded(product.services.logs.ledger, ANNA) == {SHARE: named}
    wait_until(lambda: settled(product))
    assert door.post("/api/v1/commands", json=command, headers=headers).status_code in (200, 201)


def test_what_a_process_kept_in_memory_is_forgotten(product: Running) -> None:
    services = product.services
    services.heads.page(SHARE)
    services.ever_told.of(SHARE)
    services.service.execute(OPERATOR, RevokeShare(share=SHARE, reason="Done"), command_id=CommandId(new_id()))
    assert NAME in str(services.heads.page(SHARE).view)  # type: ignore[union-attr]
    erase = ErasePerson(person=ANNA, reason=REASON)
    services.service.execute(OPERATOR, erase, command_id=CommandId(new_id()))
    assert settled(product), "in the same step"
    wait_until(lambda: services.heads.page(SHARE) is None)
    for path in ("/p/harbour", f"/p/harbour/shares/{SHARE}", "/shares"):
        assert product.as_("marta").get(path).status_code == 200
    for path in (f"/audit/shares/{SHARE}", "/audit/replay", "/audit/ledger?kind=names-due"):
        answer = product.as_("tomas").get(path)
        assert answer.status_code == 200
        assert NAME not in answer.text
    home = product.as_("viewer-acme").get("/home")
    assert home.status_code in (200, 303)


# on the command line


def test_the_command_line_erases_the_same_and_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["erase", "person", "anna@example.test", "--reason", REASON, "--data", str(folder)]) == 0
    said = capsys.readouterr().out
    assert f"of share {SHARE} (Acme Rail) named them: their content is erased" in said
    assert "is on screens until the server shows one without the name" in said
    assert "What other people wrote about them in their own words is not changed." in said
    world = opened(folder)
    world.follow()  # the server starts
    world.erasure.finish_all()
    (tmp_path / "bundle.zip").write_bytes(world.bundle())
    world.close()
    assert stored(folder) == []
    assert main(["verify", "--data", str(folder)]) == 0
    assert main(["verify", str(tmp_path / "bundle.zip"), "--key", TRUSTED]) == 0


# two workers on a Postgres


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Cluster]:
    with postgres.running() as made:
        made.execute("CREATE ROLE app LOGIN")
        yield made


@pytest.fixture
def two(server: postgres.Cluster, folder: Path, request: pytest.FixtureRequest) -> Iterator[list[Running]]:
    world = opened(folder)
    now = Virtual(world.clock.at)
    world.close()
    name = f"erased_{len(request.node.name)}"
    migrate(owner := postgres.create(server.url(), name), "app")
    assert main(["copy", "--from", str(folder), "--to", owner, "--signing-key", str(folder / "signing.key")]) == 0
    workers = [Running(folder, now, server.url(name, "app")) for _ in range(2)]
    with TestClient(workers[0].app, base_url=ORIGIN), TestClient(workers[1].app, base_url=ORIGIN):
        wait_until(lambda: any(worker.process.leads() for worker in workers))
        yield workers


def readable_with_name(worker: Running) -> list[int]:
    kept = worker.services.logs.disclosure.kept(SHARE, 0, 100_000)
    return [one.n for one in kept if one.raw is not None and NAME.encode() in one.raw]


@pytest.mark.parametrize("dies", [pytest.param(False, marks=pytest.mark.slow), True])
def test_of_two_workers_the_one_that_leads_finishes_what_the_other_began_and_both_forget(
    two: list[Running], *, dies: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    follows = next(worker for worker in two if worker.process.leads())
    (other,) = (worker for worker in two if worker is not follows)
    assert NAME in str(other.services.heads.page(SHARE).view)  # type: ignore[union-attr]
    assert readable_with_name(other)
    if dies:  # the worker that carried out the command does nothing after it
        monkeypatch.setattr(other.services.erasure, "after", lambda _command: None)
    erase = ErasePerson(person=ANNA, reason=REASON)
    other.services.service.execute(OPERATOR, erase, command_id=CommandId(new_id()))
    wait_until(lambda: readable_with_name(follows) == readable_with_name(other) == [])
    wait_until(lambda: all(NAME not in str(worker.services.heads.page(SHARE)) for worker in two))
    for worker in two:
        assert traces(shown(worker)) == []
    logs, notary = follows.services.logs, follows.services.notary
    assert [str(one) for one in inspect(logs, notary, [SHARE, OTHER, OWN])] == []
