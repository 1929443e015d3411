"""A server that answers as OpenProject does for milestones, versions, and milestones as they were.

After "OpenProject API v3" (its repository, docs/api: Basic auth; Collections with total, count, pageSize, offset;
Filters; Work packages; Types; Statuses; Versions; My preferences; errors with _type and errorIdentifier) and
"Baseline comparisons" (timestamps; _embedded/attributesByTimestamp has what differs, and _meta; what lies further
back than a day is refused without a paid edition).
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.web.sources.tools.served import Asked, Fake, Reply, Row, basic, z

ERRORS = "urn:openproject-org:api:v3:errors:"


class FakeOpenProject(Fake):
    name = "openproject"
    paid = True
    zone = "Europe/Berlin"
    most = 1000  # a page

    def __init__(self) -> None:
        super().__init__()
        self.past: dict[int, list[tuple[datetime, dict[str, Any]]]] = {}  # what held since, by id; oldest first
        self.versions = [{"id": 3, "name": "Release 1", "status": "open", "endDate": "2027-08-01"}]

    def values(self) -> dict[str, str]:
        return {"project": "harbour", "items": "milestones"}

    def accepts(self, asked: Asked) -> bool:
        return asked.headers.get("authorization") == basic("apikey", self.secret)

    def refusal(self, status: int) -> Reply:
        kinds = {
            400: ("InvalidQuery", "Timestamps contain forbidden values: only of the last day."),
            401: ("Unauthenticated", "You did not provide the correct credentials."),
            403: ("MissingPermission", "You are not allowed to see the work packages of this project."),
            404: ("NotFound", "The requested resource could not be found."),
            410: ("NotFound", "Gone."),
            429: ("TooManyRequests", "Too many requests."),
            500: ("InternalServerError", "An internal error has occurred."),
        }
        kind, words = kinds[status]
        found = {"_type": "Error", "errorIdentifier": ERRORS + kind, "message": words}
        return Reply(status, found, {"content-type": "application/hal+json; charset=utf-8"})

    def reply(self, asked: Asked) -> Reply:
        match asked.path.removeprefix("/api/v3"):
            case "/projects/harbour":
                number = 15 if self.fault == "another project" else 14
                return Reply(200, {"_type": "Project", "id": number, "identifier": "harbour", "name": "Harbour"})
            case "/my_preferences" if self.zone == "forbidden":
                return self.refusal(403)
            case "/my_preferences":
                return Reply(200, {"_type": "UserPreferences", "timeZone": self.zone})
            case "/projects/14/types":
                kinds = [
                    {"id": 1, "name": "Task", "isMilestone": False},
                    {"id": 2, "name": "Stone", "isMilestone": True},
                ]
                return self._all(kinds)
            case "/statuses":
                return self._all([self._status(1, closed=False), self._status(7, closed=True)])
            case "/projects/14/versions":
                return self._all(self.versions)
            case "/projects/14/work_packages":
                return self._packages(asked)
        return self.refusal(404)

    def _all(self, elements: list[Any]) -> Reply:
        found = {"_type": "Collection", "total": len(elements), "count": len(elements)}
        return Reply(200, found | {"_embedded": {"elements": elements}})

    def _status(self, number: int, *, closed: bool) -> dict[str, Any]:
        return {"id": number, "isClosed": closed, "_links": {"self": {"href": f"/api/v3/statuses/{number}"}}}

    def _packages(self, asked: Asked) -> Reply:
        if json.loads(asked.params["filters"]) != [{"type": {"operator": "=", "values": ["2"]}}]:
            return self._all([])
        stamps = asked.params.get("timestamps", "").split(",") if asked.params.get("timestamps") else []
        if not self.paid and any(self._at(one) < self.now - timedelta(days=1) for one in stamps):
            return self.refusal(400)
        size = min(int(asked.params.get("pageSize", 20)), self.most)
        number = int(asked.params.get("offset", 1))
        if asked.params.get("sortBy", "").startswith('[["updatedAt"') and self.rows and not self.fault:
            rows, total = [max(self.rows, key=lambda row: row.changed)], len(self.rows)
        else:
            rows, total = self.of_page(number, size)
        elements = [self._package(row, stamps) for row in rows]
        found = {
            "_type": "WorkPackageCollection",
            "total": total,
            "count": len(rows),
            "pageSize": size,
            "offset": number,
        }
        return Reply(200, found | {"_embedded": {"elements": elements}})

    def _at(self, stamp: str) -> datetime:
        return self.now if stamp == "PT0S" else datetime.fromisoformat(stamp)

    def _package(self, row: Row, stamps: list[str]) -> dict[str, Any]:
        present = self._attributes(row)
        if not stamps:
            return present
        then = [self._then(row, present, one) for one in stamps]
        return present | {"_embedded": {"attributesByTimestamp": then}}

    def _then(self, row: Row, present: dict[str, Any], stamp: str) -> dict[str, Any]:
        """What differs from the present at an instant."""
        held = [more for since, more in self.past.get(row.id, []) if since <= self._at(stamp)]
        there = stamp == "PT0S" or bool(held) or row.id not in self.past
        meta = {"_meta": {"exists": there, "matchesFilters": there, "timestamp": stamp}}
        past = held[-1] if held and stamp != "PT0S" else {}
        return {name: value for name, value in past.items() if value != present.get(name)} | meta

    def _attributes(self, row: Row) -> dict[str, Any]:
        return {
            "_type": "WorkPackage",
            "id": row.id,
            "subject": row.title,
            "date": row.due.isoformat() if row.due else None,
            "percentageDone": 100 if row.done else 20,
            "createdAt": "2026-01-10T08:00:00Z",
            "updatedAt": z(row.changed),
            "_links": {
                "project": {"href": "/api/v3/projects/14", "title": "Harbour"},
                "status": {"href": f"/api/v3/statuses/{7 if row.done else 1}"},
                "type": {"href": "/api/v3/types/2"},
            },
        } | row.more


def at(text: str) -> datetime:
    """Return an instant in UTC of a text such as 2027-01-31T12:00."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
