"""Records a sample installation with the code of today, for the tests of later versions to read.

Run it once for a version, from the root of the repository: python -m tests.vectors.make_recorded 2
Rule: a sample is never made again; a later version adds a folder of its own and leaves the older ones as they are.
"""

import hashlib
import io
import json
import lzma
import subprocess
import sys
import tarfile
import tempfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec

from domain.agreement import answers
from domain.agreement import share as agreement_share
from domain.agreement.terms import Release, Terms, Ways
from domain.events import Stored, encode
from domain.ids import MilestoneId, PersonId, RiskId, ShareId
from domain.money import Money
from domain.people import clients
from domain.people.person import ErasePerson, InvitePerson
from domain.people.sign_ins import IssueLink, UseLink
from domain.people.tokens import IssueToken
from domain.plan import budget, health, project, risks, schedule
from domain.plan.calendar import Calendar
from projections.evidence import bundle
from projections.evidence.bundle import Enclosures, Wanted
from projections.evidence.erasing import Erasure, erase_entries, expire_receipts
from projections.evidence.notary import Notary
from projections.follow.restoring import keep_numbers
from projections.installation.database import Database, migrate
from projections.installation.folder import Logs
from projections.logs.disclosure_log import DisclosureLog
from projections.logs.ledger import Statement
from projections.proof import tree
from projections.proof.notes import Signer, signer, verification_key
from projections.replay import pages as replay_pages
from tests import postgres
from tests.world import ACME, ADMIN, ALL_MILESTONES, ALL_RISKS, COUNCIL, DEPOT, HARBOUR, MANAGER, OTHER, SHARE, World
from tests.world import everything as all_terms
from tests.world import salt as fixed_salt
from web.door.assets import asset_url
from web.door.templates import Pages
from web.evidence.download import verifier
from web.evidence.page import readable
from web.render.page import Renderer
from web.write.permission import SYSTEM, Actor

HERE = Path(__file__).parent / "recorded"
FIRST_KEY, SECOND_KEY = signer("fanlight/sample", bytes(range(32))), signer("fanlight/sample", bytes(range(32, 64)))
OWN = ShareId("share3")  # of the second project; ends early
ANNA, BEN = PersonId("anna"), PersonId("ben")
AS_ANNA = Actor(ANNA, "viewer", (ACME,))
COMMENTED = {
    "milestone_fields": (*ALL_MILESTONES, "comments"),
    "risk_fields": (*ALL_RISKS, "comments"),
}


class Sample(World):
    """A world whose record is signed with the sample's own keys; `full` is what its first share covers."""

    full = Terms()

    def open(self) -> None:
        super().open()
        self.notary = Notary(self.folder, FIRST_KEY, self.clock, stamp=lambda text: b"stamp of " + text.encode()[:24])

    def screen(self, share: str = SHARE) -> answers.Screen:
        last = self.folder.disclosure.last(share)
        assert last is not None
        return answers.Screen(n=last.n, head=last.root)

    def sign(self) -> None:
        self.receipts.flush()
        self.notary.sign([SHARE, OTHER, OWN])


def tell(world: Sample, *, long: bool) -> None:
    """Tell the sample's history, at full length or with less of a project's daily work."""
    world.full = all_terms(**COMMENTED) if long else all_terms(curve=False, indices=False)
    _beginning(world)
    _work(world, count=100 if long else 6)
    _agreements(world)
    if long:
        _answers(world)
    _waiting(world)
    _endings(world)


