"""Turns a viewer's answer (score, comment, concern, acknowledgement) into a command in their name, and records it.

Rule: whether the subject was shown to them is checked before, from what was disclosed (`web/client/answering.py`).
"""

import hashlib
from typing import TYPE_CHECKING

from domain.agreement.answers import Acknowledge, Acknowledged, CommentMade, ConcernRaised, MakeComment, RaiseConcern
from domain.errors import Conflict
from domain.ids import CommandId, PersonId, RiskId, ShareId
from domain.language import gettext as _
from domain.plan.risks import ClientScored, Points, ScoreAsClient
from projections.events.event_log import EventLog
from projections.events.present import CurrentWorld
from projections.installation.folder import Logs
from web.write.permission import Actor
from web.write.saying import How, Saying, Spoke
from web.write.service import Service

if TYPE_CHECKING:
    from web.door.guard import Signed

KINDS: dict[type, How] = {CommentMade: "comment", ConcernRaised: "concern", Acknowledged: "acknowledge"}


def said_key(log: EventLog, person: PersonId, command_id: str) -> str:
    """Return the id of the comment or concern that a form of this person makes, or made when it was sent before."""
    done = log.carried_out(person, command_id)
    rows = log.part(done.stream, done.versions[0] - 1, 1) if done is not None and done.versions else []
    match rows[0].event if rows else None:
        case CommentMade(comment=key) | ConcernRaised(concern=key):
            return key
        case _:
            own = b"\n".join(part.encode(errors="replace") for part in ("said", person, command_id))
            return hashlib.sha256(own).hexdigest()[:12]


def _words(event: CommentMade | ConcernRaised | Acknowledged) -> tuple[str, str]:
    """Return the text and the id of a comment or concern."""
    match event:
        case CommentMade(text=text, comment=key) | ConcernRaised(text=text, concern=key):
            return text, key
        case Acknowledged():
            return "", ""


class ViewerAnswers:
    """Records what viewers say."""

    def __init__(self, service: Service, present: CurrentWorld, logs: Logs) -> None:
        self._service, self._present, self._logs = service, present, logs

    def head(self, share: str, n: int) -> str:
        """Return the tree head after update `n` of a share, hex; "" where there is no such update."""
        kept = self._logs.disclosure.kept(share, n - 1, 1, n) if n > 0 else []
        return kept[0].root if kept else ""

    def say(self, signed: "Signed", share: str, saying: Saying, command_id: str) -> None:
        """Record what a viewer says of a share; sent twice with the same command id, it is recorded once.

        Raises: Refused.
        """
        person = signed.person
        command = self._command(signed, ShareId(share), saying, command_id)
        try:
            self._service.execute(
                Actor(person.id, person.role, signed.clients), command, command_id=CommandId(command_id)
            )
        except Conflict:
            if not self._service.carried_out(person.id, command_id):
                raise
            sentence = _("This form was sent before, and what it said then is on record")
            raise Conflict(_("{told}. Send again if you mean to say this as well.", told=sentence)) from None

    def _command(
        self, signed: "Signed", share: ShareId, saying: Saying, command_id: str
    ) -> ScoreAsClient | MakeComment | RaiseConcern | Acknowledge:
        by, about, screen = signed.person.id, saying.subject, saying.screen
        key = said_key(self._logs.events, by, command_id)
        match saying.how:
            case "score":
                agreed = self._present.world.shares[share]
                return ScoreAsClient(
                    project=agreed.project, risk=RiskId(about.removeprefix("risk-")), client=agreed.client,
                    points=Points(*saying.points), by=by, share=share, screen=screen,
                )  # fmt: skip
            case "comment":
                return MakeComment(
                    share=share, comment=key, subject=about, text=saying.text, by=by, side="theirs", screen=screen
                )
            case "concern":
                return RaiseConcern(share=share, concern=key, subject=about, text=saying.text, by=by, screen=screen)
            case "acknowledge":
                return Acknowledge(share=share, subject=about, by=by, screen=screen)

    def told(self, signed: "Signed", share: str, command_id: str) -> Spoke | None:
        """Return what a command of this person said on a share; None when they carried out no such command."""
        done = self._logs.events.carried_out(signed.person.id, command_id)
        if done is None or not done.versions:
            return None
        rows = self._logs.events.part(done.stream, done.versions[0] - 1, 1)
        if not rows or rows[0].actor != signed.person.id:
            return None
        event = rows[0].event
        if isinstance(event, ClientScored) and event.share == share:
            return Spoke("score", f"risk-{event.risk}", event.screen)
        if isinstance(event, CommentMade | ConcernRaised | Acknowledged) and done.stream == f"share-{share}":
            return Spoke(KINDS[type(event)], event.subject, event.screen, *_words(event))
        return None
