"""A client's identity provider: tried before it is used, bound to domains, and its sessions end with what vouched for them."""

from typing import Any

import pytest

from domain.errors import Conflict, Invalid, Refused, Unknown
from domain.people import clients, providers
from domain.people.clients import Client, ClientEnded, ClientRegistered, EndClient, MailDomainsSet
from domain.people.person import PersonInvited
from domain.people.providers import (
    Provider,
    ProviderRemoved,
    ProviderSet,
    ProviderTried,
    ProviderUsed,
    RemoveProvider,
    SetProvider,
    TryProvider,
    UseProvider,
)
from domain.people.sign_ins import SessionStarted, StartSession, UseLink
from projections.directory import Directory
from tests.spec import NOW, given

pytestmark = pytest.mark.once

ACME = ClientRegistered(client="acme", name="Acme Rail", time_zone="Europe/London")
ISSUER = "https://login.acme.test"
SET = SetProvider(client="acme", provider="p", issuer=ISSUER, app="ours", domains=("Acme.test",), key="k1", sealed=b"1")
FIRST = ProviderSet(
    provider="p", setup=1, issuer=ISSUER, app="ours", key="k1", sealed=b"1", domains=("acme.test",), joins=False
)
TRIED, USED = ProviderTried(provider="p", setup=1), ProviderUsed(provider="p", setup=1, since=1)


def state(*events: Any) -> Client:
    client = None
    for event in (ACME, *events):
        client = clients.evolve(client, event, NOW)
    assert client is not None
    return client


def decided(command: Any, *events: Any) -> list[Any]:
    return list(clients.decide(state(*events), command))


def changed(command: SetProvider, **to: Any) -> SetProvider:
    return SetProvider(**{name: getattr(command, name) for name in command.__struct_fields__} | to)


def refused(kind: type[Refused], words: str, field: str, command: Any, *events: Any) -> None:
    with pytest.raises(kind, match=words) as raised:
        decided(command, *events)
    assert raised.value.field == field


def test_it_is_set_tried_and_used_in_this_order() -> None:
    assert decided(SET) == [FIRST]
    refused(Conflict, "Try it first", "provider", UseProvider(client="acme", provider="p"), FIRST)
    assert decided(TryProvider(client="acme", provider="p", setup=1), FIRST) == [TRIED]
    assert decided(TryProvider(client="acme", provider="p", setup=1), FIRST, TRIED) == []
    assert decided(UseProvider(client="acme", provider="p"), FIRST, TRIED) == [USED]
    assert decided(UseProvider(client="acme", provider="p"), FIRST, TRIED, USED) == []
    refused(Unknown, "no such identity provider", "provider", UseProvider(client="acme", provider="q"), FIRST)
    provider = state(FIRST, TRIED, USED).providers["p"]
    assert (provider.draft, provider.used and provider.used.number, provider.used_at) == (None, 1, NOW)


def test_a_change_waits_beside_what_is_used_and_has_to_be_tried_anew() -> None:
    used = (FIRST, TRIED, USED)
    assert decided(SET, *used) == []
    (second,) = decided(changed(SET, key="", sealed=b"", joins=True), *used)
    assert (second.setup, second.key, second.joins, second.drops) == (2, "k1", True, ())
    provider = state(*used, second).providers["p"]
    assert provider.used is not None
    assert provider.draft is not None
    assert (provider.used.number, provider.draft.number, provider.tried_at) == (1, 2, None)
    refused(Conflict, "Try it first", "provider", UseProvider(client="acme", provider="p"), *used, second)
    refused(
        Conflict, "no longer what is set", "setup", TryProvider(client="acme", provider="p", setup=1), *used, second
    )


def test_a_secret_that_opens_nothing_any_more_is_dropped_and_no_other() -> None:
    used = (FIRST, TRIED, USED)
    (second,) = decided(changed(SET, key="k2", sealed=b"2"), *used)
    assert second.drops == ()  # the first is in use
    (third,) = decided(changed(SET, key="k3", sealed=b"3"), *used, second)
    assert third.drops == ("k2",)
    tried = ProviderTried(provider="p", setup=3)
    (now,) = decided(UseProvider(client="acme", provider="p"), *used, second, third, tried)
    assert (now.drops, now.since) == (("k1",), 1)  # what it vouches for is the same, so sessions hold
    (gone,) = decided(RemoveProvider(client="acme", provider="p", reason="Over"), *used, second, third, tried, now)
    assert gone == ProviderRemoved(provider="p", reason="Over", drops=("k3",))
    assert decided(EndClient(client="acme", reason="Over"), *used, second) == [
        ProviderRemoved(provider="p", reason="Over", drops=("k2", "k1")), ClientEnded(reason="Over"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "since"),
    [({"domains": ("other.test",)}, 2), ({"issuer": "https://else.test", "key": "k2", "sealed": b"2"}, 2),
     ({"domains": ("acme.test", "rail.test")}, 1), ({"joins": True}, 1), ({"key": "k2", "sealed": b"2"}, 1)],
)  # fmt: skip
def test_sessions_end_when_what_vouched_for_them_is_another_or_vouches_for_less(
    change: dict[str, Any], since: int
) -> None:
    used = (FIRST, TRIED, USED)
    (second,) = decided(changed(SET, **{"key": "", "sealed": b""} | change), *used)
    tried = ProviderTried(provider="p", setup=2)
    (now,) = decided(UseProvider(client="acme", provider="p"), *used, second, tried)
    assert now.since == since
    provider = state(*used, second, tried, now).providers["p"]
    assert [provider.holds(1), provider.holds(2)] == [since == 1, True]


