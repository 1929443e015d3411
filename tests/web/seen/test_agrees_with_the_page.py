"""What they saw says of every update what its exact page says: every status word, tone, figure and date."""

import contextlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.agreement.share import ActivateTerms, DraftTerms
from domain.errors import Refused
from domain.ids import CommandId, PersonId
from domain.people.person import InvitePerson
from domain.people.rules import RequirePasskeys
from tests.properties.seeds import FIRST_SEED
from tests.properties.twins import pair, play
from tests.stories.test_recorded import SAMPLES, laid_out
from tests.web.seen.agreement import Compared, compared
from tests.web.seen.test_any_instant import ORIGIN, signed_in
from tests.world import KEY, SHARE, World, everything
from web import app as application
from web import clock
from web.clock import Virtual
from web.demo import life, story
from web.process import signing
from web.process.process import Given
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR

pytestmark = pytest.mark.stories  # random histories
WHOLE = 2_000  # pairs of a history and an update


def compare(folder: Path, until: datetime, updates: int | None = None, seed: int = 0) -> list[Compared]:
    """Compare the updates of every share of an installation, all or a sample, as they were shown and some days later.

    `until` is the time there, UTC.
    """
    process = application.compose(Settings(data=folder, public_url=ORIGIN), Given(now=Virtual(until)))
    found: list[Compared] = []
    try:
        world, auditor = process.services.present.refresh(), PersonId("the-auditor")
        told = InvitePerson(person=auditor, name="Auditor", email="the-auditor@x.test", role="auditor")
        process.services.service.execute(OPERATOR, told, command_id=CommandId("the-auditor"))
        with contextlib.suppress(Refused):  # a random history may ask passkeys of everybody
            free = RequirePasskeys(required=False)
            process.services.service.execute(OPERATOR, free, command_id=CommandId("no-passkeys"))
        client, rng = signed_in(process, auditor), random.Random(seed)
        log = process.services.logs.disclosure
        every = [(share, n) for share in sorted(world.shares) for n in range(1, log.head(share) + 1)]
        for share, n in every if updates is None else rng.sample(every, min(updates, len(every))):
            at = log.recorded_at(share, n)
            assert at is not None
            later = log.recorded_at(share, n + 1) or until
            for instant in (at, at + (later - at) * rng.random()) if n % 5 == 0 or later == until else (at,):
                one = compared(process, client, share, instant)
                assert not one.apart, (folder.name, share, n, instant, one.apart)
                found += [one] if one.n else []
    finally:
        process.services.logs.close()
    return found


def random_histories(folder: Path, first: int, pairs: int) -> Iterator[Compared]:
    """Compare every update of random histories until there are enough; over them days pass and dates go by unmet."""
    seed = first
    while pairs > 0:
        world = World(folder / str(seed), Renderer())
        play(world, pair(seed), seed % 2)
        with contextlib.suppress(Refused):  # an agreement may be over
            world.tell(DraftTerms(share=SHARE, terms=everything()))  # most random terms share little
            world.tell(ActivateTerms(share=SHARE, reason="All of it"))
        for days in (1, 40, 200):
            world.end_days(days=days)
        at = world.clock.at
        world.close()
        signing.write(folder / str(seed) / "signing.key", KEY)
        found = compare(folder / str(seed), at)
        yield from found
        pairs -= len(found)
        seed += 1


@pytest.mark.parametrize(
    ("first", "pairs"), [(FIRST_SEED, 36), pytest.param(FIRST_SEED + 1_000, WHOLE, marks=pytest.mark.slow, id="2000")]
)
def test_of_random_histories(tmp_path: Path, first: int, pairs: int) -> None:
    print(f"first seed {first}")
    found = list(random_histories(tmp_path, first, pairs))
    assert len(found) >= pairs
    assert sum(one.statuses for one in found) > pairs // 4
    assert any(one.late for one in found), "no date has gone by"


@pytest.mark.folder  # it brings one
@pytest.mark.parametrize("updates", [16, pytest.param(None, marks=pytest.mark.slow, id="whole")])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_of_what_earlier_versions_recorded(tmp_path: Path, sample: Path, updates: int | None) -> None:
    laid_out(sample, tmp_path / "data")
    found = compare(tmp_path / "data", datetime(2028, 1, 1, tzinfo=UTC), updates)
    assert len(found) > 10
    assert all(one.statuses for one in found)


@pytest.mark.parametrize(("days", "updates"), [(30, 25), pytest.param(365, None, marks=pytest.mark.slow, id="whole")])
def test_of_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, updates: int | None) -> None:
    monkeypatch.setattr(story, "YEAR", timedelta(days=days))
    life.tell_the_year(Settings(data=tmp_path, public_url=ORIGIN))
    found = compare(tmp_path, clock.now() + timedelta(minutes=1), updates)
    assert len(found) > 20
