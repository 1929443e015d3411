"""When each source has its turn: pure, with a clock of numbers."""

from web.sources.turns import FOR_GOOD, LONGEST, MINUTE, REST, SOON, Turns

HOUR = 3600.0


def turns(*keys: str, spread: float = 0.5) -> Turns:
    made = Turns(lambda: spread)
    made.keep(dict.fromkeys(keys, HOUR), 0.0)
    return made


def test_a_source_that_is_new_is_due_soon_and_then_by_its_cadence() -> None:
    made = turns("a")
    assert made.due(0.0, 4) == []
    assert made.due(5.0, 4) == ["a"]
    assert made.due(6.0, 4) == []  # it has its turn
    made.succeeded("a", 10.0)
    assert made.due(10.0 + HOUR - 1, 4) == []
    assert made.due(10.0 + HOUR, 4) == ["a"]


def test_turns_are_spread_so_that_no_two_sources_march_in_step() -> None:
    ends = set()
    for spread in (0.0, 0.5, 1.0):
        made = turns("a", spread=spread)
        made.due(5.0, 1)
        made.succeeded("a", 10.0)
        ends.add(made.next_at("a"))
    assert ends == {10 + 0.9 * HOUR, 10 + HOUR, 10 + 1.1 * HOUR}


def test_no_more_have_their_turn_at_a_time_than_may() -> None:
    made = turns("a", "b", "c")
    assert len(made.due(10.0, 2)) == 2
    assert len(made.due(10.0, 0)) == 0
    assert len(made.due(10.0, 2)) == 1


def test_a_storm_of_hints_is_one_turn_and_one_more_after_it() -> None:
    made = turns("a")
    made.due(5.0, 1)
    made.succeeded("a", 10.0)
    for _hint in range(1000):
        made.hint("a", 11.0)
    assert made.due(10.0 + REST - 0.1, 1) == []
    assert made.due(10.0 + REST, 1) == ["a"]
    for _hint in range(1000):
        made.hint("a", 21.0)  # during its turn
    made.succeeded("a", 30.0)
    assert made.due(30.0 + REST, 1) == ["a"]
    made.succeeded("a", 50.0)
    assert made.due(50.0 + 0.8 * HOUR, 1) == []


def test_a_hint_that_comes_long_after_a_turn_waits_a_moment_for_others() -> None:
    made = turns("a")
    made.due(5.0, 1)
    made.succeeded("a", 10.0)
    made.hint("a", 1000.0)
    assert made.due(1000.0 + SOON - 0.1, 1) == []
    assert made.due(1000.0 + SOON, 1) == ["a"]


def test_what_fails_is_tried_later_each_time_and_a_hint_does_not_hurry_it() -> None:
    made, now, waits = turns("a", spread=0.0), 5.0, []
    for _try in range(14):
        assert made.due(now, 1) == ["a"]
        made.failed("a", now, None, for_good=False)
        made.hint("a", now)
        due = made.next_at("a")
        assert due is not None
        waits.append(due - now)
        now = due
    assert waits[:3] == [MINUTE, 2 * MINUTE, 4 * MINUTE]
    assert max(waits) == LONGEST


def test_retry_after_is_kept_and_a_person_does_not_have_to_wait() -> None:
    made = turns("a")
    made.due(5.0, 1)
    made.failed("a", 10.0, 7200.0, for_good=False)
    assert made.due(10.0 + 7199, 1) == []
    made.at_once("a", 20.0)
    assert made.due(20.0, 1) == ["a"]


def test_what_a_tool_asked_another_process_to_wait_for_is_kept_here_and_a_person_does_not_have_to_wait() -> None:
    made = Turns(lambda: 0.5)
    made.keep({"a": HOUR, "b": HOUR}, 0.0, {"a": 7200.0})
    assert made.due(10.0, 4) == ["b"]
    for now in (3600.0, 7199.0):
        made.keep({"a": HOUR, "b": HOUR}, now, {"a": 7200.0 - now})
        made.hint("a", now)
        made.keep({"a": HOUR, "b": HOUR}, now, {"a": 7200.0 - now})
        assert made.due(now, 4) == []
    made.keep({"a": HOUR, "b": HOUR}, 7200.0)
    assert made.due(7200.0, 4) == ["a"]
    made.failed("a", 7201.0, None, for_good=False)
    made.keep({"a": HOUR}, 7300.0, {"a": 7200.0})  # it led before, and was told nothing of this
    assert made.due(7300.0 + 7199, 4) == []
    made.at_once("a", 7400.0)
    made.keep({"a": HOUR}, 7400.0, {"a": 7100.0})
    assert made.due(7400.0, 4) == ["a"]


def test_what_only_a_person_can_mend_is_tried_once_a_day() -> None:
    made = turns("a", spread=0.0)
    made.due(5.0, 1)
    made.failed("a", 10.0, None, for_good=True)
    assert made.next_at("a") == 10.0 + FOR_GOOD


def test_what_is_detached_has_no_turn_any_more() -> None:
    made = turns("a", "b")
    made.keep({"b": HOUR}, 1.0)
    assert made.due(10.0, 4) == ["b"]
    made.keep({}, 11.0)
    made.succeeded("b", 12.0)
    made.keep({}, 13.0)
    assert made.next_at("b") is None


def test_where_a_person_asked_during_a_turn_that_failed_the_next_one_comes_soon() -> None:
    made = turns("a")
    made.due(5.0, 1)
    made.at_once("a", 6.0)  # the secret was replaced while the one before was being refused
    made.failed("a", 10.0, None, for_good=True)
    assert made.next_at("a") == 10.0 + REST
    assert made.due(10.0 + REST, 1) == ["a"]
    made.failed("a", 25.0, None, for_good=True)
    assert (made.next_at("a") or 0) >= 25.0 + FOR_GOOD
    made.at_once("a", 30.0)
    made.due(30.0, 1)
    made.at_once("a", 31.0)
    made.failed("a", 32.0, 900.0, for_good=False)
    assert made.next_at("a") == 32.0 + 900.0  # the tool’s own wait is kept
