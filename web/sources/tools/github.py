"""GitHub: the milestones of a repository.

After "REST API endpoints for milestones" (List milestones), "Using pagination in the REST API", "Best practices for
using the REST API" (conditional requests; rate limits and secondary rate limits) and "Validating webhook deliveries",
docs.github.com. GitHub keeps the day of a milestone as an instant, `due_on`, at the beginning of that day in UTC or
some hours later; its day in UTC is the one that was typed. It states no percentage.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

import httpx2

from domain.language import N_
from domain.language import gettext as _
from web.sources.tools import signing
from web.sources.tools.asking import Asker, within
from web.sources.tools.items import Gathered, Item, asked_for, day_at, pulled, read_cursor, text, unchanged
from web.sources.tools.pages import listed
from web.sources.tools.tool import Attached, Field, Progress, Pulled, Trouble


class GitHub:
    """Asks GitHub, or a GitHub Enterprise Server at https://HOST/api/v3."""

    name = "github"
    label = "GitHub"
    fields: Sequence[Field] = (
        Field(
            name="repository",
            label=N_("Repository"),
            hint=N_("Owner and name with a slash between, as in the address of its page: acme/harbour."),
        ),
    )
    scope = N_("A fine-grained token for this repository alone, with read access to issues.")
    secret_label = N_("Token")
    usual_address = "https://api.github.com"
    hooks = True

    async def look(self, attached: Attached, client: httpx2.AsyncClient) -> str:
        """Say how many milestones the repository has. Raises: Trouble."""
        found = await self.pull(attached, "", client)
        many = len(found.plan.milestones) if found.plan else 0
        return _("Repository {name}, milestones: {many}", name=self._repository(attached), many=many)

    async def pull(
        self, attached: Attached, cursor: str, client: httpx2.AsyncClient, progress: Progress | None = None
    ) -> Pulled:
        """Return the milestones, open and closed. Raises: Trouble."""
        repository = self._repository(attached)
        asked = (attached.address, repository)
        known = read_cursor(cursor, asked)
        asker = self._asker(attached, client)
        path = f"/repos/{quote(repository)}/milestones"
        params = {"state": "all", "sort": "due_on", "direction": "asc"}
        async with within(asker):
            got = await listed(asker, path, params, known.get("etags", ()), progress)
        day = day_at(got.at)
        if got.items is None:
            return unchanged(known, day.stated)
        gathered = Gathered(self.name, day.today)
        day.say(self.label, gathered.remarks)
        for item in got.items:
            self._belongs(asker, item, repository)
            _take(gathered, item)
        plan = gathered.plan(repository, data_date=day.stated)
        return pulled(plan, {"asked": asked_for(asked), "etags": got.etags})

    def is_signed(self, attached: Attached, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether the header X-Hub-Signature-256 is the signature of the body."""
        given = signing.header(headers, "x-hub-signature-256")
        return signing.by_hex(attached.hook_secret, body, given, before="sha256=")

    def greeting(self, _headers: Mapping[str, str], _body: bytes) -> Mapping[str, str]:
        """Return nothing: GitHub's ping is signed, and a hint as any other."""
        return {}

    def _repository(self, attached: Attached) -> str:
        repository = attached.values.get("repository", "").strip().strip("/")
        parts = repository.split("/")
        if len(parts) != 2 or not all(parts) or ".." in parts:
            told = _(
                "“{repository}” is no repository. Expected owner and name, such as acme/harbour.", repository=repository
            )
            raise Trouble(told, for_good=True)
        return repository

    def _asker(self, attached: Attached, client: httpx2.AsyncClient) -> Asker:
        headers = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
        if attached.secret:
            headers["authorization"] = f"Bearer {attached.secret}"
        return Asker(self, attached, client, headers)

    def _belongs(self, asker: Asker, item: Item, repository: str) -> None:
        """Do nothing where a milestone is of the repository, by its own address. Raises: Trouble."""
        address = text(item, "url")
        of = "/".join(address.split("/repos/", 1)[1].split("/")[:2]) if "/repos/" in address else ""
        if of and of.casefold() != repository.casefold():
            raise asker.another(repository, of)


def _take(gathered: Gathered, item: Item) -> None:
    if (begun := gathered.begin("", text(item, "id"), text(item, "title"))) is None:
        return
    source_id, title = begun
    closed = text(item, "state") == "closed"
    on = gathered.day_of(text(item, "closed_at"), title) if closed else None
    if closed and not text(item, "closed_at"):
        gathered.remarks.count(_("Closed without a day on which it was met"), title)
    gathered.add(
        source_id,
        title,
        forecast=gathered.day(text(item, "due_on"), title),
        actual=gathered.met(on, title),
    )
