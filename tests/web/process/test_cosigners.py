"""A witness and a time-stamping authority, real ones on loopback: what they add, and what a restored backup runs into."""

import base64
import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from domain.plan.schedule import MoveForecast
from projections.evidence.notary import Notary
from projections.proof import notes, tree
from projections.verify.bundle import check
from tests.world import HARBOUR, KEY, SHARE, World
from web.process.cosigners import TimeStamping, Witness

NAME = "witness.test/w1"


class Seen:
    """A witness as C2SP tlog-witness has it: remembers each tree's size and head, and cosigns what grew from it."""

    def __init__(self) -> None:
        self.private = Ed25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.trees: dict[str, tuple[int, bytes]] = {}
        known = notes.cosigner_id(NAME, self.public)
        self.key = f"{NAME}+{known.hex()}+{base64.b64encode(notes.COSIGNATURE + self.public).decode()}"

    def answer(self, body: str) -> tuple[int, str]:
        """Return status and text for one request."""
        head, _, note = body.partition("\n\n")
        first, *steps = head.split("\n")
        old, proof = int(first.removeprefix("old ")), [base64.b64decode(step) for step in steps]
        new = notes.open_checkpoint(notes.verify(note, [KEY.public]))
        size, root = self.trees.get(new.origin, (0, tree.EMPTY))
        if old != size:
            return 409, f"{size}\n"
        if not tree.consistent(size, new.size, proof, root, new.root):
            return 422, "it did not grow from what I have seen\n"
        self.trees[new.origin] = new.size, new.root
        text, at = notes.text_of(note), 1_800_000_000
        signature = self.private.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        line = base64.b64encode(notes.cosigner_id(NAME, self.public) + struct.pack(">Q", at) + signature).decode()
        return 200, f"— {NAME} {line}\n"


def serving(answer: object, **headers: str) -> tuple[ThreadingHTTPServer, str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            status, told = answer(body)  # type: ignore[operator]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told)

        do_GET = do_POST  # what a client makes of some redirects

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def seen() -> Iterator[tuple[Seen, str]]:
    witness = Seen()

    def answer(body: bytes) -> tuple[int, bytes]:
        status, told = witness.answer(body.decode())
        return status, told.encode()

    server, url = serving(answer)
    yield witness, url
    server.shutdown()
    server.server_close()


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "data")
    made.harbour()
    return made


def witnessed(world: World, seen: tuple[Seen, str]) -> Notary:
    return Notary(world.folder, KEY, world.clock, witness=Witness(seen[1], seen[0].key))


def test_a_witness_cosigns_each_checkpoint_and_who_does_not_know_it_passes_over_its_line(
    world: World, seen: tuple[Seen, str]
) -> None:
    world.notary = witnessed(world, seen)
    for day in range(1, 6):
        world.move("m2", world.clock.at.date().replace(day=day))
        signed = world.notary.share(SHARE)
        assert signed is not None
        assert [name for name, _ in notes.signatures(signed.note)] == [signed.checkpoint.origin, NAME]
    assert seen[0].trees[signed.checkpoint.origin] == (6, signed.checkpoint.root)
    assert check(world.bundle(), notes.verification_key(KEY.name, KEY.public)).accepted


def test_a_witness_that_missed_some_checkpoints_is_brought_up(world: World, seen: tuple[Seen, str]) -> None:
    world.notary.share(SHARE)  # without a witness
    world.move("m2", world.clock.at.date())
    signed = witnessed(world, seen).share(SHARE)
    assert signed is not None
    assert NAME in signed.note


@pytest.mark.folder
def test_yesterdays_files_with_yesterdays_ledger_are_not_signed_for_when_a_witness_has_seen_more(
    world: World, seen: tuple[Seen, str], tmp_path: Path
) -> None:
    """Restoring everything at once leaves no trace in our own files. The witness remembers."""
    witnessed(world, seen).share(SHARE)
    world.close()
    shutil.copytree(world.path, tmp_path / "yesterday")
    world.open()
    for day in range(1, 4):
        world.move("m2", world.clock.at.date().replace(day=day))
    witnessed(world, seen).share(SHARE)
    restored = World(tmp_path / "yesterday")
    restored.clock.at = world.clock.at
    restored.tell(MoveForecast(project=HARBOUR, milestone="m1", forecast=date(2027, 6, 1), reason="Again"), key="again")
    notary = witnessed(restored, seen)
    notary.sign([SHARE])
    assert "has seen this tree at 4" in notary.refused[notary.origin(SHARE)]
    newest = notary.newest(notary.origin(SHARE))
    assert newest is not None
    assert newest.checkpoint.size == 1


def test_a_second_history_of_the_same_length_is_refused(world: World, seen: tuple[Seen, str], tmp_path: Path) -> None:
    world.move("m2", world.clock.at.date())
    witnessed(world, seen).share(SHARE)
    other = World(tmp_path / "other")
    other.harbour()
    other.move("m1", other.clock.at.date())
    other.move("m1", other.clock.at.date().replace(day=9))
    notary = witnessed(other, seen)
    notary.sign([SHARE])
    assert "does not accept" in notary.refused[notary.origin(SHARE)]


