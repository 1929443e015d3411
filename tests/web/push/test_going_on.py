"""A page for which something fails in an unexpected way is cut off, and costs the other pages nothing."""

import logging
from contextlib import AsyncExitStack

import pytest

from tests.web.push.stage import Stage, play, wait_until
from web.push import room
from web.push.sweep import Sweep

pytestmark = pytest.mark.once


def broken(*_given: object) -> None:
    raise ZeroDivisionError


def test_the_pages_after_one_that_cannot_be_visited_get_their_beats(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    visit = Sweep._visit

    async def story(stage: Stage) -> None:
        async with AsyncExitStack() as stack:
            pages = [await stack.enter_async_context(stage.page(0, tab=f"t{i}")) for i in range(4)]
            for page in pages:
                await page.hear()
            first = next(iter(stage.live._sweep._slices[0]))  # the one that is visited first
            monkeypatch.setattr(Sweep, "_visit", lambda self, w, *at: broken() if w is first else visit(self, w, *at))
            others = [page for i, page in enumerate(pages) if f"t{i}" != first.tab]
            for page in others:
                await page.until(lambda p: len(p.ticks) >= 3)
            assert await pages[int(first.tab[1:])].closed() == 1006
            assert first not in stage.watchers()
            assert len(stage.watchers()) == 3

    play(story, tick_every=0.25)
    assert [r.exc_info[0] for r in caplog.records if r.exc_info] == [ZeroDivisionError]


def test_the_pages_that_wait_for_the_same_read_as_one_that_fails_are_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(stage: Stage) -> None:
        stage.record(20)
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(stage.page(20))
            await first.hear()
            stage.log.open.clear()
            pages = [await stack.enter_async_context(stage.page(3, tab=f"t{i}")) for i in range(3)]
            await wait_until(lambda: len(stage.watchers()) == 4 and stage.log.reads[-1][0] == "frames")
            (waiting,) = (room_of._reads for room_of in stage.live._rooms.values())
            await wait_until(lambda: [len(watchers) for watchers in waiting.values()] == [3])
            perform, failed = room.Room._perform, list[str]()

            def fails_once(self: room.Room, watcher: room.Watcher, step: room.Step) -> None:
                if not failed:
                    failed.append(watcher.tab)
                    broken()
                perform(self, watcher, step)

            monkeypatch.setattr(room.Room, "_perform", fails_once)
            stage.log.open.set()
            await wait_until(lambda: failed)
            for i, page in enumerate(pages):
                if failed != [f"t{i}"]:
                    await page.until(lambda p: p.at == 20)
            assert await pages[int(failed[0][1:])].closed() == 1013

    play(story, ring_frames=4)
    assert [r.exc_info[0] for r in caplog.records if r.exc_info] == [ZeroDivisionError]


def test_work_that_ends_unexpectedly_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def story(stage: Stage) -> None:
        async def work() -> None:
            broken()

        stage.live._context.spawn(work())
        await wait_until(lambda: not stage.live._context.tasks)

    with caplog.at_level(logging.ERROR):
        play(story)
    ours = [record for record in caplog.records if record.name == "fanlight.push"]
    assert [record.exc_info[0] for record in ours] == [ZeroDivisionError]
