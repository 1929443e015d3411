"""Links that were asked for on the sign-in page: kept in bounded memory, and mailed by a thread of their own.

Rule: whoever asks is answered before anything is looked up, so that the answer tells nobody which address is known. An
address that is not known leaves no trace.
"""

import logging
import threading
from collections.abc import Callable

from domain.errors import Refused
from domain.people.mails import LINKS
from domain.people.memberships import compared
from projections.events.world import World
from web.ids import new_id
from web.mail.due import Errand
from web.mail.reach import opened_for

log = logging.getLogger("fanlight.post")
EVERY = 1.0  # seconds between two looks, so that no mail is made while the answer is
MOST = 1000  # addresses that wait at once; beyond that they are dropped, with the same answer
LONGEST = 254  # letters of an address, RFC 5321 4.5.3.1.3


class Asked:
    """The addresses for which a link was asked, until they are looked at. Any thread may call `ask`."""

    def __init__(self, mail: Callable[[Errand, str], None], world: Callable[[], World]) -> None:
        self._mail, self._world = mail, world
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[str, str]] = {}  # address as typed and the page to lead on to, by it as compared

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, address: str, way_on: str) -> None:
        """Keep an address for the next look; `way_on` is the path of the page that was asked for, or ""."""
        with self._lock:
            if 0 < len(address) <= LONGEST and len(self._waiting) < MOST:
                self._waiting[compared(address)] = address, way_on

    def run(self, stop: threading.Event) -> None:
        """Mail what was asked for until `stop`, and what is left then."""
        while not stop.wait(EVERY):
            self.look(stop.is_set)
        self.look()

    def look(self, over: Callable[[], bool] = lambda: False) -> None:
        """Mail a link to whoever has an address that waits, until `over`."""
        while not over() and (asked := self._next()):
            address, way_on = asked
            try:
                for errand in errands(self._world(), address):
                    self._mail(errand, way_on)
            except Refused:
                continue  # their access ended a moment ago
            except Exception:
                log.exception("a link that was asked for could not be mailed")

    def _next(self) -> tuple[str, str] | None:
        with self._lock:
            first = next(iter(self._waiting), None)
            return self._waiting.pop(first) if first is not None else None


def errands(world: World, address: str) -> list[Errand]:
    """Return a mail for each person whom an address reaches, at most `LINKS`, which share what one address may get."""
    found = [(person, opened_for(person, address)) for person in world.addressed(address) if person.comes_in]
    people = [(person, opened) for person, opened in found if opened is not None][:LINKS]
    return [
        Errand(
            person=person.id,
            mail=new_id(),
            kind="link",
            client=opened[0] if len(opened) == 1 else None,
            most=LINKS // len(people),
        )
        for person, opened in people
    ]
