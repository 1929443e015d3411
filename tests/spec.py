"""Given events, when a command, then events or a refusal: the shape of every decision test. The clock is an argument."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.agreement import share
from domain.errors import Refused
from domain.people import person as person_stream
from domain.people.person import PersonCommand, PersonEvent
from domain.plan import project

NOW = datetime(2027, 3, 16, 13, 58, tzinfo=UTC)


class When:
    """What came of one command."""

    def __init__(self, attempt: Callable[[], Sequence[Any]]) -> None:
        self._attempt = attempt

    def then(self, *events: Any) -> None:
        """The command records exactly these."""
        assert list(self._attempt()) == list(events)

    def refused(self, kind: type[Refused], words: str, field: str = "") -> None:
        """The command is refused, in words that say why and what to do."""
        with pytest.raises(Refused) as raised:
            self._attempt()
        assert type(raised.value) is kind, f"{type(raised.value).__name__}: {raised.value}"
        assert words in raised.value.message
        assert not raised.value.message[0].islower()
        assert raised.value.message.rstrip()[-1] in ".?"
        if field:
            assert raised.value.field == field


class Given:
    """A stream with a past."""

    def __init__(self, *events: Any) -> None:
        self._events = events

    def state(self, now: datetime = NOW) -> Any:
        """Return what the events add up to."""
        state: Any = None
        for event in self._events:
            state = _evolve(state, event, now)
        return state

    def when(self, command: Any, now: datetime = NOW) -> When:
        """Send a command at an instant (UTC)."""
        state = self.state()
        if isinstance(command, share.ShareCommand):
            return When(lambda: share.decide(state, command, now))
        if isinstance(command, PersonCommand):
            return When(lambda: person_stream.decide(state, command, now))
        return When(lambda: project.decide(state, command, now))


def _evolve(state: Any, event: Any, now: datetime) -> Any:
    if isinstance(event, share.ShareEvent):
        return share.evolve(state, event, now)
    if isinstance(event, PersonEvent):
        return person_stream.evolve(state, event, now)
    return project.evolve(state, event, now)


given = Given
