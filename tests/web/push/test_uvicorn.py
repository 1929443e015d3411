"""What the hand-over relies on in uvicorn. A new version that behaves otherwise fails here first, by name.

See docs/decisions/0001-handing-the-socket-over.md.
"""

import asyncio
import gc

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from tests.web.push.stage import BY_UVICORN, PATIENCE, RawPage, Stage, client_frame, play, wait_until
from web.push import wire
from web.push.handover import FanProtocol
from web.push.handshake import Handshake
from web.push.patience import PatientProtocol
from web.push.server import server_config, tune_gc

pytestmark = pytest.mark.once


@pytest.fixture(params=["asyncio", "uvloop"])
def tell(request):
    return lambda story, **pace: play(story, loop=request.param, **pace)


def connections(stage: Stage) -> set:
    return stage.server.server_state.connections


async def with_app(stage: Stage, endpoint) -> None:
    """Have another endpoint answer at the live address, on the same protocol class."""
    stage.config.loaded_app = Starlette(routes=[WebSocketRoute("/s/{share}/live", endpoint)])


def test_the_protocol_class_has_the_parts_that_the_hand_over_uses(tell):
    async def story(stage: Stage) -> None:
        seen = {}

        async def endpoint(websocket) -> None:
            await websocket.accept()
            protocol = websocket.scope["extensions"]["fanlight"]
            for name in (
                "transport",
                "connections",
                "disconnected",
                "close_sent",
                "read_paused",
                "handshake_initiated",
            ):
                seen[name] = getattr(protocol, name)
            seen["stop_keepalive"] = callable(protocol.stop_keepalive)

        await with_app(stage, endpoint)
        page = await RawPage.open(stage, None, extra=BY_UVICORN)
        await wait_until(lambda: "stop_keepalive" in seen)
        assert isinstance(seen["transport"], asyncio.Transport) or hasattr(seen["transport"], "set_protocol")
        assert seen["connections"] is connections(stage)
        assert (seen["disconnected"], seen["close_sent"], seen["read_paused"]) == (False, False, False)
        assert seen["handshake_initiated"] is True
        page.close()

    tell(story)


def test_the_extension_is_a_subclass_of_the_sansio_protocol_and_config_takes_it():
    assert issubclass(FanProtocol, WebSocketsSansIOProtocol)
    config = server_config(lambda: None, "127.0.0.1", 0)
    config.load()
    assert config.ws_protocol_class is FanProtocol
    assert (config.backlog, config.ws_max_size, config.ws_per_message_deflate) == (4096, 65536, False)
    assert config.timeout_graceful_shutdown == 5


@pytest.mark.parametrize("extra", ["", BY_UVICORN], ids=["ours", "uvicorn's"])
def test_the_task_the_queue_and_the_big_object_are_gone_once_the_endpoint_has_returned(tell, extra):
    async def story(stage: Stage) -> None:
        gc.collect()
        pages = [await RawPage.open(stage, extra=extra) for _ in range(5)]
        for page in pages:
            await page.hear()
        await wait_until(lambda: not stage.server.server_state.tasks)
        if extra:
            gc.collect()
        left = [thing for thing in gc.get_objects() if isinstance(thing, FanProtocol | Handshake | PatientProtocol)]
        assert left == []
        assert connections(stage) == set(stage.watchers())
        stage.publish()  # and yet everyone is there: the end of the task closed nothing
        for page in pages:
            assert await page.number() == 1
            page.close()

    tell(story)


def test_reading_stops_after_a_message_the_app_did_not_take_so_the_hand_over_has_to_resume_it(tell):
    async def story(stage: Stage) -> None:
        done = asyncio.Event()
        paused = []

        async def endpoint(websocket) -> None:
            await websocket.accept()
            protocol = websocket.scope["extensions"]["fanlight"]
            await wait_until(lambda: not protocol.queue.empty())
            paused.append(protocol.read_paused)
            await websocket.close()
            done.set()

        await with_app(stage, endpoint)
        page = await RawPage.open(stage, None, extra=BY_UVICORN)
        await page.send(client_frame(b"hello"))
        await asyncio.wait_for(done.wait(), PATIENCE)
        assert paused == [True]
        page.close()

    tell(story)