@pytest.mark.parametrize("status", [403, 500, 200])
def test_a_witness_that_does_not_work_costs_its_signature_and_nothing_else(world: World, status: int) -> None:
    server, url = serving(lambda _body: (status, b"nonsense\n"))
    notary = Notary(world.folder, KEY, world.clock, witness=Witness(url, Seen().key))
    signed = notary.share(SHARE)
    server.shutdown()
    server.server_close()
    assert signed is not None
    assert NAME not in signed.note
    gone = Notary(world.folder, KEY, world.clock, witness=Witness(url, Seen().key))
    world.move("m2", world.clock.at.date())
    assert gone.share(SHARE) is not None


@pytest.mark.once
def test_what_is_no_key_of_a_witness_is_refused_with_an_example() -> None:
    with pytest.raises(notes.BadNote, match="expected a witness's key such as"):
        Witness("http://127.0.0.1:1", notes.verification_key(KEY.name, KEY.public))


# time stamps


def authority(folder: Path) -> tuple[ThreadingHTTPServer, str]:
    """A time-stamping authority made of openssl."""
    run = lambda *words: subprocess.run(words, check=True, cwd=folder, capture_output=True)  # noqa: E731
    (folder / "tsa.cnf").write_text(
        "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\n"
        "ess_cert_id_alg=sha256\n[ext]\nextendedKeyUsage=critical,timeStamping\n[req]\ndistinguished_name=dn\n[dn]\n"
    )
    (folder / "serial").write_text("01\n")
    subject = ("-subj", "/CN=Test time stamps")
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out", "c.pem", "-days", "2",
        *subject, "-config", "tsa.cnf", "-extensions", "ext")  # fmt: skip

    def answer(body: bytes) -> tuple[int, bytes]:
        (folder / "q.tsq").write_bytes(body)
        run(
            "openssl",
            "ts",
            "-reply",
            "-config",
            "tsa.cnf",
            "-queryfile",
            "q.tsq",
            "-signer",
            "c.pem",
            "-inkey",
            "k.pem",
            "-out",
            "r.tsr",
        )
        return 200, (folder / "r.tsr").read_bytes()

    return serving(answer)


@pytest.mark.skipif(
    shutil.which("openssl") is None,
    reason="openssl is not here to be a time-stamping authority: apt-get install openssl",
)
def test_a_time_stamp_over_a_checkpoint_is_in_the_bundle_and_openssl_verifies_it(world: World, tmp_path: Path) -> None:
    import io
    import zipfile

    server, url = authority(tmp_path)
    world.notary = Notary(world.folder, KEY, world.clock, stamp=TimeStamping(url))
    bundle = world.bundle()
    server.shutdown()
    server.server_close()
    signed = world.notary.newest(world.notary.origin(SHARE))
    assert signed is not None
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        (tmp_path / "stamp.tsr").write_bytes(archive.read("timestamps/000000001.tsr"))
    (tmp_path / "checkpoint.txt").write_text(signed.checkpoint.text)
    command = ["openssl", "ts", "-verify", "-data", "checkpoint.txt", "-in", "stamp.tsr", "-CAfile", "c.pem"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "checkpoint.txt").write_text(signed.checkpoint.text.replace("\n1\n", "\n2\n"))
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode != 0
    assert check(bundle, notes.verification_key(KEY.name, KEY.public)).accepted


def test_an_authority_that_does_not_work_costs_its_stamp_and_nothing_else(world: World) -> None:
    server, url = serving(lambda _body: (200, b"nonsense"))
    notary = Notary(world.folder, KEY, world.clock, stamp=TimeStamping(url))
    assert notary.share(SHARE) is not None
    server.shutdown()
    server.server_close()
    assert world.folder.ledger.of("time-stamped", notary.origin(SHARE)) == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_what_is_signed_is_sent_nowhere_else_whatever_the_address_answers(
    world: World, seen: tuple[Seen, str], status: int
) -> None:
    asked: list[bytes] = []
    elsewhere, there = serving(lambda body: asked.append(body) or (200, b""))
    redirecting, here = serving(lambda _body: (status, b""), location=there)
    try:
        world.notary = Notary(
            world.folder, KEY, world.clock, witness=Witness(here, seen[0].key), stamp=TimeStamping(here)
        )
        signed = world.notary.share(SHARE)
        assert signed is not None
        assert [name for name, _ in notes.signatures(signed.note)] == [signed.checkpoint.origin]
        assert asked == []
    finally:
        for server in (elsewhere, redirecting):
            server.shutdown()
            server.server_close()


def test_a_cosigned_checkpoint_of_one_bundle_is_in_no_other(world: World, seen: tuple[Seen, str]) -> None:
    """A cosignature says when it was made, so even the same size is signed again for the next bundle."""
    world.notary = witnessed(world, seen)
    first, second = world.notary.for_bundle(SHARE), world.notary.for_bundle(SHARE)
    assert first is not None
    assert second is not None
    assert first.checkpoint == second.checkpoint
    assert len(world.notary.all(world.notary.origin(SHARE))) == 2
    signed = world.notary.share(SHARE)  # the clockwork does not take one of those for its own
    assert signed is not None
    assert NAME in signed.note
    assert world.notary.for_bundle(SHARE) == signed
    assert world.notary.refused == {}
