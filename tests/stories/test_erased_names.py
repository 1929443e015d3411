"""A person who is erased leaves no trace of the name in anything that is recorded, shown, mailed or given away."""

import contextlib
import random
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.agreement import answers
from domain.ids import MilestoneId, PersonId, RiskId
from domain.people.person import ErasePerson, InvitePerson
from domain.plan.risks import Points, ScoreAsClient
from domain.plan.schedule import MoveForecast
from projections.entries.entry import open_content
from projections.entries.names import BEGIN, erased
from projections.follow.shadow import compared
from projections.replay import pages
from projections.verify import bundle as verify_bundle
from projections.verify import container, standalone
from tests.world import ACME, ADMIN, HARBOUR, MANAGER, SHARE, World, everything
from web.mail import digest
from web.render.page import Renderer
from web.write.permission import Actor

pytestmark = [pytest.mark.folder, pytest.mark.stories]

VERA, NAME = PersonId("vera"), "Vera Quillfeather-O’Hara"
OTHERS = (PersonId("wim"), "Wim <b>Aalders</b> & Zn")
THEIRS = Actor(VERA, "viewer", ACME)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = begun(tmp_path)
    yield made
    made.close()


def begun(at: Path) -> World:
    world = World(at / "data", Renderer())
    fields = everything()
    with_comments = {
        "milestone_fields": (*fields.milestone_fields, "comments"),
        "risk_fields": (*fields.risk_fields, "comments"),
    }
    world.harbour(everything(**with_comments))
    for person, name in ((VERA, NAME), OTHERS):
        invited = InvitePerson(person=person, name=name, email=f"{person}@acme.test", role="viewer", client=ACME)
        world.tell(invited, ADMIN)
    return world


def screen(world: World) -> answers.Screen:
    last = world.folder.disclosure.last(SHARE)
    assert last is not None
    return answers.Screen(n=last.n, head=last.root)


def story(world: World, drawn: random.Random, length: int = 12) -> None:
    """Comments, scores, concerns, their answers and acknowledgements by both viewers, between moves of the plan."""
    for i in range(length):
        who = drawn.choice((VERA, OTHERS[0]))
        about, seen, actor = drawn.choice(("milestone-m1", "risk-r1")), screen(world), Actor(who, "viewer", ACME)
        kinds = {
            "comment": answers.MakeComment(
                share=SHARE, comment=f"c{i}", subject=about, text=f"Seen {i}.", by=who, side="theirs", screen=seen
            ),
            "concern": answers.RaiseConcern(
                share=SHARE, concern=f"k{i}", subject=about, text=f"Worried {i}.", by=who, screen=seen
            ),
            "acknowledge": answers.Acknowledge(share=SHARE, subject=about, by=who, screen=seen),
            "score": ScoreAsClient(
                project=HARBOUR,
                risk=RiskId("r1"),
                client=ACME,
                by=who,
                points=Points(drawn.randrange(1, 6), 3),
                share=SHARE,
                screen=seen,
            ),
            "move": MoveForecast(
                project=HARBOUR, milestone=MilestoneId("m1"), forecast=world.clock().date(), reason=f"Frost {i}"
            ),
        }
        kind = drawn.choice(list(kinds)) if i else "comment"
        world.tell(kinds[kind], MANAGER if kind == "move" else actor)
    world.tell(answers.MakeComment(
        share=SHARE, comment="last", subject="milestone-m1", text="And this.", by=VERA, side="theirs", screen=screen(world)
    ), THEIRS)  # fmt: skip


def given_out(world: World) -> dict[str, str]:
    """Everything that leaves, by what it is, as text."""
    log, head = world.folder.disclosure, world.folder.disclosure.head(SHARE)
    found = {
        f"page {n}": "".join(page.roots.values()) for n in range(1, head + 1) if (page := pages.page(log, SHARE, n))
    }
    found |= {f"view {n}": str(pages.Views(log, SHARE).at(n)) for n in range(1, head + 1)}
    found |= {f"message {n}": text.decode() for n, text in world.log.frames(SHARE, 0, 1000)}
    found |= {f"whole page since {n}": world.log.keyframe(SHARE, n)[1].decode() for n in (0, 1, head)}
    entries = world.entries()
    found["digest"] = str(digest.compose(log, SHARE, 0, head))
    found["changes"] = str([entry.content.changes for entry in entries])
    files, _ = container.read(world.bundle())
    found |= {f"bundle, {path}": member.content().decode(errors="replace") for path, member in files.items()}
    return found


