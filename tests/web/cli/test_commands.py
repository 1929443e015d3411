"""The command line as an operator uses it: real processes, real folders, clear words when something is wrong."""

import json
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from projections.events.present import CurrentWorld
from projections.installation.folder import Folder
from tests.mail import SENDER, sink
from tests.programs import fanlight
from tests.web.importers.plans import REAL
from tests.world import HARBOUR, SHARE, World

pytestmark = pytest.mark.folder  # each command is a process of its own, told of a folder

CSV = "id,milestone,finish\nA1,Foundations,2027-05-10\nA2,Handover,2027-09-01\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with the sample project."""
    world = World(tmp_path / "data")
    world.harbour()
    world.close()
    return tmp_path / "data"


def version(data: Path) -> int:
    folder = Folder(data)
    try:
        return CurrentWorld(folder.events).world.versions[f"project-{HARBOUR}"]
    finally:
        folder.close()


@pytest.mark.once
def test_an_invitation_from_the_command_line_is_mailed_where_mail_is_set(tmp_path: Path) -> None:
    with sink() as server:
        mail = ("--smtp-url", server.url, "--mail-from", SENDER, "--data", tmp_path)
        told = fanlight("user", "invite", "ada@x.test", "--name", "Ada", "--role", "admin", *mail)
        assert (told.returncode, "accepted by the mail server" in told.stdout) == (0, True), told.stderr
        assert "/in/" not in told.stdout
        assert (server.mails[0].to, server.mails[0].subject) == ("ada@x.test", "Your supplier invites you as an admin")
        assert "You sign in as an admin." in server.mails[0].text
        client = fanlight("user", "client", "Acme Rail", "--data", tmp_path).stdout.strip()
        server.refuse["bo@x.test"] = "550 no such box"
        one = ("user", "invite", "bo@x.test", "--name", "Bo", "--role", "viewer", "--client", client)
        assert "550 no such box" in fanlight(*one, *mail).stdout


def test_version_is_a_version() -> None:
    assert fanlight("version").stdout.strip()[0].isdigit()


def test_a_stranger_gets_from_nothing_to_a_sign_in_link(tmp_path: Path) -> None:
    assert fanlight("user", "organisation", "Example Works", "--data", tmp_path).returncode == 0
    client = fanlight("user", "client", "Acme Rail", "--data", tmp_path).stdout.strip()
    invited = fanlight(
        "user", "invite", "anna@acme.test", "--name", "Anna", "--role", "viewer", "--client", "Acme Rail",
        "--data", tmp_path, "--public-url", "https://status.example.com",
    )  # fmt: skip
    assert invited.stdout.startswith("https://status.example.com/in/")
    listed = fanlight("user", "list", "--data", tmp_path).stdout
    assert client in listed
    assert "anna@acme.test" in listed
    assert fanlight("user", "link", "anna@acme.test", "--data", tmp_path).returncode == 0
    assert len(fanlight("user", "token", "anna@acme.test", "--label", "x", "--data", tmp_path).stdout.strip()) >= 22
    assert fanlight("user", "end", "anna@acme.test", "--reason", "Left", "--data", tmp_path).returncode == 0
    gone = fanlight("user", "link", "anna@acme.test", "--data", tmp_path)
    assert gone.returncode == 2
    assert "Nobody with the address" in gone.stderr


