"""The usual way through a file and the strict one tell the same, or the usual one tells nothing."""

import os
import random

import pytest

from tests.web.importers.mspdi.test_xml_stream import mangled
from tests.web.importers.plans import REAL, edited, project
from web.importers.mspdi import reader
from web.importers.mspdi.names import NAMESPACE, PROJECT_NODE
from web.importers.mspdi.tree_stream import MOST_OPEN, TreeWalker, Unusual
from web.importers.mspdi.xml_stream import Keep, Leaf, Line, Lines, Node, StrictWalker
from web.importers.plan import BrokenFile

pytestmark = pytest.mark.once

SEED = int(os.environ.get("SEED", "20270331"))
CASES = 400
BLOCK = 1024
WORKED = b"<Task><UID>1</UID><Name>One</Name>\n<Duration>PT0H0M0S</Duration>\n</Task>"


class Heard:
    """Writes down what a walker tells it, with every line looked up."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def root(self, name: str, line: int) -> None:
        self.told.append(("root", name, line))

    def opened(self, node: Node, line: Line, lines: Lines | None = None) -> Keep:
        here: list[tuple[str, str, int]] = []
        began = line if isinstance(line, int) else line()
        self.told.append(
            (node.name, began if node.name != "Tasks" else 0, here)
        )  # nobody asks for the line of the list

        def keep(leaves: "list[Leaf]") -> None:
            here.extend((name, text, lines(at) if lines else at) for name, text, at in leaves)

        return keep

    def closed(self, node: Node) -> None:
        self.told.append(("end", node.name))

    def unknown(self, node: Node, name: str, line: int) -> None:
        self.told.append(("unknown", node.name, name, line))


def told_by(kind: type[TreeWalker] | type[StrictWalker], data: bytes) -> list[object] | None:
    """Return what a walker tells of some bytes, None where it refuses them."""
    heard = Heard()
    walker = kind(heard, PROJECT_NODE, NAMESPACE)
    try:
        for at in range(0, len(data), BLOCK):
            walker.feed(data[at : at + BLOCK])
        walker.finish()
    except (Unusual, BrokenFile):
        return None
    return sorted(heard.told, key=str)  # an unknown element may be told of after the leaves beside it


@pytest.mark.parametrize("path", sorted(REAL.glob("*.mspdi.xml")), ids=lambda path: path.name)
def test_a_plan_as_tools_write_it_is_told_the_usual_way_with_the_same_lines(path) -> None:  # type: ignore[no-untyped-def]
    data = path.read_bytes()
    usual = told_by(TreeWalker, data)
    assert usual is not None
    assert usual == told_by(StrictWalker, data)


def test_what_is_unusual_is_left_to_the_strict_way_and_read_there_all_the_same() -> None:
    plain = reader.read(project(WORKED.decode()[6:-7]))
    assert told_by(TreeWalker, project(WORKED.decode()[6:-7])) is not None
    bare = project().replace(b"<Tasks>", b"<Tasks>" + WORKED)
    for data in (
        bare.replace(b"<Name>", b"<!-- a remark\nof two lines --><Name>"),
        bare.replace(b"\n", b"\r"),
        bare.replace(b"<Name>", b"<?tool wrote this?><Name>"),
        bare.replace(b"<Task>", b"<Task >"),
        bare.replace(b"<Project xmlns", b"<Project\n xmlns"),
        bare.replace(b"<Tasks>", b"<Extra>1</Extra><Tasks>"),
        bare.replace(b"</Tasks>", b"</Tasks><Title>Late</Title>"),
        bare.replace(b"<Name>", b"<Notes>" + b"x" * (2 * MOST_OPEN) + b"</Notes><Name>"),
        bare.replace(b"<Name>", b"<Work>1</Work>" * 2000 + b"<Name>"),
        bare.decode().replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16"),
    ):
        assert told_by(TreeWalker, data) is None, data[:200]
        read = reader.read(data)
        assert [(m.source_id, m.title) for m in read.milestones] == [(m.source_id, m.title) for m in plain.milestones]


def test_windows_line_ends_sections_of_text_and_indented_and_unbroken_files_are_usual() -> None:
    bare = project().replace(b"<Tasks>", b"<Tasks>" + WORKED * 3)
    for data in (
        bare.replace(b"One<", b"<![CDATA[One\n & two]]><"),
        bare.replace(b"\n", b"\r\n"),
        bare.replace(b"\n", b"\n\t\t"),
        bare.replace(b"\n", b""),
        b"\xef\xbb\xbf" + bare,
    ):
        usual = told_by(TreeWalker, data)
        assert usual is not None
        assert usual == told_by(StrictWalker, data)


def test_the_line_of_a_value_is_right_wherever_it_stands() -> None:
    plan = reader.read(
        project(
            "<UID>1</UID>\n<Name>One</Name>\n<Baseline>\n<Number>0</Number>\n<Finish>soon</Finish></Baseline>\n<Milestone>1</Milestone>"
        )
    )
    assert any("<Finish>" in note and "(first on line 7)" in note for note in plan.notes), plan.notes


def test_what_the_usual_way_tells_of_a_mangled_file_is_what_the_strict_way_tells() -> None:
    print(f"SEED={SEED} repeats these {CASES} files")
    plain = edited("  <Weather>fair</Weather>\n  <add:Tint>blue</add:Tint>\n", "", edited("Wiring", "Wiring!"))
    heard = [
        (told_by(TreeWalker, data), told_by(StrictWalker, data))
        for data in (mangled(plain, random.Random(SEED + case)) for case in range(CASES))
    ]
    usual = [(one, other) for one, other in heard if one is not None]
    assert len(usual) > CASES // 20, "the mangling leaves nothing usual, so nothing is compared"
    assert [one for one, other in usual if one != other] == []
