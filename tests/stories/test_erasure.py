"""The erasure drill: somebody was invited, looked, answered and was shown; then nothing of them is anywhere."""

import gc
import io
import sqlite3
import zipfile
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient, WebSocketTestSession

from domain.ids import PersonId
from projections.evidence.inspection import inspect
from projections.installation.folder import SNAPSHOT_FILE
from projections.installation.snapshots import SnapshotHeader
from projections.logs.vault import KEY, Damaged, open_with
from projections.proof.notes import verification_key
from projections.verify.bundle import check
from tests.web.door.test_guard import become
from tests.web.door.test_guard import product as product  # noqa: PLC0414  # a fixture
from tests.web.doors import ORIGIN, wait_until
from tests.world import ACME, SHARE
from web.write.permission import OPERATOR

NAME, MAIL = "Zdenka Quillfeather", "zdenka@quillfeather.test"


@pytest.fixture
def viewer(product: TestClient) -> PersonId:
    person, _ = product.process.services.credentials.invite(OPERATOR, name=NAME, email=MAIL, role="viewer", client=ACME)  # type: ignore[attr-defined]
    return person


def erase(product: TestClient, person: str) -> None:
    token = product.process.services.credentials.token(OPERATOR, PersonId("admin"), "drill")  # type: ignore[attr-defined]
    product.cookies.clear()
    headers = {"authorization": f"Bearer {token}", "idempotency-key": "erase-once"}
    command = {"type": "erase-person", "person": person, "reason": "Asked for it"}
    answer = product.post("/api/v1/commands", json=command, headers=headers)
    assert answer.status_code == 201, answer.text


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_an_erased_viewer_is_in_no_file_page_or_export_and_every_proof_holds(
    product: TestClient, viewer: PersonId
) -> None:
    process, folder = product.process, product.process.services.settings.data  # type: ignore[attr-defined]
    become(product, viewer)
    cookie = product.cookies[process.services.guard.cookie]
    assert product.get(f"/s/{SHARE}").status_code == 200
    with product.websocket_connect(f"/s/{SHARE}/live", headers={"origin": ORIGIN}) as socket:
        socket.send_json({"hello": 1, "tab": "t1", "v": 2})
        socket.receive_json()
        socket.send_json({"painted": 1, "from": 1})
        wait_until(lambda: any(c.kind == "displayed" for c in process.services.logs.receipts.claims(SHARE)))
        become(product, "manager")
        before = product.get(f"/p/harbour/shares/{SHARE}/evidence.zip").content
        assert NAME in page_in(before)  # the drill could fail: the name was there to be found
        assert NAME in product.get(f"/p/harbour/shares/{SHARE}").text
        erase(product, viewer)
        assert closed_with(socket) == 4403

    product.cookies.set(process.services.guard.cookie, cookie)
    assert product.get(f"/s/{SHARE}").status_code == 303  # signed out
    secrets = [NAME.encode(), b"Quillfeather", MAIL.encode(), cookie.encode()]
    process.clockwork.sign()
    for secret in secrets:
        assert secret not in raw(folder)
    for role in ("manager", "auditor"):
        become(product, role)
        paths = (
            ["/audit", "/audit/shares", f"/audit/shares/{SHARE}"]
            if role == "auditor"
            else ["/p/harbour", f"/p/harbour/shares/{SHARE}"]
        )
        for path in paths:
            answer = product.get(path)
            assert answer.status_code == 200, path
            assert NAME not in answer.text
            assert MAIL not in answer.text
    after = product.get(f"/audit/shares/{SHARE}/evidence.zip").content
    assert NAME not in page_in(after)
    assert "Erased person" in page_in(after)
    trusted = verification_key(process.services.notary.key.name, process.services.notary.key.public)
    for bundle in (before, after):
        report = check(bundle, trusted)
        assert report.accepted, report.problems
    assert list(inspect(process.services.logs, process.services.notary, [SHARE])) == []
    gc.collect()
    held = [o for o in gc.get_objects() if isinstance(o, dict) and o.get("name") == NAME]
    assert held == []


