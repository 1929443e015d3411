"""An organisation of any size, recorded without a wait for the disk after every command."""

from datetime import date, datetime, timedelta

from domain.agreement.share import ActivateTerms, DraftShare
from domain.commands import AnyCommand
from domain.events import AnyEvent, CommandCarriedOut, Recorded, Stored, closing_stream, tag
from domain.ids import ClientId, CommandId, MilestoneId, PersonId, ProjectId, ShareId
from domain.people.brand import NameOrganisation
from domain.people.clients import RegisterClient
from domain.people.person import InvitePerson
from domain.plan.project import StartProject
from domain.plan.schedule import AddMilestone, MilestoneDetails, MoveForecast
from projections.events.event_log import EventLog
from projections.events.world import World
from tests.world import MANAGER, START, everything
from web.write.decide import decide, stream_of

MILESTONES = 20  # of a project
AT_ONCE = 2000  # events in one transaction
CLIENTS_OF = 10  # shares of a client


class Bulk:
    """Decides commands on a world of its own, and records their events many at a time."""

    def __init__(self, events: EventLog, at: datetime = START) -> None:
        self._events, self._at = events, at
        self.world = World()
        self._rows: list[tuple[Stored, int]] = []
        self._told = 0
        for recorded in events.everything():
            assert isinstance(recorded, Recorded)
            self.world.apply(recorded)
        self.recorded = self.world.position

    def tell(self, command: AnyCommand) -> None:
        """Record what a command comes to, a second after the last."""
        self._at += timedelta(seconds=1)
        self._told += 1
        stream, key = stream_of(command), CommandId(f"b{self.recorded}")
        version = self.world.versions.get(stream, 0)
        events = decide(self.world, command, self._at)
        rows = [(stream, event, version + 1 + i) for i, event in enumerate(events)]
        done = CommandCarriedOut(
            command=tag(command),
            stream=stream,
            tags=tuple(map(tag, events)),
            versions=tuple(row[2] for row in rows),
            fingerprint="",
        )
        for row in [*rows, (closing_stream(MANAGER.person, key), done, 1)]:
            self._take(key, *row)
        if len(self._rows) >= AT_ONCE:
            self.flush()

    def _take(self, key: CommandId, stream: str, event: AnyEvent, version: int) -> None:
        self.recorded += 1
        place = {"stream": stream, "at": self._at, "actor": MANAGER.person, "command": key, "event": event}
        self._rows.append((Stored(**place), version))  # type: ignore[arg-type]
        self.world.apply(Recorded(version=version, position=self.recorded, **place))  # type: ignore[arg-type]

    def flush(self) -> None:
        """Record what was not recorded yet."""
        if self._rows:
            self._events.append(self._rows)
            self._rows = []

    # what there is of it

    def begin(self) -> None:
        """Name the organisation."""
        self.tell(NameOrganisation(name="Example Works"))

    def client(self, key: str) -> None:
        """Register a client with a viewer."""
        self.tell(RegisterClient(client=ClientId(key), name=f"Client {key}", time_zone="Europe/London"))
        invited = {"person": PersonId(f"viewer-{key}"), "name": "Vera", "email": f"v@{key}.test", "role": "viewer"}
        self.tell(InvitePerson(**invited, client=ClientId(key)))  # type: ignore[arg-type]

    def shared(self, project: str, client: str, share: str) -> None:
        """Record a project and its share with a client."""
        self.tell(
            StartProject(
                project=ProjectId(project),
                title=f"{project} (internal)",
                client_title=project,
                owner=MANAGER.person,
                currency="GBP",
                time_zone="Europe/London",
            )
        )
        for i in range(MILESTONES):
            details = MilestoneDetails(title=f"Item {i}", client_title=f"Item {i}", client_facing=True)
            forecast = date(2027, 9, 1) + timedelta(days=i)
            added = {"project": ProjectId(project), "milestone": MilestoneId(f"m{i}"), "details": details}
            self.tell(AddMilestone(**added, forecast=forecast))  # type: ignore[arg-type]
        drafted = {"share": ShareId(share), "project": ProjectId(project), "client": ClientId(client)}
        self.tell(DraftShare(**drafted, terms=everything()))  # type: ignore[arg-type]
        self.tell(ActivateTerms(share=ShareId(share), reason="Agreed"))

    def organisation(self, shares: int) -> None:
        """Record so many shares, each of a project of its own, ten of a client."""
        self.begin()
        for i in range(shares):
            client = f"c{i // CLIENTS_OF}"
            if i % CLIENTS_OF == 0:
                self.client(client)
            self.shared(f"p{i}", client, f"s{i}")
        self.flush()

    def moves(self, upto: int, projects: int) -> None:
        """Record moves of milestones, project after project, until so many events are recorded."""
        i = 0
        while self.recorded < upto:
            day = date(2027, 9, 2) + timedelta(days=i // projects % 60)
            milestone = MilestoneId(f"m{i // projects % MILESTONES}")
            moved = {"project": ProjectId(f"p{i % projects}"), "milestone": milestone, "forecast": day}
            self.tell(MoveForecast(**moved, reason=f"move {i}"))  # type: ignore[arg-type]
            i += 1
        self.flush()
