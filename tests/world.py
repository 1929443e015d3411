"""The whole product in one process under a virtual clock: real logs on disk, real follower, the renderer of your choice."""

import hashlib
import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from domain.agreement.share import ActivateTerms, DraftShare
from domain.agreement.terms import Terms
from domain.commands import AnyCommand
from domain.ids import ClientId, CommandId, MilestoneId, PersonId, ProjectId, RiskId, ShareId
from domain.people.brand import NameOrganisation
from domain.people.clients import RegisterClient
from domain.people.person import InvitePerson
from domain.plan.project import StartProject
from domain.plan.risks import Points, RaiseRisk, RiskDetails
from domain.plan.schedule import AddMilestone, ApproveBaseline, MilestoneDetails, MoveForecast
from domain.view import ClientView
from projections.entries.entry import Entry
from projections.events.days import days_to_end
from projections.events.present import CurrentWorld
from projections.evidence.bundle import Enclosures, Wanted, build
from projections.evidence.notary import Notary
from projections.follow.follower import Follower, FollowerPorts
from projections.follow.next_entry import Renderer
from projections.installation.crash_point import CrashPoint, nowhere
from projections.installation.folder import Folder
from projections.proof.notes import signer
from projections.receipts.claims import Receipt
from projections.receipts.taking import Receipts
from projections.replay.pages import Heads, LiveLog, Views
from tests.plain import Plain
from web.clock import Virtual
from web.write.permission import SYSTEM, Actor
from web.write.service import Answer, Service

START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
MANAGER = Actor(PersonId("marta"), "manager")
ADMIN = Actor(PersonId("ines"), "admin")
ACME, COUNCIL = ClientId("acme"), ClientId("council")
HARBOUR, DEPOT = ProjectId("harbour"), ProjectId("depot")
SHARE, OTHER = ShareId("share1"), ShareId("share2")
KEY = signer("fanlight/test", bytes(range(32)))
ALL_MILESTONES = (
    "baseline", "forecast", "range", "actual", "slip", "status", "reason", "deadline", "kind", "owner_side",
    "location", "progress", "value", "acceptance", "client_action", "confirmed", "trend",
)  # fmt: skip
ALL_RISKS = (
    "score", "inherent", "history", "cause", "effect", "category", "proximity", "response", "owner", "client_score",
)  # fmt: skip


def salt(share: str, n: int) -> bytes:
    """The same salt for the same entry, so that twin worlds can be compared."""
    return hashlib.sha256(f"salt of {share} {n}".encode()).digest()


