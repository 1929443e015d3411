"""What a client's open dashboard is told, through real sockets: every update once, in order, and nothing else.

Each story runs on asyncio and uvloop, handed over and by the portable path: the same messages every time.
"""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.web.push.stage import SHARE, WAYS, Stage, play, receipt_facts, seeded, wait_until

pytestmark = pytest.mark.once


@pytest.fixture(params=WAYS)
def tell(request):
    loop, handed_over = request.param
    return lambda story, **pace: play(story, loop=loop, handed_over=handed_over, **pace)


def test_an_update_reaches_every_open_dashboard_of_its_share_and_no_other(tell):
    async def story(stage: Stage) -> None:
        async with stage.page() as one, stage.page() as two, stage.page(share="city") as other:
            for page in (one, two, other):
                assert await page.hear() == {"tick": 0}  # a hello is always answered
            stage.publish()
            for page in (one, two):
                await page.until(lambda p: p.numbers == [1])
                assert page.raw[1] == stage.log.texts[SHARE][0].decode()  # the bytes that were recorded
            stage.publish(share="city")
            await other.until(lambda p: p.numbers == [1])
            assert len(other.heard) == 2

    tell(story)


def test_what_comes_in_a_burst_goes_out_joined_and_an_update_by_itself_waits_for_nothing(tell):
    async def story(stage: Stage) -> None:
        counts = stage.live.counts
        async with stage.page() as page:
            await page.until(lambda p: p.ticks == [0])
            stage.publish()
            await page.until(lambda p: p.at == 1)
            assert counts.rounds == 1
            for _ in range(5):  # while the room rests
                stage.publish()
                await asyncio.sleep(0.005)
            await page.until(lambda p: p.at == 6)
            assert counts.rounds == 2
            await asyncio.sleep(1.0)  # it has rested
            stage.publish()
            for _ in range(5):
                await asyncio.sleep(0)
            assert counts.rounds == 3
            await page.until(lambda p: p.at == 7)
            assert page.numbers == list(range(1, 8))

    tell(story, rest=1e9, longest_rest=0.9)


def test_pages_that_come_while_updates_are_published_get_each_once_in_order(tell):
    chance = seeded()

    async def story(stage: Stage) -> None:
        stage.record(400)
        total, pages = 700, []

        async def reader() -> None:
            await asyncio.sleep(chance.random() * 0.3)
            start = chance.choice([chance.randrange(max(1, stage_head(stage) - 60), stage_head(stage) + 1), 0, 350])
            async with stage.page(start) as page:
                await page.until(lambda p: max(p.at, start) == total)  # one that comes last stands there already
            pages.append((start, page))

        async def publisher() -> None:
            while stage_head(stage) < total:
                stage.publish(min(chance.randrange(1, 9), total - stage_head(stage)))
                await asyncio.sleep(chance.random() * 0.006)

        await asyncio.gather(publisher(), *(reader() for _ in range(40)))
        assert len(pages) == 40
        for start, page in pages:
            assert page.keys == []
            assert page.numbers == list(range(start + 1, total + 1)), start
            assert [m["content"] for m in page.heard if "n" in m] == [f"{SHARE} {n} " for n in page.numbers]

    tell(story, ring_frames=16, slice_frames=16, far=10_000, chunk=4)


def stage_head(stage: Stage) -> int:
    return len(stage.log.texts.get(SHARE, []))


def test_a_page_resumes_at_any_number_whether_the_ring_or_only_the_log_has_it(tell):
    async def story(stage: Stage) -> None:
        stage.record(12)
        async with stage.page(12) as first:
            await first.hear()
            for since in range(13):
                async with stage.page(since) as page:
                    await page.until(lambda p, since=since: p.at == 12 or p.ticks == [12])
                    assert page.numbers == list(range(since + 1, 13))
                    assert page.keys == []
        assert ("frames", SHARE, 0, 3) in stage.log.reads  # in bounded slices
        assert all(read[0] != "keyframe" for read in stage.log.reads)

    tell(story, ring_frames=4, slice_frames=3)


def test_a_page_too_far_behind_gets_the_whole_view_once_and_goes_on_from_there(tell):
    async def story(stage: Stage) -> None:
        stage.record(30)
        async with stage.page(19) as page:
            await page.until(lambda p: p.keys)
            assert page.heard[0]["content"] == f"all of {SHARE} for 19"
            stage.publish()
            await page.until(lambda p: p.numbers == [31])
        async with stage.page(21) as near:
            await near.until(lambda p: p.at == 31)
            assert near.keys == []

    tell(story, far=10)


