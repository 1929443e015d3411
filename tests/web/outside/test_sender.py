"""Requests to addresses that people typed: where they may lead, what is bounded, and what the answers mean."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chat import SIGNED, Slack, Teams, certified, receiving
from web.outside.addresses import networks, outside
from web.outside.sender import LARGEST, Lost, NotAllowed, NotSent, Sender

pytestmark = pytest.mark.once
HERE = networks("127.0.0.0/8")


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


@pytest.fixture
def slack(certificate: Path) -> Iterator[Slack]:
    with receiving(Slack, certificate) as made:
        yield made


PRIVATE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254",
    "ff02::1", "2001:db8::1", "fec0::1",
    "::ffff:10.1.2.3", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1",
    "2002:7f00:1::",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_not_reached(address: str) -> None:
    assert not outside(address, ())


def test_public_addresses_are_and_a_network_that_the_operator_allows() -> None:
    for public in ("1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"):
        assert outside(public, ())
    assert outside("10.20.3.4", networks("10.20.0.0/16, fd00:1::/64"))
    assert outside("::ffff:10.20.3.4", networks("10.20.0.0/16"))
    assert outside("fd00:1::9", networks("10.20.0.0/16, fd00:1::/64"))
    assert not outside("10.21.3.4", networks("10.20.0.0/16"))
    with pytest.raises(ValueError, match="host bits"):
        networks("10.20.0.1/16")


def test_a_message_goes_out_and_the_answer_comes_back(slack: Slack) -> None:
    reply = Sender(HERE).post(slack.url, b'{"text":"hello"}')
    assert (reply.status, reply.text) == (200, "ok")
    assert slack.got == [{"text": "hello"}]


def test_the_next_address_is_tried_where_the_first_takes_no_connection(slack: Slack) -> None:
    address = slack.url.replace("localhost", "hooks.example")
    sender = Sender(HERE, lambda _host, _port: ["127.0.0.9", "127.0.0.1"])
    assert sender.post(address, b'{"text":"hello"}').status == 200
    assert len(slack.asked) == 1


@pytest.mark.parametrize("query", ["", f"?{SIGNED}", "?sig=A-_~%2B%3D&b=x%20y", "?a=b+c&d='e'"])
def test_an_address_is_asked_as_it_was_typed(slack: Slack, query: str) -> None:
    Sender(HERE).post(f"{slack.url}{query}", b'{"text":"hello"}')
    assert slack.asked == [f"{Slack.path}{query}"]


def test_an_authority_of_the_operators_own_is_believed_beside_the_systems(
    slack: Slack, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(NotSent, match="certificate"):
        Sender(HERE).post(slack.url, b'{"text":"hello"}')
    assert Sender(HERE, authority=certificate).post(slack.url, b'{"text":"hello"}').status == 200


def test_a_private_address_gets_no_connection_at_all() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.3)
        port = listening.getsockname()[1]
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1"):  # the resolver reads the odd ones as well
            with pytest.raises(NotSent):
                Sender().post(f"https://{host}:{port}/", b"{}")
        with pytest.raises(TimeoutError):
            listening.accept()


def test_one_private_address_among_public_ones_is_enough_to_refuse(slack: Slack) -> None:
    for found in (["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"]):
        with pytest.raises(NotAllowed, match="private network"):
            Sender((), lambda _host, _port, found=found: found).post(slack.url, b"{}")  # type: ignore[misc]
    assert slack.asked == []


def test_a_name_is_looked_up_once_and_the_connection_goes_where_it_led_then(slack: Slack) -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    address = slack.url.replace("localhost", "hooks.example")  # a name that no resolver of this machine knows
    assert Sender(HERE, rebinding).post(address, b'{"text":"x"}').status == 200
    assert asked == ["hooks.example"]


def test_the_certificate_has_to_be_that_of_the_name_that_was_typed(slack: Slack) -> None:
    with pytest.raises(NotSent, match="certificate"):
        Sender(HERE, lambda _host, _port: ["127.0.0.1"]).post(slack.url.replace("localhost", "other.example"), b"{}")
    assert slack.asked == []


def test_a_certificate_nobody_vouches_for_is_refused(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(NotSent, match="certificate"):
        Sender(HERE).post(slack.url, b"{}")


@pytest.mark.parametrize(
    "address",
    ["http://hooks.example/x", "https://u:p@hooks.example/x", "ftp://hooks.example", "https:///x", "https://h:99999/"],
)
def test_only_plain_https_is_sent_to(address: str) -> None:
    with pytest.raises(NotAllowed):
        Sender(HERE).post(address, b"{}")


def test_a_redirect_is_an_answer_and_is_not_followed(slack: Slack, certificate: Path) -> None:
    with receiving(Teams, certificate) as other:
        slack.says = 307, b"", {"location": other.url}
        assert Sender(HERE).post(slack.url, b"{}").status == 307
        assert other.asked == []


def test_no_proxy_of_the_environment_is_asked(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert Sender(HERE).post(slack.url, b'{"text":"x"}').status == 200


def test_a_long_answer_is_cut_and_made_one_printable_line(slack: Slack) -> None:
    slack.says = 400, b"no\r\n\x1b[31m " + b"x" * 1_000_000, {"retry-after": "7"}
    reply = Sender(HERE).post(slack.url, b"{}")
    assert reply.text.startswith("no [31m xxx")
    assert len(reply.text) <= 300 < LARGEST
    assert reply.retry_after == "7"


def test_who_hangs_up_or_never_answers_may_have_it(slack: Slack) -> None:
    slack.drops = True
    with pytest.raises(Lost):
        Sender(HERE).post(slack.url, b'{"text":"x"}')
    slack.drops, slack.holds = False, threading.Event()
    began = time.monotonic()
    with pytest.raises(Lost, match="no answer came in time"):
        Sender(HERE, within=0.5).post(slack.url, b'{"text":"x"}')
    assert time.monotonic() - began < 5
    assert len(slack.got) == 2


def test_a_server_that_drips_is_cut_off_in_time(certificate: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    over = threading.Event()

    def drip(listening: socket.socket) -> None:
        plain, _where = listening.accept()
        with context.wrap_socket(plain, server_side=True) as secured:
            secured.recv(4096)
            secured.sendall(b"HTTP/1.1 200 OK\r\n")
            while not over.wait(0.05):
                try:
                    secured.sendall(b"x: y\r\n")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        dripping = threading.Thread(target=drip, args=(listening,), daemon=True)
        dripping.start()
        began = time.monotonic()
        with pytest.raises(Lost):
            Sender(HERE, within=0.8).post(f"https://localhost:{listening.getsockname()[1]}/", b"{}")
        assert time.monotonic() - began < 5
        over.set()
        dripping.join(5)


def test_who_is_not_there_or_does_not_shake_hands_has_nothing(certificate: Path) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        with pytest.raises(NotSent, match="No connection"):
            Sender(HERE).post(f"https://localhost:{one.getsockname()[1]}/", b"{}")
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NotSent):
        Sender(HERE, within=0.5).post(f"https://localhost:{silent.getsockname()[1]}/", b"{}")
    with pytest.raises(NotSent, match="could not be found"):
        Sender(HERE, lambda _host, _port: []).post("https://nowhere.example/", b"{}")
    with pytest.raises(NotSent, match="could not be found"):
        Sender(HERE, lambda _host, _port: time.sleep(3) or [], within=0.2).post("https://slow.example/", b"{}")  # type: ignore[func-returns-value]
