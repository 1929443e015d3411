"""What a pull of 5,000 issues costs, against bare HTTP and JSON: the same pages by the same client, and no more.

The server is a process of its own, so that its work is not ours; it answers as Jira Data Center does.
"""

import asyncio
import http.server
import json
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlsplit

import httpx2

from bench.gate import Row, median, spread

ISSUES, PER_PAGE, RUNS = 5_000, 100, 5
GATE = 3.0  # a second of waiting for a tool is common; what is added to reading it should not be noticed beside it


def run() -> list[Row]:
    """Return the time of this process for a pull, over that for asking for the same pages and decoding them."""
    with subprocess.Popen([sys.executable, "-m", "bench.pulling"], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = f"http://127.0.0.1:{int(server.stdout.readline())}"
            _ours(address)  # what is loaded once is loaded
            pairs = [(_ours(address), _bare(address)) for _ in range(RUNS)]
        finally:
            server.terminate()
    ratios = [ours / bare for ours, bare in pairs]
    note = f"{ISSUES:,} issues in {ISSUES // PER_PAGE} pages, {median(o for o, _ in pairs):.2f} s; {spread(ratios)}"
    return [
        Row("pulling issues of Jira into a plan", median(ratios), "of the same pages by bare HTTP and JSON", GATE, note)
    ]


def _ours(address: str) -> float:
    from web.sources.tools.registry import TOOLS
    from web.sources.tools.tool import Attached

    values = {"edition": "data-center", "items": "jql", "jql": "project = HARBOUR"}
    given = Attached(address=address, values=values, secret="x")

    async def pulled() -> int:
        async with httpx2.AsyncClient(verify=False, trust_env=False) as client:
            begun = time.process_time()
            found = await TOOLS["jira"].pull(given, "", client)
            assert found.plan is not None
            assert len(found.plan.milestones) == ISSUES
            return int((time.process_time() - begun) * 1e9)

    return asyncio.run(pulled()) / 1e9


def _bare(address: str) -> float:
    async def asked() -> int:
        async with httpx2.AsyncClient(verify=False, trust_env=False) as client:
            begun = time.process_time()
            read = 0
            while read < ISSUES:
                params = {"startAt": str(read), "maxResults": str(PER_PAGE)}
                answer = await client.get(f"{address}/rest/api/2/search", params=params)
                read += len(json.loads(answer.content)["issues"])
            return int((time.process_time() - begun) * 1e9)

    return asyncio.run(asked()) / 1e9


def _page(start: int, size: int) -> bytes:
    issues = [
        {
            "id": str(10_000 + i),
            "key": f"HARBOUR-{i}",
            "self": f"http://127.0.0.1/rest/api/2/issue/{10_000 + i}",
            "fields": {
                "summary": f"Section {i} is ready for the next trade",
                "duedate": f"2027-{1 + i % 12:02d}-{1 + i % 28:02d}",
                "resolutiondate": f"2026-{1 + i % 10:02d}-11T10:00:00.000+0200" if i % 3 == 0 else None,
                "status": {
                    "name": "Done" if i % 3 == 0 else "Open",
                    "id": "3",
                    "iconUrl": "http://127.0.0.1/images/icons/statuses/closed.png",
                    "statusCategory": {"id": 3, "key": "done" if i % 3 == 0 else "new", "name": "x"},
                },
            },
        }
        for i in range(start, min(start + size, ISSUES))
    ]
    return json.dumps({"startAt": start, "maxResults": size, "total": ISSUES, "issues": issues}).encode()


class _Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    pages: dict[int, bytes] = {}  # as they were made, so that making them is not waited for

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path.endswith("/serverInfo"):
            body = json.dumps({"serverTime": "2026-11-29T12:00:00.000+0200"}).encode()
        else:
            start = int(parse_qs(parts.query).get("startAt", ["0"])[0])
            body = self.pages.setdefault(start, _page(start, PER_PAGE))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_given: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    print(served.server_address[1], flush=True)
    served.serve_forever()
