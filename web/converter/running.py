"""Runs the process that holds Java for one file: in a folder of its own, for so long, with nothing of our settings.

What is wrong comes out as a sentence; the process and whatever it began are gone when this returns.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec

from domain.language import gettext as _
from web.converter.bounds import Allowance, Converted, missing
from web.importers.plan import broken, busy, too_large

ROOT = Path(__file__).parents[2]
KEPT = ("PATH", "JAVA_HOME", "LD_LIBRARY_PATH")  # of the environment; no setting and no secret
_turns = threading.BoundedSemaphore(1)  # one conversion at a time in a process; others wait for as long as one may take


def convert(kind: str, file: Path, out: Path, bounds: Allowance) -> Converted:
    """Write the plan in a file of this kind to `out` as Microsoft Project's XML.

    Raises: BrokenFile.
    """
    if lacks := missing():
        raise broken(_("Nothing can be converted here: {lacks}.", lacks=lacks))
    if file.stat().st_size > bounds.max_bytes:
        raise broken(too_large(bounds.max_bytes))
    if not _turns.acquire(timeout=bounds.seconds):
        raise busy(_("Other files are being converted. Try again in some minutes."))
    try:
        with tempfile.TemporaryDirectory(prefix="fanlight-convert-") as folder:
            made = Path(folder) / "plan.xml"
            told = _run([kind, str(file.resolve()), str(made)], Path(folder), bounds)
            if told.wrong:
                raise broken(_sentence(told, bounds))
            _moved(made, out)
            return told
    finally:
        _turns.release()


def _run(arguments: list[str], folder: Path, bounds: Allowance) -> Converted:
    bounded = [str(bounds.memory_mb), str(bounds.most_written), str(bounds.seconds)]
    command = [sys.executable, "-m", "web.converter.child", *arguments, *bounded]
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {"LANG": "C.UTF-8", "HOME": str(folder), "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    with (folder / "said").open("w+b") as said:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said,
            start_new_session=True,
        )  # fmt: skip
        try:
            answer, _nothing = process.communicate(timeout=bounds.seconds)
        except subprocess.TimeoutExpired:
            return Converted(wrong="time")
        finally:
            _end(process)
        said.seek(max(0, said.tell() - 4000))
        return _told(answer, process.returncode, said.read().decode("utf-8", "replace"))


def _told(answer: bytes, code: int, said: str) -> Converted:
    with contextlib.suppress(msgspec.DecodeError):
        return msgspec.json.decode(answer, type=Converted)
    if code in {-signal.SIGXCPU, -signal.SIGKILL}:
        return Converted(wrong="time")
    full = any(word in said for word in ("OutOfMemory", "MemoryError", "Cannot allocate", "Could not reserve"))
    return Converted(wrong="memory" if full else "unreadable", told=" ".join(said.split())[-300:])


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process with all that it began, and wait for its end."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _moved(made: Path, out: Path) -> None:
    """Put what was written where it is wanted, which may be another disk, as one file or none."""
    coming = out.with_name(f"{out.name}.{os.getpid()}-{threading.get_ident()}-{time.monotonic_ns()}.coming")
    try:
        with made.open("rb") as source, coming.open("wb") as target:
            while block := source.read(1 << 20):
                target.write(block)
        coming.replace(out)
    finally:
        coming.unlink(missing_ok=True)


def _sentence(told: Converted, bounds: Allowance) -> str:
    """Return what is wrong and what to do."""
    match told.wrong:
        case "time":
            return _(
                "Converting took longer than {seconds} seconds and was stopped. Save the plan as Microsoft Project XML "
                "and send that, or have the setting converter_seconds raised.",
                seconds=bounds.seconds,
            )
        case "memory":
            return _(
                "Converting needed more memory than {memory} MiB. Save the plan as Microsoft Project XML and send "
                "that, or have the setting converter_memory_mb raised.",
                memory=bounds.memory_mb,
            )
        case "doctype":
            return _(
                "The file declares a DOCTYPE or entities, or does not begin as XML. An attack does that, a plan never; "
                "nothing of it was taken. Export the plan again from the planning tool."
            )
        case "password":
            return _("The file is protected by a password. Save it without one and send that.")
        case "empty":
            return _("No task was found in the file. Export the whole plan again and send that.")
        case _:
            return _(
                "The file cannot be converted: it is damaged, or of a version that is not known. Save it again, or as "
                "Microsoft Project XML, and send that. ({told})",
                told=told.told or _("nothing more is known"),
            )
