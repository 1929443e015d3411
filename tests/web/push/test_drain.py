"""A restart: dashboards are told in slices, those that do not listen hold nobody up, and the process ends well."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.web.push.served import STALLED
from tests.web.push.stage import Page, RawPage, Stage, loop_factory, play, wait_until
from web.push.pace import Pace

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_server_told_to_stop_says_so_to_every_page_and_exits_cleanly_with_stalled_ones(loop):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.web.push.served", loop],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        port = int(process.stdout.readline())
        with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
            assert runner.run(asyncio.wait_for(pages_until_the_end(port, process), 60)) == [1012] * 60
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


async def pages_until_the_end(port: int, process: subprocess.Popen) -> list[int]:
    stage = Stage(Pace(), handed_over=True)  # only for its address
    stage.port = port
    async with AsyncExitStack() as stack:
        stalled = [await RawPage.open(stage) for _ in range(STALLED)]
        sockets = [await stack.enter_async_context(connect(stage.url(), max_size=None)) for _ in range(60)]
        pages = [Page(socket) for socket in sockets]
        for page in pages:
            await page.hello(0)
        reading = [asyncio.create_task(page.closed()) for page in pages]
        assert await asyncio.to_thread(process.stdout.readline) == b"stalled\n"
        process.send_signal(signal.SIGTERM)
        codes = await asyncio.gather(*reading)
        assert all(page.at > 0 for page in pages)
        for raw in stalled:
            raw.close()
        return codes


def test_pages_are_closed_in_slices_so_that_they_do_not_all_come_back_at_once():
    async def story(stage: Stage) -> None:
        async with AsyncExitStack() as stack:
            pages = [await stack.enter_async_context(stage.page(0)) for _ in range(200)]
            await wait_until(lambda: sum(w.ready for w in stage.watchers()) == 200)
            draining = asyncio.create_task(stage.live.drain(0.5))
            left = []
            while (open_now := len(stage.watchers())) > 0:
                left.append(open_now)
                stage.publish()
                await asyncio.sleep(0)
            assert len(set(left)) >= 3, "everyone was closed in the same instant"
            assert [await page.closed() for page in pages] == [1012] * 200
            served = [page.at for page in pages]
            assert max(served) > min(served)  # those still open were served meanwhile
            async with stage.page(0) as late:
                assert await late.closed() == 1012
            await draining

    play(story)


def test_a_drain_asked_for_twice_is_one_drain():
    async def story(stage: Stage) -> None:
        async with stage.page(0) as page:
            await page.hear()
            await asyncio.gather(stage.live.drain(0.2), stage.live.drain(0.2), page.closed())
            first = stage.live._draining
            await stage.live.drain(5)
            assert stage.live._draining is first
            assert first.done()

    play(story)
