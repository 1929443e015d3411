"""From what a tool answered to a plan: values that are there or are not, and notes on what was left out.

Rule: one odd value never costs the pull. It is left out and counted, and the first item that has it is named. A day on
which something was met lies not after the tool's own day.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from domain import check
from domain.language import N_
from domain.language import gettext as _
from web import clock
from web.importers.findings import MOST_NOTES, SHOWN, TITLE
from web.importers.plan import EARLIEST, LATEST, MAX_MILESTONES, Plan, PlannedMilestone
from web.sources.tools.tool import Field, Pulled

LONGEST_ID = 200  # characters
AHEAD = timedelta(minutes=10)  # by which the clock of a tool may be ahead without a note

CLOSED = Field(
    name="closed",
    label=N_("What is closed there"),
    hint=N_("The tool does not say on which day something was met."),
    choices=(("", N_("is only noted here")), ("date", N_("was met on its date"))),
    needed=False,
)

Item = Mapping[str, Any]


def found(item: Any, *path: str) -> Any:
    """Return what lies at a path in an answer, None where there is nothing."""
    for name in path:
        if not isinstance(item, Mapping):
            return None
        item = item.get(name)
    return item


def text(item: Any, *path: str) -> str:
    """Return a text or whole number at a path as text, "" where there is none."""
    value = found(item, *path)
    if isinstance(value, bool):
        return ""
    return value if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def rows(data: Any, *path: str) -> list[Item] | None:
    """Return the items of a page, None where it is none."""
    listed = found(data, *path) if path else data
    if not isinstance(listed, list):
        return None
    items = [one for one in listed if isinstance(one, Mapping)]
    return items if items or not listed else None


class Remarks:
    """Counts what was left out of a plan."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._first: dict[str, str] = {}
        self._notes: list[str] = []

    def count(self, what: str, of: str) -> None:
        """Count one more of what a note says; `of` is the title or id of the item."""
        if what in self._counts or len(self._counts) < MOST_NOTES:
            self._counts[what] = self._counts.get(what, 0) + 1
            self._first.setdefault(what, of if len(of) <= SHOWN else of[: SHOWN - 1] + "…")

    def note(self, sentence: str) -> None:
        """Keep a sentence."""
        self._notes.append(sentence)

    def all(self) -> tuple[str, ...]:
        """Return the notes."""
        counted = [
            _("{what}: {n} (first: “{first}”).", what=what, n=n, first=self._first[what])
            for what, n in self._counts.items()
        ]
        return (*self._notes[:MOST_NOTES], *counted)


