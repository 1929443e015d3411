"""Downloads of evidence bundles (a whole share, a period, one update), the key, and a share's newest checkpoint."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from pathlib import Path

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute

from domain.language import gettext as _
from domain.language import in_english, speaking
from projections import verify
from projections.evidence import bundle
from projections.evidence.bundle import Enclosures, NothingYet, ReadablePage, Wanted
from projections.evidence.spool import Spool
from web.door.guard import AUDIT, STAFF, VIEWERS, Signed, door, not_found, open_door
from web.evidence.page import readable
from web.process.rights import may_watch
from web.process.services import Services
from web.staff.consulted import consulted

AT_ONCE = 2  # bundles made at the same time
VERIFIER = Path(verify.__file__).parent / "standalone.py"  # handed out as it is, never imported here


class SignedUpTo(msgspec.Struct, frozen=True, kw_only=True):
    """The newest checkpoint of a share; number 0 when none was signed yet."""

    number: int
    size: int
    signed_at: datetime | None
    origin: str


def standing(services: Services, share: str) -> SignedUpTo:
    """Return the newest checkpoint of a share."""
    origin = services.notary.origin(share)
    newest = services.notary.newest(origin)
    if newest is None:
        return SignedUpTo(number=0, size=0, signed_at=None, origin=origin)
    return SignedUpTo(number=newest.number, size=newest.checkpoint.size, signed_at=newest.at, origin=origin)


@cache
def verifier() -> bytes:
    """Return the stand-alone verifier as it is put into every bundle."""
    return VERIFIER.read_bytes()


def wanted(query: Mapping[str, str], share: str, head: int, *, receipts: bool) -> Wanted | None:
    """Return what a query asks for: `n=397`, `from=3&to=9`, or nothing for the whole share.

    None when there is no such update; `head` is the newest number.
    """
    numbers = {name: query.get(name, "") for name in ("n", "from", "to")}
    if any(text and not (text.isdecimal() and len(text) < 10) for text in numbers.values()):
        return None
    if numbers["n"]:
        first = last = int(numbers["n"])
        asked_for = Wanted(share=share, kind="entry", first=first, to=last)
    elif numbers["from"] or numbers["to"]:
        first, last = int(numbers["from"] or 1), int(numbers["to"] or head)
        asked_for = Wanted(share=share, kind="period", first=first, to=last, receipts=receipts)
    else:
        return Wanted(share=share, receipts=receipts) if head else None
    return asked_for if 1 <= first <= last <= head else None


def made(services: Services, asked: Wanted, *, names: bool) -> Spool:
    """Return a bundle, on disk; `names` says whether its readable page may name the viewers. For threads.

    Raises: NothingYet.
    """
    services.receipts.flush()
    world = services.present.refresh()
    agreed = world.shares[asked.share]  # type: ignore[index]

    def page(content: ReadablePage) -> bytes:
        with speaking(agreed.language):
            return readable(services.pages, content, world.names_for(agreed.client) if names else None)

    enclosed = Enclosures(made_at=services.now(), verifier=verifier(), readable=page)
    return bundle.build(services.logs, services.notary, asked, enclosed)


async def _download(request: Request, signed: Signed, share: str, *, receipts: bool) -> Response:
    services: Services = request.app.state.services
    head = await run_in_threadpool(services.logs.disclosure.head, share)
    asked = wanted(dict(request.query_params), share, head, receipts=receipts)
    if asked is None:
        return PlainTextResponse(
            _("There is no such update; this record has the updates 1 to {head}.\n", head=head), 404
        )
    if receipts:
        sentence = in_english(
            "evidence of {kind} {first} to {to}", kind=asked.kind, first=asked.first, to=asked.to or head
        )
        await run_in_threadpool(consulted, services, signed, share, sentence)
    try:
        build = partial(made, services, asked, names=receipts)
        bundle_of = await to_thread.run_sync(build, limiter=_limiter(request))
    except NothingYet as error:
        return PlainTextResponse(f"{error}\n", 404)
    span = {"share": "record", "entry": f"update-{asked.first}"}.get(asked.kind, f"{asked.first}-{asked.to}")
    headers = {
        "content-disposition": f'attachment; filename="fanlight-{share}-{span}.zip"',
        "cache-control": "no-store",
        "content-length": str(bundle_of.size),
    }
    done = BackgroundTask(bundle_of.close)
    return StreamingResponse(bundle_of.pieces(), media_type="application/zip", headers=headers, background=done)


def _limiter(request: Request) -> CapacityLimiter:
    """Return what lets `AT_ONCE` bundles be made at a time in this process; others wait for their turn."""
    state = request.app.state
    if not hasattr(state, "bundles"):
        state.bundles = CapacityLimiter(AT_ONCE)
    limiter: CapacityLimiter = state.bundles
    return limiter


async def for_staff(request: Request, signed: Signed) -> Response:
    """`GET /p/{project}/shares/{share}/evidence.zip?n=|from=&to=`: with receipts and names."""
    services: Services = request.app.state.services
    share = services.present.refresh().shares.get(request.path_params["share"])
    if share is None or share.project != request.path_params["project"]:
        return not_found()
    return await _download(request, signed, share.id, receipts=True)


async def for_auditors(request: Request, signed: Signed) -> Response:
    """`GET /audit/shares/{share}/evidence.zip?n=|from=&to=`: with receipts and names."""
    services: Services = request.app.state.services
    share = services.present.refresh().shares.get(request.path_params["share"])
    return not_found() if share is None else await _download(request, signed, share.id, receipts=True)


async def for_viewers(request: Request, signed: Signed) -> Response:
    """`GET /s/{share}/evidence.zip?n=|from=&to=`: the client's own record, without anybody's receipts."""
    services: Services = request.app.state.services
    share = request.path_params["share"]
    if not may_watch(services.present, signed, share):
        return not_found()
    return await _download(request, signed, share, receipts=False)


async def key(request: Request) -> Response:
    """`GET /key.txt`: the verification key, for anybody to keep before they need it."""
    services: Services = request.app.state.services
    return PlainTextResponse(services.notary.verification_key + "\n", headers={"cache-control": "no-store"})


def routes() -> list[BaseRoute]:
    """Return the routes of evidence."""
    return [
        open_door("/key.txt", key),
        door("/p/{project}/shares/{share}/evidence.zip", for_staff, allow=STAFF, kind="export"),
        door("/audit/shares/{share}/evidence.zip", for_auditors, allow=AUDIT, kind="export"),
        door("/s/{share}/evidence.zip", for_viewers, allow=VIEWERS, kind="export"),
    ]
