"""The format of log lines on standard error: text, or one JSON object a line.

Rule: no log line holds a secret.
"""

import logging
import time
from datetime import UTC, datetime

import msgspec

TELL_ADDRESSES = ("httpx2", "httpcore2")  # loggers of requests of ours: whole addresses and headers, even of channels

_encode = msgspec.json.Encoder().encode


class JsonLines(logging.Formatter):
    """A record as one JSON object: time (UTC), level, logger, message, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line; line feeds in it are escaped."""
        line = {
            "at": _instant(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return _encode(line).decode()


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def say(sentence: str, form: str) -> None:
    """Print a sentence about the start on standard output, whatever the level of the log; `form` as in `begin`."""
    if form == "json":
        line = {"at": _instant(time.time()), "level": "info", "logger": "fanlight", "message": sentence}
        sentence = _encode(line).decode()
    print(sentence, flush=True)  # noqa: T201  # for whoever started it


def begin(level: str, form: str) -> None:
    """Write records of `level` and above to standard error, as "text" or "json"."""
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(JsonLines() if form == "json" else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    hush()


def hush() -> None:
    """Have the loggers that tell addresses and headers tell trouble alone, whatever the level of the log."""
    for name in TELL_ADDRESSES:
        logging.getLogger(name).setLevel(logging.WARNING)
