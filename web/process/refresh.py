"""What others recorded, taken in before an answer: one read for everybody who asks meanwhile."""

import asyncio
from collections.abc import Callable


class SharedRefresh:
    """`await fresh()` returns after a read that began after the call. The event loop owns it."""

    def __init__(self, read: Callable[[], object]) -> None:
        self._read = read
        self._next: asyncio.Future[None] | None = None
        self._work: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        """Take in what is new.

        Raises: whatever keeps it from being read.
        """
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        mine = self._next
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._go_on())
        await asyncio.shield(mine)

    async def _go_on(self) -> None:
        while (asked := self._next) is not None:
            self._next = None
            try:
                await asyncio.to_thread(self._read)
            except Exception as error:  # noqa: BLE001  # told to everybody who asked
                asked.set_exception(error)
                asked.exception()  # they may all have gone
            else:
                asked.set_result(None)
