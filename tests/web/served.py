"""A server process for the tests that end one: prints its port, publishes once a second's tenth, ends on SIGTERM."""

import asyncio
import sys

import msgspec

from tests.web.stage import Stage
from web.live import Pace
from web.server import run, tune_gc


def main(handed_over: bool) -> None:
    stage = Stage(msgspec.structs.replace(Pace(), drain=1.0), handed_over=handed_over)

    async def tell_port_and_publish() -> None:
        while not stage.server_started():
            await asyncio.sleep(0.01)
        print(stage.port, flush=True)
        while True:
            stage.publish(size=20_000)
            await asyncio.sleep(0.01)

    tune_gc()
    run(stage.config_for(), started=lambda server: stage.started(server, tell_port_and_publish))


if __name__ == "__main__":
    main(sys.argv[1] == "handed-over")
