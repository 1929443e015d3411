"""One installation in one folder: each log in its own SQLite file (WAL, synchronous=FULL: the library's default)."""

from pathlib import Path

from eventsourcing.persistence import ApplicationRecorder
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore, SQLiteProcessRecorder

from projections.eventlog import EventLog
from projections.store import DisclosureLog


class Folder:
    """The event log, the disclosure log and the receipts of one installation."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._datastores = [_datastore(folder / name) for name in ("events.db", "disclosure.db", "receipts.db")]
        events = SQLiteApplicationRecorder(self._datastores[0])
        disclosure = SQLiteProcessRecorder(self._datastores[1])
        receipts = SQLiteApplicationRecorder(self._datastores[2])
        for recorder in (events, disclosure, receipts):
            recorder.create_table()
        self.events = EventLog(events)
        self.disclosure = DisclosureLog(disclosure)
        self.receipts: ApplicationRecorder = receipts

    def close(self) -> None:
        """Close every connection."""
        for datastore in self._datastores:
            datastore.close()


def _datastore(path: Path) -> SQLiteDatastore:
    return SQLiteDatastore(str(path), lock_timeout=15, originator_id_type="text")
