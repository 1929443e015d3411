"""A source of a project: how it is reached, by which rules it is taken, what its pulls brought, and whether it fails.

See docs/spec.md 2.40.

Rule: the secret is sealed before it is recorded, with a key that is named by the source and counted, and the key is
destroyed when an event names it among `drops`. A failure is recorded when it begins and when it ends, not at each try.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, assert_never

import msgspec

from domain.ids import MilestoneId, SourceId
from domain.language import ENGLISH
from domain.message import Event
from domain.plan.sources.lines import PulledLine, Shorter, whole
from domain.plan.sources.rules import Rules

KEPT = 60  # pulls of a source that are listed; the log has them all
LEFT = 2000  # lines that a person left, the latest
Field = Literal["forecast", "actual", "percent", "title", "milestone"]

# events


class SourceAttached(Event, frozen=True, kw_only=True):
    """A source belongs to the project from now on. `cadence`: minutes between pulls; `values`: of the tool's form."""

    source: SourceId
    tool: str
    name: str
    address: str
    values: dict[str, str]
    cadence: int
    sealed: bytes = b""  # the secret, by key number 1
    rules: Rules = Rules()
    language: str = ENGLISH  # BCP 47: of what is recorded with its pulls, and of why they fail


class SourceChanged(Event, frozen=True, kw_only=True):
    source: SourceId
    name: str
    address: str
    values: dict[str, str]
    cadence: int
    language: str = ""  # BCP 47; "": as before


class SourceSecretSet(Event, frozen=True, kw_only=True):
    source: SourceId
    number: int  # counted from 1
    sealed: bytes
    drops: tuple[str, ...] = ()  # keys that open nothing any more


class SourceRulesSet(Event, frozen=True, kw_only=True):
    source: SourceId
    rules: Rules


class SourceHookRenewed(Event, frozen=True, kw_only=True):
    """The address that the tool calls is another one."""

    source: SourceId
    number: int


class SourcePaused(Event, frozen=True, kw_only=True):
    source: SourceId
    reason: str


class SourceResumed(Event, frozen=True, kw_only=True):
    source: SourceId


class SourceDetached(Event, frozen=True, kw_only=True):
    """Nothing is pulled any more; what it brought stays, and is kept by hand from now on."""

    source: SourceId
    reason: str
    drops: tuple[str, ...] = ()


class SourceFailed(Event, frozen=True, kw_only=True):
    """Pulls fail from now on. `for_good`: nothing is tried before somebody changed something.

    `lasting`: they have failed for a day, so that a share may say that the plan is not confirmed since. `not_before`:
    until when the tool asked not to be asked (UTC), whichever process asks next.
    """

    source: SourceId
    why: str
    for_good: bool = False
    lasting: bool = False
    not_before: datetime | None = None


class SourceRecovered(Event, frozen=True, kw_only=True):
    source: SourceId


class TakenValue(msgspec.Struct, frozen=True, kw_only=True):
    """One value that a pull set, as it was and as it became; "" for none."""

    milestone: MilestoneId
    field: Field
    before: str
    after: str
    stood_for: date | None = None  # of a forecast: the day for which a person stood last


class SourcePulled(Event, frozen=True, kw_only=True):
    """One pull that brought something, or confirmed the plan; after the events of what was taken.

    Where it has `since`, `lines` are those that are new or another since that pull, the one before, and the others go
    on as they were (`lines.whole`): what is recorded of a pull is as much as changed.
    """

    source: SourceId
    pull: str
    cursor: str
    content_hash: str
    data_date: date | None
    title: str = ""  # of the plan, as the source has it
    lines: tuple[PulledLine, ...] = ()
    values: tuple[TakenValue, ...] = ()
    unchanged: int = 0
    doubt: str = ""
    notes: tuple[str, ...] = ()
    confirmed: bool = False
    since: str = ""  # the pull before; "": these are all lines, and all notes
    places: tuple[int, ...] = ()  # of `lines` among all lines
    gone: tuple[str, ...] = ()  # keys of lines of the pull before that do not go on
    reason_of_moves: str = ""  # in the lines that go on
    same_notes: bool = False  # as the pull before


class SourceSettled(Event, frozen=True, kw_only=True):
    """A person took lines that waited, or left things as they are; after the events of what was taken."""

    source: SourceId
    pull: str
    taken: tuple[str, ...] = ()  # keys of lines
    left: tuple[str, ...] = ()
    values: tuple[TakenValue, ...] = ()


