"""The shares for auditors: a list of all, the entries of one checked against their hashes, the exact page of one.

Rule: read-only; a question about a share is recorded before it is answered.
"""

import hmac
from collections.abc import Sequence
from typing import Literal

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from domain.agreement.share import Share
from domain.ids import ShareId
from domain.language import gettext as _
from domain.language import in_english
from projections.entries.entry import Entry, header
from projections.entries.parts import instant
from projections.proof import tree
from web.audit import events, file, ledger, replay, shadow
from web.audit.frame import AuditPage
from web.door.guard import AUDIT, Signed, door, not_found
from web.evidence import download
from web.evidence.download import SignedUpTo
from web.process.services import Services
from web.record import holds as record_holds
from web.record.holds import HoldLine
from web.render import exact_page
from web.staff.consulted import consulted
from web.staff.frame import shell

PAGE = 50


class ShareLine(msgspec.Struct, frozen=True, kw_only=True):
    """One share, and its newest update."""

    share: Share
    client: str
    project: str
    n: int  # the newest update, 0 for none
    at: str  # when it was recorded, UTC, "" for none
    root: str  # the tree head after it, hex
    state: str  # in words


class EntryShown(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a share as the auditor reads it."""

    n: int
    at: str  # UTC
    version: int  # of the agreement
    changes: tuple[str, ...]
    leaf: str  # hex
    root: str
    holds: bool  # whether it matches its hash


class SharesPage(AuditPage, frozen=True, kw_only=True):
    """Every share there ever was."""

    template = "audit/shares.html"
    here: Literal["shares"] = "shares"
    lines: Sequence[ShareLine]


class EntriesPage(AuditPage, frozen=True, kw_only=True):
    """A share's entries, newest first, how its checkpoints stand, and what was held for review."""

    template = "audit/share.html"
    here: Literal["shares"] = "shares"
    share: Share
    line: ShareLine
    entries: Sequence[EntryShown]
    head: int  # the number of the newest entry
    older: int  # the number below which the next page starts, 0 for none
    newest: bool  # whether this is the first page
    standing: SignedUpTo
    holds: Sequence[HoldLine]
    more_holds: int  # that are not listed


async def shares(request: Request, signed: Signed) -> Response:
    """`GET /audit/shares`: every share there ever was."""
    services: Services = request.app.state.services
    lines = await run_in_threadpool(_lines, services)
    return services.pages.answer(request, SharesPage(**shell(services, signed), lines=lines))


def _lines(services: Services) -> list[ShareLine]:
    world = services.present.refresh()
    lines = [_line(services, share) for share in world.shares.values()]
    return sorted(lines, key=lambda line: (line.project, line.client, line.share.id))


def _line(services: Services, share: Share) -> ShareLine:
    world, log = services.present.world, services.logs.disclosure
    head = log.head(share.id)
    newest = next(iter(log.kept(share.id, head - 1, 1, head)), None) if head else None
    at = log.recorded_at(share.id, head)
    project = world.projects.get(share.project)
    ended = share.revoked_at is not None
    return ShareLine(
        share=share,
        client=world.client_name(share.client),
        project=project.title if project else share.project,
        n=head,
        at=instant(at) if at else "",
        root=newest.root if newest else "",
        state=_("Ended") if ended else _("In force") if share.versions else _("Draft"),
    )


async def share(request: Request, signed: Signed) -> Response:
    """`GET /audit/shares/{share}?before=n`: its entries, newest first, each checked against its hash."""
    services: Services = request.app.state.services
    key, before = request.path_params["share"], request.query_params.get("before", "")
    share = services.present.refresh().shares.get(ShareId(key))
    if share is None or (before and not (before.isdecimal() and len(before) < 12)):
        return not_found()
    return services.pages.answer(request, await run_in_threadpool(_page, services, signed, share, before))


def _page(services: Services, signed: Signed, share: Share, before: str) -> EntriesPage:
    """Return the entries of a share below number `before` ("" for the newest), once the question is recorded."""
    head = services.logs.disclosure.head(share.id)
    upto = min(int(before) - 1, head) if before else head
    span = in_english("updates up to {upto}", upto=upto) if before else in_english("newest updates")
    consulted(services, signed, share.id, span)
    entries = _entries(services, share.id, upto)
    holds, more_holds = record_holds.lines(services, share)
    return EntriesPage(
        **shell(services, signed),
        share=share,
        line=_line(services, share),
        entries=entries,
        head=head,
        older=entries[-1].n if entries and entries[-1].n > 1 else 0,
        newest=not before,
        standing=download.standing(services, share.id),
        holds=holds,
        more_holds=more_holds,
    )


def _entries(services: Services, share: str, upto: int) -> list[EntryShown]:
    """Return `PAGE` entries, newest first, beginning with `upto`."""
    start = max(0, upto - PAGE)
    previous = services.logs.disclosure.entry(share, start) if start else None
    listed = []
    for entry in services.logs.disclosure.entries(share, start, PAGE, upto):
        listed.append(_shown(entry, previous))
        previous = entry
    return listed[::-1]


def _shown(entry: Entry, previous: Entry | None) -> EntryShown:
    content = entry.content
    return EntryShown(
        n=content.n,
        at=instant(content.at),
        version=content.terms_version,
        changes=tuple(change.say or f"{change.title}: {change.after}" for change in content.changes),
        leaf=entry.leaf.hex(),
        root=entry.root,
        holds=holds(entry, previous),
    )


def holds(entry: Entry, previous: Entry | None) -> bool:
    """Tell whether an entry's leaf is the hash of its content, and its tree that of the entry before plus this leaf."""
    if entry.n != (previous.n + 1 if previous else 1):
        return False
    leaf = tree.leaf_hash(header(entry.content), tree.commit(entry.salt, entry.raw))
    before = previous.frontier if previous else ()
    grown = tree.append(before, entry.content.n - 1, leaf)
    return hmac.compare_digest(leaf, entry.leaf) and tuple(grown) == tuple(entry.frontier)


async def page(request: Request, signed: Signed) -> Response:
    """`GET /audit/shares/{share}/{n}/page`: the exact page of an update."""
    services: Services = request.app.state.services
    key, number = request.path_params["share"], request.path_params["n"]
    if key not in services.present.refresh().shares:
        return not_found()
    await run_in_threadpool(consulted, services, signed, key, in_english("exact page of update {n}", n=number[:12]))
    return await run_in_threadpool(exact_page.response, services.logs.disclosure, services.renderer, key, number)


def routes() -> list[BaseRoute]:
    """Return the routes of auditors."""
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
