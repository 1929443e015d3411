"""An erasure waits until every process that serves has let go of what was erased, and names those that do not say so."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from projections.installation.attendance import Attendance
from projections.installation.folder import Folder

pytestmark = pytest.mark.folder


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path)
    yield made
    made.close()


def another(folder: Folder) -> Attendance:
    """Return another process that serves."""
    made = Attendance(folder.receipts._recorder)
    made.come(alone=False)
    return made


def test_nobody_is_waited_for_where_nobody_serves_or_whoever_did_has_ended(folder: Folder) -> None:
    assert folder.processes.everybody_lets_go(0) == []
    ended = another(folder)
    assert folder.processes.there() == [ended.me]
    ended.go()
    assert folder.processes.there() == []
    assert folder.processes.everybody_lets_go(0) == []
    assert folder.processes.asked() == 0, "so nothing was asked"


def test_an_erasure_waits_until_the_last_process_has_let_go(folder: Folder) -> None:
    others = [another(folder) for _ in range(3)]
    answered: list[list[str]] = []
    waiting = threading.Thread(target=lambda: answered.append(folder.processes.everybody_lets_go(30)))
    waiting.start()
    while not (asked := folder.processes.asked()):
        pass
    for process in others:
        waiting.join(0.15)
        assert waiting.is_alive(), "it answered before all had let go"
        process.let_go(asked)
    waiting.join(10)
    assert answered == [[]]


def test_a_process_that_does_not_answer_is_named_once_and_waited_for_again_when_it_speaks(folder: Folder) -> None:
    lively, hung = another(folder), another(folder)
    lively.let_go(1)
    assert folder.processes.everybody_lets_go(0.1) == [hung.me]
    assert folder.processes.there() == [lively.me]
    lively.let_go(2)
    assert folder.processes.everybody_lets_go(0.1) == []
    hung.let_go(hung.asked())
    assert set(folder.processes.there()) == {lively.me, hung.me}
    assert set(folder.processes.everybody_lets_go(0.1)) == {lively.me, hung.me}


def test_what_was_left_by_a_crash_is_not_waited_for_where_one_process_alone_can_serve(folder: Folder) -> None:
    another(folder)
    mine = Attendance(folder.receipts._recorder)
    mine.come(alone=True)
    assert folder.processes.there() == [mine.me]
    assert mine.everybody_lets_go(0) == []


def test_a_process_that_answers_at_the_moment_it_is_given_up_is_waited_for_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, note = another(folder), folder.processes._note

    def after_its_answer(process: str, *, there: bool) -> None:
        slow.let_go(slow.asked())  # it is still counted, so it does not say once more that it is there
        note(process, there=there)

    monkeypatch.setattr(folder.processes, "_note", after_its_answer)
    assert folder.processes.everybody_lets_go(0.05) == [slow.me]
    assert folder.processes.there() == [slow.me]
