"""The ledger for auditors: everything that was signed, erased and asked, newest first, each line with its leaf."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.ids import ProjectId, ShareId
from domain.language import N_, Said, in_english
from domain.language import gettext as _
from projections.entries.parts import instant
from projections.events.world import World
from projections.logs.ledger import Ledger, LedgerLine
from projections.proof import notes
from projections.proof.notes import BadNote
from web.audit.frame import AuditPage
from web.door.guard import AUDIT, Signed, door, not_found
from web.process.services import Services
from web.record.events_said import called
from web.staff.consulted import consulted
from web.staff.frame import shell

PAGE = 50
BLOCK, FURTHEST = 500, 20  # lines looked through for one kind
KINDS = Said(
    {
        "consulted": N_("Looked up"),
        "checkpoint": N_("Checkpoint signed"),
        "entries-erased": N_("Updates erased"),
        "names-due": N_("Updates to erase with a person"),
        "restored": N_("Backup restored"),
        "receipts-expired": N_("Delivery record expired"),
        "time-stamped": N_("Time-stamped"),
        "key-added": N_("Key introduced"),
        "key-rotated": N_("Key rotated"),
        "damaged": N_("Unreadable"),
    }
)


class LineShown(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger as people read it."""

    index: int
    at: str  # UTC, "" where no time is on record
    what: str
    who: str
    subject: str
    detail: str
    note: str  # the signed note, "" when it is none
    leaf: str  # hex


class LedgerPage(AuditPage, frozen=True, kw_only=True):
    """A page of lines, and the kinds they can be filtered by."""

    template = "audit/ledger.html"
    here: Literal["ledger"] = "ledger"
    lines: Sequence[LineShown]
    older: int  # the index below which the next page starts, 0 for none
    kind: str  # asked for, "" for all
    kinds: Mapping[str, str]
    newest: bool  # whether this is the first page
    total: int  # lines in the ledger


def newest_lines(ledger: Ledger, kind: str, before: int) -> tuple[list[LedgerLine], int]:
    """Return the newest lines of a kind (all when "") below `before` (0: from the end), and where older ones start."""
    last = ledger.last()
    top = before - 1 if before else last.index if last else 0
    lines: list[LedgerLine] = []
    for _block in range(FURTHEST):
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
    return services.pages.answer(request, await run_in_threadpool(_page, services, signed, kind, int(before or 0)))


def _page(services: Services, signed: Signed, kind: str, before: int) -> LedgerPage:
    """Return the lines of a kind below `before` (0: from the end), once the question is recorded."""
    consulted(services, signed, "", in_english("ledger, {kind}", kind=kind or in_english("all")))
    lines, older = newest_lines(services.logs.ledger, kind, before)
    last = services.logs.ledger.last()
    return LedgerPage(
        **shell(services, signed),
        lines=[_shown(services, line) for line in lines],
        older=older,
        kind=kind,
        kinds=KINDS,
        newest=not before,
        total=last.index if last else 0,
    )


def _shown(services: Services, line: LedgerLine) -> LineShown:
    statement, world = line.statement, services.present.world
    note = statement.text if "\n\n" in statement.text else ""
    return LineShown(
        index=line.index,
        at=instant(statement.at) if statement.at.year > 1 else "",
        what=KINDS.get(statement.kind, statement.kind.replace("-", " ").capitalize()),
        who=_who(world, statement.who),
        subject=_subject(world, statement.subject),
        detail=_detail(note) if note else statement.text,
        note=note,
        leaf=line.leaf.hex(),
    )


def _who(world: World, who: str) -> str:
    return called(world, who) if who else ""


def _subject(world: World, subject: str) -> str:
    """Return what a statement is about: a share by client and project, a project by its title, else as it stands."""
    key = subject.removesuffix(" bundles").rpartition("/share/")[2].removesuffix("/receipts")
    share = world.shares.get(ShareId(key))
    if share is not None:
        called = world.projects[share.project].client_title
        receipts = _(", delivery record") if subject.endswith("/receipts") else ""
        bundle = _(", for a bundle") if subject.endswith(" bundles") else ""
        return f"{world.client_name(share.client)}, {called}{receipts}{bundle}"
    project = world.projects.get(ProjectId(subject))
    return project.title if project else subject


def _detail(note: str) -> str:
    """Return a note in a line: the size and root of a checkpoint, the first line of any other."""
    try:
        point = notes.open_checkpoint(notes.text_of(note))
    except BadNote:
        return note.split("\n", 1)[0]
    return _("size {size}, root {root}", size=point.size, root=point.root.hex()[:16])


def routes() -> list[BaseRoute]:
    """Return the route of the ledger."""
    return [door("/audit/ledger", ledger, allow=AUDIT)]
