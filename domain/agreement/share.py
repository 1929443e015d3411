"""Share agreements: which client may see what of a project, version by version, until it ends."""

from datetime import datetime
from typing import Literal, assert_never

import msgspec

from domain import check
from domain.agreement import answers
from domain.agreement.answers import Acknowledged, AnswerCommand, AnswerEvent, Answers, Comment, Screen
from domain.agreement.terms import AT_ONCE, Terms, Ways, checked, checked_ways
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ClientId, PersonId, ProjectId, ShareId
from domain.language import ENGLISH
from domain.language import gettext as _
from domain.message import Command, Event

RETENTION = 730  # days

# events


class ShareDrafted(Event, frozen=True, kw_only=True):
    share: ShareId
    project: ProjectId
    client: ClientId
    terms: Terms
    ways: Ways = AT_ONCE
    language: str = ENGLISH  # BCP 47; that its page and its emails are in


class TermsDrafted(Event, frozen=True, kw_only=True):
    terms: Terms
    ways: Ways = AT_ONCE


class TermsActivated(Event, frozen=True, kw_only=True):
    version: int
    terms: Terms
    reason: str
    ways: Ways = AT_ONCE


class ShareRevoked(Event, frozen=True, kw_only=True):
    reason: str
    cause: Literal["revoked", "expired"] = "revoked"


class RetentionSet(Event, frozen=True, kw_only=True):
    """How long receipts of this share are kept, in days."""

    days: int


class LanguageSet(Event, frozen=True, kw_only=True):
    """In which language (BCP 47) the page and the emails of this share are from now on."""

    language: str


class HeldFact(msgspec.Struct, frozen=True, kw_only=True):
    """One change that waited for review: of which subject, why, since when and until when at most (UTC)."""

    subject: str  # "milestone-m1", "risk-r7", "budget"
    why: Literal["slip", "cost", "score"]
    since: datetime
    until: datetime
    changed_by: PersonId


class HeldReleased(Event, frozen=True, kw_only=True):
    """Changes that waited for review were released to the client, with how long they waited and who released them."""

    held: tuple[HeldFact, ...]
    cause: Literal["released", "time_up", "amended"]  # amended: newer terms do not hold it
    by: PersonId
    note: str = ""  # for the client, shown with the change


ShareEvent = (
    ShareDrafted
    | TermsDrafted
    | TermsActivated
    | ShareRevoked
    | RetentionSet
    | LanguageSet
    | HeldReleased
    | AnswerEvent
)


# state