@pytest.mark.parametrize("wrong", [4, 10**12, -1, -(10**9)])
def test_a_number_the_share_never_had_is_reset_and_learns_nothing_else(tell, wrong):
    async def story(stage: Stage) -> None:
        stage.record(3)
        stage.record(50, "city")  # what another share is at does not matter
        async with stage.page(wrong) as page:
            await page.until(lambda p: p.keys)
            assert page.heard == [{"reset": True}, {"n": 3, "key": True, "content": f"all of {SHARE} for 0"}]
            stage.publish()
            await page.until(lambda p: p.numbers == [4])
        async with stage.page(7, share="new") as nothing_yet:
            assert await nothing_yet.hear() == {"reset": True}
            assert await nothing_yet.hear() == {"tick": 0}

    tell(story)


def test_a_page_newer_than_the_announcement_is_believed_when_the_log_agrees(tell):
    async def story(stage: Stage) -> None:
        async with stage.page(0) as old:
            await old.hear()
            late = stage.record(2)  # committed, a page is rendered from it, not yet announced
            async with stage.page(2) as fresh:
                assert await fresh.hear() == {"tick": 2}
                await old.until(lambda p: p.numbers == [1, 2])  # a committed number is never waited for twice
                stage.live.publish(SHARE, late)
                stage.publish()
                await fresh.until(lambda p: p.at == 3)
                await old.until(lambda p: p.at == 3)
                assert fresh.numbers == [3]
                assert old.numbers == [1, 2, 3]

    tell(story)


def test_announcements_may_repeat_overlap_and_leave_gaps(tell):
    async def story(stage: Stage) -> None:
        async with stage.page(0) as page:
            await page.hear()
            made = stage.record(200)
            for part in (made[0:2], made[1:3], made[50:51], made[0:1], made[199:200], made[120:140]):
                stage.live.publish(SHARE, part)
                await asyncio.sleep(0)
            await page.until(lambda p: p.at == 200)
            assert page.numbers == list(range(1, 201))

    tell(story, slice_frames=16)


def test_updates_published_while_the_log_is_being_read_come_after_what_was_read(tell):
    async def story(stage: Stage) -> None:
        stage.record(10)
        async with stage.page(10) as quick:
            await quick.hear()
            stage.log.open.clear()
            async with stage.page(2) as slow:
                await wait_until(lambda: stage.log.reads[-1] == ("frames", SHARE, 2, 5))
                for _ in range(20):
                    stage.publish()
                    await asyncio.sleep(0)
                await quick.until(lambda p: p.at == 30)  # nobody waits for another page's read
                stage.log.open.set()
                await slow.until(lambda p: p.at == 30)
                assert slow.numbers == list(range(3, 31))
                assert quick.numbers == list(range(11, 31))

    tell(story, ring_frames=4, slice_frames=5)


def test_a_heartbeat_while_the_log_is_being_read_changes_nothing(tell):
    async def story(stage: Stage) -> None:
        stage.record(10)
        async with stage.page(10) as there:
            await there.hear()
            stage.log.open.clear()
            async with stage.page(2) as page:
                await page.until(lambda p: p.ticks == [2, 2, 2])
                for watcher in stage.watchers():  # as after a heartbeat that could not be written at once
                    watcher.pause_writing()
                    watcher.resume_writing()
                stage.log.open.set()
                await page.until(lambda p: p.at == 10)
                stage.publish()
                await page.until(lambda p: p.at == 11)
                assert page.numbers == list(range(3, 12))

    tell(story, ring_frames=4, tick_every=0.05)


def test_a_storm_of_returning_pages_costs_a_read_or_two_not_one_each(tell):
    async def story(stage: Stage) -> None:
        stage.record(40)
        stage.log.open.clear()

        async def back() -> None:
            async with stage.page(20) as page:
                await page.until(lambda p: p.at == 40)
                assert page.numbers == list(range(21, 41))

        pages = [asyncio.create_task(back()) for _ in range(50)]
        await wait_until(lambda: len(stage.watchers()) == 50)
        stage.log.open.set()
        await asyncio.gather(*pages)
        assert len(stage.log.reads) <= 8

    tell(story, ring_frames=4)


