"""Twins of the look and of a wall display's language: what was worn before a share began, and who speaks what elsewhere.

A brand is the same for every client, so it is nothing hidden from one; which brands there were before, and how many, is.
A wall display speaks the language of its share, whatever its person, its browser or another client's share speak.
Seeded leaks of both have to be noticed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from starlette.testclient import TestClient

from domain.agreement.share import SetLanguage
from domain.commands import AnyCommand
from domain.ids import PersonId
from domain.language import speaking
from domain.look.look import Picture
from domain.people import brand
from domain.people.brand import Brand, SetBrand
from domain.people.person import ChooseLanguage
from projections.events.world import World as Known
from projections.follow import next_entry
from tests.web.client.test_wall import screen
from tests.web.doors import OTHER_VIEWER, VIEWER, House, every_route, running, wait_until
from tests.web.sign_in.test_devices import Time, tell
from tests.world import ADMIN, SHARE, START, World, everything
from web import languages
from web.client import wall
from web.render.page import Renderer

pytestmark = pytest.mark.stories

Leak = Callable[[], AbstractContextManager[object]]
LOGO = Picture(sha256="ab" * 32, kind="svg", width=200, height=40)
NOW = SetBrand(name="Example Works", accent="#0a7d5a")
NEXT = SetBrand(name="Example Works", accent="#7d0a5a", logo=LOGO)
BEFORE: tuple[tuple[AnyCommand, ...], ...] = (
    (),
    (
        SetBrand(
            name="Works of Old", accent="#aa3300", logo=Picture(sha256="cd" * 32, kind="png", width=64, height=64)
        ),
        SetBrand(name="Example Works", icon=Picture(sha256="ef" * 32, kind="svg", width=16, height=16)),
    ),
)


# the look


def shown(folder: Path, before: Sequence[AnyCommand]) -> list[bytes]:
    """Return every message to a client whose share began after some brands, and the pictures its updates name."""
    world = World(folder, Renderer())
    world.people()
    for command in before:
        world.tell(command, ADMIN)
    world.clock.at = START + timedelta(days=1)
    world.tell(NOW, ADMIN)
    world.project()
    world.milestone("m1", date(2027, 5, 3), "Section A energised")
    world.baseline()
    world.share(everything())
    world.move("m1", date(2027, 6, 1))
    world.tell(NEXT, ADMIN)
    world.move("m1", date(2027, 6, 8))
    told = [message for share, _n, message in world.sent if share == SHARE]
    worn = [f"{entry.content.stylesheet} {sorted(entry.content.roots)}".encode() for entry in world.entries()]
    world.close()
    return [*told, *worn]


def assert_same_look(folder: Path) -> None:
    one, other = (shown(folder / str(twin), before) for twin, before in enumerate(BEFORE))
    assert one == other


def test_which_brands_there_were_before_a_share_began_is_not_told(tmp_path: Path) -> None:
    assert_same_look(tmp_path)
    said = b"".join(shown(tmp_path / "again", ()))
    assert LOGO.sha256.encode() in said, "the brand of now is worn, so a leak of another could be seen"


def _counted() -> AbstractContextManager[object]:
    sound = next_entry.names

    def leaky(world: Known, share: Any) -> Any:
        called = sound(world, share)
        return msgspec.structs.replace(called, client=f"{called.client} {world.versions['organisation']}")

    return patch.object(next_entry, "names", leaky)


def _evolved(leaky: Callable[[Brand, Brand], Brand]) -> Leak:
    """`leaky(before, after)` has the last word on every brand."""
    sound = brand.evolve
    return lambda: patch.object(brand, "evolve", lambda state, event: leaky(state, sound(state, event)))


def _old_icon(before: Brand, after: Brand) -> Brand:
    old, new = before.look, after.look
    if old is None or new is None or new.icon is not None or old.icon is None:
        return after
    return msgspec.structs.replace(after, look=msgspec.structs.replace(new, icon=old.icon))


LOOKS: dict[str, Leak] = {
    "how often the organisation changed its brand": _counted,
    "a picture of the brand before, where the new one has none": _evolved(_old_icon),
    "the first brand in place of the newest": _evolved(lambda old, new: old if old.look is not None else new),
}


@pytest.mark.parametrize("leak", LOOKS)
def test_a_leak_of_an_earlier_look_is_noticed(tmp_path: Path, leak: str) -> None:
    with LOOKS[leak](), pytest.raises(AssertionError):
        assert_same_look(tmp_path)


# the language of a wall display


class Hung:
    """A wall display of a share in German, beside a share of another client."""

    def __init__(self, house: House) -> None:
        self.house = house
        tell(house, SetLanguage(share=SHARE, language="de"))
        house.process.services.follower.wake()
        self.screen = screen(house)
        wait_until(lambda: 'lang="de"' in self.page())

    def page(self, asks: str = "") -> str:
        headers = {"accept-language": asks} if asks else {}
        answer = self.screen.get("/wall", headers=headers)
        assert answer.status_code == 200
        return answer.text


@pytest.fixture
def hung(tmp_path: Path) -> Iterator[Hung]:
    languages.install()  # as the application does
    with running(tmp_path / "data", every_route(), now=Time()) as house:
        yield Hung(house)


def assert_german_whoever_speaks_what(hung: Hung) -> None:
    before = hung.page()
    tell(hung.house, ChooseLanguage(person=PersonId(VIEWER), language="fr"))
    tell(hung.house, ChooseLanguage(person=PersonId(OTHER_VIEWER), language="es"))
    assert hung.page() == before
    assert hung.page("es") == before


def test_a_wall_display_speaks_as_its_share_does_whoever_speaks_what(hung: Hung) -> None:
    assert_german_whoever_speaks_what(hung)


@contextmanager
def _spoken(hung: Hung, code: Callable[[Known, str], str]) -> Iterator[None]:
    """Have the page of a display speak what `code(world, asked)` says."""
    asked, sound = [""], TestClient.get

    def noting(client: TestClient, path: str, **more: Any) -> Any:
        asked[0] = str((more.get("headers") or {}).get("accept-language", ""))
        return sound(client, path, **more)

    def leaky(_code: str) -> AbstractContextManager[None]:
        return speaking(code(hung.house.process.services.present.refresh(), asked[0]) or "de")

    with patch.object(TestClient, "get", noting), patch.object(wall, "speaking", leaky):
        yield


SPOKEN: dict[str, Callable[[Known, str], str]] = {
    "the language of its person": lambda world, _asked: world.people[PersonId(VIEWER)].language,
    "the language its browser asks for": lambda _world, asked: asked,
    "the language of somebody of another client": lambda world, _asked: world.people[PersonId(OTHER_VIEWER)].language,
}


@pytest.mark.parametrize("leak", SPOKEN)
def test_a_display_that_speaks_as_somebody_else_does_is_noticed(hung: Hung, leak: str) -> None:
    with _spoken(hung, SPOKEN[leak]), pytest.raises(AssertionError):
        assert_german_whoever_speaks_what(hung)