class World:
    """One installation; commands go in by `tell`, entries come out by `entries`."""

    def __init__(
        self,
        folder: Path,
        renderer: Renderer | None = None,
        crash_point: CrashPoint = nowhere,
        start: datetime = START,
    ) -> None:
        self.path, self.renderer, self.point = folder, renderer or Plain(), crash_point
        self.clock = Virtual(start)
        self._ids = itertools.count(1)
        self.open()

    def open(self) -> None:
        """Open the folder as a fresh process would."""
        self.folder = Folder(self.path)
        self.present = CurrentWorld(self.folder.events)
        self.service = Service(self.folder.events, self.present, self.clock, self.point)
        self.sent: list[tuple[str, int, bytes]] = []
        ports = FollowerPorts(
            clock=self.clock,
            salt=salt,
            on_entries=lambda share, entries: self.sent.extend((share, e.n, e.message) for e in entries),
            crash_point=self.point,
        )
        self.follower = Follower(self.folder.events, self.folder.disclosure, self.renderer, ports)
        self.receipts = Receipts(self.folder.receipts, self.clock, lambda share, k: salt(f"receipts of {share}", k))
        self.notary = Notary(self.folder, KEY, self.clock)
        self.heads = Heads(self.folder.disclosure)
        self.log = LiveLog(self.folder.disclosure, self.heads)

    def close(self) -> None:
        self.folder.close()

    def restart(self) -> None:
        """Stop and open again, as after a crash: nothing but the files survives."""
        self.close()
        self.open()

    def tell(
        self,
        command: AnyCommand,
        actor: Actor = MANAGER,
        key: str = "",
        expected: int | None = None,
        *,
        follow: bool = True,
    ) -> Answer:
        """Carry out one command, a minute after the last, and let the follower take it in."""
        self.clock.forward(minutes=1)
        command_id = CommandId(key or f"c{next(self._ids)}")
        answer = self.service.execute(actor, command, command_id=command_id, expected=expected)
        if follow:
            self.follow()
        return answer

    def end_days(self, **later: float) -> int:
        """Let time pass, record what days are over by then, as the clockwork does, and return of how many projects."""
        self.clock.forward(**later)
        due = list(days_to_end(self.present.refresh(), self.clock.at))
        for command in due:
            self.service.execute(SYSTEM, command, command_id=CommandId(f"c{next(self._ids)}"))
            self.follow()
        return len(due)

    def follow(self, limit: int = 500) -> None:
        while self.follower.step(limit):
            pass

    def follow_what_was_told(self, limit: int = 500) -> None:
        """Follow up to what this world recorded itself; nothing is looked for behind it, as nobody else records."""
        while self.follower._read < self.present.world.position and self.follower.step(limit):
            pass

    def entries(self, share: str = SHARE) -> list[Entry]:
        return self.folder.disclosure.entries(share, 0, 100_000)

    def view(self, n: int | None = None, share: str = SHARE) -> ClientView:
        """What a share showed after update n, the newest when None, with people's names."""
        log = self.folder.disclosure
        view = Views(log, share).at(log.head(share) if n is None else n)
        assert view is not None
        return view

    def claim(
        self, kind: str, n: int, *, person: str = "anna", tab: str = "t1", share: str = SHARE, **more: object
    ) -> None:
        """Take one claim of a page, a second after the last."""
        self.clock.forward(seconds=1)
        at = self.clock().timestamp()
        claim = {"share": share, "person": person, "session": f"s-{person}", "tab": tab, "kind": kind, "n": n, "at": at}
        self.receipts.take([Receipt(**{**claim, **more})])  # type: ignore[arg-type]

    def bundle(self, kind: str = "share", first: int = 1, to: int = 0, *, receipts: bool = True) -> bytes:
        """The evidence bundle of the share."""
        self.receipts.flush()
        wanted = Wanted(share=SHARE, kind=kind, first=first, to=to, receipts=receipts)  # type: ignore[arg-type]
        page = lambda told: f"<p>{told.manifest.to}</p>".encode()  # noqa: E731
        enclosed = Enclosures(made_at=self.clock(), verifier=b"# verifier\n", readable=page)
        return build(self.folder, self.notary, wanted, enclosed).whole()

    # a small portfolio

    def people(self) -> None:
        """An organisation with two clients and a viewer each."""
        self.tell(NameOrganisation(name="Example Works"), ADMIN)
        for client, name in ((ACME, "Acme Rail"), (COUNCIL, "City Council")):
            self.tell(RegisterClient(client=client, name=name, time_zone="Europe/London"), ADMIN)
            viewer = InvitePerson(
                person=PersonId(f"viewer-{client}"), name="Vera", email=f"v@{client}.test", role="viewer", client=client
            )
            self.tell(viewer, ADMIN)

    def project(self, project: ProjectId = HARBOUR, title: str = "Harbour Line") -> None:
        start = StartProject(
            project=project,
            title=f"{title} (internal)",
            client_title=title,
            owner=MANAGER.person,
            currency="GBP",
            time_zone="Europe/London",
        )
        self.tell(start)

    def milestone(
        self, key: str, forecast: date, title: str = "", project: ProjectId = HARBOUR, *, facing: bool = True
    ) -> None:
        details = MilestoneDetails(
            title=f"internal {key}", client_title=title or f"Milestone {key}" if facing else "", client_facing=facing
        )
        self.tell(AddMilestone(project=project, milestone=MilestoneId(key), details=details, forecast=forecast))

    def risk(self, key: str, ref: str, project: ProjectId = HARBOUR, *, facing: bool = True) -> None:
        details = RiskDetails(
            ref=ref, title=f"internal {key}", client_title=f"Risk {key}" if facing else "", client_facing=facing
        )
        raised = RaiseRisk(
            project=project, risk=RiskId(key), details=details, inherent=Points(4, 4), residual=Points(3, 3)
        )
        self.tell(raised)

    def baseline(self, project: ProjectId = HARBOUR) -> None:
        on = self.clock.at.date()
        self.tell(ApproveBaseline(project=project, reason="Agreed", approver="Board", on=on))

    def share(
        self, terms: Terms, share: ShareId = SHARE, project: ProjectId = HARBOUR, client: ClientId = ACME
    ) -> None:
        self.tell(DraftShare(share=share, project=project, client=client, terms=terms))
        self.tell(ActivateTerms(share=share, reason="Agreed"))

    def move(self, key: str, to: date, reason: str = "Frost", project: ProjectId = HARBOUR) -> None:
        self.tell(MoveForecast(project=project, milestone=MilestoneId(key), forecast=to, reason=reason))

    def harbour(self, terms: Terms | None = None) -> None:
        """A project with three milestones, two risks and a plan, shared with Acme."""
        self.people()
        self.project()
        self.milestone("m1", date(2027, 5, 3), "Section A energised")
        self.milestone("m2", date(2027, 8, 2), "Trial running starts")
        self.milestone("hidden", date(2027, 9, 1), facing=False)
        self.risk("r1", "R-01")
        self.risk("r2", "R-02", facing=False)
        self.baseline()
        self.share(terms or everything())


def everything(**changed: object) -> Terms:
    """Terms that cover all there is, but for what is changed."""
    full: dict[str, object] = {
        "milestones": "all",
        "milestone_fields": ALL_MILESTONES,
        "risks": "all",
        "risk_fields": ALL_RISKS,
        "budget": "amounts",
        "measure": "price",
        "curve": True,
        "indices": True,
        "health": ("schedule", "budget", "risk", "overall"),
        "project_fields": ("phase", "baselines", "confirmed"),
    }
    return Terms(**{**full, **changed})  # type: ignore[arg-type]


def pounds(amount: int) -> Decimal:
    return Decimal(amount)
