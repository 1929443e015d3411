"""One installation in one folder: each log in its own SQLite file (WAL, synchronous=FULL: the library's default).

`keys.db` and `signing.key` are no log: they are kept out of backups of the logs, or erasing would not erase.
"""

from pathlib import Path

from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore, SQLiteProcessRecorder

from projections.eventlog import EventLog
from projections.ledger import Ledger
from projections.receiptlog import ReceiptLog
from projections.store import DisclosureLog
from projections.vault import Vault


class Folder:
    """The event log, the disclosure log, the receipts, the ledger and the keys of one installation."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder
        names = ("events.db", "disclosure.db", "receipts.db", "ledger.db")
        self._datastores = [_datastore(folder / name) for name in names]
        events = SQLiteApplicationRecorder(self._datastores[0])
        disclosure = SQLiteProcessRecorder(self._datastores[1])
        receipts = SQLiteApplicationRecorder(self._datastores[2])
        ledger = SQLiteApplicationRecorder(self._datastores[3])
        for recorder in (events, disclosure, receipts, ledger):
            recorder.create_table()
        self.vault = Vault(folder / "keys.db")
        self.events = EventLog(events, self.vault)
        self.disclosure = DisclosureLog(disclosure, self.vault)
        self.receipts = ReceiptLog(receipts, self.vault)
        self.ledger = Ledger(ledger)

    def close(self) -> None:
        """Close every connection."""
        for datastore in self._datastores:
            datastore.close()
        self.vault.close()


def _datastore(path: Path) -> SQLiteDatastore:
    return SQLiteDatastore(str(path), lock_timeout=15, originator_id_type="text")
