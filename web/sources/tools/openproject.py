"""OpenProject: the milestones and versions of a project, also as they were at an instant of the past.

After "OpenProject API v3" (Basic auth with the user apikey; Collections, by offset and pageSize; Filters; Work
packages; Versions; Types; My preferences) and "Baseline comparisons" (the parameter timestamps, and
_embedded/attributesByTimestamp with _meta), openproject.org, in its repository under docs/api; its webhooks carry
X-OP-Signature (sha1=…). A milestone has one day, `date`, without a zone; OpenProject does not say on which day it was
closed. It states a percentage, `percentageDone`. What lies further back than a day is part of its paid editions, and
refused by others in words that are told on.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec

from domain.language import N_
from domain.language import gettext as _
from web.importers.plan import MAX_MILESTONES, Plan
from web.sources.tools import signing
from web.sources.tools.asking import Asker, within
from web.sources.tools.items import (
    CLOSED,
    Day,
    Gathered,
    Item,
    asked_for,
    day_at,
    found,
    pulled,
    read_cursor,
    rows,
    text,
    unchanged,
    zone_of,
)
from web.sources.tools.tool import Attached, Field, Progress, Pulled, Trouble

PER_PAGE = 200  # work packages; a server may give fewer
AT_ONCE = 10  # instants of the past in one question
NOW = "PT0S"  # the present, as a duration before it


class Chosen(msgspec.Struct, frozen=True):
    """What a source of OpenProject asks for."""

    project: str  # number or identifier
    items: str  # milestones, versions, both
    baseline: date | None
    closed: str

    def has(self, kind: str) -> bool:
        return self.items in (kind, "both")


class _Known(msgspec.Struct, frozen=True):
    """What is read once in a pull."""

    number: str
    name: str
    day: Day
    types: tuple[str, ...]  # ids of those that are milestones
    closed: frozenset[str]  # addresses of statuses that close


class OpenProject:
    """Asks OpenProject."""

    name = "openproject"
    label = "OpenProject"
    fields: Sequence[Field] = (
        Field(
            name="project",
            label=N_("Project"),
            hint=N_("Its identifier, as in the address of its page, or its number."),
        ),
        Field(
            name="items",
            label=N_("Milestones are"),
            choices=(
                ("milestones", N_("work packages of a milestone type")),
                ("versions", N_("versions")),
                ("both", N_("both")),
            ),
            default="milestones",
        ),
        Field(
            name="baseline",
            label=N_("Agreed dates are those of"),
            hint=N_("A day as YYYY-MM-DD: the dates that milestones had on it there. Empty: none are taken."),
            needed=False,
        ),
        CLOSED,
    )
    scope = N_("The API key of a user who may view work packages of this project and nothing else.")
    secret_label = N_("API key")
    usual_address = ""
    hooks = True

    async def look(self, attached: Attached, client: httpx2.AsyncClient) -> str:
        """Say how many milestones there are. Raises: Trouble."""
        got = await self.pull(attached, "", client)
        many = len(got.plan.milestones) if got.plan else 0
        return _("{name}, milestones: {many}", name=got.plan.title if got.plan else "", many=many)

    async def pull(
        self, attached: Attached, cursor: str, client: httpx2.AsyncClient, progress: Progress | None = None
    ) -> Pulled:
        """Return the milestones as they are. Raises: Trouble."""
        wanted = _wanted(attached)
        whole = (attached.address, wanted.project, wanted.items, str(wanted.baseline), wanted.closed)
        known = read_cursor(cursor, whole)
        asker = self._asker(attached, client)
        async with within(asker):
            read = await self._known(asker, wanted, str(known.get("project", "")))
            versions = await _versions(asker, read) if wanted.has("versions") else []
            newest = await _newest(asker, read) if wanted.has("milestones") else ""
            state = asked_for([newest, msgspec.json.encode(versions).decode(), *read.types, *sorted(read.closed)])
            if known and known.get("state") == state:
                return unchanged(known, read.day.stated)
            gathered = Gathered(self.name, read.day.today)
            read.day.say(self.label, gathered.remarks)
            if wanted.has("milestones"):
                stamps = () if wanted.baseline is None else (_beginning(wanted.baseline),)
                for item in await _work_packages(asker, read, stamps, progress):
                    if _is_there(item):
                        _take_package(gathered, item, wanted, read, baseline=_then(item, 0, "date") if stamps else None)
        for version in versions:
            _take_version(gathered, version, wanted)
        plan = gathered.plan(read.name, data_date=read.day.stated)
        return pulled(plan, {"asked": asked_for(whole), "project": read.number, "state": state})

    async def pull_past(
        self, attached: Attached, instants: Sequence[datetime], client: httpx2.AsyncClient
    ) -> Sequence[tuple[datetime, Plan]]:
        """Return the milestones as they were at each instant; versions have no past there. Raises: Trouble."""
        wanted = _wanted(attached)
        asker = self._asker(attached, client)
        plans: list[tuple[datetime, Plan]] = []
        async with within(asker):
            read = await self._known(asker, wanted, "")
            for begin in range(0, len(instants), AT_ONCE):
                some = [at.astimezone(UTC) for at in instants[begin : begin + AT_ONCE]]
                items = await _work_packages(asker, read, [_stamp(at) for at in some], None)
                plans += [(at, _plan_then(self.name, items, i, (wanted, read), at)) for i, at in enumerate(some)]
        return plans

    def is_signed(self, attached: Attached, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether the header X-OP-Signature is the signature of the body (sha1=…)."""
        given = signing.header(headers, "x-op-signature")
        return signing.by_hex(attached.hook_secret, body, given, kind="sha1", before="sha1=")

    def greeting(self, _headers: Mapping[str, str], _body: bytes) -> Mapping[str, str]:
        """Return nothing: OpenProject does not ask first."""
        return {}

    def _asker(self, attached: Attached, client: httpx2.AsyncClient) -> Asker:
        pair = base64.b64encode(f"apikey:{attached.secret}".encode()).decode()
        return Asker(self, attached, client, {"authorization": f"Basic {pair}", "accept": "application/hal+json"})

    async def _known(self, asker: Asker, wanted: Chosen, before: str) -> _Known:
        """Return the project, and which types and statuses it has. Raises: Trouble."""
        answer = await asker.get(f"/api/v3/projects/{quote(wanted.project, safe='')}")
        number = text(answer.data, "id")
        if not number:
            raise asker.unlike()
        if before and number != before:
            raise asker.another(before, number)
        preferences = await asker.get("/api/v3/my_preferences", optional=True)
        day = day_at(answer.at, zone_of(text(preferences.data, "timeZone")))
        types: tuple[str, ...] = ()
        closed: frozenset[str] = frozenset()
        if wanted.has("milestones"):
            kinds = rows((await asker.get(f"/api/v3/projects/{number}/types")).data, "_embedded", "elements")
            statuses = rows((await asker.get("/api/v3/statuses")).data, "_embedded", "elements")
            if kinds is None or statuses is None:
                raise asker.unlike()
            types = tuple(text(kind, "id") for kind in kinds if kind.get("isMilestone") is True)
            closed = frozenset(text(one, "_links", "self", "href") for one in statuses if one.get("isClosed") is True)
            if not types:
                told = _(
                    "This project has no type of work packages that is a milestone. Switch one on in its settings."
                )
                raise Trouble(told, for_good=True)
        return _Known(number, text(answer.data, "name"), day, types, closed)


