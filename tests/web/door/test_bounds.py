"""What one request may bring and one person may ask for is bounded, at every door."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.routing import Route

from tests.web.doors import ORIGIN, OTHER_VIEWER, VIEWER, House, every_route, running
from tests.world import ACME, HARBOUR, SHARE
from web.door.bounds import LARGEST, Bounds
from web.door.limit import Limit

MIB = 1 << 20
MOVE = {"type": "move-forecast", "project": HARBOUR, "milestone": "m1", "forecast": "2027-05-14", "reason": "Crane"}
NAMES = {"share": SHARE, "project": HARBOUR, "client": ACME, "person": VIEWER, "n": "1"}
ROLES = {"admin": "admin", "manager": "manager", "auditor": "auditor", "viewer": VIEWER}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path, every_route(), max_upload_mb=1) as house:
        yield house


NOBODYS = "anyone", "display"  # doors of no role


def address(route: Route) -> str:
    return re.sub(r"\{(\w+)(:\w+)?\}", lambda m: NAMES.get(m.group(1), "x"), route.path)


def taking() -> list[Route]:
    """Return every route that takes a body."""
    found = [r for r in every_route() if isinstance(r, Route) and (r.methods or set()) - {"GET", "HEAD"}]
    found = [r for r in found if r.endpoint.guarded != "display"]  # which refuses before it reads: 401
    assert len(found) > 30
    return found


def who(route: Route) -> str:
    allowed = route.endpoint.guarded
    return "" if allowed in NOBODYS else ROLES[min(allowed)]


def headers(house: House, route: Route) -> dict[str, str]:
    sent = {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"}
    if route.path.startswith("/api/"):
        return sent | house.bearer(who(route))
    cookie = f"{house.process.services.guard.cookie}={house.cookie(who(route))}" if who(route) else ""
    return sent | ({"cookie": cookie} if cookie else {})


def send(house: House, route: Route, sent: dict[str, str], mib: int) -> tuple[int, int]:
    """Send a body in pieces of 64 KiB; return the status, and how many bytes the application took of it."""
    took, status = 0, 0

    async def receive() -> dict[str, object]:
        nonlocal took
        piece = b"a" * min(65_536, mib * MIB - took)
        took += len(piece)
        return {"type": "http.request", "body": piece, "more_body": took < mib * MIB}

    async def answer(message: dict[str, object]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = int(str(message["status"]))

    method = min((route.methods or set()) - {"GET", "HEAD"})
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": address(route), "raw_path": address(route).encode(), "query_string": b"", "root_path": "",
        "headers": [(k.encode(), v.encode()) for k, v in sent.items()], "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }  # fmt: skip
    asyncio.run(house.app(scope, receive, answer))
    return status, took


def test_a_body_that_claims_to_be_too_large_is_refused_before_it_is_read_at_every_door(house: House) -> None:
    for route in taking():
        sent = headers(house, route) | {"content-length": str(20 * MIB)}
        assert send(house, route, sent, 20) == (413, 0), route.path
        sent["content-length"] = "9" * 30
        assert send(house, route, sent, 20) == (413, 0), route.path


def test_a_body_that_claims_nothing_is_read_up_to_the_bound_and_no_further(house: House) -> None:
    read = 0
    for route in taking():
        status, took = send(house, route, headers(house, route), 20)
        bound = LARGEST + (MIB if getattr(route.endpoint, "kind", "") == "upload" else 0)
        assert took <= bound + 65_536, route.path
        read += status == 413
    assert read > 25  # the others do not read a body at all


def test_a_file_may_be_as_large_as_the_setting_says(house: House) -> None:
    client = house.client("auditor")
    csrf = client.get("/audit/file").text.split('name="csrf" value="')[1].split('"')[0]
    for size, status in ((MIB - 10, 200), (MIB + 10, 400), (2 * MIB + 10, 413)):
        answer = client.post(
            "/audit/file", data={"csrf": csrf}, files={"file": ("x", b"x" * size)}, headers={"origin": ORIGIN}
        )
        assert answer.status_code == status, size


class Tick:
    """Monotonic seconds that a test moves."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def tick(house: House) -> Tick:
    """Five commands and two exports a minute, on a clock of the test."""
    tick = Tick()
    house.process.services.guard.bounds = Bounds(
        upload=MIB, commands=Limit(5, clock=tick), exports=Limit(2, clock=tick)
    )
    return tick


