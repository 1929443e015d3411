"""Checks a Fanlight evidence bundle without Fanlight: Python 3.11 or newer, nothing else, no network.

    python3 verify.py BUNDLE.zip --key VERIFICATION_KEY [--checkpoint NOTE ...] [--json]

Written from docs/spec.md (sections 3, 4, 7, 8; numbers in brackets below) and from no other code of Fanlight, so that
two implementations have to agree. Exit status: 0 accepted, 1 rejected, 2 wrong use.
"""

import argparse
import base64
import dataclasses
import datetime as dt
import hashlib
import hmac
import io
import json
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

MIB = 1 << 20
ALL = 4096 * MIB  # bytes of all members together, inflated (8.1)
MOST = 65_535  # members
LARGE = re.compile(r"(?:entries|receipts)/.*|bases/.*|base\.json|names\.json|index\.html")
MIDDLE = re.compile(r"(?:stylesheets|assets|erasures)/.*")
TOLD = 20  # problems told of each kind

# Ed25519 (RFC 8032), verification only, cofactorless as in the RFC's own program.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
I = pow(2, (P - 1) // 4, P)  # square root of -1
Point = tuple[int, int, int, int]  # extended coordinates X, Y, Z, T
ZERO: Point = (0, 1, 1, 0)


def _add(a: Point, b: Point) -> Point:
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    w, x, y, z = f - e, d - c, d + c, f + e
    return w * x % P, y * z % P, x * y % P, w * z % P


def _times(n: int, point: Point) -> Point:
    total = ZERO
    while n:
        if n & 1:
            total = _add(total, point)
        point, n = _add(point, point), n >> 1
    return total


def _point(data: bytes) -> Point | None:
    """Return the point 32 bytes encode, None when they encode none (RFC 8032, 5.1.3)."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * I % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def signed_by(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature is good (RFC 8032, 5.1.7)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, r, s = _point(public), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= L or BASE is None:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = _times(s, BASE), _add(r, _times(h, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# What goes wrong is an exception inside and a sentence outside.


class Bad(Exception):
    """Something is not as the specification has it."""


@dataclasses.dataclass
class Report:
    """What a verification came to (8.7)."""

    problems: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    bad: set[int] = dataclasses.field(default_factory=set)
    kind: str = ""
    share: str = ""
    first: int = 0
    to: int = 0
    key: str = "bundle"

    @property
    def accepted(self) -> bool:
        """Nothing was wrong."""
        return not self.problems

    @property
    def first_bad(self) -> int | None:
        """The smallest number of an entry that is bad."""
        return min(self.bad, default=None)

    def entry(self, n: int, why: str) -> None:
        """Note that entry n is bad."""
        self.bad.add(n)
        if len(self.bad) <= TOLD:
            self.problems.append(f"update {n}: {why}")

    def as_json(self) -> str:
        """Return the report as 8.7 has it."""
        told = {
            "accepted": self.accepted, "first_bad": self.first_bad, "problems": self.problems, "notes": self.notes,
            "kind": self.kind, "share": self.share, "from": self.first, "to": self.to, "key": self.key,
        }  # fmt: skip
        return json.dumps(told)


# Notes, keys, checkpoints (4.4 to 4.11)


def _b64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def key_id(name: str, public: bytes) -> bytes:
    """Return the key id of a name (4.4)."""
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def open_key(text: str) -> tuple[str, bytes]:
    """Return name and public key of a verification key (4.4)."""
    name, _, rest = text.strip().partition("+")
    shown, _, encoded = rest.partition("+")
    raw = _b64(encoded)
    if not re.fullmatch(r"[a-z0-9./-]{1,100}", name) or len(raw) != 33 or raw[0] != 1:
        raise Bad("the verification key is not of the form name+id+base64 (4.4)")
    if shown != key_id(name, raw[1:]).hex():
        raise Bad("the verification key does not fit its own id (4.4)")
    return name, raw[1:]


def open_note(note: str, keys: Sequence[bytes]) -> str:
    """Return the text of a note that a known key signed (4.5)."""
    text, gap, lines = note.rpartition("\n\n")
    if not gap or not text or text.endswith("\n") or not lines.endswith("\n"):
        raise Bad("is no signed note (4.5)")
    text, good = text + "\n", 0
    origin = text.split("\n", 1)[0]
    for line in lines[:-1].split("\n"):
        match = re.fullmatch(r"— (\S+) ([A-Za-z0-9+/=]+)", line)
        raw = _b64(match[2]) if match else b""
        if match is None or len(raw) < 5:
            raise Bad("holds a line that is no signature (4.5)")
        for key in keys:
            if (match[1], raw[:4]) == (origin, key_id(origin, key)):
                if not signed_by(key, text.encode(), raw[4:]):
                    raise Bad("has a wrong signature: the text was altered (4.5)")
                good += 1
    if not good:
        raise Bad("is not signed by a key that is known (4.5)")
    return text


def open_checkpoint(text: str) -> tuple[str, int, bytes]:
    """Return origin, size and head (4.6)."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not re.fullmatch(r"0|[1-9][0-9]{0,17}", lines[1]) or len(_b64(lines[2])) != 32:
        raise Bad("is no checkpoint (4.6)")
    return lines[0], int(lines[1]), _b64(lines[2])


def trusted(name: str, key: bytes, rotations: Sequence[str]) -> list[bytes]:
    """Return every key that may be trusted by who trusts one (4.9)."""
    pairs = []
    for note in rotations:
        lines = (note.rpartition("\n\n")[0] + "\n").split("\n")
        if len(lines) != 6 or lines[0] != f"{name}/keys":
            raise Bad("a rotation statement is not of five lines (4.9)")
        old, new = _b64(lines[2]), _b64(lines[3])
        for one in (old, new):
            open_note(note, [one])
        pairs.append({old, new})
    known = {key}
    for _ in pairs:
        for pair in pairs:
            known |= pair if known & pair else set()
    return sorted(known)


def erased_numbers(text: str, origin: str) -> set[int]:
    """Return the numbers an erasure statement names (4.11, 7.4)."""
    lines = text.split("\n")
    if len(lines) != 5 or lines[0] != f"{origin}/erasures":
        raise Bad("is no erasure statement (4.11)")
    found: set[int] = set()
    for span in lines[3].split(" "):
        match = re.fullmatch(r"([1-9][0-9]{0,8})(?:-([1-9][0-9]{0,8}))?", span)
        if match is None:
            raise Bad("names something that is no number (4.11)")
        found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return found


# Trees (4.2)


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of an interior node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree that grows leaf by leaf; it keeps the roots of its perfect subtrees alone."""

    def __init__(self) -> None:
        self.size, self._peaks = 0, list[bytes]()

    def append(self, leaf: bytes) -> None:
        """Add a leaf."""
        at, self.size = self.size, self.size + 1
        while at & 1:
            leaf, at = node(self._peaks.pop(), leaf), at >> 1
        self._peaks.append(leaf)

    @property
    def head(self) -> bytes:
        """The head of the tree as it is."""
        found = self._peaks[-1] if self._peaks else hashlib.sha256(b"").digest()
        for peak in reversed(self._peaks[:-1]):
            found = node(peak, found)
        return found


def leads_to(leaf: bytes, index: int, size: int, path: Sequence[bytes], head: bytes) -> bool:
    """Tell whether an audit path leads from a leaf to a head."""
    if not 0 <= index < size:
        return False
    steps = list(path)

    def climb(start: int, end: int) -> bytes:
        if end - start == 1:
            return leaf
        half = 1 << ((end - start - 1).bit_length() - 1)
        if not steps:
            raise Bad("the path is too short")
        other = steps.pop()  # the path runs from leaf to root, we from root to leaf
        if index < start + half:
            return node(climb(start, start + half), other)
        return node(other, climb(start + half, end))

    try:
        return climb(0, size) == head and not steps
    except Bad:
        return False


# The container (8.1)


@dataclasses.dataclass
class Member:
    """A file as it lies in the container."""

    path: str
    packed: bytes
    crc: int
    size: int

    def read(self) -> tuple[bytes, str]:
        """Return as much as can be read, and what is wrong with the rest."""
        if self.path == "bundle.note":
            return self.packed, ""
        longest = self.longest()
        if self.size > longest:
            return self._partly(longest), f"{self.path} would be larger than {longest // MIB} MiB (8.1)"
        inflate = zlib.decompressobj(-15)
        try:
            content = inflate.decompress(self.packed, self.size + 1)
            if inflate.eof and len(content) == self.size and zlib.crc32(content) == self.crc:
                return content, ""
            return self._partly(longest), f"{self.path} is not what the container says"
        except zlib.error:
            return self._partly(longest), f"{self.path} cannot be inflated to its end"

    def longest(self) -> int:
        """Return how many bytes the member may inflate to (8.1)."""
        if LARGE.fullmatch(self.path):
            return 128 * MIB
        return 8 * MIB if MIDDLE.fullmatch(self.path) else MIB

    def _partly(self, longest: int) -> bytes:
        inflate, out = zlib.decompressobj(-15), bytearray()
        for i in range(len(self.packed)):
            try:
                out += inflate.decompress(self.packed[i : i + 1])  # of one byte come 1,032 at most
            except zlib.error:
                break
            if len(out) > longest:
                return b""
        return bytes(out)


def unpack(data: bytes) -> tuple[dict[str, Member], bool]:
    """Return the members, and whether the file is exactly what follows from them."""
    if data.count(b"PK\x01\x02") > MOST:
        raise Bad(f"it lists more than {MOST} files (8.1)")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
        if sum(info.compress_size for info in listed) > len(data):
            raise Bad("its files lie on each other (8.1)")
        if sum(info.file_size for info in listed) > ALL:
            raise Bad(f"its files would be larger than {ALL // MIB} MiB together (8.1)")
        members = []
        for info in listed:
            name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
            begin = info.header_offset + 30 + name + extra
            packed = data[begin : begin + info.compress_size]
            members.append(Member(info.filename, packed, info.CRC, info.file_size))
        return {m.path: m for m in members}, rebuilt(members) == data and len({m.path for m in members}) == len(members)
    except (zipfile.BadZipFile, struct.error, ValueError, OSError, NotImplementedError) as error:
        raise Bad(f"this is no evidence bundle: its files cannot be listed ({error})") from error


def rebuilt(members: Sequence[Member]) -> bytes:
    """Return the container's bytes from its members."""
    body, directory = bytearray(), bytearray()
    ordered = sorted(members, key=lambda m: (m.path != "bundle.note", m.path.encode()))
    for m in ordered:
        name = m.path.encode("ascii")
        method = 0 if m.path == "bundle.note" else 8
        same = struct.pack("<HHHHIIIHH", 0, method, 0, 0x21, m.crc, len(m.packed), m.size, len(name), 0)
        directory += (
            b"PK\x01\x02" + struct.pack("<HH", 20, 20) + same + struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name
        )
        body += b"PK\x03\x04" + struct.pack("<H", 20) + same + name + m.packed
    end = struct.pack("<HHHHIIH", 0, 0, len(ordered), len(ordered), len(directory), len(body), 0)
    return bytes(body + directory + b"PK\x05\x06" + end)


# The bundle (8.2 to 8.6)

MEMBERS = re.compile(
    r"bundle\.note|bundle\.json|key\.txt|checkpoint\.note|base\.json|receipts\.note|index\.html|verify\.py|README\.txt"
    r"|(rotations|erasures)/\d{6}\.note|checkpoints/\d{9}\.note|(entries|receipts)/\d{9}\.jsonl"
    r"|stylesheets/[0-9a-f]{64}\.css|timestamps/\d{9}\.tsr|assets/[0-9a-f]{64}|names\.json|bases/\d{9}\.json"
)
ALWAYS = ("bundle.note", "bundle.json", "key.txt", "checkpoint.note", "index.html", "verify.py", "README.txt")


def check(data: bytes, key: str | None = None, checkpoints: Sequence[bytes] = ()) -> Report:
    """Return whether a bundle holds; never raises."""
    report = Report(key="given" if key else "bundle")
    try:
        members, same = unpack(data)
        if not same:
            report.problems.append("the container holds bytes that do not follow from its files (8.1)")
        Bundle(members, report).check(key, checkpoints)
    except Bad as error:
        report.problems.append(str(error))
    except (RecursionError, MemoryError, OverflowError, ValueError, KeyError, TypeError, AttributeError) as error:
        report.problems.append(f"the bundle cannot be made sense of ({type(error).__name__})")
    return report


class Bundle:
    """One bundle under verification."""

    def __init__(self, members: dict[str, Member], report: Report) -> None:
        self.members, self.report = members, report
        self.keys: list[bytes] = []
        self.heads: dict[int, bytes] = {}

    def check(self, key: str | None, pinned: Sequence[bytes]) -> None:
        """Check everything that can be checked."""
        self._listed()
        manifest = self._attempt("bundle.json", self._manifest)
        name = str(manifest["name"]) if manifest else ""
        self._attempt("the key", lambda: self._trust(name, key))
        self._attempt("bundle.note", lambda: self._sealed(name, manifest))
        if manifest is None:
            return
        origin = f"{name}/share/{manifest['share']}"
        signed = self._attempt("checkpoint.note", lambda: self._checkpoint("checkpoint.note", origin))
        if signed and signed[0] != manifest["size"]:
            self.report.problems.append("checkpoint.note is of another size than bundle.json says (8.3)")
        self._entries(manifest, origin, signed, pinned)
        if manifest["receipts"]:
            self._attempt("the receipts", lambda: self._receipts(manifest, f"{origin}/receipts"))

    def _attempt(self, what: str, work: Any) -> Any:
        try:
            return work()
        except Bad as error:
            self.report.problems.append(f"{what}: {error}")
            return None

    def text(self, path: str) -> str:
        if path not in self.members:
            raise Bad("is missing (8.3)")
        content, trouble = self.members[path].read()
        if trouble:
            raise Bad(trouble)
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise Bad("is no text") from None

    def _paths(self, folder: str) -> list[str]:
        return sorted(p for p in self.members if p.startswith(f"{folder}/") and MEMBERS.fullmatch(p))

    def _listed(self) -> None:
        """8.3: nothing unknown, nothing missing."""
        for path in self.members:
            if not MEMBERS.fullmatch(path):
                self.report.problems.append(f"{path} does not belong in a bundle (8.3)")
        for path in ALWAYS:
            if path not in self.members:
                self.report.problems.append(f"{path} is missing (8.3)")

    def _manifest(self) -> dict[str, Any]:
        try:
            m = json.loads(self.text("bundle.json"))
        except ValueError:
            raise Bad("is no JSON") from None
        kinds = {
            "format": int,
            "kind": str,
            "share": str,
            "name": str,
            "from": int,
            "to": int,
            "size": int,
            "receipts": bool,
        }
        if not isinstance(m, dict) or any(type(m.get(name)) is not kind for name, kind in kinds.items()):
            raise Bad("is not what 8.3 says")
        first, to, size, kind = m["from"], m["to"], m["size"], m["kind"]
        if m["format"] not in (1, 2) or kind not in ("share", "period", "entry") or not 1 <= first <= to <= size:
            raise Bad("says what cannot be (8.3)")
        if (kind == "share" and (first, to) != (1, size)) or (kind == "entry" and first != to):
            raise Bad("says what cannot be of its kind (8.5)")
        for path, wanted in (("base.json", kind != "share"), ("receipts.note", m["receipts"])):
            if (path in self.members) != wanted:
                self.report.problems.append(f"{path} is {'missing' if wanted else 'not expected'} (8.3)")
        if (self._paths("checkpoints") and kind != "share") or (self._paths("receipts") and not m["receipts"]):
            self.report.problems.append("there are files that do not belong to this kind of bundle (8.3)")
        self.report.kind, self.report.share, self.report.first, self.report.to = kind, m["share"], first, to
        return m

    def _trust(self, name: str, given: str | None) -> None:
        """8.6: which keys are good."""
        own, inside = open_key(self.text("key.txt")) if given is None or "key.txt" in self.members else open_key(given)
        mine, key = open_key(given) if given is not None else (own, inside)
        if name and mine != name:
            raise Bad(f"it is the key of {mine}, but the bundle is of {name} (8.6)")
        self.keys = trusted(mine, key, [self.text(path) for path in self._paths("rotations")])
        if own != mine or inside not in self.keys:
            raise Bad("key.txt holds another key, and no rotation leads to it (8.6)")
        if given is None:
            self.report.notes.append(
                "The key was taken from the bundle itself. Compare it with the one you were given."
            )

    def _sealed(self, name: str, m: dict[str, Any] | None) -> None:
        """8.2: every file is the one that was signed for."""
        lines = open_note(self.text("bundle.note"), self.keys).split("\n")
        formats = (str(m["format"]),) if m else ("1", "2")
        if len(lines) < 3 or lines[1] not in formats or (name and lines[0] != f"{name}/bundle"):
            raise Bad("is not the list of files of 8.2")
        listed = [
            f"{hashlib.sha256(m.packed).hexdigest()} {path}"
            for path, m in sorted(self.members.items())
            if path != "bundle.note"
        ]
        for line in sorted(set(listed) - set(lines[2:-1])):
            self.report.problems.append(f"{line[65:]} is not the file that was signed for (8.2)")
        if listed != lines[2:-1] and not set(listed) - set(lines[2:-1]):
            raise Bad("lists files that are missing, or in another order (8.2)")

    def _checkpoint(self, path: str, origin: str) -> tuple[int, bytes]:
        found, size, head = open_checkpoint(open_note(self.text(path), self.keys))
        if found != origin:
            raise Bad(f"is a checkpoint of {found}, expected {origin}")
        return size, head

    def _erased(self, origin: str) -> set[int]:
        found: set[int] = set()
        for path in self._paths("erasures"):
            text = self._attempt(path, lambda path=path: open_note(self.text(path), self.keys))
            if text and text.startswith(f"{origin}/erasures\n"):
                found |= self._attempt(path, lambda text=text: erased_numbers(text, origin)) or set()
        return found

    # 8.4, 8.5

    def _lines(self, folder: str) -> Iterator[tuple[int | None, bytes, str]]:
        """Yield the number a file's name promises (None within a file), each line, and what keeps it unread."""
        for path in self._paths(folder):
            content, trouble = self.members[path].read()
            lines = content.split(b"\n")
            for i, line in enumerate(lines[:-1]):
                yield (None if i else int(path[-15:-6])), line, ""
            if trouble or lines[-1]:
                yield None, b"", trouble or f"{path} ends in the middle of a line"
                return

    def _entries(self, m: dict[str, Any], origin: str, signed: Any, pinned: Sequence[bytes]) -> None:
        whole, first, to = m["kind"] == "share", m["from"], m["to"]
        walk = Walk(self, m, self._erased(origin), signed)
        n = first - 1
        for promised, raw, trouble in self._lines("entries"):
            n += 1
            if n > to:
                self.report.entry(n, f"there are lines beyond {to} (8.5)")
                break
            try:
                if trouble or promised not in (None, n):
                    raise Lost(trouble or f"its file promises update {promised} (8.5.1)")
                walk.take(n, raw)
            except Bad as error:
                self.report.entry(n, str(error))
                if isinstance(error, Lost):
                    break
        else:
            if n < to:
                self.report.entry(n + 1, "it is missing (8.5.1)")
        if "names.json" in self.members:
            self._attempt("names.json", lambda: self._names(walk))
        others = [
            c
            for path in self._paths("checkpoints")
            if (c := self._attempt(path, lambda path=path: self._earlier(path, origin, m)))
        ]
        others += self._given(m, origin, signed, pinned)
        if whole:
            self._heads([*others, *([signed] if signed else [])], walk)

    def _names(self, walk: "Walk") -> None:
        """8.5.10: every name given beside the entries is one that an update committed to."""
        try:
            for given in json.loads(self.text("names.json")):
                told = hmac.new(bytes.fromhex(given["salt"]), given["name"].encode(), hashlib.sha256).hexdigest()
                if (given["key"], told) not in walk.committed:
                    raise Bad("it gives a name that no update committed to (8.5.10)")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Bad("it cannot be read (8.5.10)") from None

    def _earlier(self, path: str, origin: str, m: dict[str, Any]) -> tuple[int, bytes]:
        size, head = self._checkpoint(path, origin)
        if size != int(path[-14:-5]) or size >= m["size"]:
            raise Bad(f"is of {size} updates")
        return size, head

    def _given(self, m: dict[str, Any], origin: str, signed: Any, pinned: Sequence[bytes]) -> list[tuple[int, bytes]]:
        """8.6: checkpoints that were kept elsewhere."""
        found = []
        for note in pinned:
            try:
                of, size, head = open_checkpoint(open_note(note.decode(), self.keys))
                if of != origin:
                    raise Bad(f"it is of {of}, expected {origin}")
            except (Bad, UnicodeDecodeError) as error:
                self.report.problems.append(f"a checkpoint you gave cannot be used: {error}")
                continue
            if m["kind"] != "share":
                if size == m["size"] and signed and head != signed[1]:
                    self.report.problems.append("a checkpoint you gave has another head at the same size (8.6)")
                elif size != m["size"]:
                    self.report.notes.append(f"A checkpoint of {size} updates cannot be compared with a part (8.6).")
            elif size > m["size"]:
                self.report.entry(m["size"] + 1, f"the record was cut: {size} updates were signed for (8.6)")
            else:
                found.append((size, head))
        return found

    def _heads(self, checkpoints: list[tuple[int, bytes]], walk: "Walk") -> None:
        """8.5: the tree over all leaves gives every head that was signed."""
        sound, good = self.report.first_bad or walk.tree.size + 1, 0
        self.heads = walk.heads
        for size, head in sorted(checkpoints):
            if size > walk.tree.size:
                continue
            if (walk.heads[size] if size else Tree().head) == head:
                good = max(good, size)
                continue
            if size < sound:
                self.report.entry(good + 1, f"the record up to {size} is not the one that was signed (8.5)")
            else:
                self.report.problems.append(f"the record up to {size} is not the one that was signed (8.5)")
            return

    # receipts (7.3)

    def _receipts(self, m: dict[str, Any], origin: str) -> None:
        size, head = self._checkpoint("receipts.note", origin)
        whole, erased, tree, k = m["kind"] == "share", self._erased(origin), Tree(), 0
        for promised, raw, trouble in self._lines("receipts"):
            if trouble:
                raise Bad(trouble)
            k = promised if promised and not k and not whole else k + 1
            line = opened(raw, "k", whole=whole)
            leaf = leaf_of(line)
            try:
                header = json.loads(line["header"])
                right = isinstance(header, dict) and (header["share"], header["k"]) == (m["share"], k)
            except (ValueError, KeyError):
                right = False
            if line["k"] != k or not right or leaf.hex() != line["leaf"]:
                raise Bad(f"row {k} is not that row, or its leaf is wrong (7.3)")
            if line["content"] is None and k not in erased:
                raise Bad(f"the claims of row {k} are missing, and no statement names it (7.4)")
            if line["content"] is not None:
                committed(line)
                self._claims(line["content"], k)
            if not whole and not leads_to(leaf, k - 1, size, [bytes.fromhex(step) for step in line["proof"]], head):
                raise Bad(f"the proof of row {k} does not lead to the signed head")
            tree.append(leaf)
        if whole and (tree.size, tree.head) != (size, head):
            raise Bad(f"{tree.size} rows are not the {size} that were signed for")

    def _claims(self, content: str, k: int) -> None:
        try:
            claims = json.loads(content)
            for claim in claims:
                head = self.heads.get(claim["n"])
                if claim["head"] and head and not head.hex().startswith(claim["head"]):
                    told = f"A page of {claim['person']} held another head at update {claim['n']}: {claim['head']}."
                    self.report.notes.append(f"{told} The page or the record is wrong; only a person can say which.")
        except (ValueError, KeyError, TypeError):
            raise Bad(f"the claims of row {k} cannot be read (7.3)") from None


HEADER: dict[int, tuple[str, ...]] = {  # the fields of a header, by format (4.1)
    1: ("at", "n", "share", "stylesheet", "terms_version"),
    2: ("at", "format", "n", "share", "stylesheet", "terms_version"),
}
KINDS = {"at": str, "format": int, "n": int, "share": str, "stylesheet": str, "terms_version": int}


class Lost(Bad):
    """After this entry nothing can be told apart (8.5)."""


def opened(raw: bytes, number: str, *, whole: bool) -> dict[str, Any]:
    """Return a line as 8.4 has it."""
    try:
        line = json.loads(raw)
        texts = [line["header"], line["commitment"], line["leaf"], *([] if whole else line["proof"])]
        pair = (line["content"], line["salt"])
        right = set(line) == {number, "header", "content", "salt", "commitment", "leaf", *(() if whole else ("proof",))}
        if not right or type(line[number]) is not int or not all(isinstance(text, str) for text in texts):
            raise ValueError
        if pair != (None, None) and not all(isinstance(text, str) for text in pair):
            raise ValueError
        for text in texts[1:]:
            bytes.fromhex(text)
        bytes.fromhex(pair[1] or "")
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Lost("its line cannot be read (8.5.1)") from None
    return dict(line)


def leaf_of(line: dict[str, Any]) -> bytes:
    """Return the leaf of header and commitment (4.1)."""
    return hashlib.sha256(
        b"\x00" + line["header"].encode(errors="replace") + bytes.fromhex(line["commitment"])
    ).digest()


def committed(line: dict[str, Any]) -> None:
    """4.1: the content is the one that was committed to."""
    told = hmac.new(bytes.fromhex(line["salt"]), line["content"].encode(errors="replace"), hashlib.sha256).hexdigest()
    if told != line["commitment"]:
        raise Bad("its content is not what was committed to (8.5.3)")


class Walk:
    """Goes along the entries of one bundle."""

    def __init__(self, bundle: Bundle, m: dict[str, Any], erased: set[int], signed: Any) -> None:
        self._bundle, self._m, self._erased, self._signed = bundle, m, erased, signed
        self._hashes: dict[str, str] = {}  # SHA-256 of files that entries name, "" for those that cannot be read
        self._whole = m["kind"] == "share"
        self._parts: dict[str, Any] | None = {} if self._whole else None
        self._sections: dict[str, str] = {}
        self.committed: set[tuple[str, str]] = set()  # key and commitment of every name in the views
        self._at: dt.datetime | None = None
        self.tree, self.heads = Tree(), dict[int, bytes]()

    def take(self, n: int, raw: bytes) -> None:
        """Check one entry (8.5)."""
        line = opened(raw, "n", whole=self._whole)
        if line["n"] != n:
            raise Lost(f"expected update {n}, the line says {line['n']} (8.5.1)")
        at = self._header(line, n)
        leaf = leaf_of(line)
        if leaf.hex() != line["leaf"]:
            raise Lost("its leaf is not the hash of its header and commitment (8.5.2)")
        self.tree.append(leaf)
        self.heads[n] = self.tree.head
        earlier, self._at = self._at, at
        content = self._content(line, n)
        self._fold(n, content)
        if earlier is not None and at < earlier:
            raise Bad("it was recorded before the one before it (8.5.5)")
        if content is not None:
            self._style(content)
        if not self._whole and self._signed is not None:
            path = [bytes.fromhex(step) for step in line["proof"]]
            if not leads_to(leaf, n - 1, self._m["size"], path, self._signed[1]):
                raise Bad("its proof does not lead to the signed head (8.5.8)")

    def _header(self, line: dict[str, Any], n: int) -> dt.datetime:
        """8.5.2: the header is that of this share and number, to the byte."""
        try:
            h = json.loads(line["header"])
            again = {name: h[name] for name in HEADER[h.get("format", 1)]}
            typed = all(type(value) is KINDS[name] for name, value in again.items())
            exact = json.dumps(again, separators=(",", ":"), ensure_ascii=False) == line["header"]
            if not typed or not exact or (h["share"], h["n"]) != (self._m["share"], n):
                raise ValueError
            return moment(h["at"])
        except (ValueError, KeyError, TypeError):
            raise Lost("its header is not that of this update (8.5.2)") from None

    def _content(self, line: dict[str, Any], n: int) -> dict[str, Any] | None:
        """8.5.3, 8.5.4."""
        parts, self._parts = self._parts, None  # until the content turns out to be good, nothing more can be folded
        if line["content"] is None:
            if n not in self._erased:
                raise Bad("its content is missing, and no erasure statement names it (8.5.4)")
            return None
        committed(line)
        try:
            c = json.loads(line["content"])
            told = {name: c[name] for name in HEADER[c.get("format", 1)]}
            told["at"] = exact(c["at"])
            if json.dumps(told, separators=(",", ":"), ensure_ascii=False) != line["header"]:
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Bad("its header does not follow from its content (8.5.3)") from None
        self._parts = parts
        return dict(c)

    def _fold(self, n: int, content: dict[str, Any] | None) -> None:
        """8.5.6: the page it folds to is the page that was shown."""
        if content is None:
            return
        try:
            again = f"bases/{n:09}.json"  # of an entry after ones that were erased
            if not self._whole and n == self._m["from"]:
                self._begin(json.loads(self._bundle.text("base.json")))
            elif self._parts is None and again in self._bundle.members:
                self._begin(json.loads(self._bundle.text(again)))
            elif self._parts is not None:
                new = {part[0]: part for part in content.get("parts", [])}
                self._parts = folded(self._parts, new, content.get("removed"))
                self._sections = folded(self._sections, content.get("sections", {}), content.get("sections_removed"))
            if self._parts is None:
                return
            wanted, second = content.get("page"), content.get("format", 1) == 2
            page = self._page(content["roots"], second=second) if wanted else wanted
            if second:
                self.committed.update(json.loads(self._sections.get("names", "{}")).items())
            view = view_hash(self._sections) if second else None
        except (ValueError, KeyError, TypeError, IndexError, RecursionError, AttributeError):
            raise Bad("its parts cannot be put together (8.5.6)") from None
        if page != wanted:
            raise Bad("the page it folds to is not the page that was shown (8.5.6)")
        if second and view != content.get("sections_hash"):
            raise Bad("the view it folds to is not the view that was recorded (8.5.9)")

    def _begin(self, base: Any) -> None:
        """8.3: what was shown after the first entry of a part of a record."""
        if self._m["format"] == 1:
            self._parts = {part[0]: part for part in base}
        else:
            self._parts, self._sections = {part[0]: part for part in base["parts"]}, dict(base["sections"])

    def _page(self, roots: Sequence[str], *, second: bool) -> str:
        """3.3, 3.8: the hash of a page, in the format of the entry."""
        if second:
            return hashlib.sha256(b"".join(self._hash(root, 0) for root in roots)).hexdigest()
        return hashlib.sha256("".join(self._markup(root, 0) for root in roots).encode()).hexdigest()

    def _hash(self, key: str, depth: int) -> bytes:
        """3.8: the hash of a part."""
        if depth > 50 or self._parts is None:
            raise ValueError
        name, head, *rest = self._parts[key]
        children, tail = (rest[0] if rest else ()), (rest[1] if len(rest) > 1 else "")
        first, last = (hashlib.sha256(text.encode()).digest() for text in (head, tail))
        inside = b"".join(self._hash(child, depth + 1) for child in children)
        return hashlib.sha256(name.encode() + b"\0" + first + inside + last).digest()

    def _markup(self, key: str, depth: int) -> str:
        """3.4."""
        if depth > 50 or self._parts is None:
            raise ValueError
        _, head, *rest = self._parts[key]
        children, tail = (rest[0] if rest else ()), (rest[1] if len(rest) > 1 else "")
        return str(head) + "".join(self._markup(child, depth + 1) for child in children) + str(tail)

    def _style(self, content: dict[str, Any]) -> None:
        """8.5.7."""
        if not self._same(f"stylesheets/{content['stylesheet']}.css", content["stylesheet"]):
            raise Bad("its stylesheet is missing or altered (8.5.7)")
        if not all(self._same(f"assets/{digest}", digest) for digest in content.get("assets", [])):
            raise Bad("a font or image of its stylesheet is missing or altered (8.5.7)")

    def _same(self, path: str, digest: str) -> bool:
        """Say whether a file has a SHA-256; each is inflated once, however many entries name it."""
        if path not in self._hashes:
            member = self._bundle.members.get(path)
            content, trouble = member.read() if member else (b"", "missing")
            self._hashes[path] = "" if trouble else hashlib.sha256(content).hexdigest()
        return self._hashes[path] == digest


def folded(before: dict[str, Any], new: dict[str, Any], gone: Any) -> dict[str, Any]:
    """3.4, 3.9: what was there, without what is gone, with what is new."""
    left = set(gone or ())
    return {key: value for key, value in before.items() if key not in left} | new


def view_hash(sections: dict[str, str]) -> str:
    """3.9: the hash over the hashes of all sections."""
    lines = (f"{hashlib.sha256(sections[key].encode()).hexdigest()} {key}\n" for key in sorted(sections))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def moment(text: str) -> dt.datetime:
    """Return an instant that is written as 4.1 has it."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text):
        raise ValueError(text)
    return dt.datetime.fromisoformat(text)


def exact(text: str) -> str:
    """Return an instant of a content as its header writes it (4.1)."""
    at = dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


# The command line (8.7)


def told(report: Report) -> str:
    """Return a report in sentences."""
    if report.accepted:
        span = f"update {report.first}" if report.first == report.to else f"updates {report.first} to {report.to}"
        lines = [f"ACCEPTED: {span} of share {report.share}."]
        lines += ["The record is unbroken from update 1."] if report.kind == "share" else []
    else:
        first = f" The first bad update is {report.first_bad}." if report.first_bad is not None else ""
        lines = [f"REJECTED.{first}", *(f"  {problem}" for problem in report.problems)]
    return "\n".join(lines + [f"Note: {note}" for note in report.notes])


def main(arguments: Sequence[str] | None = None) -> int:
    """Check one bundle."""
    parser = argparse.ArgumentParser(description="Check a Fanlight evidence bundle.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", help="the verification key you were given, or a file that holds it")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], help="a checkpoint you kept")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    given = parser.parse_args(arguments)
    try:
        key = (
            Path(given.key).read_text()
            if given.key and len(given.key) < 200 and Path(given.key).is_file()
            else given.key
        )
        data, notes = given.bundle.read_bytes(), [path.read_bytes() for path in given.checkpoint]
    except OSError as error:
        print(f"{error.filename} cannot be read: {error.strerror}", file=sys.stderr)
        return 2
    report = check(data, key, notes)
    print(report.as_json() if given.json else told(report))
    return 0 if report.accepted else 1


if __name__ == "__main__":
    sys.exit(main())
