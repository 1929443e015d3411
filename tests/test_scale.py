"""docs/scale.md is what its scripts say, and the model behind it computes what it should."""

import json
import math
import random
import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from bench.peers import servers
from bench.scale import document, model, simulation
from bench.scale.document import Recorded, recorded, written
from bench.scale.model import DEPLOYMENTS, SIZES, Habits, Size, Work, waiting
from bench.scale.recorded import BASELINES, Unit, Units, read_units

PLAIN = Habits()


def costs(seconds: float) -> Units:
    """Every cost there is, each of so many seconds, or of a thousand bytes."""
    measured = read_units()
    units = {name: Unit(seconds if unit.of else 1000.0, unit.of) for name, unit in measured.units.items()}
    return Units(date(2027, 1, 1), dict.fromkeys(BASELINES, 1.0), units)


def without(text: str) -> str:
    """A document with its tables emptied."""
    return re.sub(r"(<!-- [a-z-]+ -->\n).*?(<!-- end -->)", r"\1\2", text, flags=re.DOTALL)


# the document


@pytest.mark.once
def test_the_document_is_what_the_script_writes_from_what_is_recorded() -> None:
    text = document.DOCUMENT.read_text()
    assert written(without(text), recorded()) == text, "run: python -m bench.scale.document"


@pytest.mark.once
def test_every_table_that_is_made_stands_in_the_document() -> None:
    places = re.findall(r"<!-- ([a-z-]+) -->", document.DOCUMENT.read_text())
    assert [name for name in places if name != "end"] == list(document.TABLES)


@pytest.mark.once
def test_no_cost_is_measured_for_nothing() -> None:
    """One that is a thousand times what it was changes the document."""
    told, text = recorded(), document.DOCUMENT.read_text()
    for name, unit in told.units.units.items():
        units = told.units.units | {name: Unit(unit.value * 1000 + 1, unit.of)}
        changed = msgspec.structs.replace(told, units=msgspec.structs.replace(told.units, units=units))
        assert written(text, changed) != text, name


@pytest.mark.once
def test_a_table_that_nobody_makes_is_refused() -> None:
    with pytest.raises(ValueError, match="no table is called gone"):
        written("<!-- gone -->\n<!-- end -->\n", Recorded(read_units()))


# the model


@pytest.mark.once
def test_the_busiest_hour_is_that_part_of_a_monday() -> None:
    habits = Habits(by_hand=0.5, together=9, seen=1.0, monday=2.0, hand_hour=0.1, plan_hour=0.2, open=0.5, come=1.0)
    now = model.rates(Size(projects=10, viewers=100, events=36_000), habits)
    assert now.hand == pytest.approx(36_000 / 2 / 2 * 2 * 0.1 / 3600)  # half of the rows, two rows each
    assert now.plans == pytest.approx(36_000 / 2 / 10 * 2 * 0.2 / 3600)  # nine changes and a note
    assert now.deliveries == pytest.approx((now.hand + now.plans) * 5)  # five open pages a project
    assert now.come == pytest.approx(100 / 3600)


@pytest.mark.once
@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one.__name__)
def test_twice_the_size_needs_twice_the_work(deployment: object) -> None:
    site = (
        msgspec.structs.replace(model.fleet(SIZES[1]), workers=4) if deployment is model.fleet else deployment(SIZES[1])
    )  # type: ignore[operator]
    once, twice = (
        {u.what: u.used for u in model.uses(s, site, costs(0.001), PLAIN)} for s in (SIZES[1], SIZES[1].times(2))
    )
    for what in once.keys() - {
        "connections of Postgres",
        "memory of a process, after a year",
        "durable commits of the disk",
    }:
        assert twice[what] == pytest.approx(2 * once[what]), what


@pytest.mark.once
@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda one: one.__name__)
def test_a_deployment_goes_to_where_something_is_used_up_and_no_further(deployment: object) -> None:
    size, stops = model.goes_to(deployment, read_units(), PLAIN)  # type: ignore[arg-type]
    assert stops.what in model.THEN
    for factor, fits in ((0.98, True), (1.1, False)):
        there = size.times(factor)
        found = model.uses(there, deployment(there), read_units(), PLAIN)  # type: ignore[operator]
        assert (model.first([model.limited(use) for use in found]).used <= 1) is fits


