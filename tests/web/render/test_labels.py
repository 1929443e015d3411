"""Names beside the ends of lines: none lies over another, none leaves the drawing, none is longer than its room."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from web.render.labels import GAP, NARROW, ROW, ROWS, WIDE, Layout, SetLabel, Wanted, labels, rows, width

NAMES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), min_size=1, max_size=200),
    st.lists(st.text("aimwMW-é", min_size=1, max_size=70), min_size=1, max_size=12).map(" ".join),
    st.text("אבגדה וז", min_size=1, max_size=200),
)
NOTES = st.sampled_from(["", "+5 days", "−1 quarter", "+231 days"])
WANTED = st.builds(Wanted, NAMES, NOTES, st.floats(0, 100))


def spans(placed: list[SetLabel], layout: Layout) -> list[tuple[float, float]]:
    """Where labels begin and end from the top of the lowest drawing, px."""
    ends = [(float(p.y) * layout.height / 100, len(p.rows) * ROW / 2) for p in placed]
    return sorted((middle - half, middle + half) for middle, half in ends)


@given(st.lists(WANTED, max_size=6))
def test_no_label_lies_over_another_or_outside(wanted: list[Wanted]) -> None:
    made = labels(wanted)
    for layout, placed in ((WIDE, [m.wide for m in made]), (NARROW, [m.narrow for m in made])):
        taken, slack = spans(placed, layout), 0.05  # places are said in two decimals of a percent
        assert all(top >= -slack and bottom <= layout.height + slack for top, bottom in taken)
        assert all(below >= bottom + GAP - slack for (_, bottom), (below, _) in pairwise(taken))


@given(NAMES, NOTES)
def test_a_name_has_at_most_two_rows_and_each_fits_with_the_note(name: str, note: str) -> None:
    for room, spare in ((WIDE.room, False), (NARROW.room, False), (NARROW.room, True)):
        made = rows(name, note, room, spare=spare)
        assert 1 <= len(made) <= ROWS + (spare and made[-1] == "")
        told = [*made[:-1], f"{made[-1]} {note}" if note and made[-1] else made[-1] or note]
        assert all(width(row) <= room + 0.01 for row in told)


@given(st.lists(WANTED, min_size=2, max_size=6))
def test_labels_keep_the_order_of_their_lines(wanted: list[Wanted]) -> None:
    placed = labels(wanted)
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i].y, i))
    assert [float(placed[i].wide.y) for i in order] == sorted(float(label.wide.y) for label in placed)


def test_a_name_is_whole_where_it_fits_and_parted_between_words() -> None:
    assert rows("Depot cut-over", "", WIDE.room) == ("Depot cut-over",)
    assert rows("Signalling interface accepted", "+231 days", WIDE.room) == ("Signalling interface", "accepted")
    assert rows("Overhead line inspection", "+231 days", WIDE.room) == ("Overhead line", "inspection")
    assert rows("Rindfleischetikettierung", "", NARROW.room)[1].endswith("g")
    assert rows("Two words " * 20, "+5 days", WIDE.room)[1].endswith("…")


def test_lines_that_end_apart_keep_their_labels_beside_them() -> None:
    placed = labels([Wanted("One", "", 20.0), Wanted("Two", "", 50.0), Wanted("Three", "", 90.0)])
    assert [label.wide.y for label in placed] == ["20.00", "50.00", "90.00"]
