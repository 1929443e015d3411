"""Files are read in threads of their own, few at a time, so that however many wait none holds a thread of the pages.

Rule: whoever waits here waits without a thread. Some kilobytes can ask for minutes of a reader, and the threads of the
pool are what every other page is answered by.
"""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, move_on_after, to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from domain.language import gettext as _
from web.door.problem import at_json_door, problem

AT_ONCE, PATIENCE = 4, 60.0  # files of one process, and seconds for which others wait
LATER = 60  # seconds after which to try again
Made = TypeVar("Made")


class NoTurn(Exception):
    """A file had no turn in time. Nothing of it was read."""


async def read_apart(request: Request, read: Callable[[], Made]) -> Made:
    """Return what `read` returns, in a thread that no page needs, once it has its turn. Raises: NoTurn."""
    limiter, turn = _limiter(request), object()
    with move_on_after(PATIENCE) as waiting:
        await limiter.acquire_on_behalf_of(turn)
    if waiting.cancelled_caught:
        raise NoTurn
    try:
        return await to_thread.run_sync(read, limiter=CapacityLimiter(1))  # its turn is what bounds it
    finally:
        limiter.release_on_behalf_of(turn)


def busy(request: Request) -> Response:
    """Return what is answered where a file had no turn in time."""
    told = _("Other plans are being read. Try again in some minutes.")
    at_api = at_json_door(request)
    answer = problem(503, _("Not possible now"), told) if at_api else PlainTextResponse(f"{told}\n", 503)
    answer.headers.update({"retry-after": str(LATER), "cache-control": "no-store"})
    return answer


def _limiter(request: Request) -> CapacityLimiter:
    state = request.app.state
    if not hasattr(state, "plans_read"):
        state.plans_read = CapacityLimiter(AT_ONCE)
    limiter: CapacityLimiter = state.plans_read
    return limiter
