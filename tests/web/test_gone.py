"""Whoever goes away in the middle of sending is no failure of the server."""

import asyncio
from pathlib import Path

from tests.web.doors import ORIGIN
from tests.world import World
from web import app as application
from web.ids import new_id
from web.settings import Settings


def test_a_sender_that_goes_away_in_the_middle_of_a_command_raises_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.harbour()
    world.close()
    process = application.compose(Settings(data=tmp_path, public_url=ORIGIN))
    from domain.ids import CommandId, PersonId
    from domain.people.person import InvitePerson
    from web.write.permission import OPERATOR

    invited = InvitePerson(person=PersonId("mona"), name="Mona", email="m@x.test", role="manager")
    process.services.service.execute(OPERATOR, invited, command_id=CommandId(new_id()))
    token = process.services.credentials.token(OPERATOR, PersonId("mona"), "gone")
    app, sent = application.create(process), []
    pieces = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> dict[str, object]:
        return next(pieces)

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    for path in ("/api/v1/commands", "/p/harbour/do/describe-project"):
        pieces = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
        cookie = process.services.credentials.enter(
            process.services.credentials.link(OPERATOR, PersonId("mona"))
        ).secret
        by = ("authorization", f"Bearer {token}") if path.startswith("/api/") else ("cookie", f"fanlight={cookie}")
        headers = {"idempotency-key": new_id(), "content-type": "application/x-www-form-urlencoded", by[0]: by[1]}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1),
            "headers": [(k.encode(), v.encode()) for k, v in headers.items()], "server": ("testserver", 80),
        }  # fmt: skip
        asyncio.run(app(scope, receive, send))
    process.services.logs.close()
    assert [message["status"] for message in sent if message["type"] == "http.response.start"] == [400, 400]
