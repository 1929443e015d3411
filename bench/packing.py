"""The bytes of an update as they go over the wire, against the update as it is, over the demo's year."""

import tempfile
from pathlib import Path

from bench.gate import Row, median, spread
from web.demo.life import tell_the_year
from web.process import open_logs
from web.push import packing, wire
from web.settings import Settings

FEWEST = 20  # updates a share must have to be counted


def run() -> list[Row]:
    """Return what compression leaves of the updates of each share of the demo, joined late and for long."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder))
        tell_the_year(settings)
        logs = open_logs.logs(settings)
        rows = logs.disclosure.since(0, 1_000_000)
        shares = sorted({row.share for row in rows if not row.share.startswith(("key-", "style-", "asset-"))})
        told = [
            [wire.framed(entry.message) for entry in logs.disclosure.entries(share, 0, 1_000_000)] for share in shares
        ]
        logs.close()
    told = [frames for frames in told if len(frames) >= FEWEST]
    fresh, steady = [], []
    for frames in told:
        plain = sum(map(len, frames))
        rounds = [packing.Packed([frame], packing.earlier(frames[:i])) for i, frame in enumerate(frames)]
        fresh.append(sum(len(one.after(0)) for one in rounds) / plain)
        steady.append(sum(len(one.after(i)) for i, one in enumerate(rounds)) / plain)
    unit = f"of the plain frame; {len(told)} shares of the demo's year, window of {packing.WINDOW // 1024} KiB"
    return [
        Row("a compressed update", median(steady), unit, 0.12, spread(steady)),
        Row("a compressed update, to a page that has just come", median(fresh), unit, None, spread(fresh)),
    ]
