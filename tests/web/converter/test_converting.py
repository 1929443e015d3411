"""Plans of other tools come in as mpxj reads them; what is hostile, too large or too slow ends with a sentence."""

import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from tests.ports import free_port
from web.converter import Allowance, converter, running
from web.converter.asking import TOLD
from web.converter.service import application
from web.importers import BrokenFile, Plan, read

pytestmark = pytest.mark.once

OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
PMXML = b'<?xml version="1.0"?>\n%s<APIBusinessObjects xmlns="http://xmlns.oracle.com/Primavera/P6/V8.2/API/BusinessObjects">%s'
Samples = tuple[Path, dict[str, Any]]
FILES = ("plan.xer", "plan.pmxml", "plan.mpx", "plan.planner", "base.pmxml", "two.xer")


def came_in(plan: Plan) -> list[tuple[str, str, str | None]]:
    return [(m.source_id, m.title, str(m.forecast)) for m in plan.milestones]


def expected(told: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(one["id"], one["title"], one["finish"]) for one in told["milestones"]]


def taken(samples: Samples, name: str) -> Plan:
    return read("plan.xml", samples[0] / f"{name}.xml")


@pytest.mark.parametrize("name", FILES)
def test_milestones_and_dates_are_those_mpxj_reports(samples: Samples, name: str) -> None:
    plan, told = taken(samples, name), samples[1][name]["mpxj"]
    assert len(plan.milestones) == 3
    assert came_in(plan) == expected(told)
    assert [str(m.actual) if m.actual else None for m in plan.milestones] == [
        one["actual"] for one in told["milestones"]
    ]
    assert plan.read == told["tasks"] == 5
    assert (str(plan.data_date) if plan.data_date else None) == told["data date"]
    assert not [note for note in plan.notes if "Unknown element" in note]


@pytest.mark.parametrize("name", ["plan.xer", "plan.pmxml", "base.pmxml"])
def test_a_plan_of_p6_comes_with_its_data_date_and_its_finish_milestones(samples: Samples, name: str) -> None:
    plan = taken(samples, name)
    assert str(plan.data_date) == "2027-03-31"
    lamps = next(m for m in plan.milestones if m.title == "Lamps, lit & tested")
    assert (str(lamps.forecast), lamps.actual) == ("2027-05-28", None)


def test_the_baseline_project_of_p6_is_what_was_agreed_and_planned_dates_without_one_are_not(samples: Samples) -> None:
    agreed = {m.title: str(m.baseline) for m in taken(samples, "base.pmxml").milestones}
    assert agreed == {"Lamps, lit & tested": "2027-05-14", "Permit received": "2027-02-15", "Übergabe": "2027-06-16"}
    for name in ("plan.pmxml", "plan.xer"):
        assert {m.baseline for m in taken(samples, name).milestones} == {None}
        assert not samples[1][name]["converted"]["baseline"]


def test_of_a_file_with_two_projects_the_first_is_taken_and_that_is_told(samples: Samples) -> None:
    assert samples[1]["two.xer"]["converted"]["projects"] == 2
    assert came_in(taken(samples, "two.xer")) == came_in(taken(samples, "plan.xer"))


# the process that holds Java


def refusal(kind: str, file: Path, bounds: Allowance) -> str:
    out = file.with_name("out.xml")
    with pytest.raises(BrokenFile) as raised:
        running.convert(kind, file, out, bounds)
    assert not out.exists(), "nothing of it is kept"
    return str(raised.value)


