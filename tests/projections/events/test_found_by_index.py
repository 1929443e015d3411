"""Whatever is looked for is found by index, and what is found is what looking through everything finds."""

from collections import Counter
from pathlib import Path

import pytest

from domain.events import AnyEvent
from domain.ids import ClientId, PersonId
from domain.people.mail_domains import of as domain_of
from domain.people.memberships import same_address
from projections.directory import Key
from projections.events.world import World as State
from projections.events.world import kind_of, organisation_zone
from tests.properties.twins import pair, play
from tests.world import World


def differences(state: State, addresses: set[str]) -> list[str]:
    """Return what the indices of a state say otherwise than its records."""
    return [*_of_shares(state), *_of_people(state, addresses), *_of_ways_in(state), *_of_providers(state, addresses)]


def _of_shares(state: State) -> list[str]:
    wrong: list[str] = []
    shares, people = list(state.shares.values()), list(state.people.values())
    for project in [*state.projects, "none"]:
        if state.all_of_project(project) != [s for s in shares if s.project == project]:
            wrong.append(f"shares of {project}")
        told = [c for c in state.channels.values() if c.project == project and c.ended is None]
        if state.channels_of(project) != told:  # type: ignore[arg-type]
            wrong.append(f"channels of {project}")
    for client in [*state.clients, ClientId("none")]:
        if state.all_of_client(client) != [s for s in shares if s.client == client]:
            wrong.append(f"shares of {client}")
        if {p.id for p in state.members_of(client)} != {p.id for p in people if p.known_to(client)}:
            wrong.append(f"members of {client}")
    if {s.id for s in state.ending()} != {s.id for s in shares if s.active and s.ways.expires is not None}:
        wrong.append("shares that end")
    if {p.id for p in state.overridden()} != {p.id for p in state.projects.values() if p.health.overrides}:
        wrong.append("projects whose health was set")
    if dict(state.zones) != Counter(project.time_zone for project in state.projects.values()):
        wrong.append("zones")
    zones = {project.time_zone for project in state.projects.values()}
    if organisation_zone(state) != (zones.pop() if len(zones) == 1 else "UTC"):
        wrong.append("the zone of the organisation")
    return wrong


def _of_people(state: State, addresses: set[str]) -> list[str]:
    wrong: list[str] = []
    people = list(state.people.values())
    for address in addresses:
        same = {p.id for p in people if any(same_address(address, known) for known in p.addresses)}
        if {p.id for p in state.addressed(address)} != same:
            wrong.append(f"people of {address}")
    if state.colleagues() != [p for p in people if p.role != "viewer"]:
        wrong.append("colleagues")
    if {p.id for p in state.holding_devices()} != {p.id for p in people if p.devices.kept}:
        wrong.append("who has devices")
    if {p.id for p in state.signed_in()} != {p.id for p in people if p.sessions}:
        wrong.append("who has sessions")
    return wrong


def _of_ways_in(state: State) -> list[str]:
    people = state.people.values()
    searched = {
        "sessions": {s.hash: Key(p.id, s.id) for p in people for s in p.sessions.values()},
        "links": {digest: Key(p.id, digest) for p in people for digest in p.links},
        "tokens": {t.hash: Key(p.id, t.id) for p in people for t in p.tokens.values()},
        "passkeys": {k.credential: Key(p.id, k.id) for p in people for k in p.keyring.passkeys.values()},
    }
    return [name for name, found in searched.items() if dict(getattr(state, name)) != found]


def _of_providers(state: State, addresses: set[str]) -> list[str]:
    wrong: list[str] = []
    going = [(client.id, one) for client in state.clients.values() if client.ended_at is None
             for one in client.providers.values()]  # fmt: skip
    for key in [*(one.id for _client, one in going), "none"]:
        if state.provider(key) != next(((client, one) for client, one in going if one.id == key), None):
            wrong.append(f"provider {key}")
    for domain in {domain_of(address) for address in addresses}:
        claims = [(one.used_at, one.id, client, one) for client, one in going
                  if one.used is not None and one.used_at is not None and domain in one.used.domains]  # fmt: skip
        first = min(claims, key=lambda each: each[:2], default=None)
        if state.provider_for(f"x@{domain}") != (first[2:] if first else None):
            wrong.append(f"provider for {domain}")
    if state.vouched_for != any(one.used is not None for _client, one in going):
        wrong.append("whether anybody is vouched for")
    return wrong


@pytest.mark.folder
def test_after_every_event_of_random_histories_the_index_finds_what_a_search_finds(tmp_path: Path) -> None:
    seen = 0
    for seed in range(4):
        world = World(tmp_path / str(seed))
        play(world, pair(seed), seed % 2)
        state, addresses = State(), {"nobody@x.test"}
        for recorded in world.folder.events.everything():
            state.apply(recorded)
            addresses |= {a for p in state.people.values() for a in p.addresses}
            addresses |= {a.upper() for a in addresses}
            assert differences(state, addresses) == []
            seen += 1
        world.close()
    assert seen > 200


@pytest.mark.folder
def test_a_wrong_index_is_noticed_and_an_erased_person_is_in_none(tmp_path: Path) -> None:
    world = World(tmp_path)
    play(world, pair(1), 0)
    state = world.present.refresh().afresh()
    person = next(p for p in state.people.values() if p.clients)
    address = person.email
    state._addressed.pop(address.lower())
    assert differences(state, {address}) == [f"people of {address}"]
    state._index(None, person)
    assert differences(state, {address}) == []
    state._erase(person.id)
    assert state.addressed(address) == []
    assert person.id not in {p.id for client in state.clients for p in state.members_of(client)}
    assert differences(state, {address}) == []
    assert world.present.world.people[person.id] == person, "the world that was still is another"
    world.close()


@pytest.mark.folder
def test_a_world_that_is_still_is_not_changed_by_what_comes_later(tmp_path: Path) -> None:
    world = World(tmp_path)
    play(world, pair(2), 1)
    events = list(world.folder.events.everything())
    state, stills = State(), []
    for recorded in events:
        state.apply(recorded)  # type: ignore[arg-type]
        stills.append(state.still())
    again = State()
    for recorded, still in zip(events, stills, strict=True):
        again.apply(recorded)  # type: ignore[arg-type]
        for name in ("shares", "people", "clients", "projects", "versions", "sessions", "erased", "holds", "changes"):
            assert getattr(still, name) == getattr(again, name), (recorded.position, name)
    assert PersonId("nobody") not in stills[-1].people
    world.close()


def test_it_is_known_of_every_event_what_it_changes() -> None:
    kinds = {kind_of(event) for event in AnyEvent.__args__}
    assert kinds == {"project", "share", "access", "closing", "nothing"}
    with pytest.raises(TypeError, match="expected an event, got str"):
        kind_of(str)
