"""The push layer alone: a log in memory behind the real server, so that a figure shows its cost and nothing else's."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from projections.receipts.claims import Receipt
from web.push.live import Live
from web.push.pace import Pace
from web.push.server import run, server_config, tune_gc
from web.push.viewer import Viewer

SHARE = "bench"
KEPT = 2000  # more than anybody is behind


class Recent:
    """A log that forgets, so that what a run measures is the push layer's memory."""

    def __init__(self) -> None:
        self._head = 0
        self._texts: dict[int, bytes] = {}

    def record(self, content: str) -> tuple[int, bytes]:
        """Disclose one more update."""
        self._head += 1
        self._texts[self._head] = msgspec.json.encode({"n": self._head, "content": content, "say": ""})
        self._texts.pop(self._head - KEPT, None)
        return self._head, self._texts[self._head]

    def head(self, share: str) -> int:  # noqa: ARG002  # one share
        return self._head

    def root(self, share: str, n: int) -> str:  # noqa: ARG002  # its messages carry none
        return ""

    def frames(self, share: str, after: int, limit: int) -> list[tuple[int, bytes]]:  # noqa: ARG002  # one share
        return [(n, self._texts[n]) for n in range(after + 1, min(after + limit, self._head) + 1) if n in self._texts]

    def keyframe(self, share: str, since: int) -> tuple[int, bytes]:  # noqa: ARG002  # one share
        return self._head, msgspec.json.encode({"n": self._head, "key": True, "content": "", "say": ""})


def create(log: Recent, live: Live) -> Starlette:
    """Return the application."""

    async def watch(websocket: WebSocket) -> None:
        viewer = Viewer(person="ann", share=websocket.path_params["share"], session="s", expires=0.0)
        await live.accept(websocket)
        await live.serve(websocket, viewer)

    async def publish(request: Request) -> Response:
        live.publish(SHARE, [log.record((await request.body()).decode())])
        return Response(status_code=204)

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        live.bind(asyncio.get_running_loop())
        yield
        await live.drain(0.5)

    routes = [
        Route("/pub", publish, methods=["POST"]),
        Route("/healthz", healthz),
        WebSocketRoute("/s/{share}/live", watch),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def main(port: str, loop: str = "auto") -> None:
    """Serve until SIGTERM."""
    log = Recent()
    received = 0

    def count(receipts: Sequence[Receipt]) -> None:
        nonlocal received
        received += len(receipts)

    config = server_config(create(log, Live(log, count, pace=Pace(drain=0.5))), "127.0.0.1", int(port), loop=loop)
    config.load()
    tune_gc()
    run(config)


if __name__ == "__main__":
    main(*sys.argv[1:])
