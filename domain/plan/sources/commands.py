"""The commands that attach, change and detach a source, and their decision. Secrets in them are sealed by now."""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from domain import check
from domain.errors import Conflict, Invalid, Unknown
from domain.ids import ProjectId, SourceId
from domain.language import ENGLISH
from domain.language import gettext as _
from domain.message import Command
from domain.plan.sources.rules import Rules, checked
from domain.plan.sources.source import (
    Source,
    SourceAttached,
    SourceChanged,
    SourceDetached,
    SourceEvent,
    SourceFailed,
    SourceHookRenewed,
    SourcePaused,
    SourceRecovered,
    SourceResumed,
    SourceRulesSet,
    Sources,
    SourceSecretSet,
    key_name,
)

SHORTEST, LONGEST = 5, 1440  # minutes of a cadence
MOST = 20  # sources attached to a project at a time
LONGEST_SEALED = 8192  # bytes
MOST_VALUES, LONGEST_VALUE = 40, 2000
TOLD = 600  # characters of why a pull failed


class AttachSource(Command, frozen=True, kw_only=True):
    """Attach a source; `sealed` is its secret, sealed with its key number 1, nothing where the tool needs none."""

    project: ProjectId
    source: SourceId
    tool: str
    name: str
    address: str = ""
    values: dict[str, str] = {}
    cadence: int = 60
    sealed: bytes = b""
    rules: Rules = Rules()
    language: str = ENGLISH  # BCP 47: in which the reasons of its moves, its notes and its failures are recorded


class ChangeSource(Command, frozen=True, kw_only=True):
    """Change how a source is reached. To another address its secret has to be sealed anew, in `sealed`."""

    project: ProjectId
    source: SourceId
    name: str
    address: str = ""
    values: dict[str, str] = {}
    cadence: int = 60
    number: int = 0  # of the key by which `sealed` is sealed
    sealed: bytes = b""
    language: str = ""  # BCP 47; "": as before


class SetSourceSecret(Command, frozen=True, kw_only=True):
    project: ProjectId
    source: SourceId
    number: int  # the next one
    sealed: bytes


class SetSourceRules(Command, frozen=True, kw_only=True):
    project: ProjectId
    source: SourceId
    rules: Rules


class RenewSourceHook(Command, frozen=True, kw_only=True):
    project: ProjectId
    source: SourceId


class PauseSource(Command, frozen=True, kw_only=True):
    project: ProjectId
    source: SourceId
    reason: str = ""


class ResumeSource(Command, frozen=True, kw_only=True):
    project: ProjectId
    source: SourceId


class DetachSource(Command, frozen=True, kw_only=True):
    project: ProjectId
    source: SourceId
    reason: str


class FailSource(Command, frozen=True, kw_only=True):
    """Record that pulls fail; for the system alone."""

    project: ProjectId
    source: SourceId
    why: str
    for_good: bool = False
    lasting: bool = False  # for a day by now
    not_before: datetime | None = None  # until when the tool asked not to be asked, UTC


class RecoverSource(Command, frozen=True, kw_only=True):
    """Record that pulls succeed again; for the system alone."""

    project: ProjectId
    source: SourceId


SourceCommand = (
    AttachSource | ChangeSource | SetSourceSecret | SetSourceRules | RenewSourceHook | PauseSource | ResumeSource
    | DetachSource | FailSource | RecoverSource
)  # fmt: skip


def attached(sources: Sources, key: SourceId) -> Source:
    """Return a source that is attached. Raises: Unknown, Conflict."""
    source = sources.get(key)
    if source is None:
        raise Unknown(_("There is no such source in this project. Attach it first."), "source")
    if not source.attached:
        raise Conflict(_("This source was detached. Attach it again as a new one."), "source")
    return source


def decide(sources: Sources, command: SourceCommand) -> list[SourceEvent]:
    """Return the events that carry out `command`. Raises: a kind of Refused."""
    if isinstance(command, AttachSource):
        return [_attach(sources, command)]
    source = attached(sources, command.source)
    match command:
        case ChangeSource():
            return _change(source, command)
        case SetSourceSecret(number=number, sealed=sealed):
            return [_secret(source, command.project, number, sealed)]
        case SetSourceRules(rules=rules):
            kept = checked(rules)
            return [] if kept == source.rules else [SourceRulesSet(source=source.id, rules=kept)]
        case RenewSourceHook():
            return [SourceHookRenewed(source=source.id, number=source.hook + 1)]
        case PauseSource(reason=reason):
            paused = SourcePaused(source=source.id, reason=check.text("reason", reason))
            return [] if source.paused is not None else [paused]
        case ResumeSource():
            return [] if source.paused is None else [SourceResumed(source=source.id)]
        case DetachSource(reason=reason):
            why = check.text("reason", reason, required=True)
            return [SourceDetached(source=source.id, reason=why, drops=_keys(source, command.project))]
        case FailSource():
            return _fail(source, command)
        case RecoverSource():
            return [] if source.failure is None else [SourceRecovered(source=source.id)]
        case _:
            assert_never(command)