def kept(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "file"
    file.write_bytes(content)
    return file


def test_a_file_that_is_no_plan_inside_is_told_to_be_damaged(tmp_path: Path, java: None) -> None:
    told = refusal("mpp", kept(tmp_path, OLE2 + bytes(range(256)) * 64), Allowance())
    assert told.startswith("The file cannot be converted: it is damaged, or of a version that is not known.")
    assert "Traceback" not in told
    assert "\n" not in told


@pytest.mark.parametrize(
    "start",
    [
        b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>\n',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/secret">\n',
        b"<!-- " + b"x" * 100_000 + b" -->",
    ],
)
def test_xml_that_declares_something_never_reaches_java(tmp_path: Path, start: bytes, java: None) -> None:
    begun = time.monotonic()
    told = refusal("pmxml", kept(tmp_path, PMXML % (start, b"")), Allowance())
    assert told.startswith("The file declares a DOCTYPE or entities")
    assert time.monotonic() - begun < 20


def test_a_conversion_that_takes_too_long_is_stopped_with_all_it_began(tmp_path: Path, java: None) -> None:
    begun = time.monotonic()
    told = refusal("pmxml", kept(tmp_path, PMXML % (b"", b"")), Allowance(seconds=0))
    assert told.startswith("Converting took longer than 0 seconds and was stopped.")
    assert "converter_seconds" in told
    assert time.monotonic() - begun < 20
    left = [line for line in processes() if "web.converter.child" in line and str(tmp_path) in line]
    assert left == []


def processes() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return found


@pytest.mark.slow
def test_a_file_that_needs_more_memory_than_it_may_have_says_which_setting_that_is(tmp_path: Path, java: None) -> None:
    activity = b"<Activity><ObjectId>%d</ObjectId><Name>" + b"x" * 900 + b"</Name></Activity>"
    project = b"<Project><ObjectId>1</ObjectId><Id>A</Id>" + b"".join(activity % n for n in range(60_000))
    told = refusal(
        "pmxml", kept(tmp_path, PMXML % (b"", project + b"</Project></APIBusinessObjects>")), Allowance(memory_mb=24)
    )
    assert told.startswith("Converting needed more memory than 24 MiB.")
    assert "converter_memory_mb" in told


def test_a_file_larger_than_is_read_is_refused_without_starting_anything(tmp_path: Path, java: None) -> None:
    told = refusal("mpp", kept(tmp_path, OLE2 + bytes(2**20)), Allowance(max_bytes=2**20))
    assert told.startswith("The file is larger than 1 MiB, the most that is read.")
    assert "max_upload_mb" in told


def test_the_process_gets_no_setting_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, java: None) -> None:
    spy = tmp_path / "spy"
    spy.write_text('#!/bin/sh\nenv | cut -d= -f1 | sort | tr "\\n" " " >"$0.seen"; exit 3\n')
    spy.chmod(0o755)
    monkeypatch.setenv("FANLIGHT_OPERATOR_TOKEN", "secret")
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-javaagent:evil.jar")
    monkeypatch.setattr(sys, "executable", str(spy))
    refusal("xer", kept(tmp_path, b"ERMHDR"), Allowance())
    seen = Path(f"{spy}.seen").read_text().split()
    assert "PATH" in seen
    assert not [name for name in seen if name.startswith(("FANLIGHT", "JAVA_TOOL", "JDK_"))]


