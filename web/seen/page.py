"""What they saw: one instant of a share, the plan beside the screen, who had it in front of them, and the proof.

Rule: the screen's side is read from the record; every question is recorded before it is answered.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TypedDict, get_args
from zoneinfo import ZoneInfo

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.agreement.answers import Acknowledgement
from domain.agreement.share import Share
from domain.headline import counted
from domain.ids import PersonId, ShareId
from domain.language import N_, in_english
from domain.language import gettext as _
from domain.plan.project import Project
from projections.entries import parts
from projections.entries.entry import open_header
from projections.entries.parts import instant
from projections.proof import tree
from projections.replay import pages
from projections.wording import words
from projections.wording.instants import Clock
from projections.wording.phrases import grouped
from web.door.guard import AUDIT, STAFF, Signed, door, not_found
from web.evidence import download
from web.evidence.download import SignedUpTo
from web.process import presence
from web.process.services import Services
from web.record import lanes, on_screen
from web.record.instant import Then, then
from web.record.lanes import Change, Lanes, Span, Stretch
from web.record.on_screen import Audience
from web.seen import sentences, sheets
from web.seen.brought import brought
from web.seen.compare import Difference, differences, figures
from web.seen.printed import printed
from web.seen.sentences import Later, PlanAndScreen, Sentence, Why
from web.seen.sheets import Sheet, Side, Spread
from web.staff.consulted import consulted
from web.staff.frame import StaffPage, shell

LOOK = 400  # changes looked through for the next difference
GRACE = timedelta(minutes=2)  # in which pages turn to the next update, and say so
AT_ONCE = timedelta(seconds=2)  # a change told within this is no difference to step to
EXPECTED = N_("Expected a time like 2027-03-11T09:31:07Z, an update like u397, or now.")


class NoSuchMoment(Exception):
    """What was asked is no moment of this share; its text says what would be one."""


class AskedMoment(msgspec.Struct, frozen=True, kw_only=True):
    """A share at an instant, and the stretch of time to draw around it."""

    share: Share
    project: Project
    at: datetime  # UTC
    over: Stretch
    here: str  # the address of the share's pages
    addressed: str  # the moment as the address has it


class Flag(msgspec.Struct, frozen=True):
    """The flag over the instant on the lanes: where it stands in percent, and how it is moved to stay inside."""

    x: str
    shift: str
    middle: str
    text: str


class Sheets(TypedDict):
    """Both sheets, None for a side on which there is nothing, and how they are laid out."""

    plan: Sheet | None
    shown: Sheet | None
    laid: Spread


class Proof(TypedDict):
    """What proves the update; nothing before the first one."""

    leaf: Sequence[str]
    holds: bool
    standing: SignedUpTo | None
    terms: int


class SeenBody(StaffPage, frozen=True, kw_only=True):
    """What they saw at one instant, as the page fetches it while somebody steps or plays."""

    template = "pm/seen_body.html"
    here: str
    addressed: str
    t: Then
    project: Project
    share: Share
    client: str
    clock: Clock
    sentence: Sentence
    # the lanes
    lanes: Lanes
    flag: Flag
    spans: Sequence[str]
    precise: str  # the instant for addresses, to the microsecond
    typed: datetime  # the instant as the form has it: in the project's zone, rounded up to the second
    iso: Callable[[datetime], str]
    # the sheets, and why they differ
    plan: Sheet | None
    shown: Sheet | None
    laid: Spread
    why: Sequence[Why]
    # who had it on screen
    audience: Audience | None
    taken: Sequence[tuple[str, Acknowledgement]]  # acknowledged by then: what, and by whom
    access: int  # people who may watch now
    name: Callable[[str], str]  # of a person
    spent: Callable[[float], str]  # a length of time in words
    exactly: Callable[[datetime], str]  # an instant to a tenth of a second
    # the proof
    leaf: Sequence[str]  # groups of four hex digits
    holds: bool  # whether the stored bytes give the hash
    standing: SignedUpTo | None
    terms: int  # the agreement the update was recorded under


class SeenPage(SeenBody, frozen=True, kw_only=True):
    """The same as a whole page."""

    template = "pm/seen.html"


def instant_of(services: Services, share: Share, text: str, zone: str) -> datetime:
    """Return the instant (UTC) an address names: a time, in `zone` where it has none itself, or an update.

    Raises: NoSuchMoment.
    """
    if text[:1] == "u" and text[1:].isdecimal() and text.isascii():
        at = services.logs.disclosure.recorded_at(share.id, int(text[1:])) if len(text) < 11 else None
        if at is None:
            head = services.logs.disclosure.head(share.id)
            raise NoSuchMoment(
                _("There is no update {rest}; this share has the updates 1 to {head}.", rest=text[1:], head=head)
                if head
                else _("This share has no update yet.")
            )
        return at
    try:
        written = datetime.fromisoformat(text) if "T" in text or " " in text else None
        if written is not None:
            return (written if written.tzinfo else written.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise NoSuchMoment(_("{text!r} is no moment. {expected}", text=text[:60], expected=EXPECTED))


async def go(request: Request, signed: Signed) -> Response:
    """`GET …/at?on=2027-03-11&time=09:31:07`: to that moment, or to now."""
    services: Services = request.app.state.services
    share, project = _named(services, request)
    if share is None or project is None or signed is None:
        return not_found()
    day, hour = request.query_params.get("on", ""), request.query_params.get("time", "")
    if not day:
        return RedirectResponse(f"{_here(request)}/at/now", 303)
    try:
        local = datetime.combine(date.fromisoformat(day), time.fromisoformat(hour or "12:00"))
        at = local.replace(tzinfo=ZoneInfo(project.time_zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        at = None
    if at is None or _stretch({}, at, project.time_zone, services.now()) is None:
        return PlainTextResponse(_("Write the day as 2027-03-11 and the time as 09:31 or 09:31:07.\n"), 400)
    return RedirectResponse(f"{_here(request)}/at/{instant(at)}", 303)


async def seen(request: Request, signed: Signed) -> Response:
    """`GET …/at/{moment}?span=day|week|month&from=2027-03-08[&find=difference]`: what they saw then."""
    services: Services = request.app.state.services
    share, project = _named(services, request)
    if share is None or project is None:
        return not_found()
    text, now = request.path_params["moment"], services.now()
    if text == "now":
        return RedirectResponse(f"{_here(request)}/at/{instant(now)}", 303)
    try:
        at = await run_in_threadpool(instant_of, services, share, text, project.time_zone)
    except NoSuchMoment as problem:
        return PlainTextResponse(f"{problem}\n", 404)
    if at > now + timedelta(seconds=1):
        return RedirectResponse(f"{_here(request)}/at/now", 303)
    if request.query_params.get("find") == "difference":
        return await _to_difference(services, request, share, at)
    over = _stretch(request.query_params, at, project.time_zone, now)
    if over is None:
        return not_found()
    asked = AskedMoment(share=share, project=project, at=at, over=over, here=_here(request), addressed=text)
    kind = SeenBody if request.headers.get("hx-request") == "true" else SeenPage
    return services.pages.answer(request, await run_in_threadpool(_page, services, signed, asked, kind))


def _named(services: Services, request: Request) -> tuple[Share | None, Project | None]:
    """Return the share an address names and its project; None for both where the address names another project."""
    world = services.present.refresh()
    share = world.shares.get(ShareId(request.path_params["share"]))
    named = request.path_params.get("project", share.project if share else "")
    return (share, world.projects.get(share.project)) if share and share.project == named else (None, None)


def _here(request: Request) -> str:
    """Return the address of a share's pages, for staff or for auditors as the request has it."""
    share, project = request.path_params["share"], request.path_params.get("project")
    return f"/p/{project}/shares/{share}" if project else f"/audit/shares/{share}"


