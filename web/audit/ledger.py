"""The ledger for auditors: everything ever stated about the record, newest first, each line with its leaf."""

from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.language import N_
from domain.language import gettext as _
from projections.entries.entry import instant
from projections.logs.ledger import Ledger, LedgerLine
from projections.proof import notes
from projections.proof.notes import BadNote
from web.door.guard import AUDIT, Signed, door, not_found
from web.process.services import Services
from web.staff.consulted import consulted
from web.staff.frame import shell

PAGE = 50
BLOCK, FURTHEST = 500, 20  # lines looked through for one kind
KINDS = {
    "consulted": N_("Somebody asked"),
    "checkpoint": N_("Checkpoint signed"),
    "entries-erased": N_("Updates erased"),
    "restored": N_("Backup restored"),
    "receipts-expired": N_("Receipts expired"),
    "time-stamped": N_("Time-stamped"),
    "key-added": N_("Key introduced"),
    "key-rotated": N_("Key rotated"),
    "damaged": N_("Unreadable"),
}


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger as people read it."""

    index: int
    at: str
    what: str
    who: str
    subject: str
    detail: str
    note: str  # the signed note, "" when it is none
    leaf: str


def found(ledger: Ledger, kind: str, before: int) -> tuple[list[LedgerLine], int]:
    """Return the newest lines of a kind (all when "") below `before` (0: from the end), and where older ones start."""
    last = ledger.last()
    top = before - 1 if before else last.index if last else 0
    lines: list[LedgerLine] = []
    for _other in range(FURTHEST):
        bottom = max(0, top - BLOCK)
        for line in reversed(ledger.lines(bottom, top - bottom, top) if top > 0 else []):
            if not kind or line.statement.kind == kind:
                lines.append(line)
            if len(lines) == PAGE:
                return lines, line.index if line.index > 1 else 0
        top = bottom
        if top <= 0:
            return lines, 0
    return lines, top + 1


async def ledger(request: Request, signed: Signed) -> Response:
    """`GET /audit/ledger?kind=&before=`: what was signed, erased, and asked."""
    services: Services = request.app.state.services
    kind, before = request.query_params.get("kind", ""), request.query_params.get("before", "")
    if kind not in ("", *KINDS) or (before and not (before.isdecimal() and len(before) < 16)):
        return not_found()
    await run_in_threadpool(consulted, services, signed, "", _("ledger, {kind}", kind=kind or _("all")))
    lines, older = await run_in_threadpool(found, services.logs.ledger, kind, int(before or 0))
    last = await run_in_threadpool(services.logs.ledger.last)
    context: dict[str, Any] = {
        "lines": [_said(services, line) for line in lines],
        "older": older,
        "kind": kind,
        "kinds": KINDS,
        "newest": not before,
        "total": last.index if last else 0,
        "here": "ledger",
    }
    return services.pages.response(request, "audit/ledger.html", **context, **shell(services, signed))


def _said(services: Services, line: LedgerLine) -> Said:
    one, world = line.statement, services.present.world
    note = one.text if "\n\n" in one.text else ""
    return Said(
        index=line.index,
        at=instant(one.at) if one.at.year > 1 else "",
        what=KINDS.get(one.kind, one.kind.replace("-", " ").capitalize()),
        who=world.person_name(one.who) if one.who and one.who != "operator" else one.who,
        subject=_subject(services, one.subject),
        detail=_detail(note) if note else one.text,
        note=note,
        leaf=line.leaf.hex(),
    )


def _subject(services: Services, subject: str) -> str:
    world, key = services.present.world, subject.rpartition("/share/")[2].removesuffix("/receipts")
    share = world.shares.get(key)  # type: ignore[call-overload]
    if share is not None:
        project = world.projects[share.project].client_title
        receipts = _(", receipts") if subject.endswith("/receipts") else ""
        return f"{world.client_name(share.client)}, {project}{receipts}"
    project = world.projects.get(subject)  # type: ignore[call-overload]
    return project.title if project else subject


def _detail(note: str) -> str:
    try:
        point = notes.open_checkpoint(notes.text_of(note))
    except BadNote:
        return note.split("\n", 1)[0]
    return _("size {size}, root {root}", size=point.size, root=point.root.hex()[:16])


def routes() -> list[BaseRoute]:
    """Return the route of the ledger."""
    return [door("/audit/ledger", ledger, allow=AUDIT)]
