"""What a tool that plans are pulled from must offer: one module for each, all of the same shape.

Rule: a tool's module asks and reads, and nothing else. It decides nothing, records nothing, and knows no project; what
it returns is a plan as a file would have given it, so that the proposal is made of it in the same way.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

import httpx2
import msgspec

from web.importers.plan import Plan

Progress = Callable[[int, int], None]  # items read so far, and how many there are (0: not known)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the form of a source asks, beside its secret. Its words are messages to be translated."""

    name: str
    label: str
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()  # value and label; empty: typed
    needed: bool = True
    default: str = ""


class Most(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a tool is read in one pull: seconds, bytes of one answer, and pages. The first two are settings."""

    seconds: float = 120.0
    answer: int = 16 << 20
    pages: int = 1000


class Attached(msgspec.Struct, frozen=True, kw_only=True):
    """What a person set for a source: the tool's address, what of it is asked for, and the secret it is asked with."""

    address: str  # "https://jira.example.org", without a slash at its end
    values: Mapping[str, str]  # by the names of the tool's fields
    project: str = ""  # the id of the project it is attached to
    secret: str = ""
    hook_secret: str = ""  # what its webhooks are signed with
    most: Most = Most()

    def __repr__(self) -> str:
        return f"Attached({self.address!r}, {dict(self.values)!r}, secrets withheld)"


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """What one pull brought.

    `plan` is None where the tool said that nothing changed since the cursor; with no cursor it is always there. A
    cursor is text that only the tool's module reads, and one made when something else was asked for is as none;
    `content_hash` is the sha256 hex of what the plan says, in a stated order, so that the same plan has the same hash.
    It is there also where the plan is not.
    """

    plan: Plan | None
    cursor: str
    content_hash: str = ""
    data_date: date | None = None  # the tool's own day, in the time zone it states; UTC where it states none


class Trouble(Exception):
    """A pull that brought nothing. The message says what the tool answered and what to do, and holds no secret.

    `retry_after`: seconds that the tool asked to wait; None where it did not. `for_good`: whether trying again cannot
    help until a person has changed something (a refused secret, a project that is not there).
    """

    def __init__(self, message: str, *, retry_after: float | None = None, for_good: bool = False) -> None:
        super().__init__(message)
        self.retry_after, self.for_good = retry_after, for_good


class NoTurn(Trouble):
    """A plan that was not read, as others are: nothing is wrong with its source, so nothing is recorded of it."""


class Tool(Protocol):
    """One tool. Every method is safe to be called from several tasks, and keeps nothing between calls."""

    name: str  # in addresses and records: "jira"
    label: str  # as its makers write it: "Jira"
    fields: Sequence[Field]
    scope: str  # the least the secret must allow, as a sentence for the form
    secret_label: str  # what the secret is called there: "API token"
    usual_address: str  # where it is reached by most, "" where each organisation has its own
    hooks: bool  # whether it has webhooks that can be checked by a signature

    async def look(self, attached: Attached, client: httpx2.AsyncClient) -> str:
        """Try the address and the secret, and say what was found: "Project HARBOUR, 24 versions".

        Raises: Trouble.
        """

    async def pull(
        self, attached: Attached, cursor: str, client: httpx2.AsyncClient, progress: Progress | None = None
    ) -> Pulled:
        """Return the plan as it is now; `cursor` is what the last pull returned, or nothing.

        Raises: Trouble.
        """

    def is_signed(self, attached: Attached, headers: Mapping[str, str], body: bytes) -> bool:
        """Tell whether a webhook came from the tool: its signature by `attached.hook_secret`, compared in one time."""

    def greeting(self, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """Return the headers of an answer (200) to a webhook that only asks whether anybody is there, else nothing.

        Such a request is not signed: it is answered, and no hint to pull.
        """


class Remembering(Tool, Protocol):
    """A tool that can say how its plan stood at an instant of the past."""

    async def pull_past(
        self, attached: Attached, instants: Sequence[datetime], client: httpx2.AsyncClient
    ) -> Sequence[tuple[datetime, Plan]]:
        """Return the plan at each of the instants, UTC, in their order.

        Raises: Trouble.
        """
