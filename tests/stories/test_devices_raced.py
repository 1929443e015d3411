"""A device's credential used at the same instant on two workers of one Postgres: one answer, one event, or one end."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from domain.ids import PersonId
from tests.stories.test_workers import Two, server, two  # noqa: F401  # fixtures
from tests.web.doors import VIEWER
from web.door.renewal import Outcome, Renewed
from web.ids import digest
from web.write.permission import OPERATOR

pytestmark = [pytest.mark.slow, pytest.mark.once]


def kept(two: Two) -> str:  # noqa: F811
    """Keep a device signed in, and return its credential."""
    services = two.processes[0].services
    secret = services.credentials.enter(services.credentials.link(OPERATOR, PersonId(VIEWER))).secret
    session = services.present.refresh().sessions[digest(secret)].id
    renewed = services.devices.keep(PersonId(VIEWER), session, "Firefox on Windows")
    assert renewed is not None
    return renewed.credential


def at_once(two: Two, credentials: list[str]) -> list[Outcome]:  # noqa: F811
    """Use credentials at the same instant, on the two workers in turn."""
    gate = Barrier(len(credentials))

    def use(at: int) -> Outcome:
        gate.wait()
        return two.processes[at % 2].services.devices.renew(credentials[at], "Computer", False)

    with ThreadPoolExecutor(len(credentials)) as pool:
        return list(pool.map(use, range(len(credentials))))


def started(two: Two) -> int:  # noqa: F811
    events = two.processes[0].services.logs.events.stream(f"person-{VIEWER}")
    return sum(getattr(recorded.event, "kept", "") != "" for recorded in events)


@pytest.mark.parametrize("_time", range(5))
def test_tabs_restored_at_once_on_two_workers_get_one_answer_and_one_event(two: Two, _time: int) -> None:  # noqa: F811
    credential = kept(two)
    for n in range(1, 4):
        outcomes = at_once(two, [credential] * 6)
        assert isinstance(outcomes[0], Renewed)
        assert len({(one.session, one.credential) for one in outcomes if isinstance(one, Renewed)}) == 1
        assert "gone" not in outcomes
        assert started(two) == n
        credential = outcomes[0].credential


@pytest.mark.parametrize("_time", range(5))
def test_the_owner_and_a_copy_that_is_too_old_at_once_never_both_go_on(two: Two, _time: int) -> None:  # noqa: F811
    stolen = kept(two)
    credential = stolen
    for _use in range(2):
        (outcome,) = at_once(two, [credential])
        assert isinstance(outcome, Renewed)
        credential = outcome.credential
    at_once(two, [credential, stolen, credential, stolen])
    for process in two.processes:
        person = process.services.present.refresh().people[PersonId(VIEWER)]
        assert person.devices.kept == {}
        assert [gone.cause for gone in person.devices.gone] == ["copied"]
        assert not [session for session in person.sessions.values() if session.kept]
    assert at_once(two, [credential, stolen]) == ["gone", "gone"]


def test_what_one_worker_began_the_other_takes_over_the_wire(two: Two) -> None:  # noqa: F811
    names = two.processes[0].services.guard.cookies
    for turn in range(4):
        credential = kept(two)
        client = two.clients[turn % 2]
        client.cookies.clear()
        client.cookies.set(names.device, credential)
        answer = client.get("/home")
        assert answer.status_code in (200, 303)
        session = answer.cookies.get(names.session)
        other = two.clients[1 - turn % 2]
        other.cookies.clear()
        other.cookies.set(names.session, session)
        assert other.get("/me").status_code == 200
