"""Jira Cloud and Jira Data Center: the versions of a project, its epics, or the issues of any JQL.

After "The Jira Cloud platform REST API" (Project versions; Issue search: Search for issues using JQL enhanced search,
by nextPageToken; Server info), "Jira Data Center REST API reference" (search, by startAt; project/{key}/version;
serverInfo), "Basic auth for REST APIs" (email and API token; the header X-Seraph-LoginReason), "Using personal access
tokens", "Rate limiting" (429 with Retry-After) and "Webhooks" (X-Hub-Signature), developer.atlassian.com and
docs.atlassian.com. A due date is a day without a zone; an instant of resolution carries its offset. An issue is met
where its status is of the category done, on the day of its resolution; a version where it is released. Jira states how
much time was spent, which is no percentage of work done, so none is taken.

A pull of issues first asks which changed since the last one, in minutes before now so that no zone matters, and for
the ids that the JQL finds; where both are as before, nothing else is read. Once a day all is read all the same, for
what an administrator changes (a status that becomes of another category) is no change of an issue.
"""

import base64
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec

from domain.language import N_
from domain.language import gettext as _
from web.importers.plan import MAX_MILESTONES
from web.sources.tools import signing
from web.sources.tools.asking import Answer, Asker, within
from web.sources.tools.items import (
    Day,
    Gathered,
    Item,
    asked_for,
    day_at,
    found,
    instant,
    pulled,
    read_cursor,
    rows,
    text,
    unchanged,
)
from web.sources.tools.tool import Attached, Field, Progress, Pulled, Trouble

PER_PAGE = 100  # issues with their fields
IDS_PER_PAGE = 1000  # issues of which the id alone is asked
MARGIN = 2  # minutes by which a question for changes reaches back further
ANEW = timedelta(days=1)  # after which all is read, whatever is said to have changed
FIELDS = "summary,duedate,resolutiondate,status"
_ORDER = re.compile(r"\border\s+by\b", re.IGNORECASE)
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")


class Search(msgspec.Struct, frozen=True):
    """What a source of Jira asks for."""

    cloud: bool
    items: str  # versions, epics, jql
    project: str
    jql: str  # without an order

    @property
    def api(self) -> str:
        return "/rest/api/3" if self.cloud else "/rest/api/2"


