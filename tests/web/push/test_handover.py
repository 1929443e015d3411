"""Pages that do not behave: slow, stalled, half gone, talking in pieces. They may harm nobody but themselves."""

import asyncio
import json
from contextlib import suppress

import pytest

from tests.web.push.stage import SHARE, RawPage, Stage, client_frame, play, wait_until
from web.push import wire

pytestmark = pytest.mark.once

BIG = 50_000  # bytes an update; a few hundred fill any buffer of the kernel


@pytest.fixture(params=["asyncio", "uvloop"])
def tell(request):
    return lambda story, **pace: play(story, loop=request.param, **pace)


async def publish_to_stall(stage: Stage, pages: int, quick=None, total: int = 300) -> None:
    """Publish big updates at the pace of the quick page, if there is one, and see the raw pages stall."""
    for n in range(1, total + 1):
        stage.publish(size=BIG)
        if quick is not None:
            await quick.until(lambda p, n=n: p.at == n)
        else:
            await asyncio.sleep(0)
    dropped = stage.live.counts  # some may have been silent for too long meanwhile, where that is a moment
    await wait_until(lambda: sum(w.blocked for w in stage.watchers()) + dropped.aborted == pages)


def test_a_page_that_does_not_read_is_left_at_its_number_and_nobody_else_notices(tell):
    async def story(stage: Stage) -> None:
        async with stage.page(0) as quick:
            stalled = [await RawPage.open(stage) for _ in range(5)]
            await wait_until(lambda: sum(w.ready for w in stage.watchers()) == 6)
            await publish_to_stall(stage, 5, quick)
            assert quick.numbers == list(range(1, 301))  # none late, none lost
            behind = [w for w in stage.watchers() if w.blocked]
            held = {w.transport.get_write_buffer_size() for w in behind}
            before = [w.sent for w in behind]
            assert all(0 < w.sent < 300 for w in behind)
            assert max(held) <= stage.live.pace.slice_bytes + BIG + 1_000  # one write, however far behind
            stage.publish(50, size=BIG)
            await quick.until(lambda p: p.at == 350)
            assert [w.sent for w in behind] == before
            assert {w.transport.get_write_buffer_size() for w in behind} == held
            slow = stalled[0]
            for n in range(1, 351):  # it reads again: everything, in order, from the ring and from the log
                assert await slow.number() == n
            stage.publish()
            assert await slow.number() == 351
            for page in stalled:
                page.close()
        await wait_until(lambda: stage.watchers() == [])

    tell(story, slice_bytes=100_000, ring_bytes=1_000_000)


def test_a_page_stalled_for_longer_than_the_keepalive_allows_is_dropped_and_resumes_by_number(tell):
    async def story(stage: Stage) -> None:
        stalled = await RawPage.open(stage)
        await wait_until(lambda: sum(w.ready for w in stage.watchers()) == 1)
        await publish_to_stall(stage, 1)
        await wait_until(lambda: stage.live.counts.aborted == 1)
        assert stage.watchers() == []
        got = []
        with suppress(OSError):  # what the kernel still held, then the reset
            while True:
                got.append(await stalled.number())
        assert got == list(range(1, len(got) + 1))
        async with stage.page(len(got)) as back:
            await back.until(lambda p: p.at == 300)
            assert back.numbers == list(range(len(got) + 1, 301))
        stalled.close()

    tell(story, tick_every=0.1, dead_after=0.5)


def test_a_peer_that_is_gone_without_a_word_is_found_and_a_silent_page_is_not(tell):
    async def story(stage: Stage) -> None:
        async with stage.page(0) as silent:  # says nothing, but a browser answers pings by itself
            gone = await RawPage.open(stage)
            await wait_until(lambda: len(stage.watchers()) == 2)
            await silent.until(lambda p: stage.live.counts.aborted == 1)
            enough = len(silent.ticks) + 10
            await silent.until(lambda p: len(p.ticks) > enough)
            assert len(stage.watchers()) == 1
            stage.publish()
            await silent.until(lambda p: p.at == 1)
            with suppress(OSError):
                while True:
                    await gone.hear()
            gone.close()

    tell(story, tick_every=0.05, dead_after=0.3)


