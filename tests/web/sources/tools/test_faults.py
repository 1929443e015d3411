"""What can go wrong with a tool: each has a sentence that says what to do, and none of it costs more than its bound."""

import asyncio
import random
from typing import Any

import httpx2
import pytest

from tests.web.sources.tools.fake_github import FakeGitHub
from tests.web.sources.tools.fake_jira import FakeJira
from tests.web.sources.tools.kinds import KINDS, attached, pull, pull_as
from tests.web.sources.tools.served import Asked, Reply, Server, basic
from web.outside.addresses import networks
from web.outside.transport import Outside
from web.sources.tools import asking
from web.sources.tools.registry import TOOLS
from web.sources.tools.tool import Attached, Most, Trouble

pytestmark = pytest.mark.once

# by fault: what is said, whether a person has to act, and how long the tool asks to wait
FAULTS: dict[str, tuple[str, bool, float | None]] = {
    "401": ("does not accept the", True, None),
    "403": ("does not let this .* What it must allow: ", True, None),
    "404": ("knows nothing by this name .404., or does not show it", True, None),
    "410": ("knows nothing by this name .410.", True, None),
    "429": ("asks to wait", False, 60.0),
    "429 in seconds": ("asks to wait", False, 30.0),
    "429 as a date": ("asks to wait", False, 90.0),
    "500": ("has trouble of its own .500.. It is asked again", False, None),
    "503": ("has trouble of its own .503.", False, 120.0),
    "sign-in page": ("a web page instead of data, as a sign-in page does. Check the address", False, None),
    "cut off": ("no data .JSON., or was cut off", False, None),
    "other data": ("other data than a plan. Check the address", False, None),
    "redirect": ("sends the request on to another address, which is not followed", True, None),
    "slow": ("so slowly that the plan was not read within", False, None),
    "huge": ("longer than 2 MiB, the most that is read. Ask for less", True, None),
    "endless": ("gives more than can be followed. Ask for less", True, None),
    "same page": ("the same page again instead of the next", False, None),
    "another project": ("another project, “.+” instead of “.+”, so nothing was taken", True, None),
}


EACH = [(kind, fault) for kind in KINDS for fault in FAULTS if (kind, fault) != ("jira cloud jql", "another project")]


@pytest.mark.parametrize(("kind", "fault"), EACH)  # a JQL may name any project
def test_what_goes_wrong_is_told_with_what_to_do(server: Server, kind: str, fault: str) -> None:
    fake = KINDS[kind]()
    cursor = pull(server, fake).cursor if fault == "another project" else ""
    most = Most(seconds=0.2 if fault == "slow" else 30, answer=2 << 20, pages=20)
    fake.fault = fault
    if fault == "another project":
        for row in fake.rows:
            row.changed = fake.now
        fake.rows.pop()
        if hasattr(fake, "version"):
            fake.version += 1
    said, for_good, wait = FAULTS[fault]
    with pytest.raises(Trouble, match=said) as told:
        pull(server, fake, cursor, most=most)
    assert (told.value.for_good, told.value.retry_after) == (for_good, expected(kind, fault, wait))
    assert fake.secret not in str(told.value)
    assert TOOLS[fake.name].label in str(told.value)  # type: ignore[attr-defined]


def expected(kind: str, fault: str, wait: float | None) -> float | None:
    """GitHub says when its limit ends by a header of its own."""
    return 600.0 if (kind, fault) == ("github", "429") else wait


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_secret_is_told(server: Server, kind: str) -> None:
    fake = KINDS[kind]()
    server.put(fake)
    given = attached(fake)
    wrong = Attached(address=given.address, values=given.values, secret="wr0ng")
    with pytest.raises(Trouble, match="does not accept") as told:
        pull_as(fake, wrong)
    assert told.value.for_good
    assert "wr0ng" not in str(told.value) + repr(wrong)


