"""Whatever happened, every instant opens: random histories, random moments, through the real pages."""

import random
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from domain.agreement.share import DraftShare, RevokeShare
from domain.errors import Refused
from domain.ids import PersonId, ShareId
from domain.people.person import ErasePerson, InvitePerson
from projections.evidence.erasing import Erasure, erase_entries
from tests.properties.seeds import seeds
from tests.properties.twins import pair, play
from tests.world import ACME, ADMIN, COUNCIL, HARBOUR, KEY, SHARE, World, everything
from web import app as application
from web.process import signing
from web.process.process import Given
from web.render.page import Renderer
from web.settings import Settings
from web.write.permission import OPERATOR

pytestmark = pytest.mark.stories  # random histories

LOOKS = 14
ORIGIN = "http://testserver"


def _invited(world: World) -> str:
    """Return an address that may be invited for Acme, whose email domains may have been drawn."""
    domains = world.present.refresh().clients[ACME].domains
    return f"gone@{domains[0] if domains else 'x.test'}"


def history(folder: Path, seed: int, rng: random.Random) -> World:
    """Tell a random history with visits, an ended share, a draft, erased updates and an erased person."""
    world = World(folder, Renderer())
    play(world, pair(seed), seed % 2)
    for role in ("manager", "auditor"):
        world.tell(InvitePerson(person=PersonId(role), name=role, email=f"{role}@x.test", role=role), ADMIN)
    gone = PersonId("gone")
    world.tell(InvitePerson(person=gone, name="Gone", email=_invited(world), role="viewer", client=ACME), ADMIN)
    for _ in range(30):
        n = rng.randint(1, world.folder.disclosure.head(SHARE))
        kind = rng.choice(("displayed", "delivered", "hidden", "paused", "resumed", "closed"))
        world.claim(kind, n, person=rng.choice(("viewer-acme", "gone")), tab=rng.choice("ab"))
        world.receipts.flush()
    world.tell(DraftShare(share=ShareId("draft1"), project=HARBOUR, client=COUNCIL, terms=everything()))
    world.notary.sign(list(world.present.refresh().shares))
    head = world.folder.disclosure.head(SHARE)
    if head > 2:
        erase_entries(
            world.folder,
            world.notary,
            Erasure(share=SHARE, numbers=[2], reason="Named somebody", who="ines"),
            world.clock(),
        )
    world.tell(ErasePerson(person=gone, reason="Asked"), ADMIN)
    if seed % 2 and world.present.refresh().shares[SHARE].active:
        world.clock.forward(hours=1)
        world.tell(RevokeShare(share=SHARE, reason="Over"))
    world.clock.forward(hours=30)
    return world


@pytest.mark.parametrize("span", seeds(2, 5))
def test_every_instant_of_random_histories_opens_for_managers_and_auditors(tmp_path: Path, span: range) -> None:
    print(f"seeds {span[0]}..{span[-1]}; SEED={span[0]} repeats them")
    for seed in span:
        rng = random.Random(seed)
        world = history(tmp_path / str(seed), seed, rng)
        begin, end = world.clock.at - timedelta(days=6), world.clock.at
        head = world.folder.disclosure.head(SHARE)
        world.close()
        signing.write(tmp_path / str(seed) / "signing.key", KEY)  # which this history is signed with
        clock = world.clock
        process = application.compose(Settings(data=tmp_path / str(seed), public_url=ORIGIN), Given(now=clock))
        manager, auditor = (signed_in(process, person) for person in ("manager", "auditor"))
        shares = [
            SHARE,
            "draft1",
            *sorted(s for s in process.services.present.world.shares if s not in (SHARE, "draft1")),
        ]
        for _ in range(LOOKS):
            at = begin + (end - begin) * rng.random()
            text = rng.choice((at.isoformat().replace("+00:00", "Z"), f"u{rng.randint(1, head)}"))
            share, span = rng.choice(shares), rng.choice(("day", "week", "month"))
            if text[0] == "u":
                share = SHARE
            project = process.services.present.world.shares[ShareId(share)].project
            for client, path in (
                (manager, f"/p/{project}/shares/{share}/at/{text}?span={span}"),
                (auditor, f"/audit/shares/{share}/at/{text}?span={span}"),
                (auditor, f"/audit/replay?at={at.isoformat().replace('+00:00', 'Z')}"),
            ):
                answer = client.get(path)
                assert answer.status_code == 200, (seed, path, answer.text[:300])
                assert "Gone" not in answer.text, (seed, path)
        for share in shares:
            assert auditor.get(f"/audit/shares/{share}/shadow").status_code == 200, (seed, share)
        process.services.logs.close()


def signed_in(process: application.Process, person: str) -> TestClient:
    client = TestClient(application.create(process), base_url=ORIGIN)
    try:
        client.cookies.set(
            process.services.guard.cookie,
            process.services.credentials.enter(process.services.credentials.link(OPERATOR, PersonId(person))).secret,
        )
    except Refused as refused:  # it would say why
        raise AssertionError(str(refused)) from refused
    return client