def test_a_secret_goes_to_no_other_issuer_than_it_was_typed_for() -> None:
    other = changed(SET, issuer="https://else.test", key="", sealed=b"")
    refused(Invalid, "has to be typed again", "secret", other, FIRST)
    refused(Invalid, "Type the secret", "secret", changed(SET, key="", sealed=b""))
    refused(Invalid, "longer than any", "secret", changed(SET, sealed=b"x" * 5000))


def test_its_domains_are_among_those_of_the_client() -> None:
    only = MailDomainsSet(domains=("rail.test",))
    refused(Invalid, "not among the email domains", "domains", SET, only)
    assert decided(changed(SET, domains=("rail.test",)), only)
    refused(Invalid, "at least one", "domains", changed(SET, domains=()))
    refused(Invalid, "At most", "domains", changed(SET, domains=tuple(f"d{i}.test" for i in range(51))))


@pytest.mark.parametrize(
    "issuer",
    ["http://a.test", "https://", "https://u:p@a.test", "https://u@a.test", "https://a.test?", "https://a.test/?x", "https://a.test#f",
     "https://a.test:0", "https://a.test:99999", "https://\u0430cme.test", "https://a.test\\@b.test", "", "a.test"],
)  # fmt: skip
def test_an_issuer_is_a_plain_https_address(issuer: str) -> None:
    with pytest.raises(Invalid) as raised:
        decided(changed(SET, issuer=issuer))
    assert raised.value.field == "issuer"


def test_nothing_of_it_is_done_for_a_client_that_ended() -> None:
    refused(Conflict, "has ended", "client", SET, ClientEnded(reason="Over"))


# sessions

ANNA = PersonInvited(person="anna", name="Anna", email="a@acme.test", role="viewer", client="acme")
MARTA = PersonInvited(person="marta", name="Marta", email="m@x.test", role="admin", client=None)
LATER = NOW.replace(hour=20)


def start(person: str = "anna", client: str = "acme") -> StartSession:
    return StartSession(
        person=person, session="s", session_hash="h", session_expires=LATER, client=client, provider="p", setup=1
    )


def test_a_session_by_a_clients_provider_opens_that_client_alone_and_is_no_colleagues() -> None:
    begun = SessionStarted(session="s", hash="h", expires=LATER, via="openid", clients=("acme",), provider="p", setup=1)
    given(ANNA).when(start()).then(begun)
    given(ANNA).when(start(client="council")).refused(Unknown, "no viewer of that client", "client")
    given(MARTA).when(start("marta")).refused(Unknown, "no viewer of that client", "client")
    given(MARTA).when(start("marta", client="")).refused(Unknown, "no viewer of that client", "client")


def test_it_is_carried_into_no_other() -> None:
    from domain.people.memberships import MembershipGranted
    from domain.people.sign_ins import LinkIssued, LinkUsed

    both = MembershipGranted(client="council", name="A", email="a@council.test")
    begun = SessionStarted(session="s", hash="h", expires=LATER, via="openid", clients=("acme",), provider="p", setup=1)
    link = LinkIssued(hash="l", expires=LATER, client="council")
    use = UseLink(person="anna", hash="l", session="n", session_hash="c", session_expires=LATER, carry="s")
    new = SessionStarted(session="n", hash="c", expires=LATER, clients=("council",))
    given(ANNA, both, begun, link).when(use).then(LinkUsed(hash="l"), new)


def directory(*events: tuple[Any, str]) -> Directory:
    made = Directory()
    for event, key in events:
        made.apply_access(event, key, NOW)
    return made


SESSION = SessionStarted(session="s", hash="h", expires=LATER, via="openid", clients=("acme",), provider="p", setup=1)
BEGUN = ((ACME, "acme"), (ANNA, "anna"), (FIRST, "acme"), (TRIED, "acme"), (USED, "acme"))


def test_in_whichever_order_it_is_recorded_a_session_ends_with_its_provider() -> None:
    gone = (ProviderRemoved(provider="p", reason="Over"), "acme")
    assert directory(*BEGUN, (SESSION, "anna")).sessions.keys() == {"h"}
    for order in (((SESSION, "anna"), gone), (gone, (SESSION, "anna"))):
        made = directory(*BEGUN, *order)
        assert (made.sessions, dict(made.people["anna"].sessions)) == ({}, {})
        assert made.put_out == {"p": ("s",)}


def test_should_two_claim_a_domain_it_leads_to_whoever_used_it_first() -> None:
    """Two commands of one instant do not see each other; then one provider has the domain, and always the same."""
    council = ClientRegistered(client="council", name="Council", time_zone="Europe/London")
    second = [
        (
            ProviderSet(**{name: getattr(FIRST, name) for name in FIRST.__struct_fields__} | {"provider": "q"}),
            "council",
        ),
        (ProviderTried(provider="q", setup=1), "council"),
        (ProviderUsed(provider="q", setup=1, since=1), "council"),
    ]
    made = directory(*BEGUN, (council, "council"), *second)
    found = made.provider_for("x@acme.test")
    assert found is not None
    assert found[1].id == "p"
    made.apply_access(ProviderRemoved(provider="p", reason="Over"), "acme", NOW)
    found = made.provider_for("X@ACME.TEST")
    assert found is not None
    assert (found[0], found[1].id) == ("council", "q")
    for other in ("x@mail.acme.test", "acme.test", "x@acme.test.evil", "x@\u0430cme.test", ""):
        assert made.provider_for(other) is None


def test_a_provider_without_a_setup_in_use_holds_no_session() -> None:
    assert not Provider(id="p").holds(1)
    assert providers.removed({}, "Over") == []