def test_commands_are_bounded_for_each_person_and_the_answer_says_how_long_to_wait(house: House, tick: Tick) -> None:
    def move(person: str) -> tuple[int, str]:
        answer = house.client().post("/api/v1/commands", content=json.dumps(MOVE), headers=house.bearer(person))
        return answer.status_code, answer.headers.get("retry-after", "")

    assert [move("manager")[0] for _ in range(5)] == [201] * 5
    assert move("manager") == (429, "12")
    assert move("admin")[0] == 201  # others are not kept waiting
    tick.at = 11.9
    assert move("manager") == (429, "1")
    tick.at = 12.1
    assert move("manager")[0] == 201
    refused = house.client().post("/api/v1/commands", content=json.dumps(MOVE), headers=house.bearer("manager"))
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["status"] == 429


def test_forms_count_like_commands_and_are_refused_in_a_sentence(house: House, tick: Tick) -> None:
    client = house.client(VIEWER)
    csrf = client.get("/home/mail").text.split('name="csrf" value="')[1].split('"')[0]
    sent = [
        client.post("/home/mail", data={"csrf": csrf, "cadence": "daily"}, headers={"origin": ORIGIN}) for _ in range(6)
    ]
    assert [answer.status_code for answer in sent[:5]] == [303] * 5
    assert sent[5].status_code == 429
    assert "Try again in 12 seconds" in sent[5].text
    assert client.get("/home/mail").status_code == 200  # looking is not counted
    wrong = client.post("/home/mail", data={"csrf": "wrong"}, headers={"origin": ORIGIN})
    assert wrong.status_code == 403  # what is not theirs does not count against them


EXPORTS = (
    (VIEWER, f"/s/{SHARE}/evidence.zip"),
    ("manager", f"/p/{HARBOUR}/shares/{SHARE}/evidence.zip"),
    ("auditor", f"/audit/shares/{SHARE}/evidence.zip"),
    ("manager", f"/p/{HARBOUR}/shares/{SHARE}/access.csv"),
    ("auditor", f"/audit/shares/{SHARE}/access.csv"),
    ("manager", "/shares.csv"),
    ("auditor", f"/audit/shares/{SHARE}/shadow"),
)


@pytest.mark.parametrize(("person", "path"), EXPORTS)
def test_exports_are_bounded_for_each_person(house: House, tick: Tick, person: str, path: str) -> None:
    client = house.client(person)
    assert [client.get(path).status_code for _ in range(2)] == [200, 200]
    refused = client.get(path)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    tick.at = 31
    assert client.get(path).status_code == 200


def test_whatever_is_handed_out_as_a_file_is_counted_as_an_export(house: House) -> None:
    found = 0
    for route in every_route():
        if not isinstance(route, Route) or route.endpoint.guarded in NOBODYS or "GET" not in (route.methods or ()):
            continue
        answer = house.client(who(route)).get(address(route))
        if answer.headers.get("content-disposition", "").startswith("attachment"):
            found += 1
            assert route.endpoint.kind == "export", route.path
    assert found >= 6


# tokens


def test_a_token_opens_the_json_door_and_no_page_and_no_form(house: House) -> None:
    tried, bearers = 0, {person: house.bearer(person) for person in {*ROLES.values(), OTHER_VIEWER}}
    for route in every_route():
        if not isinstance(route, Route) or route.endpoint.guarded in NOBODYS or route.path.startswith("/api/"):
            continue
        for person in {ROLES[role] for role in route.endpoint.guarded} | {OTHER_VIEWER}:
            for method in (route.methods or set()) - {"HEAD"}:
                sent = bearers[person] | {"origin": ORIGIN}
                answer = house.client().request(method, address(route), headers=sent, data={"reason": "x"})
                nobody = house.client().request(method, address(route), data={"reason": "x"})
                assert answer.headers["location"] == nobody.headers["location"] == "/sign-in", route.path
                tried += 1
    assert tried > 100
    assert house.client().get("/", headers=house.bearer("admin")).headers["location"] == "/sign-in"


def test_a_foreign_page_with_a_token_changes_nothing(house: House) -> None:
    sent = house.bearer("manager") | {"origin": "https://evil.example"}
    before = house.process.services.logs.events.head()
    house.client().post(f"/p/{HARBOUR}/shares/{SHARE}/revoke", headers=sent, data={"reason": "x"})
    assert house.process.services.logs.events.head() == before
    assert house.client().post("/api/v1/commands", content=json.dumps(MOVE), headers=sent).status_code == 201
