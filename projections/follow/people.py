"""People in the views of one share: a placeholder for each, and names put in place of them. Pure."""

from collections.abc import Callable, Collection, Mapping

import msgspec

from domain.ids import PersonId, ShareId
from domain.view import Ack, ClientView, Remark
from projections.entries.names import filled, key_of, keys_in, placeholder
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
        self._erased = {*erased, *world.erased}
        self._met: dict[str, PersonId] = {}

    def called(self, person: PersonId) -> str:
        """Return the placeholder of a person; of somebody who is no person of the record, what is said instead."""
        if person not in self._world.people and person not in self._erased:
            return self._name(person)
        key = key_of(self._share, person)
        self._met[key] = person
        return placeholder(key)

    def named_in(self, view: ClientView) -> dict[str, Named]:
        """Return the people whose placeholders stand in a view, by key."""
        if not self._met:
            return {}
        used = keys_in(msgspec.json.encode(view).decode())
        return {key: self._named(person) for key, person in self._met.items() if key in used}

    def _named(self, person: PersonId) -> Named:
        erased = self._world.erased if self._as_then else self._erased
        return Named(person, self._name(person), person in erased)


def named(view: ClientView, called: Mapping[str, str]) -> ClientView:
    """Return a view with names in place of their placeholders; `called` has them by key."""
    return with_names(view, lambda text: filled(text, called))


def with_names(view: ClientView, name: Callable[[str], str]) -> ClientView:
    """Return a view with every name of a person replaced by what `name` makes of it."""
    replace = msgspec.structs.replace

    def remarks(given: tuple[Remark, ...]) -> tuple[Remark, ...]:
        return tuple(replace(remark, by=name(remark.by)) for remark in given)

    def ack(given: Ack | None) -> Ack | None:
        return None if given is None else replace(given, by=name(given.by))

    return replace(
        view,
        milestones=tuple(replace(m, remarks=remarks(m.remarks), ack=ack(m.ack)) for m in view.milestones),
        risks=tuple(
            replace(r, remarks=remarks(r.remarks), ack=ack(r.ack), client_scored_by=name(r.client_scored_by))
            for r in view.risks
        ),
        budget=None if view.budget is None else replace(view.budget, remarks=remarks(view.budget.remarks)),
        concerns=tuple(replace(c, by=name(c.by), answered_by=name(c.answered_by)) for c in view.concerns),
        agreement_ack=ack(view.agreement_ack),
    )