def test_the_lines_of_the_readme_work_as_they_stand_and_the_link_says_where_it_opens(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    block = (root / "README.md").read_text().partition("## Serving your own")[2].split("```")[1]
    install, *lines = block.strip().splitlines()
    assert f"\n{install.removeprefix('make ')}: " in (root / "Makefile").read_text()
    assert lines[-1].endswith("fanlight serve")
    for line in lines[:-1]:
        command, *words = shlex.split(line)
        assert command == ".venv/bin/fanlight"
        done = fanlight(*words, "--data", tmp_path)
        assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("http://127.0.0.1:8000/in/")
    assert "where `fanlight serve` listens on port 8000" in done.stdout


def test_a_plan_is_shown_first_and_recorded_only_when_accepted(data: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text(CSV)
    before = version(data)
    shown = fanlight("import", plan, "--project", HARBOUR, "--data", data)
    assert "2 changes proposed" in shown.stdout, shown.stderr
    assert version(data) == before
    accepted = fanlight("import", plan, "--project", HARBOUR, "--data", data, "--accept")
    assert accepted.returncode == 0
    assert version(data) == before + 3
    again = fanlight("import", plan, "--project", HARBOUR, "--data", data, "--accept")
    assert "0 changes proposed, 2 milestones unchanged" in again.stdout
    assert version(data) == before + 4


def test_columns_are_told_and_what_nothing_says_is_a_milestone_is_not_recorded(data: Path, tmp_path: Path) -> None:
    plan, columns = tmp_path / "plan.csv", tmp_path / "columns.json"
    plan.write_text("ID,Name,Finish\nA1,Gate,2027-03-01\n")
    before = version(data)
    done = fanlight("import", plan, "--project", HARBOUR, "--data", data, "--accept")
    assert "columns   id = 'ID', title = 'Name', forecast = 'Finish'" in done.stdout
    assert (done.returncode, version(data)) == (3, before)
    assert "--mapping" in done.stderr
    columns.write_text('{"id": "ID", "title": "Name", "forecast": "Finish"}')
    done = fanlight("import", plan, "--project", HARBOUR, "--data", data, "--mapping", columns, "--accept")
    assert (done.returncode, version(data)) == (0, before + 2)


def test_a_plan_that_may_be_another_one_records_and_confirms_nothing(data: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text(CSV)
    fanlight("import", plan, "--project", HARBOUR, "--data", data, "--accept")
    before = version(data)
    plan.write_text("id,milestone,finish\nB1,Roof,2027-05-10\nB2,Door,2027-09-01\n")
    done = fanlight("import", plan, "--project", HARBOUR, "--data", data, "--accept")
    assert "Is this the same plan?" in done.stdout
    assert (done.returncode, version(data)) == (3, before)


def test_a_broken_plan_names_the_line_and_changes_nothing(data: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text(CSV + "A3,Trial,03/04/2027\n")
    before = version(data)
    done = fanlight("import", plan, "--project", HARBOUR, "--data", data, "--accept")
    assert done.returncode == 3
    assert "line 4" in done.stderr
    assert version(data) == before


def test_an_unknown_project_is_refused_with_where_to_look(data: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text(CSV)
    done = fanlight("import", plan, "--project", "nowhere", "--data", data)
    assert (done.returncode, "in the address of its page" in done.stderr) == (2, True)


if REAL.is_dir():  # otherwise nothing is collected here, and the summary says REAL PLANS NOT TRIED

    @pytest.mark.parametrize("plan", sorted(REAL.glob("*.xml")), ids=lambda plan: plan.name)
    def test_every_real_plan_imports_and_the_second_time_proposes_nothing(tmp_path: Path, plan: Path) -> None:
        world = World(tmp_path)
        world.people()
        world.project()
        world.close()
        first = fanlight("import", plan, "--project", HARBOUR, "--data", tmp_path, "--accept")
        assert first.returncode == 0, first.stderr
        second = fanlight("import", plan, "--project", HARBOUR, "--data", tmp_path)
        assert "0 changes proposed" in second.stdout


def test_an_export_has_every_update_as_recorded_and_checks_with_the_verifier_inside_it(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "share.zip"
    assert fanlight("export", SHARE, "--data", data, "--out", out).returncode == 0
    folder = Folder(data)
    contents = [entry.raw.decode() for entry in folder.disclosure.entries(SHARE, 0, 100)]
    folder.close()
    with zipfile.ZipFile(out) as bundle:
        lines = bundle.read("entries/000000001.jsonl").splitlines()
        bundle.extract("verify.py", tmp_path)
    assert [json.loads(line)["content"] for line in lines] == contents
    alone = [sys.executable, "-I", "-S", str(tmp_path / "verify.py"), str(out)]
    checked = subprocess.run(alone, capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert fanlight("verify", out).returncode == 0


def test_an_export_of_nothing_says_so(data: Path) -> None:
    done = fanlight("export", "nosuch", "--data", data)
    assert (done.returncode, "has no updates" in done.stderr) == (2, True)


def test_two_servers_in_one_folder_are_refused(data: Path) -> None:
    import fcntl

    with (data / "serving.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = fanlight("serve", "--data", data, "--port", "0")
    assert (done.returncode, "serves" in done.stderr) == (2, True)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])
def test_the_demo_never_leaves_the_machine(tmp_path: Path, host: str) -> None:
    done = fanlight("demo", "--data", tmp_path, "--host", host, "--port", "0")
    assert (done.returncode, "only listens on loopback" in done.stderr) == (2, True)


def test_a_server_warns_once_and_every_line_of_it_is_json_where_that_is_asked(tmp_path: Path) -> None:
    told = ["serve", "--data", str(tmp_path), "--port", "0", "--operator-token", "s3cret-word", "--log-format", "json"]
    serving = subprocess.Popen(
        [sys.executable, "-m", "web.cli", *told], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert serving.stdout is not None
        first = json.loads(serving.stdout.readline())
        assert "Fanlight is at http://127.0.0.1:" in first["message"]
    finally:
        serving.terminate()
        out, errors = serving.communicate(timeout=60)
    assert out == ""
    (warning,) = [json.loads(line) for line in errors.splitlines()]
    assert "--operator-token holds a secret" in warning["message"]
    assert "s3cret" not in errors


def test_the_past_comes_from_a_folder_of_older_plans_and_changes_nothing_of_today(data: Path, tmp_path: Path) -> None:
    plan, older = tmp_path / "plan.csv", tmp_path / "older"
    plan.write_text(CSV)
    fanlight("import", plan, "--project", HARBOUR, "--data", data, "--accept")
    older.mkdir()
    (older / "plan-2026-03-31.csv").write_text(CSV.replace("2027-05-10", "2027-03-01"))
    (older / "plan-2026-06-30.csv").write_text(CSV.replace("2027-05-10", "2027-04-01"))
    (older / ".hidden").write_text("x")
    before = version(data)
    shown = fanlight("history", older, "--project", HARBOUR, "--data", data)
    assert "Added to the past: 3 moves of forecasts" in shown.stdout, shown.stderr
    assert (shown.returncode, version(data)) == (0, before)
    done = fanlight("history", older, "--project", HARBOUR, "--data", data, "--accept")
    assert done.returncode == 0
    assert "Recorded 5 events" in done.stdout
    again = fanlight("history", older, "--project", HARBOUR, "--data", data, "--accept")
    assert "Added to the past: 0 moves" in again.stdout
    assert version(data) == before + 5
    folder = Folder(data)
    try:
        gate = next(
            m
            for m in CurrentWorld(folder.events).world.projects[HARBOUR].schedule.milestones.values()
            if m.details.title == "Foundations"
        )
    finally:
        folder.close()
    assert [move.forecast.isoformat() for move in gate.moves] == ["2027-03-01", "2027-04-01", "2027-05-10"]
    (older / "plan.csv").write_text(CSV)
    odd = fanlight("history", older, "--project", HARBOUR, "--data", data, "--accept")
    assert (odd.returncode, version(data)) == (3, before + 5)
    assert "neither the file nor its name says its status date" in odd.stderr
    assert fanlight("history", tmp_path / "none", "--project", HARBOUR, "--data", data).returncode == 2
