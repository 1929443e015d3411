"""An erasure empties what is remembered of shares and of markup, before anything is answered with it."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.agreement.answers import MakeComment
from domain.ids import CommandId, MilestoneId
from domain.people.person import ErasePerson
from domain.plan.schedule import MoveForecast
from projections.evidence.erasing import Erasure, erase_entries
from projections.follow import follower
from tests.stories.test_erased_names import NAME, THEIRS, VERA, begun, screen
from tests.web.doors import ORIGIN
from tests.world import ADMIN, HARBOUR, SHARE, World
from web.door.templates import Pages
from web.process.process import Given, Process
from web.record.audience import released_view
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR

pytestmark = pytest.mark.folder


def said(world: World) -> MakeComment:
    about = {"comment": "c1", "subject": "milestone-m1", "text": "Noted."}
    return MakeComment(share=SHARE, by=VERA, side="theirs", screen=screen(world), **about)


def test_the_first_update_after_an_erasure_is_made_of_nothing_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = begun(tmp_path)
    world.tell(said(world), THEIRS)
    remembered: list[int] = []
    sound = follower.disclose

    def noting(of: Any, share: Any, shown: Any, *rest: Any) -> Any:
        remembered.append(len(shown.memory.told.sections))
        return sound(of, share, shown, *rest)

    monkeypatch.setattr(follower, "disclose", noting)
    world.move("m1", world.clock.at.date().replace(year=2028))
    world.tell(ErasePerson(person=VERA, reason="asked"), ADMIN)
    world.move("m2", world.clock.at.date().replace(year=2028))
    before, at, after = remembered
    assert before > 0
    assert at == 0
    assert after > 0
    world.close()


def test_a_process_has_no_markup_with_the_name_once_it_answered_an_erasure(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.tell(said(world), THEIRS)
    world.close()
    renderer = Renderer()
    settings = Settings(data=tmp_path / "data", public_url=ORIGIN)
    process = Process(settings, renderer, Pages(asset=lambda name: f"/static/{name}", demo=False), Given())
    state = process.services.present.refresh()
    share = state.shares[SHARE]
    renderer.render(released_view(state, state.projects[share.project], share, state.held(share.id)))

    def named() -> list[str]:
        return [markup for markup in renderer._remembered.values() if "Quillfeather" in markup]

    assert NAME.startswith("Vera Quillfeather")
    assert named() != [], "a preview has the names"
    erase = ErasePerson(person=VERA, reason="asked")
    process.services.service.execute(OPERATOR, erase, command_id=CommandId("erase-vera"))
    assert named() == []
    process.services.logs.close()


def test_a_process_remembers_nothing_of_updates_once_the_ledger_says_that_content_is_erased(tmp_path: Path) -> None:
    world = begun(tmp_path)
    world.close()
    renderer = Renderer()
    settings = Settings(data=tmp_path / "data", public_url=ORIGIN)
    process = Process(settings, renderer, Pages(asset=lambda name: f"/static/{name}", demo=False), Given())
    services = process.services
    for day in (3, 4):
        move = MoveForecast(project=HARBOUR, milestone=MilestoneId("m1"), forecast=date(2028, 1, day), reason="Frost")
        services.service.execute(ADMIN, move, command_id=CommandId(f"move-{day}"))
        services.follower._turn()
    memory = services.follower._shown[SHARE].memory
    assert memory is not None
    assert memory.told.sections
    assert renderer._remembered
    head = services.logs.disclosure.head(SHARE)
    asked = Erasure(share=SHARE, numbers=[head - 1], reason="Said too much", who="operator")
    erase_entries(services.logs, services.notary, asked, services.now())
    process.clockwork.tick()
    services.follower._turn()
    assert renderer._remembered == {}
    assert memory.told.sections == {}
    services.logs.close()
