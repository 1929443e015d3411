"""Mails with several workers on one Postgres: no change of leaders doubles or loses a digest, and links stay bounded."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.ids import CommandId, PersonId
from domain.people.mails import LINKS, ChooseDigest
from tests import postgres
from tests.mail import Sink, sink
from tests.postgres import Cluster, create
from tests.stories.test_workers import Two, make_ready
from tests.web.doors import VIEWER, wait_until
from tests.world import ACME, SHARE
from web.ids import new_id
from web.mail import cadence, sender
from web.process.process import Process
from web.write.permission import OPERATOR

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with postgres.running() as made:
        make_ready(made, tmp_path_factory.mktemp("ready"))
        yield made


@pytest.fixture
def server() -> Iterator[Sink]:
    with sink() as made:
        yield made


@pytest.fixture
def two(
    cluster: Cluster, server: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Two]:
    """Two workers that mail without waiting for quiet, to a viewer who wants it as it happens."""
    create(cluster.url(), name := f"d{abs(hash(request.node.name)) % 10**9}", "ready")
    monkeypatch.setattr(sender, "EVERY", 0.05)
    monkeypatch.setattr(cadence, "QUIET", timedelta(0))
    monkeypatch.setattr(cadence, "GAP", timedelta(0))
    made = Two(cluster.url(name, "app"), tmp_path, smtp_url=server.url, mail_from="status@works.example")
    with made.clients[0], made.clients[1]:
        wait_until(lambda: any(process.leads() for process in made.processes))
        wanted = ChooseDigest(person=PersonId(VIEWER), cadence="instant", since={SHARE: made.head()})
        made.processes[0].services.service.execute(OPERATOR, wanted, command_id=CommandId(new_id(24)))
        yield made


def covered(two: Two) -> list[tuple[str, int, int]]:
    """Return state, first and last update of every digest on record."""
    world = two.processes[0].services.present.refresh()
    return [(mail.state, mail.first, mail.to) for mail in world.people[PersonId(VIEWER)].mails]


def whole(two: Two, server: Sink) -> None:
    """Every update was mailed exactly once, and what is on record is what arrived."""
    wait_until(lambda: bool(covered(two)) and covered(two)[-1][2] == two.head(), 30)
    wait_until(lambda: all(state == "accepted" for state, _, _ in covered(two)))
    found = covered(two)
    assert [n for _, first, to in found for n in range(first, to + 1)] == list(range(2, two.head() + 1))
    assert len(server.mails) == len(found)
    assert len({got.parsed["Message-ID"] for got in server.mails}) == len(found)


def test_a_digest_is_mailed_once_however_often_the_lead_changes(two: Two, server: Sink) -> None:
    led = set()
    for day in range(1, 13):
        two.move(day, by=day % 2)
        if day % 4 == 0:
            wait_until(lambda: any(process.leads() for process in two.processes))
            leader = next(process for process in two.processes if process.leads())
            led.add(leader.services.worker)
            assert leader.lease_keeper is not None
            leader.lease_keeper.end()
    wait_until(lambda: two.head() == 13, 30)
    whole(two, server)
    assert led


def test_two_workers_that_both_believe_they_lead_mail_every_update_once(
    two: Two, server: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    for process in two.processes:
        monkeypatch.setattr(process.services.mail_sender, "_leads", lambda: True)
    for day in range(1, 25):
        two.move(day, by=day % 2)
        wait_until(lambda n=day + 1: two.head() == n, 30)  # type: ignore[misc]
    whole(two, server)
    assert len(server.mails) > 3  # they had something to race for, however many updates went into one mail


def test_an_invitation_put_off_at_one_worker_is_mailed_by_the_one_that_leads(
    two: Two, server: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cadence, "PUT_OFF", (timedelta(seconds=0.2),))
    other = next(process for process in two.processes if not process.leads())
    assert other.services.mail_sender is not None
    server.refuse["v@acme.test"] = "451 greylisted"
    mail = other.services.mail_sender.invite(
        OPERATOR, PersonId(VIEWER), ACME, other.services.credentials.link(OPERATOR, PersonId(VIEWER))
    )
    assert mail is not None
    assert mail.state == "deferred"
    server.refuse.clear()
    wait_until(lambda: [got.to for got in server.mails] == ["v@acme.test"])
    wait_until(lambda: covered(two)[-1][0] == "accepted")
    secret = server.mails[0].text.partition("/in/")[2].split()[0]
    assert two.processes[0].services.credentials.holder(secret) is not None


def test_two_workers_that_are_asked_at_once_mail_an_address_three_links(two: Two, server: Sink) -> None:
    def asks(process: Process) -> None:
        for _ in range(4):
            assert process.services.asked is not None
            process.services.asked.ask("v@acme.test", "")
            process.services.asked.look()

    before = len(server.mails)
    threads = [threading.Thread(target=asks, args=(process,)) for process in two.processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    links = [mail for mail in server.mails[before:] if "/in/" in mail.text]
    assert len(links) == LINKS
