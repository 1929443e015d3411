"""A payload of every event version ever written lies in tests/vectors/events and decodes for ever to what it meant."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from domain.events import AnyEvent, decode, encode, tag

pytestmark = pytest.mark.once

VECTORS = Path(__file__).parents[1] / "vectors" / "events"
FILES = sorted(VECTORS.glob("*.json"))


def classes(union: object) -> set[type]:
    """Return the classes of a union, nested ones included."""
    found: set[type] = set()
    for one in get_args(union):
        found |= classes(one) if get_args(one) else {one}
    return found


def test_every_event_has_a_payload_on_file() -> None:
    """A new event fails here, and the message says what to write. A payload is written once and never edited."""
    tags = {str(c.__struct_config__.tag) for c in classes(AnyEvent)}
    there = {path.stem.partition(".")[0] for path in FILES}
    missing, unknown = sorted(tags - there), sorted(there - tags)
    told = "".join(f"\n  {VECTORS.name}/{one}.json, as domain.events.encode gives it" for one in missing)
    assert not missing, f"Write one stored payload for each, and its repr(decode(...)) beside it as .repr:{told}"
    assert not unknown, f"These were stored once and no event decodes them any more: {unknown}"


def test_a_stored_payload_of_nothing_we_know_is_refused() -> None:
    payload = FILES[0].read_bytes()
    with pytest.raises(msgspec.ValidationError):
        decode(payload.replace(tag(decode(payload).event).encode(), b"never-happened"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_stored_payload_decodes_and_encodes_to_the_same_bytes(path: Path) -> None:
    """Bytes may only differ by fields added since, which have defaults."""
    payload = path.read_bytes().strip()
    stored = decode(payload)
    assert tag(stored.event) == path.stem.partition(".")[0]
    assert _known(msgspec.json.decode(payload), msgspec.json.decode(encode(stored)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_stored_payload_means_what_it_meant(path: Path) -> None:
    meaning = (VECTORS / f"{path.stem}.repr").read_text().strip()
    told = repr(decode(path.read_bytes().strip()))
    assert told == meaning, (
        "the meaning of a stored event changed; if a field was added with a default, renew the .repr file"
    )


def _known(old: object, new: object) -> bool:
    """Tell whether everything the old payload said is said in the new one."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in new and _known(value, new[key]) for key, value in old.items())
    return old == new
