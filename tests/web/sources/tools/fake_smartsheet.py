"""A server that answers as Smartsheet does for one sheet.

After "Smartsheet API reference" (Get Sheet: id, name, version, totalRowCount, columns, rows with cells of columnId,
value and displayValue; Get Sheet Version; Get Current User with its time zone), "Pagination" (page, pageSize) and
"HTTP status codes and error codes" (1002 invalid token, 1004 not authorized, 1006 not found, 4003 rate limit, 4000
unexpected), developers.smartsheet.com.
"""

from typing import Any

from tests.web.sources.tools.served import Asked, Fake, Reply, Row, z

SHEET = 4583173393803140
COLUMNS = (
    ("Task Name", "TEXT_NUMBER"),
    ("Milestone", "CHECKBOX"),
    ("Baseline Finish", "DATE"),
    ("Finish", "ABSTRACT_DATETIME"),
    ("Actual Finish", "DATE"),
    ("% Complete", "TEXT_NUMBER"),
)


class FakeSmartsheet(Fake):
    name = "smartsheet"
    users = True  # whether the token may read its own account

    def __init__(self) -> None:
        super().__init__()
        self.version = 9

    def values(self) -> dict[str, str]:
        return {"sheet": str(SHEET)}

    def accepts(self, asked: Asked) -> bool:
        return asked.headers.get("authorization") == f"Bearer {self.secret}"

    def refusal(self, status: int) -> Reply:
        codes = {
            401: (1002, "Your Access Token is invalid."),
            403: (1004, "You are not authorized to perform this action."),
            404: (1006, "Not Found"),
            410: (1006, "Not Found"),
            429: (4003, "Rate limit exceeded."),
            500: (4000, "An unexpected error has occurred."),
        }
        code, words = codes[status]
        return Reply(status, {"refId": "1a2b3c", "errorCode": code, "message": words})

    def reply(self, asked: Asked) -> Reply:
        match asked.path.removeprefix("/2.0"):
            case "/users/me" if not self.users:
                return self.refusal(403)
            case "/users/me":
                return Reply(
                    200, {"id": 48569348493401200, "email": "p@acme.example", "timeZone": "America/Los_Angeles"}
                )
            case path if path == f"/sheets/{SHEET}/version":
                return Reply(200, {"version": self.version})
            case path if path == f"/sheets/{SHEET}":
                return self._sheet(asked)
        return self.refusal(404)

    def _sheet(self, asked: Asked) -> Reply:
        size = int(asked.params.get("pageSize", 100))
        rows, total = self.of_page(int(asked.params.get("page", 1)), size)
        number = SHEET + 1 if self.fault == "another project" else SHEET
        columns = [{"id": 70 + i, "index": i, "title": t, "type": kind} for i, (t, kind) in enumerate(COLUMNS)]
        found = {"id": number, "name": "Harbour plan", "version": self.version, "totalRowCount": total}
        lines = [self._row(row, at) for at, row in enumerate(rows, 1)]
        return Reply(200, found | {"columns": columns, "rows": lines, "modifiedAt": z(self.now)})

    def _row(self, row: Row, number: int) -> dict[str, Any]:
        values: list[Any] = [
            row.title,
            True,
            row.due.isoformat() if row.due else None,
            f"{row.due.isoformat()}T17:00:00" if row.due else None,
            row.done.date().isoformat() if row.done else None,
            1 if row.done else 0.2,
        ]
        shown = [None, None, None, None, None, "100%" if row.done else "20%"]
        cells = [
            {"columnId": 70 + i, "value": value} | ({"displayValue": shown[i]} if shown[i] else {})
            for i, value in enumerate(values)
            if value is not None
        ]
        return {"id": row.id, "rowNumber": number, "cells": cells} | row.more
