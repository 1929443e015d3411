"""The auditor's door, read-only: every event with its payload, and every share's entries with their proofs."""

import hmac
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.agreement.share import Share
from domain.ids import ShareId
from domain.language import gettext as _
from projections.entries.entry import Entry, header, instant
from projections.proof import tree
from web.audit import events, file, ledger, replay, shadow
from web.door.guard import AUDIT, Signed, door, not_found
from web.evidence import download
from web.process.services import Services
from web.record import holds as record_holds
from web.render import exact_page
from web.staff.consulted import consulted
from web.staff.frame import shell

PAGE = 50


class ShareShown(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a share as the auditor reads it."""

    n: int
    at: str
    version: int
    changes: tuple[str, ...]
    leaf: str
    root: str
    holds: bool


async def shares(request: Request, signed: Signed) -> Response:
    """`GET /audit/shares`: every share there ever was."""
    services: Services = request.app.state.services
    lines = await run_in_threadpool(_lines, services)
    return services.pages.response(request, "audit/shares.html", lines=lines, here="shares", **shell(services, signed))


def _lines(services: Services) -> list[dict[str, Any]]:
    world = services.present.refresh()
    return sorted(
        (_line(services, share) for share in world.shares.values()),
        key=lambda line: (line["project"], line["client"], line["share"].id),
    )


def _line(services: Services, share: Share) -> dict[str, Any]:
    world, page = services.present.world, services.heads.page(share.id)
    project = world.projects.get(share.project)
    ended = share.revoked_at is not None
    return {
        "share": share,
        "client": world.client_name(share.client),
        "project": project.title if project else share.project,
        "n": page.n if page else 0,
        "at": instant(page.at) if page else "",
        "root": page.root if page else "",
        "state": _("Ended") if ended else _("In force") if share.versions else _("Draft"),
    }


async def share(request: Request, signed: Signed) -> Response:
    """`GET /audit/shares/{share}?before=n`: its entries, newest first, each checked against its hash."""
    services: Services = request.app.state.services
    key, before = request.path_params["share"], request.query_params.get("before", "")
    found = services.present.refresh().shares.get(ShareId(key))
    if found is None or (before and not (before.isdecimal() and len(before) < 12)):
        return not_found()
    head = await run_in_threadpool(services.logs.disclosure.head, key)
    upto = min(int(before) - 1, head) if before else head
    span = _("updates up to {upto}", upto=upto) if before else _("newest updates")
    await run_in_threadpool(consulted, services, signed, key, span)
    entries = await run_in_threadpool(_entries, services, key, upto)
    holds_kept, more_holds = await run_in_threadpool(record_holds.lines, services, found)
    context = {
        "share": found,
        "line": _line(services, found),
        "entries": entries,
        "head": head,
        "older": entries[-1].n if entries and entries[-1].n > 1 else 0,
        "newest": not before,
        "here": "shares",
        "standing": await run_in_threadpool(download.standing, services, key),
        "holds": holds_kept,
        "more_holds": more_holds,
    }
    return services.pages.response(request, "audit/share.html", **context, **shell(services, signed))


def _entries(services: Services, share: str, upto: int) -> list[ShareShown]:
    start = max(0, upto - PAGE)
    previous = services.logs.disclosure.entry(share, start) if start else None
    made = []
    for entry in services.logs.disclosure.entries(share, start, PAGE, upto):
        made.append(_shown(entry, previous))
        previous = entry
    return made[::-1]


def _shown(entry: Entry, previous: Entry | None) -> ShareShown:
    content = entry.content
    return ShareShown(
        n=content.n,
        at=instant(content.at),
        version=content.terms_version,
        changes=tuple(change.say or f"{change.title}: {change.after}" for change in content.changes),
        leaf=entry.leaf.hex(),
        root=entry.root,
        holds=holds(entry, previous),
    )


def holds(entry: Entry, previous: Entry | None) -> bool:
    """Tell whether an entry's leaf is the hash of what it holds, and its tree that of the one before with it."""
    if entry.n != (previous.n + 1 if previous else 1):
        return False
    leaf = tree.leaf_hash(header(entry.content), tree.commit(entry.salt, entry.raw))
    before = previous.frontier if previous else ()
    grown = tree.append(before, entry.content.n - 1, leaf)
    return hmac.compare_digest(leaf, entry.leaf) and tuple(grown) == tuple(entry.frontier)


async def page(request: Request, signed: Signed) -> Response:
    """`GET /audit/shares/{share}/{n}/page`: the exact page of an update."""
    services: Services = request.app.state.services
    key = request.path_params["share"]
    if key not in services.present.refresh().shares:
        return not_found()
    await run_in_threadpool(
        consulted, services, signed, key, _("exact page of update {n}", n=request.path_params["n"][:12])
    )
    return await run_in_threadpool(
        exact_page.response, services.logs.disclosure, services.renderer, key, request.path_params["n"]
    )


def routes() -> list[BaseRoute]:
    """Return the routes of the auditor's door."""
    return [
        *events.routes(),
        *replay.routes(),
        *ledger.routes(),
        *file.routes(),
        *shadow.routes(),
        door("/audit/shares", shares, allow=AUDIT),
        door("/audit/shares/{share}", share, allow=AUDIT),
        door("/audit/shares/{share}/{n}/page", page, allow=AUDIT),
    ]
