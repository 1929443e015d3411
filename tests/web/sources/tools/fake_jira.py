"""A server that answers as Jira Cloud or Jira Data Center does for versions and issues.

After "The Jira Cloud platform REST API" (Server info; Projects; Project versions, by startAt; Search for issues using
JQL enhanced search: nextPageToken and isLast, no total, bounded JQL alone; 401 and 404), the issue JRACLOUD-92184 (no
nextPageToken on the last page), "Jira Data Center REST API reference" (search: startAt, maxResults, total), "Rate
limiting" (429 with Retry-After) and "Basic auth for REST APIs" (a wrong secret may be answered as anybody is, with the
header X-Seraph-LoginReason).
"""

import re
from datetime import timedelta, timezone
from typing import Any

from tests.web.sources.tools.served import Asked, Fake, Reply, Row, basic

ZONE = timezone(timedelta(hours=2))  # of the server
SINCE = re.compile(r"\bAND updated >= -(\d+)m")


class FakeJira(Fake):
    name = "jira"
    cloud = True
    items = "versions"
    anonymous = False  # whether a wrong secret is answered as anybody is
    project_id = "10000"

    def values(self) -> dict[str, str]:
        return {
            "edition": "cloud" if self.cloud else "data-center",
            "email": "plans@acme.example",
            "items": self.items,
            "project": "HARBOUR",
            "jql": "project = HARBOUR AND labels = milestone ORDER BY duedate",
        }

    @property
    def api(self) -> str:
        return "/rest/api/3" if self.cloud else "/rest/api/2"

    def accepts(self, asked: Asked) -> bool:
        given = asked.headers.get("authorization")
        return given == (basic("plans@acme.example", self.secret) if self.cloud else f"Bearer {self.secret}") or (
            self.anonymous
        )

    def refusal(self, status: int) -> Reply:
        if status == 401:
            text = b"Client must be authenticated to access this resource."
            return Reply(401, headers={"content-type": "text/plain"}, raw=text)
        words = {
            400: "The JQL query is unbounded. Add a restriction.",
            403: "You do not have permission.",
            404: "No project could be found with key 'HARBOUR'.",
            410: "The requested API has been removed.",
            429: "Rate limit exceeded.",
            500: "Internal server error",
        }
        return Reply(status, {"errorMessages": [words[status]], "errors": {}})

    def reply(self, asked: Asked) -> Reply:
        found = self._found(asked)
        if self.anonymous:
            found.headers["x-seraph-loginreason"] = "AUTHENTICATED_FAILED"
        return found

    def _found(self, asked: Asked) -> Reply:
        match asked.path.removeprefix(self.api):
            case "/serverInfo":
                stamp = self.now.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S.000%z")
                return Reply(200, {"baseUrl": self.address, "version": "9.12.0", "serverTime": stamp})
            case "/project/HARBOUR":
                number = "10001" if self.fault == "another project" else self.project_id
                return Reply(200, {"id": number, "key": "HARBOUR", "name": "Harbour"})
            case "/project/HARBOUR/version":
                return self._versions(asked)
            case "/search/jql" if self.cloud:
                return self._enhanced(asked)
            case "/search" if not self.cloud:
                return self._search(asked)
        return self.refusal(404)

    def _versions(self, asked: Asked) -> Reply:
        start, size = int(asked.params.get("startAt", 0)), int(asked.params.get("maxResults", 50))
        size = min(size, self.per_page or size)
        rows, total = self.of_page(start // size + 1, size)
        data = [self._version(row) for row in rows]
        last = start + len(rows) >= total
        return Reply(200, {"values": data, "startAt": start, "maxResults": size, "total": total, "isLast": last})

    def _version(self, row: Row) -> dict[str, Any]:
        found = {
            "self": f"{self.address}{self.api}/version/{row.id}",
            "id": str(row.id),
            "name": row.title,
            "archived": False,
            "released": row.done is not None,
            "projectId": int(self.project_id),
        }
        day = row.done.astimezone(ZONE).date() if row.done else row.due
        return found | ({"releaseDate": day.isoformat()} if day else {}) | row.more

    def _matching(self, jql: str) -> list[Row]:
        if (found := SINCE.search(jql)) is None:
            return self.rows
        return [row for row in self.rows if row.changed >= self.now - timedelta(minutes=int(found[1]))]

    def _page(self, asked: Asked, start: int) -> tuple[list[Row], int, int]:
        size = int(asked.params.get("maxResults", 50))
        size = min(size, self.per_page or size)
        if self.fault in ("endless", "same page"):
            rows, total = self.of_page(start // size + 1, size)
            return rows, total, size
        rows = self._matching(asked.params["jql"])
        return rows[start : start + size], len(rows), size

    def _enhanced(self, asked: Asked) -> Reply:
        if not re.search(r"project\s*=", asked.params.get("jql", "")):
            return self.refusal(400)
        start = int(asked.params.get("nextPageToken", "p0")[1:])
        rows, total, size = self._page(asked, start)
        found: dict[str, Any] = {"issues": [self._issue(row, asked) for row in rows]}
        if start + size < total:
            found["nextPageToken"] = f"p{start + size}"
        return Reply(200, found | {"isLast": start + size >= total})

    def _search(self, asked: Asked) -> Reply:
        start = int(asked.params.get("startAt", 0))
        rows, total, size = self._page(asked, start)
        data = [self._issue(row, asked) for row in rows]
        return Reply(200, {"startAt": start, "maxResults": size, "total": total, "issues": data})

    def _issue(self, row: Row, asked: Asked) -> dict[str, Any]:
        named = {"id": str(row.id), "key": f"HARBOUR-{row.id}", "self": f"{self.address}{self.api}/issue/{row.id}"}
        if asked.params.get("fields") == "id":
            return named
        category = "done" if row.done else "indeterminate"
        stamp = row.done.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M:%S.000%z") if row.done else None
        fields = {
            "summary": row.title,
            "duedate": row.due.isoformat() if row.due else None,
            "resolutiondate": stamp,
            "status": {"name": "Done", "statusCategory": {"id": 3, "key": category, "name": category}},
        }
        return named | {"fields": fields | row.more}
