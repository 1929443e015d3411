"""The risk register of a project, with the fields of PRINCE2 and ISO 31000.

Rule: internal notes are events of their own, which no terms can select.
"""

from datetime import datetime
from typing import Literal, assert_never

import msgspec

from domain import check
from domain.agreement.answers import Screen, bound
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId, PersonId, ProjectId, RiskId, ShareId
from domain.language import gettext as _
from domain.message import Command, Event
from domain.plan.history import Dated, held, placed, set_at
from domain.plan.scores import Band, Points, Scale, band, measured

__all__ = [
    "AskClientView", "Assessment", "Band", "ClientAssessment", "ClientScored", "ClientViewAsked", "CloseRisk",
    "DescribeRisk", "Note", "Points", "Proximity", "RaiseRisk", "Register", "ReopenRisk", "Response", "Risk",
    "RiskClosed", "RiskCommand", "RiskDescribed", "RiskDetails", "RiskEvent", "RiskNoteTaken", "RiskRaised",
    "RiskReopened", "RiskScored", "Scale", "ScoreAsClient", "ScoreRisk", "TakeRiskNote", "band", "decide", "evolve",
]  # fmt: skip

Proximity = Literal["imminent", "within_stage", "within_project", "beyond_project"]
Response = Literal["avoid", "reduce", "transfer", "share", "accept", "prepare_contingent_plans"]  # PRINCE2 7


class RiskDetails(msgspec.Struct, frozen=True, kw_only=True):
    ref: str  # "R-07": given by people, unique in the project, never counted by the program
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
    as_of: datetime | None = None  # here and below: since when it held in its source, UTC


class RiskDescribed(Event, frozen=True, kw_only=True):
    risk: RiskId
    details: RiskDetails


class RiskScored(Event, frozen=True, kw_only=True):
    risk: RiskId
    residual: Points
    reason: str
    as_of: datetime | None = None


class ClientViewAsked(Event, frozen=True, kw_only=True):
    risk: RiskId
    client: ClientId


class ClientScored(Event, frozen=True, kw_only=True):
    risk: RiskId
    client: ClientId
    points: Points
    by: PersonId
    share: ShareId = ShareId("")  # with `screen`: where the score was given on the client's page
    screen: Screen = Screen()


class RiskNoteTaken(Event, frozen=True, kw_only=True):
    """An internal note, which no terms can select."""

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


class Assessment(Dated, frozen=True, kw_only=True):
    points: Points
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
    inherent_as_of: datetime | None = None
    scores: tuple[Assessment, ...]  # residual, given by the organisation; as `history` orders them
    client_scores: dict[ClientId, tuple[ClientAssessment, ...]] = {}
    asked: dict[ClientId, datetime] = {}
    notes: tuple[Note, ...] = ()
    closed_at: datetime | None = None  # while it is closed
    facing_since: datetime | None = None  # when it became client-facing, while it is

    @property
    def closed(self) -> bool:
        return self.closed_at is not None

    @property
    def residual(self) -> Points:
        return self.scores[-1].points

    @property
    def scored_at(self) -> datetime:
        """When the present residual score was recorded."""
        return set_at(self.scores, lambda score: score.points)

    def view_needed_from(self, client: ClientId) -> bool:
        """Tell whether this client was asked for its view and has not given one since."""
        asked, given = self.asked.get(client), self.client_scores.get(client)
        return not self.closed and asked is not None and (not given or given[-1].at < asked)


class Register(msgspec.Struct, frozen=True, kw_only=True):
    risks: dict[RiskId, Risk] = {}


def evolve(state: Register, event: RiskEvent, at: datetime) -> Register:
    """Return the register after `event`, recorded at `at` (UTC)."""
    if isinstance(event, RiskRaised):
        first = (Assessment(at=at, as_of=event.as_of, points=event.residual),)
        since = at if event.details.client_facing else None
        new = Risk(
            id=event.risk, details=event.details, registered_at=at, inherent=event.inherent,
            inherent_as_of=event.as_of, scores=first, facing_since=since,
        )  # fmt: skip
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
            since = (old.facing_since or at) if details.client_facing else None
            return replace(old, details=details, facing_since=since)
        case RiskScored(residual=residual, reason=reason, as_of=as_of):
            new = Assessment(at=at, as_of=as_of, points=residual, reason=reason)
            return replace(old, scores=placed(old.scores, new))
        case ClientViewAsked(client=client):
            return replace(old, asked={**old.asked, client: at})
        case ClientScored(client=client, points=points, by=by):
            history = (*old.client_scores.get(client, ()), ClientAssessment(points, at, by))
            return replace(old, client_scores={**old.client_scores, client: history})
        case RiskNoteTaken(note=note):
            return replace(old, notes=(*old.notes, Note(at, note)))
        case RiskClosed():
            return replace(old, closed_at=at)
        case RiskReopened():
            return replace(old, closed_at=None)
        case _:
            assert_never(event)