def _fail(source: Source, command: FailSource) -> list[SourceEvent]:
    """Return that a source fails, nothing where that is known; once more where its tool asks to wait longer."""
    failure, until = source.failure, command.not_before
    if (
        failure is not None
        and failure.for_good == command.for_good
        and (failure.lasting or not command.lasting)
        and not later(until, failure.not_before)
    ):
        return []
    told = check.text("why", check.without_refused(command.why)[:TOLD])
    return [
        SourceFailed(
            source=source.id, why=told, for_good=command.for_good, lasting=command.lasting, not_before=until
        )
    ]  # fmt: skip


def later(until: datetime | None, known: datetime | None) -> bool:
    """Tell whether a tool asks to wait longer than it is known to have asked."""
    return until is not None and (known is None or until > known)


def _attach(sources: Sources, command: AttachSource) -> SourceAttached:
    if command.source in sources:
        raise Conflict(_("A source with this id exists already. Use a new id."), "source")
    if sum(one.attached for one in sources.values()) >= MOST:
        raise Conflict(_("{most} sources are attached, the most there can be. Detach one first.", most=MOST))
    key = SourceId(check.identifier("source", command.source))
    if len(key) > 24:
        raise Invalid(_("The id of a source has at most 24 characters. Choose a shorter one."), "source")
    return SourceAttached(
        source=key, tool=check.identifier("tool", command.tool), name=check.line("name", command.name),
        address=_address(command.address), values=_values(command.values), cadence=_cadence(command.cadence),
        sealed=_sealed(command.sealed), rules=checked(command.rules),
        language=check.language("language", command.language),
    )  # fmt: skip


def _change(source: Source, command: ChangeSource) -> list[SourceEvent]:
    new = SourceChanged(
        source=source.id, name=check.line("name", command.name), address=_address(command.address),
        values=_values(command.values), cadence=_cadence(command.cadence),
        language=check.language("language", command.language) if command.language else "",
    )  # fmt: skip
    moved = new.address != source.address
    if moved and source.sealed and not command.sealed:
        told = _("The address is another one, so the secret has to be typed again: it belongs to the one before.")
        raise Invalid(told, "secret")
    same = (new.name, new.address, new.values, new.cadence, new.language or source.language) == (
        source.name, source.address, dict(source.values), source.cadence, source.language
    )  # fmt: skip
    events: list[SourceEvent] = [] if same else [new]
    if command.sealed:
        events.append(_secret(source, command.project, command.number, command.sealed))
    return events


def _secret(source: Source, project: ProjectId, number: int, sealed: bytes) -> SourceSecretSet:
    if number != source.secret + 1:
        told = _("Somebody replaced the secret a moment ago. Reload the page, then replace it again.")
        raise Conflict(told, "secret")
    if not sealed:
        raise Invalid(_("The secret is missing. Type it and send again."), "secret")
    return SourceSecretSet(source=source.id, number=number, sealed=_sealed(sealed), drops=_keys(source, project))


def _keys(source: Source, project: ProjectId) -> tuple[str, ...]:
    """Return the name of the key of the present secret: the system's own, so that no other key can be named."""
    return (key_name(project, source.id, source.secret),) if source.secret else ()


def _sealed(sealed: bytes) -> bytes:
    if len(sealed) > LONGEST_SEALED:
        raise Invalid(_("The secret is longer than any should be."), "secret")
    return sealed


def _cadence(minutes: int) -> int:
    return check.whole("cadence", minutes, SHORTEST, LONGEST)


def _address(address: str) -> str:
    """Return the address of a tool, "" for none; nothing that could be a secret is kept in it. Raises: Invalid."""
    kept = check.line("address", address, required=False).rstrip("/")
    host = kept.partition("://")[2].partition("/")[0]
    if kept and (not host or "@" in host or "?" in kept or "#" in kept):
        told = _("Expected an address that begins with https://, without a user, a password or a query in it.")
        raise Invalid(told, "address")
    return kept


def _values(values: Mapping[str, str]) -> dict[str, str]:
    if len(values) > MOST_VALUES or any(len(one) > LONGEST_VALUE for pair in values.items() for one in pair):
        raise Invalid(_("More was typed than a source can keep. Shorten it."), "values")
    return {check.line("values", key): check.text("values", value) for key, value in values.items()}
