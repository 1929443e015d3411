"""How an open dashboard ends: share, person and sign-in ended, expired, or a page that does not keep to the protocol.

Each story runs on asyncio and uvloop, handed over and by the portable path.
"""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.web.push.stage import SHARE, WAYS, Stage, play

pytestmark = pytest.mark.once


@pytest.fixture(params=WAYS)
def tell(request):
    loop, handed_over = request.param
    return lambda story, **pace: play(story, loop=loop, handed_over=handed_over, **pace)


def test_ending_a_share_closes_its_dashboards_and_nothing_numbered_later_is_sent(tell):
    async def story(stage: Stage) -> None:
        async with stage.page(0) as one, stage.page(0) as two, stage.page(0, share="city") as other:
            for page in (one, two, other):
                await page.hear()
            stage.publish(2)
            await one.until(lambda p: p.at == 2)
            stage.live.end_share(SHARE)
            stage.publish(5)
            for page in (one, two):
                assert await page.closed() == 4403
                assert page.numbers == [1, 2]
            stage.publish(share="city")
            await other.until(lambda p: p.numbers == [1])

    tell(story)


def test_ending_in_the_middle_of_a_round_stops_it_for_those_it_had_not_reached(tell):
    async def story(stage: Stage) -> None:
        async with AsyncExitStack() as stack:
            pages = [await stack.enter_async_context(stage.page(0)) for _ in range(6)]
            for page in pages:
                await page.hear()
            stage.publish()
            await asyncio.sleep(0)  # the round has begun
            stage.live.end_share(SHARE)
            assert [await page.closed() for page in pages] == [4403] * 6
            assert all(page.numbers in ([], [1]) for page in pages)

    tell(story, chunk=1)


def test_signing_out_and_removing_a_person_close_only_their_sockets(tell):
    async def story(stage: Stage) -> None:
        async with (
            stage.page(0, person="ann", session="s-1") as ann,
            stage.page(0, person="ann", session="s-2") as ann_too,
            stage.page(0, person="bo", session="s-3") as bo,
        ):
            for page in (ann, ann_too, bo):
                await page.hear()
            stage.live.end_session("s-1")
            assert await ann.closed() == 4401
            stage.live.end_person(SHARE, "ann")
            assert await ann_too.closed() == 4403
            stage.publish()
            await bo.until(lambda p: p.numbers == [1])

    tell(story)


def test_rights_that_end_between_the_decision_and_the_first_byte_end_that_page(tell):
    async def story(stage: Stage) -> None:
        stage.record(3)

        async def revoked_meanwhile() -> None:
            stage.live.end_share(SHARE)

        stage.on_request = revoked_meanwhile
        async with stage.page(0) as page:
            assert await page.closed() == 4403
            assert page.heard == []
        stage.on_request = None
        async with stage.page(0) as again:  # agreed anew, and decided anew
            await again.until(lambda p: p.at == 3)

    tell(story)


def test_a_sign_in_that_expires_closes_the_dashboard(tell):
    async def story(stage: Stage) -> None:
        async with stage.page(0, expires=2_000) as page, stage.page(0) as stays:
            await page.until(lambda p: len(p.ticks) == 3)
            stage.now = 2_000.0
            assert await page.closed() == 4401
            await stays.until(lambda p: len(p.ticks) == 3)

    tell(story, tick_every=0.05)


def test_nothing_is_sent_once_a_sign_in_is_over_however_long_until_the_next_sweep(tell):
    async def story(stage: Stage) -> None:
        async with stage.page(0, expires=2_000) as page, stage.page(0, expires=2_000) as behind:
            for one in (page, behind):
                await one.hear()
            stage.publish()
            await page.until(lambda p: p.numbers == [1])
            stage.now = 2_001.0
            stage.publish()
            assert await page.closed() == 4401
            assert page.numbers == [1]
            assert await behind.closed() == 4401
        async with stage.page(1, expires=2_000) as late:
            assert await late.closed() == 4401
            assert late.heard == []

    tell(story, tick_every=60.0)


@pytest.mark.parametrize(
    "words",
    [
        "garbage",
        '{"hello":"three","tab":"t","v":2}',
        '{"hello":0,"tab":"t","v":1}',
        '{"hello":0,"v":2}',
        '{"hello":0,"tab":"<script>","v":2}',
        '{"applied":0}',
        "[]",
        '{"something":1}',
        b"\x00\x01",
        '{"hello":99999999999999999999999,"tab":"t","v":2}',
    ],
)
def test_words_of_another_protocol_ask_the_page_to_reload(tell, words):
    async def story(stage: Stage) -> None:
        async with stage.page(None) as page:
            await page.socket.send(words)
            assert await page.closed() == 4426
            assert page.heard == []

    tell(story)


def test_a_second_hello_is_of_another_protocol_too(tell):
    async def story(stage: Stage) -> None:
        async with stage.page(0) as page:
            await page.hello(0)
            assert await page.closed() == 4426

    tell(story)


def test_a_page_that_never_says_hello_is_sent_nothing_and_closed(tell):
    async def story(stage: Stage) -> None:
        stage.record(3)
        async with stage.page(None) as page:
            assert await page.closed() == 4426
            assert page.heard == []

    tell(story, tick_every=0.05, hello_within=0.1)


def test_a_message_longer_than_any_page_sends_is_refused(tell):
    async def story(stage: Stage) -> None:
        async with stage.page(0) as page:
            await page.hear()
            await page.socket.send('{"applied":0,"more":"' + "x" * 70_000 + '"}')
            assert await page.closed() == 1009
        async with stage.page(0) as page:
            await page.socket.send(["x" * 2_000] * 3)  # in fragments
            assert await page.closed() == 1009
        assert stage.watchers() == []

    tell(story)


def test_a_page_that_talks_without_end_is_sent_away(tell):
    async def story(stage: Stage) -> None:
        async with stage.page(0) as page:
            for _ in range(40):
                await page.say(applied=0)
            assert await page.closed() == 1013

    tell(story, inbound=30)
