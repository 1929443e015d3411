"""Compressed updates: every page reads the same texts whenever it joined, and is sent what its own share decides alone."""

import asyncio
import json
import random
import zlib

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode

from tests.web.push.stage import PATIENCE, SHARE, WAYS, Page, RawPage, Stage, play, wait_until
from web.push import packing, wire
from web.push.hub import Hub
from web.push.pace import Pace
from web.push.standing import Standing

pytestmark = pytest.mark.once
CHROMIUM = "permessage-deflate; client_max_window_bits"


def words(seed: int, size: int) -> bytes:
    """A text of an update: much of it repeats."""
    draw = random.Random(seed)
    return json.dumps({"n": seed, "content": " ".join(draw.choice(WORDS) for _ in range(size))}).encode()


WORDS = [f"<td class='c-f'>{random.Random(i).randrange(10**9):x}</td>" for i in range(400)]


class Reader:
    """What a page does with compressed frames: one inflater for its whole life."""

    def __init__(self) -> None:
        self.inflater = zlib.decompressobj(-15)
        self.texts: list[bytes] = []

    def read(self, data: bytes) -> None:
        for first, payload in wire.unframed(data):
            packed = first == wire.PACKED
            self.texts.append(self.inflater.decompress(payload + b"\0\0\xff\xff") if packed else payload)


@pytest.mark.parametrize("seed", range(12))
def test_whenever_a_socket_joined_and_whatever_it_missed_it_reads_every_text(seed: int) -> None:
    draw = random.Random(seed)
    hub = Hub[Standing](Pace(ring_frames=draw.choice((1, 4, 40))))
    hub.start(0, [])
    hub.packs = True
    readers: list[tuple[Reader, int, int]] = []  # with the update it begins after, and how many it holds in its window
    texts: list[bytes] = []
    for _ in range(60):
        if draw.random() < 0.3:
            readers.append((Reader(), len(texts), 0))
        if draw.random() < 0.05:
            hub.forget()
        batch = [words(len(texts) + i + 1, draw.choice((1, 5, 60, 900))) for i in range(draw.choice((1, 1, 1, 3)))]
        hub.publish(list(enumerate(batch, len(texts) + 1)))
        texts += batch
        while (due := hub.next_round()) is not None:
            packed = packing.Packed(due.frames, due.earlier)
            for i, (reader, begun, held) in enumerate(readers):
                if draw.random() < 0.1:  # it could not take this round: what it missed comes plain
                    reader.read(b"".join(due.frames))
                    readers[i] = reader, begun, 0
                else:
                    reader.read(packed.after(held))
                    readers[i] = reader, begun, held + len(due.frames)
    assert len(readers) > 5
    for reader, begun, _ in readers:
        assert reader.texts == texts[begun:]