# commands


class RaiseRisk(Command, frozen=True, kw_only=True):
    project: ProjectId
    risk: RiskId
    details: RiskDetails
    inherent: Points
    residual: Points
    as_of: datetime | None = None


class DescribeRisk(Command, frozen=True, kw_only=True):
    project: ProjectId
    risk: RiskId
    details: RiskDetails


class ScoreRisk(Command, frozen=True, kw_only=True):
    project: ProjectId
    risk: RiskId
    residual: Points
    reason: str
    as_of: datetime | None = None


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
    share: ShareId = ShareId("")
    screen: Screen = Screen()


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
    """Return the events that carry out `command`; `scale` is the project's.

    Raises: a kind of Refused.
    """
    match command:
        case RaiseRisk():
            return [_raise(state, command, scale)]
        case DescribeRisk(risk=key, details=details):
            old = _existing(state, key)
            checked = _details(state, details, key)
            return [] if old.details == checked else [RiskDescribed(risk=key, details=checked)]
        case ScoreRisk():
            return _score(_existing(state, command.risk), command, scale)
        case AskClientView(risk=key, client=client):
            check.identifier("client", client)
            if _open(_existing(state, key)).view_needed_from(client):
                return []
            return [ClientViewAsked(risk=key, client=client)]
        case ScoreAsClient():
            return _score_as_client(_open(_existing(state, command.risk)), command, scale)
        case TakeRiskNote(risk=key, note=note):
            old, note = _existing(state, key), check.text("note", note, required=True)
            return [] if old.notes and old.notes[-1].note == note else [RiskNoteTaken(risk=key, note=note)]
        case CloseRisk(risk=key, reason=reason):
            _open(_existing(state, key))
            return [RiskClosed(risk=key, reason=check.text("reason", reason, required=True))]
        case ReopenRisk(risk=key, reason=reason):
            if not _existing(state, key).closed:
                raise Conflict(_("This risk is active, so there is nothing to reopen."))
            return [RiskReopened(risk=key, reason=check.text("reason", reason, required=True))]
        case _:
            assert_never(command)


def _existing(state: Register, key: RiskId) -> Risk:
    if key not in state.risks:
        raise Unknown(_("There is no such risk in this project. Reload the register."))
    return state.risks[key]


def _open(risk: Risk, as_of: datetime | None = None) -> Risk:
    """Return a risk that was open at an instant, now when None."""
    if risk.closed_at is not None and (as_of is None or as_of >= risk.closed_at):
        raise Conflict(_("Risk {ref} is closed. Reopen it first, with a reason.", ref=risk.details.ref))
    return risk


def _raise(state: Register, command: RaiseRisk, scale: Scale) -> RiskRaised:
    check.identifier("risk", command.risk)
    if command.risk in state.risks:
        raise Conflict(_("A risk with this id is in the register already. Use a new id."), "risk")
    measured("inherent", command.inherent, scale)
    measured("residual", command.residual, scale)
    if command.residual.score > command.inherent.score:
        message = _(
            "The residual score {score} is above the inherent one, {inherent_score}.",
            score=command.residual.score,
            inherent_score=command.inherent.score,
        )
        raise Invalid(_("{message} A response cannot make it worse: check both.", message=message), "residual")
    return RiskRaised(
        risk=command.risk,
        details=_details(state, command.details, command.risk),
        inherent=command.inherent,
        residual=command.residual,
        as_of=command.as_of,
    )


def _score(old: Risk, command: ScoreRisk, scale: Scale) -> list[RiskEvent]:
    then = held(_open(old, command.as_of).scores, command.as_of)
    measured("residual", command.residual, scale)
    if then and then.points == command.residual:
        return []
    why = check.text("reason", command.reason, required=True)
    return [RiskScored(risk=old.id, residual=command.residual, reason=why, as_of=command.as_of)]


def _score_as_client(old: Risk, command: ScoreAsClient, scale: Scale) -> list[RiskEvent]:
    check.identifier("client", command.client)
    check.identifier("by", command.by)
    measured("points", command.points, scale)
    if command.share or command.screen != Screen():
        check.identifier("share", command.share)
        bound(command.screen)
    given = old.client_scores.get(command.client)
    same = given is not None and (given[-1].points, given[-1].by) == (command.points, command.by)
    if same and not old.view_needed_from(command.client):
        return []
    return [
        ClientScored(
            risk=old.id, client=command.client, points=command.points, by=command.by, share=command.share,
            screen=command.screen,
        )
    ]  # fmt: skip


def _details(state: Register, details: RiskDetails, key: RiskId) -> RiskDetails:
    ref = check.line("ref", details.ref)
    if any(r.details.ref.casefold() == ref.casefold() for r in state.risks.values() if r.id != key):
        raise Conflict(_("The reference {ref} names another risk of this project. Choose another.", ref=ref), "ref")
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
