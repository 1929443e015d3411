"""Twins of which one has somebody who becomes a viewer of a second client: the first client sees not one byte of it."""

import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest

from domain.agreement.answers import MakeComment, Screen
from domain.agreement.share import RevokeShare
from domain.ids import CommandId, PersonId
from domain.people import memberships
from domain.people.addresses import AskAddressChange, ConfirmAddress
from domain.people.clients import EndClient, SetMailDomains
from domain.people.mails import ChooseDigest
from domain.people.memberships import EndMembership, Membership, MembershipGranted
from domain.people.passkeys import AddPasskey
from domain.people.person import DisablePerson, ErasePerson, InvitePerson
from domain.people.sign_ins import IssueLink, UseLink
from domain.plan.project import CloseProject
from tests.properties.test_noninterference_doors import KEYS, LATER, doors, paths
from tests.properties.twins import Pair, pair, play, trace
from tests.properties.vocabulary import THEIRS
from tests.world import ACME, ADMIN, COUNCIL, SHARE, World
from web.render.page import Renderer
from web.write.permission import OPERATOR, Actor

pytestmark = pytest.mark.stories

FIRST_SEED = int(os.environ.get("SEED", "1"))
SAM = PersonId("second-acme")
ENDS = (
    ErasePerson | DisablePerson | EndMembership | memberships.GrantMembership | EndClient | RevokeShare
    | CloseProject
)  # fmt: skip
AS_SAM = Actor(SAM, "viewer", (ACME, COUNCIL))


def _speaks(world: World, actor: Actor, share: str, key: str) -> None:
    entry = world.entries(share)[-1]
    comment = MakeComment(
        share=share, comment=key, subject="milestone-m1", text="Noted", by=SAM, side="theirs",
        screen=Screen(n=entry.n, head=entry.root),
    )  # fmt: skip
    world.service.execute(actor, comment, command_id=CommandId(f"said-{key}"))
    world.follow()


def _joins(world: World) -> None:
    """Sam becomes a viewer of the council by another name, comes in there, chooses mails, and speaks there."""
    soon = LATER + timedelta(days=1)
    for i, command in enumerate(
        (
            SetMailDomains(client=COUNCIL, domains=()),
            InvitePerson(person=PersonId("other"), name="Samuel Else", email="SECOND-acme@x.test", role="viewer", client=COUNCIL),
            IssueLink(person=SAM, hash="l", expires=soon, client=COUNCIL),
            UseLink(person=SAM, hash="l", session="s", session_hash="c", session_expires=soon),
            ChooseDigest(person=SAM, cadence="instant", client=COUNCIL),
            AddPasskey(
                person=SAM, passkey="there", name="Key there", credential="there", key="k", handle="h", host="x.test",
                session="s", challenge="c",
            ),
            AskAddressChange(
                person=SAM, change="a", old="second-acme@x.test", new="else@there.test", expires=soon, clients=(COUNCIL,)
            ),
            ConfirmAddress(person=SAM, change="a", side="old"),
            ConfirmAddress(person=SAM, change="a", side="new"),
        )
    ):  # fmt: skip
        world.service.execute(OPERATOR, command, command_id=CommandId(f"joins-{i}"))
        world.follow()
    sam = world.present.world.people[SAM]
    assert sam.clients == (ACME, COUNCIL)
    assert (sam.memberships[ACME].email, sam.memberships[COUNCIL].email) == ("second-acme@x.test", "else@there.test")
    assert sam.keyring.passkeys["there"].clients == (COUNCIL,)
    _speaks(world, AS_SAM, THEIRS, "there")


def _leaves(world: World) -> None:
    end = EndMembership(person=SAM, client=COUNCIL, reason="Left")
    world.service.execute(ADMIN, end, command_id=CommandId("leaves"))
    world.follow()


def quiet(seed: int) -> Pair:
    """Return a pair in which nothing ends and Sam stays who they are."""
    drawn = pair(seed, steps=6)
    for steps in (drawn.shared, drawn.hidden[0].steps):
        steps[:] = [step for step in steps if not isinstance(step[1], ENDS)]
    return drawn


def observed(seed: int, *, joins: bool) -> tuple[list[bytes], list[str]]:
    """Return every byte of the share, and all that another viewer of it observes through every door."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(Path(folder), Renderer())
        play(world, quiet(seed), 0)
        world.clock.at = LATER - timedelta(days=1)
        if joins:
            _joins(world)
        world.clock.at = LATER - timedelta(hours=2)
        _speaks_if_agreed(world)
        if joins:
            _leaves(world)
        found = trace(world)
        world.close()
        with doors(Path(folder)) as (process, client):
            answers = [(path, client.get(path)) for path in paths(process)]
            seen = [f"{p} {a.status_code} {sorted(a.headers.items())} {KEYS.sub(b'', a.content)!r}" for p, a in answers]
        return found, seen


def _speaks_if_agreed(world: World) -> None:
    share = world.present.world.shares[SHARE]
    if "comments" in share.terms.milestone_fields:
        _speaks(world, AS_SAM, SHARE, "here")


def spoken(seed: int) -> bool:
    """Return whether the first client reads Sam's name in the history of a seed: then there is something to compare."""
    return any(b">Sam, <time" in piece for piece in observed(seed, joins=False)[0])


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + 3))
def test_the_first_client_sees_not_one_byte_of_a_second_membership(seed: int) -> None:
    assert observed(seed, joins=False) == observed(seed, joins=True)


def _renaming(state: memberships.Memberships, event: MembershipGranted, _at: datetime) -> dict[str, Membership]:
    """A mistake: the name given last holds with every client."""
    renamed = {key: msgspec.structs.replace(one, name=event.name) for key, one in state.items()}
    return {**renamed, event.client: Membership(client=event.client, name=event.name, email=event.email)}  # type: ignore[dict-item]


def test_this_test_would_notice_a_name_that_goes_from_one_client_to_another() -> None:
    speaking = next(seed for seed in range(1, 40) if spoken(seed))
    with patch.object(memberships, "granted", _renaming):
        assert observed(speaking, joins=False) != observed(speaking, joins=True)
