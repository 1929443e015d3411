"""The risk register, in the fields of PRINCE2 and ISO 31000. Internal notes are a kind of event no terms can select."""

from datetime import datetime
from typing import Literal, assert_never

import msgspec

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId, PersonId, ProjectId, RiskId
from domain.message import Command, Event

Proximity = Literal["imminent", "within_stage", "within_project", "beyond_project"]
Response = Literal["avoid", "reduce", "transfer", "share", "accept", "prepare_contingent_plans"]  # PRINCE2 7
Band = Literal["low", "medium", "high"]


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """Probability and impact run from 1 to `size`; the score is their product."""

    size: int = 5
    medium_from: int = 6
    high_from: int = 12


class Points(msgspec.Struct, frozen=True):
    """One assessment: probability and impact on the project's scale."""

    probability: int
    impact: int

    @property
    def score(self) -> int:
        return self.probability * self.impact


class RiskDetails(msgspec.Struct, frozen=True, kw_only=True):
    ref: str  # "R-07": given by people, unique in the project, never counted by us
    title: str  # internal
    client_title: str = ""
    client_facing: bool = False
    category: str = ""
    cause: str = ""
    event: str = ""
    effect: str = ""
    proximity: Proximity = "within_project"
    response: Response = "reduce"
    response_actions: str = ""
    owner: str = ""  # exactly one, PRINCE2
    actionee: str = ""
    author: str = ""


# events


class RiskRaised(Event, frozen=True, kw_only=True):
    risk: RiskId
    details: RiskDetails
    inherent: Points
    residual: Points


class RiskDescribed(Event, frozen=True, kw_only=True):
    risk: RiskId
    details: RiskDetails


class RiskScored(Event, frozen=True, kw_only=True):
    risk: RiskId
    residual: Points
    reason: str


class ClientViewAsked(Event, frozen=True, kw_only=True):
    risk: RiskId
    client: ClientId


class ClientScored(Event, frozen=True, kw_only=True):
    risk: RiskId
    client: ClientId
    points: Points
    by: PersonId


class RiskNoteTaken(Event, frozen=True, kw_only=True):
    """Internal, for ever: no terms can select it."""

    risk: RiskId
    note: str


class RiskClosed(Event, frozen=True, kw_only=True):
    risk: RiskId
    reason: str


class RiskReopened(Event, frozen=True, kw_only=True):
    risk: RiskId
    reason: str


RiskEvent = (
    RiskRaised | RiskDescribed | RiskScored | ClientViewAsked | ClientScored | RiskNoteTaken | RiskClosed | RiskReopened
)


# state


class Assessment(msgspec.Struct, frozen=True):
    points: Points
    at: datetime
    reason: str = ""


class ClientAssessment(msgspec.Struct, frozen=True):
    points: Points
    at: datetime
    by: PersonId


class Note(msgspec.Struct, frozen=True):
    at: datetime
    note: str


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    id: RiskId
    details: RiskDetails
    registered_at: datetime
    inherent: Points
    scores: tuple[Assessment, ...]  # residual, ours; newest last
    client_scores: dict[ClientId, tuple[ClientAssessment, ...]] = {}
    asked: dict[ClientId, datetime] = {}
    notes: tuple[Note, ...] = ()
    closed: bool = False

    @property
    def residual(self) -> Points:
        return self.scores[-1].points

    def view_needed_from(self, client: ClientId) -> bool:
        """Tell whether this client was asked for its view and has not given one since."""
        asked, given = self.asked.get(client), self.client_scores.get(client)
        return not self.closed and asked is not None and (not given or given[-1].at < asked)


class Register(msgspec.Struct, frozen=True, kw_only=True):
    risks: dict[RiskId, Risk] = {}


def band(scale: Scale, score: int) -> Band:
    """Return the band of a score."""
    return "high" if score >= scale.high_from else "medium" if score >= scale.medium_from else "low"


def evolve(state: Register, event: RiskEvent, at: datetime) -> Register:
    """Return the register after `event`, recorded at `at` (UTC)."""
    if isinstance(event, RiskRaised):
        first = (Assessment(event.residual, at),)
        new = Risk(id=event.risk, details=event.details, registered_at=at, inherent=event.inherent, scores=first)
    else:
        new = _evolve_risk(state.risks[event.risk], event, at)
    return Register(risks={**state.risks, new.id: new})


def _evolve_risk(
    old: Risk,
    event: RiskDescribed | RiskScored | ClientViewAsked | ClientScored | RiskNoteTaken | RiskClosed | RiskReopened,
    at: datetime,
) -> Risk:
    replace = msgspec.structs.replace
    match event:
        case RiskDescribed(details=details):
            return replace(old, details=details)
        case RiskScored(residual=residual, reason=reason):
            return replace(old, scores=(*old.scores, Assessment(residual, at, reason)))
        case ClientViewAsked(client=client):
            return replace(old, asked={**old.asked, client: at})
        case ClientScored(client=client, points=points, by=by):
            history = (*old.client_scores.get(client, ()), ClientAssessment(points, at, by))
            return replace(old, client_scores={**old.client_scores, client: history})
        case RiskNoteTaken(note=note):
            return replace(old, notes=(*old.notes, Note(at, note)))
        case RiskClosed():
            return replace(old, closed=True)
        case RiskReopened():
            return replace(old, closed=False)
        case _:
            assert_never(event)


