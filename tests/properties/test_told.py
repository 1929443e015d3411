"""What is told by mail and in channels of one project does not depend on any other, and without content on no word.

Two worlds are played side by side and everything that goes out of them is compared byte for byte; then mistakes are
patched in, and each has to be found.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from domain.agreement.answers import Acknowledge, MakeComment, RaiseConcern, Screen
from domain.agreement.share import ActivateTerms, DraftShare
from domain.agreement.terms import Ways
from domain.ids import ChannelId, ClientId, PersonId, ProjectId, RiskId, ShareId
from domain.people.clients import RegisterClient
from domain.people.mails import Mail
from domain.people.person import InvitePerson
from domain.plan.project import DescribeProject
from domain.plan.risks import Points, ScoreAsClient
from domain.telling.channels import AddChannel, AllowChannelContent, Form
from projections.events import for_you
from projections.events.for_you import ForYou
from projections.events.present import CurrentWorld
from projections.events.world import World as Present
from tests.world import ACME, ADMIN, DEPOT, HARBOUR, SHARE, World, everything
from web.mail.letters import Envelope
from web.mail.notice import letter
from web.outside.sender import Reply, Sender
from web.telling import cards, matters
from web.telling.cards import Item
from web.telling.notices import Notices, NoticeSources
from web.telling.poster import Poster, PosterPorts
from web.write.permission import Actor

SEEDS = range(1, 3)
MINE, ALL = PersonId("mine"), PersonId("all")
SCREEN = Screen(n=1, head="ab" * 32)
FORMS: tuple[Form, ...] = ("teams", "slack")


class Taking(Sender):
    """Keeps what it is given, and says yes."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[tuple[str, bytes]] = []

    def post(self, address: str, body: bytes) -> Reply:
        self.got.append((address, body))
        return Reply(status=202, text="")


