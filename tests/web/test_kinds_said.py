"""Every kind of event is called something, by one sentence that can be translated whole."""

import pytest

from domain.events import AnyEvent
from domain.language import LANGUAGES, speaking
from tests.domain.test_goldens import classes
from web import languages
from web.record.events_said import say
from web.record.kinds_said import CALLED

pytestmark = pytest.mark.once

TAGS = sorted(str(one.__struct_config__.tag) for one in classes(AnyEvent))


def test_every_kind_of_event_has_its_sentence_and_no_other_is_there() -> None:
    """A new event fails here: write what it is called into web/record/kinds_said.py, and translate it."""
    assert sorted(CALLED) == TAGS


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_no_kind_is_called_as_in_english_elsewhere(code: str) -> None:
    languages.install()
    with speaking(code):
        assert [tag for tag in TAGS if say(tag) == dict.__getitem__(CALLED, tag)] == []
