"""The logs and keys of one installation, kept in one folder; `database` keeps the same in Postgres.

Rule: `keys.db` and `signing.key` stay out of backups of the logs, or erased content could be read from a backup.
"""

import sqlite3
from pathlib import Path

from eventsourcing.persistence import ApplicationRecorder, InterfaceError, OperationalError, ProcessRecorder
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore, SQLiteProcessRecorder

from projections.events.event_log import EventLog
from projections.installation.lease import FolderLease, Lease
from projections.logs.disclosure_log import DisclosureLog
from projections.logs.keys import FileKeys, Keys
from projections.logs.ledger import Ledger
from projections.logs.vault import Vault
from projections.receipts.receipt_log import ReceiptLog

AWAY: tuple[type[Exception], ...] = (
    InterfaceError,
    OperationalError,
)  # raised where the logs cannot be reached or written


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
        self.lease: Lease = FolderLease()
        self.shared = False  # other processes may serve the same logs
        self.away = AWAY
        self.installation = ""  # its own random name, where it is shared

    def close(self) -> None:
        """Close every connection."""
        self.vault.close()


class Folder(Logs):
    """Each log in its own SQLite file (WAL, synchronous=FULL: the library's default)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        names = ("events.db", "disclosure.db", "receipts.db", "ledger.db")
        self._datastores = [_datastore(folder / name) for name in names]
        events = SQLiteApplicationRecorder(self._datastores[0])
        disclosure = SQLiteProcessRecorder(self._datastores[1])
        receipts = SQLiteApplicationRecorder(self._datastores[2])
        ledger = SQLiteApplicationRecorder(self._datastores[3])
        for recorder in (events, disclosure, receipts, ledger):
            recorder.create_table()
        super().__init__(str(folder), events, disclosure, receipts, ledger, FileKeys(folder / "keys.db"))
        self.away = (*AWAY, sqlite3.OperationalError)  # also what the keys raise

    def close(self) -> None:
        """Close every connection."""
        for datastore in self._datastores:
            datastore.close()
        super().close()


def _datastore(path: Path) -> SQLiteDatastore:
    return SQLiteDatastore(str(path), lock_timeout=15, originator_id_type="text")
