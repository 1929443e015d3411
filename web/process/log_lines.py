"""What is written to standard error: lines for people, or one JSON object a line for machines. Never a secret."""

import logging
from datetime import UTC, datetime

import msgspec

_encode = msgspec.json.Encoder().encode


class JsonLines(logging.Formatter):
    """Time in UTC, level, logger, message, and the traceback where there is one; a line feed never starts a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return _encode(line).decode()


def begin(level: str, form: str) -> None:
    """Send everything from `level` on to standard error, as "text" or "json"."""
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(JsonLines() if form == "json" else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