UNSENDABLE = (
    "s3cret\nX-Evil: 1",
    "s3cret\r\nHost: x",
    "s3cr\u00e9t",
    " s3cret",
    "s3cret\x00",
    "\u202es3cret",
    "s3cret\x7f",
)


@pytest.mark.parametrize("kind", ["github", "gitlab", "jira data center versions", "smartsheet"])
def test_a_secret_that_no_header_can_hold_is_told_without_repeating_it_and_sent_nowhere(
    server: Server, kind: str
) -> None:
    fake = KINDS[kind]()
    server.put(fake)
    for secret in UNSENDABLE:
        given = Attached(address=fake.address, values=fake.values(), secret=secret)
        with pytest.raises(Trouble, match="Copy it there once more and replace it") as told:
            pull_as(fake, given)
        assert told.value.for_good
        assert "s3cr" not in str(told.value)
    assert fake.asked == []


def test_a_tool_that_repeats_what_it_was_sent_is_told_without_the_secret(server: Server) -> None:
    class Echo(FakeJira):
        def refusal(self, status: int) -> Reply:
            sent = basic("plans@acme.example", self.secret)
            return Reply(422, {"message": f"{'no ' * 40}{self.secret} and {sent} and {self.secret}"})

    fake = Echo()
    fake.fault = "500"
    with pytest.raises(Trouble, match="does not understand what is asked") as told:
        pull(server, fake)
    assert fake.secret[:6] not in str(told.value)
    assert basic("plans@acme.example", fake.secret)[6:26] not in str(told.value)
    assert "no no" in str(told.value)


def test_a_mark_of_a_page_that_cannot_be_sent_back_is_not(server: Server) -> None:
    class Marked(FakeGitHub):
        def reply(self, asked: Asked) -> Reply:
            found = super().reply(asked)
            found.headers["etag"] = '"gr\u00fc\u00df"'
            return found

    fake = Marked()
    first = pull(server, fake)
    again = pull(server, fake, first.cursor)
    assert again.plan is not None
    assert again.content_hash == first.content_hash


def test_an_answer_of_more_values_than_memory_should_hold_is_not_unpacked(server: Server) -> None:
    class Many(FakeGitHub):
        def reply(self, asked: Asked) -> Reply:
            return Reply(200, raw=b"[" + b"[]," * 1_100_000 + b"[]]")

    with pytest.raises(Trouble, match="gives more than can be followed"):
        pull(server, Many())


def test_many_answers_that_are_each_short_enough_are_not_all_held(server: Server) -> None:
    class Fat(FakeGitHub):
        def reply(self, asked: Asked) -> Reply:
            found = super().reply(asked)
            found.data = [{**one, "description": "x" * 9000} for one in found.data]
            return found

    fake = Fat()
    fake.fault = "endless"
    with pytest.raises(Trouble, match="gives more than can be followed"):
        pull(server, fake, most=Most(answer=1 << 20))
    assert 5 < len(fake.asked) <= 10


def test_an_address_of_a_next_page_that_cannot_be_taken_apart_is_told(server: Server) -> None:
    class Torn(FakeGitHub):
        def reply(self, asked: Asked) -> Reply:
            found = super().reply(asked)
            found.headers["link"] = '<https://[::1>; rel="next"'
            return found

    with pytest.raises(Trouble, match="other data than a plan"):
        pull(server, Torn())


@pytest.mark.parametrize("kind", KINDS)
def test_a_tool_that_is_not_there_is_told(server: Server, kind: str) -> None:
    fake = KINDS[kind]()
    server.put(fake)
    fake.port = 9  # nobody listens
    with pytest.raises(Trouble, match=r"cannot be reached at 127\.0\.0\.1:9") as told:
        pull_as(fake, attached(fake))
    assert not told.value.for_good


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_person_left_out_is_told_before_anything_is_asked(server: Server, kind: str) -> None:
    fake = KINDS[kind]()
    server.put(fake)
    with pytest.raises(Trouble) as told:
        pull_as(fake, Attached(address=fake.address, values={}, secret="x"))
    assert told.value.for_good
    assert fake.asked == []


