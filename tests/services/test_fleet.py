"""The installation as it runs in production, as plain processes, and everything that may die under it.

One fleet serves the whole module; what a test kills, the next one finds started again.
"""

import itertools
import os
import random
import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import date

import pytest

from domain.agreement.share import RevokeShare
from domain.ids import MilestoneId, PersonId, ShareId
from domain.people.person import DisablePerson
from domain.plan.schedule import MoveForecast
from projections.installation.database import Database
from tests.fleet import Crowd, Dashboard, Fleet, Process, errors, eventually, fleet, stranded
from tests.world import HARBOUR

pytestmark = pytest.mark.alone

SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 10**6)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    print(f"SEED={SEED}")
    with fleet(tmp_path_factory.mktemp("fleet"), workers=3, followers=2, shares=20, seed=SEED) as made:
        yield made


@pytest.fixture
def whole(running: Fleet) -> Fleet:
    """The fleet with everything up."""
    for process in running.processes:
        if not process.alive:
            process.start()
    eventually(running.leader, what="a leader")
    eventually(lambda: all(p.ask("/healthz")[0] == 200 for p in running.processes), what="all well")
    return running


def healthy(process: Process) -> bool:
    return process.ask("/healthz")[0] == 200


# kill -9 of everything, in turn


def test_every_page_ends_with_what_the_log_says_whatever_dies_under_steady_changes(whole: Fleet) -> None:
    assert whole.redis is not None
    with Crowd(whole, 1000) as crowd:
        with whole.changing(0.5) as acknowledged:
            time.sleep(1)
            whole.redis.kill()
            time.sleep(1)
            leader = whole.leader()
            assert leader is not None
            leader.kill()
            eventually(whole.leader, 15, "somebody takes over")
            victim = whole.workers[0]
            stranded = len(crowd.on(victim))
            victim.kill()
            time.sleep(2)
            whole.cluster.stop("immediate")
            others = [p for p in whole.processes if p.alive]
            eventually(lambda: all(p.ask("/readyz")[0] == 503 for p in others), 20, "readiness tells of the database")
            assert all(p.ask("/healthz")[1]["logs"] == "away" for p in others)
            whole.cluster.start()
            whole.redis.start()
            eventually(lambda: all(p.ready for p in others), 30, "ready again")
            victim.start()
            before = len(acknowledged)
            eventually(lambda: len(acknowledged) > before + 3, 30, "changes go on")
        record = whole.log()
        record.check(acknowledged)
        crowd.check(record)
    assert stranded > 100
    assert sum(page.resets for page in crowd.pages) == 0


# one leader


def test_a_leader_that_was_stopped_and_wakes_up_writes_nothing(whole: Fleet) -> None:
    drawn = random.Random(SEED)
    with Crowd(whole, 40) as crowd:
        with whole.changing(0.2) as acknowledged:
            for _ in range(2):
                time.sleep(drawn.uniform(0, 1))
                zombie = whole.leader()
                assert zombie is not None
                term = zombie.ask("/healthz")[1]["term"]
                zombie.signal(signal.SIGSTOP)
                successor = eventually(lambda z=zombie: _other_leader(whole, z), 20, "takeover")
                before = len(acknowledged)
                eventually(lambda b=before: len(acknowledged) >= b + 3, 20, "changes under the successor")
                zombie.signal(signal.SIGCONT)
                eventually(lambda z=zombie: z.ask("/healthz")[1], 20, "the zombie answers")
                assert successor.leads
                assert not zombie.leads
                assert successor.ask("/healthz")[1]["term"] > term
        record = whole.log()
        record.check(acknowledged)
        crowd.check(record)


def _other_leader(whole: Fleet, zombie: Process) -> Process | None:
    return next((p for p in whole.processes if p is not zombie and p.alive and p.leads), None)


def test_health_tells_of_a_dead_follower_and_pages_stay_up(whole: Fleet) -> None:
    for follower in whole.followers:
        follower.kill()
    worker = whole.workers[0]
    eventually(lambda: not healthy(worker), 15, "health is red")
    assert worker.ask("/healthz")[1]["follower"] == "nobody"
    assert worker.ready
    whole.tell(whole.change())
    assert worker.ask("/healthz")[1]["follower"] == "nobody"
    whole.followers[0].start()
    eventually(lambda: healthy(worker), 20, "health is green again")
    whole.log().check([])


