"""What becomes of a mail: recorded before it goes, never twice for what may have gone, again only for what was put off."""

from datetime import timedelta

import pytest

from domain.errors import Conflict
from domain.people.mails import (
    LINKS_WITHIN,
    ChooseDigest,
    DigestChosen,
    MailQueued,
    MailSettled,
    QueueMail,
    Settled,
    SettleMail,
)
from domain.people.person import PersonDisabled, PersonInvited
from tests.spec import NOW, given

pytestmark = pytest.mark.once

ANNA = PersonInvited(person="anna", name="Anna", email="a@acme.test", role="viewer", client="acme")
DAILY = DigestChosen(cadence="daily", since={"s": 4})
ASK = QueueMail(person="anna", mail="m1", kind="digest", share="s", after=4, to=7)
QUEUED = MailQueued(mail="m1", kind="digest", share="s", first=5, to=7)
OFF = MailSettled(mail="m1", state="deferred", told="451 later")


def test_a_digest_is_queued_from_the_update_after_the_last_one_and_only_once() -> None:
    given(ANNA, DAILY).when(ASK).then(QUEUED)
    given(ANNA, DAILY, QUEUED).when(ASK).then()
    given(ANNA, DAILY, QUEUED).when(QueueMail(person="anna", mail="m2", kind="digest", share="s", after=4, to=8)).then()
    after = QueueMail(person="anna", mail="m2", kind="digest", share="s", after=7, to=8)
    given(ANNA, DAILY, QUEUED).when(after).then(MailQueued(mail="m2", kind="digest", share="s", first=8, to=8))


def test_an_invitation_makes_no_update_count_as_mailed() -> None:
    sly = QueueMail(person="anna", mail="m1", kind="invitation", share="s", after=4, to=99)
    given(ANNA, DAILY).when(sly).then(MailQueued(mail="m1", kind="invitation"))


def test_only_what_was_put_off_is_queued_again_with_the_same_extent() -> None:
    wider = QueueMail(person="anna", mail="m1", kind="digest", share="s", after=4, to=99)
    given(ANNA, DAILY, QUEUED, OFF).when(wider).then(QUEUED)
    given(ANNA, DAILY, QUEUED, OFF, QUEUED).when(ASK).then()
    for state in ("accepted", "refused", "dropped"):
        given(ANNA, DAILY, QUEUED, MailSettled(mail="m1", state=state)).when(ASK).then()


@pytest.mark.parametrize("state", ["accepted", "refused", "deferred", "dropped"])
def test_a_mail_is_settled_while_it_is_open(state: Settled) -> None:
    settle = SettleMail(person="anna", mail="m1", state=state, told="so")
    settled = MailSettled(mail="m1", state=state, told="so")
    given(ANNA, DAILY, QUEUED).when(settle).then(settled)
    given(ANNA, DAILY, QUEUED, OFF).when(settle).then(settled)
    given(ANNA, DAILY, QUEUED, MailSettled(mail="m1", state="accepted")).when(settle).then()
    given(ANNA, DAILY).when(settle).then()


def test_a_mail_remembers_when_it_was_queued_first_and_how_often_it_was_put_off() -> None:
    (mail,) = given(ANNA, DAILY, QUEUED, OFF, QUEUED, OFF).state().mails
    assert (mail.state, mail.tries, mail.told, mail.at, mail.settled) == ("deferred", 2, "451 later", NOW, NOW)
    person = given(ANNA, DAILY, QUEUED, OFF, QUEUED).state()
    assert (person.mails[0].state, person.digested, person.digested_at) == ("queued", {"s": 7}, {"s": NOW})


def test_nobody_whose_access_was_ended_is_mailed_or_asked() -> None:
    gone = given(ANNA, DAILY, PersonDisabled(reason="Left"))
    for command in (ASK, ChooseDigest(person="anna", cadence="weekly")):
        gone.when(command, NOW + timedelta(hours=1)).refused(Conflict, "access has been ended")


def test_of_links_that_are_asked_for_three_are_queued_in_a_quarter_of_an_hour_and_fewer_where_an_address_is_shared() -> (
    None
):
    """Judged on the record, so that any number of processes together queue no more."""
    three = [MailQueued(mail=f"l{n}", kind="link") for n in range(3)]
    ask = QueueMail(person="anna", mail="l9", kind="link")
    given(ANNA, *three[:2]).when(ask).then(MailQueued(mail="l9", kind="link"))
    given(ANNA, *three).when(ask).then()
    given(ANNA, *three).when(ask, NOW + LINKS_WITHIN).then(MailQueued(mail="l9", kind="link"))
    given(ANNA, three[0]).when(QueueMail(person="anna", mail="l9", kind="link", most=1)).then()
    given(ANNA, *three).when(QueueMail(person="anna", mail="l9", kind="link", most=99)).then()
    given(ANNA, *three, DAILY).when(ASK).then(QUEUED)
