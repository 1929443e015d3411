"""What a share ever told: which facts stood in which updates. Folded from the record, and brought forward."""

import threading

import msgspec

from domain.view import ClientView
from projections.entries.consequence import facts
from projections.entries.entry import open_content
from projections.logs.disclosure_log import DisclosureLog

LOOK = 2_000  # updates looked through, the newest
BATCH = 200
Named = tuple[str, str]  # subject, field

_view = msgspec.json.Decoder(ClientView)


class EverTold(msgspec.Struct, frozen=True):
    """The updates in which a fact stood: the first one and the last one."""

    first: int
    last: int


class Ever(msgspec.Struct, kw_only=True):
    """Everything one share told in the updates after `since`."""

    since: int = 0
    upto: int = 0
    told: dict[Named, EverTold] = {}
    titles: dict[str, str] = {}  # of milestones and risks, as they were called last


class EverSeen:
    """What each share ever told. May be used from several threads."""

    def __init__(self, log: DisclosureLog) -> None:
        self._log, self._lock = log, threading.Lock()
        self._ever: dict[str, Ever] = {}
        self._locks: dict[str, threading.Lock] = {}  # one of each share: a long record keeps nobody else waiting

    def of(self, share: str) -> Ever:
        """Return what a share told up to its newest update."""
        with self._lock:
            mine = self._locks.setdefault(share, threading.Lock())
        with mine:
            head = self._log.head(share)
            ever = self._ever.get(share)
            if ever is None or ever.upto > head:
                ever = self._ever[share] = Ever(since=max(0, head - LOOK), upto=max(0, head - LOOK))
            while found := self._log.kept(share, ever.upto, BATCH, head):
                for kept in found:
                    ever.upto = kept.n
                    if kept.raw:  # else it was erased: what it said is not ours to tell
                        self._take(ever, kept.n, _view.decode(open_content(kept.raw).view))
            return msgspec.structs.replace(ever, told=dict(ever.told), titles=dict(ever.titles))

    def forget(self, share: str) -> None:
        """Drop what is in memory of a share: the content of some of its updates was erased."""
        with self._lock:
            self._ever.pop(share, None)

    def _take(self, ever: Ever, n: int, view: ClientView) -> None:
        for subject, field, _ in facts(view):
            known = ever.told.get((subject, field))
            ever.told[subject, field] = EverTold(known.first if known else n, n)
        ever.titles |= {f"milestone-{row.id}": row.title for row in view.milestones}
        ever.titles |= {f"risk-{card.id}": f"{card.ref} {card.title}" for card in view.risks}
