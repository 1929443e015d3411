"""Erasing: keys go, proofs stay, every other page still opens, and nothing of it is in any file."""

from datetime import timedelta
from pathlib import Path

import pytest

from domain.errors import Conflict, Invalid, Refused, Unknown
from domain.ids import PersonId
from domain.people.person import DisablePerson, ErasePerson, InvitePerson
from domain.people.sign_ins import IssueLink
from projections.evidence.erasing import Erasure, complete, erase_entries
from projections.evidence.leaves import numbers_erased
from projections.logs.vault import Vault
from projections.proof import tree
from projections.replay import pages
from tests.world import ACME, ADMIN, SHARE, World

NAME, MAIL, WORDS = "Zdenka Quillfeather", "zdenka@quillfeather.test", "The foreman broke his leg"


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.harbour()
    for i in range(11):
        reason = WORDS if i == 4 else "Frost"
        made.move("m1", made.clock.at.date() + timedelta(days=100 + i), reason=reason)
    return made


def erase(world: World, *numbers: int, reason: str = "Asked for") -> str:
    return erase_entries(
        world.folder, world.notary, Erasure(share=SHARE, numbers=set(numbers), reason=reason, who="ines"), world.clock()
    )


def files(world: World) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(world.path.rglob("*")) if path.is_file())


def test_an_erased_update_is_gone_and_every_other_page_is_what_it_was(world: World) -> None:
    before = {n: pages.page(world.folder.disclosure, SHARE, n) for n in range(1, 13)}
    erase(world, 5, 6, 7, 9)
    for n, page in before.items():
        found = pages.page(world.folder.disclosure, SHARE, n)
        assert found is None if n in (5, 6, 7, 9) else found == page
    world.restart()
    assert pages.page(world.folder.disclosure, SHARE, 8) == before[8]
    assert world.heads.page(SHARE) == before[12]
    assert [entry.n for entry in world.entries()] == [1, 2, 3, 4, 8, 10, 11, 12]


def test_the_tree_over_erased_updates_is_the_same_tree(world: World) -> None:
    signed = world.notary.share(SHARE)
    assert signed is not None
    erase(world, 5, 6)
    leaves = world.folder.disclosure.leaves(SHARE, 0, 100)
    assert tree.head_of(leaves) == signed.checkpoint.root
    world.move("m2", world.clock.at.date())
    again = world.notary.share(SHARE)
    assert again is not None
    assert again.checkpoint.size == 13


def test_a_page_that_was_far_behind_is_given_the_whole_view_over_an_erased_gap(world: World) -> None:
    """What cannot be sent again is never skipped silently: the numbers that are missing are not made up."""
    erase(world, 5)
    assert [n for n, _ in world.log.frames(SHARE, 3, 10)] == [4, 6, 7, 8, 9, 10, 11, 12]


def test_what_is_on_screens_now_is_not_erased(world: World) -> None:
    with pytest.raises(Conflict, match="on screens now"):
        erase(world, 12)


@pytest.mark.parametrize(
    ("numbers", "reason", "kind"),
    [((), "x", Invalid), ((13,), "x", Unknown), ((0,), "x", Unknown), ((3,), " ", Invalid)],
)
def test_what_cannot_be_erased_is_refused(
    world: World, numbers: tuple[int, ...], reason: str, kind: type[Refused]
) -> None:
    with pytest.raises(kind):
        erase(world, *numbers, reason=reason)
    assert numbers_erased(world.folder, SHARE) == set()


def test_the_record_says_what_was_erased_when_and_why(world: World) -> None:
    note = erase(world, 5, 6, reason="A person asked for it")
    (line,) = world.folder.ledger.of("entries-erased", SHARE)
    assert line.statement.text == note
    assert (line.statement.who, line.statement.at) == ("ines", world.clock())
    assert "A person asked for it\n5-6\n" in note


def test_a_crash_between_the_statement_and_the_key_is_finished_at_the_next_start(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Vault, "destroy_slots", crash)
        with pytest.raises(KeyboardInterrupt):
            erase(world, 5)
    assert world.folder.disclosure.entry(SHARE, 5) is not None
    world.restart()
    complete(world.folder, [SHARE])
    assert world.folder.disclosure.entry(SHARE, 5) is None