def _beginning(world: Sample) -> None:
    world.people()
    for person, name, role, client in (
        (MANAGER.person, "Marta Example", "manager", None),
        (ADMIN.person, "Ines Example", "admin", None),
        (PersonId("tomas"), "Tomas Example", "auditor", None),
        (ANNA, "Anna Example", "viewer", ACME),
        (BEN, "Ben Example", "viewer", ACME),
    ):
        email = f"{person}@example.test"
        world.tell(InvitePerson(person=person, name=name, email=email, role=role, client=client), ADMIN)
    expires = world.clock.at + timedelta(hours=72)
    for person in (ANNA, BEN, MANAGER.person):
        secret, cookie = (hashlib.sha256(f"{what} of {person}".encode()).hexdigest() for what in ("link", "cookie"))
        world.tell(IssueLink(person=person, hash=secret, expires=expires), ADMIN)
        used = UseLink(
            person=person, hash=secret, session=f"s-{person}", session_hash=cookie, session_expires=expires,
            device="Computer",
        )  # fmt: skip
        world.tell(used, ADMIN)
    token = hashlib.sha256(b"token").hexdigest()
    world.tell(IssueToken(person=MANAGER.person, token="t1", hash=token, label="planning tool"), ADMIN)
    world.tell(clients.SetMailDomains(client=COUNCIL, domains=("council.test",)), ADMIN)
    _projects(world)


