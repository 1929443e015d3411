"""A view in sections: what is empty is left out, so that the same view is the same bytes as earlier versions recorded."""

import msgspec
import pytest

from domain.view import ClientView
from projections.entries.sections import PAGE, sections_of, view_of
from tests.projections.entries.test_changes import VIEW

pytestmark = pytest.mark.once


def page(view: ClientView) -> dict[str, object]:
    return msgspec.json.decode(sections_of(view, {}, {})[PAGE], type=dict[str, object])


def test_lists_that_are_empty_are_left_out() -> None:
    bare = msgspec.structs.replace(VIEW, milestones=(), risks=(), concerns=())
    assert {"milestones", "risks", "concerns"} & page(bare).keys() == set()
    assert {"milestones", "risks"} <= page(VIEW).keys()
    for view in (bare, VIEW):
        assert view_of(sections_of(view, {}, {})) == view


def test_that_a_confirmation_is_no_news_is_recorded_only_where_it_is_so() -> None:
    assert "confirmed_quietly" not in page(VIEW)
    quietly = msgspec.structs.replace(VIEW, confirmed_quietly=True)
    assert page(quietly)["confirmed_quietly"] is True
    assert view_of(sections_of(quietly, {}, {})) == quietly
