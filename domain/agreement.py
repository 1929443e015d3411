"""Share agreements: which client may see what of a project. An allow-list: what no terms name stays unshared."""

from datetime import datetime
from typing import Literal, assert_never

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId, MilestoneId, ProjectId, RiskId, ShareId
from domain.message import Command, Event
from domain.view import Dimension

MilestoneField = Literal[
    "baseline", "forecast", "range", "actual", "slip", "status", "reason", "deadline", "kind", "owner_side",
    "progress", "value", "acceptance", "client_action", "confirmed", "trend",
]  # fmt: skip
RiskField = Literal[
    "score", "inherent", "history", "cause", "effect", "category", "proximity", "response", "owner", "client_score"
]
BudgetLevel = Literal["nothing", "rag", "percent", "amounts"]
Measure = Literal["cost", "price"]
RETENTION = 730  # days
ProjectField = Literal["phase", "baselines", "confirmed"]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What one version of an agreement covers. Everything defaults to nothing."""

    milestones: Literal["all"] | tuple[MilestoneId, ...] = ()  # "all": every client-facing one, also future ones
    milestone_fields: tuple[MilestoneField, ...] = ()
    risks: Literal["all"] | tuple[RiskId, ...] = ()
    risk_fields: tuple[RiskField, ...] = ()
    budget: BudgetLevel = "nothing"
    measure: Measure = "price"
    curve: bool = False  # the course of planned, spent and forecast over time, at the same level
    indices: bool = False  # CPI and SPI(t)
    health: tuple[Dimension, ...] = ()  # each a measure of the whole project, shared knowingly
    project_fields: tuple[ProjectField, ...] = ()


# events


class ShareDrafted(Event, frozen=True, kw_only=True):
    share: ShareId
    project: ProjectId
    client: ClientId
    terms: Terms


class TermsDrafted(Event, frozen=True, kw_only=True):
    terms: Terms


class TermsActivated(Event, frozen=True, kw_only=True):
    version: int
    terms: Terms
    reason: str


class ShareRevoked(Event, frozen=True, kw_only=True):
    reason: str


class RetentionSet(Event, frozen=True, kw_only=True):
    """How long receipts of this share are kept, in days."""

    days: int


ShareEvent = ShareDrafted | TermsDrafted | TermsActivated | ShareRevoked | RetentionSet


# state


class Version(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    terms: Terms
    reason: str
    at: datetime


class Share(msgspec.Struct, frozen=True, kw_only=True):
    id: ShareId
    project: ProjectId
    client: ClientId
    draft: Terms | None
    versions: tuple[Version, ...] = ()
    revoked_at: datetime | None = None
    revoked_why: str = ""
    retention: int = RETENTION  # days for which receipts are kept

    @property
    def version(self) -> int:
        return len(self.versions)

    @property
    def active(self) -> bool:
        """In force: activated and not revoked."""
        return bool(self.versions) and self.revoked_at is None

    @property
    def terms(self) -> Terms:
        """The terms in force (the last ones, once revoked)."""
        return self.versions[-1].terms


def evolve(state: Share | None, event: ShareEvent, at: datetime) -> Share:
    """Return the share after `event`, recorded at `at` (UTC)."""
    if isinstance(event, ShareDrafted):
        return Share(id=event.share, project=event.project, client=event.client, draft=event.terms)
    if state is None:
        message = f"expected ShareDrafted first, got {type(event).__name__}"
        raise ValueError(message)
    replace = msgspec.structs.replace
    match event:
        case TermsDrafted(terms=terms):
            return replace(state, draft=terms)
        case TermsActivated(version=number, terms=terms, reason=reason):
            new = Version(number=number, terms=terms, reason=reason, at=at)
            return replace(state, draft=None, versions=(*state.versions, new))
        case ShareRevoked(reason=reason):
            return replace(state, draft=None, revoked_at=at, revoked_why=reason)
        case RetentionSet(days=days):
            return replace(state, retention=days)
        case _:
            assert_never(event)


# commands


class DraftShare(Command, frozen=True, kw_only=True):
    share: ShareId
    project: ProjectId
    client: ClientId
    terms: Terms


class DraftTerms(Command, frozen=True, kw_only=True):
    share: ShareId
    terms: Terms


class ActivateTerms(Command, frozen=True, kw_only=True):
    """Put the draft in force as the next version."""

    share: ShareId
    reason: str


class RevokeShare(Command, frozen=True, kw_only=True):
    share: ShareId
    reason: str


class SetRetention(Command, frozen=True, kw_only=True):
    """Keep receipts of this share for so many days (30 to 3660)."""

    share: ShareId
    days: int


ShareCommand = DraftShare | DraftTerms | ActivateTerms | RevokeShare | SetRetention


def decide(state: Share | None, command: ShareCommand) -> list[ShareEvent]:
    """Return the events that carry out `command`.

    Raises: a kind of Refused.
    """
    if isinstance(command, DraftShare):
        return [_draft(state, command)]
    if state is None:
        raise Unknown("There is no such share agreement. Check the address, or draft it first.")
    if state.revoked_at is not None:
        raise Conflict("This share has ended. Draft a new agreement to share again.")
    match command:
        case DraftTerms(terms=terms):
            checked = _terms(terms)
            present = state.terms if state.draft is None and state.versions else state.draft
            return [] if present == checked else [TermsDrafted(terms=checked)]
        case SetRetention(days=days):
            days = check.whole("days", days, 30, 3660)
            return [] if days == state.retention else [RetentionSet(days=days)]
        case ActivateTerms(reason=reason):
            return [_activate(state, reason)]
        case RevokeShare(reason=reason):
            return [ShareRevoked(reason=check.text("reason", reason, required=True))]
        case _:
            assert_never(command)


def _draft(state: Share | None, command: DraftShare) -> ShareDrafted:
    if state is not None:
        raise Conflict("A share agreement with this id exists already. Use a new id.", "share")
    return ShareDrafted(
        share=ShareId(check.identifier("share", command.share)),
        project=ProjectId(check.identifier("project", command.project)),
        client=ClientId(check.identifier("client", command.client)),
        terms=_terms(command.terms),
    )


def _activate(state: Share, reason: str) -> TermsActivated:
    if state.draft is None:
        raise Conflict("There is no draft to activate. Change the terms first.")
    if state.versions and state.draft == state.terms:
        told = f"The draft says the same as agreement {state.version}, which is in force"
        raise Conflict(f"{told}. Change the terms first.")
    return TermsActivated(
        version=state.version + 1, terms=state.draft, reason=check.text("reason", reason, required=True)
    )


def _terms(terms: Terms) -> Terms:
    if terms.budget == "nothing" and (terms.curve or terms.indices):
        raise Invalid("The spend curve and the indices need a budget level of percent or amounts.", "budget")
    if terms.budget == "rag" and (terms.curve or terms.indices):
        told = "At the level of a status alone, no curve and no index can be shared"
        raise Invalid(f"{told}. Choose percent or amounts, or leave them out.", "budget")
    if terms.risks and "score" not in terms.risk_fields and {"history", "client_score"} & set(terms.risk_fields):
        told = "The history of a score and the client's own score need the score itself"
        raise Invalid(f"{told}. Share it as well, or leave them out.", "risk_fields")
    if "slip" in terms.milestone_fields and not {"baseline", "forecast"} <= set(terms.milestone_fields):
        raise Invalid("A slip tells both dates. Share the agreed date and the forecast as well.", "milestone_fields")
    for field, ids in (("milestones", terms.milestones), ("risks", terms.risks)):
        for one in ids if ids != "all" else ():
            check.identifier(field, one)
    return Terms(
        milestones=terms.milestones if terms.milestones == "all" else tuple(sorted(set(terms.milestones))),
        milestone_fields=tuple(sorted(set(terms.milestone_fields))),
        risks=terms.risks if terms.risks == "all" else tuple(sorted(set(terms.risks))),
        risk_fields=tuple(sorted(set(terms.risk_fields))),
        budget=terms.budget,
        measure=terms.measure,
        curve=terms.curve,
        indices=terms.indices,
        health=tuple(sorted(set(terms.health))),
        project_fields=tuple(sorted(set(terms.project_fields))),
    )
