"""The page on which milestones or risks are edited as a table, and saving it: one command for all, or nothing.

Rule: what is wrong is said at its cell, of all cells at once, and everything typed is kept.
"""

from collections.abc import Iterable, Sequence

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from domain.errors import Refused, Stale
from domain.ids import CommandId, ProjectId
from domain.language import gettext as _
from domain.plan.project import Project
from projections.wording.phrases import listed as in_words
from web.door.guard import STAFF, Signed, door, not_found
from web.door.problem import status_of
from web.ids import new_id
from web.manager.plan.change import APART, TRIES, Order, carry_out
from web.manager.plan.comes import asked_about, keep_by_hand
from web.manager.table import milestones, risks
from web.manager.table.cells import Edited, Seen, SheetRow, as_shown, edited, seen_in, seen_of
from web.manager.table.sheet import Sheet, decided
from web.manager.typed import Typed, first, typed_in
from web.process.services import Services
from web.staff.frame import StaffPage, shell

SHEETS = {sheet.name: sheet for sheet in (milestones.SHEET, risks.SHEET)}
AT_ONCE = 200  # rows of one page


class TablePage(StaffPage, frozen=True, kw_only=True):
    """Milestones or risks as a table that is edited in place."""

    template = "pm/table_edit.html"
    project: Project
    sheet: Sheet
    rows: Sequence[SheetRow]
    made: Edited
    seen: str  # what the table shows, for its hidden field
    first: int  # number of the first row, from 0
    total: int
    step: int  # rows of one page
    command_id: str
    reason: str = ""
    reason_problem: str = ""
    said: str = ""
    asks: bool = False  # whether it comes back with a question and a tick
    meant: str = ""  # what the tick stands for, or has been said to be meant
    come: str = ""  # names of the sources that keep some of its rows, and are asked about them
    apart: bool = False  # whether it was ticked that they are not any more


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a table that was sent: the page to show, or None once it is recorded."""

    page: TablePage | None
    status: int = 200


async def table(request: Request, signed: Signed) -> Response:
    """`GET|POST /p/{project}/table/{sheet}?from=n`: edit milestones or risks as a table, and save it."""
    services: Services = request.app.state.services
    sheet, start = SHEETS.get(request.path_params["sheet"]), request.query_params.get("from", "0")
    world = await run_in_threadpool(services.present.refresh)
    key = ProjectId(request.path_params["project"])
    if sheet is None or key not in world.projects or not (start.isascii() and start.isdecimal() and len(start) < 7):
        return not_found()
    editing = Editing(services=services, signed=signed, sheet=sheet, project=key, start=int(start))
    if request.method != "POST":
        return services.pages.answer(request, await run_in_threadpool(editing.blank))
    typed = typed_in(await request.form())
    sent = await run_in_threadpool(editing.send, typed)
    if sent.page is not None:
        return services.pages.answer(request, sent.page, sent.status)
    return RedirectResponse(f"/p/{key}?said={first(typed, 'command_id')}", 303)


class Editing(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody edits one table of a project. For threads."""

    services: Services
    signed: Signed
    sheet: Sheet
    project: ProjectId
    start: int

    def blank(self) -> TablePage:
        """Return the table as it stands."""
        rows = self._rows(self._now(), {})
        return self._page(rows, as_shown(rows), {})

    def _now(self) -> Project:
        return self.services.present.world.projects[self.project]

    def _rows(self, project: Project, seen: Seen) -> list[SheetRow]:
        """Return the rows of this page, or those that a table showed when it was sent, as they are now."""
        rows = self.sheet.rows(project)
        return [row for row in rows if row.key in seen] if seen else rows[self.start : self.start + AT_ONCE]

    def _page(self, rows: Sequence[SheetRow], made: Edited, typed: Typed, **more: object) -> TablePage:
        project = self._now()
        return TablePage(
            project=project,
            sheet=self.sheet,
            rows=rows,
            made=made,
            seen=seen_of(rows),
            first=self.start,
            total=len(self.sheet.rows(project)),
            step=AT_ONCE,
            command_id=first(typed, "command_id") or new_id(24),
            reason=first(typed, "reason"),
            come=in_words([project.sources[key].name for key in asked_about(project, self._keys(rows))]),
            apart=first(typed, APART) == "yes",
            **more,  # type: ignore[arg-type]
            **shell(self.services, self.signed),
        )

    def _keys(self, rows: Iterable[SheetRow]) -> list[str]:
        """Return the milestones among rows."""
        return [row.key for row in rows] if self.sheet is milestones.SHEET else []

    def send(self, typed: Typed) -> Sent:
        """Record what was typed as one command, or return the table with what stands in the way."""
        key = CommandId(first(typed, "command_id"))
        if self.services.service.carried_out(self.signed.person.id, key):
            return Sent(page=None)
        for _try in range(TRIES):
            try:
                return self._send_once(typed, key)
            except Stale:
                continue
        told = _("Others are changing this project at the same moment. Nothing is saved yet: save again.")
        rows = self._rows(self._now(), seen_in(typed))
        made = edited(self.sheet.columns, rows, typed, seen_in(typed))
        return self._refused(rows, msgspec.structs.replace(made, problem=told), typed, 409)

    def _refused(self, rows: Sequence[SheetRow], made: Edited, typed: Typed, status: int, **more: object) -> Sent:
        more.setdefault("meant", first(typed, "meant"))
        return Sent(page=self._page(rows, made, typed, **more), status=status)

    def _send_once(self, typed: Typed, key: CommandId) -> Sent:
        """Record what was typed.

        Raises: Stale where somebody else was faster.
        """
        world = self.services.present.refresh()
        version = world.versions.get(f"project-{self.project}", 0)
        project, now = world.projects[self.project], self.services.now()
        rows = self._rows(project, seen_in(typed))
        made = edited(self.sheet.columns, rows, typed, seen_in(typed))
        together = decided(self.sheet, project, made, first(typed, "reason"), now)
        if made.wrong or together.reason_problem:
            return self._refused(rows, made, typed, 422, reason_problem=together.reason_problem)
        if not together.command.commands:
            said = _("Nothing was changed, so nothing was saved.")
            return self._refused(rows, made, typed, 200, said=said)
        asked = list(self.sheet.questions(project, made.changes, project.civil(now)))
        meant = " ".join(sorted({one.token for one in asked}))
        if not {one.token for one in asked} <= set(" ".join(typed.get("meant", ())).split()):
            for one in asked:
                made.told(one.key, one.column, question=one.sentence)
            return self._refused(rows, made, typed, 422, asks=True, meant=meant)
        order = Order(command=together.command, key=key, expected=version)
        try:
            carry_out(self.services, self.signed, order, project)
        except Stale:
            raise
        except Refused as refused:
            told = msgspec.structs.replace(made, problem=refused.message)
            return self._refused(rows, told, typed, status_of(refused))
        if first(typed, APART) == "yes":
            changed = self._keys(row for row in rows if made.changes.get(row.key))
            keep_by_hand(self.services, self.signed, self._after(), changed, key)
        return Sent(page=None)

    def _after(self) -> Project:
        return self.services.present.refresh().projects[self.project]


def routes() -> list[BaseRoute]:
    """Return the route of the tables."""
    return [door("/p/{project}/table/{sheet}", table, allow=STAFF, methods=["GET", "POST"])]
