"""A container engine of our own, in namespaces of its own: without a network outside, gone with the process that began it."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
KEPT = ROOT / "build" / "compose"  # what is fetched once: a Debian for the stand-ins, the wheels of the image
STAND_INS = Path(__file__).parent / "stand_ins"
PYTHON = "3.13"  # of the image, in the Dockerfile and in Debian trixie
MIRROR = [one for one in (os.environ.get("DEBIAN_MIRROR"),) if one]  # empty: the one debootstrap takes by itself
PACKAGES = ("ca-certificates,python3,python3-venv,postgresql-17,valkey-server,caddy,docker-registry,gosu,libcap2-bin,"
            "default-jre-headless")  # fmt: skip
LEFT_OUT = ("usr/lib/x86_64-linux-gnu/libLLVM*", "usr/lib/postgresql/*/lib/llvmjit*", "usr/lib/postgresql/*/lib/bitcode",
            "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/i18n", "var/cache/apt", "var/lib/apt/lists",
            "var/lib/postgresql/*", "dev/*", "proc/*")  # fmt: skip
PROGRAMS = ("dockerd", "docker", "unshare", "ip", "iptables", "openssl")
ROOM = 6 << 30  # bytes that an engine may take, in memory where there is twice as much
HOW = (
    "Debian 13 has all of it: apt-get install docker.io docker-cli docker-compose iptables iproute2 debootstrap openssl. "
    "Elsewhere, as root: sh tests/services/compose/in-trixie runs this in a Debian 13 of its own."
)


def missing() -> str:
    """Return what keeps the test from running here, in words; nothing when it can."""
    lacks = [name for name in PROGRAMS if shutil.which(name) is None]
    if not (KEPT / "debian.tar").exists() and shutil.which("debootstrap") is None:
        lacks.append("debootstrap")
    found = [f"no {', '.join(lacks)}"] if lacks else []
    if os.geteuid():
        found.append("an engine of one's own needs root")
    version = _compose()
    if not version:
        found.append("no Compose")
    elif int(version.split(".")[0]) < 2:
        found.append(f"docker-compose {version} is too old, docker-compose.yml needs Compose 2")
    return f"{'; '.join(found)}. {HOW}" if found else ""


def _compose() -> str:
    for program in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(program[0]):
            done = subprocess.run(
                [*program, "version", "--short"], capture_output=True, text=True, check=False, timeout=30
            )
            if done.returncode == 0 and (version := re.search(r"\d+\.\d+\.\d+", done.stdout)):
                return version[0]
    return ""


def fetch() -> None:
    """Fetch what the stand-ins are made of, unless it is there: from Debian's mirror and with pip, as set up here."""
    KEPT.mkdir(parents=True, exist_ok=True)
    debian, locks = KEPT / "debian.tar", [ROOT / f"requirements.{one}.lock" for one in ("run", "build", "convert")]
    asked = KEPT / "debian.asked"  # what the one that is there was made of
    if not (debian.exists() and asked.exists() and asked.read_text() == PACKAGES):
        with tempfile.TemporaryDirectory(dir=KEPT) as folder:
            root = Path(folder) / "root"
            _run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "trixie", str(root), *MIRROR)
            new = KEPT / "debian.tar.new"
            left_out = [f"--exclude=./{one}" for one in LEFT_OUT]
            _run("tar", "--create", f"--file={new}", "--one-file-system", *left_out, f"--directory={root}", ".")
            new.rename(debian)
        asked.write_text(PACKAGES)
    wheels, state = KEPT / "wheels", hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()
    if not (wheels / state).exists():
        shutil.rmtree(wheels, ignore_errors=True)
        for lock in locks:
            _run(sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--only-binary=:all:",
                 f"--python-version={PYTHON}", f"--dest={wheels}", f"--requirement={lock}")  # fmt: skip
        (wheels / state).touch()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    assert done.returncode == 0, f"{command[0]}: {(done.stdout + done.stderr)[-3000:]}"


def enclosed(*arguments: str) -> int:
    """Run this package once more in namespaces of its own: mounts, network, processes. All of it ends with it."""
    inside = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
    return subprocess.run([*inside, sys.executable, "-m", __package__, *arguments], cwd=ROOT, check=False).returncode


@contextmanager
def engine(site: str) -> Iterator[Path]:
    """Start an engine that has the images, and end it; yields a folder. `site` is this machine's name meanwhile."""
    home = Path(tempfile.mkdtemp(prefix="fanlight-compose-"))
    if os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") > 2 * ROOM:  # gone with the mounts of this namespace
        _run("mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(home))
    hosts = home / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {site}\n")
    _run("ip", "link", "set", "lo", "up")
    _run("mount", "--bind", str(hosts), "/etc/hosts")
    os.environ |= {"DOCKER_HOST": f"unix://{home}/docker.sock", "DOCKER_CONFIG": str(home / "config")}
    with (home / "log").open("w") as log:
        daemon = subprocess.Popen(
            ["dockerd", "--data-root", home / "data", "--exec-root", home / "exec", "--pidfile", home / "pid",
             "--host", f"unix://{home}/docker.sock", "--registry-mirror", "http://127.0.0.1:5000"],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        end = time.monotonic() + 60
        while subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=30).returncode:
            assert daemon.poll() is None, (home / "log").read_text()[-3000:]
            assert time.monotonic() < end, (home / "log").read_text()[-3000:]
            time.sleep(0.2)
        _run("sh", str(STAND_INS / "images"), str(KEPT / "debian.tar"), str(KEPT / "wheels"))
        yield home
    finally:
        daemon.terminate()
        daemon.wait(60)
        mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for place in [one for one in reversed(mounted) if Path(one).is_relative_to(home)]:
            subprocess.run(["umount", "--lazy", place], capture_output=True, check=False)
        shutil.rmtree(home, ignore_errors=True)
