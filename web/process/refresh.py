"""A shared refresh: requests that wait at the same time share one read of the event log."""

import asyncio
import time
from collections.abc import Callable


class SharedRefresh:
    """`await refresh()` returns after a read that began after the call. Not thread-safe; owned by the event loop."""

    def __init__(self, read: Callable[[float], object]) -> None:
        """`read` takes in what was recorded before a moment (`time.monotonic`)."""
        self._read = read
        self._next: asyncio.Future[None] | None = None
        self._work: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        """Wait until everything recorded before the call is taken in.

        Raises: whatever the read raised.
        """
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        shared = self._next
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._read_until_done())
        await asyncio.shield(shared)

    async def _read_until_done(self) -> None:
        """Read once for everyone who waits, and again for those who came during the read."""
        while (waiting := self._next) is not None:
            self._next = None
            try:
                await asyncio.to_thread(self._read, time.monotonic())
            except Exception as error:  # noqa: BLE001  # raised in everyone who waits
                waiting.set_exception(error)
                waiting.exception()  # marks it as retrieved: everyone may have gone
            else:
                waiting.set_result(None)