@pytest.mark.folder
def test_neither_the_snapshot_nor_a_backup_of_it_says_anything_of_somebody_erased(
    product: TestClient, viewer: PersonId
) -> None:
    process = product.process  # type: ignore[attr-defined]
    services = process.services
    snapshots, path = services.logs.snapshots, services.settings.data / SNAPSHOT_FILE
    wait_until(lambda: services.follower.recorded.position == services.logs.events.head())
    assert snapshots.keep(services.follower.recorded, lambda: services.present.refresh().erased)
    backup = path.read_bytes()
    there = snapshots.read()
    assert there is not None
    assert there.world.people[viewer].name == NAME  # the drill could fail: the name was there to be found
    erase(product, viewer)
    assert not path.exists()
    path.write_bytes(backup)
    keys = [key for _name, key in services.logs.vault.keys.all() if len(key) == KEY]
    with sqlite3.connect(path) as db:
        rows = [row[0] for row in db.execute("SELECT part FROM snapshot ORDER BY n")]
    db.close()
    header = msgspec.json.decode(rows[0], type=SnapshotHeader)
    for i, part in enumerate(rows[1:]):
        for key in keys:
            with pytest.raises(Damaged):
                open_with(key, part, header.bound(i))
    assert snapshots.read() is None
    assert not path.exists()
    assert all(secret not in backup for secret in (NAME.encode(), MAIL.encode()))


def closed_with(socket: WebSocketTestSession) -> int:
    """Return the code a socket is closed with, whatever comes before."""
    while (message := socket.receive())["type"] != "websocket.close":
        assert message["type"] == "websocket.send"
    return int(message["code"])


def page_in(bundle: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return archive.read("index.html").decode()


def test_a_manager_cannot_erase_and_an_unknown_person_is_said_to_be_unknown(
    product: TestClient, viewer: PersonId
) -> None:
    process = product.process  # type: ignore[attr-defined]
    for role, person, status in (("manager", viewer, 403), ("admin", "nobody", 404)):
        token = process.services.credentials.token(OPERATOR, PersonId(role), "drill")
        headers = {"authorization": f"Bearer {token}", "idempotency-key": f"no-{role}"}
        command = {"type": "erase-person", "person": person, "reason": "Asked for it"}
        assert product.post("/api/v1/commands", json=command, headers=headers).status_code == status
    assert process.services.present.refresh().people[viewer].name == NAME


def test_an_admin_erases_a_viewer_from_the_share_page_and_a_manager_cannot(
    product: TestClient, viewer: PersonId
) -> None:
    process = product.process  # type: ignore[attr-defined]
    here = f"/p/harbour/shares/{SHARE}"
    become(product, "manager")
    assert f"{viewer}/erase" not in product.get(here).text
    assert product.get(f"{here}/viewers/{viewer}/erase").status_code == 404
    become(product, "admin")
    assert f"{here}/viewers/{viewer}/erase" in product.get(here).text
    page = product.get(f"{here}/viewers/{viewer}/erase").text
    assert f"Erase {NAME}?" in page
    form = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("csrf", "command_id")}
    refused = product.post(f"{here}/viewers/{viewer}/erase", data={**form, "reason": ""})
    assert refused.status_code == 422
    assert NAME in refused.text
    form["command_id"] = "another"
    done = product.post(f"{here}/viewers/{viewer}/erase", data={**form, "reason": "Asked to be forgotten"})
    assert (done.status_code, done.headers["location"]) == (303, f"{here}?done=erased#viewers")
    after = product.get(f"{here}?done=erased").text
    assert NAME not in after
    assert "Erased. What their browsers reported stays" in after
    assert NAME.encode() not in raw(process.services.settings.data)


def test_the_record_page_tells_a_client_what_is_kept_and_for_how_long(product: TestClient, viewer: PersonId) -> None:
    become(product, viewer)
    page = product.get(f"/s/{SHARE}/record").text
    assert "kept for 730 days" in page
    assert f'href="/s/{SHARE}/evidence.zip"' in page
    assert 'href="/key.txt"' in page