def test_a_page_may_ask_for_the_whole_view_but_not_without_end(tell):
    async def story(stage: Stage) -> None:
        stage.record(5)
        async with stage.page(5) as page:
            await page.hear()
            await page.say(resync=3)
            await page.until(lambda p: p.keys == [5])
            assert page.heard[-1]["content"] == f"all of {SHARE} for 3"
            stage.publish()
            await page.until(lambda p: p.numbers == [6])
            for _ in range(9):
                await page.say(resync=6)
            assert await page.closed() == 1013

    tell(story)


def test_the_heartbeat_carries_the_head_at_a_constant_cadence_and_never_gets_ahead(tell):
    async def story(stage: Stage) -> None:
        async with stage.page(0) as page, stage.page(0, share="city") as busy:
            await busy.hear()
            for _ in range(3):
                stage.publish(share="city")
            await page.until(lambda p: len(p.ticks) == 3)
            stage.publish()
            await page.until(lambda p: p.ticks[-1] == 1)
            assert page.numbers == [1]
            assert page.ticks[:3] == [0, 0, 0]

    tell(story, tick_every=0.05)


def test_pages_that_come_at_once_share_one_sweep_and_keep_the_cadence_of_a_single_page(tell):
    async def story(stage: Stage) -> None:
        async with AsyncExitStack() as stack:
            alone = await stack.enter_async_context(stage.page(0))
            pages = await asyncio.gather(*(stack.enter_async_context(stage.page(0)) for _ in range(40)))
            await alone.until(lambda p: len(p.ticks) == 8)
            await pages[0].until(lambda p: len(p.ticks) == 7)
            assert len([task for task in asyncio.all_tasks() if "Sweep" in repr(task)]) == 1

    tell(story, tick_every=0.2)


def test_receipts_are_kept_apart_and_a_claim_of_more_than_was_sent_is_refused(tell):
    async def story(stage: Stage) -> None:
        async with stage.page(0, person="bo", session="s-9", tab="tab-7") as page:
            await page.hear()
            await page.say(applied=1)  # not sent yet
            await page.say(painted=0, from_=5)
            await wait_until(lambda: stage.live.counts.refused == 2)
            stage.publish(3)
            await page.until(lambda p: p.at == 3)
            await page.say(applied=3)
            await page.say(painted=3, from_=0)
            await page.say(applied=2)  # older than what is claimed already
            await page.say(paused=3)
            await page.say(paused=3)
            await page.say(resumed=3)
            await page.say(hidden=3)
            await page.say(applied=4)
            await wait_until(lambda: stage.live.counts.refused == 3 and len(stage.receipts) == 5)
            await page.say(painted=3, from_=3)  # back in sight
            await wait_until(lambda: len(stage.receipts) == 6)
        await wait_until(lambda: len(stage.receipts) == 7)
        assert receipt_facts(stage.receipts) == [
            ("delivered", 3, 0),
            ("displayed", 3, 0),
            ("paused", 3, 0),
            ("resumed", 3, 0),
            ("hidden", 3, 0),
            ("displayed", 3, 3),
            ("closed", 3, 0),
        ]
        assert {(r.share, r.person, r.session, r.tab, r.at) for r in stage.receipts} == {
            (SHARE, "bo", "s-9", "tab-7", 1_000.0)
        }

    tell(story)


def test_the_manager_sees_who_is_watching_and_how_far_they_are(tell):
    async def story(stage: Stage) -> None:
        stage.record(4)
        async with stage.page(2, person="bo", tab="tab-7") as page:
            await page.until(lambda p: p.at == 4)
            await page.say(painted=4, from_=2)
            await page.say(hidden=4)
            await page.say(paused=4)
            await wait_until(lambda: [w.paused for w in stage.live.watching(SHARE)] == [True])
            (seen,) = stage.live.watching(SHARE)
            assert (seen.person, seen.tab, seen.since, seen.sent, seen.displayed) == ("bo", "tab-7", 2, 4, 4)
            assert not seen.visible
        await wait_until(lambda: stage.live.watching(SHARE) == [])

    tell(story)


def test_a_log_that_cannot_be_read_sends_pages_away_to_come_back(tell):
    async def story(stage: Stage) -> None:
        stage.record(30)
        stage.log.broken = True
        async with stage.page(3) as page:
            assert await page.closed() == 1013
        stage.log.broken = False
        async with stage.page(3) as page:
            await page.until(lambda p: p.at == 30)
            stage.log.broken = True
            async with stage.page(2) as late:
                assert await late.closed() == 1013
            stage.publish()
            await page.until(lambda p: p.at == 31)  # the others go on

    tell(story, ring_frames=4)
