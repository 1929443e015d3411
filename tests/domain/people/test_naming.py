"""The reason of an erasure is kept for ever, so it does not name the person, however it is written."""

import pytest

from domain.errors import Invalid
from domain.people.naming import names_somebody
from domain.people.person import ErasePerson, Person, decide_erasure

ROSA = Person(id="rosa", name="Rosa Lindt", email="rosa@acme.test", role="viewer")
WILL = Person(id="will", name="Will Price", email="will@acme.test", role="viewer")
LI = Person(id="li", name="Li An", email="li.an@acme.test", role="viewer")
JOERG = Person(id="joerg", name="Jörg Müller-Åsen", email="jm@acme.test", role="viewer")
ZOE = Person(id="zoe", name="Zoë O’Brien-Novák", email="zoe@acme.test", role="viewer")
THI = Person(id="thi", name="Nguyen Thi Thu Mai", email="mai@acme.test", role="viewer")
NOE = Person(id="noe", name="Noe Aas Doe", email="noe@acme.test", role="viewer")


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (ROSA, "Asked by Rosa Lindt"),
        (ROSA, "Asked by Rosa, under GDPR"),
        (ROSA, "Request of Ms. Lindt."),
        (ROSA, "Rosa’s request"),
        (ROSA, "Rosa's request"),
        (ROSA, "(rosa)"),
        (ROSA, "ROSA/LINDT"),
        (ROSA, "“Lindt” asked"),
        (ROSA, "Lindt-Holding left"),
        (ROSA, "See rosa@acme.test."),
        (ROSA, "Asked\nby\nRosa"),
        (WILL, "Asked by Will"),
        (WILL, "Mr. Price asked"),
        (WILL, "will price wants it"),
        (LI, "Request of Li An"),
        (LI, "li an, under GDPR"),
        (ROSA, "Auf Lindts Antrag"),
        (ROSA, "Rosas Wunsch"),
        (WILL, "Auf Wills Wunsch"),
        (LI, "Li Ans Antrag"),
        (JOERG, "Joerg asked"),
        (JOERG, "Jorg asked"),
        (JOERG, "Antrag von Hrn. Mueller"),
        (JOERG, "Muellers Antrag"),
        (JOERG, "For Mr Aasen"),
        (ZOE, "Zoe asked"),
        (ZOE, "ZOË asked"),
        (ZOE, "For Ms Brien"),
        (ZOE, "For Ms Novak."),
        (THI, "Asked by Thi"),
        (THI, "Mrs Mai asked"),
        (NOE, "Noe asked"),
        (NOE, "For Mr Doe"),
        (NOE, "Asked for Mr Aas"),
    ],
)
def test_a_reason_that_names_the_person_is_refused(person: Person, reason: str) -> None:
    with pytest.raises(Invalid, match="names the person"):
        decide_erasure(person, ErasePerson(person=person.id, reason=reason))


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (ROSA, "Asked under GDPR"),
        (ROSA, "Rosacea study ended"),  # another word that begins like it
        (WILL, "They will be forgotten"),
        (WILL, "Asked. Will be gone from every page."),
        (WILL, "Will be gone from every page"),
        (WILL, "Left at any price"),
        (WILL, "Told of new prices"),
        (JOERG, "An access request, due today"),
        (LI, "An access request"),
        (LI, "They sent an order"),
        (ZOE, "They asked for it, or so we heard"),
        (THI, "This was asked for under GDPR"),
        (THI, "They asked for this, and thus it is done"),
        (NOE, "There is no need to keep it, as they do"),
        (NOE, "It does as asked"),
    ],
)
def test_a_reason_that_names_nobody_is_no_false_alarm(person: Person, reason: str) -> None:
    assert decide_erasure(person, ErasePerson(person=person.id, reason=reason))[0].reason == reason


def test_every_name_a_person_has_counts() -> None:
    assert names_somebody("Asked by Lindt", {"R. Meier", "Rosa Lindt"}, set())
    assert not names_somebody("Asked", set(), set())
