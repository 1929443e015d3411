"""The lines of a list *For you* in sentences, with the way to the place where each is dealt with."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from domain.ids import ProjectId
from domain.language import gettext as _
from projections.events.for_you import Kind, Line, Matter
from projections.events.world import World
from projections.wording import words
from projections.wording.phrases import in_time, span
from web.door.guard import Signed
from web.manager.answers.listed import title_of
from web.process.services import Services
from web.record import held as record_held
from web.staff.for_you import lines_of
from web.write.colleagues import takers

MOST = 200  # lines on one page
ORDER: tuple[Kind, ...] = (
    "concern", "stopped", "hold", "comment", "mail", "expires", "confirm", "score", "ack", "joined",
)  # fmt: skip


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One line as it is shown."""

    key: str
    text: str
    ago: str  # "12 min ago", "" where that is not known
    at: str  # ISO 8601
    href: str
    note: str  # whose it was before, or who is away
    back: str  # "3 December 2027" where it is put off


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of one project."""

    id: ProjectId
    title: str
    lines: Sequence[Shown]
    takers: Sequence[tuple[str, str]]  # id and name of whom a line can be handed to
    days: Sequence[tuple[str, str]]  # until when a line is put off by one button: ISO date, in words
    first: str  # the first day, ISO
    last: str


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """The whole list."""

    count: int  # that wait now
    groups: Sequence[Group]
    put_off: Sequence[Group]
    more: int  # lines that are not shown
    token: str  # a fingerprint: another one later means that the list changed


def listed(services: Services, signed: Signed) -> Listed:
    """Return somebody's list. For threads."""
    world, now = services.present.refresh(), services.now()
    every = sorted(lines_of(services, signed), key=_rank)
    waiting = [line for line in every if line.back is None]
    put_off = [line for line in every if line.back is not None]
    state = repr([(line.matter.key, line.matter.many, line.back, line.given_by, line.covers) for line in every])
    return Listed(
        count=len(waiting),
        groups=_groups(world, signed, waiting[:MOST], now),
        put_off=_groups(world, signed, put_off[:MOST], now),
        more=max(0, len(waiting) - MOST),
        token=hashlib.sha256(state.encode()).hexdigest()[:16],
    )


def _rank(line: Line) -> tuple[int, float, str]:
    matter = line.matter
    at = matter.until or matter.moved
    newest_first = -1 if matter.until is None else 1
    return ORDER.index(matter.kind), newest_first * (at.timestamp() if at else 0), matter.key


def _groups(world: World, signed: Signed, lines: Sequence[Line], now: datetime) -> list[Group]:
    by_project: dict[ProjectId, list[Line]] = {}
    for line in lines:
        by_project.setdefault(line.matter.project, []).append(line)
    return [_group(world, signed, key, theirs, now) for key, theirs in by_project.items()]


def _group(world: World, signed: Signed, key: ProjectId, lines: Sequence[Line], now: datetime) -> Group:
    project = world.projects[key]
    today = words.local(now, project.time_zone).date()
    tomorrow, monday = today + timedelta(days=1), today + timedelta(days=7 - today.weekday())
    days = [(tomorrow.isoformat(), _("Tomorrow")), (monday.isoformat(), _("Monday, {day}", day=words.day_year(monday)))]
    week = today + timedelta(days=7)
    return Group(
        id=key,
        title=project.title,
        lines=[_shown(world, line, now) for line in lines],
        takers=[(p.id, p.name) for p in takers(world, signed.person, key) if p.id != signed.person.id],
        days=[*(days if tomorrow != monday else days[:1]), (week.isoformat(), _("In a week"))],
        first=tomorrow.isoformat(),
        last=(today + timedelta(days=365)).isoformat(),
    )


def _shown(world: World, line: Line, now: datetime) -> Shown:
    matter = line.matter
    moved = matter.moved if matter.kind not in ("confirm", "expires") else None
    return Shown(
        key=matter.key,
        text=sentence(world, matter, now),
        ago="" if moved is None else ago(moved, now),
        at="" if moved is None else words.iso(moved),
        href=leads_to(matter),
        note=_note(world, line),
        back=words.long_day(line.back) if line.back else "",
    )