@pytest.mark.once
def test_it_is_said_of_everything_what_to_do_once_it_is_used_up() -> None:
    used = {use.what for d in DEPLOYMENTS for use in model.uses(SIZES[0], d(SIZES[0]), costs(0.001), PLAIN)}
    assert used <= set(model.THEN)


# waiting


@pytest.mark.once
@pytest.mark.parametrize(("square", "through"), [(1.0, 1.5), (2.0, 2.0)], ids=["constant", "exponential"])
def test_a_server_used_by_half_waits_as_long_as_the_books_say(square: float, through: float) -> None:
    assert waiting([Work(0.5, 1.0, square)]).through == pytest.approx(through)


@pytest.mark.once
def test_more_work_than_time_waits_for_ever() -> None:
    assert waiting([Work(2.0, 1.0, 1.0)]).through == math.inf


@pytest.mark.once
def test_each_of_a_row_waits_for_those_before_it() -> None:
    row = Work(1e-9, 1.0, 1.0, row=4)
    assert waiting([row]).through == pytest.approx((1 + 2 + 3 + 4) / 4, rel=1e-3)
    spaced = msgspec.structs.replace(row, apart=2.0)
    assert waiting([spaced]).through == pytest.approx(1.0, rel=1e-3)


def stepped(used: float, count: int, seed: int) -> float:
    """The mean seconds until something is done by a server that takes all that waits at once, played through."""
    rng, at, came = random.Random(seed), 0.0, list[float]()
    for _ in range(count):
        at += rng.expovariate(used)
        came.append(at)
    free, i, total = 0.0, 0, 0.0
    while i < count:
        begins = max(free, came[i])
        taken = [one for one in came[i : i + 200] if one <= begins]
        free = begins + len(taken)
        total += sum(free - one for one in taken)
        i += len(taken)
    return total / count


@pytest.mark.once
@pytest.mark.parametrize("used", [0.2, 0.5, 0.8])
def test_a_server_that_takes_all_that_waits_is_as_slow_as_one_that_is_played_through(used: float) -> None:
    said = waiting([Work(used, 1.0, 1.0)], steps=True).through
    assert said == pytest.approx(stepped(used, 60_000, 1), rel=0.05)
    assert said > waiting([Work(used, 1.0, 1.0)]).through


# the simulation, on the real write side and follower


@pytest.mark.folder
def test_the_hour_is_replayed_on_the_product_and_every_update_due_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "SAMPLES", 3)
    monkeypatch.setattr(simulation, "BUSY", (0.5,))
    found = simulation.simulate(4, seed=3)  # it counts the updates itself, against the commands that are shown
    assert found.commands > 15
    assert 0 < found.updates < found.commands
    natural, slow = found.paces
    for before, after in pairwise((natural, slow)):
        assert after.slower > 100 * before.slower
        assert [row.came_out > 0 for row in after.rows] == [True] * 4
        assert after.rows[2].came_out > 20 * before.rows[2].came_out


@pytest.mark.once
def test_the_hour_has_as_many_of_each_kind_as_the_model_expects() -> None:
    size = Size(400, 4000, 40_000)
    told, now = simulation.arrivals(size, PLAIN, random.Random(1)), model.rates(size, PLAIN)
    assert len(told) == pytest.approx(now.commands * 3600, rel=0.02)
    assert sum(one.kind == "hand" for one in told) == pytest.approx(now.updates_hand * 3600, rel=0.01)
    assert [one.at for one in told] == sorted(one.at for one in told)
    assert 0 <= told[0].at <= told[-1].at < 3600


# the peers


@pytest.mark.once
def test_a_peer_that_is_not_there_is_said_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(servers, "MODULES", (tmp_path,))
    found = (servers.nchan(tmp_path), servers.gorilla())
    told = [peer.said() for peer in found if isinstance(peer, servers.Missing)]
    assert told == [
        "SKIPPED nchan: it is not installed. On Debian: apt-get install nginx libnginx-mod-nchan",
        "SKIPPED gorilla: it is not installed. On Debian: apt-get install golang-go golang-github-gorilla-websocket-dev",
    ]


@pytest.mark.once
def test_what_is_recorded_keeps_no_seconds_but_of_baselines() -> None:
    told = json.loads(document.UNITS.read_bytes())
    assert set(told["baselines"]) == set(BASELINES)
    assert {unit["of"] for unit in told["units"].values()} <= {"", *BASELINES}