class SourcePullPutBack(Event, frozen=True, kw_only=True):
    """What a pull took by itself is as it was before; after the events that made it so."""

    source: SourceId
    pull: str
    reason: str = ""


SourceEvent = (
    SourceAttached | SourceChanged | SourceSecretSet | SourceRulesSet | SourceHookRenewed | SourcePaused | SourceResumed
    | SourceDetached | SourceFailed | SourceRecovered | SourcePulled | SourceSettled | SourcePullPutBack
)  # fmt: skip

# state


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Since when pulls fail (UTC), and why."""

    since: datetime
    why: str
    for_good: bool
    lasting: bool = False  # for a day
    not_before: datetime | None = None  # UTC, the latest that the tool asked for


class Pull(msgspec.Struct, frozen=True, kw_only=True):
    """One pull as it was recorded, with what a person did of it since."""

    id: str
    number: int  # of this source, from 1
    at: datetime  # UTC
    cursor: str
    content_hash: str
    data_date: date | None
    lines: tuple[PulledLine, ...]
    values: tuple[TakenValue, ...]
    unchanged: int
    doubt: str
    notes: tuple[str, ...]
    confirmed: bool
    accepted: frozenset[str] = frozenset()  # keys of lines that waited and were taken by a person
    left: frozenset[str] = frozenset()
    put_back: datetime | None = None

    @property
    def waits(self) -> tuple[PulledLine, ...]:
        """The lines that nobody decided on."""
        settled = self.accepted | self.left
        return tuple(one for one in self.lines if one.outcome == "waits" and one.line.key not in settled)

    @property
    def going_on(self) -> tuple[PulledLine, ...]:
        """The lines that may go on in the next pull: what was taken, by itself or by a person, does not."""
        return tuple(one for one in self.lines if one.outcome != "taken" and one.line.key not in self.accepted)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A source as it is now."""

    id: SourceId
    tool: str
    name: str
    address: str
    values: Mapping[str, str]
    cadence: int  # minutes
    sealed: bytes
    secret: int  # number of the key of the secret, 0: there is none
    rules: Rules
    attached_at: datetime  # UTC
    language: str = ENGLISH  # BCP 47
    secret_at: datetime | None = None
    hook: int = 1
    paused: str | None = None  # why
    detached_at: datetime | None = None
    failure: Failure | None = None
    pulls: tuple[Pull, ...] = ()  # the latest, oldest first
    left: tuple[str, ...] = ()  # keys of lines that a person left as they were
    title: str = ""
    confirmed_at: datetime | None = None  # UTC
    confirmed_for: date | None = None  # the data date that it confirmed last

    @property
    def attached(self) -> bool:
        """Whether it belongs to the project."""
        return self.detached_at is None

    @property
    def last(self) -> Pull | None:
        """The newest pull that was recorded."""
        return self.pulls[-1] if self.pulls else None

    @property
    def waits(self) -> tuple[PulledLine, ...]:
        """What waits for a person: of the newest pull, for each one says all that is left to decide."""
        return self.last.waits if self.last is not None and self.attached else ()

    def pull(self, key: str) -> Pull | None:
        """Return one of the latest pulls."""
        return next((one for one in self.pulls if one.id == key), None)


Sources = Mapping[SourceId, Source]


def key_name(project: str, source: SourceId, number: int) -> str:
    """Return the name of the key that seals a secret of a source."""
    return f"{project}.{source}.{number}"


def evolve(state: Sources, event: SourceEvent, at: datetime) -> dict[SourceId, Source]:
    """Return the sources of a project after `event`, recorded at `at` (UTC)."""
    if isinstance(event, SourceAttached):
        new = Source(
            id=event.source, tool=event.tool, name=event.name, address=event.address, values=event.values,
            cadence=event.cadence, sealed=event.sealed, secret=int(bool(event.sealed)), rules=event.rules,
            attached_at=at, secret_at=at if event.sealed else None, language=event.language,
        )  # fmt: skip
        return {**state, event.source: new}
    return {**state, event.source: _after(state[event.source], event, at)}