def traces(texts: dict[str, str]) -> list[str]:
    return [what for what, text in texts.items() if any(part in text for part in ("Quillfeather", "O’Hara", "O&#x27;"))]


def test_before_the_erasure_the_name_is_shown_and_nothing_that_is_stored_holds_it(world: World) -> None:
    story(world, random.Random(1))
    shown = traces(given_out(world))
    assert {"page 5", "digest", "changes", "bundle, names.json"} <= {*shown, "page 5"}
    assert any(what.startswith("message") for what in shown)
    assert not any(BEGIN in text for what, text in given_out(world).items() if not what.startswith("bundle")), (
        "unfilled"
    )
    raws = [kept.raw or b"" for kept in world.folder.disclosure.kept(SHARE, 0, 1000)]
    assert not [raw for raw in raws if b"Quillfeather" in raw]
    assert {open_content(raw).format for raw in raws} == {2}


def test_names_that_look_like_markup_are_escaped_where_markup_is_delivered(world: World) -> None:
    world.tell(
        answers.Acknowledge(share=SHARE, subject="risk-r1", by=OTHERS[0], screen=screen(world)),
        Actor(OTHERS[0], "viewer", ACME),
    )
    page = pages.page(world.folder.disclosure, SHARE)
    assert page is not None
    assert "Wim &lt;b&gt;Aalders&lt;/b&gt; &amp; Zn" in "".join(page.roots.values())
    assert "<b>Aalders" not in "".join(page.roots.values())
    assert world.view().risks[0].ack is not None
    assert world.view().risks[0].ack.by == OTHERS[1]


@pytest.mark.parametrize("seeds", [range(4), pytest.param(range(4, 204), marks=pytest.mark.slow)])
def test_after_the_erasure_no_trace_is_left_and_every_proof_holds(tmp_path: Path, seeds: range) -> None:
    for seed in seeds:
        world = begun(tmp_path / str(seed))
        story(world, random.Random(seed), 8)
        before, head = given_out(world), world.folder.disclosure.head(SHARE)
        assert traces(before), seed
        world.tell(ErasePerson(person=VERA, reason="Asked to be forgotten"), ADMIN)
        assert world.folder.disclosure.head(SHARE) == head + 1, "open pages are told by an update"
        after = given_out(world)
        assert traces(after) == [], seed
        assert any(erased() in text for text in after.values())
        others = [OTHERS[1].split()[0] in texts[f"page {n}"] for texts, n in ((before, head), (after, head + 1))]
        assert others[0] == others[1], "who is not erased is named as before"
        bundle = world.bundle()
        for report in (verify_bundle.check(bundle), standalone.check(bundle)):
            assert report.accepted, (seed, report.problems)
        assert stored(world) == [], seed
        world.restart()
        assert traces(given_out(world)) == [], seed
        world.close()


def stored(world: World) -> list[str]:
    """The files of the folder that hold the name, be it compressed; what is sealed opens for nobody."""
    found = []
    for path in sorted(world.path.rglob("*")):
        content = path.read_bytes() if path.is_file() else b""
        if b"Quillfeather" in content or any(b"Quillfeather" in part for part in inflated(content)):
            found.append(path.name)
    return found


def inflated(content: bytes) -> Iterator[bytes]:
    at = content.find(b"x\x9c")
    while at >= 0:
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj().decompress(content[at:], 1 << 20)
        at = content.find(b"x\x9c", at + 1)


def test_what_the_code_of_today_makes_of_the_events_is_what_was_recorded_before_and_after_an_erasure(
    world: World,
) -> None:
    story(world, random.Random(3))
    for _ in range(2):
        found = list(compared(world.folder.events, world.folder.disclosure, SHARE, world.renderer))
        assert {one.state for one in found} == {"same"}
        if VERA not in world.present.world.erased:
            world.tell(ErasePerson(person=VERA, reason="Asked to be forgotten"), ADMIN)
