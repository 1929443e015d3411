"""Real files of Microsoft Project come in with the counts and dates that mpxj reports."""

from pathlib import Path
from typing import Any

import pytest

from tests.web.converter.conftest import MPP
from tests.web.converter.test_converting import came_in, expected
from tests.web.importers.plans import REAL
from web.converter import Allowance, converter
from web.importers import read

pytestmark = pytest.mark.once

FILES = sorted(MPP.glob("*.mpp"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_of_microsoft_project_comes_in_as_mpxj_reads_it(
    path: Path, samples: tuple[Path, dict[str, Any]]
) -> None:
    folder, told = samples
    plan = read("plan.xml", folder / f"{path.name}.xml")
    assert came_in(plan) == expected(told[path.name]["mpxj"])
    assert plan.read + 1 == told[path.name]["mpxj"]["tasks"], "all but the row of the whole project"


def test_a_plan_as_mpp_and_as_xml_has_the_same_milestones(samples: tuple[Path, dict[str, Any]]) -> None:
    as_xml = read("plan.xml", REAL / "new-product.mspdi.xml")
    as_mpp = read("plan.xml", samples[0] / "new-product.mpp.xml")
    assert len(as_xml.milestones) == len(as_mpp.milestones) == 12
    assert [m.title for m in as_xml.milestones] == [m.title for m in as_mpp.milestones]
    first = [plan.milestones[0].forecast for plan in (as_xml, as_mpp)]  # the sample's start was moved in one of them
    assert None not in first
    apart = [
        [(m.forecast - start).days // 7 for m in plan.milestones]
        for plan, start in zip((as_xml, as_mpp), first, strict=True)
    ]
    assert all(abs(one - other) <= 2 for one, other in zip(*apart, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_of_microsoft_project_is_converted_in_a_process_of_its_own(path: Path, java: None) -> None:
    made = converter("here", Allowance())
    assert made is not None
    plan = read(path.name, path, convert=made.take)
    assert plan.read > 40
    assert "Converted from Microsoft Project (MPP) by mpxj " in plan.notes[0]
