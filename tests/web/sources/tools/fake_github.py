"""A server that answers as GitHub does for the milestones of a repository.

After "REST API endpoints for milestones", "Using pagination in the REST API" (Link with next, last and prev; at most
100 a page), "Best practices for using the REST API" (ETag and If-None-Match; 304 is not counted), "Rate limits for the
REST API" (x-ratelimit-* on every answer; secondary limits as 403 or 429 with words) and "Troubleshooting the REST API"
(404 for what the token may not see).
"""

from typing import Any

from tests.web.sources.tools.served import Asked, Fake, Reply, Row, etag, z


class FakeGitHub(Fake):
    name = "github"

    def __init__(self) -> None:
        super().__init__()
        self.left = 5000
        self.repository = "acme/harbour"

    def values(self) -> dict[str, str]:
        return {"repository": "acme/harbour"}

    def accepts(self, asked: Asked) -> bool:
        return asked.headers.get("authorization") == f"Bearer {self.secret}"

    def refusal(self, status: int) -> Reply:
        words = {
            401: "Bad credentials",
            403: "Resource not accessible by personal access token",
            404: "Not Found",
            410: "Issues are disabled for this repo",
            429: "API rate limit exceeded for user ID 1.",
            500: "Server Error",
        }
        told = {"message": words[status], "documentation_url": "https://docs.github.com/rest"}
        return Reply(status, told, {"x-ratelimit-remaining": "4999"})

    def limited(self) -> Reply:
        """The primary limit, as GitHub tells it: 403, nothing remaining, and when that ends."""
        reset = str(int(self.now.timestamp()) + 600)
        told = {"message": "API rate limit exceeded for user ID 1."}
        return Reply(403, told, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset})

    def secondary(self) -> Reply:
        """A secondary limit: 403 and words, at times with Retry-After."""
        return Reply(403, {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."})

    async def _faulty(self) -> Reply | None:
        return self.secondary() if self.fault == "secondary" else await super()._faulty()

    def reply(self, asked: Asked) -> Reply:
        if asked.path != "/repos/acme/harbour/milestones" or asked.params.get("state") != "all":
            return self.refusal(404)
        size = min(int(asked.params.get("per_page", 30)), 100)
        number = int(asked.params.get("page", 1))
        rows, total = self.of_page(number, size)
        data = [self._item(row) for row in rows]
        headers = {"etag": etag(data), "x-ratelimit-remaining": str(self.left)}
        if asked.headers.get("if-none-match") == headers["etag"]:
            return Reply(304, None, headers)
        self.left -= 1
        last = -(-total // min(size, self.per_page or size))
        if number < last:
            address = f"{self.address}{asked.path}?state=all&per_page={size}&page="
            headers["link"] = f'<{address}{number + 1}>; rel="next", <{address}{last}>; rel="last"'
        return Reply(200, data, headers)

    def _item(self, row: Row) -> dict[str, Any]:
        where = "acme/jetty" if self.fault == "another project" else self.repository
        return {
            "url": f"{self.address}/repos/{where}/milestones/{row.id - 10}",
            "id": row.id,
            "number": row.id - 10,
            "title": row.title,
            "state": "closed" if row.done else "open",
            "description": None,
            "creator": {"login": "octocat", "id": 1},
            "open_issues": 4,
            "closed_issues": 8,
            "created_at": "2026-04-10T20:09:31Z",
            "updated_at": z(row.changed),
            "closed_at": z(row.done) if row.done else None,
            "due_on": f"{row.due.isoformat()}T07:00:00Z" if row.due else None,
        } | row.more
