"""A server process for the tests that end one: prints its port, publishes all the time, ends on SIGTERM."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from tests.web.push.stage import Stage
from web.push.pace import Pace
from web.push.server import run, server_config, tune_gc

STALLED = 4


def main(loop: str) -> None:
    stage = Stage(Pace(drain=1.0), handed_over=True)

    async def publish() -> None:
        told = False
        while True:
            stage.publish(size=40_000)
            await asyncio.sleep(0.01)
            if not told and sum(w.blocked for w in stage.watchers() if w.tab == "raw") == STALLED:
                told = True
                print("stalled", flush=True)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        publishing = asyncio.create_task(publish())
        yield
        publishing.cancel()
        await stage.live.drain(1.0)

    app = Starlette(routes=stage.app.routes, lifespan=lifespan)
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    print(listener.getsockname()[1], flush=True)
    tune_gc()
    run(server_config(app, "127.0.0.1", 0, loop=loop), [listener])


if __name__ == "__main__":
    main(sys.argv[1])