class Gathered:
    """Milestones as they are gathered from the items of a tool.

    `tool` begins each id, so that no id of one tool is that of another. `today` is the tool's own day.
    """

    def __init__(self, tool: str, today: date) -> None:
        self.remarks = Remarks()
        self.today = today
        self.milestones: list[PlannedMilestone] = []
        self.present: set[str] = set()
        self.lost = self.early = False
        self._tool = tool

    def __len__(self) -> int:
        return len(self.present)

    @property
    def is_full(self) -> bool:
        """Whether there are as many as are followed."""
        return len(self.milestones) > MAX_MILESTONES

    def begin(self, kind: str, key: str, title: str) -> tuple[str, str] | None:
        """Return the id and title of an item to take in, None (and a note) where it cannot be one.

        `kind` is "" or what the tool calls it, where it numbers several kinds by themselves.
        """
        source_id = ":".join(filter(None, (self._tool, kind, check.without_refused(key).strip())))
        if not key.strip() or len(source_id) > LONGEST_ID:
            self.lost = True
            self.remarks.count(_("Items left out that have no id"), title or "–")
            return None
        if source_id in self.present:
            self.remarks.count(_("Items that came twice, as where the list moved while it was read"), title or key)
            return None
        self.present.add(source_id)
        plain = " ".join(check.without_refused(" ".join(title.split())).split())
        if check.blank(plain):
            self.remarks.count(_("Items left out that have no title"), key)
            return None
        if plain != " ".join(title.split()):
            self.remarks.count(_("Titles from which invisible characters were left out"), plain)
        if len(plain) > TITLE:
            self.remarks.count(_("Titles shortened to {title} characters", title=TITLE), plain)
            plain = plain[: TITLE - 1] + "…"
        return source_id, plain

    def add(self, source_id: str, title: str, **more: Any) -> None:
        """Take in a milestone; `more` are fields of `PlannedMilestone`."""
        baseline = more.get("baseline")
        self.milestones.append(
            PlannedMilestone(
                source_id=source_id,
                title=title,
                line=len(self.milestones) + 1,
                baselines=() if baseline is None else ((0, baseline),),
                **more,
            )
        )

    def day(self, written: str, of: str) -> date | None:
        """Return a civil date as YYYY-MM-DD; anything else is left out and counted. An instant is cut to its day."""
        if not written:
            return None
        try:
            day = date.fromisoformat(written[:10]) if len(written) == 10 or written[10:11] in "T " else None
        except ValueError:
            day = None
        return self._known(day, of)

    def day_of(self, written: str, of: str, zone: ZoneInfo | None = None) -> date | None:
        """Return the day of an instant with a zone: as it is written, or in `zone`."""
        if not written:
            return None
        if (at := instant(written)) is None:
            return self._known(None, of)
        return self._known((at.astimezone(zone) if zone else at).date(), of)

    def _known(self, day: date | None, of: str) -> date | None:
        if day is None or not EARLIEST <= day < LATEST:
            self.remarks.count(_("Dates left out that are none from 1950 to 2149"), of)
            return None
        return day

    def met(self, day: date | None, of: str) -> date | None:
        """Return the day on which something was met, None (and a note) where it lies after today."""
        if day is None or day <= self.today:
            return day
        self.remarks.count(_("Days on which something is said to have been met that lie after today, left out"), of)
        self.early = True
        return None

    def closed(self, forecast: date | None, of: str, choice: str) -> date | None:
        """Return the day on which something closed was met, of a tool that does not say it.

        `choice` is what a person chose in the field `CLOSED`.
        """
        if choice == "date" and forecast is not None:
            return self.met(forecast, of)
        self.remarks.count(_("Closed without a day on which it was met"), of)
        return None

    def percent(self, value: Any, of: str) -> int | None:
        """Return a percentage as a whole number, None where there is none; an odd one is left out and counted."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
            self.remarks.count(_("Percentages left out that are no number from 0 to 100"), of)
            return None
        return max(int(value), 1) if value > 0 else 0  # what has begun does not read as nothing

    def plan(self, title: str, *, data_date: date | None = None) -> Plan:
        """Return the plan; its hash is `content_hash` of it."""
        plain = " ".join(check.without_refused(" ".join(title.split())).split())[:TITLE]
        whole = Plan(
            format="tool",
            file_hash="",
            title=plain,
            data_date=data_date,
            milestones=tuple(self.milestones),
            read=len(self.present),
            present=frozenset(self.present),
            lost=self.lost,
            early=self.early,
            notes=self.remarks.all(),
        )
        return msgspec.structs.replace(whole, file_hash=content_hash(whole))


def content_hash(plan: Plan) -> str:
    """Return what a plan says as SHA-256 in hex: its title, then its milestones by id, whichever way they came."""
    told = [
        (m.source_id, m.title, m.outline, m.baseline, m.forecast, m.actual, m.deadline, m.percent_complete)
        for m in sorted(plan.milestones, key=lambda m: m.source_id)
    ]
    return hashlib.sha256(msgspec.json.encode((plan.title, told, sorted(plan.present)))).hexdigest()


def instant(written: str) -> datetime | None:
    """Return an instant (ISO 8601) that says its zone, None where the text is none."""
    try:
        at = datetime.fromisoformat(written)
        return at if at.tzinfo is not None and at.utcoffset() is not None else None
    except (ValueError, OverflowError):
        return None


def zone_of(name: str) -> ZoneInfo | None:
    """Return a time zone by its name, None where it is none that is known."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """The day of a tool, in its own zone, and whether its clock can be believed."""

    today: date  # the earlier of its own and ours
    stated: date | None  # None where its clock is ahead, or says nothing

    def say(self, label: str, remarks: Remarks) -> None:
        """Note a clock that is ahead."""
        if self.stated is None:
            remarks.note(
                _(
                    "The clock of {tool} says nothing, or a time that has not come, so the plan is confirmed as of no "
                    "day of its own.",
                    tool=label,
                )
            )


def day_at(at: datetime | None, zone: ZoneInfo | None = None) -> Day:
    """Return the day of an instant by a tool's clock: in `zone`, else as its own offset says."""
    now = clock.now()
    if at is None or at > now + AHEAD:
        return Day(today=now.astimezone(zone or (at.tzinfo if at else None) or UTC).date(), stated=None)
    stated = (at.astimezone(zone) if zone else at).date()
    return Day(today=stated, stated=stated)


def pulled(plan: Plan, cursor: Mapping[str, Any]) -> Pulled:
    """Return what a pull brought; `cursor` is what the next one needs.

    None is given for a plan that says what is to come: it counts once its day has come, though nothing changed there.
    """
    return Pulled(
        plan=plan,
        cursor="" if plan.early else msgspec.json.encode({**cursor, "hash": plan.file_hash}).decode(),
        content_hash=plan.file_hash,
        data_date=plan.data_date,
    )


def unchanged(cursor: Mapping[str, Any], data_date: date | None, **renewed: Any) -> Pulled:
    """Return that nothing changed since a cursor; `renewed` is put into the next one."""
    return Pulled(
        plan=None,
        cursor=msgspec.json.encode({**cursor, **renewed}).decode(),
        content_hash=str(cursor.get("hash", "")),
        data_date=data_date,
    )


def read_cursor(cursor: str, asked: Sequence[str]) -> dict[str, Any]:
    """Return a cursor, {} where it is none, or was made when something else was asked for."""
    try:
        data = msgspec.json.decode(cursor) if cursor else {}
    except msgspec.DecodeError:
        return {}
    return data if isinstance(data, dict) and data.get("asked") == asked_for(asked) and data.get("hash") else {}


def asked_for(asked: Sequence[str]) -> str:
    """Return what stands for what is asked for: a part of a SHA-256 in hex."""
    return hashlib.sha256("\0".join(asked).encode()).hexdigest()[:16]
