"""What was told counts once, whatever is forgotten; a channel is decided on, and its address has to be one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.errors import Conflict, Invalid, Unknown
from domain.telling import channels, told
from domain.telling.channels import (
    AddChannel,
    ChangeChannel,
    Channel,
    ChannelAdded,
    ChannelAddressReplaced,
    ChannelEnded,
    EndChannel,
    MessageQueued,
    MessageSettled,
    QueueMessage,
    SettleMessage,
)
from domain.telling.notices import ChooseNotices, Notices, choose
from domain.telling.told import News, ToldLines

pytestmark = pytest.mark.once
AT = datetime(2027, 5, 3, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_line_is_told_once_and_again_only_when_it_came_anew() -> None:
    known = ToldLines().after(["a"], AT)
    assert known.has("a", None)
    assert known.has("a", AT)
    assert not known.has("a", AT + MINUTE)
    assert not known.has("b", AT - MINUTE)
    assert known.new([News(line="a", since=AT), News(line="b"), News(line="a", since=AT + MINUTE)]) == ("b", "a")


def test_what_is_forgotten_for_want_of_room_counts_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "KEPT", 2)
    known = ToldLines()
    for number in range(5):
        known = known.after([f"l{number}"], AT + number * MINUTE)
    assert list(known.lines) == ["l3", "l4"]
    assert all(known.has(f"l{number}", AT + number * MINUTE) for number in range(5))
    assert not known.has("new", AT + 3 * MINUTE)


def test_what_was_there_when_a_channel_was_added_is_not_told_there() -> None:
    made = given(ADDED)
    assert made.told.has("old", AT)
    assert not made.told.has("new", AT + MINUTE)


ADDED = ChannelAdded(channel="c", project="p", form="slack", name="x", address="sealed", kinds=("concern",))  # type: ignore[arg-type]
QUEUE = QueueMessage(channel="c", message="m", news=(News(line="l", since=AT + MINUTE),))  # type: ignore[arg-type]


def given(*events: Any) -> Channel:
    state: Channel | None = None
    for number, event in enumerate(events):
        state = channels.evolve(state, event, AT + number * MINUTE)
    assert state is not None
    return state


def test_a_message_is_queued_once_and_again_only_when_it_was_put_off() -> None:
    queued = MessageQueued(message="m", lines=("l",))
    assert channels.decide(given(ADDED), QUEUE) == [queued]
    assert channels.decide(given(ADDED, queued), QUEUE) == [], "it may have gone out"
    other = QueueMessage(channel="c", message="n", news=QUEUE.news)  # type: ignore[arg-type]
    assert channels.decide(given(ADDED, queued), other) == [], "its lines were told"
    for state, again in (("deferred", [queued]), ("accepted", []), ("refused", []), ("dropped", [])):
        settled = MessageSettled(message="m", state=state)  # type: ignore[arg-type]
        assert channels.decide(given(ADDED, queued, settled), QUEUE) == again


def test_an_answer_is_taken_once_also_after_the_end_and_its_wait_is_bounded() -> None:
    settle = SettleMessage(channel="c", message="m", state="deferred", told="429", wait=10**9)  # type: ignore[arg-type]
    past = ADDED, MessageQueued(message="m", lines=("l",)), ChannelEnded()
    (event,) = channels.decide(given(*past), settle)
    assert event == MessageSettled(message="m", state="deferred", told="429", wait=channels.WAIT)
    done = MessageSettled(message="m", state="accepted")
    assert channels.decide(given(*past, done), settle) == []


def test_the_last_answer_is_of_the_present_address() -> None:
    past = ADDED, MessageQueued(message="m", lines=("l",)), MessageSettled(message="m", state="refused")
    last = given(*past).last
    assert last is not None
    assert last.state == "refused"
    assert given(*past, ChannelAddressReplaced(address="other")).last is None


def test_what_does_not_exist_has_ended_or_says_nothing_is_refused() -> None:
    end = EndChannel(channel="c")  # type: ignore[arg-type]
    with pytest.raises(Unknown):
        channels.decide(None, end)
    with pytest.raises(Conflict, match="has ended"):
        channels.decide(given(ADDED, ChannelEnded()), end)
    add = AddChannel(channel="c", project="p", form="slack", name="x", address="sealed")  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="exists already"):
        channels.decide(given(ADDED), add)
    for kinds in ((), ("channel",)):
        with pytest.raises(Invalid, match="at least one kind"):
            channels.decide(given(ADDED), ChangeChannel(channel="c", name="x", kinds=kinds))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        "", "http://h.example/SECRET", "https://", "https://u:p@h.example/SECRET", "https://h.example/#SECRET",
        "https://h.example:0/SECRET", "https://h.example:99999/SECRET", "https://h.example/SECRET x", "https://hé/SECRET",
        "https://h.example/SECRET\n", "https://[::1/SECRET", "https://h.example/" + "SECRET" * 400, "javascript:SECRET",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_without_repeating_it(value: str) -> None:
    if value.endswith("\n"):
        assert channels.address("address", value) == value.strip(), "space around it was copied with it"
        return
    with pytest.raises(Invalid) as refused:
        channels.address("address", value)
    assert "SECRET" not in refused.value.message


def test_choosing_the_same_again_records_nothing_and_viewers_have_nothing_to_choose() -> None:
    assert choose(Notices(), ChooseNotices(person="x", when={"concern": "once"}), viewer=False) == []  # type: ignore[arg-type]
    (event,) = choose(Notices(), ChooseNotices(person="x", when={"concern": "off"}), viewer=False)  # type: ignore[arg-type]
    assert event.when == {"concern": "off"}
    with pytest.raises(Invalid, match="no list"):
        choose(Notices(), ChooseNotices(person="x", when={}), viewer=True)  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="no time zone"):
        choose(Notices(), ChooseNotices(person="x", when={}, time_zone="Mars"), viewer=False)  # type: ignore[arg-type]