def _stretch(query: Mapping[str, str], at: datetime, zone: str, now: datetime) -> Stretch | None:
    """Return the stretch of time a query asks to draw around an instant, None when there is no such stretch."""
    span, begin = query.get("span", "week"), query.get("from", "")
    if span not in get_args(Span):
        return None
    try:
        return lanes.stretch(at, zone, span, now, date.fromisoformat(begin) if begin else None)  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return None


async def _to_difference(services: Services, request: Request, share: Share, at: datetime) -> Response:
    """Go to the next moment at which the plan came to say what the page did not say at once."""
    log = services.logs.disclosure

    def told(change: Change) -> bool:
        before = pages.number_at(log, share.id, change.at - timedelta(microseconds=1))
        return change.at_once and not change.held and pages.number_at(log, share.id, change.at + AT_ONCE) > before

    difference = await run_in_threadpool(lanes.next_difference, services, share, at, LOOK, told)
    kept = "&".join(f"{name}={value}" for name, value in request.query_params.items() if name == "span")
    moment = _precise(difference) if difference else "now"
    return RedirectResponse(f"{_here(request)}/at/{moment}{'?' + kept if kept else ''}", 303)


def _precise(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _page(services: Services, signed: Signed, asked: AskedMoment, kind: type[SeenBody]) -> SeenBody:
    """Return what they saw at an instant, once the question is recorded."""
    share, project, at = asked.share, asked.project, asked.at
    consulted(services, signed, share.id, in_english("what they saw at {at}", at=instant(at)))
    services.receipts.flush()
    world, t = services.present.world, then(services, share, at)
    client, clock = world.client_name(share.client), Clock(project.time_zone)
    plan, shown = _plan_side(services, t), _shown_side(services, t)
    apart = differences(t.coarse, t.due, t.shown, t.state, t.out)
    apart = sheets.as_printed(apart, shown.printed) if shown else apart
    compared = PlanAndScreen(then=t, client=client, apart=apart, later=_later(services, t), clock=clock)
    audience = _audience(services, t)
    watched = audience is not None and audience.watched
    drawn = lanes.lanes(services, t, asked.over)
    return kind(
        **shell(services, signed),
        **_sheets(t, plan, shown, apart),
        **_proof(services, t),
        here=asked.here,
        addressed=asked.addressed,
        t=t,
        project=project,
        share=share,
        client=client,
        clock=clock,
        sentence=sentences.sentence(compared, watched=watched),
        lanes=drawn,
        flag=_flag(drawn, at),
        spans=get_args(Span),
        precise=_precise(at) if at.microsecond else instant(at),
        typed=words.local(at + timedelta(microseconds=-at.microsecond % 1_000_000), project.time_zone),
        iso=instant,
        why=sentences.why(compared, _hidden(t)) if t.shown or t.n == 0 else [],
        audience=audience,
        taken=_taken(t),
        access=len(_who_may_watch(services, share)),
        name=world.names_for(share.client),
        spent=on_screen.spent,
        exactly=partial(_tenths, clock),
    )


def _later(services: Services, t: Then) -> Later:
    """Return how what had not been sent at an instant went on."""
    parked = presence.stopped(services, t.share.id)
    stopped = parked.error if parked else ""
    if t.next_at is None:
        return Later(stopped=stopped)
    view = pages.Views(services.logs.disclosure, t.share.id).at(t.n + 1)
    return Later(n=t.n + 1, at=t.next_at, figures=figures(view), stopped=stopped)


def _audience(services: Services, t: Then) -> Audience | None:
    """Return who had the update of an instant on screen, None before the first update."""
    if not t.n or t.since is None:
        return None
    until = min(t.until + GRACE, services.now()) if t.until else services.now()
    people = _who_may_watch(services, t.share)
    return on_screen.viewers_at(services.logs.receipts, t.share.id, t.n, (t.since, until), t.at, people)


def _who_may_watch(services: Services, share: Share) -> list[PersonId]:
    """Return who may watch a share now."""
    return [person.id for person in services.present.world.viewers_of(share.client)]


def _taken(t: Then) -> list[tuple[str, Acknowledgement]]:
    """Return what somebody of the client had acknowledged by then, with this update on screen."""
    rows = {f"milestone-{row.id}": row.title for row in t.shown.milestones} if t.shown else {}
    cards = {f"risk-{card.id}": card.ref or card.title for card in t.shown.risks} if t.shown else {}
    titles = (
        rows | cards | {f"agreement-{v.number}": _("Agreement {number}", number=v.number) for v in t.share.versions}
    )
    taken = [note for note in t.share.answers.taken if note.screen.n == t.n and note.at <= t.at]
    return [(titles.get(note.subject, note.subject), note) for note in taken]


def _hidden(t: Then) -> list[tuple[str, int]]:
    """Return how many milestones and risks have no name for clients, so that no terms can cover them."""
    if t.state is None:
        return []
    milestones = sum(not m.details.client_title for m in t.state.schedule.milestones.values())
    return [("milestone", milestones), ("risk", sum(not r.details.client_title for r in t.state.risks.risks.values()))]


def _plan_side(services: Services, t: Then) -> Side | None:
    """Return the plan as a page of all that is in it would print it; None before the project began."""
    if t.plan is None:
        return None
    rendered = services.renderer.render(t.plan)
    return Side(t.plan, printed(parts.markup(rendered.parts, root) for root in rendered.roots))


def _shown_side(services: Services, t: Then) -> Side | None:
    """Return what was shown as the recorded page prints it; None where there is no page to read."""
    if t.shown is None:
        return None
    page = pages.page(services.logs.disclosure, t.share.id, t.n)
    return Side(t.shown, printed(page.roots.values() if page else ()))


def _sheets(t: Then, plan: Side | None, shown: Side | None, apart: list[Difference]) -> Sheets:
    marked = {difference.key for difference in apart}
    view = t.shown or t.plan
    today = words.local(t.at, view.time_zone if view else "UTC").date()
    laid = sheets.spread(t.plan, t.shown, t.due, apart, today)
    clock = Clock(view.time_zone if view else "UTC")
    under = (*brought(t.state, laid.ids, clock), *_not_shared(t))
    return {
        "plan": sheets.sheet(plan, shown, laid, marked if shown else (), under) if plan else None,
        "shown": sheets.sheet(shown, plan, laid, marked, _notes(shown, t.n)) if shown else None,
        "laid": laid,
    }


def _notes(shown: Side, n: int) -> tuple[tuple[str, str], ...]:
    """Return what stands under the sheet of their page: which risks it lists without scores, and its footer."""
    footer = _("Update {n}, share agreement {terms_version}", n=n, terms_version=shown.view.terms_version)
    listed = shown.printed.risks if "v-risk" not in shown.printed.vitals else ()
    risks = ((_("Shared risks"), ", ".join(listed)),) if listed else ()
    return (*risks, (_("Footer"), footer))


def _and_more(kind: str, names: Sequence[str]) -> str:
    """Return the first name, and how many more milestones or risks there are."""
    more = len(names) - 1
    if not more:
        return names[0]
    if kind == "milestone":
        return counted("{names} and one more milestone", "{names} and {many} more milestones", more, names=names[0])
    return counted("{names} and one more risk", "{names} and {many} more risks", more, names=names[0])


def _not_shared(t: Then) -> tuple[tuple[str, str], ...]:
    """Return what of the plan is not on their page at all, as it is written under it."""
    if t.plan is None or t.agreed is None or t.due is None:
        return ()
    rows, cards = {row.id for row in t.due.milestones}, {card.id for card in t.due.risks}
    milestones = [row.title for row in t.plan.milestones if row.id not in rows]
    risks = [card.ref or card.title for card in t.plan.risks if card.id not in cards and card.status == "active"]
    outside = _("not shared under agreement {version}", version=t.agreed.version)
    named = [
        (
            _and_more(kind, names),
            outside,
        )
        for kind, names in (("milestone", milestones), ("risk", risks))
        if names
    ]
    if t.plan.budget and t.due.budget is None:
        named.append((_("Budget"), outside))
    return tuple(named)


def _flag(drawn: Lanes, at: datetime) -> Flag:
    x = drawn.stretch.x(at)
    shift = "-33" if 5 < float(x) < 95 else "-6" if float(x) <= 5 else "-60"
    there = words.local(at, drawn.stretch.zone)
    return Flag(x=x, shift=shift, middle=str(int(shift) + 33), text=f"{there:%H:%M:%S}")


def _tenths(clock: Clock, at: datetime) -> str:
    """Return "Wed 10 Mar 2027, 09:20:04.4"."""
    there = words.local(at, clock.zone)
    return f"{words.weekday(there)} {words.day_year(there.date())}, {there:%H:%M:%S}.{there.microsecond // 100_000}"


def _proof(services: Services, t: Then) -> Proof:
    kept = t.update
    if kept is None:
        return {"leaf": [], "holds": False, "standing": None, "terms": 0}
    whole = kept.raw is None or kept.salt is None or tree.commit(kept.salt, kept.raw) == kept.commitment
    holds = kept.state != "damaged" and whole and tree.leaf_hash(kept.header, kept.commitment) == kept.leaf
    return {
        "leaf": grouped(kept.leaf.hex()),
        "holds": holds,
        "standing": download.standing(services, t.share.id),
        "terms": open_header(kept.header).terms_version,
    }


def routes() -> list[BaseRoute]:
    """Return the routes of what they saw, for managers and for auditors."""
    staff, audit = "/p/{project}/shares/{share}", "/audit/shares/{share}"
    return [
        door(f"{staff}/at", go, allow=STAFF),
        door(f"{staff}/at/{{moment}}", seen, allow=STAFF),
        door(f"{audit}/at", go, allow=AUDIT),
        door(f"{audit}/at/{{moment}}", seen, allow=AUDIT),
    ]
