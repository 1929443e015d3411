"""`EverToldIndex`: the first and the last update in which a share showed each fact, derived from the record."""

import threading

import msgspec

from domain.view import ClientView
from projections.entries.consequence import facts
from projections.logs.disclosure_log import DisclosureLog
from projections.replay.pages import Views

LOOK = 2_000  # of the newest updates are read
BATCH = 200  # updates read at a time
Named = tuple[str, str]  # subject, field


class EverTold(msgspec.Struct, frozen=True):
    """The first and the last update in which a fact stood."""

    first: int
    last: int


class Ever(msgspec.Struct, kw_only=True):
    """Every fact one share showed in the updates since + 1 ... upto."""

    since: int = 0
    upto: int = 0
    told: dict[Named, EverTold] = {}
    titles: dict[str, str] = {}  # of milestones and risks, as they were called last


class EverToldIndex:
    """The facts each share ever showed. Thread-safe."""

    def __init__(self, log: DisclosureLog) -> None:
        self._log, self._lock = log, threading.Lock()
        self._ever: dict[str, Ever] = {}
        self._locks: dict[str, threading.Lock] = {}  # of each share: reading a long record holds up no other share

    def of(self, share: str) -> Ever:
        """Return the facts of a share up to its newest update, as a copy."""
        with self._lock:
            mine = self._locks.setdefault(share, threading.Lock())
        with mine:
            head = self._log.head(share)
            ever = self._ever.get(share)
            if ever is None or ever.upto > head:
                ever = self._ever[share] = Ever(since=max(0, head - LOOK), upto=max(0, head - LOOK))
            views = Views(self._log, share)
            while entries := self._log.kept(share, ever.upto, BATCH, head):
                for kept in entries:
                    ever.upto = kept.n
                    if (view := views.after(kept)) is not None:  # else what it showed may not be repeated
                        self._take(ever, kept.n, view)
            return msgspec.structs.replace(ever, told=dict(ever.told), titles=dict(ever.titles))

    def forget(self, share: str) -> None:
        """Drop the cached facts of a share, after the content of some of its updates was erased."""
        with self._lock:
            self._ever.pop(share, None)

    def forget_all(self) -> None:
        """Drop the cached facts of every share, after a person was erased."""
        with self._lock:
            self._ever.clear()

    def _take(self, ever: Ever, n: int, view: ClientView) -> None:
        for subject, field, _ in facts(view):
            earlier = ever.told.get((subject, field))
            ever.told[subject, field] = EverTold(earlier.first if earlier else n, n)
        ever.titles |= {f"milestone-{row.id}": row.title for row in view.milestones}
        ever.titles |= {f"risk-{card.id}": f"{card.ref} {card.title}" for card in view.risks}
