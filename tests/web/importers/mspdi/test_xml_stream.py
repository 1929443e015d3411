"""XML from strangers: bombs, external references and files that are no plan are refused by line, and quickly."""

import os
import random
from pathlib import Path

import pytest

from tests.web.importers.plans import HARBOUR, edited, project, told
from web.importers.mspdi import reader
from web.importers.plan import BrokenFile, Plan

pytestmark = pytest.mark.once

SEED = int(os.environ.get("SEED", "20270331"))
CASES = 600
NAMESPACE = "http://schemas.microsoft.com/project"


def refusal(data: bytes, **limits: int) -> tuple[int | None, str]:
    """Return the single problem a file is refused with."""
    with pytest.raises(BrokenFile) as raised:
        reader.read(data, **limits)
    assert len(raised.value.problems) == 1
    return told(raised.value)[0]


def with_doctype(declarations: str, use: str) -> bytes:
    """Return the harbour plan behind a DOCTYPE, its title replaced by an entity."""
    plan = edited("Harbour lights", use)
    return plan.replace(b'standalone="yes"?>', f'standalone="yes"?>\n<!DOCTYPE Project [{declarations}]>'.encode(), 1)


def test_a_billion_laughs_are_refused_before_the_first() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    line, message = refusal(with_doctype('<!ENTITY l0 "ha">' + laughs, "&l9;"))
    assert line == 2
    assert "declares a DOCTYPE or entities" in message


def test_an_external_entity_is_refused_and_its_file_never_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    for declaration in (f'<!ENTITY x SYSTEM "file://{secret}">', f'<!ENTITY % x SYSTEM "file://{secret}"> %x;'):
        line, message = refusal(with_doctype(declaration, "&x;"))
        assert line == 2
        assert "DOCTYPE" in message
        assert "the secret" not in message


def test_a_doctype_that_only_points_elsewhere_is_refused_too() -> None:
    pointing = HARBOUR.replace(b"<Project ", b'<!DOCTYPE Project SYSTEM "http://127.0.0.1:9/plan.dtd">\n<Project ', 1)
    assert "DOCTYPE" in refusal(pointing)[1]


def test_deep_nesting_is_refused() -> None:
    line, message = refusal(project("<a>\n" * 100_000))
    assert "nested more than 64 deep" in message
    assert line is not None
    assert 60 < line < 70


def test_more_bytes_than_agreed_are_refused() -> None:
    line, message = refusal(project("<UID>1</UID>" + "<Notes> </Notes>" * 2**17), max_bytes=2**20)
    assert line is None
    assert message.startswith("The file is larger than 1 MiB, the most that is read.")


@pytest.mark.parametrize("filler", ["<!--" + "x" * (6 * 2**20) + "-->", f'<Notes y="{"x" * (6 * 2**20)}"/>'])
def test_an_endless_comment_or_tag_is_refused(filler: str) -> None:
    assert "longer than 4 MiB" in refusal(project(filler))[1]


def test_an_endless_text_is_refused() -> None:
    assert "has more than 1000000 characters" in refusal(project(f"<Name>{'x' * 2**21}</Name>"))[1]
    assert not reader.read(project(f"<UID>5</UID><Notes>{'x' * 2**21}</Notes>")).milestones, (
        "what is not read may be long"
    )


def test_a_file_without_an_element_near_its_start_is_refused() -> None:
    assert refusal(b"<?xml version='1.0'?>\n" + b" " * 2**17 + HARBOUR[60:])[1].startswith("No <Project> within")


def test_a_file_that_was_cut_off_says_where_and_what_to_do() -> None:
    line, message = refusal(HARBOUR[: HARBOUR.index(b"<Name>Wiring") + 3])
    assert line == 47
    assert message.startswith("The file ends inside <Project><Tasks><Task>, in the middle.")
    assert "send the whole file again" in message


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"<html>\n<body/></html>", "found <html>"),
        (b"<Project/>", "found a <Project> of no namespace"),
        (b'<Project xmlns="urn:other"/>', "found a <Project> of the namespace 'urn:other'"),
        (b'<APIBusinessObjects xmlns="http://xmlns.oracle.com/p6"/>', "found <{http://xmlns.oracle.com/p6}APIBusinessObjects>"),
    ],
)  # fmt: skip
def test_xml_that_is_no_plan_says_what_was_found_and_what_was_expected(data: bytes, found: str) -> None:
    line, message = refusal(data)
    assert line == 1
    assert found in message
    assert f"expected <Project> of the namespace '{NAMESPACE}'" in message


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("</Task>\n    <Task><UID>13", "</Tusk>\n    <Task><UID>13", 40, "mismatched tag"),
        ("Wiring", "Wir\x00ing", 47, "invalid token"),
        ("Wiring", "Wiring &nbsp; &amp;", 47, "undefined entity"),
        ("</Project>", "</Project><Project/>", 56, "junk after document element"),
        ('encoding="UTF-8"', 'encoding="klingon"', 1, "encoding the file names cannot be read"),
    ],
)  # fmt: skip
def test_broken_xml_names_the_line(old: str, new: str, line: int, says: str) -> None:
    told_line, message = refusal(edited(old, new))
    assert told_line == line
    assert says in message


def test_a_byte_order_mark_and_other_encodings_change_nothing_but_the_hash() -> None:
    text = HARBOUR.decode()
    western = text.replace("UTF-8", "windows-1252").replace("מסירה ללקוח", "Übergabe").replace(" 🏁", "")
    plain = reader.read(HARBOUR)
    for data in (b"\xef\xbb\xbf" + HARBOUR, text.replace("UTF-8", "UTF-16").encode("utf-16")):
        assert reader.read(data).milestones == plain.milestones
    assert reader.read(western.encode("cp1252")).milestones[2].title == "Übergabe (handover)"


def mangled(data: bytes, chance: random.Random) -> bytes:
    """Return the bytes with some flipped, cut out, doubled or cut off."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 2)):
        at, span = chance.randrange(len(out)), chance.randint(1, 40)
        match chance.randrange(5):
            case 0 | 1:
                out[at] ^= 1 << chance.randrange(8)
            case 2:
                del out[at : at + span]
            case 3:
                out[at:at] = out[at : at + span]
            case _:
                out[at] = chance.choice(b"<>&\"'/0\x00\xff9 -")
    return bytes(out[: chance.randrange(len(out))]) if chance.random() < 0.1 else bytes(out)


def outcome(data: bytes) -> Plan | BrokenFile:
    """Return what reading comes to; any other exception passes through and fails the test."""
    try:
        return reader.read(data)
    except BrokenFile as error:
        return error


def test_whatever_happens_to_a_file_it_is_a_plan_or_a_broken_file_with_a_sentence() -> None:
    print(f"SEED={SEED} repeats these {CASES} files")
    outcomes = [outcome(mangled(HARBOUR, random.Random(SEED + case))) for case in range(CASES)]
    refused = [error for error in outcomes if isinstance(error, BrokenFile)]
    assert len(refused) > CASES // 20, "the mangling is too gentle to prove anything"
    assert CASES - len(refused) > CASES // 20, "the mangling is too harsh to prove anything"
    assert all(problem.message.endswith(".") for error in refused for problem in error.problems)
