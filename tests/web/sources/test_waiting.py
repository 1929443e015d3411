"""Plans that wait for a reader: they hold no thread that a page needs, and waiting too long is no fault of the source."""

import asyncio
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import xlsxwriter
from anyio import CapacityLimiter, to_thread

from domain.ids import PersonId, SourceId
from domain.plan.sources.source import SourceFailed
from tests.web.doors import ORIGIN
from tests.web.sources.house import HARBOUR, JIRA, Sourced, sourced
from web.importers.table import workbook
from web.manager.importing import apart
from web.sources.files import Files
from web.sources.folder import FolderTool
from web.write.permission import OPERATOR

pytestmark = pytest.mark.stories
SCRIPT = SourceId("script1")
CSV = b"id,name,finish,milestone\n7,Depot opens,2027-06-01,yes\n"
THREADS = 3  # of the pool, so that few requests would use them up
PUT = f"/api/v1/projects/{HARBOUR}/sources/{SCRIPT}/plan?name=p.csv"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Sourced]:
    with sourced(tmp_path, source_folder=tmp_path / "plans") as made:
        (tmp_path / "plans" / HARBOUR).mkdir(parents=True)
        made.attach(key=SCRIPT, tool="upload")
        yield made


def workbook_of(table: bytes) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Plan")
        for y, row in enumerate(table.decode().splitlines()):
            sheet.write_row(y, 0, row.split(","))
    return out.getvalue()


class Doors:
    """One process as its server has it: one loop for all requests, and few threads for its pages."""

    def __init__(self, house: Sourced) -> None:
        token = house.services.credentials.token(OPERATOR, PersonId("manager"), "all")
        self._bearer = {"authorization": f"Bearer {token}"}
        self._cookies = {house.services.guard.cookie: house.house.cookie("manager")}
        self._way = httpx2.ASGITransport(app=house.house.app)

    async def put(self) -> httpx2.Response:
        async with httpx2.AsyncClient(transport=self._way, base_url=ORIGIN) as client:
            return await client.put(PUT, content=CSV, headers=self._bearer)

    async def page(self, path: str) -> httpx2.Response:
        async with httpx2.AsyncClient(transport=self._way, base_url=ORIGIN, cookies=self._cookies) as client:
            return await client.get(path)


class Held:
    """Whatever is read waits until it may go on."""

    def __init__(self) -> None:
        self.may_go, self.many, self._count = threading.Event(), threading.Event(), 0

    def wait(self) -> None:
        self._count += 1
        if self._count >= THREADS:
            self.many.set()
        assert self.may_go.wait(30)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    made, read = Held(), Files.read

    def slow(files: Files, name: str, content: Any) -> Any:
        made.wait()
        return read(files, name, content)

    monkeypatch.setattr(Files, "read", slow)
    yield made
    made.may_go.set()


def test_plans_that_wait_for_their_turn_hold_no_thread_of_the_pages(house: Sourced, held: Held) -> None:
    doors = Doors(house)

    async def story() -> tuple[int, list[int]]:
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        puts = [asyncio.create_task(doors.put()) for _one in range(apart.AT_ONCE + THREADS + 1)]
        assert await asyncio.to_thread(held.many.wait, 10)
        await asyncio.sleep(0.2)  # those that wait wait by now
        try:
            async with asyncio.timeout(10):
                page = (await doors.page(f"/p/{HARBOUR}/sources")).status_code
        finally:
            held.may_go.set()
        return page, [answer.status_code for answer in await asyncio.gather(*puts)]

    page, answers = asyncio.run(story())
    assert page == 200
    assert set(answers) <= {200, 201}
    assert len(house.source(SCRIPT).pulls) == 1


def test_who_waits_too_long_is_told_when_to_try_again_and_the_source_does_not_fail(
    house: Sourced, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "PATIENCE", 0.2)
    doors = Doors(house)

    async def story() -> list[httpx2.Response]:
        puts = [asyncio.create_task(doors.put()) for _one in range(apart.AT_ONCE + 1)]
        await asyncio.wait(puts, return_when=asyncio.FIRST_COMPLETED, timeout=20)
        held.may_go.set()
        return await asyncio.gather(*puts)

    answers = asyncio.run(story())
    late = [one for one in answers if one.status_code == 503]
    assert [(one.headers["retry-after"], one.json()["status"]) for one in late] == [("60", 503)]
    assert "Other plans are being read" in late[0].json()["detail"]
    assert _failures(house) == []


def test_older_plans_wait_as_plans_that_are_sent_do_and_their_page_says_so(
    house: Sourced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "PATIENCE", 0.05)
    doors, path = Doors(house), f"/p/{HARBOUR}/past/{'0' * 64}"

    async def story() -> list[httpx2.Response]:
        limiter, others = CapacityLimiter(1), object()
        house.house.app.state.plans_read = limiter
        limiter.acquire_on_behalf_of_nowait(others)
        first = await doors.page(path)
        limiter.release_on_behalf_of(others)
        return [first, await doors.page(path)]

    late, then = asyncio.run(story())
    assert (late.status_code, late.headers["retry-after"]) == (503, "60")
    assert late.text == "Other plans are being read. Try again in some minutes.\n"
    assert then.status_code == 404, "there are none of that key"


def _failures(house: Sourced) -> list[str]:
    recorded = house.services.logs.events.stream(f"project-{HARBOUR}")
    return [one.event.why for one in recorded if isinstance(one.event, SourceFailed)]


def test_a_workbook_that_has_no_turn_is_no_fault_of_a_script_or_of_a_folder(
    house: Sourced, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "PATIENCE", 0.01)
    monkeypatch.setattr(workbook, "_turns", threading.BoundedSemaphore(1))
    book = workbook_of(CSV)
    (tmp_path / "plans" / HARBOUR / "plan.xlsx").write_bytes(book)
    folder = house.services.sources.tools["folder"]
    assert isinstance(folder, FolderTool)
    folder._still = 0.0
    house.attach(key=JIRA, tool="folder", address="", values={"folder": ""})
    token = house.services.credentials.token(OPERATOR, PersonId("manager"), "all")
    with workbook._turns:
        answer = house.house.client().put(PUT, content=book, headers={"authorization": f"Bearer {token}"})
        turn = house.services.sources.engine.turn_of(HARBOUR, JIRA)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "Other workbooks are being read" in str(turn.trouble)
    assert turn.trouble is not None
    assert turn.trouble.retry_after == 60
    assert _failures(house) == []
    assert house.services.sources.engine.turn_of(HARBOUR, JIRA).news == "recorded"
