"""An answer stands beneath the row it is about, and the recorded markup around it stays as it was."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from projections.entries import parts
from projections.entries.entry import Page
from tests.web.render.test_page import full, talked
from web.client import in_place
from web.render.page import Renderer

HOSTILE = '</tr></li><tr id="md-m2"><li id="r-r1">'


def shown(folder: Path) -> Page:
    """A page with comments on everything, some of which try to look like markup."""
    view = talked(full(folder))
    rows = [replace(row, remarks=tuple(replace(one, text=HOSTILE) for one in row.remarks)) for row in view.milestones]
    cards = [replace(card, remarks=tuple(replace(one, text=HOSTILE) for one in card.remarks)) for card in view.risks]
    view = replace(view, milestones=tuple(rows), risks=tuple(cards))
    made = Renderer().render(view)
    roots = {root: parts.markup(made.parts, root) for root in made.roots}
    return Page(
        share="s",
        n=1,
        at=None,
        root="",
        terms_version=1,
        stylesheet="",
        roots=roots,
        view=view,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("kind", ["milestone", "risk"])
def test_it_stands_after_the_whole_of_its_row(tmp_path: Path, kind: str) -> None:
    page = shown(tmp_path)
    things = page.view.milestones if kind == "milestone" else page.view.risks
    assert things
    for thing, after in zip(things, [*things[1:], None], strict=True):
        there = in_place.place(page, f"{kind}-{thing.id}")
        assert there is not None
        made = in_place.put(page.roots["body"], there, "HERE")
        before, rest = made.split("HERE")
        assert before + rest == page.roots["body"]
        row, tag = ("ms", "tr") if kind == "milestone" else ("r", "li")
        assert (there.tag, before.endswith(f"</{tag}>")) == (tag, True)
        ends = f'<{tag} id="{row}-{after.id}"' if after else {"tr": "</tbody>", "li": "</ul>"}[tag]
        assert rest.startswith(ends)
        assert f'id="{row}-{thing.id}"' in before


def test_the_agreement_has_its_place_and_what_is_not_on_the_page_has_none(tmp_path: Path) -> None:
    page = shown(tmp_path)
    assert in_place.place(page, "agreement-1") is not None
    for about in ("", "page", "milestone-nosuch", "risk-", "risk-x", "budget", 'milestone-m1"'):
        found = in_place.place(page, about)
        assert found is None, about
    assert in_place.place(None, "milestone-m1") is None