def _after(old: Source, event: SourceEvent, at: datetime) -> Source:
    replace = msgspec.structs.replace
    match event:
        case SourceAttached():
            return old
        case SourceChanged():
            reached = (event.address, event.values) == (old.address, dict(old.values))  # as before: so does it fail
            return replace(
                old, name=event.name, address=event.address, values=event.values, cadence=event.cadence,
                language=event.language or old.language, failure=old.failure if reached else None,
            )  # fmt: skip
        case SourceSecretSet(number=number, sealed=sealed):
            return replace(old, sealed=sealed, secret=number, secret_at=at, failure=None)
        case SourceRulesSet(rules=rules):
            return replace(old, rules=rules)
        case SourceHookRenewed(number=number):
            return replace(old, hook=number)
        case SourcePaused(reason=reason):
            return replace(old, paused=reason)
        case SourceResumed():
            return replace(old, paused=None)
        case SourceDetached():
            return replace(old, detached_at=at, sealed=b"", failure=None)
        case SourceFailed():
            return replace(old, failure=_failure(old.failure, event, at))
        case SourceRecovered():
            return replace(old, failure=None)
        case SourcePulled():
            return _pulled(old, event, at)
        case SourceSettled():
            pulls = _with(old.pulls, event.pull, accepted=frozenset(event.taken), left=frozenset(event.left))
            return replace(old, pulls=pulls, left=(*old.left, *event.left)[-LEFT:])
        case SourcePullPutBack(pull=key):
            back = old.pull(key)
            taken = tuple(one.line.key for one in back.lines if one.outcome == "taken") if back is not None else ()
            pulls = tuple(replace(one, put_back=at) if one.id == key else one for one in old.pulls)
            return replace(old, pulls=pulls, left=(*old.left, *taken)[-LEFT:])
        case _:
            assert_never(event)


def _failure(old: Failure | None, event: SourceFailed, at: datetime) -> Failure:
    new = Failure(
        since=at, why=event.why, for_good=event.for_good, lasting=event.lasting, not_before=event.not_before
    )  # fmt: skip
    if old is None:
        return new
    return msgspec.structs.replace(
        new, since=old.since, lasting=new.lasting or old.lasting, not_before=new.not_before or old.not_before
    )


def _pulled(old: Source, event: SourcePulled, at: datetime) -> Source:
    number = old.last.number + 1 if old.last is not None else 1
    new = Pull(
        id=event.pull, number=number, at=at, cursor=event.cursor, content_hash=event.content_hash,
        data_date=event.data_date, lines=lines_of(event, old.last), values=event.values, unchanged=event.unchanged,
        doubt=event.doubt, notes=old.last.notes if event.same_notes and old.last is not None else event.notes,
        confirmed=event.confirmed,
    )  # fmt: skip
    confirmed = {"confirmed_at": at, "confirmed_for": event.data_date} if event.confirmed else {}
    pulls = (*_without_commands(old.pulls), new)[-KEPT:]
    return msgspec.structs.replace(old, pulls=pulls, title=event.title or old.title, failure=None, **confirmed)


def lines_of(event: SourcePulled, before: Pull | None) -> tuple[PulledLine, ...]:
    """Return all lines of a pull, of which the event has what changed since the pull `before`."""
    if not event.since or before is None:
        return event.lines
    told = Shorter(
        lines=event.lines, places=event.places, gone=event.gone, reason_of_moves=event.reason_of_moves
    )  # fmt: skip
    return whole(before.going_on, told)


def _without_commands(pulls: tuple[Pull, ...]) -> tuple[Pull, ...]:
    """Return pulls of which none is the newest any more: what waited in them is decided in the newest one.

    A line that is as in the pull before it is the same object as there, however many pulls it waits.
    """
    if not pulls:
        return pulls
    *earlier, newest = pulls
    known = {one.line.key: one for one in earlier[-1].lines} if earlier else {}
    bare: list[PulledLine] = []
    for one in newest.lines:
        new = one
        if one.line.commands:
            new = msgspec.structs.replace(one, line=msgspec.structs.replace(one.line, commands=()))
        same = known.get(new.line.key)
        bare.append(same if same is not None and same == new else new)
    return (*earlier, msgspec.structs.replace(newest, lines=tuple(bare)))


def _with(pulls: tuple[Pull, ...], key: str, *, accepted: frozenset[str], left: frozenset[str]) -> tuple[Pull, ...]:
    return tuple(
        msgspec.structs.replace(one, accepted=one.accepted | accepted, left=one.left | left) if one.id == key else one
        for one in pulls
    )