# commands


class RaiseRisk(Command, frozen=True, kw_only=True):
    project: ProjectId
    risk: RiskId
    details: RiskDetails
    inherent: Points
    residual: Points


class DescribeRisk(Command, frozen=True, kw_only=True):
    project: ProjectId
    risk: RiskId
    details: RiskDetails


class ScoreRisk(Command, frozen=True, kw_only=True):
    project: ProjectId
    risk: RiskId
    residual: Points
    reason: str


class AskClientView(Command, frozen=True, kw_only=True):
    project: ProjectId
    risk: RiskId
    client: ClientId


class ScoreAsClient(Command, frozen=True, kw_only=True):
    """A viewer gives its organisation's assessment, or a manager records one given elsewhere."""

    project: ProjectId
    risk: RiskId
    client: ClientId
    points: Points
    by: PersonId


class TakeRiskNote(Command, frozen=True, kw_only=True):
    project: ProjectId
    risk: RiskId
    note: str


class CloseRisk(Command, frozen=True, kw_only=True):
    project: ProjectId
    risk: RiskId
    reason: str


class ReopenRisk(Command, frozen=True, kw_only=True):
    project: ProjectId
    risk: RiskId
    reason: str


RiskCommand = (
    RaiseRisk | DescribeRisk | ScoreRisk | AskClientView | ScoreAsClient | TakeRiskNote | CloseRisk | ReopenRisk
)


def decide(state: Register, command: RiskCommand, scale: Scale) -> list[RiskEvent]:
    """Return the events that carry out `command`.

    Raises: a kind of Refused.
    """
    match command:
        case RaiseRisk():
            return [_raise(state, command, scale)]
        case DescribeRisk(risk=key, details=details):
            old = _known(state, key)
            checked = _details(state, details, key)
            return [] if old.details == checked else [RiskDescribed(risk=key, details=checked)]
        case ScoreRisk(risk=key, residual=residual, reason=reason):
            old = _open(_known(state, key))
            _points("residual", residual, scale)
            if old.residual == residual:
                return []
            return [RiskScored(risk=key, residual=residual, reason=check.text("reason", reason, required=True))]
        case AskClientView(risk=key, client=client):
            if _open(_known(state, key)).view_needed_from(client):
                return []
            return [ClientViewAsked(risk=key, client=client)]
        case ScoreAsClient(risk=key, client=client, points=points, by=by):
            _open(_known(state, key))
            _points("points", points, scale)
            return [ClientScored(risk=key, client=client, points=points, by=by)]
        case TakeRiskNote(risk=key, note=note):
            _known(state, key)
            return [RiskNoteTaken(risk=key, note=check.text("note", note, required=True))]
        case CloseRisk(risk=key, reason=reason):
            _open(_known(state, key))
            return [RiskClosed(risk=key, reason=check.text("reason", reason, required=True))]
        case ReopenRisk(risk=key, reason=reason):
            if not _known(state, key).closed:
                raise Conflict("This risk is active, so there is nothing to reopen.")
            return [RiskReopened(risk=key, reason=check.text("reason", reason, required=True))]
        case _:
            assert_never(command)


def _known(state: Register, key: RiskId) -> Risk:
    if key not in state.risks:
        raise Unknown("There is no such risk in this project. Reload the register.")
    return state.risks[key]


def _open(risk: Risk) -> Risk:
    if risk.closed:
        raise Conflict(f"{risk.details.ref} is closed. Reopen it first, with a reason.")
    return risk


def _raise(state: Register, command: RaiseRisk, scale: Scale) -> RiskRaised:
    if command.risk in state.risks:
        raise Conflict("A risk with this id is in the register already. Use a new id.", "risk")
    _points("inherent", command.inherent, scale)
    _points("residual", command.residual, scale)
    if command.residual.score > command.inherent.score:
        message = f"The residual score {command.residual.score} is above the inherent one, {command.inherent.score}."
        raise Invalid(f"{message} A response cannot make it worse: check both.", "residual")
    return RiskRaised(
        risk=command.risk,
        details=_details(state, command.details, command.risk),
        inherent=command.inherent,
        residual=command.residual,
    )


def _details(state: Register, details: RiskDetails, key: RiskId) -> RiskDetails:
    ref = check.line("ref", details.ref)
    if any(r.details.ref == ref for r in state.risks.values() if r.id != key):
        raise Conflict(f"{ref} names another risk of this project already. Choose another reference.", "ref")
    lines = {f: check.line(f, getattr(details, f), required=False) for f in ("category", "owner", "actionee", "author")}
    texts = {f: check.text(f, getattr(details, f)) for f in ("cause", "event", "effect", "response_actions")}
    return msgspec.structs.replace(
        details,
        ref=ref,
        title=check.line("title", details.title),
        client_title=check.line("client_title", details.client_title, required=details.client_facing),
        **lines,
        **texts,
    )


def _points(field: str, points: Points, scale: Scale) -> None:
    check.whole(field, points.probability, 1, scale.size)
    check.whole(field, points.impact, 1, scale.size)
