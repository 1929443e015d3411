"""The people, projects, plans and shares of the demo: invented names, plausible figures."""

from datetime import time
from decimal import Decimal
from typing import Literal

import msgspec

from domain.agreement.terms import Terms
from domain.catalogue import MilestoneField, RiskField
from domain.ids import ClientId, MilestoneId, PersonId, ProjectId, RiskId, ShareId
from web.demo.visits import Habit

ORGANISATION = "Example Works"
ACME, COUNCIL, NORTHGATE = ClientId("acmerail7q2k"), ClientId("citycoun4xw9"), ClientId("northgat8m1z")
CLIENTS = ((ACME, "Acme Rail"), (COUNCIL, "City Council"), (NORTHGATE, "Northgate Developments"))

PEOPLE: tuple[tuple[PersonId, str, Literal["admin", "manager", "auditor", "viewer"], ClientId | None], ...] = (
    (PersonId("marta"), "Marta Lind", "manager", None),
    (PersonId("admin"), "Ines Okafor", "admin", None),
    (PersonId("auditor"), "Tomas Berg", "auditor", None),
    (PersonId("anna"), "Anna Price", "viewer", ACME),
    (PersonId("carl"), "Carl Moss", "viewer", COUNCIL),
    (PersonId("noor"), "Noor Haddad", "viewer", NORTHGATE),
)
COLLEAGUES: tuple[tuple[PersonId, str, Literal["viewer"], ClientId], ...] = (  # they look in, nobody signs in as them
    (PersonId("wall"), "Wall display, programme room", "viewer", ACME),
    (PersonId("ben"), "Ben Achter", "viewer", ACME),
    (PersonId("farah"), "Farah Noble", "viewer", ACME),
    (PersonId("lena"), "Lena Orth", "viewer", ACME),
)


FIRST = PersonId("anna")  # as whom the first step of what to watch is taken
NOTES_ON = {
    "anna": "sees the whole Harbour Line: dates, money and risks",
    "carl": "sees four milestones of the Harbour Line and percentages, and all of the ticketing platform",
    "noor": "sees one date of the Harbour Line, and the Riverside Depot without its budget",
}


class PlannedStep(msgspec.Struct, frozen=True):
    """A milestone: key, internal title, client title ("" stays internal), day of the plan."""

    key: str
    title: str
    client_title: str
    day: int


class PlannedRisk(msgspec.Struct, frozen=True):
    """A risk: key, reference, client title ("" stays internal), probability and impact, cause, effect, response."""

    key: str
    ref: str
    title: str
    shared: bool
    probability: int
    impact: int
    cause: str
    effect: str
    actions: str
    owner: str


class PlannedProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project of the demo. Amounts in whole currency units; `days` is the length of the plan."""

    id: ProjectId
    title: str
    client_title: str
    currency: str
    cost: int
    price: int
    days: int
    steps: tuple[PlannedStep, ...]
    risks: tuple[PlannedRisk, ...]


HARBOUR = PlannedProject(
    id=ProjectId("harbour5n8c"),
    title="HLE-204 Harbour Line (fixed price, watch margin)",
    client_title="Harbour Line Electrification",
    currency="GBP",
    cost=5_950_000,
    price=6_800_000,
    days=560,
    steps=(
        PlannedStep("mobil3k9", "Mobilise", "Mobilisation complete", 30),
        PlannedStep("desig7p2", "Design freeze", "Design freeze", 92),
        PlannedStep("subst1x6", "Substation civils", "Substation foundations", 168),
        PlannedStep("trans8v4", "Transformer FAT", "Transformer factory test", 236),
        PlannedStep("margi2w5", "Margin review with board", "", 300),
        PlannedStep("secta6j1", "Section A live", "Section A energised", 384),
        PlannedStep("signa4d7", "Signalling interface accepted", "Signalling interface accepted", 420),
        PlannedStep("sectb9r3", "Section B live", "Section B energised", 448),
        PlannedStep("depot5h8", "Depot cut-over", "Depot cut-over weekend", 478),
        PlannedStep("claim7t2", "Claim against cable supplier settled", "", 500),
        PlannedStep("trial1m6", "Trial running", "Trial running starts", 524),
        PlannedStep("hando3b4", "Handover", "Handover to Acme Rail", 560),
    ),
    risks=(
        PlannedRisk(
            "posse4q1", "R-07", "Late possession approval", True, 2, 4,
            "The network operator has not confirmed the summer possession.", "Section B slips a further three weeks.",
            "Reserve possession held for July.", "Joint",
        ),
        PlannedRisk(
            "slots8n3", "R-11", "Signalling test slots", True, 3, 3,
            "Only two laboratory slots remain before May.", "Acceptance waits for the autumn.",
            "Third slot requested with a second laboratory.", "Delivery team",
        ),
        PlannedRisk(
            "spare2f7", "R-03", "Transformer spares lead time", True, 2, 4,
            "Spare bushings are quoted at 38 weeks.", "A failure in trial running would stop the line.",
            "Order placed; loan set identified.", "Delivery team",
        ),
        PlannedRisk(
            "groun6c9", "R-14", "Ground conditions, chainage 12+400", True, 2, 3,
            "Two of five boreholes returned soft clay.", "Longer piles for four masts.",
            "Pile length allowance agreed.", "Delivery team",
        ),
        PlannedRisk(
            "weath1z5", "R-02", "Depot cut-over weather", True, 1, 4,
            "High wind stops crane work.", "Cut-over moves by a weekend.",
            "Second weekend held in reserve.", "Joint",
        ),
        PlannedRisk(
            "coppe9k2", "R-09", "Copper price", True, 2, 2,
            "Contract price is fixed to June.", "Cable costs more than planned.",
            "Forward purchase of remaining cable.", "Delivery team",
        ),
        PlannedRisk(
            "subco3y8", "R-16", "Subcontractor cash position", False, 3, 4,
            "The civils subcontractor pays late.", "Replacement at short notice.",
            "Weekly check by commercial.", "Commercial",
        ),
    ),
)  # fmt: skip

DEPOT = PlannedProject(
    id=ProjectId("depot7w3f"),
    title="RD-118 Riverside Depot refit",
    client_title="Riverside Depot",
    currency="GBP",
    cost=2_600_000,
    price=3_150_000,
    days=470,
    steps=(
        PlannedStep("surve5a1", "Survey", "Condition survey accepted", 40),
        PlannedStep("strip2b8", "Strip-out", "Strip-out complete", 130),
        PlannedStep("steel9c4", "Steel", "Steel frame strengthened", 230),
        PlannedStep("night3x7", "Night shift agreement with union", "", 280),
        PlannedStep("roof6d2", "Roof", "Roof watertight", 330),
        PlannedStep("rails1e9", "Track in shed", "Track laid in the shed", 398),
        PlannedStep("power8f5", "Power on", "Permanent power", 430),
        PlannedStep("opens4g6", "Opening", "Depot opens", 470),
    ),
    risks=(
        PlannedRisk(
            "asbes7h3", "D-01", "Asbestos in the old roof", True, 3, 4,
            "Samples from bay four are positive.", "Bay four is closed for six weeks.",
            "Licensed removal booked.", "Delivery team",
        ),
        PlannedRisk(
            "flood2j8", "D-04", "River level", True, 2, 3,
            "The forecast is for a wet spring.", "Pits cannot be dug.", "Pumps on standby.", "Joint",
        ),
        PlannedRisk(
            "crane5k1", "D-06", "Crane hire dispute", False, 3, 2,
            "The hirer disputes idle time.", "A claim of up to £60,000.", "Legal advice taken.", "Commercial",
        ),
    ),
)  # fmt: skip

TICKETS = PlannedProject(
    id=ProjectId("ticket9b6"),
    title="TKT-31 Ticketing platform, phase 2",
    client_title="Ticketing Platform Upgrade",
    currency="EUR",
    cost=1_180_000,
    price=1_420_000,
    days=430,
    steps=(
        PlannedStep("disco4m2", "Discovery", "Discovery report", 45),
        PlannedStep("proto7n9", "Prototype", "Prototype shown", 118),
        PlannedStep("secur1p5", "Penetration test", "Security review passed", 260),
        PlannedStep("pilot8q3", "Pilot", "Pilot at two stations", 372),
        PlannedStep("debts6r7", "Technical debt paid down", "", 390),
        PlannedStep("rollo2s4", "Rollout", "All stations live", 430),
    ),
    risks=(
        PlannedRisk(
            "cards3t8", "T-02", "Card scheme certification", True, 3, 4,
            "The scheme has a queue of ten weeks.", "The pilot runs without contactless.",
            "Slot reserved.", "Delivery team",
        ),
        PlannedRisk(
            "staff9u1", "T-05", "Key engineer leaving", False, 4, 3,
            "Notice was given in confidence.", "Two sprints are lost.", "Handover under way.", "Delivery team",
        ),
        PlannedRisk(
            "netwo5v6", "T-07", "Station networks", True, 2, 3,
            "Four stations have no second line.", "Gates fall back to offline mode.", "Survey booked.", "Theirs",
        ),
    ),
)  # fmt: skip

PROJECTS = (HARBOUR, DEPOT, TICKETS)

DATES: tuple[MilestoneField, ...] = ("baseline", "forecast", "actual", "slip", "status")
OPEN: tuple[MilestoneField, ...] = (*DATES, "reason", "trend", "progress", "deadline", "owner_side", "client_action")
RISK: tuple[RiskField, ...] = ("score", "history", "cause", "effect", "response", "owner", "client_score", "proximity")

SHARES: tuple[tuple[ShareId, ProjectId, ClientId, Terms], ...] = (
    (
        ShareId("h4rb0ura7k2q"), HARBOUR.id, ACME,
        Terms(
            milestones="all", milestone_fields=(*OPEN, "comments"), risks="all", risk_fields=(*RISK, "comments"),
            budget="amounts", measure="price", curve=True, health=("schedule", "budget", "risk"),
            project_fields=("phase", "baselines", "confirmed"),
        ),
    ),
    (
        ShareId("h4rb0urc9m5x"), HARBOUR.id, COUNCIL,
        Terms(
            milestones=tuple(MilestoneId(m) for m in ("secta6j1", "sectb9r3", "depot5h8", "hando3b4")),
            milestone_fields=(*DATES, "trend"), risks=(RiskId("weath1z5"), RiskId("posse4q1")),
            risk_fields=("score", "cause", "response"), budget="percent", measure="price", curve=True,
            health=("schedule",), project_fields=("phase", "baselines"),
        ),
    ),
    (
        ShareId("h4rb0urn3w8d"), HARBOUR.id, NORTHGATE,
        Terms(
            milestones=(MilestoneId("depot5h8"),), milestone_fields=("baseline", "forecast", "slip", "status"),
            health=("overall",),
        ),
    ),
    (
        ShareId("d3p0tnorth6y"), DEPOT.id, NORTHGATE,
        Terms(
            milestones="all", milestone_fields=(*DATES, "reason", "trend"), risks="all",
            risk_fields=("score", "cause", "effect", "response", "client_score"), budget="rag",
            health=("schedule", "risk"), project_fields=("phase", "baselines"),
        ),
    ),
    (
        ShareId("t1ck3tcity2v"), TICKETS.id, COUNCIL,
        Terms(
            milestones="all", milestone_fields=OPEN, risks="all", risk_fields=RISK, budget="amounts", measure="price",
            curve=True, indices=True, health=("schedule", "budget", "risk"), project_fields=("phase", "baselines"),
        ),
    ),
)  # fmt: skip

LATER = (
    "Supplier moved the second test slot",
    "Two weeks of frost stopped concrete work",
    "Drawings came back with comments",
    "The inspector asked for one more round",
    "A delivery was turned back at the port",
    "Follows from the work before it",
)
EARLIER = (
    "A second crew starts on Monday",
    "The review took one round instead of two",
    "Services arrived ahead of schedule",
)
SCORES = (
    "Weekly review with the owner",
    "New information from the supplier",
    "The response is working",
    "The date has come closer",
)
NOTES = (
    "Do not mention before the commercial meeting.",
    "Margin holds if this stays below four weeks.",
    "Asked legal for a view.",
    "The client lead hinted at more scope.",
)


def planned_share(day: int, days: int) -> Decimal:
    """Return the planned cumulative share of the budget at a day of the plan: an S-curve from 0 to 1."""
    x = Decimal(max(0, min(day, days))) / Decimal(days)
    return x * x * (3 - 2 * x)


LINE, TOWN, QUAY, YARD, GATES = (share for share, *_ in SHARES)
HABITS = (
    Habit(person="anna", share=LINE, device="Computer", begins=time(9, 15), minutes=(2, 9), chance=0.85),
    Habit(person="anna", share=LINE, device="Phone", begins=time(16, 40), minutes=(1, 2), chance=0.35),
    Habit(person="wall", share=LINE, device="Computer", begins=time(7, 30), minutes=(560, 640), chance=0.95),
    Habit(person="ben", share=LINE, device="Phone", begins=time(11, 0), minutes=(1, 3), chance=0.4),
    Habit(
        person="farah", share=LINE, device="Computer", begins=time(9, 20), minutes=(300, 420), chance=0.3, hidden=True
    ),
    Habit(person="carl", share=TOWN, device="Computer", begins=time(10, 5), minutes=(2, 20), chance=0.5),
    Habit(person="carl", share=GATES, device="Computer", begins=time(10, 30), minutes=(3, 30), chance=0.5),
    Habit(person="noor", share=YARD, device="Tablet", begins=time(13, 10), minutes=(1, 12), chance=0.4),
    Habit(person="noor", share=QUAY, device="Tablet", begins=time(13, 30), minutes=(1, 2), chance=0.1),
)