class Telling:
    """A world whose people and channels are told under its virtual clock; `out` is everything that went out."""

    def __init__(self, path: Path, *, content: bool, facts: "Facts") -> None:
        self.world, self.facts = World(path), facts
        world = self.world
        world.harbour(everything(milestone_fields=("forecast", "comments"), risk_fields=("score", "client_score")))
        for person, projects in ((MINE, (HARBOUR,)), (ALL, None)):
            invited = InvitePerson(
                person=person, name=person.title(), email=f"{person}@x.test", role="manager", projects=projects
            )
            world.tell(invited, ADMIN)
        world.tell(DescribeProject(project=HARBOUR, title="Quay", client_title="Quay", owner=MINE), ADMIN)
        for form in FORMS:
            added = AddChannel(
                channel=ChannelId(form), project=HARBOUR, form=form, name=form, address=f"https://{form}.x/y"
            )
            world.tell(added, ADMIN)
            if content:
                world.tell(AllowChannelContent(channel=ChannelId(form), content=True), ADMIN)
        self.index = ForYou(lambda: world.present.world)
        world.present.listen(self.index.take)
        shared: dict[str, Any] = {
            "present": world.present, "for_you": self.index, "parked": dict, "clock": world.clock, "origin": "https://o.test",
        }  # fmt: skip
        self.taking = Taking()
        self.poster = Poster(
            PosterPorts(
                service=world.service, open_secret=world.folder.events.open_secret, sender=self.taking, **shared
            )
        )
        self.notices = Notices(NoticeSources(hour=7, **shared))
        self.mailed: list[bytes] = []

    def look(self) -> None:
        """Send whatever is due."""
        self.poster.look()
        self.poster.wait(20)
        world = self.world
        person = world.present.refresh().people[MINE]
        due = [one for one in self.notices.errands() if one.person == MINE]
        for errand in due:
            lines = tuple(news.line for news in errand.news)
            mail = Mail(id="m", kind="notice", share=None, first=0, to=0, at=world.clock.at, lines=lines)
            content = self.notices.content(person, mail)
            if content is not None:
                envelope = Envelope(
                    sender="s@x.test",
                    sender_name="O",
                    to=person.email,
                    to_name=person.name,
                    mail="m",
                    at=world.clock.at,
                )
                self.mailed.append(letter(envelope, content))

    @property
    def out(self) -> list[bytes]:
        return [*sorted(body for _address, body in self.taking.got), *self.mailed]

    def close(self) -> None:
        self.world.close()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The words and names a world is told with."""

    words: str = "late"
    viewer: str = "Vera"
    client: str = "Acme Rail"


def told(telling: Telling, seed: int, *, elsewhere: bool) -> None:
    """Have things happen in the Harbour project, drawn by a seed; `elsewhere`: in another project too, in between."""
    world, rng = telling.world, random.Random(seed)
    for number in range(8):
        before = world.clock.at
        if elsewhere:
            _elsewhere(world, number)
        world.clock.at = before  # so that what happens here happens at the same time in both
        _here(telling, rng, number)
        world.clock.forward(hours=3)
        telling.look()


def _here(telling: Telling, rng: random.Random, number: int) -> None:
    world, words, by = telling.world, f"{telling.facts.words} {number}", PersonId(f"viewer-{ACME}")
    viewer = Actor(by, "viewer", (ACME,))
    kind = rng.choice(("concern", "comment", "ack", "score", "joined"))
    match kind:
        case "concern":
            world.tell(
                RaiseConcern(share=SHARE, concern=f"c{number}", subject="milestone-m1", text=words, by=by, screen=SCREEN), viewer
            )  # fmt: skip
        case "comment":
            said = MakeComment(
                share=SHARE, comment=f"k{number}", subject="milestone-m1", text=words, by=by, side="theirs", screen=SCREEN
            )  # fmt: skip
            world.tell(said, viewer)
        case "ack":
            world.tell(Acknowledge(share=SHARE, subject="milestone-m1", by=by, screen=SCREEN), viewer)
        case "score":
            points = Points(number % 5 + 1, 2)
            scored = ScoreAsClient(
                project=HARBOUR, risk=RiskId("r1"), client=ACME, by=by, points=points, share=SHARE, screen=SCREEN
            )
            world.tell(scored, viewer)
        case _:
            world.tell(
                RaiseConcern(share=SHARE, concern=f"d{number}", subject="", text=words, by=by, screen=SCREEN), viewer
            )


def _elsewhere(world: World, number: int) -> None:
    """A project that the reader does not manage, with another client: its concerns, its channel, its ends."""
    key, other, zoe = ClientId("zug"), ShareId("zug1"), PersonId("zoe")
    if number == 0:
        world.project(DEPOT, "Elsewhere")
        world.tell(RegisterClient(client=key, name="Zug Secret", time_zone="Europe/Zurich"), ADMIN)
        world.tell(InvitePerson(person=zoe, name="Zoe Secret", email="z@zug.test", role="viewer", client=key), ADMIN)
        ways = Ways(expires=world.clock.at + timedelta(days=3))
        world.tell(DraftShare(share=other, project=DEPOT, client=key, terms=everything(), ways=ways))
        world.tell(ActivateTerms(share=other, reason="agreed"))
        added = AddChannel(
            channel=ChannelId("theirs"), project=ProjectId(DEPOT), form="slack", name="theirs", address="https://z.x/y"
        )
        world.tell(added, ADMIN)
    raised = RaiseConcern(share=other, concern=f"z{number}", subject="", text="Elsewhere", by=zoe, screen=SCREEN)
    world.tell(raised, Actor(zoe, "viewer", (key,)))


def here_alone(telling: Telling) -> list[bytes]:
    """What went to the channels of the Harbour project and to whoever manages nothing else."""
    ours = sorted(body for address, body in telling.taking.got if "z.x" not in address)
    return [*ours, *telling.mailed]


def other_projects(path: Path, seed: int) -> bool:
    """Tell whether what happens in another project changes anything that is told of this one."""
    found = []
    for elsewhere in (False, True):
        telling = Telling(path / str(elsewhere), content=True, facts=Facts())
        told(telling, seed, elsewhere=elsewhere)
        found.append(here_alone(telling))
        telling.close()
    assert found[0], "nothing was told, so nothing was tried"
    return found[0] != found[1]


def _called(present: CurrentWorld, facts: Facts) -> None:
    """Give the client and its viewer other names; everything else stays as it was recorded."""
    present.refresh()
    world, present._stands = present._folding.world, None
    viewer = world.people[PersonId(f"viewer-{ACME}")]
    known = {ACME: msgspec.structs.replace(viewer.memberships[ACME], name=facts.viewer)}
    world.people[viewer.id] = msgspec.structs.replace(viewer, name=facts.viewer, memberships=known)
    world.clients[ACME] = msgspec.structs.replace(world.clients[ACME], name=facts.client)


def words_without_content(path: Path, seed: int) -> bool:
    """Tell whether any name or word changes what a channel is told that may see no content."""
    found = []
    for facts in (Facts(), Facts(words="Something else entirely", viewer="Walter", client="Beta")):
        telling = Telling(path / facts.client, content=False, facts=facts)
        _called(telling.world.present, facts)
        told(telling, seed, elsewhere=False)
        found.append(sorted(body for _address, body in telling.taking.got))
        telling.close()
    assert found[0], "nothing was told, so nothing was tried"
    return found[0] != found[1]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("differs", [other_projects, words_without_content])
def test_nothing_that_may_not_be_told_changes_what_is(
    tmp_path: Path, differs: Callable[[Path, int], bool], seed: int
) -> None:
    assert not differs(tmp_path, seed)


Mutant = Callable[[], AbstractContextManager[object]]
_manages, _of_project, _item, _href = for_you._Staff.manages, ForYou.of_project, Poster._item, matters.leads_to


def _everywhere(self: ForYou, project: ProjectId, now: Any, parked: Any = for_you.MOVING) -> Any:
    with self._lock:
        world = self._present()
    return [one for key in world.projects for one in _of_project(self, key, now, parked)]


def _saying(change: Callable[[Present, Any, Item], Item]) -> Mutant:
    def leaky(self: Poster, world: Present, channel: Any, matter: Any, now: Any) -> Item:
        return change(world, matter, _item(self, world, channel, matter, now))

    return lambda: patch.object(Poster, "_item", leaky)


def _with(item: Item, **more: str) -> Item:
    return msgspec.structs.replace(item, **more)


def _counting(self: Poster, channel: Any, posted: Any) -> Any:
    made = _content(self, channel, posted)
    many = len(self._ports.present.world.channels) + len(self._ports.present.world.projects)
    return made and made.replace(b"Open the list", f"Open the list of {many}".encode())


_content = Poster._content


MUTANTS: dict[str, tuple[Callable[[Path, int], bool], Mutant]] = {
    "lines of every project in a channel": (
        other_projects, lambda: patch.object(ForYou, "of_project", _everywhere),
    ),
    "lines of projects that its reader does not manage": (
        other_projects, lambda: patch.object(for_you._Staff, "manages", lambda _self, _project: True),
    ),
    "how many projects and channels there are": (
        other_projects, lambda: patch.object(Poster, "_content", _counting),
    ),
    "content whether it is allowed or not": (
        words_without_content,
        _saying(lambda world, matter, item: _with(item, said=matters.sentence(world, matter, matter.at))),
    ),
    "the words of a client": (
        words_without_content, _saying(lambda world, matter, item: _with(item, said=matters.quoted(world, matter))),
    ),
    "the name of the client beside the kind": (
        words_without_content,
        _saying(lambda world, matter, item: _with(item, kind=f"{item.kind} {world.client_name(matter.client)}")),
    ),
    "how much a client wrote, in the address": (
        words_without_content,
        _saying(lambda world, matter, item: _with(item, href=f"{item.href}#{len(matters.quoted(world, matter))}")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_a_seeded_leak_is_noticed(tmp_path: Path, name: str) -> None:
    differs, mutant = MUTANTS[name]

    def found(seed: int) -> bool:
        with mutant():
            return differs(tmp_path / str(seed), seed)

    assert any(found(seed) for seed in SEEDS), f"no seed of {list(SEEDS)} shows: {name}"


TITLES = (
    "<!channel> & <https://evil.example|x>", "*bold* _it_ ~no~ `code`", "[Sign in](https://evil.example)",
    "\u202eevil", "a\nb\n> quote", "\x1b[31mred", "x" * 10_000, "𝔘" * 5000, '"}]} {"type":"mrkdwn"', "<at>all</at>", "   ",
)  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize("title", TITLES)
def test_whatever_a_title_says_a_message_keeps_to_what_is_documented(title: str) -> None:
    items = [Item(kind="Concern", said=title, href="https://o.test/" + "p" * 150) for _ in range(50)]
    for given in (items, items[:1], []):
        message = cards.Message(project=title, items=given, more=7, home="https://o.test/for-you")
        teams, slack = (msgspec.json.decode(cards.written(form, message)) for form in FORMS)
        assert len(cards.written("teams", message)) <= cards.TEAMS
        (card,) = teams["attachments"]
        runs = [run for part in card["content"]["body"] for run in part["inlines"]]
        assert {part["type"] for part in card["content"]["body"]} == {"RichTextBlock"}
        assert all(run["type"] == "TextRun" for run in runs)
        assert all(_ours(url) for url in _urls(teams))
        assert len(slack["blocks"]) <= 50
        for block in slack["blocks"]:
            _holds(block)
        assert not {"<", ">"} & set(slack["text"]), "the text of a notification is read, so it is escaped"


def _holds(block: dict[str, Any]) -> None:
    match block["type"]:
        case "header":
            assert block["text"]["type"] == "plain_text"
            assert 1 <= len(block["text"]["text"]) <= 150
        case "section":
            assert block["text"]["type"] == "plain_text"
            assert 1 <= len(block["text"]["text"]) <= 3000
        case "context":
            assert all(one["text"].startswith("<https://o.test/") for one in block["elements"])
        case other:
            raise AssertionError(other)


def _urls(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from [part["url"]] if "url" in part else []
        for one in part.values():
            yield from _urls(one)
    elif isinstance(part, list):
        for one in part:
            yield from _urls(one)


def _ours(url: str) -> bool:
    return url.startswith("https://o.test/")
