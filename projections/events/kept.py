"""How everything stood, as bytes and back: what a snapshot holds. Pure.

Rule: it is a cache of the fold. Whatever the fold keeps is in the table below, and what is read is what was written.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from domain.agreement.share import Share
from domain.ids import ChannelId, ClientId, PersonId, ProjectId, ShareId
from domain.people.brand import Brand
from domain.people.clients import Client
from domain.people.person import Person
from domain.people.rules import Rules
from domain.plan.project import Project
from domain.plan.putting_back import LatestChange
from domain.reveal.holding import Holds
from domain.telling.channels import Channel
from projections.directory import Key
from projections.events.folding import Stood
from projections.events.hold_book import Hold
from projections.events.world import World
from projections.sharing import Sharing

FORMAT = 1
AT_ONCE = 50  # entries of a map in one part, so that no part keeps other threads waiting
MAPS: dict[str, Any] = {
    "shares": dict[ShareId, Share],
    "clients": dict[ClientId, Client],
    "people": dict[PersonId, Person],
    "sessions": dict[str, Key],
    "links": dict[str, Key],
    "tokens": dict[str, Key],
    "passkeys": dict[str, Key],
    "channels": dict[ChannelId, Channel],
    "_told": dict[ProjectId, tuple[ChannelId, ...]],
    "put_out": dict[str, tuple[str, ...]],
    "_devices": dict[str, PersonId],
    "_offers": dict[str, PersonId],
    "_displays": dict[str, str],
    "_offered": dict[PersonId, tuple[str, ...]],
    "_ending": dict[ShareId, None],
    "_of_project": dict[ProjectId, tuple[ShareId, ...]],
    "_of_client": dict[ClientId, tuple[ShareId, ...]],
    "_members": dict[ClientId, tuple[PersonId, ...]],
    "_addressed": dict[str, tuple[PersonId, ...]],
    "_colleagues": dict[PersonId, None],
    "_holding": dict[PersonId, None],
    "_claiming": dict[str, tuple[ClientId, ...]],
    "_providing": dict[str, tuple[ClientId, ...]],
    "_vouching": dict[ClientId, None],
    "projects": dict[ProjectId, Project],
    "_overridden": dict[ProjectId, None],
    "versions": dict[str, int],
    "_changes": dict[ProjectId, tuple[LatestChange, ...]],
    "zones": dict[str, int],
}
HELD: dict[str, Any] = {  # of the book of holds; the keys of the last are no texts, so its entries are listed
    "now": dict[ShareId, Holds],
    "_past": dict[ShareId, tuple[tuple[datetime, Holds], ...]],
    "_holds": dict[ShareId, list[tuple[str, datetime, Hold]]],
}


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """What is no map."""

    position: int
    latest: datetime
    brand: Brand
    rules: Rules
    erased: frozenset[PersonId]


class KeptPart(msgspec.Struct, frozen=True, array_like=True):
    """Some entries of a map, encoded."""

    name: str
    entries: msgspec.Raw


_encoder = msgspec.msgpack.Encoder()
_part = msgspec.msgpack.Decoder(KeptPart)
_whole = msgspec.msgpack.Decoder(Whole)
_maps = {name: msgspec.msgpack.Decoder(kind) for name, kind in (MAPS | HELD).items()}


def written(standing: Stood) -> Iterator[bytes]:
    """Yield how everything stood, in parts.

    Raises: ValueError where a stream is broken: it would stay broken once its cause is gone.
    """
    if standing.broken:
        message = "a stream is broken"
        raise ValueError(message)
    world = standing.world
    yield _encoder.encode(
        Whole(
            position=standing.position,
            latest=standing.latest,
            brand=world.brand,
            rules=world.rules,
            erased=world.erased,
        )
    )
    for name in MAPS:
        yield from _parts(name, world.changes if name == "_changes" else getattr(world, name))
    book = world.held_back
    holds = vars(book)["_holds"].items()
    listed = {share: [(*key, hold) for key, hold in known.items()] for share, known in holds}
    yield from _parts("now", book.now)
    yield from _parts("_past", vars(book)["_past"])
    yield from _parts("_holds", listed)


def _parts(name: str, entries: Any) -> Iterator[bytes]:
    left = iter(entries.items())
    while some := dict(islice(left, AT_ONCE)):
        yield _encoder.encode(KeptPart(name, msgspec.Raw(_encoder.encode(some))))


def read(parts: Sequence[bytes]) -> Stood:
    """Return how everything stood.

    Raises: msgspec.MsgspecError, LookupError where the parts are not those of a standing.
    """
    whole, world = _whole.decode(parts[0]), World()
    found: dict[str, dict[Any, Any]] = {name: {} for name in _maps}
    for encoded in parts[1:]:
        part = _part.decode(encoded)
        found[part.name].update(_maps[part.name].decode(part.entries))
    for name in MAPS:
        setattr(world, name, Sharing(found[name]))
    listed = found["_holds"].items()
    found["_holds"] = {share: {(about, since): hold for about, since, hold in known} for share, known in listed}
    for name in HELD:
        setattr(world.held_back, name, Sharing(found[name]))
    world.brand, world.rules, world.erased, world.position = whole.brand, whole.rules, whole.erased, whole.position
    return Stood(whole.position, world, {}, whole.latest)