# Redis


def test_redis_flushed_stopped_and_started_again_costs_time_only(whole: Fleet) -> None:
    assert whole.redis is not None
    worker = whole.workers[0]
    with Crowd(whole, 60) as crowd:
        with whole.changing(0.2) as acknowledged:
            assert whole.redis.say("FLUSHALL").startswith(b"+OK")
            time.sleep(1)
            whole.redis.signal(signal.SIGSTOP)  # the slowest Redis there is
            before = len(acknowledged)
            eventually(lambda: len(acknowledged) >= before + 5, 20, "commands do not wait for Redis")
            heads = {p.tab: p.n for p in crowd.pages}
            eventually(lambda: all(p.n > heads[p.tab] for p in crowd.pages), 20, "pages do not wait for Redis")
            eventually(lambda: worker.ask("/healthz")[1]["hints"] == "away", 20, "it is told")
            assert healthy(worker)
            whole.redis.signal(signal.SIGCONT)
            whole.redis.kill()
            time.sleep(0.5)
            whole.redis.start()
            eventually(lambda: worker.ask("/healthz")[1]["hints"] == "heard", 20, "hints are heard again")
        record = whole.log()
        record.check(acknowledged)
        crowd.check(record)
    told = whole.redis.say("KEYS *")
    assert b"share" not in told
    assert b"Section" not in told


# stopping in order


def test_a_worker_that_is_told_to_stop_hands_everybody_over(whole: Fleet) -> None:
    for _ in range(4):
        back, late = _handed_over(whole, whole.workers[1])
        ticks = Counter(int((at - back[0]) / 0.1) for at in back)
        apart = max(ticks.values()) <= 0.4 * len(back)
        if apart or late < 0.1:  # else they may have come one by one, and were let in together by a busy machine
            break
    assert apart, (ticks, late)


def _handed_over(whole: Fleet, worker: Process) -> tuple[list[float], float]:
    """Stop a worker under its pages; return when each was back, and how late this process may have noticed."""
    if not worker.alive:
        worker.start()
    with Crowd(whole, 300) as crowd:
        with whole.changing(0.3) as acknowledged:
            time.sleep(1)
            there = crowd.on(worker)
            count = {page.tab: page.connections for page in there}
            crowd.late = 0.0
            assert worker.stop() == 0
            eventually(lambda: all(p.connections > count[p.tab] for p in there), 60, "everybody is back")
            late = crowd.late
        record = whole.log()
        record.check(acknowledged)
        crowd.check(record)
    assert len(there) > 50
    assert {page.closes[0] for page in there} == {1012}
    return sorted(page.came_back[count[page.tab]] for page in there), late


def test_a_rolling_restart_under_load_loses_nothing_and_no_page_shows_an_error(whole: Fleet) -> None:
    shown: list[tuple[int, bytes]] = []
    with Crowd(whole, 100) as crowd:
        with whole.changing(0.3) as acknowledged:
            for process in (*whole.workers, *whole.followers):
                assert process.stop() == 0
                process.begin()
                looks = 0
                while not process.ready or looks < 5:  # a process may be back before anybody looked
                    shown.append(_looked(whole, crowd.pages[0]))
                    looks += 1
                    time.sleep(0.05)
        record = whole.log()
        record.check(acknowledged)
        crowd.check(record)
    assert len(shown) > 20
    assert {status for status, _ in shown} == {200}
    assert all(b"Section A energised" in body for _, body in shown)
    assert {code for page in crowd.pages for code in page.closes} <= {1012}


