"""Signed notes, checkpoints, keys, statements of rotation and of erasure; C2SP formats. Pure; docs/spec.md 4.4 to 4.11.

Rule: a note is good when at least one known key signed it and no signature of a known key is wrong. Signature lines of
unknown keys are ignored: that is what makes rotation and witnesses possible.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from domain.language import gettext as _

ED25519, COSIGNATURE = b"\x01", b"\x04"
NAME = re.compile(r"[a-z0-9./-]{1,100}")
_LINE = re.compile(r"— (\S+) ([A-Za-z0-9+/=]+)")


class BadNote(Exception):
    """A note, a key or a checkpoint has the wrong form or signature; says what was expected and what was found."""


class Checkpoint(msgspec.Struct, frozen=True):
    """The head of the tree named `origin` when it had `size` leaves."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


# keys


def key_id(name: str, public: bytes) -> bytes:
    """Return the four bytes that identify a key of a name; docs/spec.md 4.4."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def verification_key(name: str, public: bytes) -> str:
    """Return a key as the text people exchange: name+id+base64."""
    return f"{name}+{key_id(name, public).hex()}+{base64.b64encode(ED25519 + public).decode()}"


def open_key(text: str) -> tuple[str, bytes]:
    """Return name and public key of a verification key.

    Raises: BadNote.
    """
    name, _sep, rest = text.strip().partition("+")
    stated_id, _sep, encoded = rest.partition("+")
    raw = _decoded(encoded)
    if not NAME.fullmatch(name) or len(raw) != 33 or raw[:1] != ED25519 or stated_id != key_id(name, raw[1:]).hex():
        raise BadNote(
            _("expected a verification key such as name+0a1b2c3d+AX...=, got {text!r}", text=text.strip()[:80])
        )
    return name, raw[1:]


def cosigner_id(name: str, public: bytes) -> bytes:
    """Return the four bytes that identify a cosigner's key (C2SP tlog-cosignature)."""
    return hashlib.sha256(name.encode() + b"\n" + COSIGNATURE + public).digest()[:4]


def open_cosigner(text: str) -> tuple[str, bytes]:
    """Return name and public key of a witness's verification key.

    Raises: BadNote.
    """
    name, _sep, rest = text.strip().partition("+")
    stated_id, _sep, encoded = rest.partition("+")
    raw = _decoded(encoded)
    if len(raw) != 33 or raw[:1] != COSIGNATURE or stated_id != cosigner_id(name, raw[1:]).hex():
        raise BadNote(_("expected a witness's key such as name+0a1b2c3d+BH...=, got {text!r}", text=text.strip()[:80]))
    return name, raw[1:]


class Signer(msgspec.Struct, frozen=True):
    """A name and the private key that signs for it."""

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def seed(self) -> bytes:
        """The private key, 32 secret bytes."""
        return self.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def signer(name: str, seed: bytes) -> Signer:
    """Return the signer of a name with the 32 secret bytes of its key."""
    return Signer(name, Ed25519PrivateKey.from_private_bytes(seed))


# notes


def sign(text: str, *keys: Signer) -> str:
    """Return a text with one signature line for each key, all in the name of the text's first line."""
    name = origin_of(text)
    lines = [f"— {name} {_signature(name, text, key)}\n" for key in keys]
    return f"{text}\n{''.join(lines)}"


def _signature(name: str, text: str, key: Signer) -> str:
    return base64.b64encode(key_id(name, key.public) + key.private.sign(text.encode())).decode()


def text_of(note: str) -> str:
    """Return the text of a note, whoever signed it."""
    return note.rpartition("\n\n")[0] + "\n"


def origin_of(text: str) -> str:
    """Return the first line of a text."""
    return text.partition("\n")[0]


def verify(note: str, keys: Iterable[bytes]) -> str:
    """Return the text of a note that one of some public keys signed.

    Raises: BadNote.
    """
    signed = signatures(note)
    text = text_of(note)
    name, valid = origin_of(text), 0
    for key in keys:
        for signature in signed.get((name, key_id(name, key)), ()):
            try:
                Ed25519PublicKey.from_public_bytes(key).verify(signature, text.encode())
            except (InvalidSignature, ValueError):
                raise BadNote(
                    _(
                        "the signature of {name} does not fit the text; it was altered, or signed by another key",
                        name=name,
                    )
                ) from None
            valid += 1
    if not valid:
        raise BadNote(_("expected a signature of a known key for {name!r}, found none", name=name))
    return text