def _wanted(attached: Attached) -> Chosen:
    """Return what is asked for. Raises: Trouble where a field is missing or is not understood."""
    values = {name: value.strip() for name, value in attached.values.items()}
    if not values.get("project"):
        raise Trouble(_("The project is missing. Expected its identifier, such as harbour."), for_good=True)
    items = values.get("items") or "milestones"
    try:
        baseline = date.fromisoformat(values["baseline"]) if values.get("baseline") else None
    except ValueError:
        told = _("“{day}” is no day. Expected one such as 2027-01-31.", day=values["baseline"][:40])
        raise Trouble(told, for_good=True) from None
    return Chosen(values["project"], items, baseline, "date" if values.get("closed") == "date" else "")


async def _versions(asker: Asker, read: _Known) -> list[Item]:
    """Return the versions of the project: OpenProject gives all of them at once."""
    found_versions = rows((await asker.get(f"/api/v3/projects/{read.number}/versions")).data, "_embedded", "elements")
    if found_versions is None:
        raise asker.unlike()
    if len(found_versions) > MAX_MILESTONES:
        raise asker.endless()
    return found_versions


def _filters(read: _Known) -> str:
    chosen = [{"type": {"operator": "=", "values": list(read.types)}}]
    return msgspec.json.encode(chosen).decode()


async def _newest(asker: Asker, read: _Known) -> str:
    """Return what changes with every change of a milestone: how many there are, and when one changed last."""
    answer = await asker.get(
        f"/api/v3/projects/{read.number}/work_packages",
        {"filters": _filters(read), "sortBy": '[["updatedAt","desc"]]', "offset": "1", "pageSize": "1"},
    )
    page = rows(answer.data, "_embedded", "elements")
    if page is None:
        raise asker.unlike()
    return f"{text(answer.data, 'total')} {text(page[0], 'updatedAt') if page else ''}"


