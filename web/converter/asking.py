"""Asks a converter service: the file goes as the body of one plain HTTP request, over TCP or a Unix socket."""

import contextlib
import http.client
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from domain.language import gettext as _
from web.converter.bounds import Allowance, Converted
from web.importers.plan import broken, busy, too_large

BLOCK = 1 << 20
MOST_SAID = 64 * 1024  # bytes of a refusal, and of the header that tells what was met
BUSY = 503  # the status of a service that converts other files
CONNECTING = 5.0  # seconds
TOLD = "fanlight-converted"  # the header


class _Local(http.client.HTTPConnection):
    """A connection through a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask(address: str, kind: str, file: Path, out: Path, bounds: Allowance) -> Converted:
    """Have the service at an address convert a file of this kind to `out`.

    Raises: BrokenFile.
    """
    if file.stat().st_size > bounds.max_bytes:
        raise broken(too_large(bounds.max_bytes))
    connection = _connection(address, 2 * bounds.seconds + CONNECTING)  # it may wait for its turn
    coming = out.with_name(f"{out.name}.{os.getpid()}-{id(connection)}.coming")
    try:
        with file.open("rb") as body:
            size = os.fstat(body.fileno()).st_size
            headers = {"content-type": "application/octet-stream", "content-length": str(size)}
            connection.request("POST", f"/convert?kind={kind}", body=body, headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            raise (busy if answer.status == BUSY else broken)(_refused(answer))
        told = msgspec.json.decode(answer.getheader(TOLD, "").encode(), type=Converted)
        _take(answer, coming, bounds.most_written)
        coming.replace(out)
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
        raise broken(
            _(
                "The converter does not answer ({error}). Try again in some minutes, or save the plan as Microsoft "
                "Project XML and send that.",
                error=str(error) or type(error).__name__,
            )
        ) from None
    finally:
        connection.close()
        coming.unlink(missing_ok=True)
    return told


def _connection(address: str, timeout: float) -> http.client.HTTPConnection:
    if address.startswith("unix:"):
        return _Local(address.removeprefix("unix:"), timeout)
    parts = urlsplit(address)
    return http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout)


def _refused(answer: http.client.HTTPResponse) -> str:
    """Return the sentence that the service refused with."""
    said = answer.read(MOST_SAID)
    with contextlib.suppress(msgspec.DecodeError, KeyError, TypeError):
        return str(msgspec.json.decode(said)["problem"])
    return _("The converter refused the file, with status {status}.", status=answer.status)


def _take(answer: http.client.HTTPResponse, coming: Path, most: int) -> None:
    came = 0
    with coming.open("wb") as kept:
        while block := answer.read(BLOCK):
            came += len(block)
            if came > most:
                raise broken(too_large(most))
            kept.write(block)