def signatures(note: str) -> dict[tuple[str, bytes], list[bytes]]:
    """Return the signatures of a note by name and key id.

    Raises: BadNote.
    """
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not text or text.endswith("\n") or not lines.endswith("\n"):
        raise BadNote(_("expected a text, an empty line and signature lines"))
    by_key: dict[tuple[str, bytes], list[bytes]] = {}
    for line in lines[:-1].split("\n"):
        match = _LINE.fullmatch(line)
        raw = _decoded(match[2]) if match else b""
        if match is None or len(raw) < 5:
            raise BadNote(_("expected a signature line, got {line!r}", line=line[:80]))
        by_key.setdefault((match[1], raw[:4]), []).append(raw[4:])
    return by_key


def open_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint in its signed text.

    Raises: BadNote.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not re.fullmatch(r"0|[1-9][0-9]{0,17}", lines[1]):
        raise BadNote(_("expected a checkpoint of three lines: origin, size, root"))
    root = _decoded(lines[2])
    if len(root) != 32:
        raise BadNote(_("expected a root of 32 bytes, got {root}", root=len(root)))
    return Checkpoint(lines[0], int(lines[1]), root)


# rotation and erasure


def rotation(k: int, old: Signer, new: Signer, at: str) -> str:
    """Return the `k`-th statement that a new key takes over from an old one, signed by both; docs/spec.md 4.9.

    `at` is the time as it is written in the statement.
    """
    keys = (base64.b64encode(key.public).decode() for key in (old, new))
    return sign("\n".join((f"{old.name}/keys", str(k), *keys, at)) + "\n", old, new)


def trusted(name: str, key: bytes, rotations: Sequence[str]) -> list[bytes]:
    """Return the keys that may be trusted by somebody who trusts `key`: all that rotations of `name` connect with it.

    Raises: BadNote on a rotation that is not signed by both of its keys.
    """
    pairs = [_rotated(name, note) for note in rotations]
    reached = {key}
    while grown := {k for pair in pairs if reached & set(pair) for k in pair} - reached:
        reached |= grown
    return sorted(reached)


def _rotated(name: str, note: str) -> tuple[bytes, bytes]:
    """Return the old and the new key of a rotation statement that both signed."""
    text = text_of(note)
    lines = text.split("\n")
    if len(lines) != 6 or lines[0] != f"{name}/keys":
        raise BadNote(_("expected a rotation statement of five lines"))
    old, new = _decoded(lines[2]), _decoded(lines[3])
    for key in (old, new):
        verify(note, [key])
    return old, new


def erasure(origin: str, at: str, reason: str, numbers: Iterable[int], key: Signer) -> str:
    """Return the signed statement that the content of some entries was erased; docs/spec.md 4.11.

    `at` is the time as it is written in the statement.
    """
    return sign(f"{origin}/erasures\n{at}\n{' '.join(reason.split())}\n{spans(numbers)}\n", key)


def erased(text: str, origin: str) -> set[int]:
    """Return the numbers in the text of an erasure statement for `origin`.

    Raises: BadNote.
    """
    lines = text.split("\n")
    if len(lines) != 5 or lines[0] != f"{origin}/erasures":
        raise BadNote(_("expected an erasure statement of four lines"))
    return numbers(lines[3])


def numbers(text: str) -> set[int]:
    """Return the numbers in a text such as "3 5-9 12".

    Raises: BadNote.
    """
    found: set[int] = set()
    for span in text.split(" "):
        match = re.fullmatch(r"([1-9][0-9]{0,8})(?:-([1-9][0-9]{0,8}))?", span)
        if match is None:
            raise BadNote(_("expected a number or a range, got {span!r}", span=span[:40]))
        found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return found


def spans(numbers: Iterable[int]) -> str:
    """Return numbers as "3 5-9 12"."""
    runs: list[list[int]] = []  # first and last number of each
    for n in sorted(set(numbers)):
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _decoded(text: str) -> bytes:
    """Return the bytes of a base64 text, none where it is malformed."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