def test_what_goes_out_depends_on_the_share_and_on_what_the_socket_holds_alone() -> None:
    texts = [wire.framed(words(n, 300)) for n in range(1, 40)]
    for held in (0, 1, 2, 3, 4, 7, 8, 38):
        before = packing.earlier(texts[:38])
        made = packing.Packed(texts[38:], before)
        made.after(2), made.after(38)  # what others need meanwhile
        assert made.after(held) == packing.Packed(texts[38:], before).after(held)
    sizes = [len(packing.Packed(texts[38:], packing.earlier(texts[:38])).after(held)) for held in (0, 1, 4, 38)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 0.7 * sizes[0] < 0.7 * len(texts[38])


@pytest.mark.parametrize(
    ("header", "taken"),
    [
        (CHROMIUM, True),
        ("permessage-deflate", True),
        ("permessage-deflate; client_no_context_takeover; client_max_window_bits=12", True),
        ("x-webkit-deflate-frame, permessage-deflate", True),
        ("permessage-deflate; server_max_window_bits=10, permessage-deflate", True),
        ("", False),
        ("x-webkit-deflate-frame", False),
        ("permessage-deflate; server_no_context_takeover", False),
        ("permessage-deflate; server_max_window_bits=10", False),
        ("permessage-deflate; ;", False),
        ("\x00", False),
    ],
)
def test_an_offer_is_taken_where_it_can_be_kept(header: str, *, taken: bool) -> None:
    assert packing.is_offered(header) == taken


def test_a_message_of_a_page_is_read_up_to_its_limit() -> None:
    def packed(text: bytes) -> bytes:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        return (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")

    assert packing.unpacked(packed(b"x" * 4096), 4096) == b"x" * 4096
    assert packing.unpacked(packed(b"x" * 4097), 4096) is None
    assert packing.unpacked(packed(b"x" * 10**7), 4096) is None
    assert packing.unpacked(b"\xff\xff\xff", 4096) is None


def packs(socket: ClientConnection) -> bool:
    return bool(socket.protocol.extensions)


def offering(stage: Stage, **query: object) -> connect:
    """A real client that offers what Chromium offers."""
    factory = ClientPerMessageDeflateFactory(client_max_window_bits=True)
    return connect(stage.url(**query), max_size=None, extensions=[factory], compression=None, ping_interval=None)


@pytest.mark.parametrize("way", WAYS)
def test_real_clients_that_join_late_fall_behind_and_come_again_read_the_same(way: tuple[str, bool]) -> None:
    loop, handed_over = way

    async def story(stage: Stage) -> None:
        async with offering(stage) as early, stage.page(0) as plain:
            first, pages = Page(early), []
            await first.hello(0)
            await first.until(lambda p: p.ticks)
            assert packs(early) == handed_over
            for n in range(1, 25):
                stage.publish(size=random.Random(n).choice((5, 400, 9000)))
                await first.until(lambda p, n=n: p.at == n)
                if n % 8 == 0:
                    late = Page(await offering(stage))
                    await late.hello(n if n % 16 else n - 3)
                    pages.append((late, n if n % 16 else n - 3))
                    await late.until(lambda p, n=n: p.ticks or p.at == n)
            stage.publish(3, size=50)
            await plain.until(lambda p: p.at == 27)
            for page, since in [(first, 0), *pages]:
                await page.until(lambda p: p.at == 27)
                assert page.numbers == list(range(since + 1, 28))
                assert [raw for raw in page.raw if '"n"' in raw] == plain.raw[-len(page.numbers) :]
            await first.say(applied=27)
            await first.say(painted=27)
            await wait_until(lambda: {(r.kind, r.n) for r in stage.receipts} >= {("delivered", 27), ("displayed", 27)})
            for page, _ in pages:
                await page.socket.close()

    play(story, loop=loop, handed_over=handed_over)


def test_it_is_never_done_where_the_setting_says_no_or_the_page_does_not_offer_it() -> None:
    async def story(stage: Stage) -> None:
        async with offering(stage) as socket:
            page = Page(socket)
            await page.hello(0)
            await page.until(lambda p: p.ticks)
            assert not packs(socket)
            stage.publish(size=5000)
            await page.until(lambda p: p.at == 1)

    play(story, packs=False)


async def told(stage: Stage, seen: list[bytes], updates: int, *, others: bool) -> None:
    """Capture the compressed updates of one socket while other pages of the share come and go, or none do."""
    page = await RawPage.open(stage, extra=f"Sec-WebSocket-Extensions: {CHROMIUM}\r\n")
    assert b"permessage-deflate" in page.handshake
    for n in range(updates):
        some = [await offering(stage) for _ in range(n % 3)] if others else []
        for socket in some:
            await Page(socket).hello(n)
        await wait_until(lambda some=some: sum(w.ready for w in stage.watchers()) == 1 + len(some))
        stage.publish(size=200)
        seen.append(await page.hear(wire.PACKED))
        for socket in some:
            await socket.close()
        await wait_until(lambda: len(stage.watchers()) == 1)
    page.sock.close()


def test_a_socket_is_sent_the_same_bytes_whoever_else_looks() -> None:
    alone: list[bytes] = []
    beside: list[bytes] = []
    play(lambda stage: told(stage, alone, 9, others=False))
    play(lambda stage: told(stage, beside, 9, others=True))
    assert alone == beside
    assert len(alone) == 9


def masked(text: bytes, *, rsv1: bool = True, fin: bool = True, opcode: Opcode = Opcode.TEXT) -> bytes:
    frame = Frame(opcode, text, fin=fin).serialize(mask=True)
    return bytes((frame[0] | rsv1 << 6,)) + frame[1:]


def deflated(text: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        pytest.param(masked(deflated(b"x" * 100_000)), 1009, id="longer than a message may be"),
        pytest.param(masked(b"\xff" * 40), 1007, id="not compressed at all"),
        pytest.param(masked(deflated(b'{"unknown":1}')), 4426, id="of no kind"),
        pytest.param(masked(deflated(b"y" * 3000) + bytes(200)), 1009, id="with more behind it"),
    ],
)
def test_what_cannot_be_unpacked_closes_the_socket(said: bytes, code: int) -> None:
    async def story(stage: Stage) -> None:
        async with offering(stage) as socket:
            page = Page(socket)
            await page.hello(0)
            await page.until(lambda p: p.ticks)
            socket.transport.write(said)
            with pytest.raises(ConnectionClosed) as ended:
                async with asyncio.timeout(PATIENCE):
                    await socket.recv()
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code in (code, 1002)

    play(story)


def test_a_compressed_message_in_pieces_is_read() -> None:
    async def story(stage: Stage) -> None:
        async with offering(stage) as socket:
            page = Page(socket)
            await page.hello(0)
            await page.until(lambda p: p.ticks)
            stage.publish()
            await page.until(lambda p: p.at == 1)
            small = deflated(b'{"applied":1}')
            socket.transport.write(masked(small[:4], fin=False))
            await asyncio.sleep(0.02)
            socket.transport.write(
                masked(small[4:], rsv1=False, opcode=Opcode.CONT) + masked(deflated(b'{"painted":1}'))
            )
            await wait_until(lambda: {(r.kind, r.n) for r in stage.receipts} >= {("delivered", 1), ("displayed", 1)})

    play(story)


def test_after_an_erasure_nothing_refers_to_what_was_erased() -> None:
    async def story(stage: Stage) -> None:
        async with offering(stage) as socket:
            page = Page(socket)
            await page.hello(0)
            await page.until(lambda p: p.ticks)
            stage.publish(size=3000)
            await page.until(lambda p: p.at == 1)
            stage.live.forget(SHARE)
            assert not packing.earlier(stage.live._rooms[SHARE].hub._ring)
            stage.publish(size=3000)
            await page.until(lambda p: p.at == 2)
            assert page.numbers == [1, 2]

    play(story)
