"""The page of the demo: whom a visitor can be, told of the people as they are on record."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from domain.commands import AnyCommand
from domain.ids import ClientId, CommandId
from domain.people.clients import RegisterClient
from domain.people.person import InvitePerson
from tests.web.doors import House, running, wait_until
from tests.world import ADMIN
from web.demo import cast, life, look
from web.ids import new_id
from web.pictures.picture import checked

pytestmark = pytest.mark.folder


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", life.routes()) as made:
        made.app.state.life = SimpleNamespace(speed=1.0)
        yield made


def tell(house: House, command: AnyCommand) -> None:
    house.process.services.service.execute(ADMIN, command, command_id=CommandId(new_id()))


def test_the_page_names_everybody_of_the_cast_and_their_clients(house: House) -> None:
    clients: dict[ClientId, str] = {}
    for person, name, role, client in cast.PEOPLE:
        if client is not None and client not in clients:
            clients[client] = f"Client {client}"
            tell(house, RegisterClient(client=client, name=clients[client], time_zone="Europe/London"))
        if person in house.process.services.present.world.people:
            continue
        tell(house, InvitePerson(person=person, name=name, email=f"{person}@x.test", role=role, client=client))
    page = house.client().get("/demo")
    assert page.status_code == 200
    there = house.process.services.present.world.people
    for person, _name, _role, client in cast.PEOPLE:
        assert there[person].name in page.text
        assert client is None or clients[client] in page.text
    (first,) = re.findall(r'<button class="btn primary">([^<]+)</button>', page.text)
    assert f"As <b>{first}</b>" in re.findall(r"<li>\s*As <b>[^<]+</b>", page.text)[0]  # the first step is theirs


def test_the_organisation_has_a_look_of_its_own_drawn_as_any_uploaded_one(house: House) -> None:
    log = house.process.services.logs.disclosure
    worn = look.kept(log.keep_asset)
    tell(house, worn)
    assert house.process.services.present.refresh().brand.look is not None
    for field, picture in worn.pictures.items():
        kept = log.asset(picture.sha256)
        assert checked(kept or b"") == picture, field
    assert set(cast.ORGANISATION.upper()) <= {" ", *look.LETTERS}


def test_the_story_goes_on_after_a_change_that_fails_unexpectedly(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(life, "PACE", 0.02)
    services, changed = house.process.services, list[int]()
    going = life.Life(services, 1.0, 1)

    def change(_now: object) -> None:
        changed.append(1)
        if len(changed) == 1:
            raise ZeroDivisionError

    monkeypatch.setattr(going._story, "lapse", lambda _now: None)
    monkeypatch.setattr(going._story, "change", change)
    monkeypatch.setattr(going._story.reviews, "look", lambda _now: None)

    async def visit() -> None:
        async with going.going_on():
            await asyncio.to_thread(wait_until, lambda: len(changed) >= 3)

    asyncio.run(visit())
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]