@pytest.mark.parametrize("extra", ["", BY_UVICORN], ids=["ours", "uvicorn's"])
def test_an_endpoint_that_does_not_hand_over_is_served_as_ever(tell, extra):
    async def story(stage: Stage) -> None:
        async def echo(websocket) -> None:
            await websocket.accept()
            await websocket.send_text(await websocket.receive_text())
            await websocket.close(4000)

        await with_app(stage, echo)
        page = await RawPage.open(stage, None, extra=extra)
        await page.send(client_frame(b"as ever"))
        assert await page.hear() == b"as ever"
        assert await page.hear(wire.CLOSE) == (4000).to_bytes(2, "big")
        page.close()

    tell(story)


def test_an_endpoint_that_fails_before_it_accepts_answers_500_and_one_that_closes_403(tell):
    async def story(stage: Stage) -> None:
        async def fails(_websocket) -> None:
            raise RuntimeError("no")

        async def refuses(websocket) -> None:
            await websocket.close()

        await with_app(stage, fails)
        assert b" 500 " in (await RawPage.open(stage, None)).handshake
        await with_app(stage, refuses)
        assert b" 403 " in (await RawPage.open(stage, None)).handshake

    tell(story)


def test_uvicorns_own_compression_is_not_agreed_even_when_a_browser_offers_it(tell):
    async def story(stage: Stage) -> None:
        page = await RawPage.open(
            stage, extra="Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
        )
        assert b" 101 " in page.handshake
        assert b"permessage-deflate" not in page.handshake.lower()
        page.close()

    tell(story, packs=False)  # ours is another matter: test_packing.py


def test_messages_before_the_hand_over_are_bounded_by_the_servers_own_limit(tell):
    async def story(stage: Stage) -> None:
        released = asyncio.Event()

        async def waits(websocket) -> None:
            await websocket.accept()
            await released.wait()

        await with_app(stage, waits)
        page = await RawPage.open(stage, None, extra=BY_UVICORN)
        await page.send(b"\x81\xff" + (70_000).to_bytes(8, "big") + b"abcd")
        assert (await page.hear(wire.CLOSE))[:2] == (1009).to_bytes(2, "big")
        released.set()
        page.close()

    tell(story)


def test_at_shutdown_it_tells_every_connection_and_waits_until_the_set_is_empty(tell):
    async def story(stage: Stage) -> None:
        page = await RawPage.open(stage)
        await page.hear()
        (conn,) = connections(stage)
        stage.server.should_exit = True
        assert await page.hear(wire.CLOSE) == (1012).to_bytes(2, "big")
        assert conn in connections(stage)  # the page has not answered yet, and the server still waits for it
        await page.send(client_frame((1012).to_bytes(2, "big"), 0x88))
        await wait_until(lambda: connections(stage) == set())
        page.close()

    tell(story)


def test_a_transport_whose_limit_is_zero_says_at_once_that_something_is_unsent(tell):
    async def story(stage: Stage) -> None:
        page = await RawPage.open(stage)
        await page.hear()
        await wait_until(lambda: [w.ready for w in stage.watchers()] == [True])
        (conn,) = stage.watchers()
        while not conn.blocked:
            assert conn.transport.get_write_buffer_size() == 0
            conn.write(wire.framed(b"x" * 60_000))
        assert conn.transport.get_write_buffer_size() > 0
        page.close()

    tell(story)


def test_the_version_is_the_one_these_tests_were_written_for():
    assert uvicorn.__version__.startswith("0.54."), "read docs/decisions/0001 and this file, then change this line"


def test_tuning_takes_what_is_loaded_out_of_the_collectors_sight():
    before = gc.get_threshold()
    try:
        tune_gc()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == (50_000, 20, 100)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
