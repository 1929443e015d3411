"""The verifier for strangers: one file, Python alone, no network, and an Ed25519 of its own that is the published one."""

import json
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from projections.proof import notes
from projections.verify import container, standalone
from projections.verify.bundle import check
from tests.world import KEY, SHARE, World

VECTORS = {  # RFC 8032, section 7.1: public key, message, signature
    "TEST 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ),
    "TEST 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        ("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ),
    "TEST 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        ("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ),
}  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_the_published_signatures_are_good_and_nothing_near_them_is(vector: tuple[str, str, str]) -> None:
    public, message, signature = (bytes.fromhex(text) for text in vector)
    assert standalone.signed_by(public, message, signature)
    assert not standalone.signed_by(public, message + b"\0", signature)
    for i in range(0, 512, 7):
        altered = bytearray(signature)
        altered[i // 8] ^= 1 << i % 8
        assert not standalone.signed_by(public, message, bytes(altered))
    assert not standalone.signed_by(bytes(reversed(public)), message, signature)


@pytest.mark.once
def test_a_signature_whose_s_is_too_large_is_refused() -> None:
    """RFC 8032, 5.1.7: S + L would verify as well; accepting it would let anyone alter a signature."""
    public, message, signature = (bytes.fromhex(text) for text in VECTORS["TEST 2"])
    s = int.from_bytes(signature[32:], "little") + standalone.L
    assert not standalone.signed_by(public, message, signature[:32] + s.to_bytes(32, "little"))


@pytest.mark.once
@pytest.mark.parametrize(
    "public", [b"", bytes(31), b"\xff" * 32, (2**255 - 19).to_bytes(32, "little"), (2).to_bytes(32, "little")], ids=repr
)
def test_what_encodes_no_point_is_no_key(public: bytes) -> None:
    assert not standalone.signed_by(public, b"", bytes(64))


@pytest.mark.once
def test_it_agrees_with_the_library_on_random_signatures() -> None:
    rng = random.Random(8032)
    for _ in range(12):
        private, message = Ed25519PrivateKey.from_private_bytes(rng.randbytes(32)), rng.randbytes(rng.randrange(300))
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        signature = private.sign(message)
        assert standalone.signed_by(public, message, signature)
        assert not standalone.signed_by(public, message, signature[:-1] + bytes([signature[-1] ^ 1]))


# as a stranger runs it

ALONE = """
import sys
def no_network(event, arguments):
    if event.startswith('socket.'): raise RuntimeError('the network was asked for: ' + event)
sys.addaudithook(no_network)
import runpy
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
assert not {'msgspec', 'cryptography', 'projections', 'web', 'domain'} & set(sys.modules)
"""


def alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the verifier that came out of a bundle: no site packages, no environment, no network."""
    command = [sys.executable, "-I", "-S", "-c", ALONE, "verify.py", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a bundle of thirty updates, and the verifier out of it."""
    world = World(tmp_path / "data")
    world.harbour()
    for i in range(29):
        world.move("m1", world.clock.at.date() + timedelta(days=100 + i))
        world.claim("displayed", i + 1)
    (tmp_path / "bundle.zip").write_bytes(world.bundle())
    kept = world.notary.newest(world.notary.origin(SHARE))
    assert kept is not None
    (tmp_path / "kept.note").write_text(kept.note)
    (tmp_path / "verify.py").write_bytes(Path(standalone.__file__).read_bytes())
    return tmp_path


KEY_TEXT = notes.verification_key(KEY.name, KEY.public)


def test_a_bundle_verifies_with_nothing_but_python(folder: Path) -> None:
    done = alone(folder, "bundle.zip", "--key", KEY_TEXT, "--checkpoint", "kept.note", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert (told["accepted"], told["first_bad"], told["from"], told["to"], told["key"]) == (True, None, 1, 30, "given")
    done = alone(folder, "bundle.zip")
    assert "ACCEPTED: updates 1 to 30" in done.stdout
    assert "Compare it with the one you were given" in done.stdout


def test_an_altered_bundle_is_rejected_in_words(folder: Path) -> None:
    data = bytearray((folder / "bundle.zip").read_bytes())
    data[len(data) // 2] ^= 4
    (folder / "bundle.zip").write_bytes(data)
    done = alone(folder, "bundle.zip", "--key", KEY_TEXT)
    assert done.returncode == 1
    assert done.stdout.startswith("REJECTED.")
    assert done.stderr == ""


def test_a_file_that_is_not_there_is_wrong_use(folder: Path) -> None:
    done = alone(folder, "nothing.zip")
    assert done.returncode == 2
    assert "cannot be read" in done.stderr


@pytest.mark.parametrize("member", ["bundle.json", "receipts/000000001.jsonl", "entries/000000001.jsonl"])
@pytest.mark.parametrize(
    "content", [b'{"a":' * 50_000, b"[" * 50_000, b"\xff", b'{"n":' + b"9" * 6000 + b"}", b"null", b"[1]"],
    ids=["nested objects", "nested lists", "no text", "a long number", "nothing", "something else"],
)  # fmt: skip
def test_what_cannot_be_read_is_rejected_by_both_and_never_an_error(folder: Path, member: str, content: bytes) -> None:
    members, _exact = container.read((folder / "bundle.zip").read_bytes())
    there = {path: one.content() for path, one in members.items()} | {member: content}
    data = container.write([container.pack(path, there[path]) for path in members])
    assert not check(data, KEY_TEXT, []).accepted
    (folder / "odd.zip").write_bytes(data)
    done = alone(folder, "odd.zip", "--key", KEY_TEXT)
    assert (done.returncode, done.stderr) == (1, "")
