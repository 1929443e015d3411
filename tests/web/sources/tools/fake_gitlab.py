"""A server that answers as GitLab does for the milestones of a project.

After "Project milestones API", "REST API" (offset pagination: Link, X-Next-Page, X-Page, X-Per-Page, and X-Total and
X-Total-Pages only up to 10,000 items; status codes), "Rate limits" (429 in plain text with Retry-After and
RateLimit-Reset). GitLab answers 404 for a project that the token does not see, and adds a weak ETag to what it gives.
"""

from typing import Any
from urllib.parse import unquote

from tests.web.sources.tools.served import Asked, Fake, Reply, Row, etag, z


class FakeGitLab(Fake):
    name = "gitlab"
    big = False  # more than 10,000 items, of which it does not say how many they are
    linked = True  # whether the header Link comes through

    def values(self) -> dict[str, str]:
        return {"kind": "projects", "path": "acme/harbour"}

    def accepts(self, asked: Asked) -> bool:
        return asked.headers.get("private-token") == self.secret

    def refusal(self, status: int) -> Reply:
        words = {
            401: "401 Unauthorized",
            403: "403 Forbidden",
            404: "404 Project Not Found",
            410: "410 Gone",
            500: "500 Internal Server Error",
        }
        if status == 429:
            return Reply(429, headers={"content-type": "text/plain"}, raw=b"Retry later\n")
        return Reply(status, {"message": words[status]})

    def limited(self) -> Reply:
        reset = str(int(self.now.timestamp()) + 60)
        return Reply(429, headers={"content-type": "text/plain", "ratelimit-reset": reset}, raw=b"Retry later\n")

    def reply(self, asked: Asked) -> Reply:
        if asked.path != "/api/v4/projects/acme%2Fharbour/milestones":
            return self.refusal(404)
        size = min(int(asked.params.get("per_page", 20)), 100)
        number = int(asked.params.get("page", 1))
        rows, total = self.of_page(number, size)
        size = min(size, self.per_page or size)
        data = [self._item(row) for row in rows]
        last = max(-(-total // size), 1)
        headers = {"etag": etag(data), "x-page": str(number), "x-per-page": str(size), "x-next-page": ""}
        if not self.big:
            headers |= {"x-total": str(total), "x-total-pages": str(last)}
        if asked.headers.get("if-none-match") == headers["etag"]:
            return Reply(304, None, headers)
        if number < last:
            headers["x-next-page"] = str(number + 1)
            if self.linked:
                where = f"{self.address}{asked.path}?id={unquote('acme%252Fharbour')}&page={number + 1}&per_page={size}"
                headers["link"] = f'<{where}>; rel="next"'
        return Reply(200, data, headers)

    def _item(self, row: Row) -> dict[str, Any]:
        return {
            "id": row.id,
            "iid": row.id - 10,
            "project_id": 17 if self.fault == "another project" and row.id > 12 else 16,
            "title": row.title,
            "description": "",
            "state": "closed" if row.done else "active",
            "created_at": "2026-04-10T20:09:31.000Z",
            "updated_at": z(row.changed),
            "due_date": row.due.isoformat() if row.due else None,
            "start_date": None,
            "expired": False,
            "web_url": f"{self.address}/acme/harbour/-/milestones/{row.id - 10}",
        } | row.more
