"""Smartsheet: a sheet, by the columns that its headings name.

After "Smartsheet API reference" (Sheets: Get Sheet, by page and pageSize, and Get Sheet Version; Users: Get Current
User), "HTTP status codes and error codes" (429 with error 4003; 1002 to 1004, 1006), "Pagination", "Scalability
options" (rate limiting) and "Webhooks" (Authenticating callbacks: Smartsheet-Hmac-SHA256; Webhook verification:
Smartsheet-Hook-Challenge), developers.smartsheet.com. The version of a sheet grows with every change saved, so that
one small question tells whether anything changed. The id of a row stays, and is the id of what stands in it. Columns
are guessed as those of a file, by `web.importers.table`; what is read of them is what a file with them would give.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import httpx2
import msgspec

from domain import check
from domain.language import N_
from domain.language import gettext as _
from domain.message import UNREADABLE
from web.importers.plan import MAX_MILESTONES, BrokenFile, Plan
from web.importers.table import mapping as mappings
from web.importers.table import reader
from web.importers.table.headings import normal
from web.importers.table.mapping import Mapping as Columns
from web.importers.table.suggesting import suggested
from web.importers.table.tables import Table
from web.sources.tools import signing
from web.sources.tools.asking import Asker, within
from web.sources.tools.items import (
    Day,
    Item,
    Remarks,
    asked_for,
    content_hash,
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

PER_PAGE = 2000  # rows
ROW = "Smartsheet row id"  # the heading of the column that holds it
DATES = frozenset({"DATE", "DATETIME", "ABSTRACT_DATETIME"})  # types of columns


class Smartsheet:
    """Asks Smartsheet: in the United States, or at api.smartsheet.eu and other regions by their address."""

    name = "smartsheet"
    label = "Smartsheet"
    fields: Sequence[Field] = (
        Field(
            name="sheet",
            label=N_("Sheet"),
            hint=N_("Its id, a number: in Smartsheet choose File, Properties, Sheet ID."),
        ),
        Field(
            name="columns",
            label=N_("Columns, where they are not guessed right"),
            hint=N_("As JSON, as fanlight import --mapping takes it. What was guessed is noted with each pull."),
            needed=False,
        ),
    )
    scope = N_("An access token of an account that this sheet is shared with as a viewer, with the scope READ_SHEETS.")
    secret_label = N_("Access token")
    usual_address = "https://api.smartsheet.com"
    hooks = True

    async def look(self, attached: Attached, client: httpx2.AsyncClient) -> str:
        """Say how many milestones the sheet has. Raises: Trouble."""
        got = await self.pull(attached, "", client)
        plan = got.plan
        told = len(plan.milestones) if plan else 0
        return _("Sheet {name}, milestones: {many}", name=plan.title if plan else "", many=told)

    async def pull(
        self, attached: Attached, cursor: str, client: httpx2.AsyncClient, progress: Progress | None = None
    ) -> Pulled:
        """Return the plan in the sheet. Raises: Trouble."""
        sheet, columns = _sheet(attached), attached.values.get("columns", "").strip()
        whole = (attached.address, sheet, columns)
        known = read_cursor(cursor, whole)
        asker = Asker(self, attached, client, {"authorization": f"Bearer {attached.secret}"})
        async with within(asker):
            answer = await asker.get(f"/2.0/sheets/{sheet}/version")
            version = found(answer.data, "version")
            if not isinstance(version, int):
                raise asker.unlike()
            user = await asker.get("/2.0/users/me", optional=True)
            day = day_at(answer.at, zone_of(text(user.data, "timeZone")))
            if known and known.get("version") == version:
                return unchanged(known, day.stated)
            data, lines = await _rows(asker, sheet, progress)
        table = _table(asker, data, lines)
        plan = _plan(table, columns, day, text(data, "name"))
        return pulled(plan, {"asked": asked_for(whole), "version": found(data, "version") or version})

    def is_signed(self, attached: Attached, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether the header Smartsheet-Hmac-SHA256 is the signature of the body by the shared secret."""
        return signing.by_hex(attached.hook_secret, body, signing.header(headers, "smartsheet-hmac-sha256"))

    def greeting(self, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """Return the challenge of a verification request, which comes first and again after 100 callbacks."""
        given = signing.header(headers, "smartsheet-hook-challenge")
        try:
            asked = text(msgspec.json.decode(body), "challenge")
        except UNREADABLE:
            return {}
        fits = given == asked and given.isascii() and given.isprintable() and 0 < len(given) <= 200
        return {"Smartsheet-Hook-Response": given} if fits else {}


def _sheet(attached: Attached) -> str:
    sheet = attached.values.get("sheet", "").strip()
    if not sheet.isdecimal() or not sheet.isascii():
        told = _("“{sheet}” is no id of a sheet. Expected a number, as File, Properties shows it.", sheet=sheet[:40])
        raise Trouble(told, for_good=True)
    return sheet


async def _rows(asker: Asker, sheet: str, progress: Progress | None) -> tuple[Item, list[Item]]:
    """Return the sheet, and all of its rows. Raises: Trouble."""
    lines: list[Item] = []
    seen: set[str] = set()
    page = 0
    while True:
        page += 1
        where = {"page": str(page), "pageSize": str(PER_PAGE)}
        data = (await asker.get(f"/2.0/sheets/{sheet}", where)).data
        some = rows(data, "rows")
        if some is None:
            raise asker.unlike()
        if text(data, "id") != sheet:
            raise asker.another(sheet, text(data, "id") or "–")
        ids = {text(row, "id") for row in some} - {""}
        if ids and ids <= seen:
            raise asker.repeated()
        seen |= ids
        lines += some
        total = found(data, "totalRowCount")
        if progress:
            progress(len(lines), total if isinstance(total, int) else 0)
        if len(lines) > MAX_MILESTONES:
            raise asker.endless()
        if not some or (isinstance(total, int) and len(lines) >= total):
            return data, lines


def _table(asker: Asker, data: Item, lines: list[Item]) -> Table:
    """Return the sheet as a table whose first column is the id of the row."""
    columns = rows(data, "columns")
    if columns is None:
        raise asker.unlike()
    last = len(columns)
    columns = sorted(columns, key=lambda one: one["index"] if isinstance(one.get("index"), int) else last)
    kinds = {text(one, "id"): text(one, "type") for one in columns}
    names = [ROW, *(text(one, "title").strip() for one in columns)]
    cut = [(1, names)]
    for number, row in enumerate(lines, 2):
        cells = {text(cell, "columnId"): _cell(cell, kinds) for cell in rows(row, "cells") or []}
        line = [text(row, "id"), *(cells.get(key, "") for key in kinds)]
        if any(line[1:]):
            at = row.get("rowNumber")
            cut.append((at + 1 if isinstance(at, int) else number, line))
    return Table(name=check.without_refused(text(data, "name")), lines=cut, size=max(len(cut), 1))


def _cell(cell: Item, kinds: Mapping[str, str]) -> str:
    """Return a cell as a table has it: a date as it is kept, anything else as it is shown."""
    value: Any = cell.get("value")
    if kinds.get(text(cell, "columnId")) in DATES:
        return text(cell, "value").strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    shown = cell.get("displayValue")
    if isinstance(shown, str):
        return shown.strip()
    return repr(value) if isinstance(value, float) else text(cell, "value").strip()


def _plan(table: Table, columns: str, day: Day, title: str) -> Plan:
    """Return the plan in a table, by the columns a person gave or the ones its headings suggest. Raises: Trouble."""
    remarks = Remarks()
    day.say(Smartsheet.label, remarks)
    try:
        mapping = mappings.decode(columns.encode()) if columns else suggested(table)
        mapping = _by_row(mapping, table, given=bool(columns))
        plan = reader.of_table(table, mapping, "")
    except BrokenFile as broken:
        told = _("The sheet cannot be read as a plan. {told}", told=" ".join(map(str, broken.problems[:3])))
        raise Trouble(told, for_good=True) from None
    taken = ", ".join(f"{name}: {getattr(mapping, name)}" for name in mappings.FIELDS if getattr(mapping, name))
    remarks.note(_("Columns: {taken}.", taken=taken))
    return _dated(plan, day.today, title, data_date=day.stated, remarks=remarks)


def _by_row(mapping: Columns, table: Table, *, given: bool) -> Columns:
    """Return a mapping by which the id of a row is its id, where no person chose another column."""
    headings = {normal(name) for name in table.lines[0][1]}
    chosen = mapping.id if given and normal(mapping.id) in headings else ROW
    return msgspec.structs.replace(mapping, id=chosen, sheet="", delimiter="")


def _dated(plan: Plan, today: date, title: str, *, data_date: date | None, remarks: Remarks) -> Plan:
    """Return a plan without days of the future on which something is said to have been met, and with its hash."""
    milestones = []
    for one in plan.milestones:
        kept = one
        if one.actual is not None and one.actual > today:
            remarks.count(
                _("Days on which something is said to have been met that lie after today, left out"), one.title
            )
            kept = msgspec.structs.replace(one, actual=None)
        milestones.append(msgspec.structs.replace(kept, source_id=f"smartsheet:{one.source_id}"))
    whole = msgspec.structs.replace(
        plan,
        format="tool",
        title=" ".join(check.without_refused(title).split())[:200],
        data_date=data_date,
        milestones=tuple(milestones),
        tasks=tuple(msgspec.structs.replace(t, source_id=f"smartsheet:{t.source_id}") for t in plan.tasks),
        present=frozenset(f"smartsheet:{one}" for one in plan.present),
        notes=(*remarks.all(), *plan.notes),
    )
    told = msgspec.structs.asdict(plan.columns) if plan.columns else {}
    hashed = content_hash(whole) + msgspec.json.encode(told).decode()
    return msgspec.structs.replace(whole, file_hash=hashlib.sha256(hashed.encode()).hexdigest())
