"""What a page is after any number of updates equals what the agreement allows, evaluated directly: fresh, resumed, reset."""

import json
import os
import random
import re
import tempfile
from pathlib import Path

import pytest

from domain.reveal.policy import reveal
from projections.entries import parts as parts_of_page
from projections.events.world import names
from tests.properties.twins import pair, play
from tests.world import SHARE, World
from web.render.page import Renderer

pytestmark = pytest.mark.stories

FIRST_SEED = int(os.environ.get("SEED", "1"))
TAG = re.compile(r"<(/?)([a-zA-Z][\w-]*)([^>]*?)(/?)>")
PARTIAL = re.compile(r'<hx-partial hx-target="#([^"]+)" hx-swap="(\w+)">(.*?)</hx-partial>', re.DOTALL)


def put(page: str, key: str, markup: str) -> str:
    """Replace the element with an id, as outerMorph does."""
    start = re.search(rf'<([a-zA-Z][\w-]*)(?:\s[^>]*?)?\sid="{re.escape(key)}"[^>]*>', page)
    assert start, f"no target #{key} on the page"
    name, depth, at = start.group(1), 0, start.start()
    for tag in TAG.finditer(page, at):
        if tag.group(2) != name or tag.group(4):
            continue
        depth += -1 if tag.group(1) else 1
        if depth == 0:
            return page[:at] + markup + page[tag.end() :]
    message = f"#{key} is never closed"
    raise AssertionError(message)


class Client:
    """A page that knows only what it was sent."""

    def __init__(self, roots: dict[str, str], n: int) -> None:
        self.page, self.n, self.items = roots["summary"] + roots["body"], n, ""

    def take(self, text: bytes) -> None:
        message = json.loads(text)
        assert message.get("key") or message["n"] == self.n + 1
        for key, swap, markup in PARTIAL.findall(message["content"]):
            if swap == "afterbegin":
                self.items = markup + self.items
            else:
                self.page = put(self.page, key, markup)
        self.n = message["n"]


def truth(world: World) -> str:
    """Return the page straight from reveal, never from the log."""
    state = world.present.refresh()
    share = state.shares[SHARE]
    called = names(state, share)
    view = reveal(
        state.projects[share.project],
        share,
        organisation=called.organisation,
        client=called.client,
        time_zone=called.time_zone,
        called=called.called,
    )
    rendered = world.renderer.render(view)
    return "".join(parts_of_page.markup(rendered.parts, root) for root in rendered.roots)


def opened(world: World) -> Client:
    page = world.heads.page(SHARE)
    assert page is not None
    return Client(page.roots, page.n)


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + 12))
def test_every_client_shows_what_its_agreement_allows_after_every_event(seed: int) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(Path(folder), Renderer())
        steady: list[Client] = []
        lagging: list[Client] = []
        expected_now: list[str] = []

        def after_each_event() -> None:
            if world.log.head(SHARE) == 0:
                return
            if world.present.refresh().shares[SHARE].active:  # else what it showed at its end stays
                expected_now[:] = [truth(world)]
            (expected,) = expected_now
            fresh = opened(world)
            assert fresh.page == expected
            if not steady:
                steady.append(opened(world))
            if not lagging or rng.random() < 0.2:
                lagging.append(opened(world))
            for _, message in world.log.frames(SHARE, steady[0].n, 100):
                steady[0].take(message)
            assert (steady[0].page, steady[0].n) == (expected, fresh.n)
            if rng.random() < 0.3:
                catch_up(rng.choice(lagging), expected)

        def catch_up(client: Client, expected: str) -> None:
            if rng.random() < 0.5:
                for _, message in world.log.frames(SHARE, client.n, 1000):
                    client.take(message)
            else:
                client.take(world.log.keyframe(SHARE, client.n)[1])
            assert client.page == expected

        follow = world.follow

        def watched(limit: int = 500) -> None:
            follow(limit)
            after_each_event()

        world.follow = world.follow_what_was_told = watched  # type: ignore[method-assign]
        play(world, pair(seed, steps=20), 0)
        for client in lagging:
            catch_up(client, expected_now[0])
        assert steady
        world.close()


def test_those_histories_show_something(tmp_path: Path) -> None:
    """Without this the test above could pass on agreements that cover next to nothing."""
    heads = []
    for seed in range(FIRST_SEED, FIRST_SEED + 12):
        world = World(tmp_path / str(seed))
        play(world, pair(seed, steps=20), 0)
        heads.append(world.log.head(SHARE))
        world.close()
    assert sum(heads) > 60
    assert max(heads) > 10


def test_the_client_of_this_test_would_notice_a_missing_target() -> None:
    with pytest.raises(AssertionError, match="no target"):
        put('<div id="a"></div>', "b", "")
