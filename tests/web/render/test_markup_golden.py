"""Markup that is recorded, hashed or mailed stays the same byte for byte, however its templates are written.

The goldens in `tests/vectors/markup/` are what these views looked like when they were stored: a SHA-256 of every
piece of every view, and two rich views, a mail and a readable page in full. `python -m tests.web.render.test_markup_golden`
stores them anew, which only a deliberate change of the recorded page is a reason for.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from domain.agreement.terms import Terms
from domain.look.look import Look
from domain.money import Money
from domain.view import Baseline, ClientView, ForecastPoint, Indicator, Score
from projections.entries.entry import Change
from tests.properties.twins import pair, play
from tests.web.render.test_levels import shared, told
from tests.web.render.test_page import SAID, TAKEN, branded, full, talked
from tests.world import World
from web.door import templates
from web.evidence.page import EvidencePage, ScreenRow, UpdateRow
from web.mail import digest, letters
from web.render import page as renderers
from web.render.page import Renderer

pytestmark = pytest.mark.folder  # markup is the same from any database

STORED = Path(__file__).parents[2] / "vectors" / "markup"
SEEDS = range(9)
AT = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
IN_FULL = {
    "full": "full.html", "talked": "talked.html", "mail digest": "digest.html", "mail invitation": "invitation.html",
    "evidence": "evidence.html", "history": "history.html",
}  # fmt: skip

Pieces = dict[str, str]  # name of a piece to its markup


def views(folder: Path) -> Iterator[tuple[str, ClientView]]:
    """Views of random histories under random terms, one of everything, and what these seldom show."""
    for seed in SEEDS:
        yield f"seed {seed}", _world(folder / str(seed), lambda world, seed=seed: play(world, pair(seed), 0))
    everything = full(folder / "full")
    yield "full", everything
    yield "talked", talked(everything)
    yield "nothing", _world(folder / "nothing", lambda world: world.harbour(Terms()))
    yield "shares of budget", _shares(everything)
    yield "words alone", _words(everything)
    yield "at its end", _ended(everything)
    yield "all details", _detailed(everything)
    yield "plans alone", _plans_alone(everything)
    yield "by month", _at_level(folder / "month", date_unit="month")
    yield "coarsest", _at_level(folder / "coarsest", date_unit="quarter", score_detail="band", money_step=10_000)
    yield "branded", branded(everything)
    yield "accent alone", replace(everything, look=Look(accent=branded(everything).look.accent))


def _world(folder: Path, tell: Any) -> ClientView:
    world = World(folder)
    tell(world)
    shown = world.view()
    world.close()
    return shown


INDICATOR = Indicator(status="at_risk", rule="More than 5 days “late”", reason="Known & agreed", overridden=True)


def _at_level(folder: Path, **level: Any) -> ClientView:
    """A rich project under terms with levels of detail."""
    world = told(folder, shared(**level))
    shown = world.view()
    world.close()
    return shown


def _shares(view: ClientView) -> ClientView:
    """The budget as shares of itself, two plans agreed, and a slip into the past."""
    assert view.budget is not None
    assert view.schedule is not None
    part = replace(
        view.budget, budget=None, forecast=None, spent=None, planned=None, cpi=None, forecast_share=Decimal("1.12"),
        spent_share=Decimal("0.5"), planned_share=Decimal("0.45"),
    )  # fmt: skip
    early = replace(view.schedule, slip_days=-3, previous_slip=0, previous_on=date(2027, 2, 3))
    plans = (Baseline(number=1, approved_on=date(2027, 1, 4), reason=""), *view.baselines)
    return replace(view, budget=part, schedule=early, baselines=plans)


def _words(view: ClientView) -> ClientView:
    """Indicators without figures."""
    assert view.schedule is not None
    assert view.budget is not None
    assert view.risk is not None
    return replace(
        view,
        overall=INDICATOR,
        schedule=replace(view.schedule, slip_days=None, indicator=INDICATOR),
        budget=replace(
            view.budget, budget=None, forecast=None, spent=None, planned=None, spent_share=None, forecast_share=None,
            indicator=INDICATOR, curve=(),
        ),
        risk=replace(view.risk, top="", top_score=None, indicator=INDICATOR),
        headline=replace(view.headline, ask="", ask_target=""),
        milestones=tuple(replace(row, forecast=None, actual=None, slip=None, trend=()) for row in view.milestones),
        risks=(),
    )  # fmt: skip


def _ended(view: ClientView) -> ClientView:
    """On the agreed day, met, under plan, closed, with scores of both sides."""
    assert view.schedule is not None
    assert view.budget is not None
    assert view.budget.spent is not None
    spent = view.budget.spent
    first, *others = view.milestones
    due = replace(first, client_action="Sign <it>", client_action_due=date(2027, 4, 1), progress=40, reason="Frost")
    met = tuple(replace(row, status="met", actual=row.forecast, progress=100) for row in others)
    (card,) = view.risks
    score = Score(probability=2, impact=3, value=6)
    mine = replace(card, client_score=score, client_scored_by="Anna", view_needed=False, remarks=(SAID,), ack=TAKEN)
    shut = replace(card, id="r8", status="closed", cause="", effect="", previous=score, view_needed=False)
    same = replace(mine, id="r9", score=score, client_score=score, band="low", remarks=())
    return replace(
        view,
        schedule=replace(view.schedule, slip_days=0),
        budget=replace(
            view.budget, forecast=None, planned=replace(spent, amount=spent.amount * 2), indicator=INDICATOR
        ),
        milestones=(due, *met),
        risks=(mine, shut, same),
    )


def _detailed(view: ClientView) -> ClientView:
    """A milestone and a risk with every detail, and all that stands of the project."""
    first, *others = view.milestones
    (card,) = view.risks
    day = date(2027, 6, 1)
    rich = replace(
        first, original_baseline=date(2027, 4, 20), earliest=day, latest=date(2027, 7, 1), deadline=date(2027, 6, 15),
        value=Money(Decimal("412350.50"), "GBP"), kind="payment", owner_side="joint", needs_acceptance=True,
        reason="Frost & snow", progress=40, client_action="Sign <it>", client_action_due=day, confirmed_at=AT,
        trend=tuple(ForecastPoint(date(2027, 3, n), date(2027, 5, n)) for n in range(1, 14)),
    )  # fmt: skip
    score = Score(probability=2, impact=3, value=6, on=day)
    full_card = replace(
        card, cause="No <permit>", event="Refused", effect="Three weeks", category="Third parties", owner="Joint",
        response="share", response_actions="Hold July", proximity="imminent", previous=score, client_score=score,
        client_band="medium", client_scored_by="Anna", view_needed=False,
    )  # fmt: skip
    return replace(view, milestones=(rich, *others), risks=(full_card,), confirmed_at=AT, phase="running")


def _plans_alone(view: ClientView) -> ClientView:
    return replace(view, milestones=(), milestones_shared=False, schedule=None, risks=(), risks_shared=False)


CHANGES = (
    Change(kind="milestone", subject="m1", title="Handover", before="5 Oct", after="<7 Oct>", note="+2 days", why="Ice",
           say="Handover moved"),
    Change(kind="risk", subject="r1", title="R-01", before="", after="closed", note="", why="", say=""),
)  # fmt: skip


def of_views(folder: Path, renderer: Renderer) -> Iterator[tuple[str, Pieces]]:
    """Every part of every view, and the changes since the view before it."""
    before = None
    for name, view in views(folder):
        pieces = {key: f"{part.head}\n…\n{part.tail}" for key, part in renderer.render(view).parts.items()}
        changes = renderer.changes(before, view)
        yield name, {**pieces, "items": renderer.items(changes, 7, AT, view.time_zone)}
        before = view
    yield "changes", {"items": renderer.items(CHANGES, 8, AT, "Europe/London")}


def of_mails() -> Iterator[tuple[str, Pieces]]:
    """The markup of a digest that says all there is, of one that says little, and of an invitation."""
    rich = digest.Digest(
        share="s1", organisation="Example & Works", client="Acme Rail", project="Harbour Line", sentence="On time.",
        ask="One risk is waiting for your view.", updates="updates 3 to 4", n=4, recorded="1 Mar 2027, 09:00:00 UTC",
        root="abcd ef01", scope="What the agreement covers.", left="Older ones are in your history.",
        changes=(
            digest.DigestLine(title="Handover", before="5 Oct", after="7 Oct", note="+2 d", steps="in 2 steps", why="Ice"),
            digest.DigestLine(title="R-01", before="", after="closed", note="", steps="", why=""),
        ),
        vitals=(
            digest.Vital(name="Schedule", status="On track", figure="+2 days", beside="at handover"),
            digest.Vital(name="Risk", status="", figure="", beside=""),
        ),
        milestones=(
            digest.Milestone(title="Handover", agreed="5 Oct", met=True, forecast="7 Oct", slip="+2 d", status="Done"),
            digest.Milestone(title="Trial", agreed="", met=False, forecast="8 Oct", slip="", status=""),
        ),
        risks=(digest.Risk(ref="R-01", title="Late <b>steel", score="9"),),
    )  # fmt: skip
    bare = replace(rich, ask="", left="", vitals=(), milestones=(), risks=())
    to = letters.Links(dashboard="https://x.test/s/1", history="https://x.test/h", settings="/me?a=1&b=2", stop="/stop")
    told = letters.Invitation(organisation="Ex", client="Ac", name="Nia", link="https://x.test/in/1", until="5 May")
    envelope = letters.Envelope(
        sender="f@x.test", sender_name="Fanlight", to="a@x.test", to_name="Anna", mail="m1", at=AT
    )
    yield "mail digest", {"html": _html(letters.digest(envelope, rich, to))}
    yield "mail digest of little", {"html": _html(letters.digest(envelope, bare, to))}
    yield "mail invitation", {"html": _html(letters.invitation(envelope, told))}


def _html(mail: bytes) -> str:
    body = message_from_bytes(mail, policy=policy.default).get_body(("html",))
    assert body is not None
    content = body.get_content()
    assert isinstance(content, str)
    return content


def of_bundles() -> Iterator[tuple[str, Pieces]]:
    """The readable page of a bundle: of a whole share with screens, of a span, and of one update."""
    note = SimpleNamespace(origin="fanlight/test", size=4, root=bytes(range(32)))
    update = UpdateRow(n=2, at="1 Mar 2027, 09:00:00", changes=["Handover: <7 Oct>", "More"], terms=1, leaf="a" * 64)
    erased = UpdateRow(n=1, at="", changes=[], terms=0, leaf="b" * 64)
    screen = {"who": "Anna", "n": 2, "start": "9:00", "end": "9:01", "how": "closed"}
    for name, kind, screens in (
        ("evidence", "share", [screen, {**screen, "end": ""}]),
        ("evidence of one", "entry", []),
        ("evidence of a span", "span", []),
    ):
        manifest = SimpleNamespace(
            client="Acme & Sons", project="Harbour Line", kind=kind, first=1, to=2, organisation="Ex", made_at="now"
        )
        page = EvidencePage(
            manifest=manifest,  # type: ignore[arg-type]
            checkpoint=SimpleNamespace(number=3, checkpoint=note),  # type: ignore[arg-type]
            updates=[update, erased],
            screens=[ScreenRow(**shown) for shown in screens],
            key="fanlight/test+1+k",
        )
        yield name, {"page": templates.Pages().markup(page)}


def of_history() -> Iterator[tuple[str, Pieces]]:
    """What the pages of a client's history are made of."""
    made = templates.environment()
    macros: Any = made.get_template("client/history_parts.html").module
    pieces = {"go": macros.go("s1", {"on": "2027-03-01", "time": ""}, "UTC")}
    states = (
        ("whole", 1, CHANGES, False),
        ("whole", 2, (), True),
        ("whole", 3, (), False),
        ("whole", 4, CHANGES, False),
    )
    for state, n, changes, agreed in (*states, ("erased", 5, (), False), ("damaged", 6, (), False)):
        update = SimpleNamespace(state=state, n=n, changes=changes, agreed=agreed, terms=2)
        pieces[f"changes {n}"] = macros.changes(update)
    yield "history", {key: str(markup) for key, markup in pieces.items()}


