"""Shares and people are found by index, and what is found is what looking through all of them finds."""

from pathlib import Path

import pytest

from domain.ids import ClientId
from domain.people.memberships import same_address
from projections.events.world import World as State
from tests.properties.twins import pair, play
from tests.world import World


def differences(state: State, addresses: set[str]) -> list[str]:
    """Return what the indices of a state say otherwise than its records."""
    wrong: list[str] = []
    shares, people = list(state.shares.values()), list(state.people.values())
    for project in [*state.projects, "none"]:
        if state.all_of_project(project) != [s for s in shares if s.project == project]:
            wrong.append(f"shares of {project}")
    for client in [*state.clients, ClientId("none")]:
        if state.all_of_client(client) != [s for s in shares if s.client == client]:
            wrong.append(f"shares of {client}")
        if {p.id for p in state.members_of(client)} != {p.id for p in people if p.known_to(client)}:
            wrong.append(f"members of {client}")
    for address in addresses:
        same = {p.id for p in people if any(same_address(address, known) for known in p.addresses)}
        if {p.id for p in state.addressed(address)} != same:
            wrong.append(f"people of {address}")
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
    state = world.present.refresh()
    person = next(p for p in state.people.values() if p.clients)
    address = person.email
    state._addressed.pop(address.lower())
    assert differences(state, {address}) == [f"people of {address}"]
    state._index(None, person)
    assert differences(state, {address}) == []
    state._erase(person.id)
    assert state.addressed(address) == []
    assert person.id not in {p.id for client in state.clients for p in state.members_of(client)}
    world.close()
