"""`fanlight export`: the entries of one share as JSON lines, each as recorded."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from domain.errors import Unknown
from projections.disclosure import Entry
from projections.folder import Folder
from web.settings import Settings

BATCH = 200


def run(settings: Settings, share: str, out: Path | None, after: int) -> int:
    """Write entries after + 1 ... ; each line holds the committed content, its salt, leaf, tree head and message."""
    folder = Folder(settings.data)
    try:
        if folder.disclosure.head(share) == 0:
            raise Unknown(f"Share {share!r} has no entries in {settings.data}. Its id is in the address of its page.")
        with _target(out) as target:
            for entry in _entries(folder, share, after):
                target.write(_line(entry))
    finally:
        folder.close()
    return 0


def _entries(folder: Folder, share: str, after: int) -> Iterator[Entry]:
    while found := folder.disclosure.entries(share, after, BATCH):
        yield from found
        after = found[-1].n


def _line(entry: Entry) -> bytes:
    record = {
        "n": entry.n,
        "content": msgspec.Raw(entry.raw),
        "salt": entry.salt.hex(),
        "leaf": entry.leaf.hex(),
        "root": entry.root,
        "message": entry.message.decode(),
    }
    return msgspec.json.encode(record) + b"\n"


@contextlib.contextmanager
def _target(out: Path | None) -> Iterator[BinaryIO]:
    if out is None:
        yield sys.stdout.buffer
        return
    with out.open("wb") as file:
        yield file