def _projects(world: Sample) -> None:
    start = project.StartProject(
        project=HARBOUR, title="HL-1 Harbour (internal)", client_title="Harbour Line", owner=MANAGER.person,
        currency="GBP", time_zone="Europe/London",
        calendar=Calendar(holidays=(date(2027, 3, 26), date(2027, 3, 29)), region="GB"),
    )  # fmt: skip
    world.tell(start)
    world.project(DEPOT, "Depot")
    for key, title, forecast, more in (
        ("m1", "Section A energised", date(2027, 5, 3), {"kind": "delivery", "deadline": date(2027, 6, 1)}),
        ("m2", "Trial running starts", date(2027, 8, 2), {"owner_side": "joint", "client_action": "Name the drivers",
                                                          "client_action_due": date(2027, 7, 1)}),
        ("m3", "Handover", date(2027, 10, 4), {"needs_acceptance": True, "value": Money(Decimal(250_000), "GBP")}),
        ("m4", "", date(2027, 9, 1), {"note": "for the board alone"}),
    ):  # fmt: skip
        details = schedule.MilestoneDetails(
            title=f"internal {key}", client_title=title, client_facing=bool(title), **more
        )
        world.tell(
            schedule.AddMilestone(project=HARBOUR, milestone=MilestoneId(key), details=details, forecast=forecast)
        )
    world.milestone("d1", date(2027, 6, 7), "Depot opens", DEPOT)
    for key, title in (("r1", "Late approval"), ("r2", "Ground water"), ("r3", "")):
        details = risks.RiskDetails(
            ref=f"R-0{key[1]}", title=f"internal {key}", client_title=title, client_facing=bool(title),
            cause="The authority is busy", effect="Section A moves", response_actions="Ask early", owner="Delivery team",
        )  # fmt: skip
        points = risks.Points(4, 4), risks.Points(2, 3)
        world.tell(
            risks.RaiseRisk(project=HARBOUR, risk=RiskId(key), details=details, inherent=points[0], residual=points[1])
        )
    for measure, total in (("cost", 900_000), ("price", 1_000_000)):
        amount = Money(Decimal(total), "GBP")
        world.tell(budget.ApproveBudget(project=HARBOUR, measure=measure, amount=amount, reason="Contract"))
        shares = ((date(2027, 4, 1), 1), (date(2027, 6, 1), 3), (date(2027, 8, 2), 7), (date(2027, 10, 4), 10))
        points = tuple(budget.PlannedPoint(day, Decimal(total * part // 10)) for day, part in shares)
        world.tell(budget.PlanSpend(project=HARBOUR, measure=measure, points=points))
    world.baseline()
    world.baseline(DEPOT)
    world.share(world.full)
    world.share(_few(), OTHER, client=COUNCIL)
    world.share(all_terms(milestone_fields=("forecast",), risks=(), risk_fields=(), budget="percent"), OWN, DEPOT)


def _few() -> Terms:
    return Terms(
        milestones=(MilestoneId("m1"), MilestoneId("m3")),
        milestone_fields=("baseline", "forecast", "slip", "status", "trend"), budget="rag",
    )  # fmt: skip


def _work(world: Sample, count: int) -> None:
    """What a project records, the first `count` of it, watched by a page or two."""
    for person, tab in ((ANNA, "t1"), (BEN, "t2")):
        world.receipts.opened(SHARE, person, f"s-{person}", world.folder.disclosure.head(SHARE), "Computer")
        world.claim("displayed", world.folder.disclosure.head(SHARE), person=person, tab=tab)
    key = {"project": HARBOUR}
    told = (
        schedule.MoveForecast(**key, milestone=MilestoneId("m1"), forecast=date(2027, 5, 17), reason="Frost",
                              earliest=date(2027, 5, 10), latest=date(2027, 5, 31)),
        schedule.ReportProgress(**key, milestone=MilestoneId("m1"), percent=40),
        schedule.MoveForecast(**key, milestone=MilestoneId("m4"), forecast=date(2027, 9, 8), reason="internal"),
        risks.ScoreRisk(**key, risk=RiskId("r1"), residual=risks.Points(3, 4), reason="New information"),
        risks.TakeRiskNote(**key, risk=RiskId("r1"), note="Not for the client"),
        budget.MeasureCost(**key, measure="price", status_date=date(2027, 3, 1), ev=Decimal(90_000), ac=Decimal(95_000)),
        budget.ForecastCompletion(**key, measure="price", status_date=date(2027, 3, 1), eac=Decimal(1_020_000),
                                  reason="Review"),
        budget.ApproveBudgetChange(**key, measure="price", amount=Money(Decimal(20_000), "GBP"), reason="More scope",
                                   approver="Board"),
        health.OverrideHealth(**key, dimension="schedule", status="at_risk", reason="Weather is bad",
                              until=world.clock.at + timedelta(days=30)),
        health.WithdrawOverride(**key, dimension="schedule"),
        project.SetTolerances(**key, tolerances=health.Tolerances(slip_at_risk=10, slip_off_track=20), reason="Agreed"),
        schedule.ConfirmPlan(**key),
        project.ChangeTogether(**key, commands=(
            schedule.MoveForecast(**key, milestone=MilestoneId("m2"), forecast=date(2027, 8, 9), reason="Follows"),
            schedule.MoveForecast(**key, milestone=MilestoneId("m3"), forecast=date(2027, 10, 11), reason="Follows"),
            risks.ScoreRisk(**key, risk=RiskId("r2"), residual=risks.Points(1, 2), reason="Pumps work"),
        )),
        project.HoldProject(**key, reason="Waits for the possession"),
        project.ResumeProject(**key, reason="The possession is confirmed"),
        schedule.MeetMilestone(**key, milestone=MilestoneId("m1"), actual=date(2027, 3, 1)),
        schedule.ReopenMilestone(**key, milestone=MilestoneId("m1"), reason="One string of insulators failed"),
        risks.CloseRisk(**key, risk=RiskId("r2"), reason="Has not come"),
        risks.ReopenRisk(**key, risk=RiskId("r2"), reason="Came back"),
    )  # fmt: skip
    for command in told[:count]:
        world.tell(command)
        _seen(world)
    world.claim("closed", world.folder.disclosure.head(SHARE), person=BEN, tab="t2")
    world.sign()


def _seen(world: Sample) -> None:
    """Let the page of Anna take in what is newest, and record it."""
    last = world.folder.disclosure.last(SHARE)
    assert last is not None
    world.claim("delivered", last.n, head=last.root[:16])
    world.claim("displayed", last.n, came_from=last.n - 1)
    world.receipts.flush()


def _agreements(world: Sample) -> None:
    """Terms that become narrower, then wider again from now on; a draft that is dropped."""
    world.tell(agreement_share.DraftTerms(share=SHARE, terms=all_terms(budget="percent", risks=())))
    world.tell(agreement_share.ActivateTerms(share=SHARE, reason="Risks are discussed in the room"))
    world.move("m2", date(2027, 8, 16), "Rolling stock is late")
    _seen(world)
    world.tell(agreement_share.DraftTerms(share=SHARE, terms=_few()))
    world.tell(agreement_share.DropDraft(share=SHARE))
    world.tell(agreement_share.DraftTerms(share=SHARE, terms=world.full, ways=Ways(history=False)))
    world.tell(agreement_share.ActivateTerms(share=SHARE, reason="Everything, from now on"))
    world.tell(agreement_share.SetRetention(share=SHARE, days=30))
    _seen(world)


def _answers(world: Sample) -> None:
    world.tell(risks.AskClientView(project=HARBOUR, risk=RiskId("r1"), client=ACME))
    for actor, make in (
        (AS_ANNA, lambda screen: risks.ScoreAsClient(project=HARBOUR, risk=RiskId("r1"), client=ACME, by=ANNA,
                                                     points=risks.Points(4, 4), share=SHARE, screen=screen)),
        (AS_ANNA, lambda screen: answers.MakeComment(share=SHARE, comment="c1", subject="milestone-m2", by=ANNA,
                                                     text="Our drivers are booked.", side="theirs", screen=screen)),
        (MANAGER, lambda _screen: answers.MakeComment(share=SHARE, comment="c2", subject="milestone-m2", side="ours",
                                                      by=MANAGER.person, text="Thank you; <noted> & kept.")),
        (AS_ANNA, lambda screen: answers.RaiseConcern(share=SHARE, concern="k1", subject="risk-r1", by=ANNA,
                                                      text="What if approval never comes?", screen=screen)),
        (MANAGER, lambda _screen: answers.AnswerConcern(share=SHARE, concern="k1", by=MANAGER.person,
                                                        text="Then we go at night.")),
        (AS_ANNA, lambda screen: answers.Acknowledge(share=SHARE, subject="agreement-3", by=ANNA, screen=screen)),
    ):  # fmt: skip
        world.tell(make(world.screen()), actor)
        _seen(world)


def _waiting(world: Sample) -> None:
    """Changes that are held for a look: one is let go by hand, one by time, one still waits at the end."""
    ways = Ways(release=Release(hours=4, slip_days=5, score=12, cost=True))
    world.tell(agreement_share.DraftTerms(share=SHARE, terms=world.full, ways=ways))
    world.tell(agreement_share.ActivateTerms(share=SHARE, reason="Large changes are looked at first"))
    world.move("m2", date(2027, 9, 6), "Second slot was lost")
    world.move("m1", date(2027, 5, 18), "A day of wind")
    released = agreement_share.ReleaseHeld(
        share=SHARE, by=MANAGER.person, subjects=("milestone-m2",), note="We spoke of it"
    )
    world.tell(released)
    _seen(world)
    scored = risks.ScoreRisk(project=HARBOUR, risk=RiskId("r1"), residual=risks.Points(4, 4), reason="Refused once")
    world.tell(scored)
    world.clock.forward(hours=5)
    world.tell(agreement_share.ReleaseDue(share=SHARE), SYSTEM)
    _seen(world)
    world.sign()


def _endings(world: Sample) -> None:
    """A share that is ended, one that runs out, an expired retention, erased updates and a person, a second key."""
    world.tell(agreement_share.RevokeShare(share=OWN, reason="The depot is done"))
    until = world.clock.at + timedelta(days=20)
    coarse = msgspec.structs.replace(_few(), date_unit="month", budget="amounts", money_step=10_000)
    world.tell(agreement_share.DraftTerms(share=OTHER, terms=coarse, ways=Ways(expires=until)))
    world.tell(agreement_share.ActivateTerms(share=OTHER, reason="Until the end of the month"))
    erase_entries(
        world.folder,
        world.notary,
        Erasure(share=SHARE, numbers={3, 4, 9}, reason="Asked for", who=ADMIN.person),
        world.clock(),
    )
    world.tell(ErasePerson(person=BEN, reason="Asked for"), ADMIN)
    world.clock.forward(days=21)
    world.tell(agreement_share.ExpireShare(share=OTHER), SYSTEM)
    for share, person in ((SHARE, ANNA), (OTHER, PersonId("viewer-council"))):
        head = world.folder.disclosure.head(share)
        world.receipts.opened(share, person, f"s-{person}", head, "Tablet")
        world.claim("displayed", head, share=share, person=person, tab=f"late-{person}")
        world.claim("hidden", head, share=share, person=person, tab=f"late-{person}")
    consulted = Statement(kind="consulted", at=world.clock(), who="tomas", subject=SHARE, text="events")
    world.folder.ledger.append(consulted)
    world.sign()
    world.clock.forward(days=12)
    expire_receipts(world.folder, world.notary, SHARE, 30, now=world.clock())
    head = world.folder.disclosure.head(SHARE)
    keep_numbers(world.folder, SHARE, head + 2, world.renderer, world.clock, fixed_salt)
    world.restart()
    world.notary.rotate(SECOND_KEY)
    world.move("m2", date(2027, 9, 8), "After the restoring")
    world.receipts.opened(SHARE, ANNA, "s-anna2", world.folder.disclosure.head(SHARE), "Phone")
    _seen(world)
    world.move("m3", date(2027, 11, 1), "Waits when the sample ends")
    world.sign()


# what is kept beside the record


def expected(world: Sample) -> dict[str, Any]:
    """Return what every later version has to read out of the record."""
    folder = world.folder
    last = folder.ledger.last()
    assert last is not None
    return {
        "events": [_event(recorded) for recorded in folder.events.everything()],
        "ledger": {"lines": last.index, "root": tree.root_of(last.frontier).hex()},
        "checkpoints": [line.statement.text for line in _checkpoints(world)],
        "keys": world.notary.verification_key,
        "shares": {share: _share(folder, share) for share in (SHARE, OTHER, OWN)},
    }


def _event(recorded: Any) -> dict[str, Any]:
    stored = Stored(
        stream=recorded.stream, at=recorded.at, actor=recorded.actor, command=recorded.command, event=recorded.event
    )
    says = json.loads(encode(stored))
    return {"position": recorded.position, "stream": recorded.stream, "version": recorded.version, "says": says}


def _checkpoints(world: Sample) -> list[Any]:
    name = world.notary.key.name
    origins = [f"{name}/events", f"{name}/organisation"]
    for share in (SHARE, OTHER, OWN):
        origins += [world.notary.origin(share), world.notary.receipts_origin(share)]
    return [line for origin in origins for line in world.folder.ledger.of("checkpoint", origin)]


def _view(log: DisclosureLog, share: str) -> bytes:
    """Return the newest view as recorded: in format 1 its text, in format 2 the hash of its sections."""
    newest = log.last(share)
    assert newest is not None
    return (newest.content.view or newest.content.sections_hash).encode()


def _share(logs: Logs, share: str) -> dict[str, Any]:
    log = logs.disclosure
    head, rows = log.head(share), logs.receipts.rows(share, 0, 100_000)
    kept = log.kept(share, 0, 100_000)
    page = replay_pages.page(log, share)
    assert page is not None
    return {
        "head": head,
        "root": tree.root_of(kept[-1].frontier).hex(),
        "erased": [one.n for one in kept if one.raw is None],
        "contents": {str(one.n): hashlib.sha256(one.raw).hexdigest() for one in kept if one.raw is not None},
        "markup": hashlib.sha256("".join(page.roots.values()).encode()).hexdigest(),
        "view": hashlib.sha256(_view(log, share)).hexdigest(),
        "keyframes": sorted({key.n for n in range(1, head + 1) if (key := log.keyframe(share, n))}),
        "rows": len(rows),
        "rows_root": tree.root_of(rows[-1].frontier).hex() if rows else "",
        "expired": [one.k for one in rows if one.content is None],
        "claims": sum(len(one.claims(share)) for one in rows),
    }


def bundles(world: Sample) -> dict[str, bytes]:
    """Return an evidence bundle of every kind."""
    head = world.folder.disclosure.head(SHARE)
    kinds = {
        "share": Wanted(share=SHARE, kind="share", receipts=True),
        "share-viewer": Wanted(share=SHARE, kind="share"),
        "period": Wanted(share=SHARE, kind="period", first=head - 4, to=head - 2, receipts=True),
        "period-erased": Wanted(share=SHARE, kind="period", first=2, to=4, receipts=True),
        "entry": Wanted(share=SHARE, kind="entry", first=head, to=head, receipts=True),
        "entry-viewer": Wanted(share=SHARE, kind="entry", first=7, to=7),
        "entry-erased": Wanted(share=SHARE, kind="entry", first=9, to=9),
        "share-expired": Wanted(share=OTHER, kind="share", receipts=True),
        "share-ended": Wanted(share=OWN, kind="share", receipts=True),
    }
    pages = Pages(asset=asset_url, demo=False)
    made = {}
    for name, wanted in kinds.items():
        called = {"organisation": "Example Works", "client": "Acme Rail", "project": "Harbour Line"}
        named = msgspec.structs.replace(wanted, **called)
        who = world.present.world.person_name if wanted.receipts else None
        enclosed = Enclosures(
            made_at=world.clock(),
            verifier=verifier(),
            readable=lambda content, who=who: readable(pages, content, who),
        )
        made[name] = bundle.build(world.folder, world.notary, named, enclosed).whole()
    return made


# files


def pack(path: Path, files: dict[str, bytes]) -> None:
    """Write files into one archive, the same bytes for the same files."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name in sorted(files):
            info = tarfile.TarInfo(name)
            info.size = len(files[name])
            archive.addfile(info, io.BytesIO(files[name]))
    path.write_bytes(lzma.compress(raw.getvalue(), preset=9 | lzma.PRESET_EXTREME))


def in_folder(into: Path) -> None:
    """Record the long history in a folder, with its bundles."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "data"
        world = Sample(folder, Renderer())
        tell(world, long=True)
        made = bundles(world)
        beside = expected(world)
        world.close()
        (folder / "signing.key").write_text(f"{SECOND_KEY.name}\n{SECOND_KEY.seed.hex()}\n")
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert not [name for name in files if name.endswith(("-wal", "-shm"))], sorted(files)
    pack(into / "folder.tar.xz", {**files, "expected.json": json.dumps(beside, indent=0).encode()})
    keys = {"key-first.txt": FIRST_KEY, "key-second.txt": SECOND_KEY}
    told = {name: _verification(key) for name, key in keys.items()}
    pack(into / "bundles.tar.xz", {**{f"{name}.zip": data for name, data in made.items()}, **told})


def _verification(key: Signer) -> bytes:
    return f"{verification_key(key.name, key.public)}\n".encode()


def in_postgres(into: Path) -> None:
    """Record the shorter history in a Postgres, and keep what pg_dump writes of it."""
    with postgres.running() as server:
        url = postgres.create(server.url(), "sample")
        migrate(url)
        with mock.patch("tests.world.Folder", side_effect=lambda _path: Database(url)):
            world = Sample(Path("unused"), Renderer())
            tell(world, long=False)
            beside = expected(world)
            world.close()
        dump = subprocess.run(
            [server.programs / "pg_dump", f"--dbname={url}", "--format=plain", "--no-owner"],
            capture_output=True, timeout=60, check=True,
        )  # fmt: skip
    pack(into / "postgres.tar.xz", {"dump.sql": dump.stdout, "expected.json": json.dumps(beside, indent=0).encode()})


def main(version: str) -> int:
    """Make the samples of one version, into a new folder."""
    into = HERE / version
    if into.exists():
        print(f"{into} is there already. Samples are never made again; choose the number after the last.")
        return 2
    with tempfile.TemporaryDirectory(dir=HERE.parent) as scratch:
        new = Path(scratch) / version
        new.mkdir()
        in_folder(new)
        in_postgres(new)
        HERE.mkdir(exist_ok=True)
        new.rename(into)
    for path in sorted(into.iterdir()):
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
