"""No log line holds a secret: not the address of a channel, which is one, and no header of what is asked."""

import asyncio
import logging
from collections.abc import Iterator

import httpx2
import pytest

from web.process import log_lines

pytestmark = pytest.mark.once
SECRET = "T0000-B0000-secretpath"


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    """Leave the levels of loggers as they were."""
    loggers = [logging.getLogger(name) for name in log_lines.TELL_ADDRESSES]
    before = [one.level for one in loggers]
    yield
    for one, level in zip(loggers, before, strict=True):
        one.setLevel(level)


async def asked() -> None:
    answer = httpx2.MockTransport(lambda _request: httpx2.Response(200, headers={"x-token": SECRET}))
    async with httpx2.AsyncClient(transport=answer) as client:
        await client.post(f"https://hooks.example.com/services/{SECRET}")


def test_an_address_of_a_channel_is_not_logged_whatever_the_level(caplog: pytest.LogCaptureFixture) -> None:
    for name in log_lines.TELL_ADDRESSES:
        logging.getLogger(name).setLevel(logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    asyncio.run(asked())
    assert SECRET in caplog.text, "it would be, and the test would notice"
    caplog.clear()
    log_lines.hush()
    asyncio.run(asked())
    assert SECRET not in caplog.text
    assert not logging.getLogger("httpcore2.http11").isEnabledFor(logging.INFO)