@pytest.mark.folder
def test_what_an_update_said_is_in_no_file_after_it_was_erased(world: World) -> None:
    """The words stand in the sealed entry alone once the key is gone (the plan's own event is the manager's business)."""
    entry = world.folder.disclosure.entry(SHARE, 6)
    assert entry is not None
    assert WORDS.encode() in entry.raw
    erase(world, 6, 7)
    world.close()
    raw = b"".join(path.read_bytes() for path in world.path.glob("disclosure.db*"))
    assert WORDS.encode() not in raw
    assert entry.salt not in files(world)
    world.open()
    backup = (world.path / "disclosure.db").read_bytes()  # a backup of the log restores nothing
    world.close()
    (world.path / "disclosure.db").write_bytes(backup)
    world.open()
    assert world.folder.disclosure.entry(SHARE, 6) is None


# people


@pytest.fixture
def viewer(world: World) -> PersonId:
    person = PersonId("p8f3k2m9")
    world.tell(InvitePerson(person=person, name=NAME, email=MAIL, role="viewer", client=ACME), ADMIN)
    world.tell(IssueLink(person=person, hash="c0ffee" * 8, expires=world.clock() + timedelta(days=1)), ADMIN)
    world.claim("displayed", 3, person=person)
    world.receipts.flush()
    return person


def test_nothing_of_a_person_lies_in_plain_text_even_before_erasure(world: World, viewer: PersonId) -> None:
    assert world.present.world.people[viewer].name == NAME
    raw = files(world)
    for secret in (NAME, MAIL, "Quillfeather", "c0ffee" * 8):
        assert secret.encode() not in raw


def test_an_erased_person_is_gone_from_the_world_and_from_every_file(world: World, viewer: PersonId) -> None:
    secret = world.folder.vault.secret(f"person-{viewer}")
    world.tell(ErasePerson(person=viewer, reason="Asked for it"), ADMIN)
    for _ in range(2):
        present = world.present.refresh()
        assert viewer not in present.people
        assert present.person_name(viewer) == "Erased person"
        assert secret not in files(world)
        assert world.folder.receipts.claims(SHARE)[0].person == viewer  # a claim of nobody any more
        world.restart()
    world.notary.sign([SHARE])
    assert world.notary.refused == {}


def test_proofs_made_before_hold_after_a_person_is_erased(world: World, viewer: PersonId) -> None:
    world.notary.sign([SHARE])
    world.tell(ErasePerson(person=viewer, reason="Asked for it"), ADMIN)
    world.move("m2", world.clock.at.date())
    world.notary.sign([SHARE])
    assert world.notary.refused == {}
    from projections.evidence.inspection import inspect

    assert list(inspect(world.folder, world.notary, [SHARE])) == []


@pytest.mark.folder
def test_a_copy_of_the_keys_that_was_restored_does_not_bring_a_person_back(world: World, viewer: PersonId) -> None:
    keys = (world.path / "keys.db").read_bytes()
    world.tell(ErasePerson(person=viewer, reason="Asked for it"), ADMIN)
    world.close()
    (world.path / "keys.db").write_bytes(keys)
    world.open()
    assert viewer not in world.present.refresh().people
    assert NAME not in repr(world.present.world.people)
    world.restart()
    assert not world.folder.vault.destroy(f"person-{viewer}")


def test_the_reason_must_not_name_whom_it_erases(world: World, viewer: PersonId) -> None:
    for reason in (f"{NAME} left", f"mail from {MAIL}", "ask QUILLFEATHER"):
        with pytest.raises(Invalid, match="names the person"):
            world.tell(ErasePerson(person=viewer, reason=reason), ADMIN)


def test_an_id_that_was_erased_is_not_given_again(world: World, viewer: PersonId) -> None:
    world.tell(ErasePerson(person=viewer, reason="Asked for it"), ADMIN)
    with pytest.raises(Conflict):
        world.tell(InvitePerson(person=viewer, name="Other", email="o@x.test", role="viewer", client=ACME), ADMIN)
    with pytest.raises(Unknown):
        world.tell(DisablePerson(person=viewer, reason="again"), ADMIN)
    with pytest.raises(Unknown):
        world.tell(ErasePerson(person=viewer, reason="again"), ADMIN)
