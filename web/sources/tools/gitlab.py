"""GitLab: the milestones of a project or a group.

After "Project milestones API", "Group milestones API", "REST API" (pagination, by Link; the headers X-Total are left
out above 10,000 items), "Rate limits" (429 with Retry-After and RateLimit-Reset) and "Webhooks" (secret token
X-Gitlab-Token; signing token, by Standard Webhooks), docs.gitlab.com. GitLab keeps a day without a zone, `due_date`,
and does not say on which day a milestone was closed; it states no percentage.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

import httpx2

from domain.language import N_
from domain.language import gettext as _
from web.sources.tools import signing
from web.sources.tools.asking import Asker, within
from web.sources.tools.items import CLOSED, Gathered, Item, asked_for, day_at, pulled, read_cursor, text, unchanged
from web.sources.tools.pages import listed
from web.sources.tools.tool import Attached, Field, Progress, Pulled, Trouble


class GitLab:
    """Asks GitLab, at gitlab.com or an own one."""

    name = "gitlab"
    label = "GitLab"
    fields: Sequence[Field] = (
        Field(
            name="kind",
            label=N_("Milestones of"),
            choices=(("projects", N_("a project")), ("groups", N_("a group"))),
            default="projects",
        ),
        Field(
            name="path",
            label=N_("Path"),
            hint=N_("As in the address of its page, such as acme/harbour, or its number."),
        ),
        CLOSED,
    )
    scope = N_("A project or group access token with the role Reporter and the scope read_api.")
    secret_label = N_("Access token")
    usual_address = "https://gitlab.com"
    hooks = True

    async def look(self, attached: Attached, client: httpx2.AsyncClient) -> str:
        """Say how many milestones there are. Raises: Trouble."""
        found = await self.pull(attached, "", client)
        many = len(found.plan.milestones) if found.plan else 0
        return _("{name}, milestones: {many}", name=self._path(attached), many=many)

    async def pull(
        self, attached: Attached, cursor: str, client: httpx2.AsyncClient, progress: Progress | None = None
    ) -> Pulled:
        """Return the milestones, active and closed. Raises: Trouble."""
        kind, path, closed = attached.values.get("kind") or "projects", self._path(attached), _closed(attached)
        asked = (attached.address, kind, path, closed)
        known = read_cursor(cursor, asked)
        asker = Asker(self, attached, client, {"private-token": attached.secret} if attached.secret else {})
        of = "group_id" if kind == "groups" else "project_id"
        async with within(asker):
            where = f"/api/v4/{'groups' if kind == 'groups' else 'projects'}/{quote(path, safe='')}/milestones"
            got = await listed(asker, where, {}, known.get("etags", ()), progress)
        day = day_at(got.at)
        if got.items is None:
            return unchanged(known, day.stated)
        gathered = Gathered(self.name, day.today)
        day.say(self.label, gathered.remarks)
        project = str(known.get("project", ""))
        for item in got.items:
            number = text(item, of)
            project = project or number
            if number and number != project:
                raise asker.another(project, number)
            _take(gathered, item, closed)
        plan = gathered.plan(path, data_date=day.stated)
        return pulled(plan, {"asked": asked_for(asked), "etags": got.etags, "project": project})

    def is_signed(self, attached: Attached, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether a webhook has the signature of its signing token (whsec_…), or else its secret token."""
        if attached.hook_secret.startswith("whsec_"):
            return signing.by_standard(attached.hook_secret, headers, body)
        return signing.same(attached.hook_secret, signing.header(headers, "x-gitlab-token"))

    def greeting(self, _headers: Mapping[str, str], _body: bytes) -> Mapping[str, str]:
        """Return nothing: GitLab does not ask first."""
        return {}

    def _path(self, attached: Attached) -> str:
        path = attached.values.get("path", "").strip().strip("/")
        if not path:
            raise Trouble(_("The path is missing. Expected one such as acme/harbour, or a number."), for_good=True)
        return path


def _closed(attached: Attached) -> str:
    return "date" if attached.values.get("closed") == "date" else ""


def _take(gathered: Gathered, item: Item, closed: str) -> None:
    if (begun := gathered.begin("", text(item, "id"), text(item, "title"))) is None:
        return
    source_id, title = begun
    forecast = gathered.day(text(item, "due_date"), title)
    done = text(item, "state") == "closed"
    actual = gathered.closed(forecast, title, closed) if done else None
    gathered.add(source_id, title, forecast=forecast, actual=actual)