def test_words_that_come_a_byte_at_a_time_or_in_fragments_are_understood(tell):
    async def story(stage: Stage) -> None:
        stage.record(3)
        page = await RawPage.open(stage, None)
        for byte in client_frame(b'{"hello":1,"tab":"raw","v":2}'):
            await page.send(bytes((byte,)))
            await asyncio.sleep(0)
        assert [await page.number(), await page.number()] == [2, 3]
        pieces = [client_frame(b'{"app', 0x01), client_frame(b"", 0x89), client_frame(b'lied":', 0x00)]
        for piece in (*pieces, client_frame(b"3}", 0x80), client_frame(b'{"painted":3,"from":1}')):
            await page.send(piece)
            await asyncio.sleep(0)
        assert await page.hear(0x8A) == b""  # the ping between the fragments was answered
        await wait_until(lambda: [(r.kind, r.n) for r in stage.receipts] == [("delivered", 3), ("displayed", 3)])
        (watcher,) = stage.watchers()
        assert watcher._inbox is None  # nothing is kept once nothing is incomplete
        page.close()

    tell(story)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (b"\x81\x05hello", 1002),  # not masked
        (client_frame(b"x", 0xC1), 1002),  # compressed without agreement
        (client_frame(b"x", 0x83), 1002),  # an opcode nobody has
        (client_frame(b"x", 0x80), 1002),  # the end of nothing
        (b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 1009),  # "the rest follows"
        (client_frame(b"\xff\xfe{}"), 4426),  # not UTF-8
        (client_frame(b"x" * 130, 0x89), 1002),  # a ping too long
    ],
)
def test_bytes_that_break_the_protocol_end_that_page_with_a_code(tell, what, code):
    async def story(stage: Stage) -> None:
        page = await RawPage.open(stage, 0)
        await page.hear()
        await page.send(what + b"\x00" * 5_000)
        assert int.from_bytes((await page.hear(wire.CLOSE))[:2], "big") == code
        page.close()
        await wait_until(lambda: stage.server.server_state.connections == set())

    tell(story)


def test_a_page_that_asks_for_answers_without_reading_them_cannot_pile_them_up(tell):
    async def story(stage: Stage) -> None:
        page = await RawPage.open(stage)
        await wait_until(lambda: sum(w.ready for w in stage.watchers()) == 1)
        await publish_to_stall(stage, 1)
        (watcher,) = stage.watchers()
        held = watcher.transport.get_write_buffer_size()
        for _ in range(100):
            await page.send(client_frame(b"x" * 125, 0x89))
        await wait_until(lambda: watcher.budget <= stage.live.pace.inbound - 100)
        assert watcher.transport.get_write_buffer_size() == held
        page.close()

    tell(story)


def test_what_a_page_says_before_the_hand_over_is_not_lost_and_reading_goes_on(tell):
    async def story(stage: Stage) -> None:
        stage.record(2)
        accepted, go_on = asyncio.Event(), asyncio.Event()
        serve = stage.live.serve

        async def later(*arguments: object) -> None:
            accepted.set()
            await go_on.wait()
            await serve(*arguments)

        stage.live.serve = later
        page = await RawPage.open(stage, None)
        await accepted.wait()
        await page.send(client_frame(b'{"hello":1,"tab":"raw","v":2}') + client_frame(b'{"applied":1}')[:9])
        protocol = next(iter(stage.server.server_state.connections))
        await wait_until(lambda: len(protocol.early) > 20)
        go_on.set()
        await wait_until(lambda: len(stage.watchers()) == 1)
        await page.send(client_frame(b'{"applied":1}')[9:])
        assert await page.number() == 2
        await wait_until(lambda: [(r.kind, r.n) for r in stage.receipts] == [("delivered", 1)])
        page.close()

    tell(story)


def test_a_page_that_left_before_the_hand_over_leaves_nothing(tell):
    async def story(stage: Stage) -> None:
        page, gone = None, asyncio.Event()
        serve = stage.live.serve

        async def later(websocket, *arguments: object) -> None:
            protocol = websocket.scope["extensions"]["fanlight"]
            await wait_until(lambda: protocol.disconnected)
            await serve(websocket, *arguments)
            gone.set()

        stage.live.serve = later
        page = await RawPage.open(stage, None)
        page.close()
        await asyncio.wait_for(gone.wait(), 10)
        assert stage.watchers() == []
        assert stage.server.server_state.connections == set()

    tell(story)


def test_a_close_by_the_page_is_answered_with_its_own_code(tell):
    async def story(stage: Stage) -> None:
        page = await RawPage.open(stage)
        await page.hear()
        await page.send(client_frame((1001).to_bytes(2, "big"), 0x88))
        assert await page.hear(wire.CLOSE) == (1001).to_bytes(2, "big")
        with pytest.raises(OSError):
            await page.hear()
        page.close()
        await wait_until(lambda: stage.watchers() == [])

    tell(story)


def test_a_close_that_the_page_never_answers_ends_by_itself(tell):
    async def story(stage: Stage) -> None:
        page = await RawPage.open(stage)
        await page.hear()
        stage.live.end_share(SHARE)
        assert await page.hear(wire.CLOSE) == (4403).to_bytes(2, "big")
        await wait_until(lambda: stage.server.server_state.connections == set())
        page.close()

    tell(story, tick_every=0.1, close_grace=0.2)


def test_an_ended_share_cuts_a_stalled_page_at_what_it_was_sent(tell):
    async def story(stage: Stage) -> None:
        page = await RawPage.open(stage)
        await wait_until(lambda: sum(w.ready for w in stage.watchers()) == 1)
        await publish_to_stall(stage, 1)
        sent = stage.watchers()[0].sent
        stage.live.end_share(SHARE)
        stage.publish(3)
        seen = []
        with suppress(OSError):
            while True:
                message = json.loads(await page.hear())
                seen.append(message.get("n", message.get("tick")))
        assert seen[-1] <= sent
        page.close()

    tell(story, tick_every=0.1, close_grace=0.2)