async def _work_packages(asker: Asker, read: _Known, stamps: Sequence[str], progress: Progress | None) -> list[Item]:
    """Return the milestones, with what they were at `stamps`. Raises: Trouble."""
    params = {"filters": _filters(read), "sortBy": '[["id","asc"]]', "pageSize": str(PER_PAGE)}
    if stamps:
        params["timestamps"] = ",".join([*stamps, NOW])
    items: list[Item] = []
    seen: set[str] = set()
    for page_number in range(1, 1 + MAX_MILESTONES):
        params["offset"] = str(page_number)
        answer = await asker.get(f"/api/v3/projects/{read.number}/work_packages", params)
        page = rows(answer.data, "_embedded", "elements")
        if page is None:
            raise asker.unlike()
        ids = {text(item, "id") for item in page} - {""}
        if ids and ids <= seen:
            raise asker.repeated()
        seen |= ids
        for item in page:
            if _is_there(item):
                _belongs(asker, item, read)
        items += page
        total = found(answer.data, "total")
        if progress:
            progress(len(items), total if isinstance(total, int) else 0)
        if len(items) > MAX_MILESTONES:
            raise asker.endless()
        if not page or (isinstance(total, int) and len(items) >= total):
            break
    return items


def _belongs(asker: Asker, item: Item, read: _Known) -> None:
    """Do nothing where a work package is of the project. Raises: Trouble."""
    of = text(item, "_links", "project", "href").rpartition("/")[2]
    if of and of != read.number:
        raise asker.another(read.number, of)


def _then(item: Item, at: int, name: str) -> Any:
    """Return an attribute as it was at one of the instants asked for, None where the item was not there.

    What differs from the present is said, and what does not is not.
    """
    stamped = found(item, "_embedded", "attributesByTimestamp")
    entry = stamped[at] if isinstance(stamped, list) and at < len(stamped) else None
    if not isinstance(entry, dict) or not _was_there(entry):
        return None
    return entry[name] if name in entry else item.get(name)


def _is_there(item: Item) -> bool:
    """Tell whether a work package is among the milestones now: one that was at an instant asked for is given too."""
    stamped = found(item, "_embedded", "attributesByTimestamp")
    return not isinstance(stamped, list) or not stamped or _was_there(stamped[-1])


def _was_there(entry: Item) -> bool:
    return found(entry, "_meta", "exists") is not False and found(entry, "_meta", "matchesFilters") is not False


def _beginning(day: date) -> str:
    """Return the end of a day in UTC, whose state is that of the day."""
    return _stamp(datetime.combine(day, time(23, 59, 59), UTC))


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _plan_then(tool: str, items: Sequence[Item], at: int, read: tuple[Chosen, _Known], then: datetime) -> Plan:
    """Return the plan as it was at one of the instants asked for."""
    wanted, known = read
    gathered = Gathered(tool, min(known.day.today, then.date()))
    for item in items:
        stamped = found(item, "_embedded", "attributesByTimestamp")
        entry = stamped[at] if isinstance(stamped, list) and at < len(stamped) else None
        if not isinstance(entry, dict) or not _was_there(entry):
            continue
        links = {**(item.get("_links") or {}), **(entry.get("_links") or {})}
        _take_package(gathered, {**item, **entry, "id": item.get("id"), "_links": links}, wanted, known)
    return gathered.plan(known.name, data_date=then.date())


def _take_package(gathered: Gathered, item: Item, wanted: Chosen, read: _Known, baseline: Any = None) -> None:
    if (begun := gathered.begin("", text(item, "id"), text(item, "subject"))) is None:
        return
    source_id, title = begun
    forecast = gathered.day(text(item, "date"), title)
    done = text(item, "_links", "status", "href") in read.closed
    actual = gathered.closed(forecast, title, wanted.closed) if done else None
    percent = gathered.percent(item.get("percentageDone"), title)
    gathered.add(
        source_id,
        title,
        baseline=gathered.day(baseline, title) if isinstance(baseline, str) else None,
        forecast=forecast,
        actual=actual,
        percent_complete=None if actual is not None and percent != 100 else percent,
    )


def _take_version(gathered: Gathered, version: Item, wanted: Chosen) -> None:
    if (begun := gathered.begin("version", text(version, "id"), text(version, "name"))) is None:
        return
    source_id, title = begun
    forecast = gathered.day(text(version, "endDate"), title)
    done = text(version, "status") == "closed"
    gathered.add(
        source_id, title, forecast=forecast, actual=gathered.closed(forecast, title, wanted.closed) if done else None
    )
