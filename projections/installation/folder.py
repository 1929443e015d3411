"""The logs and keys of one installation, kept in one folder; `database` keeps the same in Postgres.

Rule: `keys.db` and `signing.key` stay out of backups of the logs, or erased content could be read from a backup.
"""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from eventsourcing.persistence import (
    ApplicationRecorder,
    InterfaceError,
    OperationalError,
    PersistenceError,
    ProcessRecorder,
)
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore, SQLiteProcessRecorder

from domain.events import Recorded
from domain.language import gettext as _
from projections.events.event_log import EventLog, Unreadable
from projections.installation.attendance import Attendance
from projections.installation.lease import FolderLease, Lease
from projections.installation.snapshots import FileSnapshots, NoSnapshots, Snapshots, SnapshotStore
from projections.logs.disclosure_log import DisclosureLog, Row
from projections.logs.keys import FileKeys, Keys
from projections.logs.ledger import Ledger
from projections.logs.vault import Vault
from projections.receipts.receipt_log import ReceiptLog

LOGS = "events.db", "disclosure.db", "receipts.db", "ledger.db"
SNAPSHOT_FILE = "snapshot.db"  # no part of the record: it may be deleted
AWAY: tuple[type[Exception], ...] = (
    InterfaceError,
    OperationalError,
)  # raised where the logs cannot be reached or written


class Unopened(Exception):
    """The logs of an installation cannot be opened as they lie there."""


class Logs:
    """The event log, the disclosure log, the receipts, the ledger and the keys of one installation."""

    def __init__(
        self,
        where: str,
        events: ApplicationRecorder,
        disclosure: ProcessRecorder,
        receipts: ApplicationRecorder,
        ledger: ApplicationRecorder,
        keys: Keys,
    ) -> None:
        self.where = where  # the place, in words
        self.vault = Vault(keys)
        self.events = EventLog(events, self.vault)
        self.disclosure = DisclosureLog(disclosure, self.vault)
        self.receipts = ReceiptLog(receipts, self.vault)
        self.ledger = Ledger(ledger)
        self.processes = Attendance(receipts)  # beside the receipts, in no tree
        self.lease: Lease = FolderLease()
        self.shared = False  # other processes may serve the same logs
        self.away = AWAY
        self.unreadable: tuple[type[Exception], ...] = (PersistenceError,)  # raised where what is stored is no log
        self.read_only = False
        self.installation = ""  # its own random name, where it is shared
        self._keep_snapshots(NoSnapshots())

    def _keep_snapshots(self, store: SnapshotStore) -> None:
        self.snapshots = Snapshots(store, self.events, self.vault, self.disclosure.position)

    def entries_and_events(
        self, place: int, limit: int, position: int
    ) -> tuple[list[Row], list[Recorded | Unreadable]]:
        """Return entries after a place, and the events after a position, none missing that was recorded before them.

        Where as many events come as are read at a time, more follow.
        """
        rows = self.disclosure.since(place, limit)
        return rows, self.events.after(position)

    def close(self) -> None:
        """Close every connection."""
        self.vault.close()


class Folder(Logs):
    """Each log in its own SQLite file (WAL, synchronous=FULL: the library's default).

    A folder that cannot be written, such as a copy on read-only media, is read as it lies there.

    Raises: Unopened.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        read_only = not _writable(folder)
        if read_only:
            _refuse_half_merged(folder)
        self._datastores = [_datastore(folder / name, read_only=read_only) for name in LOGS]
        events = SQLiteApplicationRecorder(self._datastores[0])
        disclosure = SQLiteProcessRecorder(self._datastores[1])
        receipts = SQLiteApplicationRecorder(self._datastores[2])
        ledger = SQLiteApplicationRecorder(self._datastores[3])
        try:
            for recorder in () if read_only else (events, disclosure, receipts, ledger):
                recorder.create_table()
            keys = FileKeys(folder / "keys.db", read_only=read_only)
            super().__init__(str(folder), events, disclosure, receipts, ledger, keys)
        except (PersistenceError, sqlite3.Error) as error:
            raise Unopened(_("{folder} cannot be opened: {error}", folder=folder, error=error)) from error
        self.read_only = read_only
        if not read_only:
            self._keep_snapshots(FileSnapshots(folder / SNAPSHOT_FILE))
        self.away = (*AWAY, sqlite3.OperationalError)  # also what the keys raise
        self.unreadable = (PersistenceError, sqlite3.Error)

    def close(self) -> None:
        """Close every connection."""
        for datastore in self._datastores:
            datastore.close()
        super().close()


def _writable(folder: Path) -> bool:
    """Tell whether a folder can be written, with the files of an installation in it."""
    there = [path for name in LOGS if (path := folder / name).exists()]
    return all(os.access(path, os.W_OK) for path in (folder, *there))


def _refuse_half_merged(folder: Path) -> None:
    """Refuse to read files that a writer left unfinished: without writing, what was not merged would not be read.

    Raises: Unopened.
    """
    for name in LOGS:
        rest = folder / f"{name}-wal"
        if rest.exists() and rest.stat().st_size:
            told = _("{folder} cannot be written, and {name} was not merged.", folder=folder, name=rest.name)
            raise Unopened(_("{told} Copy the folder to where it can be written, and look there.", told=told))


def _datastore(path: Path, *, read_only: bool) -> SQLiteDatastore:
    name = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1" if read_only else str(path)
    return SQLiteDatastore(name, lock_timeout=15, originator_id_type="text")