def test_a_secondary_limit_of_github_is_waited_for_though_it_does_not_say_how_long(server: Server) -> None:
    fake = FakeGitHub()
    fake.fault = "secondary"
    with pytest.raises(Trouble, match="asks to wait") as told:
        pull(server, fake)
    assert told.value.retry_after == 60


def test_a_secret_is_never_sent_to_where_a_page_says_the_next_one_is(server: Server) -> None:
    class Elsewhere(FakeGitHub):
        @property
        def address(self) -> str:
            return f"http://localhost:{self.port}" if self.asked else super().address

    fake = Elsewhere()
    fake.per_page = 2
    with pytest.raises(Trouble, match="a next page at another address"):
        pull(server, fake)
    assert len(fake.asked) == 1


def test_a_tool_in_a_network_inside_is_not_asked(server: Server) -> None:
    """The tools ask by the client they are given; this is the one they are given."""
    fake = FakeJira()
    server.put(fake)

    async def asked(outside: Outside, address: str) -> None:
        given = Attached(address=address, values=fake.values(), secret=fake.secret)
        async with outside.asking() as client:
            await TOOLS["jira"].pull(given, "", client)

    for address in ("https://169.254.169.254", f"https://127.0.0.1:{fake.port}", "https://[::1]", "https://10.0.0.1"):
        with pytest.raises(Trouble, match="leads to a network inside") as told:
            asyncio.run(asked(Outside(), address))
        assert told.value.for_good
    with pytest.raises(Trouble, match="does not begin with https") as told:
        asyncio.run(asked(Outside(networks("127.0.0.0/8")), fake.address))
    assert fake.asked == []


def test_a_header_that_makes_no_sense_is_no_time_to_wait() -> None:
    def wait(**headers: str) -> float | None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return asking.waiting(httpx2.Response(429, headers=named), "")

    assert wait(retry_after="soon") == 60
    assert wait(retry_after="99999999") == asking.MOST_WAIT
    assert wait(retry_after="Wed, 10 Mar 2027 12:00:30 GMT", date="Wed, 10 Mar 2027 12:00:00 GMT") == 30
    assert wait(retry_after="Wed, 10 Mar 2027 11:00:00 GMT", date="Wed, 10 Mar 2027 12:00:00 GMT") == 1
    assert asking.waiting(httpx2.Response(403), "You may not") is None
    assert asking.waiting(httpx2.Response(200), "rate limit") is None


ODD: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1.5, "", " ", "\u202e\x00x", "2027-02-30", "9" * 400, [], {}, [[1]], {"id": []}, ["2027"],
)  # fmt: skip


def twist(data: Any, rng: random.Random) -> Any:
    """Return data of which one in twenty values is another, of any kind."""
    if rng.random() < 0.05:
        return rng.choice(ODD)
    if isinstance(data, dict):
        return {name: twist(value, rng) for name, value in data.items() if rng.random() < 0.98}
    return [twist(value, rng) for value in data] if isinstance(data, list) else data


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_an_answer_says_it_is_a_plan_or_trouble(server: Server, kind: str) -> None:
    plans, troubles = 0, list[str]()
    for seed in range(12):
        fake, rng = KINDS[kind](), random.Random(seed)
        fake.twisted = lambda data, rng=rng: twist(data, rng)  # type: ignore[misc]
        try:
            found = pull(server, fake, most=Most(pages=30))
        except Trouble as trouble:
            troubles.append(str(trouble))
            continue
        plans += 1
        assert found.plan is not None
        for one in found.plan.milestones:
            assert one.title
            assert len(one.title) <= 200
            assert one.source_id in found.plan.present
    assert plans
    assert all(troubles)