def _looked(whole: Fleet, page: Dashboard) -> tuple[int, bytes]:
    """Open a page as through a balancer: a worker that does not take the connection is passed over."""
    for worker in whole.random.sample(whole.workers, len(whole.workers)):
        if not worker.ready:
            continue
        request = urllib.request.Request(
            f"http://127.0.0.1:{worker.port}/s/{page.share}", headers={"cookie": f"fanlight={page.cookie}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except ConnectionError:
            continue
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
    return 0, b"nobody answers"


# a storm


@pytest.mark.slow
def test_statements_during_a_storm_grow_with_shares_and_not_with_dashboards(whole: Fleet) -> None:
    few, many = stranded(whole, 60), stranded(whole, 900)
    print(f"statements: {few} for 60 dashboards, {many} for 900")
    assert many <= 2.5 * few


# ends, on all workers at once


def test_what_ends_on_one_worker_ends_on_all_and_nothing_numbered_after_it_is_sent(whole: Fleet) -> None:
    drawn = random.Random(SEED)
    ends = [
        DisablePerson(person=PersonId("viewer3"), reason="left"),
        RevokeShare(share=ShareId("share20x"), reason="over"),
    ]
    with Crowd(whole, 240) as crowd:
        assert {page.port for page in crowd.pages} == {worker.port for worker in whole.workers}
        with whole.changing(0.15) as acknowledged:
            for end in ends:
                time.sleep(drawn.uniform(0.2, 0.8))
                acknowledged.append(whole.tell(end))
            gone = [p for p in crowd.pages if p.cookie == whole.cookies[3] or p.share == "share20x"]
            eventually(lambda: all(page.ended for page in gone), 15, "they are closed")
            time.sleep(1)
        assert {page.port for page in gone} == {worker.port for worker in whole.workers}
        assert {page.closes[-1] for page in gone} == {4401, 4403}
        database = Database(whole.app)
        try:
            for page in gone:
                last = _last_before(database, page, "viewer3" if page.cookie == whole.cookies[3] else "")
                assert max(page.roots, default=0) <= last, (page.tab, page.share)
        finally:
            database.close()
        record = whole.log()
        record.check(acknowledged)
        left = [page for page in crowd.pages if page not in gone]
        assert left
        crowd.check(record)


def _last_before(database: Database, page: Dashboard, person: str) -> int:
    """Return the number of the last entry recorded before the event that ended a page: what it could have had."""
    stream = f"person-{person}" if person else f"share-{page.share}"
    kinds = (type(DisablePerson(person=PersonId("x"), reason="x")).__name__, "PersonDisabled", "ShareRevoked")
    events = list(database.events.everything())
    ending = next(e for e in events if e.stream == stream and type(e.event).__name__ in kinds)  # type: ignore[union-attr]
    told = [
        e for e in events
        if e.position < ending.position and e.stream == "project-harbour"  # type: ignore[union-attr]
    ]  # fmt: skip
    entries = database.disclosure.entries(page.share, 0, 100_000)
    reasons = {e.event.reason for e in told if hasattr(e.event, "reason")}  # type: ignore[union-attr]
    shown = [e.n for e in entries if any(reason in e.message.decode() for reason in reasons)]
    return max(shown, default=0) + 1  # an entry under way while the event was written is numbered before it


def test_nothing_was_logged_as_an_error_but_what_a_lost_database_explains(running: Fleet) -> None:
    known = (
        "keeping time failed", "the follower could not record", "what others recorded could not be read",
        "receipts could not be recorded", "nothing is signed for", "could not be read", "Exception in ASGI application",
        "a round of", "The log of", "terminating connection", "could not connect",
    )  # fmt: skip
    strange = [line for line in errors(running) if not any(text in line for text in known)]
    assert strange == []
    secret = (running.token, *running.cookies)
    written = "".join(process.log.read_text() for process in running.processes)
    assert not [one for one in secret if one in written]
    assert "@acme.test" not in written
    assert "@example.test" not in written


def test_the_last_change_of_a_milestone_is_what_the_newest_page_shows(whole: Fleet) -> None:
    """After everything above: one more change reaches the newest page on every worker at once, without waiting."""
    to = date(2031, 5, 4)
    last = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=to, reason="the last of all")
    whole.tell(last)
    whole.log()
    page = Dashboard(whole.shares[0], whole.cookies[0], list, 0)
    for _, status in itertools.product(range(3), [200]):
        answer = _looked(whole, page)
        assert answer[0] == status
        assert b"4 May 2031" in answer[1]
