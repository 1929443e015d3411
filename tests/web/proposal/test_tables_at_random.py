"""Whatever stands in a table of risks or figures, it is read or refused with a sentence, and what is ticked can be recorded."""

import os
import random

import pytest

from domain.errors import Refused
from tests.web.importers.registers.tables import FIGURES, REGISTERS, chosen
from tests.web.proposal.test_compare import TODAY, after, new_id, started
from web.importers.plan import BrokenFile, Plan
from web.importers.reading import read_any
from web.importers.registers.columns import Kind
from web.importers.registers.found import RiskTable
from web.proposal import figures, risks
from web.proposal.together import together

pytestmark = pytest.mark.once

SEED = int(os.environ.get("SEED", "20271129"))
CASES = int(os.environ.get("CASES", "120"))
CELLS = (
    *(
        "",
        "NA",
        "0",
        "-1",
        "1e9",
        "1.250",
        "1,25",
        "9" * 40,
        "99 %",
        "0.5",
        "½",
        "High",
        "5 - high",
        "R1",
        "open",
        "x" * 5000,
    ),
    *("2027-02-30", "31/12/2027", "Q9 2027", "13/2027", "Jan", "\u202e", "(5)", "€5k", "=1+1", "Total", "“", "٣", "²"),
)
TEXTS = [*(text for text, _expected in REGISTERS.values()), *(text for text, _choice, _expected in FIGURES.values())]


def spoilt(chance: random.Random) -> str:
    """Return a table in which some cells, rows or headings are others."""
    text = chance.choice(TEXTS)
    delimiter = ";" if text.count(";") > text.count(",") else ","
    rows = [line.split(delimiter) for line in text.splitlines()]
    for _ in range(chance.randrange(1, 6)):
        row = chance.choice(rows)
        row[chance.randrange(len(row))] = chance.choice(CELLS)
    if chance.random() < 0.3:
        rows.append(list(chance.choice(rows)))
    if chance.random() < 0.2:
        chance.choice(rows).append(chance.choice(CELLS))
    return "\n".join(delimiter.join(row) for row in rows)


def test_whatever_stands_in_a_table_is_read_or_refused_and_what_is_ticked_can_be_recorded() -> None:
    chance, read = random.Random(SEED), 0
    for _case in range(CASES):
        text = spoilt(chance)
        kind: Kind | None = chance.choice((None, None, "risks", "figures"))
        how = {"amounts": chance.choice(("sums", "periods")), "days": "months", "decimal": ","}
        try:
            found = read_any("t.csv", text.encode(), chosen(kind, **(how if kind == "figures" else {})))
        except BrokenFile:
            continue
        if isinstance(found, Plan):
            continue
        read += 1
        project = started()
        seen = (
            risks.propose(project, found, new_id)
            if isinstance(found, RiskTable)
            else figures.propose(project, found, TODAY)
        )
        if not seen.lines:
            continue
        try:
            after(project, together(project, seen.lines, "Case"))
        except Refused:
            continue
        assert len(seen.notes) < 60
    assert read > CASES // 5
