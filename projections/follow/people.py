"""People in the views of one share: a placeholder for each. Pure."""

from collections.abc import Collection, Iterator

import msgspec

from domain.ids import PersonId, ShareId
from domain.view import ClientView
from projections.entries.names import key_of, keys_in, placeholder
from projections.events.world import World


class Named(msgspec.Struct, frozen=True):
    """A person whose placeholder stands in a view."""

    person: PersonId
    name: str
    erased: bool


class People:
    """Notes for whom a view has a placeholder."""

    def __init__(self, share: str, world: World, erased: Collection[str] = (), *, as_then: bool = False) -> None:
        """`erased` are people who are erased by now, where `world` is of a time before that.

        With `as_then` they count as people whose name is not known any more, and not as erased.
        """
        self._share, self._world, self._as_then = share, world, as_then
        self._name = world.names_for(world.shares[ShareId(share)].client)
        self._also_erased = erased
        self._met: dict[str, PersonId] = {}

    def called(self, person: PersonId) -> str:
        """Return the placeholder of a person; of somebody who is no person of the record, what is said instead."""
        if person not in self._world.people and not self._is_erased(person):
            return self._name(person)
        key = key_of(self._share, person)
        self._met[key] = person
        return placeholder(key)

    def named_in(self, view: ClientView) -> dict[str, Named]:
        """Return the people whose placeholders stand in a view, by key."""
        if not self._met:
            return {}
        used = keys_in("".join(_names_in(view)))
        return {key: self._named(person) for key, person in self._met.items() if key in used}

    def _named(self, person: PersonId) -> Named:
        erased = person in self._world.erased if self._as_then else self._is_erased(person)
        return Named(person, self._name(person), erased)

    def _is_erased(self, person: PersonId) -> bool:
        return person in self._world.erased or person in self._also_erased


def _names_in(view: ClientView) -> Iterator[str]:
    """Yield what stands in a view for each person whose words it has."""
    for thing in (*view.milestones, *view.risks, *((view.budget,) if view.budget is not None else ())):
        yield from (remark.by for remark in thing.remarks)
    acks = [*(row.ack for row in view.milestones), *(card.ack for card in view.risks), view.agreement_ack]
    yield from (ack.by for ack in acks if ack is not None)
    yield from (card.client_scored_by for card in view.risks)
    for concern in view.concerns:
        yield from (concern.by, concern.answered_by)
