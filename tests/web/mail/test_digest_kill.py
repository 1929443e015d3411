"""The real server, killed while the mail server holds a digest it has not answered for: it is never mailed again."""

import asyncio
import threading
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.ids import PersonId
from domain.people.mails import ChooseDigest
from domain.people.person import InvitePerson
from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from tests.journeys.product import Product, seeded, wait_until
from tests.mail import Sink
from tests.world import ACME, ADMIN, World
from web import clock
from web.write.permission import OPERATOR

pytestmark = pytest.mark.folder
FIRST, SECOND = "anna", "ben"  # in the order in which they are mailed


class Holding(Sink):
    """Takes a mail and keeps its answer back until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.has_one, self.released = threading.Event(), threading.Event()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        self.has_one.set()
        await asyncio.to_thread(self.released.wait, 60)
        return answer


def _readers(world: World) -> None:
    for name in (FIRST, SECOND):
        address = f"{name}@acme.test"
        person = InvitePerson(person=PersonId(name), name=name.title(), email=address, role="viewer", client=ACME)
        world.tell(person, ADMIN)
        world.tell(ChooseDigest(person=PersonId(name), cadence="instant", since={"share1": 1}), OPERATOR)  # type: ignore[dict-item]
    world.move("m1", date(2027, 5, 10))


def states(folder: Path) -> dict[str, list[str]]:
    """Return the states of everybody's mails, as they lie in the log."""
    logs = Folder(folder)
    try:
        people = CurrentWorld(logs.events).world.people
        return {name: [mail.state for mail in people[PersonId(name)].mails] for name in (FIRST, SECOND)}
    finally:
        logs.close()


@pytest.mark.slow
def test_a_digest_in_flight_when_the_server_is_killed_is_not_mailed_again_and_the_next_one_is(tmp_path: Path) -> None:
    sink = Holding()
    sink.start()
    folder = seeded(tmp_path / "data", _readers, clock.now() - timedelta(days=1))
    product = Product(folder, flags=("--smtp-url", sink.url, "--mail-from", "status@works.example")).start()
    try:
        assert sink.has_one.wait(30)
        product.kill()
        assert states(folder) == {FIRST: ["queued"], SECOND: []}
        sink.released.set()
        product.start()
        wait_until(lambda: states(folder)[SECOND] == ["accepted"], 30)
        assert states(folder)[FIRST] == ["queued"]
        assert [got.to for got in sink.mails] == [f"{FIRST}@acme.test", f"{SECOND}@acme.test"]
    finally:
        sink.released.set()
        product.stop()
        sink.stop()
