"""The converter service: plain HTTP on an inner network or a Unix socket; one file in, Microsoft Project's XML out.

Rule: it knows no organisation, no project and no secret; it keeps nothing. A body is refused by the length it claims
before it is read, and by what came where it claims none.
"""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import anyio
import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from domain.language import gettext as _
from web.converter import running
from web.converter.asking import TOLD
from web.converter.bounds import Allowance, Converted, missing
from web.converter.child import READERS
from web.importers.plan import BrokenFile, too_large

WAITING = 8  # requests at a time, one of which is converted


class _Refused(Exception):
    """A request is refused with this status and sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


def application(bounds: Allowance) -> Starlette:
    """Return the service."""
    turns, waiting = anyio.Semaphore(1), anyio.CapacityLimiter(WAITING)

    async def health(_request: Request) -> Response:
        lacks = missing()
        return JSONResponse({"ok": not lacks, "missing": lacks}, 503 if lacks else 200)

    async def convert(request: Request) -> Response:
        folder = tempfile.TemporaryDirectory(prefix="fanlight-converter-")
        try:
            waiting.acquire_on_behalf_of_nowait(folder)
        except anyio.WouldBlock:
            folder.cleanup()
            return _problem(503, _("Other files are being converted. Try again in some minutes."))
        try:
            file, out = Path(folder.name) / "file", Path(folder.name) / "plan.xml"
            kind = _kind(request, bounds)
            with anyio.fail_after(bounds.seconds):
                await _receive(request, file, bounds.max_bytes)
            async with turns:
                told = await run_in_threadpool(running.convert, kind, file, out, bounds)
        except _Refused as refused:
            _end(waiting, folder)
            return _problem(refused.status, refused.sentence)
        except BrokenFile as error:
            _end(waiting, folder)
            return _problem(422, error.problems[0].message)
        except TimeoutError:
            _end(waiting, folder)
            return _problem(408, _("The file did not arrive within {seconds} seconds.", seconds=bounds.seconds))
        except ClientDisconnect:
            _end(waiting, folder)
            return Response(status_code=400)  # which nobody reads
        except BaseException:
            _end(waiting, folder)
            raise
        return _Sent(out, told, lambda: _end(waiting, folder))

    return Starlette(
        routes=[Route("/healthz", health), Route("/convert", convert, methods=["POST"])],
    )


def _kind(request: Request, bounds: Allowance) -> str:
    kind = request.query_params.get("kind", "")
    if kind not in READERS:
        raise _Refused(404, _("Files of this kind are not converted."))
    claimed = request.headers.get("content-length", "")
    if claimed.isdecimal() and (len(claimed) > 18 or int(claimed) > bounds.max_bytes):
        raise _Refused(413, too_large(bounds.max_bytes))
    return kind


async def _receive(request: Request, file: Path, most: int) -> None:
    came = 0
    async with await anyio.open_file(file, "wb") as kept:
        async for piece in request.stream():
            came += len(piece)
            if came > most:
                raise _Refused(413, too_large(most))
            await kept.write(piece)


class _Sent(FileResponse):
    """What was converted, with what was met; whatever becomes of the connection, the folder ends with it."""

    def __init__(self, out: Path, told: Converted, end: Callable[[], None]) -> None:
        headers = {TOLD: json.dumps(msgspec.to_builtins(told))}
        super().__init__(out, headers=headers, media_type="application/xml")
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end()


def _end(waiting: anyio.CapacityLimiter, folder: "tempfile.TemporaryDirectory[str]") -> None:
    waiting.release_on_behalf_of(folder)
    folder.cleanup()


def _problem(status: int, sentence: str) -> Response:
    return JSONResponse({"problem": sentence}, status)
