"""Signed notes: what a key of ours signed is taken, what was altered, signed by another or cut is not."""

import base64

import pytest

from projections.proof import notes
from projections.proof.notes import BadNote, Checkpoint, signer

pytestmark = pytest.mark.once

KEY, OTHER = signer("fanlight/test", bytes(range(32))), signer("fanlight/test", bytes(32))
TEXT = "fanlight/test/share/s1\n3\n" + base64.b64encode(bytes(32)).decode() + "\n"


def test_a_verification_key_is_read_as_it_was_written() -> None:
    text = notes.verification_key(KEY.name, KEY.public)
    assert notes.open_key(text) == (KEY.name, KEY.public)
    assert notes.open_key(text + "\n") == (KEY.name, KEY.public)


@pytest.mark.parametrize("text", ["", "name", "name+00000000+AA==", "fanlight/test+00000000+" + "A" * 44, "Ä+1+1"])
def test_what_is_no_verification_key_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadNote, match="expected a verification key such as"):
        notes.open_key(text)


def test_the_key_id_is_the_published_example_of_the_format() -> None:
    """The key of the format's own example (C2SP signed-note): PeterNeumann, key id c74f20a3."""
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    public = base64.b64decode(text.rpartition("+")[2])[1:]
    assert notes.key_id("PeterNeumann", public).hex() == "c74f20a3"


def test_the_note_of_the_formats_own_example_is_verified() -> None:
    note = (
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    public = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]
    text = notes.text_of(note)
    (signed,) = notes.signatures(note).items()
    assert signed[0] == ("PeterNeumann", notes.key_id("PeterNeumann", public))
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    Ed25519PublicKey.from_public_bytes(public).verify(signed[1][0], text.encode())


def test_a_note_says_what_was_signed() -> None:
    note = notes.sign(TEXT, KEY)
    assert notes.verify(note, [KEY.public]) == TEXT
    assert notes.open_checkpoint(TEXT) == Checkpoint("fanlight/test/share/s1", 3, bytes(32))
    assert notes.open_checkpoint(TEXT).text == TEXT


def test_signatures_of_others_are_passed_over_and_a_wrong_one_of_ours_is_not() -> None:
    both = notes.sign(TEXT, OTHER, KEY)
    assert notes.verify(both, [KEY.public]) == TEXT
    mixed = notes.sign(TEXT, KEY).replace("\n3\n", "\n4\n")
    with pytest.raises(BadNote, match="was altered"):
        notes.verify(mixed, [KEY.public])
    with pytest.raises(BadNote, match="found none"):
        notes.verify(notes.sign(TEXT, OTHER), [KEY.public])


@pytest.mark.parametrize(
    "broken", ["", "text\n", "\n\n— a b\n", TEXT, TEXT + "\n", TEXT + "\nno dash\n", TEXT + "\n— a !!\n"]
)
def test_what_is_no_note_is_refused(broken: str) -> None:
    with pytest.raises(BadNote):
        notes.verify(broken, [KEY.public])


def test_every_single_character_of_a_note_matters() -> None:
    note = notes.sign(TEXT, KEY)
    for i, character in enumerate(note):
        altered = note[:i] + ("x" if character != "x" else "y") + note[i + 1 :]
        with pytest.raises(BadNote):
            notes.verify(altered, [KEY.public])


def test_who_trusts_one_key_trusts_those_it_vouches_for_and_no_others() -> None:
    second, third, stranger = (signer(KEY.name, bytes([i] * 32)) for i in (1, 2, 3))
    chain = [
        notes.rotation(1, KEY, second, "2027-03-12T00:00:00Z"),
        notes.rotation(2, second, third, "2027-04-12T00:00:00Z"),
    ]
    everyone = sorted([KEY.public, second.public, third.public])
    assert notes.trusted(KEY.name, KEY.public, chain) == everyone
    assert notes.trusted(KEY.name, third.public, chain) == everyone
    assert notes.trusted(KEY.name, stranger.public, chain) == [stranger.public]
    half = notes.sign(notes.text_of(chain[0]), KEY)  # the new key never agreed
    with pytest.raises(BadNote):
        notes.trusted(KEY.name, KEY.public, [half])


def test_an_erasure_names_exactly_its_numbers() -> None:
    note = notes.erasure("o/share/s", "2027-03-12T00:00:00Z", "asked\nby the person", {9, 3, 5, 6, 7}, KEY)
    assert notes.text_of(note).split("\n")[2:4] == ["asked by the person", "3 5-7 9"]
    assert notes.erased(notes.text_of(note), "o/share/s") == {3, 5, 6, 7, 9}
    with pytest.raises(BadNote):
        notes.erased(notes.text_of(note), "o/share/other")
