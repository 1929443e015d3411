"""The JSON API: idempotent commands, problem details, and a client's own share only."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.doors import OTHER_VIEWER, VIEWER, House, running, wait_until
from tests.world import HARBOUR, SHARE
from web import api

MOVE = {"type": "move-forecast", "project": HARBOUR, "milestone": "m1", "forecast": "2027-05-10", "reason": "Frost"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with running(tmp_path / "data", api.routes()) as made:
        yield made


def send(house: House, body: object, **headers: str):
    given = house.bearer("manager") | headers
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return house.client().post("/api/v1/commands", content=content, headers=given)


def test_a_command_answers_with_the_recorded_events(house: House) -> None:
    answer = send(house, MOVE)
    assert answer.status_code == 201
    assert answer.json()["events"] == ["forecast-moved"]
    assert answer.json()["stream"] == f"project-{HARBOUR}"


def test_a_command_may_say_since_when_its_value_held(house: House) -> None:
    """Long before anything else on record, so nothing of the present changes."""
    assert send(house, MOVE | {"as_of": "2020-05-12T08:00:00+02:00"}).status_code == 201
    milestone = house.process.services.present.refresh().projects[HARBOUR].schedule.milestones["m1"]
    assert [str(move.as_of) for move in milestone.moves] == ["2020-05-12 06:00:00+00:00", "None"]
    assert str(milestone.forecast) == "2027-05-03"
    together = {"type": "change-together", "project": HARBOUR, "commands": [MOVE | {"as_of": "2149-01-01T00:00:00Z"}]}
    assert send(house, together).status_code == 422


def test_the_same_key_again_answers_the_same_and_records_nothing(house: House) -> None:
    first = send(house, MOVE, **{"idempotency-key": "k1"})
    again = send(house, MOVE, **{"idempotency-key": "k1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["versions"] == again.json()["versions"]
    assert send(house, MOVE | {"reason": "Other"}, **{"idempotency-key": "k1"}).status_code == 409


@pytest.mark.parametrize(
    ("body", "headers", "status", "told"),
    [
        (b"{", {}, 400, "Not a command"),
        (MOVE | {"type": "fly-away"}, {}, 400, "docs/spec.md"),
        (MOVE | {"surprise": 1}, {}, 400, "surprise"),
        (MOVE | {"forecast": "soon"}, {}, 400, "forecast"),
        (MOVE | {"milestone": "none"}, {}, 404, "no such milestone"),
        (MOVE | {"reason": ""}, {}, 422, "reason"),
        (MOVE | {"as_of": "2149-01-01T00:00:00Z"}, {}, 422, "after the time of the command"),
        (MOVE | {"as_of": "2020-05-12T08:00:00"}, {}, 422, "no time zone"),
        (MOVE | {"as_of": "last May"}, {}, 400, "as_of"),
        (
            {"type": "close-project", "project": HARBOUR, "reason": "x", "as_of": "2020-05-12T08:00:00Z"},
            {},
            400,
            "as_of",
        ),
        (MOVE, {"expected-version": "1"}, 412, "Look at what changed"),
        *(
            (MOVE, {"expected-version": number}, 412, "Look at what changed")
            for number in ("99999999999", "999999999999", "0" * 17 + "1")
        ),
        *(
            (MOVE, {"expected-version": odd}, 400, "Expected-Version is")
            for odd in ("one", "9" * 19, "-1", "1.0", "1_0", "")
        ),
        (MOVE, {"idempotency-key": "a b"}, 422, "letters, digits, hyphens"),
        (b'{"type":"' + b"\xff" + b'"}', {}, 400, "not UTF-8"),
        (b'{"a":' * 50_000, {}, 400, "too deeply"),
        (MOVE, {"idempotency-key": ""}, 400, "Idempotency-Key"),
        (b" " * (1 << 20) + b"{}", {}, 413, "at most"),
        ({"type": "lapse-overrides", "project": HARBOUR}, {}, 403, "does not cover"),
    ],
)
def test_what_cannot_be_carried_out_is_a_problem_that_says_what_to_do(
    house: House, body: object, headers: dict[str, str], status: int, told: str
) -> None:
    answer = send(house, body, **headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.text


@pytest.mark.parametrize("person", ["auditor", VIEWER])
def test_who_changes_nothing_is_told_that_there_is_nothing(house: House, person: str) -> None:
    answer = house.client().post("/api/v1/commands", content=json.dumps(MOVE), headers=house.bearer(person))
    assert answer.status_code == 404
    nothing = house.client().get("/api/v1/nothing", headers=house.bearer(person))
    assert (answer.content, answer.headers["content-type"]) == (nothing.content, "application/problem+json")


def test_without_a_token_there_is_nothing_to_learn(house: House) -> None:
    answer = house.client().post("/api/v1/commands", content=json.dumps(MOVE))
    assert answer.status_code == 401
    wrong = house.client().post("/api/v1/commands", headers={"authorization": "Bearer x" * 4})
    assert wrong.status_code == 401


def test_a_viewer_reads_its_own_share_in_pages(house: House) -> None:
    for day in (11, 12, 13):
        send(house, MOVE | {"forecast": f"2027-05-{day}"})
    wait_until(lambda: house.process.services.logs.disclosure.head(SHARE) == 4)
    found = house.client().get(f"/api/v1/shares/{SHARE}/entries?after=1", headers=house.bearer(VIEWER)).json()
    assert [e["n"] for e in found["entries"]] == [2, 3, 4]
    assert found["entries"][-1]["view"]["milestones"][0]["forecast"] == "2027-05-13"
    assert found["more"] is False


def test_anothers_share_and_a_share_that_does_not_exist_answer_alike(house: House) -> None:
    others = house.client().get(f"/api/v1/shares/{SHARE}/entries", headers=house.bearer(OTHER_VIEWER))
    nothing = house.client().get("/api/v1/shares/nosuchshare/entries", headers=house.bearer(OTHER_VIEWER))
    mine = house.client().get(f"/api/v1/shares/{SHARE}/entries", headers=house.bearer(VIEWER))
    assert mine.status_code == 200
    assert (others.status_code, others.content, dict(others.headers)) == (
        nothing.status_code,
        nothing.content,
        dict(nothing.headers),
    )


def test_a_cookie_alone_cannot_send_a_command_across_sites(house: House) -> None:
    browser = house.client("manager")
    answer = browser.post(
        "/api/v1/commands", content=json.dumps(MOVE), headers={"idempotency-key": "x", "origin": "https://evil.test"}
    )
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_guard_that_cannot_be_read_is_none_and_nothing_is_recorded_without_it(house: House) -> None:
    before = house.process.services.logs.events.head()
    for guard in ("999999999999", "9999999999999999", "00000000000000001", "9" * 40, "\u0663".encode()):
        assert send(house, MOVE, **{"expected-version": guard}).status_code in (400, 412)
    ours = [event for event in house.process.services.logs.events.after(before) if event.stream.startswith("project-")]
    assert ours == []
    version = house.process.services.present.refresh().versions[f"project-{HARBOUR}"]
    assert send(house, MOVE, **{"expected-version": f"000{version}"}).status_code == 201


def test_numbers_that_were_erased_are_named_and_what_comes_after_them_is_not_forgotten(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MOST", 3)
    for day in (11, 12, 13, 14):
        send(house, MOVE | {"forecast": f"2027-05-{day}"})
    logs = house.process.services.logs
    wait_until(lambda: logs.disclosure.head(SHARE) == 5)
    logs.disclosure.erase(SHARE, [2, 3])
    found = house.client().get(f"/api/v1/shares/{SHARE}/entries", headers=house.bearer(VIEWER)).json()
    assert ([e["n"] for e in found["entries"]], found["erased"], found["more"]) == ([1], [2, 3], True)
    after = house.client().get(f"/api/v1/shares/{SHARE}/entries?after=3", headers=house.bearer(VIEWER)).json()
    assert ([e["n"] for e in after["entries"]], after["erased"], after["more"]) == ([4, 5], [], False)
