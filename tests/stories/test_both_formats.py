"""A record that begins in entry format 1 and goes on in format 2: what was shown is replayed, proved and checked alike."""

import itertools
import random
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from domain.agreement import answers
from domain.agreement.share import ReleaseHeld
from domain.ids import MilestoneId, RiskId
from domain.plan.risks import Points, ScoreRisk
from domain.plan.schedule import DescribeMilestone, MoveForecast
from projections.entries.entry import open_content, open_header
from projections.evidence.inspection import inspect
from projections.follow.shadow import compared
from projections.proof import notes
from projections.replay import pages
from projections.verify import bundle as verify_bundle
from projections.verify import container, standalone
from tests.stories.test_recorded import laid_out
from tests.vectors.make_recorded import ANNA, AS_ANNA, SECOND_KEY, Sample
from tests.world import HARBOUR, MANAGER, SHARE
from web.render.page import Renderer

pytestmark = [pytest.mark.folder, pytest.mark.stories]

FIRST = Path(__file__).parents[1] / "vectors" / "recorded" / "1"
TRUSTED = notes.verification_key(SECOND_KEY.name, SECOND_KEY.public)


class Shown:
    """What every update of the share showed before the record went on, as markup and message."""

    def __init__(self, world: Sample) -> None:
        log = world.folder.disclosure
        self.head = log.head(SHARE)
        readable = [kept.n for kept in log.kept(SHARE, 0, 100_000) if kept.raw is not None]
        self.pages = {n: page.roots for n in readable if (page := pages.page(log, SHARE, n)) is not None}
        self.messages = {entry.n: entry.message for entry in world.entries()}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Shown]:
    """The sample, gone on with by the code of today, and what it showed before."""
    at = tmp_path_factory.mktemp("both")
    laid_out(FIRST, at / "data")
    world = Sample(at / "data", Renderer())
    last = world.folder.disclosure.last(SHARE)
    assert last is not None
    world.clock.at = last.content.at + timedelta(days=400)
    before = Shown(world)
    world._ids = itertools.count(100_001)  # command ids that the sample did not use
    go_on(world)
    world.close()
    return at / "data", before


def go_on(world: Sample) -> None:
    """Go on: first with what is not shared, on which the sentences that are said otherwise today are told as such."""
    key = next(iter(world.view().milestones)).id
    m = world.present.refresh().projects[HARBOUR].schedule.milestones[MilestoneId(key)]
    internal = msgspec.structs.replace(m.details, note="For us alone")
    world.tell(DescribeMilestone(project=HARBOUR, milestone=m.id, details=internal))
    for i in range(12):
        day = date(2028, 1, 1) + timedelta(days=i * 3)
        world.tell(MoveForecast(project=HARBOUR, milestone=MilestoneId(key), forecast=day, reason=f"Frost {i}"))
        if world.present.world.held(SHARE).held:
            world.tell(ReleaseHeld(share=SHARE, by=MANAGER.person))
    about = f"milestone-{key}"
    noted = answers.MakeComment(
        share=SHARE, comment="noted", subject=about, text="Noted.", by=ANNA, side="theirs", screen=world.screen()
    )
    world.tell(noted, AS_ANNA)
    risk = next(iter(world.view().risks)).id
    world.tell(ScoreRisk(project=HARBOUR, risk=RiskId(risk), residual=Points(5, 4), reason="Worse"))
    world.sign()


@pytest.fixture
def world(recorded: tuple[Path, Shown], tmp_path: Path) -> Iterator[Sample]:
    shutil.copytree(recorded[0], tmp_path / "data")
    made = Sample(tmp_path / "data", Renderer())
    made.clock.at = made.entries()[-1].content.at
    yield made
    made.close()


def formats(world: Sample) -> dict[int, int]:
    kept = world.folder.disclosure.kept(SHARE, 0, 100_000)
    return {one.n: open_header(one.header).format for one in kept}


def test_the_next_entry_is_of_format_2_and_nothing_before_it_is_rewritten(
    world: Sample, recorded: tuple[Path, Shown]
) -> None:
    before, found = recorded[1], formats(world)
    assert {form for n, form in found.items() if n <= before.head} == {1}
    assert {form for n, form in found.items() if n > before.head} == {2}
    assert len(found) > before.head + 10
    again = {n: page.roots for n in before.pages if (page := pages.page(world.folder.disclosure, SHARE, n)) is not None}
    assert again == before.pages
    assert {e.n: e.message for e in world.entries() if e.n <= before.head} == before.messages