def _note(world: World, line: Line) -> str:
    if line.covers:
        return _("{name} is away; you cover for them.", name=world.person_name(line.covers))
    if line.given_by:
        return _("Handed to you by {name}.", name=world.person_name(line.given_by))
    return ""


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago an instant was: "just now", "12 min ago", "3 days ago"."""
    if now - at < timedelta(seconds=2):
        return _("just now")
    days = (now - at).days
    return _("{days} days ago", days=days) if days > 1 else _("{span} ago", span=span(at, now))


def leads_to(matter: Matter) -> str:
    """Return the address of the place where a matter is dealt with."""
    project = f"/p/{matter.project}"
    match matter.kind:
        case "concern":
            return f"{project}/answers#concerns"
        case "comment" | "ack" | "score":
            return f"{project}/answers"
        case "hold":
            return f"{project}#waiting"
        case "stopped":
            return f"{project}#shares"
        case "confirm":
            return f"{project}/do/confirm-plan"
        case "expires":
            return f"{project}/shares/{matter.share}"
        case "mail" | "joined":
            return f"/clients/{matter.client}#people"


def sentence(world: World, matter: Matter, now: datetime) -> str:
    """Return a matter as one sentence."""
    project = world.projects[matter.project]
    client = world.client_name(matter.client) if matter.client else ""
    who = world.person_name(matter.by, matter.client) if matter.by else ""
    thing = _thing(world, matter)
    match matter.kind:
        case "concern":
            return _("{who} of {client} raised a concern about {thing}.", who=who, client=client, thing=thing)
        case "comment" if matter.many > 1:
            return _(
                "{many} comments of {client} on {thing} have no answer.", many=matter.many, client=client, thing=thing
            )
        case "comment":
            return _("{who} of {client} commented on {thing}.", who=who, client=client, thing=thing)
        case "score":
            return _("{who} of {client} scored {thing}.", who=who, client=client, thing=thing)
        case "ack":
            return _("{who} of {client} acknowledged {thing}.", who=who, client=client, thing=thing)
        case "hold":
            return _held(world, matter, now)
        case "mail":
            return _("The last email to {who} of {client} was refused.", who=who, client=client)
        case "stopped":
            return _("The share with {client} is stopped: its page does not change.", client=client)
        case "confirm":
            assert matter.at is not None
            days = max(1, (now - matter.at).days)
            return _("The plan was last confirmed {days} days ago.", days=days)
        case "expires":
            assert matter.until is not None
            day = words.long_day(words.local(matter.until, project.time_zone).date())
            return _(
                "The agreement with {client} ends {within}, on {day}.",
                client=client,
                day=day,
                within=in_time(matter.until, now),
            )
        case "joined":
            return _joined(world, matter, who, client)


def _joined(world: World, matter: Matter, who: str, client: str) -> str:
    person = world.people.get(matter.by) if matter.by else None
    known = person.known_to(matter.client) if person is not None and matter.client else None
    if known is None or known.joined is not None:
        if known is not None and known.provider:
            return _("{who} joined {client} by its own sign-on, without an invitation.", who=who, client=client)
        return _("{who} of {client} signed in for the first time.", who=who, client=client)
    lead = world.person_name(known.invited_by, matter.client) if known.invited_by else ""
    return _("{lead} of {client} invited {who}.", lead=lead, client=client, who=who)


def _held(world: World, matter: Matter, now: datetime) -> str:
    assert matter.share is not None
    assert matter.until is not None
    project, held = world.projects[matter.project], world.held(matter.share).held.get(matter.about)
    what = record_held.what(held, project) if held else record_held.title(matter.about, project)
    client = world.client_name(matter.client) if matter.client else ""
    if matter.until <= now:
        return _("{what} waits for release to {client}; it goes out by itself now.", client=client, what=what)
    within = in_time(matter.until, now)
    return _(
        "{what} waits for release to {client}; it goes out by itself {within}.", what=what, client=client, within=within
    )


def _thing(world: World, matter: Matter) -> str:
    if not matter.about:
        return _("the whole page")
    kind, _dash, key = matter.about.partition("-")
    return (
        _("agreement {key}", key=key) if kind == "agreement" else title_of(world.projects[matter.project], matter.about)
    )


def day_in(value: str) -> date | None:
    """Return the day a form names, None where it names none that can be read."""
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
