"""Which updates of format 1 name a person, and what is due once the person is erased."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from domain.agreement import answers
from domain.ids import PersonId
from domain.people.memberships import GrantMembership
from domain.people.person import ErasePerson, InvitePerson
from projections.entries.entry import open_header
from projections.entries.frames import State
from projections.entries.named import named
from projections.evidence import names_due
from projections.evidence.leaves import numbers_erased
from projections.evidence.names_due import Due, erase_due
from projections.evidence.naming import Naming, last_of_format_1, names_of, updates_naming
from projections.follow import format_1, next_entry
from projections.follow.next_entry import Composed
from tests.world import ACME, ADMIN, COUNCIL, OTHER, SHARE, World, everything
from web.render.page import Renderer
from web.write.permission import Actor

VERA, WIM = PersonId("vera"), PersonId("wim")
NAME, ELSEWHERE = 'Vera "Vee" <b>O’Hara</b> & Zn', "V. O’Hara"
COMMENTED = {
    "milestone_fields": (*everything().milestone_fields, "comments"),
    "risk_fields": (*everything().risk_fields, "comments"),
}


def in_format_1(due: Any, shown: Any, renderer: Any, _seal_name: Any, _memory: Any = None) -> Composed:
    """Compose an entry as versions before format 2 did."""
    before = None if shown.view is None else named(shown.view, shown.called)
    content, rendered, _view = format_1.compose(due, msgspec.structs.replace(shown, view=before), renderer)
    return Composed(content, rendered, State(rendered.parts, {}, {}), {})


@pytest.fixture
def world(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(tmp_path / "data", Renderer())
    monkeypatch.setattr(next_entry, "compose", in_format_1)
    made.harbour(everything(**COMMENTED))
    made.share(everything(**COMMENTED), OTHER, client=COUNCIL)
    for person, name in ((VERA, NAME), (WIM, "Wim Aalders")):
        invited = InvitePerson(person=person, name=name, email=f"{person}@acme.test", role="viewer", client=ACME)
        made.tell(invited, ADMIN)
    yield made
    made.close()


def says(world: World, who: PersonId, text: str, share: str = SHARE, about: str = "risk-r1") -> int:
    """Have somebody comment, and return the number of the update that shows it."""
    last = world.folder.disclosure.last(share)
    assert last is not None
    screen, client = answers.Screen(n=last.n, head=last.root), ACME if share == SHARE else COUNCIL
    key = f"c{world.folder.events.head()}"
    said = answers.MakeComment(
        share=share, comment=key, subject=about, text=text, by=who, side="theirs", screen=screen
    )  # fmt: skip
    world.tell(said, Actor(who, "viewer", (client,)))
    head = world.folder.disclosure.head(share)
    assert head == last.n + 1
    return head


def naming(world: World, person: PersonId = VERA) -> dict[tuple[str, int], tuple[str, ...]]:
    return {(one.share, one.n): one.what for one in updates_naming(world.folder, world.present.world, person)}


def test_a_name_that_is_written_otherwise_in_json_and_markup_is_found_from_the_first_update_that_shows_it(
    world: World,
) -> None:
    says(world, WIM, "Seen.")
    first = says(world, VERA, "Seen as well.")
    then = says(world, WIM, "Good.", about="milestone-m1")
    title = world.view().risks[0]
    comment = f"comment on {title.ref} {title.title}"
    assert naming(world) == {(SHARE, first): (comment, "list of changes"), (SHARE, then): (comment,)}


def test_a_name_in_a_text_is_what_somebody_wrote(world: World) -> None:
    quoted = says(world, WIM, f"I agree with {NAME}.")
    first = says(world, VERA, "Thanks.")
    kept = world.folder.disclosure.entry(SHARE, quoted)
    assert kept is not None
    assert "O’Hara" in kept.content.view, "the name is there"
    assert list(naming(world)) == [(SHARE, first)]


def test_every_name_somebody_was_invited_by_is_looked_for_on_the_shares_where_they_spoke(world: World) -> None:
    granted = GrantMembership(person=VERA, client=COUNCIL, name=ELSEWHERE, email="v@council.test")
    world.tell(granted, ADMIN)
    assert names_of(world.folder.events, VERA) == {NAME, ELSEWHERE}
    here, there = says(world, VERA, "Here."), says(world, VERA, "There.", OTHER)
    assert list(naming(world)) == [(SHARE, here), (OTHER, there)]


def test_a_namesake_who_said_nothing_on_a_share_is_not_taken_for_who_did(world: World) -> None:
    for person, client in ((PersonId("silent"), ACME), (PersonId("other"), COUNCIL)):
        invited = InvitePerson(person=person, name=NAME, email=f"{person}@x.test", role="viewer", client=client)
        world.tell(invited, ADMIN)
    here, there = says(world, VERA, "Here."), says(world, PersonId("other"), "There.", OTHER)
    assert naming(world, PersonId("silent")) == {}
    assert list(naming(world, PersonId("other"))) == [(OTHER, there)]
    assert list(naming(world)) == [(SHARE, here)]


def test_no_update_of_format_2_is_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = says(world, VERA, "Early.")
    monkeypatch.undo()
    world.restart()
    second = says(world, VERA, "Late.")
    formats = [open_header(one.header).format for one in world.folder.disclosure.kept(SHARE, 0, 100)]
    assert formats == [1] * first + [2] * (second - first)
    assert last_of_format_1(world.folder.disclosure, SHARE) == first
    assert last_of_format_1(world.folder.disclosure, "nowhere") == 0
    assert list(naming(world)) == [(SHARE, first)]


def test_what_is_due_is_done_for_whoever_is_erased_and_for_nobody_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = says(world, VERA, "Early.")
    monkeypatch.undo()
    world.restart()
    says(world, WIM, "Late.")
    ledger = world.folder.ledger
    found = list(updates_naming(world.folder, world.present.world, VERA))
    names_due.record(ledger, Due(person=VERA, who="ines", at=world.clock()), found)
    again = Naming(share=OTHER, n=1, at=world.clock(), what=())
    names_due.record(ledger, Due(person=VERA, who="ines", at=world.clock()), [*found, again])
    names_due.record(ledger, Due(person=WIM, who="ines", at=world.clock()), [])
    assert names_due.recorded(ledger, VERA) == {SHARE: {first}, OTHER: {1}}
    assert names_due.recorded(ledger, WIM) == {}

    def due() -> names_due.NamesErased:
        return erase_due(world.folder, world.notary, world.present.world, [VERA, WIM], world.clock())

    assert due().erased == {}, "nobody is erased"
    assert numbers_erased(world.folder, SHARE) == set()
    world.tell(ErasePerson(person=VERA, reason="Asked"), ADMIN)
    done = due()
    assert done.erased[SHARE] == {first} == numbers_erased(world.folder, SHARE)
    assert done.waiting == {OTHER: {1}}, "it is on screens"
    assert NAME.encode() not in b"".join(one.raw or b"" for one in world.folder.disclosure.kept(SHARE, 0, 100))