def test_views_and_pages_go_on_from_one_format_to_the_other(world: Sample, recorded: tuple[Path, Shown]) -> None:
    log, first = world.folder.disclosure, recorded[1].head + 2
    assert world.view(first).milestones != world.view(first - 1).milestones
    for n in range(first, log.head(SHARE) + 1):
        page = pages.page(log, SHARE, n)
        assert page is not None
        drawn = world.renderer.render(page.view)
        assert page.roots["summary"] == pages.parts.markup(drawn.parts, "summary"), n
    assert "Anna Example" in "".join(pages.page(log, SHARE).roots.values())  # type: ignore[union-attr]


def test_the_changes_of_the_first_entry_of_format_2_are_those_of_its_command_alone(
    world: Sample, recorded: tuple[Path, Shown]
) -> None:
    reworded, entry = world.folder.disclosure.entries(SHARE, recorded[1].head, 2)
    assert {change.kind for change in reworded.content.changes} <= {
        "share.updated", "health.budget.rule", "health.schedule.rule", "health.schedule", "milestone.status"
    }  # fmt: skip
    assert {change.kind for change in entry.content.changes} <= {
        "milestone.forecast", "milestone.status", "health.schedule", "health.overall", "milestone.reason"
    }  # fmt: skip
    kept = next(iter(world.folder.disclosure.kept(SHARE, recorded[1].head, 1)))
    assert kept.raw is not None
    people = [person.name.encode() for person in world.present.world.people.values()]
    assert people
    assert not [name for name in people if name in kept.raw], "no name of a person stands in what is committed to"
    assert open_content(kept.raw).sections.keys() >= {"page", "terms"}


def test_the_stored_record_is_sound_and_shadow_replay_of_what_is_new_finds_no_difference(
    world: Sample, recorded: tuple[Path, Shown]
) -> None:
    assert list(inspect(world.folder, world.notary, [SHARE])) == []
    found = list(compared(world.folder.events, world.folder.disclosure, SHARE, world.renderer))
    new = {one.n: one.state for one in found if one.n > recorded[1].head}
    assert new.pop(recorded[1].head + 1) in ("same", "extra")  # with today's sentences nothing was reworded then
    assert set(new.values()) == {"same"}


@pytest.mark.parametrize("kind", ["share", "period", "entry"])
def test_bundles_of_every_kind_are_accepted_by_both_verifiers(
    world: Sample, recorded: tuple[Path, Shown], kind: str
) -> None:
    head, last = recorded[1].head, world.folder.disclosure.head(SHARE)
    spans = {
        "share": [(1, 0)],
        "period": [(head - 2, head + 3), (head + 1, last)],
        "entry": [(head, head), (last, last)],
    }
    for first, to in spans[kind]:
        data = world.bundle(kind, first, to)
        for report in (verify_bundle.check(data, TRUSTED), standalone.check(data, TRUSTED)):
            assert report.accepted, report.problems


@pytest.mark.parametrize("form", [1, 2])
@pytest.mark.parametrize("count", [25, pytest.param(200, marks=pytest.mark.slow)])
def test_random_alterations_of_entries_are_rejected_by_both_at_the_same_first_bad_entry(
    world: Sample, form: int, count: int
) -> None:
    data, drawn = world.bundle(receipts=False), random.Random(form + count)
    files, _ = container.read(data)
    content = {path: member.content() for path, member in files.items()}
    readable = {kept.n for kept in world.folder.disclosure.kept(SHARE, 0, 100_000) if kept.raw is not None}
    numbers = [n for n, found in formats(world).items() if found == form and n in readable]
    for _ in range(count):
        n = drawn.choice(numbers)
        altered = container.write(
            [container.pack(path, changed(path, content[path], n, drawn)) for path in files]  # the list stays as signed
        )
        ours, theirs = verify_bundle.check(altered, TRUSTED), standalone.check(altered, TRUSTED)
        assert not ours.accepted
        assert not theirs.accepted
        assert ours.first_bad == theirs.first_bad == n, (ours.problems[:2], theirs.problems[:2])


def changed(path: str, content: bytes, n: int, drawn: random.Random) -> bytes:
    """Return a file with one letter or digit of the line of entry n replaced, in its header, content, salt or leaf."""
    if not path.startswith("entries/") or not 0 <= n - int(path[8:17]) < 100:
        return content
    lines = content.split(b"\n")
    line = bytearray(lines[n - int(path[8:17])])
    places = [i for i, byte in enumerate(line) if chr(byte).isalnum()]
    at = drawn.choice(places)
    other = [byte for byte in b"0123456789abcdefxyz" if byte != line[at] and chr(byte) != chr(line[at]).lower()]
    line[at] = drawn.choice(other)
    lines[n - int(path[8:17])] = bytes(line)
    return b"\n".join(lines)