class Jira:
    """Asks Jira."""

    name = "jira"
    label = "Jira"
    fields: Sequence[Field] = (
        Field(
            name="edition",
            label=N_("Edition"),
            choices=(("cloud", "Cloud"), ("data-center", "Data Center")),
            default="cloud",
        ),
        Field(name="email", label=N_("Email of the account (Cloud)"), needed=False),
        Field(
            name="items",
            label=N_("Milestones are"),
            choices=(("versions", N_("versions")), ("epics", N_("epics")), ("jql", N_("the issues of a JQL"))),
            default="versions",
        ),
        Field(name="project", label=N_("Key of the project"), hint=N_("Such as HARBOUR."), needed=False),
        Field(
            name="jql",
            label="JQL",
            hint=N_("Only where the issues of a JQL are milestones, such as project = HARBOUR AND labels = milestone."),
            needed=False,
        ),
    )
    scope = N_("An account that may browse this project and nothing else.")
    secret_label = N_("API token or personal access token")
    usual_address = ""
    hooks = True

    async def look(self, attached: Attached, client: httpx2.AsyncClient) -> str:
        """Say how many versions or issues there are. Raises: Trouble."""
        got = await self.pull(attached, "", client)
        many = len(got.plan.milestones) if got.plan else 0
        return _("{name}, milestones: {many}", name=got.plan.title if got.plan else "", many=many)

    async def pull(
        self, attached: Attached, cursor: str, client: httpx2.AsyncClient, progress: Progress | None = None
    ) -> Pulled:
        """Return the versions or issues. Raises: Trouble."""
        what = _asked(attached)
        whole = (attached.address, str(what.cloud), what.items, what.project, what.jql)
        known = read_cursor(cursor, whole)
        asker = self._asker(attached, client)
        async with within(asker):
            at, day = await _now(asker, what)
            project = await _project(asker, what, str(known.get("project", "")))
            kept = {"asked": asked_for(whole), "project": text(project, "id")}
            if what.items == "versions":
                return await self._versions(asker, what, day, kept | {"name": text(project, "name")}, progress)
            ids = await _ids(asker, what) if known else []
            if known and await _is_as_before(asker, what, known, at, ids):
                return unchanged(known, day.stated, at=_written(at))
            gathered = self._gathered(day)
            async for issue, total in _issues(asker, what, what.jql, FIELDS, PER_PAGE):
                _take_issue(gathered, issue)
                _tell(progress, gathered, total)
        plan = gathered.plan(text(project, "name") or what.jql, data_date=day.stated)
        return pulled(plan, {**kept, "at": _written(at), "read": _written(at), "ids": _hash(sorted(gathered.present))})

    async def _versions(
        self, asker: Asker, what: Search, day: Day, kept: dict[str, str], progress: Progress | None
    ) -> Pulled:
        gathered = self._gathered(day)
        start = 0
        while True:
            where = f"{what.api}/project/{quote(what.project, safe='')}/version"
            answer = await asker.get(where, {"startAt": str(start), "maxResults": str(PER_PAGE)})
            page = rows(answer.data, "values")
            if page is None:
                raise asker.unlike()
            before = len(gathered)
            for version in page:
                if text(version, "projectId") not in ("", kept["project"]):
                    raise asker.another(what.project, text(version, "projectId"))
                _take_version(gathered, version)
            start += len(page)
            _tell(progress, gathered, _number(found(answer.data, "total")))
            if found(answer.data, "isLast") is True or not page or _is_last(answer, start):
                break
            if len(gathered) == before:
                raise asker.repeated()
            if gathered.is_full:
                raise asker.endless()
        name = kept.pop("name")
        return pulled(gathered.plan(name, data_date=day.stated), kept)

    def is_signed(self, attached: Attached, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether the header X-Hub-Signature is the signature of the body (sha256=…)."""
        given = signing.header(headers, "x-hub-signature")
        return signing.by_hex(attached.hook_secret, body, given, before="sha256=")

    def greeting(self, _headers: Mapping[str, str], _body: bytes) -> Mapping[str, str]:
        """Return nothing: Jira does not ask first."""
        return {}

    def _gathered(self, day: Day) -> Gathered:
        gathered = Gathered(self.name, day.today)
        day.say(self.label, gathered.remarks)
        return gathered

    def _asker(self, attached: Attached, client: httpx2.AsyncClient) -> Asker:
        if attached.values.get("edition") == "data-center":
            return Asker(self, attached, client, {"authorization": f"Bearer {attached.secret}"})
        pair = f"{attached.values.get('email', '').strip()}:{attached.secret}".encode()
        return Asker(self, attached, client, {"authorization": f"Basic {base64.b64encode(pair).decode()}"})


def _asked(attached: Attached) -> Search:
    """Return what is asked for. Raises: Trouble where a field is missing."""
    values = {name: value.strip() for name, value in attached.values.items()}
    cloud = values.get("edition") != "data-center"
    items, project = values.get("items") or "versions", values.get("project", "")
    if cloud and not values.get("email"):
        raise Trouble(_("Jira Cloud asks for the email of the account that the API token is of."), for_good=True)
    if items != "jql" and not project:
        raise Trouble(_("The key of the project is missing. Expected one such as HARBOUR."), for_good=True)
    jql = unordered(values.get("jql", ""))
    if items == "epics":
        jql = f'project = "{_quoted(project)}" AND issuetype = Epic'
    if items == "jql" and not jql:
        raise Trouble(_("The JQL is missing. Expected one such as project = HARBOUR."), for_good=True)
    return Search(cloud, items, project if items != "jql" else "", jql if items != "versions" else "")


def unordered(jql: str) -> str:
    """Return a JQL without the order at its end: the order of pages is ours. What is quoted is left alone."""
    blanked = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), jql)
    at = _ORDER.search(blanked)
    return (jql[: at.start()] if at else jql).strip()


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


async def _now(asker: Asker, what: Search) -> tuple[datetime | None, Day]:
    """Return the instant and the day of the tool, in the zone of its server."""
    answer = await _get(asker, f"{what.api}/serverInfo", {})
    at = instant(text(answer.data, "serverTime")) or answer.at
    return at, day_at(at)


async def _project(asker: Asker, what: Search, before: str) -> Item:
    """Return the project that is asked for, {} where a JQL is. Raises: Trouble where it is another than before."""
    if not what.project:
        return {}
    answer = await _get(asker, f"{what.api}/project/{quote(what.project, safe='')}", {})
    number = text(answer.data, "id")
    if not number:
        raise asker.unlike()
    if before and number != before:
        raise asker.another(before, number)
    return answer.data if isinstance(answer.data, dict) else {}


async def _get(asker: Asker, path: str, params: dict[str, str]) -> Answer:
    """Return an answer that is given to the account: Jira answers a wrong secret as it does to anybody, at times.

    Raises: Trouble.
    """
    answer = await asker.get(path, params)
    reason = answer.headers.get("x-seraph-loginreason", "").upper()
    if "FAILED" in reason or "DENIED" in reason:
        raise asker.not_accepted()
    return answer


async def _issues(asker: Asker, what: Search, jql: str, fields: str, per_page: int) -> AsyncIterator[tuple[Item, int]]:
    """Yield each issue of a JQL, with how many there are (0: not known). Raises: Trouble."""
    path = f"{what.api}/search/jql" if what.cloud else f"{what.api}/search"
    params = {"jql": f"({jql}) ORDER BY key ASC", "maxResults": str(per_page), "fields": fields}
    seen: set[str] = set()
    tokens: set[str] = set()
    start = 0
    while True:
        answer = await _get(asker, path, params)
        page = rows(answer.data, "issues")
        if page is None:
            raise asker.unlike()
        ids = {text(issue, "id") for issue in page} - {""}
        if ids and ids <= seen:
            raise asker.repeated()
        seen |= ids
        if len(seen) > MAX_MILESTONES:
            raise asker.endless()
        total = _number(found(answer.data, "total"))
        for issue in page:
            yield issue, total
        start += len(page)
        if what.cloud:
            token = text(answer.data, "nextPageToken")
            if not token or found(answer.data, "isLast") is True:
                return
            if token in tokens:
                raise asker.repeated()
            tokens.add(token)
            params["nextPageToken"] = token
        elif not page or _is_last(answer, start):
            return
        else:
            params["startAt"] = str(start)


def _is_last(answer: Answer, start: int) -> bool:
    """Tell whether a list that says how many there are is at its end; one that does not say goes on."""
    total = found(answer.data, "total")
    return isinstance(total, int) and start >= total


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


async def _ids(asker: Asker, what: Search) -> list[str]:
    """Return the ids that the JQL finds, which tell of issues that came or went."""
    return [text(issue, "id") async for issue, _total in _issues(asker, what, what.jql, "id", IDS_PER_PAGE)]


async def _is_as_before(
    asker: Asker, what: Search, known: Mapping[str, Any], at: datetime | None, ids: list[str]
) -> bool:
    """Tell whether no issue came, went or changed since a cursor that is younger than a day."""
    then, read = instant(str(known.get("at", ""))), instant(str(known.get("read", "")))
    if at is None or then is None or read is None or at - read > ANEW or at < then:
        return False
    if _hash(sorted({f"jira:issue:{key}" for key in ids if key})) != known.get("ids"):
        return False
    minutes = int((at - then).total_seconds() // 60) + MARGIN
    async for _issue in _issues(asker, what, f"({what.jql}) AND updated >= -{minutes}m", "id", 1):
        return False
    return True


def _hash(ids: list[str]) -> str:
    return asked_for(ids)


def _written(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()


def _tell(progress: Progress | None, gathered: Gathered, total: int) -> None:
    if progress and len(gathered) % PER_PAGE == 0:
        progress(len(gathered), total)


def _take_version(gathered: Gathered, version: Item) -> None:
    if (begun := gathered.begin("version", text(version, "id"), text(version, "name"))) is None:
        return
    source_id, title = begun
    released = version.get("released") is True
    if version.get("archived") is True and not released:
        gathered.remarks.count(_("Archived versions that were not released, left out"), title)
        return
    day = gathered.day(text(version, "releaseDate"), title)
    if released and day is None:
        gathered.remarks.count(_("Released without a day on which it was"), title)
    gathered.add(source_id, title, forecast=day, actual=gathered.met(day, title) if released else None)


def _take_issue(gathered: Gathered, issue: Item) -> None:
    if (begun := gathered.begin("issue", text(issue, "id"), text(issue, "fields", "summary"))) is None:
        return
    source_id, title = begun
    done = text(issue, "fields", "status", "statusCategory", "key") == "done"
    resolved = text(issue, "fields", "resolutiondate")
    if done and not resolved:
        gathered.remarks.count(_("Closed without a day on which it was met"), title)
    if resolved and not done:
        gathered.remarks.count(_("Resolved, and of a status that is not done, so not taken as met"), title)
    gathered.add(
        source_id,
        title,
        outline=text(issue, "key"),
        forecast=gathered.day(text(issue, "fields", "duedate"), title),
        actual=gathered.met(gathered.day_of(resolved, title), title) if done else None,
    )