def drawn(folder: Path) -> dict[str, Pieces]:
    """All markup there is a golden of."""
    return dict([*of_views(folder, Renderer()), *of_mails(), *of_bundles(), *of_history()])


def hashes(made: dict[str, Pieces]) -> dict[str, Pieces]:
    return {
        name: {key: hashlib.sha256(markup.encode()).hexdigest() for key, markup in pieces.items()}
        for name, pieces in made.items()
    }


def whole(pieces: Pieces) -> str:
    return "".join(f"{key}:\n{markup}\n\n" for key, markup in sorted(pieces.items()))


def stored() -> dict[str, Pieces]:
    found: dict[str, Pieces] = json.loads((STORED / "sha256.json").read_text())
    return found


def differing(made: dict[str, Pieces]) -> list[str]:
    """The names of the pieces that are not what was stored."""
    here, there = hashes(made), stored()
    both = {(name, key) for one in (here, there) for name in one for key in one[name]}
    return sorted(f"{n}: {key}" for n, key in both if here.get(n, {}).get(key) != there.get(n, {}).get(key))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pieces]:
    return drawn(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("name", IN_FULL)
def test_rich_markup_is_what_it_was_to_the_letter(made: dict[str, Pieces], name: str) -> None:
    assert whole(made[name]) == (STORED / IN_FULL[name]).read_bytes().decode()


def test_every_piece_is_what_it_was_byte_for_byte(made: dict[str, Pieces]) -> None:
    assert not differing(made)


PARTS = sorted(path.name for path in (templates.TEMPLATES / "parts").iterdir())
OTHERS = (
    "logo.html",
    "mail/base.html",
    "mail/digest.html",
    "mail/invitation.html",
    "evidence.html",
    "client/history_parts.html",
)


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> ClientView:
    return full(tmp_path_factory.mktemp("rich"))


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all templates, in one place for all tests: what is not changed is compiled once."""
    copy = tmp_path_factory.mktemp("copied") / "templates"
    shutil.copytree(templates.TEMPLATES, copy)
    return copy


@pytest.mark.parametrize("template", [*(f"parts/{name}" for name in PARTS), *OTHERS])
def test_one_byte_more_in_any_template_would_be_noticed(
    copied: Path, rich: ClientView, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    source = (copied / template).read_text()
    monkeypatch.setattr(templates, "TEMPLATES", copied)
    _afresh()
    try:
        assert not _lines(rich) - _lines_stored()
        (copied / template).write_text(".</".join(source.rsplit("</", 1)))
        _afresh()
        assert _lines(rich) - _lines_stored()
    finally:
        (copied / template).write_text(source)
        _afresh()


def _afresh() -> None:
    """Forget the templates that were read."""
    templates._sources.cache_clear()
    letters._environment.cache_clear()
    renderers._environment.cache_clear()
    renderers._template.cache_clear()


def _lines(everything: ClientView) -> set[tuple[str, str, str]]:
    """The hashes of what is quickly made: a rich view, and all that is no view."""
    shown = {
        "talked": talked(everything),
        "branded": branded(everything),
        "all details": _detailed(everything),
        "plans alone": _plans_alone(everything),
    }
    renderer = Renderer()
    parts = {
        name: {key: f"{part.head}\n…\n{part.tail}" for key, part in renderer.render(view).parts.items()}
        for name, view in shown.items()
    }
    changes = {"changes": {"items": renderer.items(CHANGES, 8, AT, "Europe/London")}}
    return _flat(hashes({**parts, **changes, **dict([*of_mails(), *of_bundles(), *of_history()])}))


def _lines_stored() -> set[tuple[str, str, str]]:
    return _flat(stored())


def _flat(found: dict[str, Pieces]) -> set[tuple[str, str, str]]:
    return {(name, key, digest) for name, pieces in found.items() for key, digest in pieces.items()}


def store() -> None:
    """Store what the code as it is draws."""
    with tempfile.TemporaryDirectory() as folder:
        found = drawn(Path(folder))
    STORED.mkdir(exist_ok=True)
    (STORED / "sha256.json").write_text(json.dumps(hashes(found), indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    for name, file in IN_FULL.items():
        (STORED / file).write_bytes(whole(found[name]).encode())


if __name__ == "__main__":
    store()
