"""Frame bytes, against the `websockets` library as the other side."""

import random

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

from tests.web.push.stage import client_frame, seeded
from web.push import messages, wire

pytestmark = pytest.mark.once


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70_000])
def test_what_we_frame_is_read_back_by_a_client_of_another_make(size):
    payload = bytes(i % 251 for i in range(size))
    client = Protocol(CLIENT, state=OPEN, max_size=None)
    client.receive_data(wire.framed(payload) + wire.PING + wire.close_frame(4403))
    frames = [event for event in client.events_received() if isinstance(event, Frame)]
    assert [frame.opcode for frame in frames] == [Opcode.TEXT, Opcode.PING, Opcode.CLOSE]
    assert bytes(frames[0].data) == payload
    assert client.close_rcvd.code == 4403
    assert list(wire.unframed(wire.framed(payload) + wire.PING)) == [(wire.TEXT, payload), (wire.PING_OPCODE, b"")]


def a_conversation(chance: random.Random) -> tuple[list[bytes], bytes]:
    """What a page says, and its bytes as another library writes them: pongs, pings and fragments among them."""
    texts, page = [], Protocol(CLIENT, state=OPEN)
    for _ in range(chance.randrange(1, 12)):
        text = chance.randbytes(chance.choice([0, 1, 20, 125, 126, 127, 400, 3000])).hex().encode()[:3900]
        kind = chance.randrange(5)
        if kind == 0:
            page.send_pong(b"ok")
        elif kind == 1:
            page.send_ping(b"there?")
        elif kind == 2:
            texts.append(text)
            cut = chance.randrange(len(text) + 1)
            page.send_text(text[:cut], fin=False)
            page.send_ping(b"")
            page.send_continuation(text[cut:], fin=True)
        else:
            texts.append(text)
            page.send_text(text)
    return texts, b"".join(page.data_to_send())


def test_any_conversation_cut_anywhere_is_read_whole_and_nothing_is_kept_after_it():
    chance = seeded()
    for _ in range(300):
        texts, data = a_conversation(chance)
        inbox, got, at = wire.Inbox(4096), [], 0
        while at < len(data):
            step = chance.choice([1, 2, 3, 7, 100, 5000])
            intake = inbox.feed(data[at : at + step])
            assert not intake.closed
            assert not intake.broken, intake.reply
            got += intake.texts
            at += step
        assert got == texts
        assert inbox.empty


def test_small_frames_need_no_parser_and_stop_at_the_first_that_is_not():
    texts, took = wire.small_texts(client_frame(b"a") + client_frame(b"", 0x8A) + client_frame(b"bb") + b"\x81")
    assert (texts, took) == ([b"a", b"bb"], len(client_frame(b"a") + client_frame(b"") + client_frame(b"bb")))
    assert wire.small_texts(client_frame(b"x" * 126)) == ([], 0)
    assert wire.small_texts(client_frame(b"x", 0x89)) == ([], 0)


def test_one_whole_small_text_is_read_at_once_and_nothing_else_is():
    chance = seeded()
    for size in (0, 1, 3, 4, 5, 13, 64, 124, 125):
        text, mask = chance.randbytes(size), chance.randbytes(4)
        data = client_frame(text, mask=mask)
        assert wire.one_text(data) == text
        assert wire.small_texts(data) == ([text], len(data))
        assert wire.one_text(data[:-1]) is None
        assert wire.one_text(data + b"\x81") is None
        for first in (0x01, 0x80, 0x82, 0x88, 0x89, 0x8A, 0xC1, 0xA1, 0x91):  # pieces, other kinds, reserved bits
            assert wire.one_text(bytes((first,)) + data[1:]) is None
        assert wire.one_text(bytes((0x81, size)) + mask + text) is None  # not masked
    for data in (b"", b"\x81", b"\x81\x80", client_frame(b"x" * 126), client_frame(b"x" * 4000)):
        assert wire.one_text(data) is None


@pytest.mark.parametrize("size", [5, 126, 65536])
def test_a_message_longer_than_the_limit_is_refused_by_its_header_alone(size):
    inbox = wire.Inbox(4)
    intake = inbox.feed(Frame(Opcode.TEXT, b"x" * size).serialize(mask=True)[:10])
    if size == 5:  # short enough for the fast path, which is bounded by itself; the watcher judges its length
        intake = inbox.feed(b"x")
        assert intake.texts
    else:
        assert intake.broken
        assert wire.close_frame(1009)[2:4] in intake.reply
        assert inbox.feed(b"x" * 100_000).texts == []
        assert not inbox.empty  # and what follows is discarded


def test_fragments_cannot_add_up_to_more_than_the_limit():
    inbox = wire.Inbox(100)
    assert not inbox.feed(client_frame(b"x" * 60, 0x01)).broken
    assert inbox.feed(client_frame(b"x" * 60, 0x00)).broken


@pytest.mark.parametrize("head", ["", "0", "0123456789abcdef"])
def test_a_tree_head_has_at_most_16_hex_digits(head):
    assert messages.understood(b'{"applied":1,"head":"%b"}' % head.encode()) == messages.Claim("delivered", 1, 0, head)
    said = messages.understood(b'{"hello":1,"tab":"a-Z9","v":2,"root":"%b"}' % head.encode())
    assert said == messages.Hello(1, "a-Z9", head)


@pytest.mark.parametrize("head", ["g", "A", " ", "a b", "\\n", "ab\\n", "0123456789abcdef0", "\u0663", "\\u0000"])
def test_a_message_with_a_tree_head_of_anything_else_is_not_understood(head):
    text = b'"%b"' % head.encode()
    assert messages.understood(b'{"applied":1,"head":%b}' % text) is None
    assert messages.understood(b'{"painted":1,"head":%b}' % text) is None
    assert messages.understood(b'{"hello":1,"tab":"a","v":2,"root":%b}' % text) is None


@pytest.mark.parametrize("tab", ["", "_", "a b", "tab\\n", "a" * 65, "\u00e4", "\uff11"])
def test_a_message_with_the_name_of_a_tab_that_is_none_is_not_understood(tab):
    assert messages.understood(b'{"hello":1,"tab":"%b","v":2}' % tab.encode()) is None
    assert messages.understood(b'{"applied":1,"tab":"%b"}' % tab.encode()) is None