class Version(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    terms: Terms
    reason: str
    at: datetime
    ways: Ways = AT_ONCE


class Share(msgspec.Struct, frozen=True, kw_only=True):
    id: ShareId
    project: ProjectId
    client: ClientId
    draft: Terms | None
    draft_ways: Ways = AT_ONCE
    versions: tuple[Version, ...] = ()
    revoked_at: datetime | None = None
    revoked_why: str = ""
    revoked_cause: Literal["revoked", "expired", "client_ended"] = "revoked"
    retention: int = RETENTION  # days for which receipts are kept
    language: str = ENGLISH  # BCP 47; that its page and its emails are in
    answers: Answers = Answers()
    released: tuple[HeldReleased, ...] = ()  # every release, oldest first

    @property
    def version(self) -> int:
        return len(self.versions)

    @property
    def active(self) -> bool:
        """Whether an agreement is in force: one was activated, and the share was not revoked."""
        return bool(self.versions) and self.revoked_at is None

    @property
    def terms(self) -> Terms:
        """The terms in force (the last ones, once revoked)."""
        return self.versions[-1].terms

    @property
    def ways(self) -> Ways:
        """How the version in force discloses; at once while there is none."""
        return self.versions[-1].ways if self.versions else AT_ONCE

    def ended_on(self, now: datetime) -> datetime | None:
        """Return when the share ended (UTC), also where that is not recorded yet; None while it goes on."""
        if self.revoked_at is not None:
            return self.revoked_at
        expires = self.ways.expires
        return expires if expires is not None and expires <= now else None


def evolve(state: Share | None, event: ShareEvent, at: datetime) -> Share:
    """Return the share after `event`, recorded at `at` (UTC)."""
    if isinstance(event, ShareDrafted):
        return Share(
            id=event.share,
            project=event.project,
            client=event.client,
            draft=event.terms,
            draft_ways=event.ways,
            language=event.language,
        )
    if state is None:
        message = f"expected ShareDrafted first, got {type(event).__name__}"
        raise ValueError(message)
    replace = msgspec.structs.replace
    match event:
        case TermsDrafted(terms=terms, ways=ways):
            return replace(state, draft=terms, draft_ways=ways)
        case TermsActivated(version=number, terms=terms, reason=reason, ways=ways):
            new = Version(number=number, terms=terms, reason=reason, at=at, ways=ways)
            return replace(state, draft=None, draft_ways=AT_ONCE, versions=(*state.versions, new))
        case ShareRevoked(reason=reason, cause=cause):
            if state.revoked_at is not None:  # its client ended at the same moment
                return state
            return replace(state, draft=None, revoked_at=at, revoked_why=reason, revoked_cause=cause)
        case RetentionSet(days=days):
            return replace(state, retention=days)
        case LanguageSet(language=language):
            return replace(state, language=language)
        case HeldReleased():
            return replace(state, released=(*state.released, event), answers=_with_note(state.answers, event, at))
        case _:
            return replace(state, answers=answers.evolve(state.answers, event, at))


def _with_note(before: Answers, event: HeldReleased, at: datetime) -> Answers:
    """Return the answers with the note of a release as a comment on each of its subjects."""
    if not event.note:
        return before
    new = tuple(
        Comment(
            id=f"note-{len(before.comments) + i}", subject=fact.subject, text=event.note, by=event.by, side="ours",
            at=at, screen=Screen(), remark=True,
        )
        for i, fact in enumerate(event.held)
    )  # fmt: skip
    return msgspec.structs.replace(before, comments=(*before.comments, *new))


# commands


class DraftShare(Command, frozen=True, kw_only=True):
    share: ShareId
    project: ProjectId
    client: ClientId
    terms: Terms
    ways: Ways = AT_ONCE
    language: str = ENGLISH  # BCP 47


class DraftTerms(Command, frozen=True, kw_only=True):
    share: ShareId
    terms: Terms
    ways: Ways = AT_ONCE


class DropDraft(Command, frozen=True, kw_only=True):
    """Go back to the terms in force."""

    share: ShareId


class ActivateTerms(Command, frozen=True, kw_only=True):
    """Put the draft in force as the next version."""

    share: ShareId
    reason: str


class RevokeShare(Command, frozen=True, kw_only=True):
    share: ShareId
    reason: str


class ExpireShare(Command, frozen=True, kw_only=True):
    """End a share whose date has come; for the system alone."""

    share: ShareId


class ReleaseHeld(Command, frozen=True, kw_only=True):
    """Release the changes that wait for review: those of these subjects, or all of them."""

    share: ShareId
    by: PersonId
    subjects: tuple[str, ...] = ()  # none: all
    note: str = ""


class ReleaseDue(Command, frozen=True, kw_only=True):
    """Release the changes whose time of waiting is over; for the system alone."""

    share: ShareId


class SetRetention(Command, frozen=True, kw_only=True):
    """Keep receipts of this share for so many days (30 to 3660)."""

    share: ShareId
    days: int


class SetLanguage(Command, frozen=True, kw_only=True):
    """Make the page and the emails of this share in a language (BCP 47) from now on, under the same agreement."""

    share: ShareId
    language: str


HeldCommand = ReleaseHeld | ReleaseDue
ShareCommand = (
    DraftShare | DraftTerms | DropDraft | ActivateTerms | RevokeShare | ExpireShare | SetRetention | SetLanguage
    | HeldCommand | AnswerCommand
)  # fmt: skip


def decide(
    state: Share | None, command: ShareCommand, now: datetime, held: tuple[HeldFact, ...] = ()
) -> list[ShareEvent]:
    """Return the events that carry out `command` at `now` (UTC); `held` are the changes that wait for review.

    Raises: a kind of Refused.
    """
    if isinstance(command, DraftShare):
        return [_draft(state, command)]
    if state is None:
        raise Unknown(_("There is no such share agreement. Check the address, or draft it first."))
    if state.revoked_at is not None:
        raise Conflict(_("This share has ended. Draft a new agreement to share again."))
    if state.ended_on(now) is not None and not isinstance(command, ExpireShare | ReleaseDue | RevokeShare):
        raise Conflict(_("The agreed time of this share is over. Draft a new agreement to share again."))
    match command:
        case DraftTerms(terms=terms, ways=ways):
            new = TermsDrafted(terms=checked(terms), ways=checked_ways(ways))
            return [] if (new.terms, new.ways) == _standing(state) else [new]
        case DropDraft():
            if not state.versions:
                raise Conflict(_("There is no agreement in force to go back to. Change the draft instead."))
            back = TermsDrafted(terms=state.terms, ways=state.ways)
            return [] if (back.terms, back.ways) == _standing(state) else [back]
        case SetRetention(days=days):
            days = check.whole("days", days, 30, 3660)
            return [] if days == state.retention else [RetentionSet(days=days)]
        case SetLanguage(language=language):
            chosen = check.language("language", language)
            return [] if chosen == state.language else [LanguageSet(language=chosen)]
        case ActivateTerms(reason=reason):
            return _activate(state, reason, now, held)
        case RevokeShare(reason=reason):
            return [ShareRevoked(reason=check.text("reason", reason, required=True))]
        case ExpireShare():
            ended = state.active and state.ended_on(now) is not None
            return [ShareRevoked(reason=_("The agreed time was over"), cause="expired")] if ended else []
        case _ if (
            isinstance(command, HeldCommand) and state.ended_on(now) is not None
        ):  # its last day is over, and the end is not recorded yet
            return _too_late(command)
        case ReleaseHeld(by=by, subjects=subjects, note=note):
            going = tuple(fact for fact in held if not subjects or fact.subject in subjects)
            if not going:
                raise Conflict(_("None of this waits any more: it was released meanwhile. Reload the page."))
            words = check.text("note", note)
            return [HeldReleased(held=going, cause="released", by=PersonId(check.identifier("by", by)), note=words)]
        case ReleaseDue():
            due = tuple(fact for fact in held if fact.until <= now)
            return [HeldReleased(held=due, cause="time_up", by=PersonId("system"))] if due else []
        case _:
            if not state.active:
                raise Conflict(_("Nothing is shared here yet, so there is nothing to answer."))
            return [_agreed_to(state, event) for event in answers.decide(state.answers, command)]


def _agreed_to(state: Share, event: AnswerEvent) -> AnswerEvent:
    """Return the event; an acknowledgement has to name a version of the agreement that exists.

    Raises: Invalid.
    """
    kind, _other, number = event.subject.partition("-") if isinstance(event, Acknowledged) else ("", "", "")
    if kind == "agreement" and number not in {str(version.number) for version in state.versions}:
        raise Invalid(
            _("There is no agreement {number} on this share. Reload the page.", number=number[:10]), "subject"
        )
    return event


def _too_late(command: HeldCommand) -> list[ShareEvent]:
    """Refuse a release, or release nothing: a change that waits when the agreed time ends is never shown."""
    if isinstance(command, ReleaseHeld):
        raise Conflict(_("The agreed time of this share is over. Draft a new agreement to share again."))
    return []


def _standing(state: Share) -> tuple[Terms | None, Ways]:
    """Return the terms and ways that a new draft would replace."""
    return (state.terms, state.ways) if state.draft is None and state.versions else (state.draft, state.draft_ways)


def _draft(state: Share | None, command: DraftShare) -> ShareDrafted:
    if state is not None:
        raise Conflict(_("A share agreement with this id exists already. Use a new id."), "share")
    return ShareDrafted(
        share=ShareId(check.identifier("share", command.share)),
        project=ProjectId(check.identifier("project", command.project)),
        client=ClientId(check.identifier("client", command.client)),
        terms=checked(command.terms),
        ways=checked_ways(command.ways),
        language=check.language("language", command.language),
    )


def _activate(state: Share, reason: str, now: datetime, held: tuple[HeldFact, ...]) -> list[ShareEvent]:
    if state.draft is None:
        raise Conflict(_("There is no draft to activate. Change the terms first."))
    if state.versions and (state.draft, state.draft_ways) == (state.terms, state.ways):
        problem = _("The draft says the same as agreement {version}, which is in force", version=state.version)
        raise Conflict(_("{told}. Change the terms first.", told=problem))
    if state.draft_ways.expires is not None and state.draft_ways.expires <= now:
        raise Invalid(_("The last day of this agreement is over. Choose a later one, or none."), "expires")
    activated = TermsActivated(
        version=state.version + 1,
        terms=state.draft,
        reason=check.text("reason", reason, required=True),
        ways=state.draft_ways,
    )
    free = tuple(fact for fact in held if not still_held(fact, state.terms, activated.terms, activated.ways))
    return [activated, *([HeldReleased(held=free, cause="amended", by=PersonId("system"))] if free else ())]


def still_held(fact: HeldFact, before: Terms, terms: Terms, ways: Ways) -> bool:
    """Tell whether a change goes on waiting under new terms: they cover it, and hold changes of its kind."""
    release, key = ways.release, fact.subject.partition("-")[2]
    if release is None:
        return False
    match fact.why:
        case "slip":
            covered = terms.milestones == "all" or key in terms.milestones
            return release.slip_days is not None and covered and bool(terms.milestone_fields)
        case "score":
            covered = terms.risks == "all" or key in terms.risks
            return release.score is not None and covered and "score" in terms.risk_fields
        case "cost":
            return release.cost and terms.budget != "nothing" and terms.measure == before.measure
        case _:
            assert_never(fact.why)