def test_the_process_has_no_network_where_the_system_lets_it_do_without() -> None:
    program = (
        "import socket, sys\nfrom web.converter.child import bound\n"
        "port = int(sys.argv[1])\nalone = bound(64, 10**6, 10)\n"
        "try:\n    socket.create_connection(('127.0.0.1', port), 5)\n    print(alone, 'reached')\n"
        "except OSError:\n    print(alone, 'alone')\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = subprocess.run([sys.executable, "-c", program, str(server.getsockname()[1])], capture_output=True, text=True, timeout=60, check=True)  # fmt: skip
    assert done.stdout.strip() in ("True alone", "False reached"), "it says truly whether it is"


# the service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service on a Unix socket, with room for 1 MiB."""
    path = str(tmp_path_factory.mktemp("service") / "converter.sock")
    config = uvicorn.Config(application(Allowance(max_bytes=2**20)), uds=path, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < end
        time.sleep(0.02)
    yield f"unix:{path}"
    server.should_exit = True
    thread.join(20)


def posted(address: str, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any], str]:
    connection = http.client.HTTPConnection("localhost", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.connect(address.removeprefix("unix:"))
    chunked = "transfer-encoding" in headers
    connection.request("POST", path, body=body, headers=headers, encode_chunked=chunked)
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    return answer.status, json.loads(told) if answer.status != 200 else {}, answer.getheader(TOLD, "")


def test_a_plan_goes_through_the_service_and_says_by_which_version(samples: Samples, service: str) -> None:
    made = converter(service, Allowance())
    assert made is not None
    sent = samples[0] / "plan.xer"
    plan = read("plan.xer", sent, convert=made.take)
    assert came_in(plan) == expected(samples[1]["plan.xer"]["mpxj"])
    assert plan.notes[0].startswith("Converted from Primavera P6 (XER) by mpxj ")
    assert ", Java " in plan.notes[0]
    assert "no baseline project" in plan.notes[1]
    assert plan.file_hash == hashlib.sha256(sent.read_bytes()).hexdigest(), "of the file that was sent"
    in_memory = read("plan.xer", sent.read_bytes(), convert=lambda *_given: (_copied(samples), ()))
    assert in_memory.file_hash == plan.file_hash


def _copied(samples: Samples) -> Path:
    copy = samples[0] / "copy.xml"
    copy.write_bytes((samples[0] / "plan.xer.xml").read_bytes())
    return copy


def test_the_service_refuses_what_is_too_large_before_and_while_it_is_read(service: str) -> None:
    large = bytes(2**20 + 1)
    status, told, _header = posted(service, "/convert?kind=mpp", large)
    assert (status, told["problem"][:33]) == (413, "The file is larger than 1 MiB, th")
    status, told, _header = posted(service, "/convert?kind=mpp", iter([large]), **{"transfer-encoding": "chunked"})  # type: ignore[arg-type]
    assert status == 413


def test_the_service_refuses_kinds_it_does_not_know_and_what_cannot_be_read(service: str, java: None) -> None:
    assert posted(service, "/convert?kind=exe", b"MZ")[0] == 404
    assert posted(service, "/convert", b"")[0] == 404
    status, told, _header = posted(service, "/convert?kind=planner", b"<!DOCTYPE a><a/>")
    assert (status, told["problem"].startswith("The file declares a DOCTYPE")) == (422, True)


def test_a_service_that_is_not_there_or_answers_nonsense_ends_with_a_sentence(tmp_path: Path) -> None:
    file = kept(tmp_path, b"ERMHDR\t1")
    absent = converter(f"http://127.0.0.1:{free_port()}", Allowance())
    assert absent is not None
    with pytest.raises(BrokenFile, match="The converter does not answer"):
        read("plan.xer", file, convert=absent.take)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=nonsense, args=(server,), daemon=True).start()
        odd = converter(f"http://127.0.0.1:{server.getsockname()[1]}", Allowance())
        assert odd is not None
        with pytest.raises(BrokenFile, match="The converter does not answer"):
            read("plan.xer", file, convert=odd.take)


def nonsense(server: socket.socket) -> None:
    came, _from = server.accept()
    came.recv(65536)
    came.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nfanlight-converted: no json\r\n\r\nhello")
    came.close()


# without a converter


def test_without_a_converter_the_advice_stands_and_names_the_setting() -> None:
    with pytest.raises(BrokenFile) as raised:
        read("plan.xer", b"ERMHDR\t18.8\r\n")
    assert "In P6 choose File, Export, Microsoft Project XML, and send that. Or have a converter set up" in str(
        raised.value
    )


@pytest.mark.parametrize("begins", [b"\0\x00" + b"000000" + b"\0", b"SQLite format 3\0"])
def test_a_file_of_powerproject_is_known(begins: bytes) -> None:
    with pytest.raises(BrokenFile, match="an Asta Powerproject file"):
        read("plan.pp", begins + os.urandom(64))
